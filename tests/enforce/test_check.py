"""The check that web servers and image servers ask: what it says, to whom, and what it never says."""

from __future__ import annotations

import json
from datetime import timedelta
from io import BytesIO

import pytest
from django.core.signals import request_finished, request_started
from django.db import OperationalError
from django.test import RequestFactory
from django.utils import timezone

from iiif_auth import identify, store, upstream
from iiif_auth.enforce import signed
from iiif_auth.enforce.check import Answer
from iiif_auth.enforce.wsgi import CheckFirst
from iiif_auth.fetch import NotFetched
from iiif_auth.models import Pass
from iiif_auth.upstream import Description
from tests import factories, web
from tests.web import HOME, READING_ROOM, SIGNED_IN, Browser, access, person

SECRET = "what our web server says, of 32 letters"
DOORS = (
    {"name": "images", "path": "/iiif/3/", "serves": "image-3", "upstream": "http://127.0.0.1:8182/iiif/3/"},
    {"name": "older", "path": "/iiif/1/", "serves": "image-2", "upstream": "http://127.0.0.1:8182/iiif/2/"},
    {"name": "media", "path": "/media/", "serves": "files", "root": "/srv/media/"},
    {"name": "films", "path": "/films/", "serves": "folders", "root": "/srv/films/"},
)
CHART, TILE = "/iiif/3/chart", "/iiif/3/chart/0,0,512,512/256,/0/default.jpg"
CHECK = "/iiif-auth/check"
OURS = (
    "X-IIIF-Upstream",
    "X-IIIF-Source",
    "X-IIIF-File",
    "X-IIIF-Folder",
    "X-IIIF-Door",
    "X-IIIF-Tier",
    "X-IIIF-Cache",
    "X-IIIF-Rest",
)


@pytest.fixture
def doors(site):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "DOORS": DOORS, "CHECK_SECRET": SECRET}
    return site


@pytest.fixture
def login(doors):
    login = web.service("login", "login", dialects=web.ALL)
    web.restricted(CHART, SIGNED_IN, by=(login,))
    return login


def reader(slug: str = "login") -> Browser:
    browser = Browser().sign_in(person())
    browser.click(access(slug))
    return browser


def ask(
    target: str = TILE,
    browser: Browser | None = None,
    method: str = "GET",
    *,
    secret: str | None = SECRET,
    **headers: str,
):
    said = {
        "x-original-uri": target,
        "x-original-method": method,
        **({} if secret is None else {"x-iiif-auth-secret": secret}),
    }
    return (browser or Browser()).get(CHECK, headers={**said, **headers})


def told(body: object, secret: str = SECRET):
    text = body if isinstance(body, bytes) else json.dumps(body)
    return Browser().post(CHECK, text, "application/json", headers={"x-iiif-auth-secret": secret})


def ours(response) -> dict[str, str]:
    return {name: response.headers[name] for name in OURS if name in response.headers}


# -- Yes ----------------------------------------------------------------------------------------------------------


def test_whoever_may_have_it_is_told_where_it_is(login):
    response = ask(TILE, reader())
    assert (response.status_code, response.content) == (200, b"")
    assert ours(response) == {
        "X-IIIF-Door": "images",
        "X-IIIF-Upstream": "chart/0,0,512,512/256,/0/default.jpg",
        "X-IIIF-Source": "chart",
        "X-IIIF-Cache": "private, no-cache",
    }
    assert response.headers["Cache-Control"] == "no-store"
    assert "X-Accel-Expires" not in response.headers
    assert "Content-Type" not in response.headers


def test_files_are_named_as_the_disk_has_them_and_films_by_their_folder(doors):
    web.restricted("/media/m%C3%BCller%201.pdf", web.EVERYONE)
    web.restricted("/films/harbour/index.m3u8", web.EVERYONE, source="1910/harbour")
    file = ask("/media/m%C3%BCller%201.pdf")
    assert ours(file)["X-IIIF-Upstream"] == ours(file)["X-IIIF-Source"] == "m%C3%BCller%201.pdf"
    assert ours(file)["X-IIIF-File"].encode("latin-1").decode() == "müller 1.pdf"
    film = ours(ask("/films/harbour/low/seg-1.ts"))
    assert (film["X-IIIF-File"], film["X-IIIF-Source"]) == ("1910/harbour/low/seg-1.ts", "1910/harbour")
    assert film["X-IIIF-Folder"] == "1910/harbour"
    assert "X-IIIF-Folder" not in ours(file)


def test_what_everybody_may_have_any_cache_may_keep(doors):
    web.restricted(CHART, web.EVERYONE)
    assert ours(ask())["X-IIIF-Cache"] == "public, max-age=60"
    assert (
        ours(ask("/iiif/3/chart/full/max/0/default.jpg", reader_of_nothing()))["X-IIIF-Cache"] == "public, max-age=60"
    )


def reader_of_nothing() -> Browser:
    web.service("terms")
    browser = Browser()
    browser.click(access("terms"))
    return browser


def test_where_somebody_is_counts_and_is_never_everybodys(doors):
    web.restricted(CHART, web.at(web.reading_room()))
    assert [ask(TILE, Browser(address)).status_code for address in (HOME, READING_ROOM)] == [403, 200]
    assert ours(ask(TILE, Browser(READING_ROOM)))["X-IIIF-Cache"] == "private, no-cache"


def test_somebody_who_only_looks_on_is_not_put_out(login):
    browser = reader()
    Pass.objects.update(idle_until=timezone.now() + timedelta(minutes=2))
    assert ask(TILE, browser).status_code == 200
    assert Pass.objects.get().idle_until > timezone.now() + timedelta(minutes=20)


def test_it_costs_one_statement(login, django_assert_num_queries):
    browser = reader()
    ask(TILE, browser)
    for target, who in ((TILE, browser), ("/iiif/3/chart/full/max/0/default.jpg", browser), (TILE, Browser())):
        with django_assert_num_queries(1):
            ask(target, who)
    with django_assert_num_queries(0):
        ask("/iiif/3/chart/../x")
    with django_assert_num_queries(0):
        ask(TILE, browser, secret="")


# -- No -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [TILE, f"{CHART}/info.json", CHART, f"{TILE}?x=/iiif/3/open"])
def test_a_stranger_is_refused_with_nothing_at_all(login, target):
    response = ask(target)
    assert (response.status_code, response.content, ours(response)) == (401, b"", {})
    assert not {"WWW-Authenticate", "Location", "ETag", "Content-Type"} & set(response.headers)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "target",
    [
        "/iiif/3/unheard-of/full/max/0/default.jpg",
        "/iiif/3/chart/../chart/full/max/0/default.jpg",
        "/plain",
        "",
        "/",
        "x",
    ],
)
def test_there_is_no_404_and_no_redirect(login, target):
    for browser in (Browser(), reader() if target == "x" else Browser()):
        response = ask(target, browser)
        assert (response.status_code, response.content, ours(response)) == (403, b"", {})


def test_what_nobody_may_have_is_403(login):
    factories.WithdrawalFactory(resource=web.restricted("/iiif/3/gone", web.EVERYONE))
    assert ask("/iiif/3/gone/full/max/0/default.jpg").status_code == 403


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "GET, HEAD", "MERGE"]
)
def test_no_other_method_is_let_through(login, method):
    browser = reader()
    assert ask(TILE, browser, method).status_code == 403
    assert ask(TILE, browser, "HEAD").status_code == 200


@pytest.mark.parametrize("secret", [None, "", "x", SECRET[:-1], SECRET + "x", SECRET.upper(), "ü" * 32])
def test_only_our_own_web_server_is_believed(login, secret, caplog):
    """Whoever may set the headers of a check may ask for anybody (security P10)."""
    response = ask(TILE, reader(), secret=secret)
    assert (response.status_code, ours(response)) == (403, {})
    assert told({"uri": TILE, "address": READING_ROOM}, secret or "").status_code == 403
    assert "CHECK_SECRET" in caplog.text


def test_without_a_secret_in_the_settings_nobody_is_believed(doors, login):
    browser = reader()
    doors.IIIF_AUTH_FLOW = {**doors.IIIF_AUTH_FLOW, "CHECK_SECRET": ""}
    for secret in (None, "", SECRET):
        assert ask(TILE, browser, secret=secret).status_code == 403


def test_a_token_opens_nothing_but_a_head(login):
    browser = Browser().sign_in(person())
    browser.click(web.page_in("login", "alpha"))
    bearer = f"Bearer {web.drawn(browser, 'login', 'alpha')}"
    assert ask(TILE, None, "GET", authorization=bearer).status_code == 401
    assert ask(TILE, None, "HEAD", authorization=bearer).status_code == 200
    assert ask(TILE, None, "HEAD", authorization="Bearer x").status_code == 401
    assert ask(TILE, None, "POST", authorization=bearer).status_code == 403


@pytest.mark.parametrize("problem", [store.RulesInMotion("x"), OperationalError("x")])
def test_if_nothing_can_be_decided_the_answer_is_neither_yes_nor_kept(login, problem, monkeypatch, caplog):
    def broken(*given):
        raise problem

    monkeypatch.setattr(store, "find_for", broken)
    response = ask(TILE, reader())
    assert (response.status_code, response.content, ours(response)) == (503, b"", {})
    assert response.headers["X-Accel-Expires"] == "0"
    assert "refused" in caplog.text


def test_conditions_make_no_304(doors, login):
    """It would come out of nginx as an error (security C4)."""
    doors.MIDDLEWARE = ["django.middleware.http.ConditionalGetMiddleware", *doors.MIDDLEWARE]
    browser = reader()
    for headers in ({"if-none-match": "*"}, {"if-modified-since": "Wed, 21 Oct 2048 07:28:00 GMT"}):
        assert ask(TILE, browser, **headers).status_code == 200
        assert ask(TILE, None, **headers).status_code == 401
    assert "ETag" not in ask(TILE, browser).headers


# -- What may be kept for an item ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "target",
    [
        f"{CHART}/full/max/361/default.jpg",
        f"{CHART}/full/pct:0/0/default.jpg",
        f"{CHART}/full/max/0/default.tif",
        f"{CHART}/info.json/x",
        f"{CHART}/x",
    ],
)
def test_a_refusal_of_a_request_is_not_kept_as_one_of_the_item(login, target):
    """Or one bad request from a reading room would close the picture there for a second."""
    assert ask(target, reader()).headers["X-Accel-Expires"] == "0"
    assert "X-Accel-Expires" not in ask(TILE).headers


def test_another_method_is_not_kept_either(login):
    assert ask(TILE, reader(), "POST").headers["X-Accel-Expires"] == "0"


# -- Versions cut on the fly --------------------------------------------------------------------------------------


@pytest.fixture
def virtual(doors, monkeypatch):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, slug="full", order=0)
    web.tier(rules, web.EVERYONE, slug="small", order=1, gets="smaller", max_edge=600, virtual=True, formats="jpg,webp")
    monkeypatch.setattr(upstream, "describe", lambda door, source: Description(6000, 4000, 3))
    return factories.ResourceFactory(url=CHART, policy=rules, source="maps/chart.tif")


def test_a_part_of_a_smaller_version_is_one_of_the_large_picture_at_its_scale(virtual):
    response = ask("/iiif/3/chart~small/0,0,300,200/max/0/default.jpg")
    assert ours(response) == {
        "X-IIIF-Door": "images",
        "X-IIIF-Upstream": "maps%2Fchart.tif/0,0,3000,2000/300,200/0/default.jpg",
        "X-IIIF-Source": "maps%2Fchart.tif",
        "X-IIIF-Rest": "0,0,3000,2000/300,200/0/default.jpg",
        "X-IIIF-Tier": "small",
        "X-IIIF-Cache": "public, max-age=60",
    }
    assert response.headers["X-Accel-Expires"] == "0"


@pytest.mark.parametrize("rest", ["info.json", "", "/"])
def test_what_describes_the_large_picture_is_not_handed_out_for_the_small_one(virtual, rest):
    """And it is not kept: the next part would be answered with the large picture's name (security I7)."""
    response = ask(f"/iiif/3/chart~small/{rest}".rstrip("/") if rest != "/" else "/iiif/3/chart~small/")
    assert (response.status_code, ours(response), response.headers["X-Accel-Expires"]) == (403, {}, "0")


@pytest.mark.parametrize(
    "rest",
    [
        "full/601,/0/default.jpg",
        "0,0,100,100/101,/0/default.jpg",
        "full/^max/45/default.jpg",
        "full/max/0/gray.jpg",
        "full/max/0/default.png",
        "600,0,100,100/max/0/default.jpg",
        "full/^1200,/0/default.jpg",
    ],
)
def test_what_the_smaller_version_has_not_is_refused_and_not_kept(virtual, rest):
    response = ask(f"/iiif/3/chart~small/{rest}")
    assert (response.status_code, ours(response), response.headers["X-Accel-Expires"]) == (403, {}, "0")


def test_if_the_size_of_the_large_picture_can_not_be_learned_nothing_is_cut(virtual, monkeypatch, caplog):
    def broken(door, source):
        raise NotFetched("x")

    monkeypatch.setattr(upstream, "describe", broken)
    response = ask("/iiif/3/chart~small/full/max/0/default.jpg")
    assert (response.status_code, ours(response)) == (503, {})


def test_a_file_of_its_own_has_a_name_of_its_own(virtual):
    virtual.policy.tiers.filter(slug="small").update(virtual=False)
    found = ours(ask("/iiif/3/chart~small/full/^1200,/0/default.jpg"))
    assert found["X-IIIF-Upstream"] == "maps%2Fchart~small.tif/full/%5E1200,/0/default.jpg"
    assert "X-IIIF-Rest" not in found


# -- In JSON ------------------------------------------------------------------------------------------------------


def test_image_servers_are_told_in_json(login):
    cookie = f"{identify.COOKIE}={reader().access_cookie}"
    yes = told({"uri": TILE, "cookie": cookie, "address": HOME})
    assert (yes.status_code, yes.headers["Cache-Control"]) == (200, "no-store")
    assert yes.json() == {
        "status": 200,
        "door": "images",
        "source": "chart",
        "upstream": "chart/0,0,512,512/256,/0/default.jpg",
        "tier": "",
        "max_edge": None,
        "cache": "private, no-cache",
    }
    for body in ({}, {"cookie": f"{cookie}; {cookie}"}, {"cookie": cookie, "method": "POST"}, {"cookie": "x"}):
        assert told({"uri": TILE, **body}).json()["status"] in (401, 403)


def test_a_reader_of_a_smaller_version_is_told_how_large_it_is(virtual):
    assert told({"uri": "/iiif/3/chart~small/full/max/0/default.jpg"}).json()["max_edge"] == 600


@pytest.mark.parametrize("proxies", [0, 1, 2])
def test_the_address_is_that_of_the_reader_behind_however_many_proxies(doors, proxies):
    doors.IIIF_AUTH_FLOW = {**doors.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": proxies}
    web.restricted(CHART, web.at(web.reading_room()))
    said = [told({"uri": TILE, "address": one}).json()["status"] for one in (READING_ROOM, HOME, "", "x")]
    assert said == [200, 403, 403, 403]


def test_a_token_counts_in_json_as_in_headers(login):
    browser = Browser().sign_in(person())
    browser.click(web.page_in("login", "alpha"))
    token = web.drawn(browser, "login", "alpha")
    said = [told({"uri": TILE, "token": token, "method": method}).json()["status"] for method in ("GET", "HEAD", "")]
    assert said == [401, 200, 401]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"7", b"null", b'"x"', b"\xff", b"[" * 5000, b'{"uri": 1}', b'{"uri": null}', b"{}"),
        *(
            b'{"uri": "/x", "cookie": 1}',
            b'{"uri": "/x", "address": ["x"]}',
            b'{"uri": "/x", "x": "' + b"y" * 20_001 + b'"}',
        ),
    ],
)
def test_a_question_that_is_none_is_answered_with_a_sentence(login, body):
    response = told(body)
    assert (response.status_code, response.json()["status"]) == (400, 403)
    assert response.json()["error"].endswith(".")


# -- Signed -------------------------------------------------------------------------------------------------------


def test_under_a_ticket_the_cookie_of_whoever_asks_is_not_looked_at(login):
    facts = store.find_pass(identify.digest(reader().access_cookie))
    ticket = signed.issue(CHART, facts, timezone.now())
    assert ask(f"/iiif-auth/signed/{ticket}{TILE}").status_code == 200
    forged = ticket[:-2] + ("AA" if not ticket.endswith("AA") else "QA")
    other = Browser().sign_in(person("bob"))
    other.click(access("login"))
    assert ask(TILE, other).status_code == 200
    assert ask(f"/iiif-auth/signed/{forged}{TILE}", other).status_code == 403
    Pass.objects.filter(pk=facts.id).delete()
    assert ask(f"/iiif-auth/signed/{ticket}{TILE}", other).status_code == 401


# -- Before everything else of the site ---------------------------------------------------------------------------


def started(path: str, **environ: object) -> tuple[str, dict[str, str], list[str]]:
    """What an application of WSGI says, and which requests reached the site behind."""
    reached, said = [], []

    def site(environ, start_response):
        reached.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return []

    given = RequestFactory(HTTP_HOST=web.HOST).get(path).environ | {"wsgi.input": BytesIO(b"")} | environ
    response = CheckFirst(site)(given, lambda status, headers: said.append((status, dict(headers))))
    getattr(response, "close", lambda: None)()
    return said[0][0], said[0][1], reached


def test_the_check_is_answered_before_the_middleware(login):
    headers = {"HTTP_X_IIIF_AUTH_SECRET": SECRET, "HTTP_X_ORIGINAL_URI": TILE}
    cookie = {"HTTP_COOKIE": f"{identify.COOKIE}={reader().access_cookie}"}
    status, found, reached = started(CHECK, **headers, **cookie)
    assert (status, found["X-IIIF-Source"], reached) == ("200 OK", "chart", [])
    assert started(CHECK, **headers)[0] == "401 Unauthorized"
    assert started(CHECK)[0] == "403 Forbidden"


@pytest.mark.parametrize("path", ["/", "/plain", "/other/check", "/iiif-auth/check/", "/iiif-auth/checks", "/check"])
def test_everything_else_is_the_sites(login, path):
    assert started(path)[2] == [path]


def seen_signals(site, hook: str) -> list[str]:
    """Which of Django's signals of requests are sent for a check, with a hook of the host's or without."""
    seen: list[str] = []
    receivers = {
        request_started: lambda **_: seen.append("started"),
        request_finished: lambda **_: seen.append("finished"),
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver, weak=False)
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "SUBJECT": hook}
    try:
        started(CHECK, HTTP_X_IIIF_AUTH_SECRET=SECRET, HTTP_X_ORIGINAL_URI=TILE)
    finally:
        for signal, receiver in receivers.items():
            signal.disconnect(receiver)
    return seen


def unchanged(subject, request):
    """A hook of the host's that adds nothing."""
    return subject


def test_the_hosts_own_code_is_told_of_a_request_as_it_is_used_to(doors, login):
    assert seen_signals(doors, f"{__name__}.unchanged") == ["started", "finished"]
    assert seen_signals(doors, "") == []


def test_connections_are_seen_to_before_a_check_and_after_it(login, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr("iiif_auth.enforce.wsgi.close_old_connections", lambda: seen.append("seen to"))
    assert started(CHECK, HTTP_X_IIIF_AUTH_SECRET=SECRET, HTTP_X_ORIGINAL_URI=TILE)[0] == "401 Unauthorized"
    assert len(seen) == 2
    assert started("/plain")[2] == ["/plain"]
    assert len(seen) == 2, "that is the site's own handler's to do"
    monkeypatch.setattr("iiif_auth.enforce.check.is_ours", lambda request: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        started(CHECK, HTTP_X_IIIF_AUTH_SECRET=SECRET)
    assert len(seen) == 4


def test_a_bare_no_says_nothing_else():
    assert Answer(403).headers == {"Cache-Control": "no-store"}

"""HEAD with a token, as old versions have it that know no probe: a status leaves, and not a byte (A2A-HEAD-01, A1X-01)."""

from __future__ import annotations

import pytest
from django.http import HttpResponse

from iiif_auth.models import Pass
from tests import factories, web
from tests.http import urls
from tests.web import (
    CANARY,
    EVERYONE,
    HOME,
    OTHER_VIEWER,
    READING_ROOM,
    SIGNED_IN,
    Browser,
    content_status,
    page_in,
    person,
)

REPORT = "/media/report.txt"
HEARD = {"alpha": ["alpha"], "1": ["1", "1-media"]}
"""The versions whose tokens a HEAD may carry, and what a service must be offered in for it."""


@pytest.fixture
def login(site):
    login = web.service("login", "login", dialects=web.ALL)
    web.restricted(REPORT, SIGNED_IN, by=(login,))
    return login


def reader(dialect: str) -> tuple[Browser, str]:
    browser = Browser().sign_in(person())
    browser.click(page_in("login", dialect))
    return browser, web.drawn(browser, "login", dialect)


def asked(method: str, token: str | None = None, browser: Browser | None = None, url: str = REPORT, **headers: str):
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return getattr(browser or Browser(), method)(url, headers=headers)


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.requirement("A2A-HEAD-01", "A1X-01")
@pytest.mark.parametrize("dialect", HEARD)
def test_a_head_with_a_token_says_what_one_would_get(login, dialect):
    browser, token = reader(dialect)
    assert content_status(browser, REPORT) == 200
    granted = asked("head", token)
    assert (granted.status_code, body(granted)) == (200, b"")
    for refused in (asked("head"), asked("head", "A" * 43), asked("head", "x"), asked("head", authorization="Basic x")):
        assert (refused.status_code, body(refused)) == (401, b"")


@pytest.mark.requirement("A2A-HEAD-02")
@pytest.mark.parametrize("dialect", HEARD)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_nothing_but_a_head_looks_at_the_token(login, dialect, method):
    _, token = reader(dialect)
    with_token, without = asked(method, token), asked(method)
    assert with_token.status_code == without.status_code != 200
    assert CANARY not in body(with_token)


@pytest.mark.requirement("A2A-HEAD-02")
@pytest.mark.parametrize("dialect", HEARD)
@pytest.mark.parametrize(
    "headers", [{"range": "bytes=0-3"}, {"if-none-match": "*"}, {"x-http-method-override": "GET"}, {"accept": "*/*"}]
)
def test_no_header_brings_a_byte_or_its_size(login, dialect, headers):
    _, token = reader(dialect)
    response = asked("head", token, **headers)
    assert (response.status_code, body(response)) == (200, b"")
    assert not {"ETag", "Last-Modified", "Content-Range", "Content-Disposition"} & set(response.headers)
    assert response.headers.get("Content-Length", "0") == "0"


@pytest.mark.parametrize("dialect", HEARD)
def test_the_view_behind_is_not_even_called(login, dialect, monkeypatch):
    called = []
    monkeypatch.setattr(urls.files, "send", lambda *given: called.append(given) or HttpResponse())
    _, token = reader(dialect)
    assert asked("head", token).status_code == 200
    assert called == []


@pytest.mark.parametrize("dialect", HEARD)
def test_the_answer_is_readable_from_anywhere_and_stored_nowhere(login, dialect):
    _, token = reader(dialect)
    for response in (asked("head", token, origin=OTHER_VIEWER), asked("head", origin=OTHER_VIEWER)):
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cache-Control"] == "no-store"
        assert not {"WWW-Authenticate", "Access-Control-Allow-Credentials"} & set(response.headers)
        assert not response.cookies
    assert "Authorization" in asked("head", token).headers["Vary"]


@pytest.mark.requirement("A2A-HEAD-03")
@pytest.mark.parametrize("url", [REPORT, "/media/unheard-of", "/iiif/3/chart/full/max/0/default.jpg"])
def test_the_preflight_allows_it_for_everything_alike(login, url):
    asking = {"access-control-request-method": "HEAD", "access-control-request-headers": "authorization"}
    response = Browser().options(url, headers={"origin": OTHER_VIEWER, **asking})
    assert (response.status_code, body(response)) == (200, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "HEAD" in response.headers["Access-Control-Allow-Methods"].split(", ")
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"].split(", ")


# -- Whose tokens -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", [name for name in web.DIALECTS if name not in HEARD])
def test_versions_that_have_it_not_are_nobody(login, dialect):
    browser, token = reader(dialect)
    assert asked("head", token).status_code == 401
    assert content_status(browser, REPORT) == 200


@pytest.mark.parametrize("dialect", HEARD)
def test_what_is_switched_off_is_not_heard(login, dialect):
    _, token = reader(dialect)
    for missing in HEARD[dialect]:
        login.dialects = [name for name in web.ALL if name != missing]
        login.save()
        assert asked("head", token).status_code == 401, missing
    login.dialects = HEARD[dialect]
    login.save()
    assert asked("head", token).status_code == 200


@pytest.mark.parametrize("dialect", HEARD)
def test_a_token_of_a_service_that_does_not_lead_here_is_nobody(login, dialect):
    terms = web.service("terms", dialects=web.ALL)
    web.restricted("/copies/report.txt", web.agreed(terms), by=(terms,))
    browser, token = reader(dialect)
    browser.click(page_in("terms", dialect))
    other = web.drawn(browser, "terms", dialect)
    assert asked("head", other).status_code == 401
    assert asked("head", token, url="/copies/report.txt").status_code == 401
    assert asked("head", other, url="/copies/report.txt").status_code == 200


@pytest.mark.parametrize("dialect", HEARD)
def test_leaving_is_felt_at_once(login, dialect):
    browser, token = reader(dialect)
    assert asked("head", token).status_code == 200
    browser.get(web.logout_page("login", web.DIALECTS[dialect]))
    assert asked("head", token).status_code == 401


@pytest.mark.parametrize("dialect", HEARD)
def test_a_token_for_an_address_adds_nothing(site, dialect):
    campus = web.service("campus", "external", dialects=web.ALL)
    web.restricted(REPORT, web.at(web.reading_room()), by=(campus,))
    token = web.drawn(Browser(READING_ROOM), "campus", dialect)
    assert [asked("head", token, Browser(where)).status_code for where in (READING_ROOM, HOME)] == [200, 401]


# -- Beside the cookie --------------------------------------------------------------------------------------------


def test_a_head_without_a_token_obeys_the_cookie_as_ever(login):
    browser, _ = reader("1")
    response = asked("head", None, browser)
    assert response.status_code == 200
    assert response.headers["Content-Length"] == str(len(body(browser.get(REPORT))))


def test_a_token_that_does_not_count_takes_nothing_from_the_cookie(login):
    browser, _ = reader("1")
    for token in ("A" * 43, "x", ""):
        assert asked("head", token, browser).status_code == 200


def test_a_token_that_counts_keeps_no_pass_alive(login):
    _, token = reader("alpha")
    before = Pass.objects.values_list("idle_until", flat=True).get()
    asked("head", token)
    assert Pass.objects.values_list("idle_until", flat=True).get() == before


def test_what_everybody_may_have_is_answered_as_without_a_token(login):
    web.restricted("/copies/open.txt", EVERYONE)
    _, token = reader("alpha")
    found = [asked("head", held, url="/copies/open.txt").status_code for held in (None, token, "x")]
    assert found == [200, 200, 200]


def test_what_may_be_looked_at_and_not_kept_is_refused_to_a_copy(site):
    login = web.service("login", "login", dialects=web.ALL)
    web.restricted("/copies/report.txt", SIGNED_IN, by=(login,), tier_values={"take": False})
    browser, token = reader("alpha")
    assert browser.get("/copies/report.txt").status_code == 403
    assert asked("head", token, url="/copies/report.txt").status_code == 403


def test_what_is_hidden_looks_like_nothing_to_a_head(login):
    shelf = web.hidden_collection("/media/secret-", policy=factories.AccessPolicyFactory())
    web.restricted("/media/secret-report.txt", web.agreed(login), by=(login,), collection=shelf)
    other = web.service("terms", dialects=web.ALL)
    browser, _ = reader("alpha")
    browser.click(page_in("terms", "alpha"))
    token = web.drawn(browser, other.slug, "alpha")
    for held in (None, "A" * 43, token):
        there, nothing = (asked("head", held, url=f"/media/secret-{name}") for name in ("report.txt", "nothing"))
        assert (there.status_code, dict(there.headers)) == (nothing.status_code, dict(nothing.headers))
        assert there.status_code == 401

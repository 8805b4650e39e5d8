"""Hand-offs and twins: access reaches a viewer whose browser blocks cookies, and nobody else (browsers.md, 4.1 and 4.2)."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from iiif_auth import handoffs, identify, middleware, passes, storage_access
from iiif_auth.http import handoff as handoff_views
from iiif_auth.http import token as token_views
from iiif_auth.models import AccessPolicy, Handoff, Pass, Token, Twin
from tests import web
from tests.web import BASE, OTHER_VIEWER, SIGNED_IN, VIEWER, Browser, access, logout_page, person, token_page

CHART = "/iiif/3/chart"
WINDOW, STANDING = "/iiif-auth/handoff", "/iiif-auth/handoff/standing"
OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}


@pytest.fixture
def login(site):
    row = web.service("login", "login", dialects=web.ALL)
    web.picture("chart", SIGNED_IN, by=(row,))
    return row


@pytest.fixture
def reader(login):
    """Somebody who has just clicked “Continue” for :data:`VIEWER`."""
    return web.signed_in_reader()


def issued(browser, origin=VIEWER, service="login", said=OWN):
    """What the hand-off window is answered."""
    return browser.post(WINDOW, {"service": service, "origin": origin}, headers=said)


def code_of(browser):
    return issued(browser).json()["code"]


def frame():
    """The viewer's frame in a browser that keeps our cookies out of it."""
    return Browser(headers={"sec-fetch-dest": "iframe"})


def redeemed(one, code, again="", origin=VIEWER, slug="login", space="2", said=OWN):
    query = urlencode({"messageId": "7", **({"origin": origin} if origin else {})})
    return one.post(f"/iiif-auth/{space}/redeem/{slug}?{query}", {"code": code, "again": again}, headers=said)


def carried(one, code, *, keeps=True, **asked):
    """Both calls of a frame; the second brings the twin back if the browser keeps partitioned cookies."""
    first = redeemed(one, code, **asked)
    if "message" in first.json():
        return first.json()["message"]
    if keeps:
        one.cookies[identify.TWIN] = one.twin
    return redeemed(one, code, again="1", **asked).json()["message"]


def ladder(browser, origin=VIEWER):
    return web.envelope(browser.get(token_page("login", origin)))["ladder"]


# -- Up the ladder ------------------------------------------------------------------------------------------------


def test_a_code_becomes_a_twin_and_a_token_and_both_are_good(reader):
    one = frame()
    message = carried(one, code_of(reader))
    assert (message["type"], message["messageId"]) == ("AuthAccessToken2", "7")
    assert web.probe(CHART, message["accessToken"])["status"] == 200
    assert web.content_status(one) == 200
    assert web.token(one, "login")


@pytest.mark.parametrize(("space", "origin"), [("1", VIEWER), ("0", VIEWER), ("alpha", VIEWER), ("0", "")])
def test_every_version_climbs_the_same_ladder(login, space, origin):
    browser, one = Browser().sign_in(person()), frame()
    browser.click(access("login", origin, space))
    message = carried(one, issued(browser, origin).json()["code"], space=space, origin=origin)
    assert "accessToken" in message


@pytest.mark.parametrize("space", ["1", "0", "alpha"])
def test_where_no_cookie_can_come_a_version_without_locations_gets_an_error(login, space):
    browser, one = Browser().sign_in(person()), frame()
    browser.click(access("login", VIEWER, space))
    message = carried(one, issued(browser).json()["code"], keeps=False, space=space)
    assert "accessToken" not in message
    assert not Token.objects.exists()


def test_nobody_waits_where_no_code_is_on_its_way(reader):
    assert ladder(frame())["listen"] == 0
    code_of(reader)
    assert ladder(frame())["listen"] == token_views.LISTENING
    assert ladder(frame(), OTHER_VIEWER)["listen"] == 0


def test_every_success_gives_a_twin_with_all_its_attributes(reader):
    response = reader.get(token_page("login"), headers={"sec-fetch-dest": "iframe", "referer": f"{VIEWER}/page"})
    parts = response.cookies[identify.TWIN].OutputString().split("; ")
    assert parts[0] == f"{identify.TWIN}={reader.twin}"
    assert {"Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"} <= set(parts)
    assert not any(part.startswith("Domain") for part in parts)
    assert Twin.objects.get().digest == identify.digest(reader.twin)
    assert reader.twin != reader.access_cookie


def test_a_twin_that_came_along_is_not_given_again(reader):
    web.token(reader, "login")
    one = frame()
    one.cookies[identify.TWIN] = reader.twin
    assert identify.TWIN not in one.get(token_page("login")).cookies
    assert Twin.objects.count() == 1


SAID = {
    "by nobody": ({"referer": ""}, False),
    "another site": ({"referer": f"{OTHER_VIEWER}/"}, False),
    "a site that looks alike": ({"referer": f"{VIEWER}.example.net/"}, False),
    "not a URL": ({"referer": "https://["}, False),
    "another origin": ({"origin": OTHER_VIEWER, "referer": f"{VIEWER}/"}, False),
    "the viewer's page": ({"referer": f"{VIEWER}/a/page?of=its"}, True),
    "the viewer's origin": ({"referer": "", "origin": VIEWER}, True),
    "our own frame": ({"referer": "", "sec-fetch-site": "same-origin", "sec-fetch-mode": "same-origin"}, True),
}


@pytest.mark.parametrize("said", SAID)
def test_a_twin_is_given_only_where_the_browser_says_that_the_viewer_is(reader, said):
    """Where a browser lets our cookie through, a site that speaks in another's name gets no token, and no twin either."""
    headers, given = SAID[said]
    response = reader.get(token_page("login"), headers=headers)
    assert "accessToken" in web.envelope(response)["message"]
    assert ((identify.TWIN in response.cookies), Twin.objects.exists()) == (given, given)


def test_a_site_that_gives_every_claim_a_twin_is_noticed(reader, monkeypatch):
    monkeypatch.setattr("iiif_auth.twins.is_there", lambda request, origin: True)
    with pytest.raises(AssertionError):
        test_a_twin_is_given_only_where_the_browser_says_that_the_viewer_is(reader, "another site")


def test_twins_that_no_browser_keeps_fill_no_table(reader, monkeypatch):
    monkeypatch.setattr("iiif_auth.twins.SLOTS", 3)
    for _ in range(12):
        web.token(reader, "login")
    assert Twin.objects.count() <= 3


def test_the_log_says_by_what_a_token_came(reader, caplog):
    caplog.set_level(logging.DEBUG, "iiif_auth.token")
    web.token(reader, "login")
    one = frame()
    carried(one, code_of(reader))
    web.token(one, "login")
    carried(frame(), code_of(reader), keeps=False)
    said = [record.getMessage().split()[3] for record in caplog.records if record.name == "iiif_auth.token"]
    assert said == ["cookie", "handoff", "partitioned", "signed"]


# -- Storage access -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "answered"),
    [("inactive", f'retry; allowed-origin="{VIEWER}"'), ("none", None), ("active", None), ("", None)],
)
def test_a_browser_that_holds_a_cookie_back_is_asked_to_try_again(login, said, answered):
    headers = {"origin": VIEWER, "sec-fetch-storage-access": said}
    for url in (token_page("login"), f"{CHART}/full/max/0/default.jpg"):
        response = Browser().get(url, headers=headers)
        assert response.headers.get(storage_access.ANSWER) == answered
        assert storage_access.ASKED.lower() in response.headers["Vary"].lower()


@pytest.mark.parametrize("origin", ["null", 'https://a"; x="', "https://a.example/b"])
def test_nothing_but_an_origin_is_said_back(login, origin):
    headers = {"origin": origin, "sec-fetch-storage-access": "inactive"}
    response = Browser().get(f"{CHART}/full/max/0/default.jpg", headers=headers)
    assert storage_access.ANSWER not in response.headers


def test_a_frame_that_has_its_cookies_keeps_them(reader):
    response = reader.get(token_page("login"), headers={"sec-fetch-storage-access": "active"})
    assert response.headers[storage_access.ANSWER] == "load"


# -- Where no cookie can come -------------------------------------------------------------------------------------


def test_without_the_policys_leave_the_reader_is_sent_to_the_librarys_own_site(reader):
    message = carried(frame(), code_of(reader), keeps=False)
    result = web.probe(CHART, message["accessToken"])
    assert (result["status"], "location" in result) == (403, False)
    assert f"{BASE}/iiif-auth/refused/" in str(result["note"])


def item_page(uri):
    return f"https://www.example.org/show?item={uri}"


def test_a_site_may_say_where_its_items_have_pages(reader, settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "ITEM_PAGE": "tests.http.test_handoff.item_page"}
    message = carried(frame(), code_of(reader), keeps=False)
    assert item_page(CHART) in str(web.probe(CHART, message["accessToken"])["note"])


def test_with_the_policys_leave_that_browser_alone_gets_a_signed_address(reader):
    AccessPolicy.objects.update(signed_if_blocked=True)
    kept_out, let_in = frame(), frame()
    message = carried(kept_out, code_of(reader), keeps=False)
    result = web.probe(CHART, message["accessToken"])
    assert result["status"] == 302
    signed = result["location"]["service"][0]["id"].removeprefix(BASE)
    assert web.content_status(kept_out, CHART) == 401
    assert kept_out.get(f"{signed}/full/max/0/default.jpg").status_code == 200
    other = carried(let_in, code_of(reader))
    assert web.probe(CHART, other["accessToken"])["status"] == 200
    reader.get(logout_page("login"))
    assert kept_out.get(f"{signed}/full/max/0/default.jpg").status_code in (401, 403)


# -- Safeguards ---------------------------------------------------------------------------------------------------


def test_a_logout_ends_twin_token_and_code_at_once(reader):
    one = frame()
    message, late = carried(one, code_of(reader)), code_of(reader)
    reader.get(logout_page("login"))
    assert web.content_status(one) == 401
    assert web.probe(CHART, message["accessToken"])["status"] == 401
    assert "accessToken" not in carried(frame(), late)
    assert not Twin.objects.exists()
    assert not Handoff.objects.exists()


def test_a_logout_of_the_host_does_too(reader):
    one = frame()
    carried(one, code_of(reader))
    late = code_of(reader)
    reader.click("/accounts/logout/", reader.get(access("login")))
    assert web.content_status(one) == 401
    assert "accessToken" not in carried(frame(), late)


def test_a_code_is_for_the_site_that_was_confirmed(reader):
    """The viewer's frame names another site than the access page did."""
    assert "accessToken" not in carried(frame(), code_of(reader), origin=OTHER_VIEWER)
    assert not Twin.objects.exists()
    assert not Token.objects.exists()


def test_a_code_is_made_for_no_site_but_the_one_that_was_confirmed(reader):
    assert issued(reader, OTHER_VIEWER).status_code == 403
    assert issued(reader, service="nonsense").status_code == 403


def test_a_code_is_good_for_seconds(reader):
    code = code_of(reader)
    row = Handoff.objects.get()
    assert timedelta(0) < row.ends - row.created <= timedelta(seconds=20)
    Handoff.objects.update(ends=timezone.now())
    assert "accessToken" not in carried(frame(), code)


def test_a_code_is_worn_out_after_a_few_frames(reader):
    code = code_of(reader)
    for _ in range(handoffs.MOST_REDEEMED // 2):
        assert "accessToken" in carried(frame(), code)
    assert "accessToken" not in carried(frame(), code)


def test_only_the_digest_of_a_code_is_stored(reader):
    code = code_of(reader)
    assert Handoff.objects.get().digest == identify.digest(code)
    assert code not in repr(
        handoffs.issue(passes.store.find_pass(identify.digest(reader.access_cookie)), "login", VIEWER)
    )


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": VIEWER},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": ""},
    ],
)
def test_only_our_own_pages_make_and_redeem_codes(reader, headers):
    said = {**OWN, **headers}
    assert issued(reader, said=said).status_code == 403
    code = code_of(reader)
    assert redeemed(frame(), code, said=said).status_code == 403
    assert not Twin.objects.exists()
    assert Handoff.objects.get().redeemed == 0


def test_a_code_needs_a_click_that_has_just_been(reader):
    passes.Agreement.objects.update(at=timezone.now() - handoffs.FRESH - timedelta(seconds=1))
    assert issued(reader).status_code == 403


def test_whoever_has_no_pass_is_given_no_code(login):
    assert issued(Browser()).status_code == 403
    assert issued(Browser().sign_in(person())).status_code == 403


def test_looking_at_the_window_changes_nothing_and_it_can_not_be_framed(reader):
    response = reader.get(WINDOW)
    assert response.status_code == 200
    assert not Handoff.objects.exists()
    assert response.headers["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    for answer in (response, reader.put(WINDOW), issued(reader)):
        assert answer.headers["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert redeemed(frame(), "x").headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_codes_are_redeemed_by_post_only(reader, method):
    assert getattr(frame(), method)(f"/iiif-auth/2/redeem/login?messageId=1&origin={VIEWER}").status_code in (403, 405)


def test_the_window_is_told_how_its_own_hand_off_stands(reader):
    first = issued(reader).json()

    def state(browser, **more):
        return browser.post(STANDING, {"number": first["number"], **more}, headers=OWN).json()["state"]

    assert (state(reader), state(Browser())) == ("waiting", "over")
    stranger = Browser().sign_in(person("bob"))
    stranger.click(access("login"))
    assert state(stranger, over="1") == "over"
    carried(frame(), first["code"])
    assert state(reader, over="1") == "done"
    assert state(reader) == "over"
    for nonsense in ("", "x", "٣", "9" * 30, "-1"):
        assert reader.post(STANDING, {"number": nonsense}, headers=OWN).json() == {"state": "over"}


def test_a_window_whose_viewer_needs_no_code_is_told_so_at_once(reader):
    """Whoever allows cookies sees it go as soon as it came."""
    number = issued(reader).json()["number"]
    web.token(reader, "login")
    assert reader.post(STANDING, {"number": number}, headers=OWN).json() == {"state": "needless"}


def test_a_new_click_ends_what_an_earlier_one_gave(reader):
    """Whoever planted a cookie keeps no twin, code or cookieless token of the pass that somebody goes on with (security K1)."""
    one = frame()
    carried(one, code_of(reader))
    cookieless = carried(frame(), code_of(reader), keeps=False)
    late = code_of(reader)
    reader.click(access("login"))
    assert web.content_status(one) == 401
    assert "accessToken" not in carried(frame(), late)
    assert web.probe(CHART, cookieless["accessToken"])["status"] == 401


# -- The twin at the doors ----------------------------------------------------------------------------------------


def status_with(*pairs):
    return (
        Browser()
        .get(
            f"{CHART}/full/max/0/default.jpg", headers={"cookie": "; ".join(f"{name}={value}" for name, value in pairs)}
        )
        .status_code
    )


def test_two_cookies_are_never_merged_and_two_twins_are_none(reader):
    web.token(reader, "login")
    good, twin, other = reader.access_cookie, reader.twin, identify.new_secret()
    a, t = identify.COOKIE, identify.TWIN
    assert status_with((t, twin)) == status_with((a, good), (t, other)) == 200
    assert status_with((t, twin), (t, other)) == status_with((t, other), (t, twin)) == 401
    assert status_with((a, other), (t, twin)) == status_with((a, "x"), (t, twin)) == 401
    assert status_with((a, good), (a, other), (t, twin)) == 401
    assert status_with((a, twin)) == status_with((t, good)) == 401


def test_a_twin_draws_tokens_for_its_own_site_only(reader):
    reader.click(access("login", OTHER_VIEWER))
    web.token(reader, "login")
    one = frame()
    one.cookies[identify.TWIN] = reader.twin
    assert web.problem(one, "login", OTHER_VIEWER) == "invalidAspect"
    assert web.token(one, "login")


def test_a_twin_counts_for_nothing_on_pages_of_our_own(reader):
    web.token(reader, "login")
    one = Browser()
    one.cookies[identify.TWIN] = reader.twin
    assert issued(one).status_code == 403
    one.get(logout_page("login"))
    assert Pass.objects.exists()


# -- The scripts --------------------------------------------------------------------------------------------------

LAST_CALL = re.compile(r"(?:=>|\breturn\b)\s*\(?[\w.?\[\]]*\bpostMessage\(")
APP = Path(identify.__file__).parent
SCRIPTS = [*APP.glob("static/iiif_auth/*.js"), *APP.glob("templates/iiif_auth/*.html")]


def test_no_message_is_the_last_call_of_a_function():
    """WebKit calls that by a jump, in strict code, and then takes the message for one of the window that hears it (measured)."""
    assert sum("postMessage(" in script.read_text() for script in SCRIPTS) >= 6
    for script in SCRIPTS:
        assert not LAST_CALL.search(script.read_text()), script.name
    for wrong in (
        "const tell = (x) => tab.postMessage(x)",
        "return window.opener?.postMessage(x)",
        "=> (a[1].postMessage(x))",
    ):
        assert LAST_CALL.search(wrong)


# -- Broken on purpose --------------------------------------------------------------------------------------------


def any_origin(code, origin):
    row = Handoff.objects.filter(digest=identify.digest(code)).first()
    return passes.store.presented_ticket(row.holder_id).holder if row else None


BROKEN = {
    "any site redeems": (handoffs, "redeemed", any_origin, test_a_code_is_for_the_site_that_was_confirmed, ()),
    "codes live for ever": (handoffs, "redeemed", any_origin, test_a_code_is_good_for_seconds, ()),
    "anybody's page redeems": (
        handoff_views,
        "is_our_own",
        lambda request: True,
        test_only_our_own_pages_make_and_redeem_codes,
        ({"origin": "https://evil.example"},),
    ),
    "a click leaves the twins": (
        passes,
        "_end_carriers",
        lambda holder: None,
        test_a_new_click_ends_what_an_earlier_one_gave,
        (),
    ),
    "the window is cut off": (
        middleware,
        "PAGES",
        ("access",),
        test_looking_at_the_window_changes_nothing_and_it_can_not_be_framed,
        (),
    ),
    "a twin is of any site": (
        identify,
        "_twin_at",
        lambda origin: passes.store.presented_twin,
        test_a_twin_draws_tokens_for_its_own_site_only,
        (),
    ),
    "a twin counts beside a cookie": (
        identify,
        "twin_secret",
        lambda request: request.COOKIES.get(identify.TWIN),
        test_two_cookies_are_never_merged_and_two_twins_are_none,
        (),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_on_purpose_is_noticed(name, reader, monkeypatch):
    place, what, broken, test, values = BROKEN[name]
    monkeypatch.setattr(place, what, broken)
    with pytest.raises((AssertionError, KeyError)):
        test(reader, *values)


def test_a_logout_that_ends_nothing_is_noticed(reader, monkeypatch):
    monkeypatch.setattr(passes, "leave", lambda request, service: False)
    monkeypatch.setattr(passes, "end", lambda request: None)
    with pytest.raises(AssertionError):
        test_a_logout_ends_twin_token_and_code_at_once(reader)

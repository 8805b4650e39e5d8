"""The token service: what its page posts, to whom, and what it never does (section 4)."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.utils import timezone

from iiif_auth import identify, passes
from iiif_auth.models import Agreement, Pass, Token
from iiif_auth.protocol.texts import LANGUAGES
from tests import web
from tests.node import posted
from tests.web import HOME, READING_ROOM, VIEWER, Browser, Page, access, person, probe_status, token_page

CHART = "/iiif/3/chart"
CONTEXT = "http://iiif.io/api/auth/2/context.json"
HOSTILE = [
    "7",
    "ü\"'<",
    "https://iiif.example.org/iiif-auth/2/token/terms?x=1&y=2#z",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028\u2029",
    "\\\"'`${1}",
    "\x00\x01\x7f",
    "😀 \ufeff",
    "__proto__",
    "x" * 4096,
]


@pytest.fixture
def terms(site):
    terms = web.service("terms")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    return terms


@pytest.fixture
def holder(terms):
    """A browser whose person agreed to the terms for :data:`VIEWER`."""
    browser = Browser()
    browser.click(access("terms"))
    return browser


def run(response) -> tuple[dict, str]:
    """The one message that the page posts, and to whom, by running its script."""
    page = Page(response.content.decode())
    (calls,) = posted([page])
    ((message, target),) = calls
    return message, target


# -- Success ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-TOK-01")
@pytest.mark.requirement("A2-TOK-02")
@pytest.mark.parametrize("accept", ["text/html", "application/json", "image/png", ""])
@pytest.mark.parametrize("query", ["", "?messageId=1", f"?origin={VIEWER}", f"?messageId=1&origin={VIEWER}"])
def test_every_answer_is_a_page_with_status_200(holder, accept, query):
    response = holder.get(web.path(web.links().token("terms")) + query, headers={"accept": accept})
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "window.parent.postMessage" in response.content.decode()


@pytest.mark.requirement("A2-TOK-03")
@pytest.mark.requirement("A2-TOK-04")
@pytest.mark.requirement("A2-TOK-05")
@pytest.mark.requirement("A2-TOK-07")
def test_the_page_posts_one_token_to_the_viewer_that_asked(holder):
    message, target = run(holder.get(token_page("terms", message_id="ae3415")))
    token = message["accessToken"]
    assert message == {
        "@context": CONTEXT,
        "type": "AuthAccessToken2",
        "accessToken": token,
        "expiresIn": 300,
        "messageId": "ae3415",
    }
    assert target == VIEWER
    assert type(token) is str
    assert type(message["expiresIn"]) is int
    assert probe_status(CHART, token) == 200


@pytest.mark.requirement("A2-TOK-06")
@pytest.mark.requirement("A2-TOK-14")
@pytest.mark.parametrize("message_id", HOSTILE)
def test_whatever_the_message_is_called_it_comes_back_unchanged_and_nothing_else_runs(holder, message_id):
    response = holder.get(token_page("terms", message_id=quote(message_id)))
    page = Page(response.content.decode())
    assert list(page.islands) == ["envelope"]
    assert "<" not in page.islands["envelope"]
    ((nonce, script),) = page.scripts
    assert f"'nonce-{nonce}'" in response.headers["Content-Security-Policy"]
    assert script == Page(holder.get(token_page("terms")).content.decode()).scripts[0][1]
    message, target = run(response)
    assert (message["messageId"], target) == (message_id, VIEWER)


@pytest.mark.requirement("A2-TOK-07")
def test_a_token_does_not_outlive_the_pass(holder):
    Pass.objects.update(ends=timezone.now() + timedelta(seconds=20, milliseconds=500))
    message = web.message(holder, "terms")
    assert message["expiresIn"] == 20
    Pass.objects.update(ends=timezone.now() + timedelta(milliseconds=900))
    assert web.message(holder, "terms")["expiresIn"] == 1


@pytest.mark.requirement("A2-TOK-08")
def test_an_old_token_says_nothing(holder):
    token = web.token(holder, "terms")
    assert probe_status(CHART, token) == 200
    Token.objects.update(ends=timezone.now())
    assert probe_status(CHART, token) == 401


@pytest.mark.requirement("A2-TOK-09")
def test_a_token_is_a_long_random_word_that_says_nothing_about_anybody(holder):
    tokens = {web.token(holder, "terms") for _ in range(10)}
    assert len(tokens) == 10
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)
    assert holder.access_cookie not in tokens


def test_many_tokens_end_the_oldest_ones(holder):
    tokens = [web.token(holder, "terms") for _ in range(passes.MOST_TOKENS + 2)]
    assert Token.objects.count() == passes.MOST_TOKENS
    assert [probe_status(CHART, token) for token in tokens[:3]] == [401, 401, 200]
    assert probe_status(CHART, tokens[-1]) == 200


@pytest.mark.requirement("A2-TOK-10")
def test_the_page_sees_the_cookie_that_the_content_obeys(holder):
    """Path ``/`` and no ``Domain``: on this site both see it, and no other site does."""
    morsel = holder.cookies[identify.COOKIE]
    assert (morsel["path"], morsel["domain"]) == ("/", "")
    assert web.content_status(holder) == 200
    assert web.token(holder, "terms")
    del holder.cookies[identify.COOKIE]
    assert web.content_status(holder) == 401
    assert web.problem(holder, "terms") == "missingAspect"


@pytest.mark.requirement("A2-TOK-10")
def test_the_page_sees_the_address_that_the_content_obeys(site):
    campus = web.service("campus", "external")
    web.restricted(CHART, web.at(web.reading_room()), by=(campus,))
    assert web.content_status(Browser(READING_ROOM)) == 200
    assert web.message(Browser(READING_ROOM), "campus")["type"] == "AuthAccessToken2"
    assert web.content_status(Browser(HOME)) == 401
    assert web.problem(Browser(HOME), "campus") == "missingAspect"


def test_a_session_alone_is_no_aspect(site):
    login = web.service("login", "login")
    web.restricted(CHART, web.SIGNED_IN, by=(login,))
    browser = Browser().sign_in(person())
    assert web.problem(browser, "login") == "missingAspect"


# -- Tokens for an address ----------------------------------------------------------------------------------------


def test_a_token_for_an_address_is_worth_nothing_elsewhere(site):
    campus = web.service("campus", "external")
    web.restricted(CHART, web.at(web.reading_room()), by=(campus,))
    token = web.token(Browser(READING_ROOM), "campus")
    assert probe_status(CHART, token, READING_ROOM) == 200
    assert probe_status(CHART, token, HOME) == 401
    assert web.content_status(Browser(HOME)) == 401


def test_tokens_for_an_address_leave_no_rows(site):
    web.service("campus", "external")
    web.restricted(CHART, web.at(web.reading_room()))
    for slug in ("campus", "ambient"):
        assert web.token(Browser(READING_ROOM), slug)
    assert not Token.objects.exists()


def test_a_token_for_an_address_agrees_to_nothing(site):
    """Otherwise the probe would say yes where the content, which never sees a token, says no (INV5)."""
    campus = web.service("campus", "external")
    web.restricted(CHART, web.agreed(campus), by=(campus,))
    token = web.token(Browser(READING_ROOM), "campus")
    assert probe_status(CHART, token, READING_ROOM) == web.content_status(Browser(READING_ROOM)) == 401


@pytest.mark.parametrize(("rule", "allowed"), [("listed", False), ("confirmed", True), ("open", True)])
def test_a_service_for_addresses_with_an_empty_list_of_viewers_serves_none(site, rule, allowed):
    """There is no visit in which somebody could confirm a viewer, so “confirmed” asks for nothing here."""
    web.service("campus", "external", origin_rule=rule)
    assert ("accessToken" in web.message(Browser(), "campus")) is allowed


def test_a_service_may_be_called_ambient_without_opening_itself(site):
    """The name also stands for “no service”; a row with that name keeps its own rules."""
    ambient = web.service("ambient", "clickthrough")
    web.restricted(CHART, web.agreed(ambient), by=(ambient,))
    assert web.problem(Browser(), "ambient") == "missingAspect"


# -- Errors -------------------------------------------------------------------------------------------------------


def drive(profile: str, terms, holder, monkeypatch) -> tuple[Browser, str]:
    """A browser and a page that answer with this error."""
    fresh, url = Browser(), token_page("terms", message_id="ae3415")
    match profile:
        case "invalidRequest":
            return holder, url.replace(VIEWER, "not-an-origin")
        case "invalidOrigin":
            return holder, url.replace(VIEWER, "https://other.example.net")
        case "missingAspect":
            return fresh, url
        case "invalidAspect":
            fresh.cookies[identify.COOKIE] = identify.new_secret()
            return fresh, url
        case "expiredAspect":
            Pass.objects.update(ends=timezone.now())
            return holder, url
        case _:
            monkeypatch.setattr("django.db.transaction.Atomic.__enter__", broken)
            return holder, url


def broken(*args, **kwargs):
    raise RuntimeError("The database is on fire.")


@pytest.mark.requirement("A2-ERR-01")
@pytest.mark.requirement("A2-ERR-02")
@pytest.mark.requirement("A2-ERR-03")
@pytest.mark.parametrize(
    "profile", ["invalidRequest", "invalidOrigin", "missingAspect", "invalidAspect", "expiredAspect", "unavailable"]
)
def test_every_error_is_a_message_in_words_for_people(terms, holder, monkeypatch, profile):
    browser, url = drive(profile, terms, holder, monkeypatch)
    response = browser.get(url)
    assert response.status_code == 200
    message, target = run(response)
    assert message == {
        "@context": CONTEXT,
        "type": "AuthAccessTokenError2",
        "profile": profile,
        "heading": message["heading"],
        "note": message["note"],
        "messageId": "ae3415",
    }
    assert target == {"invalidRequest": "*", "invalidOrigin": "https://other.example.net"}.get(profile, VIEWER)
    for words in (message["heading"], message["note"]):
        assert set(words) == set(LANGUAGES)
        assert all(isinstance(texts, list) and all(texts) for texts in words.values())


@pytest.mark.requirement("A2-ERR-04")
@pytest.mark.parametrize(
    ("query", "message_id"),
    [
        ("", ""),
        ("?messageId=1", "1"),
        ("?origin=null&messageId=1", "1"),
        ("?origin=&messageId=1", "1"),
        ("?origin=*&messageId=1", "1"),
        ("?origin=/&messageId=1", "1"),
        ("?origin=javascript:alert(1)&messageId=1", "1"),
        ("?origin=file:///etc/passwd&messageId=1", "1"),
        ("?origin=https://good.example@evil.example&messageId=1", "1"),
        (f"?origin={VIEWER}&origin={VIEWER}&messageId=1", "1"),
        (f"?origin[]={VIEWER}&messageId=1", "1"),
        (f"?ORIGIN={VIEWER}&messageId=1", "1"),
    ],
)
def test_where_no_origin_can_be_used_the_error_goes_to_everybody_and_no_token_is_made(holder, query, message_id):
    message, target = run(holder.get(web.path(web.links().token("terms")) + query))
    assert (message["type"], message["profile"], message["messageId"], target) == (
        "AuthAccessTokenError2",
        "invalidRequest",
        message_id,
        "*",
    )
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        urlencode({"origin": VIEWER}),
        urlencode([("origin", VIEWER), ("messageId", "1"), ("messageId", "2")]),
        urlencode({"origin": VIEWER, "messageId": "x" * 4097}),
    ],
)
@pytest.mark.requirement("A2-ERR-04")
def test_without_one_usable_message_id_the_viewer_gets_an_error_with_none(holder, query):
    message, target = run(holder.get(f"{web.path(web.links().token('terms'))}?{query}"))
    assert (message["profile"], message["messageId"], target) == ("invalidRequest", "", VIEWER)
    assert not Token.objects.exists()


def test_an_unknown_service_is_an_invalid_request(holder):
    assert web.problem(holder, "nonsense") == "invalidRequest"


def test_a_service_says_in_its_own_words_what_is_missing(site):
    web.service("terms", error_heading={"en": ["Members only"]}, error_note={"en": ["Please come to the desk."]})
    message = web.message(Browser(), "terms")
    assert (message["heading"], message["note"]) == ({"en": ["Members only"]}, {"en": ["Please come to the desk."]})


def test_plain_http_viewers_can_be_shut_out(terms, holder, settings):
    web.Browser().click(access("terms"))
    origin = "http://localhost:8080"
    assert web.problem(holder, "terms", origin) == "invalidOrigin"
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "PLAIN_HTTP_VIEWERS": False}
    found = web.envelope(holder.get(token_page("terms", origin)))
    assert (found["message"]["profile"], found["targetOrigin"]) == ("invalidRequest", "*")


def test_an_origin_may_end_in_one_slash_and_is_answered_without(holder):
    found = web.envelope(holder.get(token_page("terms", f"{VIEWER}/")))
    assert (found["message"]["type"], found["targetOrigin"]) == ("AuthAccessToken2", VIEWER)


# -- What it is not for -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-dest": "iframe", "sec-fetch-mode": "navigate"}, True),
        ({"sec-fetch-dest": "script", "sec-fetch-mode": "no-cors"}, False),
        ({"sec-fetch-dest": "image", "sec-fetch-mode": "no-cors"}, False),
        ({"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}, False),
        ({"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}, False),
        ({"sec-fetch-dest": "style", "sec-fetch-mode": "no-cors"}, False),
    ],
)
def test_what_is_not_a_frame_gets_no_token(holder, headers, allowed):
    message = web.envelope(holder.get(token_page("terms"), headers=headers))["message"]
    assert (message["type"] == "AuthAccessToken2") is allowed
    assert message.get("profile", "invalidRequest") == "invalidRequest"
    assert Token.objects.exists() is allowed


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options"])
def test_only_get_makes_a_token(holder, method):
    response = getattr(holder, method)(token_page("terms"))
    assert response.status_code in (403, 405)
    assert not Token.objects.exists()


@pytest.mark.requirement("A2-TOK-12")
@pytest.mark.requirement("A2-TOK-13")
def test_the_page_may_be_framed_by_anybody_and_stored_by_nobody(holder):
    for url in (token_page("terms"), token_page("terms", "null")):
        response = holder.get(url, headers={"origin": VIEWER})
        policy = response.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in response.headers
        assert "frame-ancestors" not in policy
        assert "script-src 'nonce-" in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Content-Type"] == "text/html; charset=utf-8"
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]
        assert "Location" not in response.headers
        assert set(response.cookies) <= {identify.TWIN}


# -- Leaving ------------------------------------------------------------------------------------------------------


def test_a_pass_that_ends_while_a_token_is_made_makes_none(holder, rf, terms):
    request = rf.get("/", headers={"cookie": f"{identify.COOKIE}={holder.access_cookie}"})
    facts = identify.current_pass(request).facts
    Pass.objects.all().delete()
    from iiif_auth.store import service_value

    assert passes.mint(service_value(terms), "2", VIEWER, facts) is None
    assert not Token.objects.exists()


def test_an_agreement_taken_back_ends_its_tokens_at_once(holder):
    token = web.token(holder, "terms")
    Agreement.objects.all().delete()
    assert probe_status(CHART, token) == 401

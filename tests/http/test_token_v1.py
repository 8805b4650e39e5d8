"""The token service of Auth 1.0 and 0.9.4: a message for a frame, or plain JSON for a program that is no browser."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iiif_auth import identify
from iiif_auth.models import Pass, Token
from tests import web
from tests.http.test_token import HOSTILE, broken, run
from tests.web import BASE, BOTH, OTHER_VIEWER, READING_ROOM, VIEWER, Browser, described, page_in, plain_token

pytestmark = BOTH

WORDS = {"invalidRequest", "missingCredentials", "invalidCredentials", "invalidOrigin", "unavailable"}


@pytest.fixture
def terms(site):
    terms = web.service("terms", dialects=web.ALL)
    web.picture("chart", web.agreed(terms), by=(terms,))
    return terms


@pytest.fixture
def holder(terms, version):
    """A browser whose person agreed to the terms for :data:`VIEWER`."""
    browser = Browser()
    browser.click(page_in("terms", version.dialect))
    return browser


def frame(version, origin: str = VIEWER, message_id: str = "1234") -> str:
    return web.token_page("terms", origin, message_id, version.space)


# -- A message for a frame ----------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-TOK-02", "A1-TOK-03", "A1-TOK-04", "A094-DIFF-03")
def test_the_page_posts_one_token_to_the_viewer_that_asked(holder, version):
    response = holder.get(frame(version))
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    message, target = run(response)
    token = message["accessToken"]
    assert (message, target) == ({"accessToken": token, "expiresIn": 300, "messageId": "1234"}, VIEWER)
    assert described(version.info(), token).status_code == 200
    assert Token.objects.get().dialect == version.dialect


@pytest.mark.requirement("A1-TOK-03")
@pytest.mark.parametrize("message_id", [*HOSTILE, "1234", "https://x/t?a=b|1", '"</script>'])
def test_whatever_the_message_is_called_it_comes_back_unchanged(holder, version, message_id):
    message, target = run(holder.get(frame(version, message_id=quote(message_id))))
    assert (message["messageId"], target) == (message_id, VIEWER)
    assert "accessToken" in message


@pytest.mark.requirement("A1-TOK-04")
def test_an_origin_may_end_in_one_slash(holder, version):
    """As in the examples of the specification. A browser reads both forms alike."""
    message, target = run(holder.get(frame(version, f"{VIEWER}/")))
    assert target.rstrip("/") == VIEWER
    assert "accessToken" in message


@pytest.mark.requirement("A1-TOK-04", "A1-ACC-02")
def test_only_the_viewer_that_was_confirmed_is_told(holder, version):
    message, target = run(holder.get(frame(version, OTHER_VIEWER)))
    assert (message["error"], target) == ("invalidOrigin", OTHER_VIEWER)
    assert not Token.objects.exists()


@pytest.mark.parametrize("origin", ["null", "*", "javascript:alert(1)", "https://good.example@evil.example", "x"])
def test_a_viewer_that_names_itself_badly_gets_an_error_and_no_token(holder, version, origin):
    message, target = run(holder.get(frame(version, quote(origin))))
    assert (message["error"], message["messageId"], target) == ("invalidRequest", "1234", "*")
    assert not Token.objects.exists()


@pytest.mark.parametrize("query", ["messageId=1&messageId=2", "messageId=" + "x" * 4097])
def test_a_message_that_can_not_be_called_anything_gets_an_error(holder, version, query):
    message, _ = run(holder.get(f"{web.path(web.links(version.space).token('terms'))}?{query}&origin={VIEWER}"))
    assert (message["error"], message["messageId"]) == ("invalidRequest", "")
    assert not Token.objects.exists()


def test_a_viewer_that_does_not_name_itself_gets_no_token_in_a_version_that_names_origins(holder, version, terms):
    terms.dialects = [version.dialect]
    terms.save()
    message, target = run(holder.get(frame(version, "")))
    assert (message["error"], target) == ("invalidRequest", "*")
    assert not Token.objects.exists()


def drive(word: str, holder: Browser, version, monkeypatch) -> tuple[Browser, str]:
    """A browser, and the origin that its viewer names, to whom this error is told."""
    fresh = Browser()
    if word == "invalidRequest":
        return holder, "nonsense"
    if word == "invalidOrigin":
        return holder, OTHER_VIEWER
    if word == "missingCredentials":
        return fresh, VIEWER
    if word == "unavailable":
        monkeypatch.setattr("django.db.transaction.Atomic.__enter__", broken)
    elif word == "expired":
        Pass.objects.update(ends=timezone.now())
    else:
        fresh.cookies[identify.COOKIE] = identify.new_secret()
        return fresh, VIEWER
    return holder, VIEWER


@pytest.mark.requirement("A1-TOK-05", "A1-TOK-07", "A1-ERR-01", "A1-ERR-02")
@pytest.mark.parametrize("word", [*sorted(WORDS), "expired"])
def test_every_error_is_a_page_with_status_200_that_posts_one_of_the_five_words(holder, version, monkeypatch, word):
    browser, origin = drive(word, holder, version, monkeypatch)
    response = browser.get(frame(version, origin))
    assert response.status_code == 200
    message, target = run(response)
    assert set(message) == {"error", "description", "messageId"}
    assert message["error"] == {"expired": "invalidCredentials"}.get(word, word)
    assert message["messageId"] == "1234"
    assert isinstance(message["description"], str)
    assert message["description"]
    assert target == ("*" if word == "invalidRequest" else origin)


@pytest.mark.requirement("A1-TOK-08", "A1-TOK-10")
def test_the_page_may_be_framed_by_anybody_and_stored_by_nobody(holder, version):
    for url in (frame(version), frame(version, "null")):
        response = holder.get(url, headers={"origin": VIEWER})
        policy = response.headers["Content-Security-Policy"]
        assert "X-Frame-Options" not in response.headers
        assert "frame-ancestors" not in policy
        assert "script-src 'nonce-" in policy
        assert response.headers["Cache-Control"] == "no-store"
        assert not [name for name in response.headers if name.lower().startswith("access-control-")]
        assert "Location" not in response.headers
        assert set(response.cookies) <= {identify.TWIN}


@pytest.mark.requirement("A1-TOK-10")
def test_the_page_is_where_its_description_says(terms, holder, version):
    for held in described(version.info()).json()["service"][0]["service"]:
        assert held["@id"].startswith(f"{BASE}/iiif-auth/{version.number}/")
    address = described(version.info()).json()["service"][0]["service"][0]["@id"]
    assert holder.get(f"{web.path(address)}?messageId=1&origin={VIEWER}").status_code == 200


@pytest.mark.requirement("A1-TOK-09")
def test_a_token_takes_no_more_questions_than_one_of_2_0_0(holder, version):
    def cost(url: str) -> int:
        holder.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert "accessToken" in str(web.envelope(holder.get(url)))
        return len(seen)

    assert cost(frame(version)) <= cost(web.token_page("terms"))


def test_a_token_is_a_long_random_word(holder, version):
    tokens = {web.drawn(holder, "terms", version.dialect) for _ in range(5)}
    assert len(tokens) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", token) for token in tokens)


# -- Plain JSON for a program -------------------------------------------------------------------------------------


@pytest.fixture
def alone(terms, version):
    """Only this version is offered: without an origin somebody may else be taken for a viewer of 0.9.2."""
    terms.dialects = [version.dialect]
    terms.save()
    return terms


@pytest.mark.requirement("A1-TOK-01")
def test_without_a_message_it_is_plain_json(holder, alone, version):
    response = plain_token(holder, "terms", version.space)
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    found = response.json()
    assert found == {"accessToken": found["accessToken"], "expiresIn": 300}
    assert described(version.info(), found["accessToken"]).status_code == 200


@pytest.mark.requirement("A1-TOK-01")
def test_a_program_may_name_an_origin_too(holder, version):
    found = plain_token(holder, "terms", version.space, origin=VIEWER).json()
    assert set(found) == {"accessToken", "expiresIn"}


@pytest.mark.requirement("A1-TOK-06", "A1-ERR-01")
@pytest.mark.parametrize(
    ("word", "status"),
    [("missingCredentials", 401), ("invalidCredentials", 401), ("expired", 401), ("unavailable", 503)],
)
def test_an_error_in_plain_json_has_the_status_that_fits(holder, alone, version, monkeypatch, word, status):
    browser, _ = drive(word, holder, version, monkeypatch)
    response = plain_token(browser, "terms", version.space)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "application/json")
    assert set(response.json()) == {"error", "description"}
    assert response.json()["error"] == {"expired": "invalidCredentials"}.get(word, word)
    assert not Token.objects.exists()


@pytest.mark.requirement("A1-TOK-06", "A1-ERR-01")
@pytest.mark.parametrize("origin", ["null", "nonsense", "*", "https://a@b"])
def test_what_can_not_be_understood_is_400_in_plain_json(holder, version, origin):
    response = plain_token(holder, "terms", version.space, origin=origin)
    assert (response.status_code, response.json()["error"]) == (400, "invalidRequest")
    assert not Token.objects.exists()


def test_a_service_that_there_is_not_is_400_in_plain_json(holder, version):
    response = plain_token(holder, "nonsense", version.space)
    assert (response.status_code, response.json()["error"]) == (400, "invalidRequest")


@pytest.mark.parametrize(
    ("fetched", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}, False),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, False),
    ],
)
def test_plain_json_is_for_no_site(holder, alone, version, fetched, allowed):
    """A browser that says it asks for another site gets nothing, and what others get no site can read: there is no CORS."""
    url = web.path(web.links(version.space).token("terms"))
    response = holder.get(url, headers={**fetched, "origin": VIEWER})
    assert ("accessToken" in response.json()) is allowed
    assert response.status_code == (200 if allowed else 400)
    assert Token.objects.exists() is allowed
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]
    assert response.headers["Cache-Control"] == "no-store"
    assert "Cookie" in response.headers["Vary"]
    assert not response.cookies


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"sec-fetch-dest": "iframe", "sec-fetch-mode": "navigate"}, True),
        ({"sec-fetch-dest": "script", "sec-fetch-mode": "no-cors"}, False),
        ({"sec-fetch-dest": "image", "sec-fetch-mode": "no-cors"}, False),
        ({"sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}, False),
        ({"sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}, False),
    ],
)
def test_what_is_not_a_frame_gets_no_message_with_a_token(holder, version, headers, allowed):
    found = web.envelope(holder.get(frame(version), headers=headers))["message"]
    assert ("accessToken" in found) is allowed
    assert Token.objects.exists() is allowed


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options"])
def test_only_get_makes_a_token(holder, version, method):
    for url in (frame(version), web.path(web.links(version.space).token("terms"))):
        assert getattr(holder, method)(url).status_code in (403, 405)
    assert not Token.objects.exists()


@pytest.mark.parametrize("name", ["callback", "jsonp", "cb", "format"])
def test_it_is_never_a_script(holder, version, name):
    response = plain_token(holder, "terms", version.space, **{name: "alert"})
    assert response.headers["Content-Type"] == "application/json"
    assert b"alert" not in response.content


# -- Who and how long ---------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-SEC-01")
def test_neither_the_token_nor_the_cookie_can_be_had_from_the_other(holder, version):
    token, cookie = web.drawn(holder, "terms", version.dialect), holder.access_cookie
    assert token != cookie
    assert identify.digest(token) != cookie
    assert identify.digest(cookie) != token
    assert described(version.info(), cookie).status_code == 401
    thief = Browser()
    thief.cookies[identify.COOKIE] = token
    assert web.content_status(thief, version.info()) == 401


def test_a_token_does_not_outlive_the_pass(holder, version):
    Pass.objects.update(ends=timezone.now() + timedelta(seconds=20, milliseconds=500))
    assert web.told(holder, "terms", version.dialect)["expiresIn"] == 20


def test_tokens_for_an_address_need_no_visit_and_leave_no_rows(site, version):
    campus = web.service("campus", "external", dialects=web.ALL)
    web.picture("chart", web.at(web.reading_room()), by=(campus,))
    for slug in ("campus", "ambient"):
        assert web.drawn(Browser(READING_ROOM), slug, version.dialect)
    assert web.told(Browser(), "campus", version.dialect)["error"] == "missingCredentials"
    assert plain_token(Browser(), "campus", version.space).status_code == 401
    assert not Token.objects.exists()


@pytest.mark.parametrize(("reads", "words"), [("de", "Bitte zur Theke."), ("en", "Please come to the desk.")])
def test_what_is_missing_is_said_in_plain_words_of_the_readers_language(site, version, reads, words):
    web.service("terms", dialects=web.ALL, error_note={"en": ["Please come to the desk."], "de": ["Bitte zur Theke."]})
    response = Browser().get(frame(version), headers={"accept-language": reads})
    assert web.envelope(response)["message"]["description"] == words

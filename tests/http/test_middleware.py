"""FlowMiddleware: the viewer keeps its hold on the tab while somebody signs in, and nothing else changes."""

from __future__ import annotations

import pytest
from django.core import signing

from iiif_auth import middleware
from tests import web
from tests.web import SIGNED_IN, Browser, access, person

HEADER = "Cross-Origin-Opener-Policy"
PAGES = [
    ("/plain", 200),
    ("/moved", 302),
    ("/forbidden", 403),
    ("/missing", 404),
    ("/boom", 500),
    ("/accounts/login/", 200),
]


@pytest.fixture
def login(site):
    login = web.service("login", "login")
    web.restricted("/iiif/3/chart", SIGNED_IN, by=(login,))
    return login


@pytest.fixture
def marked(login):
    browser = Browser(raise_request_exception=False)
    browser.get(access("login"))
    return browser


@pytest.mark.requirement("A2-INT-08")
@pytest.mark.parametrize(("url", "status"), PAGES)
def test_while_somebody_signs_in_no_page_cuts_the_viewer_off(marked, url, status):
    response = marked.get(url)
    assert (response.status_code, response.headers[HEADER]) == (status, "unsafe-none")


@pytest.mark.parametrize(("url", "status"), PAGES)
def test_other_people_keep_djangos_default(login, url, status):
    response = Browser(raise_request_exception=False).get(url)
    assert (response.status_code, response.headers[HEADER]) == (status, "same-origin")


@pytest.mark.requirement("A2-INT-08")
def test_the_access_pages_never_cut_the_viewer_off_whoever_answers(login):
    """Not even a form that CSRF protection refuses before our view is asked, in a browser that never signed in."""
    web.service("terms")
    browser = Browser()
    refused = browser.post(access("terms"), {}, headers={"origin": "https://evil.example"})
    answers = [
        refused,
        browser.get(access("terms")),
        browser.get(access("terms", "null")),
        browser.get(access("nonsense")),
        browser.put(access("terms")),
        browser.get(access("login")),
        browser.click(access("terms")),
    ]
    assert [answer.status_code for answer in answers] == [403, 200, 400, 404, 403, 302, 200]
    assert {answer.headers[HEADER] for answer in answers} == {"unsafe-none"}


def test_the_mark_goes_when_the_sign_in_is_done(login):
    browser = Browser().sign_in(person())
    Browser().get(access("login"))
    browser.cookies[middleware.COOKIE] = signing.TimestampSigner(salt=middleware.SALT).sign("1")
    assert browser.get("/plain").headers[HEADER] == "unsafe-none"
    browser.click(access("login"))
    assert middleware.COOKIE not in browser.cookies
    assert browser.get("/plain").headers[HEADER] == "same-origin"


@pytest.mark.parametrize(
    "value",
    [
        "1",
        "",
        "1:1:1",
        "\u00e9",
        {"salt": "another"},
        {"key": "another", "salt": middleware.SALT},
    ],
)
def test_a_forged_mark_is_no_mark(site, value):
    """Neither invented, nor signed for another purpose or with another key."""
    browser = Browser()
    forged = signing.TimestampSigner(**value).sign("1") if isinstance(value, dict) else value
    browser.cookies[middleware.COOKIE] = forged
    assert browser.get("/plain").headers[HEADER] == "same-origin"


def test_a_mark_lasts_a_quarter_of_an_hour(site, monkeypatch):
    browser = Browser()
    monkeypatch.setattr("django.core.signing.time.time", lambda: 1_000_000)
    browser.cookies[middleware.COOKIE] = signing.TimestampSigner(salt=middleware.SALT).sign("1")
    for later, found in ((899, "unsafe-none"), (901, "same-origin")):
        monkeypatch.setattr("django.core.signing.time.time", lambda later=later: 1_000_000 + later)
        assert browser.get("/plain").headers[HEADER] == found


def test_a_browser_with_no_mark_is_given_no_cookie(site):
    response = Browser().get("/plain")
    assert not response.cookies
    assert "Cookie" not in response.headers.get("Vary", "")

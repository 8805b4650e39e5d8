"""Signing in at the side: the tab that the viewer holds stays on this site (browsers.md, 2)."""

from __future__ import annotations

from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from iiif_auth import middleware
from iiif_auth.models import Pass
from tests import web
from tests.web import SIGNED_IN, VIEWER, Browser, access, person

SIGNED_IN_PAGE, SESSION = "/iiif-auth/signed-in", "/iiif-auth/session"


@pytest.fixture
def login(site):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "LOGIN_WINDOW": "side"}
    row = web.service("login", "login")
    web.picture("chart", SIGNED_IN, by=(row,))
    return row


def attribute(response, name):
    """What an attribute of the page says, once."""
    (_before, value) = response.content.decode().split(f'{name}="')
    return unescape(value.partition('"')[0])


def test_whoever_is_not_signed_in_is_offered_a_window_and_without_a_script_the_login_page(login):
    browser = Browser()
    response = browser.get(access("login"))
    assert response.status_code == 200
    side = urlsplit(attribute(response, "data-side"))
    assert (side.path, parse_qs(side.query)["next"]) == ("/accounts/login/", [SIGNED_IN_PAGE])
    same = urlsplit(unescape(response.content.decode().split('class="button primary" href="')[1].partition('"')[0]))
    assert (same.path, parse_qs(same.query)["next"]) == ("/accounts/login/", [access("login")])
    assert attribute(response, "data-session") == SESSION
    assert not Pass.objects.exists()


def test_the_page_with_the_offer_is_guarded_like_the_others_of_the_chain(login):
    response = Browser().get(access("login"))
    assert response["Cross-Origin-Opener-Policy"] == "unsafe-none"
    assert response["X-Frame-Options"] == "DENY"
    assert "no-store" in response["Cache-Control"]
    assert "connect-src 'self'" in response["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]
    assert middleware.COOKIE in response.cookies  # the host's own pages keep the viewer's hold too


def test_in_the_same_window_one_is_sent_on_as_ever(login, site):
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "LOGIN_WINDOW": "same"}
    response = Browser().get(access("login"))
    assert (response.status_code, urlsplit(response["Location"]).path) == (302, "/accounts/login/")


def test_whoever_has_signed_in_at_the_side_is_asked_whether_to_go_on(login):
    browser = Browser()
    browser.get(access("login"))
    browser.sign_in(person())
    page = browser.get(access("login")).content.decode()
    assert 'id="continue"' in page
    assert VIEWER in page
    assert not Pass.objects.exists()
    browser.click(access("login"))
    assert web.token(browser, "login")


@pytest.mark.parametrize(("signed_in", "closes"), [(True, True), (False, False)])
def test_the_window_closes_by_itself_only_where_somebody_is_signed_in(login, signed_in, closes):
    browser = Browser()
    if signed_in:
        browser.sign_in(person())
    response = browser.get(SIGNED_IN_PAGE)
    assert (b"data-signed-in" in response.content) == closes
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cross-Origin-Opener-Policy"] == "unsafe-none"


def test_the_session_is_told_to_our_own_pages_only(login):
    browser = Browser()
    assert browser.get(SESSION).json() == {"signedIn": False}
    browser.sign_in(person())
    response = browser.get(SESSION, headers={"origin": VIEWER})
    assert response.json() == {"signedIn": True}
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert not [name for name in response.headers if name.startswith("Access-Control-")]
    assert "no-store" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]

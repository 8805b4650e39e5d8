"""Access and logout in Auth 1.0 and 0.9.4: the same pages, cookie and pass as in 2.0.0, at other addresses."""

from __future__ import annotations

import pytest

from iiif_auth import identify
from iiif_auth.models import Agreement, Pass
from tests import web
from tests.http.test_access import grants_nothing
from tests.web import (
    BASE,
    BOTH,
    HOME,
    OTHER_VIEWER,
    READING_ROOM,
    SIGNED_IN,
    VIEWER,
    Browser,
    access,
    content_status,
    described,
    page_in,
    person,
    plain_token,
)

pytestmark = BOTH


@pytest.fixture
def terms(site):
    terms = web.service("terms", dialects=web.ALL)
    web.picture("chart", web.agreed(terms), by=(terms,))
    return terms


@pytest.fixture
def advice(site):
    """Advice that the viewer shows itself: there a click on “continue” is the agreement."""
    advice = web.service("advice", dialects=web.ALL, agree_in_viewer=True)
    web.picture("chart", web.agreed(advice), by=(advice,))
    return advice


@pytest.fixture
def login(site):
    login = web.service("login", "login", dialects=web.ALL)
    web.picture("chart", SIGNED_IN, by=(login,))
    return login


@pytest.fixture
def kiosk(site):
    kiosk = web.service("kiosk", "kiosk", dialects=web.ALL)
    web.picture("chart", web.at(web.reading_room()), by=(kiosk,))
    return kiosk


def profile(version) -> str:
    return described(version.info()).json()["service"][0]["profile"]


# -- The page -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-ACC-01")
def test_every_page_takes_an_origin_and_ignores_everything_else(terms, login_too, kiosk_too, campus_too, version):
    ada = Browser(READING_ROOM).sign_in(person())
    for slug in ("terms", "login", "kiosk", "campus"):
        for origin in (VIEWER, f"{VIEWER}/", ""):
            url = access(slug, origin, version.space)
            assert ada.get(f"{url}{'&' if origin else '?'}t=1&callback=x&state=%ff").status_code == 200, slug


@pytest.fixture
def login_too(site):
    return web.service("login", "login", dialects=web.ALL)


@pytest.fixture
def kiosk_too(site):
    kiosk = web.service("kiosk", "kiosk", dialects=web.ALL)
    web.picture("map", web.at(web.reading_room()), by=(kiosk,))
    return kiosk


@pytest.fixture
def campus_too(site):
    return web.service("campus", "external", dialects=web.ALL)


@pytest.mark.requirement("A1-ACC-07", "A1-ACC-03")
def test_signing_in_leads_through_the_hosts_page_and_back_to_a_button_on_ours(login, version):
    person("ada")
    browser = Browser()
    to_login = browser.get(page_in("login", version.dialect))
    assert to_login.status_code == 302
    assert to_login.headers["Location"].startswith("/accounts/login/?next=")
    back = browser.click(to_login.headers["Location"], username="ada", password="secret")
    assert back.headers["Location"] == page_in("login", version.dialect)
    page = browser.get(back.headers["Location"])
    assert (page.status_code, b"<form" in page.content, grants_nothing(page)) == (200, True, True)
    done = browser.click(back.headers["Location"])
    assert b"data-close-now" in done.content
    assert b"iiif_auth/pages.js" in done.content
    assert content_status(browser, version.info()) == 200
    assert described(version.info(), web.drawn(browser, "login", version.dialect)).status_code == 200


@pytest.mark.requirement("A1-ACC-08")
def test_whoever_posts_a_name_and_password_of_another_system_gets_nothing(login, version):
    """Some libraries agree with some viewers on such a POST; we agree with none."""
    person("ada")
    for body in ({"username": "ada", "password": "secret"}, {"user": "ada", "authenticated": "true"}):
        browser = Browser()
        for headers in ({}, {"origin": BASE}, {"origin": VIEWER}):
            response = browser.post(page_in("login", version.dialect), body, headers=headers)
            assert response.status_code in (302, 403)
            assert grants_nothing(response)
        assert plain_token(browser, "login", version.space).status_code == 401


@pytest.mark.requirement("A1-ACC-02")
def test_a_viewer_that_was_not_confirmed_is_not_told(terms, version):
    browser = Browser()
    browser.click(page_in("terms", version.dialect))
    assert "accessToken" in web.told(browser, "terms", version.dialect)
    found = web.envelope(browser.get(web.token_page("terms", OTHER_VIEWER, space=version.space)))
    assert (found["message"]["error"], found["targetOrigin"]) == ("invalidOrigin", OTHER_VIEWER)
    browser.click(access("terms", OTHER_VIEWER, version.space))
    found = web.envelope(browser.get(web.token_page("terms", OTHER_VIEWER, space=version.space)))
    assert "accessToken" in found["message"]


# -- Terms --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-ACC-04")
@pytest.mark.parametrize("headers", [{"sec-fetch-dest": "document"}, {}])
def test_where_the_viewer_shows_the_terms_the_page_grants_at_once_and_closes(advice, version, headers):
    assert profile(version) == version.uri("clickthrough")
    browser = Browser()
    response = browser.get(page_in("advice", version.dialect), headers=headers)
    assert response.status_code == 200
    assert identify.COOKIE in response.cookies
    assert b"data-close-now" in response.content
    assert b"<form" not in response.content
    assert content_status(browser, version.info()) == 200
    assert described(version.info(), web.drawn(browser, "advice", version.dialect)).status_code == 200


@pytest.mark.parametrize("destination", ["image", "iframe", "script", "style", "empty", "audio", "embed"])
def test_nobody_agrees_by_looking_at_a_picture_or_a_frame(advice, version, destination):
    response = Browser().get(page_in("advice", version.dialect), headers={"sec-fetch-dest": destination})
    assert grants_nothing(response)
    assert b"data-close-now" not in response.content


def test_nobody_agrees_by_a_head(advice, version):
    assert grants_nothing(Browser().head(page_in("advice", version.dialect)))


@pytest.mark.requirement("A1-ACC-04")
def test_where_the_page_shows_the_terms_it_is_a_login_with_a_button(terms, version):
    assert profile(version) == version.uri("login")
    browser = Browser()
    for headers in ({"sec-fetch-dest": "document"}, {}):
        response = browser.get(page_in("terms", version.dialect), headers=headers)
        assert b"<form" in response.content
        assert grants_nothing(response)
    browser.click(page_in("terms", version.dialect))
    assert content_status(browser, version.info()) == 200


@pytest.mark.parametrize("dialect", ["2", "alpha"])
def test_later_versions_ask_for_a_click_whatever_the_viewer_shows(advice, version, dialect):
    response = Browser().get(page_in("advice", dialect), headers={"sec-fetch-dest": "document"})
    assert b"<form" in response.content
    assert grants_nothing(response)


# -- Kiosks and addresses -----------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-ACC-05")
def test_a_kiosk_lets_in_whoever_is_there_at_once_and_closes(kiosk, version):
    assert profile(version) == version.uri("kiosk")
    browser = Browser(READING_ROOM)
    response = browser.get(page_in("kiosk", version.dialect))
    assert (response.status_code, b"data-close-now" in response.content) == (200, True)
    assert b"<form" not in response.content
    token = web.drawn(browser, "kiosk", version.dialect)
    assert described(version.info(), token, READING_ROOM).status_code == 200
    assert described(version.info(), token, HOME).status_code == 401


@pytest.mark.requirement("A1-ACC-05")
@pytest.mark.parametrize(("address", "destination"), [(HOME, "document"), (READING_ROOM, "image")])
def test_a_kiosk_lets_in_nobody_else(kiosk, version, address, destination):
    response = Browser(address).get(page_in("kiosk", version.dialect), headers={"sec-fetch-dest": destination})
    assert response.status_code == 403
    assert grants_nothing(response)


@pytest.mark.requirement("A1-ACC-06")
def test_where_an_address_counts_there_is_nothing_to_open(site, version):
    campus = web.service("campus", "external", dialects=web.ALL)
    web.picture("chart", web.at(web.reading_room()), by=(campus,))
    response = Browser(READING_ROOM).get(page_in("campus", version.dialect))
    assert response.status_code == 200
    assert grants_nothing(response)
    assert b"<form" not in response.content
    assert web.drawn(Browser(READING_ROOM), "campus", version.dialect)


# -- The cookie ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-SEC-02", "A1-SEC-03")
def test_the_cookie_is_the_one_cookie_and_lasts_for_hours(terms, version):
    response = Browser().click(page_in("terms", version.dialect))
    morsel = response.cookies[identify.COOKIE]
    assert identify.COOKIE == "__Host-iiif_access"
    assert (morsel["max-age"], morsel["secure"], morsel["httponly"], morsel["samesite"]) == (43200, True, True, "None")
    assert (morsel["path"], morsel["domain"]) == ("/", "")
    terms.pass_hours = 1
    terms.save()
    morsel = Browser().click(page_in("terms", version.dialect)).cookies[identify.COOKIE]
    assert morsel["max-age"] == 3600


@pytest.mark.requirement("A1-SEC-01")
def test_the_cookie_is_no_token_and_the_token_no_cookie(terms, version):
    browser = Browser()
    browser.click(page_in("terms", version.dialect))
    token = web.drawn(browser, "terms", version.dialect)
    assert token != browser.access_cookie
    assert described(version.info(), browser.access_cookie).status_code == 401
    thief = Browser()
    thief.cookies[identify.COOKIE] = token
    assert content_status(thief, version.info()) == 401


# -- Leaving ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-OUT-01", "A1-OUT-02")
@pytest.mark.parametrize("query", ["", f"?origin={VIEWER}", "?t=1"])
def test_leaving_ends_session_pass_cookie_and_tokens_at_once(login, version, query):
    browser = Browser().sign_in(person())
    given = browser.click(page_in("login", version.dialect)).cookies[identify.COOKIE]
    token, cookie = web.drawn(browser, "login", version.dialect), browser.access_cookie
    assert described(version.info(), token).status_code == 200
    (out,) = [
        held
        for held in described(version.info()).json()["service"][0]["service"]
        if held["profile"] == version.uri("logout")
    ]
    assert out["label"]
    response = browser.get(web.path(out["@id"]) + query)
    taken = response.cookies[identify.COOKIE]
    assert response.status_code == 200
    for attribute in ("path", "domain", "secure", "httponly", "samesite"):
        assert taken[attribute] == given[attribute]
    assert (taken.value, taken["max-age"]) == ("", 0)
    assert described(version.info(), token).status_code == 401
    browser.cookies[identify.COOKIE] = cookie
    assert content_status(browser, version.info()) == 401
    assert "_auth_user_id" not in browser.session
    assert not Pass.objects.exists()


@pytest.mark.parametrize("destination", ["image", "iframe", "script", "empty"])
def test_a_picture_on_somebodys_page_logs_nobody_out(login, version, destination):
    browser = Browser().sign_in(person())
    browser.click(page_in("login", version.dialect))
    browser.get(web.logout_page("login", version.space), headers={"sec-fetch-dest": destination})
    assert content_status(browser, version.info()) == 200
    assert Agreement.objects.exists()

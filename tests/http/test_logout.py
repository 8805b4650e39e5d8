"""The logout service: a GET that ends things, at once (section 6)."""

from __future__ import annotations

import pytest

from iiif_auth import identify
from iiif_auth.models import Agreement, Pass, Token
from tests import web
from tests.web import (
    OTHER_VIEWER,
    READING_ROOM,
    Browser,
    access,
    content_status,
    logout_page,
    person,
    probe_status,
)

CHART, MAP = "/iiif/3/chart", "/iiif/3/map"


@pytest.mark.requirement("A2-LOG-03")
@pytest.mark.requirement("A2-LOG-04")
@pytest.mark.parametrize("query", ["", f"?origin={web.VIEWER}", "?origin=null&t=1"])
def test_leaving_a_login_ends_session_pass_cookie_and_tokens(login, query):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    token = web.token(browser, "login")
    assert (content_status(browser), probe_status(CHART, token)) == (200, 200)
    before = browser.access_cookie
    response = browser.get(logout_page("login") + query)
    assert response.status_code == 200
    assert "_auth_user_id" not in browser.session
    assert not Pass.objects.exists()
    assert not Token.objects.exists()
    assert browser.access_cookie is None
    assert (content_status(browser), probe_status(CHART, token)) == (401, 401)
    browser.cookies[identify.COOKIE] = before
    assert content_status(browser) == 401
    assert web.problem(browser, "login") == "invalidAspect"


@pytest.mark.requirement("A2-LOG-03")
def test_the_cookie_goes_with_the_attributes_it_came_with(login):
    browser = Browser().sign_in(person())
    given = browser.click(access("login")).cookies[identify.COOKIE]
    taken = browser.get(logout_page("login")).cookies[identify.COOKIE]
    for attribute in ("path", "domain", "secure", "httponly", "samesite"):
        assert taken[attribute] == given[attribute]
    assert (taken.value, taken["max-age"]) == ("", 0)


@pytest.mark.requirement("A2-LOG-04")
def test_leaving_terms_takes_back_that_agreement_and_nothing_else(login, terms):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    browser.click(access("terms"))
    browser.click(access("terms", OTHER_VIEWER))
    tokens = web.token(browser, "login"), web.token(browser, "terms")
    before = browser.access_cookie
    response = browser.get(logout_page("terms"))
    assert identify.COOKIE not in response.cookies
    assert browser.access_cookie == before
    assert set(Agreement.objects.values_list("service__slug", flat=True)) == {"login"}
    assert (content_status(browser, CHART), content_status(browser, MAP)) == (200, 401)
    assert (probe_status(CHART, tokens[0]), probe_status(MAP, tokens[1])) == (200, 401)
    assert "_auth_user_id" in browser.session


def test_leaving_the_last_thing_ends_the_pass(terms):
    browser = Browser()
    browser.click(access("terms"))
    browser.get(logout_page("terms"))
    assert browser.access_cookie is None
    assert not Pass.objects.exists()
    assert content_status(browser, MAP) == 401


def test_leaving_a_kiosk_ends_its_pass(site):
    kiosk = web.service("kiosk", "kiosk")
    web.restricted(CHART, web.at(web.reading_room()), by=(kiosk,))
    browser = Browser(READING_ROOM)
    browser.get(access("kiosk"))
    browser.get(logout_page("kiosk"))
    assert browser.access_cookie is None
    assert not Pass.objects.exists()


def test_leaving_one_browser_leaves_the_others_alone(login):
    user = person()
    here, there = Browser().sign_in(user), Browser().sign_in(user)
    here.click(access("login"))
    there.click(access("login"))
    here.get(logout_page("login"))
    assert (content_status(here), content_status(there)) == (401, 200)


@pytest.mark.parametrize("destination", ["image", "iframe", "script", "empty", "style"])
def test_a_picture_on_somebodys_page_logs_nobody_out(login, destination):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    before = browser.access_cookie
    response = browser.get(logout_page("login"), headers={"sec-fetch-dest": destination})
    assert response.status_code == 200
    assert b"<form" in response.content
    assert browser.access_cookie == before
    assert content_status(browser) == 200
    assert "_auth_user_id" in browser.session


def test_the_question_can_be_answered_with_a_click(login):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    page = browser.get(logout_page("login"), headers={"sec-fetch-dest": "image"})
    assert browser.click(logout_page("login"), page).status_code == 200
    assert content_status(browser) == 401


def test_head_ends_nothing(login):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    browser.head(logout_page("login"))
    assert content_status(browser) == 200


def test_a_post_from_elsewhere_ends_nothing(login):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    response = browser.post(logout_page("login"), headers={"origin": "https://evil.example"})
    assert response.status_code == 403
    assert content_status(browser) == 200


def test_leaving_without_having_come_is_no_error(login):
    response = Browser().get(logout_page("login"))
    assert response.status_code == 200
    assert (response.cookies[identify.COOKIE].value, response.cookies[identify.COOKIE]["max-age"]) == ("", 0)


def test_an_unknown_service_is_said_to_be_unknown(site):
    assert Browser().get(logout_page("nonsense")).status_code == 404

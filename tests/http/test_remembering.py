"""A notice that a browser agreed to is remembered for as long as the service says, and no longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from iiif_auth import daily, identify, remembering
from iiif_auth.models import Acceptance, AccessService, Pass, Remembered, Terms
from tests import web
from tests.web import OTHER_VIEWER, Browser, access, content_status, logout_page

MAP = "/iiif/3/map"


@pytest.fixture
def notice(site):
    notice = web.service("notice", remember_days=30)
    web.restricted(MAP, web.agreed(notice), by=(notice,))
    return notice


@pytest.fixture
def returning(notice):
    """A browser that agreed, and whose access has ended."""
    browser = Browser()
    browser.click(access("notice"))
    assert content_status(browser, MAP) == 200
    Pass.objects.all().delete()
    del browser.cookies[identify.COOKIE]
    assert content_status(browser, MAP) == 401
    return browser


def asked_again(browser: Browser, origin: str = web.VIEWER) -> bool:
    return b"<form" in browser.get(access("notice", origin)).content


def test_a_browser_that_comes_back_is_let_in_without_a_click(returning):
    assert not asked_again(returning)
    assert content_status(returning, MAP) == 200
    assert web.token(returning, "notice")


def test_it_is_written_down_once_when_it_was_clicked(returning):
    returning.get(access("notice"))
    assert Acceptance.objects.count() == 1


def test_a_new_version_asks_again(returning, notice):
    day = timezone.now() - timedelta(minutes=1)
    Terms.objects.create(service=notice, number=1, heading={"en": ["New"]}, text={"en": ["New"]}, from_day=day)
    assert asked_again(returning)
    assert content_status(returning, MAP) == 401


def test_another_viewer_asks_again(returning):
    assert asked_again(returning, OTHER_VIEWER)
    assert content_status(returning, MAP) == 401


def test_the_days_end(returning):
    Remembered.objects.update(ends=timezone.now())
    assert asked_again(returning)


def test_a_service_that_stops_remembering_asks_again(returning):
    AccessService.objects.update(remember_days=0)
    assert asked_again(returning)


def test_another_browser_is_asked(notice):
    Browser().click(access("notice"))
    assert asked_again(Browser())


def test_the_twin_that_remembers_for_everybody_is_caught(notice, monkeypatch):
    Browser().click(access("notice"))
    monkeypatch.setattr(remembering, "_digest", lambda request: Remembered.objects.get().digest)
    assert not asked_again(Browser())


def test_a_service_that_does_not_remember_gives_no_cookie(site):
    web.service("terms")
    browser = Browser()
    browser.click(access("terms"))
    assert remembering.COOKIE not in browser.cookies
    assert not Remembered.objects.exists()


@pytest.mark.parametrize("destination", ["image", "iframe", "empty"])
def test_a_picture_on_somebodys_page_makes_no_pass(returning, destination):
    returning.get(access("notice"), headers={"sec-fetch-dest": destination})
    assert not Pass.objects.exists()


def test_head_makes_no_pass(returning):
    returning.head(access("notice"))
    assert not Pass.objects.exists()


def test_whoever_leaves_is_asked_again(returning):
    assert not asked_again(returning)
    returning.get(logout_page("notice"))
    assert asked_again(returning)


def test_it_is_shown_on_the_page_of_ones_passes_and_forgotten_there(returning):
    page = returning.get("/iiif-auth/passes")
    assert "Not asked again in this browser" in page.content.decode()
    returning.click("/iiif-auth/passes", page, forget="1")
    assert not Remembered.objects.exists()
    assert asked_again(returning)


def test_the_cookie_is_bound_to_this_site_and_opens_nothing(notice):
    browser = Browser()
    given = browser.click(access("notice")).cookies[remembering.COOKIE]
    attributes = {name: given[name] for name in ("path", "domain", "secure", "httponly", "samesite")}
    assert attributes == {"path": "/", "domain": "", "secure": True, "httponly": True, "samesite": "Lax"}
    assert 29 * 86400 < given["max-age"] <= 30 * 86400
    thief = Browser()
    thief.cookies[identify.COOKIE] = given.value
    assert content_status(thief, MAP) == 401
    assert web.probe_status(MAP, given.value) == 401


def test_only_a_digest_is_kept(notice):
    browser = Browser()
    browser.click(access("notice"))
    assert Remembered.objects.get().digest == identify.digest(browser.cookies[remembering.COOKIE].value)


@pytest.mark.parametrize("value", ["", "x", "é" * 43, "a" * 44, "%00" * 20])
def test_a_cookie_that_is_none_of_ours_is_nobodys(notice, value):
    browser = Browser()
    browser.cookies[remembering.COOKIE] = value
    assert asked_again(browser)


def test_what_is_over_is_deleted_by_the_daily_work(returning):
    Remembered.objects.update(ends=timezone.now() - timedelta(seconds=1))
    (dry,) = daily.run(timezone.now(), dry=True, work=("iiif_auth.remembering.due",))
    assert (dry.said, Remembered.objects.count()) == ("1 remembered agreement is over.", 1)
    (done,) = daily.run(timezone.now(), work=("iiif_auth.remembering.due",))
    assert (done.said, Remembered.objects.count()) == ("Forgot 1 agreement whose days are over.", 0)


def test_only_agreements_to_terms_can_be_remembered(notice):
    notice.pattern = "login"
    with pytest.raises(ValidationError, match="Only an agreement to terms"):
        notice.clean()

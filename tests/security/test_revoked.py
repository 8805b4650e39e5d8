"""What ends a pass from elsewhere: the host's session, the service it came through. Each with a twin that does not look."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.contrib.auth import update_session_auth_hash
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import RequestFactory

from iiif_auth import carried, identify, store
from iiif_auth.models import AccessService, Pass
from iiif_auth.store import passes
from tests import web
from tests.web import SIGNED_IN, Browser, access, content_status, logout_page, person, probe_status

CHART, MAP = "/iiif/3/chart", "/iiif/3/map"


@pytest.fixture
def reader(site):
    """Somebody signed in at a login, with terms agreed to besides."""
    login, terms = web.service("login", "login"), web.service("terms")
    web.restricted(CHART, SIGNED_IN, by=(login,))
    web.restricted(MAP, web.agreed(terms), by=(terms,))
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    browser.click(access("terms"))
    return browser


def stands(browser: Browser, token: str) -> tuple[int, int]:
    return content_status(browser), probe_status(CHART, token)


def session_row_deleted(browser):
    Session.objects.get(session_key=browser.session.session_key).delete()


def session_deleted_in_sql(browser):
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_session")


def session_flushed(browser):
    SessionStore(browser.session.session_key).flush()


def logged_out_elsewhere(browser):
    """The host's own page, in a part of the browser that does not send the access cookie."""
    other = Browser()
    other.cookies["sessionid"] = browser.cookies["sessionid"].value
    other.click("/accounts/logout/", other.get("/accounts/login/"))


def somebody_else_signed_in(browser):
    other = Browser()
    other.cookies["sessionid"] = browser.cookies["sessionid"].value
    other.sign_in(person("bob"))


ENDS_SESSION = [
    session_row_deleted,
    session_deleted_in_sql,
    session_flushed,
    logged_out_elsewhere,
    somebody_else_signed_in,
]


@pytest.mark.parametrize("ends", ENDS_SESSION)
def test_a_pass_ends_with_the_session_that_made_it(reader, ends):
    """Security K5: whoever ends the session, and however, also in SQL."""
    token = web.token(reader, "login")
    assert stands(reader, token) == (200, 200)
    ends(reader)
    assert stands(reader, token) == (401, 401)


@pytest.fixture
def forgetful(monkeypatch):
    """A twin that does not look at sessions and services."""
    monkeypatch.setattr(passes, "SESSION", "1 = 1")
    monkeypatch.setattr(passes, "THROUGH", "1 = 1")
    monkeypatch.setattr(passes, "OFFERED", "1 = 1")
    passes._statement.cache_clear()
    yield
    passes._statement.cache_clear()


@pytest.mark.parametrize("ends", [session_row_deleted, session_deleted_in_sql, session_flushed])
def test_the_twin_that_does_not_look_at_the_session_is_caught(forgetful, reader, ends):
    token = web.token(reader, "login")
    ends(reader)
    assert stands(reader, token) == (200, 200)


def test_a_session_of_somebody_else_ends_nothing(reader):
    token = web.token(reader, "login")
    other = Browser().sign_in(person("bob"))
    other.click("/accounts/logout/", other.get("/accounts/login/"))
    assert stands(reader, token) == (200, 200)


def test_whoever_only_agreed_to_something_has_no_session_to_lose(reader):
    browser = Browser()
    browser.click(access("terms"))
    Session.objects.all().delete()
    assert content_status(browser, MAP) == 200


@pytest.mark.parametrize("engine", ["cache", "signed_cookies", "file"])
def test_sessions_that_are_kept_elsewhere_are_not_asked_for(settings, engine):
    """There the browser's own logout counts, and :func:`iiif_auth.api.end_passes` for the rest."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    import_module(settings.SESSION_ENGINE)
    assert store.session_table() == ""


@pytest.mark.parametrize("engine", ["db", "cached_db"])
def test_sessions_in_the_database_are(settings, engine, db):
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    assert store.session_table() == "django_session"


def test_a_password_changed_on_the_hosts_own_page_ends_every_pass_even_here(reader):
    """Security K5: the host keeps its session then, under a new key; the pass is not kept."""
    token, user = web.token(reader, "login"), person_of(reader)
    request = RequestFactory().get("/")
    request.session, request.user = SessionStore(reader.session.session_key), user
    user.set_password("another")
    user.save()
    update_session_auth_hash(request, user)
    assert stands(reader, token) == (401, 401)


def person_of(browser):
    return Pass.objects.get(digest=identify.digest(browser.access_cookie)).user


# -- Services -----------------------------------------------------------------------------------------------------


def switched_off(slug):
    AccessService.objects.filter(slug=slug).update(dialects=[])


def service_deleted(slug):
    from iiif_auth.models import Tier

    for tier in Tier.objects.all():
        tier.services.clear()
    AccessService.objects.filter(slug=slug).delete()


@pytest.mark.parametrize("ends", [switched_off, service_deleted])
def test_a_pass_ends_with_the_login_it_came_through(reader, ends):
    token = web.token(reader, "login")
    ends("login")
    assert set(stands(reader, token)) <= {401, 403}  # without any service there is nothing that signing in would help


def test_the_twin_that_does_not_look_at_the_service_is_caught(forgetful, reader):
    switched_off("login")
    assert content_status(reader) == 200


def test_terms_that_are_switched_off_close_what_they_opened_and_nothing_else(reader):
    tokens = web.token(reader, "login"), web.token(reader, "terms")
    switched_off("terms")
    assert (content_status(reader, CHART), content_status(reader, MAP)) == (200, 401)
    assert (probe_status(CHART, tokens[0]), probe_status(MAP, tokens[1])) == (200, 401)


def test_the_twin_that_does_not_look_at_the_terms_is_caught(forgetful, reader):
    switched_off("terms")
    assert content_status(reader, MAP) == 200


def test_a_service_that_is_offered_in_one_version_is_not_off(reader):
    AccessService.objects.filter(slug="login").update(dialects=["1"])
    assert content_status(reader) == 200


# -- The host -----------------------------------------------------------------------------------------------------


def test_a_host_may_end_everything_of_a_person(reader):
    from iiif_auth import api

    token, user = web.token(reader, "login"), person_of(reader)
    other = Browser().sign_in(person("bob"))
    other.click(access("login"))
    assert api.end_passes(user) == 1
    assert stands(reader, token) == (401, 401)
    assert content_status(other) == 200
    assert carried.end_of(user) == 0


def test_a_host_may_end_what_began_in_some_of_its_sessions(reader):
    from iiif_auth import api

    token = web.token(reader, "login")
    same_person, other = Browser().sign_in(person_of(reader)), Browser().sign_in(person("bob"))
    for browser in (same_person, other):
        browser.click(access("login"))
    assert api.end_passes_of_sessions([]) == 0
    assert api.end_passes_of_sessions(["", "nobodys"]) == 0
    assert api.end_passes_of_sessions([reader.session.session_key]) == 1
    assert stands(reader, token) == (401, 401)
    assert [content_status(browser) for browser in (same_person, other)] == [200, 200]


def test_what_was_ended_is_not_brought_back_by_a_click(reader):
    """The row that counts for nothing is deleted when its cookie comes back (security K1)."""
    before, old = reader.access_cookie, Pass.objects.get().pk
    session_row_deleted(reader)
    reader.click(access("terms"))
    assert reader.access_cookie != before
    assert not Pass.objects.filter(pk=old).exists()
    assert content_status(reader) == 401
    reader.get(logout_page("terms"))

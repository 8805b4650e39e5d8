"""Headers of a web server in front, as they come in over HTTP: whom they sign in, and that a visitor's own sign in nobody."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from iiif_auth.models import PersonAttribute
from project import remote
from tests import web
from tests.signin.inside.conftest import believed, opens, reader

User = get_user_model()
SECRET = "s" * 40
SETUP = remote.Setup("HTTP_X_REMOTE_USER", SECRET, "https://shib.example", "", '{"HTTP_X_AFFILIATION": "affiliation"}')
ADA = {"X-Remote-User": "ada", "X-Affiliation": "staff@westmark.example;member@westmark.example"}
SIGNED_BY_THE_PROXY = {**ADA, "X-Remote-User-Secret": SECRET}


@pytest.fixture
def front(library):
    """A library behind a web server that signs people in."""
    library.REMOTE = SETUP
    library.TRUSTED_PROXIES = 1
    believed("Shibboleth", SETUP.issuer, "westmark.example")
    return library


def came(headers: dict[str, str]) -> web.Browser:
    browser = reader()
    browser.get("/accounts/login/", headers=headers)
    return browser


def is_in(browser: web.Browser) -> bool:
    return "_auth_user_id" in browser.session


def test_whom_the_server_in_front_names_is_let_in_with_what_it_says_of_them(front):
    browser = came(SIGNED_BY_THE_PROXY)
    assert is_in(browser)
    assert PersonAttribute.objects.count() == 2
    assert opens(browser)


@pytest.mark.parametrize(
    "headers",
    [
        ADA,
        {**ADA, "X-Remote-User-Secret": "guessed"},
        {**ADA, "X-Remote-User-Secret": ""},
        {"Remote-User": "ada", "X-Remote-User-Secret": SECRET},
        {**ADA, "X-Remote-User": "", "X-Remote-User-Secret": SECRET},
        {"X-Affiliation": ADA["X-Affiliation"], "X-Remote-User-Secret": SECRET},
    ],
    ids=["no secret", "wrong secret", "empty secret", "other header", "no name", "attributes only"],
)
def test_what_a_visitor_sends_signs_in_nobody(front, headers):
    browser = came(headers)
    assert not is_in(browser)
    assert not User.objects.exists()
    assert not opens(browser)


def test_without_a_counted_proxy_even_the_secret_is_worth_nothing(front):
    front.TRUSTED_PROXIES = 0
    assert not is_in(came(SIGNED_BY_THE_PROXY))


def test_a_visitors_header_would_do_if_the_secret_were_not_asked(front, monkeypatch):
    """The broken twin of the tests above."""
    monkeypatch.setattr(remote.Setup, "believes", lambda self, meta: True)
    assert opens(came(ADA))


def test_somebody_signed_in_stays_who_they_are_whatever_a_visitor_sends(front):
    browser = came(SIGNED_BY_THE_PROXY)
    before = browser.session["_auth_user_id"]
    browser.get("/accounts/login/", headers={"X-Remote-User": "mallory"})
    assert browser.session["_auth_user_id"] == before


def test_a_change_of_person_is_a_change_of_person(front):
    browser = came(SIGNED_BY_THE_PROXY)
    before = browser.session["_auth_user_id"]
    browser.get("/accounts/login/", headers={**SIGNED_BY_THE_PROXY, "X-Remote-User": "ben", "X-Affiliation": ""})
    assert browser.session["_auth_user_id"] != before
    assert not PersonAttribute.objects.filter(user=browser.session["_auth_user_id"]).exists()


def test_nobody_gets_into_a_local_account(front):
    root = web.person("ada", is_superuser=True)
    assert int(came(SIGNED_BY_THE_PROXY).session["_auth_user_id"]) != root.pk

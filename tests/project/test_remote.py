"""Whom a web server in front names, and that a visitor can not name anybody."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model

from project import checks, remote, sign_in
from project.remote_backend import RemoteUserBackend
from tests import factories

SECRET = "s" * 40
BY_HEADER = remote.Setup("HTTP_X_REMOTE_USER", SECRET, "shib", "", '{"HTTP_X_AFFILIATION": "affiliation"}')
BY_SERVER = remote.Setup("REMOTE_USER")
NAMED = {"HTTP_X_REMOTE_USER": "ada", "HTTP_X_REMOTE_USER_SECRET": SECRET, "HTTP_X_AFFILIATION": "staff@a.example"}


def test_the_proxy_that_knows_the_secret_names_somebody(settings):
    settings.TRUSTED_PROXIES = 1
    assert remote.person(BY_HEADER, NAMED) == remote.Person("shib", "ada", {"affiliation": "staff@a.example"})


@pytest.mark.parametrize("secret", ["", "wrong", SECRET + "x", "ß" * 40])
def test_a_visitor_without_the_secret_names_nobody(settings, secret):
    settings.TRUSTED_PROXIES = 1
    assert remote.person(BY_HEADER, {**NAMED, "HTTP_X_REMOTE_USER_SECRET": secret}) is None


def test_it_would_be_enough_to_send_the_header_if_the_secret_were_not_asked(settings, monkeypatch):
    monkeypatch.setattr(remote.Setup, "believes", lambda self, meta: True)
    assert remote.person(BY_HEADER, {"HTTP_X_REMOTE_USER": "ada"}) is not None


def test_without_a_counted_proxy_no_header_counts(settings):
    settings.TRUSTED_PROXIES = 0
    assert remote.person(BY_HEADER, NAMED) is None


def test_a_visitors_own_header_is_not_the_servers_variable(settings):
    assert remote.person(BY_SERVER, {"HTTP_REMOTE_USER": "root"}) is None
    assert remote.person(BY_SERVER, {"REMOTE_USER": "ada"}).subject == "ada"


@pytest.mark.django_db
def test_nobody_becomes_a_local_account_of_the_same_name():
    root = factories.UserFactory(username="root", is_superuser=True)
    found = remote.Person("shib", "root", {})
    user = RemoteUserBackend().authenticate(None, remote_user=found)
    assert user != root
    assert not user.has_usable_password()
    assert user == RemoteUserBackend().authenticate(None, remote_user=found)
    assert remote.Person("other", "root", {}).username != found.username


@pytest.mark.django_db
def test_an_account_with_a_password_is_nobodys_from_elsewhere():
    found = remote.Person("shib", "ada", {})
    user = get_user_model().objects.create_user(found.username, password="a good password")
    assert user.has_usable_password()
    assert RemoteUserBackend().authenticate(None, remote_user=found) is None


HALF = '[{"id": "uni", "issuer": "http://uni.example", "name": "U", "client_id": "c", "secret": "s"}]'


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"openid": "", "saml": ""}, []),
        ({"openid": "{", "saml": ""}, ["project.E001"]),
        ({"openid": '[{"id": "uni"}]', "saml": ""}, ["project.E001"]),
        ({"openid": HALF, "saml": ""}, ["project.E004"]),
        ({"openid": HALF.replace("http:", "https:"), "saml": ""}, []),
        ({"openid": HALF.replace("http:", "https:").replace("uni", "U i"), "saml": ""}, ["project.E002"]),
    ],
)
def test_what_is_half_configured_is_said(settings, given, found):
    settings.WAYS = sign_in.ways(**given, mfa=False)
    messages = checks.check_sign_in(None)
    assert [message.id for message in messages] == found
    assert all(message.hint for message in messages)


def test_headers_without_proxy_and_secret_are_said(settings):
    settings.REMOTE, settings.TRUSTED_PROXIES = remote.Setup("HTTP_X_REMOTE_USER", attributes="{"), 0
    assert [message.id for message in checks.check_sign_in(None)] == ["project.E007", "project.E008", "project.E009"]


def test_a_name_given_to_another_issuer_inherits_nobody():
    first, second = (
        sign_in.Entry({"id": "uni", "issuer": issuer}) for issuer in ("https://a.example", "https://b.example")
    )
    assert first.key != second.key

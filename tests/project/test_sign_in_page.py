"""The recipes of ``project/SIGN-IN.md`` do what it says of them."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as given
from django.contrib.auth.signals import user_logged_in

from iiif_auth.models import PersonAttribute
from project import checks, remote, sign_in
from tests import factories

TEXT = (Path(__file__).parents[2] / "project" / "SIGN-IN.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def variables() -> dict[str, str]:
    """What the page says to set, by the name of the variable."""
    return dict(re.findall(r"`(REMOTE_USER\w*)=([^`]+)`", TEXT.split("With Apache")[0]))


@pytest.fixture
def receive(tmp_path: Path) -> Any:
    """The receiver of the page's own lines."""
    (code,) = blocks("python")
    (tmp_path / "receiver.py").write_text(code, encoding="utf-8")
    return runpy.run_path(str(tmp_path / "receiver.py"))["logged_in"]


@pytest.mark.django_db
def test_the_receiver_of_cas_and_ldap_keeps_what_was_said(receive):
    factories.IdentityProviderFactory(issuer="https://cas.example.org")
    person = factories.UserFactory()
    user_logged_in.connect(receive)
    try:
        said = {"eduPersonScopedAffiliation": ["staff@example.org"], "mail": "ada@example.org"}
        user_logged_in.send(type(person), request=None, user=person, attributes=said)
        assert list(PersonAttribute.objects.values_list("name", "value")) == [("affiliation", "staff@example.org")]
        user_logged_in.send(type(person), request=None, user=person)
        assert not PersonAttribute.objects.exists()
    finally:
        user_logged_in.disconnect(receive)


@pytest.mark.django_db
def test_nothing_is_kept_of_a_cas_that_nobody_configured(receive):
    receive(None, factories.UserFactory(), {"eduPersonScopedAffiliation": "staff@example.org"})
    assert not PersonAttribute.objects.exists()


def test_the_headers_that_count_are_those_that_the_web_server_sets(settings):
    named = variables()
    setup = remote.Setup(
        named["REMOTE_USER"], secret="s" * remote.LEAST_SECRET, attributes=named["REMOTE_USER_ATTRIBUTES"]
    )
    settings.REMOTE, settings.TRUSTED_PROXIES, settings.WAYS = setup, 1, sign_in.Ways()
    assert checks.check_sign_in(None) == []
    (server,) = blocks("nginx")
    written = {name.upper().replace("-", "_") for name in re.findall(r"proxy_set_header\s+(\S+)", server)}
    needed = {setup.variable, remote.SECRET, *json.loads(setup.attributes)}
    assert {name.removeprefix(remote.HEADER) for name in needed} <= written


def test_every_variable_of_the_settings_is_on_the_page():
    source = (Path(given.ROOT) / "project" / "settings.py").read_text(encoding="utf-8")
    names = re.findall(r'"(OPENID_PROVIDERS|SAML_PROVIDERS|MFA|REMOTE_USER\w*)"', source)
    assert len(names) == 8
    assert [name for name in names if f"`{name}`" not in TEXT] == []

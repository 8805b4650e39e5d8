"""Ways to sign in besides a password, from the environment. All are off unless they are configured.

What is half configured stops nothing by itself: it is read as far as it can be, and ``project.checks`` says what is missing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

OPENID = ("id", "name", "issuer", "client_id", "secret")
SAML = ("id", "name", "entity_id", "sso_url", "certificate")
"""The keys that an entry of each kind needs."""
OPENID_MORE, SAML_MORE = ("scope", "token_auth_method"), ("slo_url", "uid")
"""And those that it may have."""

SUBJECT_IDS = [
    "urn:oasis:names:tc:SAML:attribute:subject-id",
    "urn:oasis:names:tc:SAML:attribute:pairwise-id",
    "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
]
"""Which SAML attributes name a person for good, the best first. A NameID that changes would make a new account each time."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One identity provider as the environment describes it."""

    values: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.values.get("id", ""))

    @property
    def name(self) -> str:
        return str(self.values.get("name") or self.id)

    @property
    def issuer(self) -> str:
        return str(self.values.get("issuer") or self.values.get("entity_id") or "")

    @property
    def key(self) -> str:
        """What accounts are joined to: it changes with the issuer, so that a name given anew never inherits other people."""
        return f"{self.id}-{sha256(self.issuer.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways in that are configured, and sentences about what could not be read."""

    openid: tuple[Entry, ...] = ()
    saml: tuple[Entry, ...] = ()
    mfa: bool = False
    problems: tuple[str, ...] = field(default=())

    @property
    def elsewhere(self) -> bool:
        """Whether people sign in at somebody else's."""
        return bool(self.openid or self.saml)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return (*self.openid, *self.saml)

    @property
    def apps(self) -> list[str]:
        """What ``INSTALLED_APPS`` needs besides."""
        found = ["allauth.socialaccount"] if self.elsewhere else []
        found += ["allauth.socialaccount.providers.openid_connect"] if self.openid else []
        found += ["allauth.socialaccount.providers.saml"] if self.saml else []
        return found + (["allauth.mfa", "django.contrib.humanize"] if self.mfa else [])

    def providers(self, base_url: str) -> dict[str, Any]:
        """``SOCIALACCOUNT_PROVIDERS``."""
        found: dict[str, Any] = {}
        if self.openid:
            found["openid_connect"] = {"APPS": [openid_app(one) for one in self.openid], "OAUTH_PKCE_ENABLED": True}
        if self.saml:
            found["saml"] = {"APPS": [saml_app(one, base_url) for one in self.saml]}
        return found


def openid_app(entry: Entry) -> dict[str, Any]:
    given = entry.values
    settings = {"server_url": entry.issuer, "issuer": entry.issuer, "fetch_userinfo": True}
    if given.get("token_auth_method"):
        settings["token_auth_method"] = given["token_auth_method"]
    if given.get("scope"):
        settings["scope"] = given["scope"]
    return {
        "provider_id": entry.key,
        "name": entry.name[:40],
        "client_id": str(given.get("client_id", "")),
        "secret": str(given.get("secret", "")),
        "settings": settings,
    }


def saml_app(entry: Entry, base_url: str) -> dict[str, Any]:
    """Assertions must be signed and asked for; the metadata of this site is its name."""
    given = entry.values
    idp = {
        "entity_id": entry.issuer,
        "sso_url": str(given.get("sso_url", "")),
        "slo_url": str(given.get("slo_url", "")),
        "x509cert": str(given.get("certificate", "")),
    }
    return {
        "provider_id": entry.key,
        "name": entry.name[:40],
        "client_id": entry.id,
        "settings": {
            "idp": {key: value for key, value in idp.items() if value},
            "sp": {"entity_id": f"{base_url}/accounts/saml/{entry.id}/metadata/"},
            "attribute_mapping": {"uid": given.get("uid") or SUBJECT_IDS},
            "advanced": {
                "strict": True,
                "want_assertion_signed": True,
                "want_attribute_statement": False,
                "reject_idp_initiated_sso": True,
                "reject_deprecated_algorithm": True,
                "allow_single_label_domains": True,
            },
        },
    }


def ways(*, openid: str, saml: str, mfa: bool) -> Ways:
    """What two texts of JSON and a switch say."""
    first, wrong = entries("OPENID_PROVIDERS", openid, OPENID, OPENID_MORE)
    second, wrong_too = entries("SAML_PROVIDERS", saml, SAML, SAML_MORE)
    return Ways(first, second, mfa, (*wrong, *wrong_too))


def entries(
    name: str, text: str, needed: tuple[str, ...], more: tuple[str, ...]
) -> tuple[tuple[Entry, ...], tuple[str, ...]]:
    """The entries that are whole, and a sentence about each that is not."""
    if not text.strip():
        return (), ()
    try:
        found = json.loads(text)
    except ValueError:
        return (), (f"{name} is not JSON.",)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        return (), (f"{name} is not a list of objects.",)
    problems = [problem for one in found for problem in wrong_in(name, one, needed, more)]
    return tuple(Entry(one) for one in found if not list(wrong_in(name, one, needed, more))), tuple(problems)


def wrong_in(name: str, one: Mapping[str, Any], needed: tuple[str, ...], more: tuple[str, ...]) -> list[str]:
    called = str(one.get("id") or one.get("name") or "an entry without id")[:60]
    missing = [key for key in needed if not one.get(key)]
    strange = sorted(set(one) - {*needed, *more})
    found = [f"“{called}” in {name} lacks {', '.join(missing)}."] if missing else []
    return found + ([f"“{called}” in {name} has unknown keys: {', '.join(strange)}."] if strange else [])

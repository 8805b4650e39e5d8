"""What is half configured about signing in is said at start-up, with an id and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.utils import DatabaseError

from project.remote import EXAMPLE, LEAST_SECRET
from project.sign_in import Entry

ID = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
OPENID_EXAMPLE = (
    '[{"id": "uni", "name": "University", "issuer": "https://login.example.org", "client_id": "…", "secret": "…"}]'
)
SAML_EXAMPLE = (
    '[{"id": "uni", "name": "University", "entity_id": "https://idp.example.org/metadata", '
    '"sso_url": "https://idp.example.org/sso", "certificate": "…"}]'
)


def error(number: int, message: str, hint: str) -> Error:
    return Error(message, hint=hint, id=f"project.E{number:03}")


@register(Tags.security)
def check_sign_in(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Everything that the settings alone can tell."""
    return [message for check in CHECKS for message in check()]


def readable() -> Iterator[CheckMessage]:
    for problem in settings.WAYS.problems:
        example = SAML_EXAMPLE if "SAML" in problem else OPENID_EXAMPLE
        yield error(1, problem, f"Write it as JSON, such as {example}")


def entries() -> Iterator[CheckMessage]:
    for one in settings.WAYS.entries:
        yield from entry(one)
    for what in ("id", "issuer"):
        names = [getattr(one, what) for one in settings.WAYS.entries]
        for twice in sorted({name for name in names if names.count(name) > 1}):
            yield error(3, f"Two identity providers have the {what} {twice!r}.", "Give each one its own.")


def entry(one: Entry) -> Iterator[CheckMessage]:
    if not ID.fullmatch(one.id) or len(one.id) > 60:
        yield error(
            2, f"{one.id!r} can not be the id of an identity provider.", "Use small letters, digits and hyphens."
        )
    for key in ("issuer", "sso_url", "slo_url"):
        url = one.values.get(key)
        if url and not is_secure(str(url)):
            yield error(
                4, f"The {key} of “{one.id}” is not https: {url!r}.", "Anybody on the way could sign in as anybody."
            )


def is_secure(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


PACKAGES = (
    ("elsewhere", "requests", "login"),
    ("openid", "jwt", "login"),
    ("saml", "onelogin", "saml"),
    ("mfa", "fido2", "mfa"),
)


def packages() -> Iterator[CheckMessage]:
    for way, package, extra in PACKAGES:
        if getattr(settings.WAYS, way) and find_spec(package) is None:
            yield error(
                5,
                f"The package {package!r} is missing, which this way to sign in needs.",
                f'Run: pip install "django-iiif-auth[{extra}]"',
            )


def certificates() -> Iterator[CheckMessage]:
    for one in settings.WAYS.saml:
        text = re.sub(r"-----(?:BEGIN|END) CERTIFICATE-----|\s", "", str(one.values.get("certificate", "")))
        if not re.fullmatch(r"MI[A-Za-z0-9+/=]{200,}", text):
            yield error(
                6,
                f"The certificate of “{one.id}” can not be read.",
                "Give the text of its signing certificate, from the metadata of the identity provider (X509Certificate).",
            )


def proxy() -> Iterator[CheckMessage]:
    setup = settings.REMOTE
    if not setup.wanted:
        return
    if setup.by_header and settings.TRUSTED_PROXIES < 1:
        yield error(
            7,
            f"{setup.variable} is a header that any visitor can send, and no proxy of yours is counted.",
            "Set TRUSTED_PROXIES to the number of your proxies, and have the outermost take that header away.",
        )
    if setup.by_header and len(setup.secret) < LEAST_SECRET:
        yield error(
            8,
            "REMOTE_USER_SECRET is missing or short, so nobody whom the proxy names gets in.",
            f"Set {LEAST_SECRET} random characters or more, and have the proxy send them as X-Remote-User-Secret.",
        )
    if setup.attributes.strip() and not setup.names:
        yield error(9, "REMOTE_USER_ATTRIBUTES can not be read.", f"Write it as JSON, such as {EXAMPLE}")


CHECKS = (readable, entries, packages, certificates, proxy)


@register(Tags.database)
def check_believed(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Whether what the configured providers say of people is believed at all."""
    if "default" not in (databases or ()):
        return []
    issuers = [one.issuer for one in settings.WAYS.entries]
    if settings.REMOTE.wanted and not settings.REMOTE.issuer_variable:
        issuers.append(settings.REMOTE.issuer or "remote-user")
    known = believed()
    return [
        Warning(
            f"What {issuer!r} says of people is dropped: there is no identity provider with that issuer in the admin.",
            hint="Add it in the admin under “Identity providers”, with what it may say and for which scopes.",
            id="project.W001",
        )
        for issuer in issuers
        if known is not None and issuer not in known
    ]


def believed() -> set[str] | None:
    """The issuers with a row; ``None`` before the tables are there."""
    from iiif_auth.models import IdentityProvider

    try:
        if IdentityProvider._meta.db_table not in connections["default"].introspection.table_names():
            return None
        return set(IdentityProvider.objects.values_list("issuer", flat=True))
    except DatabaseError:
        return None

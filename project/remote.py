"""Whom a web server in front has signed in, as Apache does with Shibboleth, Kerberos, CAS or LDAP. Off unless it is configured.

Two kinds of variable are believed. ``REMOTE_USER`` and its like, which have no ``HTTP_`` before them, are set by the server that
runs this process, and no visitor can send them. ``HTTP_…`` are headers, which anybody can send: they count only together with a
secret that the proxy adds (``X-Remote-User-Secret``), and only where the proxies of this site are counted. Whatever a visitor's
own ``Remote-User`` header says never counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse

HEADER = "HTTP_"
SECRET = "HTTP_X_REMOTE_USER_SECRET"  # noqa: S105 - the name of a header
LEAST_SECRET = 32
KEPT = "remote_user"
"""Where the session keeps whom the proxy named."""
DEFAULT_ISSUER = "remote-user"
EXAMPLE = '{"HTTP_X_AFFILIATION": "affiliation", "HTTP_X_ENTITLEMENT": "entitlement"}'


@dataclass(frozen=True, slots=True)
class Setup:
    """What the environment says about the web server in front.

    ``variable`` names the person, ``issuer_variable`` who signed them in, which is ``issuer`` where there is only one;
    ``attributes`` is JSON with the names of attributes by variable.
    """

    variable: str = ""
    secret: str = ""
    issuer: str = ""
    issuer_variable: str = ""
    attributes: str = ""

    @property
    def wanted(self) -> bool:
        return bool(self.variable)

    @property
    def by_header(self) -> bool:
        return any(name.startswith(HEADER) for name in (self.variable, self.issuer_variable, *self.names))

    @property
    def names(self) -> Mapping[str, str]:
        """By variable, the name of an attribute; none if it can not be read."""
        try:
            found = json.loads(self.attributes or "{}")
        except ValueError:
            return {}
        sound = isinstance(found, dict) and all(isinstance(name, str) for name in found.values())
        return found if sound else {}

    def believes(self, meta: Mapping[str, Any]) -> bool:
        """Whether what a request says comes from the server in front, and not from a visitor."""
        if not self.by_header:
            return True
        sent = str(meta.get(SECRET, ""))
        guarded = settings.TRUSTED_PROXIES > 0 and len(self.secret) >= LEAST_SECRET
        return guarded and compare_digest(sent.encode(), self.secret.encode())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody whom the server in front has signed in."""

    issuer: str
    subject: str
    headers: Mapping[str, str]

    @property
    def username(self) -> str:
        """Made of the issuer and the subject: nobody can choose it, and it is nobody's name."""
        return f"remote.{sha256(f'{self.issuer}{chr(0)}{self.subject}'.encode()).hexdigest()[:32]}"


def person(setup: Setup, meta: Mapping[str, Any]) -> Person | None:
    """Whom a request is from, if it says so and is believed."""
    subject = str(meta.get(setup.variable, "")).strip()
    if not subject or not setup.believes(meta):
        return None
    issuer = str(meta.get(setup.issuer_variable, "")).strip() if setup.issuer_variable else ""
    if setup.issuer_variable and not issuer:
        return None
    headers = {name: text(meta[variable]) for variable, name in setup.names.items() if meta.get(variable)}
    return Person(issuer or setup.issuer or DEFAULT_ISSUER, subject, headers)


def text(value: object) -> str:
    """A header as text. WSGI servers hand it over as Latin-1, whatever it was; these are UTF-8 (PEP 3333)."""
    try:
        return str(value).encode("latin-1").decode("utf-8")
    except UnicodeError:
        return str(value)


class RemoteUserMiddleware:
    """Signs in whom the server in front names, and signs out whoever came that way when it names somebody else.

    Like Django's persistent kind, it leaves people signed in where nobody is named: only the login page need be guarded.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        found = person(settings.REMOTE, request.META)
        if found is not None and request.session.get(KEPT) != [found.issuer, found.subject]:
            sign_in(request, found)
        return self.get_response(request)


def sign_in(request: HttpRequest, found: Person) -> None:
    """Start a session, and keep what was said of the person; whoever can not come in that way stays nobody."""
    from iiif_auth.attributes import keeping, normal

    if request.user.is_authenticated:
        auth.logout(request)
    user = auth.authenticate(request, remote_user=found)
    if user is None:
        return
    auth.login(request, user)
    request.session[KEPT] = [found.issuer, found.subject]
    keeping.keep(user, found.issuer, normal.from_headers(found.headers))

"""Viewers that identify themselves: machines of the library's own, in Auth 0.9.2 (sections 2.4 and 3.2 there).

A viewer's own server shows name and secret and gets a code. The code goes with the person to the login page, and from there to
the token service, where it is used up. It says which viewer asks; who the person is, only the access cookie says.
"""

from __future__ import annotations

from datetime import timedelta
from hmac import compare_digest
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from iiif_auth import identify
from iiif_auth.models import AccessService, ClientCode, Pass, RegisteredClient
from iiif_auth.models.naming import slug_validator
from iiif_auth.policy import types as policy
from iiif_auth.policy.types import Clients
from iiif_auth.protocol import dialects

CODE_LIFE = timedelta(minutes=10)
"""Long enough to sign in on a reading-room machine, password forgotten and all."""


def new_secret(client: RegisteredClient) -> str:
    """A new secret for a viewer, which ends the former one and every code drawn with it. It can be read only here, once."""
    secret = identify.new_secret()
    client.digest = identify.digest(secret)
    if client.pk:
        client.codes.all().delete()
    return secret


def code_for(service: policy.AccessService, given: object) -> tuple[str, str]:
    """``(code, "")`` for a registered viewer of this service, or ``("", word)`` with 0.9.2's word for what is wrong."""
    client_id, secret = _given(given)
    if client_id is None or secret is None:
        return "", "invalidRequest"
    client = _registered(client_id, service.slug)
    if client is None or service.clients is Clients.ANY:
        return "", "invalidClient"
    if not identify.SECRET.fullmatch(secret) or not compare_digest(identify.digest(secret), client.digest):
        return "", "invalidClientSecret"
    return _new_code(client, service), ""


def _registered(client_id: str, service: str) -> RegisteredClient | None:
    """The viewer of this name. A text that can not be one is not even looked up: not every database can be asked for it."""
    try:
        slug_validator(client_id)
    except ValidationError:
        return None
    return RegisteredClient.objects.filter(client_id=client_id, is_active=True, services__slug=service).first()


def _given(given: object) -> tuple[str | None, str | None]:
    if not isinstance(given, dict):
        return None, None
    values: list[Any] = [given.get("clientId"), given.get("clientSecret")]
    texts = [value if isinstance(value, str) and len(value) <= 200 else None for value in values]
    return texts[0], texts[1]


def _new_code(client: RegisteredClient, service: policy.AccessService) -> str:
    code, now = identify.new_secret(), timezone.now()
    ClientCode.objects.filter(ends__lte=now).delete()
    ClientCode.objects.create(
        digest=identify.digest(code),
        client=client,
        service=AccessService.objects.get(slug=service.slug),
        ends=now + CODE_LIFE,
    )
    client.seen = now
    client.save(update_fields=["seen"])
    return code


# -- At the login page --------------------------------------------------------------------------------------------


def refused(request: HttpRequest, space: str, service: policy.AccessService, *, has_origin: bool) -> bool:
    """Whether somebody must be turned away from a login page: registered viewers only, or the code is no good."""
    dialect = dialects.spoken(space, service, origin=has_origin)
    if dialect is None or dialect.names_origin or service.clients is Clients.ANY:
        return False
    codes = request.GET.getlist("code")
    if not codes:
        return service.clients is Clients.ONLY
    return len(codes) != 1 or _live(codes[0], service.slug) is None


def _live(code: str, service: str) -> ClientCode | None:
    if not identify.SECRET.fullmatch(code):
        return None
    live = ClientCode.objects.select_related("client").filter(
        digest=identify.digest(code), ends__gt=timezone.now(), service__slug=service, client__is_active=True
    )
    return live.first()


def note_visit(request: HttpRequest, secret: str) -> None:
    """Bind the code that somebody came with to the pass they were given: nobody else's token can be had with it."""
    codes = request.GET.getlist("code")
    if len(codes) == 1 and identify.SECRET.fullmatch(codes[0]):
        holder = Pass.objects.get(digest=identify.digest(secret))
        ClientCode.objects.filter(digest=identify.digest(codes[0]), holder=None).update(holder=holder)


# -- At the token service -----------------------------------------------------------------------------------------


@transaction.atomic
def use_code(codes: list[str], service: policy.AccessService, holder: int | None) -> bool:
    """Whether these are good for a token of this pass. A good code is used up, and of two requests with it one gets a token.

    Without a code only services that know no viewers, or do not insist on them, go on (A092-TOK-05).
    """
    if service.clients is Clients.ANY:
        return True
    if not codes:
        return service.clients is Clients.KNOWN
    found = _live(codes[0], service.slug) if len(codes) == 1 else None
    if found is None or found.holder_id not in (None, holder):
        return False
    return bool(ClientCode.objects.filter(pk=found.pk).delete()[0])

"""Giving passes and tokens, and ending them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.models import AccessService, Agreement, Pass, Token
from iiif_auth.policy import types as policy
from iiif_auth.policy.types import Pattern

MOST_TOKENS = 20
"""Live tokens of one pass and service; the oldest beyond that are ended (security T13)."""


def set_cookie(response: HttpResponseBase, secret: str, service: policy.AccessService) -> None:
    """Give the browser its access cookie: a cross-site one, so that ``<img>`` carries it (A2-CONT-05, security K10)."""
    _cookie(response, secret, service.pass_hours * 3600)


def delete_cookie(response: HttpResponseBase) -> None:
    """Take the access cookie away, with the attributes it was set with; without them browsers keep it."""
    _cookie(response, "", 0)


def _cookie(response: Any, value: str, max_age: int) -> None:
    response.set_cookie(identify.COOKIE, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="None")


@transaction.atomic
def grant(request: HttpRequest, service: policy.AccessService, origin: str) -> str:
    """Note that this browser went through a service for a viewer's site; the secret for its new cookie.

    The value of the cookie changes each time (security K1). What was agreed to before stays, unless somebody else has signed
    in since (security K2).
    """
    now = timezone.now()
    holder = _kept_pass(request, now) or Pass(created=now, ends=now)
    secret = identify.new_secret()
    holder.digest = identify.digest(secret)
    _prolong(holder, service, now)
    if service.pattern is Pattern.LOGIN:
        holder.user = request.user  # type: ignore[assignment]
        holder.credential = store.credential_mark(request.user.password)
    holder.save()
    row = AccessService.objects.get(slug=service.slug)
    Agreement.objects.update_or_create(holder=holder, service=row, origin=origin, defaults={"at": now})
    return secret


def _prolong(holder: Pass, service: policy.AccessService, now: datetime) -> None:
    """Begin the lives of a pass anew; a click prolongs nobody's sign-in."""
    whole = now + timedelta(hours=service.pass_hours)
    holder.ends = whole if service.pattern is Pattern.LOGIN or holder.pk is None else holder.ends
    holder.idle_minutes = min(service.idle_minutes, holder.idle_minutes) if holder.pk else service.idle_minutes
    holder.seen = now
    holder.idle_until = now + timedelta(minutes=holder.idle_minutes)


def _kept_pass(request: HttpRequest, now: datetime) -> Pass | None:
    """The pass this browser holds, if it is sound and nobody else's; otherwise it ends here."""
    found = identify.current_pass(request, now)
    if found.facts is None:
        return None
    row = Pass.objects.select_for_update().filter(pk=found.facts.id).first()
    present = str(request.user.pk) if identify.is_signed_in(request) else None
    if row is None or found.standing is not identify.Standing.SOUND or found.facts.user not in (None, present):
        Pass.objects.filter(pk=found.facts.id).delete()
        return None
    return row


def mint(
    service: policy.AccessService, dialect: str, origin: str, facts: store.PassFacts | None
) -> tuple[str, int] | None:
    """A new token and its life in seconds; ``None`` if the pass ended in the meantime (security K6).

    Without a pass the token stands for an address, which the probe sees for itself: nothing is stored, and a flood of
    such tokens leaves no trace (security T13).
    """
    now = timezone.now()
    ends = now + timedelta(seconds=service.token_seconds)
    token = identify.new_secret()
    if facts is None:
        return token, service.token_seconds
    with transaction.atomic():
        if not Pass.objects.select_for_update().filter(pk=facts.id).exists():
            return None
        identify.slide(facts, now)
        ends = min(ends, facts.ends)
        Token.objects.create(
            digest=identify.digest(token),
            holder_id=facts.id,
            service=service.slug,
            dialect=dialect,
            origin=origin,
            created=now,
            ends=ends,
        )
        _end_surplus(facts.id, service.slug)
    return token, max(1, int((ends - now).total_seconds()))


def _end_surplus(holder: int, service: str) -> None:
    held = Token.objects.filter(holder_id=holder, service=service).order_by("-created", "-pk")
    Token.objects.filter(pk__in=list(held.values_list("pk", flat=True)[MOST_TOKENS : MOST_TOKENS * 2])).delete()


@transaction.atomic
def leave(request: HttpRequest, service: policy.AccessService) -> bool:
    """End what this browser has through a service, and every token drawn from it; whether a pass is left.

    Leaving a login ends the whole pass: what was agreed to belongs to the person who leaves.
    """
    found = identify.current_pass(request)
    if found.facts is None:
        return False
    if service.pattern is not Pattern.LOGIN:
        Agreement.objects.filter(holder_id=found.facts.id, service__slug=service.slug).delete()
        Token.objects.filter(holder_id=found.facts.id, service=service.slug).delete()
        if Agreement.objects.filter(holder_id=found.facts.id).exists():
            return True
    Pass.objects.filter(pk=found.facts.id).delete()
    return False


def end(request: HttpRequest) -> None:
    """End the pass of this browser altogether."""
    found = identify.current_pass(request)
    if found.facts is not None:
        Pass.objects.filter(pk=found.facts.id).delete()


def prune(now: datetime | None = None) -> tuple[int, int]:
    """Delete tokens that have ended, and passes a week after their end (until then they say “expired”, not “unknown”)."""
    at = now or timezone.now()
    tokens, _ = Token.objects.filter(ends__lte=at).delete()
    passes, _ = Pass.objects.filter(ends__lte=at - timedelta(days=7)).delete()
    return tokens, passes

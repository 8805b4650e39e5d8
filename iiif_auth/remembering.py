"""Notices that a browser need not read each time: that it agreed before is remembered for as long as the service says.

What is remembered stands in a cookie of its own, which opens nothing. It is sent with a visit to the access page only, and there
spares a click: for the same service, viewer and version of the terms. Everything after it is as after a click.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import ngettext

from iiif_auth import identify
from iiif_auth.models import AccessService, Remembered
from iiif_auth.policy import types as policy

COOKIE = "__Host-iiif_agreed"


def remembers(request: HttpRequest, service: policy.AccessService, version: int, origin: str) -> bool:
    """Whether this browser agreed to this version, for this viewer's site, and may be spared the click."""
    digest = _digest(request)
    if not service.remember_days or not digest:
        return False
    rows = Remembered.objects.filter(digest=digest, service__slug=service.slug, version=version, origin=origin)
    return rows.filter(ends__gt=timezone.now()).exists()


def note(
    request: HttpRequest, response: HttpResponseBase, service: policy.AccessService, version: int, origin: str
) -> None:
    """Remember that somebody clicked, and give their browser the cookie for it."""
    if not service.remember_days:
        return
    now = timezone.now()
    secret = _secret(request) or identify.new_secret()
    Remembered.objects.update_or_create(
        digest=identify.digest(secret),
        service=AccessService.objects.get(slug=service.slug),
        origin=origin,
        defaults={"version": version, "ends": now + timedelta(days=service.remember_days)},
    )
    _set_cookie(response, secret, now)


def _set_cookie(response: HttpResponseBase, secret: str, now: datetime) -> None:
    last = Remembered.objects.filter(digest=identify.digest(secret)).order_by("-ends").first()
    seconds = int((last.ends - now).total_seconds()) if last else 0
    # Viewers open the access page in a window of its own, and there a “Lax” cookie is sent.
    response.set_cookie(COOKIE, secret, max_age=seconds, path="/", secure=True, httponly=True, samesite="Lax")


def kept(request: HttpRequest) -> list[Remembered]:
    """What this browser is remembered for, for its owner to see."""
    digest = _digest(request)
    rows = Remembered.objects.filter(digest=digest, ends__gt=timezone.now()).select_related("service")
    return list(rows.order_by("service__slug", "origin")[:100]) if digest else []


def forget(request: HttpRequest, service: str = "") -> None:
    """Ask this browser again: at one service, by its slug, or at every one."""
    digest = _digest(request)
    if digest:
        rows = Remembered.objects.filter(digest=digest)
        (rows.filter(service__slug=service) if service else rows).delete()


def _secret(request: HttpRequest) -> str:
    value = request.COOKIES.get(COOKIE, "")
    return value if identify.SECRET.fullmatch(value) else ""


def _digest(request: HttpRequest) -> str:
    secret = _secret(request)
    return identify.digest(secret) if secret else ""


def due(now: datetime) -> str:
    """Delete what is remembered no longer: daily work of :mod:`iiif_auth.daily`."""
    count, _rows = Remembered.objects.filter(ends__lte=now).delete()
    return ngettext(
        "Forgot %(count)d agreement whose days are over.", "Forgot %(count)d agreements whose days are over.", count
    ) % {"count": count}


def would(now: datetime) -> str:
    count = Remembered.objects.filter(ends__lte=now).count()
    return ngettext("%(count)d remembered agreement is over.", "%(count)d remembered agreements are over.", count) % {
        "count": count
    }

"""Enrolling machines that stand for a place, and revoking them.

A member of staff makes a code, which somebody types at the machine within minutes. The machine then carries a cookie of its own,
beside the access cookies of its readers; the place is read with it at every use, so that moving or revoking it is felt at once.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac

from iiif_auth import history, identify
from iiif_auth.asking.codes import LETTERS
from iiif_auth.models import Device, Pass

HALF = 4
CODE = re.compile(rf"\A([{LETTERS}]{{{HALF}}})[\s-]*([{LETTERS}]{{{HALF}}})\Z")
CODE_MINUTES = 10
DAYS = 400
"""How long a machine stays enrolled without being used; browsers keep no cookie longer."""


# -- Codes --------------------------------------------------------------------------------------------------------


def read_code(text: str) -> str | None:
    """The code that somebody typed, in any spelling; ``None`` if it can not be one."""
    found = CODE.match(text.strip().upper())
    return f"{found[1]}-{found[2]}" if found else None


def code_digest(code: str) -> str:
    """What is stored of a code. Codes are short enough to be guessed from a plain digest, so the site's own key is in it."""
    return salted_hmac("iiif_auth.devices.code", code, algorithm="sha256").hexdigest()


@transaction.atomic
def new_code(row: Device, by: Any) -> str:
    """A code for one machine: good once, for ten minutes, in the place of any earlier one. Whoever enrols with it ends what the
    machine had before; until then that goes on.
    """
    half = ["".join(secrets.choice(LETTERS) for _ in range(HALF)) for _ in range(2)]
    code = "-".join(half)
    row.digest, row.code_ends = code_digest(code), timezone.now() + timedelta(minutes=CODE_MINUTES)
    row.made_by = by
    if row.revoked is not None:
        row.revoked, row.since = None, None
    row.save()
    return code


# -- Enrolling ----------------------------------------------------------------------------------------------------


@transaction.atomic
def enrol(request: HttpRequest, text: str) -> str | None:
    """Enrol the machine of this browser by a code; the secret for its cookie, or ``None`` if the code is not good."""
    code, now = read_code(text), timezone.now()
    row = Device.objects.filter(digest=code_digest(code), revoked=None).first() if code else None
    if row is None or not _use_up(row, now):
        return None
    row.refresh_from_db()
    _leave(request, row)
    Pass.objects.filter(device=row).delete()
    secret = identify.new_secret()
    ends = now + timedelta(days=DAYS)
    Pass.objects.create(
        digest=identify.machine_digest(secret),
        device=row,
        enrols=True,
        created=now,
        seen=now,
        idle_minutes=DAYS * 24 * 60,
        idle_until=ends,
        ends=ends,
    )
    row.since = now
    with history.by(None, network=str(identify.address(request) or "")):
        row.save()
    return secret


def _use_up(row: Device, now: datetime) -> bool:
    """Whether this is the one request that may use the code, of all that come with it at once."""
    good = Device.objects.filter(pk=row.pk, digest=row.digest, code_ends__gt=now, revoked=None)
    return good.update(digest=None, code_ends=None) == 1


def _leave(request: HttpRequest, row: Device) -> None:
    """A browser is one machine: what it was enrolled as before ends."""
    before = identify.machine(request)
    if before is not None and before.device != row.pk:
        Pass.objects.filter(device=before.device).delete()


@transaction.atomic
def revoke(row: Device, by: Any, reason: str = "") -> None:
    """End a machine's enrolment at once, with every pass and token that was given at it, and its code."""
    row = Device.objects.select_for_update().get(pk=row.pk)
    row.seen = last_seen(row)
    row.revoked = row.revoked or timezone.now()
    row.digest = row.code_ends = None
    with history.by(by, reason=reason):
        row.save()
    Pass.objects.filter(device=row).delete()


def last_seen(row: Device) -> datetime | None:
    """When the machine was last seen, to the hour; of one that carries nothing any more, before that ended."""
    seen = Pass.objects.filter(device=row, enrols=True).values_list("seen", flat=True).first()
    return seen or row.seen


# -- The cookie ---------------------------------------------------------------------------------------------------


def set_cookie(response: HttpResponseBase, secret: str) -> None:
    """Give the machine its cookie: a cross-site one, for viewers on other sites are to be served at it too."""
    browser: Any = response
    name, seconds = identify.named(identify.MACHINE), DAYS * 86_400
    browser.set_cookie(name, secret, max_age=seconds, **identify.carried_everywhere())


def renew(request: HttpRequest, response: HttpResponseBase) -> None:
    """Have the browser keep the machine's cookie for as long again."""
    secret = renewed(request)
    if secret is not None:
        set_cookie(response, secret)


def renewed(request: HttpRequest) -> str | None:
    """The secret of the machine's cookie, which is then to be set anew; its enrolment is prolonged likewise."""
    own, now = identify.machine(request), timezone.now()
    if own is None or (own.is_stale(now) and not identify.slide(own, now)):
        return None
    return identify.machine_secret(request)

"""Hand-offs: consent carried from the access window into the viewer's frame, where no cookie can (browsers.md, 4.1 and 4.2).

A code is made right after the click on “Continue”, is good for seconds, for one pass and one viewer's site, and leaves the
reader's browser only towards us. Only its digest is stored. It ends with the pass, so that a window which is still open after a
logout brings nobody back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from django.db.models import F
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.models import Agreement, Handoff, Token

LIFE = timedelta(seconds=20)
FRESH = timedelta(minutes=2)
"""How long after the click a code may be made: the window that asks for it is there before the click's answer is."""
MOST_REDEEMED = 8
"""Viewers with several services ask in several frames at once, and each frame asks twice."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new code, and the number by which its window asks how it stands."""

    number: int
    code: str = field(repr=False)


class State(StrEnum):
    """How a hand-off stands."""

    WAITING = "waiting"
    DONE = "done"
    NEEDLESS = "needless"
    OVER = "over"


def issue(holder: store.PassFacts, service: str, origin: str) -> Issued | None:
    """A code for whoever has just agreed to a service for this site; ``None`` for anybody else."""
    now = timezone.now()
    if origin not in holder.agreements.get(service, frozenset()):
        return None
    agreed = Agreement.objects.filter(holder_id=holder.id, service__slug=service, origin=origin, at__gt=now - FRESH)
    if not agreed.exists():
        return None
    # One at a time: a second click on “Continue” ends the code of the first.
    Handoff.objects.filter(holder_id=holder.id, origin=origin).delete()
    code = identify.new_secret()
    row = Handoff.objects.create(
        digest=identify.digest(code), holder_id=holder.id, origin=origin, created=now, ends=now + LIFE
    )
    return Issued(row.pk, code)


def pending(origin: str) -> bool:
    """Whether somebody's code for this site is on its way just now, so that it is worth a frame's while to listen."""
    live = Handoff.objects.filter(origin=origin, ends__gt=timezone.now(), redeemed__lt=MOST_REDEEMED)
    return live.exists()


def redeemed(code: str, origin: str) -> store.PassFacts | None:
    """The pass behind a code for this site, if the code is good and its pass still is; each use is counted, in one statement."""
    if not identify.SECRET.fullmatch(code):
        return None
    good = Handoff.objects.filter(digest=identify.digest(code), origin=origin, ends__gt=timezone.now())
    if not good.filter(redeemed__lt=MOST_REDEEMED).update(redeemed=F("redeemed") + 1):
        return None
    number = good.values_list("holder_id", flat=True).first()
    found = store.presented_ticket(number).holder if number is not None else None
    return found if found is not None and found.sound and not found.expired(timezone.now()) else None


def state(number: int, holder: int) -> State:
    """How a hand-off of this pass stands: done when its code was used, needless when a token was drawn without its help."""
    row = Handoff.objects.filter(pk=number, holder_id=holder).first()
    if row is None or row.ends <= timezone.now():
        return State.OVER
    if row.redeemed > 1:
        return State.DONE
    drawn = Token.objects.filter(holder_id=holder, origin=row.origin, created__gte=row.created)
    if not drawn.exists():
        return State.WAITING
    return State.DONE if row.redeemed else State.NEEDLESS


def finish(number: int, holder: int) -> None:
    """End a hand-off whose window is about to close, so that nobody waits for its code."""
    Handoff.objects.filter(pk=number, holder_id=holder).delete()


def is_stuck(holder: store.PassFacts | None, service: str, origin: str) -> bool:
    """Whether somebody went through this service for this site a moment ago, and no token came of it.

    Where nobody is there to click, the window first closes, as the specification has it; if that did not help, it stays.
    """
    if holder is None or origin not in holder.agreements.get(service, frozenset()):
        return False
    since = timezone.now() - FRESH
    recent = Agreement.objects.filter(holder_id=holder.id, service__slug=service, origin=origin, at__gt=since)
    return recent.exists() and not Token.objects.filter(holder_id=holder.id, origin=origin, created__gt=since).exists()

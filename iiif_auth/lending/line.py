"""The waiting list of a work: first come, first served. Only :mod:`counter` calls this, with the work in hand.

Who is next is called when it is noticed that a copy is free: at the next deed at the counter, or by ``iiif_auth_lending``, which
may run as often as one likes. From then on a copy is kept for some minutes. Nothing else depends on the call.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from functools import partial
from smtplib import SMTPException
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from iiif_auth import identify, store
from iiif_auth.lending import mails
from iiif_auth.models import LentWork, Waiting

logger = logging.getLogger("iiif_auth.lending")


def standing(work: LentWork) -> QuerySet[Waiting]:
    """Who stands in line, the first first."""
    return Waiting.objects.filter(work=work, ended=None).order_by("since", "pk")


def called(work: LentWork, now: datetime) -> QuerySet[Waiting]:
    """For whom a copy is kept at a moment."""
    return standing(work).filter(kept_until__gt=now)


def turn_of(rows: QuerySet[Waiting]) -> Waiting | None:
    return rows.first()


def position(turn: Waiting) -> int:
    """The place in the line; 1 is next."""
    before = Q(since__lt=turn.since) | Q(since=turn.since, pk__lt=turn.pk)
    return standing(turn.work).filter(before).count() + 1


def with_address(work: LentWork, email: str) -> Waiting | None:
    """Who stands in line with this e-mail address, which has one place only."""
    return standing(work).filter(email__iexact=email).first() if email else None


def stand(work: LentWork, holder: int | None, user: Any, email: str, language: str, now: datetime) -> Waiting:
    return Waiting.objects.create(
        work=work, holder_id=holder, user=user, email=email, language=language[:35], since=now
    )


def ends(turn: Waiting, how: str, now: datetime) -> None:
    Waiting.objects.filter(pk=turn.pk, ended=None).update(ended=now, how=how, email="", digest="")


def call(work: LentWork, free: int, now: datetime) -> None:
    """Keep a copy for each of the first in line, as many as are free; who did not come in time, or has left, is passed over."""
    for turn in standing(work).filter(kept_until__lte=now):
        ends(turn, Waiting.How.MISSED, now)
    left = free - called(work, now).count()
    for turn in standing(work).filter(kept_until=None) if left > 0 else ():
        if not can_be_reached(turn, now):
            ends(turn, Waiting.How.LEFT, now)
            continue
        _keep(turn, now)
        left -= 1
        if left <= 0:
            return


def can_be_reached(turn: Waiting, now: datetime) -> bool:
    """Whether somebody would hear of it: by e-mail, or because they are still there."""
    if turn.email or turn.user_id:
        return True
    facts = store.presented_ticket(turn.holder_id).holder if turn.holder_id is not None else None
    return facts is not None and facts.sound and not facts.expired(now)


def _keep(turn: Waiting, now: datetime) -> None:
    secret = identify.new_secret() if turn.email else ""
    turn.kept_until = now + timedelta(minutes=turn.work.seats.hold_minutes)
    turn.digest = identify.digest(secret) if secret else ""
    turn.save(update_fields=["kept_until", "digest"])
    if secret:
        transaction.on_commit(partial(_mail, turn, secret))


def _mail(turn: Waiting, secret: str) -> None:
    try:
        mails.your_turn(turn, secret)
    except (OSError, SMTPException):
        # The place in the line stays as it is: whoever looks at the page sees that a copy is kept.
        logger.exception("Somebody who waits for a copy could not be mailed.")

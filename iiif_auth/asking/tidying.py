"""What is done once a day: refusals are forgotten, requests expire, and personal data goes ninety days after the decision."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from iiif_auth.asking import mails, refusals
from iiif_auth.asking.states import OPEN, OVER, State, said
from iiif_auth.models import AccessRequest, Change, Invitation, Refusal, RequestMessage

logger = logging.getLogger("iiif_auth.asking")

UNCONFIRMED_FOR = timedelta(days=3)
UNANSWERED_FOR = timedelta(days=30)
KEPT_FOR = timedelta(days=90)
"""How long a request names its reader after it was decided."""


def due(now: datetime) -> str:
    """Forget refusals, let requests expire, and remove personal data."""
    old, _rows = stale_refusals(now).delete()
    gone = unconfirmed(now).delete()[0]
    expired = sum(_expire(row, now) for row in overdue(now))
    forgotten = sum(_forget(row, now) for row in rememberable(now))
    invitations = sum(_forget_invitation(row) for row in ended_invitations(now))
    return _(
        "Requests: %(old)d refusals and %(gone)d unconfirmed requests deleted, %(expired)d expired, "
        "personal data removed from %(forgotten)d requests and %(invitations)d invitations."
    ) % {"old": old, "gone": gone, "expired": expired, "forgotten": forgotten, "invitations": invitations}


def would(now: datetime) -> str:
    return _(
        "Requests: %(old)d refusals and %(gone)d unconfirmed requests to delete, %(expired)d to expire, "
        "personal data to remove from %(forgotten)d requests and %(invitations)d invitations."
    ) % {
        "old": stale_refusals(now).count(),
        "gone": unconfirmed(now).count(),
        "expired": overdue(now).count(),
        "forgotten": rememberable(now).count(),
        "invitations": ended_invitations(now).count(),
    }


def stale_refusals(now: datetime) -> QuerySet[Refusal]:
    return Refusal.objects.filter(at__lte=now - refusals.KEPT)


def unconfirmed(now: datetime) -> QuerySet[AccessRequest]:
    return AccessRequest.objects.filter(state=State.UNCONFIRMED, created__lte=now - UNCONFIRMED_FOR)


def overdue(now: datetime) -> QuerySet[AccessRequest]:
    """Requests whose day is over, and those whose reader was asked and did not answer."""
    silent = Q(state=State.ASKED) & ~Q(messages__at__gt=now - UNANSWERED_FOR)
    late = Q(state__in=OPEN, wished_until__lt=now.date())
    return AccessRequest.objects.filter(silent | late).distinct()


def rememberable(now: datetime) -> QuerySet[AccessRequest]:
    """Decided long ago, and still with a name."""
    return AccessRequest.objects.filter(state__in=OVER, decided__lte=now - KEPT_FOR, forgotten=None).exclude(
        until__gt=now - KEPT_FOR
    )


def ended_invitations(now: datetime) -> QuerySet[Invitation]:
    return Invitation.objects.filter(ends__lte=now - KEPT_FOR).exclude(email="")


@transaction.atomic
def _expire(row: AccessRequest, now: datetime) -> int:
    said(row, _("Expired."), internal=True)
    changed = AccessRequest.objects.filter(pk=row.pk, state__in=OPEN).update(state=State.EXPIRED, decided=now)
    try:
        mails.said(row, "expired", "")
    except (OSError, SMTPException):
        logger.exception("A reader could not be told that a request expired.")
    return changed


@transaction.atomic
def _forget(row: AccessRequest, now: datetime) -> int:
    """Remove who it was and what they wrote; item, state and moments stay for statistics."""
    RequestMessage.objects.filter(request=row).delete()
    return AccessRequest.objects.filter(pk=row.pk).update(
        name="", email="", purpose="", user=None, digest=f"forgotten-{row.pk}", forgotten=now
    )


@transaction.atomic
def _forget_invitation(row: Invitation) -> int:
    _forget_in_history(row)
    return Invitation.objects.filter(pk=row.pk).update(name="", email="", digest=f"forgotten-{row.pk}")


def _forget_in_history(row: Invitation) -> None:
    """The history keeps that there was an invitation and what was granted with it, not for whom."""
    of_grants = Q(model="grant") & (Q(before__invitation__id=row.pk) | Q(after__invitation__id=row.pk))
    for change in Change.objects.filter(Q(model="invitation", row=row.pk) | of_grants):
        cleaned = {side: _without_person(getattr(change, side)) for side in ("before", "after")}
        Change.objects.filter(pk=change.pk).update(name="", **cleaned)


LINKS = ("invitation", "request")
"""What points at somebody, with their name."""


def _without_person(facts: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in facts.items() if name not in ("name", "email")}
    return kept | {name: {**kept[name], "name": ""} for name in LINKS if isinstance(kept.get(name), dict)}

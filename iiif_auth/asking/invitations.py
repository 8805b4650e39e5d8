"""Links that bring in people without an account. One e-mail address has one live link; a new one takes the place of the old."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from iiif_auth import identify
from iiif_auth.asking import mails
from iiif_auth.models import AccessRequest, Invitation


@transaction.atomic
def invite(
    email: str,
    name: str,
    ends: datetime,
    request: AccessRequest | None = None,
    *,
    language: str = "",
    text: str = "",
    what: str = "",
) -> Invitation:
    """Invite somebody, and mail the link. What they may see is said by the grants for the invitation.

    Whoever has a live invitation keeps it, and all that was granted with it: a pass carries one only. Its link is made anew,
    since only its digest was kept, and it lasts as long as the later of the two ends.

    Args:
        ends: the moment at which the link and every pass made with it stop working (aware).
        request: the request that it answers.
        language: of the mail; by default that of whoever invites.
        text: a few words to whoever is invited.
        what: what they may see, for the mail.

    Raises:
        OSError, smtplib.SMTPException: the mail could not be sent; nothing was changed.
    """
    secret, row = identify.new_secret(), live_for(email) or Invitation(email=email, ends=ends)
    row.digest = identify.digest(secret)
    row.name = (name or row.name)[:200]
    row.ends = max(row.ends, ends)
    row.request = request or row.request
    row.save()
    mails.invitation(row, secret, language or (request.language if request else "") or get_language() or "", text, what)
    return row


def live_for(email: str) -> Invitation | None:
    """The live invitation of an e-mail address, held until the transaction ends."""
    rows = Invitation.objects.select_for_update().filter(email__iexact=email, ends__gt=timezone.now())
    return rows.order_by("-ends").first()


def opened_by(secret: str) -> Invitation | None:
    """The live invitation that a link stands for."""
    if not identify.SECRET.fullmatch(secret):
        return None
    return Invitation.objects.filter(digest=identify.digest(secret), ends__gt=timezone.now()).first()


@transaction.atomic
def revoke(row: Invitation) -> None:
    """End an invitation at once: its link, the passes made with it, the tokens drawn from them, and its grants."""
    row.delete()

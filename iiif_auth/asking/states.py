"""A request from the reader's side: asked, confirmed, answered, taken back. What the staff does is in ``deciding``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from iiif_auth import identify
from iiif_auth.asking import codes, mails
from iiif_auth.asking.items import Item
from iiif_auth.models import AccessRequest, RequestMessage
from iiif_auth.policy.types import LanguageMap
from iiif_auth.protocol.languages import chosen

State = AccessRequest.State
WAITING = (State.NEW, State.SECONDED)
"""The staff is to act."""
OPEN = (*WAITING, State.ASKED)
"""Not decided yet."""
OVER = (State.APPROVED, State.REFUSED, State.EXPIRED)
MOST_A_DAY = 5
"""Requests of one e-mail address."""
MOST_UNCONFIRMED = 200
"""Requests in an hour, by anybody, that nobody has confirmed: a flood of mails to strangers ends there."""


class NotPossible(Exception):
    """It can not be done any more, with a sentence that says why and what next."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a reader filled in."""

    name: str
    email: str
    purpose: str
    wished_until: Any = None
    language: str = ""
    user: Any = None
    terms: tuple[tuple[LanguageMap, int], ...] = ()
    """Label and version of what they agreed to."""


@transaction.atomic
def ask(item: Item, wish: Wish, at: datetime) -> AccessRequest | None:
    """Write down a request and mail the link that confirms it; ``None`` if this address asked for too much.

    Whoever asks again for the same item before confirming gets a new link; after that, a mail that says so.

    Raises:
        OSError, smtplib.SMTPException: the mail could not be sent; nothing was written down.
    """
    what = item.label((wish.language,))
    same = AccessRequest.objects.filter(url=item.uri, email__iexact=wish.email, user=wish.user)
    confirmed = same.filter(state__in=OPEN).first()
    if confirmed is not None:
        mails.already(confirmed, what)
        return confirmed
    if _is_too_much(wish, at):
        return None
    secret = identify.new_secret()
    row = same.filter(state=State.UNCONFIRMED).first() or AccessRequest(url=item.uri, user=wish.user, created=at)
    row.email, row.name, row.purpose = wish.email, wish.name, wish.purpose
    row.wished_until, row.language = wish.wished_until, wish.language[:35]
    row.resource, row.digest = item.resource, identify.digest(secret)
    _save(row)
    _note_terms(row, wish)
    mails.confirm(row, what, secret)
    return row


def _is_too_much(wish: Wish, at: datetime) -> bool:
    own = AccessRequest.objects.filter(email__iexact=wish.email, created__gt=at - timedelta(days=1))
    unconfirmed = AccessRequest.objects.filter(state=State.UNCONFIRMED, created__gt=at - timedelta(hours=1))
    return own.count() >= MOST_A_DAY or unconfirmed.count() >= MOST_UNCONFIRMED


def _save(row: AccessRequest) -> None:
    if row.pk:
        row.save()
        return
    for attempt in range(5):
        row.code = codes.new_code()
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if attempt == 4:
                raise
            row.pk = None
            continue
        return


def _note_terms(row: AccessRequest, wish: Wish) -> None:
    row.messages.all().delete()
    for label, version in wish.terms:
        name = chosen(label, (wish.language,))
        text = _("Agreed to “%(terms)s”, version %(version)d.") if version else _("Agreed to “%(terms)s”.")
        said(row, text % {"terms": name, "version": version}, from_reader=True)


def said(row: AccessRequest, text: str, **values: Any) -> RequestMessage:
    """Add to what was said about a request."""
    return RequestMessage.objects.create(request=row, text=text, **values)


def opened_by(secret: str) -> AccessRequest | None:
    """The request that a link stands for."""
    if not identify.SECRET.fullmatch(secret):
        return None
    return AccessRequest.objects.filter(digest=identify.digest(secret), forgotten=None).first()


def held(row: AccessRequest) -> AccessRequest:
    """The request as it is now, held until the transaction ends, so that two people do not both decide."""
    return AccessRequest.objects.select_for_update().get(pk=row.pk)


# -- What the reader does -----------------------------------------------------------------------------------------


@transaction.atomic
def confirm(row: AccessRequest, at: datetime) -> bool:
    """The reader opened the link that was mailed, and clicked; whether the staff is to act since then."""
    found = held(row)
    if found.state != State.UNCONFIRMED:
        return False
    found.state, found.confirmed = State.NEW, at
    found.save(update_fields=["state", "confirmed"])
    return True


@transaction.atomic
def answer(row: AccessRequest, text: str) -> bool:
    """The reader answers, or adds something; whether the staff is to act since then.

    Raises:
        NotPossible: the request is over.
    """
    found = held(row)
    if found.state not in OPEN:
        raise NotPossible(_("This request is over, so there is nobody to answer. You can ask anew."))
    said(found, text, from_reader=True)
    if found.state != State.ASKED:
        return False
    found.state = State.NEW
    found.save(update_fields=["state"])
    return True


@transaction.atomic
def take_back(row: AccessRequest, at: datetime) -> None:
    """The reader does not want it any more.

    Raises:
        NotPossible: it was decided already.
    """
    found = held(row)
    if found.state not in (*OPEN, State.UNCONFIRMED):
        raise NotPossible(_("This request was decided already, so it can not be taken back."))
    said(found, _("Taken back by the reader."), from_reader=True)
    found.state, found.decided = State.EXPIRED, at
    found.save(update_fields=["state", "decided"])

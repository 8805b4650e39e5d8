"""A request from the staff's side: asked back, refused, approved, by one or by two. Each is a batch in the history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from iiif_auth import history
from iiif_auth.asking import mails
from iiif_auth.asking.invitations import invite
from iiif_auth.asking.items import Item, opened_by_grant
from iiif_auth.asking.states import OPEN, NotPossible, State, held, said
from iiif_auth.models import AccessRequest, Batch, Grant, Resource
from iiif_auth.store.values import reach_of


@dataclass(frozen=True, slots=True)
class Approval:
    """What is approved."""

    until: datetime
    tier: str = ""
    take: bool = True
    text: str = ""
    """A few words to the reader."""


@contextmanager
def _recorded(row: AccessRequest, user: Any, what: str, reason: str) -> Iterator[AccessRequest]:
    """Hold the request, and write down who does what with it.

    Raises:
        NotPossible: somebody else decided it meanwhile.
    """
    with transaction.atomic():
        found = held(row)
        if found.state not in OPEN:
            raise NotPossible(
                _("This request is “%(state)s” already; nothing was changed.") % {"state": found.get_state_display()}
            )
        batch = history.begun(Batch.Kind.REQUEST, user, what % {"code": found.code}, reason)
        with history.by(user, reason=reason, batch=batch):
            yield found
        history.ended(batch, str(found.get_state_display()))


def ask_back(row: AccessRequest, user: Any, text: str) -> None:
    """Ask the reader something.

    Raises:
        NotPossible: it is over.
    """
    with _recorded(row, user, _("Asked back about request %(code)s"), text) as found:
        said(found, text, by=user)
        found.state = State.ASKED
        found.save(update_fields=["state"])
        mails.said(found, "asked_back", text)


def refuse(row: AccessRequest, user: Any, text: str) -> None:
    """Say no, with reasons.

    Raises:
        NotPossible: it is over.
    """
    with _recorded(row, user, _("Refused request %(code)s"), text) as found:
        said(found, text, by=user)
        _decided(found, user, State.REFUSED)
        mails.said(found, "refused", text)


def note(row: AccessRequest, user: Any, text: str) -> None:
    """Write down something for the staff only."""
    said(row, text, by=user, internal=True)


def _decided(row: AccessRequest, user: Any, state: str) -> None:
    row.state, row.decided, row.decided_by = state, timezone.now(), user
    row.save()


def approve(row: AccessRequest, user: Any, item: Item, approval: Approval) -> Grant | None:
    """Say yes; ``None`` if a second person must say so too.

    The second person may shorten what the first approved, not lengthen it, and gives no more than they did.

    Raises:
        NotPossible: it is over, or the same person approves twice, or no grant would open the item.
    """
    _check_opens(item, approval)
    with _recorded(row, user, _("Approved request %(code)s"), approval.text) as found:
        if item.needs_two and not _is_second(found, user, approval):
            found.state, found.first_approver = State.SECONDED, user
            found.until, found.tier = approval.until, approval.tier
            found.save()
            said(found, _("Approved first, until %(day)s.") % {"day": _day(approval.until)}, by=user, internal=True)
            return None
        found.until, found.tier = approval.until, approval.tier
        grant = _granted(found, user, item, approval)
        if approval.text:
            said(found, approval.text, by=user)
        _decided(found, user, State.APPROVED)
    return grant


def _check_opens(item: Item, approval: Approval) -> None:
    reach = reach_of(approval.tier, item.offer.levels)
    if approval.until <= timezone.now():
        raise NotPossible(_("The end is over already; please choose a later one."))
    if reach < 1 or not opened_by_grant(item.offer, timezone.now(), reach):
        raise NotPossible(
            _("A grant would not open this item now, because it is withdrawn or under an embargo without exceptions.")
        )


def _is_second(row: AccessRequest, user: Any, approval: Approval) -> bool:
    """Whether this is the second approval.

    Raises:
        NotPossible: of the same person, or for more than the first.
    """
    if row.state != State.SECONDED or row.first_approver_id is None:
        return False
    if row.first_approver_id == user.pk:
        raise NotPossible(_("You approved this already; the second approval must be somebody else's."))
    if row.until is None or approval.until > row.until or approval.tier != row.tier:
        raise NotPossible(
            _("The first approval was for another version or a shorter time; please approve no more than that.")
        )
    return True


def _granted(row: AccessRequest, user: Any, item: Item, approval: Approval) -> Grant:
    """The grant: personal for whoever asked while signed in, else for whoever opens the link that is mailed."""
    invitation = None
    if row.user is None:
        what = item.label((row.language,))
        invitation = invite(row.email, row.name, approval.until, row, text=approval.text, what=what)
    else:
        mails.said(row, "approved", approval.text)
    return Grant.objects.create(
        user=row.user,
        invitation=invitation,
        resource=_resource(row, item),
        tier=approval.tier,
        take=approval.take,
        ends=approval.until,
        reason=_("Request %(code)s") % {"code": row.code},
        granted_by=user,
    )


def _resource(row: AccessRequest, item: Item) -> Resource:
    """The row that is granted; an item that only an address rule knows gets one, in the place where it is."""
    found = item.resource
    if found is None:
        name = item.uri.rpartition("/")[2] or item.uri
        found = Resource.objects.create(url=item.uri, label={"none": [name]})
    if row.resource_id != found.pk:
        row.resource = found
    return found


def _day(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")

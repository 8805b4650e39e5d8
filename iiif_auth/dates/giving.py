"""Giving things to one person until a day: the grants, and what came of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from iiif_auth import asking, history, roles, store
from iiif_auth.conf import conf
from iiif_auth.dates import days
from iiif_auth.models import Batch, Collection, Grant, Invitation, Resource


@dataclass(frozen=True, slots=True)
class Wish:
    """Who is to have what, until when and why. ``email`` and ``name`` are for somebody without an account."""

    person: Any
    ends: datetime
    reason: str
    email: str = ""
    name: str = ""
    tier: str = ""
    take: bool = True
    resources: tuple[Resource, ...] = ()
    collections: tuple[Collection, ...] = ()


@dataclass(frozen=True, slots=True)
class Given:
    """The grants that were made, the batch they are in if there are several, and how many were there already."""

    grants: tuple[Grant, ...] = ()
    batch: Batch | None = None
    there: int = 0


@dataclass(slots=True)
class Places:
    """One row for each collection that things are in, since what may be given is a matter of the collection."""

    rows: dict[tuple[str, int], Any] = field(default_factory=dict)

    @classmethod
    def of(cls, resources: Iterable[Resource], collections: Iterable[Collection], book: store.Rulebook) -> Places:
        found = cls()
        for row in resources:
            found.rows.setdefault(("in", row.collection_id or book.collection_of(row.url) or 0), row)
        for place in collections:
            found.rows.setdefault(("at", place.pk), place)
        return found


def limit_in_days(user: Any, places: Places) -> int | None:
    """The longest grant in days that somebody may give at all of these places; ``None``: as long as they like."""
    limits = [roles.most_days(user, row) for row in places.rows.values()]
    return min((one for one in limits if one is not None), default=None)


def within_limit(ends: datetime, limit: int | None, now: datetime) -> datetime | None:
    """The end as it may be; ``None`` if it is too late.

    The last day of a limit counts up to the hour, so an end that is later by less than a day is moved there.
    """
    if limit is None:
        return ends
    latest = now + timedelta(days=limit)
    if ends <= latest:
        return ends
    return latest if limit and ends - latest < timedelta(days=1) else None


def end_of(until: str, day: Any, now: datetime) -> datetime | None:
    """The end that a choice means; ``None`` if it means none."""
    last = day if until == days.Until.DAY else days.last_day(until, now, conf.TERM_ENDS)
    return None if last is None else days.ends(last)


@transaction.atomic
def give(user: Any, wish: Wish) -> Given:
    """Make the grants, recorded under one reason; what somebody has already at least as long is left out.

    Raises:
        OSError: an invitation could not be mailed; nothing was changed.
    """
    wanted = [Grant(resource=row) for row in wish.resources] + [Grant(collection=row) for row in wish.collections]
    principal = {"user": wish.person} if wish.person is not None else {"invitation": _invited(wish)}
    for grant in wanted:
        _fill(grant, user, wish, principal)
    had = _had(wish, principal)
    new = [grant for grant in wanted if (grant.resource_id, grant.collection_id) not in had]
    if len(new) < 2:
        with history.by(user, reason=wish.reason):
            return Given(tuple(history.created(Grant, new)) if new else (), None, len(wanted) - len(new))
    whom = shown(principal)
    what = ngettext("Access to %(n)d thing for %(whom)s", "Access to %(n)d things for %(whom)s", len(new))
    batch = history.begun(Batch.Kind.BULK, user, what % {"n": len(new), "whom": whom}, wish.reason, total=len(new))
    with history.by(user, reason=wish.reason, batch=batch):
        made = history.created(Grant, new)
    said = ngettext("%(n)d grant was given.", "%(n)d grants were given.", len(made)) % {"n": len(made)}
    history.ended(batch, said)
    return Given(tuple(made), batch, len(wanted) - len(new))


def _invited(wish: Wish) -> Any:
    things = [str(row) for row in (*wish.resources, *wish.collections)]
    what = (
        things[0]
        if len(things) == 1
        else gettext("%(first)s and %(n)d more") % {"first": things[0], "n": len(things) - 1}
    )
    return asking.invite(wish.email, wish.name, wish.ends, what=what)


def _fill(grant: Grant, user: Any, wish: Wish, principal: dict[str, Any]) -> None:
    for name, value in principal.items():
        setattr(grant, name, value)
    grant.ends, grant.reason, grant.tier, grant.take = wish.ends, wish.reason, wish.tier, wish.take
    grant.granted_by = user


def _had(wish: Wish, principal: dict[str, Any]) -> set[tuple[int | None, int | None]]:
    """What somebody has already, just so and at least as long."""
    now = timezone.now()
    begun, lasting = Q(starts=None) | Q(starts__lte=now), Q(ends=None) | Q(ends__gte=wish.ends)
    rows = Grant.objects.filter(begun, lasting, tier=wish.tier, take__gte=wish.take, policy=None, **principal)
    return set(rows.values_list("resource_id", "collection_id"))


def shown(principal: dict[str, Any]) -> str:
    return next(str(one) for one in principal.values())


def extend(user: Any, rows: Any, ends: datetime, reason: str) -> int:
    """Move the ends of grants, and of the invitations they hang on, under one reason. How many grants were changed."""
    count = rows.count()
    with transaction.atomic():
        if count < 2:
            with history.by(user, reason=reason):
                return _extended(rows, ends)
        what = ngettext("New end for %(n)d grant", "New end for %(n)d grants", count) % {"n": count}
        batch = history.begun(Batch.Kind.BULK, user, what, reason, total=count)
        with history.by(user, reason=reason, batch=batch):
            changed = _extended(rows, ends)
        said = ngettext("%(n)d grant was changed.", "%(n)d grants were changed.", changed) % {"n": changed}
        history.ended(batch, said)
    return changed


def _extended(rows: Any, ends: datetime) -> int:
    invited: Sequence[int] = list(rows.filter(invitation__ends__lt=ends).values_list("invitation_id", flat=True))
    history.updated(Invitation.objects.filter(pk__in=invited), ends=ends)
    return history.updated(rows, ends=ends)

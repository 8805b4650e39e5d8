"""Each person's calendar at a secret address. Only the digest of the secret is kept; the person makes it and takes it back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from iiif_auth import identify
from iiif_auth.dates import days
from iiif_auth.dates.events import Agenda, Event
from iiif_auth.models import CalendarFeed

PAST, MOST = timedelta(days=31), 1000
"""How far back a calendar goes, and how many events it has at most: the next ones."""
UNMADE = "unmade:"
"""Begins the digest of somebody who wants e-mail but has no address; no secret has such a digest."""


def address_made(user: Any) -> str:
    """A new secret; the former one is dead."""
    secret = identify.new_secret()
    feed = of(user)
    feed.digest, feed.created, feed.seen = identify.digest(secret), timezone.now(), None
    feed.save()
    return secret


def address_revoked(user: Any) -> None:
    """Nothing is found at the address any more. Reminders by e-mail go on."""
    CalendarFeed.objects.filter(user=user).update(digest=f"{UNMADE}{user.pk}", seen=None)


def of(user: Any) -> CalendarFeed:
    """The row of a person, made at need."""
    return CalendarFeed.objects.get_or_create(user=user, defaults={"digest": f"{UNMADE}{user.pk}"})[0]


def kept(user: Any) -> CalendarFeed | None:
    return CalendarFeed.objects.filter(user=user).first()


def has_address(feed: CalendarFeed | None) -> bool:
    return feed is not None and not feed.digest.startswith(UNMADE)


def found(secret: str, now: datetime) -> CalendarFeed | None:
    """The calendar with this secret, if it is still somebody's who works here; that it was used is noted once an hour."""
    if not secret.isascii():
        return None
    feed = CalendarFeed.objects.filter(digest=identify.digest(secret)).select_related("user").first()
    if feed is None or not works_here(feed.user):
        return None
    if feed.seen is None or feed.seen < now - timedelta(hours=1):
        CalendarFeed.objects.filter(pk=feed.pk).update(seen=now)
    return feed


def works_here(user: Any) -> bool:
    """Whether somebody may be told anything: an active member of the staff."""
    return bool(user.is_active and getattr(user, "is_staff", False))


def events(user: Any, now: datetime) -> list[Event]:
    """What stands in somebody's calendar."""
    return Agenda(user, days.begins(days.today(now - PAST))).first(MOST)

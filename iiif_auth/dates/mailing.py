"""Reminders by e-mail: what happens in some days, and what happened yesterday."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.utils.translation import gettext, ngettext

from iiif_auth.conf import conf
from iiif_auth.dates import days
from iiif_auth.dates.events import Agenda, Event
from iiif_auth.dates.feeds import works_here
from iiif_auth.models import CalendarFeed
from iiif_auth.policy import words

logger = logging.getLogger("iiif_auth.dates")

MOST_NAMED = 100
"""Events of each part that are named in one e-mail; more are counted."""
MOST_DAYS_MISSED = 14
"""How many days are made up for when the daily work was not done."""


class NotSent(RuntimeError):
    """Some e-mails could not be sent; they are tried again."""


def due(now: datetime) -> str:
    """Send the reminders of today to whoever asked for them and has not had them.

    Raises:
        NotSent: some could not be sent; the others were.
    """

    def said(count: int) -> str:
        return ngettext("Sent %(n)d reminder of dates.", "Sent %(n)d reminders of dates.", count) % {"n": count}

    return to_each(waiting(now), lambda feed: _sent(feed, now), said)


def to_each(feeds: Iterable[CalendarFeed], send: Callable[[CalendarFeed], int], say: Callable[[int], str]) -> str:
    """Send everybody theirs, whatever becomes of the others'; how many were sent, in words.

    Args:
        send: sends one person's, and returns how many that were.
        say: how many were sent, in words.

    Raises:
        NotSent: some could not be sent; the others were.
    """
    sent, failed = 0, 0
    for feed in feeds:
        try:
            sent += send(feed)
        except (OSError, ValueError):
            logger.exception("The e-mail for user %s could not be sent.", feed.user_id)
            failed += 1
    if failed:
        raise NotSent(f"{say(sent)} {failed} could not be sent and are tried again.")
    return say(sent)


def would(now: datetime) -> str:
    """What :func:`due` would do."""
    count = sum(1 for feed in waiting(now) if letter(feed, now))
    return ngettext("Would send %(n)d reminder of dates.", "Would send %(n)d reminders of dates.", count) % {"n": count}


def waiting(now: datetime) -> Iterator[CalendarFeed]:
    """Whoever wants e-mail, works here, has an address, and has not had today's."""
    today = days.today(now)
    rows: QuerySet[CalendarFeed] = CalendarFeed.objects.filter(digest_days__isnull=False)
    rows = rows.filter(Q(mailed=None) | Q(mailed__lt=today)).select_related("user").order_by("pk")
    yield from (feed for feed in rows if works_here(feed.user) and address_of(feed.user))


def address_of(user: Any) -> str:
    return str(getattr(user, user.get_email_field_name(), "") or "")


def _sent(feed: CalendarFeed, now: datetime) -> int:
    """Send one; a day without events is a day without e-mail. Of two who do the work at once, one sends."""
    found = letter(feed, now)
    mine = CalendarFeed.objects.filter(pk=feed.pk, mailed=feed.mailed).update(mailed=days.today(now))
    if found is None or not mine:
        return 0
    try:
        send_mail(found.subject, found.text, None, [address_of(feed.user)])
    except (OSError, ValueError):
        CalendarFeed.objects.filter(pk=feed.pk).update(mailed=feed.mailed)
        raise
    return 1


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str


def letter(feed: CalendarFeed, now: datetime) -> Letter | None:
    """Today's e-mail for somebody; ``None`` if there is nothing to say.

    Each event is named twice, once so many days before and once on the day after. Days on which the work was not done are
    made up for.
    """
    today = days.today(now)
    last = max(feed.mailed or today - timedelta(days=1), today - timedelta(days=MOST_DAYS_MISSED))
    before = timedelta(days=feed.digest_days or 0)
    day = timedelta(days=1)
    coming = between(feed.user, last + before + day, today + before)
    past = between(feed.user, last, today - day)
    if not coming and not past:
        return None
    # There is no language of a person in Django, so it is the site's.
    with translation.override(settings.LANGUAGE_CODE):
        return Letter(subject(coming, past), "\n".join(_lines(coming, past)))


def between(user: Any, first: date, last: date) -> list[Event]:
    """The events from one day to another, both included; one more than are named, if there are more."""
    if last < first:
        return []
    return Agenda(user, days.begins(first), days.ends(last)).first(MOST_NAMED + 1)


def subject(coming: list[Event], past: list[Event]) -> str:
    count = len(coming or past)
    if coming:
        return ngettext("%(n)d date is coming", "%(n)d dates are coming", count) % {"n": count}
    return ngettext("%(n)d date has passed", "%(n)d dates have passed", count) % {"n": count}


def _lines(coming: list[Event], past: list[Event]) -> Iterator[str]:
    for heading, events in ((gettext("Coming:"), coming), (gettext("Since the last time:"), past)):
        if events:
            yield heading
            yield from _named(events)
            yield ""
    if page := page_address():
        yield gettext("The whole agenda: %(page)s") % {"page": page}
    yield gettext("You get this because you asked for it on that page, where you can end it.")


def _named(events: Iterable[Event]) -> Iterator[str]:
    for number, event in enumerate(events):
        if number == MOST_NAMED:
            yield "  " + gettext("and more")
            return
        when = words.instant(event.at, gettext, words.Reader(conf.TIME_ZONE))
        yield f"  {when}: " + " ".join(event.sentence.split())


def page_address() -> str:
    """The address of the agenda; empty where the admin is not at its usual place."""
    try:
        return conf.BASE_URL + reverse("admin:iiif_auth_calendar")
    except NoReverseMatch:
        return ""

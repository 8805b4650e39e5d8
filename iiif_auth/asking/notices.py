"""Mail to the staff about requests that wait for them: to whoever wants it and may answer, at once or once a day.

It names what is asked for and the reference, and of the reader nothing: that is on the page of the request.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q, QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext

from iiif_auth import roles
from iiif_auth.asking.states import WAITING
from iiif_auth.conf import conf
from iiif_auth.dates.feeds import works_here
from iiif_auth.dates.mailing import address_of, to_each
from iiif_auth.models import AccessRequest, CalendarFeed

logger = logging.getLogger("iiif_auth.asking")

ANSWER = "iiif_auth.change_accessrequest"
MOST_NAMED = 50
"""Requests that are named in one e-mail; more are counted."""
Often = CalendarFeed.Requests


def may_answer(user: Any) -> bool:
    """Whether somebody may answer requests at all, and so be mailed about them."""
    return roles.somewhere(user, ANSWER)


def answerable(user: Any, rows: QuerySet[AccessRequest]) -> QuerySet[AccessRequest]:
    """Those requests that somebody may answer, by their permission and their roles as they are now."""
    if not user.has_perm(ANSWER):
        return rows.none()
    return roles.within(user, ANSWER, rows)


def subscribers(**which: Any) -> Iterator[CalendarFeed]:
    """Whoever wants to be told, works here and has an address."""
    rows = CalendarFeed.objects.filter(**which).exclude(requests="").select_related("user").order_by("pk")
    yield from (feed for feed in rows if works_here(feed.user) and address_of(feed.user))


# -- At once ------------------------------------------------------------------------------------------------------


def tell(row: AccessRequest) -> None:
    """Tell those who want to know at once that a request waits.

    A mail that can not be sent keeps the reader from nothing: it is logged, and the daily work makes up for it.
    """
    now = timezone.now()
    found = AccessRequest.objects.filter(pk=row.pk, state__in=WAITING)
    for feed in subscribers(requests=Often.AT_ONCE):
        rows = list(answerable(feed.user, found))
        try:
            if rows:
                _send(feed, rows)
                CalendarFeed.objects.filter(pk=feed.pk).update(requests_told=now)
        except (OSError, ValueError):
            logger.exception("User %s could not be told of request %s.", feed.user_id, row.code)


# -- Once a day ---------------------------------------------------------------------------------------------------


def due(now: datetime) -> str:
    """Mail those who want it once a day about what came since, and those who should have been told at once and were not.

    Raises:
        NotSent: some mails could not be sent and are tried again; the others were.
    """

    def said(count: int) -> str:
        return ngettext("Sent %(n)d mail about new requests.", "Sent %(n)d mails about new requests.", count) % {
            "n": count
        }

    return to_each(subscribers(), lambda feed: _told(feed, now), said)


def would(now: datetime) -> str:
    """What :func:`due` would do."""
    count = sum(1 for feed in subscribers() if since(feed, now).exists())
    return ngettext(
        "Would send %(n)d mail about new requests.", "Would send %(n)d mails about new requests.", count
    ) % {"n": count}


def since(feed: CalendarFeed, now: datetime) -> QuerySet[AccessRequest]:
    """What waits, and was confirmed or answered by its reader since somebody was told last."""
    told = feed.requests_told or now - timedelta(days=1)
    came = Q(confirmed__gt=told) | Q(messages__from_reader=True, messages__at__gt=told, confirmed__isnull=False)
    keys = AccessRequest.objects.filter(came, state__in=WAITING).order_by().values("pk")
    return answerable(feed.user, AccessRequest.objects.filter(pk__in=keys)).order_by("created", "pk")


def _told(feed: CalendarFeed, now: datetime) -> int:
    """Send one; a day without requests is a day without e-mail. Of two who do the work at once, one sends."""
    rows = list(since(feed, now)[: MOST_NAMED + 1])
    mine = CalendarFeed.objects.filter(pk=feed.pk, requests_told=feed.requests_told)
    if not rows or not mine.update(requests_told=now):
        return 0
    try:
        _send(feed, rows)
    except (OSError, ValueError):
        CalendarFeed.objects.filter(pk=feed.pk).update(requests_told=feed.requests_told)
        raise
    return 1


# -- The mail -----------------------------------------------------------------------------------------------------


def _send(feed: CalendarFeed, rows: Sequence[AccessRequest]) -> None:
    # There is no language of a person in Django, so it is the site's.
    with translation.override(settings.LANGUAGE_CODE):
        count = min(len(rows), MOST_NAMED)
        subject = ngettext("%(n)d request waits for an answer", "%(n)d requests wait for an answer", count) % {
            "n": count
        }
        send_mail(subject, "\n".join(_lines(rows)), None, [address_of(feed.user)])


def _lines(rows: Sequence[AccessRequest]) -> Iterator[str]:
    for row in rows[:MOST_NAMED]:
        yield f"{row.code}: {row.resource or row.url}"
        if page := _address("accessrequest_change", row.pk):
            yield f"  {page}"
    if len(rows) > MOST_NAMED:
        yield gettext("and more")
    yield ""
    if page := _address("calendar"):
        yield gettext("You get this because you asked for it here, where you can end it: %(page)s") % {"page": page}


def _address(name: str, *args: Any) -> str:
    """The public address of a page of the admin; empty where the admin is not at its usual place."""
    try:
        return conf.BASE_URL + reverse(f"admin:iiif_auth_{name}", args=args)
    except NoReverseMatch:
        return ""

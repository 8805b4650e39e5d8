"""The app index: what matters today, and the pages that are not lists of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles
from iiif_auth.admin import doctor, states
from iiif_auth.models import AccessRequest, Batch, Embargo, Grant, PolicyDraft, Withdrawal

Page = tuple[str, str, Any, Any]

PAGES: tuple[Page, ...] = (
    (
        "iiif_auth_why",
        "iiif_auth.use_simulator",
        _("Why?"),
        _("May somebody, there and then, see an item? Every rule says yes or no."),
    ),
    (
        "iiif_auth_sees_what",
        "iiif_auth.view_grant",
        _("What can somebody see?"),
        _("Policies, grants and collections of a person, a group, or somebody who was invited."),
    ),
    (
        "iiif_auth_networks",
        "iiif_auth.view_network",
        _("Places and addresses"),
        _("All networks as text, a test of many addresses, and your own address as this site sees it."),
    ),
    (
        "iiif_auth_device_changelist",
        "iiif_auth.view_device",
        _("Enrolled machines"),
        _("Machines without a fixed address that count as being at a place: codes for them, last seen, revoke."),
    ),
    (
        "iiif_auth_reports",
        "iiif_auth.view_dailycount",
        _("Reports"),
        _("How much was shown, lessened and refused, with plots and tables."),
    ),
    (
        "iiif_auth_give",
        "iiif_auth.add_grant",
        _("Give access"),
        _("To one person, with an account or without, until a day: then it ends by itself."),
    ),
    (
        "iiif_auth_loan_changelist",
        "iiif_auth.view_loan",
        _("What is out now"),
        _("Copies that are lent: who has which, until when, who waits; and ending a loan."),
    ),
    (
        "iiif_auth_calendar",
        "iiif_auth.view_embargo",
        _("Dates"),
        _("What opens, ends or has to be looked at, as a list and by month; your own calendar and reminders."),
    ),
    (
        "iiif_auth_cleaning",
        "iiif_auth.delete_grant",
        _("Clean up"),
        _("Grants of people who have left, policies nobody uses, embargoes that are over."),
    ),
    (
        "iiif_auth_tables",
        "iiif_auth.change_resource",
        _("Spreadsheets"),
        _("Change what governs many resources by a spreadsheet, and see first what would change."),
    ),
    (
        "iiif_auth_manifests",
        "iiif_auth.change_resource",
        _("Manifests"),
        _("Bring in a manifest or Collection, see what governs what it shows, and restrict it."),
    ),
    (
        "iiif_auth_doctor",
        "iiif_auth.change_accessservice",
        _("Is the site in order?"),
        _("Settings, rules that can not be read, and work that was not done, with what to do about each."),
    ),
)
"""The name of a page's URL, the permission it asks for (``""``: any of the staff), its title, and what one does there."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that matters today, in a sentence; ``urgent`` if it waits for somebody."""

    text: str
    url: str = ""
    urgent: bool = False


def pages(request: HttpRequest) -> list[dict[str, Any]]:
    """The pages that this person may open, as far as they are there."""
    found = []
    for name, permission, title, about in PAGES:
        url = address(name)
        if url and (not permission or request.user.has_perm(permission)):
            found.append({"url": url, "title": title, "about": about})
    return found


def address(name: str, **query: Any) -> str:
    """The address of a page of the admin with a query; ``""`` where there is no such page."""
    try:
        url = reverse(f"admin:{name}")
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode(query)}" if query else url


def lines(request: HttpRequest, now: datetime | None = None) -> list[Line]:
    """What matters today to this person: what they may look at, where they work. One query for each kind."""
    now = now or timezone.now()
    return [line for permission, said in SAID if request.user.has_perm(permission) for line in said(request, now)]


def midnight(now: datetime) -> datetime:
    """The end of today, where the library is."""
    local = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return timezone.make_aware(local.replace(tzinfo=None) + timedelta(days=1))


def seen(request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
    return roles.visible(request.user, rows).order_by()


def grants_ending(request: HttpRequest, now: datetime) -> Iterator[Line]:
    until = midnight(now)
    if count := seen(request, Grant.objects.filter(ends__gt=now, ends__lte=until)).count():
        text = ngettext("%(n)d grant ends today.", "%(n)d grants end today.", count) % {"n": count}
        yield Line(text, address("iiif_auth_grant_changelist", ends__gt=now.isoformat(), ends__lte=until.isoformat()))


def embargoes_opening(request: HttpRequest, now: datetime) -> Iterator[Line]:
    until = now + timedelta(days=7)
    if count := seen(request, Embargo.objects.filter(ends__gt=now, ends__lte=until)).count():
        text = ngettext("%(n)d embargo ends within a week.", "%(n)d embargoes end within a week.", count)
        query = {"ends__gt": now.isoformat(), "ends__lte": until.isoformat()}
        yield Line(text % {"n": count}, address("iiif_auth_embargo_changelist", **query))


def requests_waiting(request: HttpRequest, now: datetime) -> Iterator[Line]:
    waiting = (AccessRequest.State.NEW, AccessRequest.State.SECONDED)
    if count := seen(request, AccessRequest.objects.filter(state__in=waiting)).count():
        text = ngettext("%(n)d request waits for an answer.", "%(n)d requests wait for an answer.", count)
        url = address("iiif_auth_accessrequest_changelist", state__in=",".join(waiting))
        yield Line(text % {"n": count}, url, urgent=True)


def withdrawals_to_review(request: HttpRequest, now: datetime) -> Iterator[Line]:
    today = timezone.localdate(now)
    due = Withdrawal.objects.filter(states.conditions(now)["running"], review_on__lte=today)
    if count := seen(request, due).count():
        text = ngettext("%(n)d withdrawal is to be reviewed.", "%(n)d withdrawals are to be reviewed.", count)
        url = address("iiif_auth_withdrawal_changelist", state="running", review_on__lte=today.isoformat())
        yield Line(text % {"n": count}, url, urgent=True)


def jobs(request: HttpRequest, now: datetime) -> Iterator[Line]:
    """What runs, and what failed within a week."""
    state = Batch.State
    recent = Q(state=state.FAILED, created__gte=now - timedelta(days=7))
    running = Q(state__in=(state.RUNNING, state.WAITING))
    counted = seen(request, Batch.objects.all()).aggregate(
        running=Count("pk", filter=running), failed=Count("pk", filter=recent)
    )
    if count := counted["running"]:
        text = ngettext("%(n)d job is running or waiting.", "%(n)d jobs are running or waiting.", count)
        url = address("iiif_auth_batch_changelist", state__in=f"{state.RUNNING},{state.WAITING}")
        yield Line(text % {"n": count}, url)
    if count := counted["failed"]:
        text = ngettext("%(n)d job failed within a week.", "%(n)d jobs failed within a week.", count)
        yield Line(text % {"n": count}, address("iiif_auth_batch_changelist", state__exact=state.FAILED), urgent=True)


def drafts(request: HttpRequest, now: datetime) -> Iterator[Line]:
    """What will be published within a day, and what could not be."""
    open_ones = seen(request, PolicyDraft.objects.filter(published=None))
    soon = Q(publish_at__lte=now + timedelta(days=1), failed="")
    counted = open_ones.aggregate(soon=Count("pk", filter=soon), failed=Count("pk", filter=~Q(failed="")))
    url = address("iiif_auth_policydraft_changelist")
    if count := counted["soon"]:
        text = ngettext("%(n)d draft is due within a day.", "%(n)d drafts are due within a day.", count)
        yield Line(text % {"n": count}, url)
    if count := counted["failed"]:
        text = ngettext("%(n)d draft could not be published.", "%(n)d drafts could not be published.", count)
        yield Line(text % {"n": count}, url, urgent=True)


def problems(request: HttpRequest, now: datetime) -> Iterator[Line]:
    found = len(list(doctor.problems(request, now)))
    if found:
        text = ngettext(
            "%(n)d thing about this site is not in order.", "%(n)d things about this site are not in order.", found
        )
        yield Line(text % {"n": found}, address("iiif_auth_doctor"), urgent=True)
    else:
        yield Line(gettext("The site itself is in order."), address("iiif_auth_doctor"))


SAID: tuple[tuple[str, Callable[[HttpRequest, datetime], Iterator[Line]]], ...] = (
    ("iiif_auth.view_accessrequest", requests_waiting),
    ("iiif_auth.view_grant", grants_ending),
    ("iiif_auth.view_embargo", embargoes_opening),
    ("iiif_auth.view_withdrawal", withdrawals_to_review),
    ("iiif_auth.view_batch", jobs),
    ("iiif_auth.view_policydraft", drafts),
    (doctor.PERMISSION, problems),
)
"""By the permission to look at it, what is said."""

"""What opens, ends or has to be looked at, and when, for one member of the staff.

Events are read from the rows they belong to, kind by kind, with one query a kind, and only as many as are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Case, Count, IntegerField, Model, Q, QuerySet, Value, When
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles
from iiif_auth.conf import conf
from iiif_auth.dates import days
from iiif_auth.models import (
    AccessRequest,
    Embargo,
    Grant,
    PolicyDraft,
    Terms,
    Tier,
    Withdrawal,
)
from iiif_auth.policy.types import zone

RESOURCE, COLLECTION, POLICY = "resource__collection", "collection", "policy"
WAITING = (AccessRequest.State.NEW, AccessRequest.State.ASKED, AccessRequest.State.SECONDED)


@dataclass(frozen=True, slots=True)
class Source:
    """A column that holds when something happens.

    ``places`` are lookups of the collection an event is in; ``about`` says what it is about, ``related`` what that reads.
    """

    kind: str
    model: type[Model]
    field: str
    about: Callable[[Any], str]
    only: Q = Q()
    places: tuple[str, ...] = ()
    related: tuple[str, ...] = ()

    @property
    def by_day(self) -> bool:
        """Whether the column holds days and not instants."""
        return self.model._meta.get_field(self.field).get_internal_type() == "DateField"

    def moment(self, row: Any) -> datetime:
        value = getattr(row, self.field)
        return days.begins(value) if self.by_day else value


@dataclass(frozen=True, slots=True)
class Kind:
    """What can happen. Said by a sign and a word, never by a colour alone."""

    name: str
    sign: str
    word: Any
    many: Any
    sentence: Any


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("opens", "○", _("Opens"), _("open"), _("%(what)s opens: its embargo ends.")),
        Kind("closes", "●", _("Closes"), _("close"), _("%(what)s closes: its embargo begins.")),
        Kind("returns", "↩", _("Restored"), _("are restored"), _("%(what)s is restored: its withdrawal ends.")),
        Kind("review", "?", _("Review"), _("to be reviewed"), _("The withdrawal of %(what)s is to be reviewed.")),
        Kind("grant", "✕", _("Grant ends"), _("grants end"), _("A grant ends: %(what)s.")),
        Kind("tier", "◐", _("Policy changes"), _("policies change"), _("A policy changes by its dates: %(what)s.")),
        Kind("draft", "✎", _("Draft published"), _("drafts published"), _("%(what)s is published.")),
        Kind("terms", "§", _("Terms in force"), _("terms in force"), _("%(what)s comes into force.")),
        Kind(
            "request",
            "✉",
            _("Wished until"),
            _("requests wished until"),
            _("A reader asked for access until this day: %(what)s."),
        ),
    )
}


def of_place(row: Any) -> str:
    return str(row.resource or row.collection)


def of_tier(row: Tier) -> str:
    return gettext("%(policy)s, tier “%(tier)s”") % {"policy": row.policy, "tier": row}


def of_request(row: AccessRequest) -> str:
    return f"{row.code}, {row.resource or row.url}"


TARGET = (COLLECTION, RESOURCE)
SOURCES: tuple[Source, ...] = (
    Source("opens", Embargo, "ends", of_place, places=TARGET, related=("resource", "collection")),
    Source("closes", Embargo, "starts", of_place, places=TARGET, related=("resource", "collection")),
    Source("returns", Withdrawal, "ends", of_place, places=TARGET, related=("resource", "collection")),
    Source("review", Withdrawal, "review_on", of_place, places=TARGET, related=("resource", "collection")),
    Source(
        "grant",
        Grant,
        "ends",
        str,
        places=TARGET,
        related=("resource", "collection", "policy", "user", "group", "network", "service", "invitation"),
    ),
    Source("tier", Tier, "starts", of_tier, only=Q(policy__is_template=False), related=("policy",)),
    Source("tier", Tier, "ends", of_tier, only=Q(policy__is_template=False), related=("policy",)),
    Source("draft", PolicyDraft, "publish_at", str, only=Q(published=None), related=("policy",)),
    Source("terms", Terms, "from_day", str, related=("service",)),
    Source(
        "request",
        AccessRequest,
        "wished_until",
        of_request,
        only=Q(state__in=WAITING),
        places=(RESOURCE,),
        related=("resource",),
    ),
)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens at an instant: its kind, what it is about, and the row it belongs to."""

    at: datetime
    kind: Kind
    what: str
    source: int
    row: Any

    @property
    def day(self) -> date:
        return self.at.astimezone(zone(conf.TIME_ZONE)).date()

    @property
    def all_day(self) -> bool:
        """Whether it is a matter of the day, since it happens where a day begins."""
        return self.at == days.begins(self.day)

    @property
    def sentence(self) -> str:
        return str(self.kind.sentence) % {"what": self.what}

    @property
    def key(self) -> str:
        """Where it stands among all events, as text: the next page begins after it."""
        return f"{self.at.isoformat()}~{self.source}~{self.row.pk}"


@dataclass(frozen=True, slots=True)
class After:
    """Begin after this event."""

    at: datetime
    source: int
    pk: int

    @classmethod
    def read(cls, text: str) -> After | None:
        """What a key says; ``None`` for what is none."""
        try:
            at, source, pk = text.split("~")
            found = cls(datetime.fromisoformat(at), int(source), int(pk))
        except (ValueError, OverflowError):
            return None
        return found if found.at.tzinfo is not None and abs(found.pk) < 2**62 else None


@dataclass(frozen=True, slots=True)
class Agenda:
    """The events in ``[start, end)`` that a person may know of.

    Args:
        kinds: names of kinds; empty: all of them.
        collections: primary keys of collections that are looked at; ``None``: wherever something is.
    """

    user: Any
    start: datetime
    end: datetime | None = None
    kinds: frozenset[str] = frozenset()
    collections: frozenset[int] | None = None

    def sources(self) -> Iterator[tuple[int, Source]]:
        """Those that are wanted, and whose rows this person may look at."""
        for number, source in enumerate(SOURCES):
            wanted = not self.kinds or source.kind in self.kinds
            placed = self.collections is None or bool(source.places)
            if wanted and placed and may_look(self.user, source.model):
                yield number, source

    def rows(self, source: Source) -> QuerySet[Any]:
        manager: Any = source.model._default_manager
        rows = roles.visible(self.user, manager.filter(source.only, self._when(source)))
        if self.collections is not None:
            here = Q()
            for place in source.places:
                here |= Q(**{f"{place}__in": self.collections})
            rows = rows.filter(here)
        return rows

    def _when(self, source: Source) -> Q:
        start: Any = days.today(self.start) if source.by_day else self.start
        if source.by_day and days.begins(start) < self.start:
            start += timedelta(days=1)
        when = Q(**{f"{source.field}__gte": start})
        if self.end is not None:
            # A day counts where it begins, and the last instant before the end says on which day that can be.
            end = days.today(self.end - timedelta(microseconds=1)) if source.by_day else self.end
            when &= Q(**{f"{source.field}__{'lte' if source.by_day else 'lt'}": end})
        return when

    def first(self, count: int, after: After | None = None) -> list[Event]:
        """The first so many events, after one of them if it is given."""
        found = [event for number, source in self.sources() for event in self._of(number, source, count, after)]
        return sorted(found, key=order)[:count]

    def _of(self, number: int, source: Source, count: int, after: After | None) -> Iterator[Event]:
        rows = self.rows(source).order_by(source.field, "pk").select_related(*source.related)
        if after is not None:
            rows = rows.filter(later(source, number, after))
        for row in rows[:count]:
            yield Event(source.moment(row), KINDS[source.kind], source.about(row), number, row)

    def counts(self, first: date, last: date) -> dict[tuple[date, str], int]:
        """How many events of each kind there are on each day from the first to the last, both included."""
        found: dict[tuple[date, str], int] = {}
        every = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        here = replace(self, start=days.begins(first), end=days.ends(last))
        for _number, source in here.sources():
            rows = here.rows(source)
            for number, count in rows.order_by().values_list(_slot(source, every)).annotate(Count("pk")):
                key = every[number], source.kind
                found[key] = found.get(key, 0) + count
        return found


def _slot(source: Source, every: Sequence[date]) -> Case:
    """The number of the day that a row is on. SQLite compares quickly, but asks Python for the day of each instant."""
    beyond = [day + timedelta(days=1) if source.by_day else days.ends(day) for day in every]
    cases = [When(**{f"{source.field}__lt": end}, then=Value(number)) for number, end in enumerate(beyond)]
    return Case(*cases, output_field=IntegerField())


def order(event: Event) -> tuple[datetime, int, int]:
    return event.at, event.source, event.row.pk


def later(source: Source, number: int, after: After) -> Q:
    """The rows of a source that come after an event, which may be of another one."""
    value: Any = after.at
    same = True
    if source.by_day:
        value = days.today(after.at)
        same = days.begins(value) == after.at
    beyond = Q(**{f"{source.field}__gt": value})
    if not same or number < after.source:
        return beyond
    here = Q(**{source.field: value})
    return beyond | (here if number > after.source else here & Q(pk__gt=after.pk))


def may_look(user: Any, model: type[Model]) -> bool:
    """Whether somebody may look at the rows of a model, by Django's permissions."""
    name = model._meta.model_name if model is not Tier else "accesspolicy"
    return any(user.has_perm(f"iiif_auth.{verb}_{name}") for verb in ("view", "change"))


def within_places(tree: Iterable[tuple[int, int | None]], top: int) -> frozenset[int]:
    """A collection and everything within it, by pairs of a collection and the one it is part of."""
    children: dict[int | None, list[int]] = {}
    for key, parent in tree:
        children.setdefault(parent, []).append(key)
    found: set[int] = set()
    waiting: Sequence[int] = [top]
    while waiting:
        found.update(waiting)
        waiting = [child for key in waiting for child in children.get(key, ()) if child not in found]
    return frozenset(found)

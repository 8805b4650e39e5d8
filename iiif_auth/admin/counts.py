"""What was counted, for the reports: only of collections and policies that the reader may find."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext

from iiif_auth import roles
from iiif_auth.models import AccessPolicy, Collection, DailyCount

MOST_DAYS = 1_100
STEPS = ("day", "week", "month")
UNNAMED = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about.

    Attributes:
        first, last: days, both counted.
        step: ``"day"``, ``"week"`` or ``"month"``.
        door: ``"probe"``, ``"content"`` or ``""`` for both.
        collections, policy: primary keys; ``None`` for all.
    """

    first: date
    last: date
    step: str
    door: str = ""
    collections: tuple[int, ...] | None = None
    policy: int | None = None


def found(user: Any, asked: Asked) -> QuerySet[DailyCount]:
    """The rows that bear on it and that this person may know of."""
    rows = DailyCount.objects.filter(day__gte=asked.first, day__lte=asked.last).order_by()
    if asked.door:
        rows = rows.filter(door=asked.door)
    if asked.collections is not None:
        rows = rows.filter(collection__in=asked.collections)
    if asked.policy is not None:
        rows = rows.filter(policy=asked.policy)
    return roles.visible(user, rows)


# -- Along time ---------------------------------------------------------------------------------------------------


def buckets(asked: Asked) -> list[date]:
    """The first day of every step of the period, empty ones too."""
    days = (asked.first + timedelta(days=number) for number in range((asked.last - asked.first).days + 1))
    return list(dict.fromkeys(begins(day, asked.step) for day in days))


def begins(day: date, step: str) -> date:
    """The first day of the step that a day is in; weeks begin on Monday."""
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day


def name_of(bucket: date, step: str) -> str:
    return date_format(bucket, "F Y" if step == "month" else "SHORT_DATE_FORMAT")


def over_time(rows: QuerySet[DailyCount], field: str, asked: Asked) -> dict[str, list[int]]:
    """By value of a field, the counts of every step."""
    order = {bucket: number for number, bucket in enumerate(buckets(asked))}
    made: dict[str, list[int]] = defaultdict(lambda: [0] * len(order))
    for day, value, times in rows.values_list("day", field).annotate(times=Sum("count")):
        made[value][order[begins(day, asked.step)]] += times
    return dict(made)


# -- By what ------------------------------------------------------------------------------------------------------


def by_decision(rows: QuerySet[DailyCount], field: str, most: int) -> dict[Any, dict[str, int]]:
    """The values of a field that were met with most, each with its counts by decision."""
    counts: dict[Any, Counter[str]] = defaultdict(Counter)
    for value, decision, times in rows.values_list(field, "decision").annotate(times=Sum("count")):
        counts[value][decision] += times
    most_met = sorted(counts.items(), key=lambda pair: (-pair[1].total(), str(pair[0])))[:most]
    return {value: dict(counted) for value, counted in most_met}


def names(model: Any, keys: Iterable[int]) -> dict[int, str]:
    """What these rows are called; what is no longer there is called that."""
    wanted = set(keys) - {UNNAMED}
    rows = {row.pk: str(row) for row in model._default_manager.filter(pk__in=wanted)} if wanted else {}
    gone = {key: gettext("no longer there (number %(key)d)") % {"key": key} for key in wanted - set(rows)}
    return {UNNAMED: gettext("none"), **rows, **gone}


# -- For a spreadsheet --------------------------------------------------------------------------------------------

FEW = 5
"""Counts below this are not told apart in what leaves the site: they might be one person's."""
COLUMNS = ("from", "door", "collection", "policy", "tier", "decision", "reason", "count")


def lines(rows: QuerySet[DailyCount], asked: Asked) -> Iterator[list[str]]:
    """Rows of a table: every line of the counts in every step."""
    fields = ("door", "collection", "policy", "tier", "decision", "why")
    counts: Counter[tuple[Any, ...]] = Counter()
    for day, *values, times in rows.values_list("day", *fields).annotate(times=Sum("count")).iterator():
        counts[(begins(day, asked.step), *values)] += times
    called = names(Collection, {key[2] for key in counts}), names(AccessPolicy, {key[3] for key in counts})
    yield list(COLUMNS)
    for key, times in sorted(counts.items()):
        yield [harmless(one) for one in worded(key, called)] + [str(times) if times >= FEW else f"<{FEW}"]


def worded(key: tuple[Any, ...], called: tuple[Mapping[int, str], Mapping[int, str]]) -> list[str]:
    begun, door, collection, policy, tier, decision, why = key
    first = called[0][collection] if collection else ""
    return [begun.isoformat(), door, first, called[1][policy] if policy else "", tier, decision, why]


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


# -- Grants -------------------------------------------------------------------------------------------------------


MOST_POINTS = 12


def active(rows: QuerySet[Any], asked: Asked) -> tuple[list[date], list[int]]:
    """How many grants were running when some days of the period ended: a dozen days, spread evenly, in one query."""
    number = (asked.last - asked.first).days + 1
    days = [asked.first + timedelta(days=number * part // MOST_POINTS) for part in range(MOST_POINTS)]
    days = list(dict.fromkeys([*days, asked.last]))
    counted = rows.order_by().aggregate(**{f"at{at}": Count("pk", filter=running(day)) for at, day in enumerate(days)})
    return days, [counted[f"at{at}"] for at in range(len(days))]


def running(day: date) -> Q:
    """Grants that were running when this day ended."""
    end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
    begun = Q(starts=None, created__lt=end) | Q(starts__lt=end, created__lt=end)
    return begun & (Q(ends=None) | Q(ends__gte=end))

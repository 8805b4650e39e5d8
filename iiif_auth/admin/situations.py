"""How many resources somebody sees in each collection, and how much of them, without looking at the resources one by one.

Resources whose rules are the same are one *situation*: collection, own policy, what is laid over them, and what of it was
granted to this person. The database counts each situation, and each is judged once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import (
    BooleanField,
    Case,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from iiif_auth import placing, store
from iiif_auth.admin import states
from iiif_auth.models import Embargo, Grant, Resource, Withdrawal
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import Case as Judged
from iiif_auth.policy.decide import in_utc
from iiif_auth.policy.routes import lessened, reached
from iiif_auth.store.values import reach_of

BASE = ("collection_id", "policy_id", "overrides")
LAID_OVER = ("withdrawn", "closes_all", "closes_full", "hard", "then", "least", "most")
RULE = "by_rule"
NOWHERE = 0
"""Stands for the collection of what is in none."""


@dataclass(slots=True)
class Tally:
    """Resources by reach, for one collection."""

    by_reach: dict[int, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def total(self) -> int:
        return sum(self.by_reach.values())


@dataclass(frozen=True, slots=True)
class Asker:
    """The one about whom it is asked: as policy sees them, and which grants are theirs."""

    subject: policy.Subject
    grants: Q


def tallies(rows: QuerySet[Resource], asker: Asker, at: datetime, book: store.Rulebook) -> dict[int, Tally]:
    """By the primary key of the collection, ``NOWHERE`` for none: how many of these resources the asker has to what reach."""
    return Situations(rows.order_by(), asker, at, book).tallied()


class Situations:
    """The situations of some resources for one asker at one instant, in two statements."""

    def __init__(self, rows: QuerySet[Resource], asker: Asker, at: datetime, book: store.Rulebook) -> None:
        self.rows, self.asker, self.at, self.book = rows, asker, in_utc(at), book
        self.walls = {
            (tier.wall.years, tier.wall.zone)
            for held in book.policies.values()
            for tier in held.tiers
            if tier.wall is not None
        }
        self.above: dict[int, tuple[policy.Level, ...]] = {}

    def tallied(self) -> dict[int, Tally]:
        found: dict[int, Tally] = defaultdict(Tally)
        for situation, count in self.counted():
            found[self.place(situation)].by_reach[self.reach(situation)] += count
        return found

    # -- counting

    def counted(self) -> Iterator[tuple[Mapping[str, Any], int]]:
        """Those with something laid over them, and all the others: most have nothing, and then there is little to compare."""
        special = self._special()
        plain = self.rows.exclude(pk__in=special) if special is not None else self.rows
        yield from self._groups(plain, ())
        if special is not None:
            yield from self._groups(self._laid_over(self.rows.filter(pk__in=special)), LAID_OVER)

    def _groups(self, rows: QuerySet[Resource], more: tuple[str, ...]) -> Iterator[tuple[Mapping[str, Any], int]]:
        walls, columns = self._wall_columns(), (*BASE, *more)
        rows = rows.annotate(**walls, **({RULE: self._rule()} if self._takes_in_by_rule else {}))
        names = (*columns, *walls, *((RULE,) if self._takes_in_by_rule else ()))
        for found in rows.values(*names).annotate(n=Count("pk"), made=Min("date")).order_by():
            yield found, found["n"]

    def _special(self) -> QuerySet[Any] | None:
        """The keys of what has an overlay of its own, or was granted to the asker by itself; ``None`` if there is none."""
        running = states.conditions(self.at)["running"]
        then = Q(then_policy__isnull=False, ends__lte=self.at)
        laid = [
            Embargo.objects.filter(running | then, resource__isnull=False),
            Withdrawal.objects.filter(running, resource__isnull=False),
            Grant.objects.filter(self.asker.grants, running, resource__isnull=False),
        ]
        held = [one.order_by().values("resource") for one in laid if one.exists()]
        return held[0].union(*held[1:]) if held else None

    def _laid_over(self, rows: QuerySet[Resource]) -> QuerySet[Resource]:
        running, here = states.conditions(self.at)["running"], {"resource": OuterRef("pk")}
        embargoes = Embargo.objects.filter(running, **here)
        grants = Grant.objects.filter(self.asker.grants, running, **here).order_by().values("resource")
        over = Embargo.objects.filter(then_policy__isnull=False, ends__lte=self.at, **here).order_by("-ends", "pk")
        return rows.annotate(
            withdrawn=Exists(Withdrawal.objects.filter(running, **here)),
            closes_all=Exists(embargoes.filter(closes="all")),
            closes_full=Exists(embargoes.filter(closes="full")),
            hard=Exists(embargoes.filter(hard=True)),
            then=Subquery(over.values("then_policy")[:1]),
            least=Subquery(grants.annotate(one=Min("tier")).values("one")),
            most=Subquery(grants.annotate(one=Max("tier")).values("one")),
        )

    def _wall_columns(self) -> dict[str, Any]:
        """For each moving wall there is, whether the resource's date is behind it: not the date, of which there are many."""
        return {
            f"wall_{number}": ExpressionWrapper(Q(date__lte=self._latest(years, zone)), output_field=BooleanField())
            for number, (years, zone) in enumerate(sorted(self.walls))
        }

    def _latest(self, years: int, zone: str) -> date:
        """The latest date that such a wall has opened for."""
        today = self.at.astimezone(ZoneInfo(zone)).date()
        day = date(today.year - years, today.month, min(today.day, 28)) if today.year > years else date.min
        wall = policy.Wall(years, zone)
        while day > date.min and not wall.covers(day, self.at):
            day -= timedelta(days=1)
        while wall.covers(day + timedelta(days=1), self.at):
            day += timedelta(days=1)
        return day

    # -- by address

    @property
    def _takes_in_by_rule(self) -> bool:
        return bool(self.book.exact or self.book.prefixes or self.book.globs)

    def _rule(self) -> Case:
        """The collection that takes in a resource by its address, if its row names none."""
        keys = {*self.book.exact.values(), *(k for _p, k in self.book.prefixes), *(k for _p, k in self.book.globs)}
        by_rule = [When(placing.by_rule({key}, book=self.book), then=Value(key)) for key in sorted(keys)]
        return Case(When(collection__isnull=False, then=F("collection_id")), *by_rule, default=Value(NOWHERE))

    def place(self, situation: Mapping[str, Any]) -> int:
        return int(situation["collection_id"] or situation.get(RULE) or NOWHERE)

    # -- judging

    def reach(self, situation: Mapping[str, Any]) -> int:
        levels = (self._own(situation), *self._above(self.place(situation)))
        if situation.get("least") is not None:
            tiers = {situation["least"], situation["most"]}
            given = tuple(policy.Grant(policy.Everyone(), reach_of(tier, levels)) for tier in tiers)
            levels = (replace(levels[0], grants=given), *levels[1:])
        offer = policy.Offer(policy.Rendition(""), levels=levels, made=situation["made"])
        return reached(Judged(offer, self.asker.subject, self.at))

    def _own(self, situation: Mapping[str, Any]) -> policy.Level:
        key = situation.get("then") or situation["policy_id"]
        closes = [one for name, one in CLOSES.items() if situation.get(name)]
        hard = bool(situation.get("hard"))
        return policy.Level(
            name="",
            policy=self.book.policies[key] if key else None,
            overrides=situation["overrides"],
            embargoes=tuple(policy.Embargo(policy.ALWAYS, one, hard) for one in closes),
            withdrawals=(policy.Withdrawal(policy.ALWAYS),) if situation.get("withdrawn") else (),
            policy_grants=self._theirs(self.book.policy_grants.get(key or 0, ())),
        )

    def _above(self, key: int) -> tuple[policy.Level, ...]:
        """The levels of a collection with only those grants that are the asker's: a policy may have very many."""
        if key not in self.above:
            place = self.book.places.get(key)
            self.above[key] = tuple(lessened(level, self._is_theirs) for level in (place.levels if place else ()))
        return self.above[key]

    def _theirs(self, grants: tuple[policy.Grant, ...]) -> tuple[policy.Grant, ...]:
        return tuple(filter(self._is_theirs, grants))

    def _is_theirs(self, grant: policy.Grant) -> bool:
        return grant.principal.admits(self.asker.subject)


CLOSES = {"closes_all": policy.Closes.ALL, "closes_full": policy.Closes.FULL}

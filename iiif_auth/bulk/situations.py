"""How resources are governed: of a hundred thousand of them only a few kinds are governed differently."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Count, QuerySet

from iiif_auth.bulk.deeds import Levels, running
from iiif_auth.models import Embargo, Grant, Resource, Withdrawal
from iiif_auth.policy import types as values
from iiif_auth.store import Rulebook
from iiif_auth.store.values import reach_of

AT_ONCE = 5000
Base = tuple[int | None, int | None, bool, date | None]


@dataclass(frozen=True, slots=True)
class Situation:
    """All that bears on a resource now: its place, its own policy, its date as far as walls count from it, its overlays.

    Grants to single people are left out: they say something about nobody else.
    """

    collection: int | None
    policy: int | None
    overrides: bool
    made: date | None
    embargoes: tuple[values.Embargo, ...] = ()
    withdrawn: bool = False
    grants: tuple[values.Grant, ...] = ()

    def levels(self, book: Rulebook) -> Levels:
        """From the resource outwards. The grants carry the tier they name as their label; see :func:`settled`."""
        place = book.places.get(self.collection or 0)
        own = values.Level(
            "",
            book.policies.get(self.policy or 0),
            self.overrides,
            self.embargoes,
            (values.Withdrawal(values.ALWAYS),) if self.withdrawn else (),
            self.grants,
            book.policy_grants.get(self.policy or 0, ()),
        )
        return (own, *(place.levels if place else ()))


def settled(levels: Levels) -> Levels:
    """The levels with grants of the resource that reach as far as the tier of that name does under these policies."""
    own, *above = levels
    grants = tuple(replace(grant, reach=reach_of(grant.label, levels)) for grant in own.grants)
    return (replace(own, grants=grants), *above)


class Survey:
    """Counts the situations of resources."""

    def __init__(self, rows: QuerySet[Resource], book: Rulebook, at: datetime, within: set[int] | None = None) -> None:
        """
        Args:
            within: count only what is in one of these collections, by row or by address.
        """
        self.rows, self.book, self.at, self.within = rows.order_by(), book, at, within
        self.by_address = bool(book.exact or book.prefixes or book.globs)
        self.walls = {tier.wall for held in book.policies.values() for tier in held.tiers if tier.wall is not None}
        self.dates: dict[tuple[bool, ...], date | None] = {}

    def counted(self) -> Counter[Situation]:
        bases: Counter[Base] = Counter()
        for *facts, count in self._grouped():
            bases[self._base(*facts)] += count
        special = self._overlaid()
        found: Counter[Situation] = Counter()
        for key, base in self._bases_of(list(special)):
            bases[base] -= 1
            found[Situation(*base, **special[key])] += 1
        found.update({Situation(*base): count for base, count in bases.items() if count > 0})
        if self.within is not None:
            found = Counter({one: count for one, count in found.items() if one.collection in self.within})
        return found

    # -- the rows themselves

    @property
    def _facts(self) -> tuple[str, ...]:
        dated = ("date",) if self.walls else ()
        return ("collection_id", "policy_id", "overrides", *dated)

    def _grouped(self) -> Iterator[tuple[Any, ...]]:
        """Collection, policy, whether it replaces, date, address, and how many."""
        grouped = self.rows.filter(collection__isnull=False) if self.by_address else self.rows
        for *facts, count in grouped.values_list(*self._facts).annotate(Count("pk")):
            yield (*self._dated(facts), "", count)
        if self.by_address:
            for *facts, url in self.rows.filter(collection=None).values_list(*self._facts, "url").iterator():
                yield (*self._dated(facts), url, 1)

    def _dated(self, facts: list[Any]) -> tuple[Any, Any, Any, Any]:
        collection, held, overrides, *made = facts
        return collection, held, overrides, made[0] if made else None

    def _base(self, collection: int | None, held: int | None, overrides: bool, made: date | None, url: str) -> Base:
        place = collection or (self.book.collection_of(url) if url else None)
        return place, held, overrides, self._alike(made)

    def _alike(self, made: date | None) -> date | None:
        """One date that stands for all before which the same walls are open."""
        if not self.walls:
            return None
        behind = tuple(wall.covers(made, self.at) for wall in self.walls)
        return self.dates.setdefault(behind, made)

    def _bases_of(self, keys: list[Any]) -> Iterator[tuple[Any, Base]]:
        for start in range(0, len(keys), AT_ONCE):
            rows = Resource.objects.filter(pk__in=keys[start : start + AT_ONCE])
            for key, *facts, url in rows.values_list("pk", *self._facts, "url"):
                yield key, self._base(*self._dated(facts), url if self.by_address else "")

    # -- what is laid over them

    def _overlaid(self) -> dict[Any, dict[str, Any]]:
        """By resource, what is laid over it now."""
        found: dict[Any, dict[str, Any]] = defaultdict(dict)
        for name, pairs in (("embargoes", self._embargoes()), ("grants", self._grants())):
            for key, value in pairs:
                found[key][name] = (*found[key].get(name, ()), value)
        for key in self._about(Withdrawal).values_list("resource_id", flat=True):
            found[key]["withdrawn"] = True
        return found

    def _about(self, model: type[Any]) -> QuerySet[Any]:
        rows: QuerySet[Any] = model.objects.filter(running(self.at), resource__in=self.rows.values("pk")).order_by("pk")
        return rows

    def _embargoes(self) -> Iterable[tuple[Any, values.Embargo]]:
        for key, closes, hard in self._about(Embargo).values_list("resource_id", "closes", "hard"):
            yield key, values.Embargo(values.ALWAYS, values.Closes(closes), hard)

    def _grants(self) -> Iterable[tuple[Any, values.Grant]]:
        grants = self._about(Grant).filter(user=None, invitation=None)
        names = ("resource_id", "group_id", "group__name", "network_id", "service__slug", "tier", "take")
        for key, group, name, network, service, tier, take in grants.values_list(*names):
            principal: values.Principal
            if group is not None:
                principal = values.Group(str(group), name)
            elif network is not None:
                principal = self.book.networks[network]
            else:
                principal = values.Agreed(service)
            yield key, values.Grant(principal, take=take, label=tier)

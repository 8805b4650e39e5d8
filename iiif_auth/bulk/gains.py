"""Who gains and who loses by a deed: counted by kinds of readers, from the situations of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from iiif_auth.bulk.deeds import Deed, IsTarget, Levels
from iiif_auth.bulk.situations import Situation, Survey, settled
from iiif_auth.models import Collection, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.decide import Case
from iiif_auth.store import Rulebook, rulebook

MOST_READERS = 40
"""Kinds of readers that are told one by one."""
SOMEBODY = "somebody"
WANTED = policy.Rendition("")


@dataclass(frozen=True, slots=True)
class Gain:
    """For one kind of readers, how many resources open, close, get better or worse, and stay as they are."""

    who: str
    opens: int = 0
    closes: int = 0
    better: int = 0
    worse: int = 0
    same: int = 0

    @property
    def differs(self) -> bool:
        return bool(self.opens or self.closes or self.better or self.worse)


def gains(deed: Deed, rows: QuerySet[Any], at: datetime) -> list[Gain]:
    """What a deed would mean for the public, for people signed in, and for every group, network and service in the rules.

    As of now: what begins or ends later shows when it does.

    Args:
        rows: the resources, or the collections, to which it would be done.
    """
    book = rulebook()
    survey, is_target = surveyed(rows, book, at)
    pairs = [(*both(deed, one, is_target, book, at), one.made, count) for one, count in survey.counted().items()]
    people = readers(levels for before, after, _made, _count in pairs for levels in (before, after))
    return [gain(name, subject, pairs, at) for name, subject in people]


def surveyed(rows: QuerySet[Any], book: Rulebook, at: datetime) -> tuple[Survey, IsTarget]:
    """What is to be counted, and which level of each is the one that the deed is done to."""
    if rows.model is Resource:
        return Survey(rows, book, at), lambda level: level.name == ""
    slugs = set(rows.order_by().values_list("slug", flat=True))
    parents = dict(Collection.objects.order_by().values_list("pk", "parent_id"))
    chosen = set(rows.order_by().values_list("pk", flat=True))
    within = {key for key in parents if not chosen.isdisjoint(outwards(key, parents))}
    resources = Resource.objects.filter(Q(collection__in=within) | Q(collection=None))
    return Survey(resources, book, at, within), lambda level: level.name in slugs


def outwards(key: int | None, parents: Mapping[int, int | None]) -> set[int]:
    found: set[int] = set()
    while key is not None and key not in found:
        found.add(key)
        key = parents.get(key)
    return found


def both(deed: Deed, one: Situation, is_target: IsTarget, book: Rulebook, at: datetime) -> tuple[Levels, Levels]:
    """The levels before and after."""
    levels = one.levels(book)
    return settled(levels), settled(deed.upon(levels, is_target, book, at))


def reach(levels: Levels, subject: policy.Subject, made: Any, at: datetime) -> int:
    return Case(policy.Offer(WANTED, levels=levels, made=made), subject, at).reach


def gain(who: str, subject: policy.Subject, pairs: Iterable[tuple[Levels, Levels, Any, int]], at: datetime) -> Gain:
    found: Counter[str] = Counter()
    for before, after, made, count in pairs:
        found[difference(reach(before, subject, made, at), reach(after, subject, made, at))] += count
    return Gain(who, **found)


def difference(before: int, after: int) -> str:
    """What a reach means beside another, as a field of :class:`Gain`."""
    if before == after:
        return "same"
    if policy.NOTHING in (before, after):
        return "opens" if before == policy.NOTHING else "closes"
    return "better" if after > before else "worse"


# -- Readers ------------------------------------------------------------------------------------------------------


def readers(several: Iterable[Levels]) -> list[tuple[str, policy.Subject]]:
    """The public, people signed in, and whomever the rules name beside single people."""
    found: dict[str, policy.Subject] = {
        gettext("The public"): policy.NOBODY,
        gettext("Anyone signed in"): policy.Subject(user=SOMEBODY),
    }
    principals = dict.fromkeys(one for levels in several for level in levels for one in named_at(level))
    names = group_names(principals)
    for one in principals:
        reader = read(one, names)
        if reader is not None and len(found) < MOST_READERS:
            found.setdefault(*reader)
    return list(found.items())


def named_at(level: policy.Level) -> Iterable[policy.Principal]:
    for tier in level.policy.tiers if level.policy else ():
        yield from policy.principals(tier.audience)
    for grant in (*level.grants, *level.policy_grants):
        yield grant.principal


def group_names(principals: Iterable[policy.Principal]) -> dict[str, str]:
    keys = [one.id for one in principals if isinstance(one, policy.Group)]
    return {str(key): name for key, name in Group.objects.filter(pk__in=keys).values_list("pk", "name")}


def read(one: policy.Principal, names: dict[str, str]) -> tuple[str, policy.Subject] | None:
    """What a kind of readers is called, and somebody of that kind; ``None`` for single people and for everybody."""
    match one:
        case policy.Group(id=key):
            return gettext("Group “%(name)s”") % {"name": names.get(key, key)}, policy.Subject(
                SOMEBODY, frozenset({key})
            )
        case policy.Network(prefixes=(first, *_), label=label):
            address = first[1] if first.num_addresses > 2 else first[0]
            return gettext("At “%(name)s”") % {"name": label or str(first)}, policy.Subject(address=address)
        case policy.Network(id=key, label=label, enrolled=True):
            at = gettext("At “%(name)s”") % {"name": label}
            return at, policy.Subject(places=frozenset({key}))
        case policy.Attribute() if not policy.is_invitation(one):
            text = gettext("Signed in with %(name)s %(value)s") % {
                "name": one.name,
                "value": words.values(one, gettext),
            }
            return text, policy.Subject(SOMEBODY, attributes=frozenset({one.example}))
        case _:
            return having_done(one)


def having_done(one: policy.Principal) -> tuple[str, policy.Subject] | None:
    """The same for those who did something; ``None`` for everybody else."""
    match one:
        case policy.Agreed(service=slug, label=label):
            text = gettext("Whoever went through “%(name)s”") % {"name": label or slug}
            return text, policy.Subject(agreements=frozenset({slug}))
        case policy.Seat(rule=rule, work=work, label=label):
            text = gettext("Whoever borrowed a copy (“%(name)s”)") % {"name": label or rule}
            return text, policy.Subject(loans=frozenset({(rule, work, "")}))
        case _:
            return None

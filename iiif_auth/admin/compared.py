"""A draft beside what is live: what differs in words, and who gains or loses what, judged by the rules themselves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from iiif_auth import contents, placing, roles, store
from iiif_auth.admin import people, states
from iiif_auth.identify import described
from iiif_auth.models import AccessPolicy, Condition, RefusalText, Resource, Tier
from iiif_auth.models.rules import attribute_text
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.decide import Case, in_utc
from iiif_auth.policy.explain import standing_in

MOST_GROUPS = 30
"""Groups, places and services of which the table has a line each; a policy that names more is compared for the first ones."""


# -- What differs -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the draft says otherwise. Empty: it does not say it at all."""

    where: str
    what: str
    live: str
    draft: str


def differences(live: contents.Content, draft: contents.Content) -> list[Difference]:
    """What two contents of a policy do not have in common, in words, in the order of the form."""
    before, after = dict(said(live)), dict(said(draft))
    keys = list(dict.fromkeys([*before, *after]))
    pairs = ((key, before.get(key, ""), after.get(key, "")) for key in keys)
    return [Difference(*key, one, other) for key, one, other in pairs if one != other]


def said(content: contents.Content) -> Iterator[tuple[tuple[str, str], str]]:
    """Everything that a content says, by where and what."""
    for name, value in content["policy"].items():
        yield (gettext("Policy"), named(AccessPolicy, name)), shown(AccessPolicy, name, value)
    for tier in content["tiers"]:
        yield from _of_tier(tier)
    for text in content["texts"]:
        where = gettext("What others are told: %(why)s") % {"why": RefusalText.Why(text["why"]).label}
        yield from (
            ((where, named(RefusalText, name)), shown(RefusalText, name, text[name])) for name in ("heading", "note")
        )


def _of_tier(tier: contents.Content) -> Iterator[tuple[tuple[str, str], str]]:
    where = gettext("Tier “%(tier)s”") % {"tier": tier["slug"]}
    for field in contents.plain_fields(Tier, "slug"):
        yield (where, named(Tier, field.name)), shown(Tier, field.name, tier.get(field.name))
    links = (("substitute", [tier["substitute"]] if tier["substitute"] else []), ("services", tier["services"]))
    for name, held in links:
        yield (where, named(Tier, name)), ", ".join(one["name"] for one in held)
    yield (where, gettext("Conditions")), " · ".join(condition(one) for one in tier["conditions"])


def named(model: Any, name: str) -> str:
    label = str(model._meta.get_field(name).verbose_name)
    return label[:1].upper() + label[1:]


def shown(model: Any, name: str, value: Any) -> str:
    """A value as the form would show it; nothing for what is empty."""
    choices = dict(model._meta.get_field(name).flatchoices)
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, dict):
        return "; ".join(f"{language}: {' / '.join(texts)}" for language, texts in value.items())
    if value in choices:
        return str(choices[value])
    moment = parse_datetime(value) if isinstance(value, str) and "T" in value else None
    return states.day(moment) if moment else "" if value is None else str(value)


def condition(content: contents.Content) -> str:
    """One condition of a content in words."""
    links = [content[name]["name"] for name in contents.WHOM if content.get(name)]
    matching = content.get("attribute_matching", "exact")
    attribute = [attribute_text(content["attribute_name"], content["attribute_value"], matching)]
    label = str(Condition.Kind(content["kind"]).label)
    bracket = gettext("(bracket %(n)d)") % {"n": content["bracket"]} if content["bracket"] else ""
    return " ".join(filter(None, [label, *links, *attribute, bracket]))


# -- Who gains and who loses --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Situation:
    """Items that are under the same rules, but for what is laid over single ones, and how many they are."""

    levels: tuple[policy.Level, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who might ask, and what they are called."""

    name: str
    subject: policy.Subject


@dataclass(frozen=True, slots=True)
class Line:
    """What changes for somebody: by the policy alone in words, and on how many items."""

    who: str
    live: str
    draft: str
    opens: int
    better: int
    same: int
    worse: int
    closes: int

    @property
    def differs(self) -> bool:
        return bool(self.opens or self.better or self.worse or self.closes or self.live != self.draft)


def lines(
    user: Any, row: AccessPolicy, live: policy.Policy, draft: policy.Policy, asked: Iterable[Who], at: datetime
) -> list[Line]:
    """For everybody whom either names, and for those asked about, what changes if the draft is published."""
    found = list(situations(user, row, live))
    everybody = [*usual(live, draft), *asked]
    return [line(who, live, draft, found, in_utc(at)) for who in everybody]


def line(who: Who, live: policy.Policy, draft: policy.Policy, found: Sequence[Situation], at: datetime) -> Line:
    counted: Counter[str] = Counter()
    for one in found:
        before = outcome(one.levels, who.subject, at)
        after = outcome(exchanged(one.levels, draft), who.subject, at)
        counted[direction(before, after)] += one.count
    first, then = (outcome((policy.Level("", held),), who.subject, at) for held in (live, draft))
    names = ("opens", "better", "same", "worse", "closes")
    numbers = {name: counted[name] for name in names}
    return Line(who.name, words.what(*first, gettext), words.what(*then, gettext), **numbers)


def outcome(levels: tuple[policy.Level, ...], subject: policy.Subject, at: datetime) -> tuple[int, bool]:
    """The reach that somebody has, and whether they may keep a copy."""
    reach = Case(policy.Offer(policy.Rendition(""), levels=levels, made=SOME_DAY), subject, at).reach
    if reach <= policy.OTHER:
        return reach, False
    decision = Case(policy.Offer(policy.Rendition("", reach), levels=levels, made=SOME_DAY), subject, at).decision()
    return reach, isinstance(decision, policy.Allowed) and decision.take


SOME_DAY: date | None = None
"""Moving walls count from the date of each item; here they are taken for closed."""


def direction(before: tuple[int, bool], after: tuple[int, bool]) -> str:
    if before == after:
        return "same"
    if before[0] == policy.NOTHING:
        return "opens"
    if after[0] == policy.NOTHING:
        return "closes"
    return "better" if after > before else "worse"


def exchanged(levels: tuple[policy.Level, ...], draft: policy.Policy) -> tuple[policy.Level, ...]:
    """The same levels with the draft in the place of its policy."""
    return tuple(
        replace(level, policy=draft) if level.policy is not None and level.policy.slug == draft.slug else level
        for level in levels
    )


def situations(user: Any, row: AccessPolicy, live: policy.Policy) -> Iterator[Situation]:
    """The distinct rules that the items governed by a policy are under, outwards from the item."""
    book = store.rulebook()
    below = [key for key, place in book.places.items() if any(names(level, live) for level in place.levels)]
    rows = roles.visible(user, Resource.objects.order_by().filter(Q(policy=row) | Q(collection__in=below)))
    for policy_key, overrides, collection, count in rows.values_list("policy", "overrides", "collection").annotate(
        n=Count("pk")
    ):
        own = policy.Level(
            "", book.policies.get(policy_key or 0), overrides, policy_grants=book.policy_grants.get(policy_key or 0, ())
        )
        place = book.places.get(collection or 0)
        yield Situation((own, *(place.levels if place else ())), count)
    yield from _by_rule(user, book, below)


def _by_rule(user: Any, book: store.Rulebook, below: list[int]) -> Iterator[Situation]:
    """Items without a policy of their own that only an address rule puts into a collection."""
    ruled = sorted({*book.exact.values(), *(key for _, key in (*book.prefixes, *book.globs))} & set(below))
    if not ruled:
        return
    free = roles.visible(user, Resource.objects.order_by().filter(collection=None, policy=None))
    counts = {f"n{key}": Count("pk", filter=placing.by_rule({key})) for key in ruled}
    for key, count in zip(ruled, free.aggregate(**counts).values(), strict=True):
        if count:
            yield Situation((policy.Level(""), *book.places[key].levels), count)


def names(level: policy.Level, live: policy.Policy) -> bool:
    return any(held.slug == live.slug for held in level.policies)


# -- Whom to ask about --------------------------------------------------------------------------------------------


def usual(*policies: policy.Policy) -> Iterator[Who]:
    """The public, anybody signed in, and whoever these policies name but single people."""
    yield Who(gettext("The public"), policy.NOBODY)
    yield Who(gettext("Anyone signed in"), STRANGER)
    leaves = dict.fromkeys(
        leaf for held in policies for tier in held.tiers for leaf in policy.principals(tier.audience)
    )
    found = [who for leaf in leaves if (who := _standing_for(leaf)) is not None]
    yield from list(dict.fromkeys(found))[:MOST_GROUPS]


STRANGER = policy.Subject(user="-")
"""Somebody signed in whom no rule names."""


def _standing_for(leaf: policy.Principal) -> Who | None:
    match leaf:
        case policy.Group(id=key, label=label):
            return Who(
                gettext("A member of %(group)s") % {"group": label or key}, replace(STRANGER, groups=frozenset({key}))
            )
        case policy.Network(label=label):
            there = standing_in([leaf], policy.Subject())
            return Who(gettext("Somebody at %(place)s") % {"place": label}, there) if there else None
        case policy.Agreed(service=slug, label=label):
            went = gettext("Whoever went through %(service)s") % {"service": label or slug}
            return Who(went, policy.Subject(agreements=frozenset({slug})))
        case policy.Seat(rule=rule, work=work, label=label):
            has = gettext("Whoever borrowed a copy (%(seats)s)") % {"seats": label or rule}
            return Who(has, policy.Subject(loans=frozenset({(rule, work, "")})))
        case policy.Attribute():
            return Who("=".join(leaf.example), replace(STRANGER, attributes=frozenset({leaf.example})))
    return None


def typed(who: Sequence[Any], addresses: Sequence[str]) -> Iterator[Who]:
    """People and addresses that somebody typed in; each person also at each address."""
    networks = store.rulebook().networks.values()
    for text in addresses:
        at = described(None, text)
        inside = ", ".join(one.label for one in networks if one.admits(at))
        yield Who(
            gettext("At %(address)s (in: %(places)s)") % {"address": text, "places": inside or gettext("no network")},
            at,
        )
    for person in who:
        yield Who(people.shown(person), described(person))
        for text in addresses:
            name = gettext("%(person)s at %(address)s") % {"person": people.shown(person), "address": text}
            yield Who(name, described(person, text))


def affected(user: Any, row: AccessPolicy, live: policy.Policy) -> tuple[int, int]:
    """How many items and collections the policy governs, of those that somebody finds."""
    book = store.rulebook()
    below = [key for key, place in book.places.items() if any(names(level, live) for level in place.levels)]
    found = Q(policy=row) | Q(collection__in=below)
    ruled = {key for key in below if key in {*book.exact.values(), *(k for _, k in (*book.prefixes, *book.globs))}}
    if ruled:
        found |= Q(collection=None) & placing.by_rule(ruled)
    return roles.visible(user, Resource.objects.order_by().filter(found)).count(), len(below)


__all__ = ["Difference", "Line", "affected", "differences", "lines", "typed", "usual"]

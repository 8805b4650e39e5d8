"""Who can see something: the kinds of people whom the rules let in, each with what they get and by which rules.

Nobody is named here. A kind is what must be true of people, such as to be signed in and a member of a group; whoever is
named by a rule, as one person or by an invitation, is asked about one by one with :func:`standing_of`. Whatever is said has been
tried out with :func:`iiif_auth.policy.decide.decide`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from iiif_auth.policy.decide import Case, Standing, decide, in_utc
from iiif_auth.policy.explain import ORDER, Remedy, tried, unmet_sets
from iiif_auth.policy.types import (
    FULL,
    NOBODY,
    NOTHING,
    PERSONAL,
    Allowed,
    Authenticated,
    Grant,
    Level,
    Offer,
    Principal,
    Subject,
    User,
    is_invitation,
)

MOST_WAYS = 300
"""Kinds of people that are looked at for one level, and for all levels together: rules with many alternatives multiply."""

Needs = frozenset[Principal]


@dataclass(frozen=True, slots=True)
class Gets:
    """What somebody gets: the reach, whether they may keep a copy, and the names of the rules as in ``Allowed.by``."""

    reach: int = NOTHING
    take: bool = False
    by: tuple[str, ...] = ()

    def covers(self, other: Gets) -> bool:
        return self.reach >= other.reach and self.take >= other.take


@dataclass(frozen=True, slots=True)
class Route:
    """A kind of people, by all that must be true of them (nothing: everybody), and what they get."""

    needs: tuple[Principal, ...]
    gets: Gets


@dataclass(frozen=True, slots=True)
class Routes:
    """The kinds of people, best first; ``complete`` unless there are too many to look at."""

    found: tuple[Route, ...]
    complete: bool = True


def routes(offer: Offer, at: datetime) -> Routes:
    """The kinds of people that get something, none of whom gets it as one of another kind anyway.

    Raises:
        TypeError, zoneinfo.ZoneInfoNotFoundError: as :func:`iiif_auth.policy.decide.decide`.
    """
    offer = replace(offer, restricted=False)
    case = Case(offer, NOBODY, in_utc(at))
    found: list[Route] = []
    complete = True
    for least in (Gets(reach, take) for reach in reaches(case) for take in (True, False)):
        kinds, whole = _kinds(case, least)
        complete = complete and whole
        tried_out = (_route(offer, needs, least, at) for needs in sorted(kinds, key=_size))
        found.extend(route for route in tried_out if route is not None)
    return Routes(tuple(_not_included(found)), complete)


def standing_of(offer: Offer, subject: Subject, at: datetime) -> Gets:
    """What one subject gets."""
    reach = reached(Case(offer, subject, in_utc(at)))
    if reach <= NOTHING:
        return Gets()
    wanted = replace(offer, wanted=replace(offer.wanted, reach=reach), restricted=False, others=(), substitutes=())
    found = decide(wanted, subject, at)
    return Gets(reach, found.take, found.by) if isinstance(found, Allowed) else Gets()


def reached(case: Case) -> int:
    """The largest of the versions there are that is within reach: an embargo on the full version leaves no size of its own."""
    return max((reach for reach in reaches(case) if reach <= case.reach), default=NOTHING)


def without(offer: Offer, keep: Callable[[Grant], bool]) -> Offer:
    """The offer with only some of its grants, for rules with very many of them."""
    return replace(offer, levels=tuple(lessened(level, keep) for level in offer.levels), restricted=False)


def lessened(level: Level, keep: Callable[[Grant], bool]) -> Level:
    """A level with only some of its grants."""
    embargoes = tuple(replace(one, then_grants=tuple(filter(keep, one.then_grants))) for one in level.embargoes)
    grants, policy_grants = tuple(filter(keep, level.grants)), tuple(filter(keep, level.policy_grants))
    return replace(level, grants=grants, policy_grants=policy_grants, embargoes=embargoes)


def is_personal(grant: Grant) -> bool:
    """Whether it names one person or one invitation."""
    return isinstance(grant.principal, User) or is_invitation(grant.principal)


# -- The kinds ----------------------------------------------------------------------------------------------------


def reaches(case: Case) -> list[int]:
    """The reach of every version that there is, the best first: whatever a tier gives, of a policy in force or set aside."""
    held = (one for standing in case.standings for one in standing.level.policies)
    given = {FULL, *(tier.reach for one in held for tier in one.tiers)}
    return sorted((reach for reach in given if reach > NOTHING), reverse=True)


def _kinds(case: Case, least: Gets) -> tuple[set[Needs], bool]:
    """What must be true of people to pass every level; and whether that is all of it."""
    combined: set[Needs] = {frozenset()}
    complete = True
    for standing in case.standings:
        ways = fewest(_ways(case, standing, least))
        both = fewest(one | other for one in combined for other in ways[:MOST_WAYS])
        complete = complete and len(ways) <= MOST_WAYS and len(both) <= MOST_WAYS
        combined = set(both[:MOST_WAYS])
    return combined, complete


def _ways(case: Case, standing: Standing, least: Gets) -> Iterator[Needs]:
    """What lets people pass one level now. Embargoes close what the policy opens, hard ones what grants open too."""
    opened = not standing.closers(least.reach)
    if opened and standing.policy is None:
        yield frozenset()
    for tier in standing.covering(least.reach) if opened else ():
        if tier.take >= least.take and tier.open_at(case.at, case.offer.made):
            yield from unmet_sets(tier.audience, NOBODY)
    for grant in _grants(case, standing, opened):
        if grant.reach >= least.reach and grant.take >= least.take and grant.window.covers(case.at):
            yield from unmet_sets(grant.principal, NOBODY)


def _grants(case: Case, standing: Standing, opened: bool) -> Iterator[Grant]:
    """The grants that count at a level, but for those that name one person."""
    if opened and standing.policy is not None:
        yield from (grant for grant in standing.level.policy_grants if not is_personal(grant))
    for inner in case.standings[: standing.position + 1] if not standing.hard else ():
        yield from (grant for grant in inner.level.grants if not is_personal(grant))


def fewest(kinds: Iterable[Needs]) -> list[Needs]:
    """Each once, the ones with the fewest needs first; none that needs all that another one needs, and more."""
    kept: list[Needs] = []
    single: set[Needs] = set()
    for needs in sorted(set(kinds), key=_size):
        if any(frozenset({need}) in single for need in needs) or any(other <= needs for other in kept):
            continue
        (single.add if len(needs) == 1 else kept.append)(needs)
    return sorted([*single, *kept], key=_size)


def _size(needs: Needs) -> tuple[int, str]:
    return len(needs), ", ".join(sorted(map(repr, needs)))


def _route(offer: Offer, needs: Needs, least: Gets, at: datetime) -> Route | None:
    """A kind of people with what they really get; ``None`` if there can be no such people, or they are not let in."""
    if any(isinstance(need, PERSONAL) for need in needs):
        needs |= {Authenticated()}
    said = tuple(sorted(needs, key=lambda need: (ORDER.index(type(need)), repr(need))))
    trial = tried(Remedy(said), offer, NOBODY)
    gets = standing_of(offer, trial[1], at) if trial else Gets()
    return Route(said, gets) if gets.covers(least) else None


def _not_included(found: Iterable[Route]) -> Iterator[Route]:
    """The best first, each with the kinds of people who get it and nothing better; none of whom are of another kind."""
    kept: list[Route] = []
    for route in sorted(dict.fromkeys(found), key=lambda one: (-one.gets.reach, not one.gets.take, len(one.needs))):
        if not any(set(one.needs) <= set(route.needs) and one.gets.covers(route.gets) for one in kept):
            kept.append(route)
            yield route

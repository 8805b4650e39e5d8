"""Why somebody may see a rendition or may not: every rule that bears on it, and what would help.

Nothing is decided here. :func:`explain` asks :mod:`iiif_auth.policy.decide` and says of each rule how it stood there,
in such a way that the answer can be worked out again from the findings alone; the tests do that on random cases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import islice, product

from iiif_auth.policy.decide import EMPTY, EPOCH, Case, Standing, decide
from iiif_auth.policy.types import (
    FULL,
    NOTHING,
    PERSONAL,
    Address,
    Agreed,
    AllOf,
    Allowed,
    AnyOf,
    Attribute,
    Audience,
    Authenticated,
    Closes,
    Decision,
    Embargo,
    Everyone,
    Grant,
    Group,
    Level,
    Network,
    Offer,
    Policy,
    Principal,
    Season,
    Seat,
    Subject,
    Tier,
    User,
    Window,
    Withdrawal,
    is_invitation,
    principals,
    zone,
)

MOST_REMEDIES = 12
MOST_TRIED = 300
"""Ways that are tried out at most: rules with many alternatives multiply."""
MOST_DAYS = 366 * 9
"""How far a season is looked for: 29 February may be eight years away."""
SOMEBODY = "somebody"
"""Stands for the account of a person who is not signed in, while it is tried out whether signing in would help."""


# -- Findings -----------------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What one rule says about what is wanted."""

    YES = "yes"
    NO = "no"
    DOES_NOT_APPLY = "does-not-apply"


class Because(StrEnum):
    """Why it says so."""

    ADMITS = "admits"
    UNMET = "unmet"
    NOT_BEGUN = "not-begun"
    OVER = "over"
    WALL = "wall"
    SEASON = "season"
    EMBARGOED = "embargoed"
    SMALLER = "smaller"
    SOMEBODY_ELSE = "somebody-else"
    HARD = "hard"
    RUNNING = "running"
    FULL_ONLY = "full-only"
    SET_ASIDE = "set-aside"
    NO_TIERS = "no-tiers"
    NO_POLICY = "no-policy"
    UNSETTLED = "unsettled"


Rule = Policy | Tier | Grant | Embargo | Withdrawal


@dataclass(frozen=True, slots=True)
class Finding:
    """How one rule stands at one level.

    ``level`` counts from the resource (0) outwards. ``gives`` is the reach that this rule adds at its level, whatever
    is wanted. ``when`` is the instant that the reason speaks of, if there is one. ``policy`` is the slug of the policy
    that a tier or a policy grant belongs to; ``given_at`` the level where a grant was given. ``rule`` is ``None`` where
    there is no policy.
    """

    level: int
    rule: Rule | None
    verdict: Verdict
    because: Because
    gives: int = NOTHING
    take: bool = False
    unmet: tuple[Principal, ...] = ()
    when: datetime | None = None
    policy: str = ""
    given_at: int | None = None


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would be enough: to meet all of ``needs``, to wait ``until`` then, and a new grant if ``grant``."""

    needs: tuple[Principal, ...] = ()
    until: datetime | None = None
    grant: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision with its reasons. All of it is empty but the decision if there is no such thing."""

    decision: Decision
    levels: tuple[Level, ...] = ()
    findings: tuple[Finding, ...] = ()
    remedies: tuple[Remedy, ...] = ()


def explain(offer: Offer | None, subject: Subject, at: datetime) -> Explanation:
    """The decision for one subject at one instant, with every reason and remedy.

    Raises:
        TypeError, zoneinfo.ZoneInfoNotFoundError: as :func:`iiif_auth.policy.decide.decide`.
    """
    at = utc(at)
    decision = decide(offer, subject, at)
    if offer is None:
        return Explanation(decision)
    case = Case(offer, subject, at)
    findings = tuple(finding for standing in case.standings for finding in Questioning(case, standing).findings())
    remedies = () if isinstance(decision, Allowed) else tuple(sorted_out(searched(case)))
    return Explanation(decision, tuple(standing.level for standing in case.standings), findings, remedies)


def searched(case: Case) -> Iterator[Remedy]:
    """What would be enough as it is governed now, and after each embargo that brings another policy."""
    yield from Search(case).sound()
    for at in changes(case.offer, case.at):
        for remedy in Search(Case(case.offer, case.subject, at)).sound():
            yield replace(remedy, until=remedy.until or at)


def changes(offer: Offer, at: datetime) -> list[datetime]:
    """The instants still to come at which an embargo ends and another policy governs."""
    held = (embargo for level in offer.levels for embargo in level.embargoes if embargo.then is not None)
    ends = {utc(embargo.window.end) for embargo in held if embargo.window.end is not None}
    return sorted(end for end in ends if end > at)


def sorted_out(remedies: Iterable[Remedy]) -> list[Remedy]:
    """The ones with the fewest demands first; none that asks for more than another."""
    found: list[Remedy] = []
    for remedy in sorted(remedies, key=demands):
        if not any(asks_less(other, remedy) for other in found):
            found.append(remedy)
    return found[:MOST_REMEDIES]


def utc(at: datetime) -> datetime:
    """The same instant in UTC: two times of one zone compare by the clock."""
    return EPOCH + (at - EPOCH)


def concluded(findings: Iterable[Finding], wanted: int) -> tuple[int, bool]:
    """The reach, and whether a copy of what is wanted may be kept, worked out from the findings alone."""
    levels: dict[int, list[Finding]] = {}
    for finding in findings:
        if isinstance(finding.rule, Withdrawal) and finding.because is Because.RUNNING:
            return NOTHING, False
        levels.setdefault(finding.level, []).append(finding)
    reach = min(max(finding.gives for finding in level) for level in levels.values())
    take = all(any(f.take and f.gives >= wanted for f in level) for level in levels.values())
    return reach, take and reach >= wanted


@dataclass(frozen=True, slots=True)
class Questioning:
    """Asks every rule of one level how it stands."""

    case: Case
    standing: Standing

    @property
    def wanted(self) -> int:
        return self.case.offer.wanted.reach

    def findings(self) -> Iterator[Finding]:
        level = self.standing.level
        yield from (self._withdrawal(withdrawal) for withdrawal in level.withdrawals)
        yield from (self._embargo(embargo) for embargo in level.embargoes)
        yield from self._policy()
        yield from self._grants()

    def _finding(self, rule: Rule | None, verdict: Verdict, because: Because, when: datetime | None = None) -> Finding:
        return Finding(self.standing.position, rule, verdict, because, when=when)

    # -- what closes

    def _withdrawal(self, withdrawal: Withdrawal) -> Finding:
        return self._closing(withdrawal, withdrawal.window)

    def _embargo(self, embargo: Embargo) -> Finding:
        found = self._closing(embargo, embargo.window)
        if found.because is Because.RUNNING and embargo.closes is Closes.FULL and self.wanted < FULL:
            return replace(found, verdict=Verdict.DOES_NOT_APPLY, because=Because.FULL_ONLY)
        return found

    def _closing(self, rule: Embargo | Withdrawal, window: Window) -> Finding:
        if not window.begun(self.case.at):
            return self._finding(rule, Verdict.DOES_NOT_APPLY, Because.NOT_BEGUN, window.start)
        if window.over(self.case.at):
            return self._finding(rule, Verdict.DOES_NOT_APPLY, Because.OVER, window.end)
        return self._finding(rule, Verdict.NO, Because.RUNNING, window.end)

    def _left(self, reach: int) -> int:
        """What the embargoes of this level leave of a reach."""
        if self.standing.closes_all:
            return NOTHING
        return min(reach, FULL - 1) if self.standing.running else reach

    # -- the policy

    def _policy(self) -> Iterator[Finding]:
        policy = self.standing.policy
        if policy is EMPTY:
            yield self._finding(None, Verdict.NO, Because.UNSETTLED)
        elif policy is None:
            yield self._no_policy(self.standing.level.policy)
        else:
            yield from (replace(found, policy=policy.slug) for found in self._own_policy(policy))

    def _own_policy(self, policy: Policy) -> Iterator[Finding]:
        if not policy.tiers:
            yield self._finding(policy, Verdict.NO, Because.NO_TIERS)
        yield from (self._tier(tier) for tier in policy.tiers)
        for grant in self.standing.level.policy_grants:
            yield self._grant(grant, self._left(grant.reach), Because.EMBARGOED)

    def _no_policy(self, set_aside: Policy | None) -> Finding:
        gives = self._left(FULL)
        because = Because.SET_ASIDE if set_aside else Because.NO_POLICY
        verdict = Verdict.YES if gives >= self.wanted else Verdict.NO
        if verdict is Verdict.NO:
            because = Because.EMBARGOED
        elif set_aside:
            verdict = Verdict.DOES_NOT_APPLY
        return replace(self._finding(set_aside, verdict, because), gives=gives, take=True)

    def _tier(self, tier: Tier) -> Finding:
        found = self._admitting(tier)
        if found.because is Because.ADMITS:
            gives = self._left(tier.reach)
            found = replace(found, gives=gives, take=tier.take)
            if gives < self.wanted:
                found = replace(found, verdict=Verdict.NO, because=Because.EMBARGOED)
        if tier.reach < self.wanted:
            found = replace(found, verdict=Verdict.DOES_NOT_APPLY, because=Because.SMALLER, unmet=(), when=None)
        return found

    def _admitting(self, tier: Tier) -> Finding:
        """Whether it lets the subject in, before any embargo; times are asked first."""
        at, made, subject = self.case.at, self.case.offer.made, self.case.subject
        if not tier.window.covers(at):
            return self._outside(tier, tier.window)
        if tier.wall is not None and not tier.wall.covers(made, at):
            return self._finding(tier, Verdict.NO, Because.WALL, tier.wall.opens(made))
        if tier.season is not None and not tier.season.covers(at):
            return self._finding(tier, Verdict.NO, Because.SEASON)
        if not tier.audience.admits(subject):
            unmet = tuple(leaf for leaf in principals(tier.audience) if not leaf.admits(subject))
            return replace(self._finding(tier, Verdict.NO, Because.UNMET), unmet=unmet)
        return self._finding(tier, Verdict.YES, Because.ADMITS)

    def _outside(self, rule: Tier | Grant, window: Window) -> Finding:
        if window.begun(self.case.at):
            return self._finding(rule, Verdict.NO, Because.OVER, window.end)
        return self._finding(rule, Verdict.NO, Because.NOT_BEGUN, window.start)

    # -- grants

    def _grants(self) -> Iterator[Finding]:
        """Those given here; and those given further in that admit the subject, since they are good here too."""
        left = NOTHING if self.standing.hard else FULL
        for place in self.case.standings[: self.standing.position + 1]:
            for grant in place.level.grants:
                if place is self.standing or grant.admits(self.case.subject, self.case.at):
                    found = self._grant(grant, min(grant.reach, left), Because.HARD)
                    yield replace(found, given_at=place.position)

    def _grant(self, grant: Grant, left: int, closed: Because) -> Finding:
        if not grant.principal.admits(self.case.subject):
            return self._finding(grant, Verdict.DOES_NOT_APPLY, Because.SOMEBODY_ELSE)
        if not grant.window.covers(self.case.at):
            return self._outside(grant, grant.window)
        found = self._finding(grant, Verdict.YES, Because.ADMITS)
        if grant.reach < self.wanted:
            found = self._finding(grant, Verdict.DOES_NOT_APPLY, Because.SMALLER)
        elif left < self.wanted:
            found = self._finding(grant, Verdict.NO, closed)
        return replace(found, gives=left, take=grant.take)


# -- Remedies -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Way:
    """One way through one level: what must be met, what must be open, and which closures must have ended."""

    needs: frozenset[Principal] = frozenset()
    opens: tuple[Tier | Grant, ...] = ()
    closed: tuple[Window, ...] = ()


class Search:
    """Looks for what would be enough. Whatever is found has been tried out with :func:`decide`."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.reach = case.offer.wanted.reach
        self.withdrawn = tuple(w.window for s in case.standings for w in s.level.withdrawals)

    def sound(self) -> Iterator[Remedy]:
        for ways in islice(product(*self._levels()), MOST_TRIED):
            yield from self._proven(ways, grant=False)
        hard = tuple(e.window for s in self.case.standings for e in s.level.embargoes if e.hard)
        yield from self._proven((Way(closed=hard),), grant=True)

    def _proven(self, ways: Sequence[Way], *, grant: bool) -> Iterator[Remedy]:
        opens = self._opening(ways)
        if opens is None:
            return
        until = opens if opens > self.case.at else None
        remedy = Remedy(self._needs(ways), until, grant)
        trial = tried(remedy, self.case.offer, self.case.subject)
        if trial is not None and isinstance(decide(*trial, opens), Allowed):
            yield remedy

    def _needs(self, ways: Sequence[Way]) -> tuple[Principal, ...]:
        """In a fixed order. Nobody is a member of anything before signing in, so that is said too."""
        needs = frozenset[Principal]().union(*(way.needs for way in ways))
        if self.case.subject.user is None and any(isinstance(need, PERSONAL) for need in needs):
            needs |= {Authenticated()}
        return tuple(sorted(needs, key=lambda need: (ORDER.index(type(need)), repr(need))))

    # -- what each level asks

    def _levels(self) -> list[list[Way]]:
        """The ways through each level that is not passed as it is."""
        return [list(self._ways(standing)) for standing in self.case.standings if standing.reach < self.reach]

    def _ways(self, standing: Standing) -> Iterator[Way]:
        embargoes = standing.level.embargoes
        closed = tuple(e.window for e in embargoes if e.closes is Closes.ALL or self.reach >= FULL)
        hard = tuple(embargo.window for embargo in embargoes if embargo.hard)
        if standing.policy is None:
            yield Way(closed=closed)
        for tier in standing.covering(self.reach):
            yield from (Way(needs, (tier,), closed) for needs in unmet_sets(tier.audience, self.case.subject))
        if standing.policy is not None:
            yield from (Way(opens=(grant,), closed=closed) for grant in self._promised(standing.level.policy_grants))
        for inner in self.case.standings[: standing.position + 1]:
            yield from (Way(opens=(grant,), closed=hard) for grant in self._promised(inner.level.grants))

    def _promised(self, grants: Iterable[Grant]) -> Iterator[Grant]:
        """Those that this person holds, running or still to begin."""
        subject = self.case.subject
        return (grant for grant in grants if grant.reach >= self.reach and grant.principal.admits(subject))

    # -- when it would be

    def _opening(self, ways: Sequence[Way]) -> datetime | None:
        """The first instant at which all of these are open and nothing is closed; ``None`` if none is found."""
        at: datetime | None = self.case.at
        for _attempt in range(10):
            before = at
            at = self._pushed(ways, at)
            if at is None or at == before:
                return at
        return None

    def _pushed(self, ways: Sequence[Way], at: datetime | None) -> datetime | None:
        """An instant moved past everything that is in its way, once round."""
        closed = (*self.withdrawn, *(window for way in ways for window in way.closed))
        for window in sorted(closed, key=lambda window: (window.end is None, utc(window.end or EPOCH))):
            if at is not None and window.covers(at):
                at = utc(window.end) if window.end is not None else None
        for rule in (rule for way in ways for rule in way.opens):
            at = at and self._open(rule, at)
        return at

    def _open(self, rule: Tier | Grant, at: datetime) -> datetime | None:
        starts = [at] if rule.window.start is None else [at, utc(rule.window.start)]
        if isinstance(rule, Tier) and rule.wall is not None:
            opens = rule.wall.opens(self.case.offer.made)
            if opens is None:
                return None
            starts.append(opens)
        found: datetime | None = max(starts)
        if isinstance(rule, Tier) and rule.season is not None and found is not None:
            found = in_season(rule.season, found)
        return None if found is None or rule.window.over(found) else found


ORDER = (Everyone, Authenticated, User, Group, Attribute, Agreed, Network, Seat)


def in_season(season: Season, at: datetime) -> datetime | None:
    """The first instant from ``at`` on that is in season."""
    if season.covers(at):
        return at
    today = at.astimezone(zone(season.zone)).date()
    for days in range(1, MOST_DAYS):
        if date.max - today < timedelta(days=days + 2):
            return None
        dawn = utc(datetime.combine(today + timedelta(days=days), time.min, tzinfo=zone(season.zone)))
        if season.covers(dawn):
            return dawn
    return None


def unmet_sets(audience: Audience, subject: Subject) -> list[frozenset[Principal]]:
    """Each set of principals that, if met as well, would let the subject in. Nobody can become another person."""
    if audience.admits(subject):
        return [frozenset()]
    if isinstance(audience, AllOf):
        members = (unmet_sets(member, subject) for member in audience.members)
        combined = (frozenset[Principal]().union(*sets) for sets in islice(product(*members), MOST_TRIED))
        return list(dict.fromkeys(combined)) if audience.members else []
    if isinstance(audience, AnyOf):
        return [needs for member in audience.members for needs in unmet_sets(member, subject)][:MOST_TRIED]
    if isinstance(audience, Seat):
        return borrowed(audience)
    return [] if isinstance(audience, User) or is_invitation(audience) else [frozenset({audience})]


def borrowed(seat: Seat) -> list[frozenset[Principal]]:
    """Where a copy can be borrowed: anywhere, or only at the places that have some."""
    if seat.elsewhere:
        return [frozenset({seat})]
    return [frozenset({seat, network}) for _slug, network in seat.places]


def demands(remedy: Remedy) -> tuple[int, bool, datetime, str]:
    """How much a remedy asks, for sorting."""
    count = len(remedy.needs) + (remedy.until is not None) + remedy.grant
    return count, remedy.grant, remedy.until or EPOCH, repr(remedy.needs)


def asks_less(one: Remedy, other: Remedy) -> bool:
    """Whether whoever has what the other asks has what this one asks anyway."""
    sooner = one.until is None or (other.until is not None and one.until <= other.until)
    return set(one.needs) <= set(other.needs) and one.grant <= other.grant and sooner


def tried(remedy: Remedy, offer: Offer, subject: Subject) -> tuple[Offer, Subject] | None:
    """The question as it would be with a remedy; ``None`` if nobody can be in all its places at once."""
    for need in remedy.needs:
        subject = _meeting(need, subject)
    networks = [need for need in remedy.needs if isinstance(need, Network)]
    placed = standing_in(networks, subject)
    if placed is None:
        return None
    return (granted(offer) if remedy.grant else offer), placed


def standing_in(networks: Sequence[Network], subject: Subject) -> Subject | None:
    """Somebody at every one of these networks: by address, or by a machine that is enrolled for one and stands in the others."""
    if not networks:
        return subject
    address = address_in(networks)
    if address is not None:
        return replace(subject, address=address)
    for place in (one for one in networks if one.id and one.enrolled):
        others = [one for one in networks if one.id != place.id]
        address = address_in(others)
        if address is not None or not others:
            return replace(subject, places=frozenset({place.id}), address=address or subject.address)
    return None


def _meeting(need: Principal, subject: Subject) -> Subject:
    match need:
        case Authenticated():
            return replace(subject, user=subject.user or SOMEBODY)
        case Group():
            return replace(subject, groups=subject.groups | {need.id})
        case Attribute():
            return replace(subject, attributes=subject.attributes | {need.example})
    return _having_done(need, subject)


def _having_done(need: Principal, subject: Subject) -> Subject:
    match need:
        case Agreed():
            return replace(subject, agreements=subject.agreements | {need.service})
        case Seat():
            return replace(subject, loans=subject.loans | {(need.rule, need.work, "")})
    return subject


def address_in(networks: Sequence[Network]) -> Address | None:
    """An address that is in every one of these networks. Of prefixes that meet, one begins inside the other."""
    for candidate in (prefix.network_address for network in networks for prefix in network.prefixes):
        where = Subject(address=candidate)
        if all(network.admits(where) for network in networks):
            return candidate
    return None


def granted(offer: Offer) -> Offer:
    """The same offer with one more grant, at the resource, for whoever asks."""
    nearest, *rest = offer.levels or (Level(name=""),)
    nearest = replace(nearest, grants=(*nearest.grants, Grant(Everyone(), FULL)))
    return replace(offer, levels=(nearest, *rest), restricted=False)

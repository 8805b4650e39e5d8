"""Whether one may see a rendition. The rules are set out in ``README.md`` beside this file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from iiif_auth.policy.types import (
    FULL,
    NOBODY,
    NOTHING,
    OTHER,
    PERSONAL,
    AccessService,
    Agreed,
    AllOf,
    Allowed,
    AnyOf,
    Closes,
    Decision,
    Denied,
    Embargo,
    Gets,
    Grant,
    Level,
    Network,
    Offer,
    Policy,
    Principal,
    Rendition,
    Seat,
    Subject,
    Substitute,
    Text,
    Tier,
    Unknown,
    Why,
    Window,
    principals,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EMPTY = Policy(slug="")
"""What level 0 has if nothing above it has a policy: nobody is admitted."""


def decide(offer: Offer | None, subject: Subject, at: datetime) -> Decision:
    """The decision for one subject at one instant (``at`` must be aware).

    Raises:
        TypeError: ``at`` is naive.
        zoneinfo.ZoneInfoNotFoundError: a rule names a time zone that does not exist; callers treat this as a no.
    """
    return Unknown() if offer is None else Case(offer, subject, in_utc(at)).decision()


def is_allowed(offer: Offer, subject: Subject, at: datetime) -> bool:
    """Whether :func:`decide` would say ``Allowed``, without asking further why not or what instead."""
    return Case(offer, subject, in_utc(at)).reach >= offer.wanted.reach


def is_restricted(offer: Offer) -> bool:
    """Whether nobody at all is let in with nothing in hand, whatever the time: some level has no tier and no grant for them."""
    if any(embargo.then for level in offer.levels for embargo in level.embargoes):
        return all(is_restricted(replace(offer, levels=levels)) for levels in over_time(offer.levels))
    granted = False
    for level, policy in zip(offer.levels, in_force(offer.levels), strict=True):
        granted = granted or any(grant.principal.admits(NOBODY) for grant in level.grants)
        held = [] if policy is None else [tier.audience for tier in policy.tiers if tier.reach >= offer.wanted.reach]
        by_policy = [grant.principal for grant in level.policy_grants] if policy is not None else []
        if policy is not None and not granted and not any(one.admits(NOBODY) for one in (*held, *by_policy)):
            return True
    return False


def in_utc(at: datetime) -> datetime:
    """The same instant in UTC: two times of one zone compare by the clock, which says 02:30 twice in autumn.

    Raises:
        TypeError: ``at`` is naive.
    """
    return EPOCH + (at - EPOCH)


def over_time(levels: tuple[Level, ...]) -> Iterator[tuple[Level, ...]]:
    """The levels as they are governed at each time, without what comes then."""
    ends = {one.window.end for level in levels for one in level.embargoes if one.then is not None and one.window.end}
    for at in (datetime.min.replace(tzinfo=UTC), *map(in_utc, ends)):
        now = (level.governed(at) for level in levels)
        yield tuple(replace(level, embargoes=()) for level in now)


class Source(NamedTuple):
    """Something that lets the subject have a reach: a tier or a grant, already known to admit."""

    reach: int
    take: bool
    name: str


ALL_OF_IT = [Source(FULL, take=True, name="")]
"""What a level without a policy of its own lets through."""


def best(sources: list[Source]) -> int:
    return max((source.reach for source in sources), default=NOTHING)


@dataclass(slots=True)
class Standing:
    """One level as it stands for one subject at one instant.

    Attributes:
        running: the embargoes of this level that run now.
        opened: what its policy opens, and granted what grants here and further in open.
        sources: everything that counts at this level, after its embargoes; reach is the largest of theirs.
    """

    position: int
    level: Level
    policy: Policy | None
    running: tuple[Embargo, ...]
    opened: list[Source]
    granted: list[Source]
    sources: list[Source] = field(init=False)
    reach: int = field(init=False)

    def __post_init__(self) -> None:
        self.sources = self._sources()
        self.reach = best(self.sources)

    @property
    def closes_all(self) -> bool:
        return any(embargo.closes is Closes.ALL for embargo in self.running)

    @property
    def hard(self) -> bool:
        return any(embargo.hard for embargo in self.running)

    def closers(self, reach: int) -> list[Embargo]:
        """The running embargoes that close this reach."""
        return [embargo for embargo in self.running if embargo.closes is Closes.ALL or reach >= FULL]

    def _sources(self) -> list[Source]:
        opened = self.opened if self.policy else ALL_OF_IT
        if not self.running:
            return opened + self.granted
        if self.closes_all:
            opened = []
        opened = [source._replace(reach=min(source.reach, FULL - 1)) for source in opened]
        return opened + ([] if self.hard else self.granted)

    def covering(self, reach: int) -> list[Tier]:
        return [tier for tier in (self.policy or EMPTY).tiers if tier.reach >= reach]


def in_force(levels: tuple[Level, ...]) -> list[Policy | None]:
    """The policy each level contributes: those beyond an overriding one are set aside."""
    policies: list[Policy | None] = []
    overridden = False
    for level in levels:
        policies.append(None if overridden else level.policy)
        overridden = overridden or (level.overrides and level.policy is not None)
    if policies and not any(policies):
        policies[0] = EMPTY
    return policies


class Case:
    """One offer, one subject, one instant."""

    __slots__ = ("at", "offer", "reach", "standings", "subject")

    def __init__(self, offer: Offer, subject: Subject, at: datetime) -> None:
        self.offer, self.subject, self.at = offer, subject, at
        levels = offer.levels or (Level(name=""),)
        self.standings = list(self._stand(tuple(level.governed(at) for level in levels)))
        withdrawn = any(True for _ in self._withdrawn())
        self.reach = NOTHING if withdrawn else min(standing.reach for standing in self.standings)

    def _stand(self, levels: tuple[Level, ...]) -> Iterator[Standing]:
        granted: list[Source] = []
        for position, (level, policy) in enumerate(zip(levels, in_force(levels), strict=True)):
            granted = granted + self._granted(level.grants)
            running = tuple([embargo for embargo in level.embargoes if embargo.window.covers(self.at)])
            opened = self._opened(policy) + (self._granted(level.policy_grants) if policy and level.policy else [])
            yield Standing(position, level, policy, running, opened, granted)

    def _opened(self, policy: Policy | None) -> list[Source]:
        held = policy or EMPTY
        return [
            Source(tier.reach, tier.take, f"{held.slug}/{tier.slug}")
            for tier in held.tiers
            if tier.admits(self.subject, self.at, self.offer.made)
        ]

    def _granted(self, grants: tuple[Grant, ...]) -> list[Source]:
        return [Source(grant.reach, grant.take, grant.label) for grant in grants if grant.admits(self.subject, self.at)]

    def _withdrawn(self) -> Iterator[tuple[Window, Text | None]]:
        for standing in self.standings:
            for withdrawal in standing.level.withdrawals:
                if withdrawal.window.covers(self.at):
                    yield withdrawal.window, Text(withdrawal.note) if withdrawal.note else None

    # -- yes ------------------------------------------------------------------------------------------------------

    def decision(self) -> Allowed | Denied:
        wanted = self.offer.wanted
        if self.reach >= wanted.reach:
            return self._allowed(wanted)
        return self._denied(wanted)

    def _allowed(self, wanted: Rendition) -> Allowed:
        covering = [[s for s in standing.sources if s.reach >= wanted.reach] for standing in self.standings]
        by = tuple(sources[0].name for sources in covering if sources[0].name)
        return Allowed(wanted, by, take=all(any(s.take for s in sources) for sources in covering))

    # -- no -------------------------------------------------------------------------------------------------------

    def _denied(self, wanted: Rendition) -> Denied:
        why, opens, text = self._reason(wanted.reach)
        return Denied(
            wanted,
            substitutes=once(self._substitutes(wanted)),
            why=why,
            remedies=self.remedies(wanted.reach),
            opens=opens,
            text=text,
            hidden=self.offer.hidden,
        )

    def _failing(self, reach: int) -> list[Standing]:
        return [standing for standing in self.standings if standing.reach < reach]

    def _reason(self, reach: int) -> tuple[Why, datetime | None, Text | None]:
        withdrawals = list(self._withdrawn())
        if withdrawals:
            opens = latest([window for window, _ in withdrawals])
            return Why.WITHDRAWN, opens, withdrawals[0][1] or self._text(Why.WITHDRAWN)
        failing = self._failing(reach)
        embargoes = [embargo for standing in failing for embargo in standing.closers(reach)]
        if embargoes:
            note = embargoes[0].note
            opens = latest([embargo.window for embargo in embargoes])
            return Why.EMBARGOED, opens, Text(note) if note else self._text(Why.EMBARGOED)
        if not any(standing.policy and standing.policy is not EMPTY for standing in self.standings):
            return Why.NO_POLICY, None, None
        why, opens = self._gap(failing[0].covering(reach))
        return why, opens, self._text(why, failing[0].policy)

    def _text(self, why: Why, first: Policy | None = None) -> Text | None:
        policies = [first] + [standing.policy for standing in self.standings]
        texts = (text for policy in policies if policy for reason, text in policy.texts if reason is why)
        return next(texts, None)

    def _gap(self, covering: list[Tier]) -> tuple[Why, datetime | None]:
        """What is missing at a level, told by the tier that comes nearest."""
        if not covering:
            return Why.NOT_OFFERED, None
        for tier in covering:
            if tier.open_at(self.at, self.offer.made):
                return self._unmet(tier), None
        return self._untimely(covering[0])

    def _untimely(self, tier: Tier) -> tuple[Why, datetime | None]:
        if not tier.window.begun(self.at):
            return Why.TOO_EARLY, tier.window.start
        if tier.window.over(self.at):
            return Why.TOO_LATE, None
        if tier.wall is not None and not tier.wall.covers(self.offer.made, self.at):
            return Why.TOO_EARLY, tier.wall.opens(self.offer.made)
        return Why.OUT_OF_SEASON, None

    def _unmet(self, tier: Tier) -> Why:
        unmet = [leaf for leaf in principals(tier.audience) if not leaf.admits(self.subject)]
        # A tier for nobody by rule is for those whom grants name, and grants name people.
        for_named = isinstance(tier.audience, AllOf | AnyOf) and not tier.audience.members
        personal = for_named or any(isinstance(leaf, PERSONAL) for leaf in unmet)
        if personal and self.subject.user is None:
            return Why.NOT_SIGNED_IN
        if any(isinstance(leaf, Agreed) for leaf in unmet):
            return Why.NOT_AGREED
        return Why.NOT_ENTITLED if personal else _where_or_what(unmet)

    def remedies(self, reach: int) -> tuple[AccessService, ...]:
        """The services that might still lead to this reach (A2-PRB-17: with none of them, login is pointless)."""
        failing = self._failing(reach)
        if any(True for _ in self._withdrawn()) or any(self._sealed(standing, reach) for standing in failing):
            return ()
        services = {
            service.slug: service
            for standing in failing
            for tier in standing.covering(reach)
            if tier.open_at(self.at, self.offer.made)
            for service in tier.services
            if service.slug not in self.subject.agreements
        }
        return tuple(services.values())

    def _sealed(self, standing: Standing, reach: int) -> bool:
        """Whether an embargo holds this level shut and no grant to anybody could open it."""
        if not standing.closers(reach):
            return False
        if standing.hard:
            return True
        inwards = self.standings[: standing.position + 1]
        grants = (grant for inner in inwards for grant in inner.level.grants)
        return not any(grant.reach >= reach and grant.window.covers(self.at) for grant in grants)

    # -- instead --------------------------------------------------------------------------------------------------

    def _substitutes(self, wanted: Rendition) -> Iterator[Substitute]:
        for other in self.offer.others:
            if not OTHER < other.reach < wanted.reach:
                continue
            if self.reach >= other.reach:
                yield Substitute(other)
                return
            if self.remedies(other.reach):
                yield Substitute(other, narrowed(self.offer, other))
        if self.reach >= OTHER:
            yield from self._other_resources()

    def _other_resources(self) -> Iterator[Substitute]:
        offers = {offer.wanted.uri: offer for offer in self.offer.substitutes}
        for uri in self._named_instead():
            offer = offers.get(uri)
            match decide(replace(offer, substitutes=(), others=()) if offer else None, self.subject, self.at):
                case Allowed(rendition=rendition):
                    yield Substitute(rendition)
                case Denied(rendition=rendition, remedies=remedies) if remedies:
                    yield Substitute(rendition, offer)
                case Denied() | Unknown():  # pragma: no branch
                    pass

    def _named_instead(self) -> Iterator[str]:
        for standing in self.standings:
            if standing.policy is None or standing.closes_all:
                continue
            for tier in standing.policy.tiers:
                if tier.gets is Gets.SUBSTITUTE and tier.admits(self.subject, self.at, self.offer.made):
                    yield tier.substitute


def _where_or_what(unmet: list[Principal]) -> Why:
    """What is missing of what is not about the person: the place comes first, for elsewhere a copy would not help."""
    kinds = (Network, Why.WRONG_PLACE), (Seat, Why.NO_SEAT)
    found = (why for kind, why in kinds if any(isinstance(leaf, kind) for leaf in unmet))
    return next(found, Why.NOT_ENTITLED)


def narrowed(offer: Offer, wanted: Rendition) -> Offer:
    """The same offer for one of its smaller renditions."""
    return replace(
        offer,
        wanted=wanted,
        restricted=False,
        others=tuple(other for other in offer.others if other.reach < wanted.reach),
    )


def once(substitutes: Iterable[Substitute]) -> tuple[Substitute, ...]:
    """Each URI where it comes first."""
    first: dict[str, Substitute] = {}
    for substitute in substitutes:
        first.setdefault(substitute.rendition.uri, substitute)
    return tuple(first.values())


def latest(windows: list[Window]) -> datetime | None:
    """The end of the last of these windows; ``None`` if one of them never ends."""
    ends = [window.end for window in windows if window.end is not None]
    return max(ends, key=datetime.timestamp) if len(ends) == len(windows) else None

"""A second answer to "may they?", written from ``iiif_auth/policy/README.md`` alone.

Slow and plain on purpose: it shares no logic with ``decide.py`` nor with the methods of the values: dumb records here.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

FULL, OTHER, NOTHING = 1_000_000_000, 0, -1
CALENDAR = [(month, day) for month in range(1, 13) for day in range(1, monthrange(2024, month)[1] + 1)]
PERSONAL = ("Authenticated", "User", "Group", "Attribute")


# -- Who ----------------------------------------------------------------------------------------------------------
def lets_in(audience, subject):
    rule = type(audience).__name__
    if rule == "AllOf":
        return len(audience.members) > 0 and [lets_in(m, subject) for m in audience.members].count(False) == 0
    if rule == "AnyOf":
        return [lets_in(m, subject) for m in audience.members].count(True) > 0
    return WHO[rule](audience, subject)


def inside(address, prefix):
    if address is None or address.version != prefix.version:
        return False
    free = {4: 32, 6: 128}[prefix.version] - prefix.prefixlen
    return int(address) >> free == int(prefix.network_address) >> free


def says(rule, value):
    wanted = [rule.value, *rule.others]
    if rule.matching.value == "exact":
        return value in wanted
    parts = value.split("@")
    return len(parts) == 2 and "" not in parts and parts[1] in wanted


WHO = {
    "Everyone": lambda rule, subject: True,
    "Authenticated": lambda rule, subject: subject.user is not None,
    "User": lambda rule, subject: rule.id == subject.user,
    "Group": lambda rule, subject: rule.id in subject.groups,
    "Attribute": lambda rule, subject: any(
        says(rule, value) for name, value in subject.attributes if name == rule.name
    ),
    "Network": lambda rule, subject: (
        [place for place in subject.places if place and place == rule.id] != []
        or any(inside(subject.address, prefix) for prefix in rule.prefixes)
    ),
    "Agreed": lambda rule, subject: rule.service in subject.agreements,
    "Seat": lambda rule, subject: True in [good_loan(rule, loan, subject) for loan in subject.loans],
}


def good_loan(seat, loan, subject):
    """Whether a loan is one of what the seat asks for, and counts where the subject is."""
    rule, work, place = loan
    if rule != seat.rule or work != seat.work:
        return False
    here = [slug for slug, network in seat.places if lets_in(network, subject)]
    return place == "" or place in here


def unmet(audience, subject):
    """The kinds of the principals that do not let this subject in."""
    if type(audience).__name__ in ("AllOf", "AnyOf"):
        return [kind for member in audience.members for kind in unmet(member, subject)]
    return [] if lets_in(audience, subject) else [type(audience).__name__]


# -- When ---------------------------------------------------------------------------------------------------------
def side(window, at):
    """-1 before a window, 0 in it, 1 after it."""
    if window.start is not None and at < window.start:
        return -1
    return 1 if window.end is not None and at >= window.end else 0


def running(overlays, at):
    return [overlay for overlay in overlays if side(overlay.window, at) == 0]


@cache
def days_of(start, end):
    """Walk round the calendar of a leap year from the first day to the last, which is not in."""
    days, here = set(), CALENDAR.index(start)
    while CALENDAR[here] != end:
        days.add(CALENDAR[here])
        here = (here + 1) % len(CALENDAR)
    return days


@cache
def wall_opens(made, years, zone):
    """The first instant whose local day is that one, found by looking at every minute, then seconds."""
    if made is None or made.year + years > 9999:
        return None
    year, month, day = made.year + years, made.month, made.day
    if (month, day) == (2, 29) and not isleap(year):
        month, day = 3, 1
    here = datetime(year, month, day, tzinfo=UTC) - timedelta(hours=27)
    while here.astimezone(ZoneInfo(zone)).timetuple()[:3] < (year, month, day):
        here += timedelta(minutes=1)
    while (here - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).timetuple()[:3] >= (year, month, day):
        here -= timedelta(seconds=1)
    return here


def not_open(tier, made, at):
    """Why a tier is not open and when it will be; ``None`` if it is open. (The order of "Denied: why", step 4.)"""
    if side(tier.window, at):
        return ("too-early", tier.window.start) if side(tier.window, at) < 0 else ("too-late", None)
    opens = wall_opens(made, tier.wall.years, tier.wall.zone) if tier.wall else None
    if tier.wall and (opens is None or at < opens):
        return "too-early", opens
    local = at.astimezone(ZoneInfo(tier.season.zone if tier.season else "UTC"))
    if tier.season and (local.month, local.day) not in days_of(tier.season.start, tier.season.end):
        return "out-of-season", None
    return None


# -- Levels -------------------------------------------------------------------------------------------------------
def tier_reach(tier):
    return {"full": FULL, "smaller": tier.max_edge, "substitute": OTHER, "nothing": NOTHING}[tier.gets.value]


class Place:
    """All facts about one level for one subject at one instant. ``grants`` were given here or further in."""

    def __init__(self, level, policy, bare, grants, subject, made, at):
        self.policy, self.bare = policy, bare
        self.tiers = policy.tiers if policy else ()
        self.closed = {id(tier): not_open(tier, made, at) for tier in self.tiers}
        self.entering = [t for t in self.tiers if self.closed[id(t)] is None and lets_in(t.audience, subject)]
        self.embargoes, self.withdrawals = running(level.embargoes, at), running(level.withdrawals, at)
        self.hard = True in [embargo.hard for embargo in self.embargoes]
        self.closes = [embargo.closes.value for embargo in self.embargoes]
        self.grants, policy_grants = running(grants, at), running(level.policy_grants, at) if policy else []
        self.sources = [(tier_reach(tier), tier.take) for tier in self.entering] + given(policy_grants, subject)
        self.counted = counted(self) + ([] if self.hard else given(self.grants, subject))
        self.reach = max([reach for reach, _ in self.counted] + [NOTHING])


def given(grants, subject):
    return [(grant.reach, grant.take) for grant in grants if lets_in(grant.principal, subject)]


def counted(place):
    """What counts of a level's own, as (reach, take), after its embargoes; a bare one has no policy to ask."""
    if "all" in place.closes:
        return []
    if "full" in place.closes:
        return [(FULL - 1, True)] if place.bare else [(min(reach, FULL - 1), take) for reach, take in place.sources]
    return [(FULL, True)] if place.bare else place.sources


class Governed:
    """A level with the policy that governs it at an instant. ("What governs a level".)"""

    def __init__(self, level, at):
        self.overrides, self.embargoes, self.withdrawals = level.overrides, level.embargoes, level.withdrawals
        self.grants, self.policy, self.policy_grants = level.grants, level.policy, level.policy_grants
        reached = None
        for embargo in level.embargoes:
            end = embargo.window.end and embargo.window.end.astimezone(UTC)
            if embargo.then and end and end <= at and (reached is None or end > reached):
                reached, self.policy, self.policy_grants = end, embargo.then, embargo.then_grants


def places(offer, subject, at):
    """The levels in force, nearest first."""
    levels = [Governed(level, at) for level in offer.levels]
    aside = [number for number, level in enumerate(levels) if level.policy and level.overrides][:1]
    policies = [None if aside and number > aside[0] else level.policy for number, level in enumerate(levels)]
    found, grants = [], []
    for number, level in enumerate(levels):
        grants = grants + list(level.grants)
        bare = policies[number] is None and (number > 0 or policies.count(None) < len(policies))
        found.append(Place(level, policies[number], bare, grants, subject, offer.made, at))
    return found


def whole_reach(found):
    if not found or [place for place in found if place.withdrawals]:
        return NOTHING
    return min(place.reach for place in found)


def closing(place, reach):
    return [e for e in place.embargoes if e.closes.value == "all" or (e.closes.value == "full" and reach == FULL)]


# -- Denied -------------------------------------------------------------------------------------------------------
def latest(overlays):
    ends = [overlay.window.end for overlay in overlays]
    return None if None in ends else max(end.astimezone(UTC) for end in ends)


def why(found, subject, wanted):
    """(reason, opens, overlays behind it, deciding place)."""
    short = [place for place in found if place.reach < wanted]
    withdrawals = [w for place in found for w in place.withdrawals]
    if withdrawals:
        return "withdrawn", latest(withdrawals), withdrawals, None
    embargoes = [e for place in short for e in closing(place, wanted)]
    if embargoes:
        return "embargoed", latest(embargoes), embargoes, None
    if all(place.policy is None for place in found):
        return "no-policy", None, [], None
    covering = [tier for tier in short[0].tiers if tier_reach(tier) >= wanted]
    if not covering:
        return "not-offered", None, [], short[0]
    for tier in covering:
        if short[0].closed[id(tier)] is None:
            return whose(tier.audience, unmet(tier.audience, subject), subject), None, [], short[0]
    return *short[0].closed[id(covering[0])], [], short[0]


def whose(audience, kinds, subject):
    personal = any(kind in PERSONAL for kind in kinds) or getattr(audience, "members", None) == ()
    if personal and subject.user is None:
        return "not-signed-in"
    if "Agreed" in kinds:
        return "not-agreed"
    if personal:
        return "not-entitled"
    if "Network" in kinds:
        return "wrong-place"
    return "no-seat" if "Seat" in kinds else "not-entitled"


def told(found, reason, overlays, deciding):
    """The heading of the text."""
    if overlays and overlays[0].note:
        return overlays[0].note
    policies = [place.policy for place in (deciding, *found) if place and place.policy]
    headings = [text.heading for policy in policies for key, text in policy.texts if key.value == reason]
    return headings[0] if headings else None


def remedies(found, subject, reach):
    if [place for place in found if place.withdrawals]:
        return ()
    services = []
    for place in [place for place in found if place.reach < reach]:
        if closing(place, reach) and (place.hard or not any(g.reach >= reach for g in place.grants)):
            return ()
        for tier in place.tiers:
            if tier_reach(tier) >= reach and place.closed[id(tier)] is None:
                services += [service.slug for service in tier.services]
    return tuple(dict.fromkeys(slug for slug in services if slug not in subject.agreements))


def substitutes(offer, found, subject, at):
    """Each as (URI, None), or if controlled (URI, (URIs of the others of its offer))."""
    shown, mine = {}, whole_reach(found)
    for other in offer.others:
        if OTHER < other.reach < offer.wanted.reach:
            if mine >= other.reach:
                return *shown.items(), *([] if other.uri in shown else [(other.uri, None)])
            if remedies(found, subject, other.reach):
                shown.setdefault(other.uri, tuple(o.uri for o in offer.others if o.reach < other.reach))
    named = [(place, tier) for place in found for tier in place.entering if tier.gets.value == "substitute"]
    for place, tier in named if mine >= OTHER else []:
        for instead in offer.substitutes:
            if instead.wanted.uri == tier.substitute and "all" not in place.closes:
                said = answer(instead, subject, at, nested=True)
                if said[0] == "allowed":
                    shown.setdefault(tier.substitute, None)
                elif said[4]:
                    shown.setdefault(tier.substitute, tuple(o.uri for o in instead.others))
    return tuple(shown.items())


def answer(offer, subject, at, nested=False):
    """The decision as a tuple: what, URI, and take, or why, opens, remedies, substitutes and the note."""
    if offer is None:
        return ("unknown",)
    at = at.astimezone(UTC)
    found, wanted = places(offer, subject, at), offer.wanted
    if whole_reach(found) >= wanted.reach:
        take = [any(reach >= wanted.reach and keep for reach, keep in place.counted) for place in found]
        return "allowed", wanted.uri, all(take)
    reason, opens, overlays, deciding = why(found, subject, wanted.reach)
    instead = () if nested else substitutes(offer, found, subject, at)
    opens, note = opens and opens.astimezone(UTC), told(found, reason, overlays, deciding)
    return "denied", wanted.uri, reason, opens, remedies(found, subject, wanted.reach), instead, note

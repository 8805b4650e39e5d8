"""What is counted of a decision: where, by which rule, and how it ended."""

from __future__ import annotations

from typing import NamedTuple

from iiif_auth.policy.types import FULL, Allowed, Decision, Denied, Level, Offer, Unknown

ALLOWED, LESS, REFUSED = "allowed", "less", "refused"
GRANT = "grant"
"""Why something was allowed that no tier opened."""
UNKNOWN = "unknown"
"""Why something was refused that is not there."""
MOST_TIER = 40


class Facts(NamedTuple):
    """One line of the counts. Collection and policy are named by their identifiers, ``""`` for none.

    Attributes:
        why: for what was refused or lessened the reason, for what was allowed ``""`` or ``"grant"``.
    """

    door: str
    collection: str
    policy: str
    tier: str
    decision: str
    why: str


Fact = tuple[str, str, str, str, str, str]
"""The same as a plain tuple, which is made in a third of the time; this is made for every decision."""


def fact_of(door: str, offer: Offer | None, decision: Decision) -> Fact:
    """The line that a decision belongs to.

    A smaller version that somebody was let see counts as something lesser, and so does a refusal with something instead that
    they may have at once.
    """
    levels = () if offer is None else offer.levels
    collection = levels[1].name if len(levels) > 1 else ""
    match decision:
        case Allowed():
            said = ALLOWED if decision.rendition.reach >= FULL else LESS
            return (door, collection, _policy_of(levels), *_by(decision, said))
        case Denied():
            tier = _instead(decision) if decision.substitutes else None
            said = REFUSED if tier is None else LESS
            return door, collection, _policy_of(levels), tier or "", said, decision.why._value_
        case Unknown():  # pragma: no branch
            return door, "", "", "", REFUSED, UNKNOWN


def _policy_of(levels: tuple[Level, ...]) -> str:
    """The nearest policy: whatever else bears on an item, this is the one it is known by."""
    for level in levels:
        if level.policy is not None:
            return level.policy.slug
    return ""


def _by(decision: Allowed, said: str) -> tuple[str, str, str]:
    """The tier, what is said, and whether it was by a grant: those are called by a number, tiers by policy and name."""
    if not decision.by:
        return decision.rendition.tier[:MOST_TIER], said, ""
    _policy, slash, tier = decision.by[0].partition("/")
    return (tier[:MOST_TIER], said, "") if slash else (decision.rendition.tier[:MOST_TIER], said, GRANT)


def _instead(decision: Denied) -> str | None:
    """The tier of what they may have at once instead, ``None`` if there is no such thing."""
    for one in decision.substitutes:
        if one.offer is None:
            return one.rendition.tier[:MOST_TIER]
    return None

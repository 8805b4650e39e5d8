"""Of which work an item is, for rules by which copies are lent: the policies of an offer name it, those of the book do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from iiif_auth.policy import types as policy

Said = Callable[[policy.Seat], policy.Seat]


def lends(held: policy.Policy) -> bool:
    """Whether some tier is for whoever borrowed a copy."""
    return any(isinstance(leaf, policy.Seat) for tier in held.tiers for leaf in policy.principals(tier.audience))


def of_item(levels: tuple[policy.Level, ...], uri: str, collection: str) -> tuple[policy.Level, ...]:
    """Levels whose seats name the work: the item at this URL, or for rules that lend whole collections the one it is in.

    An item in no collection is a work by itself. The slug of a collection is never a URL.
    """

    def said(seat: policy.Seat) -> policy.Seat:
        return replace(seat, work=(collection or uri) if seat.whole else uri)

    return tuple(_level(level, said) for level in levels)


def _level(level: policy.Level, said: Said) -> policy.Level:
    if not any(lends(held) for held in level.policies):
        return level
    embargoes = tuple(
        one if one.then is None else replace(one, then=_policy(one.then, said)) for one in level.embargoes
    )
    return replace(level, policy=level.policy and _policy(level.policy, said), embargoes=embargoes)


def _policy(held: policy.Policy, said: Said) -> policy.Policy:
    return replace(held, tiers=tuple(replace(tier, audience=_audience(tier.audience, said)) for tier in held.tiers))


def _audience(audience: policy.Audience, said: Said) -> policy.Audience:
    if isinstance(audience, policy.AllOf | policy.AnyOf):
        return replace(audience, members=tuple(_audience(member, said) for member in audience.members))
    return said(audience) if isinstance(audience, policy.Seat) else audience


def seats_of(offer: policy.Offer) -> list[policy.Seat]:
    """Every seat that some tier on the way asks for, the nearest first, each once."""
    tiers = (tier for level in offer.levels for held in level.policies for tier in held.tiers)
    leaves = (leaf for tier in tiers for leaf in policy.principals(tier.audience))
    return list(dict.fromkeys(leaf for leaf in leaves if isinstance(leaf, policy.Seat)))

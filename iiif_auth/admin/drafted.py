"""A question judged as if the draft of a policy were live."""

from __future__ import annotations

from dataclasses import replace

from iiif_auth import drafts
from iiif_auth.models import PolicyDraft
from iiif_auth.policy.types import Level, Offer, Policy
from iiif_auth.store.values import settled


def with_policy(offer: Offer, draft: PolicyDraft) -> Offer:
    """The offer with a draft in the place of its policy, at every level that has that."""
    value = drafts.as_policy(draft)
    base = offer.levels[0].name if offer.levels else ""
    levels = tuple(_level(level, draft.policy.slug, value, base) for level in offer.levels)
    return replace(offer, levels=levels, restricted=False)


def _level(level: Level, slug: str, value: Policy, base: str) -> Level:
    if level.policy is None or level.policy.slug != slug:
        return level
    return settled(replace(level, policy=replace(value, slug=slug)), base)

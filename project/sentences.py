"""The rules about an item, in words."""

from __future__ import annotations

from django.utils.translation import gettext

from iiif_auth.policy import words
from iiif_auth.policy.decide import in_force
from iiif_auth.policy.types import Offer


def sentences(offer: Offer) -> list[str]:
    """One sentence for each policy in force, nearest first."""
    return [words.policy_sentence(policy, gettext) for policy in in_force(offer.levels) if policy is not None]

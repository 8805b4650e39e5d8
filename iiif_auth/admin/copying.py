"""Copies of policies: how a template is used, and how a policy is varied."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from iiif_auth.models import AccessPolicy, Tier

MOST_SLUG = 80


def proposed_name(row: AccessPolicy) -> str:
    return row.name if row.is_template else gettext("Copy of %(name)s") % {"name": row.name}


def free_slug(slug: str) -> str:
    """The identifier itself if it is free, else with the first number that is."""
    taken = set(AccessPolicy.objects.filter(slug__startswith=slug[:60]).values_list("slug", flat=True))
    candidates = (slug, *(f"{slug[: MOST_SLUG - 8]}-{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in candidates if candidate not in taken)


@transaction.atomic
def copied(row: AccessPolicy, *, name: str, slug: str) -> AccessPolicy:
    """A policy like this one, with its tiers, conditions, services and texts; in use even if that was a template."""
    tiers, texts = list(row.tiers.all()), list(row.texts.all())
    copy = AccessPolicy.objects.create(slug=slug, name=name[:200], about=row.about, zone=row.zone)
    for tier in tiers:
        copy_tier(tier, copy)
    for text in texts:
        text.pk, text.policy = None, copy
        text._state.adding = True
        text.save()
    return copy


def copy_tier(tier: Tier, policy: AccessPolicy) -> None:
    conditions, services = list(tier.conditions.all()), list(tier.services.all())
    tier.pk, tier.policy = None, policy
    tier._state.adding = True
    tier.save()
    tier.services.set(services)
    for condition in conditions:
        condition.pk, condition.tier = None, tier
        condition._state.adding = True
        condition.save()

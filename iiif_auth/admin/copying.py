"""Copies of policies: how a template is used, and how a policy is varied.

Templates and what comes with them have identifiers that begin with ``template-``, so that loading them again, as after an
upgrade, touches nothing of the host's. A copy uses the host's own service or network of the plain name, and makes it if
there is none yet.
"""

from __future__ import annotations

from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext

from iiif_auth.models import AccessPolicy, AccessService, Network, Tier

MARK = "template-"
MOST_SLUG = 80
ASKING = ("requestable", "second_approver", "secret_from_staff")
Named = TypeVar("Named", AccessService, Network)


def proposed_name(row: AccessPolicy) -> str:
    return row.name if row.is_template else gettext("Copy of %(name)s") % {"name": row.name}


def free_slug(slug: str, model: type[models.Model] = AccessPolicy) -> str:
    """The identifier, without the mark of templates, if it is free; else with the first number that is."""
    slug = slug.removeprefix(MARK)
    beginning = slug[: MOST_SLUG - 8]
    taken = set(model._default_manager.filter(slug__startswith=beginning).values_list("slug", flat=True))
    candidates = (slug, *(f"{beginning}-{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in candidates if candidate not in taken)


@transaction.atomic
def copied(row: AccessPolicy, *, name: str, slug: str) -> AccessPolicy:
    """A policy like this one, with its tiers, conditions, services and texts; in use even if that was a template."""
    tiers, texts = list(row.tiers.all()), list(row.texts.all())
    kept = {field: getattr(row, field) for field in ("about", "zone", "signed", "signed_if_blocked", *ASKING)}
    copy = AccessPolicy.objects.create(slug=slug, name=name[:200], **kept)
    for tier in tiers:
        copy_tier(tier, copy)
    for text in texts:
        text.policy = copy
        save_as_new(text)
    return copy


def copy_tier(tier: Tier, policy: AccessPolicy) -> None:
    conditions, services = list(tier.conditions.all()), list(tier.services.all())
    fresh = Tier.objects.get(pk=tier.pk)
    fresh.policy = policy
    save_as_new(fresh)
    fresh.services.set([hosts_own(service) for service in services])
    for condition in conditions:
        condition.tier = fresh
        condition.service = hosts_own(condition.service) if condition.service else None
        condition.network = hosts_own(condition.network) if condition.network else None
        save_as_new(condition)


def save_as_new(row: Any) -> None:
    row.pk = None
    row._state.adding = True
    row.save()


def hosts_own(row: Named) -> Named:
    """The host's own service or network in place of one that came with the templates."""
    if not row.slug.startswith(MARK):
        return row
    model = type(row)
    pattern = getattr(row, "pattern", None)
    same = {"pattern": pattern} if pattern else {}
    plain = row.slug.removeprefix(MARK)
    if (own := model._default_manager.filter(slug=plain, **same).first()) is not None:
        return own
    fresh = model._default_manager.get(pk=row.pk)
    fresh.slug = free_slug(row.slug, model)
    save_as_new(fresh)
    return fresh

"""Grants that are over: the rulebook forgets them, and whoever asks why not wants to know that there was one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from django.db.models import Q
from django.utils import timezone

from iiif_auth import store
from iiif_auth.models import Grant
from iiif_auth.policy import types as policy
from iiif_auth.policy.explain import SOMEBODY
from iiif_auth.policy.types import Level, Offer, Subject


def with_ended(offer: Offer, book: store.Rulebook, subject: Subject) -> Offer:
    """The offer with this person's ended grants too. The rulebook forgets those; what they open they opened once."""
    names = [level.name for level in offer.levels[1:]]
    slugs = [level.policy.slug for level in offer.levels if level.policy]
    whose = Q(user__isnull=True) & (Q(group__isnull=True) | Q(group__in=subject.groups))
    if subject.user not in (None, SOMEBODY):
        whose |= Q(user=subject.user)
    rows = Grant.objects.filter(Q(collection__slug__in=names) | Q(policy__slug__in=slugs), whose)
    ended = rows.filter(ends__lte=timezone.now()).select_related("user", "group", "service", "collection", "policy")
    found = list(ended.order_by("pk"))
    levels = tuple(_with_ended(number, offer.levels, found, book) for number in range(len(offer.levels)))
    return replace(offer, levels=levels, restricted=False)


def _with_ended(number: int, levels: Sequence[Level], ended: list[Grant], book: store.Rulebook) -> Level:
    level = levels[number]
    here = [row for row in ended if number and row.collection and row.collection.slug == level.name]
    its = [row for row in ended if level.policy and row.policy and row.policy.slug == level.policy.slug]
    return replace(
        level,
        grants=_joined(level.grants, here, levels[number:], book),
        policy_grants=_joined(level.policy_grants, its, (level,), book),
    )


def _joined(
    grants: tuple[policy.Grant, ...], rows: list[Grant], scope: Sequence[Level], book: store.Rulebook
) -> tuple[policy.Grant, ...]:
    known = {grant.label for grant in grants}
    return (*grants, *(store.grant_value(row, book.networks, scope) for row in rows if str(row.pk) not in known))

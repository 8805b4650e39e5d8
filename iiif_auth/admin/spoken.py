"""Rules in words for the pages of the admin, made from the rows as they are now."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language, gettext

from iiif_auth import store
from iiif_auth.conf import conf
from iiif_auth.models import AccessPolicy, Network, Tier
from iiif_auth.policy import types as policy
from iiif_auth.policy import words
from iiif_auth.policy.types import LanguageMap
from iiif_auth.protocol import languages

PARTS = (
    "tiers__services",
    "tiers__substitute",
    "tiers__conditions__network__devices",
    "tiers__conditions__service",
    "tiers__conditions__group",
    "tiers__conditions__user",
    "tiers__conditions__seats__places__network",
)
TOLD = ("texts",)


def with_parts(rows: QuerySet[AccessPolicy]) -> QuerySet[AccessPolicy]:
    """Policies with all that their sentences need, in a number of queries that does not grow with them."""
    return rows.prefetch_related(*PARTS)


def whole(row: AccessPolicy) -> AccessPolicy:
    return with_parts(AccessPolicy.objects.all()).prefetch_related(*TOLD).get(pk=row.pk)


def picked(value: LanguageMap) -> str:
    return languages.chosen(value, (get_language() or "en",))


def reader() -> words.Reader:
    return words.Reader(conf.TIME_ZONE, picked)


def scratch(tiers: Iterable[Tier]) -> store.Rulebook:
    """Services and networks of some tiers, from their own rows; the rulebook itself would cost a query for each row."""
    book = store.Rulebook("")
    for tier in tiers:
        book.services.update({service.slug: store.service_value(service) for service in tier.services.all()})
        rows = (condition.network for condition in tier.conditions.all())
        rules = (condition.seats for condition in tier.conditions.all() if condition.seats is not None)
        lent = (place.network for rule in rules for place in rule.places.all())
        book.networks.update({row.pk: network_value(row) for row in (*rows, *lent) if row is not None})
    return book


def network_value(row: Network) -> policy.Network:
    enrolled = any(one.revoked is None and one.since is not None for one in row.devices.all())
    return policy.Network(tuple(ip_network(text) for text in row.prefixes), row.name, str(row.pk), enrolled)


def policy_value(row: AccessPolicy) -> policy.Policy:
    """A policy as it judges, or for a template as its copies will: the rulebook keeps templates empty.

    Raises:
        Unreadable: it can not be read, and so admits nobody.
    """
    tiers = list(row.tiers.all())
    return policy.Policy(row.slug, tuple(tier_value(tier, row) for tier in tiers), (), row.name)


class Unreadable(ValueError):
    """What is stored makes no sense."""


def tier_value(tier: Tier, row: AccessPolicy) -> policy.Tier:
    try:
        policy.zone(row.zone)
        return store.Reader("")._tier(scratch([tier]), row, tier)
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(str(error)) from error


def policy_sentence(row: AccessPolicy) -> str:
    try:
        return words.policy_sentence(policy_value(row), gettext, reader())
    except Unreadable:
        return gettext("This policy can not be read, so it lets nobody in.")


def tier_sentence(row: Tier) -> str:
    try:
        return words.rule_sentence(tier_value(row, row.policy), gettext, reader())
    except Unreadable:
        return gettext("This tier can not be read, so it lets nobody in.")


def cautions_about_tier(tier: policy.Tier) -> Iterable[str]:
    name = {"tier": words.tier_name(tier, reader())}
    if tier.gets is policy.Gets.FULL and words.is_for_all(tier):
        yield gettext("“%(tier)s” gives the full version to everybody.") % name
    places = any(isinstance(leaf, policy.Network) for leaf in policy.principals(tier.audience))
    if places and not tier.services and not words.is_for_all(tier):
        yield (
            gettext(
                "“%(tier)s” asks where people are but has no access service, so viewers can not find out that they are there."
            )
            % name
        )


def is_private(row: Network) -> bool:
    """Whether some of its addresses mean something inside one network only."""
    lines = (ip_network(str(text)) for text in row.prefixes)
    return any(line.version == one.version and line.overlaps(one) for line in lines for one in words.PRIVATE)


def cautions_about_network(row: Network) -> Iterable[str]:
    tier = policy.Tier("network", policy.AnyOf((network_value(row),)))
    return words.warnings(policy.Policy("network", (tier,)), timezone.now(), gettext, reader())

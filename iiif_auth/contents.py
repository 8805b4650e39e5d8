"""A policy as JSON: all that it says, with the names of the people, places and things that it points at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext

from iiif_auth import store
from iiif_auth.models import (
    AccessPolicy,
    AccessService,
    Condition,
    Network,
    RefusalText,
    Resource,
    Tier,
)
from iiif_auth.policy import types as policy
from iiif_auth.store.values import texts_of

FIRST = 2**52
"""Rows that are not stored have keys from here on: no row that is stored gets that far."""

Content = dict[str, Any]
LINKS: dict[str, Callable[[], Any]] = {
    "user": get_user_model,
    "group": lambda: Group,
    "network": lambda: Network,
    "service": lambda: AccessService,
    "substitute": lambda: Resource,
}
OWN = ("name", "about", "zone", "signed", "signed_if_blocked", "requestable", "second_approver", "secret_from_staff")


class NotPublished(Exception):
    """A draft can not be judged or published; ``sentences`` say why not."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__(" ".join(self.sentences))


def plain_fields(model: type[models.Model], *but: str) -> list[Any]:
    """The fields that hold a value of their own, in the order of the model."""
    return [
        one
        for one in model._meta.concrete_fields
        if not one.is_relation and not one.primary_key and one.name not in but
    ]


# -- From rows ----------------------------------------------------------------------------------------------------


def snapshot(row: AccessPolicy) -> Content:
    """All that a policy says now, as JSON."""
    tiers = row.tiers.order_by("order", "pk").select_related("substitute")
    related = ("services", "conditions__user", "conditions__group", "conditions__network", "conditions__service")
    return {
        "policy": {name: getattr(row, name) for name in OWN},
        "tiers": [_tier_content(tier) for tier in tiers.prefetch_related(*related)],
        "texts": [_values(text) for text in row.texts.order_by("why")],
    }


def _values(row: models.Model) -> Content:
    encoded = DjangoJSONEncoder()
    values = {field.name: getattr(row, field.attname) for field in plain_fields(type(row))}
    return {name: encoded.default(value) if isinstance(value, datetime) else value for name, value in values.items()}


def _tier_content(tier: Tier) -> Content:
    return {
        **_values(tier),
        "substitute": _named(tier.substitute),
        "services": [_named(one) for one in sorted(tier.services.all(), key=lambda one: one.slug)],
        "conditions": [condition_content(one) for one in sorted(tier.conditions.all(), key=lambda one: one.pk)],
    }


def condition_content(row: Condition) -> Content:
    return {**_values(row), **{name: _named(getattr(row, name)) for name in ("user", "group", "network", "service")}}


def _named(row: Any) -> Content | None:
    return None if row is None else {"id": str(row.pk), "name": str(row)[:300]}


# -- To rows that are not stored ----------------------------------------------------------------------------------


class Linked:
    """The rows that a content names, read with one query for each kind.

    Raises:
        NotPublished: some of them are gone.
    """

    def __init__(self, content: Content) -> None:
        wanted: dict[str, dict[str, str]] = {name: {} for name in LINKS}
        for name, one in _links(content):
            wanted[name][one["id"]] = one["name"]
        self.rows = {name: _read(LINKS[name](), keys) for name, keys in wanted.items()}
        gone = [
            gettext("%(kind)s “%(name)s” is gone.") % {"kind": _kind(LINKS[name]()), "name": label}
            for name, keys in wanted.items()
            for key, label in keys.items()
            if key not in self.rows[name]
        ]
        if gone:
            raise NotPublished(gone)

    def row(self, name: str, one: Content | None) -> Any:
        return None if one is None else self.rows[name][one["id"]]


def _kind(model: type[models.Model]) -> str:
    name = str(model._meta.verbose_name)
    return name[:1].upper() + name[1:]


def _links(content: Content) -> Iterable[tuple[str, Content]]:
    for tier in content["tiers"]:
        if tier["substitute"]:
            yield "substitute", tier["substitute"]
        yield from (("service", one) for one in tier["services"])
        for condition in tier["conditions"]:
            yield from ((name, condition[name]) for name in ("user", "group", "network", "service") if condition[name])


def _read(model: Any, keys: dict[str, str]) -> dict[str, Any]:
    return {str(row.pk): row for row in model._default_manager.filter(pk__in=list(keys))} if keys else {}


def given(model: type[models.Model], values: Content, *but: str) -> dict[str, Any]:
    return {
        field.name: field.to_python(values[field.name]) for field in plain_fields(model, *but) if field.name in values
    }


def rows_of(content: Content, live: AccessPolicy) -> AccessPolicy:
    """A content with its tiers, conditions and texts, as if it had been read in the place of a live policy; nothing is stored.

    Raises:
        NotPublished: something that it names is gone.
    """
    linked = Linked(content)
    row = AccessPolicy(pk=live.pk, slug=live.slug, **content["policy"])
    tiers = [_tier_row(row, FIRST + number, values, linked) for number, values in enumerate(content["tiers"])]
    texts = [
        RefusalText(pk=FIRST + number, policy=row, **given(RefusalText, values))
        for number, values in enumerate(content["texts"])
    ]
    row._prefetched_objects_cache = {"tiers": tiers, "texts": texts}  # type: ignore[attr-defined]
    return row


def _tier_row(row: AccessPolicy, key: int, values: Content, linked: Linked) -> Tier:
    tier = Tier(pk=key, policy=row, substitute=linked.row("substitute", values["substitute"]), **given(Tier, values))
    services = [linked.row("service", one) for one in values["services"]]
    conditions = [
        condition_row(tier, (key - FIRST) * 1000 + FIRST + number, one, linked)
        for number, one in enumerate(values["conditions"])
    ]
    tier._prefetched_objects_cache = {"services": services, "conditions": conditions}  # type: ignore[attr-defined]
    return tier


def condition_row(tier: Tier, key: int | None, values: Content, linked: Linked) -> Condition:
    names = ("user", "group", "network", "service")
    return Condition(
        pk=key, tier=tier, **given(Condition, values), **{name: linked.row(name, values[name]) for name in names}
    )


def value_of(row: AccessPolicy) -> policy.Policy:
    """A policy with its tiers at hand, as the value that judges.

    Raises:
        NotPublished: it can not be read.
    """
    book, reader = store.rulebook(), store.Reader("")
    own = store.Rulebook("", services=book.services, networks=book.networks)
    try:
        policy.zone(row.zone)
        tiers = tuple(reader._tier(own, row, tier) for tier in row.tiers.all())
    except (KeyError, OSError, TypeError, ValueError) as error:
        raise NotPublished([gettext("It can not be read: please check its time zone and its tiers.")]) from error
    texts = tuple(
        (policy.Why(one.why), policy.Text(texts_of(one.heading), texts_of(one.note))) for one in row.texts.all()
    )
    return policy.Policy(row.slug, tiers, texts, row.name, row.signed, signed_if_blocked=row.signed_if_blocked)

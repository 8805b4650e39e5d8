"""Single rows as the values that policy judges."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from iiif_auth.models import AccessService, Condition, Embargo, Grant, Seats, Tier
from iiif_auth.policy import types as policy
from iiif_auth.protocol.languages import frozen

logger = logging.getLogger("iiif_auth.store")


def with_grants(level: policy.Level, grants: tuple[policy.Grant, ...]) -> policy.Level:
    return replace(level, grants=grants)


def substitute_of(tier: Tier, suffix: str) -> str:
    """The URL of what is shown instead; ``+suffix`` if every resource has its own at its address with that suffix."""
    if tier.substitute is not None:
        return str(tier.substitute.url)
    return f"+{suffix}" if tier.gets == Tier.Gets.SUBSTITUTE else ""


def settled(level: policy.Level, base: str) -> policy.Level:
    """A level whose tiers name the stand-ins of this very resource."""
    instead = {tier.substitute for held in level.policies for tier in held.tiers if tier.substitute.startswith("+")}
    return renamed(level, {one: base + one[1:] for one in instead})


def renamed(level: policy.Level, names: Mapping[str, str]) -> policy.Level:
    """A level whose tiers call what they show instead by other names; the level itself if there are none."""
    if not any(tier.substitute in names for held in level.policies for tier in held.tiers):
        return level
    embargoes = tuple(
        one if one.then is None else replace(one, then=_naming(one.then, names)) for one in level.embargoes
    )
    return replace(level, policy=level.policy and _naming(level.policy, names), embargoes=embargoes)


def _naming(held: policy.Policy, names: Mapping[str, str]) -> policy.Policy:
    tiers = tuple(replace(tier, substitute=names.get(tier.substitute, tier.substitute)) for tier in held.tiers)
    return replace(held, tiers=tiers)


def month_day(text: str) -> tuple[int, int]:
    """A day of the year.

    Raises:
        ValueError: there is none of that name, and such a season can not be read as a yes.
    """
    day = date.fromisoformat(f"2000-{text}")
    return day.month, day.day


def texts_of(value: Any) -> policy.LanguageMap:
    """A language map as it is in the database; a malformed one says nothing, but closes and opens nothing either."""
    try:
        return frozen(value)
    except (AttributeError, TypeError):
        logger.error("A language map can not be read: %.80r", value)
        return ()


def flow_order(service: policy.AccessService) -> tuple[int, str]:
    """The order in which viewers try services."""
    return policy.FLOW_ORDER.index(service.pattern), service.slug


def service_value(row: AccessService) -> policy.AccessService:
    texts = ("label", "heading", "note", "confirm_label", "error_heading", "error_note", "logout_label")
    return policy.AccessService(
        slug=row.slug,
        pattern=policy.Pattern(row.pattern),
        token_seconds=row.token_seconds,
        idle_minutes=row.idle_minutes,
        pass_hours=row.pass_hours,
        remember_days=row.remember_days,
        origin_rule=policy.OriginRule(row.origin_rule),
        origins=tuple(row.origins),
        dialects=dialects_of(row),
        agree_in_viewer=row.agree_in_viewer,
        clients=policy.Clients(row.clients),
        **{name: texts_of(getattr(row, name)) for name in texts},
    )


def dialects_of(row: AccessService) -> tuple[str, ...]:
    """What a service is offered in. Where only registered viewers get in, that is 0.9.2 at most: the others have none."""
    if row.clients == AccessService.Clients.ONLY:
        return tuple(name for name in row.dialects if name == "0.9.2")
    return tuple(row.dialects)


def embargo_value(row: Embargo) -> policy.Embargo:
    """An embargo but for what governs then, which is of the rulebook: see :func:`with_then`."""
    return policy.Embargo(policy.Window(row.starts, row.ends), policy.Closes(row.closes), row.hard, texts_of(row.note))


def with_then(
    value: policy.Embargo,
    key: int | None,
    policies: Mapping[int, policy.Policy],
    grants: Mapping[int, tuple[policy.Grant, ...]],
) -> policy.Embargo:
    """An embargo with the policy of this primary key, and what is granted for it, from its end on."""
    return value if key is None else replace(value, then=policies[key], then_grants=grants.get(key, ()))


def seat_value(row: Seats, networks: dict[int, policy.Network]) -> policy.Seat:
    """Whoever holds a copy by a lending rule, of a work that is not said yet."""
    places = tuple((place.network.slug, networks[place.network_id]) for place in row.places.all() if place.copies)
    return policy.Seat(
        row.slug,
        places=places,
        elsewhere=row.copies > 0,
        whole=row.counts == Seats.Counts.COLLECTION,
        label=row.name,
    )


def audience(tier: Tier, networks: dict[int, policy.Network]) -> policy.Audience:
    """The conditions of a tier joined as it says; those in one bracket are joined the other way first."""
    outer, inner = (policy.AllOf, policy.AnyOf) if tier.join == Tier.Join.ALL else (policy.AnyOf, policy.AllOf)
    members: list[policy.Audience] = []
    brackets: dict[int, list[policy.Audience]] = defaultdict(list)
    for condition in sorted(tier.conditions.all(), key=lambda row: (row.bracket, row.pk)):
        principal = principal_value(condition, networks)
        (brackets[condition.bracket] if condition.bracket else members).append(principal)
    members += [inner(tuple(group)) for group in brackets.values()]
    return outer(tuple(members))


def principal_value(row: Condition, networks: dict[int, policy.Network]) -> policy.Principal:
    match row.kind:
        case Condition.Kind.EVERYONE:
            return policy.Everyone()
        case Condition.Kind.AUTHENTICATED:
            return policy.Authenticated()
        case Condition.Kind.ATTRIBUTE:
            return attribute_value(row.attribute_name, row.attribute_value, row.attribute_matching)
    if row.seats is not None:
        return seat_value(row.seats, networks)
    return linked_principal(row, networks)


def attribute_value(name: str, text: str, matching: str) -> policy.Attribute:
    """An attribute as columns say it: its values one to a line."""
    first, *others = text.split("\n")
    return policy.Attribute(name, first, tuple(others), policy.Matching(matching))


def linked_principal(row: Condition | Grant, networks: dict[int, policy.Network]) -> policy.Principal:
    """The principal named by one of the columns that conditions and grants share.

    Raises:
        ValueError: none is set; such a row admits nobody.
    """
    if row.user_id is not None:
        return policy.User(str(row.user_id), str(row.user))
    if row.group_id is not None:
        return policy.Group(str(row.group_id), str(row.group))
    if row.network_id is not None:
        return networks[row.network_id]
    if row.service is not None:
        return policy.Agreed(row.service.slug, str(row.service))
    return _carried(row)


def _carried(row: Condition | Grant) -> policy.Attribute:
    invitation = getattr(row, "invitation_id", None)
    if invitation is not None:
        return policy.invited(str(invitation))
    if row.attribute_name:
        return attribute_value(row.attribute_name, row.attribute_value, row.attribute_matching)
    raise ValueError(f"{row!r} names nobody.")


def virtual_of(row: Tier) -> policy.Virtual | None:
    if not row.virtual or not row.max_edge:
        return None
    formats, qualities = row.formats or "jpg", row.qualities or "default"
    return policy.Virtual(row.max_edge, tuple(formats.split(",")), tuple(qualities.split(",")))


def reach_of(tier: str, levels: Sequence[policy.Level]) -> int:
    """The reach of a tier by its identifier: of the nearest policy that has it, else nothing.

    Where an embargo brings another policy that has it too, the smaller one counts: a grant never opens more than was meant.
    """
    return policy.FULL if not tier else min(_reaches(tier, levels), default=policy.NOTHING)


def reach_needed(tier: str, levels: Sequence[policy.Level]) -> int:
    """The reach that the version for a tier asks for: as :func:`reach_of`, but where there are two, the larger one."""
    return policy.FULL if not tier else max(_reaches(tier, levels), default=policy.NOTHING)


def _reaches(tier: str, levels: Sequence[policy.Level]) -> list[int]:
    """The reaches of a tier in the policies that ever govern the nearest level which has it."""
    each = ([t.reach for held in level.policies for t in held.tiers if t.slug == tier] for level in levels)
    return next((found for found in each if found), [])


def grant_value(row: Grant, networks: dict[int, policy.Network], levels: Sequence[policy.Level]) -> policy.Grant:
    return policy.Grant(
        linked_principal(row, networks),
        reach_of(row.tier, levels),
        policy.Window(row.starts, row.ends),
        row.take,
        str(row.pk),
    )


def user_id(text: str) -> str:
    """A user's primary key as policy writes it, however this database stores it (SQLite keeps a UUID without hyphens)."""
    return _user_id(settings.AUTH_USER_MODEL, text)


@lru_cache(maxsize=4096)
def _user_id(model: str, text: str) -> str:
    return str(get_user_model()._meta.pk.to_python(text))

"""What every dialect has to say, before it says it in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from iiif_auth.policy.decide import in_force, is_allowed
from iiif_auth.policy.types import (
    FLOW_ORDER,
    NOBODY,
    AccessService,
    Allowed,
    Decision,
    Denied,
    Offer,
    OriginRule,
    Pattern,
    Unknown,
)

JSON = Mapping[str, "JSONValue"]
JSONValue = str | int | float | bool | None | Sequence["JSONValue"] | Mapping[str, "JSONValue"]

AMBIENT = AccessService(
    slug="ambient",
    pattern=Pattern.EXTERNAL,
    label=(("en", ("Recognised by where and when you are",)),),
    error_heading=(("en", ("Not available here",)), ("de", ("Hier nicht verfügbar",))),
    error_note=(
        ("en", ("This item can be seen only at certain places or times; there is nothing to sign in to.",)),
        (
            "de",
            (
                "Dieses Objekt ist nur an bestimmten Orten oder zu bestimmten Zeiten zu sehen; eine Anmeldung "
                "hilft nicht.",
            ),
        ),
    ),
    origin_rule=OriginRule.OPEN,
)
"""The service of a rule that names none: every probe must have one (A2-PSD-03), and this one opens nothing by itself."""


class Problem(StrEnum):
    """Why no token was given; each dialect has its own word for it."""

    INVALID_REQUEST = "invalid-request"
    INVALID_ORIGIN = "invalid-origin"
    MISSING_ASPECT = "missing-aspect"
    INVALID_ASPECT = "invalid-aspect"
    EXPIRED_ASPECT = "expired-aspect"
    UNAVAILABLE = "unavailable"


def services_of(offer: Offer) -> tuple[AccessService, ...]:
    """The services that lead to a rendition, in the order in which viewers try them; never none."""
    found = {
        service.slug: service
        for policy in in_force(offer.levels)
        for tier in (policy.tiers if policy else ())
        if tier.reach >= offer.wanted.reach
        for service in tier.services
    }
    return tuple(sorted(found.values(), key=lambda service: FLOW_ORDER.index(service.pattern))) or (AMBIENT,)


def is_open(offer: Offer, at: datetime) -> bool:
    """Whether anybody, anywhere, with nothing in hand, may have it at this instant. Then it needs no services."""
    return is_allowed(offer, NOBODY, at)


def content_status(decision: Decision) -> int:
    """The HTTP status that the content itself answers (A2-PRB-04, A2-CONT-03).

    401 where something may still help, 403 where nothing will (A2-PRB-17). What is hidden always says 401, whatever
    the reason, so that reasons do not tell what exists (INV11).
    """
    match decision:
        case Allowed():
            return 200
        case Denied():
            return 401 if decision.hidden or decision.remedies or decision.substitutes else 403
        case Unknown():
            return 404

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
    LanguageMap,
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
    label=(
        ("en", ("Recognised by where and when you are",)),
        ("de", ("Erkannt daran, wo und wann Sie hier sind",)),
        ("fr", ("Reconnu par le lieu et le moment",)),
        ("es", ("Reconocido por el lugar y el momento",)),
        ("cy", ("Yn eich adnabod o’ch lleoliad a’r amser",)),
    ),
    error_heading=(
        ("en", ("Not available here",)),
        ("de", ("Hier nicht verfügbar",)),
        ("fr", ("Indisponible ici",)),
        ("es", ("No disponible aquí",)),
        ("cy", ("Ddim ar gael yma",)),
    ),
    error_note=(
        ("en", ("This item can be seen only at certain places or times; there is nothing to sign in to.",)),
        (
            "de",
            (
                "Dieses Objekt ist nur an bestimmten Orten oder zu bestimmten Zeiten zu sehen; eine Anmeldung "
                "hilft nicht.",
            ),
        ),
        (
            "fr",
            ("Cet objet n’est visible qu’à certains endroits ou à certains moments ; il n’y a pas à se connecter.",),
        ),
        ("es", ("Este objeto solo se puede ver en ciertos lugares o momentos; no hay que iniciar sesión.",)),
        ("cy", ("Dim ond mewn lleoedd neu ar adegau penodol y gellir gweld yr eitem hon; nid oes angen mewngofnodi.",)),
    ),
    origin_rule=OriginRule.OPEN,
    dialects=None,
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
    INVALID_CLIENT = "invalid-client"
    COOKIES_KEPT_OUT = "cookies-kept-out"


JSON_STATUS = {
    Problem.INVALID_REQUEST: 400,
    Problem.INVALID_ORIGIN: 403,
    Problem.MISSING_ASPECT: 401,
    Problem.INVALID_ASPECT: 401,
    Problem.EXPIRED_ASPECT: 401,
    Problem.UNAVAILABLE: 503,
    Problem.INVALID_CLIENT: 401,
    Problem.COOKIES_KEPT_OUT: 401,
}
"""The HTTP status of a token error where it is the whole answer, as it may be up to the alpha (A1-TOK-06)."""


def services_of(offer: Offer, dialect: str = "2") -> tuple[AccessService, ...]:
    """The services that lead to a rendition in a dialect, in the order in which viewers try them; never none."""
    return _services(offer, dialect, offer.wanted.reach) or (AMBIENT,)


def services_above(offer: Offer, dialect: str) -> tuple[AccessService, ...]:
    """The services that lead to something better than this rendition. In Auth 1 a lower version names them, open or not, since
    that is how a viewer that was sent there learns that one can log in (A1-INFO-07).
    """
    return _services(offer, dialect, offer.wanted.reach + 1)


def _services(offer: Offer, dialect: str, reach: int) -> tuple[AccessService, ...]:
    found = {
        service.slug: service
        for policy in in_force(offer.levels)
        for tier in (policy.tiers if policy else ())
        if tier.reach >= reach
        for service in tier.services
        if service.speaks(dialect)
    }
    return tuple(sorted(found.values(), key=lambda service: FLOW_ORDER.index(service.pattern)))


def logout_label(service: AccessService) -> LanguageMap:
    """What the way out is called. The institution is named in the service's own label, so a default repeats it (A2-LOG-02)."""
    return service.logout_label or tuple(
        (language, tuple(f"{LOG_OUT.get(language.split('-')[0], LOG_OUT['en'])}: {text}" for text in strings))
        for language, strings in service.label or (("en", (service.slug,)),)
    )


LOG_OUT = {"en": "Log out", "de": "Abmelden", "fr": "Se déconnecter", "es": "Cerrar sesión", "cy": "Allgofnodi"}


def is_open(offer: Offer, at: datetime) -> bool:
    """Whether anybody, anywhere, with nothing in hand, may have it at this instant. Then it needs no services."""
    return not offer.restricted and is_allowed(offer, NOBODY, at)


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

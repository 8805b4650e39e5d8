"""Authentication API 2.0 alpha, as of 16 August 2022.

It shares the context and some types of 2.0.0, and contradicts it: never both in one document (C5, C6).
"""

from __future__ import annotations

from iiif_auth.policy.types import (
    AccessService,
    Allowed,
    Decision,
    Denied,
    ImageApi,
    LanguageMap,
    Offer,
    Pattern,
    Unknown,
)
from iiif_auth.protocol import texts, v1
from iiif_auth.protocol.dialect import Answer, Dialect, Probe, Probing, Question, Services, Setting
from iiif_auth.protocol.languages import thawed
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import JSON, Problem, logout_label

CONTEXT = "http://iiif.io/api/auth/2/context.json"
ACCESS_SERVICE = "AuthAccessService2"
TOKEN_SERVICE = "AuthTokenService2"  # noqa: S105 - a type name
LOGOUT_SERVICE = "AuthLogoutService2"
PROBE_SERVICE = "AuthProbeService2"
TOKEN_ERROR = "AuthTokenError2"  # noqa: S105 - a type name
PROFILES = {
    Pattern.LOGIN: "interactive",
    Pattern.CLICKTHROUGH: "interactive",
    Pattern.KIOSK: "kiosk",
    Pattern.EXTERNAL: "external",
}
PROBLEMS = {**v1.PROBLEMS, Problem.EXPIRED_ASPECT: "expiredCredentials"}


def blocks(offer: Offer, services: Services, setting: Setting) -> list[JSON]:
    """Access services stand on the resource itself, beside its probe if it is no image service (A2A-DESC-06, A2A-DESC-07)."""
    probe: list[JSON] = []
    if offer.wanted.image_api is ImageApi.NONE:
        probe = [{"id": setting.links.probe(offer.wanted.uri), "type": PROBE_SERVICE}]
    return [*probe, *(access_service(service, setting) for service in services)]


def access_service(service: AccessService, setting: Setting) -> JSON:
    """One access service, complete (A2A-DESC-01 to 05)."""
    links = setting.links
    return {
        **({} if setting.host.typed else {"@context": CONTEXT}),
        "id": links.access(service.slug),
        "type": ACCESS_SERVICE,
        "profile": PROFILES[service.pattern],
        "label": thawed(service.label or (("none", (service.slug,)),)),
        **_texts(service),
        "service": [{"id": links.token(service.slug), "type": TOKEN_SERVICE}, *_logout(service, links)],
    }


def _texts(service: AccessService) -> JSON:
    asked = service.pattern in v1.SPOKEN_BEFORE
    return _words(
        header=service.heading if asked else (),
        description=service.note if asked else (),
        confirmLabel=service.confirm_label if asked else (),
        failureHeader=service.error_heading,
        failureDescription=service.error_note,
    )


def _words(**maps: LanguageMap) -> JSON:
    return {name: thawed(value) for name, value in maps.items() if value}


def _logout(service: AccessService, links: Links) -> list[JSON]:
    if service.pattern is Pattern.EXTERNAL:
        return []
    return [{"id": links.logout(service.slug), "type": LOGOUT_SERVICE, "label": thawed(logout_label(service))}]


# -- Answers ------------------------------------------------------------------------------------------------------


def probe_result(decision: Decision, question: Question) -> Answer:
    """HTTP status and body of a separate probe (A2A-PRB-02, A2A-PRB-03)."""
    found, links = _result(question), question.links
    match decision:
        case Allowed(rendition=rendition):
            elsewhere = rendition.location
            return 200, {**found, **_words(label=rendition.label), **_location(elsewhere, links)}
        case Denied(hidden=False, substitutes=substitutes):
            lesser = [one.rendition for one in substitutes if one.offer is None][:1]
            note = decision.text or texts.REFUSALS[decision.why]
            label = lesser[0].label if lesser else note.note or note.heading
            return 401, {**found, **_words(label=label), **_location(lesser[0].uri if lesser else "", links)}
        case Denied():
            return 401, {**found, **_words(label=texts.HIDDEN.note)}
        case Unknown():
            # “Always answers, 200 or 401”: for what there is not, nothing can be had either.
            return 401, {**found, **_words(label=texts.UNKNOWN.note)}


def out_of_order(question: Question) -> Answer:
    return 401, {**_result(question), **_words(label=texts.UNAVAILABLE.note)}


def _result(question: Question) -> JSON:
    return {"@context": CONTEXT, "id": question.address, "type": PROBE_SERVICE}


def _location(uri: str, links: Links) -> JSON:
    return {"location": links.content(uri)} if uri else {}


def token(value: str, expires_in: int) -> JSON:
    """Plain JSON, as in 1.0 (A2A-TOK-01); ``expires_in`` in seconds."""
    return v1.token(value, expires_in)


def error(problem: Problem, service: AccessService | None, languages: tuple[str, ...]) -> JSON:
    """Why there is no token, as JSON-LD (A2A-ERR-01)."""
    own = service.error_note if service is not None and problem is Problem.MISSING_ASPECT else ()
    description = thawed(own or texts.PROBLEMS[problem].note)
    return {"@context": CONTEXT, "type": TOKEN_ERROR, "error": PROBLEMS[problem], "description": description}


DIALECT = Dialect(
    name="alpha",
    title="Authentication API 2.0 alpha (August 2022)",
    space="alpha",
    context=CONTEXT,
    listed=True,
    blocks=blocks,
    token=token,
    error=error,
    probing=Probing.LOCATION,
    probe=Probe(probe_result, out_of_order, offered_as="alpha", heads=True),
)

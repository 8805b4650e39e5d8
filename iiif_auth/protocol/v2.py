"""IIIF Authorization Flow API 2.0.0: its words, and the documents made of them."""

from __future__ import annotations

from dataclasses import replace

from iiif_auth.policy.types import (
    AccessService,
    Allowed,
    Decision,
    Denied,
    ImageApi,
    LanguageMap,
    Offer,
    Pattern,
    Rendition,
    Substitute,
    Text,
    Unknown,
)
from iiif_auth.protocol import texts
from iiif_auth.protocol.dialect import Answer, Dialect, Host, Probe, Probing, Question, Services, Setting
from iiif_auth.protocol.languages import thawed
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import JSON, JSONValue, Problem, content_status, logout_label, services_of

CONTEXT = "http://iiif.io/api/auth/2/context.json"
PROBE_SERVICE = "AuthProbeService2"
PROBE_RESULT = "AuthProbeResult2"
ACCESS_SERVICE = "AuthAccessService2"
TOKEN_SERVICE = "AuthAccessTokenService2"  # noqa: S105 - a type name
LOGOUT_SERVICE = "AuthLogoutService2"
TOKEN = "AuthAccessToken2"  # noqa: S105 - a type name
TOKEN_ERROR = "AuthAccessTokenError2"  # noqa: S105 - a type name

PROFILES = {
    Pattern.LOGIN: "active",
    Pattern.CLICKTHROUGH: "active",
    Pattern.KIOSK: "kiosk",
    Pattern.EXTERNAL: "external",
}
PROBLEMS = {
    Problem.INVALID_REQUEST: "invalidRequest",
    Problem.INVALID_ORIGIN: "invalidOrigin",
    Problem.MISSING_ASPECT: "missingAspect",
    Problem.INVALID_ASPECT: "invalidAspect",
    Problem.EXPIRED_ASPECT: "expiredAspect",
    Problem.UNAVAILABLE: "unavailable",
    Problem.INVALID_CLIENT: "invalidRequest",
    Problem.COOKIES_KEPT_OUT: "missingAspect",
}
PROBE_PROFILE = "https://iiif.io/api/auth/2.0/#probe-service"
"""No specification asks for it, but viewers of Auth 1 crash on a service without a ``profile`` (requirements, 3.2)."""

IMAGE_SERVICES: dict[ImageApi, JSON] = {
    ImageApi.V2: {"type": "ImageService2", "profile": "http://iiif.io/api/image/2/level2.json"},
    ImageApi.V3: {"type": "ImageService3", "profile": "level2"},
}
FULL_IMAGE = {ImageApi.V2: "/full/full/0/default.jpg", ImageApi.V3: "/full/max/0/default.jpg"}


def _words(**maps: LanguageMap) -> JSON:
    """The language maps that say something, under their names on the wire."""
    return {name: thawed(value) for name, value in maps.items() if value}


# -- Descriptions (sections 3 to 6) -------------------------------------------------------------------------------


def probe_service(offer: Offer, links: Links, *, profile: bool = False) -> JSON:
    """The probe of a rendition with every service that leads to it, complete (A2-PSD-*, A2-DECL-05, A2-DECL-12).

    ``profile`` adds the one that keeps viewers of Auth 1 from crashing.
    """
    shim: JSON = {"profile": PROBE_PROFILE} if profile else {}
    return {
        "id": links.probe(offer.wanted.uri),
        "type": PROBE_SERVICE,
        **shim,
        **_words(errorHeading=texts.UNAVAILABLE.heading, errorNote=texts.UNAVAILABLE.note),
        "service": [access_service(service, links) for service in services_of(offer)],
    }


def access_service(service: AccessService, links: Links) -> JSON:
    """One access service with its token service and, where one can log out, its logout service (A2-ACC-*)."""
    return {
        "id": links.access(service.slug),
        "type": ACCESS_SERVICE,
        "profile": PROFILES[service.pattern],
        **_words(label=service.label, **_texts_before(service)),
        "service": [token_service(service, links), *_logout_services(service, links)],
    }


def _texts_before(service: AccessService) -> dict[str, LanguageMap]:
    if PROFILES[service.pattern] != "active":
        return {}
    return {"heading": service.heading, "note": service.note, "confirmLabel": service.confirm_label}


def token_service(service: AccessService, links: Links) -> JSON:
    note = service.error_note if service.error_heading else ()
    words = _words(errorHeading=service.error_heading, errorNote=note)
    return {"id": links.token(service.slug), "type": TOKEN_SERVICE, **words}


def _logout_services(service: AccessService, links: Links) -> list[JSON]:
    """There is nothing to log out of where an address was recognised (A2-LOG-01)."""
    if service.pattern is Pattern.EXTERNAL:
        return []
    return [{"id": links.logout(service.slug), "type": LOGOUT_SERVICE, "label": thawed(logout_label(service))}]


def blocks(offer: Offer, services: Services, setting: Setting) -> list[JSON]:
    """The probe of an offer, with everything in it.

    In Image API 2 and Presentation 2 it brings its own context, and the host's stays a plain string (A2-DECL-09).
    """
    probe = probe_service(offer, setting.links, profile=setting.host is not Host.IMAGE_3)
    return [probe if setting.host.typed else {"@context": CONTEXT, **probe}]


# -- The answer of the probe (section 5.2) ------------------------------------------------------------------------


def probe_result(decision: Decision, links: Links, zone_name: str = "UTC", ask_at: str = "") -> JSON:
    """What a probe answers, always with HTTP 200 (A2-PRB-01); ``ask_at`` is where refused people may ask for access."""
    match decision:
        case Allowed(rendition=rendition):
            return _result(*_granted(rendition, links))
        case Denied():
            return _refused(decision, links, zone_name, ask_at)
        case Unknown():
            return _result(404, _told(texts.UNKNOWN))


def told(decision: Decision, question: Question) -> Answer:
    return 200, probe_result(decision, question.links, question.zone_name, question.ask_at)


def out_of_order(question: Question) -> Answer:
    return 200, unavailable()


def unavailable() -> JSON:
    """What a probe answers when it can not decide (A2-PRB-19, security INV6)."""
    return _result(503, _told(texts.UNAVAILABLE))


def _result(status: int, rest: JSON) -> JSON:
    return {"@context": CONTEXT, "type": PROBE_RESULT, "status": status, **rest}


def _granted(rendition: Rendition, links: Links) -> tuple[int, JSON]:
    if not rendition.location:
        return 200, {}
    return 302, {"location": body(replace(rendition, uri=rendition.location), links, [])}


def _refused(decision: Denied, links: Links, zone_name: str, ask_at: str) -> JSON:
    if decision.hidden:
        return _result(content_status(decision), _told(texts.HIDDEN))
    text = decision.text or texts.refusal(decision.why, decision.opens, zone_name)
    heading = text.heading if decision.text is None or text.note else texts.REFUSALS[decision.why].heading
    note = text.note or text.heading
    rest = _told(Text(heading, texts.with_way(note, ask_at) if ask_at else note))
    if decision.substitutes:
        rest = {"substitute": [substitute(instead, links) for instead in decision.substitutes], **rest}
    return _result(content_status(decision), rest)


def _told(text: Text) -> JSON:
    return _words(heading=text.heading, note=text.note)


def _format(rendition: Rendition) -> JSON:
    return {"format": rendition.format} if rendition.format else {}


def substitute(instead: Substitute, links: Links) -> JSON:
    """One thing to show instead: with its own probe if one must go through services first (A2-PRB-08 to 11)."""
    probes: list[JSON] = [] if instead.offer is None else [probe_service(instead.offer, links)]
    return {**body(instead.rendition, links, probes), **_words(label=instead.rendition.label)}


def body(rendition: Rendition, links: Links, probes: list[JSON]) -> JSON:
    """A content resource as the Presentation API writes it, with its image service if it is one."""
    uri = links.content(rendition.uri)
    if rendition.image_api is ImageApi.NONE:
        services: list[JSON] = probes
    else:
        services = [image_service(rendition.image_api, uri, probes), *probes]
        uri += FULL_IMAGE[rendition.image_api]
    found: dict[str, JSONValue] = {"id": uri, "type": rendition.kind.value, **_format(rendition)}
    return {**found, "service": services} if services else found


def image_service(api: ImageApi, uri: str, probes: list[JSON]) -> JSON:
    """A reference to an image service; the keys have an ``@`` before version 3."""
    kind = IMAGE_SERVICES[api]
    v2 = {"@id": uri, "@type": kind["type"], "profile": kind["profile"]}
    found: JSON = v2 if api is ImageApi.V2 else {"id": uri, **kind}
    return {**found, "service": probes} if probes else found


# -- Messages of the token service (sections 4.4 and 4.5) ---------------------------------------------------------


def token(value: str, expires_in: int) -> JSON:
    """A token for a message (A2-TOK-05 to 07); ``expires_in`` in seconds."""
    return {"@context": CONTEXT, "type": TOKEN, "accessToken": value, "expiresIn": max(1, expires_in)}


def token_message(value: str, expires_in: int, message_id: str) -> JSON:
    """The message that carries a token."""
    return {**token(value, expires_in), "messageId": message_id}


def error_message(problem: Problem, message_id: str, service: AccessService | None = None) -> JSON:
    """The message that carries an error (A2-ERR-01 to 03)."""
    return {**error(problem, service, ()), "messageId": message_id}


def error(problem: Problem, service: AccessService | None, languages: tuple[str, ...]) -> JSON:
    """An error for a message, in every language there is, in the service's own words if it has some."""
    text = texts.PROBLEMS[problem]
    own = service is not None and service.error_heading and problem is Problem.MISSING_ASPECT
    if own and service is not None:
        text = Text(service.error_heading, service.error_note or text.note)
    return {
        "@context": CONTEXT,
        "type": TOKEN_ERROR,
        "profile": PROBLEMS[problem],
        **_told(text),
    }


DIALECT = Dialect(
    name="2",
    title="Authorization Flow API 2.0.0",
    space="2",
    context=CONTEXT,
    listed=True,
    blocks=blocks,
    token=token,
    error=error,
    probing=Probing.ELSEWHERE,
    probe=Probe(told, out_of_order, offered_as="2"),
    answers_json=False,
    locates=True,
)

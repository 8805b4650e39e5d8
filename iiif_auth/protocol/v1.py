"""Authentication API 1.0, and 0.9.4, which is the same text with a 0 in its URIs (requirements 0.2, 2.2)."""

from __future__ import annotations

from functools import partial

from iiif_auth.policy.types import AccessService, Allowed, Decision, Denied, Offer, Pattern, Unknown
from iiif_auth.protocol import texts
from iiif_auth.protocol.dialect import Answer, Dialect, Probe, Probing, Question, Services, Setting
from iiif_auth.protocol.languages import chosen
from iiif_auth.protocol.terms import JSON, Problem, logout_label

COOKIE_SERVICE = "AuthCookieService1"
TOKEN_SERVICE = "AuthTokenService1"  # noqa: S105 - a type name
LOGOUT_SERVICE = "AuthLogoutService1"
PROBE_SERVICE = "AuthProbeService1"
PROFILES = {
    Pattern.LOGIN: "login",
    Pattern.CLICKTHROUGH: "clickthrough",
    Pattern.KIOSK: "kiosk",
    Pattern.EXTERNAL: "external",
}
PROBLEMS = {
    Problem.INVALID_REQUEST: "invalidRequest",
    Problem.INVALID_ORIGIN: "invalidOrigin",
    Problem.MISSING_ASPECT: "missingCredentials",
    Problem.INVALID_ASPECT: "invalidCredentials",
    Problem.EXPIRED_ASPECT: "invalidCredentials",
    Problem.UNAVAILABLE: "unavailable",
    Problem.INVALID_CLIENT: "invalidRequest",
    Problem.COOKIES_KEPT_OUT: "missingCredentials",
}
"""There is no word for an aspect that has expired (IIIF/api #1215)."""

SPOKEN_BEFORE = (Pattern.LOGIN, Pattern.CLICKTHROUGH)
"""Only these have a page that somebody is asked to open."""


def uri(number: int, word: str) -> str:
    return f"http://iiif.io/api/auth/{number}/{word}"


def context(number: int) -> str:
    return uri(number, "context.json")


# -- Descriptions (sections 2.1 to 2.3) ---------------------------------------------------------------------------


def blocks(number: int, offer: Offer, services: Services, setting: Setting) -> list[JSON]:
    """The cookie services that lead to an offer, in the order in which viewers try them (A1-DESC-*)."""
    return [cookie_service(number, service, setting) for service in services]


def cookie_service(number: int, service: AccessService, setting: Setting) -> JSON:
    """One access cookie service, complete.

    ``external`` has an ``@id`` too, though nobody opens it: there are viewers that stumble over a service without one (C7).
    """
    typed = setting.host.typed
    return {
        # The types of typed hosts are those of version 1 and imply its context; version 0 has neither.
        **({} if typed and number == 1 else {"@context": context(number)}),
        "@id": setting.links.access(service.slug),
        **({"@type": COOKIE_SERVICE} if typed else {}),
        "profile": uri(number, profile(service)),
        "label": setting.text(service.label) or service.slug,
        **_texts(service, setting),
        "service": _children(number, service, setting),
    }


def profile(service: AccessService) -> str:
    """Terms that are agreed to on our own page are advertised as a login: 1.0 does not say what happens at one, but
    forbids a click-through page to ask anything (C9).
    """
    if service.pattern is Pattern.CLICKTHROUGH and not service.agree_in_viewer:
        return PROFILES[Pattern.LOGIN]
    return PROFILES[service.pattern]


def _texts(service: AccessService, setting: Setting) -> JSON:
    asked = service.pattern in SPOKEN_BEFORE
    maps = {
        "header": service.heading if asked else (),
        "description": service.note if asked else (),
        "confirmLabel": service.confirm_label if asked else (),
        "failureHeader": service.error_heading,
        "failureDescription": service.error_note,
    }
    return {name: setting.text(value) for name, value in maps.items() if value}


def _children(number: int, service: AccessService, setting: Setting) -> list[JSON]:
    links, typed = setting.links, setting.host.typed
    token: JSON = {
        "@id": links.token(service.slug),
        **({"@type": TOKEN_SERVICE} if typed else {}),
        "profile": uri(number, "token"),
    }
    if service.pattern is Pattern.EXTERNAL:
        return [token]  # nobody logs out of where they are (A1-OUT-01)
    logout: JSON = {
        "@id": links.logout(service.slug),
        **({"@type": LOGOUT_SERVICE} if typed else {}),
        "profile": uri(number, "logout"),
        "label": setting.text(logout_label(service)),
    }
    return [token, logout]


# -- Messages of the token service (sections 2.2.2 to 2.2.6) ------------------------------------------------------


def token(value: str, expires_in: int) -> JSON:
    """Plain JSON, not JSON-LD (A1-TOK-01); ``expires_in`` in seconds."""
    return {"accessToken": value, "expiresIn": max(1, expires_in)}


def error(problem: Problem, service: AccessService | None, languages: tuple[str, ...]) -> JSON:
    """Why there is no token, in plain words, the service's own if it has some (A1-ERR-01, A1-ERR-02)."""
    return {"error": PROBLEMS[problem], "description": told(problem, service, languages)}


def told(problem: Problem, service: AccessService | None, languages: tuple[str, ...]) -> str:
    own = service.error_note if service is not None and problem is Problem.MISSING_ASPECT else ()
    return chosen(own or texts.PROBLEMS[problem].note, languages)


# -- Film, sound, documents: what is practised, for 1.0 itself says nothing of them (A1X) -------------------------


def media_probe(offer: Offer, setting: Setting) -> JSON:
    """The probe beside the cookie services of a film, a recording or a document (A1X-02)."""
    return {
        "@id": setting.links.probe(offer.wanted.uri),
        **({"@type": PROBE_SERVICE} if setting.host.typed else {"@context": context(1)}),
        "profile": uri(1, "probe"),
    }


def media_result(decision: Decision, question: Question) -> Answer:
    """HTTP status and body of that probe: the same address for all of it, another for a lesser version, 401 for nothing.

    ``contentLocation`` is always there: viewers compare it with the manifest, letter by letter (A1X-03).
    """
    links, languages = question.links, question.languages
    match decision:
        case Allowed(rendition=rendition):
            return 200, _media(links.content(rendition.uri), chosen(rendition.label, languages))
        case Denied(hidden=False, rendition=rendition, substitutes=substitutes):
            open_now = [one.rendition for one in substitutes if one.offer is None]
            if open_now:
                return 200, _media(links.content(open_now[0].uri), chosen(open_now[0].label, languages))
            return 401, _media(links.content(rendition.uri), chosen(texts.REFUSALS[decision.why].note, languages))
        case Denied(rendition=rendition):
            return 401, _media(links.content(rendition.uri), chosen(texts.HIDDEN.note, languages))
        case Unknown():
            return 404, {"label": chosen(texts.UNKNOWN.note, languages)}


def media_out_of_order(question: Question) -> Answer:
    return 503, {"label": chosen(texts.UNAVAILABLE.note, question.languages)}


def _media(location: str, label: str) -> JSON:
    return {"contentLocation": location, **({"label": label} if label else {})}


MEDIA = "1-media"
"""The practice is no dialect: it has the addresses and tokens of 1.0, and must be offered besides."""

# -- The two rows -------------------------------------------------------------------------------------------------

DIALECT = Dialect(
    name="1",
    title="Authentication API 1.0",
    space="1",
    context=context(1),
    listed=False,
    blocks=partial(blocks, 1),
    token=token,
    error=error,
    probing=Probing.REDIRECT,
    probe=Probe(media_result, media_out_of_order, offered_as=MEDIA, heads=True),
    at_once=frozenset((Pattern.KIOSK, Pattern.CLICKTHROUGH)),
)
DIALECT_094 = Dialect(
    name="0.9.4",
    title="Authentication API 0.9.4",
    space="0",
    context=context(0),
    listed=False,
    blocks=partial(blocks, 0),
    token=token,
    error=error,
    probing=Probing.REDIRECT,
    at_once=frozenset((Pattern.KIOSK, Pattern.CLICKTHROUGH)),
)

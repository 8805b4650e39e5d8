"""IIIF Authentication 0.9.2: one kind of login, viewers that may identify themselves, and no origins.

It shares its URIs with 0.9.4; which of the two a viewer speaks shows in whether it names its origin (A094-DIFF-01).
"""

from __future__ import annotations

from iiif_auth.policy.types import AccessService, Clients, Offer, Pattern
from iiif_auth.protocol import v1
from iiif_auth.protocol.dialect import Dialect, Probing, Services, Setting
from iiif_auth.protocol.terms import JSON, Problem, logout_label

PROBLEMS = {
    **v1.PROBLEMS,
    # It has no words for these two (requirements 2.7).
    Problem.INVALID_ORIGIN: "invalidRequest",
    Problem.UNAVAILABLE: "invalidRequest",
    Problem.INVALID_CLIENT: "invalidClient",
}
CLIENT_ERRORS = {
    "invalidRequest": (400, 'Send JSON such as {"clientId": "…", "clientSecret": "…"}.'),
    "invalidClient": (401, "No client of this name is registered for this service."),
    "invalidClientSecret": (401, "This is not the client's secret."),
}
"""What the client identity service answers if it gives no code, by its word: HTTP status, and a hint (A092-CID-03)."""


def blocks(offer: Offer, services: Services, setting: Setting) -> list[JSON]:
    """Every service is a login (A092-DESC-01): whatever happens on its page, a viewer opens it and waits for it to close."""
    return [login_service(service, setting) for service in services]


def login_service(service: AccessService, setting: Setting) -> JSON:
    links = setting.links
    asked = service.pattern in v1.SPOKEN_BEFORE
    note = service.note if asked else service.error_note
    return {
        "@context": v1.context(0),
        "@id": links.access(service.slug),
        **({"@type": v1.COOKIE_SERVICE} if setting.host.typed else {}),
        "profile": v1.uri(0, "login"),
        "label": setting.text(service.label) or service.slug,
        **({"description": setting.text(note)} if note else {}),
        "service": [
            _child(links.token(service.slug), "token", setting, v1.TOKEN_SERVICE),
            *_identity(service, setting),
            *_logout(service, setting),
        ],
    }


def _child(address: str, word: str, setting: Setting, kind: str) -> JSON:
    return {"@id": address, **({"@type": kind} if setting.host.typed and kind else {}), "profile": v1.uri(0, word)}


def _identity(service: AccessService, setting: Setting) -> list[JSON]:
    """The client identity service, where viewers may or must say who they are (A092-CID-01)."""
    if service.clients is Clients.ANY:
        return []
    return [_child(setting.links.client(service.slug), "clientId", setting, "")]


def _logout(service: AccessService, setting: Setting) -> list[JSON]:
    if service.pattern is Pattern.EXTERNAL:
        return []
    found = _child(setting.links.logout(service.slug), "logout", setting, v1.LOGOUT_SERVICE)
    return [{**found, "label": setting.text(logout_label(service))}]


def token(value: str, expires_in: int) -> JSON:
    """With ``tokenType``, which later versions dropped (A092-TOK-01); ``expires_in`` in seconds."""
    return {"accessToken": value, "tokenType": "Bearer", "expiresIn": max(1, expires_in)}


def error(problem: Problem, service: AccessService | None, languages: tuple[str, ...]) -> JSON:
    """Why there is no token; the description is for developers (A092-ERR-02)."""
    return {"error": PROBLEMS[problem], "description": HINTS[problem]}


HINTS = {
    Problem.INVALID_REQUEST: "Give messageId once, or not at all; no such service is offered, or this is not a frame.",
    Problem.INVALID_ORIGIN: "Without an origin a token is given only after a login that was opened without one.",
    Problem.MISSING_ASPECT: "No access cookie came with the request, or it was not given by this service's login page.",
    Problem.INVALID_ASPECT: "The access cookie is not known, or no longer.",
    Problem.EXPIRED_ASPECT: "The access cookie has expired.",
    Problem.UNAVAILABLE: "The server could not answer.",
    Problem.COOKIES_KEPT_OUT: "The browser keeps the access cookie out of frames and pictures on this page.",
    Problem.INVALID_CLIENT: "The code is unknown, used, expired, or somebody else's.",
}


def client_error(word: str) -> tuple[int, JSON]:
    """HTTP status and body of a refusal of the client identity service (A092-CID-03)."""
    status, hint = CLIENT_ERRORS[word]
    return status, {"error": word, "description": hint}


DIALECT = Dialect(
    name="0.9.2",
    title="IIIF Authentication 0.9.2",
    space="0",
    context=v1.context(0),
    listed=False,
    blocks=blocks,
    token=token,
    error=error,
    probing=Probing.REDIRECT,
    names_origin=False,
    at_once=frozenset((Pattern.KIOSK, Pattern.CLICKTHROUGH)),
    forbids=True,
)

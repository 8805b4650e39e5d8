"""IIIF Authentication 0.9.2, as far as documents and answers show whether it is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from iiif_auth.conformance.documents import VERSION_0
from iiif_auth.conformance.findings import Finding, failed
from iiif_auth.conformance.structure import places, v1, values
from iiif_auth.conformance.structure.places import Place, Whole, documents
from iiif_auth.conformance.structure.rules import Rule, ids, judged
from iiif_auth.conformance.structure.v1 import ID, LABEL, LIFE, TOKEN, Answer, answers, context, profile
from iiif_auth.conformance.structure.values import Field, amiss, fields

PROBLEMS = ("invalidRequest", "missingCredentials", "invalidCredentials", "invalidClient", "invalidClientSecret")
LATER = tuple(v1.uri(0, word) for word in ("clickthrough", "kiosk", "external"))
"""Profiles that came with 0.9.3; a service with one of them is none of 0.9.2."""
TOKEN_NAMES = frozenset({"accessToken", "tokenType", "expiresIn"})


def is_old(place: Place) -> bool:
    return place.body.get("profile") not in LATER


# -- Descriptions (sections 2.1 to 2.4) ---------------------------------------------------------------------------

LOGINS = places.of("login services", VERSION_0, "access", where=is_old)
CLIENTS = places.of("client identity services", VERSION_0, "client")
LOGOUTS = places.of("logout services", VERSION_0, "logout")
INFO = documents("descriptions of images", VERSION_0, places.is_info)
SERVICE = Field("service", lambda value: isinstance(value, list | Mapping), "services")


def on_another_host(seen: Whole) -> Iterator[str]:
    """Tokens are for description resources on the domain of the content (section 1.3)."""
    wanted, found = values.split(seen.document.url), values.split(places.name_of(seen))
    if wanted is not None and (found is None or found.hostname != wanted.hostname):
        host = values.address(found.hostname) if found else "nowhere"
        yield f"The info.json comes from {values.address(wanted.hostname)}, but its images from {host}."


def outside_a_login(place: Place) -> Iterator[str]:
    yield from fields(ID, profile(0, "clientId"))(place)
    if place.inside is None or place.inside.role != "access":
        yield f"At {place.path}, there is a client identity service outside a login service."


RULES = (
    Rule("A092-DESC-01", LOGINS, fields(context(0), ID, profile(0, "login"), LABEL, SERVICE)),
    Rule("A092-DESC-02", LOGINS, fields(v1.text("description", needed=True))),
    Rule("A092-DESC-03", LOGINS, partial(v1.without_token, 0)),
    Rule("A092-DESC-05", INFO, on_another_host),
    Rule("A092-INFO-02", INFO, partial(v1.at_another_address, v1.is_same), enough=False),
    Rule("A092-CID-01", CLIENTS, outside_a_login),
    Rule("A092-OUT-01", LOGOUTS, fields(ID, profile(0, "logout"), LABEL)),
)


def check(seen: Whole) -> Iterator[Finding]:
    """Everything that a document shows about 0.9.2."""
    yield from judged(RULES, seen, seen.document.url)


# -- Answers (sections 2.2.2, 2.2.3, 2.4.2 and 2.5) ---------------------------------------------------------------

BEARER = Field("tokenType", values.is_exactly("Bearer"), '"Bearer"')


def plain_token(answer: Answer) -> Iterator[str]:
    yield from fields(TOKEN, BEARER, LIFE)(answer)
    yield from (amiss(answer, name, "nothing") for name in answer.body if name not in TOKEN_NAMES)


def posted_token(answer: Answer) -> Iterator[str]:
    yield from fields(TOKEN, BEARER, LIFE)(answer)
    yield from v1.wrong_message_id(answer)


MESSAGE_RULES = (
    Rule("A092-TOK-01", v1.IN_JSON, plain_token),
    Rule("A092-TOK-03", v1.IN_MESSAGE, posted_token),
    Rule("A092-TOK-04", v1.ERRORS_POSTED, v1.wrong_message_id, enough=False),
    Rule("A092-ERR-01", v1.ERRORS, v1.error_of(*PROBLEMS)),
    Rule("A092-ERR-02", v1.MESSAGE_RULES[-1].subjects, v1.DESCRIPTION),
)


def message(body: Any, message_id: str | None, url: str) -> Iterator[Finding]:
    """What an answer of the token service shows: a token, or why there is none; also refusals of the client identity service.

    Args:
        body: the message that was posted, or the JSON that came.
        message_id: the one that was asked with; ``None`` if none was, and the answer is plain JSON.
        url: of the service.
    """
    if not isinstance(body, Mapping):
        yield failed(
            "A092-ERR-01", f"The service was expected to answer with an object, but {values.shown(body)}.", url
        )
        return
    yield from judged(MESSAGE_RULES, Answer(body, message_id), url)


CODE_RULES = (
    Rule(
        "A092-CID-02",
        answers("authorization codes", lambda _: True),
        fields(Field("authorizationCode", values.is_string, "a code")),
    ),
)


def authorization_code(body: Any, url: str) -> Iterator[Finding]:
    """What the client identity service shows when it accepts somebody."""
    if not isinstance(body, Mapping):
        yield failed("A092-CID-02", f"A JSON object with a code was expected, but {values.shown(body)}.", url)
        return
    yield from judged(CODE_RULES, Answer(body), url)


JUDGED = {"check": ids(RULES), "message": ids(MESSAGE_RULES), "authorization_code": ids(CODE_RULES)}
"""Which requirements each function judges."""

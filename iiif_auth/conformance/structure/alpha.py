"""Authentication API 2.0 alpha (16 August 2022), as far as documents and answers show whether it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iiif_auth.conformance.documents import ALPHA as VERSION
from iiif_auth.conformance.findings import Finding, failed
from iiif_auth.conformance.structure import places, v1, values
from iiif_auth.conformance.structure.places import Place, Whole, documents
from iiif_auth.conformance.structure.rules import Rule, Subjects, ids, judged
from iiif_auth.conformance.structure.v2 import ACCESS, CONTEXT, CONTEXT_FIELD, LOGOUT, PROBE, language_map, typed
from iiif_auth.conformance.structure.values import Field, absent, amiss, fields

TOKEN = "AuthTokenService2"  # noqa: S105 - a type name
TOKEN_ERROR = "AuthTokenError2"  # noqa: S105 - a type name
PROFILES = ("interactive", "kiosk", "external")
PROBLEMS = (*v1.PROBLEMS, "expiredCredentials")
ID = Field("id", values.is_uri, "an http or https URI")
LOCATION = Field("location", values.is_uri, "a URI, as a string,", needed=False)
STATUSES = (200, 401)


# -- Descriptions (sections 2.1 to 2.3) ---------------------------------------------------------------------------


def the(name: str, *roles: str, where: Callable[[Place], bool] | None = None) -> Subjects:
    return places.of(name, VERSION, *roles, where=where)


ACCESSES = the("access services", "access")
INTERACTIVE = the(
    "interactive access services", "access", where=lambda place: place.body.get("profile") == "interactive"
)
FAILURE = the("services", "access", where=lambda place: bool({"failureHeader", "failureDescription"} & {*place.body}))
TOKENS = the("token services", "token")
LOGOUTS = the("logout services", "logout")
PROBES = the("probe services", "probe")
EMBEDDED = the(
    "embedded services", "probe", "access", "token", "logout", where=lambda place: place.typed and not place.alone
)
TYPED = documents("documents", VERSION, lambda seen: seen.typed and bool(seen.host_context))
WITH_LOCATION = documents(
    "descriptions", VERSION, lambda seen: seen.document.kind == "info" and "location" in seen.body
)


def misdescribed(place: Place) -> Iterator[str]:
    profile = Field("profile", values.is_one_of(PROFILES), " or ".join(PROFILES))
    yield from fields(typed(ACCESS), profile, language_map("label", needed=True))(place)
    if place.body.get("profile") != "external":
        yield from fields(ID)(place)
    if not isinstance(place.body.get("service"), list | Mapping):
        yield amiss(place, "service", "services")


def without_context(seen: Whole) -> Iterator[str]:
    if CONTEXT not in seen.contexts:
        yield amiss(seen, "@context", CONTEXT)


def without_token(place: Place) -> Iterator[str]:
    if not place.of_role("token"):
        yield f"At {place.path}/service, an {TOKEN} was expected, but there is none."


def more_than_a_token(place: Place) -> Iterator[str]:
    yield from fields(typed(TOKEN), ID)(place)
    yield from absent(*(name for name in place.body if name not in ("id", "type", "@context")))(place)


def misplaced(place: Place) -> Iterator[str]:
    if place.inside is not None:
        yield f"At {place.path}, there is a probe in the {place.inside.role} service, but it belongs directly on the resource."


def several_probes(seen: Whole) -> Iterator[str]:
    found = Counter(place.resource.path for place in PROBES.among(seen) if place.inside is None)
    yield from (f"At {at}/service, one probe was expected, but there are {n}." for at, n in found.items() if n > 1)


def on_an_image(place: Place) -> Iterator[str]:
    if place.resource.role == "image-service":
        yield f"At {place.path}, there is a probe on an image service, but its info.json is its probe."


def of_the_same_tier(seen: Whole) -> Iterator[str]:
    if seen.body["location"] == places.name_of(seen):
        yield amiss(seen, "location", "the URI of another tier")


RULES = (
    Rule("A2A-DESC-01", ACCESSES, misdescribed),
    Rule("A2A-DESC-02", EMBEDDED, absent("@context")),
    Rule("A2A-DESC-02", TYPED, without_context),
    Rule("A2A-DESC-03", ACCESSES, without_token),
    Rule("A2A-DESC-03", TOKENS, more_than_a_token),
    Rule("A2A-DESC-04", LOGOUTS, fields(typed(LOGOUT))),
    Rule(
        "A2A-DESC-05",
        INTERACTIVE,
        fields(*(language_map(name, needed=True) for name in ("header", "description", "confirmLabel"))),
    ),
    Rule("A2A-DESC-05", FAILURE, fields(language_map("failureHeader"), language_map("failureDescription"))),
    Rule("A2A-DESC-06", PROBES, misplaced),
    Rule("A2A-DESC-06", documents("documents", VERSION, lambda seen: bool(list(PROBES.among(seen)))), several_probes),
    Rule("A2A-DESC-07", PROBES, on_an_image),
    Rule("A2A-INFO-03", WITH_LOCATION, fields(LOCATION), enough=False),
    Rule("A2A-INFO-06", WITH_LOCATION, of_the_same_tier, enough=False),
)


def check(seen: Whole) -> Iterator[Finding]:
    """Everything that a document shows about the alpha."""
    yield from judged(RULES, seen, seen.document.url)


# -- What a probe answers (section 1.6.1) -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a probe, with its HTTP status and the probe's own URL."""

    body: Mapping[str, Any]
    status: int
    url: str
    path: str = ""


def misformed(answer: Answer) -> Iterator[str]:
    if answer.status not in STATUSES:
        yield f"HTTP 200 or 401 was expected, but it is {answer.status}."
    yield from fields(
        CONTEXT_FIELD, typed(PROBE), Field("id", values.is_exactly(answer.url), values.address(answer.url))
    )(answer)
    yield from fields(language_map("label"))(answer)


RESULTS = Subjects("answers", lambda answer: [answer])
RESULT_RULES = (
    Rule("A2A-PRB-02", RESULTS, misformed),
    Rule("A2A-PRB-03", RESULTS, fields(LOCATION), enough=False),
)


def probe_result(body: Any, status: int, url: str) -> Iterator[Finding]:
    """What the answer of a separate probe shows.

    Args:
        body: the JSON that came.
        status: of HTTP, by which the alpha answers.
        url: of the probe, as the document gives it.
    """
    if not isinstance(body, Mapping):
        yield failed(
            "A2A-PRB-02", f"The probe was expected to answer with a JSON object, but {values.shown(body)}.", url
        )
        return
    yield from judged(RESULT_RULES, Answer(body, status, url), url)


# -- What the token service answers (sections 2.2.2 to 2.2.6) -----------------------------------------------------

DESCRIPTION = language_map("description")
ERROR = Field("error", values.is_one_of(PROBLEMS), "one of " + ", ".join(PROBLEMS))
MESSAGE_RULES = (
    Rule("A2A-TOK-01", v1.IN_JSON, v1.plain_token),
    Rule("A2A-TOK-02", v1.IN_MESSAGE, v1.posted_token),
    Rule("A2A-TOK-02", v1.ERRORS_POSTED, v1.wrong_message_id, enough=False),
    Rule("A2A-ERR-01", v1.ERRORS, fields(CONTEXT_FIELD, typed(TOKEN_ERROR), ERROR, DESCRIPTION)),
)


def message(body: Any, message_id: str | None, url: str) -> Iterator[Finding]:
    """What an answer of the token service shows: a token, or why there is none.

    Args:
        body: the message that was posted, or the JSON that came.
        message_id: the one that was asked with; ``None`` if none was, and the answer is plain JSON.
        url: of the token service.
    """
    if not isinstance(body, Mapping):
        yield failed(
            "A2A-ERR-01", f"The token service was expected to answer with an object, but {values.shown(body)}.", url
        )
        return
    yield from judged(MESSAGE_RULES, v1.Answer(body, message_id), url)


JUDGED = {"check": ids(RULES), "probe_result": ids(RESULT_RULES), "message": ids(MESSAGE_RULES)}
"""Which requirements each function judges."""

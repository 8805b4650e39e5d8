"""Authentication API 1.0, the practice around it for film, sound and documents, and 0.9.4, which is 1.0 with a 0 in its URIs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from iiif_auth.conformance.documents import VERSION_0, VERSION_1
from iiif_auth.conformance.findings import Finding, Outcome, failed, passed
from iiif_auth.conformance.structure import places, values
from iiif_auth.conformance.structure.places import Place, Whole, documents
from iiif_auth.conformance.structure.rules import Rule, Subjects, ids, judged
from iiif_auth.conformance.structure.values import Field, Thing, absent, amiss, fields

PATTERNS = ("login", "clickthrough", "kiosk", "external")
TYPES = {"access": "AuthCookieService1", "token": "AuthTokenService1", "logout": "AuthLogoutService1"}
PROBE = "AuthProbeService1"
PROBLEMS = ("invalidRequest", "missingCredentials", "invalidCredentials", "invalidOrigin", "unavailable")
VERSIONS = {0: VERSION_0, 1: VERSION_1}

ID = Field("@id", values.is_uri, "an http or https URI")
LABEL = Field("label", values.is_text, "a text")


def uri(number: int, word: str) -> str:
    return f"http://iiif.io/api/auth/{number}/{word}"


def context(number: int) -> Field:
    wanted = uri(number, "context.json")
    return Field("@context", values.is_or_holds(wanted), f"the context {wanted}")


def profile(number: int, word: str) -> Field:
    return Field("profile", values.is_exactly(uri(number, word)), f'"{uri(number, word)}"')


def text(name: str, *, needed: bool = False) -> Field:
    return Field(name, values.is_text, "a plain text", needed)


# -- Descriptions (sections 2.1 to 2.3) ---------------------------------------------------------------------------


def without_context(number: int, place: Place) -> Iterator[str]:
    """Types imply the context of version 1 where everything has a type; there are none for version 0."""
    if not (number == 1 and place.typed and place.body.get("@type") == TYPES["access"]):
        yield from fields(context(number))(place)


def without_token(number: int, place: Place) -> Iterator[str]:
    tokens = place.of_role("token")
    if not tokens:
        yield amiss(place, "service", f"a token service with the profile {uri(number, 'token')}")
    for token in tokens:
        yield from fields(ID, profile(number, "token"))(token)


def without_type(place: Place) -> Iterator[str]:
    wanted = TYPES[place.role]
    yield from fields(ID, Field("@type", values.is_exactly(wanted), f'"{wanted}"'))(place)
    if not place.alone and not place.listed:
        yield f"At {place.path}, a list was expected, even for one service, but {values.shown(place.body)}."


def without_own_context(number: int, seen: Whole) -> Iterator[str]:
    host = seen.host_context
    yield from fields(Field("@context", values.is_exactly(host), f'"{host}", and no list,'))(seen)
    for place in access_services(number).among(seen):
        yield from fields(context(number))(place)


def cited_too_early(number: int, seen: Whole) -> Iterator[str]:
    """Viewers learn of a service where it first stands; only after that is its name enough."""
    known: set[str] = set()
    for place in seen.places:
        if place.version == VERSIONS[number] and place.role == "access":
            if place.is_only_named and place.service.id not in known:
                name = values.address(place.service.id)
                yield f"At {place.path}, {name} is only named, though it stands here first; put all of it here."
            known.add(place.service.id)


def at_another_address(same: Callable[[str, str], bool], seen: Whole) -> Iterator[str]:
    wanted, found = places.own_address(seen), places.name_of(seen)
    if not same(wanted, found):
        yield f"The info.json of {values.address(wanted)} calls itself {values.address(found)}."


def is_same(one: str, other: str) -> bool:
    """Whether two URIs name the same thing, though they may be spelled differently."""
    return spelled(one) == spelled(other)


def spelled(address: str) -> tuple[str, str, int | None, str]:
    parts = values.split(address)
    if parts is None:
        return ("", "", None, address)
    usual = {"http": 80, "https": 443}[parts.scheme]
    return (
        parts.scheme,
        (parts.hostname or "").rstrip("."),
        port(parts.netloc) or usual,
        unquote(parts.path).rstrip("/"),
    )


def port(netloc: str) -> int | None:
    found = netloc.rpartition(":")[2]
    return int(found) if found.isdecimal() else None


def unencrypted(place: Place) -> Iterator[str]:
    found = place.body.get("@id")
    if values.is_uri(found) and not values.is_safe_uri(found):
        yield amiss(place, "@id", "an https URI")


def on_loopback(place: Place) -> Iterator[str]:
    found = place.body.get("@id")
    if values.is_safe_uri(found) and not values.is_https(found):
        yield f"{values.address(found)} is on this machine, where there is no https; try it where the service is to be."


def access_services(number: int, *words: str) -> Subjects:
    """The cookie services of a version: all of them, or those with one of these profiles."""
    wanted = [uri(number, word) for word in words]
    where = (lambda place: place.body.get("profile") in wanted) if words else None
    return places.of("cookie services", VERSIONS[number], "access", where=where)


def is_opened(number: int, place: Place) -> bool:
    return place.body.get("profile") != uri(number, "external")


def is_untyped(seen: Whole) -> bool:
    return not seen.typed and bool(seen.host_context)


def is_manifest(seen: Whole) -> bool:
    return seen.document.kind == "manifest"


def rules(number: int) -> tuple[Rule, ...]:
    """The rules of 1.0 for a number in its URIs: 1, or 0 for those of 0.9.4 (A094-ALL-01)."""
    version = VERSIONS[number]
    profiles = tuple(uri(number, word) for word in PATTERNS)
    access = access_services(number)
    asking = access_services(number, "login", "clickthrough")
    opened = places.of("services with a page", version, "access", where=partial(is_opened, number))
    logouts = places.of("logout services", version, "logout")
    every = places.of("services", version, "access", "token", "logout")
    typed = places.of("typed services", version, *TYPES, where=lambda place: place.typed)
    untyped = documents("documents", version, is_untyped)
    info = documents("descriptions of images", version, places.is_info)
    asked = fields(*(text(name, needed=True) for name in ("confirmLabel", "header", "description")))
    failure = fields(text("failureHeader"), text("failureDescription"))
    said = places.of(
        "services", version, "access", where=lambda place: bool({"failureHeader", "failureDescription"} & {*place.body})
    )
    found = (
        Rule("A1-DESC-01", access, partial(without_context, number)),
        Rule(
            "A1-DESC-02", access, fields(Field("profile", values.is_one_of(profiles), "one of " + ", ".join(profiles)))
        ),
        Rule("A1-DESC-03", opened, fields(ID)),
        Rule("A1-DESC-04", access, fields(LABEL)),
        Rule("A1-DESC-05", asking, asked, binding=False),
        Rule("A1-DESC-06", said, failure),
        Rule("A1-DESC-07", access, partial(without_token, number)),
        Rule("A1-DESC-08", untyped, partial(without_own_context, number)),
        Rule("A1-DESC-10", documents("manifests", version, is_manifest), partial(cited_too_early, number)),
        Rule("A1-INFO-04", info, partial(at_another_address, is_same), enough=False),
        Rule("A1-INFO-15", info, partial(at_another_address, str.__eq__)),
        Rule("A1-OUT-01", logouts, fields(ID, profile(number, "logout"), LABEL)),
        Rule("A1-SEC-03", every, unencrypted, enough=False, binding=False),
        Rule("A1-SEC-03", every, on_loopback, otherwise=Outcome.UNTESTABLE, binding=False),
    )
    return (*found, Rule("A1-DESC-09", typed, without_type)) if number == 1 else found


RULES = rules(1)
RULES_0 = tuple(rule for rule in rules(0) if rule.binding)
"""A SHOULD of 1.0 stays out of A094-ALL-01, which is a MUST."""


# -- 0.9.4 only ---------------------------------------------------------------------------------------------------

NEW = access_services(0, "clickthrough", "kiosk", "external")
"""Services that there were not before 0.9.3; where one stands, the document is not of 0.9.2 alone."""


def with_client_identity(place: Place) -> Iterator[str]:
    for child in place.of_role("client"):
        yield f"At {child.path}, there is a client identity service in a service of 0.9.4, which has none; it belongs in a login."


RULES_094 = (Rule("A094-DIFF-02", NEW, with_client_identity),)


def as_094(rules: tuple[Rule, ...], whole: Any, url: str) -> Iterator[Finding]:
    """What rules of 1.0 find, as findings about 0.9.4 (A094-ALL-01)."""
    found = list(judged(rules, whole, url))
    wrong = [finding for finding in found if finding.outcome is Outcome.FAIL]
    yield from (failed("A094-ALL-01", f"{finding.id}: {finding.evidence}", url) for finding in wrong)
    if found and not wrong:
        kept = ", ".join(dict.fromkeys(finding.id for finding in found))
        yield passed("A094-ALL-01", f"With auth/0 in place of auth/1, it keeps {kept}.", url)


# -- Film, sound and documents: practice (A1X) --------------------------------------------------------------------

ON_CONTENT = places.of(
    "cookie services on content", VERSION_1, "access", where=lambda place: place.resource.role == "content"
)
PROBES = places.of("probes", VERSION_1, "probe")


def misformed_probe(place: Place) -> Iterator[str]:
    yield from fields(ID, profile(1, "probe"))(place)
    if place.typed:
        yield from fields(Field("@type", values.is_exactly(PROBE), f'"{PROBE}"'))(place)
    if place.inside is None and place.resource.role == "content" and not has_cookie_service(place):
        yield f"At {place.path}, there is a probe without a cookie service beside it, so viewers can not get a token for it."


def has_cookie_service(place: Place) -> bool:
    return any(service.role == "access" and service.version == VERSION_1 for service in place.resource.services)


def nothing(_: Any) -> Iterator[str]:
    """What is allowed can not be wrong."""
    return iter(())


MEDIA_RULES = (Rule("A1X-01", ON_CONTENT, nothing), Rule("A1X-02", PROBES, misformed_probe))


def check(seen: Whole) -> Iterator[Finding]:
    """Everything that a document shows about 1.0, the practice around it, and 0.9.4."""
    url = seen.document.url
    yield from judged((*RULES, *MEDIA_RULES), seen, url)
    yield from as_094(RULES_0, seen, url)
    yield from judged(RULES_094, seen, url)


# -- Answers ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """What came from a token service or a probe. ``message_id`` is ``None`` for an answer in plain JSON."""

    body: Mapping[str, Any]
    message_id: str | None = None
    resource_id: str = ""
    path: str = ""

    @property
    def has_token(self) -> bool:
        return "accessToken" in self.body

    @property
    def posted(self) -> bool:
        return self.message_id is not None


def answers(name: str, where: Callable[[Answer], bool]) -> Subjects:
    return Subjects(name, lambda answer: [answer] if where(answer) else [])


TOKEN = Field("accessToken", values.is_string, "a token")
LIFE = Field("expiresIn", values.is_positive_integer, "a whole number of seconds", needed=False)
IN_JSON = answers("tokens in plain JSON", lambda answer: answer.has_token and not answer.posted)
IN_MESSAGE = answers("messages with a token", lambda answer: answer.has_token and answer.posted)
ERRORS = answers("errors", lambda answer: not answer.has_token)
ERRORS_POSTED = answers("error messages", lambda answer: not answer.has_token and answer.posted)


def plain_token(answer: Answer) -> Iterator[str]:
    yield from fields(TOKEN, LIFE)(answer)
    yield from absent("@context", "messageId")(answer)


def wrong_message_id(answer: Answer) -> Iterator[str]:
    wanted = answer.message_id or ""
    shown = values.address(wanted)
    yield from fields(Field("messageId", values.is_exactly(wanted), f"the string {shown}"))(answer)


def posted_token(answer: Answer) -> Iterator[str]:
    yield from fields(TOKEN, LIFE)(answer)
    yield from wrong_message_id(answer)


def error_of(*words: str) -> Callable[[Thing], Iterator[str]]:
    return fields(Field("error", values.is_one_of(words), "one of " + ", ".join(words)))


DESCRIPTION = fields(Field("description", values.is_string, "a text", needed=False))
MESSAGE_RULES = (
    Rule("A1-TOK-01", IN_JSON, plain_token),
    Rule("A1-TOK-03", IN_MESSAGE, posted_token),
    Rule("A1-TOK-07", ERRORS_POSTED, wrong_message_id),
    Rule("A1-ERR-01", ERRORS, error_of(*PROBLEMS)),
    Rule(
        "A1-ERR-02",
        answers("descriptions", lambda answer: not answer.has_token and "description" in answer.body),
        DESCRIPTION,
    ),
)


def message(body: Any, message_id: str | None, url: str, version: str = "1.0") -> Iterator[Finding]:
    """What an answer of the token service shows: a token, or why there is none.

    Args:
        body: the message that was posted, or the JSON that came.
        message_id: the one that was asked with; ``None`` if none was, and the answer is plain JSON.
        url: of the token service.
        version: ``1.0``, or ``0.9.4`` for findings about that.
    """
    if not isinstance(body, Mapping):
        wanted = "A1-ERR-01" if version == "1.0" else "A094-ALL-01"
        yield failed(wanted, f"The token service was expected to answer with an object, but {values.shown(body)}.", url)
        return
    judge = judged if version == "1.0" else as_094
    yield from judge(MESSAGE_RULES, Answer(body, message_id), url)


def wrong_content_location(answer: Answer) -> Iterator[str]:
    """Another address stands for a lesser version; the same one, spelled otherwise, is a mistake."""
    found = answer.body.get("contentLocation")
    if not values.is_uri(found):
        yield amiss(answer, "contentLocation", "the URI of what can be had")
    elif found != answer.resource_id and is_same(str(found), answer.resource_id):
        yield amiss(answer, "contentLocation", f"{values.address(answer.resource_id)}, letter by letter,")


ANSWERS = answers("answers", lambda _: True)
PROBE_RULES = (
    Rule("A1X-02", ANSWERS, fields(text("label")), enough=False),
    Rule("A1X-03", ANSWERS, wrong_content_location),
)


def probe_result(body: Any, resource_id: str, url: str) -> Iterator[Finding]:
    """What the answer of a probe on film, sound or a document shows.

    Args:
        body: the JSON that came.
        resource_id: the identifier that the manifest gives the resource.
        url: of the probe.
    """
    if not isinstance(body, Mapping):
        yield failed("A1X-03", f"The probe was expected to answer with a JSON object, but {values.shown(body)}.", url)
        return
    yield from judged(PROBE_RULES, Answer(body, resource_id=resource_id), url)


JUDGED = {
    "check": (*ids(RULES, MEDIA_RULES), "A094-ALL-01", *ids(RULES_094)),
    "message": (*ids(MESSAGE_RULES), "A094-ALL-01"),
    "probe_result": ids(PROBE_RULES),
}
"""Which requirements each function judges."""

"""IIIF Authorization Flow 2.0.0, as far as documents, probe results and messages show whether it is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iiif_auth.conformance.documents import VERSION_2 as VERSION
from iiif_auth.conformance.documents import NotIIIF, identifier, read
from iiif_auth.conformance.findings import Finding, Outcome, failed
from iiif_auth.conformance.structure import places, values
from iiif_auth.conformance.structure.places import Place, Whole, documents, whole
from iiif_auth.conformance.structure.rules import Rule, Subjects, ids, judged
from iiif_auth.conformance.structure.values import Field, absent, amiss, fields

CONTEXT = "http://iiif.io/api/auth/2/context.json"
PROBE = "AuthProbeService2"
ACCESS = "AuthAccessService2"
TOKEN = "AuthAccessTokenService2"  # noqa: S105 - a type name
LOGOUT = "AuthLogoutService2"
RESULT = "AuthProbeResult2"
TOKEN_MESSAGE = "AuthAccessToken2"  # noqa: S105 - a type name
ERROR_MESSAGE = "AuthAccessTokenError2"
PROFILES = ("active", "kiosk", "external")
PROBLEMS = ("invalidRequest", "invalidOrigin", "missingAspect", "invalidAspect", "expiredAspect", "unavailable")
OLD_WORDS = ("header", "description", "failureHeader", "failureDescription")


# -- Claims about single properties -------------------------------------------------------------------------------

HTTPS_ID = Field("id", values.is_safe_uri, "an https URI")
ANY_ID = Field("id", values.is_string, "an id")
ANY_TYPE = Field("type", values.is_string, "a type")
LABEL = Field("label", values.is_language_map, "a language map")
CONTEXT_FIELD = Field("@context", values.is_or_holds(CONTEXT), f"the context {CONTEXT}")


def typed(name: str) -> Field:
    return Field("type", values.is_exactly(name), f'"{name}"')


def language_map(name: str, *, needed: bool = False) -> Field:
    return Field(name, values.is_language_map, "a language map, with lists of texts by language,", needed)


def heading_and_note(heading: str, note: str) -> Callable[[values.Thing], Iterator[str]]:
    """That both are language maps, and that there is no note without its heading."""

    def wrong(thing: values.Thing) -> Iterator[str]:
        yield from fields(language_map(heading), language_map(note))(thing)
        if note in thing.body and heading not in thing.body:
            yield amiss(thing, heading, f"a heading above the text in “{note}”")

    return wrong


# -- Services, wherever they stand --------------------------------------------------------------------------------


def the(name: str, *roles: str, where: Callable[[Place], bool] | None = None) -> Subjects:
    return places.of(name, VERSION, *roles, where=where)


def is_profile(*wanted: str) -> Callable[[Place], bool]:
    return lambda place: place.body.get("profile") in wanted


SERVICES = the("services", "probe", "access", "token", "logout")
EMBEDDED = the(
    "embedded services", "probe", "access", "token", "logout", where=lambda place: place.typed and not place.alone
)
PROBES = the("probe services", "probe")
ACCESSES = the("access services", "access")
ACTIVE = the("active access services", "access", where=is_profile("active"))
OPENED = the("active and kiosk access services", "access", where=is_profile("active", "kiosk"))
EXTERNAL = the("external access services", "access", where=is_profile("external"))
TOKENS = the("token services", "token")
LOGOUTS = the("logout services", "logout")
HOLDERS = the("services that hold others", "probe", "access", where=lambda place: "service" in place.body)
NAMEABLE = Subjects(
    "probe and access services",
    lambda seen: [place for place in seen.places if place.version == VERSION and place.role in ("probe", "access")],
)
PARENTS = {"probe": (None,), "access": ("probe",), "token": ("access",), "logout": ("access",)}
WHERE = {None: "directly on a resource", "probe": "in a probe service", "access": "in an access service"}


def unlisted(place: Place) -> Iterator[str]:
    if not place.alone and not place.listed:
        yield f"At {place.path}, a list was expected, even for one service, but {values.shown(place.body)}."


def unlisted_children(place: Place) -> Iterator[str]:
    """A value that is neither a list nor a service; single services are told of where they stand."""
    found = place.body["service"]
    if not isinstance(found, list | Mapping):
        yield amiss(place, "service", "a list of services")


def misplaced(place: Place) -> Iterator[str]:
    parent = place.inside.role if place.inside else None
    if not place.alone and parent not in PARENTS[place.role]:
        right = " or ".join(WHERE[where] for where in PARENTS[place.role])
        here = WHERE.get(parent, f"in a {parent} service")
        yield f"At {place.path}, there is a service of type {kind(place)} {here}, but it belongs {right}."


def kind(place: Place) -> str:
    return values.address(place.body.get("type"))


def only_named(place: Place) -> Iterator[str]:
    if place.is_only_named:
        name = values.address(place.service.id)
        yield f"At {place.path}, {name} is only named; viewers look for all of the {place.role} service here, so repeat it."


def without_identity(place: Place) -> Iterator[str]:
    yield from fields(ANY_ID, ANY_TYPE)(place)


def without_access(place: Place) -> Iterator[str]:
    """An access service for every probe, and nothing but access services."""
    if not place.of_role("access"):
        yield amiss(place, "service", f"at least one {ACCESS}")
    others = [child for child in place.children if child.role != "access"]
    yield from (f"At {child.path}, an {ACCESS} was expected, but there is a {child.role} service." for child in others)


def wrongly_equipped(place: Place) -> Iterator[str]:
    """One token service and at most one logout service; more logouts and other services would leave viewers guessing."""
    tokens, logouts = len(place.of_role("token")), len(place.of_role("logout"))
    if tokens != 1:
        yield f"At {place.path}/service, exactly one {TOKEN} was expected, but there are {tokens}."
    if logouts > 1:
        yield f"At {place.path}/service, at most one {LOGOUT} was expected, but there are {logouts}."


def outdated(place: Place) -> Iterator[str]:
    """Words that drafts of 2.0 and versions before it had for what is now called otherwise."""
    yield from absent(*OLD_WORDS)(place)
    if place.body.get("profile") == "interactive":
        yield amiss(place, "profile", 'the profile "active", as “interactive” is called since March 2023,')


def with_query(place: Place) -> Iterator[str]:
    parts = values.split(place.body.get("id"))
    if parts and (parts.query or parts.fragment):
        yield amiss(place, "id", "an id without a query, to which viewers can add ?origin=,")


def with_id(place: Place) -> Iterator[str]:
    if "id" in place.body:
        yield (
            f"At {place.path}/id, the external service has an id. The specification advises against it, but the Presentation "
            "and Image APIs want one on every service (A2-DECL-11), and both can not be had."
        )


def unencrypted(place: Place) -> Iterator[str]:
    found = place.body.get("id")
    if values.is_uri(found) and not values.is_safe_uri(found):
        yield amiss(place, "id", "an https URI")


def on_loopback(place: Place) -> Iterator[str]:
    found = place.body.get("id")
    if values.is_safe_uri(found) and not values.is_https(found):
        yield f"{values.address(found)} is on this machine, where there is no https; try it where the service is to be."


SERVICE_RULES = (
    Rule("A2-GEN-01", SERVICES, unencrypted, enough=False),
    Rule("A2-GEN-01", SERVICES, on_loopback, otherwise=Outcome.UNTESTABLE),
    Rule("A2-DECL-04", SERVICES, unlisted),
    Rule("A2-DECL-04", HOLDERS, unlisted_children),
    Rule("A2-DECL-05", SERVICES, misplaced),
    Rule("A2-DECL-08", EMBEDDED, absent("@context")),
    Rule("A2-DECL-11", EMBEDDED, without_identity),
    Rule("A2-DECL-12", NAMEABLE, only_named),
    Rule("A2-PSD-01", PROBES, fields(HTTPS_ID)),
    Rule("A2-PSD-02", PROBES, fields(typed(PROBE))),
    Rule("A2-PSD-03", PROBES, without_access),
    Rule("A2-PSD-04", PROBES, heading_and_note("errorHeading", "errorNote")),
    Rule(
        "A2-ACC-01",
        ACCESSES,
        fields(typed(ACCESS), Field("profile", values.is_one_of(PROFILES), " or ".join(PROFILES))),
    ),
    Rule("A2-ACC-02", OPENED, fields(HTTPS_ID)),
    Rule("A2-ACC-03", EXTERNAL, with_id, otherwise=Outcome.UNTESTABLE),
    Rule("A2-ACC-04", ACCESSES, wrongly_equipped),
    Rule("A2-ACC-05", ACTIVE, fields(language_map("label", needed=True))),
    Rule(
        "A2-ACC-06", ACTIVE, fields(*(language_map(name, needed=True) for name in ("heading", "note", "confirmLabel")))
    ),
    Rule("A2-ACC-07", SERVICES, outdated),
    Rule("A2-INT-01", OPENED, with_query, enough=False),
    Rule("A2-TSD-01", TOKENS, fields(HTTPS_ID, typed(TOKEN))),
    Rule("A2-TSD-02", TOKENS, heading_and_note("errorHeading", "errorNote")),
    Rule("A2-LOG-02", LOGOUTS, fields(HTTPS_ID, typed(LOGOUT), language_map("label", needed=True))),
)


# -- Whole documents ----------------------------------------------------------------------------------------------


def is_typed(seen: Whole) -> bool:
    return seen.typed and bool(seen.host_context)


def is_untyped(seen: Whole) -> bool:
    return not seen.typed and bool(seen.host_context)


def without_context(seen: Whole) -> Iterator[str]:
    if CONTEXT not in seen.contexts:
        yield amiss(seen, "@context", f"{CONTEXT}, before {seen.host_context},")


def out_of_order(seen: Whole) -> Iterator[str]:
    if seen.contexts[-1] != seen.host_context or seen.contexts.index(CONTEXT) > seen.contexts.index(seen.host_context):
        yield f"At /@context, {CONTEXT} was expected before {seen.host_context}, and that at the end."


def without_own_context(seen: Whole) -> Iterator[str]:
    """In the hosts of 2.x the context of Auth 2 stands in the probe, and the host's remains the plain string."""
    yield from fields(Field("@context", values.is_exactly(seen.host_context), f'"{seen.host_context}", and no list,'))(
        seen
    )
    for place in PROBES.among(seen):
        if place.inside is None:
            yield from fields(CONTEXT_FIELD)(place)


def is_shared(seen: Whole) -> bool:
    """Whether a probe has several access services, or an access service several probes: allowed, and worth noticing."""
    found = Counter(place.service.id for place in ACCESSES.among(seen) if place.inside and place.service.id)
    several = (len(place.of_role("access")) > 1 for place in PROBES.among(seen))
    return any(several) or any(number > 1 for number in found.values())


def nothing(_: Any) -> Iterator[str]:
    """What is allowed can not be wrong."""
    return iter(())


WITH_CONTEXT = documents("contexts", VERSION, lambda seen: is_typed(seen) and CONTEXT in seen.contexts)
DOCUMENT_RULES = (
    Rule("A2-DECL-06", documents("documents", VERSION, is_typed), without_context),
    Rule("A2-DECL-07", WITH_CONTEXT, out_of_order),
    Rule("A2-DECL-09", documents("documents", VERSION, is_untyped), without_own_context),
    Rule("A2-DECL-10", documents("documents that share services", VERSION, is_shared), nothing),
)


def check(seen: Whole) -> Iterator[Finding]:
    """Everything that a document shows about 2.0.0."""
    yield from judged((*DOCUMENT_RULES, *SERVICE_RULES), seen, seen.document.url)


# -- What a probe answers (section 5.2) ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of an answer, with what it is an answer about: the type of the resource, and the URL of the probe."""

    body: Mapping[str, Any]
    resource_type: str = ""
    url: str = ""
    message_id: str = ""
    path: str = ""

    @property
    def status(self) -> int:
        """0 if there is none that could be one."""
        found = self.body.get("status")
        return found if isinstance(found, int) and values.is_http_status(found) else 0

    @property
    def substitutes(self) -> tuple[Part, ...]:
        found = self.body.get("substitute")
        listed = found if isinstance(found, list) else []
        return tuple(Part(one, f"/substitute/{n}") for n, one in enumerate(listed) if isinstance(one, Mapping))

    @property
    def location(self) -> Part | None:
        found = self.body.get("location")
        return Part(found, "/location") if isinstance(found, Mapping) else None


@dataclass(frozen=True, slots=True)
class Part:
    """A resource in an answer."""

    body: Mapping[str, Any]
    path: str


def the_result(name: str = "results", where: Callable[[Answer], object] = lambda _: True) -> Subjects:
    return Subjects(name, lambda answer: [answer] if where(answer) else [])


def ill_formed_substitute(answer: Answer) -> Iterator[str]:
    found = answer.body["substitute"]
    if not isinstance(found, list) or not found:
        yield amiss(answer, "substitute", "a list of resources")
        return
    for number, one in enumerate(found):
        if not isinstance(one, Mapping):
            yield f"At /substitute/{number}, an object with id and type was expected, but {values.shown(one)}."
    for part in answer.substitutes:
        yield from fields(ANY_ID, ANY_TYPE)(part)


def of_another_type(answer: Answer) -> Iterator[str]:
    several = len(answer.substitutes) > 1
    for part in answer.substitutes:
        if answer.resource_type and values.is_string(part.body.get("type")):
            yield from same_type(answer).wrong(part)
        if several or "label" in part.body:
            yield from language_map("label", needed=True).wrong(part)


def same_type(answer: Answer) -> Field:
    wanted = answer.resource_type
    return Field("type", values.is_exactly(wanted), f"{values.quoted(wanted)}, as the resource has,")


def ill_formed_location(answer: Answer) -> Iterator[str]:
    part = answer.location
    if part is None:
        yield amiss(answer, "location", "one object with id and type")
        return
    yield from fields(ANY_ID, ANY_TYPE)(part)
    if answer.resource_type and values.is_string(part.body.get("type")):
        yield from same_type(answer).wrong(part)


def untold(answer: Answer) -> Iterator[str]:
    needed = answer.status >= 400
    yield from fields(language_map("heading", needed=needed), language_map("note", needed=needed))(answer)
    if not needed:
        yield from heading_and_note("heading", "note")(answer)


def of_the_alpha(answer: Answer) -> Iterator[str]:
    yield from absent("id", "for", "statusFor", "label")(answer)
    if isinstance(answer.body.get("location"), str):
        yield amiss(answer, "location", "an object")
    if answer.body.get("type") == PROBE:
        yield amiss(answer, "type", f'"{RESULT}"')


def not_401(answer: Answer) -> Iterator[str]:
    if answer.status != 401:
        yield amiss(answer, "status", "401 beside a substitute, for viewers look at substitutes under no other,")


def alike(answer: Answer) -> Iterator[str]:
    found = Counter(identifier(part.body) for part in answer.substitutes)
    yield from (
        f"{values.address(id)} stands more than once in /substitute; each needs its own."
        for id, n in found.items()
        if n > 1
    )


def with_the_same_probe(answer: Answer) -> Iterator[str]:
    for seen in inner(answer):
        for place in PROBES.among(seen):
            if answer.url and place.service.id == answer.url:
                yield f"The substitute at {seen.path} leads to the very probe that offers it; it needs one of its own."


def inner(answer: Answer) -> Iterator[Whole]:
    """The resources in an answer, as documents of their own."""
    for part in (*answer.substitutes, *([answer.location] if answer.location else [])):
        try:
            found = whole(read(answer.url, part.body))
        except NotIIIF:
            continue
        yield Whole(found.document, found.places, part.path)


ANSWERS = the_result()
WITH_SUBSTITUTES = the_result("results with substitutes", lambda answer: "substitute" in answer.body)
GRANTED = the_result("results that grant", lambda answer: 200 <= answer.status < 400)
RESULT_RULES = (
    Rule(
        "A2-PRB-02",
        ANSWERS,
        fields(CONTEXT_FIELD, typed(RESULT), Field("status", values.is_http_status, "an HTTP status")),
    ),
    Rule("A2-PRB-07", GRANTED, absent("substitute")),
    Rule("A2-PRB-08", WITH_SUBSTITUTES, ill_formed_substitute),
    Rule("A2-PRB-09", WITH_SUBSTITUTES, of_another_type),
    Rule("A2-PRB-11", WITH_SUBSTITUTES, with_the_same_probe, enough=False),
    Rule("A2-CONT-02", WITH_SUBSTITUTES, alike, enough=False),
    Rule("A2-PRB-14", the_result(where=lambda answer: not 300 <= answer.status < 400), absent("location")),
    Rule("A2-PRB-15", the_result("locations", lambda answer: "location" in answer.body), ill_formed_location),
    Rule("A2-PRB-16", ANSWERS, untold),
    Rule(
        "A2-PRB-17",
        the_result(where=lambda answer: "substitute" in answer.body and answer.status >= 400),
        not_401,
        enough=False,
    ),
    Rule("A2-PRB-21", ANSWERS, of_the_alpha),
)


def probe_result(body: Any, resource_type: str, url: str) -> Iterator[Finding]:
    """What the answer of a probe shows.

    Args:
        body: the JSON that came.
        resource_type: of the resource that the probe stands on, such as ``Image``; empty if it is not known.
        url: of the probe.
    """
    if not isinstance(body, Mapping):
        yield failed(
            "A2-PRB-02", f"The probe was expected to answer with a JSON object, but {values.shown(body)}.", url
        )
        return
    answer = Answer(body, resource_type, url)
    yield from judged(RESULT_RULES, answer, url)
    for seen in inner(answer):
        for finding in judged(SERVICE_RULES, seen, url):
            where = f"In the resource at {seen.path}: {finding.evidence}"
            yield Finding(finding.id, finding.outcome, where, url)


# -- What the token service posts (sections 4.4 and 4.5) ----------------------------------------------------------


def wrong_message_id(answer: Answer) -> Iterator[str]:
    if "messageId" in answer.body:
        wanted = values.address(answer.message_id)
        yield from fields(Field("messageId", values.is_exactly(answer.message_id), f"the string {wanted}"))(answer)


def is_token(answer: Answer) -> bool:
    return "accessToken" in answer.body or answer.body.get("type") == TOKEN_MESSAGE


def is_error(answer: Answer) -> bool:
    return not is_token(answer)


TOKEN_POSTED = the_result("messages with a token", is_token)
ERROR_POSTED = the_result("error messages", is_error)
ANY_MESSAGE_ID = Field("messageId", lambda _: True, "a messageId")
MESSAGE_RULES = (
    Rule(
        "A2-TOK-05",
        TOKEN_POSTED,
        fields(CONTEXT_FIELD, typed(TOKEN_MESSAGE), Field("accessToken", values.is_string, "a token"), ANY_MESSAGE_ID),
    ),
    Rule(
        "A2-TOK-06",
        the_result("messages with a messageId", lambda a: is_token(a) and "messageId" in a.body),
        wrong_message_id,
    ),
    Rule(
        "A2-TOK-07",
        TOKEN_POSTED,
        fields(Field("expiresIn", values.is_positive_integer, "a whole number of seconds", needed=False)),
    ),
    Rule(
        "A2-ERR-01",
        ERROR_POSTED,
        fields(CONTEXT_FIELD, typed(ERROR_MESSAGE), Field("profile", values.is_string, "a profile"), ANY_MESSAGE_ID),
    ),
    Rule("A2-ERR-01", ERROR_POSTED, wrong_message_id),
    Rule(
        "A2-ERR-02",
        the_result(
            "errors with a profile", lambda answer: is_error(answer) and values.is_string(answer.body.get("profile"))
        ),
        fields(Field("profile", values.is_one_of(PROBLEMS), "one of " + ", ".join(PROBLEMS))),
    ),
    Rule("A2-ERR-03", ERROR_POSTED, heading_and_note("heading", "note")),
)


def message(body: Any, message_id: str, url: str) -> Iterator[Finding]:
    """What a message of the token service shows: a token, or why there is none.

    Args:
        body: the message that was posted.
        message_id: the one that was asked with.
        url: of the token service.
    """
    if not isinstance(body, Mapping):
        yield failed("A2-ERR-01", f"The token service was expected to post an object, but {values.shown(body)}.", url)
        return
    yield from judged(MESSAGE_RULES, Answer(body, url=url, message_id=message_id), url)


JUDGED = {
    "check": ids(DOCUMENT_RULES, SERVICE_RULES),
    "probe_result": ids(RESULT_RULES, SERVICE_RULES),
    "message": ids(MESSAGE_RULES),
}
"""Which requirements each function judges."""

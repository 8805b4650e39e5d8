"""The probe service: always there, always readable, and always telling the truth about the content (section 5)."""

from __future__ import annotations

import base64
from collections.abc import Iterator

from iiif_auth.conformance.browser import Sight, bearer, fetched, parameters, preflight, shown
from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.findings import Finding, judged, measured, passed, untestable
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v2.targets import Target, result, status_of, substitutes
from iiif_auth.conformance.person import Holder, asked_for_token, visited
from iiif_auth.conformance.structure import v2 as structure
from iiif_auth.conformance.web import Answer, origin_of

UNKNOWN = "x" * 43
"""A token that nobody gave out."""
NO_TOKENS = (
    ("A2-PRB-05", "an unknown token", f"Bearer {UNKNOWN}"),
    ("A2-PRB-03", "Basic credentials", f"Basic {base64.b64encode(b'viewer:secret').decode()}"),
    ("A2-PRB-03", "an empty token", "Bearer"),
)
JSON_TYPES = ("application/json", "application/ld+json")


# -- Without a token ----------------------------------------------------------------------------------------------


def answers_anybody(target: Target) -> Iterator[Finding]:
    answer = target.plain
    yield _is_200(answer, "without a token")
    yield from _headers(target, answer)
    yield from structure.probe_result(result(answer), target.kind, target.url)


def answers_whatever_comes(target: Target) -> Iterator[Finding]:
    """Tokens and credentials that are none change neither the HTTP status nor the outcome."""
    for id, what, value in NO_TOKENS:
        answer = fetched(target.tour, target.url, {"Authorization": value})
        yield _is_200(answer, f"with {what}")
        yield from _headers(target, answer)
        if answer.status == 200:
            yield _same(target, id, answer, f"with {what}")


def answers_for_the_unknown(target: Target) -> Iterator[Finding]:
    """Whether a made-up address is one of the probe's nobody outside can tell, so only a good answer counts."""
    made_up = target.url.rstrip("/").rpartition("/")[0] + "/bm8tc3VjaC1pdGVt"
    answer = fetched(target.tour, made_up)
    if answer.status == 200 and answer.type in JSON_TYPES and result(answer).get("type") == "AuthProbeResult2":
        yield passed(
            "A2-PRB-01", f"{answer.told}, an address made up, answered 200 with status {status_of(answer)}.", made_up
        )
        yield from _headers(target, answer)


def _is_200(answer: Answer, how: str) -> Finding:
    evidence = f"{answer.told} {how} answered HTTP {answer.status}."
    return judged("A2-PRB-01", answer.status == 200, evidence, answer.url, expected="200, whatever the outcome")


def _headers(target: Target, answer: Answer) -> Iterator[Finding]:
    yield from readable(target, answer)
    yield from kept_by_nobody(answer)
    yield from asks_for_nothing(answer)


def readable(target: Target, answer: Answer) -> Iterator[Finding]:
    allowed = answer.header("access-control-allow-origin")
    evidence = f"{answer.told} answered {answer.status} with Access-Control-Allow-Origin {_quoted(allowed)}."
    yield judged("A2-PRB-19", allowed in ("*", target.tour.origin), evidence, answer.url, expected="“*”")


def kept_by_nobody(answer: Answer) -> Iterator[Finding]:
    cache = answer.header("cache-control").lower()
    by_token = "authorization" in answer.header("vary").lower()
    sound = "no-store" in cache or by_token and ("private" in cache or "no-cache" in cache)
    evidence = f"{answer.told} answered with Cache-Control {_quoted(cache)}."
    yield judged("A2-PRB-20", sound, evidence, answer.url, expected="“no-store”")
    if answer.status == 200:
        evidence = f"{answer.told} answered with Content-Type {_quoted(answer.header('content-type'))}."
        yield judged("A2-PRB-20", answer.type in JSON_TYPES, evidence, answer.url, expected="“application/json”")


def asks_for_nothing(answer: Answer) -> Iterator[Finding]:
    asked = answer.header("www-authenticate")
    evidence = (
        f"{answer.told} sent WWW-Authenticate: {asked}; a browser would ask its reader for a password." if asked else ""
    )
    moved = (
        f"{answer.told} redirects to {answer.redirects_to}; a browser drops the token on the way."
        if answer.redirects_to
        else ""
    )
    good = f"{answer.told} asks for no password and does not redirect."
    yield judged("A2-PRB-22", not (asked or moved), evidence or moved or good, answer.url)


def allows_tokens(target: Target) -> Iterator[Finding]:
    """The preflight, without which no browser sends a token."""
    answer = preflight(target.tour, target.url)
    told = f"{answer.told} (preflight) answered {answer.status}"
    yield measured("A2-PRB-18", told, _preflight(answer), "and allows GET with Authorization", target.url)


def _preflight(answer: Answer) -> list[tuple[str, bool]]:
    names = [name.strip().lower() for name in answer.header("access-control-allow-headers").split(",")]
    methods = [name.strip().upper() for name in answer.header("access-control-allow-methods").split(",")]
    return [
        ("status 200 or 204", answer.status in (200, 204)),
        ("Access-Control-Allow-Origin: *", answer.header("access-control-allow-origin") == "*"),
        ("Authorization by name in Access-Control-Allow-Headers", "authorization" in names),
        ("GET in Access-Control-Allow-Methods", "GET" in methods),
        ("an Access-Control-Max-Age", answer.header("access-control-max-age").isdigit()),
    ]


def tells_the_truth(target: Target) -> Iterator[Finding]:
    """``status`` is what a browser without any aspect really gets."""
    yield _agrees(target, target.plain, target.open_sight, "without a token")
    if target.open_sight.granted:
        status = status_of(target.plain)
        evidence = f"{target.open_sight.told} to anybody, and {target.plain.told} without a token says {status}."
        yield judged("A2-PRB-06", status == 200 or 300 <= status < 400, evidence, target.url)


DENIED = (401, 403)
CLASSES = (DENIED, (200, 206, 304), (404, 410))


def _agrees(target: Target, answer: Answer, sight: Sight, how: str) -> Finding:
    status = status_of(answer)
    told = f"{answer.told} {how} says {status}; {sight.told}"
    if 300 <= status < 400:
        return untestable(
            "A2-PRB-04", f"{told}; where the probe sends on, the content itself may say otherwise.", target.url
        )
    if status in (429, 503) or sight.last.status in (429, 500, 502, 503, 504):
        return untestable("A2-PRB-04", f"{told}; the server is busy or out of order.", target.url)
    got = 401 if sight.is_login_page else sight.last.status
    same = status == got or any(status in one and got in one for one in CLASSES)
    return judged("A2-PRB-04", same, f"{told}." if same else f"{told}; both should come to the same.", target.url)


def _same(target: Target, id: str, answer: Answer, how: str) -> Finding:
    """That something which is no token makes no difference."""
    plain, now = status_of(target.plain), status_of(answer)
    evidence = f"{answer.told} {how} says {now}, and {plain} without anything."
    return judged(id, plain == now, evidence, target.url)


def offers_something(target: Target) -> Iterator[Finding]:
    """What is offered instead is there, or has a probe of its own that says how to get it."""
    yield from _offers(target, target.plain, None)


def _offers(target: Target, answer: Answer, holder: Holder | None) -> Iterator[Finding]:
    for offered in substitutes(target, answer):
        sight = shown(target.tour, offered.content, offered.kind, holder.jar.copy() if holder else None)
        different = offered.content != target.content
        evidence = f"{answer.told} offers {offered.content} instead of {target.content}."
        yield judged("A2-CONT-02", different, evidence, target.url)
        if offered.probe is None:
            evidence = f"{answer.told} offers {offered.content} as open to the one who asks; {sight.told}."
            yield judged("A2-PRB-10", sight.granted, evidence, target.url)
        else:
            evidence = f"{answer.told} offers {offered.content} with the probe {offered.url}; its own is {target.url}."
            yield judged("A2-PRB-11", offered.url != target.url, evidence, target.url)


# -- With a token -------------------------------------------------------------------------------------------------

Holding = tuple[Target, Holder]


def tells_the_holder_the_truth(holding: Holding) -> Iterator[Finding]:
    """``status`` is what the browser gets that has the aspect the token stands for; it has the cookie, the probe the token."""
    target, holder = holding
    answer = target.asked(holder.token)
    yield _is_200(answer, "with a token")
    yield from _headers(target, answer)
    yield from structure.probe_result(result(answer), target.kind, target.url)
    sight = shown(target.tour, target.content, target.kind, holder.jar.copy())
    yield _agrees(target, answer, sight, "with a token")
    yield from _leads_somewhere(target, answer, holder)
    yield from _offers(target, answer, holder)


def _leads_somewhere(target: Target, answer: Answer, holder: Holder) -> Iterator[Finding]:
    location = result(answer).get("location")
    id = location.get("id") if isinstance(location, dict) else None
    if not 300 <= status_of(answer) < 400 or not isinstance(id, str) or not origin_of(id):
        return
    sight = shown(target.tour, id, target.kind, holder.jar.copy())
    evidence = f"{answer.told} with a token sends on to {id}; {sight.told}."
    yield judged("A2-PRB-04", sight.granted, evidence, target.url)


def login_was_worth_it(holding: Holding) -> Iterator[Finding]:
    """401 is said wherever logging in helps; 403 would have stopped the viewer (section 7)."""
    target, holder = holding
    before, after = status_of(target.plain), status_of(target.asked(holder.token))
    if after == 200 or 300 <= after < 400:
        evidence = f"{target.plain.told} says {before} without a token, and {after} with one."
        yield judged("A2-PRB-17", before in (200, 401) or 300 <= before < 400, evidence, target.url)


def takes_tokens_from_the_header_only(holding: Holding) -> Iterator[Finding]:
    target, holder = holding
    if status_of(target.plain) == status_of(target.asked(holder.token)):
        yield untestable("A2-PRB-03", "No token made a difference, so none in the wrong place could.", target.url)
        return
    token = holder.token
    query = parameters(target.url, ("access_token", token), ("accessToken", token), ("token", token))
    yield _same(target, "A2-PRB-03", fetched(target.tour, query), "with the token in its query only")
    as_name = base64.b64encode(f"{token}:".encode()).decode()
    basic = fetched(target.tour, target.url, {"Authorization": f"Basic {as_name}"})
    yield _same(target, "A2-PRB-03", basic, "with the token as Basic credentials")


def takes_no_token_of_others(trio: tuple[Target, Holder, Holder]) -> Iterator[Finding]:
    """A token of a service that is not nested under this probe is nobody's, even if its holder might come in otherwise.

    One browser goes through the service of somebody else (``stranger``) and through one under this probe (``own``); the token is
    of the first.
    """
    target, own, stranger = trio
    token = stranger.token
    if not stranger.given and stranger.token_service is not None:
        jar = Jar()
        visited(target.tour, stranger.access, jar=jar)
        visited(target.tour, own.access, jar=jar)
        token = asked_for_token(target.tour, stranger.token_service, jar).token or token
    answer = fetched(target.tour, target.url, bearer(token))
    yield _same(target, "A2-PRB-05", answer, f"with a token of {stranger.name}, which is not under this probe,")


def no_token(target: Target, why: str) -> Iterator[Finding]:
    """What could not be tried without a token, and why there was none."""
    ids = ("A2-PRB-03", "A2-PRB-05", "A2-PRB-07", "A2-PRB-17", "A2-CONT-01", "A2-CONT-04")
    yield from (untestable(id, why, target.url) for id in ids)


def _quoted(value: str) -> str:
    return f"“{value}”" if value else "missing"


PLAIN: tuple[Check[Target], ...] = (
    Check(("A2-PRB-01", "A2-PRB-02", "A2-PRB-16", "A2-PRB-19", "A2-PRB-20", "A2-PRB-21", "A2-PRB-22"), answers_anybody),
    Check(("A2-PRB-04", "A2-PRB-06"), tells_the_truth),
    Check(("A2-PRB-10", "A2-PRB-11", "A2-CONT-02"), offers_something),
)
THOROUGH: tuple[Check[Target], ...] = (
    Check(("A2-PRB-01", "A2-PRB-03", "A2-PRB-05", "A2-PRB-19", "A2-PRB-20", "A2-PRB-22"), answers_whatever_comes),
    Check(("A2-PRB-01",), answers_for_the_unknown),
    Check(("A2-PRB-18",), allows_tokens),
)
HOLDING: tuple[Check[Holding], ...] = (
    Check(("A2-PRB-01", "A2-PRB-04", "A2-PRB-07", "A2-PRB-14", "A2-PRB-15"), tells_the_holder_the_truth),
    Check(("A2-PRB-17",), login_was_worth_it),
)
HOLDING_THOROUGH: tuple[Check[Holding], ...] = (Check(("A2-PRB-03",), takes_tokens_from_the_header_only),)
FOREIGN: tuple[Check[tuple[Target, Holder, Holder]], ...] = (Check(("A2-PRB-05",), takes_no_token_of_others),)

"""The token service: as in 1.0, but errors are JSON-LD and have a word for what has expired (section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import Shown
from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.findings import Finding, failed, judged, measured, untestable
from iiif_auth.conformance.flows.earlier.contents import json_object
from iiif_auth.conformance.flows.earlier.images import MADE_UP
from iiif_auth.conformance.flows.earlier.people import Asking
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.token import (
    MESSAGE_IDS,
    OTHER_ORIGIN,
    STRANGE_ORIGINS,
    echoed,
    fits,
    is_origin,
    nothing_was_shown,
)
from iiif_auth.conformance.person import Query
from iiif_auth.conformance.structure import alpha as structure
from iiif_auth.conformance.web import Unreachable, shortened

BROKEN = ("invalidCredentials", "missingCredentials", "expiredCredentials")
"""What may be said of a cookie with a made-up value."""


def is_a_page(asking: Asking, shown: Shown, how: str, origins: tuple[str, ...]) -> Finding:
    """HTML, HTTP 200 for errors too, one message, and to nobody but the origin that asked."""
    answer = shown.answer
    told = f"{_told(shown)} {how} answered {answer.status} {answer.header('content-type')} and {shown.told}"
    claims = [
        ("HTTP 200", answer.status == 200),
        ("text/html", answer.type == "text/html"),
        ("one message to window.parent", len(shown.posted) == 1 and shown.posted[0].to == "parent"),
        (f"the target {asking.tour.origin!r}", _goes_right(shown, origins)),
    ]
    return measured("A2A-TOK-02", told, claims, "as viewers expect it", asking.url)


def _goes_right(shown: Shown, origins: tuple[str, ...]) -> bool:
    """Where no origin was named that could be one, an error may go to anybody; a token may not."""
    if not shown.posted or any(is_origin(shown.target, origin) for origin in origins):
        return True
    return not origins and not shown.token


def _told(shown: Shown) -> str:
    return f"GET {shortened(shown.answer.url, 120)}"


# -- With nothing in hand -----------------------------------------------------------------------------------------


def tells_strangers_why_not(asking: Asking) -> Iterator[Finding]:
    shown = asking.with_id("stranger", Jar())
    yield is_a_page(asking, shown, "by somebody who has nothing", (asking.tour.origin,))
    if shown.message is not None:
        yield from structure.message(shown.message, "stranger", asking.url)
        yield from nothing_was_shown(asking, shown.message, "A2A-ERR-01")


def tells_programs_why_not(asking: Asking) -> Iterator[Finding]:
    answer = asking.as_program(jar=Jar())
    body = json_object(answer)
    yield from structure.message(body, None, asking.url)
    error = body.get("error")
    if error is None:
        why = f"{answer.told} gave a token to somebody without a cookie, so there was no error to see."
        yield untestable("A2A-ERR-01", why, asking.url)
        return
    words, fitting = fits(error)
    told = f"{answer.told} without a cookie answered {answer.status} {answer.type} with the error {error!r}"
    yield measured("A2A-ERR-01", told, [(words, answer.status in fitting)], "which fits", asking.url)


def answers_the_malformed(asking: Asking) -> Iterator[Finding]:
    """Without an origin there is nobody to whom a token could go, nor with one that no browser would name."""
    strange: list[Query] = [(("origin", origin),) for origin in STRANGE_ORIGINS]
    for pairs in [(), *strange, (("origin", asking.tour.origin), ("origin", OTHER_ORIGIN))]:
        shown = asking.in_frame(("messageId", "strange"), *pairs)
        how = f"with {' and '.join(value for _, value in pairs)}" if pairs else "without an origin"
        named = tuple(value for _, value in pairs) if shown.token else ()
        yield is_a_page(asking, shown, how, named)
        if shown.message is not None and not shown.token:
            yield from structure.message(shown.message, "strange", asking.url)


# -- With the aspect ----------------------------------------------------------------------------------------------


def gives_viewers_a_token(asking: Asking) -> Iterator[Finding]:
    shown = asking.holder.answer
    if shown is None:
        return
    yield is_a_page(asking, shown, "with the aspect", (asking.tour.origin,))
    yield from structure.message(asking.holder.message or None, "1234", asking.url)


def gives_programs_a_token(asking: Asking) -> Iterator[Finding]:
    answer = asking.as_program()
    told = f"{answer.told} with the aspect answered {answer.status} {answer.header('content-type')}"
    claims = [("HTTP 200", answer.status == 200), ("application/json", answer.type == "application/json")]
    yield measured("A2A-TOK-01", told, claims, "with plain JSON", asking.url)
    try:
        yield from structure.message(json_object(answer), None, asking.url)
    except Unreachable as problem:
        yield failed("A2A-TOK-01", str(problem), asking.url)


def keeps_the_message_id(asking: Asking) -> Iterator[Finding]:
    for message_id in MESSAGE_IDS:
        yield echoed(asking, asking.with_id(message_id), message_id, "A2A-TOK-02")


def sees_through_a_made_up_cookie(asking: Asking) -> Iterator[Finding]:
    if asking.holder.cookies:
        shown = asking.with_id("made-up", asking.holder.jar.changed(asking.holder.cookies, MADE_UP))
        yield is_a_page(asking, shown, "with a made-up cookie", (asking.tour.origin,))
        error = (shown.message or {}).get("error")
        evidence = f"With a made-up cookie it {shown.told}; {' or '.join(BROKEN)} is expected."
        yield judged("A2A-ERR-01", error in BROKEN, evidence, asking.url)


STRANGER: tuple[Check[Asking], ...] = (
    Check(("A2A-TOK-02", "A2A-ERR-01"), tells_strangers_why_not),
    Check(("A2A-ERR-01",), tells_programs_why_not),
)
HOLDING: tuple[Check[Asking], ...] = (
    Check(("A2A-TOK-02",), gives_viewers_a_token),
    Check(("A2A-TOK-01",), gives_programs_a_token),
)
HOLDING_THOROUGH: tuple[Check[Asking], ...] = (
    Check(("A2A-TOK-02",), keeps_the_message_id),
    Check(("A2A-TOK-02",), answers_the_malformed),
    Check(("A2A-ERR-01",), sees_through_a_made_up_cookie),
)

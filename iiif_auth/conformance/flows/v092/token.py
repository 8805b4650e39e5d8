"""The token service: a message for anybody, for no origin is known, or plain JSON for programs (section 2.2)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import Shown
from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.findings import Finding, failed, judged, measured, passed, untestable
from iiif_auth.conformance.flows.earlier.contents import json_object
from iiif_auth.conformance.flows.earlier.images import MADE_UP
from iiif_auth.conformance.flows.earlier.people import Asking, child_of
from iiif_auth.conformance.flows.earlier.secrets import kinship
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.token import MESSAGE_IDS, echoed, fits
from iiif_auth.conformance.structure import v092 as structure
from iiif_auth.conformance.web import Unreachable, shortened

CALLBACK = "conformanceCallback"


def is_a_page(asking: Asking, shown: Shown, how: str, id: str) -> Finding:
    """HTML, HTTP 200 for errors too, and one message to whoever framed it."""
    answer = shown.answer
    told = f"{_told(shown)} {how} answered {answer.status} {answer.header('content-type')} and {shown.told}"
    claims = [
        ("HTTP 200", answer.status == 200),
        ("text/html", answer.type == "text/html"),
        ("one message to window.parent", len(shown.posted) == 1 and shown.posted[0].to == "parent"),
        ("the target '*', for no origin is known", shown.target in ("*", None)),
    ]
    return measured(id, told, claims, "as viewers expect it", asking.url)


def _told(shown: Shown) -> str:
    return f"GET {shortened(shown.answer.url, 120)}"


# -- With nothing in hand -----------------------------------------------------------------------------------------


def tells_strangers_why_not(asking: Asking) -> Iterator[Finding]:
    shown = asking.with_id("stranger", Jar())
    yield is_a_page(asking, shown, "by somebody who has nothing", "A092-TOK-04")
    if shown.message is not None:
        yield from structure.message(shown.message, "stranger", asking.url)
        yield _nothing_was_shown(asking, shown.message.get("error"))


def _nothing_was_shown(asking: Asking, error: object) -> Finding:
    evidence = f"{shortened(asking.url)} says {error!r} to somebody without a cookie; 'missingCredentials' is expected."
    return judged("A092-ERR-01", error == "missingCredentials", evidence, asking.url)


def tells_programs_why_not(asking: Asking) -> Iterator[Finding]:
    answer = asking.as_program(jar=Jar())
    body = json_object(answer)
    yield from structure.message(body, None, asking.url)
    error = body.get("error")
    words, fitting = fits(error)
    claims = [
        (words, answer.status in fitting),
        ("application/json", answer.type == "application/json"),
    ]
    told = f"{answer.told} without a cookie answered {answer.status} {answer.type} with the error {error!r}"
    yield measured("A092-TOK-04", told, claims, "which fits", asking.url)


def speaks_no_script(asking: Asking) -> Iterator[Finding]:
    """A script on anybody's page could read what JSONP says."""
    answer = asking.as_program(("callback", CALLBACK))
    wrong = "javascript" in answer.type or answer.text.lstrip("/* \r\n\t").startswith(CALLBACK)
    evidence = f"{answer.told} answered {answer.type}{', with a call of the function that was named' if wrong else ''}."
    yield judged("A092-TOK-06", not wrong, evidence, asking.url)


# -- With the cookie ----------------------------------------------------------------------------------------------


def gives_viewers_a_token(asking: Asking) -> Iterator[Finding]:
    shown = asking.holder.answer
    if shown is None:
        return
    yield is_a_page(asking, shown, "with the cookie", "A092-TOK-03")
    yield from structure.message(asking.holder.message or None, "1234", asking.url)
    life = asking.holder.message.get("expiresIn")
    told = f"says that it ends after {life} seconds" if life else "does not say when it ends, which is allowed"
    yield passed("A092-TOK-02", f"The token of {asking.holder.name} {told}.", asking.url)


def gives_programs_a_token(asking: Asking) -> Iterator[Finding]:
    answer = asking.as_program()
    told = f"{answer.told} with the cookie answered {answer.status} {answer.header('content-type')}"
    claims = [("HTTP 200", answer.status == 200), ("JSON", answer.type == "application/json")]
    yield measured("A092-TOK-01", told, claims, "with plain JSON", asking.url)
    try:
        yield from structure.message(json_object(answer), None, asking.url)
    except Unreachable as problem:
        yield failed("A092-TOK-01", str(problem), asking.url)


def keeps_the_message_id(asking: Asking) -> Iterator[Finding]:
    for message_id in MESSAGE_IDS:
        shown = asking.with_id(message_id)
        yield echoed(asking, shown, message_id, "A092-TOK-03")


def sees_through_a_made_up_cookie(asking: Asking) -> Iterator[Finding]:
    if asking.holder.cookies:
        shown = asking.with_id("made-up", asking.holder.jar.changed(asking.holder.cookies, MADE_UP))
        yield is_a_page(asking, shown, "with a made-up cookie", "A092-TOK-04")
        error = (shown.message or {}).get("error")
        words = ("invalidCredentials", "missingCredentials")
        evidence = f"With a made-up cookie it {shown.told}; {' or '.join(words)} is expected."
        yield judged("A092-ERR-01", error in words, evidence, asking.url)


def checks_codes(asking: Asking) -> Iterator[Finding]:
    """Where viewers may say who they are, a code that nobody gave out is an error."""
    client = child_of(asking.holder.access, "client")
    if not client:
        why = f"{asking.holder.name} has no client identity service, so there are no codes."
        yield untestable("A092-TOK-05", why, asking.url)
        return
    shown = asking.in_frame(("messageId", "code"), ("code", MADE_UP))
    error = (shown.message or {}).get("error")
    evidence = f"With a code that nobody gave out it {shown.told}; an error is expected."
    yield judged("A092-TOK-05", not shown.token and error is not None, evidence, asking.url)
    if shown.message is not None:
        yield from structure.message(shown.message, "code", asking.url)


def keeps_cookie_and_token_apart(asking: Asking) -> Iterator[Finding]:
    found = kinship(asking.holder.token, asking.holder.jar)
    evidence = (
        f"The token of {asking.holder.name} {found or 'has nothing to do with any cookie, as far as can be seen'}."
    )
    yield judged("A092-SEC-01", not found, evidence, asking.url)


STRANGER: tuple[Check[Asking], ...] = (
    Check(("A092-TOK-04", "A092-ERR-01"), tells_strangers_why_not),
    Check(("A092-TOK-04", "A092-ERR-01"), tells_programs_why_not),
    Check(("A092-TOK-06",), speaks_no_script),
)
HOLDING: tuple[Check[Asking], ...] = (
    Check(("A092-TOK-03", "A092-TOK-02"), gives_viewers_a_token),
    Check(("A092-TOK-01",), gives_programs_a_token),
    Check(("A092-SEC-01",), keeps_cookie_and_token_apart),
    Check(("A092-TOK-05",), checks_codes),
    Check(("A092-ERR-01",), sees_through_a_made_up_cookie),
)
HOLDING_THOROUGH: tuple[Check[Asking], ...] = (Check(("A092-TOK-03",), keeps_the_message_id),)

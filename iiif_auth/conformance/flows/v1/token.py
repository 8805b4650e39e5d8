"""The token service: a page in a frame for viewers, plain JSON for programs (section 2.2)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from iiif_auth.conformance.browser import Shown
from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.findings import Finding, failed, judged, measured, passed, untestable
from iiif_auth.conformance.flows.earlier.contents import json_object
from iiif_auth.conformance.flows.earlier.images import MADE_UP
from iiif_auth.conformance.flows.earlier.people import Asking
from iiif_auth.conformance.flows.earlier.secrets import kinship
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.person import Query, profile
from iiif_auth.conformance.structure import v1 as structure
from iiif_auth.conformance.web import Unreachable, origin_of, shortened

PATIENCE = 5.0
"""Seconds after which a widespread viewer gives up."""
INJECTED = "injected-by-the-conformance-checker"
MESSAGE_IDS = (
    "https://iiif.example.org/token?a=b|1",
    "</script>",
    f'</script><script>window.parent.postMessage("{INJECTED}","*")</script>',
    f'"}});window.parent.postMessage("{INJECTED}","*");//\u2028',
    "m" * 2000,
)
OTHER_ORIGIN = "https://other-viewer.example.net"
STRANGE_ORIGINS = ("null", "*", "javascript:alert(1)", "https://client.example.org@evil.example")
FITTING = {
    "invalidRequest": (400,),
    "missingCredentials": (401, 403),
    "invalidCredentials": (401, 403),
    "expiredCredentials": (401, 403),
    "invalidClient": (400, 401, 403),
    "invalidClientSecret": (400, 401, 403),
    "invalidOrigin": (400, 401, 403),
    "unavailable": (503,),
}
"""The HTTP statuses that fit an error, where the answer is plain JSON."""


def fits(error: object) -> tuple[str, Collection[int]]:
    """The statuses that fit an error, in words and as numbers; to a word that there is not, any error is fitting."""
    found = FITTING.get(str(error))
    return (" or ".join(map(str, found)), found) if found else ("an error", range(400, 600))


# -- What every page must be --------------------------------------------------------------------------------------


def is_a_page(asking: Asking, shown: Shown, how: str) -> Iterator[Finding]:
    answer = shown.answer
    told = f"{_told(shown)} {how} answered {answer.status} {answer.header('content-type') or 'without a Content-Type'}"
    claims = [("text/html", answer.type == "text/html"), ("one message to window.parent", _posts_once(shown))]
    yield measured("A1-TOK-02", f"{told} and {shown.told}", claims, "as viewers expect it", asking.url)
    evidence = f"{told}; HTTP 200 is expected, for errors too."
    yield judged("A1-TOK-05", answer.status == 200, evidence, asking.url)


def _posts_once(shown: Shown) -> bool:
    return len(shown.posted) == 1 and shown.posted[0].to == "parent"


def can_be_framed(asking: Asking, shown: Shown) -> Iterator[Finding]:
    """By any site, with its own script allowed, and from the origin that viewers compare with."""
    wrong = framing(shown)
    evidence = f"{_told(shown)} {wrong or 'may be framed by any viewer'}."
    yield judged("A1-TOK-08", not wrong, evidence, asking.url)
    target = shown.answer.redirects_to
    stays = target is None or origin_of(target) == origin_of(asking.url)
    evidence = f"{_told(shown)} {'answers itself' if stays else f'sends on to {target}, another origin'}."
    yield judged("A1-TOK-10", stays, evidence, asking.url)


def framing(shown: Shown) -> str:
    """What keeps a page from working in a viewer's frame, in words."""
    frames = shown.answer.header("x-frame-options")
    if frames:
        return f"sent X-Frame-Options: {frames}, and viewers must be able to frame it"
    directives = re.split("[;,]", shown.answer.header("content-security-policy"))
    found = [one.split()[1:] for one in directives if one.split()[:1] == ["frame-ancestors"]]
    if found and "*" not in found[0]:
        return f"sent frame-ancestors {' '.join(found[0])}, and viewers must be able to frame it"
    return "has a Content-Security-Policy that forbids its own script" if shown.played.refused else ""


def goes_to_the_viewer(asking: Asking, shown: Shown, origin: str) -> Iterator[Finding]:
    """The message goes to the origin that asked, with or without a slash at its end."""
    if shown.posted:
        sound = all(is_origin(one.target, origin) for one in shown.posted)
        evidence = f"{_told(shown)} {shown.told}; {origin!r} is expected as the target."
        yield judged("A1-TOK-04", sound, evidence, asking.url)


def is_origin(target: str | None, origin: str) -> bool:
    return target is not None and bool(origin_of(origin)) and origin_of(target) == origin_of(origin)


def says(asking: Asking, shown: Shown, message_id: str) -> Iterator[Finding]:
    if shown.message is not None:
        yield from structure.message(shown.message, message_id, asking.url)


def _told(shown: Shown) -> str:
    return f"GET {shortened(shown.answer.url, 120)}"


# -- With nothing in hand -----------------------------------------------------------------------------------------


def tells_strangers_why_not(asking: Asking) -> Iterator[Finding]:
    before = asking.tour.web.clock()
    shown = asking.with_id("stranger", Jar())
    seconds = asking.tour.web.clock() - before
    yield from is_a_page(asking, shown, "by somebody who has nothing")
    yield from can_be_framed(asking, shown)
    yield from goes_to_the_viewer(asking, shown, asking.tour.origin)
    yield from says(asking, shown, "stranger")
    yield from nothing_was_shown(asking, shown.message)
    evidence = f"{_told(shown)} took {'no time worth telling' if seconds < 1 else f'{seconds:.1f} seconds'}; viewers wait for 5."
    yield judged("A1-TOK-09", seconds < PATIENCE, evidence, asking.url)


def nothing_was_shown(asking: Asking, message: Mapping[str, Any] | None, id: str = "A1-ERR-01") -> Iterator[Finding]:
    """Somebody without any cookie is told so, in the word that there is for it."""
    error = (message or {}).get("error")
    if error is not None and profile(asking.holder.access) != "external":
        evidence = (
            f"{shortened(asking.url)} says {error!r} to somebody without a cookie; 'missingCredentials' is expected."
        )
        yield judged(id, error == "missingCredentials", evidence, asking.url)


def tells_programs_why_not(asking: Asking) -> Iterator[Finding]:
    """Without ``messageId`` the answer is plain JSON, and the HTTP status fits the error."""
    answer = asking.as_program(jar=Jar())
    body = json_object(answer)
    yield from structure.message(body, None, asking.url)
    error = body.get("error")
    if error is None:
        why = f"{answer.told} gave a token to somebody without a cookie, so there was no error to see."
        yield untestable("A1-TOK-06", why, asking.url)
        return
    words, fitting = fits(error)
    claims = [
        (words, answer.status in fitting),
        ("application/json", answer.type == "application/json"),
    ]
    told = f"{answer.told} without a cookie answered {answer.status} {answer.type} with the error {error!r}"
    yield measured("A1-TOK-06", told, claims, "which fits", asking.url)


# -- With the cookie ----------------------------------------------------------------------------------------------


def gives_viewers_a_token(asking: Asking) -> Iterator[Finding]:
    shown = asking.holder.answer
    if shown is None:
        return
    yield from is_a_page(asking, shown, "with the cookie")
    yield from can_be_framed(asking, shown)
    yield from goes_to_the_viewer(asking, shown, asking.tour.origin)
    yield from says(asking, shown, "1234")


def gives_programs_a_token(asking: Asking) -> Iterator[Finding]:
    answer = asking.as_program()
    told = f"{answer.told} with the cookie answered {answer.status} {answer.header('content-type')}"
    claims = [("HTTP 200", answer.status == 200), ("application/json", answer.type == "application/json")]
    yield measured("A1-TOK-01", told, claims, "with plain JSON", asking.url)
    try:
        body = json_object(answer)
    except Unreachable as problem:
        yield failed("A1-TOK-01", str(problem), asking.url)
        return
    yield from structure.message(body, None, asking.url)


def keeps_cookie_and_token_apart(asking: Asking) -> Iterator[Finding]:
    """Any site can read the token, and none the cookie; so the one must not tell the other."""
    found = kinship(asking.holder.token, asking.holder.jar)
    if not len(asking.holder.jar):
        yield untestable("A1-SEC-01", f"{asking.holder.name} goes by no cookie.", asking.url)
        return
    evidence = (
        f"The token of {asking.holder.name} {found or 'has nothing to do with any cookie, as far as can be seen'}."
    )
    yield judged("A1-SEC-01", not found, evidence, asking.url)


def keeps_the_message_id(asking: Asking) -> Iterator[Finding]:
    """Whatever it is, and however it is made up to break out of the script, it comes back as it was."""
    for message_id in MESSAGE_IDS:
        shown = asking.with_id(message_id)
        yield from is_a_page(asking, shown, f"with the messageId {shortened(message_id, 40)!r}")
        yield echoed(asking, shown, message_id, "A1-TOK-03")


def echoed(asking: Asking, shown: Shown, message_id: str, id: str) -> Finding:
    """Whether a message came back with its identifier, and no other script ran."""
    got = (shown.message or {}).get("messageId")
    injected = any(one.message == INJECTED for one in shown.posted)
    came = "the script in it ran" if injected else f"{shortened(str(got), 60)!r} came back"
    evidence = f"Asked with the messageId {shortened(message_id, 60)!r}, {came}."
    return judged(id, got == message_id and not injected, evidence, asking.url)


def takes_both_spellings_of_an_origin(asking: Asking) -> Iterator[Finding]:
    """The examples have a slash at the end; browsers do not."""
    origin = f"{asking.tour.origin}/"
    shown = asking.in_frame(("messageId", "slash"), ("origin", origin))
    yield from goes_to_the_viewer(asking, shown, origin)
    if not shown.token:
        evidence = f"With a slash after its origin, a viewer gets no token: {_told(shown)} {shown.told}."
        yield failed("A1-TOK-04", evidence, asking.url)


def gives_strange_origins_nothing(asking: Asking) -> Iterator[Finding]:
    """No token goes to whoever happens to listen."""
    two = (("origin", asking.tour.origin), ("origin", OTHER_ORIGIN))
    one_each: list[tuple[str, Query]] = [(f"origin={origin}", (("origin", origin),)) for origin in STRANGE_ORIGINS]
    cases = [*one_each, ("two origins", two)]
    for how, pairs in cases:
        shown = asking.in_frame(("messageId", "strange"), *pairs)
        yield from _got_nothing(asking, shown, f"with {how}", [value for _, value in pairs])


def gives_nobody_nothing(asking: Asking) -> Iterator[Finding]:
    """Without an origin there is nobody to whom a token could go."""
    shown = asking.in_frame(("messageId", "nobody"))
    yield from _got_nothing(asking, shown, "without an origin", [])


def _got_nothing(asking: Asking, shown: Shown, how: str, named: list[str]) -> Iterator[Finding]:
    fair = not shown.token or any(is_origin(shown.target, origin) for origin in named)
    evidence = (
        f"{_told(shown)} {how} {shown.told}{'' if fair else '; a token must go to nobody but the origin that asked'}."
    )
    yield judged("A1-TOK-04", fair, evidence, asking.url)
    answer = shown.answer
    evidence = f"{_told(shown)} {how} answered HTTP {answer.status}; 200 is expected, for errors too."
    yield judged("A1-TOK-05", answer.status == 200, evidence, asking.url)
    if not shown.token:
        yield from says(asking, shown, ("strange" if named else "nobody"))


def may_mind_who_asks(asking: Asking) -> Iterator[Finding]:
    """Somebody else than the one for whom the tab was opened: a server may refuse, or may not care."""
    shown = asking.in_frame(("messageId", "other"), ("origin", OTHER_ORIGIN))
    yield from goes_to_the_viewer(asking, shown, OTHER_ORIGIN)
    yield from says(asking, shown, "other")
    error = (shown.message or {}).get("error")
    told = f"To a viewer of another site than the one that opened the tab, it {shown.told}"
    if shown.token:
        yield passed("A1-ACC-02", f"{told}, which it may.", asking.url)
    elif error is not None:
        evidence = f"{told}; 'invalidOrigin' is the word for it."
        yield judged("A1-ACC-02", error == "invalidOrigin", evidence, asking.url)


def sees_through_a_made_up_cookie(asking: Asking) -> Iterator[Finding]:
    """A cookie of the right name with a wrong value gives no token, and an error that there is a word for."""
    if not asking.holder.cookies:
        return
    jar = asking.holder.jar.changed(asking.holder.cookies, MADE_UP)
    shown = asking.with_id("made-up", jar)
    yield from is_a_page(asking, shown, "with a made-up cookie")
    yield from says(asking, shown, "made-up")
    error = (shown.message or {}).get("error")
    words = ("invalidCredentials", "missingCredentials")
    evidence = f"With a made-up cookie it {shown.told}; {' or '.join(words)} is expected."
    yield judged("A1-ERR-01", error in words, evidence, asking.url)


STRANGER: tuple[Check[Asking], ...] = (
    Check(
        ("A1-TOK-02", "A1-TOK-05", "A1-TOK-07", "A1-TOK-08", "A1-TOK-09", "A1-TOK-10", "A1-ERR-01"),
        tells_strangers_why_not,
    ),
    Check(("A1-TOK-06",), tells_programs_why_not),
)
HOLDING: tuple[Check[Asking], ...] = (
    Check(("A1-TOK-03", "A1-TOK-04", "A1-TOK-08", "A1-TOK-10"), gives_viewers_a_token),
    Check(("A1-TOK-01",), gives_programs_a_token),
    Check(("A1-SEC-01",), keeps_cookie_and_token_apart),
)
HOLDING_THOROUGH: tuple[Check[Asking], ...] = (
    Check(("A1-TOK-03",), keeps_the_message_id),
    Check(("A1-TOK-04",), takes_both_spellings_of_an_origin),
    Check(("A1-TOK-04", "A1-TOK-05"), gives_strange_origins_nothing),
    Check(("A1-ACC-02",), may_mind_who_asks),
    Check(("A1-ERR-01",), sees_through_a_made_up_cookie),
)
WITHOUT_ORIGIN: tuple[Check[Asking], ...] = (Check(("A1-TOK-04",), gives_nobody_nothing),)
"""Not for 0.9.4: there a viewer without an origin is one of 0.9.2."""

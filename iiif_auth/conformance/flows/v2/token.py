"""The token service: a page in a frame that tells one viewer, and nobody else, one thing (section 4)."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

from iiif_auth.conformance.browser import Shown, framed
from iiif_auth.conformance.documents import Service
from iiif_auth.conformance.findings import Finding, failed, judged, measured, untestable
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.person import Holder, asked_for_token
from iiif_auth.conformance.structure import v2 as structure
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import Unreachable, origin_of, shortened

INJECTED = "injected-by-the-conformance-checker"
MESSAGE_IDS = ("7", "ü\"'<b>\\ &amp; + %41", "https://iiif.example.org/token?a=1&b=2", "m" * 2048)
"""Identifiers that viewers use, or might: one of them uses a whole URL."""
HOSTILE_IDS = (
    f'</script><script>window.parent.postMessage("{INJECTED}","*")</script>',
    f'"}});window.parent.postMessage("{INJECTED}","*");//',
    f"'}});window.parent.postMessage('{INJECTED}','*');//\u2028\u2029",
    f'--><!--<script><img src=x onerror="{INJECTED}">',
)
HOSTILE_ORIGINS = (
    "null",
    "",
    "*",
    "javascript:alert(1)",
    "file://",
    "https://client.example.org@evil.example",
    "https://client.example.org/path?query",
    "//client.example.org",
)


@dataclass(frozen=True)
class Asking:
    """A token service and somebody to ask it as; ``holder.token`` is empty for one who has nothing."""

    tour: Tour
    holder: Holder

    @property
    def service(self) -> Service:
        """The token service.

        Raises:
            Unreachable: the access service has none.
        """
        if self.holder.token_service is None or not self.holder.token_service.id:
            raise Unreachable(f"The access service {self.holder.name} has no token service with an address.")
        return self.holder.token_service

    @property
    def url(self) -> str:
        return self.service.id

    def ask(self, *pairs: tuple[str, str], **headers: str) -> Shown:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return framed(self.tour, self.url, *pairs, jar=self.holder.jar.copy(), headers=named)

    def with_id(self, message_id: str) -> Shown:
        return self.ask(("messageId", message_id), ("origin", self.tour.origin))


# -- Every answer -------------------------------------------------------------------------------------------------


def is_a_page(asking: Asking, shown: Shown, how: str) -> Iterator[Finding]:
    """HTTP 200 and HTML, whatever was asked."""
    answer = shown.answer
    type = answer.header("content-type") or "without a Content-Type"
    evidence = f"{_told(shown)} {how} answered {type}."
    yield judged("A2-TOK-01", answer.type == "text/html", evidence, asking.url, expected="text/html")
    evidence = f"{_told(shown)} {how} answered HTTP {answer.status}."
    yield judged("A2-TOK-02", answer.status == 200, evidence, asking.url, expected="200, for errors too")


def has_its_headers(asking: Asking, shown: Shown) -> Iterator[Finding]:
    """Any site may frame it, nobody may keep it or read it, and it stays where it is."""
    answer = shown.answer
    frames = answer.header("x-frame-options")
    ancestors = _directive(answer.header("content-security-policy"), "frame-ancestors")
    wrong = (
        f"X-Frame-Options: {frames}" if frames else f"frame-ancestors {ancestors}" if ancestors not in ("", "*") else ""
    )
    good = "may be framed by any viewer"
    evidence = f"{_told(shown)} {f'sent {wrong}; viewers must be able to frame it' if wrong else good}."
    yield judged("A2-TOK-12", not wrong, evidence, asking.url)
    if shown.played.refused:
        evidence = (
            f"{_told(shown)} has a Content-Security-Policy that forbids {shown.played.refused} of its own scripts."
        )
        yield failed("A2-TOK-12", evidence, asking.url)
    told = f"{_told(shown)} answered {answer.status}"
    yield measured("A2-TOK-13", told, _token_headers(asking, shown), "kept by nobody and read by no script", asking.url)


def _token_headers(asking: Asking, shown: Shown) -> list[tuple[str, bool]]:
    answer = shown.answer
    type = answer.header("content-type").lower().replace(" ", "").replace('"', "")
    return [
        ("Cache-Control: no-store", "no-store" in answer.header("cache-control").lower()),
        ("Content-Type: text/html; charset=utf-8", type == "text/html;charset=utf-8" or answer.type != "text/html"),
        ("no Access-Control-Allow-Origin", not answer.header("access-control-allow-origin")),
        (
            "no redirect to another site",
            answer.redirects_to is None or origin_of(answer.redirects_to) == origin_of(asking.url),
        ),
    ]


def posts_once(asking: Asking, shown: Shown, target: str) -> Iterator[Finding]:
    posted = shown.posted
    evidence = f"{_told(shown)} spoke to {_windows(shown)}, {len(posted)} messages in all; it {shown.told}."
    once = len(posted) == 1 and posted[0].to == "parent"
    yield judged("A2-TOK-03", once, evidence, asking.url, expected="one message to window.parent")
    if posted:
        evidence = f"{_told(shown)} {shown.told}."
        exact = all(one.target == target for one in posted)
        yield judged("A2-TOK-04", exact, evidence, asking.url, expected=f"the target {target!r}")


def _windows(shown: Shown) -> str:
    return " and ".join(dict.fromkeys(f"window.{one.to}" for one in shown.posted)) or "nobody"


def _told(shown: Shown) -> str:
    return f"GET {shortened(shown.answer.url, 120)}"


def _directive(policy: str, name: str) -> str:
    found = (one.split(None, 1) for one in re.split("[;,]", policy) if one.strip())
    return next((" ".join(one[1:]) for one in found if one[0].lower() == name), "")


# -- With nothing in hand -----------------------------------------------------------------------------------------


def tells_strangers_why_not(asking: Asking) -> Iterator[Finding]:
    """Somebody without the aspect gets an error, sent to the viewer that asked."""
    shown = framed(asking.tour, asking.url, ("messageId", "stranger"), ("origin", asking.tour.origin))
    yield from is_a_page(asking, shown, "by somebody who has nothing")
    yield from has_its_headers(asking, shown)
    yield from posts_once(asking, shown, asking.tour.origin)
    if shown.message is not None:
        yield from structure.message(shown.message, "stranger", asking.url)


def minds_no_accept_header(asking: Asking) -> Iterator[Finding]:
    shown = asking.ask(("messageId", "1"), ("origin", asking.tour.origin), Accept="application/json")
    yield from is_a_page(asking, shown, "with Accept: application/json")


def answers_the_malformed(asking: Asking) -> Iterator[Finding]:
    """Without a usable origin the error goes to anybody, for it holds nothing; a missing messageId is an empty one."""
    cases = (
        ("without origin", (("messageId", "no-origin"),), "no-origin"),
        ("without anything", (), ""),
    )
    for how, pairs, message_id in cases:
        shown = asking.ask(*pairs)
        yield from is_a_page(asking, shown, how)
        yield from _is_invalid_request(asking, shown, how, message_id)


def _is_invalid_request(asking: Asking, shown: Shown, how: str, message_id: str) -> Iterator[Finding]:
    message = shown.message or {}
    sound = (
        message.get("profile") == "invalidRequest" and shown.target == "*" and message.get("messageId") == message_id
    )
    evidence = f"{_told(shown)} {how} {shown.told}, messageId {message.get('messageId')!r}."
    expected = f"invalidRequest to '*', messageId {message_id!r}"
    yield judged("A2-ERR-04", sound, evidence, asking.url, expected=expected)
    if shown.message is not None and not shown.token:
        yield from structure.message(message, message_id, asking.url)


def sees_through_a_made_up_cookie(asking: Asking) -> Iterator[Finding]:
    """A cookie of the right name with a wrong value is an error, and one of the six."""
    names = asking.holder.cookies
    if not names:
        return
    jar = asking.holder.jar.changed(names, "made-up-by-the-conformance-checker")
    shown = asked_for_token(asking.tour, asking.service, jar, "made-up")
    yield from is_a_page(asking, shown, f"with a made-up value in {' and '.join(names)}")
    if shown.message is not None:
        yield from structure.message(shown.message, "made-up", asking.url)


# -- With the aspect ----------------------------------------------------------------------------------------------


def gives_a_token(asking: Asking) -> Iterator[Finding]:
    shown = asking.holder.answer
    if shown is None:
        return
    yield from is_a_page(asking, shown, "with the aspect")
    yield from has_its_headers(asking, shown)
    yield from posts_once(asking, shown, asking.tour.origin)
    yield from structure.message(asking.holder.message or None, "1234", asking.url)


def keeps_the_message_id(asking: Asking) -> Iterator[Finding]:
    for message_id in MESSAGE_IDS:
        shown = asking.with_id(message_id)
        yield from is_a_page(asking, shown, f"with the messageId {shortened(message_id, 40)!r}")
        got = (shown.message or {}).get("messageId")
        evidence = (
            f"Asked with the messageId {shortened(message_id, 60)!r}, it {shown.told} with {shortened(str(got), 60)!r}."
        )
        yield judged("A2-TOK-06", got == message_id, evidence, asking.url)


def is_not_talked_into_anything(asking: Asking) -> Iterator[Finding]:
    """What is written into the page can not get out of its string: the page does the same as ever, and echoes it."""
    for message_id in HOSTILE_IDS:
        shown = asking.with_id(message_id)
        injected = any(one.message == INJECTED for one in shown.posted)
        echoed = (shown.message or {}).get("messageId") == message_id
        what = "the script in it ran" if injected else "it came back unharmed" if echoed else f"the page {shown.told}"
        evidence = f"Asked with the messageId {shortened(message_id, 60)!r}: {what}."
        yield judged("A2-TOK-14", echoed and not injected and not _in_markup(shown), evidence, asking.url)
    origin = f'{asking.tour.origin}"</script><script>window.parent.postMessage("{INJECTED}","*")</script>'
    shown = asking.ask(("messageId", "1"), ("origin", origin))
    injected = any(one.message == INJECTED for one in shown.posted)
    evidence = f"Asked with an origin that holds a script, the page {shown.told}."
    yield judged("A2-TOK-14", not injected and not _in_markup(shown), evidence, asking.url)


def _in_markup(shown: Shown) -> bool:
    """Whether an attack became an element of the page, which a policy may hinder in one browser and not in another."""
    return any(
        INJECTED in value for one in shown.page.elements for value in one.attributes.values() if one.tag == "img"
    ) or any(one.text.startswith("window.parent.postMessage(") and INJECTED in one.text for one in shown.page.scripts)


def trusts_no_strange_origin(asking: Asking) -> Iterator[Finding]:
    """No token for an origin that no browser would name; and for two at once neither."""
    for origin in HOSTILE_ORIGINS:
        shown = asking.ask(("messageId", "strange"), ("origin", origin))
        yield from _got_nothing(asking, shown, f"origin={origin}", strict="/path" not in origin)
    twice = asking.ask(("messageId", "twice"), ("origin", asking.tour.origin), ("origin", "https://evil.example"))
    yield from _got_nothing(asking, twice, "two origins", strict=True)


def _got_nothing(asking: Asking, shown: Shown, how: str, *, strict: bool) -> Iterator[Finding]:
    """``strict`` is not set where a server may read a sound origin out of what was given."""
    yield from is_a_page(asking, shown, f"with {how}")
    fair = not strict and shown.target is not None and origin_of(shown.target) == asking.tour.origin
    told = f"With {how} the token service {shown.told}"
    if shown.token:
        yield judged("A2-ERR-04", fair, f"{told}.", asking.url, expected="an error")
    else:
        sound = bool(shown.posted) and (shown.target == "*" or fair)
        yield judged("A2-ERR-04", sound, f"{told}.", asking.url, expected="an error to '*'")


def gives_nothing_away(asking: Asking) -> Iterator[Finding]:
    """A token says nothing to whoever reads it: neither the cookie, nor who holds it."""
    token = asking.holder.token
    lacks = [words for words, sound in _opaque(asking, token) if not sound]
    evidence = (
        f"The token of {asking.holder.name} {'is ' + ' and '.join(lacks) if lacks else 'says nothing to its reader'}."
    )
    yield judged("A2-TOK-09", not lacks, evidence, asking.url)


def _opaque(asking: Asking, token: str) -> list[tuple[str, bool]]:
    values = [cookie.value for cookie in asking.holder.jar if len(cookie.value) >= 8]
    user = asking.tour.options.credentials.user if asking.tour.options.credentials else ""
    readable = token + " ".join(_decoded(part) for part in re.split(r"[.~|]", token))
    return [
        ("the value of a cookie or holds it", not any(value in token or token in value for value in values)),
        ("a JWT, whose claims anybody can read", not _is_jwt(token)),
        ("the name of the one who logged in or holds it", not user or user.lower() not in readable.lower()),
        ("shorter than 128 bits", len(token) >= 22),
    ]


def _decoded(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii", "ignore")
    except ValueError:
        return ""


def _is_jwt(token: str) -> bool:
    parts = token.split(".")
    return len(parts) == 3 and _decoded(parts[0]).startswith("{") and _decoded(parts[1]).startswith("{")


def lives_for_a_while(asking: Asking) -> Iterator[Finding]:
    seconds = asking.holder.message.get("expiresIn")
    why = f"The token of {asking.holder.name} says it ends after {seconds} seconds; nobody waited to see."
    yield untestable("A2-TOK-08", why if seconds else "The token does not say when it ends.", asking.url)


STRANGER: tuple[Check[Asking], ...] = (
    Check(
        ("A2-TOK-01", "A2-TOK-02", "A2-TOK-03", "A2-TOK-04", "A2-ERR-01", "A2-ERR-02", "A2-ERR-03"),
        tells_strangers_why_not,
    ),
)
STRANGER_THOROUGH: tuple[Check[Asking], ...] = (
    Check(("A2-TOK-01",), minds_no_accept_header),
    Check(("A2-ERR-04",), answers_the_malformed),
)
HOLDING: tuple[Check[Asking], ...] = (
    Check(("A2-TOK-03", "A2-TOK-04", "A2-TOK-05", "A2-TOK-07", "A2-TOK-12", "A2-TOK-13"), gives_a_token),
    Check(("A2-TOK-09",), gives_nothing_away),
    Check(("A2-TOK-08",), lives_for_a_while),
)
HOLDING_THOROUGH: tuple[Check[Asking], ...] = (
    Check(("A2-TOK-06",), keeps_the_message_id),
    Check(("A2-TOK-14",), is_not_talked_into_anything),
    Check(("A2-ERR-04",), trusts_no_strange_origin),
    Check(("A2-ERR-01", "A2-ERR-02"), sees_through_a_made_up_cookie),
)

"""What a browser, and a viewer in it, ask of a server: one function for each occasion, with the headers that belong to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.pages import Page, policy
from iiif_auth.conformance.script import Played, Posted, play
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import GLANCE, HOPS, Answer, origin_of

HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CORS = {"Accept": "*/*", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "cross-site"}
FRAME = {
    "Accept": HTML,
    "Sec-Fetch-Dest": "iframe",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "cross-site",
    "Upgrade-Insecure-Requests": "1",
}
TAB = {**FRAME, "Sec-Fetch-Dest": "document", "Sec-Fetch-User": "?1"}
DESTINATIONS = {"Image": "image", "Video": "video", "Sound": "audio"}


def parameters(url: str, *pairs: tuple[str, str]) -> str:
    """A URL with parameters added as clients add them."""
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in pairs)
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


# -- A viewer's own requests, which carry no cookies --------------------------------------------------------------


def fetched(tour: Tour, url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
    """``fetch(url)`` by a viewer: cross-site, without cookies, redirects not followed."""
    return tour.web.ask(method, url, headers={**CORS, "Origin": tour.origin, **(headers or {})})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def preflight(tour: Tour, url: str, method: str = "GET", names: str = "authorization") -> Answer:
    """What a browser asks before it lets a viewer send a token."""
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": names}
    return tour.web.ask("OPTIONS", url, headers={**CORS, "Origin": tour.origin, **asked})


# -- Content, which carries cookies and no token ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sight:
    """What a browser gets of some content: every hop, and what it comes to."""

    hops: tuple[Answer, ...]

    @property
    def first(self) -> Answer:
        return self.hops[0]

    @property
    def last(self) -> Answer:
        return self.hops[-1]

    @property
    def is_login_page(self) -> bool:
        """Whether a redirect led to a web page: a browser shows no picture then, whatever the status says."""
        return len(self.hops) > 1 and self.last.type == "text/html"

    @property
    def granted(self) -> bool:
        return self.last.status in (200, 206) and not self.is_login_page

    @property
    def denied(self) -> bool:
        return self.last.status in (401, 403) or self.is_login_page

    @property
    def told(self) -> str:
        through = f" (after {len(self.hops) - 1} redirects)" if len(self.hops) > 1 else ""
        return f"{self.first.told} answered {self.last.status}{through}"


def shown(
    tour: Tour,
    url: str,
    kind: str = "Image",
    jar: Jar | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> Sight:
    """Content on a viewer's page, as ``<img>``, ``<video>`` or a frame ask for it; only its beginning is read."""
    sent = {
        "Accept": "*/*",
        "Sec-Fetch-Dest": DESTINATIONS.get(kind, "iframe"),
        "Sec-Fetch-Mode": "no-cors" if kind in DESTINATIONS else "navigate",
        "Sec-Fetch-Site": "cross-site",
        **(headers or {}),
    }
    hops = [tour.web.ask(method, url, headers=sent, jar=jar, most=GLANCE)]
    while (target := hops[-1].redirects_to) and len(hops) <= HOPS:
        hops.append(tour.web.ask(method, target, headers=sent, jar=jar, most=GLANCE))
    return Sight(tuple(hops))


# -- Pages --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Shown:
    """A page that a browser shows, in a tab or a frame, with what its scripts did."""

    answer: Answer
    page: Page
    played: Played

    @property
    def posted(self) -> tuple[Posted, ...]:
        """What was posted to another window."""
        return tuple(one for one in self.played.posted if one.to != "self")

    @property
    def message(self) -> Mapping[str, Any] | None:
        """The first message to the viewer that is an object; others are something that a viewer does not look at."""
        return next((one.message for one in self.posted if isinstance(one.message, Mapping)), None)

    @property
    def target(self) -> str | None:
        return self.posted[0].target if self.posted else None

    @property
    def token(self) -> str:
        """The token in any message that holds one; empty if there is none."""
        found = [one.message.get("accessToken") for one in self.posted if isinstance(one.message, Mapping)]
        return next((one for one in found if isinstance(one, str) and one), "")

    @property
    def told(self) -> str:
        """What came of it, in words, without the token itself."""
        if not self.posted:
            why = self.played.errors[0] if self.played.errors else ""
            refused = "its own Content-Security-Policy forbids its script" if self.played.refused else ""
            return "posted nothing" + (f" ({refused or why})" if refused or why else "")
        what = (
            "a token"
            if self.token
            else str((self.message or {}).get("profile") or (self.message or {}).get("error") or "a message")
        )
        return f"posted {what} to {self.target!r}"


def seen(tour: Tour, answer: Answer) -> Shown:
    """A page with its scripts run.

    Raises:
        iiif_auth.conformance.script.CannotRun: there is nothing to run them with.
    """
    page = tour.page(answer)
    texts = tour.script(page)
    allowed = policy(answer.header("content-security-policy"))
    return Shown(answer, page, play(page, allowed, texts.get))


def framed(
    tour: Tour,
    url: str,
    *pairs: tuple[str, str],
    jar: Jar | None = None,
    headers: Mapping[str, str] | None = None,
) -> Shown:
    """A page in a hidden frame of a viewer, as the token service is opened. Redirects within its origin are followed."""
    sent = {**FRAME, "Referer": f"{tour.origin}/", **(headers or {})}
    first = tour.web.ask("GET", parameters(url, *pairs), headers=sent, jar=jar)
    hops = tour.web.follow(first, jar=jar, headers=sent, stay=True)
    return seen(tour, hops[-1])


def opened(tour: Tour, url: str, jar: Jar) -> list[Answer]:
    """A page in a tab of its own, opened by a viewer, with its redirects within its own origin."""
    sent = {**TAB, "Referer": f"{tour.origin}/"}
    return tour.web.follow(tour.web.ask("GET", url, headers=sent, jar=jar), jar=jar, headers=sent, stay=True)


def submitted(
    tour: Tour, page: Page, action: str, fields: Sequence[tuple[str, str]], jar: Jar, *, method: str = "POST"
) -> list[Answer]:
    """A form sent from a page, with the redirects that follow within its origin."""
    headers = {**TAB, "Sec-Fetch-Site": "same-origin", "Referer": page.url}
    if method == "POST":
        first = tour.web.ask(
            "POST", action, headers={**headers, "Origin": origin_of(page.url)}, jar=jar, form=list(fields)
        )
    else:
        first = tour.web.ask("GET", parameters(action.partition("?")[0], *fields), headers=headers, jar=jar)
    return tour.web.follow(first, jar=jar, headers=headers, stay=True)

"""Which browsers, and what they have been told about cookies of other sites."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tests.matrix import chromium, firefox, webkit
from tests.matrix.driver import Driver

Start = Callable[[], AbstractContextManager[Driver]]

ALLOW_POPUPS = {
    "Chromium": {"arguments": ("--disable-popup-blocking",)},
    "Firefox": {"preferences": {"dom.disable_open_during_load": False}},
    "WebKitGTK": {"arguments": ("--javascript-can-open-windows-automatically=true",)},
}
"""As a library sets up its kiosk: the viewer there opens a window without a click."""


@dataclass(frozen=True, slots=True)
class Mode:
    """A browser as people have it. ``rest`` is how long, in seconds, its prevention of tracking counts clicks as one.

    ``token`` and ``picture`` are what somebody's first login must come by, as measured before this was written
    (browsers.md, section 4.1); what came is always read from the server's log.
    """

    key: str
    browser: str
    label: str
    started: Callable[..., AbstractContextManager[Driver]]
    given: dict[str, Any] = field(default_factory=dict)
    token: frozenset[str] = frozenset({"cookie"})
    picture: frozenset[str] = frozenset({"cookie"})
    rest: float = 0.0

    def start(self, *, popups: bool = False) -> AbstractContextManager[Driver]:
        """A new browser with a new profile; ``popups`` as kiosks have them."""
        given = dict(self.given)
        for name, value in (ALLOW_POPUPS[self.browser] if popups else {}).items():
            given[name] = (
                {**given.get(name, {}), **value} if isinstance(value, dict) else (*given.get(name, ()), *value)
            )
        return self.started(**given)


def on_chromium(key: str, label: str, cookies: int | None, *arguments: str, blocked: bool) -> Mode:
    by = {"token": frozenset({"hand-off"}), "picture": frozenset({"twin"})} if blocked else {}
    return Mode(key, "Chromium", label, chromium.running, {"cookies": cookies, "arguments": arguments}, **by)


def on_firefox(key: str, label: str, **more: Any) -> Mode:
    names = {"category": "browser.contentblocking.category", "behaviour": "network.cookie.cookieBehavior"}
    names |= {"private": "browser.privatebrowsing.autostart"}
    names |= {"heuristic": "privacy.restrict3rdpartystorage.heuristic.opened_window_after_interaction"}
    by = {name: more.pop(name) for name in ("token", "picture") if name in more}
    preferences = {names[name]: value for name, value in more.items()}
    return Mode(key, "Firefox", label, firefox.running, {"preferences": preferences}, **by)


ANY = frozenset({"cookie", "hand-off", "twin"})
SEEN = frozenset({"cookie", "twin"})

MODES = (
    on_chromium("chromium-allowed", "cookies of other sites allowed", 0, blocked=False),
    on_chromium("chromium-blocked", "blocked in its settings", 1, blocked=True),
    on_chromium("chromium-debian", "as Debian ships it", None, blocked=True),
    on_chromium("chromium-phase-out", "allowed, phase-out flag", 0, "--test-third-party-cookie-phaseout", blocked=True),
    on_chromium("chromium-incognito", "incognito", 0, "--incognito", blocked=True),
    on_firefox("firefox", "as it comes", picture=SEEN, token=ANY),
    on_firefox("firefox-strict", "strict protection", category="strict", picture=SEEN, token=ANY),
    on_firefox("firefox-private", "private windows", private=True, picture=SEEN, token=ANY),
    on_firefox(
        "firefox-heuristic-off",
        "pop-up heuristic off",
        heuristic=False,
        token=frozenset({"hand-off"}),
        picture=frozenset({"twin"}),
    ),
    on_firefox(
        "firefox-block-all",
        "all cookies of other sites blocked",
        behaviour=1,
        token=frozenset({"hand-off"}),
        picture=frozenset({"signed"}),
    ),
    on_firefox("firefox-allow-all", "all cookies allowed", behaviour=0),
    Mode(
        "webkit-itp",
        "WebKitGTK",
        "tracking prevention on",
        partial(webkit.running, prevention=True),
        token=ANY,
        picture=frozenset({"cookie", "twin", "signed"}),
        rest=7.0,
    ),
    Mode("webkit", "WebKitGTK", "tracking prevention off", partial(webkit.running, prevention=False)),
)
BY_KEY = {mode.key: mode for mode in MODES}

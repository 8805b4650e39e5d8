"""The ways to an item, each walked by a person in the plain viewer; what came of it is for the server's log to say."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from project.items import PASSWORD
from tests.matrix.deployment import Deployment
from tests.matrix.driver import PATIENCE, Driver
from tests.matrix.modes import Mode
from tests.matrix.reading import Outcome, outcome

FILL = """(name, password) => {
    document.querySelector("[name=login]").value = name;
    document.querySelector("[name=password]").value = password;
    return true;
}"""
SUBMIT = "() => { document.querySelector('[name=login]').form.requestSubmit(); return true; }"
TYPE_CODE = "(code) => { document.querySelector('[name=code]').value = code; return true; }"
LOGIN_BUTTON = "form[action*=login] button[type=submit]"
TOLD = "(type) => globalThis.viewer?.told.filter((event) => event.type === type) ?? []"


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody before a browser, at a deployment."""

    browser: Driver
    house: Deployment
    mode: Mode

    def open(self, address: str) -> None:
        self.browser.goto(address)
        self.told("ready")

    def told(self, kind: str, number: int = 1, patience: float = PATIENCE) -> dict[str, object]:
        """The so-manieth event of a kind that the viewer told of."""
        found = self.browser.until(
            f"the viewer's “{kind}”",
            lambda: one if len(one := self.browser.run(TOLD, kind)) >= number else None,
            patience,
        )
        event: dict[str, object] = found[number - 1]
        return event

    def press_enter(self) -> str:
        """The library's window."""
        before = self.browser.windows()
        self.browser.click("#enter")
        return self.browser.new_window(before)

    def sign_in(self, window: str | None, username: str = "reader") -> None:
        self.fill(window, username)
        self.browser.click(LOGIN_BUTTON, window)

    def fill(self, window: str | None, username: str, password: str = PASSWORD) -> None:
        self.browser.until(
            "the login form",
            lambda: (
                self.browser.there("[name=login]", window) and self.browser.run(FILL, username, password, window=window)
            ),
        )

    def confirm(self, window: str) -> None:
        self.browser.click("#continue", window)

    def ends(self, number: int = 1) -> None:
        """Wait for the picture or its refusal, and for every window of the library to close."""
        self.told("picture", number)
        self.browser.alone()

    def rest(self) -> None:
        """Prevention of tracking may count two clicks in quick succession as one."""
        time.sleep(self.mode.rest)


def login(visit: Visit) -> None:
    """Somebody's first time: click, login form, Continue."""
    visit.open(visit.house.viewer("herbal-1", "merehaven-login"))
    window = visit.press_enter()
    visit.sign_in(window)
    visit.confirm(window)
    visit.ends()


def returning(visit: Visit) -> None:
    """Signed in at the library's own site before, with a click there; then Continue only."""
    visit.browser.goto(visit.house.origin + "/accounts/login/")
    visit.sign_in(None)
    visit.browser.until("being signed in", lambda: not visit.browser.there("[name=login]"))
    visit.rest()
    continue_only(visit)


def new_click(visit: Visit) -> None:
    """A session is there, yet nobody ever clicked on the library's pages; then Continue only."""
    visit.browser.goto(visit.house.origin + "/accounts/login/")
    visit.fill(None, "reader")
    visit.browser.run(SUBMIT)
    visit.browser.until("being signed in", lambda: not visit.browser.there("[name=login]"))
    continue_only(visit)


def continue_only(visit: Visit) -> None:
    visit.open(visit.house.viewer("herbal-1", "merehaven-login"))
    visit.confirm(visit.press_enter())
    visit.ends()


def click_through(visit: Visit) -> None:
    """Terms, one click, nobody's account."""
    visit.open(visit.house.viewer("fleet-1", "merehaven-terms"))
    visit.confirm(visit.press_enter())
    visit.ends()


def external(visit: Visit) -> None:
    """In the reading room: no window, no click."""
    visit.house.ask("sit", place="reading-room")
    visit.open(visit.house.viewer("register-1", "merehaven-reading-room"))
    visit.ends()


def kiosk(visit: Visit) -> None:
    """At the gallery's kiosk: a window that opens and closes by itself, where pop-ups are allowed."""
    visit.house.ask("sit", place="kiosk")
    visit.open(visit.house.viewer("gallery-1", "merehaven-kiosk"))
    visit.ends()


def enrolled(visit: Visit) -> None:
    """At a machine of the gallery's that has no address of its own: enrolled by a code, then as at a kiosk."""
    code = visit.house.ask("code", place="merehaven-gallery-kiosks")
    visit.browser.goto(visit.house.origin + "/iiif-auth/enrol")
    visit.browser.until("the form for the code", lambda: visit.browser.there("[name=code]"))
    visit.browser.run(TYPE_CODE, code)
    visit.browser.click("form.ask button[type=submit]")
    visit.browser.until("being enrolled", lambda: visit.browser.there("dl.facts"))
    visit.rest()
    visit.open(visit.house.viewer("gallery-1", "merehaven-kiosk"))
    visit.ends()


def signed(visit: Visit) -> None:
    """A login, where the policy hands out signed addresses to everybody."""
    visit.house.ask("policies", fields={"signed": True})
    login(visit)


@dataclass(frozen=True, slots=True)
class Way:
    key: str
    label: str
    walk: Callable[[Visit], None]
    popups: bool = False


WAYS = (
    Way("login", "Login", login),
    Way("returning", "Returning", returning),
    Way("new", "Signed in, never clicked", new_click),
    Way("click-through", "Click-through", click_through),
    Way("external", "External", external),
    Way("kiosk", "Kiosk", kiosk, popups=True),
    Way("enrolled", "Kiosk, enrolled machine", enrolled, popups=True),
    Way("signed", "Signed location", signed),
)
WAY = {way.key: way for way in WAYS}


def walked(mode: Mode, way: Way, library: Deployment) -> Outcome:
    """One cell: a new browser, one way, and what the server's log says of it."""
    library.as_new()
    with mode.start(popups=way.popups) as browser:
        mark = library.mark()
        way.walk(Visit(browser, library, mode))
        return outcome(library.log(mark))

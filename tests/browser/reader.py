"""A person with a browser: opens items in a viewer, goes through the library's tabs, and looks at what came."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import uuid4

from playwright.sync_api import BrowserContext, Error, Locator, Page, Response, expect

from project.items import BY_SLUG, PASSWORD
from tests.browser import pixels
from tests.browser.demo import Demo

Event = dict[str, Any]

AT_REST = ("shown", "denied", "error")
NOTICED = 1500
"""Milliseconds in which a viewer that looks ten times a second would surely have noticed a closed window."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What the viewer says of itself."""

    state: str
    shown: str
    status: str
    rendition: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an ``<img>`` was answered, and whether there was a picture in it."""

    status: int
    seen: bool


PICTURE = """(address) => new Promise((done) => {
    const picture = new Image();
    picture.onload = () => done(true);
    picture.onerror = () => done(false);
    picture.src = address;
})"""


class Reader:
    """One viewer in one tab. ``viewer`` is where it is from; the demo's own if nothing else is said."""

    def __init__(self, context: BrowserContext, demo: Demo, viewer: str = "") -> None:
        self.context = context
        self.demo = demo
        self.viewer = viewer or demo.viewer
        self.page = context.new_page()
        self.came: list[Response] = []
        self.page.on("response", lambda answer: self.came.append(answer))
        self.page.goto(self.viewer)

    # -- looking

    def open(self, slug: str) -> Stage:
        """Choose an item from the viewer's list, and wait until it has done all it can by itself."""
        mark = self.mark()
        entry = self.page.locator(f'.entry[data-id="{self.demo.manifest(slug)}"]')
        expect(entry).to_contain_text(str(BY_SLUG[slug].label))
        entry.click()
        return self.settled(mark)

    def reload(self) -> Stage:
        """The viewer's page again, with the item that its address names."""
        self.page.reload()
        return self.settled(0)

    def open_unasked(self, slug: str) -> Stage:
        """Come to an item by its address, without a click in which a window could be opened."""
        self.page.goto("about:blank")
        # Whatever looks into the page counts as a gesture for Chromium, so nobody looks until the viewer has tried.
        with self.page.expect_response(lambda answer: "/probe/" in answer.url and answer.request.method == "GET"):
            self.page.goto(f"{self.viewer}/#{quote(self.demo.manifest(slug), safe='')}")
        self.page.wait_for_timeout(1000)
        return self.settled(0)

    def open_part(self, number: int) -> Stage:
        mark = self.mark()
        self.page.locator("#pieces button").nth(number - 1).click()
        return self.settled(mark)

    def mark(self) -> int:
        """How much has happened so far."""
        return int(self.page.evaluate("globalThis.iiifViewer?.events.length ?? 0"))

    def settled(self, mark: int) -> Stage:
        """How the viewer stands once something has happened since ``mark``, and nothing is under way any more."""
        self.page.wait_for_function(
            """([mark, states]) => globalThis.iiifViewer?.events.length > mark
                 && states.includes(document.getElementById("stage").dataset.state)""",
            arg=[mark, list(AT_REST)],
        )
        return self.stage()

    def stage(self) -> Stage:
        return Stage(
            **self.page.locator("#stage").evaluate(
                "({dataset: d}) => ({state: d.state, shown: d.shown, status: d.status, rendition: d.rendition})"
            )
        )

    def events(self, *types: str, since: int = 0) -> list[Event]:
        """What happened between the viewer and the library, in order."""
        everything: list[Event] = self.page.evaluate(
            "iiifViewer.events.map((event) => ({...event, problem: String(event.problem)}))"
        )
        return [event for event in everything[since:] if not types or event["type"] in types]

    @property
    def prompt(self) -> Locator:
        return self.page.locator("#prompt")

    def way(self, service: str) -> Locator:
        """The card of one access service."""
        return self.page.locator(f'.way[data-access$="/access/{service}"]')

    # -- pictures

    def tiles(self, identifier: str) -> list[Response]:
        """Every answer to a request for pixels of that very picture."""
        return [answer for answer in self.came if pixels.identifier_of(answer.url) == identifier]

    def forget_tiles(self) -> None:
        self.came.clear()

    def picture(self) -> bytes:
        """What is to be seen on the stage."""
        return self.page.locator("#media canvas").first.screenshot()

    def as_picture(self, address: str) -> Answer:
        """Ask for something as an ``<img>`` of the viewer's page does, past every cache.

        Chromium keeps a refusal from a page that asked for a picture, so its status is read where the network is.
        """
        token = str(uuid4())
        fresh = f"{address}{'&' if urlsplit(address).query else '?'}fresh={token}"
        asked: list[str] = []
        statuses: dict[str, int] = {}
        network = self.context.new_cdp_session(self.page)
        network.on(
            "Network.requestWillBeSent",
            lambda sent: sent["request"]["url"].endswith(token) and asked.append(sent["requestId"]),
        )
        network.on(
            "Network.responseReceivedExtraInfo", lambda got: statuses.setdefault(got["requestId"], got["statusCode"])
        )
        network.send("Network.enable")
        seen = self.page.evaluate(PICTURE, fresh)
        for _attempt in range(100):
            if asked and asked[0] in statuses:
                break
            self.page.wait_for_timeout(20)  # what the network saw is told a little later
        network.send("Network.disable")
        network.detach()
        return Answer(statuses[asked[0]], seen)

    # -- the library's tabs

    def press(self, service: str) -> Page:
        """Press the button of an access service; the tab that it opens."""
        with self.context.expect_page() as opened:
            self.way(service).locator("button.enter").click()
        opened.value.wait_for_load_state()
        return opened.value

    def log_in(self, username: str, service: str = "merehaven-login") -> Stage:
        """The whole way through a login: button, form, confirmation, and back."""
        mark = self.mark()
        tab = self.press(service)
        sign_in(tab, username)
        confirm(tab)
        return self.settled(mark)

    def confirm(self, service: str) -> Stage:
        """The way of somebody who has only to click: a click-through, or a login that is still good."""
        mark = self.mark()
        confirm(self.press(service))
        return self.settled(mark)

    def log_out(self) -> Stage:
        mark = self.mark()
        with self.context.expect_page() as opened:
            self.page.locator("#logout").click()
        if not opened.value.is_closed():
            opened.value.wait_for_event("close")
        return self.settled(mark + 1)

    def is_alone(self) -> None:
        """Wait until no window of the library's is left over."""
        for tab in [tab for tab in self.context.pages if tab.url.startswith(self.demo.address)]:
            if not tab.is_closed():
                tab.wait_for_event("close")

    def keeps_waiting(self) -> None:
        """Assert that the viewer still waits for the tab it opened, and has had the time to notice a closed one."""
        self.page.wait_for_function(
            """(noticed) => Date.now() - iiifViewer.events.findLast(({type}) => type === "window-opened").at > noticed""",
            arg=NOTICED,
        )
        happened = [event["type"] for event in self.events()]
        since = happened[len(happened) - happened[::-1].index("window-opened") :]
        assert since == [], f"The viewer did not wait: {since}"


def sign_in(tab: Page, username: str, password: str = PASSWORD) -> None:
    tab.get_by_label("Username").fill(username)
    tab.get_by_label("Password").fill(password)
    tab.get_by_role("button", name="Log in").click()
    tab.wait_for_load_state()


def confirm(tab: Page) -> None:
    """Click “Continue”, which waits half a second before it can be clicked, and see the tab close itself."""
    button = tab.locator("#continue")
    expect(button).to_be_enabled()
    with closing(tab):
        button.click(no_wait_after=True)


@contextmanager
def closing(tab: Page) -> Iterator[None]:
    """What is clicked within closes the tab, which may be gone before it could say that it was clicked."""
    with tab.expect_event("close"):
        try:
            yield
        except Error as problem:
            if "has been closed" not in str(problem):
                raise

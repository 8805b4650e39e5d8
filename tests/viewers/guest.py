"""What every viewer has in common: a page on its own site, and a library elsewhere that keeps a book."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, TypeVar
from urllib.parse import quote

from playwright.sync_api import BrowserContext, Page, Request, Response
from playwright.sync_api import TimeoutError as NoWindow

from tests.viewers import looking
from tests.viewers.book import Entry
from tests.viewers.holdings import Library

Found = TypeVar("Found")
PATIENCE = 60
"""Seconds in which a slow machine does what a quick one does in one."""
LOOK = 50
"""Milliseconds between one look at what has come true and the next."""

PRESSES, LOST = 3, 8
"""How often a button is pressed at most, and the seconds without a window after which a press is taken for lost."""

QUIET = 16
"""Looks without a request, after which a viewer is taken to have done all it wanted; the slowest asks twice a second.

Looks and not seconds, because on a busy machine, where the viewer is slower, they take longer too.
"""


class Guest:
    """One viewer in one tab, showing one item of one flavour of the library's manifests."""

    page_of: ClassVar[str]
    stage: ClassVar[str]

    def __init__(self, context: BrowserContext, site: str, library: Library, flavour: str) -> None:
        self.context = context
        self.site = site
        self.house = library
        self.flavour = flavour
        self.slug = ""
        self.start = library.mark()
        self.came: list[Response] = []
        self.page = context.new_page()
        self.page.on("response", lambda answer: self.came.append(answer))
        self.open: set[Request] = set()
        self.page.on("request", self._asks)
        self.page.on("requestfinished", lambda request: self.open.discard(request))
        self.page.on("requestfailed", lambda request: self.open.discard(request))

    def show(self, slug: str) -> None:
        """Open an item, and wait until the viewer has asked for it and for everything that it then wants."""
        self.slug = slug
        since = self.house.mark()
        self.page.goto(self.address(quote(self.house.manifest(self.flavour, slug), safe="")))
        self.until(lambda: self.asked(f"/manifests/{slug}.json", since=since), f"the manifest of {slug} is asked for")
        self.rest()

    def address(self, manifest: str) -> str:
        """Where this viewer shows a manifest, whose URL is given as it stands in a query."""
        return f"{self.site}/{self.page_of}?manifest={manifest}"

    # -- waiting

    def until(self, true: Callable[[], Found], what: str) -> Found:
        """Wait for something, while the browser goes on; what it is that became true."""
        end = time.monotonic() + PATIENCE
        while not (found := true()):
            assert time.monotonic() < end, f"Not within {PATIENCE} seconds: {what}.\n{self.story()}"
            self.page.wait_for_timeout(LOOK)
        return found

    def rest(self) -> None:
        """Wait until the library has answered everything, and has not been asked anything more for a while."""
        end = time.monotonic() + PATIENCE
        seen, looks = self.house.mark(), 0
        while looks < QUIET:
            assert time.monotonic() < end, f"The viewer does not come to rest.\n{self.story()}"
            self.page.wait_for_timeout(LOOK)
            looks += 1
            if (now := self.house.mark()) != seen or self.open:
                seen, looks = now, 0

    def _asks(self, request: Request) -> None:
        if request.url.startswith(self.house.demo.address):
            self.open.add(request)

    def story(self) -> str:
        """The last pages of the book, for whoever has to find out why."""
        return "\n".join(str(entry) for entry in self.house.asked(since=self.start)[-30:])

    # -- the library's side

    def asked(self, *within: str, since: int = 0) -> list[Entry]:
        """What the library was asked since this viewer was opened, or later: requests whose path has one of these in it."""
        return self.house.asked(lambda entry: any(part in entry.path for part in within), max(since, self.start))

    def infos(self, page: int = 1, since: int = 0) -> list[Entry]:
        return self.asked(f"{self.house.image(self.flavour, self.slug, page)}/info.json", since=since)

    def pixels(self, identifier: str = "", since: int = 0) -> list[Entry]:
        """Requests for pixels of a picture; of the item's first one if nothing else is said."""
        path = self.house.image(self.flavour, self.slug)
        wanted = f"{path.rpartition('/')[0]}/{identifier}/" if identifier else f"{path}/"
        return [entry for entry in self.asked(wanted, since=since) if not entry.is_info]

    # -- the page's side

    def seen(self) -> bytes:
        return self.page.locator(self.stage).first.screenshot()

    def likeness(self, identifier: str = "") -> float:
        return looking.likeness(self.seen(), identifier or self.identifier, self.house.demo.data)

    @property
    def identifier(self) -> str:
        return self.house.image(self.flavour, self.slug).rpartition("/")[2]

    def tiles(self, identifier: str = "") -> list[Response]:
        """Answers with pixels that reached the page."""
        part = f"/{identifier or self.identifier}/"
        return [
            answer for answer in self.came if part in answer.url and answer.url.endswith("default.jpg") and answer.ok
        ]

    def assert_shows(self, identifier: str = "", since: int = 0) -> None:
        """Pixels were given out, they are the right ones, and they are on the screen."""
        self.until(lambda: [one for one in self.pixels(identifier, since) if one.status == 200], "pixels are given out")
        self.until(lambda: self.likeness(identifier) > looking.ALIKE, "the picture is to be seen")
        tiles = self.tiles(identifier)
        assert tiles
        assert all(looking.is_right(tile, self.house.demo.data) for tile in tiles[-3:])

    def assert_shows_nothing(self, identifier: str = "", since: int = 0) -> None:
        """Not one pixel of it was given out, and nothing like it is on the screen."""
        assert [one for one in self.pixels(identifier, since) if one.status < 400] == []
        assert self.likeness(identifier) < looking.ALIKE

    # -- the library's windows

    def window(self, press: Callable[[], None]) -> Page:
        """The window that a press of a button opens; pressed again if a page that was still being drawn lost the press."""
        for _again in range(PRESSES - 1):
            try:
                with self.context.expect_page(timeout=LOST * 1000) as opened:
                    press()
            except NoWindow:
                continue
            return opened.value
        with self.context.expect_page() as opened:
            press()
        return opened.value

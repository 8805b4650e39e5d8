"""Mirador, as a person uses it: its bar, its buttons, and the windows it opens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playwright.sync_api import Locator, Page, expect

from tests.browser import words
from tests.browser.reader import confirm, sign_in
from tests.viewers.guest import Guest


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What Mirador holds of a picture: whose description, and whether it takes it for less than was asked."""

    identifier: str
    degraded: bool


class Mirador(Guest):
    page_of: ClassVar[str] = "mirador.html"
    stage: ClassVar[str] = ".mirador-osd-container"

    # -- what it shows

    def bar(self, label: str) -> Locator:
        """The bar over the picture with the name of an access service."""
        return self.page.get_by_role("heading", level=3, name=label, exact=True)

    def bars(self) -> Locator:
        """Every bar there is, by its lock."""
        return self.page.locator('[data-testid="LockSharpIcon"]')

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def knows(self, page: int = 1) -> Knowledge | None:
        """Mirador's own record of a picture; none while it is asking."""
        address = self.house.demo.url(self.house.image(self.flavour, self.slug, page))
        found = self.page.evaluate(
            """(address) => {
                const known = mirador.store.getState().infoResponses[address];
                return known?.json && !known.isFetching
                  ? {identifier: (known.json["@id"] ?? known.json.id).split("/").pop(), degraded: known.degraded} : null;
            }""",
            address,
        )
        return Knowledge(**found) if found else None

    def until_it_knows(self, identifier: str, *, degraded: bool, page: int = 1) -> None:
        wanted = Knowledge(identifier, degraded)
        self.until(lambda: self.knows(page) == wanted, f"Mirador knows {wanted} and not {self.knows(page)}")

    def assert_asks(self, service: str) -> None:
        """The bar is there, and says in the library's words who asks, what for, and what to do."""
        texts = words.service(service)
        expect(self.bar(texts["label"])).to_be_visible()
        self.bar(texts["label"]).click()
        expect(self.page.get_by_text(f"{texts['heading']}: {texts['note']}")).to_be_visible()
        expect(self.button(texts["confirm_label"])).to_be_visible()
        self.button("Cancel").click()
        expect(self.button(texts["confirm_label"])).to_be_hidden()

    # -- what a person does with it

    def press(self, service: str) -> Page:
        """Unfold the bar of an access service and press its button; the window that opens."""
        texts = words.service(service)
        self.bar(texts["label"]).click()
        return self.window(self.button(texts["confirm_label"]).click)

    def log_in(self, service: str, username: str) -> None:
        tab = self.press(service)
        sign_in(tab, username)
        self._done(tab)

    def accept(self, service: str) -> None:
        """Go through a page with nothing but a button."""
        self._done(self.press(service))

    def _done(self, tab: Page) -> None:
        since = self.house.mark()
        confirm(tab)
        self._noticed(since)

    def _noticed(self, since: int) -> None:
        """Mirador looks four times a second whether its window is closed, and then asks for a token."""
        self.until(lambda: self.asked("/token/", since=since), "Mirador asks for a token")
        self.rest()

    def pass_through(self, service: str) -> None:
        """Go through a page that closes itself before anything could be pressed."""
        since = self.house.mark()
        tab = self.press(service)
        self.until(tab.is_closed, "the window has closed itself")
        self._noticed(since)

    def log_out(self, service: str) -> None:
        """Mirador asks again two seconds after it has opened the logout service."""
        since = self.house.mark()
        tab = self.window(self.button(words.service(service)["logout_label"]).click)
        self.until(lambda: self.infos(since=since), "the description is asked for again")
        self.until(tab.is_closed, "the window has closed itself")
        self.rest()

    def look_again(self) -> None:
        """Leave the picture for the gallery, and come back: Mirador then makes its stage anew."""
        for view in ("Gallery", "Single"):
            self.button("Window views & thumbnail display").click()
            self.page.get_by_role("menuitemradio", name=view).click()
            expect(self.page.get_by_role("menuitemradio", name=view)).to_be_hidden()
        self.rest()

    def zoom_in(self) -> None:
        self.button("Zoom in").click()
        self.rest()

    def turn(self, button: str) -> None:
        """“Next item” or “Previous item”."""
        self.button(button).click()
        self.rest()

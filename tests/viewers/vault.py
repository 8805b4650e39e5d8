"""react-iiif-vault's CanvasPanel, with the buttons of the page around it."""

from __future__ import annotations

from typing import ClassVar

from playwright.sync_api import Locator, Page, expect

from tests.browser.reader import confirm, sign_in
from tests.viewers.guest import Guest


class Vault(Guest):
    page_of: ClassVar[str] = "vault.html"
    stage: ClassVar[str] = ".atlas-container canvas, canvas"

    def seen(self) -> bytes:
        """Its stage now and then stays black on a busy machine, with every tile there, until the pointer moves over it."""
        box = self.page.locator(self.stage).first.bounding_box()
        if box is not None:
            for step in (0.4, 0.6):
                self.page.mouse.move(box["x"] + box["width"] * step, box["y"] + box["height"] * step)
        return super().seen()

    def service(self, slug: str) -> Locator:
        """What the page says of an access service."""
        return self.page.locator(f'.service[data-id$="/access/{slug}"]')

    def press_login(self, service: str) -> Page:
        self.service(service).locator(".choose").click()
        return self.window(self.page.locator("#login").click)

    def log_in(self, username: str, service: str = "merehaven-login") -> None:
        tab = self.press_login(service)
        sign_in(tab, username)
        confirm(tab)
        expect(self.service(service)).to_have_attribute("data-state", "in")
        self.rest()

    def accept(self, service: str) -> None:
        """Go through a page with nothing but a button."""
        confirm(self.press_login(service))
        expect(self.service(service)).to_have_attribute("data-state", "in")
        self.rest()

    def log_out(self) -> None:
        since = self.house.mark()
        self.page.locator("#logout").click()
        self.until(lambda: self.asked("/logout/", since=since), "the logout service is opened")
        self.rest()

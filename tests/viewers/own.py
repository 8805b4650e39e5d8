"""The demo's own viewer: the one that was written with the library, for comparison with those that were not."""

from __future__ import annotations

from typing import ClassVar

from playwright.sync_api import expect

from tests.browser.reader import confirm, sign_in
from tests.viewers.guest import Guest


class Own(Guest):
    page_of: ClassVar[str] = ""
    stage: ClassVar[str] = "#stage"

    def address(self, manifest: str) -> str:
        return f"{self.site}/#{manifest}"

    def seen(self) -> bytes:
        """Without the margin that the stage has around a picture."""
        picture = self.page.locator("#media canvas").first
        return picture.screenshot() if picture.is_visible() else super().seen()

    def log_in(self, service: str, username: str) -> None:
        way = self.page.locator(f'.way[data-access$="/access/{service}"] button.enter')
        tab = self.window(way.click)
        sign_in(tab, username)
        confirm(tab)
        expect(self.page.locator('#stage[data-state="shown"]')).to_be_visible()
        self.rest()

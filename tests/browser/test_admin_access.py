"""Every page of the admin that is ours, and those that readers are sent to: axe finds nothing wrong in light and in dark, nor
after an error; twice as large nothing makes one scroll sideways; and from right to left nothing is cut off.

One demo, one tab, the pages in a loop; what is wrong is told together, so that one run says all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Playwright

from tests.browser.conftest import ARGUMENTS, PATIENCE
from tests.browser.furnish import Furnished
from tests.browser.test_pages import TAGS

pytestmark = pytest.mark.browser
WIDE, TWICE = {"width": 1280, "height": 900}, {"width": 640, "height": 450}
"""A window, and the same at 200 % (WCAG 1.4.4, 1.4.10)."""
STOCK = ("_delete", "_history", "pass_changelist", "token_changelist")
"""Pages in Django's own templates of which one is enough: what is ours in them is in the others too."""
KEPT = ("iiif_auth_accesspolicy_delete", "iiif_auth_accesspolicy_history", "iiif_auth_token_changelist")
STILL = "*, ::before, ::after { transition: none !important; animation: none !important }"
"""Colours change at once, so that none is judged on its way."""
CONTRAST = {"type": "rule", "values": ["color-contrast", "link-in-text-block", "target-size"]}
"""What changes with the colours and with the width; the rest of the rules is asked once for each page."""
ALL = {"type": "tag", "values": TAGS}

RUN = """async (only) => {
    const found = await axe.run(document, {runOnly: only, resultTypes: ['violations']});
    return found.violations.flatMap((one) => one.nodes.map((node) => `${one.id}: ${node.target} ${node.html.slice(0, 160)}`));
}"""
SPILLS = """() => {
    const width = document.documentElement.clientWidth, root = document.documentElement, body = document.body;
    const held = (element) => {
        for (let up = element.parentElement; up && up !== body; up = up.parentElement)
            if (['auto', 'scroll'].includes(getComputedStyle(up).overflowX) && up.clientWidth <= width) return true;
        return false;
    };
    if (Math.max(root.scrollWidth, body.scrollWidth) <= width + 1) return [];
    const beyond = [...body.querySelectorAll('*')].filter((one) => {
        const box = one.getBoundingClientRect();
        return box.width > 1 && (box.right > width + 1 || box.left < -1) && !held(one);
    });
    return [`scrolls sideways, ${root.scrollWidth} of ${width}`,
        ...beyond.slice(0, 3).map((one) => `${one.tagName}#${one.id}.${one.className}`)];
}"""
"""What makes the page wider than the window; a table may scroll in a region of its own."""
REGIONS = """() => [...document.querySelectorAll('#content *')].filter((one) =>
        ['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && one.scrollWidth > one.clientWidth + 1
        && !['TEXTAREA', 'SELECT', 'INPUT'].includes(one.tagName)
        && !one.matches('[tabindex="0"]:is([role="region"], [role="group"]):is([aria-label], [aria-labelledby])')
        && !one.querySelector('a, button, input, select, textarea, summary, [tabindex="0"]'))
    .map((one) => `scrolls, and no key gets there: ${one.tagName}#${one.id}.${one.className}`)"""
CUT = """() => [...document.querySelectorAll(
    '#content :is(a, button, label, h1, h2, h3, th, td, p, li, legend, dt, dd), input[type=submit]')]
    .filter((one) => {
        const box = one.getBoundingClientRect(), style = getComputedStyle(one);
        const clipped = ['hidden', 'clip'].includes(style.overflowX) && one.scrollWidth > one.clientWidth + 1;
        return !one.closest('.visually-hidden, .select2') && one.checkVisibility() && clipped && box.width > 2;
    }).map((one) => `cut off: ${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 60)}`)"""
"""Text that does not fit its box."""
OURS = "[...document.styleSheets].some((one) => (one.href || '').includes('iiif_auth/'))"


@dataclass(frozen=True, slots=True)
class Eye:
    """A tab, and what it has found wrong."""

    page: Page
    furnished: Furnished
    found: list[str]

    def open(self, name: str) -> bool:
        """Whether there is such a page; that there is none is a fault too."""
        answer = self.page.goto(self.furnished.url(name))
        if answer is None or not answer.ok:
            self.say(name, [f"status {answer and answer.status}"])
            return False
        if not self.page.evaluate(OURS) and name not in ("index", *KEPT):
            self.say(name, ["none of our styles"])
        return True

    def look(self, name: str, *, scheme: str = "light", size: dict[str, int] = WIDE, only: Any = ALL) -> None:
        """Ask axe about the page as it is now, in this size and these colours."""
        if not self.page.evaluate("'axe' in globalThis"):
            self.page.add_style_tag(content=STILL)
            self.page.evaluate(Axe().axe_script)
        self.page.set_viewport_size(size)  # type: ignore[arg-type]
        self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        self.say(f"{name}, {scheme}, {size['width']}", self.page.evaluate(RUN, only))

    def fits(self, name: str) -> None:
        for script in (SPILLS, REGIONS, CUT):
            self.say(name, self.page.evaluate(script))

    def say(self, name: str, faults: list[str]) -> None:
        self.found.extend(f"{name}: {fault}" for fault in faults)


PARTS = int(os.environ.get("PAGES_PARTS", "6"))
"""A quarter of the pages is looked at on one day, others on the next; with 1, all of them."""


def chosen(furnished: Furnished, day: int = 0) -> list[str]:
    """The pages to be looked at: all, but of those in stock templates one of each; of these, the part of a day."""
    names = [name for name in furnished.pages if name in KEPT or not name.endswith(STOCK)]
    day = day or datetime.now(UTC).toordinal()
    return [name for name in names if crc32(name.encode()) % PARTS == day % PARTS]


def signed_in(playwright: Playwright, chromium: str, furnished: Furnished, locale: str) -> Iterator[Eye]:
    browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
    context = browser.new_context(locale=locale, viewport=WIDE, reduced_motion="reduce", bypass_csp=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    furnished.enter(page)
    yield Eye(page, furnished, [])
    browser.close()


@pytest.fixture
def eye(playwright: Playwright, chromium: str, furnished: Furnished) -> Iterator[Eye]:
    yield from signed_in(playwright, chromium, furnished, "en-GB")


@pytest.fixture
def arabic(playwright: Playwright, chromium: str, furnished: Furnished) -> Iterator[Eye]:
    yield from signed_in(playwright, chromium, furnished, "ar")


# -- What looks at the pages sees what is wrong ----------------------------------------------------------------------

WRONG = """<!doctype html><html lang="en"><title>Wrong</title><main id="content"><h1>Wrong</h1>
<input><p style="color: #ccc">Pale</p><div style="width: 2000px">Wide</div>
<div style="overflow-x: auto; width: 99px"><div style="width: 500px">Far</div></div>
<h2 style="overflow: hidden; width: 20px; white-space: nowrap">A long heading</h2></main>"""


def test_an_eye_sees_what_is_wrong(eye: Eye):
    eye.page.set_content(WRONG)
    eye.look("wrong", size=TWICE)
    eye.fits("wrong")
    told = "\n".join(eye.found)
    for fault in ("label: input", "color-contrast: p", "scrolls sideways", "no key gets there: DIV", "cut off: H2"):
        assert fault in told


def test_no_page_is_left_out_for_good(furnished: Furnished):
    days = [name for day in range(1, PARTS + 1) for name in chosen(furnished, day)]
    assert sorted(days) == sorted(name for name in furnished.pages if name in KEPT or not name.endswith(STOCK))


# -- The pages -------------------------------------------------------------------------------------------------------


def test_every_page_is_sound_in_light_in_dark_and_twice_as_large(eye: Eye):
    for name in chosen(eye.furnished):
        if eye.open(name):
            eye.look(name, size=TWICE)
            eye.fits(name)
            eye.look(name, scheme="dark", only=CONTRAST)
            eye.look(name, only=CONTRAST)
    assert eye.found == []


def test_every_page_reads_from_right_to_left(arabic: Eye):
    page = arabic.page
    for name in chosen(arabic.furnished):
        if arabic.open(name):
            arabic.fits(name)
            arabic.say(name, page.evaluate(BACKWARDS))
    assert arabic.found == []


BACKWARDS = """() => document.documentElement.dir !== 'rtl' ? ['not from right to left'] : [...document.querySelectorAll(
    '#content :is(p, li, td, th, caption, label, legend, h1, h2, h3, dt, dd)')]
    .filter((one) => one.checkVisibility() && getComputedStyle(one).direction === 'rtl'
        && getComputedStyle(one).textAlign === 'left' && one.textContent.trim())
    .map((one) => `begins at the wrong side: ${one.tagName}.${one.className} ${one.textContent.trim().slice(0, 60)}`)"""


EMPTY = {
    "iiif_auth_accesspolicy_add": "[name=_save]",
    "iiif_auth_collection_add": "[name=_save]",
    "iiif_auth_resource_add": "[name=_save]",
    "iiif_auth_network_add": "[name=_save]",
    "iiif_auth_grant_add": "[name=_save]",
    "iiif_auth_embargo_add": "[name=_save]",
    "iiif_auth_give": "#content button[type=submit]",
    "iiif_auth_tables": "#content button[type=submit], #content input[type=submit]",
    "iiif_auth_manifests": "#content button[type=submit], #content input[type=submit]",
    "iiif_auth_collection_withdraw": ".iiif-auth-grave",
    "ask": "[type=submit]",
}
"""Pages with a form that can not be sent empty, and what sends it."""


def test_every_page_is_sound_after_an_error(eye: Eye):
    page = eye.page
    for name, button in EMPTY.items():
        assert eye.open(name)
        page.evaluate("document.querySelectorAll('form').forEach((one) => { one.noValidate = true })")
        page.evaluate(
            "document.querySelectorAll('#content textarea, #content [name=reason]').forEach((one) => { one.value = '' })"
        )
        with page.expect_navigation():
            page.locator(button).first.click()
        assert page.locator(".errornote, .errorlist, [role=alert], [aria-invalid=true]").count(), name
        eye.look(f"{name}, after an error", size=TWICE)
        eye.fits(f"{name}, after an error")
        eye.look(f"{name}, after an error", scheme="dark", only=CONTRAST)
    assert eye.found == []

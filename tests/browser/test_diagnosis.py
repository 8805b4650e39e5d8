"""The page of diagnosis in a real browser: what it says is what the browser does."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import COOKIES_ALLOWED, COOKIES_BLOCKED, Contexts, Notes
from tests.browser.demo import Demo
from tests.browser.test_pages import check

pytestmark = pytest.mark.browser
PAGE = "/iiif-auth/diagnosis"


def opened(context: BrowserContext, demo: Demo, query: str = "") -> Page:
    page = context.new_page()
    page.goto(demo.url(PAGE + query))
    return page


def answer(page: Page, check: str) -> str:
    """Which of its sentences a check shows."""
    shown = page.locator(f'[data-check="{check}"] [data-says]:not([hidden])')
    expect(shown).to_have_count(1)
    return shown.get_attribute("data-says") or ""


@pytest.mark.parametrize(("cookies", "found"), [(COOKIES_ALLOWED, "yes"), (COOKIES_BLOCKED, "own")])
def test_it_tells_a_browser_that_keeps_cookies_from_other_sites_from_one_that_does_not(
    new_context: Contexts, demo: Demo, cookies: int, found: str
):
    context = new_context(cookies=cookies)
    page = opened(context, demo)
    expect(page.locator('[data-check="first"] [data-says=yes]')).to_be_visible()
    assert (answer(page, "clock"), answer(page, "embedded")) == ("yes", "open")
    with context.expect_page() as there:
        page.locator("[data-do=viewer]").click()
    expect(page.locator('[data-check="embedded"] [data-says=open]')).to_be_hidden()
    frame = there.value.frame_locator("#library")
    expect(frame.locator(f'[data-check="embedded"] [data-says="{found}"]')).to_be_visible()
    assert answer(page, "embedded") == found
    sentence = page.locator(f'[data-check="embedded"] [data-says="{found}"]').inner_text()
    expect(page.locator("#report")).to_have_value(re.compile(re.escape(sentence)))


def test_a_window_that_opens_and_knows_its_opener_is_told_from_one_that_is_blocked(new_context: Contexts, demo: Demo):
    context = new_context()
    page = opened(context, demo)
    page.locator("[data-do=window]").click()
    expect(page.locator('[data-check="window"] [data-says=yes]')).to_be_visible()
    expect(page.locator("[data-do=window]")).to_be_visible()
    assert context.pages[-1] == page  # the window has gone again
    page.evaluate("globalThis.open = () => null")
    page.locator("[data-do=window]").click()
    expect(page.locator('[data-check="window"] [data-says=blocked]')).to_be_visible()


def test_a_window_that_was_cut_off_is_seen(new_context: Contexts, demo: Demo):
    """The twin of the page that is opened has Django's own header, which takes its opener away."""
    context = new_context()

    def cut(route):
        answer = route.fetch()
        route.fulfill(response=answer, headers={**answer.headers, "cross-origin-opener-policy": "same-origin"})

    context.route("**/diagnosis/window", cut)
    page = opened(context, demo)
    page.locator("[data-do=window]").click()
    expect(page.locator('[data-check="window"] [data-says=cut]')).to_be_visible()


def test_a_clock_that_is_wrong_is_seen(new_context: Contexts, demo: Demo):
    context = new_context()
    context.add_init_script("const now = Date.now; Date.now = () => now() + 600000;")
    page = opened(context, demo)
    expect(page.locator('[data-check="clock"] [data-says=no]')).to_contain_text(re.compile("(599|600)"))


def test_without_a_script_it_says_what_it_can_not_tell(new_context: Contexts, demo: Demo):
    page = opened(new_context(java_script_enabled=False), demo)
    expect(page.locator("noscript p")).to_contain_text("JavaScript is off")
    expect(page.locator("button[data-do]:visible")).to_have_count(0)
    page.get_by_role("link", name="Look whether it is kept").click()
    expect(page.locator('[data-check="first"] [data-says=yes]')).to_be_visible()
    expect(page.locator("#report")).to_have_value(re.compile("Signed in: no"))


def test_nobody_else_can_make_the_page_say_something(new_context: Contexts, demo: Demo, notes: Notes):
    """Neither another site's message nor one with a name of JavaScript's own."""
    context = new_context()
    page = opened(context, demo)
    expect(page.locator('[data-check="first"] [data-says=yes]')).to_be_visible()
    lie = {"iiifDiagnosis": "frame", "cookie": True, "partitioned": True, "permission": "granted"}
    with context.expect_page() as there:
        page.evaluate("(address) => { window.open(address, '_blank'); }", demo.viewer)
    there.value.wait_for_load_state()
    there.value.evaluate("(lie) => window.opener.postMessage(lie, '*')", lie)
    page.evaluate("() => window.postMessage({iiifDiagnosis: 'toString'}, '*')")
    page.wait_for_timeout(300)
    assert answer(page, "embedded") == "open"
    page.evaluate("(lie) => window.postMessage(lie, '*')", lie)  # the same from its own site is heard
    expect(page.locator('[data-check="embedded"] [data-says=yes]')).to_be_visible()


def test_all_its_pages_can_be_used_by_everybody(new_context: Contexts, demo: Demo):
    context = new_context()
    page = opened(context, demo)
    expect(page.locator('[data-check="first"] [data-says=yes]')).to_be_visible()
    check(page, "diagnosis")
    page.goto(demo.url(f"{PAGE}/window"))
    check(page, "diagnosis-window")
    page.goto(demo.url(f"{PAGE}/frame"))
    check(page, "diagnosis-frame")
    page.goto(f"{demo.viewer}/diagnosis.html")
    check(page, "diagnosis-viewer")

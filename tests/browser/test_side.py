"""Windows at the side, and a permission that is there already: other sites' cookies are blocked, and the login cuts windows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from project.items import PASSWORD
from tests.browser.conftest import COOKIES_BLOCKED, Contexts
from tests.browser.demo import Demo, running
from tests.browser.reader import Reader, closing, confirm, sign_in
from tests.browser.test_flow import asked_for, assert_sees
from tests.browser.test_pages import STAY, check


@pytest.fixture(scope="module")
def library(chromium: str) -> Iterator[Demo]:
    with running({"DJANGO_SETTINGS_MODULE": "tests.browser.at_the_side"}, log="at-the-side") as started:
        yield started


@pytest.fixture
def reader(new_context: Contexts, library: Demo) -> Reader:
    return Reader(new_context(cookies=COOKIES_BLOCKED), library)


def aside(reader: Reader, tab: Page) -> Page:
    """Press “Sign in” in the tab that the viewer holds; the window that opens."""
    with reader.context.expect_page() as opened:
        tab.locator("[data-side]").click()
    return opened.value


def sign_in_and_go(window: Page) -> None:
    """Sign in where there is nothing more to do: the window closes itself."""
    window.get_by_label("Username").fill("reader")
    window.get_by_label("Password").fill(PASSWORD)
    with closing(window):
        window.get_by_role("button", name="Log in").click(no_wait_after=True)


def test_whoever_signs_in_at_the_side_comes_back_to_a_tab_that_has_its_viewer(reader: Reader):
    reader.open("herbal")
    mark = reader.mark()
    tab = reader.press("merehaven-login")
    window = aside(reader, tab)
    expect(tab.get_by_text("Waiting for you to sign in")).to_be_visible()
    reader.keeps_waiting()
    sign_in_and_go(window)
    confirm(tab)
    assert reader.settled(mark).rendition == "full"
    assert_sees(reader, "herbal-1")
    reader.is_alone()


def test_a_tab_that_is_told_nothing_by_the_window_asks_the_server(reader: Reader):
    reader.context.add_init_script(
        "globalThis.BroadcastChannel = class extends EventTarget { postMessage() {} close() {} }"
    )
    reader.open("herbal")
    mark = reader.mark()
    tab = reader.press("merehaven-login")
    sign_in_and_go(aside(reader, tab))
    confirm(tab)
    assert reader.settled(mark).rendition == "full"


def test_in_the_same_tab_that_login_loses_the_viewer_and_the_tab_says_so(reader: Reader):
    """The twin of the first: without the window at the side it can not be done, here."""
    reader.open("herbal")
    mark = reader.mark()
    tab = reader.press("merehaven-login")
    tab.evaluate("globalThis.open = () => null")
    tab.locator("[data-side]").click()
    assert reader.settled(mark).state == "denied"  # the viewer takes the tab for closed before anybody has typed
    sign_in(tab, "reader")
    tab.locator("#continue").click()
    expect(tab.get_by_role("heading", name="this tab has lost the viewer")).to_be_visible()
    expect(tab.get_by_role("link", name=reader.viewer)).to_have_attribute("href", reader.viewer)


def test_the_pages_at_the_side_look_well(reader: Reader, library: Demo):
    reader.context.add_init_script(STAY)
    page = reader.context.new_page()
    page.goto(library.url(f"/iiif-auth/2/access/merehaven-login?origin={library.viewer}"))
    check(page, "sign-in-at-the-side")
    page.goto(library.url("/iiif-auth/signed-in"))
    check(page, "not-signed-in")
    page.goto(library.url("/accounts/login/?next=/iiif-auth/signed-in"))
    sign_in(page, "reader")
    expect(page.get_by_role("heading", name="You are signed in")).to_be_visible()
    check(page, "signed-in")


# -- Storage access -------------------------------------------------------------------------------------------------

TOLD = """(address) => new Promise((told) => {
    const frame = document.createElement("iframe");
    addEventListener("message", ({ source, data }) => { if (source === frame.contentWindow) told(data); });
    frame.src = address;
    document.body.append(frame);
})"""


def told(reader: Reader) -> Any:
    """What the token service posts into the viewer's page."""
    query = f"messageId=1&origin={reader.viewer}"
    return reader.page.evaluate(TOLD, reader.demo.url(f"/iiif-auth/2/token/merehaven-terms?{query}"))


def test_a_permission_that_is_there_is_used_by_the_frame_itself(reader: Reader, library: Demo):
    tab = reader.context.new_page()
    tab.goto(library.url(f"/iiif-auth/2/access/merehaven-terms?origin={reader.viewer}"))
    tab.locator("#continue").click()
    expect(tab.get_by_role("heading", name="this tab has lost the viewer")).to_be_visible()
    assert told(reader)["profile"] == "missingAspect"
    assert asked_for(reader, "fleet") == 401
    reader.context.new_cdp_session(tab).send(
        "Browser.setPermission",
        {
            "permission": {"name": "storage-access"},
            "setting": "granted",
            "origin": reader.viewer,
            "embeddedOrigin": library.address,
        },
    )
    assert told(reader)["accessToken"]
    assert asked_for(reader, "fleet") == 200  # by the twin that came with the token

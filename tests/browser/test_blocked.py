"""Third-party cookies blocked, and an unmodified viewer still shows what one may see: consent is handed over."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import ALLOW_POPUPS, COOKIES_BLOCKED, Contexts
from tests.browser.demo import Demo
from tests.browser.reader import Reader, closing, confirm, sign_in
from tests.browser.test_flow import asked_for, assert_sees, assert_token_came, identifier_of

Sit = Callable[[str], None]


def cookies_sent(reader: Reader, slug: str) -> set[str]:
    """The names of the cookies that went along with pictures of an item, as the network saw them."""
    names: set[str] = set()
    network = reader.context.new_cdp_session(reader.page)
    network.on(
        "Network.requestWillBeSentExtraInfo",
        lambda sent: names.update(
            one["cookie"]["name"] for one in sent["associatedCookies"] if not one["blockedReasons"]
        ),
    )
    network.send("Network.enable")
    assert asked_for(reader, slug) == 200
    network.detach()
    return names


@pytest.fixture
def blocked(new_context: Contexts) -> BrowserContext:
    return new_context(cookies=COOKIES_BLOCKED)


@pytest.fixture
def behind(blocked: BrowserContext, demo: Demo) -> Reader:
    """Somebody whose browser keeps the cookies of other sites out."""
    return Reader(blocked, demo)


def test_a_first_login_shows_the_item_and_leaves_no_window(behind: Reader):
    assert behind.open("herbal").status == "401"
    assert behind.log_in("reader").rendition == "full"
    assert_token_came(behind, "merehaven-login")
    assert_sees(behind, identifier_of("herbal"))
    assert cookies_sent(behind, "herbal") == {"__Host-iiif_twin"}
    behind.is_alone()


def test_after_a_reload_the_twin_is_enough(behind: Reader):
    behind.open("fleet")
    assert behind.confirm("merehaven-terms").rendition == "full"
    assert behind.reload().rendition == "full"
    assert behind.events("window-opened") == []


def test_whoever_is_signed_in_already_clicks_once(behind: Reader, demo: Demo):
    page = behind.context.new_page()
    page.goto(demo.url("/accounts/login/"))
    sign_in(page, "reader")
    page.close()
    behind.open("herbal")
    assert behind.confirm("merehaven-login").rendition == "full"
    assert_sees(behind, identifier_of("herbal"))


def test_after_logging_out_nothing_of_the_partition_counts(behind: Reader):
    behind.open("herbal")
    behind.log_in("reader")
    behind.is_alone()
    assert behind.log_out().status == "401"
    assert asked_for(behind, "herbal") == 401
    assert behind.reload().status == "401"


def test_a_double_click_opens_one_window(behind: Reader):
    behind.open("fleet")
    mark = behind.mark()
    tab = behind.press("merehaven-terms")
    opened: list[Page] = []
    behind.context.on("page", lambda page: opened.append(page))
    button = tab.locator("#continue")
    expect(button).to_be_enabled()
    with closing(tab):
        button.dblclick(no_wait_after=True)
    assert behind.settled(mark).rendition == "full"
    assert len(opened) == 1


def test_where_the_second_window_is_blocked_the_first_stays_and_says_so(behind: Reader):
    behind.open("fleet")
    mark = behind.mark()
    tab = behind.press("merehaven-terms")
    tab.evaluate("window.open = () => null")
    expect(tab.locator("#continue")).to_be_enabled()
    tab.locator("#continue").click()
    expect(tab.get_by_text("One more click, please.")).to_be_visible()
    behind.keeps_waiting()
    with closing(tab):
        tab.get_by_role("button", name="Back to the viewer").click(no_wait_after=True)
    assert behind.settled(mark).rendition == "full"


def test_where_the_viewer_is_lost_the_tab_says_so(behind: Reader, demo: Demo):
    tab = behind.context.new_page()
    tab.goto(demo.url(f"/iiif-auth/2/access/merehaven-terms?origin={demo.viewer}"))
    expect(tab.locator("#continue")).to_be_enabled()
    tab.locator("#continue").click()
    expect(tab.get_by_text("this tab has lost the viewer")).to_be_visible()
    expect(tab.get_by_role("link", name=demo.viewer)).to_have_attribute("href", demo.viewer)


def test_a_kiosk_that_allows_windows_opens_by_itself(new_context: Contexts, demo: Demo, sit: Sit):
    sit("kiosk")
    reader = Reader(new_context(ALLOW_POPUPS, cookies=COOKIES_BLOCKED), demo)
    assert reader.open("gallery").rendition == "full"
    assert_sees(reader, "gallery-1")
    reader.is_alone()


def test_a_kiosk_that_allows_none_is_helped_by_a_click_the_second_time(behind: Reader, sit: Sit):
    sit("kiosk")
    behind.open_unasked("gallery")
    mark = behind.mark()
    with behind.context.expect_page() as opened:
        behind.way("merehaven-kiosk").locator("button.enter").click()
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")
    assert behind.settled(mark).state == "denied"
    mark = behind.mark()
    tab = behind.press("merehaven-kiosk")
    expect(tab.get_by_text("One more click, please.")).to_be_visible()
    with closing(tab):
        tab.get_by_role("button", name="Back to the viewer").click(no_wait_after=True)
    assert behind.settled(mark).rendition == "full"


def test_two_viewers_side_by_side_each_get_their_own(behind: Reader, demo: Demo):
    """Another site with the same viewer: what is carried to one is not carried to the other."""
    other = Reader(behind.context, demo, demo.viewer.replace("127.0.0.1", "localhost"))
    behind.open("fleet")
    assert behind.confirm("merehaven-terms").rendition == "full"
    behind.is_alone()
    if other.viewer != behind.viewer:
        assert other.open("fleet").status == "401"
    confirm_again = other.open("retina")
    assert confirm_again.state == "denied"
    confirm(other.press("merehaven-advisory"))
    expect(other.page.locator('#stage[data-rendition="full"]')).to_be_visible()

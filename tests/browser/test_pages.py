"""Every page a person meets: axe finds nothing wrong, it fits a phone, and the keyboard is enough."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from project.items import PASSWORD
from tests.browser.conftest import Contexts
from tests.browser.demo import RESULTS, Demo
from tests.browser.reader import Reader, closing, sign_in
from tests.browser.test_refusals import sign_in_admin

pytestmark = pytest.mark.browser
SCREENS = RESULTS / "screens"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
STAY = "window.close = () => {}"
"""The last page closes itself; to be looked at it must stay."""
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


def violations(page: Page, include: str = "") -> list[str]:
    """What axe objects to, in the whole page or in one part of it; stock pages of Django are not ours to mend."""
    context = {"include": [include]} if include else None
    found = Axe().run(page, context=context, options={"runOnly": {"type": "tag", "values": TAGS}})
    return [
        f"{violation['id']}: {node['html'][:160]}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]


def spills(page: Page) -> bool:
    """Whether one would have to scroll sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"))


STILL = """async () => {
    const moving = () => document.getAnimations().filter((one) => Number.isFinite(one.effect.getComputedTiming().endTime));
    const frame = () => new Promise((drawn) => requestAnimationFrame(drawn));
    let quiet = 0;
    while (quiet < 2) {
        await frame();
        await Promise.allSettled(moving().map((one) => one.finished));
        quiet = moving().length ? 0 : quiet + 1;
    }
    return true;
}"""
"""Comes true when nothing has been moving for two frames; a script that answers to a change may do so in the first of them.

What never ends, such as a wheel that turns, is not waited for; it is asked not to turn."""


def sized(page: Page, size: str, scheme: str = "light") -> None:
    """Another size and other colours, and wait until they are there: Django's admin fades the colours of its links."""
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.wait_for_function(STILL)


def shot(page: Page, name: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENS / f"{name}.png")


def check(page: Page, name: str, include: str = "") -> None:
    """Light and dark, wide and narrow."""
    for size in SIZES:
        for scheme in ("light", "dark"):
            sized(page, size, scheme)
            assert violations(page, include) == [], f"{name}, {size}, {scheme}"
            if not include:
                assert not spills(page), f"{name}, {size}"
        sized(page, size)
        shot(page, f"{name}-{size}")
    sized(page, "desktop")


# -- What looks at the pages looks well -----------------------------------------------------------------------------

FADING = """<!doctype html><html lang="en"><title>Fading</title><style>
    body { background: #fff }
    a { color: #222; transition: color 1s steps(1) }
    @media (prefers-color-scheme: dark) { body { background: #000 } a { color: #fff } }
</style><main><h1><a href="/">A link</a></h1></main>"""
PALE = "<!doctype html><html lang='en'><title>Pale</title><main><h1 style='color: #ccc'>A heading</h1></main>"


def test_colours_that_are_on_their_way_are_waited_for(new_context: Contexts):
    """The twin, who looks at once, sees a dark link on a dark page, as the admin's were seen once."""
    page = new_context().new_page()
    page.set_content(FADING)
    sized(page, "desktop")
    page.emulate_media(color_scheme="dark")
    page.evaluate("document.getAnimations().forEach((one) => one.pause())")  # at once, however slow this machine is
    assert [found.partition(":")[0] for found in violations(page)] == ["color-contrast"]
    page.evaluate("document.getAnimations().forEach((one) => one.play())")
    for scheme in ("dark", "light"):
        sized(page, "desktop", scheme)
        assert violations(page) == []


def test_colours_that_can_not_be_read_are_found(new_context: Contexts):
    page = new_context().new_page()
    page.set_content(PALE)
    sized(page, "desktop")
    assert [found.partition(":")[0] for found in violations(page)] == ["color-contrast"]


# -- The pages ----------------------------------------------------------------------------------------------------

ORIGIN = "origin=https://viewer.example.org"
ANYBODYS = {
    "home": "/",
    "item": "/items/survey/",
    "login": "/accounts/login/",
    "terms": f"/iiif-auth/2/access/merehaven-terms?{ORIGIN}",
    "terms-unnamed": "/iiif-auth/2/access/merehaven-terms",
    "no-such-service": f"/iiif-auth/2/access/nothing?{ORIGIN}",
    "bad-origin": "/iiif-auth/2/access/merehaven-terms?origin=javascript:alert(1)",
    "not-a-kiosk": f"/iiif-auth/2/access/merehaven-kiosk?{ORIGIN}",
    "external": f"/iiif-auth/2/access/merehaven-campus?{ORIGIN}",
    "handoff": "/iiif-auth/handoff",
    "token-opened-by-hand": f"/iiif-auth/2/token/merehaven-login?messageId=1&{ORIGIN}",
}


@pytest.mark.parametrize("name", ANYBODYS)
def test_pages_for_anybody(name: str, demo: Demo, new_context: Contexts):
    page = new_context().new_page()
    page.goto(demo.url(ANYBODYS[name]))
    expect(page.locator("#continue:disabled")).to_have_count(0)  # the button is armed a little later
    check(page, name)


SAYING = """(what) => document.querySelectorAll("[data-said]").forEach(
    (one) => { one.hidden = !one.dataset.said.split(" ").includes(what); })"""
"""What the last page says in other cases than a tab's that was opened by hand."""


def test_pages_for_somebody_signed_in(demo: Demo, new_context: Contexts):
    context = new_context()
    context.add_init_script(STAY)
    page = context.new_page()
    page.goto(demo.url(f"/iiif-auth/2/access/merehaven-login?{ORIGIN}"))
    sign_in(page, "reader")
    expect(page.locator("#continue")).to_be_enabled()
    check(page, "access")
    page.locator("#continue").click()
    expect(page.get_by_role("heading", name="this tab has lost the viewer")).to_be_visible()
    check(page, "done-lost")
    for said in ("done", "blocked", "failed"):
        page.evaluate(SAYING, said)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        check(page, f"done-{said}")
    page.goto(demo.url("/iiif-auth/2/logout/merehaven-login"))
    check(page, "left")


def test_the_viewer_in_each_of_its_states(reader: Reader):
    check(reader.page, "viewer-empty")
    reader.open("chart")
    check(reader.page, "viewer-open")
    reader.open("herbal")
    check(reader.page, "viewer-denied")
    reader.open("survey")
    check(reader.page, "viewer-substitute")
    reader.open("diary")
    check(reader.page, "viewer-embargo")


ADMIN = {
    "admin-policy": ("/admin/iiif_auth/accesspolicy/?q=three", "#content-main"),
    "admin-why": ("/admin/iiif_auth/resource/why/?resource=/iiif/image/3/survey-1&person=reader", "#content-main"),
}


def test_the_admins_own_pages(demo: Demo, new_context: Contexts):
    page = new_context().new_page()
    page.goto(demo.url("/admin/login/?next=/admin/"))
    sign_in_admin(page)
    page.goto(demo.url(ADMIN["admin-why"][0]))
    check(page, "admin-why", "#content")
    page.goto(demo.url(ADMIN["admin-policy"][0]))
    page.locator("#result_list tbody tr").first.locator("th a").click()
    for widget in page.locator("fieldset.languages").all()[:1]:
        widget.scroll_into_view_if_needed()
    for size in SIZES:
        sized(page, size)
        shot(page, f"admin-policy-{size}")


# -- The keyboard is enough ---------------------------------------------------------------------------------------


def press_until(page: Page, reached: Callable[[], bool], key: str = "Tab", most: int = 80) -> int:
    """Press a key until something has the focus; how often."""
    for count in range(1, most + 1):
        page.keyboard.press(key)
        if reached():
            return count
    raise AssertionError(f"Not reached in {most} steps.")


def focused(page: Page, selector: str) -> Callable[[], bool]:
    return lambda: bool(page.evaluate("(selector) => document.activeElement?.matches(selector) ?? false", selector))


def close_by_enter(tab: Page) -> None:
    """Press Enter where that closes the tab, perhaps before the key is let go: then nobody is there to answer for that."""
    with closing(tab):
        tab.keyboard.press("Enter")


def enter_item(reader: Reader, slug: str, service: str) -> Page:
    """From the top of the viewer's page to the library's tab, by Tab and Enter."""
    page = reader.page
    mark = reader.mark()
    press_until(
        page, focused(page, f'[data-id="{reader.demo.manifest(slug)}"], [data-id="{reader.demo.manifest(slug)}"] *')
    )
    page.keyboard.press("Enter")
    reader.settled(mark)
    expect(reader.way(service)).to_be_visible()
    press_until(page, focused(page, "button.enter"))
    with reader.context.expect_page() as opened:
        page.keyboard.press("Enter")
    opened.value.wait_for_load_state()
    return opened.value


def test_a_click_through_is_finished_by_keyboard_alone(reader: Reader):
    tab = enter_item(reader, "fleet", "merehaven-terms")
    mark = reader.mark()
    expect(tab.locator("#continue")).to_be_focused()
    close_by_enter(tab)
    assert reader.settled(mark).rendition == "full"


def test_a_login_is_finished_by_keyboard_alone(reader: Reader):
    tab = enter_item(reader, "herbal", "merehaven-login")
    press_until(tab, focused(tab, "#id_login"))
    tab.keyboard.type("reader")
    tab.keyboard.press("Tab")
    tab.keyboard.type(PASSWORD)
    tab.keyboard.press("Enter")
    expect(tab.locator("#continue")).to_be_focused()
    mark = reader.mark()
    close_by_enter(tab)
    assert reader.settled(mark).rendition == "full"


@pytest.mark.parametrize("name", ["home", "login", "terms"])
def test_twice_as_large_it_still_fits(name: str, demo: Demo, new_context: Contexts):
    """200 % zoom of a 1280 pixel window is a window of 640 (WCAG 1.4.10)."""
    page = new_context().new_page()
    page.set_viewport_size({"width": 640, "height": 450})
    page.goto(demo.url(ANYBODYS[name]))
    assert not spills(page)

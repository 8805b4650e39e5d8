"""The first eight jobs of the admin, each from the front page of the app to its end with a keyboard alone.

How many keys each takes is written in the admin's README; ``python -m tests.browser.keyboard`` measures and writes it anew, as
does ``KEYBOARD=write`` in the environment of this test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser import keys
from tests.browser.conftest import ARGUMENTS, PATIENCE
from tests.browser.demo import ROOT
from tests.browser.furnish import Furnished
from tests.browser.keys import Keys

pytestmark = pytest.mark.browser
README = ROOT / "iiif_auth" / "admin" / "README.md"
INTRODUCTION = (
    "Each job from the front page of the app to its end, in Chromium, with Tab, Space, Enter and the arrows only. The figures\n"
    "are measured by `tests/browser/test_keyboard.py`, which also asserts that the focus is seen wherever it is used.\n\n"
)
LINKS = 5
"""The first page leads to what matters today: what was done before, in any order, puts so many links more or fewer there."""
SHEET = "identifier,policy\n/iiif/3/crowd-201,crowd-2\n/iiif/3/crowd-202,crowd-4\n"


@pytest.fixture
def page(playwright: Playwright, chromium: str, furnished: Furnished) -> Iterator[Page]:
    browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
    context = browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    furnished.enter(page)
    yield page
    browser.close()


# -- The jobs --------------------------------------------------------------------------------------------------------


def restrict_a_collection(hands: Keys, folder: Path) -> None:
    hands.to("Collections")
    hands.leave()
    hands.find("crowd-9")
    hands.to("Choose a policy")
    hands.leave()
    hands.skip()
    hands.to("Policy of everything in it")
    hands.choose("Crowd policy 05")
    hands.to("Reason")
    hands.type("Closed by agreement")
    hands.to("Save")
    hands.leave()
    expect(hands.page.locator(".messagelist .success")).to_be_visible()


def find_out_why(hands: Keys, folder: Path) -> None:
    hands.to("Why can somebody see it")
    hands.type("/iiif/image/3/minutes-1")
    hands.leave()
    hands.skip()
    hands.to("Person")
    hands.type("reader")
    hands.leave()
    expect(hands.page.locator(".iiif-auth-headline")).to_contain_text("Refused")


def ask_as_the_public(hands: Keys, folder: Path) -> None:
    hands.to("Resources")
    hands.leave()
    hands.find("minutes-1")
    hands.to("Test as public")
    hands.leave()
    hands.skip()
    hands.to("Ask now")
    hands.leave()
    expect(hands.page.locator(".iiif-auth-verdict").first).to_be_visible()


def close_until_a_day(hands: Keys, folder: Path) -> None:
    hands.to("Add", selector="[href$='/embargo/add/']")
    hands.leave()
    hands.skip()
    hands.to("Resource", selector=".select2-selection")
    hands.pick("crowd-204", "Plate 204")
    hands.to("Opens on: date")
    hands.type("2031-05-01")
    hands.to("Then the policy", selector=".select2-selection")
    hands.pick("Crowd policy 01")
    hands.to("Reason")
    hands.type("Contract of 2026")
    hands.to("Save")
    hands.leave()
    expect(hands.page.locator(".messagelist .success")).to_be_visible()


def change_many(hands: Keys, folder: Path) -> None:
    hands.to("Resources")
    hands.leave()
    hands.find("crowd-1")
    hands.to("Action:")
    hands.choose("Set policy")
    hands.to("Select all", selector="#action-toggle")
    hands.press("Space")
    hands.to("Select all", key="Shift+Tab", selector=".question a")
    hands.press("Enter")
    expect(hands.page.locator(".question a")).to_be_hidden()
    hands.to("Go", key="Shift+Tab")
    hands.leave()
    hands.skip()
    hands.to("Policy")
    hands.choose("Crowd policy 03")
    hands.to("Reason")
    hands.type("The donor's letter")
    hands.to("See what would change")
    hands.leave()
    hands.skip()
    hands.to("Set policy (")
    hands.leave()
    expect(hands.page.locator("#content")).to_contain_text("Done")


def bring_in_the_spreadsheet(hands: Keys, folder: Path) -> None:
    file = folder / "rights.csv"
    file.write_text(SHEET, encoding="utf-8")
    hands.to("Spreadsheets")
    hands.leave()
    hands.skip()
    hands.to("Spreadsheet", selector="input[type=file]")
    hands.attach(file)
    hands.to("Send and look at it")
    hands.leave()
    hands.skip()
    hands.to("Look at what would change")
    hands.leave()
    hands.skip()
    hands.to("Reason")
    hands.type("The yearly list")
    hands.to("Apply")
    hands.leave()
    expect(hands.page.get_by_role("status")).to_contain_text("Done")


def give_until_friday(hands: Keys, folder: Path) -> None:
    hands.to("Resources")
    hands.leave()
    hands.find("crowd-2")
    hands.to("Action:")
    hands.choose("Give access until")
    hands.to("Select all", selector="#action-toggle")
    hands.press("Space")
    hands.to("Go", key="Shift+Tab")
    hands.leave()
    hands.skip()
    hands.to("Person")
    hands.type("researcher")
    hands.to("7 days")
    hands.press("ArrowUp")
    assert hands.name().startswith("End of Friday")
    hands.to("Reason")
    hands.type("For her book")
    hands.to("Give access")
    hands.leave()
    expect(hands.page.locator("#content")).to_contain_text("researcher")


def take_down_now(hands: Keys, folder: Path) -> None:
    hands.to("Resources")
    hands.leave()
    hands.find("crowd-205")
    hands.to("Withdraw")
    hands.leave()
    hands.skip()
    hands.to("Reference")
    hands.type("Letter 17")
    hands.to("To be reviewed on")
    hands.type("05052031")
    hands.to("Reason")
    hands.type("A letter from the family")
    hands.to("Withdraw now")
    hands.leave()
    expect(hands.page.locator(".messagelist .success")).to_be_visible()


JOBS: dict[str, Callable[[Keys, Path], None]] = {
    "1. Restrict a whole collection": restrict_a_collection,
    "2. Find out why somebody can not see it": find_out_why,
    "3. See that a restriction holds": ask_as_the_public,
    "4. Close it until 1 May 2031, then open it": close_until_a_day,
    "5. Change the policy of more than a hundred": change_many,
    "6. Bring in the yearly spreadsheet": bring_in_the_spreadsheet,
    "7. Give a researcher many items until Friday": give_until_friday,
    "8. Take it down now": take_down_now,
}
counted: dict[str, tuple[int, int]] = {}


@pytest.mark.parametrize("job", JOBS)
def test_a_job_is_done_by_keyboard_alone(job: str, page: Page, furnished: Furnished, tmp_path: Path):
    page.goto(furnished.url("app_list"))
    hands = Keys(page)
    hands.skip()
    JOBS[job](hands, tmp_path)
    counted[job] = hands.count()
    section = f"{INTRODUCTION}{keys.table({name: counted[name] for name in JOBS if name in counted})}"
    if os.environ.get("KEYBOARD") == "write":
        before = README.read_text(encoding="utf-8") if README.exists() else ""
        README.write_text(keys.rewritten(before, section), encoding="utf-8")
    told = keys.read(keys.written(README.read_text(encoding="utf-8")) or "")[job]
    assert (hands.pressed - told[0]) in range(-LINKS, LINKS + 1), (hands.pressed, told)
    assert hands.fields == told[1]


def test_a_focus_that_can_not_be_seen_is_found(page: Page):
    page.set_content("<style>a { outline: none !important }</style><main><a href='/'>Nowhere</a></main>")
    with pytest.raises(AssertionError, match="Nowhere"):
        Keys(page).to("Nowhere")


def test_what_no_key_reaches_is_found(page: Page):
    page.set_content("<main><a href='/'>Here</a><span onclick='1'>There</span></main>")
    with pytest.raises(AssertionError, match="There"):
        Keys(page).to("There", most=5)

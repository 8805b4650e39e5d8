"""The guided tour: five minutes of the demo, from a reader who is refused to the officer who takes something down.

Each stop stands alone. They share a demo of their own with ten thousand rows more, so that nobody else's is rearranged.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from project.items import PASSWORD
from tests.browser.conftest import Contexts
from tests.browser.demo import ROOT, Demo, running
from tests.browser.reader import Reader, Stage
from tests.browser.test_flow import asked_for, assert_sees
from tests.browser.test_pages import shot

pytestmark = pytest.mark.browser
ROWS = 10_000
CODE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{2}")
Staff = Callable[[str, str], Page]


@pytest.fixture(scope="module")
def demo(chromium: str) -> Iterator[Demo]:
    with running(log="five-minutes", options=("--rows", str(ROWS))) as started:
        yield started


@pytest.fixture
def staff(new_context: Contexts, demo: Demo) -> Staff:
    """Somebody of the staff before a page of the admin, in a browser of their own."""

    def before(username: str, path: str) -> Page:
        page = new_context(height=1000).new_page()
        page.goto(demo.url(f"/admin/login/?next=/admin/iiif_auth/{path}"))
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        return page

    return before


def main(page: Page) -> Locator:
    return page.locator("#content")


def why_not(page: Page, demo: Demo, item: str, piece: str) -> str:
    """From an item's own page to the page that says why not; the code that it gives."""
    page.goto(demo.url(f"/items/{item}/"))
    page.get_by_role("link", name=f"Why not {piece}?").click()
    found = page.get_by_text(CODE)
    expect(found).to_be_visible()
    return found.inner_text().strip()


# -- 0:00 -------------------------------------------------------------------------------------------------------


def test_the_first_page_says_of_every_item_what_is_done_to_it(new_context: Contexts, demo: Demo):
    page = new_context().new_page()
    page.goto(demo.address)
    badges = page.locator("ul.items .badge")
    assert badges.count() > 10
    assert all(badges.all_inner_texts())
    expect(page.locator("ul.items")).to_contain_text("Embargo until New Year")
    shot(page, "five-0-public")
    reader = Reader(page.context, demo)
    assert reader.open("chart").rendition == "full"
    assert_sees(reader, "chart-1")
    stage = reader.open("deepfield")
    assert (stage.state, stage.rendition) == ("shown", "substitute")
    expect(reader.prompt).to_contain_text("You see a preview")


# -- 0:40 -------------------------------------------------------------------------------------------------------


def test_one_login_opens_every_viewer_of_this_browser(reader: Reader, demo: Demo):
    other = Reader(reader.context, demo)
    assert reader.open("deepfield").rendition == "substitute"
    assert reader.log_in("reader").rendition == "full"
    assert_sees(reader, "deepfield-1")
    other.open("herbal")
    assert asked_for(other, "herbal") == 200


# -- 1:20 and 1:50 ----------------------------------------------------------------------------------------------


def test_a_code_from_the_page_that_says_why_not_is_all_that_the_desk_needs(
    new_context: Contexts, demo: Demo, staff: Staff
):
    reader = new_context().new_page()
    code = why_not(reader, demo, "register", "Opening 4")
    expect(reader.locator("main")).to_contain_text("from 1 January 2049")
    shot(reader, "five-1-why-not")
    desk = staff("desk", "")
    desk.get_by_label("Why can somebody see it, or not?").fill(code.lower())
    desk.get_by_role("button", name="Look it up").click()
    expect(desk.get_by_role("heading", name="Refused")).to_be_visible()
    assert code in desk.locator("#iiif-auth-text").input_value()
    shot(desk, "five-2-refused")
    verdicts = desk.locator("td.is-no")
    expect(verdicts.first).to_be_visible()
    assert verdicts.count() >= 3, desk.locator("#iiif-auth-text").input_value()
    expect(desk.get_by_role("heading", name="Any one of these would be enough")).to_be_visible()
    sit_in(desk, "Merehaven reading room")
    ask(desk)
    expect(desk.get_by_role("heading", name="Refused")).to_be_visible()
    desk.get_by_label("Time", exact=True).fill("2049-01-02T10:00")
    ask(desk)
    expect(desk.get_by_role("heading", name="Allowed")).to_be_visible()
    shot(desk, "five-2-allowed")
    sit_in(desk, "Nowhere in particular")
    ask(desk)
    expect(desk.get_by_role("heading", name="Refused")).to_be_visible()


def ask(page: Page) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name="Ask", exact=True).click()


def sit_in(page: Page, place: str) -> None:
    page.get_by_label("Address", exact=True).fill("")
    page.get_by_label("Place", exact=True).select_option(label=place)


# -- 2:40 -------------------------------------------------------------------------------------------------------


def test_access_till_tonight_opens_in_the_readers_own_window(reader: Reader, demo: Demo, staff: Staff):
    reader.open("herbal")
    assert reader.log_in("researcher").rendition == "full"
    reader.open("register")
    assert look_at(reader, 4).rendition == "substitute"
    address = demo.url("/iiif/image/3/register-4/full/300,/0/default.jpg")
    assert reader.as_picture(address).status == 401
    desk = staff("desk", "grant/give/")
    desk.get_by_label("Person", exact=True).fill("researcher")
    desk.get_by_label("Items", exact=True).fill("/iiif/image/3/register-3\n/iiif/image/3/register-4")
    desk.get_by_label("end of today").check()
    desk.get_by_label("Reason", exact=True).fill("Reads them at the desk this afternoon.")
    shot(desk, "five-3-give")
    desk.get_by_role("button", name="Give access").click()
    expect(desk.get_by_role("status")).to_contain_text("researcher may see this")
    expect(desk.locator("td.is-yes")).to_have_count(2)
    shot(desk, "five-3-given")
    assert reader.as_picture(address).status == 200
    assert look_at(reader, 3).rendition == "full"
    assert look_at(reader, 4).rendition == "full"
    assert_sees(reader, "register-4")
    desk.goto(demo.url("/admin/iiif_auth/embargo/agenda/"))
    expect(main(desk).get_by_role("row").filter(has_text="register, opening 4 for researcher")).to_contain_text(
        "End of "
    )
    shot(desk, "five-3-agenda")


def look_at(reader: Reader, piece: int) -> Stage:
    reader.forget_tiles()
    return reader.open_part(piece)


# -- 3:20 -------------------------------------------------------------------------------------------------------


def test_ten_thousand_are_changed_and_put_back(demo: Demo, staff: Staff):
    page = staff("rights", "resource/")
    page.locator("#changelist-filter a", has_text="Stress set").click()
    expect(page.locator("#changelist .paginator")).to_contain_text(f"{ROWS} resources")
    page.locator("#action-toggle").check()
    page.locator(".actions .question a").click()
    page.locator('select[name="action"]').select_option(label="Set policy…")
    page.locator('.actions button[name="index"]').click()
    page.get_by_label("Policy:").select_option(label="Merehaven: readers")
    page.get_by_label("Reason:").fill("A test of ten thousand.")
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_role("status")).to_contain_text("8000 will be changed")
    public = page.locator("tr", has=page.get_by_role("rowheader", name="The public", exact=True))
    opens, closes = (number(cell) for cell in public.locator("td").all()[:2])
    assert (opens, closes) == (0, 7000)  # five thousand that were open, two thousand with a preview
    shot(page, "five-4-gains")
    page.get_by_role("button", name="Set policy (").click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    shot(page, "five-4-done")
    put_back(page, "It was a test.")
    shot(page, "five-4-undone")
    page.goto(demo.url("/admin/iiif_auth/resource/?q=stress"))
    page.locator("#changelist-filter a", has_text="Merehaven: staff only").first.click()
    expect(page.locator("#changelist .paginator")).to_contain_text(f"{ROWS // 10} ")


def put_back(page: Page, reason: str) -> None:
    page.get_by_role("link", name="Undo…").click()
    page.get_by_label("Reason:").fill(reason)
    page.get_by_role("button", name="Put back").click()
    expect(page.get_by_role("status")).to_contain_text("Done")


def number(cell: Locator) -> int:
    return int(re.sub(r"[^0-9]", "", cell.inner_text()))


# -- 4:00 -------------------------------------------------------------------------------------------------------


def test_a_spreadsheet_shows_what_it_changes_before_it_does(demo: Demo, staff: Staff):
    page = staff("rights", "resource/tables/")
    page.get_by_label("Spreadsheet").set_input_files(ROOT / "fixtures" / "demo_rights.csv")
    page.get_by_role("button", name="Send and look at it").click()
    expect(main(page)).to_contain_text("Walk-in?")
    shot(page, "five-5-columns")
    page.get_by_role("button", name="Look at what would change").click()
    expect(page.get_by_role("status")).to_contain_text("Nothing is changed yet.")
    shown = page.locator("table.iiif-auth-rows tbody tr")
    expect(shown).to_have_count(5)
    shot(page, "five-5-changes")
    page.get_by_role("link", name="Only errors (3)").click()
    expect(shown).to_have_count(3)
    shot(page, "five-5-errors")
    page.get_by_role("link", name="Everything (40)").click()
    expect(shown).to_have_count(40)
    page.get_by_label("Reason").fill("The yearly table of rights.")
    page.get_by_role("button", name="Apply 5 changes and leave out 3 rows").click()
    expect(page.get_by_role("status")).to_contain_text("Done")
    with page.expect_download() as sent:
        page.get_by_role("link", name="Receipt (CSV)").click()
    receipt = list(csv.DictReader(io.StringIO(Path(sent.value.path()).read_text("utf-8-sig"))))
    outcomes = [row["Outcome"] for row in receipt]
    assert (len(receipt), outcomes.count("changed"), outcomes.count("left out")) == (40, 5, 3)
    page.get_by_label("Reason").fill("The other stops want it as it was.")
    page.get_by_role("button", name="Put all of it back").click()
    expect(page.locator(".messagelist .success").last).to_be_visible()


# -- 4:30 -------------------------------------------------------------------------------------------------------


def test_what_is_taken_down_is_refused_at_once_and_comes_back(reader: Reader, demo: Demo, staff: Staff):
    assert reader.open("rocket").rendition == "full"
    assert asked_for(reader, "rocket") == 200
    page = staff("rights", "resource/?q=rocket")
    page.get_by_role("link", name="Withdraw…").first.click()
    page.get_by_label("Reason:").fill("Complaint about the launch site.")
    page.get_by_label("Reference:").fill("T-2026-099")
    page.get_by_label("To be reviewed on:").fill(in_two_months())
    shot(page, "five-6-withdraw")
    page.get_by_role("button", name="Withdraw now").click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    shot(page, "five-6-withdrawn")
    assert asked_for(reader, "rocket") == 403
    reader.open("chart")
    stage = reader.open("rocket")
    assert (stage.state, stage.shown) == ("denied", "")
    expect(reader.prompt).to_contain_text("taken down")
    page.get_by_role("link", name="History").last.click()
    expect(main(page)).to_contain_text("Complaint about the launch site.")
    expect(main(page)).to_contain_text("rights")
    shot(page, "five-6-history")
    page.go_back()
    page.get_by_role("link", name="Restore…").click()
    page.get_by_label("Reason:").fill("The complaint was about another picture.")
    page.get_by_role("button", name="Restore", exact=True).click()
    expect(page.locator(".messagelist .success")).to_be_visible()
    assert asked_for(reader, "rocket") == 200


def in_two_months() -> str:
    return (datetime.now(UTC) + timedelta(days=60)).date().isoformat()


# -- 4:50 -------------------------------------------------------------------------------------------------------


def test_the_report_tells_of_the_change_of_the_vpn(demo: Demo, staff: Staff):
    page = staff("rights", "dailycount/reports/")
    expect(page.get_by_role("img", name="Turned away, by reason")).to_be_visible()
    page.locator("#reasons summary").click()
    shot(page, "five-7-report")
    table = page.locator("#reasons table")
    column = table.locator("thead th").all_inner_texts().index("IN THE WRONG PLACE") - 1
    refused = [number(row.locator("td").nth(column)) for row in table.locator("tbody tr").all()]
    spike, days = refused[-17:-9], refused[:-17] + refused[-9:-1]
    assert len(refused) == 30
    assert sum(spike) / len(spike) > 4 * sum(days) / len(days)
    page.goto(demo.url("/admin/iiif_auth/change/?q=VPN"))
    expect(page.locator("#result_list")).to_contain_text("Merehaven VPN pool")


def test_the_first_page_of_the_staff_says_what_matters_today(demo: Demo, staff: Staff):
    page = staff("admin", "")
    today = page.get_by_role("region", name="Today")
    expect(today).to_contain_text("1 request waits for an answer.")
    expect(today).to_contain_text(re.compile(r"\d grants? ends? today\."))
    shot(page, "five-8-today")
    today.get_by_role("link", name="The site itself is in order.").click()
    expect(main(page)).to_contain_text("Everything that can be seen from here is in order")
    help_desk = staff("desk", "")
    expect(help_desk.get_by_role("region", name="Today")).not_to_contain_text("request waits")

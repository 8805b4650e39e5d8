"""A reading-room machine without a fixed address: enrolled by a code, served without a login, and revoked in the middle."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.demo import Demo
from tests.browser.reader import Reader
from tests.browser.test_flow import asked_for, assert_sees
from tests.browser.test_refusals import sign_in_admin

pytestmark = pytest.mark.browser
NAME = "Desk by the window"
LIST = "/admin/iiif_auth/device/"


@pytest.fixture
def desk(new_context: Contexts, demo: Demo) -> Iterator[Page]:
    """Somebody of the staff, with a browser of their own; the demo is left without machines."""
    page = new_context().new_page()
    page.goto(demo.url(f"/admin/login/?next={LIST}add/"))
    sign_in_admin(page)
    page.wait_for_url(f"**{LIST}add/")
    yield page
    page.goto(demo.url(LIST))
    while page.locator("#result_list tbody th a").count():
        page.locator("#result_list tbody th a").first.click()
        page.locator(".deletelink").click()
        page.locator('#content [type="submit"]').click()
        page.wait_for_url(f"**{LIST}")


def code_for_a_machine(desk: Page) -> str:
    desk.fill("#id_name", NAME)
    desk.select_option("#id_network", label="Merehaven reading room")
    desk.locator('[name="_save"]').click()
    return desk.locator("#enrolment-code").inner_text()


def test_an_enrolled_machine_is_in_the_reading_room_until_the_staff_revoke_it(reader: Reader, demo: Demo, desk: Page):
    outside = reader.open("register")
    assert (outside.status, outside.rendition) == ("401", "substitute")

    page = reader.context.new_page()
    page.goto(demo.url("/iiif-auth/enrol"))
    page.get_by_label("Code").fill("2222-2222")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not good")
    page.get_by_label("Code").fill(code_for_a_machine(desk).lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("This machine is enrolled")
    expect(page.get_by_role("status")).to_contain_text("reading room")

    reader.forget_tiles()
    inside = reader.reload()
    assert (inside.state, inside.status, inside.rendition) == ("shown", "200", "full")
    assert_sees(reader, "register-1")
    assert reader.events("window-opened", "window-blocked") == []
    assert asked_for(reader, "register") == 200

    desk.goto(demo.url(LIST))
    expect(desk.locator("#result_list")).to_contain_text("Enrolled")
    desk.get_by_role("link", name=NAME).click()
    desk.get_by_role("link", name="Revoke").click()
    desk.get_by_label("Reason").fill("Taken away")
    desk.get_by_role("button", name="Revoke").click()
    expect(desk.locator("#result_list")).to_contain_text("Revoked")

    assert asked_for(reader, "register") == 401
    again = reader.open("register")
    assert (again.status, again.rendition) == ("401", "substitute")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enrol this machine")

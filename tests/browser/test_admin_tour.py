"""The tour of the README: restrict a picture in the admin, and see the viewer ask for a login."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Contexts
from tests.browser.demo import Demo
from tests.browser.reader import Reader
from tests.browser.test_flow import asked_for, assert_sees
from tests.browser.test_refusals import sign_in_admin

pytestmark = pytest.mark.browser


def choose_policy(admin: Page, demo: Demo, policy: str) -> None:
    """On the collection's own form, as a person would."""
    admin.goto(demo.url("/admin/iiif_auth/collection/?q=merehaven-modern"))
    admin.locator("#result_list tbody tr").first.locator("th a").click()
    field = admin.locator("#id_policy")
    if field.evaluate("(element) => element.classList.contains('admin-autocomplete')"):
        admin.locator("#id_policy + .select2 .select2-selection").click()
        admin.locator(".select2-search__field").last.fill(policy)
        admin.get_by_role("option", name=policy, exact=True).click()
    else:
        field.select_option(label=policy)
    admin.locator('[name="_save"]').click()
    expect(admin.locator(".messagelist .success")).to_be_visible()


def test_restricting_a_collection_makes_the_viewer_ask_for_a_login(reader: Reader, demo: Demo, new_context: Contexts):
    assert reader.open("rocket").rendition == "full"
    admin = new_context().new_page()
    admin.goto(demo.url("/admin/login/?next=/admin/"))
    sign_in_admin(admin)
    choose_policy(admin, demo, "Merehaven: readers")
    try:
        assert asked_for(reader, "rocket") == 401
        reader.page.goto("about:blank")
        reader.page.goto(reader.viewer)
        reader.forget_tiles()
        stage = reader.open("rocket")
        assert (stage.state, stage.status, stage.shown) == ("denied", "401", "")
        assert reader.log_in("reader").rendition == "full"
        assert_sees(reader, "rocket-1")
    finally:
        choose_policy(admin, demo, "Merehaven: open")
    assert asked_for(reader, "rocket") == 200


def test_why_tells_a_reader_apart_from_staff(demo: Demo, new_context: Contexts):
    page = new_context().new_page()
    page.goto(
        demo.url("/admin/login/?next=/admin/iiif_auth/resource/why/?resource=/iiif/image/3/minutes-1%26person=reader")
    )
    sign_in_admin(page)
    main = page.locator("#content")
    expect(main).to_contain_text("Refused")
    expect(main).to_contain_text("Merehaven staff")
    page.get_by_label("Person").fill("curator")
    page.get_by_role("button", name="Ask").click()
    expect(main).to_contain_text("Allowed")

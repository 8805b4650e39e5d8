"""react-iiif-vault goes through Authorization Flow 2.0 by itself, with nothing from us but two buttons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import words
from tests.viewers import looking
from tests.viewers.vault import Vault

Open = Callable[[str], Vault]
cell = partial(pytest.mark.cell, "react-iiif-vault", flavour="2")
LOGIN, CAMPUS = "merehaven-login", "merehaven-campus"


def assert_asks(viewer: Vault, policy: str, why: str) -> None:
    """The refusal is on the stage in the words of the library's staff."""
    heading, note = words.refusal(policy, why)
    expect(viewer.page.get_by_text(heading, exact=True)).to_be_visible()
    expect(viewer.page.get_by_text(note)).to_be_visible()


def assert_token_came(viewer: Vault, service: str) -> None:
    """A hidden frame of the viewer asked once, named the viewer's own origin, and the probe was asked with what came."""
    (token,) = viewer.asked(f"/iiif-auth/2/token/{service}")
    assert (token.status, token.into, token.tells("origin")) == (200, "iframe", viewer.site)
    assert [(probe.status, probe.bearer) for probe in viewer.asked("/iiif-auth/2/probe/")] == [
        (200, False),
        (200, True),
    ]


@cell("Open (chart)")
def test_an_open_item_is_shown_and_no_service_is_offered(vault: Open):
    viewer = vault("2")
    viewer.show("chart")
    viewer.assert_shows()
    expect(viewer.page.locator(".service")).to_have_count(0)
    assert viewer.asked("/iiif-auth/") == []


@cell("Log in (herbal)")
def test_a_reader_logs_in_and_the_picture_comes_by_itself(vault: Open):
    viewer = vault("2")
    viewer.show("herbal")
    assert_asks(viewer, "merehaven-readers", "not-signed-in")
    viewer.assert_shows_nothing()

    mark = viewer.house.mark()
    viewer.log_in("reader", LOGIN)
    assert_token_came(viewer, LOGIN)
    viewer.assert_shows(since=mark)


WRONG_ACCOUNT = "Log in with the wrong account (minutes)"
NO_WORDS = (
    "It calls every status of a probe but 200, 3xx and 401 an “Unknown error”, and drops the words that came with it."
)


def refused_after_all(viewer: Vault) -> dict[str, Any]:
    """A reader logs in where only staff may read; what the probe says to that."""
    viewer.show("minutes")
    assert_asks(viewer, "merehaven-staff", "not-signed-in")
    viewer.log_in("reader", LOGIN)
    assert_token_came(viewer, LOGIN)
    probed: dict[str, Any] = [answer for answer in viewer.came if "/probe/" in answer.url][-1].json()
    return probed


@cell(WRONG_ACCOUNT)
def test_an_account_that_does_not_help_is_given_a_token_and_no_picture(vault: Open):
    viewer = vault("2")
    assert refused_after_all(viewer)["status"] == 403
    viewer.assert_shows_nothing()


@cell(WRONG_ACCOUNT, flaw=NO_WORDS)
def test_whoever_logged_in_in_vain_is_not_told_why(vault: Open):
    viewer = vault("2")
    probed = refused_after_all(viewer)
    heading, note = words.refusal("merehaven-staff", "not-entitled")
    assert probed["heading"]["en"] == [heading]
    assert probed["note"]["en"][0].startswith(note)  # and after it how to ask for access
    expect(viewer.page.get_by_text("Unknown error", exact=True)).to_be_visible()
    expect(viewer.page.get_by_text(note)).to_have_count(0)


@cell("Click-through (retina, fleet)")
@pytest.mark.parametrize(("slug", "service"), [("retina", "merehaven-advisory"), ("fleet", "merehaven-terms")])
def test_a_click_opens_what_needs_a_click(vault: Open, slug: str, service: str):
    viewer = vault("2")
    viewer.show(slug)
    viewer.assert_shows_nothing()
    mark = viewer.house.mark()
    viewer.accept(service)
    assert_token_came(viewer, service)
    viewer.assert_shows(since=mark)
    assert viewer.asked("/accounts/") == []


@cell("External, by address (coins)")
def test_on_the_campus_network_the_coins_open_without_a_click(vault: Open, sit: Callable[[str], None]):
    sit("campus")
    viewer = vault("2")
    viewer.show("coins")
    viewer.assert_shows()
    assert_token_came(viewer, CAMPUS)
    assert viewer.asked("/access/") == []


@cell("Log in, offered beside external (coins)", flaw="It shows a probe the token of its first access service only.")
def test_a_login_beside_an_address_helps_nobody_away_from_the_address(vault: Open):
    viewer = vault("2")
    viewer.show("coins")
    assert [one.status for one in viewer.asked(f"/token/{CAMPUS}")] == [200]
    expect(viewer.service(CAMPUS)).to_have_attribute("data-state", "out")
    viewer.log_in("reader", LOGIN)
    assert [one.status for one in viewer.asked(f"/token/{LOGIN}")] == [200]
    assert [probe.bearer for probe in viewer.asked("/probe/")] == [False]
    # The cookie would do: a thumbnail that it asks for in passing may be given out, but it is not what is drawn.
    assert viewer.likeness() < looking.ALIKE


@cell("Tiers (deepfield)")
def test_after_a_login_the_whole_picture_is_shown(vault: Open):
    viewer = vault("2")
    viewer.show("deepfield")
    mark = viewer.house.mark()
    viewer.log_in("reader", LOGIN)
    assert_token_came(viewer, LOGIN)
    viewer.assert_shows(since=mark)


@cell("Tiers (deepfield)", flaw="Its `Auth` component does not show a probe's `substitute`.")
def test_before_the_login_the_preview_is_not_shown(vault: Open):
    viewer = vault("2")
    viewer.show("deepfield")
    assert [(probe.status, probe.bearer) for probe in viewer.asked("/probe/")] == [(200, False)]
    assert_asks(viewer, "merehaven-preview", "not-signed-in")
    assert viewer.pixels("deepfield-1~preview") == []
    viewer.assert_shows_nothing()


@cell("Log out (herbal)")
def test_after_logging_out_the_viewer_is_refused_what_it_asks_for(vault: Open):
    viewer = vault("2")
    viewer.show("herbal")
    viewer.log_in("reader", LOGIN)
    viewer.log_out()
    expect(viewer.service(LOGIN)).to_have_attribute("data-state", "out")
    mark = viewer.house.mark()
    viewer.show("herbal")
    assert_asks(viewer, "merehaven-readers", "not-signed-in")
    viewer.assert_shows_nothing(since=mark)


@cell("Log out (herbal)", flaw="It does not probe again after a logout; what is drawn stays until a reload.")
def test_after_logging_out_the_picture_stays_where_it_is(vault: Open):
    viewer = vault("2")
    viewer.show("herbal")
    viewer.log_in("reader", LOGIN)
    viewer.assert_shows()
    mark = viewer.house.mark()
    viewer.log_out()
    assert viewer.asked("/probe/", "/image/", since=mark) == []
    viewer.assert_shows()

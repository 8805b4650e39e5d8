"""Mirador 4, as npm gives it, opens every kind of item that Auth 1.0 and 0.9.4 know, from another site than the library's.

What it does not do is its own fault, and is written down as such: a test marked with a flaw says how Mirador falls short, and
fails on the day on which a new version does better.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.viewers import looking
from tests.viewers.mirador import Knowledge, Mirador

Open = Callable[[str], Mirador]
Sit = Callable[[str], None]
VIEWER = "Mirador"
LOGIN, TERMS, ADVISORY, CAMPUS = "merehaven-login", "merehaven-terms", "merehaven-advisory", "merehaven-campus"

both = pytest.mark.parametrize("flavour", ["1", "0"])
SPACES = {"1": "1", "0": "0", "mixed": "1"}
KEEPS_REFUSED = (
    "After a login it does not ask again for tiles that were refused; the picture comes when the view is changed (another page, "
    "the gallery and back). Its stage is not made anew for a new info.json."
)
KEEPS_PREVIEW = (
    "After a login it holds the whole picture's description, but shows the preview until the view is changed, for the same "
    "reason."
)
KEEPS_PICTURE = "After a logout what is drawn stays until the view is changed; nothing new is given out."
NO_FRAME = (
    "It never opens the frame of an external token service: what it notes of the attempt lacks the window that would show it. "
    "The library does without, since info.json is asked for from the same address."
)

NOT_SPOKEN = (
    "It speaks no Authorization Flow 2.0: nothing is offered, and the picture stays away. Nothing else goes wrong, and what is "
    "open is shown. Give it the mixed manifest."
)


def statuses(viewer: Mirador, since: int = 0) -> list[tuple[int, bool]]:
    """What the item's info.json answered, and whether a token came with the question."""
    return [(info.status, info.bearer) for info in viewer.infos(since=since)]


def assert_token_came(viewer: Mirador, service: str, since: int) -> None:
    """A hidden frame asked once, with the access cookie; Mirador gives the service's own URL for a message id."""
    path = f"/iiif-auth/{SPACES[viewer.flavour]}/token/{service}"
    (asked,) = viewer.asked("/token/", since=since)
    assert (asked.path, asked.status, asked.into, asked.tells("origin")) == (path, 200, "iframe", viewer.site)
    assert asked.tells("messageId") == viewer.house.demo.url(path)
    assert any("iiif_access" in name for name in asked.cookies)


def assert_let_in(viewer: Mirador, service: str, since: int) -> None:
    """The token came, Mirador showed it to info.json, and Mirador took the answer for the whole picture."""
    viewer.until_it_knows(viewer.identifier, degraded=False)
    assert_token_came(viewer, service, since)
    assert statuses(viewer, since)[-1] == (200, True)


@pytest.mark.parametrize("flavour", ["1", "0", "2"])
@pytest.mark.cell(VIEWER, "Open (chart)")
def test_an_open_item_is_shown_and_nobody_is_asked_anything(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("chart")
    viewer.assert_shows()
    assert statuses(viewer) == [(200, False)]
    expect(viewer.bars()).to_have_count(0)
    assert viewer.asked("/iiif-auth/") == []


@both
@pytest.mark.cell(VIEWER, "Log in (herbal)")
@pytest.mark.requirement("A1-INFO-01")
@pytest.mark.requirement("A1-INFO-06")
@pytest.mark.requirement("A1-TOK-03")
@pytest.mark.requirement("A094-ALL-01")
@pytest.mark.requirement("A094-DIFF-01")
def test_a_reader_logs_in_and_sees_every_page(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("herbal")
    assert statuses(viewer) == [(401, False)]
    viewer.assert_asks(LOGIN)
    viewer.assert_shows_nothing()

    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    assert_let_in(viewer, LOGIN, mark)
    viewer.look_again()
    viewer.assert_shows(since=mark)
    viewer.turn("Next item")
    viewer.assert_shows("herbal-2", since=mark)
    assert [(info.status, info.bearer) for info in viewer.infos(page=2)] == [(200, True)]


@pytest.mark.parametrize("flavour", ["1", "0", "mixed"])
@pytest.mark.cell(VIEWER, "Log in (herbal)", flaw=KEEPS_REFUSED)
def test_after_a_login_the_refused_tiles_are_not_asked_for_again(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("herbal")
    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    assert_let_in(viewer, LOGIN, mark)
    viewer.assert_shows_nothing(since=mark)
    refused = {one.path for one in viewer.pixels()}  # some were asked for when the bar unfolded and moved the picture
    inside = viewer.house.mark()
    came = viewer.until(lambda: viewer.zoom_in() or viewer.pixels(since=inside), "other tiles are asked for")
    assert {one.status for one in came} == {200}
    assert {one.path for one in came}.isdisjoint(refused)


@pytest.mark.cell(VIEWER, "Log in (herbal)", flavour="2", flaw=NOT_SPOKEN)
def test_with_a_manifest_of_2_0_0_alone_nobody_is_asked_to_log_in(mirador: Open):
    viewer = mirador("2")
    viewer.show("herbal")
    assert statuses(viewer) == [(200, False)]
    assert {one.status for one in viewer.pixels()} == {401}
    viewer.assert_shows_nothing()
    expect(viewer.bars()).to_have_count(0)
    assert viewer.asked("/iiif-auth/") == []
    viewer.turn("Next item")
    assert [info.status for info in viewer.infos(page=2)] == [200]


@both
@pytest.mark.cell(VIEWER, "Log in with the wrong account (minutes)")
def test_an_account_that_does_not_help_is_given_a_token_and_no_picture(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("minutes")
    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    assert_token_came(viewer, LOGIN, mark)
    assert statuses(viewer, mark) == [(401, False), (401, True)]
    viewer.look_again()
    viewer.assert_shows_nothing()


@both
@pytest.mark.cell(VIEWER, "Click-through that closes itself (retina)")
@pytest.mark.requirement("A1-ACC-04")
def test_a_click_through_asks_nothing_more_than_the_click_in_the_viewer(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("retina")
    viewer.assert_asks(ADVISORY)
    viewer.assert_shows_nothing()
    mark = viewer.house.mark()
    viewer.pass_through(ADVISORY)
    assert [(one.method, one.status) for one in viewer.asked("/access/", since=mark)] == [("GET", 200)]
    assert_let_in(viewer, ADVISORY, mark)
    viewer.look_again()
    viewer.assert_shows(since=mark)


@both
@pytest.mark.cell(VIEWER, "Click-through with a page to read (fleet)")
def test_terms_are_shown_on_a_page_of_the_library_and_accepted_there(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("fleet")
    viewer.assert_asks(TERMS)
    viewer.assert_shows_nothing()
    mark = viewer.house.mark()
    viewer.accept(TERMS)
    assert [(one.method, one.status) for one in viewer.asked("/access/", since=mark)] == [("GET", 200), ("POST", 200)]
    assert_let_in(viewer, TERMS, mark)
    viewer.look_again()
    viewer.assert_shows(since=mark)


@both
@pytest.mark.cell(VIEWER, "External, by address (coins, register)")
@pytest.mark.parametrize(("slug", "place"), [("coins", "campus"), ("register", "reading-room")])
def test_at_the_right_address_the_item_is_simply_open(mirador: Open, sit: Sit, flavour: str, slug: str, place: str):
    sit(place)
    viewer = mirador(flavour)
    viewer.show(slug)
    assert statuses(viewer) == [(200, False)]
    viewer.assert_shows()
    expect(viewer.bars()).to_have_count(0)
    assert viewer.asked("/iiif-auth/") == []


@both
@pytest.mark.cell(VIEWER, "External, by address (coins, register)", flaw=NO_FRAME)
def test_away_from_the_address_the_external_token_service_is_never_asked(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("coins")
    assert statuses(viewer) == [(401, False)]
    assert viewer.asked("/token/") == []
    viewer.assert_shows_nothing()


@both
@pytest.mark.cell(VIEWER, "Log in, offered beside external (coins)")
def test_away_from_the_address_a_login_beside_external_is_offered_and_helps(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("coins")
    viewer.assert_asks(LOGIN)
    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    assert_let_in(viewer, LOGIN, mark)
    viewer.look_again()
    viewer.assert_shows(since=mark)


@both
@pytest.mark.cell(VIEWER, "Substitute away from the address (register)")
@pytest.mark.requirement("A1-INFO-02")
def test_away_from_the_address_the_covered_pages_are_shown(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("register")
    assert statuses(viewer) == [(302, False)]
    viewer.until_it_knows("register-1-redacted", degraded=True)
    viewer.assert_shows("register-1-redacted")
    assert viewer.pixels() == []


@both
@pytest.mark.cell(VIEWER, "Tiers (deepfield)")
@pytest.mark.requirement("A1-INFO-02")
@pytest.mark.requirement("A1-INFO-07")
def test_the_preview_is_shown_and_a_login_leads_to_the_whole_picture(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("deepfield")
    (refused,) = viewer.infos()
    preview = viewer.house.image(flavour, "deepfield") + "~preview"
    assert (refused.status, refused.location) == (302, viewer.house.demo.url(f"{preview}/info.json"))
    assert viewer.knows() == Knowledge("deepfield-1~preview", degraded=True)
    viewer.assert_shows("deepfield-1~preview")
    assert viewer.pixels() == []

    viewer.assert_asks(LOGIN)
    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    assert_let_in(viewer, LOGIN, mark)
    viewer.look_again()
    viewer.assert_shows(since=mark)


@both
@pytest.mark.cell(VIEWER, "Tiers (deepfield)", flaw=KEEPS_PREVIEW)
def test_after_the_login_the_preview_stays_until_the_view_is_changed(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("deepfield")
    mark = viewer.house.mark()
    viewer.log_in(LOGIN, "reader")
    assert_let_in(viewer, LOGIN, mark)
    viewer.zoom_in()
    viewer.zoom_in()
    assert viewer.pixels(since=mark) == []


@both
@pytest.mark.cell(VIEWER, "Log out (herbal)")
@pytest.mark.requirement("A1-OUT-02")
def test_after_logging_out_nothing_more_is_given_out(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("herbal")
    viewer.log_in(LOGIN, "reader")
    viewer.look_again()
    viewer.assert_shows()

    mark = viewer.house.mark()
    viewer.log_out(LOGIN)
    assert statuses(viewer, mark) == [(401, False)]
    viewer.assert_asks(LOGIN)
    viewer.turn("Next item")
    assert [(info.status, info.bearer) for info in viewer.infos(page=2, since=mark)] == [(401, False)]
    viewer.assert_shows_nothing("herbal-2", since=mark)
    viewer.turn("Previous item")
    assert [one for one in viewer.pixels(since=mark) if one.status == 200] == []


@both
@pytest.mark.cell(VIEWER, "Log out (herbal)", flaw=KEEPS_PICTURE)
def test_after_logging_out_the_picture_stays_where_it_is(mirador: Open, flavour: str):
    viewer = mirador(flavour)
    viewer.show("herbal")
    viewer.log_in(LOGIN, "reader")
    viewer.look_again()
    mark = viewer.house.mark()
    viewer.log_out(LOGIN)
    viewer.until_it_knows("herbal-1", degraded=True)
    assert viewer.likeness() > looking.ALIKE
    assert [one for one in viewer.pixels(since=mark) if one.status == 200] == []

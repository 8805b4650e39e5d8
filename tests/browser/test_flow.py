"""Every item of the demo, walked from the viewer: what is seen before, the way in, what is seen then, and the way out.

Each “yes” is proved by pixels that match the file, each “no” by the library's refusal of the very same pixels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from project.items import BY_SLUG, ITEMS
from tests.browser import pixels, words
from tests.browser.conftest import ALLOW_POPUPS, Contexts
from tests.browser.demo import Demo
from tests.browser.reader import Reader, Stage, closing, confirm, sign_in

Sit = Callable[[str], None]


def path_of(slug: str) -> str:
    return BY_SLUG[slug].pieces[0].path


def identifier_of(slug: str) -> str:
    return path_of(slug).rpartition("/")[2]


def whole(slug: str) -> str:
    """Something of an item that only those may have who may have all of it."""
    path = path_of(slug)
    return f"{path}/full/300,/0/default.jpg" if path.startswith("/iiif/") else path


def asked_for(reader: Reader, slug: str) -> int:
    """What an ``<img>`` in the viewer's page is answered."""
    return reader.as_picture(reader.demo.url(whole(slug))).status


def assert_sees(reader: Reader, identifier: str) -> None:
    """Pixels came, they are the right ones, and they are on the screen."""
    tiles = reader.tiles(identifier)
    assert tiles
    assert [tile.status for tile in tiles] == [200] * len(tiles)
    assert all(pixels.is_right(tile, reader.demo.data) for tile in tiles[:4])
    assert pixels.spread(reader.picture()) > 5


def assert_sees_nothing(reader: Reader, slug: str) -> None:
    """No pixel came, and there is nothing on the stage that could show one."""
    assert [tile for tile in reader.tiles(identifier_of(slug)) if tile.ok] == []
    expect(reader.page.locator("#media")).to_be_hidden()
    expect(reader.page.locator("#media canvas, #media video, #media audio, #media a, #media img")).to_have_count(0)


def assert_asks(reader: Reader, heading: str, note: str) -> None:
    """The prompt gives the library's reason in the library's words; where one may ask for access, it says how after them."""
    expect(reader.page.locator("#prompt-heading")).to_have_text(heading)
    if note:
        expect(reader.page.locator("#prompt-note")).to_have_text(re.compile(f"^{re.escape(note)}($| Why not, and how)"))


def assert_offers(reader: Reader, service: str) -> None:
    """The prompt offers a way in, in the words of its access service."""
    texts, card = words.service(service), reader.way(service)
    expect(card.locator("h4")).to_have_text(texts["heading"])
    expect(card.locator(".eyebrow")).to_have_text(texts["label"])
    expect(card).to_contain_text(" ".join(texts["note"].split()))
    expect(card.locator("button.enter")).to_have_text(texts["confirm_label"])


def assert_token_came(reader: Reader, service: str, since: int = 0) -> None:
    """The token's own message, once, after the tab was closed, and with a time to live."""
    steps = ("window-opened", "window-closed", "token-request", "token-answer")
    happened = [
        event for event in reader.events(*steps, since=since) if str(event.get("id", service)).endswith(service)
    ]
    assert [event["type"] for event in happened] == list(steps)
    assert happened[-1]["answer"] == "AuthAccessToken2"
    assert 0 < happened[-1]["expiresIn"] <= 300


# -- Open ---------------------------------------------------------------------------------------------------------


OPEN = ("chart", "rocket")


@pytest.mark.parametrize("slug", OPEN)
def test_an_open_item_is_shown_and_nobody_is_asked_anything(reader: Reader, slug: str):
    stage = reader.open(slug)
    assert stage == Stage("shown", reader.demo.url(f"{path_of(slug)}/full/max/0/default.jpg"), "", "full")
    assert_sees(reader, identifier_of(slug))
    expect(reader.prompt).to_be_hidden()
    expect(reader.page.locator("#logout")).to_be_hidden()
    assert [event["type"] for event in reader.events()] == ["info", "open", "shown"]


# -- In by login or by a click --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Walk:
    """An item that a person enters through one access service. ``instead`` is the picture everybody sees meanwhile."""

    slug: str
    heading: str
    note: str
    service: str = "merehaven-login"
    username: str = ""
    instead: str = ""

    def enter(self, reader: Reader) -> Stage:
        return reader.log_in(self.username, self.service) if self.username else reader.confirm(self.service)


WALKS = (
    Walk("herbal", *words.refusal("merehaven-readers", "not-signed-in"), username="reader"),
    Walk("songs", *words.refusal("merehaven-songs", "not-signed-in"), username="elder"),
    Walk("minutes", *words.refusal("merehaven-staff", "not-signed-in"), username="curator"),
    Walk(
        "fleet",
        "Please read this first",
        "Please read and accept the terms to see this item.",
        service="merehaven-terms",
    ),
    Walk(
        "retina",
        "Please read this first",
        "Please read and accept the terms to see this item.",
        service="merehaven-advisory",
    ),
    Walk(
        "deepfield",
        *words.refusal("merehaven-preview", "not-signed-in"),
        username="reader",
        instead="deepfield-1~preview",
    ),
    Walk(
        "survey",
        *words.refusal("merehaven-survey", "not-signed-in"),
        username="researcher",
        instead="survey-1~public",
    ),
    Walk("album", *words.refusal("merehaven-named", "not-signed-in"), username="researcher"),
    Walk(
        "sealed",
        "Restricted",
        "If there is something here that you may see, please sign in.",
        username="curator",
    ),
    Walk("coins", "Restricted", "Please sign in to see this item.", username="reader"),
)
by_slug = pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.slug)


@by_slug
def test_an_item_opens_to_whom_it_is_for_and_closes_behind_them(reader: Reader, walk: Walk):
    before = reader.open(walk.slug)
    assert before.status == "401"
    assert_asks(reader, walk.heading, walk.note)
    assert_offers(reader, walk.service)
    if walk.instead:
        assert (before.state, before.rendition) == ("shown", "substitute")
        assert_sees(reader, walk.instead)
        assert [tile for tile in reader.tiles(identifier_of(walk.slug)) if tile.ok] == []
    else:
        assert (before.state, before.shown) == ("denied", "")
        assert_sees_nothing(reader, walk.slug)
    assert asked_for(reader, walk.slug) == 401

    reader.forget_tiles()
    inside = walk.enter(reader)
    assert (inside.state, inside.status, inside.rendition) == ("shown", "200", "full")
    assert_token_came(reader, walk.service)
    assert_sees(reader, identifier_of(walk.slug))
    assert asked_for(reader, walk.slug) == 200
    expect(reader.prompt).to_be_hidden()
    expect(reader.page.locator("#logout")).to_have_text(words.service(walk.service)["logout_label"])

    reader.forget_tiles()
    after = reader.log_out()
    assert (after.state, after.status, after.shown) == (before.state, "401", before.shown)
    assert [tile for tile in reader.tiles(identifier_of(walk.slug)) if tile.ok] == []
    assert asked_for(reader, walk.slug) == 401
    assert_asks(reader, walk.heading, walk.note)
    expect(reader.page.locator("#logout")).to_be_hidden()


@pytest.mark.parametrize(
    ("slug", "instead", "edge"), [("deepfield", "deepfield-1~preview", 400), ("survey", "survey-1~public", 500)]
)
def test_a_preview_is_a_smaller_file_and_not_a_smaller_view_of_the_whole_one(
    reader: Reader, slug: str, instead: str, edge: int
):
    reader.open(slug)
    assert max(pixels.size_of_file(instead, reader.demo.data)) == edge
    assert max(pixels.size_of_file(identifier_of(slug), reader.demo.data)) > 2 * edge / 1.5
    described = reader.page.evaluate(
        "(url) => fetch(url).then((r) => r.json())", reader.demo.url(f"/iiif/image/3/{instead}/info.json")
    )
    assert max(described["width"], described["height"]) == edge
    larger = reader.as_picture(
        reader.demo.url(f"/iiif/image/3/{instead}/full/^{described['width'] * 2},/0/default.jpg")
    )
    assert larger.status == 200  # blown up, it holds no more than it did


def test_a_reader_gets_the_middle_tier_of_the_survey_and_is_told_what_is_missing(reader: Reader):
    reader.open("survey")
    stage = reader.log_in("reader")
    assert (stage.state, stage.status, stage.rendition) == ("shown", "401", "substitute")
    assert_sees(reader, "survey-1~members")
    assert max(pixels.size_of_file("survey-1~members", reader.demo.data)) == 1200
    assert asked_for(reader, "survey") == 401
    assert_asks(reader, *words.refusal("merehaven-survey", "not-entitled"))
    members = reader.demo.url("/iiif/image/3/survey-1~members/full/300,/0/default.jpg")
    assert reader.as_picture(members).status == 200
    reader.log_out()
    assert reader.as_picture(members).status == 401


def test_every_part_of_an_item_opens_with_the_same_login(reader: Reader):
    reader.open("herbal")
    reader.log_in("reader")
    for number in range(1, len(BY_SLUG["herbal"].pieces) + 1):
        assert reader.open_part(number).rendition == "full"
        assert_sees(reader, f"herbal-{number}")
    assert len(reader.events("window-opened")) == 1


def test_one_login_opens_other_items_of_the_same_service_without_another_tab(reader: Reader):
    reader.open("herbal")
    reader.log_in("reader")
    assert reader.open("coins").rendition == "full"
    assert_sees(reader, "coins-1")
    assert len(reader.events("window-opened")) == 1


def test_a_reload_of_the_viewer_does_not_ask_again(reader: Reader):
    reader.open("herbal")
    reader.log_in("reader")
    assert reader.reload().rendition == "full"
    assert reader.events("window-opened") == []


def test_agreeing_to_one_text_is_not_agreeing_to_another(reader: Reader):
    reader.open("fleet")
    assert reader.confirm("merehaven-terms").rendition == "full"
    assert reader.open("retina").state == "denied"
    assert asked_for(reader, "retina") == 401
    assert asked_for(reader, "fleet") == 200


def test_a_german_reader_is_asked_in_german(new_context: Contexts, demo: Demo):
    reader = Reader(new_context(locale="de-DE"), demo)
    reader.page.locator(f'.entry[data-id="{demo.manifest("fleet")}"]').click()
    texts = words.service("merehaven-terms", "de")
    expect(reader.way("merehaven-terms").locator("h4")).to_have_text(texts["heading"])
    expect(reader.way("merehaven-terms").locator("button.enter")).to_have_text(texts["confirm_label"])
    tab = reader.press("merehaven-terms")
    expect(tab.get_by_role("heading", level=1)).to_have_text(texts["heading"])
    expect(tab.locator("#continue")).to_have_text(texts["confirm_label"])
    confirm(tab)
    expect(reader.page.locator('#stage[data-state="shown"]')).to_be_visible()


# -- In by place ----------------------------------------------------------------------------------------------------


def test_the_register_has_its_names_covered_outside_the_reading_room_and_not_inside(reader: Reader, sit: Sit):
    outside = reader.open("register")
    assert (outside.state, outside.status, outside.rendition) == ("shown", "401", "substitute")
    assert_sees(reader, "register-1-redacted")
    assert asked_for(reader, "register") == 401
    assert_asks(reader, *words.refusal("merehaven-reading-room", "wrong-place"))

    sit("reading-room")
    reader.forget_tiles()
    inside = reader.reload()
    assert (inside.state, inside.status, inside.rendition) == ("shown", "200", "full")
    assert_sees(reader, "register-1")
    assert reader.tiles("register-1-redacted") == []
    assert reader.events("window-opened", "window-blocked") == []
    expect(reader.page.locator("#logout")).to_be_hidden()

    sit("home")
    assert asked_for(reader, "register") == 401
    again = reader.open("register")
    assert (again.status, again.rendition) == ("401", "substitute")


def test_the_names_are_not_under_the_bars(demo: Demo):
    """Two different files: what is covered is not there."""
    covered, bare = (
        pixels.expected(demo.url(f"/iiif/image/3/{name}/full/600,/0/default.png"), demo.data)
        for name in ("register-1-redacted", "register-1")
    )
    assert pixels.difference(covered, bare) > 1


def test_the_coins_open_on_the_campus_network_without_a_click(reader: Reader, sit: Sit):
    sit("campus")
    stage = reader.open("coins")
    assert (stage.state, stage.rendition) == ("shown", "full")
    assert_sees(reader, "coins-1")
    assert reader.events("window-opened", "window-blocked") == []
    sit("home")
    assert asked_for(reader, "coins") == 401
    assert reader.open("coins").state == "denied"


@pytest.mark.parametrize("place", ["reading-room", "campus"])
def test_a_place_opens_its_own_items_only(reader: Reader, sit: Sit, place: str):
    sit(place)
    assert asked_for(reader, "gallery") == 401
    assert asked_for(reader, "herbal") == 401
    assert asked_for(reader, {"reading-room": "coins", "campus": "register"}[place]) == 401


def test_a_kiosk_whose_browser_blocks_windows_offers_a_button_that_works(reader: Reader, sit: Sit):
    sit("kiosk")
    stage = reader.open_unasked("gallery")
    assert (stage.state, stage.status) == ("denied", "401")
    assert [event["type"] for event in reader.events("window-opened", "window-blocked")] == ["window-blocked"]
    expect(reader.way("merehaven-kiosk").locator('[data-failure="windowBlocked"]')).to_be_visible()
    assert_asks(reader, *words.refusal("merehaven-kiosk", "not-agreed"))
    assert_sees_nothing(reader, "gallery")

    mark = reader.mark()
    with reader.context.expect_page() as opened:
        reader.way("merehaven-kiosk").locator("button.enter").click()
    if not opened.value.is_closed():
        opened.value.wait_for_event("close")  # by itself: nobody is there to click
    assert reader.settled(mark).rendition == "full"
    assert_sees(reader, "gallery-1")
    assert_token_came(reader, "merehaven-kiosk", since=mark)

    sit("home")
    assert asked_for(reader, "gallery") == 403  # the kiosk was gone through, but this is no longer one


def test_a_kiosk_that_allows_windows_opens_by_itself(new_context: Contexts, demo: Demo, sit: Sit):
    sit("kiosk")
    reader = Reader(new_context(ALLOW_POPUPS), demo)
    assert reader.open("gallery").rendition == "full"
    assert_sees(reader, "gallery-1")
    assert_token_came(reader, "merehaven-kiosk")
    reader.is_alone()


def test_the_kiosk_service_turns_other_machines_away(reader: Reader):
    assert reader.open_unasked("gallery").state == "denied"
    mark = reader.mark()
    tab = reader.press("merehaven-kiosk")
    expect(tab.get_by_role("heading", level=1)).to_have_text("This machine is not one of the library's")
    reader.keeps_waiting()
    with closing(tab):
        tab.get_by_role("button", name="Close this tab").click(no_wait_after=True)
    assert reader.settled(mark).state == "denied"
    assert [event["profile"] for event in reader.events("token-answer", since=mark)] == ["missingAspect"]
    expect(reader.way("merehaven-kiosk")).to_contain_text(words.service("merehaven-kiosk")["error_heading"])
    assert asked_for(reader, "gallery") == 401


# -- Closed ---------------------------------------------------------------------------------------------------------


CLOSED = {
    "diary": f"The author's family asked that the diary stays closed until 1 January {datetime.now(UTC).year + 1}.",
    "poster": "This poster was withdrawn after a complaint and is being reviewed.",
}


@pytest.mark.parametrize(("slug", "note"), CLOSED.items())
def test_a_closed_item_says_why_and_offers_no_login(reader: Reader, slug: str, note: str):
    stage = reader.open(slug)
    assert (stage.state, stage.status, stage.shown) == ("denied", "403", "")
    expect(reader.prompt).to_contain_text(note)
    expect(reader.prompt.locator("button")).to_have_count(0)
    assert reader.events("token-request", "window-opened", "window-blocked") == []
    assert_sees_nothing(reader, slug)
    assert asked_for(reader, slug) == 403


@pytest.mark.parametrize("slug", CLOSED)
def test_a_closed_item_is_closed_to_staff_too(reader: Reader, slug: str):
    reader.open("minutes")
    assert reader.log_in("curator").rendition == "full"
    assert reader.open(slug).status == "403"
    assert asked_for(reader, slug) == 403
    assert_sees_nothing(reader, slug)


# -- Hidden ---------------------------------------------------------------------------------------------------------


def answers_about(reader: Reader, identifier: str) -> list[object]:
    """Everything the library says of an identifier, with the identifier itself and the time of day left out."""
    tab = reader.context.new_page()
    answers: list[object] = []
    for rest in ("/full/300,/0/default.jpg", "/info.json", ""):
        answer = tab.goto(reader.demo.url(f"/iiif/image/3/{identifier}{rest}"))
        assert answer is not None
        headers = {name: value for name, value in answer.headers.items() if name != "date"}
        text = "" if answer.ok and rest.endswith("jpg") else answer.text().replace(identifier, "…")
        answers.append((answer.status, headers, text))
    tab.close()
    return answers


def test_a_sealed_letter_is_answered_for_like_one_that_does_not_exist(reader: Reader):
    assert answers_about(reader, "sealed-1") == answers_about(reader, "sealed-8")
    assert reader.as_picture(reader.demo.url(whole("sealed"))).status == 401
    reader.open("herbal")
    reader.log_in("reader")
    assert answers_about(reader, "sealed-1") == answers_about(reader, "sealed-8")
    assert reader.open("sealed").state == "denied"
    assert_sees_nothing(reader, "sealed")


def test_staff_are_told_which_letters_there_are(reader: Reader):
    reader.open("sealed")
    reader.log_in("curator")
    made_up = reader.demo.url("/iiif/image/3/sealed-8/full/300,/0/default.jpg")
    assert (asked_for(reader, "sealed"), reader.as_picture(made_up).status) == (200, 404)


# -- Film, sound, paper ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recording:
    slug: str
    element: str
    before: str
    after: str
    rendition: str
    policy: str


RECORDINGS = (
    Recording("film", "video", "/media/film-small.webm", "/media/delivered/film.webm", "location", "merehaven-film"),
    Recording("song", "audio", "/media/song-clip.webm", "/media/song.webm", "full", "merehaven-song"),
)


def playing(page: Page, element: str) -> dict[str, float]:
    """Let it play until time passes; what the player knows of it then."""
    player = page.locator(f"#media {element}")
    player.evaluate("(player) => { player.muted = true; return player.play(); }")
    page.wait_for_function("(name) => document.querySelector(`#media ${name}`).currentTime > 0.05", arg=element)
    found: dict[str, float] = player.evaluate(
        "(p) => { p.pause(); return {ready: p.readyState, width: p.videoWidth ?? 0, duration: p.duration}; }"
    )
    return found


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.slug)
def test_a_recording_plays_in_part_for_everybody_and_whole_for_readers(reader: Reader, recording: Recording):
    before = reader.open(recording.slug)
    assert before == Stage("shown", reader.demo.url(recording.before), "401", "substitute")
    assert_asks(reader, *words.refusal(recording.policy, "not-signed-in"))
    assert_offers(reader, "merehaven-login")
    some = playing(reader.page, recording.element)
    assert some["ready"] >= 1
    assert asked_for(reader, recording.slug) == 401
    assert reader.as_picture(reader.demo.url(recording.after)).status == 401

    inside = reader.log_in("reader")
    assert (inside.state, inside.shown, inside.rendition) == (
        "shown",
        reader.demo.url(recording.after),
        recording.rendition,
    )
    assert_token_came(reader, "merehaven-login")
    everything = playing(reader.page, recording.element)
    assert everything["ready"] >= 1
    assert everything["duration"] == pytest.approx(12, abs=0.5)
    assert (everything["width"], everything["duration"]) > (some["width"], some["duration"])
    delivered = [answer for answer in reader.came if answer.url == reader.demo.url(recording.after)]
    assert {answer.status for answer in delivered} == {206}

    after = reader.log_out()
    assert (after.shown.partition("?")[0], after.rendition) == (before.shown, "substitute")
    assert reader.as_picture(reader.demo.url(recording.after)).status == 401


def test_the_film_is_delivered_from_the_address_that_the_probe_names(reader: Reader):
    reader.open("film")
    reader.log_in("reader")
    answer = reader.events("probe-answer")[-1]
    assert (answer["status"], answer["verdict"]) == (302, "moved")
    assert answer["result"]["location"]["id"] == reader.demo.url("/media/delivered/film.webm")


FETCHED = """async ([url, range]) => {
    const response = await fetch(url, {headers: range ? {Range: range} : {}});
    const bytes = new Uint8Array(await response.arrayBuffer());
    return {status: response.status, length: bytes.length, start: String.fromCharCode(...bytes.slice(0, 5)),
            range: response.headers.get("Content-Range")};
}"""


def test_the_report_is_a_link_that_gives_the_pdf_to_readers_only(reader: Reader, demo: Demo):
    before = reader.open("report")
    assert (before.state, before.status) == ("denied", "401")
    assert_asks(reader, *words.refusal("merehaven-readers", "not-signed-in"))
    assert_sees_nothing(reader, "report")
    assert asked_for(reader, "report") == 401

    stage = reader.log_in("reader")
    assert (stage.state, stage.rendition) == ("shown", "full")
    expect(reader.page.locator("#open-document")).to_have_attribute("href", demo.url("/media/report.pdf"))
    own = reader.context.new_page()
    own.goto(demo.url("/items/report/"))
    whole_file = own.evaluate(FETCHED, ["/media/report.pdf", None])
    assert (whole_file["status"], whole_file["start"]) == (200, "%PDF-")
    part = own.evaluate(FETCHED, ["/media/report.pdf", "bytes=5-104"])
    assert (part["status"], part["length"]) == (206, 100)
    assert part["range"] == f"bytes 5-104/{whole_file['length']}"

    reader.log_out()
    refused = own.evaluate(FETCHED, ["/media/report.pdf", "bytes=0-99"])
    assert (refused["status"], refused["range"]) == (401, None)
    assert not refused["start"].startswith("%PDF")


def test_the_report_can_be_read_inside_the_viewer(reader: Reader, demo: Demo):
    reader.open("report")
    reader.log_in("reader")
    with reader.page.expect_response(demo.url("/media/report.pdf")) as answer:
        reader.page.locator("#preview-document").click()
    assert answer.value.status == 200
    assert answer.value.headers["content-type"] == "application/pdf"


# -- All of them ----------------------------------------------------------------------------------------------------


def test_every_item_of_the_demo_is_walked_here():
    walked = {
        *OPEN,
        *CLOSED,
        *(walk.slug for walk in WALKS),
        *(one.slug for one in RECORDINGS),
        "register",
        "gallery",
        "report",
        "reel",  # these two in test_films.py
        "stream",
    }
    assert walked == {item.slug for item in ITEMS}


def test_the_viewers_list_has_every_item(context: BrowserContext, demo: Demo):
    reader = Reader(context, demo)
    expect(reader.page.locator(".entry")).to_have_count(len(ITEMS))
    expect(reader.page.locator(".entry-label")).to_have_text([str(item.label) for item in ITEMS])


def test_whoever_is_signed_in_already_has_only_to_confirm(reader: Reader, demo: Demo):
    page = reader.context.new_page()
    page.goto(demo.url("/accounts/login/"))
    sign_in(page, "reader")
    reader.open("herbal")
    tab = reader.press("merehaven-login")
    expect(tab.get_by_text("You are signed in as reader.")).to_be_visible()
    confirm(tab)
    expect(reader.page.locator('#stage[data-rendition="full"]')).to_be_visible()

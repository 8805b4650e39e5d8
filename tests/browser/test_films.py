"""A film plays, can be jumped about in, and is cut off when the pass ends: from a plain MP4 and from HLS, in two browsers.

What is asserted is what the network answered; that the player then stands still only follows from it. The MP4 is the demo's,
twenty times over: of one that fits into what a browser fetches in advance there would be nothing left to refuse.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import av
import pytest
from playwright.sync_api import BrowserContext, Response

from project.collection.prepare import prepare
from project.items import PASSWORD
from project.viewer_site import ROOT as VIEWER
from tests.browser import firefox
from tests.browser.demo import Demo, alone, data_folder, running
from tests.browser.firefox import Answered
from tests.browser.reader import Reader

ROUNDS, SECONDS = 20, 12
SCRIPT = "vendor/hls.light.min.js"
ACCESS = "/iiif-auth/2/access/merehaven-login"
PATIENCE = 60.0


# -- The library ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Library:
    """A demo of its own, with a long film, and a hand in its database."""

    demo: Demo
    database: Path

    def end_every_pass(self) -> None:
        rows = sqlite3.connect(self.database, timeout=10)
        with rows:
            assert rows.execute("UPDATE iiif_auth_pass SET ends = '2001-01-01 00:00:00'").rowcount
        rows.close()


@pytest.fixture(scope="module")
def library(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    drawn, data = data_folder(), tmp_path_factory.mktemp("films")
    with alone(drawn):
        list(prepare(drawn, ["film.mp4"], workers=1))
    shutil.copytree(drawn / "films", data / "films")
    (data / "media").mkdir()
    lengthen(drawn / "media" / "film.mp4", data / "media" / "film.mp4")
    database = data / "films.sqlite3"
    environment = {"DEMO_DATA": str(data), "DEMO_DRAW": "0", "DATABASE_URL": f"sqlite:///{database}"}
    with running(environment, log="films") as demo:
        yield Library(demo, database)


def lengthen(film: Path, target: Path) -> None:
    """The film again and again, without encoding it again."""
    with av.open(str(film)) as source, av.open(str(target), "w", options={"movflags": "+faststart"}) as longer:
        picture = source.streams.video[0]
        new: Any = longer.add_stream_from_template(picture)
        packets = [packet for packet in source.demux(picture) if packet.dts is not None]
        for number in range(ROUNDS):
            for packet in packets:
                copy = av.Packet(bytes(packet))
                later = int(number * SECONDS / packet.time_base)
                copy.pts, copy.dts, copy.time_base = packet.pts + later, packet.dts + later, packet.time_base
                copy.is_keyframe, copy.stream = packet.is_keyframe, new
                longer.mux(copy)


# -- The browsers ---------------------------------------------------------------------------------------------------


class Tab(Protocol):
    """What both browsers can do."""

    answers: list[Answered]

    def goto(self, url: str) -> None: ...

    def run(self, function: str, *given: Any) -> Any: ...


class Chromium:
    def __init__(self, context: BrowserContext) -> None:
        self.answers: list[Answered] = []
        self._page = context.new_page()
        self._page.on("response", self._came)

    def goto(self, url: str) -> None:
        self._page.goto(url)

    def run(self, function: str, *given: Any) -> Any:
        return self._page.evaluate(f"async (given) => ({function})(...given)", list(given))

    def _came(self, answer: Response) -> None:
        self.answers.append(Answered(answer.url, answer.status, answer.headers.get("content-range", "")))


@pytest.fixture(scope="module")
def fox() -> Iterator[firefox.Firefox]:
    with firefox.running({"media.cache_readahead_limit": 15, "media.cache_resume_threshold": 10}) as started:
        yield started


@pytest.fixture(params=["chromium", "firefox"])
def tab(request: pytest.FixtureRequest) -> Tab:
    if request.param == "firefox":
        found: Tab = request.getfixturevalue("fox")
        return found
    return Chromium(request.getfixturevalue("context"))


def until(tab: Tab, function: str, *given: Any) -> Any:
    """Wait until a function in the page finds something; pages may go and come meanwhile."""
    last: object = None
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            last = tab.run(function, *given)
        except Exception as error:  # the page is just being left
            last = error
        else:
            if last:
                return last
        time.sleep(0.05)
    raise AssertionError(f"Never came true: {function}; last {last!r}; {tab.answers[-5:]}")


SIGN_IN = """([name, word]) => {
    const form = document.querySelector("input[name=login]").form;
    form.elements.login.value = name;
    form.elements.password.value = word;
    form.requestSubmit();
}"""


ARMED = "() => document.readyState === 'complete' && document.getElementById('continue')?.disabled === false"


def get_pass(tab: Tab, demo: Demo) -> None:
    """Through the library's own pages, as somebody who came without a viewer."""
    tab.goto(demo.url(ACCESS))
    if tab.run("() => Boolean(document.querySelector('input[name=login]'))"):
        tab.run(SIGN_IN, ["reader", PASSWORD])
    until(tab, ARMED)
    tab.run("() => document.getElementById('continue').click()")
    until(tab, "() => location.pathname.includes('/access/') && !document.getElementById('continue')")


# -- The player -----------------------------------------------------------------------------------------------------

MP4 = """async (url) => {
    const film = globalThis.film = document.createElement("video");
    film.muted = true;
    document.body.replaceChildren(film);
    film.src = url;
    await film.play().catch((problem) => { globalThis.refused = String(problem); });
}"""
HLS = """async (url, script, source = "") => {
    const film = globalThis.film = document.createElement("video");
    film.muted = true;
    document.body.replaceChildren(film);
    const {default: Hls} = await import(
        source ? URL.createObjectURL(new Blob([source], {type: "text/javascript"})) : script);
    const stream = new Hls({enableWorker: false, maxBufferLength: 2, maxMaxBufferLength: 2});
    stream.on(Hls.Events.ERROR, (_, {response}) => { if (response?.code === 401) globalThis.refused = "401"; });
    stream.loadSource(url);
    stream.attachMedia(film);
    film.play().catch(() => {});
}"""
ADVANCED = "(at, frames) => film.currentTime > at && film.getVideoPlaybackQuality().totalVideoFrames > frames"
FRAMES = "() => film.getVideoPlaybackQuality().totalVideoFrames"


def answered(tab: Tab, under: str, since: int = 0) -> list[Answered]:
    return [answer for answer in tab.answers[since:] if under in answer.url]


def settle(tab: Tab, under: str) -> int:
    """Pause, wait until nothing more is asked for, and say how much has been answered so far."""
    tab.run("() => film.pause()")
    before = -1
    while before != len(answered(tab, under)):
        before = len(answered(tab, under))
        tab.run("() => new Promise((done) => setTimeout(done, 500))")
    return len(tab.answers)


def jump(tab: Tab, to: float) -> None:
    frames = tab.run(FRAMES)
    tab.run("(to) => { film.currentTime = to; }", to)
    until(tab, ADVANCED, to, frames)


def play_on(tab: Tab) -> float:
    """Play as fast as can be until it stands still for good; where."""
    tab.run("() => { film.playbackRate = 8; film.play().catch(() => {}); }")
    until(tab, "() => Boolean(film.error || globalThis.refused)")
    return float(
        until(
            tab,
            """async () => {
                const at = film.currentTime;
                await new Promise((done) => setTimeout(done, 700));
                return film.currentTime === at && at;
            }""",
        )
    )


def assert_cut_off(tab: Tab, under: str, end_pass: Callable[[], object], end: float) -> None:
    """From the moment the pass ends the network says no to whatever the player asks for, and the film stops before its end."""
    mark = settle(tab, under)
    end_pass()
    stopped = play_on(tab)
    later = answered(tab, under, mark)
    assert later
    assert {answer.status for answer in later} == {401}
    assert {answer.part for answer in later} == {""}
    assert stopped < end - 1


# -- Tests ----------------------------------------------------------------------------------------------------------


def test_an_mp4_plays_can_be_jumped_about_in_and_is_cut_off(tab: Tab, library: Library):
    path = "/media/film.mp4"
    address = library.demo.url(path)
    mark = len(tab.answers)  # Firefox is one for all tests
    tab.goto(library.demo.url("/items/reel/"))
    tab.run(MP4, address)
    until(tab, "() => Boolean(globalThis.refused && film.error)")
    assert {answer.status for answer in answered(tab, path, mark)} == {401}

    get_pass(tab, library.demo)
    tab.goto(library.demo.url("/items/reel/"))
    mark = len(tab.answers)
    tab.run(MP4, address)
    until(tab, ADVANCED, 0.3, 3)
    assert tab.run("() => [film.videoWidth, Math.round(film.duration)]") == [640, ROUNDS * SECONDS]
    jump(tab, 150)
    parts = answered(tab, path, mark)
    assert {answer.status for answer in parts} == {206}
    starts = [int(answer.part.removeprefix("bytes ").partition("-")[0]) for answer in parts]
    size = (library.demo.data / "media" / "film.mp4").stat().st_size
    assert (starts[0], max(starts) > size / 2) == (0, True)

    assert_cut_off(tab, path, library.end_every_pass, ROUNDS * SECONDS)


def test_a_stream_plays_can_be_jumped_about_in_and_is_cut_off(tab: Tab, library: Library):
    folder = "/films/harbour/"
    script = ("", (VIEWER / SCRIPT).read_text(encoding="utf-8"))
    mark = len(tab.answers)
    tab.goto(library.demo.url("/items/stream/"))
    tab.run(HLS, library.demo.url(f"{folder}index.m3u8"), *script)
    until(tab, "() => globalThis.refused")
    assert {answer.status for answer in answered(tab, folder, mark)} == {401}

    get_pass(tab, library.demo)
    tab.goto(library.demo.url("/items/stream/"))
    mark = len(tab.answers)
    tab.run(HLS, library.demo.url(f"{folder}index.m3u8"), *script)
    until(tab, ADVANCED, 0.3, 3)
    jump(tab, 5.1)
    pieces = answered(tab, folder, mark)
    assert {answer.status for answer in pieces} == {200}
    names = {answer.url.rpartition("/")[2] for answer in pieces}
    assert {"index.m3u8", "film.key"} <= names
    assert any(name.endswith("p-2.ts") for name in names)
    assert not any(name.endswith("p-5.ts") for name in names)

    assert_cut_off(tab, folder, library.end_every_pass, SECONDS)


def test_an_mp4_plays_for_readers_in_the_viewer_and_stops_when_they_log_out(context: BrowserContext, library: Library):
    reader = Reader(context, library.demo)
    assert reader.open("reel").state == "denied"
    inside = reader.log_in("reader")
    assert (inside.shown, inside.rendition) == (library.demo.url("/media/film.mp4"), "full")
    player = reader.page.locator("#media video")
    player.evaluate("(film) => { film.muted = true; return film.play(); }")
    reader.page.wait_for_function("() => document.querySelector('#media video').currentTime > 0.2")
    assert reader.log_out().state == "denied"
    assert reader.as_picture(library.demo.url("/media/film.mp4")).status == 401


STATUS = "async (url) => (await fetch(url, {cache: 'no-store'})).status"


def test_a_stream_plays_elsewhere_at_a_signed_address_without_any_cookie_until_the_reader_logs_out(
    context: BrowserContext, fox: firefox.Firefox, library: Library
):
    """The viewer is on another site. Firefox has never been at the library at all: it has the address, and nothing else."""
    reader = Reader(context, library.demo)
    assert reader.open("stream").state == "denied"
    inside = reader.log_in("reader")
    assert (inside.state, inside.rendition) == ("shown", "location")
    folder, _, entry = inside.shown.rpartition("/")
    assert (folder.startswith(library.demo.url("/iiif-auth/signed/")), entry) == (True, "index.m3u8")
    player = reader.page.locator("#media video")
    player.evaluate("(film) => { film.muted = true; return film.play(); }")
    reader.page.wait_for_function("() => document.querySelector('#media video').currentTime > 0.3")
    pieces = [answer for answer in reader.came if "/films/harbour/" in answer.url]
    assert {answer.url.rpartition("/")[0] for answer in pieces} == {folder}
    assert {answer.status for answer in pieces} <= {200, 206}
    assert f"{folder}/film.key" in {answer.url for answer in pieces}

    fox.forget()
    fox.goto(library.demo.viewer)
    fox.run(HLS, inside.shown, f"{library.demo.viewer}/{SCRIPT}")
    until(fox, ADVANCED, 0.3, 3)
    assert fox.run(STATUS, f"{folder}/film.key") == 200
    elsewhere = folder.replace("/films/harbour", "/films/pier")
    guessed = [f"{elsewhere}/index.m3u8", f"{elsewhere}/film.key", folder.replace("/films/harbour", "/media/film.mp4")]
    public = [library.demo.url(f"/films/harbour/{name}") for name in ("index.m3u8", "360p-0.ts", "film.key")]
    assert [fox.run(STATUS, url) for url in (*guessed, *public)] == [401] * 6

    assert_cut_off(fox, "/films/harbour/", reader.log_out, SECONDS)
    assert fox.run(STATUS, f"{folder}/film.key") == 401

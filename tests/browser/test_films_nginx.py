"""A film in one file behind nginx is cut off when the pass ends, as behind Django: see ``test_films``.

nginx is configured by what ``iiif_webserver nginx`` prints; a check of our own says yes until it says no. What is asserted is
what the network answered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import override_settings
from playwright.sync_api import BrowserContext

from project.collection.prepare import prepare
from tests.browser import firefox
from tests.browser.demo import alone, data_folder
from tests.browser.test_films import (
    ADVANCED,
    MP4,
    ROUNDS,
    SECONDS,
    Chromium,
    Tab,
    answered,
    assert_cut_off,
    jump,
    lengthen,
    until,
)
from tests.webserver.nginx import Nginx, Peer, Request, asked

SECRET = "a-secret-of-these-tests-in-32-letters"
FILM = "/media/film.mp4"
PAGE = b"<!doctype html><html lang=en><title>A page of the library</title><body></body></html>"
PART = re.compile(r"bytes ([0-9]+)-([0-9]+)/([0-9]+)")


@dataclass
class Application:
    """Writes pages, and is asked by nginx who may have what: at first everybody may."""

    pass_holds: bool = True

    def __call__(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.headers.get("x-iiif-auth-secret") != SECRET:
            return 200, {"Content-Type": "text/html"}, PAGE
        if not self.pass_holds:
            return 401, {}, b""
        name = request.headers["x-original-uri"].partition("?")[0].removeprefix("/media/")
        return 200, {"X-IIIF-Source": name, "X-IIIF-File": name, "X-IIIF-Cache": "private, no-cache"}, b""

    def end_every_pass(self) -> None:
        self.pass_holds = False


@dataclass(frozen=True, slots=True)
class Library:
    application: Application
    url: str
    film: bytes


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    drawn, folder = data_folder(), tmp_path_factory.mktemp("nginx-films")
    for above in (folder, *folder.parents[:2]):  # nginx's workers are somebody else if root runs the tests
        above.chmod(0o755)
    with alone(drawn):
        list(prepare(drawn, ["film.mp4"], workers=1))
    (folder / "media" / "inner").mkdir(parents=True)
    lengthen(drawn / "media" / "film.mp4", folder / "media" / "film.mp4")
    (folder / "media" / "report.pdf").write_bytes(bytes(2_500_000))
    (folder / "media" / "é, film & 1.mp4").write_bytes(b"spelt")
    application = Application()
    with Peer(application) as peer, Nginx(configuration(folder, peer.port), folder / "nginx") as nginx:
        yield Library(application, nginx.url, (folder / "media" / "film.mp4").read_bytes())


def configuration(folder: Path, port: int) -> str:
    doors = (
        {"name": "images", "path": "/iiif/image/3/", "serves": "image-3", "upstream": "http://127.0.0.1:9/iiif/3/"},
        {"name": "media", "path": "/media/", "serves": "files", "root": f"{folder}/media/"},
    )
    flow = {
        "BASE_URL": "https://library.example.org",
        "DOORS": doors,
        "CHECK_SECRET": SECRET,
        "CHECK_CACHE_SECONDS": 0,
        "TRUSTED_PROXIES": 1,
    }
    places = ("--app", f"127.0.0.1:{port}", "--cache-folder", str(folder), "--log-folder", str(folder))
    out = StringIO()
    with override_settings(IIIF_AUTH_FLOW=flow):
        call_command("iiif_webserver", "nginx", "--listen", "127.0.0.1:8080", *places, stdout=out)
    return out.getvalue()


@pytest.fixture
def library(served: Library) -> Library:
    served.application.pass_holds = True
    return served


@pytest.fixture(params=["chromium", "firefox"])
def tab(request: pytest.FixtureRequest) -> Iterator[Tab]:
    if request.param == "chromium":
        context: BrowserContext = request.getfixturevalue("context")
        yield Chromium(context)
        return
    with firefox.running({"media.cache_readahead_limit": 15, "media.cache_resume_threshold": 10}) as fox:
        yield fox


def test_an_mp4_behind_nginx_plays_can_be_jumped_about_in_and_is_cut_off(library: Library, tab: Tab):
    tab.goto(f"{library.url}/")
    tab.run(MP4, library.url + FILM)
    until(tab, ADVANCED, 0.3, 3)
    assert tab.run("() => [film.videoWidth, Math.round(film.duration)]") == [640, ROUNDS * SECONDS]
    jump(tab, 150)
    answers = answered(tab, FILM)
    assert {answer.status for answer in answers} == {206}
    parts = [bounds(answer.part) for answer in answers]
    assert (parts[0][0], max(first for first, _, _ in parts) > len(library.film) / 2) == (0, True)
    assert all(last - first < 2_000_000 for first, last, _ in parts)

    assert_cut_off(tab, FILM, library.application.end_every_pass, ROUNDS * SECONDS)


def bounds(part: str) -> tuple[int, int, int]:
    found = PART.fullmatch(part)
    assert found, part
    return int(found[1]), int(found[2]), int(found[3])


END = 10**9
"""Behind every end of the film."""


@pytest.mark.parametrize(
    ("wanted", "first", "last"),
    [
        ("0-", 0, 999_999),
        ("000-", 0, 999_999),
        ("999999-", 999_999, 999_999),
        ("1000000-", 1_000_000, 1_999_999),
        ("5406720-", 5_406_720, 5_999_999),
        ("10000001-", 10_000_001, 10_999_999),
        (f"0-{END}", 0, 999_999),
        (f"7654321-{END}", 7_654_321, 7_999_999),
        ("0-2000000", 0, 999_999),
        ("9400000-11000000", 9_400_000, 9_999_999),
        ("0-1", 0, 1),
        ("0-1999999", 0, 1_999_999),
        ("1000000-1000000", 1_000_000, 1_000_000),
        ("3400000-4399999", 3_400_000, 4_399_999),
        ("9400000-10399999", 9_400_000, 10_399_999),
        ("19400000-20399999", 19_400_000, 20_399_999),
    ],
)
def test_of_a_film_no_more_than_to_the_next_million_is_given_and_what_is_small_is_given_whole(
    library: Library, wanted: str, first: int, last: int
):
    reply = asked(library.url, f"{FILM}?x=1", headers={"Range": f"bytes={wanted}"})
    assert reply.status == 206
    assert bounds(reply.headers["content-range"]) == (first, last, len(library.film))
    assert reply.body == library.film[first : last + 1]


def test_the_end_of_a_film_is_given_to_who_asks_for_it(library: Library):
    size = len(library.film)
    last = asked(library.url, FILM, headers={"Range": "bytes=-500"})
    assert (last.status, last.body) == (206, library.film[-500:])
    much = asked(library.url, FILM, headers={"Range": f"bytes=-{size}"})
    assert (much.status, len(much.body)) == (206, 1_000_000)
    beyond = asked(library.url, FILM, headers={"Range": f"bytes={size + 5}-"})
    assert (beyond.status, beyond.headers["content-range"]) == (416, f"bytes */{size}")


def test_what_is_no_film_and_what_is_asked_for_whole_is_not_cut(library: Library):
    report = asked(library.url, "/media/report.pdf", headers={"Range": "bytes=1-"})
    assert (report.status, len(report.body)) == (206, 2_499_999)
    whole = asked(library.url, FILM)
    assert (whole.status, whole.headers["accept-ranges"], whole.body == library.film) == (200, "bytes", True)


def test_names_conditions_and_what_is_no_file_are_as_ever(library: Library):
    assert asked(library.url, "/media/%C3%A9,%20film%20%26%201.mp4").body == b"spelt"
    known = asked(library.url, FILM, headers={"Range": "bytes=0-9"})
    assert (known.headers["content-type"], known.headers["cache-control"]) == ("video/mp4", "private, no-cache")
    same, other = {"If-None-Match": known.headers["etag"]}, {"If-Range": '"other"', "Range": "bytes=0-9"}
    assert asked(library.url, FILM, headers=same).status == 304
    assert asked(library.url, FILM, headers=other).status == 200
    assert [asked(library.url, f"/media/{name}").status for name in ("inner", "nothing.mp4")] == [404, 404]
    library.application.end_every_pass()
    assert [asked(library.url, FILM, headers=more).status for more in ({}, same, {"Range": "bytes=0-"})] == [401] * 3

"""The one parser: what is read, what is refused, and that two kinds of regular expression read it alike."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from random import Random

import pytest
from django.core.exceptions import ImproperlyConfigured

from iiif_auth.enforce import doors
from iiif_auth.enforce.doors import Asked, Door, NotCanonical, Serves, asked, source_of, upstream_path
from iiif_auth.policy.types import Rendition, Virtual
from tests.security.strings import GRAMMAR, accepted, made_up
from tests.web import BASE
from tests.webserver.nginx import program

PUBLISHED = (
    {"name": "images", "path": "/iiif/image/3/", "serves": "image-3", "upstream": "http://127.0.0.1:8182/iiif/3/"},
    {"name": "older", "path": "/iiif/image/2/", "serves": "image-2", "upstream": "fastcgi://127.0.0.1:9000/iiif/"},
    {"name": "media", "path": "/media/", "serves": "files", "root": "/srv/media/"},
    {"name": "films", "path": "/films/", "serves": "folders", "root": "/srv/films/"},
    {
        "name": "reels",
        "path": "/films/reels/",
        "serves": "folders",
        "root": "/srv/reels/",
        "depth": 2,
        "entry": "a.mpd",
    },
    {
        "name": "partner",
        "path": "/iiif/image/3/",
        "serves": "image-3",
        "upstream": "http://127.0.0.1:8183/",
        "base": "https://images.example.org",
    },
)
TICKET = f"k1.2000000000.7.{'A' * 43}"


@pytest.fixture(autouse=True)
def published(settings):
    settings.ROOT_URLCONF = "tests.http.urls"
    settings.IIIF_AUTH_FLOW = {"BASE_URL": BASE, "DOORS": PUBLISHED}


def brief(found: Asked) -> tuple[str, str, str, str]:
    return found.door.name, found.item, found.uri, found.rest


CHART = ("images", "/iiif/image/3/chart", "/iiif/image/3/chart")
READ = {
    "/iiif/image/3/chart": (*CHART, ""),
    "/iiif/image/3/chart/": (*CHART, ""),
    "/iiif/image/3/chart/info.json": (*CHART, "info.json"),
    "/iiif/image/3/chart/full/max/0/default.jpg": (*CHART, "full/max/0/default.jpg"),
    "/iiif/image/3/chart/full/max/0/default.jpg?x=/iiif/image/3/open/full": (*CHART, "full/max/0/default.jpg"),
    "/iiif/image/3/chart/0,0,512,512/^256,/!90/gray.webp": (*CHART, "0,0,512,512/^256,/!90/gray.webp"),
    "/iiif/image/3/chart/0,0,512,512/%5E256,/!90/gray.webp": (*CHART, "0,0,512,512/^256,/!90/gray.webp"),
    "/iiif/image/3/ark%3A1": ("images", "/iiif/image/3/ark:1", "/iiif/image/3/ark:1", ""),
    "/iiif/image/3/ark:%2F1%2Fb": ("images", "/iiif/image/3/ark:%2F1%2Fb", "/iiif/image/3/ark:%2F1%2Fb", ""),
    "/iiif/image/3/m%C3%BCller": ("images", "/iiif/image/3/m%C3%BCller", "/iiif/image/3/m%C3%BCller", ""),
    "/iiif/image/3/.hidden": ("images", "/iiif/image/3/.hidden", "/iiif/image/3/.hidden", ""),
    "/iiif/image/2/a/full/full/0/default.jpg": (
        "older",
        "/iiif/image/2/a",
        "/iiif/image/2/a",
        "full/full/0/default.jpg",
    ),
    "/media/film.mp4": ("media", "/media/film.mp4", "/media/film.mp4", ""),
    "/media/a/b%20c/d.pdf": ("media", "/media/a/b%20c/d.pdf", "/media/a/b%20c/d.pdf", ""),
    "/films/harbour/index.m3u8": ("films", "/films/harbour", "/films/harbour/index.m3u8", "index.m3u8"),
    "/films/harbour/low/seg-1.ts": ("films", "/films/harbour", "/films/harbour/index.m3u8", "low/seg-1.ts"),
    "/films/reels/a/b/x.m4s": ("reels", "/films/reels/a/b", "/films/reels/a/b/a.mpd", "x.m4s"),
}


@pytest.mark.parametrize("target", READ)
def test_what_is_canonical_is_read(target):
    found = asked(target)
    assert brief(found) == READ[target]
    assert (found.image is not None) == found.rest.endswith((".jpg", ".webp"))
    assert found.ticket == ""


CORPUS = Path(__file__).parents[1] / "corpora" / "targets-bad.txt"
REFUSED = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("target", REFUSED)
def test_everything_else_is_refused(target):
    with pytest.raises(NotCanonical):
        asked(target)


def test_a_request_as_long_as_a_book_is_refused_and_a_long_one_is_not():
    assert asked(f"/iiif/image/3/{'x' * 900}").item.endswith("x")
    assert asked(f"/media/{'/'.join(['y' * 100] * 16)}").item.endswith("y")
    long = (
        "/iiif/image/3/" + "x" * 901,
        "/media/" + "y" * 256,
        "/media/" + "/".join("y" * 17),
        "/films/a/" + "z" * 256,
    )
    for target in (*long, "/films/" + "z" * 256 + "/a", "/films/a/" + "/".join("z" * 17), "/media/a?" + "q" * 4000):
        with pytest.raises(NotCanonical):
            asked(target)


def test_one_item_has_one_name_however_it_was_asked_for():
    """What is decided about is what is stored, and what is stored is found again (security P3)."""
    for target in READ:
        found = asked(target)
        assert asked(found.item + (f"/{found.rest}" if found.rest else "")).uri == found.uri


def test_a_signed_address_is_read_with_its_ticket_and_only_once():
    found = asked(f"/iiif-auth/signed/{TICKET}/films/harbour/low/seg-1.ts?x")
    assert (found.ticket, *brief(found)) == (TICKET, *READ["/films/harbour/low/seg-1.ts"])
    for target in (
        f"/iiif-auth/signed/{TICKET}/iiif-auth/signed/{TICKET}/media/film.mp4",
        f"/iiif-auth/signed/{TICKET}",
        f"/iiif-auth/signed/{TICKET}/",
        f"/iiif-auth/signed/{TICKET}//media/film.mp4",
        f"/iiif-auth/signed/{TICKET}%2Fmedia/film.mp4",
        f"/iiif-auth/signed/%6B{TICKET[1:]}/media/film.mp4",
        f"/iiif-auth//signed/{TICKET}/media/film.mp4",
    ):
        with pytest.raises(NotCanonical):
            asked(target)


@pytest.mark.parametrize(
    "ticket",
    [
        TICKET.replace("k1", "K1"),
        TICKET.replace("k1", ""),
        TICKET.replace("2000000000", "0000000001"),
        TICKET.replace("2000000000", "200000000"),
        TICKET.replace(".7.", ".07."),
        TICKET.replace(".7.", ".0."),
        TICKET.replace(".7.", ".-7."),
        TICKET.replace(".7.", ".٧."),
        TICKET.replace(".7.", f".{'9' * 20}."),
        TICKET[:-1] + "B",
        TICKET[:-1] + "=",
        TICKET + "A",
        TICKET[:-1],
        f"{TICKET}\n",
        f" {TICKET}",
    ],
)
def test_a_ticket_has_one_spelling(ticket):
    assert doors.is_ticket(TICKET)
    assert not doors.is_ticket(ticket)


def test_the_door_with_the_longest_path_is_taken_and_other_sites_have_their_own():
    assert asked("/films/reels/a/x.m4s/y").door.name == "reels"
    there = asked("/iiif/image/3/chart/info.json", "https://images.example.org")
    assert (there.door.name, there.uri) == ("partner", "https://images.example.org/iiif/image/3/chart")
    for base in ("https://other.example.org", BASE):
        with pytest.raises(NotCanonical):
            asked("/iiif/image/3/chart", base)
    with pytest.raises(NotCanonical):
        asked("/media/film.mp4", "https://images.example.org")


# -- Upstream -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "rendition", "path"),
    [
        ("/iiif/image/3/chart/full/max/0/default.jpg", {}, "chart/full/max/0/default.jpg"),
        ("/iiif/image/3/ark%3A1/info.json", {}, "ark%3A1/info.json"),
        ("/iiif/image/3/ark:%2F1/info.json", {}, "ark%3A%2F1/info.json"),
        ("/iiif/image/3/m%C3%BCller", {}, "m%C3%BCller"),
        ("/iiif/image/3/x/full/%5E9,/0/default.jpg", {}, "x/full/%5E9,/0/default.jpg"),
        ("/iiif/image/3/x/info.json", {"source": "maps/survey 1.tif"}, "maps%2Fsurvey%201.tif/info.json"),
        ("/iiif/image/3/x~m/info.json", {"virtual": Virtual(9), "cut_from": "/iiif/image/3/x"}, "x/info.json"),
        ("/media/a/b%20c.pdf", {}, "a/b%20c.pdf"),
        ("/media/a.pdf", {"source": "kept/50%?;#.pdf"}, "kept/50%25%3F%3B%23.pdf"),
        ("/films/harbour/low/seg-1.ts", {}, "harbour/low/seg-1.ts"),
        ("/films/harbour/index.m3u8", {"source": "1910/harbour"}, "1910/harbour/index.m3u8"),
    ],
)
def test_what_is_fetched_is_rebuilt_from_what_was_decided(target, rendition, path):
    found = asked(target)
    assert upstream_path(found, Rendition(found.uri, **rendition)) == path


def test_another_request_may_be_put_in_its_place():
    found = asked("/iiif/image/3/x~m/full/max/0/default.jpg")
    virtual = Rendition(found.uri, virtual=Virtual(9), cut_from="/iiif/image/3/x")
    assert upstream_path(found, virtual, "full/9,6/0/default.jpg") == "x/full/9,6/0/default.jpg"


@pytest.mark.parametrize(
    "source", ["../x", "a/../x", "/x", "a//x", "a/", ".", "a\\b", "a\x00", "a\nb", "\x7f", " a", "a ", "a\u2028"]
)
def test_a_source_that_leads_elsewhere_is_not_asked_for(source):
    with pytest.raises(NotCanonical):
        source_of(asked("/media/film.mp4"), Rendition("/media/film.mp4", source=source))


@pytest.mark.parametrize("name", ["film.mp4%20", "%20film.mp4", "film.mp4%C2%A0"])
def test_a_name_whose_blanks_a_header_would_lose_is_another_file_and_is_refused(name):
    """``X-IIIF-File: film.mp4`` would be fetched where ``film.mp4%20`` was decided about (security P4)."""
    found = asked(f"/media/{name}")
    with pytest.raises(NotCanonical):
        source_of(found, Rendition(found.uri))


@pytest.mark.parametrize("name", ["%2Fetc", "a%2F", "a%2F%2Fb", "%2F"])
def test_an_identifier_with_an_empty_part_behind_an_encoded_slash_is_no_source(name):
    found = asked(f"/iiif/image/3/{name}")
    with pytest.raises(NotCanonical):
        source_of(found, Rendition(found.uri))


def test_what_is_cut_from_a_picture_elsewhere_is_not_asked_for():
    found = asked("/iiif/image/3/x~m/info.json")
    with pytest.raises(NotCanonical):
        source_of(found, Rendition(found.uri, virtual=Virtual(9), cut_from="/iiif/image/2/x"))


# -- Settings -----------------------------------------------------------------------------------------------------


def test_without_doors_nothing_is_published(settings):
    settings.IIIF_AUTH_FLOW = {"BASE_URL": BASE}
    assert doors.doors() == ()
    with pytest.raises(NotCanonical):
        asked("/media/film.mp4")


GOOD = {"name": "media", "path": "/media/", "serves": "files", "root": "/srv/media/"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Media"}, "a name is small letters"),
        ({"name": "../x"}, "a name is small letters"),
        ({"path": "media/"}, "begins and ends with a slash"),
        ({"path": "/media"}, "begins and ends with a slash"),
        ({"path": "/"}, "begins and ends with a slash"),
        ({"path": "/a/../b/"}, "begins and ends with a slash"),
        ({"root": "srv/media"}, "root begins and ends with a slash"),
        ({"upstream": "http://127.0.0.1:1/"}, "either upstream"),
        ({"root": ""}, "either upstream"),
        ({"root": "", "upstream": "127.0.0.1:8182"}, "upstream looks like"),
        ({"root": "", "upstream": "http://127.0.0.1:8182/x?y="}, "upstream looks like"),
        ({"root": "", "upstream": "fastcgi://127.0.0.1:9000/x/"}, "for image servers only"),
        ({"serves": "image-3"}, "images need an image server"),
        ({"serves": "pictures"}, "pictures"),
        ({"serves": "folders", "entry": "../x"}, "entry is a plain file name"),
        ({"serves": "folders", "depth": 0}, "depth is 1 to 8"),
        ({"base": "https://x.example.org/"}, "base looks like"),
        ({"colour": "red"}, "there is no “colour”"),
    ],
)
def test_a_door_that_makes_no_sense_is_told_in_a_sentence(settings, change, words):
    settings.IIIF_AUTH_FLOW = {"DOORS": [{**GOOD, **change}]}
    with pytest.raises(ImproperlyConfigured, match=re.escape(words)):
        doors.doors()


@pytest.mark.parametrize("twin", [{"name": "other"}, {"path": "/other/"}])
def test_two_doors_need_two_names_and_two_paths(settings, twin):
    settings.IIIF_AUTH_FLOW = {"DOORS": [GOOD, {**GOOD, **twin}]}
    with pytest.raises(ImproperlyConfigured, match="the same"):
        doors.doors()


def test_a_door_without_what_it_needs_is_told(settings):
    settings.IIIF_AUTH_FLOW = {"DOORS": [{"name": "media"}]}
    with pytest.raises(ImproperlyConfigured, match="name, path and serves"):
        doors.doors()


def test_doors_are_values():
    assert Door("media", "/media/", Serves.FILES, root="/srv/media/") in doors.doors()


def test_the_mount_is_that_of_the_urls_in_force(settings):
    assert doors.mount() == "/iiif-auth/"
    settings.ROOT_URLCONF = "tests.enforce.test_doors"
    assert doors.mount() == doors.signed_prefix() == ""


urlpatterns: list[object] = []


# -- Two readers of one grammar -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", GRAMMAR)
def test_python_and_pcre_read_one_grammar(name):
    chance = Random(f"{name} 1")
    strings = [made_up(chance, name) for _ in range(3_000)]
    mine = [re.compile(GRAMMAR[name]).fullmatch(text) is not None for text in strings]
    assert accepted(name, strings) == mine
    assert 300 < sum(mine) < 2_900


def test_a_reader_that_takes_other_digits_would_be_found():
    """Python's ``\\d`` takes digits of every script, PCRE's not."""
    strings = ["full/400,/0/default.jpg", "full/٤٠٠,/0/default.jpg"]
    loose = re.compile(GRAMMAR["IMAGE_REST_3"].replace("[0-9]", r"\d").replace("[1-9]", r"\d"))
    assert [loose.fullmatch(text) is not None for text in strings] == [True, True]
    assert accepted("IMAGE_REST_3", strings) == [True, False]


def test_nginx_takes_every_pattern(tmp_path: Path):
    """PCRE unrolls what is counted, and calls a pattern with counted letters too large: then nothing would start."""
    locations = "".join(
        f'location ~ "^/{name}/({pattern})$" {{ return 204; }}\n'
        for name in ("LETTER", *GRAMMAR)
        for pattern in [getattr(doors, name)]
    )
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ access_log off; server {{ listen 127.0.0.1:1; {locations} }} }}"
    )
    found = subprocess.run(
        [program(), "-t", "-e", str(tmp_path / "error.log"), "-c", str(file)], capture_output=True, text=True
    )
    assert "syntax is ok" in found.stderr, found.stderr

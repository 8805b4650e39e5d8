"""The film in pieces: each is decided as the film it belongs to, and as no other (security P11)."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory
from django.utils import timezone

from iiif_auth import api
from iiif_auth.models import AccessPolicy, Resource
from project.content import PIECES, piece
from project.items import PASSWORD
from project.viewer_site import ROOT

CANARY = b"HARBOUR-CANARY"
SPAN = settings.IIIF_AUTH_FLOW["RANGE_BYTES"]
NAMES = ("index.m3u8", "manifest.mpd", "216p.m3u8", "216p-0.ts", "begin-0.mp4", "piece-0-1.m4s", "film.key")


@pytest.fixture
def films(library, pictures) -> Path:
    """Two films: readers may see the harbour's, and nobody knows the pier's."""
    for folder in ("harbour", "pier"):
        (pictures / "films" / folder).mkdir(parents=True, exist_ok=True)
        for name in NAMES:
            (pictures / "films" / folder / name).write_bytes(CANARY + name.encode())
    (pictures / "media" / "film.mp4").write_bytes(bytes(3 * SPAN))
    return pictures / "films"


@pytest.fixture
def reader(films) -> Client:
    """A browser that has gone through the library's login."""
    browser = Client()
    assert browser.login(username="reader", password=PASSWORD)
    page = browser.get("/iiif-auth/2/access/merehaven-login")
    token = re.search(rb'name="csrfmiddlewaretoken" value="([^"]+)"', page.content)
    browser.post("/iiif-auth/2/access/merehaven-login", {"csrfmiddlewaretoken": token[1].decode()} if token else {})
    return browser


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize("name", NAMES)
def test_every_playlist_piece_and_key_is_for_readers_and_for_nobody_else(name, reader):
    refused = Client().get(f"/films/harbour/{name}")
    assert (refused.status_code, refused.headers["Cache-Control"]) == (401, "no-store")
    assert CANARY not in body(refused)
    given = reader.get(f"/films/harbour/{name}")
    assert (given.status_code, body(given)) == (200, CANARY + name.encode())
    assert given.headers["Content-Type"] == PIECES[Path(name).suffix]
    assert given.headers["Cache-Control"] == "private, no-cache"
    assert given.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in given.headers


@pytest.mark.parametrize("name", NAMES)
def test_pieces_of_a_film_that_nobody_described_are_refused_even_to_readers(name, reader):
    answer = reader.get(f"/films/pier/{name}")
    assert answer.status_code in (401, 403, 404)
    assert CANARY not in body(answer)


@pytest.mark.parametrize(
    "path",
    [
        "/films/harbour/../pier/film.key",
        "/films/harbour/..%2Fpier%2Ffilm.key",
        "/films/harbour/%2e%2e/pier/film.key",
        "/films/pier/../harbour/../pier/film.key",
        "/films//pier/film.key",
        "/films/harbour//film.key",
        "/films/pier%2Ffilm.key",
        "/films/harbour/film.key/",
        "/films/harbour/film.key%00",
        "/films/harbour/film.key%0a",
        "/films/harbour/.film.key",
        "/films/harbour/film.py",
        "/films/harbour/",
        "/films/Harbour/film.key",
        "/films/harbour/film.key%3B.ts",
        "/media/..%2Ffilms%2Fpier%2Ffilm.key",
    ],
)
def test_no_other_spelling_leads_to_a_film(path, reader):
    answer = reader.get(path)
    assert answer.status_code in (400, 401, 403, 404)
    assert CANARY not in body(answer)


def test_a_film_that_is_open_opens_all_its_pieces_and_no_other_film(films):
    Resource.objects.filter(url="/films/harbour/index.m3u8").update(
        policy=AccessPolicy.objects.get(slug="merehaven-open")
    )
    found = {name: Client().get(f"/films/harbour/{name}").status_code for name in NAMES}
    assert set(found.values()) == {200}
    assert {Client().get(f"/films/pier/{name}").status_code for name in NAMES}.isdisjoint({200, 206})


def test_a_door_that_looked_only_at_the_name_would_give_away_the_other_film(reader, films):
    """The twin: deciding every piece by the film that the reader came for."""

    @api.protect("/films/harbour/index.m3u8")
    def careless(request, folder, name):
        return piece.__wrapped__.__wrapped__(request, folder, name)

    request = RequestFactory().get("/films/pier/film.key", headers={"cookie": cookies(reader)})
    assert CANARY in body(careless(request, folder="pier", name="film.key"))


def cookies(browser: Client) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())


def test_the_policy_of_the_stream_hands_out_signed_addresses(films):
    assert AccessPolicy.objects.get(slug="merehaven-stream").signed
    assert api.may_see("/films/harbour/index.m3u8", user=get_user_model().objects.get(username="reader"))
    assert not api.may_see("/films/harbour/index.m3u8", at=timezone.now())


# -- Recordings are sent in parts -----------------------------------------------------------------------------------


def test_whoever_asks_for_everything_from_here_is_sent_the_next_part_and_asks_again(reader):
    first = reader.get("/media/film.mp4", headers={"range": "bytes=0-"})
    assert (first.status_code, len(body(first))) == (206, SPAN)
    assert first.headers["Content-Range"] == f"bytes 0-{SPAN - 1}/{3 * SPAN}"
    assert reader.get("/media/film.mp4", headers={"range": f"bytes={3 * SPAN}-"}).status_code == 416
    assert len(body(reader.get("/media/film.mp4"))) == 3 * SPAN


def test_a_part_of_a_film_is_refused_to_strangers(films):
    refused = Client().get("/media/film.mp4", headers={"range": "bytes=0-"})
    assert (refused.status_code, "Content-Range" in refused.headers, "Accept-Ranges" in refused.headers) == (
        401,
        False,
        False,
    )


def test_the_vendored_player_of_streams_is_the_one_described():
    digest = hashlib.sha256((ROOT / "vendor" / "hls.light.min.js").read_bytes()).hexdigest()
    assert digest in (ROOT / "vendor" / "README.md").read_text()
    assert "Apache License" in (ROOT / "vendor" / "LICENSE-hls.txt").read_text()

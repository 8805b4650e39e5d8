"""The demo library with its fixtures, and tiny pictures instead of drawn ones."""

from __future__ import annotations

from pathlib import Path

import pytest
import pyvips

from project import places
from project.items import ITEMS
from project.management.commands.demo import load_once
from tests.project.kept import Kept

LIBRARY = Kept(load_once, apart=frozenset({"iiif_auth_epoch"}))
"""Loading it takes a second, and hundreds of tests want it."""

DERIVATIVES = (
    "deepfield-1~preview",
    "survey-1~members",
    "survey-1~public",
    *(f"register-{n}-redacted" for n in range(1, 5)),
)


def identifiers() -> list[str]:
    own = [piece.path.rpartition("/")[2] for item in ITEMS for piece in item.pieces if "/image/" in piece.path]
    return [*own, *DERIVATIVES]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("library")
    (data / "images").mkdir()
    (data / "media").mkdir()
    for number, identifier in enumerate(identifiers()):
        side = 40 if "~" in identifier else 80
        picture = pyvips.Image.black(side, side, bands=3) + [number * 5 % 255, 100, 200]
        picture.cast("uchar").copy(interpretation="srgb").tiffsave(
            str(data / "images" / f"{identifier}.tif"), tile=True, pyramid=True, tile_width=32, tile_height=32
        )
    for name in ("film.webm", "film.mp4", "film-small.webm", "song.webm", "song-clip.webm", "report.pdf"):
        (data / "media" / name).write_bytes(name.encode() * 100)
    (data / "films" / "harbour").mkdir(parents=True)
    (data / "films" / "harbour" / "index.m3u8").write_bytes(b"#EXTM3U\n")
    return data


@pytest.fixture
def library(db, settings, pictures):
    """The demo as ``manage.py demo`` sets it up, with everybody at home."""
    settings.DEMO = True
    settings.DEMO_DATA = pictures
    settings.VIEWER_URL = "http://127.0.0.1:8001"
    places.sit("home")
    LIBRARY.put()
    yield settings
    places.sit("home")

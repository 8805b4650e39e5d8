"""Makes the files of the demo: resumable, repeatable, and only what is missing or drawn differently by now.

Every file is made under another name and moved into place, so that a half-written one is never shown, and is then
stamped with a digest of the code that drew it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyvips
from PIL import Image

from project.collection import media, report, streams
from project.collection.pictures import PICTURES, Picture

MASTER: Final[dict[str, Any]] = {
    "tile": True,
    "tile_width": 256,
    "tile_height": 256,
    "pyramid": True,
    "compression": "jpeg",
    "Q": 88,
    "keep": "none",
}
ABANDONED_AFTER: Final = 600

# What a drawing is made of: a change in any of these draws it again.
_MODULES: Final = {
    "survey": ("survey",),
    "chart": ("chart",),
    "fleet": ("photographs",),
    "herbal": ("ferns",),
    "register": ("manuscripts",),
    "minutes": ("manuscripts",),
    "diary": ("manuscripts",),
    "sealed": ("manuscripts",),
    "songs": ("songsheet",),
    "gallery": ("drawings",),
    "poster": ("drawings",),
    "album": ("portraits",),
    "deepfield": ("borrowed",),
    "retina": ("borrowed",),
    "rocket": ("borrowed",),
    "coins": ("borrowed",),
    "film": ("media", "streams"),
    "song": ("media",),
    "report": ("report",),
}
_SHARED: Final = ("letterforms", "plate", "paper")


@dataclass(frozen=True, slots=True)
class Step:
    """``done`` of ``total`` things are there; ``what`` is the latest, ``skipped`` if it was there already."""

    done: int
    total: int
    what: str
    skipped: bool


@dataclass(frozen=True, slots=True)
class _Item:
    what: str
    files: tuple[Path, ...]
    stamp: str
    make: Callable[[], None]
    names: tuple[str, ...]


def prepare(data: Path, only: Collection[str] | None = None, workers: int = 2) -> Iterator[Step]:
    """Make what is missing under ``data``, all of it or ``only`` those identifiers or file names (``film.webm``).

    Every film is in ``media`` but those cut into pieces, each of which has a folder in ``films`` (``harbour``).

    With fewer than two workers everything happens in this process. Stop at any time and call again.
    """
    for folder in ("images", "media", "films", "stamps"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    _sweep(data)
    items = [item for item in _items(data) if only is None or not set(only).isdisjoint(item.names)]
    waiting = [item for item in items if not _is_good(data, item)]
    for done, item in enumerate((item for item in items if item not in waiting), 1):
        yield Step(done, len(items), item.what, skipped=True)
    already = len(items) - len(waiting)
    made = _made_here(data, waiting) if workers < 2 or len(waiting) < 2 else _made_by(workers, data, waiting)
    for done, what in enumerate(made, already + 1):
        yield Step(done, len(items), what, skipped=False)


def _items(data: Path) -> Iterator[_Item]:
    """The slow ones first, so that two workers finish together."""
    yield from (_media_item(data, *row) for row in _media(data))
    yield from (_picture_item(data, picture) for picture in PICTURES)


# -- Pictures -------------------------------------------------------------------------------------------------------


def _picture_item(data: Path, picture: Picture) -> _Item:
    files = tuple(data / "images" / f"{identifier}.tif" for identifier in picture.identifiers)
    stamp = _stamp(picture.identifier.partition("-")[0], f"{MASTER} {dict(picture.derivatives)}")
    return _Item(picture.title, files, stamp, partial(make_picture, picture, data / "images"), picture.identifiers)


def make_picture(picture: Picture, folder: Path) -> None:
    """The master, and each derivative as a file of its own that holds no more pixels than its tier may see."""
    full = _as_vips(picture.draw())
    for tier, edge in picture.derivatives.items():
        smaller = full.thumbnail_image(edge, height=edge, size="down")
        _save(smaller, folder / f"{picture.identifier}~{tier}.tif")
    _save(full, folder / f"{picture.identifier}.tif")


def _as_vips(picture: Image.Image) -> pyvips.Image:
    return pyvips.Image.new_from_array(np.asarray(picture.convert("RGB"))).copy(interpretation="srgb")


def _save(picture: pyvips.Image, path: Path) -> None:
    with _moved_into_place(path) as unfinished:
        picture.tiffsave(str(unfinished), **MASTER)


# -- Film, song and report ------------------------------------------------------------------------------------------

_Row = tuple[str, str, tuple[Path, ...], Callable[[], None]]


def _media(data: Path) -> tuple[_Row, ...]:
    folder = data / "media"
    song, report = (folder / "song.webm", folder / "song-clip.webm"), (folder / "report.pdf",)
    return (
        ("film", _about_film(), _film_files(data), partial(_make_film, data)),
        ("song", "A song", song, partial(_make_song, folder)),
        ("report", "A report", report, partial(_make_report, folder)),
    )


def _media_item(data: Path, kind: str, what: str, files: tuple[Path, ...], make: Callable[[], None]) -> _Item:
    return _Item(what, files, _stamp(kind), make, tuple(file.name for file in files))


def _about_film() -> str:
    if streams.encoder():
        return "A film of the harbour"
    return "A film of the harbour, but not as MP4 and as a stream: the PyAV installed here can not encode H.264."


def _film_files(data: Path) -> tuple[Path, ...]:
    folder = data / "media"
    drawn = (folder / "film.webm", folder / "film-small.webm", folder / "film-poster.jpg")
    return (*drawn, folder / "film.mp4", data / "films" / "harbour") if streams.encoder() else drawn


def _make_film(data: Path) -> None:
    folder = data / "media"
    with _moved_into_place(folder / "film.webm") as unfinished:
        media.write_film(unfinished)
    with _moved_into_place(folder / "film-small.webm") as unfinished:
        media.write_small_film(unfinished, folder / "film.webm")
    with _moved_into_place(folder / "film-poster.jpg") as unfinished:
        media.write_film_poster(unfinished)
    if streams.encoder():
        _make_streams(data)


def _make_streams(data: Path) -> None:
    drawn, large = data / "media" / "film.webm", data / "media" / "film.mp4"
    with _moved_into_place(large) as unfinished:
        streams.write_mp4(unfinished, drawn)
    with (
        _for_now(data / "films" / "small.mp4") as small,
        _folder_moved_into_place(data / "films" / "harbour") as folder,
    ):
        streams.write_mp4(small, drawn, streams.SMALL)
        streams.write_folder(folder, (small, large))


def _make_song(folder: Path) -> None:
    with _moved_into_place(folder / "song.webm") as unfinished:
        media.write_song(unfinished)
    with _moved_into_place(folder / "song-clip.webm") as unfinished:
        media.write_song_clip(unfinished)


def _make_report(folder: Path) -> None:
    with _moved_into_place(folder / "report.pdf") as unfinished:
        report.write_report(unfinished)


# -- Making ---------------------------------------------------------------------------------------------------------


def _made_here(data: Path, items: Iterable[_Item]) -> Iterator[str]:
    for item in items:
        yield _made(data, item)


def _made_by(workers: int, data: Path, items: Iterable[_Item]) -> Iterator[str]:
    # Spawned, not forked: libvips and the web server around us have threads.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        futures: list[Future[str]] = [pool.submit(_made, data, item) for item in items]
        for future in as_completed(futures):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _made(data: Path, item: _Item) -> str:
    item.make()
    for file in item.files:
        with _moved_into_place(_stamp_file(data, file)) as unfinished:
            unfinished.write_text(item.stamp, encoding="ascii")
    return item.what


def _unfinished(path: Path) -> Path:
    """A leading dot: no identifier begins with one, so nobody can ask for it."""
    return path.with_name(f".{os.getpid()}-{path.name}")


@contextmanager
def _moved_into_place(path: Path) -> Iterator[Path]:
    unfinished = _unfinished(path)
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _for_now(path: Path) -> Iterator[Path]:
    """A file that is needed while others are made."""
    unfinished = _unfinished(path)
    try:
        yield unfinished
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def _folder_moved_into_place(path: Path) -> Iterator[Path]:
    """All of a folder or nothing: pieces of two films do not fit together, and the key opens those of one only."""
    unfinished, former = _unfinished(path), _unfinished(path.with_name(f"{path.name}-former"))
    unfinished.mkdir()
    try:
        yield unfinished
        if path.exists():
            path.rename(former)
        unfinished.rename(path)
    finally:
        for folder in (unfinished, former):
            shutil.rmtree(folder, ignore_errors=True)


def _sweep(data: Path) -> None:
    """What a killed run left behind; a run that is still going touches its files more often than this."""
    for leftover in data.glob("*/.*-*"):
        if time.time() - leftover.stat().st_mtime > ABANDONED_AFTER:
            _remove(leftover)


def _remove(leftover: Path) -> None:
    if leftover.is_dir():
        shutil.rmtree(leftover, ignore_errors=True)
    else:
        leftover.unlink(missing_ok=True)


# -- Stamps ---------------------------------------------------------------------------------------------------------


def _is_good(data: Path, item: _Item) -> bool:
    return all(file.exists() and _read(_stamp_file(data, file)) == item.stamp for file in item.files)


def _stamp_file(data: Path, file: Path) -> Path:
    return data / "stamps" / file.name


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii") if path.is_file() else ""


@cache
def _stamp(kind: str, settings: str = "") -> str:
    digest = hashlib.sha256(settings.encode())
    for module in (*_MODULES[kind], *_SHARED):
        digest.update((Path(__file__).parent / f"{module}.py").read_bytes())
    return digest.hexdigest()[:16]

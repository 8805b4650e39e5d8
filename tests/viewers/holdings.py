"""The demo library as a guest of foreign viewers: one process, with a database of its own and a book of requests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from project.items import BY_SLUG
from tests.browser.demo import ROOT, Demo, running
from tests.viewers.book import PLACE, Entry, read

COLLECTIONS = {"2": "/iiif", "mixed": "/iiif/mixed", "1": "/iiif/1", "0": "/iiif/0"}
"""Where the manifests of each flavour are."""

IMAGES = {"2": "/iiif/image/3", "mixed": "/iiif/image/2", "1": "/iiif/image/2", "0": "/iiif/0/image/2"}
"""Where the pictures are that those manifests speak of."""


@dataclass(frozen=True, slots=True)
class Library:
    """A running demo and its book."""

    demo: Demo
    book: Path

    def manifest(self, flavour: str, slug: str) -> str:
        return self.demo.url(f"{COLLECTIONS[flavour]}/manifests/{slug}.json")

    def image(self, flavour: str, slug: str, page: int = 1) -> str:
        """The path of an item's picture."""
        return f"{IMAGES[flavour]}/{BY_SLUG[slug].pieces[page - 1].path.rpartition('/')[2]}"

    def asked(self, wanted: Callable[[Entry], bool] = lambda entry: True, since: int = 0) -> list[Entry]:
        """What the library was asked, preflights left out."""
        return [entry for entry in read(self.book)[since:] if entry.method != "OPTIONS" and wanted(entry)]

    def mark(self) -> int:
        return len(read(self.book))


@contextmanager
def open_library() -> Iterator[Library]:
    """Pictures are shared with the tests of ``tests/browser``; the database is new each time."""
    with tempfile.TemporaryDirectory() as folder:
        book = Path(folder) / "book.jsonl"
        environment = {
            "DJANGO_SETTINGS_MODULE": "tests.viewers.settings",
            "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")])),
            PLACE: str(book),
        }
        with running(environment, "viewers-library") as demo:
            yield Library(demo, book)

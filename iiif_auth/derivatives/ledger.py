"""What was made of what, so that it is not made again: lines of JSON in ``.iiif-derivatives.jsonl`` beside the files.

A line is added before a file is moved into place, and says what size and time it has, which moving does not change. So a run
that is killed at any point leaves a ledger that is true: a file is current if it fits the last line about its name, it is ours if
it fits any, and half a line at the end counts for nothing.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from iiif_auth.derivatives.folders import OURS, Folder, Original, settle, unfinished

NAME: Final = f"{OURS}.jsonl"


class InUse(RuntimeError):
    """Another run of the command is at work in the folder."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: the digest of its recipe, its original, and the sizes and times (nanoseconds) of both."""

    name: str
    digest: str
    original: str
    size: int
    modified: int
    made: tuple[int, int]

    def is_of(self, original: Original) -> bool:
        return (self.original, self.size, self.modified) == (original.name, original.size, original.modified)


class Ledger:
    """The ledger of one folder."""

    def __init__(self, folder: Folder) -> None:
        self.folder, self.path = folder, folder.root / NAME
        self.entries: dict[str, Entry] = {}
        self._marks: dict[str, list[Entry]] = defaultdict(list)
        self._lock = threading.Lock()
        for entry in _read(self.path):
            self._note(entry)

    def _note(self, entry: Entry) -> None:
        self.entries[entry.name] = entry
        self._marks[entry.name].append(entry)

    def is_ours(self, name: str) -> bool:
        """Whether the file of that name is one that was made here and not touched since, so that it may be replaced."""
        return self._as_it_is(name) is not None

    def _as_it_is(self, name: str) -> Entry | None:
        mark = mark_of(self.folder.root / name)
        return next((entry for entry in reversed(self._marks.get(name, [])) if entry.made == mark), None)

    def is_current(self, name: str, digest: str, original: Original) -> bool:
        """Whether the file is there, untouched, and made of this original by this recipe."""
        entry = self.entries.get(name)
        if entry is None or entry.digest != digest or not entry.is_of(original):
            return False
        return entry.made == mark_of(self.folder.root / name)

    def add(self, entry: Entry) -> None:
        """Write a line, and see to it that it outlives a power cut.

        Raises:
            OSError: it could not be written.
        """
        with self._lock:
            with self.path.open("ab") as file:
                # A line of its own, so that half a line of a run that was killed spoils no other.
                file.write(b"\n" + _line(entry) if file.tell() else _line(entry))
                file.flush()
                os.fsync(file.fileno())
            self._note(entry)

    def tidy(self) -> None:
        """Keep one line a file: of the one that is there.

        Raises:
            OSError: it could not be written; the former ledger is as it was.
        """
        with self._lock:
            if not self.path.exists():
                return
            new = unfinished(self.path, "jsonl")
            try:
                new.write_bytes(b"\n".join(_line(self._as_it_is(name) or last) for name, last in self.entries.items()))
                settle(new, self.path)
            finally:
                new.unlink(missing_ok=True)


def mark_of(path: Path) -> tuple[int, int] | None:
    """Size and time of a file; ``None`` if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns


def _line(entry: Entry) -> bytes:
    return json.dumps(asdict(entry), ensure_ascii=True).encode()


def _read(path: Path) -> Iterator[Entry]:
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return
    yield from (entry for line in lines if (entry := _entry(line)) is not None)


def _entry(line: bytes) -> Entry | None:
    try:
        values = json.loads(line)
        size, modified = values.pop("made")
        return Entry(**values, made=(int(size), int(modified)))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


@contextmanager
def alone(folder: Folder) -> Iterator[None]:
    """Hold the folder for one run; the lock goes with the process, however it ends.

    Raises:
        InUse: somebody else holds it.
    """
    handle = os.open(folder.root, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(f"Another run is making files in {folder.root}; wait until it has ended.") from None
        yield
    finally:
        os.close(handle)

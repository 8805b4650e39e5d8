"""Names below a folder, and nothing outside it."""

from __future__ import annotations

import os
import secrets
import stat
from collections import defaultdict
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from iiif_auth.derivatives.limits import NotMade
from iiif_auth.protocol import identity

OURS: Final = ".iiif-derivatives"
"""What our own files in the folder begin with: the ledger, and what is unfinished."""

LONGEST: Final = 255
"""Bytes that a file system takes for one part of a name."""

FORMS: Final = {
    "tif": "tiff",
    "tiff": "tiff",
    "ptif": "tiff",
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "png": "png",
    "webp": "webp",
    "jp2": "jp2",
}
"""Pictures, by extension."""

RECORDINGS: Final = {
    "mp4": "mov",
    "m4v": "mov",
    "mov": "mov",
    "m4a": "mov",
    "webm": "matroska",
    "weba": "matroska",
    "mkv": "matroska",
    "mka": "matroska",
    "avi": "avi",
    "mpg": "mpeg",
    "mpeg": "mpeg",
    "ts": "mpegts",
    "mxf": "mxf",
    "mp3": "mp3",
    "ogg": "ogg",
    "oga": "ogg",
    "ogv": "ogg",
    "opus": "ogg",
    "wav": "wav",
    "flac": "flac",
    "aif": "aiff",
    "aiff": "aiff",
}
"""Films and sound, by extension, with the one reader of FFmpeg that each is given to.

Left to choose for itself, FFmpeg reads a text file called film.mp4 as a playlist that names other files of this machine.
"""


def extension(name: str) -> str:
    """What follows the last dot of the last part, in lower case; ``""`` if that is not one we know."""
    stem, _dot, found = name.rpartition("/")[2].rpartition(".")
    return found.lower() if stem and (found.lower() in FORMS or found.lower() in RECORDINGS) else ""


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was found: its name below the folder, and the extension that the name asked for did not have."""

    name: str
    path: Path
    size: int
    modified: int
    added: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder whose content is spoken of by names such as ``maps/survey.tif``."""

    root: Path
    _listings: dict[Path, dict[str, list[str]]] = field(default_factory=dict)

    @classmethod
    def at(cls, path: str | Path) -> Folder:
        """The folder there.

        Raises:
            NotADirectoryError: there is none.
        """
        root = Path(path).resolve()
        if not root.is_dir():
            raise NotADirectoryError(f"{path} is not a folder.")
        return cls(root)

    # -- finding

    def original(self, name: str, made: Container[str] = ()) -> Original:
        """The original that a name means, with any extension we know if it has none that leads to a file.

        ``made`` are names that are no originals, since this command made them.

        Raises:
            NotMade: there is none, or more than one, or it lies outside the folder.
        """
        check_name(name)
        exact = self.root / name
        if extension(name) and exact.is_file():
            return self._opened(name)
        found = [one for one in self._beside(exact) if self._name(exact.parent / one) not in made]
        if len(found) > 1:
            raise NotMade(f"{len(found)} originals may be meant by {name}: {', '.join(found)}. Name one as its source.")
        if not found:
            raise NotMade(f"There is no original called {name} in the folder, with any extension that is known.")
        return self._opened(self._name(exact.parent / found[0]), found[0][len(exact.name) :])

    def _name(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def _beside(self, path: Path) -> list[str]:
        """The files that are called so but for an extension. Each folder is listed once, since many are asked for."""
        if path.parent not in self._listings:
            listing = self._listings[path.parent] = defaultdict(list)
            try:
                names = sorted(os.listdir(path.parent))
            except OSError:
                names = []
            for name in names:
                if extension(name):
                    listing[name.rpartition(".")[0]].append(name)
        return self._listings[path.parent].get(path.name, [])

    def _opened(self, name: str, added: str = "") -> Original:
        try:
            path = (self.root / name).resolve(strict=True)
            status = path.stat()
        except (OSError, RuntimeError) as problem:
            raise NotMade(f"The original {name} can not be read: {problem}.") from problem
        if not path.is_relative_to(self.root):
            raise NotMade(f"The original {name} is a link that leads out of the folder, so it is left alone.")
        if not stat.S_ISREG(status.st_mode):
            raise NotMade(f"The original {name} is not a file.")
        return Original(name, path, status.st_size, status.st_mtime_ns, added)

    # -- writing

    def place(self, name: str) -> Path:
        """Where a file of that name is to be; its folder is made if need be.

        Raises:
            NotMade: it would lie outside the folder, or there is something that is no file.
        """
        check_name(name)
        path = self.root / name
        try:
            nearest = next(above for above in path.parents if above.exists())
            self._confine(nearest, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._confine(path.parent, name)
        except OSError as problem:
            raise NotMade(f"There is no folder for {name}, and none could be made: {problem}.") from problem
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise NotMade(f"At {name} there is something that is not a file; move it away.")
        return path

    def _confine(self, path: Path, name: str) -> None:
        if not path.resolve().is_relative_to(self.root):
            raise NotMade(f"The folder of {name} is a link that leads out of the folder, so nothing is written there.")


def check_name(name: str) -> None:
    """Refuse what leads out of a folder or hides in it.

    Raises:
        NotMade: the name is none that could be meant.
    """
    too_long = any(len(part.encode()) > LONGEST for part in name.split("/"))
    if not name or too_long or not identity.is_source(name) or name.rpartition("/")[2].startswith("."):
        raise NotMade(f"{name!r} can not be the name of a file in the folder.")


def unfinished(path: Path, ending: str) -> Path:
    """A new, empty file beside ``path``, for what is moved into its place when it is whole.

    Raises:
        OSError: it can not be made.
    """
    found = path.with_name(f"{OURS}-{secrets.token_hex(8)}.{ending}")
    os.close(os.open(found, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666))
    return found


def settle(file: Path, path: Path) -> None:
    """Put a finished file in its place at once: readers see the former one or this one, whole.

    Raises:
        OSError: it can not be moved, and nothing has changed.
    """
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
    file.replace(path)


def sweep(folders: set[Path]) -> None:
    """Delete what a run that was killed has left; only while nobody else may be at work here."""
    for folder in folders:
        for abandoned in folder.glob(f"{OURS}-*.*"):
            abandoned.unlink(missing_ok=True)

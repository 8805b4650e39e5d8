"""Every string of the sources that is marked for translation, found with xgettext as Django's own ``makemessages`` does."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent.parent
TEMPLATES = {".html", ".txt"}
KEYWORDS = (
    "gettext_noop",
    "gettext_lazy",
    "ngettext_lazy:1,2",
    "pgettext:1c,2",
    "npgettext:1c,2,3",
    "pgettext_lazy:1c,2",
    "npgettext_lazy:1c,2,3",
    "_lazy",
)


@dataclass(frozen=True, slots=True)
class Part:
    """A set of catalogues, and the folders whose strings belong into it."""

    name: str
    folders: tuple[str, ...]

    @property
    def locale(self) -> Path:
        return ROOT / self.name / "locale"

    def files(self) -> Iterator[Path]:
        """The Python modules and the templates of this part, in a stable order."""
        for folder in self.folders:
            for path in sorted((ROOT / folder).rglob("*")):
                if path.suffix == ".py" or (path.suffix in TEMPLATES and "templates" in path.parts):
                    yield path


PARTS = (Part("iiif_auth", ("iiif_auth",)), Part("project", ("project", "templates")))
"""The app, whose catalogues travel in its wheel, and the demo site."""


def messages(part: Part) -> polib.POFile:
    """What the sources of a part say, each message with the first file it is in.

    Raises:
        RuntimeError: if xgettext is not satisfied with a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        names = [_staged(path, Path(folder)) for path in part.files()]
        listing = Path(folder) / "files.txt"
        listing.write_text("\n".join(names) + "\n", encoding="utf-8")
        found = subprocess.run(
            ["xgettext", "--files-from=files.txt", "--output=-", "--language=Python", "--from-code=UTF-8", "--no-wrap"]
            + ["--add-location=file", *(f"--keyword={one}" for one in KEYWORDS)],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
    if found.returncode or "warning" in found.stderr:
        raise RuntimeError(found.stderr)
    return polib.pofile(found.stdout)


def _staged(path: Path, folder: Path) -> str:
    """A copy that xgettext can read: of a template, only what is to be translated, at the same place."""
    name = str(path.relative_to(ROOT))
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text(encoding="utf-8")
    target.write_text(templatize(text, origin=name) if path.suffix in TEMPLATES else text, encoding="utf-8")
    return name

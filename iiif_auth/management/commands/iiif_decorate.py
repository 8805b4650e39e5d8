"""Adds services to a manifest that was built elsewhere."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from iiif_auth import fetch
from iiif_auth.conf import conf
from iiif_auth.http.manifest import Tally, decorated
from iiif_auth.protocol import manifest

INDENTED = re.compile(rb"\s*\{\r?\n([ \t]+)\"")
"""The beginning of a document that is written for people, with what its first property is indented by."""

VERSIONS: dict[str, int | None] = {"auto": None, "2": 2, "3": 3}


class Command(BaseCommand):
    help = (
        "Add services to the resources we know in a manifest or Collection (Presentation 2.1 or 3). Everything else in it, and "
        "its order, stays. Anything hidden is left as if it were not ours."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("manifest", help="a file, a URL that MANIFEST_SOURCES covers, or - for standard input")
        parser.add_argument(
            "--presentation",
            choices=list(VERSIONS),
            default="auto",
            help="the version of the Presentation API; auto goes by what the document says",
        )
        parser.add_argument("--output", help="a file to write to, at once or not at all; by default standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = read(options["manifest"])
            found, holdings = decorated(manifest.parsed(text), VERSIONS[options["presentation"]])
        except (manifest.NotAManifest, fetch.NotFetched) as problem:
            raise CommandError(str(problem)) from problem
        except OSError as problem:
            raise CommandError(f"The manifest could not be read: {problem}") from problem
        self._write(manifest.written(found, indent_of(text)) + b"\n", options["output"])
        self.stderr.write(sentence(holdings.tally()), style_func=str)  # else it would be in the colour of errors

    def _write(self, text: bytes, output: str | None) -> None:
        if output is None:
            self.stdout.write(text.decode(), ending="")
            return
        try:
            replace(Path(output), text)
        except OSError as problem:
            raise CommandError(f"Nothing was written: {problem}") from problem


def read(source: str) -> bytes:
    """The text of a manifest, wherever it is.

    Raises:
        OSError: it is in no file that can be read.
        NotFetched: it is on the web and could not be had.
    """
    if source.startswith(("https://", "http://")):
        return fetch.fetched(source, conf.MANIFEST_SOURCES, manifest.MAX_BYTES)
    if source == "-":
        return sys.stdin.buffer.read(manifest.MAX_BYTES + 1)
    with Path(source).open("rb") as file:
        return file.read(manifest.MAX_BYTES + 1)


def indent_of(text: bytes) -> str | None:
    """What the document is indented by, so that a comparison shows the services and nothing else."""
    found = INDENTED.match(text)
    return found[1].decode() if found else None


def replace(path: Path, text: bytes) -> None:
    """Put a file in another one's place at once: readers see the old one or the new one, whole."""
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask()
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.resolve().parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path.resolve())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def umask() -> int:
    """What new files are denied; it can be read only by setting it."""
    found = os.umask(0o077)
    os.umask(found)
    return found


def sentence(tally: Tally) -> str:
    """What was found, for whoever runs the command."""
    hidden = f" Hidden, and left as if unknown: {tally.hidden}." if tally.hidden else ""
    return f"Known: {tally.known} ({tally.decorated} decorated, {tally.open} open to all). Unknown: {tally.unknown}.{hidden}"

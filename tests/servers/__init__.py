"""Real image servers on free ports, started and ended by the tests, with two pictures to serve.

Without its program a server makes a laptop skip the test; CI fails.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.webserver.running import free_port

ROOT = Path(__file__).resolve().parents[2]
IIPSRV = Path("/usr/lib/iipimage-server/iipsrv.fcgi")
PICTURES = {"chart": (1600, 1200), "chart~members": (400, 300), "maps/survey": (900, 1400)}
"""Their names without extension, and their sizes in pixels."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: what a door calls its upstream, and its process."""

    upstream: str
    process: subprocess.Popen[bytes]


def pictures(folder: Path) -> Path:
    """Draw the pictures into a folder, as pyramids of tiles."""
    import pyvips

    for name, (width, height) in PICTURES.items():
        path = folder / f"{name}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        plane = pyvips.Image.xyz(width, height)
        colours = (plane[0] * 255 / width).bandjoin([plane[1] * 255 / height, 90]).cast("uchar")
        options: dict[str, Any] = {"tile": True, "pyramid": True, "compression": "jpeg", "tile_width": 256}
        colours.copy(interpretation="srgb").tiffsave(str(path), tile_height=256, **options)
    return folder


def missing(sentence: str) -> Any:
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(200):
        if process.poll() is not None:
            raise RuntimeError(f"The server stopped at once, with {process.returncode}.")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("The server did not start.")


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End it in any case, by its own id."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@contextmanager
def iipimage(folder: Path) -> Iterator[Server]:
    """Debian's ``iipimage-server``, which speaks FastCGI and version 2; its identifiers are names of files."""
    if not IIPSRV.exists():
        missing("iipimage-server is not installed (Debian: apt-get install iipimage-server).")
    port = free_port()
    environment = {"FILESYSTEM_PREFIX": f"{folder}/", "LOGFILE": "/dev/null", "PATH": os.environ["PATH"]}
    process = subprocess.Popen(
        [IIPSRV, "--bind", f"127.0.0.1:{port}"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with ended(process):
        wait_for(port, process)
        yield Server(f"fastcgi://127.0.0.1:{port}/iiif/", process)


@contextmanager
def node(folder: Path, version: int = 3) -> Iterator[Server]:
    """``iiif-processor`` from npm, in both versions; its identifiers are names of files."""
    from tests.servers.npm import install

    program, home = install()
    command = [program, str(home / "server.mjs"), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process, ended(process):
        assert process.stdout is not None
        port = int(process.stdout.readline() or 0)
        wait_for(port, process)
        yield Server(f"http://127.0.0.1:{port}/iiif/{version}/", process)


@contextmanager
def demo(data: Path, version: int = 3) -> Iterator[Server]:
    """The demo's own; ``data`` holds the folder ``images``, and identifiers are names without extension."""
    command = [sys.executable, "-m", "project.images", "--port", "0", "--data", str(data)]
    with (
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process,
        ended(process),
    ):
        assert process.stdout is not None
        said = process.stdout.readline().decode().strip()
        assert said.endswith("/iiif/3/"), said
        yield Server(said.replace("/iiif/3/", f"/iiif/{version}/"), process)

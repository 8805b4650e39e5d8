"""The demo as its own visitors meet it: one process, started and ended by the tests."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
PATIENCE = 900
"""Seconds for the first start, which draws every picture; later ones take two or three."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: the library, the viewer on another site, and the folder with their files."""

    library: str
    viewer: str
    data: Path
    accounts: tuple[dict[str, str], ...]

    def url(self, path: str) -> str:
        return self.library + path

    @property
    def collection(self) -> str:
        return self.url("/iiif/collection.json")

    def manifest(self, slug: str) -> str:
        return self.url(f"/iiif/manifests/{slug}.json")


def data_folder() -> Path:
    """Kept from run to run, because the pictures are; each worker of a parallel run has a folder to itself."""
    return ROOT / ".demo-test" / os.environ.get("PYTEST_XDIST_WORKER", "")


def free_port() -> int:
    """A port that is free, and the next one too: the viewer takes that."""
    while True:
        with ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                stack.enter_context(socket.socket()).bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


@contextmanager
def running() -> Iterator[Demo]:
    data = data_folder()
    data.mkdir(parents=True, exist_ok=True)
    RESULTS.mkdir(exist_ok=True)
    told = RESULTS / "demo.log"
    command = [sys.executable, "manage.py", "demo", "--json", "--reset", "--port", str(free_port())]
    with (
        told.open("wb") as log,
        subprocess.Popen(
            command, cwd=ROOT, env=_environment(data), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        ) as process,
    ):
        try:
            ready = _first_line(process, told)
            yield Demo(ready["base_url"], ready["viewer_url"], data, tuple(ready["accounts"]))
        finally:
            process.terminate()
            process.wait(timeout=20)


def _environment(data: Path) -> dict[str, str]:
    """What the demo starts with: nothing of the settings that the tests themselves run under."""
    kept = {
        name: value for name, value in os.environ.items() if name not in ("DEMO", "DEBUG", "BASE_URL", "VIEWER_URL")
    }
    return {**kept, "DEMO_DATA": str(data), "DJANGO_SETTINGS_MODULE": "project.settings", "PYTHONWARNINGS": "default"}


def _first_line(process: subprocess.Popen[bytes], told: Path) -> dict[str, Any]:
    """The one line it prints when everything is ready; its own words if it does not get that far."""
    assert process.stdout is not None
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if select.select([process.stdout], [], [], 1)[0] and (line := process.stdout.readline()):
            found: dict[str, Any] = json.loads(line)
            return found
    raise AssertionError(f"The demo did not start.\n{told.read_text(encoding='utf-8', errors='replace')[-4000:]}")

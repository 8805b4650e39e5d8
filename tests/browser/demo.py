"""The demo as its own visitors meet it: one process, started and ended by the tests."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
PATIENCE = 900
"""Seconds for the first start, which draws every picture; later ones take two or three."""


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo: the library, the viewer on another site, and the folder with their files."""

    address: str
    viewer: str
    data: Path
    accounts: tuple[dict[str, str], ...]

    def url(self, path: str) -> str:
        return self.address + path

    @property
    def collection(self) -> str:
        return self.url("/iiif/collection.json")

    def manifest(self, slug: str) -> str:
        return self.url(f"/iiif/manifests/{slug}.json")


def data_folder() -> Path:
    """Kept from run to run, because the pictures are. The workers of a parallel run share it; their databases are their own."""
    folder = ROOT / ".demo-test"
    folder.mkdir(exist_ok=True)
    return folder


def log_file(name: str) -> Path:
    """Where a server of this worker writes what it has to say."""
    RESULTS.mkdir(exist_ok=True)
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    return RESULTS / (f"{name}-{worker}.log" if worker else f"{name}.log")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One at a time among all workers: the first draws the pictures, the others find them drawn."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """A port that is free, and the next one too: the viewer takes that.

    It is drawn from below those that the system itself hands out, so that nobody is given it before the demo takes it, and
    not by the seed of the tests, which is the same for every worker.
    """
    for port in SystemRandom().sample(range(20_000, 32_000, 2), 1000):
        with ExitStack() as stack:
            try:
                for wanted in (port, port + 1):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", wanted))
            except OSError:
                continue
            return port
    raise AssertionError("No two neighbouring ports are free.")


def interruptible() -> None:
    """For ``preexec_fn``: Ctrl-C means to a server of ours what it means to anybody, although whoever runs the tests in the
    background, or on several workers, has told them not to heed it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def running(more: Mapping[str, str] | None = None, log: str = "demo", options: Sequence[str] = ()) -> Iterator[Demo]:
    """A demo with a new database, ``more`` in its environment, and ``options``; ended when nobody needs it any longer."""
    data = data_folder()
    told = log_file(log)
    with tempfile.TemporaryDirectory() as folder, told.open("wb") as said:
        environment = {**_environment(data), "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3", **(more or {})}
        database = Path(environment["DATABASE_URL"].removeprefix("sqlite:///"))
        with ExitStack() as drawing:
            drawing.enter_context(alone(data))
            environment = {**as_loaded(database), **environment}
            command = [sys.executable, "manage.py", "demo", "--json", "--port", str(free_port()), *options]
            with subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said
            ) as process:
                try:
                    ready = _first_line(process, told)
                    if not more and not options:
                        keep(database)
                    drawing.close()
                    yield Demo(ready["base_url"], ready["viewer_url"], data, tuple(ready["accounts"]))
                finally:
                    process.terminate()
                    process.wait(timeout=60)


def template() -> Path:
    """The database of a demo that has just been loaded, for all workers of this one run: what it tells is of today."""
    return data_folder() / "loaded" / f"{os.environ.get('PYTEST_XDIST_TESTRUNUID', os.getpid())}.sqlite3"


def as_loaded(database: Path) -> dict[str, str]:
    """Begin with what an earlier demo of this run had loaded, if there was one; what to say to this one then.

    It migrates what is left to migrate. Pictures are drawn before anything is kept.
    """
    if not template().exists():
        return {}
    shutil.copyfile(template(), database)
    return {"DEMO_DRAW": "0"}


def keep(database: Path) -> None:
    """Keep a database for the demos to come, and none of former runs."""
    if template().exists():
        return
    template().parent.mkdir(exist_ok=True)
    for old in template().parent.iterdir():
        if old.stat().st_mtime < time.time() - 86_400:
            old.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(f"{template()}.part")) as copy:
        source.backup(copy)
    Path(f"{template()}.part").replace(template())


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

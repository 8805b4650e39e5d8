"""A web server started by a test and ended with it: what nginx and Caddy have in common."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self
from urllib.parse import urlsplit

import pytest

PATIENCE = 30


class Refused(AssertionError):
    """The server did not start; the message is its own."""


def installed(name: str, missing: str, places: str | None = None) -> str:
    """Where a program is. Without it a laptop skips the test, and CI fails with the sentence ``missing``."""
    program = shutil.which(name) or (shutil.which(name, path=places) if places else None)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return program


class Running:
    """A server with a configuration, that writes into a folder and is stopped by its own number when the block ends.

    Raises:
        Refused: it does not start with this configuration.
    """

    log_name: ClassVar[str]

    def __init__(self, text: str, folder: Path) -> None:
        self.text, self.folder = text, folder
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        log = self.folder / self.log_name
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for _attempt in range(5):  # a port that was free a moment ago may be somebody else's now
            self.process = self.begun()
            if self._listens():
                return self
            self._stop()
            if "address already in use" not in self.log.lower():
                break
        raise Refused(self.log[-4000:])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def begun(self) -> subprocess.Popen[bytes]:
        """The process, with a configuration of its own on ports that are free."""
        raise NotImplementedError

    def addresses(self) -> Iterable[str]:
        """The URLs at which it will listen."""
        raise NotImplementedError

    def _listens(self) -> bool:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process is not None and self.process.poll() is None:
            if all(listens(url) for url in self.addresses()):
                return True
            time.sleep(0.01)
        return False

    def _stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


GIVEN: set[int] = set()
"""Ports that were given to somebody in this process, who may not listen there yet."""


def free_port() -> int:
    """A port on which nobody listens, another one each time.

    It may be given long before its server starts. Were it given again, one of the two would answer for both: servers that share
    a port (``SO_REUSEPORT``) do not even complain.
    """
    while True:
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
        if port not in GIVEN:
            GIVEN.add(port)
            return port


def listens(url: str) -> bool:
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname, parts.port), timeout=1):
            return True
    except OSError:
        return False

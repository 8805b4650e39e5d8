"""A real Caddy from a Caddyfile, on a free port of this machine; for every test that needs one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.webserver.nginx import PATIENCE, Refused, free_port

OPTIONS = "{\n\tadmin off\n\tauto_https off\n}\n"


def program() -> str:
    """Where Caddy is. Without it a laptop skips the test, and CI fails."""
    found = shutil.which("caddy")
    if found is None:
        missing = "Caddy is not installed (Debian: apt-get install caddy)."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


class Caddy:
    """Caddy with this Caddyfile, in which ``http://site`` stands for the address of the site.

    Global options are ours unless the file begins with its own (those should say ``admin off``).

    Raises:
        Refused: Caddy does not start with it.
    """

    def __init__(self, text: str, folder: Path) -> None:
        self.text, self.folder = text, folder
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        log = self.folder / "caddy.log"
        return log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        for _attempt in range(5):  # a port that was free a moment ago may be somebody else's now
            if self._started():
                return self
        raise Refused(self.log[-4000:])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _started(self) -> bool:
        self.port = free_port()
        file = self.folder / "Caddyfile"
        text = self.text.replace("http://site", self.url)
        file.write_text(text if text.lstrip().startswith("{") else OPTIONS + text, encoding="utf-8")
        homes = {name: str(self.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        with (self.folder / "caddy.log").open("wb") as log:
            self.process = subprocess.Popen(
                [program(), "run", "--config", str(file), "--adapter", "caddyfile"],
                env={**os.environ, **homes},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return True
            except OSError:
                time.sleep(0.01)
        self._stop()
        if "address already in use" not in self.log:
            raise Refused(self.log[-4000:])
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

"""A real Caddy from a Caddyfile, on a free port of this machine; for every test that needs one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.webserver.running import Running, free_port, installed

OPTIONS = "{\n\tadmin off\n\tauto_https off\n}\n"


def program() -> str:
    """Where Caddy is."""
    return installed("caddy", "Caddy is not installed (Debian: apt-get install caddy).")


class Caddy(Running):
    """Caddy with this Caddyfile, in which ``http://site`` stands for the address of the site.

    Global options are ours unless the file begins with its own (those should say ``admin off``).
    """

    log_name = "caddy.log"

    def __init__(self, text: str, folder: Path) -> None:
        super().__init__(text, folder)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def addresses(self) -> Iterable[str]:
        return [self.url]

    def begun(self) -> subprocess.Popen[bytes]:
        self.port = free_port()
        file = self.folder / "Caddyfile"
        text = self.text.replace("http://site", self.url)
        file.write_text(text if text.lstrip().startswith("{") else OPTIONS + text, encoding="utf-8")
        homes = {name: str(self.folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME")}
        with (self.folder / self.log_name).open("wb") as log:
            return subprocess.Popen(
                [program(), "run", "--config", str(file), "--adapter", "caddyfile"],
                env={**os.environ, **homes},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

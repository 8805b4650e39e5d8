"""A deployment for the matrix, started and ended by whoever runs it, and the harness's line to it."""

from __future__ import annotations

import http.client
import json
import os
import select
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from project.collection.prepare import prepare
from tests.browser.demo import ROOT, alone, as_loaded, data_folder, free_port, log_file
from tests.matrix import names

PATIENCE = 900
"""Seconds for the start; migrations and fixtures take their time on a machine that has other things to do."""
Entry = dict[str, Any]
NO_SETTINGS = {"COOKIE_DOMAIN": None, "LOGIN_URL": None, "LOGIN_WINDOW": None}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where everything is."""

    port: int

    def at(self, name: str) -> str:
        return f"https://{name}:{self.port}"

    @property
    def origin(self) -> str:
        return self.at(names.LIBRARY)

    def image(self, identifier: str, host: str = names.LIBRARY) -> str:
        return f"{self.at(host)}/iiif/image/3/{identifier}"

    def viewer(self, identifier: str, service: str, *, host: str = names.VIEWER, **more: str) -> str:
        """The plain viewer with one image in it. ``more``: ``window`` (popup, tab, noopener), ``coep``, ``coop``,
        ``claims-access`` and ``claims-token`` (whom it says it is), ``images`` (the origin that pixels come from).
        """
        query = urlencode({"image": self.image(identifier), "service": service, **more})
        return f"{self.at(host)}/plain/?{query}"

    def nested(self, address: str) -> str:
        return f"{self.at(names.NEST)}/?{urlencode({'src': address})}"

    # -- the harness's line

    def ask(self, what: str, **given: Any) -> Any:
        status, _headers, body = self.request("POST", f"/{what}", host=names.CONTROL, body=json.dumps(given))
        assert status == 200, f"{what}: {status} {body[:500]!r}"
        return json.loads(body)

    def request(
        self,
        method: str,
        path: str,
        *,
        host: str = names.LIBRARY,
        body: str = "",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """One request as no browser makes it; status, headers, body."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        line = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)
        try:
            line.request(method, path, body or None, {"Host": f"{host}:{self.port}", **(headers or {})})
            found = line.getresponse()
            return found.status, found.getheaders(), found.read()
        finally:
            line.close()

    def mark(self) -> int:
        return len(self.log(0))

    def requests(self, since: int, *parts: str) -> list[Entry]:
        """What was asked of the library since then, at addresses with one of these in them."""
        return [one for one in self.log(since) if any(part in one.get("path", "") for part in parts)]

    def log(self, since: int) -> list[Entry]:
        found: list[Entry] = self.ask("log", since=since)
        return found

    def as_new(self) -> None:
        """Everybody at home, no header made worse, settings and policies as they were."""
        self.ask("sit", place="home")
        self.ask("headers", overrides={})
        self.ask("slow", seconds={})
        self.ask("settings", given=NO_SETTINGS)
        self.ask("policies", fields={"signed": False})
        self.ask("policies", fields={"signed_if_blocked": True})


@contextmanager
def running() -> Iterator[Deployment]:
    """A deployment with a database of its own; ended when nobody needs it any longer."""
    with alone(data_folder()):
        list(prepare(data_folder()))
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder, log_file("matrix").open("wb") as said:
        make_certificate(Path(folder))
        with alone(data_folder()):
            as_loaded(Path(folder, "matrix.sqlite3"))
        command = [sys.executable, "-m", "tests.matrix.server", str(port), folder]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(port, folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as process:
            try:
                wait_for(process, Path(said.name))
                yield Deployment(port)
            finally:
                process.terminate()
                process.wait(timeout=60)


def environment(port: int, folder: str) -> dict[str, str]:
    return {
        **os.environ,
        "DEMO": "1",
        "DEMO_DATA": str(data_folder()),
        "BASE_URL": f"https://{names.LIBRARY}:{port}",
        "VIEWER_URL": f"https://{names.VIEWER}:{port}",
        "DATABASE_URL": f"sqlite:///{folder}/matrix.sqlite3",
        "DJANGO_SETTINGS_MODULE": "tests.matrix.settings",
        "PYTHONWARNINGS": "default",
    }


def make_certificate(folder: Path) -> None:
    """Signed by itself, for all our names; the browsers are told not to mind."""
    alternative = ",".join(f"DNS:{name}" for name in names.ALL)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={names.LIBRARY}", "-addext", f"subjectAltName={alternative}"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)


def wait_for(process: subprocess.Popen[bytes], told: Path) -> None:
    assert process.stdout is not None
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        if select.select([process.stdout], [], [], 1)[0] and process.stdout.readline().strip() == b"ready":
            return
    raise AssertionError(f"The deployment did not start.\n{told.read_text(encoding='utf-8', errors='replace')[-4000:]}")

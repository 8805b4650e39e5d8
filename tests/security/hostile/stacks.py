"""Every way in which content is delivered, as servers on free ports: web servers in front, the site and the images behind."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.security.hostile import configs
from tests.security.hostile.holdings import CHECK_SECRET, EDGE_KEYS, HOST
from tests.webserver.nginx import Nginx, asked
from tests.webserver.running import free_port

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 150.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where requests are sent.

    Attributes:
        mode: how content is delivered there; ``edge`` and ``signed`` have tickets in their addresses.
        port: on 127.0.0.1.
    """

    name: str
    mode: str
    port: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """A place that is to be: a site, whole or broken, and perhaps a web server in front of it.

    Attributes:
        server: ``nginx``, ``caddy``, or nothing.
        config: its configuration, if that is written by hand; or
        printed: what ``iiif_webserver`` is asked for: ``auth-request``, ``x-accel`` or ``caddy``.
        proxied: whether the site believes what the server in front says of addresses.
        hands_over: whether the site leaves it to that server to send the bytes.
        asgi: whether the site runs under uvicorn.
        checker: whether the check has a process of its own, under granian.
        twin: in which way the site is broken; see ``broken``.
    """

    name: str
    mode: str
    server: str = ""
    config: str = ""
    printed: str = ""
    proxied: bool = True
    hands_over: bool = False
    asgi: bool = False
    checker: bool = False
    twin: str = ""

    @property
    def file(self) -> str:
        """The name of the printed configuration."""
        return f"{self.printed}-checker" if self.checker else self.printed

    @property
    def site(self) -> str:
        kind = "proxied" if self.proxied else "direct"
        return "-".join(filter(None, (kind, "handing" * self.hands_over, "asgi" * self.asgi, self.twin)))


CHECKED, HANDED = "auth-request", "x-accel"
MODES: Mapping[str, Wanted] = {
    one.name: one
    for one in (
        Wanted("nginx", "nginx", "nginx", printed=CHECKED),
        Wanted("x-accel", "x-accel", "nginx", printed=HANDED, hands_over=True),
        Wanted("django", "django", proxied=False),
        Wanted("asgi", "django", proxied=False, asgi=True),
        Wanted("caddy", "caddy", "caddy", printed="caddy"),
        Wanted("nginx checker", "nginx", "nginx", printed=CHECKED, checker=True),
        Wanted("caddy checker", "caddy", "caddy", printed="caddy", checker=True),
        Wanted("signed", "signed", "nginx", printed=CHECKED),
        Wanted("signed x-accel", "signed", "nginx", printed=HANDED, hands_over=True),
        Wanted("signed django", "signed", proxied=False),
        Wanted("signed caddy", "signed", "caddy", printed="caddy"),
        Wanted("edge", "edge", "nginx", printed=CHECKED),
    )
}
"""Every way of delivering, with the configurations that ``iiif_webserver`` prints."""

BY_HAND: Mapping[str, Wanted] = {
    one.name: one
    for one in (
        Wanted("nginx by hand", "nginx", "nginx", configs.CHECKING),
        Wanted("x-accel by hand", "x-accel", "nginx", configs.HANDED, hands_over=True),
        Wanted("edge by hand", "edge", "nginx", configs.EDGE),
        Wanted("caddy by hand", "caddy", "caddy", configs.CADDY),
    )
}
"""The same, with those configurations of which the twins are made: if these were open too, the twins would prove nothing."""


@dataclass
class Running:
    """Servers that run, and what people hold there."""

    salt: str
    held: dict[str, Any]
    folder: Path
    places: list[Place] = field(default_factory=list)


def missing(what: str) -> NoReturn:
    """Without its servers a laptop skips the test, and CI fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def caddy() -> str:
    """Where Caddy is."""
    return shutil.which("caddy") or missing("caddy is not installed (Debian: apt-get install caddy).")


def wait_for(port: int, process: subprocess.Popen[bytes] | None = None) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and (process is None or process.poll() is None):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise RuntimeError(f"No server came up at port {port}.")


@contextmanager
def running(wanted: Iterable[Wanted]) -> Iterator[Running]:
    """Start everything that is wanted, and end it."""
    wanted = list(wanted)
    if any(one.asgi for one in wanted) and find_spec("uvicorn") is None:
        missing("uvicorn is not installed (python -m pip install uvicorn).")
    if any(one.checker for one in wanted) and find_spec("granian") is None:
        missing("granian is not installed (python -m pip install granian).")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hostile-")))
        sites = {one.site: free_port() for one in wanted}
        upstream, salt = free_port(), secrets.token_hex(16)
        held = stack.enter_context(_behind(folder, wanted, sites, upstream, salt))
        found = Running(salt, held, folder)
        values = {"folder": folder, "upstream": upstream, "secret": CHECK_SECRET, "edge": EDGE_KEYS["e1"]}
        opened: dict[tuple[str, str], int] = {}
        for one in wanted:
            key = (one.config or one.file, one.site)
            if key not in opened:
                opened[key] = stack.enter_context(_front(one, folder, {**values, "app": sites[one.site]}))
                _is_itself(one, opened[key])
            found.places.append(Place(one.name, one.mode, opened[key]))
        yield found


def _is_itself(one: Wanted, port: int) -> None:
    """Whether the server that is meant is the one that answers: of another the campaign would say nothing, or cry wolf."""
    said = asked(f"http://127.0.0.1:{port}", "/").headers.get("server", "")
    if one.server not in said.lower():
        raise RuntimeError(f"At port {port}, where {one.name} should be, {said or 'something unknown'} answers.")


@contextmanager
def _behind(
    folder: Path, wanted: list[Wanted], sites: dict[str, int], upstream: int, salt: str
) -> Iterator[dict[str, Any]]:
    """The sites and the image server; what people hold."""
    first = {one.site: one for one in reversed(wanted)}
    checker = free_port() if any(one.checker for one in wanted) else 0
    asked = {
        "salt": salt,
        "upstream": upstream,
        "checker": {"port": checker, "changes": _changes(Wanted("", ""))} if checker else None,
        "sites": [
            {
                "name": name,
                "port": port,
                "twin": first[name].twin,
                "asgi": first[name].asgi,
                "changes": _changes(first[name]),
            }
            for name, port in sites.items()
        ],
        "printed": [
            {
                "name": one.file,
                "printed": one.printed,
                "app": sites[one.site],
                "checker": checker if one.checker else 0,
                "port": free_port(),
                "changes": _changes(one),
            }
            for one in {one.file: one for one in wanted if one.printed}.values()
        ],
    }
    (folder / "wanted.json").write_text(json.dumps(asked))
    command = [sys.executable, "-m", "tests.security.hostile.serving", str(folder)]
    with (folder / "serving.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=log, stderr=log)
    try:
        yield _held(folder, process, [upstream, *sites.values(), *([checker] if checker else [])])
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(PATIENCE)


def _changes(one: Wanted) -> dict[str, Any]:
    handing = {"SEND_FILE": "/_iiif_file/", "SEND_UPSTREAM": "/_iiif_up/"} if one.hands_over else {}
    return {"TRUSTED_PROXIES": 1 if one.proxied else 0, **handing}


def _held(folder: Path, process: subprocess.Popen[bytes], ports: list[int]) -> dict[str, Any]:
    until = time.monotonic() + PATIENCE
    while not (folder / "ready.json").exists():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError((folder / "serving.log").read_text()[-4000:])
        time.sleep(0.02)
    for port in ports:
        wait_for(port, process)
        with suppress(OSError):
            asked(f"http://127.0.0.1:{port}", "/")  # a worker may take longer than its socket
    found: dict[str, Any] = json.loads((folder / "ready.json").read_text())
    return found


@contextmanager
def _front(one: Wanted, folder: Path, values: dict[str, object]) -> Iterator[int]:
    """The web server in front, or the site itself; its port."""
    place = folder / f"front-{one.name.replace(' ', '-')}"
    if not one.server:
        yield int(str(values["app"]))
        return
    text = (folder / f"{one.file}.conf").read_text() if one.printed else one.config
    if one.server == "nginx":
        with Nginx(configs.filled(text, {**values, "nginx": place}), place) as nginx:
            yield int(nginx.url.rpartition(":")[2])
    else:
        with _caddy(text, place, values) as port:
            yield port


CADDY_PORT = re.compile(r"^http://127\.0\.0\.1:([0-9]+) \{", re.MULTILINE)
"""Printed for a site on this machine alone, whereas people ask for the library by its name."""


@contextmanager
def _caddy(text: str, place: Path, values: dict[str, object]) -> Iterator[int]:
    place.mkdir()
    found = CADDY_PORT.search(text)
    port = int(found[1]) if found else free_port()
    file = place / "Caddyfile"
    text = CADDY_PORT.sub(f"http://{HOST}:{port} {{\n\tbind 127.0.0.1", text)
    file.write_text(configs.filled(text, {**values, "caddy": port}))
    home = {**os.environ, "HOME": str(place), "XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place)}
    with (place / "log").open("wb") as log:
        process = subprocess.Popen(
            [caddy(), "run", "--config", str(file), "--adapter", "caddyfile"],
            env=home,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        try:
            wait_for(port, process)
        except RuntimeError as error:
            raise RuntimeError((place / "log").read_text()[-3000:]) from error
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)

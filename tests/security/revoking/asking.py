"""Asking one process, over a connection that is kept, as a browser or a viewer does."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from iiif_auth import identify
from tests.security.revoking.scene import Reader
from tests.web import CANARY, HOST

COOKIES = {
    "content": (identify.COOKIE, lambda reader: reader.cookie),
    "twin": (identify.TWIN, lambda reader: reader.twin),
}
ROOT = Path(__file__).resolve().parents[3]
DOORS = ("content", "twin", "probe", "signed")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one process said at one door to a question that was put at this moment (seconds)."""

    asked: float
    door: str
    delivered: bool
    status: int


class Asker:
    """One connection to one process; for one thread at a time."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method: str, path: str, headers: dict[str, str], body: str | None = None) -> int:
        return self._sent(method, path, headers, body)[0]

    def _sent(self, method: str, path: str, headers: dict[str, str], body: str | None = None) -> tuple[int, bytes]:
        self.connection.request(method, path, body, {"Host": HOST, **headers})
        response = self.connection.getresponse()
        return response.status, response.read()

    def at(self, door: str, reader: Reader, paths: dict[str, str]) -> Answer:
        asked = time.monotonic()
        status, body = self._sent("GET", paths[door], _carried(door, reader))
        if door == "probe":
            said = json.loads(body)["status"]
            return Answer(asked, door, said == 200, said)
        # Bytes count, whatever the status says of them.
        return Answer(asked, door, CANARY in body or status == 200, status)

    def everywhere(self, reader: Reader, paths: dict[str, str]) -> list[Answer]:
        return [self.at(door, reader, paths) for door in DOORS]


def _carried(door: str, reader: Reader) -> dict[str, str]:
    if door in COOKIES:
        name, value = COOKIES[door]
        own = f"; {identify.MACHINE}={reader.machine}" if reader.machine else ""
        return {"Cookie": f"{name}={value(reader)}{own}"}
    return {"Authorization": f"Bearer {reader.token}"} if door == "probe" else {}


def paths_of(reader: Reader) -> dict[str, str]:
    return {"content": reader.content, "twin": reader.content, "probe": reader.probe, "signed": reader.signed}


class Node:
    """One process of the site."""

    def __init__(self, *, twin: bool = False) -> None:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("COV_", "PYTEST_"))}
        environment |= {"TWIN": "1"} if twin else {}
        command = [sys.executable, "-m", "tests.security.revoking.node"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes)
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


class Line:
    """Two connections to a process, for one lane of rounds: the oracle's, and that of the deed."""

    def __init__(self, node: Node) -> None:
        self.oracle, self.deeds = Asker(node.port), Asker(node.port)

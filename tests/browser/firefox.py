"""Firefox, driven over its own remote protocol: WebDriver BiDi, JSON over a WebSocket (RFC 6455).

No driver of Firefox is in Debian, and Playwright drives builds of its own only; this is the little that the tests need.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import pytest

PATIENCE = 90.0
"""Seconds for the start, and for any one command."""

PREFERENCES: dict[str, Any] = {
    "remote.prefs.recommended": False,  # they would also change what is done with cookies
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.startup.homepage_override.mstone": "ignore",
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "services.settings.server": "data:,",
    "media.autoplay.default": 0,
    "media.gmp-manager.updateEnabled": False,
}


class BiDiError(RuntimeError):
    """Firefox refused a command, or a script threw."""


class WebSocket:
    """The client's side of one connection to this machine, for text only."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        key = base64.b64encode(os.urandom(16)).decode()
        asked = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(asked.encode())
        self._socket.settimeout(None)
        self._stream = self._socket.makefile("rb")
        status = self._stream.readline()
        if b" 101 " not in status:
            self.release()
            raise BiDiError(f"Firefox did not take the connection: {status!r}")
        while self._stream.readline().strip():
            """The rest of the answer's head says nothing that we need."""

    def send(self, text: str) -> None:
        """One masked text frame, as the protocol wants it of clients."""
        payload, mask = text.encode(), secrets.token_bytes(4)
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", 0x81, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", 0x81, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", 0x81, 0x80 | 127, size)
        repeated = (mask * (size // 4 + 1))[:size]
        masked = (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(size, "big")
        self._socket.sendall(head + mask + masked)

    def receive(self) -> str:
        """The next whole message; blocks until there is one.

        Raises:
            EOFError: the connection has ended.
        """
        message = b""
        while True:
            first, second = self._exactly(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(self._exactly(2 if size == 126 else 8), "big")
            payload, kind = self._exactly(size), first & 0x0F
            if kind == 8:
                raise EOFError
            if kind < 3:  # the others are pings, which nobody here has to answer
                message += payload
                if first & 0x80:
                    return message.decode()

    def _exactly(self, size: int) -> bytes:
        found = self._stream.read(size)
        if len(found) < size:
            raise EOFError
        return found

    def close(self) -> None:
        """End the connection: whoever is waiting for a message is told so."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def release(self) -> None:
        """Give back what the connection took, once nobody reads from it any more."""
        self._stream.close()
        self._socket.close()


@dataclass(frozen=True, slots=True)
class Answered:
    """What the network answered: to what, with which status, and which part of the whole it was (``Content-Range``; empty if
    it was none).
    """

    url: str
    status: int
    part: str = ""


class Firefox:
    """One window of a Firefox with a profile of its own. Events are kept in the order in which they came."""

    def __init__(self, port: int) -> None:
        self.answers: list[Answered] = []
        self.said: list[str] = []
        self._numbers = count(1)
        self._results: Queue[dict[str, Any] | None] = Queue()
        self._line = WebSocket(port, "/session")
        self._ear = Thread(target=self._listen, name="firefox", daemon=True)
        self._ear.start()
        try:
            self._ask("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
            self._ask("session.subscribe", events=["network.responseStarted", "log.entryAdded"])
            self._window: str = self._ask("browsingContext.getTree")["contexts"][0]["context"]
        except BaseException:
            self.let_go()
            raise

    def goto(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self._window, url=url, wait="complete")

    def run(self, function: str, *given: Any) -> Any:
        """What a function in the page returns, or its promise resolves to; JSON both ways.

        Raises:
            BiDiError: it threw.
        """
        answer = self._ask(
            "script.callFunction",
            functionDeclaration=f"async (given) => JSON.stringify(await ({function})(...JSON.parse(given))) ?? 'null'",
            arguments=[{"type": "string", "value": json.dumps(given)}],
            target={"context": self._window},
            awaitPromise=True,
            userActivation=True,
        )
        if answer["type"] != "success":
            raise BiDiError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def forget(self) -> None:
        """Delete every cookie."""
        self._ask("storage.deleteCookies")

    def close(self) -> None:
        """End the browser, whatever state it is in."""
        try:
            self._ask("browser.close")
        finally:
            self.let_go()

    def let_go(self) -> None:
        self._line.close()
        self._ear.join(PATIENCE)
        self._line.release()

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        try:
            found = self._results.get(timeout=PATIENCE)
        except Empty:
            raise BiDiError(f"Firefox has not answered {method} in {PATIENCE:.0f} s.") from None
        if found is None:
            raise BiDiError(f"Firefox has gone before it answered {method}.")
        if found.get("type") != "success" or found.get("id") != number:
            raise BiDiError(f"{method}: {found.get('error')}: {found.get('message')}")
        result: dict[str, Any] = found["result"]
        return result

    def _listen(self) -> None:
        while True:
            try:
                message = json.loads(self._line.receive())
            except (EOFError, OSError):
                self._results.put(None)
                return
            if message.get("type") == "event":
                self._happened(message["method"], message["params"])
            else:
                self._results.put(message)

    def _happened(self, method: str, told: dict[str, Any]) -> None:
        if method == "log.entryAdded":
            self.said.append(f"{told['level']}: {told.get('text')}")
            return
        answer = told["response"]
        headers = {one["name"].lower(): one["value"]["value"] for one in answer["headers"]}
        self.answers.append(Answered(answer["url"], answer["status"], headers.get("content-range", "")))


def program() -> str:
    """Where Firefox is. Without it a laptop skips the test; CI fails."""
    found = shutil.which("firefox-esr") or shutil.which("firefox")
    if found is None:
        missing = "Firefox is not installed (Debian: apt-get install firefox-esr)."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def running(preferences: Mapping[str, Any] | None = None) -> Iterator[Firefox]:
    """A Firefox without a screen, with a new profile and these preferences on top of ours; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="firefox-", ignore_cleanup_errors=True) as folder:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in {**PREFERENCES, **(preferences or {})}.items()
        ]
        (Path(folder) / "user.js").write_text("".join(lines), encoding="utf-8")
        command = [program(), "--headless", "--no-remote", "--remote-debugging-port=0", "--profile", folder]
        with (
            (Path(folder) / "said").open("wb") as said,
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT) as process,
        ):
            try:
                firefox = Firefox(_port(process, Path(folder) / "said"))
                try:
                    yield firefox
                except BaseException:
                    firefox.let_go()
                    raise
                firefox.close()
                process.wait(timeout=PATIENCE)
            finally:
                process.kill()


def _port(process: subprocess.Popen[bytes], said: Path) -> int:
    """It takes a free port, and says which."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        found = re.search(rb"WebDriver BiDi listening on ws://127\.0\.0\.1:(\d+)", said.read_bytes())
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise BiDiError(f"Firefox did not start: {said.read_text(encoding='utf-8', errors='replace')[-2000:]}")

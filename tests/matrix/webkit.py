"""WebKitGTK by WebDriver: its MiniBrowser on a screen that nobody sees, with Intelligent Tracking Prevention or without.

Without ``--enable-itp`` it does not stand in for Safari (browsers.md, section 6).
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.matrix.driver import PATIENCE, WHERE, Driver, Gone, Unable, with_names

BROWSERS = ("/usr/lib/*/webkit2gtk-4.1/MiniBrowser", "/usr/lib/*/webkitgtk-6.0/MiniBrowser")
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
MISSING = "WebKitGTK is not installed (Debian: apt-get install webkit2gtk-driver xvfb)."


class WebKit(Driver):
    name = "WebKitGTK"

    def __init__(self, port: int, browser: str, arguments: list[str]) -> None:
        self.said: list[str] = []
        self._port = port
        self._now = ""
        options = {"binary": browser, "args": ["--automation", "--ignore-tls-errors", *arguments]}
        wanted = {"acceptInsecureCerts": True, "webkitgtk:browserOptions": options}
        found = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._session = f"/session/{found['sessionId']}"
        self.version = str(found["capabilities"].get("browserVersion", ""))
        self.ask("POST", "/timeouts", {"script": int(PATIENCE * 1000), "pageLoad": int(PATIENCE * 1000)})
        self.main = self._now = str(self.ask("GET", "/window"))

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        line = http.client.HTTPConnection("127.0.0.1", self._port, timeout=3 * PATIENCE)
        try:
            line.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
            answer = line.getresponse()
            found = json.loads(answer.read() or b"{}").get("value")
        except (OSError, http.client.HTTPException) as problem:
            raise Gone(f"{method} {path}: {problem}") from problem
        finally:
            line.close()
        if answer.status >= 400:
            raise Gone(f"{method} {path}: {found.get('error')} {found.get('message', '')[:300]}")
        return found

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._send(method, self._session + path, {} if body is None and method == "POST" else body)

    def _look_at(self, window: str | None) -> None:
        wanted = window or self.main
        if wanted != self._now:
            self._now = ""
            self.ask("POST", "/window", {"handle": wanted})
            self._now = wanted

    def windows(self) -> list[str]:
        found = [str(one) for one in self.ask("GET", "/window/handles")]
        return [self.main, *(one for one in found if one != self.main)] if self.main in found else found

    def goto(self, address: str, window: str | None = None) -> None:
        self._look_at(window)
        self.ask("POST", "/url", {"url": address})

    def run(self, function: str, *given: Any, window: str | None = None) -> Any:
        self._look_at(window)
        script = (
            "const done = arguments[arguments.length - 1];"
            f"Promise.resolve().then(() => ({function})(...JSON.parse(arguments[0])))"
            ".then((found) => done(JSON.stringify(found ?? null)), (problem) => done(JSON.stringify({threw: String(problem)})));"
        )
        found = json.loads(
            self.ask("POST", "/execute/async", {"script": script, "args": [json.dumps(given)]}) or "null"
        )
        if isinstance(found, dict) and "threw" in found:
            raise Gone(found["threw"])
        return found

    def click_at(self, x: float, y: float, window: str | None = None) -> None:
        self._look_at(window)
        steps = [
            {"type": "pointerMove", "duration": 0, "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        pointer = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": steps}
        try:
            self.ask("POST", "/actions", {"actions": [pointer]})
        except Gone:
            """A click that closes the window can not be acknowledged by it; whoever waits for its effect will see."""
            self._now = ""

    def click_in_frame(self, frame: str, selector: str) -> None:
        self._look_at(None)
        found = self.ask("POST", "/element", {"using": "css selector", "value": frame})
        self.ask("POST", "/frame", {"id": found})
        try:
            self.until("something to click in the frame", lambda: self.run(WHERE, selector))
            inner = self.ask("POST", "/element", {"using": "css selector", "value": selector})
            self.ask("POST", f"/element/{inner[ELEMENT]}/click")
        finally:
            self.ask("POST", "/frame", {"id": None})

    def close(self) -> None:
        try:
            self.ask("DELETE", "")
        except Gone:
            """It has gone already."""


@contextmanager
def running(*, prevention: bool = True, arguments: tuple[str, ...] = ()) -> Iterator[WebKit]:
    """A MiniBrowser with ``prevention`` of tracking or without.

    Raises:
        Unable: something that it needs is not here.
    """
    driver = shutil.which("WebKitWebDriver")
    browser = next((str(found) for one in BROWSERS for found in Path("/").glob(one.lstrip("/"))), None)
    if driver is None or browser is None or shutil.which("Xvfb") is None:
        raise Unable(MISSING)
    before = with_names()
    with ExitStack() as stack:
        screen = stack.enter_context(invisible_screen())
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home = {"DISPLAY": screen, "GDK_BACKEND": "x11", "LIBGL_ALWAYS_SOFTWARE": "1", "NO_AT_BRIDGE": "1"}
        process = stack.enter_context(
            subprocess.Popen(
                [*before, driver, f"--port={port}"],
                env={**os.environ, **home},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        )
        stack.callback(process.kill)
        wait_for(process, port)
        started = WebKit(port, browser, ["--enable-itp", *arguments] if prevention else list(arguments))
        stack.callback(started.close)
        yield started


@contextmanager
def invisible_screen() -> Iterator[str]:
    """An X server without a screen; it chooses a number and says which."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1000x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(
        command, pass_fds=(writing,), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        os.close(writing)
        try:
            with os.fdopen(reading) as told:
                number = told.readline().strip()
            if not number:
                raise Unable("Xvfb did not start.")
            yield f":{number}"
        finally:
            process.terminate()


def wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Unable("WebKitWebDriver did not start.")

"""Chromium by its own protocol (CDP), started by ourselves: no switch of a test tool's changes what it does with cookies."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from queue import Empty, Queue
from threading import Lock, Thread
from typing import Any

from tests.browser.firefox import WebSocket
from tests.matrix import names
from tests.matrix.driver import PATIENCE, WHERE, Driver, Gone, Unable

ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-quic",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--ignore-certificate-errors",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
    "--window-size=1000,800",
)
CENTRE = """(selector) => { const {left, top} = document.querySelector(selector).getBoundingClientRect(); return [left, top]; }"""


class Refused(Gone):
    """The browser did not do what it was told, mostly because what it was about is gone."""


class Chromium(Driver):
    name = "Chromium"

    def __init__(self, port: int, path: str) -> None:
        self.said: list[str] = []
        self._numbers = count(1)
        self._waiting: dict[int, Queue[dict[str, Any]]] = {}
        self._sessions: dict[str, str] = {}
        self._lock = Lock()
        self._line = WebSocket(port, path)
        self._ear = Thread(target=self._listen, name="chromium", daemon=True)
        self._ear.start()
        end = time.monotonic() + PATIENCE
        while not (found := self._pages()) and time.monotonic() < end:
            time.sleep(0.05)
        self.main = found[0]

    def _listen(self) -> None:
        while True:
            try:
                message = json.loads(self._line.receive())
            except (EOFError, OSError, ValueError):
                return
            if waiting := self._waiting.pop(message.get("id", 0), None):
                waiting.put(message)
            elif message.get("method") == "Log.entryAdded":
                entry = message["params"]["entry"]
                self.said.append(f"{entry['level']}: {entry['text']} ({entry.get('url', '')})")

    def ask(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answers: Queue[dict[str, Any]] = Queue()
        self._waiting[number] = answers
        message = {"id": number, "method": method, "params": parameters, **({"sessionId": session} if session else {})}
        with self._lock:
            self._line.send(json.dumps(message))
        try:
            found = answers.get(timeout=PATIENCE)
        except Empty:
            raise Refused(f"{method}: no answer") from None
        if "error" in found:
            raise Refused(f"{method}: {found['error'].get('message')}")
        result: dict[str, Any] = found["result"]
        return result

    def _pages(self) -> list[str]:
        found = self.ask("Target.getTargets")["targetInfos"]
        return [one["targetId"] for one in found if one["type"] == "page"]

    def session(self, window: str | None) -> str:
        target = window or self.main
        if target not in self._sessions:
            self._sessions[target] = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            self.ask("Log.enable", self._sessions[target])
        return self._sessions[target]

    def windows(self) -> list[str]:
        found = self._pages()
        return [self.main, *(one for one in found if one != self.main)] if self.main in found else found

    def goto(self, address: str, window: str | None = None) -> None:
        session = self.session(window)
        self.ask("Page.enable", session)
        self.ask("Page.navigate", session, url=address)
        self.until(
            f"the loading of {address}",
            lambda: self.run(
                "() => document.readyState === 'complete' && location.href !== 'about:blank'", window=window
            ),
        )

    def run(self, function: str, *given: Any, window: str | None = None) -> Any:
        answer = self.ask(
            "Runtime.evaluate",
            self.session(window),
            expression=f"({function})(...{json.dumps(given)})",
            awaitPromise=True,
            returnByValue=True,
            userGesture=False,
        )
        if "exceptionDetails" in answer:
            raise Gone(answer["exceptionDetails"].get("exception", {}).get("description", "threw"))
        return answer["result"].get("value")

    def click_at(self, x: float, y: float, window: str | None = None) -> None:
        session = self.session(window)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            button = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
            self.ask("Input.dispatchMouseEvent", session, type=kind, x=x, y=y, **button)

    def click_in_frame(self, frame: str, selector: str) -> None:
        """By where it is: the inner document is asked for its place in the frame, over a session of its own."""
        left, top = self.run(CENTRE, frame)
        inner = next(one["targetId"] for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "iframe")
        x, y = self.until("something to click in the frame", lambda: self.run(WHERE, selector, window=inner))
        self.click_at(left + x, top + y)

    def permit_storage_access(self, viewer: str, library: str) -> None:
        """As if the person had said yes to the library's wish for its cookies on the viewer's pages."""
        permission = {"name": "storage-access"}
        self.ask(
            "Browser.setPermission", permission=permission, setting="granted", origin=viewer, embeddedOrigin=library
        )

    def close(self) -> None:
        with suppress(Gone):
            self.ask("Browser.close")
        self.let_go()

    def let_go(self) -> None:
        """Give back what the line to the browser took."""
        self._line.close()
        self._ear.join(PATIENCE)
        self._line.release()


@contextmanager
def running(cookies: int | None = None, arguments: tuple[str, ...] = ()) -> Iterator[Chromium]:
    """A Chromium without a screen. ``cookies``: 0 allows those of third parties, 1 blocks them, ``None`` leaves Debian's choice.

    Raises:
        Unable: it is not installed.
    """
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        raise Unable("Chromium is not installed (Debian: apt-get install chromium).")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as folder:
        if cookies is not None:
            (Path(folder) / "Default").mkdir()
            preferences = {"profile": {"cookie_controls_mode": cookies}}
            (Path(folder) / "Default" / "Preferences").write_text(json.dumps(preferences), encoding="utf-8")
        rules = ",".join(f"MAP {name} 127.0.0.1" for name in names.ALL)
        own = (f"--user-data-dir={folder}", f"--host-resolver-rules={rules}")
        command = [program, *ARGUMENTS, *own, *arguments, "about:blank"]
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                port, path = told(process, Path(folder) / "DevToolsActivePort")
                browser = Chromium(port, path)
                try:
                    yield browser
                except BaseException:
                    browser.let_go()
                    raise
                browser.close()
                process.wait(timeout=PATIENCE)
            finally:
                process.kill()


def told(process: subprocess.Popen[bytes], place: Path) -> tuple[int, str]:
    """Where it listens: it takes a free port and writes down which."""
    end = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < end and process.poll() is None:
        lines = place.read_text(encoding="utf-8").split() if place.exists() else []
        if len(lines) == 2:
            return int(lines[0]), lines[1]
        time.sleep(0.05)
    raise Unable("Chromium did not start.")

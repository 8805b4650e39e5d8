"""Runs the scripts of a page where they have nothing but a make-believe window, and tells what they would say to whom.

The page may belong to anybody: it gets a little memory, a little time, no network, and a process of its own.
"""

from __future__ import annotations

import atexit
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Timer
from typing import Any

from iiif_auth.conformance.pages import Page, Policy, Script

MISSING = "The page's script can not be run without quickjs: pip install 'django-iiif-auth[conformance]'."
PATIENCE = 6.0
"""Seconds until a page is given up that its interpreter could not stop."""


class CannotRun(Exception):
    """There is no interpreter; says how to get one."""


@dataclass(frozen=True, slots=True)
class Posted:
    """One call of ``postMessage``. ``target`` is ``None`` where none was named, and ``kind`` what JavaScript calls the type."""

    to: str
    kind: str
    message: Any
    target: str | None


@dataclass(frozen=True, slots=True)
class Played:
    """What came of the scripts of a page. ``refused`` counts those that its own policy forbids."""

    posted: tuple[Posted, ...]
    closed: bool
    errors: tuple[str, ...] = ()
    refused: int = 0


def available() -> bool:
    return find_spec("quickjs") is not None


def play(page: Page, policy: Policy | None = None, fetch: Callable[[str], str | None] | None = None) -> Played:
    """Run a page's scripts in order, then its events and timers, at once.

    ``fetch`` gives the text of a script that stands in a file of its own, or ``None`` to do without it; ``policy`` is the page's
    Content-Security-Policy, and a script that it forbids does not run, as in a browser.

    Raises:
        CannotRun: quickjs is not installed.
    """
    if not available():
        raise CannotRun(MISSING)
    allowed = [one for one in page.scripts if policy is None or policy.allows(one, page.url)]
    ordered = sorted(allowed, key=lambda one: one.module)  # modules wait until the page is read
    texts = [(one, _text(one, fetch)) for one in ordered]
    inline = policy is None or policy.allows(Script(text=""), page.url)
    told = _process.asked(
        {
            "page": {"url": page.url, "inline": inline, "elements": [asdict(one) for one in page.elements]},
            "scripts": [{"text": text, "module": one.module} for one, text in texts if text],
        }
    )
    posted = tuple(Posted(**one) for one in told["posted"])
    return Played(posted, bool(told["closed"]), tuple(told["errors"]), len(page.scripts) - len(allowed))


def _text(script: Script, fetch: Callable[[str], str | None] | None) -> str:
    if not script.source:
        return script.text
    return (fetch(script.source) if fetch else None) or ""


class _Process:
    """The process of :mod:`iiif_auth.conformance.sandbox`, started when it is needed and ended when it does not come back."""

    def __init__(self) -> None:
        self.running: subprocess.Popen[str] | None = None
        self.lock = Lock()

    def asked(self, page: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            process = self._started()
            timer = Timer(PATIENCE, process.kill)
            timer.start()
            try:
                line = _said(process, json.dumps(page))
            finally:
                timer.cancel()
                timer.join()
            if not line:
                self._end()
                return {"posted": [], "closed": False, "errors": ["It did not come to an end."]}
            found: dict[str, Any] = json.loads(line)
            return found

    def end(self) -> None:
        with self.lock:
            self._end()

    def _started(self) -> subprocess.Popen[str]:
        if self.running is None:
            command = [sys.executable, "-P", str(Path(__file__).with_name("sandbox.py"))]
            self.running = subprocess.Popen(  # noqa: S603 - this very Python, with a file of ours
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
            )
        return self.running

    def _end(self) -> None:
        process, self.running = self.running, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            _close(pipe)
        process.wait()


def _said(process: subprocess.Popen[str], line: str) -> str:
    """The answer to a line; empty if the process is no more."""
    ears, mouth = process.stdin, process.stdout
    if ears is None or mouth is None:
        return ""
    try:
        ears.write(f"{line}\n")
        ears.flush()
        return str(mouth.readline())
    except OSError:
        return ""


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except OSError:  # what it still held can not be written to a process that is no more
        return


_process = _Process()
atexit.register(_process.end)

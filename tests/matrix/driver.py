"""One interface to three browsers: windows, scripts that count as nobody's gesture, and clicks that browsers trust."""

from __future__ import annotations

import os
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from tests.matrix import names

PATIENCE = float(os.environ.get("MATRIX_PATIENCE", "60"))
"""Seconds for anything to come true, on a machine that has other things to do."""

WHERE = """(selector) => {
    const found = document.querySelector(selector);
    if (!found || found.disabled || document.readyState !== "complete") return null;
    found.scrollIntoView({block: "center"});
    const {left, top, width, height} = found.getBoundingClientRect();
    return width && innerWidth ? [left + width / 2, top + height / 2] : null;
}"""
"""The middle of something that can be clicked. A page still loading may yet move it, or disable it for a moment."""

SETTLED = 0.15
"""Seconds in which something to be clicked must stay where it is: a window that has just opened may still be growing."""


class Unable(Exception):
    """A browser that is not here, or can not be made to do what a test needs; its words say why."""


class Late(AssertionError):
    """What was waited for did not come true."""


class Driver(ABC):
    """A browser with a profile of its own. A window is called by whatever name its driver gives it."""

    name = ""
    main: str
    said: list[str]

    @abstractmethod
    def windows(self) -> list[str]:
        """The windows and tabs there are; the viewer's own first."""

    @abstractmethod
    def goto(self, address: str, window: str | None = None) -> None:
        """Navigate, and wait until the page has loaded. ``None`` is the viewer's window here and below."""

    @abstractmethod
    def run(self, function: str, *given: Any, window: str | None = None) -> Any:
        """What a function in the page returns, or its promise resolves to. It is nobody's gesture.

        Raises:
            Gone: the window or its page is not there, or not any more.
        """

    @abstractmethod
    def click_at(self, x: float, y: float, window: str | None = None) -> None:
        """A click at a point of the window, which pages can not tell from a person's."""

    @abstractmethod
    def click_in_frame(self, frame: str, selector: str) -> None:
        """A click on something in a frame of another site in the viewer's window."""

    @abstractmethod
    def close(self) -> None:
        """End the browser."""

    # -- made of these

    def until(self, what: str, found: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """The first answer of ``found`` that is one.

        Raises:
            Late: there was none in time.
        """
        end = time.monotonic() + patience
        while True:
            try:
                if answer := found():
                    return answer
            except Gone:
                pass
            if time.monotonic() > end:
                raise Late(f"{self.name}: {what} did not come true; {self.situation()}")
            time.sleep(0.05)

    def situation(self) -> str:
        found = []
        for window in self.windows():
            try:
                found.append(self.run("() => `${location.href} “${document.title}”`", window=window))
            except Gone:
                found.append("(gone)")
        return f"windows: {found}; said: {self.said[-5:]}"

    def click(self, selector: str, window: str | None = None) -> None:
        x, y = self.until(f"something to click at {selector}", lambda: self._settled(selector, window))
        self.click_at(x, y, window)

    def _settled(self, selector: str, window: str | None) -> Any:
        first = self.run(WHERE, selector, window=window)
        if first is None:
            return None
        time.sleep(SETTLED)
        return first if self.run(WHERE, selector, window=window) == first else None

    def there(self, selector: str, window: str | None = None) -> bool:
        return bool(self.run("(selector) => document.querySelector(selector) !== null", selector, window=window))

    def new_window(self, before: Sequence[str]) -> str:
        """The window that was not there before."""
        found = self.until("a new window", lambda: [one for one in self.windows() if one not in before])
        return str(found[0])

    def alone(self) -> None:
        """Wait until the viewer's window is the only one."""
        self.until("the end of every other window", lambda: len(self.windows()) == 1)


class Gone(Exception):
    """A window or a page that is not there, or is being replaced by the next."""


@cache
def with_names() -> tuple[str, ...]:
    """What to put before a command so that it knows our names, without a word to the rest of the machine.

    Raises:
        Unable: this machine can not.
    """
    lines = "".join(f"127.0.0.1 {name}\\n" for name in names.ALL)
    script = (
        f'set -e; hosts="$(mktemp)"; cat /etc/hosts > "$hosts"; printf "{lines}" >> "$hosts"; '
        'mount --bind "$hosts" /etc/hosts; rm "$hosts"; exec "$@"'
    )
    before = ("unshare", "--mount", "sh", "-c", script, "with-names")
    tried = subprocess.run([*before, "getent", "hosts", names.LIBRARY], capture_output=True, check=False)
    if tried.returncode:
        raise Unable("A process can not be given names of its own here (unshare --mount, as root).")
    return before

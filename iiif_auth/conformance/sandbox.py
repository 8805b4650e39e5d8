"""The process in which scripts of pages run, apart from everything: one page comes in on a line, what it did goes out on a line.

It is started by :mod:`iiif_auth.conformance.script` as a file of its own, and imports nothing of this package. A regular
expression can keep the interpreter busy for ever, and only an end to the process is an end to that.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

MEMORY = 64 * 1024 * 1024
STACK = 512 * 1024
SECONDS = 2
STEPS = 300
"""Deeds put off (timers, events, promises) that are carried out."""


class Stage:
    """An interpreter with a make-believe window in it."""

    def __init__(self, quickjs: Any, page: Mapping[str, Any], window: str) -> None:
        self.quickjs = quickjs
        self.errors: list[str] = []
        self.until = time.monotonic() + SECONDS
        self.context = quickjs.Context()
        self.context.set_memory_limit(MEMORY)
        self.context.set_max_stack_size(STACK)
        self.context.set_time_limit(SECONDS)
        # What comes back is held here and is not in the window, so the page can not reach it.
        self.deed = self.context.eval(window)(self.context.parse_json(json.dumps(page)))

    def run(self, text: str, *, module: bool) -> None:
        """A module's names are its own; a plain script's are everybody's."""
        self.carefully(self.context.eval, f"(() => {{'use strict';\n{text}\n}})();" if module else text)
        self.keep_promises()

    def finish(self) -> None:
        self.carefully(self.deed, "loaded")
        for _ in range(STEPS):
            if not self.deed("waits") or self.late:
                return
            self.carefully(self.deed, "next")
            self.keep_promises()

    @property
    def late(self) -> bool:
        return time.monotonic() > self.until

    def keep_promises(self) -> None:
        for _ in range(STEPS):
            if self.late or not self.carefully(self.context.execute_pending_job):
                return

    def carefully(self, deed: Callable[..., Any], *given: str) -> Any:
        """Do it; a script that fails is noted, and the next one runs, as in a browser."""
        if self.late:
            return None
        try:
            return deed(*given)
        except (self.quickjs.JSException, MemoryError) as error:
            self.errors.append(" ".join(str(error).split())[:200] or "It took too much memory.")
        return None


def played(quickjs: Any, asked: Mapping[str, Any], window: str) -> dict[str, Any]:
    """What the scripts of a page did, in order, with its events and timers at once."""
    stage = Stage(quickjs, asked["page"], window)
    for script in asked["scripts"]:
        stage.run(script["text"], module=script["module"])
    stage.finish()
    return {**json.loads(stage.deed("told")), "errors": stage.errors}


def serve() -> None:
    quickjs = import_module("quickjs")  # this file is read, by tools and tests, where it is not installed
    window = Path(__file__).with_name("window.js").read_text(encoding="utf-8")
    for line in sys.stdin:
        try:
            answer = played(quickjs, json.loads(line), window)
        except (quickjs.JSException, MemoryError, ValueError) as error:
            answer = {"posted": [], "closed": False, "errors": [" ".join(str(error).split())[:200]]}
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()

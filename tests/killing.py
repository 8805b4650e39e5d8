"""Killing a process of our own at random moments of its work, aimed at every part of its length."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

SHORTER, LONGER, UNKNOWN = 0.9, 1.06, 1.6
"""What the window is multiplied by after a work that was over, one that was not, and until one has got anywhere at all. About
one of three is let finish.
"""

Work = Callable[[Callable[[], None]], None]
"""Does it, and calls what it is given when it begins."""


@dataclass
class Aim:
    """When to kill: somewhere from the beginning to a little beyond the end, wherever on this machine that is just now."""

    window: float
    chance: random.Random
    is_known: bool = False

    def seconds(self) -> float:
        return self.chance.uniform(0, self.window)

    def learn(self, *, begun: bool, over: bool) -> None:
        """After a point: whether anything was done by then, and whether everything was."""
        self.is_known = self.is_known or begun
        self.window *= SHORTER if over else LONGER if self.is_known else UNKNOWN


def started(work: Work) -> int:
    """The process of a work that has just begun: a copy of this one, which saves a second each."""
    from django.db import connection

    connection.close()
    heard, told = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        try:
            work(lambda: os.write(told, b"b") and None)
        finally:
            os._exit(0)
    os.close(told)
    assert os.read(heard, 1) == b"b"
    os.close(heard)
    return pid


def killed_after(seconds: float | None, work: Work) -> float:
    """Kill a work so long after it began, or let it finish; how long it took from there."""
    pid, begun = started(work), time.monotonic()
    if seconds is not None:
        time.sleep(seconds)
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    took = time.monotonic() - begun
    left_alone()
    return took


def left_alone() -> None:
    """Wait until the server of the database has noticed: a commit that it was told of before the kill, it still does."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    with connection.cursor() as cursor:
        for _ in range(600):
            cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {others}")  # noqa: S608
            if cursor.fetchone() == (0,):
                break
            time.sleep(0.02)
    connection.close()

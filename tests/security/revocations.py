"""Is anything delivered after it was taken away?

    python -m tests.security.revocations --rounds 10000 --seed 1 [--postgres] [--twin]

Three processes serve one database. In each round somebody has access at four doors (content by cookie and by the cookie's twin,
probe by token, a signed address) of all three; then it is taken away in one of the ways of :mod:`tests.security.revoking.kinds`,
through one of the processes or by a fourth, while an oracle keeps asking. Every answer to a question that was put after the
write had returned must be a no. With ``--twin`` one of the processes remembers for a second, and must be caught.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.security.revoking.campaign import Figures

EVERY = 30.0
"""Seconds between two lines of progress."""


@contextmanager
def database(*, postgres: bool) -> Iterator[str]:
    if postgres:
        from tests.postgres.cluster import cluster

        with cluster() as found:
            yield found.url
        return
    with tempfile.TemporaryDirectory(prefix="iiif-auth-revocations-") as folder:
        yield f"sqlite:///{Path(folder) / 'site.sqlite3'}"


class Progress:
    """A line every half minute."""

    def __init__(self, rounds: int) -> None:
        self.rounds, self.begun, self.told = rounds, time.monotonic(), time.monotonic()

    def __call__(self, found: Figures) -> None:
        now = time.monotonic()
        if now - self.told >= EVERY or found.whole >= self.rounds:
            self.told = now
            pace = found.whole / (now - self.begun)
            late = found.late.total()
            print(f"{found.whole:6} of {self.rounds} rounds, {pace:5.1f}/s, {late} late", file=sys.stderr, flush=True)


def table(found: Figures) -> str:
    lines = [f"{'what ended it':34} {'rounds':>7} {'late':>5} {'slowest write, ms':>18}"]
    lines += [
        f"{kind:34} {count:7} {found.late[kind]:5} {found.slowest[kind] * 1000:18.1f}"
        for kind, count in sorted(found.rounds.items())
    ]
    lines.append(f"{'in all':34} {found.whole:7} {found.late.total():5}")
    lines.append(f"{found.asked} questions after a write, {found.meanwhile} while it was made")
    return "\n".join(lines)


def summary(found: Figures) -> dict[str, int]:
    return {
        "rounds": found.whole,
        "kinds": len(found.rounds),
        "late": found.late.total(),
        "asked": found.asked,
        "first_late": found.first_late,
    }


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.revocations", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgres", action="store_true", help="on a private PostgreSQL instead of SQLite")
    parser.add_argument(
        "--twin", action="store_true", help="one process remembers for a second; ends once it is caught"
    )
    parser.add_argument("--json", action="store_true", help="figures as one line of JSON")
    given = parser.parse_args(words)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that servers and folders go too
    with database(postgres=given.postgres) as url:
        os.environ |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.security.revoking.settings"}
        found = _run(given)
    print(json.dumps(summary(found)) if given.json else table(found))
    return int((found.late.total() == 0) == given.twin)


def _run(given: argparse.Namespace) -> Figures:
    import django

    django.setup()
    from django.db import connections

    from tests.security.revoking import campaign
    from tests.tables import made_ready

    made_ready()
    told = Progress(given.rounds)
    try:
        return campaign.run(given.rounds, given.seed, twin=given.twin, until_late=given.twin, told=told)
    finally:
        connections.close_all()


if __name__ == "__main__":
    sys.exit(main())

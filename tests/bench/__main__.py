"""What a request costs, as a ratio to an empty view on the same server in the same run (speed.md, sections 1 and 7).

    python -m tests.bench              SQLite, in process and over gunicorn
    python -m tests.bench --postgres   the same on a private PostgreSQL; DATABASE_URL names another one

Nothing is asserted: machines differ. Ratios are the medians of paired rounds, taken forwards and backwards.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from tests.bench.servers import Ask, Clock, gunicorn, in_process
from tests.bench.target import Target


def measured(ask: Ask, clock: Clock, targets: list[Target], rounds: int, calls: int, what: str) -> dict[str, list[int]]:
    """Nanoseconds a call, for each target and round."""
    for target in targets:
        for _ in range(20):
            answered = ask(target)
            if answered != target.status:
                raise RuntimeError(f"{target.name} answered {answered}, not {target.status}.")
    costs: dict[str, list[int]] = {target.name: [] for target in targets}
    for number in range(rounds):
        print(f"\r{what}: round {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
        spent = dict.fromkeys(costs, 0)
        for target in (*targets, *reversed(targets)):
            before = clock()
            for _ in range(calls // 2):
                ask(target)
            spent[target.name] += clock() - before
        for name, cost in spent.items():
            costs[name].append(cost // (calls // 2 * 2))
    print(file=sys.stderr)
    return costs


def table(what: str, costs: dict[str, list[int]], goals: dict[str, float | None]) -> None:
    empty = next(iter(costs.values()))
    print(f"\n{what}\n{'':20}{'µs':>8}{'ratio':>8}{'least':>8}{'goal':>8}")
    for name, found in costs.items():
        ratio = median(cost / base for cost, base in zip(found, empty, strict=True))
        goal = goals.get(name)
        wanted = f"{goal:8.1f}" if goal else ""
        print(f"{name:20}{median(found) / 1000:8.0f}{ratio:8.2f}{min(found) / min(empty):8.2f}{wanted}")


@contextmanager
def database(postgres: bool) -> Iterator[list[int]]:
    """A new database in ``DATABASE_URL``; the processes whose work counts with the site's."""
    with ExitStack() as stack:
        if postgres and "DATABASE_URL" not in os.environ:
            from tests.postgres.cluster import cluster

            server = stack.enter_context(cluster())
            os.environ["DATABASE_URL"] = server.url
            yield [server.process.pid]
        elif postgres:
            yield []
        else:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            os.environ["DATABASE_URL"] = f"sqlite:///{Path(folder) / 'bench.sqlite3'}"
            yield []


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench", description="What requests cost, as ratios.")
    options.add_argument("--rounds", type=int, default=11)
    options.add_argument("--calls", type=int, default=400, help="of each request in each round")
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--in-process-only", action="store_true")
    given = options.parse_args()
    with database(given.postgres) as besides:
        run(given, besides)


def run(given: argparse.Namespace, besides: list[int]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
    import django

    from tests.tables import made_ready

    django.setup()
    from tests.bench.site import fill

    made_ready()
    targets = fill()
    what = "PostgreSQL" if given.postgres else "SQLite"
    print(f"Python {platform.python_version()}, Django {django.__version__}, {what}; {' '.join(sys.argv[1:])}")
    ask, clock = in_process()
    costs = measured(ask, clock, targets, given.rounds, given.calls, "in process")
    table(f"in process, {what}", costs, {target.name: target.in_process for target in targets})
    if not given.in_process_only:
        with gunicorn(besides) as (ask, clock):
            costs = measured(ask, clock, targets, given.rounds, given.calls, "gunicorn")
        table(f"gunicorn sync, one worker, {what}", costs, {target.name: target.served for target in targets})


if __name__ == "__main__":
    main()

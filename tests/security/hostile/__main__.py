"""Hostile requests against every way of delivering content; see the package.

It ends with 1 if anybody got what they may not have, if somebody did not get what they may, or if a twin was not found; with 2
if a program is missing. Interrupted, it tells what was seen so far.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import pytest

from tests.security.hostile.campaign import LANES, Campaign, Hit, blind, table
from tests.security.hostile.shrinking import keep
from tests.security.hostile.stacks import BY_HAND, MODES, running
from tests.security.hostile.twins import TWINS, Twin

MOST_TOLD = 10


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.security.hostile", description=__doc__)
    every = [*MODES, *BY_HAND]
    parser.add_argument("--count", type=int, default=100_000, help="how many requests (default: 100,000)")
    parser.add_argument("--seed", type=int, default=1, help="other requests for another number (default: 1)")
    parser.add_argument(
        "--modes", nargs="+", choices=every, metavar="MODE", default=every, help=f"of {', '.join(every)}"
    )
    parser.add_argument("--lanes", type=int, default=LANES, help=f"how many ask at once (default: {LANES})")
    parser.add_argument("--twins", action="store_true", help="attack the broken twins instead")
    parser.add_argument("--only", nargs="+", metavar="TWIN", help="of the twins, these")
    parser.add_argument("--keep", action="store_true", help="add what gets through to the corpus of findings")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    given = options(arguments)
    try:
        return _twins(given) if given.twins else _campaign(given)
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        print(missing.msg)
        return 2


def _campaign(given: argparse.Namespace) -> int:
    wanted = [(MODES | BY_HAND)[name] for name in given.modes]
    with running(wanted) as run:
        campaign = Campaign(run, given.seed)
        started = time.monotonic()
        tally = campaign.go(given.count, lanes=given.lanes, progress=True)
        took = time.monotonic() - started
        print(table(tally, run.places))
        print(
            f"{tally.requests:,} requests in {took:,.0f} seconds, {tally.requests / took:,.0f} a second; seed {given.seed}."
        )
        problems = blind(tally, run.places)
        for problem in problems:
            print(problem)
        _tell(campaign, tally.hits, given)
    print(f"{len(tally.hits)} answers gave somebody what they may not have.")
    return 1 if tally.hits or problems else 0


def _tell(campaign: Campaign, hits: list[Hit], given: argparse.Namespace) -> None:
    for hit in hits[:MOST_TOLD]:
        print(hit)
        line = campaign.told(hit)
        print(f"    {line}")
        if given.keep:
            keep(line)


def _twins(given: argparse.Namespace) -> int:
    twins = [twin for twin in TWINS if not given.only or twin.name in given.only]
    if not twins:
        print(f"There is no such twin; there are {', '.join(twin.name for twin in TWINS)}.")
        return 1
    missed = 0
    with running([twin.wanted for twin in twins]) as run:
        for twin, place in zip(twins, run.places, strict=True):
            campaign = Campaign(run, given.seed, places=[place], until_found=True)
            tally = campaign.go(twin.budget, lanes=given.lanes)
            print(_told(twin, tally.requests, bool(tally.hits)))
            missed += not tally.hits
            _tell(campaign, tally.hits[:1], given)
    print(f"{len(twins) - missed} of {len(twins)} broken twins were found.")
    return 1 if missed else 0


def _told(twin: Twin, requests: int, found: bool) -> str:
    verdict = f"found within {requests:,} requests" if found else "NOT FOUND"
    return f"{twin.name} ({twin.story}): {verdict}, of {twin.budget:,} allowed."


if __name__ == "__main__":
    sys.exit(main())

"""Killed in the middle, changes of many rows are whole or not there, and jobs go on where they were."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def ran(*more: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.bulk.killed", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_nothing_is_left_between_and_every_job_comes_to_its_end():
    found = ran("--points", "16", "--seed", "7", "--rows", "120")
    assert not [name for name in found if name.endswith("between")], found
    assert sum(found.values()) >= 16
    assert {name.partition(":")[0] for name in found} >= {"at once", "job"}


def test_without_transactions_it_would_be():
    found = ran("--points", "16", "--seed", "1", "--rows", "120", "--twin")
    assert [name for name in found if name.endswith("between")], found

"""Killed in the middle, an import leaves the old state or the new one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def ran(*more: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.exchange.killed", *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_an_import_that_is_killed_leaves_the_old_state_or_the_new_one():
    found = ran("--points", "20", "--seed", "7", "--rows", "100")
    assert set(found) <= {"before", "after"}
    assert sum(found.values()) == 20
    assert found["before"] > 0


def test_without_a_transaction_it_would_not():
    assert ran("--points", "4", "--seed", "1", "--rows", "100", "--twin").get("between", 0) > 0

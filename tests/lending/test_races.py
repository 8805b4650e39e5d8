"""Eight readers and two copies at the same instant, on SQLite; ``tests/postgres`` does the same on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def raced(url: str, rounds: int, *words: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.lending.races", str(rounds), *words]
    environment = {**os.environ, "DATABASE_URL": url}
    found = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, check=True, capture_output=True, text=True
    )
    return json.loads(found.stdout)


def test_never_more_copies_are_out_than_there_are(tmp_path):
    found = raced(f"sqlite:///{tmp_path / 'races.sqlite3'}", 20)
    assert {**found, "lent": 0} == {"rounds": 20, "too many": 0, "lent": 0, "failed": 0}
    assert 20 < found["lent"] <= 40


def test_the_race_would_find_a_counter_at_which_nobody_waits_for_the_other(tmp_path):
    found = raced(f"sqlite:///{tmp_path / 'races.sqlite3'}", 8, "twin")
    assert found["too many"] + found["failed"] > 0

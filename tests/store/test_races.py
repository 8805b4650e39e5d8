"""Two people's clicks at the same instant, on SQLite; ``tests/postgres`` does the same on PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def raced(url: str, rounds: int, *words: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.store.races", str(rounds), *words]
    environment = {**os.environ, "DATABASE_URL": url}
    found = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=environment, check=True, capture_output=True, text=True
    )
    return json.loads(found.stdout)


def test_no_token_outlives_a_logout(tmp_path):
    found = raced(f"sqlite:///{tmp_path / 'races.sqlite3'}", 100)
    assert {**found, "drawn": 0} == {"rounds": 100, "outlived": 0, "failed": 0, "drawn": 0}
    assert 0 < found["drawn"] < 100


def test_the_race_would_find_one_who_does_not_take_hold_of_the_pass(tmp_path):
    found = raced(f"sqlite:///{tmp_path / 'races.sqlite3'}", 60, "twin")
    assert found["outlived"] + found["failed"] > 0

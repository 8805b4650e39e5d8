"""Taken away at one process, felt at every other at once (security K5, G5): the campaign of ``revocations.py``, in short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.security.revoking.asking import DOORS
from tests.security.revoking.kinds import KINDS

ROOT = Path(__file__).resolve().parents[2]


def campaign(*words: str) -> dict[str, int]:
    command = [sys.executable, "-m", "tests.security.revocations", "--json", *words]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout + found.stderr[-3000:]
    return json.loads(found.stdout)


def test_nothing_is_delivered_after_it_was_taken_away():
    rounds = 2 * len(KINDS)  # of each one in each lane
    found = campaign("--rounds", str(rounds), "--seed", "1")
    assert (found["rounds"], found["late"]) == (rounds, 0)
    assert found["kinds"] == len(KINDS)
    assert found["asked"] >= rounds * 3 * len(DOORS)


def test_a_process_that_remembers_for_a_second_is_caught():
    found = campaign("--rounds", "60", "--seed", "1", "--twin")
    assert 1 <= found["first_late"] <= 20

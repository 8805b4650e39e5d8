"""The suites that touch the database, once more on PostgreSQL."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lending import test_races as lending_races
from tests.postgres.cluster import Cluster, binaries, cluster
from tests.store.test_races import raced

pytestmark = pytest.mark.postgres

ROOT = Path(__file__).parents[2]
SUITES = ("tests/models", "tests/store", "tests/http", "tests/enforce", "tests/security", "tests/postgres/suite")

ROWLESS = (
    "tests/security/test_hostile.py",
    "tests/security/test_origins.py",
    "tests/security/test_texts.py",
    "tests/security/test_tickets.py",
    "tests/security/test_tiers.py",
    "tests/enforce/test_imagepath.py",
    "tests/enforce/test_objects.py",
    "tests/enforce/test_scaled.py",
)
"""What would be the same on any database, or brings one of its own."""


@pytest.fixture(scope="module")
def server():
    missing = binaries() is None or importlib.util.find_spec("psycopg") is None
    if missing and os.environ.get("CI") == "true":
        pytest.fail("PostgreSQL and psycopg must be there in CI.")
    if missing:
        pytest.skip("needs PostgreSQL's programs and psycopg")
    with cluster() as found:
        yield found


def run_there(server: Cluster, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_", "CI"))}
    environment |= {"DATABASE_URL": server.url}
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, capture_output=True, text=True)


def test_everything_that_touches_rows_holds_on_postgresql(server):
    """Of the largest suites a part, another one each day; ``POSTGRES_PARTS=1`` runs all of them."""
    suites = [suite for suite in SUITES if (ROOT / suite).exists()]
    without = [f"--ignore={one}" for one in ROWLESS]
    options = ("-q", "-p", "no:cacheprovider", "-p", "no:cov", "-p", "tests.postgres.sampling")
    found = run_there(server, "pytest", *options, *without, *suites)
    assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]


def test_no_token_outlives_a_logout(server):
    found = raced(server.url, 200)
    assert {**found, "drawn": 0} == {"rounds": 200, "outlived": 0, "failed": 0, "drawn": 0}
    assert 0 < found["drawn"] < 200


def test_the_race_would_find_one_who_does_not_take_hold_of_the_pass(server):
    found = raced(server.url, 60, "twin")
    assert found["outlived"] + found["failed"] > 0


def test_never_more_copies_are_out_than_there_are(server):
    found = lending_races.raced(server.url, 30)
    assert {**found, "lent": 0} == {"rounds": 30, "too many": 0, "lent": 0, "failed": 0}
    assert 30 < found["lent"] <= 60
    assert lending_races.raced(server.url, 8, "twin")["too many"] > 0

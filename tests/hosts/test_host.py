"""The app in a site of somebody else's, from ``migrate`` to ``migrate zero``, in processes with that site's settings."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def host(tmp_path):
    """Runs a module of Python as the host; fails with all it said if it fails."""
    pytest.importorskip("corsheaders", reason="django-cors-headers is not installed")
    database = tmp_path / "host.sqlite3"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_", "DJANGO_"))}
    environment = {**kept, "HOST_DATABASE": str(database), "DJANGO_SETTINGS_MODULE": "tests.hosts.settings"}

    def run(*arguments: str) -> str:
        command = [sys.executable, "-W", "error", "-m", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run.database = database
    return run


def ours(database: Path) -> list[str]:
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT name FROM sqlite_master WHERE name LIKE '%iiif_auth%'").fetchall()
    connection.close()
    return sorted(name for (name,) in rows)


def test_it_can_be_put_in_and_taken_out_again_without_a_trace(host):
    host("django", "migrate", "--verbosity=0", "archive")
    host("django", "migrate", "--verbosity=0", "contenttypes")
    before = ours(host.database)
    host("django", "migrate", "--verbosity=0")
    host("django", "makemigrations", "--check", "--dry-run")
    assert "no issues" in host("django", "check", "--database", "default", "--fail-level", "WARNING")
    assert len(ours(host.database)) > 30
    host("django", "migrate", "--verbosity=0", "iiif_auth", "zero")
    assert ours(host.database) == before == []
    host("django", "migrate", "--verbosity=0")
    assert "no issues" in host("django", "check", "--database", "default")


def test_the_whole_story_is_true_there(host):
    told = host(
        "pytest", "tests/hosts/story.py", "--ds=tests.hosts.settings", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"
    )
    assert " passed" in told
    assert "skipped" not in told

"""Tables that are copied are those that migrations make."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from tests import tables
from tests.browser.demo import ROOT

MADE = "import django; django.setup(); from tests.tables import made_ready; made_ready()"
MIGRATED = (
    'import django; django.setup(); from django.core.management import call_command as do; do("migrate", verbosity=0)'
)


def made_by(script: str, file: Path) -> dict[str, list[tuple[object, ...]]]:
    """What a database holds after a script: its schema, triggers included, and what is in every table but times."""
    settings = {"DJANGO_SETTINGS_MODULE": "tests.security.revoking.settings", "DATABASE_URL": f"sqlite:///{file}"}
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **settings}, check=True)
    with closing(sqlite3.connect(file)) as found:
        schema = found.execute("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
        names = [name for kind, name, _ in schema if kind == "table"]
        held = {name: found.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}  # noqa: S608 - our own names
    held["django_migrations"] = [(app, name) for _, app, name, _ in held["django_migrations"]]
    return {"": sorted(schema, key=str), **held}


def test_what_is_copied_is_what_would_be_migrated(tmp_path: Path):
    migrated = made_by(MIGRATED, tmp_path / "migrated.sqlite3")
    made_by(MADE, tmp_path / "first.sqlite3")
    copied = made_by(MADE, tmp_path / "copied.sqlite3")
    assert copied.keys() == migrated.keys()
    assert {name for name in copied if copied[name] != migrated[name]} <= {"iiif_auth_epoch"}
    assert any(kind == "trigger" for kind, *_ in copied[""])


def test_another_migration_is_another_database(monkeypatch):
    before = tables.fingerprint()
    assert tables.fingerprint() == before
    real = Path.read_bytes
    last = sorted((ROOT / "iiif_auth" / "migrations").glob("0*.py"))[-1].name
    monkeypatch.setattr(Path, "read_bytes", lambda self: real(self) + (b"#" if self.name == last else b""))
    assert tables.fingerprint() != before

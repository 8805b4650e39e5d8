"""The tables of a new database, as quickly as may be: migrating takes seconds, and many campaigns have a database of their own.

What was migrated once on SQLite is kept beside the demo's files and copied from then on, for as long as neither the apps
nor their migrations change. On other databases it is migrated.
"""

from __future__ import annotations

import fcntl
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from tests.browser.demo import data_folder


def made_ready() -> None:
    """Have the database of the settings hold every table, and nothing in those that are filled by hand."""
    from django.core.management import call_command
    from django.db import connection

    if connection.vendor != "sqlite":
        call_command("migrate", verbosity=0, interactive=False)
        return
    connection.ensure_connection()
    folder = data_folder() / "tables"
    folder.mkdir(exist_ok=True)
    kept = folder / f"{fingerprint()}.sqlite3"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        empty = not connection.introspection.table_names()
        if kept.exists() and empty:
            with closing(sqlite3.connect(kept)) as source:
                source.backup(connection.connection)
            return
        call_command("migrate", verbosity=0, interactive=False)
        if empty:
            keep(connection.connection, kept)


def keep(made: sqlite3.Connection, kept: Path) -> None:
    """Copy what was made, so that nobody finds half of it."""
    half = kept.with_suffix(".half")
    half.unlink(missing_ok=True)
    with closing(sqlite3.connect(half)) as target:
        made.backup(target)
    half.replace(kept)


def fingerprint() -> str:
    """What the tables depend on: Django, the apps in their order, and their migrations, letter for letter."""
    import django
    from django.apps import apps
    from django.conf import settings

    found = sha256(f"{django.__version__} {settings.AUTH_USER_MODEL}".encode())
    for app in apps.get_app_configs():
        found.update(app.label.encode())
        for path in sorted(Path(app.path, "migrations").glob("*.py")):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:20]

"""The database's own watch over rules: triggers that raise the epoch.

``number`` rises with every change that can change a decision. ``stamp`` becomes a new random text with every change of a
*rule* (what :class:`iiif_auth.store.Rulebook` holds), so that a process knows whether its copy of the rules is current.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

RULES = (
    "accesspolicy",
    "tier",
    "tier_services",
    "condition",
    "refusaltext",
    "network",
    "accessservice",
    "collection",
    "collectionrule",
    "embargo",
    "withdrawal",
    "grant",
)
CONTENT = ("resource", "rendition")

SQLITE = """
CREATE TRIGGER IF NOT EXISTS "iiif_auth_epoch_{table}_{event}" AFTER {event} ON "iiif_auth_{table}" BEGIN
    INSERT INTO iiif_auth_epoch (id, number, stamp) SELECT 1, 0, '' WHERE NOT EXISTS (SELECT 1 FROM iiif_auth_epoch);
    UPDATE iiif_auth_epoch SET number = number + 1{stamp};
END
"""
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION iiif_auth_raise_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO iiif_auth_epoch (id, number, stamp) VALUES (1, 0, '') ON CONFLICT (id) DO NOTHING;
    UPDATE iiif_auth_epoch SET number = number + 1,
        stamp = CASE WHEN TG_ARGV[0] = 'rules' THEN replace(gen_random_uuid()::text, '-', '') ELSE stamp END;
    RETURN NULL;
END $$
"""
POSTGRESQL = """
CREATE OR REPLACE TRIGGER "iiif_auth_epoch_{table}" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "iiif_auth_{table}"
FOR EACH STATEMENT EXECUTE FUNCTION iiif_auth_raise_epoch('{what}')
"""


def _tables(connection: BaseDatabaseWrapper) -> Iterable[tuple[str, bool]]:
    """Every watched table that exists, and whether it holds rules."""
    existing = set(connection.introspection.table_names())
    for table in (*RULES, *CONTENT):
        if f"iiif_auth_{table}" in existing:
            yield table, table in RULES


def statements(connection: BaseDatabaseWrapper) -> Iterable[str]:
    """The SQL that installs the triggers; running it again changes nothing.

    Raises:
        NotImplementedError: this database has no triggers that we know how to write.
    """
    if connection.vendor == "sqlite":
        for table, rules in _tables(connection):
            stamp = ", stamp = lower(hex(randomblob(16)))" if rules else ""
            for event in ("INSERT", "UPDATE", "DELETE"):
                yield SQLITE.format(table=table, event=event, stamp=stamp)
    elif connection.vendor == "postgresql":
        yield POSTGRESQL_FUNCTION
        for table, rules in _tables(connection):
            yield POSTGRESQL.format(table=table, what="rules" if rules else "content")
    else:
        raise NotImplementedError(f"iiif_auth works with SQLite and PostgreSQL, not with {connection.vendor}.")


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers, and the row they raise."""
    with connection.cursor() as cursor:
        for statement in statements(connection):
            cursor.execute(statement)
        cursor.execute(
            "INSERT INTO iiif_auth_epoch (id, number, stamp) SELECT 1, 0, '' WHERE NOT EXISTS (SELECT 1 FROM iiif_auth_epoch)"
        )


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away, for ``migrate iiif_auth zero``."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS iiif_auth_raise_epoch() CASCADE")
            return
        for table, _rules in _tables(connection):
            for event in ("INSERT", "UPDATE", "DELETE"):
                cursor.execute(f'DROP TRIGGER IF EXISTS "iiif_auth_epoch_{table}_{event}"')


def missing(connection: BaseDatabaseWrapper) -> bool:
    """Whether a trigger is gone, as after a table was rebuilt by hand."""
    watched = len(list(_tables(connection)))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'iiif_auth_epoch_%%'", [])
            return bool(cursor.fetchone()[0] < watched)
        cursor.execute(
            "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'iiif_auth_epoch_%%'", []
        )
        return bool(cursor.fetchone()[0] < 3 * watched)


def reinstall(sender: Any, using: str, **kwargs: Any) -> None:
    """After every ``migrate``: SQLite drops the triggers of a table when it rebuilds the table to alter it."""
    connection = connections[using]
    if "iiif_auth_epoch" in connection.introspection.table_names():
        install(connection)

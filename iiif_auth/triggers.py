"""The database's own watch over rules: triggers that raise the epoch.

``number`` rises with every change that can change a decision, and ``pulse`` becomes a new random text with it. ``stamp`` does
so only with a change of a *rule* (what :class:`iiif_auth.store.Rulebook` holds). So a process knows whether its copies of
rules and offers are current.
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
    "device",
    "accessservice",
    "terms",
    "seats",
    "seatsplace",
    "collection",
    "collectionrule",
    "embargo",
    "withdrawal",
    "grant",
)
CONTENT = ("resource", "rendition")

SQLITE = """
CREATE TRIGGER "iiif_auth_epoch_{table}_{name}" AFTER {event} ON "iiif_auth_{table}"{when} BEGIN
    INSERT INTO iiif_auth_epoch (id, number, stamp, pulse)
        SELECT 1, 0, '', '' WHERE NOT EXISTS (SELECT 1 FROM iiif_auth_epoch);
    UPDATE iiif_auth_epoch SET number = number + 1, pulse = lower(hex(randomblob(16))){stamp};
END
"""
SQLITE_STAMP = ", stamp = lower(hex(randomblob(16)))"
POSTGRESQL_FUNCTION = """
CREATE OR REPLACE FUNCTION iiif_auth_raise_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO iiif_auth_epoch (id, number, stamp, pulse) VALUES (1, 0, '', '') ON CONFLICT (id) DO NOTHING;
    UPDATE iiif_auth_epoch SET number = number + 1, pulse = replace(gen_random_uuid()::text, '-', ''),
        stamp = CASE WHEN TG_ARGV[0] = 'rules' THEN replace(gen_random_uuid()::text, '-', '') ELSE stamp END;
    RETURN NULL;
END $$
"""
POSTGRESQL = """
CREATE OR REPLACE TRIGGER "{name}" AFTER {event} ON "iiif_auth_{table}"
FOR EACH {each} EXECUTE FUNCTION iiif_auth_raise_epoch('{what}')
"""
ANY_CHANGE = "INSERT OR UPDATE OR DELETE OR TRUNCATE"
FIRST_ROW = """
INSERT INTO iiif_auth_epoch (id, number, stamp, pulse)
SELECT 1, 0, '', '' WHERE NOT EXISTS (SELECT 1 FROM iiif_auth_epoch)
"""


def _tables(connection: BaseDatabaseWrapper) -> Iterable[tuple[str, bool]]:
    """Every watched table that exists, and whether it holds rules."""
    existing = set(connection.introspection.table_names())
    for table in (*RULES, *CONTENT):
        if f"iiif_auth_{table}" in existing:
            yield table, table in RULES


def triggers(connection: BaseDatabaseWrapper) -> Iterable[tuple[str, str, str]]:
    """Name, table and SQL of every trigger.

    Raises:
        NotImplementedError: this database has no triggers that we know how to write.
    """
    if connection.vendor not in WRITERS:
        raise NotImplementedError(f"iiif_auth works with SQLite and PostgreSQL, not with {connection.vendor}.")
    for table, rules in _tables(connection):
        yield from WRITERS[connection.vendor](table, rules)


def _for_sqlite(table: str, rules: bool) -> Iterable[tuple[str, str, str]]:
    events = [(event.lower(), event, "", SQLITE_STAMP if rules else "") for event in ("INSERT", "UPDATE", "DELETE")]
    if table == "resource":
        # Tiers name a resource to show instead by its address, so an address that changes changes a rule.
        events.append(("url", "UPDATE OF url", " WHEN OLD.url <> NEW.url", SQLITE_STAMP))
    for name, event, when, stamp in events:
        sql = SQLITE.format(table=table, name=name, event=event, when=when, stamp=stamp)
        yield f"iiif_auth_epoch_{table}_{name}", table, sql


def _for_postgresql(table: str, rules: bool) -> Iterable[tuple[str, str, str]]:
    name, what = f"iiif_auth_epoch_{table}", "rules" if rules else "content"
    yield name, table, POSTGRESQL.format(name=name, event=ANY_CHANGE, table=table, each="STATEMENT", what=what)
    if table == "resource":
        each = "ROW WHEN (OLD.url IS DISTINCT FROM NEW.url)"
        sql = POSTGRESQL.format(name=f"{name}_url", event="UPDATE OF url", table=table, each=each, what="rules")
        yield f"{name}_url", table, sql


WRITERS = {"sqlite": _for_sqlite, "postgresql": _for_postgresql}
PRESENT = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": """SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE pg_table_is_visible(c.oid) AND t.tgenabled IN ('O', 'A')""",
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Install the triggers, in place of older ones, and the row they raise."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(POSTGRESQL_FUNCTION)
        for name, table, sql in triggers(connection):
            if connection.vendor == "sqlite":  # which can not replace one
                cursor.execute(_drop(connection, name, table))
            cursor.execute(sql)
        cursor.execute(FIRST_ROW)


def _drop(connection: BaseDatabaseWrapper, name: str, table: str) -> str:
    place = f' ON "iiif_auth_{table}"' if connection.vendor == "postgresql" else ""
    return f'DROP TRIGGER IF EXISTS "{name}"{place}'


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away, for ``migrate iiif_auth zero``."""
    with connection.cursor() as cursor:
        for name, table, _sql in triggers(connection):
            cursor.execute(_drop(connection, name, table))
        if connection.vendor == "postgresql":
            cursor.execute("DROP FUNCTION IF EXISTS iiif_auth_raise_epoch()")


def missing(connection: BaseDatabaseWrapper) -> bool:
    """Whether a trigger is gone or switched off, as after a table was rebuilt by hand."""
    with connection.cursor() as cursor:
        cursor.execute(PRESENT[connection.vendor])
        present = {name for (name,) in cursor.fetchall()}
    return not present.issuperset(name for name, _table, _sql in triggers(connection))


def reinstall(sender: Any, using: str, **kwargs: Any) -> None:
    """After every ``migrate``: SQLite drops the triggers of a table when it rebuilds the table to alter it.

    PostgreSQL does not, and there replacing a trigger would wait for every reader of its table (security R13).
    """
    connection = connections[using]
    if "iiif_auth_epoch" not in connection.introspection.table_names():
        return
    if connection.vendor == "sqlite" or missing(connection):
        install(connection)
    else:
        with connection.cursor() as cursor:
            cursor.execute(FIRST_ROW)

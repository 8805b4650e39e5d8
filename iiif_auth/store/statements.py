"""Statements that are asked at every request, ready in the form that the database reads.

Django reads each statement through for its ``%s`` every time it is asked on SQLite, which takes about as long as SQLite's own
answer to a long one. Here that is done once for each statement. PostgreSQL makes a plan every time, which takes five times as
long as carrying it out; it makes one for each connection if the setting ``PREPARED_STATEMENTS`` says that it may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper

from iiif_auth.conf import conf

Found = tuple[Any, ...]
"""A row as a statement gives it: texts and nulls."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as Django writes it, and as SQLite reads it."""

    text: str
    marked: str


def prepared(text: str) -> Statement:
    """A statement of ours, which has no ``%`` but in ``%s``."""
    return Statement(text, text.replace("%s", "?"))


def rows(using: str, statement: Statement, values: Sequence[Any]) -> list[Found]:
    """What the database answers; one query, which Django logs and counts like any other.

    :raises django.db.Error: what the database says against it, however it was asked.
    """
    connection = connections[using]
    with connection.cursor() as cursor:
        if conf.PREPARED_STATEMENTS and connection.vendor == "postgresql" and not _is_watched(connection):
            return _kept_ready(connection, statement, values)
        cursor.execute(_form(cursor, statement), values)
        found: list[Found] = cursor.fetchall()
    return found


def _form(cursor: Any, statement: Statement) -> str:
    # A subclass, such as the one that logs for a test, looks for the placeholders itself.
    inner = getattr(cursor, "cursor", None)
    if type(cursor) is not CursorWrapper or not isinstance(inner, SQLiteCursorWrapper):
        return statement.text
    inner.convert_query = _as_it_is  # type: ignore[method-assign]
    return statement.marked


def _as_it_is(query: str, **names: Any) -> str:
    return query


def _is_watched(connection: Any) -> bool:
    """Whether somebody wants to see every statement, as tests and tools that log them do: they sit in Django's own cursor."""
    return bool(connection.queries_logged or connection.execute_wrappers)


def _kept_ready(connection: Any, statement: Statement, values: Sequence[Any]) -> list[Found]:
    """What PostgreSQL answers to a statement that it keeps ready, with the values sent beside it."""
    from psycopg import Cursor  # only where PostgreSQL is

    connection.validate_no_broken_transaction()
    raw = connection.connection
    before, raw.prepare_threshold = raw.prepare_threshold, 0
    try:
        with connection.wrap_database_errors, Cursor(raw) as cursor:
            return list(cursor.execute(statement.text, values, prepare=True).fetchall())
    finally:
        raw.prepare_threshold = before  # the host's own statements are prepared as the host says

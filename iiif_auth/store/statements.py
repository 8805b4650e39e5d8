"""Statements that are asked at every request, ready in the form that the database reads.

Django reads each statement through for its ``%s`` every time it is asked on SQLite, which takes about as long as SQLite's own
answer to a long one. Here that is done once for each statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.backends.utils import CursorWrapper

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
    """What the database answers; one query, which Django logs and counts like any other."""
    with connections[using].cursor() as cursor:
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

"""Rows that take long to make, made once in a run and put in again as they were, in each test's own transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

from django.db import connection
from django.utils import timezone

Table = tuple[tuple[str, ...], list[tuple[Any, ...]]]
"""The names of its columns, and rows."""


FIRST = frozenset({"django_content_type", "auth_permission", "django_migrations", "django_site"})
"""What is in a new database. Emptied and filled anew, its rows have other numbers."""


class Kept:
    """What ``make`` adds to a new database. It may only add: what it changed or took away would not be known here.

    Where something else is in the database already it is made anew, since it might go together with that; and so are, on another
    day, rows that tell of days.
    """

    def __init__(self, make: Callable[[], object], apart: frozenset[str] = frozenset()) -> None:
        """``apart`` are tables that look after themselves, by triggers."""
        self._make, self._apart = make, apart
        self._on: tuple[date, dict[str, Table]] | None = None
        self._rows: dict[str, Table] = {}

    def put(self) -> None:
        if connection.vendor != "sqlite":  # others would have to be told what number comes next
            self._make()
            return
        before = self.tables()
        on = timezone.localdate(), before
        if self._on == on:
            for name, (columns, rows) in self._rows.items():
                _insert(name, columns, rows)
            return
        self._make()
        if not any(rows for name, (_columns, rows) in before.items() if name not in FIRST):
            self._rows = {name: _added(before[name], table) for name, table in self.tables().items()}
            self._on = on

    def tables(self) -> dict[str, Table]:
        """All rows there are now."""
        names = sorted(set(connection.introspection.table_names()) - self._apart)
        return {name: _read(name) for name in names}


def _read(name: str) -> Table:
    found = connection.connection.execute(f"SELECT * FROM {connection.ops.quote_name(name)}")  # noqa: S608 - a table's name
    return tuple(column[0] for column in found.description), found.fetchall()


def _added(before: Table, after: Table) -> Table:
    left = Counter(before[1])
    left.subtract(after[1])
    assert all(count <= 0 for count in left.values()), "Rows were changed or deleted, which is not kept."
    return after[0], [row for row, count in left.items() for _ in range(-count)]


def _insert(name: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    quote = connection.ops.quote_name
    named, marks = ", ".join(map(quote, columns)), ", ".join("?" * len(columns))
    connection.connection.executemany(f"INSERT INTO {quote(name)} ({named}) VALUES ({marks})", rows)  # noqa: S608

"""Every row of security.md's tables T, K, N and A is shown by a test that exists."""

from __future__ import annotations

from tests.security import rows

TABLES = {"T": 14, "K": 18, "N": 10, "A": 12}


def test_there_are_as_many_rows_as_the_tables_have():
    assert list(rows.ROWS) == [f"{table}{number}" for table, count in TABLES.items() for number in range(1, count + 1)]


def test_every_row_has_a_test_and_every_test_is_there():
    assert rows.missing() == []


def test_a_test_that_is_gone_is_missed(monkeypatch):
    monkeypatch.setitem(rows.ROWS, "K5", ("security/test_rows.py::test_nobody_wrote", "security/test_gone.py::test_x"))
    assert [line for line in rows.missing() if line.startswith("K5")] == [
        "K5: security/test_rows.py::test_nobody_wrote is not there",
        "K5: security/test_gone.py::test_x is not there",
    ]


def test_the_table_is_printed_with_what_is_missing(capsys, monkeypatch):
    monkeypatch.setitem(rows.ROWS, "T1", ())
    assert rows.main() == 1
    assert "T1: no test" in capsys.readouterr().out

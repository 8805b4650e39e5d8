"""Which tests are run on PostgreSQL too."""

from __future__ import annotations

from tests.postgres.sampling import PARTS, is_of


def test_within_as_many_days_as_there_are_parts_each_test_is_run_once():
    names = [f"tests/http/test_probe.py::test_{number}" for number in range(300)]
    days = [[name for name in names if is_of(day, name)] for day in range(PARTS)]
    assert sorted(name for day in days for name in day) == sorted(names)
    assert all(len(day) > 300 / PARTS / 2 for day in days)


def test_the_store_is_run_whole():
    assert all(is_of(day, "tests/store/test_epoch.py::test_saving_raises_it") for day in range(PARTS))

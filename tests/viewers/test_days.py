"""Which flavours of a book viewers are shown on which day."""

from __future__ import annotations

import pytest

from tests.viewers import conftest


def test_within_two_days_each_flavour_is_tried_and_on_each_day_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conftest, "PARTS", 2)
    names = [f"tests/viewers/test_mirador.py::test_{number}" for number in range(60)]
    for day in range(2):
        tried = {name: [one for one in "01" if conftest.is_of(day, name, one)] for name in names}
        assert all(len(found) == 1 for found in tried.values())
        assert {found[0] for found in tried.values()} == {"0", "1"}
        assert all(
            conftest.is_of(day + 1, name, one) != conftest.is_of(day, name, one) for name in names for one in "01"
        )
    assert all(conftest.is_of(0, names[0], one) for one in ("2", "mixed", ""))


def test_all_are_tried_if_that_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conftest, "PARTS", 1)
    assert conftest.is_of(0, "tests/viewers/test_mirador.py::test_x", "0")
    assert conftest.is_of(0, "tests/viewers/test_mirador.py::test_x", "1")

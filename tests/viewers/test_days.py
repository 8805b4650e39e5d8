"""Which flavours of a book viewers are shown on which day."""

from __future__ import annotations

import pytest

from tests.viewers import conftest


@pytest.mark.parametrize("parts", [2, 3])
def test_within_as_many_days_as_there_are_parts_each_flavour_is_tried_once(monkeypatch: pytest.MonkeyPatch, parts: int):
    monkeypatch.setattr(conftest, "PARTS", parts)
    names = [f"tests/viewers/test_mirador.py::test_{number}" for number in range(60)]
    every = [(name, flavour) for name in names for flavour in "01"]
    days = [[one for one in every if conftest.is_of(day, *one)] for day in range(parts)]
    assert sorted(one for day in days for one in day) == sorted(every)
    assert all(len(day) > len(every) / parts / 2 for day in days)
    assert all(len({name for name, _ in day}) == len(day) for day in days)
    assert all(conftest.is_of(0, names[0], one) for one in ("2", "mixed", ""))


def test_all_are_tried_if_that_is_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(conftest, "PARTS", 1)
    assert conftest.is_of(0, "tests/viewers/test_mirador.py::test_x", "0")
    assert conftest.is_of(0, "tests/viewers/test_mirador.py::test_x", "1")

"""Plots: what is drawn says the numbers, safely, in either direction, and never by colour alone."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
from django.utils.translation import override

from iiif_auth.plots import MARKS, MOST_SERIES, MOST_TICKS, Plot, Series, drawn, ticks

SVG = {"s": "http://www.w3.org/2000/svg"}


def plot(shape: str = "columns", names: tuple[str, ...] = ("May", "June"), **values: tuple[int, ...]) -> Plot:
    series = tuple(Series(name, given) for name, given in (values or {"Shown": (4, 10), "Refused": (1, 0)}).items())
    return Plot("requests", "Requests", "How many", "Month", names, series, shape)


def tree(made: Plot) -> ElementTree.Element:
    return ElementTree.fromstring(str(made.svg))  # noqa: S314 - ours


def bars(made: Plot) -> list[tuple[str, float, float]]:
    found = (one for one in tree(made).iter("rect") if one.get("class") == "iiif-auth-bar")
    side = "height" if made.shape == "columns" else "width"
    return [(str(one.get("fill")), float(one.get("x", 0)), float(one.get(side, 0))) for one in found]


@pytest.mark.parametrize("shape", ["columns", "bars"])
def test_the_length_of_a_bar_is_its_number(shape):
    lengths = [length for _fill, _x, length in bars(plot(shape))]
    assert len(lengths) == 3  # nothing is drawn of what is 0
    assert lengths[2] == pytest.approx(lengths[0] * 10 / 4, rel=0.01)
    assert lengths[0] == pytest.approx(lengths[1] * 4, rel=0.05)


def test_each_series_has_a_pattern_of_its_own():
    fills = {fill for fill, _x, _length in bars(plot())}
    assert fills == {"url(#requests-0)", "url(#requests-1)"}
    assert len(set(MARKS)) == MOST_SERIES == len(MARKS)


def test_a_line_goes_through_its_values():
    points = tree(plot("line", Grants=(0, 5))).find("polyline").get("points").split()
    heights = [float(point.split(",")[1]) for point in points]
    assert heights[0] > heights[1]


def test_it_has_a_title_and_a_description_by_name():
    svg = tree(plot())
    ids = {one.get("id"): one.text for one in svg if one.tag in ("title", "desc")}
    assert [ids[name] for name in svg.get("aria-labelledby").split()] == ["Requests", "How many"]
    assert svg.get("role") == "img"


def test_names_are_texts_and_never_markup():
    made = str(plot("bars", ("<script>alert(1)</script>", '"&')).svg)
    assert "<script" not in made
    assert "&lt;script" in made


def test_from_right_to_left_the_first_name_stands_on_the_right():
    def places() -> list[float]:
        return [float(one.get("x")) for one in tree(plot()).iter("text") if one.text in ("May", "June")]

    left, right = places(), None
    with override("ar"):
        right = places()
    assert left == sorted(left)
    assert right == sorted(right, reverse=True)


def test_there_are_no_style_attributes_and_no_scripts():
    made = str(plot().svg) + str(plot().legend[0][0])
    assert not re.search(r"style=|<script|on\w+=", made)


@pytest.mark.parametrize(("most", "last"), [(0, 1), (1, 1), (7, 8), (10, 10), (99, 100), (1000, 1000), (1234, 1500)])
def test_ticks_are_round_and_few(most, last):
    marks = ticks(most)
    assert marks[0] == 0
    assert marks[-1] == last
    assert len(marks) <= 6
    assert len({after - before for before, after in zip(marks, marks[1:], strict=False)}) == 1


def test_of_many_columns_some_are_named_and_the_table_names_all():
    many = plot(names=tuple(f"day {number}" for number in range(90)), Shown=tuple(range(90)))
    assert sum("day" in (one.text or "") for one in tree(many).iter("text")) <= MOST_TICKS
    assert len(many.rows) == 90
    assert many.rows[89] == ("day 89", ["89"])


def test_more_than_can_be_told_apart_is_refused():
    with pytest.raises(ValueError, match="can not be told apart"):
        drawn(plot(names=("a",), **{f"s{number}": (1,) for number in range(MOST_SERIES + 1)}))
    with pytest.raises(ValueError, match="no shape"):
        drawn(plot("pie"))


def test_nothing_counted_is_said_to_be_empty():
    assert plot(Shown=(0, 0)).is_empty
    assert not plot().is_empty
    assert "NaN" not in str(plot(Shown=(0, 0)).svg)

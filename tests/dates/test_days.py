"""Each preset, over changes of the clock, and over the ends of weeks, months and years."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from iiif_auth.dates.days import Until, begins, end_of_term, ends, in_year, last_day, today

TERMS = ("03-31", "07-31", "12-20")


def at(text):
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("zone", "now", "until", "last"),
    [
        ("Europe/London", "2026-11-21T12:00Z", "today", "2026-11-21"),
        ("Pacific/Auckland", "2026-11-21T12:00Z", "today", "2026-11-22"),
        ("America/New_York", "2027-01-01T03:00Z", "today", "2026-12-31"),
        ("Europe/London", "2026-11-21T12:00Z", "friday", "2026-11-27"),  # a Saturday
        ("Europe/London", "2026-11-27T12:00Z", "friday", "2026-11-27"),  # a Friday
        ("Europe/London", "2026-12-28T12:00Z", "friday", "2027-01-01"),
        ("Europe/London", "2026-12-28T12:00Z", "week", "2027-01-04"),
        ("Europe/London", "2024-02-25T12:00Z", "week", "2024-03-03"),
        ("Europe/London", "2026-12-15T12:00Z", "month", "2027-01-14"),
        ("Europe/London", "2027-01-31T12:00Z", "month", "2027-03-02"),
        ("Europe/London", "2026-11-21T12:00Z", "term", "2026-12-20"),
        ("Europe/London", "2026-12-20T23:59Z", "term", "2026-12-20"),
        ("Europe/London", "2026-12-21T00:00Z", "term", "2027-03-31"),
        ("Europe/London", "2026-11-21T12:00Z", "day", None),
    ],
)
def test_the_last_day_of_a_preset(zone, now, until, last):
    found = last_day(until, at(now), TERMS, zone)
    assert (found and found.isoformat()) == last


def test_every_preset_but_a_day_of_ones_own_gives_a_day():
    given = {until: last_day(until, at("2026-11-21T12:00Z"), TERMS, "UTC") for until in Until}
    assert [until for until, day in given.items() if day is None] == [Until.DAY]


@pytest.mark.parametrize(
    ("zone", "day", "over"),
    [
        ("Europe/London", "2026-11-21", "2026-11-22T00:00Z"),
        ("Europe/London", "2026-03-28", "2026-03-29T00:00Z"),  # the clocks go forward an hour later
        ("Europe/London", "2026-03-29", "2026-03-29T23:00Z"),  # a day of 23 hours
        ("Europe/London", "2026-10-25", "2026-10-26T00:00Z"),  # a day of 25 hours
        ("America/New_York", "2026-12-31", "2027-01-01T05:00Z"),
        ("Asia/Kolkata", "2026-12-31", "2026-12-31T18:30Z"),
        ("America/Sao_Paulo", "2017-10-14", "2017-10-15T03:00Z"),  # a midnight that did not exist
        ("America/Sao_Paulo", "2018-02-17", "2018-02-18T03:00Z"),  # 23:00 came twice
    ],
)
def test_a_day_is_over_where_the_next_one_begins(zone, day, over):
    assert ends(date.fromisoformat(day), zone) == at(over)


def test_a_day_begins_at_midnight_of_the_site(settings):
    settings.TIME_ZONE = "Europe/Paris"
    assert (begins(date(2031, 5, 1)), today(at("2031-04-30T22:00Z"))) == (
        datetime(2031, 4, 30, 22, tzinfo=UTC),
        date(2031, 5, 1),
    )


def test_without_terms_there_is_no_end_of_term():
    assert end_of_term(date(2026, 11, 21), ()) is None


def test_the_29th_of_february_is_the_28th_in_common_years():
    assert [in_year(year, "02-29") for year in (2027, 2028)] == [date(2027, 2, 28), date(2028, 2, 29)]


def test_a_day_that_no_year_has_is_none():
    with pytest.raises(ValueError, match="day"):
        in_year(2026, "02-30")

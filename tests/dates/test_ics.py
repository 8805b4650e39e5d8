"""Calendars as RFC 5545 wants them, read back by a program that is not ours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from iiif_auth.dates import ics
from iiif_auth.dates.events import Agenda
from tests import factories

pytestmark = pytest.mark.django_db

NOON, MADE = datetime(2031, 5, 1, 12, tzinfo=UTC), datetime(2026, 11, 21, 9, tzinfo=UTC)
HARD = "Karte; „Inseln“, Blatt\\3 – " + "ä𝄞" * 60


@pytest.fixture
def events(settings):
    settings.TIME_ZONE = "Europe/London"
    row = factories.ResourceFactory(label={"en": [HARD + "\r\nEND:VEVENT\x00\x0b"]})
    factories.EmbargoFactory(resource=row, ends=NOON)
    factories.WithdrawalFactory(resource=row, review_on=date(2031, 5, 2), starts=NOON - timedelta(days=1))
    root = factories.UserFactory(is_superuser=True, is_staff=True)
    return Agenda(root, NOON - timedelta(days=1)).first(10)


def text_of(events):
    return ics.calendar(events, "Dates", "library.example.org", MADE)


def test_another_program_reads_what_was_written(events):
    icalendar = pytest.importorskip("icalendar")
    found = icalendar.Calendar.from_ical(text_of(events))
    opens, review = found.walk("VEVENT")
    assert (opens.decoded("DTSTART"), review.decoded("DTSTART"), review.decoded("DTEND")) == (
        NOON,
        date(2031, 5, 2),
        date(2031, 5, 3),
    )
    assert {one.decoded("DTSTAMP") for one in (opens, review)} == {MADE}
    assert str(opens["SUMMARY"]).startswith(f"Opens: {HARD}")
    assert (str(found["VERSION"]), len({str(one["UID"]) for one in (opens, review)})) == ("2.0", 2)


def test_lines_are_short_and_cut_between_characters(events):
    lines = text_of(events).encode().split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert all(line.decode() is not None for line in lines)
    assert lines[-1] == b""


def test_a_label_ends_no_event_and_begins_no_line(events):
    unfolded = text_of(events).replace("\r\n ", "")
    assert unfolded.count("\r\nEND:VEVENT\r\n") == 2
    assert not {"\x00", "\x0b"} & set(unfolded)
    assert all(line for line in unfolded.split("\r\n")[:-1])


def test_an_event_that_moves_stays_the_same_event(events):
    before = ics.uid(events[0], "x")
    row = events[0].row
    row.ends = NOON + timedelta(days=30)
    row.save()
    root = factories.UserFactory(is_superuser=True, is_staff=True)
    moved = next(one for one in Agenda(root, NOON).first(10) if one.row == row)
    assert ics.uid(moved, "x") == before


@pytest.mark.parametrize("length", [73, 74, 75, 76, 148, 149, 150, 223])
def test_folding_is_undone_by_unfolding(length):
    line = "x" * length
    folded = ics.folded(line)
    assert folded.replace("\r\n ", "") == line + "\r\n"
    assert max(len(part) for part in folded.split("\r\n")) <= 75

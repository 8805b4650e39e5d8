"""What is counted of a decision: where it was asked, by which rule it was answered, and how."""

from __future__ import annotations

from datetime import UTC, date, datetime
from ipaddress import ip_address
from math import inf
from threading import Thread

import pytest

from iiif_auth.counting import Facts, Tally, fact_of
from iiif_auth.counting.tally import BATCH, MOST_ADDRESSES, MOST_LINES
from iiif_auth.counting.writing import used
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import (
    FULL,
    NOBODY,
    Authenticated,
    Everyone,
    Gets,
    Grant,
    Level,
    Offer,
    Policy,
    Rendition,
    Subject,
    Tier,
    Unknown,
    User,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
READER = Subject(user="1")
PREVIEW = Rendition("/iiif/3/chart~preview", reach=400, tier="preview")
MAPS = Policy("maps", (Tier("full", Authenticated()), Tier("preview", Everyone(), Gets.SMALLER, 400)))
CLOSED = Policy("closed", (Tier("full", Authenticated()),))


def offer(policy: Policy | None, *, wanted: Rendition | None = None, grants: tuple[Grant, ...] = ()) -> Offer:
    own = Level("/iiif/3/chart", grants=grants)
    others = (PREVIEW,) if wanted is None else ()
    return Offer(wanted or Rendition("/iiif/3/chart"), others, (own, Level("ledgers", policy), Level("archive")))


@pytest.mark.parametrize(
    ("given", "subject", "expected"),
    [
        (offer(MAPS), READER, ("ledgers", "maps", "full", "allowed", "")),
        (offer(MAPS), NOBODY, ("ledgers", "maps", "preview", "less", "not-signed-in")),
        (offer(MAPS, wanted=PREVIEW), NOBODY, ("ledgers", "maps", "preview", "less", "")),
        (offer(CLOSED), NOBODY, ("ledgers", "closed", "", "refused", "not-signed-in")),
        (offer(None), READER, ("ledgers", "", "", "refused", "no-policy")),
        (offer(CLOSED, grants=(Grant(User("2"), label="7"),)), READER, ("ledgers", "closed", "full", "allowed", "")),
        (None, READER, ("", "", "", "refused", "unknown")),
    ],
)
def test_a_decision_is_counted_where_it_belongs(given, subject, expected):
    assert fact_of("probe", given, decide(given, subject, NOON)) == ("probe", *expected)


def test_what_only_a_grant_opens_is_counted_as_that():
    named = offer(Policy("named", (Tier("full", User("9")),)), grants=(Grant(User("2"), FULL, label="7"),))
    made = Facts._make(fact_of("content", named, decide(named, Subject(user="2"), NOON)))
    assert made == Facts("content", "ledgers", "named", "", "allowed", "grant")


def test_an_item_in_no_collection_is_counted_under_none():
    alone = Offer(Rendition("/iiif/3/chart"), levels=(Level("/iiif/3/chart", MAPS),))
    assert fact_of("probe", alone, decide(alone, READER, NOON))[1] == ""


# -- In memory ----------------------------------------------------------------------------------------------------

LINE = Facts("probe", "ledgers", "maps", "full", "allowed", "")


def test_days_begin_at_midnight_where_the_library_is():
    tally = Tally(60, "Europe/London")
    for hour, minute in ((22, 59), (23, 0)):  # summer time: midnight is 23:00 UTC
        tally.count(LINE, None, datetime(2026, 7, 1, hour, minute, tzinfo=UTC))
    assert tally.take().days == {date(2026, 7, 1): {LINE: 1}, date(2026, 7, 2): {LINE: 1}}


def test_what_was_taken_is_not_taken_again():
    tally = Tally()
    for text in ("192.0.2.5", "2001:db8::5", "192.0.2.5"):
        tally.count(LINE, ip_address(text), NOON)
    taken = tally.take()
    assert taken.days == {NOON.date(): {LINE: 3}}
    assert taken.addresses == {ip_address("192.0.2.5"), ip_address("2001:db8::5")}
    again = tally.take()
    assert (again.days, again.addresses) == ({}, frozenset())


def test_what_could_not_be_written_is_kept_beside_what_came_since():
    tally = Tally()
    tally.count(LINE, ip_address("192.0.2.5"), NOON)
    taken = tally.take()
    tally.count(LINE, None, NOON)
    tally.put_back(taken)
    again = tally.take()
    assert again.days == {NOON.date(): {LINE: 2}}
    assert again.addresses == {ip_address("192.0.2.5")}


def test_it_is_due_when_the_oldest_has_waited_long_enough():
    clock = iter([1000, 1060])
    tally = Tally(60, clock=lambda: next(clock))
    assert tally.due == inf
    for _ in range(3):
        tally.add(("probe", None, Unknown(), None, NOON))
    assert tally.due == 1060
    tally.put_back(tally.take())
    assert tally.due == 1120


def test_it_never_grows_without_end():
    tally = Tally()
    for number in range(MOST_LINES + 50):
        tally.count(LINE._replace(collection=f"of the host {number}"), None, NOON)
    counts = tally.take().days[NOON.date()]
    assert len(counts) == MOST_LINES + 1
    assert counts[LINE._replace(collection="", policy="", tier="")] == 50


def test_nor_do_the_addresses():
    tally = Tally()
    for number in range(MOST_ADDRESSES + 5):
        tally.count(LINE, ip_address(number), NOON)
    assert len(tally.take().addresses) == MOST_ADDRESSES


def test_threads_lose_nothing_and_the_heap_stays_small():
    tally = Tally()

    def add() -> None:
        for _ in range(1501):
            tally.add(("probe", None, Unknown(), None, NOON))

    threads = [Thread(target=add) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(tally._heap) < BATCH
    assert sum(tally.take().days[NOON.date()].values()) == 6004


@pytest.mark.parametrize(
    ("address", "lines"),
    [
        ("192.0.2.5", {"192.0.2.0/28", "192.0.0.0/16"}),
        ("192.0.2.16", {"192.0.0.0/16"}),
        ("198.51.100.7", {"198.51.100.7/32"}),
        ("2001:db8:1::5", {"2001:db8:1::/64"}),
        ("::c000:205", set()),  # the same number as 192.0.2.5, in the other kind of address
        ("203.0.113.1", set()),
    ],
)
def test_an_address_is_in_the_lines_that_hold_it(address, lines):
    known = ["192.0.2.0/28", "192.0.0.0/16", "198.51.100.7/32", "2001:db8:1::/64", "not a network"]
    assert {text for _key, text in used([ip_address(address)], [(1, text) for text in known])} == lines

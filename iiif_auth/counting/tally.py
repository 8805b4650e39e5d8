"""Counts in memory, until they are written down."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from ipaddress import IPv4Address, IPv6Address
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from iiif_auth.counting.facts import Fact, Facts, fact_of
from iiif_auth.policy.types import Address, Decision, Offer

MOST_LINES = 5_000
MOST_ADDRESSES = 10_000
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counted:
    """What was taken out of a tally: how often each line was met with on which day, and where people came from since."""

    days: Mapping[date, Mapping[Facts, int]]
    addresses: frozenset[Address]
    day: date


BATCH = 500
Answered = tuple[str, Offer | None, Decision, Address | None, datetime]
"""One decision as it was answered: the door, what it was about, what was decided, from where, and when (aware)."""


@dataclass(slots=True)
class Tally:
    """Counts by day, for all threads of a process. Days begin at midnight in ``zone``.

    What is answered is only laid on a heap, and looked through some hundreds at a time, which takes a third of what it would
    take one by one. It never grows without end: beyond some thousands of lines, which only a host's own offers could bring
    about, what is new is counted without its collection and policy.

    Attributes:
        seconds: how long something may wait to be written.
        due: when the oldest has waited so long, by ``clock``; infinity while there is nothing.
    """

    seconds: float = 60
    zone: str = "UTC"
    clock: Callable[[], float] = monotonic
    due: float = math.inf
    _heap: deque[Answered] = field(default_factory=deque)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counts: dict[Fact, int] = field(default_factory=dict)
    _older: dict[date, dict[Fact, int]] = field(default_factory=dict)
    _fours: set[int] = field(default_factory=set)
    _sixes: set[int] = field(default_factory=set)
    _day: date = date.min
    _midnight: datetime = LONG_AGO

    def add(self, answered: Answered) -> None:
        """Count one decision, soon."""
        self._heap.append(answered)
        if self.due == math.inf:
            self.due = self.clock() + self.seconds
        if len(self._heap) >= BATCH:
            self.look_through()

    def look_through(self) -> None:
        """Count what lies on the heap. Taking from a deque is one step, so nothing is lost to another thread."""
        with self._lock:
            while self._heap:
                door, offer, decision, address, at = self._heap.popleft()
                self.count(fact_of(door, offer, decision), address, at)

    def count(self, fact: Fact, address: Address | None, at: datetime) -> None:
        """Count one line."""
        if at >= self._midnight:
            self._begin_day(at)
        counts = self._counts
        if fact not in counts and len(counts) >= MOST_LINES:
            fact = (fact[0], "", "", "", fact[4], fact[5])
        counts[fact] = counts.get(fact, 0) + 1
        if address is not None:
            # Numbers: an address as such takes longer to find in a set than all the rest here.
            numbers = self._fours if address.version == 4 else self._sixes
            if len(numbers) < MOST_ADDRESSES:
                numbers.add(int(address))

    def _begin_day(self, at: datetime) -> None:
        self._lay_aside()
        zone = ZoneInfo(self.zone)
        self._day = at.astimezone(zone).date()
        # By the calendar, since a day in spring has 23 hours.
        following = datetime.combine(self._day + timedelta(days=1), time.min, tzinfo=zone)
        self._midnight = following.astimezone(UTC)

    def _lay_aside(self) -> None:
        if self._counts:
            merge(self._older.setdefault(self._day, {}), self._counts)
            self._counts = {}

    def take(self) -> Counted:
        """Take everything out: what another thread adds from now on is for the next time."""
        self.due = math.inf
        self.look_through()
        with self._lock:
            self._lay_aside()
            days = {day: {Facts._make(fact): times for fact, times in one.items()} for day, one in self._older.items()}
            addresses: frozenset[Address] = frozenset((*map(IPv4Address, self._fours), *map(IPv6Address, self._sixes)))
            self._older, self._fours, self._sixes = {}, set(), set()
        return Counted(days, addresses, self._day)

    def put_back(self, counted: Counted) -> None:
        """Keep what could not be written; it is tried again as if it had been counted now."""
        with self._lock:
            for day, counts in counted.days.items():
                merge(self._older.setdefault(day, {}), counts)
            self._fours |= {int(one) for one in counted.addresses if one.version == 4}
            self._sixes |= {int(one) for one in counted.addresses if one.version == 6}
            self.due = self.clock() + self.seconds


def merge(into: dict[Fact, int], counts: Mapping[Any, int]) -> None:
    """Add counts to others; a fact with names is the same as one without."""
    for fact, times in counts.items():
        into[fact] = into.get(fact, 0) + times

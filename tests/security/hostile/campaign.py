"""A campaign: many requests to many places at once, each answer judged, and what got through made short and written down."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.security.hostile.generator import AFTER, REACHABLE, Generator, Request
from tests.security.hostile.holdings import CURATOR, Target, Who
from tests.security.hostile.oracle import Leak, Oracle
from tests.security.hostile.shrinking import line_of, shrunk
from tests.security.hostile.stacks import Place, Running
from tests.security.hostile.wire import Line, status_of

LANES = 8
MOST_HITS = 200
SEEN_AT_LEAST = 0.98
"""Of what people may have, so much must be seen in their answers, or an oracle that sees nothing else proves nothing."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer that gave somebody what they may not have."""

    number: int
    place: Place
    request: Request
    leaks: tuple[Leak, ...]
    status: str

    def __str__(self) -> str:
        what = ", ".join(f"{leak.how} of {leak.key}" for leak in self.leaks)
        return f"{self.place.name}, {self.request.person.name}, request {self.number}, status {self.status}: {what}"


@dataclass
class Tally:
    """What one lane saw; lanes write no table but their own."""

    statuses: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    hits: list[Hit] = field(default_factory=list)
    unseen: list[tuple[str, str, str, str]] = field(default_factory=list)
    requests: int = 0

    def add(self, other: Tally) -> None:
        for key, counted in other.statuses.items():
            self.statuses[key].update(counted)
        self.asked.update(other.asked)
        self.seen.update(other.seen)
        self.hits += other.hits
        self.unseen += other.unseen
        self.requests += other.requests


class Campaign:
    """Requests numbered from ``first``, shared out among lanes and, by turns, among places.

    Args:
        until_found: stop at the first hit, as is enough for a broken twin.
    """

    def __init__(self, run: Running, seed: int, *, places: Sequence[Place] = (), until_found: bool = False) -> None:
        self.run, self.until_found = run, until_found
        self.places = list(places or run.places)
        self.generator = Generator(run.held, seed)
        self.oracle = Oracle(run.salt, [tuple(one) for one in run.held["tickets"]])
        self.stop = threading.Event()
        self.problem: BaseException | None = None

    def go(self, count: int, *, lanes: int = LANES, progress: bool = False) -> Tally:
        """Send them all; what was seen.

        Raises:
            Exception: whatever went wrong in a lane.
        """
        tallies = [Tally() for _ in range(lanes)]
        threads = [
            threading.Thread(target=self._lane, args=(tally, range(lane, count, lanes)), daemon=True)
            for lane, tally in enumerate(tallies)
        ]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        try:
            _wait(threads, lambda: _show(tallies, count, started) if progress else None)
        except KeyboardInterrupt:  # what was seen so far is worth a table too
            self.stop.set()
            _wait(threads, lambda: None)
        if progress:
            print(file=sys.stderr)
        if self.problem is not None:
            raise self.problem
        whole = Tally()
        for tally in tallies:
            whole.add(tally)
        return whole

    def _lane(self, tally: Tally, numbers: range) -> None:
        lines: dict[tuple[str, str], Line] = {}
        try:
            for number in numbers:
                if self.stop.is_set():
                    break
                self._one(tally, lines, number)
        except BaseException as problem:  # told to whoever waits for the lanes
            self.problem = problem
            self.stop.set()
        finally:
            for line in lines.values():
                line.close()

    def _one(self, tally: Tally, lines: dict[tuple[str, str], Line], number: int) -> None:
        place = self.places[number * 7 // 11 % len(self.places)]
        request = self.generator.request(number, place.mode)
        key = (place.name, request.person.name)
        line = lines.get(key) or lines.setdefault(key, Line(place.port))
        answer = line.ask(request.payload, alone=request.alone)
        tally.requests += 1
        tally.statuses[key][status_of(answer)] += 1
        if request.wants:
            self._honest(tally, place, request, answer)
        elif leaks := self.oracle.leaks(request.person, request.payload, answer, request.given):
            self._hit(tally, Hit(number, place, request, tuple(leaks), status_of(answer)))

    def _honest(self, tally: Tally, place: Place, request: Request, answer: bytes) -> None:
        tally.asked[place.name, request.wants] += 1
        if self.oracle.has(answer, request.wants):
            tally.seen[place.name, request.wants] += 1
        elif len(tally.unseen) < 20:
            first = request.payload.partition(b"\r\n")[0].decode("latin-1")
            tally.unseen.append((place.name, request.person.name, first, status_of(answer)))

    def _hit(self, tally: Tally, hit: Hit) -> None:
        tally.hits.append(hit)
        if self.until_found or len(tally.hits) >= MOST_HITS:
            self.stop.set()

    # -- One again --

    def again(self, hit: Hit, payload: bytes) -> bool:
        """Whether these bytes, at the place of a hit, give away the same. Somebody who may has just asked for it, as then."""
        keys = {leak.key for leak in hit.leaks}
        honest, line = Line(hit.place.port), Line(hit.place.port)
        try:
            for target in self._about(hit, keys):
                honest.ask(self.generator.honest(hit.place.mode, target, CURATOR).payload)
            answer = line.ask(payload + AFTER, alone=True)
        finally:
            honest.close()
            line.close()
        leaks = self.oracle.leaks(hit.request.person, payload, answer, hit.request.given)
        return bool(keys & {leak.key for leak in leaks})

    def _about(self, hit: Hit, keys: set[str]) -> list[Target]:
        """What was perhaps asked for before, and kept: the very address, or else another part of the same thing."""
        mine = [one for one in REACHABLE[hit.place.mode] if one.key in keys]
        return [one for one in mine if one.path.encode() in hit.request.payload] or mine[:1]

    def told(self, hit: Hit) -> str:
        """A hit made as short as it can be, as a line of a corpus."""
        short = shrunk(hit.request.payload, lambda payload: self.again(hit, payload))
        return line_of(short, hit.request, self.generator)


def blind(tally: Tally, places: Sequence[Place]) -> list[str]:
    """Where what may be had was not seen often enough to believe that nothing else was there; sentences."""
    found = []
    for place in places:
        asked = sum(count for (name, _key), count in tally.asked.items() if name == place.name)
        seen = sum(count for (name, _key), count in tally.seen.items() if name == place.name)
        if asked == 0 or asked - seen > max(1, (1 - SEEN_AT_LEAST) * asked):  # one may be late where few were asked
            found.append(f"{place.name}: of {asked} requests that should have been met, {seen} were.")
        keys = {target.key for target in REACHABLE[place.mode] if target.who is not Who.NOBODY}
        for key in sorted(keys):
            if tally.asked[place.name, key] >= 3 and not tally.seen[place.name, key]:
                found.append(f"{place.name}: {key} was never to be had, though it should have been.")
    return found


def _wait(threads: Sequence[threading.Thread], meanwhile: Callable[[], None]) -> None:
    for thread in threads:
        while thread.is_alive():
            thread.join(1)
            meanwhile()


def _show(tallies: Sequence[Tally], count: int, started: float) -> None:
    done = sum(tally.requests for tally in tallies)
    hits = sum(len(tally.hits) for tally in tallies)
    rate = done / max(0.001, time.monotonic() - started)
    line = f"\r{done:,} of {count:,} requests, {rate:,.0f} a second, {hits} hits "
    print(line, end="", file=sys.stderr, flush=True)


def table(tally: Tally, places: Sequence[Place]) -> str:
    """Who asked where, and what came back."""
    names = sorted({status for counted in tally.statuses.values() for status in counted})
    head = f"{'place':24}{'person':14}{'requests':>10}" + "".join(f"{name:>8}" for name in names) + f"{'hits':>6}"
    lines = [head]
    for place in places:
        for person in sorted({name for where, name in tally.statuses if where == place.name}):
            counted = tally.statuses[place.name, person]
            hits = sum(hit.place == place and hit.request.person.name == person for hit in tally.hits)
            cells = "".join(f"{counted[name] or '':>8}" for name in names)
            lines.append(f"{place.name:24}{person:14}{counted.total():>10}{cells}{hits:>6}")
    asked, seen = sum(tally.asked.values()), sum(tally.seen.values())
    lines.append(f"Of {asked:,} requests that should have been met, {seen:,} were.")
    return "\n".join(lines)

"""Rounds: somebody has access everywhere, it is taken away somewhere, and from that instant nobody may deliver."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from threading import Event, Lock

from django.db import connections

from tests.security.revoking import scene
from tests.security.revoking.asking import DOORS, Answer, Line, Node, paths_of
from tests.security.revoking.kinds import KINDS

LANES = 2
"""Rounds at the same time. With more, the rules change so often that each process does little else than read them."""
PATIENCE = 50
"""How often to ask again, before a round begins, while the rules of another lane are in motion."""


class NotOpen(AssertionError):
    """The round would prove nothing: there was no access to take away."""


@dataclass(slots=True)
class Figures:
    """What came of it, by kind."""

    rounds: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    asked: int = 0
    meanwhile: int = 0
    first_late: int = 0
    slowest: dict[str, float] = field(default_factory=dict)
    held: Lock = field(default_factory=Lock)

    @property
    def whole(self) -> int:
        return self.rounds.total()

    def take(self, kind: str, seconds: float, answers: Sequence[Answer], written: float) -> None:
        with self.held:
            self._take(kind, seconds, answers, written)

    def _take(self, kind: str, seconds: float, answers: Sequence[Answer], written: float) -> None:
        after = [answer for answer in answers if answer.asked >= written]
        late = sum(answer.delivered for answer in after)
        self.rounds[kind] += 1
        self.late[kind] += late
        self.asked += len(after)
        self.meanwhile += len(answers) - len(after)
        self.first_late = self.first_late or (self.whole if late else 0)
        self.slowest[kind] = max(self.slowest.get(kind, 0.0), seconds)


def run(
    rounds: int, seed: int, *, twin: bool = False, until_late: bool = False, told: Callable[[Figures], object] = id
) -> Figures:
    """So many rounds with three processes, in several lanes at once; with ``twin`` one process remembers for a second."""
    found, over = Figures(), Event()
    with ExitStack() as stack:
        nodes = [Node(twin=twin and number == 1) for number in range(3)]
        for node in nodes:
            stack.callback(node.stop)
        lanes = 1 if until_late else min(LANES, -(-rounds // scene.AT_ONCE))
        shares = [rounds // lanes + (number < rounds % lanes) for number in range(lanes)]
        libraries = [scene.Library.built(number) for number in range(lanes)]
        pool = stack.enter_context(ThreadPoolExecutor(lanes))
        playing = [
            pool.submit(
                Lane(library, nodes, Random(seed * 1000 + library.lane), found, told, over, until_late).play, share
            )
            for library, share in zip(libraries, shares, strict=True)
        ]
        stack.callback(over.set)  # before the pool waits for its lanes
        for one in playing:
            one.result()
    return found


@dataclass(slots=True)
class Lane:
    """Rounds one after the other, in a library of their own."""

    house: scene.Library
    nodes: list[Node]
    chance: Random
    found: Figures
    told: Callable[[Figures], object]
    over: Event
    until_late: bool

    def play(self, rounds: int) -> None:
        lines = [Line(node) for node in self.nodes]
        with ThreadPoolExecutor(len(lines)) as pool:
            try:
                for kinds in _batches(rounds, self.chance):
                    self._batch(kinds, lines, pool)
                    if self._is_over():
                        return
            finally:
                connections.close_all()

    def _is_over(self) -> bool:
        return self.over.is_set() or (self.until_late and bool(self.found.first_late))

    def _batch(self, kinds: list[str], lines: list[Line], pool: ThreadPoolExecutor) -> None:
        readers = scene.seated(self.house, [(kind, KINDS[kind][0]) for kind in kinds])
        for reader in readers:
            _round(reader, lines, pool, self.chance, self.found)
            if self._is_over():
                return
        scene.cleared(readers)
        self.told(self.found)


def _batches(rounds: int, chance: Random) -> Iterator[list[str]]:
    dealt = _dealt(list(KINDS), chance)
    for left in range(rounds, 0, -scene.AT_ONCE):
        yield list(islice(dealt, min(scene.AT_ONCE, left)))


def _dealt(names: list[str], chance: Random) -> Iterator[str]:
    """All of them, shuffled, over and over: none is left out by chance."""
    while True:
        yield from chance.sample(names, len(names))


def _round(reader: scene.Reader, lines: list[Line], pool: ThreadPoolExecutor, chance: Random, found: Figures) -> None:
    paths = paths_of(reader)

    # One door at each process, in turn: what it keeps for one door it would keep for the others.
    begin = chance.randrange(len(DOORS))
    before = [_settled(line, DOORS[(begin + number) % len(DOORS)], reader, paths) for number, line in enumerate(lines)]
    if not all(answer.delivered for answer in before):
        raise NotOpen(f"{reader.kind}: {[(answer.door, answer.status) for answer in before]}")
    watcher, through = chance.choice(lines), chance.choice(lines)
    begun, over = Event(), Event()
    watching = pool.submit(_watch, watcher, reader, paths, begun, over)
    begun.wait(60)
    start = time.monotonic()
    KINDS[reader.kind][1](reader, through.deeds)
    written = time.monotonic()
    over.set()
    others = [pool.submit(line.oracle.everywhere, reader, paths) for line in lines if line is not watcher]
    answers = [answer for one in (*others, watching) for answer in one.result()]
    for undo in reversed(reader.undo):
        undo()
    found.take(reader.kind, written - start, answers, written)


def _settled(line: Line, door: str, reader: scene.Reader, paths: dict[str, str]) -> Answer:
    """The answer of a process that could make up its mind: while rules change it says no to everybody (503)."""
    for _attempt in range(PATIENCE):
        answer = line.oracle.at(door, reader, paths)
        if answer.status not in (500, 503):
            break
    return answer


def _watch(line: Line, reader: scene.Reader, paths: dict[str, str], begun: Event, over: Event) -> list[Answer]:
    """Ask over and over, before and while it is written, and once at every door after that."""
    found: list[Answer] = []
    while not over.is_set():
        found.append(line.oracle.at(DOORS[len(found) % len(DOORS)], reader, paths))
        begun.set()
    return [*found, *line.oracle.everywhere(reader, paths)]

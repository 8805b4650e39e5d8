"""Rounds: somebody has access everywhere, it is taken away somewhere, and from that instant nobody may deliver."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import Random
from threading import Event

from tests.security.revoking import scene
from tests.security.revoking.asking import Answer, Node, paths_of
from tests.security.revoking.kinds import KINDS

AT_ONCE = 40
"""Readers made together."""


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

    @property
    def whole(self) -> int:
        return self.rounds.total()

    def take(self, kind: str, seconds: float, answers: Sequence[Answer], written: float) -> None:
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
    """So many rounds with three processes; with ``twin`` one of them remembers for a second."""
    chance, found = Random(seed), Figures()
    with ExitStack() as stack:
        library = scene.Library.built()
        nodes = [Node(twin=twin and number == 1) for number in range(3)]
        for node in nodes:
            stack.callback(node.stop)
        pool = stack.enter_context(ThreadPoolExecutor(len(nodes)))
        for kinds in _batches(rounds, chance):
            readers = scene.seated(library, [(kind, KINDS[kind][0]) for kind in kinds])
            for reader in readers:
                _round(reader, nodes, pool, chance, found)
                if until_late and found.first_late:
                    return found
            scene.cleared(readers)
            told(found)
    return found


def _batches(rounds: int, chance: Random) -> Iterator[list[str]]:
    names = list(KINDS)
    left = rounds
    while left > 0:
        yield [chance.choice(names) for _ in range(min(AT_ONCE, left))]
        left -= AT_ONCE


def _round(reader: scene.Reader, nodes: list[Node], pool: ThreadPoolExecutor, chance: Random, found: Figures) -> None:
    paths = paths_of(reader)
    before = [
        answer for several in pool.map(lambda node: node.oracle.everywhere(reader, paths), nodes) for answer in several
    ]
    if not all(answer.delivered for answer in before):
        raise NotOpen(f"{reader.kind}: {[(answer.door, answer.status) for answer in before]}")
    watcher, through = chance.choice(nodes), chance.choice(nodes)
    begun, over = Event(), Event()
    watching = pool.submit(_watch, watcher, reader, paths, begun, over)
    begun.wait(60)
    start = time.monotonic()
    KINDS[reader.kind][1](reader, through.deeds)
    written = time.monotonic()
    others = [node for node in nodes if node is not watcher]
    after = [answer for several in pool.map(lambda n: n.oracle.everywhere(reader, paths), others) for answer in several]
    over.set()
    answers = [*watching.result(), *after, *watcher.oracle.everywhere(reader, paths)]
    for undo in reader.undo:
        undo()
    found.take(reader.kind, written - start, answers, written)


def _watch(node: Node, reader: scene.Reader, paths: dict[str, str], begun: Event, over: Event) -> list[Answer]:
    """Ask over and over, before, while and after it is written."""
    found: list[Answer] = []
    while not over.is_set():
        found.extend(node.oracle.everywhere(reader, paths))
        begun.set()
    return found

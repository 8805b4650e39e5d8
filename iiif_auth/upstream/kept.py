"""Descriptions of pictures, as the servers behind the doors give them, kept for a while in this process.

An upstream that is down must not stop what was described before (security R10), nor every worker in turn: after three questions
in vain the others are answered at once, and one at a time tries again.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final
from urllib.parse import quote

from iiif_auth import fetch
from iiif_auth.enforce.doors import Door
from iiif_auth.fetch import NotFetched, NotThere, Unanswered
from iiif_auth.upstream import connecting, fastcgi
from iiif_auth.upstream.descriptions import BadDescription, Description, described

logger = logging.getLogger("iiif_auth.upstream")

MOST_BYTES: Final = 1_000_000
FRESH: Final = 60.0
"""Seconds for which a description is not asked for again."""
GOOD: Final = 3600.0
"""Seconds for which it is still told, if the upstream has no good answer."""
SORRY: Final = 5.0
"""Seconds for which a failure is not tried again."""
MOST_KEPT: Final = 5000
TRIES: Final = 3
"""So many questions in a row without an answer, and an upstream is taken to be down. One slow picture does not make it so."""

Key = tuple[str, str]
Ask = Callable[[], Description]
Problem = NotFetched | BadDescription


@dataclass(frozen=True, slots=True)
class Known:
    """What was last learned. ``until`` is when to ask again, ``good_until`` how long the description may be told at all."""

    description: Description | None
    problem: Problem | None
    until: float
    good_until: float


class Shelf:
    """What is known of pictures, the ones looked at longest ago going first. Every thread asks through it."""

    def __init__(self, most: int = MOST_KEPT, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[Key, Known] = OrderedDict()
        self._asking: dict[Key, Future[Known]] = {}
        self._in_vain: Counter[str] = Counter()
        self._down: dict[str, float] = {}

    def description(self, key: Key, ask: Ask) -> Description:
        """What is known, or what ``ask`` finds out. Of several threads one asks, and the others wait for it.

        Raises:
            NotFetched, BadDescription: there is no description, and none from before that would still do.
        """
        with self._lock:
            known, now = self._known.get(key), self._clock()
            if known is not None and now < known.until:
                self._known.move_to_end(key)
                return _told(known)
            waiting = self._asking.get(key)
            if waiting is None:
                asking = self._asking[key] = Future()
            elif known is not None and known.description is not None and now < known.good_until:
                return known.description
        if waiting is not None:
            return _told(waiting.result())
        return _told(self._learned(key, ask, known, asking))

    def _learned(self, key: Key, ask: Ask, before: Known | None, asking: Future[Known]) -> Known:
        """Ask, and tell those who wait, whatever happens."""
        learned = Known(None, NotFetched("Something went wrong here."), 0.0, 0.0)
        try:
            learned = self._asked(key, ask, before)
            return learned
        finally:
            with self._lock:
                self._known[key] = learned
                self._known.move_to_end(key)
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
                del self._asking[key]
            asking.set_result(learned)

    def _asked(self, key: Key, ask: Ask, before: Known | None) -> Known:
        try:
            self._check_up(key[0])
            found = ask()
        except (NotFetched, BadDescription) as problem:
            return self._failed(key, problem, before)
        self._is_up(key[0])
        now = self._clock()
        return Known(found, None, now + FRESH, now + GOOD)

    def _check_up(self, upstream: str) -> None:
        """Raises ``Unanswered`` while the upstream is taken to be down; every few seconds one goes and looks."""
        with self._lock:
            now = self._clock()
            if now < self._down.get(upstream, now):
                raise Unanswered("It has not answered a moment ago, so it is not asked again yet.")
            if upstream in self._down:
                self._down[upstream] = now + SORRY

    def _is_silent(self, upstream: str, now: float) -> None:
        with self._lock:
            self._in_vain[upstream] += 1
            if self._in_vain[upstream] >= TRIES:
                self._down.setdefault(upstream, now + SORRY)

    def _is_up(self, upstream: str) -> None:
        with self._lock:
            self._in_vain.pop(upstream, None)
            self._down.pop(upstream, None)

    def _failed(self, key: Key, problem: Problem, before: Known | None) -> Known:
        now = self._clock()
        if isinstance(problem, Unanswered):
            self._is_silent(key[0], now)
        else:
            self._is_up(key[0])
        usable = before is not None and before.description is not None and now < before.good_until
        if usable and before is not None and not isinstance(problem, NotThere):
            logger.warning("%s of %s is told as it was: %s", key[1], key[0], problem)
            return Known(before.description, None, now + SORRY, before.good_until)
        logger.warning("%s of %s can not be described: %s", key[1], key[0], problem)
        return Known(None, problem, now + SORRY, 0.0)

    def clear(self) -> None:
        with self._lock:
            self._known.clear()
            self._in_vain.clear()
            self._down.clear()


def _told(known: Known) -> Description:
    """The description, or the problem anew: one raised by several threads would grow a traceback of all of them."""
    if known.description is not None:
        return known.description
    assert known.problem is not None  # noqa: S101  one of the two is there
    raise type(known.problem)(str(known.problem))


shelf = Shelf()


def describe(door: Door, source: str) -> Description:
    """The description of a picture by the server behind a door; kept, see above.

    Args:
        source: its name there, decoded.

    Raises:
        NotThere: the server does not have it.
        Unanswered: the server does not answer.
        NotFetched: it gave no document, but something else.
        BadDescription: the document describes no picture.
    """
    return shelf.description((door.upstream, source), lambda: described(_document(door, source)))


def forget() -> None:
    """Forget every description, and that upstreams were down."""
    shelf.clear()


def _document(door: Door, source: str) -> bytes:
    path = f"{quote(source, safe='')}/info.json"
    target = connecting.target_of(door, path)
    if not connecting.is_fastcgi(door):
        return fetch.fetched(f"{door.upstream}{path}", [door.upstream], MOST_BYTES, inner=True)
    try:
        with closing(connecting.asked(door, path)) as asked:
            return fetch.document_in(_whole(asked.text.read), MOST_BYTES)
    except (OSError, HTTPException) as error:
        raise Unanswered(f"{target.host} gave no whole answer ({type(error).__name__}).") from error


def _whole(read: Callable[[int], bytes]) -> bytes:
    """Everything, up to where it is certainly too much."""
    found = read(MOST_BYTES + fastcgi.MOST_HEADERS + 1)
    if len(found) > MOST_BYTES + fastcgi.MOST_HEADERS:
        raise NotFetched("The document is too large to be fetched.")
    return found

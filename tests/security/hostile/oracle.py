"""The judge: whether an answer gives somebody what they may not have, whatever its status says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from tests.security.hostile.holdings import (
    EVERYTHING,
    LENGTHS,
    PICTURES,
    PREFIX,
    TARGETS,
    Person,
    Who,
    mark,
)

MARKS = re.compile(rb"%b[0-9a-f]{16}" % PREFIX)
TELLING = re.compile(
    rb"\r\n(?:content-length:[ \t]*(\d+)|content-range:[ \t]*bytes[ \t]*[^/\r\n]*/(\d+)|etag:[^\r\n]*-([0-9a-f]+)\")",
    re.IGNORECASE,
)
HIDDEN = next(one for one in PICTURES if one.hidden)
HIDDEN_SIZE = re.compile(rf'"width":\s?{HIDDEN.width}\b'.encode())


@dataclass(frozen=True, slots=True)
class Leak:
    """That somebody got something, and by what it was known."""

    key: str
    how: str


class Oracle:
    """Knows every mark of a run, and what each ticket is good for.

    Args:
        salt: that of the run.
        tickets: (ticket, URL that it was made for, name of the person) of those that count.
    """

    def __init__(self, salt: str, tickets: list[tuple[str, str, str]]) -> None:
        self._keys = {mark(salt, key): key for key in EVERYTHING}
        self._lengths = {length: key for key, length in LENGTHS.items()}
        self._tickets = {ticket.encode(): uri for ticket, uri, _name in tickets}
        self._behind: dict[str, set[str]] = {}
        for target in TARGETS:
            self._behind.setdefault(target.uri, set()).add(target.key)
        self._levels = {ticket.encode(): name for ticket, _uri, name in tickets}

    def leaks(self, person: Person, request: bytes, answer: bytes, given: frozenset[str] = frozenset()) -> list[Leak]:
        """What this answer gives away; ``given`` is what the request was meant to get, by a ticket made for it."""
        found = self._found(answer)
        if not found:
            return []
        beyond = [leak for leak in found if EVERYTHING[leak.key] > person.level and leak.key not in given]
        if not beyond:
            return []
        lent = self._lent(request)
        return [leak for leak in beyond if leak.key not in lent]

    def has(self, answer: bytes, key: str) -> bool:
        """Whether the bytes of something are in an answer."""
        return any(leak.key == key for leak in self._found(answer))

    def _found(self, answer: bytes) -> list[Leak]:
        found = []
        if PREFIX in answer:
            found = [Leak(self._keys[one], "its bytes") for one in set(MARKS.findall(answer)) if one in self._keys]
        head = answer[: answer.find(b"\r\n\r\n") + 2] if answer.startswith(b"HTTP/1") else b""
        for length, total, tag in TELLING.findall(head):
            number = int(tag, 16) if tag else int(length or total)
            if number in self._lengths:
                found.append(Leak(self._lengths[number], "its length" if not tag else "its ETag"))
        if b'"width"' in answer and HIDDEN_SIZE.search(answer):
            found.append(Leak(HIDDEN.key, "its size in pixels"))
        return found

    def _lent(self, request: bytes) -> set[str]:
        """What the live tickets in a request are good for, however they are spelt."""
        texts = request + b"\n" + unquote_to_bytes(request)
        return {
            key
            for ticket, uri in self._tickets.items()
            if ticket in texts
            for key in self._behind[uri]
            if EVERYTHING[key] <= _LEVEL[self._levels[ticket]]
        }


_LEVEL = {"curator": Who.CURATORS, "lower tier": Who.MEMBERS, "wrong group": Who.EVERYONE}

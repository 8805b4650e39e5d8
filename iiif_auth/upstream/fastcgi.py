"""As much of FastCGI as asking one question needs: the responder role, one request to a connection, no body.

Everything that comes back is a claim: lengths are checked, what is not announced is an error, and nothing is kept that was not
asked for. What is answered reads as an answer of HTTP, so that one reader serves both.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from io import RawIOBase
from typing import Any

HEAD = struct.Struct("!BBHHBx")
VERSION, REQUEST, RESPONDER = 1, 1, 1
BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
MOST_IN_A_RECORD = 65_535
MOST_HEADERS = 64_000

BLANK = re.compile(rb"\r?\n\r?\n")
STATUS = re.compile(rb"^status:[ \t]*([1-5][0-9]{2})\b", re.IGNORECASE | re.MULTILINE)

Receive = Callable[[int], bytes]
"""As ``socket.recv``: up to so many bytes, none at the end. Raises ``OSError``."""


class NotFastCGI(OSError):
    """What came back is not FastCGI, or not the whole of an answer."""


def request(values: Mapping[str, str]) -> bytes:
    """A request in full.

    Args:
        values: the CGI variables.
    """
    pairs = b"".join(_pair(name.encode(), value.encode()) for name, value in values.items())
    if len(pairs) > MOST_IN_A_RECORD:
        raise ValueError("The CGI variables are too long for one record.")
    begin = _record(BEGIN, struct.pack("!HB5x", RESPONDER, 0))
    return begin + _record(PARAMS, pairs) + _record(PARAMS, b"") + _record(STDIN, b"")


def _pair(name: bytes, value: bytes) -> bytes:
    return _length(name) + _length(value) + name + value


def _length(text: bytes) -> bytes:
    """One byte up to 127; beyond that four, with the highest bit set."""
    return bytes((len(text),)) if len(text) < 128 else struct.pack("!I", len(text) | 0x8000_0000)


def _record(kind: int, body: bytes) -> bytes:
    return HEAD.pack(VERSION, kind, REQUEST, len(body), 0) + body


class Answer(RawIOBase):
    """What the responder writes, read as an answer of HTTP/1.0: a status line stands before the headers of CGI.

    What it writes to its standard error is not looked at.

    Raises, whenever it is read:
        NotFastCGI: the other side does not keep to the protocol, or hangs up before the end.
        OSError: as the connection does.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._over = False
        self._ready = self._begun()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._ready:
            self._ready = self._next()
        given = self._ready[: len(buffer)]
        buffer[: len(given)] = given
        self._ready = self._ready[len(given) :]
        return len(given)

    def _begun(self) -> bytes:
        """Everything up to the end of the headers and whatever came with it, under a status line."""
        text = b""
        while (blank := BLANK.search(text)) is None:
            more = self._next()
            text += more
            if not more or len(text) > MOST_HEADERS:
                raise NotFastCGI("The answer has no headers, or no end to them.")
        found = STATUS.search(text[: blank.start()])
        return b"HTTP/1.0 " + (found[1] if found else b"200") + b" -\r\n" + text

    def _next(self) -> bytes:
        """More of the answer; nothing at its end."""
        while not self._over:
            kind, body = self._one()
            if kind == STDOUT and body:
                return body
            self._over = kind == END
        return b""

    def _one(self) -> tuple[int, bytes]:
        version, kind, number, length, padding = HEAD.unpack(self._exactly(HEAD.size))
        if version != VERSION or number != REQUEST or kind not in (STDOUT, STDERR, END):
            raise NotFastCGI("This is not FastCGI.")
        return kind, self._exactly(length + padding)[:length]

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            more = self._receive(size - len(found))
            if not more:
                raise NotFastCGI("The connection was closed before the end of the answer.")
            found += more
        return found

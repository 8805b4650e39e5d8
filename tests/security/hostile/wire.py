"""Requests as bytes on a socket, and whatever comes back. No HTTP library is between: it would refuse to send what matters."""

from __future__ import annotations

import contextlib
import re
import socket

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,12})[ \t]*(?=\r\n)", re.IGNORECASE)
CHUNKED = re.compile(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*(?=\r\n)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection:[ \t]*close[ \t]*(?=\r\n)", re.IGNORECASE)
BODILESS = (b"204", b"304")
MOST = 4_000_000
PATIENCE = 10.0
IMPATIENCE = 0.4
"""Seconds to wait for an answer to what may be no whole request."""


class Line:
    """One connection to a server, opened anew whenever the server has had enough of it."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._socket: socket.socket | None = None
        self._buffer = b""

    def ask(self, payload: bytes, *, alone: bool = False) -> bytes:
        """Everything that comes back, headers and all; empty if nothing does.

        Args:
            alone: not a whole request, or more than one: on a connection of its own, and read until nobody speaks any more.
        """
        if alone:
            self.close()
        for attempt in (0, 1):
            reused = self._socket is not None
            try:
                answer = self._asked(payload, alone)
            except OSError:
                answer = b""
                self.close()
            if answer or not reused or attempt:
                return answer
        return b""

    def _asked(self, payload: bytes, alone: bool) -> bytes:
        line = self._opened()
        line.settimeout(IMPATIENCE if alone else PATIENCE)
        with contextlib.suppress(
            BrokenPipeError, ConnectionResetError
        ):  # refused before all was read; an answer may be there
            line.sendall(payload)
        if alone:
            return self._rest()
        answer = self._one(payload.startswith(b"HEAD "))
        if self._buffer:  # more than one answer to one request: of interest, and the end of this connection
            answer += self._buffer
            self.close()
        return answer

    def _opened(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._buffer = b""
        return self._socket

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._buffer = None, b""

    def _more(self) -> bool:
        assert self._socket is not None
        try:
            found = self._socket.recv(262_144)
        except (TimeoutError, ConnectionResetError):
            found = b""
        self._buffer += found
        return bool(found)

    def _rest(self) -> bytes:
        while len(self._buffer) < MOST and self._more():
            pass
        answer = self._buffer
        self.close()
        return answer

    def _one(self, bodiless: bool) -> bytes:
        """One answer; the connection is closed if that is how it ends."""
        while (end := self._buffer.find(HEAD_END)) < 0:
            if len(self._buffer) >= MOST or not self._more():
                return self._rest()
        head = self._buffer[: end + 2]
        if head[9:10] == b"1" and head.startswith(b"HTTP/1"):  # 1xx: not yet the answer
            self._buffer = self._buffer[end + 4 :]
            return head + b"\r\n" + self._one(bodiless)
        whole = self._whole(head, end + 4, bodiless)
        if whole is None:
            return self._rest()
        answer, self._buffer = self._buffer[:whole], self._buffer[whole:]
        if CLOSES.search(head) or head.startswith(b"HTTP/1.0"):
            answer += self._buffer
            self.close()
        return answer

    def _whole(self, head: bytes, start: int, bodiless: bool) -> int | None:
        """Where the answer ends; ``None`` if that is where the connection does."""
        if bodiless or head[9:12] in BODILESS:
            return start
        if CHUNKED.search(head):
            return self._chunks(start)
        length = LENGTH.search(head)
        if length is None:
            return None
        end = start + int(length[1])
        while len(self._buffer) < end:
            if not self._more():
                return len(self._buffer)
        return end

    def _chunks(self, start: int) -> int | None:
        at = start
        while True:
            line_end = self._found(b"\r\n", at)
            if line_end is None:
                return None
            size = int(self._buffer[at:line_end].split(b";")[0] or b"0", 16)
            at = line_end + 2 + size + 2
            while len(self._buffer) < at:
                if not self._more():
                    return None
            if size == 0:
                return at

    def _found(self, what: bytes, start: int) -> int | None:
        while (found := self._buffer.find(what, start)) < 0:
            if not self._more():
                return None
        return found


def status_of(answer: bytes) -> str:
    """The status as text; ``none`` for silence, ``odd`` for what is no answer of HTTP/1."""
    if not answer:
        return "none"
    return answer[9:12].decode("latin-1") if answer.startswith(b"HTTP/1.") and answer[9:12].isdigit() else "odd"

"""A question to the server behind a door, by HTTP or by FastCGI.

What is asked is the door's own beginning and a path that was rebuilt from what was decided; nothing of what the client sent goes
along but the method and, for files, the range. The name in the settings is resolved once, and the address that was judged is the
one connected to; it may be inside this network, since the operator wrote it there.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from typing import Any, BinaryIO
from urllib.parse import unquote

from iiif_auth import fetch
from iiif_auth.enforce.doors import Door
from iiif_auth.fetch import NotFetched, Target
from iiif_auth.upstream import fastcgi

FASTCGI = "fastcgi:"
FASTCGI_PORT = 9000
UP = "../"
"""IIPImage takes this out of a name, so that ``ma../ps/survey`` there is ``maps/survey``, of which nothing was decided."""

PORT = re.compile(r":[0-9]{1,5}$")


def is_fastcgi(door: Door) -> bool:
    return door.upstream.startswith(FASTCGI)


def target_of(door: Door, path: str) -> Target:
    """Where a path below a door's upstream is asked.

    Args:
        path: percent-encoded, as :func:`iiif_auth.enforce.doors.upstream_path` writes it.

    Raises:
        NotFetched: there is something about it that two programs might read in two ways.
    """
    url = _as_http(door.upstream)
    target = fetch.target_of(url + path)  # it has no dot segments, or it is none, so it is below the beginning
    if target is None or target.query or UP in unquote(path):
        raise NotFetched(f"The name is none that can be asked of the upstream of “{door.name}”.")
    return target


def _as_http(upstream: str) -> str:
    """FastCGI has no URLs of its own; what differs is the usual port."""
    if not upstream.startswith(FASTCGI):
        return upstream
    host, slash, path = upstream.removeprefix(f"{FASTCGI}//").partition("/")
    port = "" if PORT.search(host) else f":{FASTCGI_PORT}"
    return f"http://{host}{port}{slash}{path}"


class Timed(RawIOBase):
    """A connection as a file that is read until an instant of ``time.monotonic``, which may be moved.

    Raises, whenever it is read:
        TimeoutError: that instant has come, or nothing was said for ``fetch.SECONDS``.
    """

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self.until = until

    def readable(self) -> bool:
        return True

    def receive(self, size: int) -> bytes:
        self._connection.settimeout(min(fetch.left(self.until), fetch.SECONDS))
        return self._connection.recv(size)

    def readinto(self, buffer: Any) -> int:
        found = self.receive(len(buffer))
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        self._connection.close()
        super().close()


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer that is still arriving. ``makefile`` is what the standard library reads an answer of HTTP from."""

    connection: Timed
    text: BufferedReader

    def makefile(self, mode: str) -> BinaryIO:
        return self.text

    def close(self) -> None:
        self.text.close()
        self.connection.close()


def asked(door: Door, path: str, method: str = "GET", headers: Mapping[str, str] | None = None) -> Asked:
    """Ask the server behind a door, which has ``fetch.SECONDS`` until the headers of its answer must be there.

    Args:
        path: percent-encoded, below the door's upstream.
        headers: of the request, beyond those that are always sent.

    Raises:
        OSError: it does not answer; ``TimeoutError`` among others.
        NotFetched: it is not to be asked, or has no address.
    """
    target, until = target_of(door, path), time.monotonic() + fetch.SECONDS
    if is_fastcgi(door):
        return _spoken(target, until, fastcgi.request(_variables(target, path, method)), fastcgi_answer)
    return _spoken(target, until, _request(target, method, headers or {}), lambda connection: connection)


def fastcgi_answer(connection: Timed) -> RawIOBase:
    return fastcgi.Answer(connection.receive)


def _spoken(target: Target, until: float, question: bytes, reader: Callable[[Timed], RawIOBase]) -> Asked:
    plain = fetch.opened(target, until, inner=True)
    try:
        plain.settimeout(fetch.left(until))
        plain.sendall(question)
        connection = Timed(plain, until)
        return Asked(connection, BufferedReader(reader(connection)))
    except BaseException:
        plain.close()
        raise


def _request(target: Target, method: str, headers: Mapping[str, str]) -> bytes:
    given = {
        "Host": target.host_header,
        "User-Agent": fetch.AGENT,
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    lines = (f"{method} {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items()))
    return "\r\n".join((*lines, "", "")).encode("ascii")


def _variables(target: Target, path: str, method: str) -> dict[str, str]:
    """What a responder is told. IIPImage reads ``QUERY_STRING``, and makes addresses of its own from ``REQUEST_URI``."""
    return {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_SOFTWARE": fetch.AGENT,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": target.host,
        "SERVER_PORT": str(target.port),
        "HTTP_HOST": target.host_header,
        "REQUEST_METHOD": method,
        "REQUEST_URI": target.path,
        "SCRIPT_NAME": "",
        "PATH_INFO": target.path,
        "QUERY_STRING": f"IIIF={path}",
    }

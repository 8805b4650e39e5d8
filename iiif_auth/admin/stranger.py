"""What a stranger gets: an address of this site asked as anybody on the web would ask it, without a cookie or a token.

Only this site and its doors are asked (security S1, S2): the addresses come from rows that many may write. Nothing is followed,
and of an answer only the beginning is read.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from io import BytesIO

from iiif_auth import fetch
from iiif_auth.conf import conf
from iiif_auth.enforce.doors import doors
from iiif_auth.fetch import Target

MOST = 20_000
"""Bytes that are read of an answer: its head is what counts."""
AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: its status (0: none), media type, and where it sends one on to; or the sentence why there is none."""

    status: int = 0
    kind: str = ""
    location: str = ""
    problem: str = ""


def places() -> tuple[str, ...]:
    """The beginnings of what may be asked: this site, and the sites of its doors."""
    return tuple(dict.fromkeys(one for one in (conf.BASE_URL, *(door.base for door in doors())) if one))


def heard_all(urls: Iterable[str]) -> list[Heard]:
    """What is answered at each of these addresses, some of them asked at the same time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(heard, urls))


def heard(url: str) -> Heard:
    """What is answered at an address; never raises."""
    try:
        target = fetch.listed(url, places())
    except fetch.NotListed:
        return Heard(problem="elsewhere")
    until = time.monotonic() + fetch.SECONDS
    try:
        # The names of this site and of its doors are the operator's own, and may lead inside.
        with fetch.opened(target, until, inner=True) as connection:
            connection.settimeout(fetch.left(until))
            connection.sendall(request_for(target))
            return read(beginning(connection, until))
    except TimeoutError:
        return Heard(problem="slow")
    except (OSError, HTTPException, ssl.SSLError, fetch.NotFetched) as error:
        return Heard(problem=type(error).__name__)


def request_for(target: Target) -> bytes:
    """A plain request with nothing that says who asks."""
    lines = (
        f"GET {target.path}{target.query} HTTP/1.1",
        f"Host: {target.host_header}",
        f"User-Agent: {fetch.AGENT}",
        "Accept: */*",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def beginning(connection: object, until: float) -> bytes:
    """The first bytes of an answer, which may be the whole of it.

    Raises:
        OSError: it was cut off; ``TimeoutError`` if it took too long.
    """
    found = b""
    while len(found) < MOST:
        connection.settimeout(fetch.left(until))  # type: ignore[attr-defined]
        piece: bytes = connection.recv(MOST)  # type: ignore[attr-defined]
        if not piece:
            break
        found += piece
    return found


class _Said:
    def __init__(self, raw: bytes) -> None:
        self._file = BytesIO(raw)

    def makefile(self, mode: str) -> BytesIO:
        return self._file


def read(raw: bytes) -> Heard:
    """The head of an answer.

    Raises:
        HTTPException: this is not HTTP.
    """
    response = HTTPResponse(_Said(raw), method="GET")  # type: ignore[arg-type]
    response.begin()
    return Heard(response.status, response.headers.get_content_type(), response.headers.get("Location", ""))

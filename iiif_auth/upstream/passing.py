"""Content passed on from the server behind a door, piece by piece, where no web server stands in front that could do it.

Of the answer only what is listed here is passed on: no cookie, no address of the upstream's, no type of content that was not
asked for. What is cut off upstream is cut off here too, and never looks whole.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Final

from iiif_auth import fetch
from iiif_auth.enforce.doors import Door
from iiif_auth.upstream import connecting

logger = logging.getLogger("iiif_auth.upstream")

PIECE: Final = 65_536
MOST_SECONDS: Final = 3600.0
"""After so long the answer is cut off, however it drips; a film may take its time."""
MOST_IMAGE: Final = 256_000_000
"""Bytes; no picture that is looked at is larger."""

IMAGE_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
PASSED_ON: Final = ("Content-Length", "Content-Range", "Accept-Ranges")
ITS_OWN: Final = frozenset((200, 206, 400, 404, 410, 416, 501))
"""What an upstream may answer; anything else, a redirect or a demand for a password among it, is out of order."""


class OutOfOrder(Exception):
    """The server behind a door gave no answer that could be passed on; the message is a sentence that says why.

    ``later`` says that nobody answered at all, so asking again may help.
    """

    def __init__(self, sentence: str, *, later: bool = False) -> None:
        super().__init__(sentence)
        self.later = later


@dataclass(frozen=True, slots=True)
class Passed:
    """An answer to pass on: 200 or 206 with ``pieces``, which must be closed; 400, 404 or 416 without."""

    status: int
    headers: Mapping[str, str]
    pieces: Pieces | None = None


def passed(door: Door, path: str, method: str = "GET", *, wanted: str = "", byte_range: str = "") -> Passed:
    """The answer of the server behind a door.

    Args:
        path: percent-encoded, below the door's upstream: what was decided.
        method: ``GET`` or ``HEAD``.
        wanted: the type that an image must have; empty for files, of whose type the upstream says nothing that counts.
        byte_range: the value of ``Range``, well-formed, or empty.

    Raises:
        OutOfOrder: there is none, or none that may be passed on.
    """
    headers = {"Range": byte_range} if byte_range else {}
    try:
        asked = connecting.asked(door, path, method, headers)
    except fetch.NotFetched as error:
        raise OutOfOrder(str(error), later=isinstance(error, fetch.Unanswered)) from error
    except OSError as error:
        raise OutOfOrder(_silence(door, error), later=True) from error
    try:
        return _read(door, asked, method, wanted, byte_range)
    except (OSError, HTTPException) as error:
        asked.close()
        raise OutOfOrder(_silence(door, error), later=True) from error
    except BaseException:
        asked.close()
        raise


def _silence(door: Door, error: Exception) -> str:
    return f"The upstream of “{door.name}” gave no whole answer ({type(error).__name__})."


def _read(door: Door, asked: connecting.Asked, method: str, wanted: str, byte_range: str) -> Passed:
    response = HTTPResponse(asked, method=method)  # type: ignore[arg-type]
    response.begin()
    _check(door, response, wanted, byte_range)
    if response.status not in (200, 206):
        asked.close()
        told = response.headers.get("Content-Range", "") if response.status == 416 else ""
        status = {410: 404, 501: 400}.get(response.status, response.status)
        return Passed(status, {"Content-Range": told} if told else {})
    headers = {name: value for name in PASSED_ON if (value := response.headers.get(name)) is not None}
    asked.connection.until = time.monotonic() + MOST_SECONDS
    most = MOST_IMAGE if wanted else None
    return Passed(response.status, headers, Pieces(door, asked, response, most))


def _check(door: Door, response: HTTPResponse, wanted: str, byte_range: str) -> None:
    """Raises ``OutOfOrder`` unless the answer is one that may be passed on."""
    status, kind = response.status, response.headers.get_content_type()
    if status not in ITS_OWN or (status == 206 and not byte_range):
        raise OutOfOrder(f"The upstream of “{door.name}” answered {status}, which is not passed on.")
    if status == 200 and wanted and kind != wanted:
        raise OutOfOrder(f"The upstream of “{door.name}” sent {kind} where {wanted} was asked for.")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise OutOfOrder(f"The upstream of “{door.name}” sent something compressed, though it was asked for plainly.")


class CutOff(ConnectionError):
    """The upstream stopped in the middle: the connection to the client ends too, so that nothing half looks whole."""


class Pieces(Iterator[bytes]):
    """The bytes of an answer as they arrive; closed by whoever passes them on, even if nobody wanted the first."""

    def __init__(self, door: Door, asked: connecting.Asked, response: HTTPResponse, most: int | None) -> None:
        self._door, self._asked, self._response, self._most = door, asked, response, most
        self._sent, self._promised = 0, response.length

    def __next__(self) -> bytes:
        """The next piece.

        Raises:
            CutOff: there should be one, but there is not.
        """
        piece = self._read()
        if not piece:
            self.close()
            if self._promised is not None and self._sent < self._promised:
                raise self._cut("sent less than it announced")
            raise StopIteration
        self._sent += len(piece)
        if self._most is not None and self._sent > self._most:
            raise self._cut(f"sent more than {self._most:,} bytes of one image")
        return piece

    def _read(self) -> bytes:
        if self._response.closed:
            return b""
        try:
            return self._response.read(PIECE)
        except (OSError, HTTPException) as error:
            raise self._cut(f"stopped in the middle ({type(error).__name__})") from error

    def _cut(self, what: str) -> CutOff:
        self.close()
        logger.warning("The upstream of “%s” %s; the answer was cut off.", self._door.name, what)
        return CutOff(f"The upstream of “{self._door.name}” {what}.")

    def close(self) -> None:
        self._response.close()
        self._asked.close()

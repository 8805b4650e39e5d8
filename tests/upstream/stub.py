"""Upstreams that mean no good, and one that means well: each answers every connection with what it was given."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager, suppress
from typing import Any

from tests.test_fetch import OK, site

GOOD = {
    "@context": "http://iiif.io/api/image/3/context.json",
    "id": "http://images.internal:8182/iiif/3/secret%2Foriginal.tif",
    "type": "ImageService3",
    "protocol": "http://iiif.io/api/image",
    "profile": "level2",
    "width": 8000,
    "height": 6000,
    "maxWidth": 2000,
    "sizes": [{"width": 1000, "height": 750}, {"width": 9000, "height": 6750}],
    "tiles": [{"width": 512, "scaleFactors": [1, 2, 4, 8, 16]}],
    "preferredFormats": ["webp"],
    "extraFormats": ["tif", "webp", "pdf"],
    "extraQualities": ["color", "gray", "original"],
    "extraFeatures": ["canonicalLinkHeader", "mirroring", "sizeUpscaling", "rotationArbitrary", "teleport"],
    "rights": "http://creativecommons.org/licenses/by/4.0/",
    "service": [{"id": "http://images.internal:8182/search"}],
    "seeAlso": [{"id": "http://images.internal:8182/ocr"}],
    "partOf": [{"id": "http://images.internal:8182/book"}],
}


def answer(body: bytes, head: bytes = OK) -> bytes:
    return head + f"Content-Length: {len(body)}\r\n\r\n".encode() + body


def described(**changes: Any) -> bytes:
    return answer(json.dumps({**GOOD, **changes}).encode())


def drip(first: bytes):
    """Sends something, and then a blank now and then, for ever."""

    def says(connection, over):
        connection.sendall(first)
        while not over.wait(0.05):
            connection.sendall(b" ")

    return says


def endless(first: bytes):
    """Sends as much as is taken."""

    def says(connection, over):
        connection.sendall(first)
        with suppress(OSError):
            while not over.is_set():
                connection.sendall(b" " * 65536)

    return says


def silent(connection, over):
    over.wait(20)


def in_turn(*several):
    """The first answer to the first connection, and so on; the last one from then on."""
    left = list(several)

    def says(connection, over):
        now = left.pop(0) if len(left) > 1 else left[0]
        return connection.sendall(now) if isinstance(now, bytes) else now(connection, over)

    return says


@contextmanager
def upstream(says):
    """A stub and the beginning of its addresses."""
    with site(says) as made:
        yield made, f"http://127.0.0.1:{made.port}/iiif/3/"


def seconds(since: float) -> float:
    return time.monotonic() - since

"""An image server that is as obliging as any could be: whatever may be meant by an address, it takes the worst of it.

It decodes twice, resolves dots, takes ``\\`` for ``/``, forgets case, accents, extensions and what follows ``;``, listens to
``?IIIF=``, and has admin pages. If a request can be read as one for something protected, in any of these ways, that is what is
sent. So whatever is let past the guard in another spelling than the decision was about becomes a mark in an answer.
"""

from __future__ import annotations

import asyncio
import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from tests.security.hostile.holdings import (
    ADMIN,
    CHECK_SECRET,
    EVERYTHING,
    LEAK,
    LENGTHS,
    PICTURES,
    SMALL_EDGE,
    WIDE_SMALL,
    body,
)

ADMIN_PAGES = ("admin", "tasks", "configuration", "dzi", "api")
MEANT_BY_QUERY = re.compile(r"(?:^|&)(?:iiif|fif|deepzoom|zoomify|path|id)=([^&]*)", re.IGNORECASE)
CREDENTIALS = re.compile(
    rb"\n(?:cookie|authorization)[ \t]*:[ \t]*[^\r\n \t]|\nx-iiif-auth-secret[ \t]*:[ \t]*%b" % CHECK_SECRET.encode(),
    re.IGNORECASE,
)
TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp", "json": "application/ld+json"}


def plain(name: str) -> str:
    """A name as the most forgetful file system would know it."""
    text = unicodedata.normalize("NFKD", name.partition("\0")[0].partition(";")[0]).casefold()
    text = "".join(one for one in text if not unicodedata.combining(one)).strip(" .\t\r\n/")
    return re.sub(r"\.(?:tif|tiff|jpg|jp2)$", "", text)


NAMES = {plain(key): key for key in EVERYTHING if key not in (WIDE_SMALL, ADMIN, LEAK)}
SIZES = {one.key: (one.width, one.height) for one in PICTURES}


def decoded(path: str) -> str:
    return unquote_to_bytes(path.encode("latin-1", "replace")).decode("utf-8", "replace")


def resolved(path: str) -> str:
    """Without dots, empty segments and backslashes."""
    kept: list[str] = []
    for segment in path.replace("\\", "/").split("/"):
        name = segment.partition(";")[0].strip()
        if name == "..":
            kept = kept[:-1]
        elif name not in ("", "."):
            kept.append(segment)
    return "/".join(kept)


def readings(target: str) -> Iterator[str]:
    """Everything that a target may mean."""
    path, _, query = target.partition("?")
    for part in (path, target, *MEANT_BY_QUERY.findall(query)):
        once = decoded(part)
        for text in (part, once, decoded(once)):
            yield text
            yield resolved(text)
            yield text.replace("../", "")  # as IIPImage does
            yield resolved(text.partition("#")[0])


def names_in(text: str) -> Iterator[str]:
    """The known things whose names stand in a path as one or more whole segments."""
    segments = [plain(one) for one in text.replace("\\", "/").split("/")]
    for first in range(len(segments)):
        for last in range(first + 1, min(len(segments), first + 4) + 1):
            found = NAMES.get("/".join(segments[first:last]))
            if found:
                yield found
        if first < 3 and segments[first] in ADMIN_PAGES:
            yield ADMIN


@lru_cache(maxsize=4096)
def meant(target: str) -> str | None:
    """The best protected thing that a target can be taken for."""
    found = [name for text in dict.fromkeys(readings(target)) for name in names_in(text)]
    key = max(found, key=lambda name: (EVERYTHING[name], len(name)), default=None)
    return WIDE_SMALL if key == "wide" and is_small(target) else key


PARAMETERS = re.compile(r"/wide/(full|(\d+),(\d+),(\d+),(\d+))/(\d+),(\d+)/!?\d+/default\.jpg$")


def is_small(target: str) -> bool:
    """Whether this is a part of the large picture at no more than the scale of the small one."""
    path, _, query = target.partition("?")
    if MEANT_BY_QUERY.search(query):
        return False
    path = decoded(path)  # Caddy writes "!" as "%21", which is the same
    match = PARAMETERS.search(path)
    if match is None:
        return path.endswith("/info.json")
    width, height = SIZES["wide"] if match[1] == "full" else (int(match[4]), int(match[5]))
    most = SMALL_EDGE / max(SIZES["wide"])
    return int(match[6]) <= width * most + 1 and int(match[7]) <= height * most + 1


def description(key: str) -> bytes:
    width, height = SIZES["wide" if key == WIDE_SMALL else key]
    document = {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": "http://upstream.example.org/iiif/3/it",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
    }
    return json.dumps(document).encode()


class Answering(asyncio.Protocol):
    """One connection. Requests have no bodies here; whatever else arrives is read as another request, as a lax server would."""

    def __init__(self, salt: str) -> None:
        self.salt, self.buffer = salt, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head, self.buffer = self.buffer[: end + 2], self.buffer[end + 4 :]
            self.transport.write(self.answer(head))  # type: ignore[attr-defined]
            if b"HTTP/1.0" in head or b"connection: close" in head.lower():
                self.transport.close()

    def answer(self, head: bytes) -> bytes:
        words = head.split(b"\r\n", 1)[0].split(b" ")
        target = (words[1] if len(words) > 1 else b"/").decode("latin-1")
        key = LEAK if CREDENTIALS.search(head) else meant(target)
        if key is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        last = target.partition("?")[0].rpartition(".")[2]
        is_info = last == "json" and key in (*SIZES, WIDE_SMALL)
        content = description(key) if is_info else body(self.salt, key)
        kind = TYPES.get(last, "application/pdf")
        lines = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(content)}\r\n"
        if not is_info:
            lines += f'ETag: "x-{LENGTHS[key]:x}"\r\n'
        return lines.encode() + b"\r\n" + (b"" if words[0] == b"HEAD" else content)


async def _serve(port: int, salt: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Answering(salt), "127.0.0.1", port, backlog=512)
    await server.serve_forever()


def serve(port: int, salt: str) -> None:
    """Listen until the process ends."""
    asyncio.run(_serve(port, salt))

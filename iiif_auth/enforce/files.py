"""Sending files: by ``X-Accel-Redirect`` where nginx stands in front, else by ourselves with ranges (RFC 9110, section 14).

The decision comes before anything else here is called: conditions and ranges of a refused request are not even read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import http_date, parse_http_date_safe

from iiif_auth.conf import conf

RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
CHUNK = 64 * 1024


class NoSuchFile(LookupError):
    """The name does not lead to a file inside the folder."""


def found(root: Path, name: str) -> Path:
    """The file called ``name`` inside ``root``.

    Raises:
        NoSuchFile: there is none, or the name leads elsewhere.
    """
    try:
        path = (root / name).resolve()
        inside = path.is_relative_to(root.resolve()) and path.is_file()
    except (OSError, ValueError) as error:  # a name too long for the file system, or with a NUL in it
        raise NoSuchFile(name) from error
    if not inside:
        raise NoSuchFile(name)
    return path


def send(request: HttpRequest, root: Path, name: str, content_type: str) -> HttpResponseBase:
    """The file, whole or in part; nginx sends it if ``SEND_FILE`` names its internal location.

    Raises:
        NoSuchFile: see :func:`found`.
    """
    path = found(root, name)
    if conf.SEND_FILE:
        response = HttpResponse(content_type=content_type)
        # nginx decodes the value once and takes what follows a “?” as arguments (security 2.6).
        response.headers["X-Accel-Redirect"] = conf.SEND_FILE + quote(name, safe="/")
        return response
    return sent(request, path, content_type)


def sent(request: HttpRequest, path: Path, content_type: str) -> HttpResponseBase:
    status = path.stat()
    etag, modified = f'"{status.st_mtime_ns:x}-{status.st_size:x}"', int(status.st_mtime)
    if is_unchanged(request, etag, modified):
        return _dated(HttpResponseNotModified(), etag, modified)
    asked = asked_range(request, etag)
    part = bounded(wanted_range(asked, status.st_size), content_type, asked)
    if part is None:
        response = HttpResponse(status=416)
        response.headers["Content-Range"] = f"bytes */{status.st_size}"
        return response
    return _dated(
        _streamed(request, path, content_type, part, status.st_size, partial=asked is not None), etag, modified
    )


def _streamed(
    request: HttpRequest, path: Path, content_type: str, part: range, size: int, *, partial: bool
) -> HttpResponseBase:
    """The bytes of a part. Whoever asked for ``bytes=0-`` is told that parts can be had, although it is the whole."""
    body: Iterator[bytes] = iter(()) if request.method == "HEAD" else pieces(path, part)
    response = StreamingHttpResponse(body, status=206 if partial else 200, content_type=content_type)
    response.headers["Content-Length"] = str(len(part))
    response.headers["Accept-Ranges"] = "bytes"
    if partial:
        response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    return response


def _dated(response: HttpResponseBase, etag: str, modified: int) -> HttpResponseBase:
    response.headers["ETag"] = etag
    response.headers["Last-Modified"] = http_date(modified)
    return response


def is_unchanged(request: HttpRequest, etag: str, modified: int) -> bool:
    """Whether the browser has this very version (``If-None-Match`` before ``If-Modified-Since``)."""
    known = request.headers.get("If-None-Match")
    if known is not None:
        return known.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in known.split(","))
    since = parse_http_date_safe(request.headers.get("If-Modified-Since", ""))
    return since is not None and modified <= since


def asked_range(request: HttpRequest, etag: str) -> tuple[str, str] | None:
    """First and last byte as written; ``None`` if there is no range that counts, and then the whole is meant."""
    match = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if match is None or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    backwards = first and last and int(last) < int(first)
    return None if backwards or not (first or last) else (first, last)


def wanted_range(asked: tuple[str, str] | None, size: int) -> range | None:
    """The bytes to send; ``None`` if none of those asked for exist."""
    if asked is None:
        return range(size)
    first, last = asked
    if not first:
        return range(max(0, size - int(last)), size) if int(last) and size else None
    return range(int(first), min(int(last) + 1 if last else size, size)) if int(first) < size else None


def bounded(part: range | None, content_type: str, asked: tuple[str, str] | None) -> range | None:
    """No more than ``RANGE_BYTES`` of a film or a recording, where a part was asked for.

    Browsers ask for “everything from here”, read what they need, and let the rest of that one answer wait, until the end of the
    film (measured, Chromium and Firefox): what was decided once would hold for all of it, whatever happens to the pass. They take
    less than they asked for, as they must (RFC 9110, section 15.3.7), and ask again.
    """
    if part is None or asked is None or not is_played(content_type):
        return part
    return part[: conf.RANGE_BYTES]


def is_played(content_type: str) -> bool:
    return content_type.startswith(("video/", "audio/"))


def pieces(path: Path, part: range) -> Iterator[bytes]:
    """The bytes of a part of a file, opened only once somebody wants the first of them, and closed in any case."""
    with path.open("rb") as file:
        file.seek(part.start)
        left = len(part)
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk

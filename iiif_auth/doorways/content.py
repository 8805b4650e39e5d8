"""The bytes behind a door, for somebody who has been let in: sent by the web server in front, or by ourselves.

Called after the decision only. What is fetched is rebuilt from what was decided, and an upstream is asked with a constant
beginning, without the client's cookies, tokens or headers (security 2.6).
"""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final, cast
from urllib.parse import unquote

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from iiif_auth import upstream
from iiif_auth.conf import conf
from iiif_auth.enforce import files, guard
from iiif_auth.enforce.doors import Asked, Door
from iiif_auth.upstream.passing import IMAGE_TYPES, OutOfOrder

logger = logging.getLogger("iiif_auth.doorways")

SENDFILE: Final = "X-Sendfile"
TYPES: Final = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".ts": "video/mp2t",
    ".m4s": "video/iso.segment",
    ".m4a": "audio/mp4",
    ".m4v": "video/mp4",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".vtt": "text/vtt",
    ".key": "application/octet-stream",
    ".webp": "image/webp",
    ".pdf": "application/pdf",
}
"""What the standard library does not know, or knows only where the system does."""

ACTIVE: Final = frozenset(("text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml"))
"""What a browser may run. It is shown, but without the rights of a page of this site."""


def content(request: HttpRequest, asked: Asked, path: str, media_type: str = "") -> HttpResponseBase:
    """What was asked, for somebody who may have it.

    Args:
        path: below the door's upstream or root, percent-encoded, as :func:`iiif_auth.enforce.doors.upstream_path` writes it.
        media_type: of a file, if it is known; else by its name.
    """
    door = asked.door
    kind = IMAGE_TYPES[asked.image.format] if asked.image else media_type or type_of(asked)
    if door.root:
        return _contained(_from_folder(request, door, path, kind), kind)
    if conf.SEND_UPSTREAM:
        return _contained(_handed_upstream(door, path, kind), kind)
    return _contained(_from_upstream(request, asked, path, kind), kind)


def type_of(asked: Asked) -> str:
    name = unquote(asked.rest or asked.item).lower()
    return TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def _contained(response: HttpResponseBase, kind: str) -> HttpResponseBase:
    if kind.partition(";")[0].strip().lower() in ACTIVE:
        response.headers["Content-Security-Policy"] = "sandbox"
    return response


# -- Files ----------------------------------------------------------------------------------------------------------


def _from_folder(request: HttpRequest, door: Door, path: str, kind: str) -> HttpResponseBase:
    root, name = Path(door.root), unquote(path)
    try:
        if conf.SEND_FILE_HEADER == SENDFILE:
            return _sendfile(files.found(root, name), kind)
        if conf.SEND_FILE:
            files.found(root, name)
            return _handed(f"{conf.SEND_FILE}{door.name}/{path}", kind)
        return aside(request, files.sent(request, files.found(root, name), kind))
    except files.NoSuchFile:
        return guard.refused(404)


def _handed(location: str, kind: str) -> HttpResponse:
    """The web server fetches it from an internal location, whose name it decodes once: hence percent-encoded (security 2.6)."""
    return HttpResponse(content_type=kind, headers={"X-Accel-Redirect": location})


def _handed_upstream(door: Door, path: str, kind: str) -> HttpResponse:
    """For an internal location that passes the request on: the path stands in a header too, since nginx would decode ``%2F`` in
    the location's name, and the upstream would be asked for another picture.
    """
    response = _handed(f"{conf.SEND_UPSTREAM}{door.name}/", kind)
    response.headers["X-IIIF-Upstream"] = path
    return response


def _sendfile(path: Path, kind: str) -> HttpResponse:
    """Apache sends the file itself, ranges and conditions included. Its value is a path on disk, and must be in ASCII."""
    try:
        value = str(path).encode("ascii").decode("ascii")
    except UnicodeEncodeError as error:
        raise files.NoSuchFile(path.name) from error
    return HttpResponse(content_type=kind, headers={SENDFILE: value})


# -- Upstreams ------------------------------------------------------------------------------------------------------


def _from_upstream(request: HttpRequest, asked: Asked, path: str, kind: str) -> HttpResponseBase:
    wanted = kind if asked.image else ""
    method = "HEAD" if request.method == "HEAD" else "GET"
    try:
        answer = upstream.passed(
            asked.door, path, method, wanted=wanted, byte_range="" if asked.image else range_of(request, kind)
        )
    except OutOfOrder as problem:
        logger.error("%s can not be sent: %s", asked.item, problem)
        return out_of_order(later=problem.later)
    if answer.pieces is None:
        return _said(answer)
    response = StreamingHttpResponse(answer.pieces, status=answer.status, content_type=kind)
    for name, value in answer.headers.items():
        response.headers[name] = value
    return aside(request, response)


def range_of(request: HttpRequest, kind: str) -> str:
    """The range to pass on. With a condition there is none: what it is about is not known here, so the whole is right."""
    given = request.headers.get("Range", "").strip()
    found = files.RANGE.fullmatch(given)
    if found is None or "If-Range" in request.headers:
        return ""
    return _bounded(*found.groups()) if files.is_played(kind) else given


def _bounded(first: str, last: str) -> str:
    """No more than ``RANGE_BYTES``, as :func:`iiif_auth.enforce.files.bounded` does it for files of our own."""
    if not first:
        return f"bytes=-{min(int(last or 0), conf.RANGE_BYTES)}"
    end = int(first) + conf.RANGE_BYTES - 1
    return f"bytes={first}-{min(int(last), end) if last else end}"


def _said(answer: upstream.Passed) -> HttpResponse:
    if answer.status == 404:
        return guard.refused(404)
    sentence = (
        "This part of it does not exist." if answer.status == 416 else "The image server can not make this picture."
    )
    return JsonResponse({"error": sentence}, status=answer.status, headers=dict(answer.headers))


def out_of_order(*, later: bool) -> HttpResponse:
    sentence = "The server with this content gives no good answer at the moment. Please try again in a minute."
    headers = {"Cache-Control": "no-store", **({"Retry-After": "10"} if later else {})}
    return JsonResponse({"error": sentence}, status=503 if later else 502, headers=headers)


# -- ASGI -----------------------------------------------------------------------------------------------------------


def aside(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """The response as a server of ASGI sends it piece by piece; of a plain iterator Django would first collect the whole film."""
    if isinstance(request, ASGIRequest) and isinstance(response, StreamingHttpResponse) and not response.is_async:
        response.streaming_content = _one_by_one(cast("Iterator[bytes]", response.streaming_content))
    return response


async def _one_by_one(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    step = sync_to_async(_next, thread_sensitive=False)
    while piece := await step(pieces):
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes:
    return next(pieces, b"")

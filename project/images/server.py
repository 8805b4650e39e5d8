"""The demo's image server by itself, as a program of its own behind a web server that guards it.

It lets everybody have everything, so it listens on this machine alone. ``/iiif/2/`` and ``/iiif/3/`` are its two versions of the
Image API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Final
from urllib.parse import unquote
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from iiif_auth.enforce.imagepath import BadImageRequest, Version, parse
from project.images import pictures

Environ = dict[str, Any]
Start = Callable[..., Any]
Application = Callable[[Environ, Start], Iterable[bytes]]

VERSIONS: Final[dict[str, Version]] = {"2": 2, "3": 3}
REASONS: Final = {200: "OK", 303: "See Other", 400: "Bad Request", 404: "Not Found", 405: "Method Not Allowed"}


class NotLoopback(ValueError):
    """The server was to listen where others could reach it."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    location: str = ""


NOT_THERE = Answer(404, b'{"error": "There is no such picture here."}')


def application(data: Path) -> Application:
    """The server as an application of WSGI.

    Args:
        data: the folder whose folder ``images`` holds the pictures.
    """

    def answer(environ: Environ, start_response: Start) -> Iterable[bytes]:
        said = _answered(environ, data)
        headers = [("Content-Type", said.content_type), ("Content-Length", str(len(said.body)))]
        if said.location:
            headers.append(("Location", said.location))
        start_response(f"{said.status} {REASONS[said.status]}", headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [said.body]

    return answer


def _answered(environ: Environ, data: Path) -> Answer:
    if environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
        return Answer(405, b'{"error": "Ask with GET."}')
    path = str(environ.get("RAW_URI") or environ["PATH_INFO"]).partition("?")[0]
    first, prefix, number, *segments = path.split("/") if path.count("/") >= 3 else ("", "", "", "")
    if first or prefix != "iiif" or number not in VERSIONS:
        return NOT_THERE
    root = f"http://{environ['HTTP_HOST']}/iiif/{number}" if environ.get("HTTP_HOST") else f"/iiif/{number}"
    return _of_picture(root, VERSIONS[number], [unquote(segment) for segment in segments], data)


def _of_picture(root: str, version: Version, segments: list[str], data: Path) -> Answer:
    identifier, *rest = segments
    if rest == ["info.json"]:
        return _described(f"{root}/{identifier}", version, identifier, data)
    if not rest:
        return (
            Answer(303, location=f"{root}/{identifier}/info.json") if pictures.master(identifier, data) else NOT_THERE
        )
    if len(rest) != 4 or rest[3].count(".") != 1:
        return NOT_THERE
    return _rendered(version, identifier, rest, data)


def _described(service_id: str, version: Version, identifier: str, data: Path) -> Answer:
    found = pictures.describe(identifier, version, service_id, data)
    return NOT_THERE if found is None else Answer(200, json.dumps(found).encode(), "application/ld+json")


def _rendered(version: Version, identifier: str, rest: list[str], data: Path) -> Answer:
    region, size, rotation, last = rest
    quality, _, form = last.partition(".")
    try:
        found = pictures.render(identifier, parse(version, region, size, rotation, quality, form), data)
    except BadImageRequest as bad:
        return Answer(400, json.dumps({"error": str(bad)}).encode())
    return NOT_THERE if found is None else Answer(200, *found)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Handler(WSGIRequestHandler):
    """Keeps the path as it was sent: an identifier may have an encoded slash in it."""

    def get_environ(self) -> Environ:
        return {**super().get_environ(), "RAW_URI": self.path}

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: whoever guards the server writes the log."""


def server(host: str, port: int, data: Path) -> WSGIServer:
    """The server, listening; with port 0 on a free one.

    Raises:
        NotLoopback: ``host`` is an address that others could reach.
        OSError: the port is taken.
    """
    try:
        inside = ip_address(host).is_loopback
    except ValueError:
        inside = False
    if not inside:
        raise NotLoopback(
            f"{host} can be reached by others, and this server lets everybody have everything. Use 127.0.0.1, and put a web "
            "server in front that guards it."
        )
    return make_server(host, port, application(data), server_class=_Server, handler_class=_Handler)

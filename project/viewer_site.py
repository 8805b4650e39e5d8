"""The demo viewer's own tiny web server.

It stands apart from Django on purpose: the viewer is somebody else's page on somebody else's site, and the demo would
prove little if both came from one place.
"""

from __future__ import annotations

import json
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parent / "viewer"

# The system's own table of types differs from machine to machine; a module with a wrong one does not run.
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src *; media-src *; connect-src *; frame-src *; style-src 'self' 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}


def asset(path: str, root: Path = ROOT) -> Path | None:
    """The file an address path names, if it is one of ours. Folders, hidden files and ways out of the root are not."""
    name = unquote(path).lstrip("/") or "index.html"
    if "\0" in name or "\\" in name:
        return None
    found = (root / name).resolve()
    inside = found.is_relative_to(root.resolve())
    return found if inside and found.suffix in TYPES and found.is_file() else None


class ViewerRequest(BaseHTTPRequestHandler):
    server_version = "viewer"
    sys_version = ""

    def __init__(self, *args: Any, collection: str, **kwargs: Any) -> None:
        self.collection = collection
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/config.json":
            self._answer(json.dumps({"collection": self.collection}).encode(), "application/json")
        elif found := asset(path):
            self._answer(found.read_bytes(), TYPES[found.suffix])
        else:
            self._answer(b"Not found\n", "text/plain; charset=utf-8", HTTPStatus.NOT_FOUND)

    do_HEAD = do_GET  # noqa: N815 - likewise

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet: the demo's terminal belongs to the library."""

    def _answer(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def serve(port: int, collection: str, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server for the viewer, bound but not yet started. Port 0 takes any free one."""
    return ThreadingHTTPServer((host, port), partial(ViewerRequest, collection=collection))


def start(server: ThreadingHTTPServer) -> Thread:
    """Let it serve in a thread that ends with the program."""
    thread = Thread(target=server.serve_forever, name="viewer", daemon=True)
    thread.start()
    return thread

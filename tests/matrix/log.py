"""What the server saw: one entry for each request to the library, with names and attributes of cookies, never a value.

This, and not what a viewer shows, is what the matrix judges by.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterable
from threading import Lock
from time import sleep, time
from typing import Any
from urllib.parse import parse_qs

Environ = dict[str, Any]
Headers = list[tuple[str, str]]

SEEN = (
    "sec-fetch-site",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-user",
    "sec-fetch-storage-access",
    "origin",
)
SENT = (
    "cross-origin-opener-policy",
    "x-frame-options",
    "content-security-policy",
    "location",
    "activate-storage-access",
    "vary",
    "cache-control",
)
ENVELOPE = re.compile(r'<script id="envelope" type="application/json">(.*?)</script>', re.DOTALL)
TICKET = re.compile(r"/signed/[^/]+/")

entries: list[dict[str, Any]] = []
lock = Lock()


def keep(entry: dict[str, Any]) -> None:
    with lock:
        entries.append({"at": time(), **entry})


def since(mark: int) -> list[dict[str, Any]]:
    with lock:
        return entries[mark:]


class Told(logging.Handler):
    """Keeps what the token service says of itself among the requests."""

    def emit(self, record: logging.LogRecord) -> None:
        keep({"said": record.getMessage()})


def cookie_set(line: str) -> dict[str, Any]:
    """A ``Set-Cookie`` without its value: name, attributes, and whether it takes away."""
    first, *rest = [part.strip() for part in line.split(";")]
    name, _, value = first.partition("=")
    attributes = sorted(part if not part.lower().startswith(("max-age", "expires")) else "" for part in rest)
    return {"name": name, "attributes": [part for part in attributes if part], "deleted": value in ("", '""')}


def message_of(body: bytes) -> str:
    """What a token page posts, or a code is answered: ``token``, or the word for what is wrong; empty if it is neither."""
    found = ENVELOPE.search(body.decode("utf-8", "replace"))
    try:
        told = json.loads(found[1] if found else body)
    except ValueError:
        return ""
    message = told.get("message") or told
    return "token" if "accessToken" in message else str(message.get("profile") or message.get("error") or "?")


class Logged:
    """WSGI around the library. ``overrides`` are headers that a test makes worse: by beginning of a path, name and value.

    ``slow`` has seconds that an answer takes, by method and path: on a busy server things happen in another order.
    """

    def __init__(self, library: Callable[..., Iterable[bytes]], overrides: dict[str, dict[str, str]]) -> None:
        self.house = library
        self.overrides = overrides
        self.slow: dict[str, float] = {}

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        entry = request_of(environ)

        def start(status: str, headers: Headers, *more: Any) -> Any:
            headers = self._overridden(entry["path"], headers)
            entry.update(answer_of(status, headers))
            return start_response(status, headers, *more)

        sleep(self.slow.get(f"{entry['method']} {entry['path']}", 0))
        answer = self.house(environ, start)
        if "/token/" not in entry["path"] and "redeem" not in entry["path"]:
            keep(entry)
            return answer
        body = b"".join(answer)
        if hasattr(answer, "close"):
            answer.close()
        keep({**entry, "posts": message_of(body)})
        return [body]

    def _overridden(self, path: str, headers: Headers) -> Headers:
        for beginning, wanted in self.overrides.items():
            if path.startswith(beginning):
                gone = {name.lower() for name in wanted}
                headers = [(name, value) for name, value in headers if name.lower() not in gone]
                headers += [(name, value) for name, value in wanted.items() if value]
        return headers


def request_of(environ: Environ) -> dict[str, Any]:
    names = [part.partition("=")[0].strip() for part in environ.get("HTTP_COOKIE", "").split(";")]
    asked = {name: environ.get("HTTP_" + name.upper().replace("-", "_")) for name in SEEN}
    query = parse_qs(environ.get("QUERY_STRING", ""))
    return {
        "host": environ.get("HTTP_HOST", "").partition(":")[0],
        "method": environ["REQUEST_METHOD"],
        "path": TICKET.sub("/signed/…/", environ.get("PATH_INFO", "")),
        "origin_named": query.get("origin", [""])[0],
        "bearer": "HTTP_AUTHORIZATION" in environ,
        "cookies": sorted(name for name in names if name),
        **{name: value for name, value in asked.items() if value is not None},
    }


def answer_of(status: str, headers: Headers) -> dict[str, Any]:
    sent = {name.lower(): value for name, value in headers if name.lower() in SENT}
    cookies = [cookie_set(value) for name, value in headers if name.lower() == "set-cookie"]
    return {"status": int(status.split()[0]), "sent": sent, "sets": cookies}

"""The library's own book of requests: what a viewer asked, what it showed, and what it was answered.

A browser's account of itself leaves out what it did not tell the page; this one is written where the requests arrive. Names of
cookies are kept, their values and tokens are not.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs

from django.http import HttpRequest
from django.http.response import HttpResponseBase

PLACE = "VIEWERS_BOOK"
"""The environment variable that says where the book lies."""

_lock = Lock()


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer. ``into`` is what the browser wanted it for: ``image``, ``iframe``, ``document``, ``empty``."""

    method: str
    path: str
    query: dict[str, list[str]]
    into: str
    cookies: tuple[str, ...]
    bearer: bool
    status: int
    location: str

    @property
    def is_info(self) -> bool:
        return self.path.endswith("/info.json")

    def tells(self, name: str) -> str:
        """A parameter of the query; empty if it is not there."""
        return self.query.get(name, [""])[0]


class Book:
    """Django middleware: innermost, so that it sees what the views answered."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.place = Path(os.environ[PLACE])

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        entry = Entry(
            method=request.method or "",
            path=request.path,
            query=parse_qs(request.META["QUERY_STRING"], keep_blank_values=True),
            into=request.headers.get("Sec-Fetch-Dest", ""),
            cookies=tuple(sorted(request.COOKIES)),
            bearer=request.headers.get("Authorization", "").startswith("Bearer "),
            status=response.status_code,
            location=response.headers.get("Location", ""),
        )
        with _lock, self.place.open("a", encoding="utf-8") as book:
            book.write(json.dumps(asdict(entry)) + "\n")
        return response


def read(place: Path) -> list[Entry]:
    """Everything so far, oldest first; a line that is still being written is left for later."""
    if not place.exists():
        return []
    whole = place.read_text(encoding="utf-8").rpartition("\n")[0]
    return [_entry(line) for line in whole.splitlines()]


def _entry(line: str) -> Entry:
    fields = json.loads(line)
    return Entry(**{**fields, "cookies": tuple(fields["cookies"])})

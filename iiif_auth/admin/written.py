"""Answers as files: CSV that no spreadsheet program evaluates, and JSON, both written while they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from django.http import StreamingHttpResponse

from iiif_auth.exchange.cells import escaped

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the code page of the machine."""


def as_csv(name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """Rows as a spreadsheet; what begins like a formula gets an apostrophe."""
    return _file(f"{name}.csv", "text/csv; charset=utf-8", _lines(columns, rows))


def _lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield BOM + _line(columns)
    for row in rows:
        yield _line([escaped(str(row[column])) for column in columns])


def _line(cells: Sequence[str]) -> str:
    held = StringIO()
    csv.writer(held, lineterminator="\r\n").writerow(cells)
    return held.getvalue()


def as_json(name: str, about: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> StreamingHttpResponse:
    """What is asked, and the rows under ``rows``."""
    return _file(f"{name}.json", "application/json", _objects(about, rows))


def _objects(about: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield json.dumps(about, ensure_ascii=False)[:-1] + (", " if about else "") + '"rows": ['
    for number, row in enumerate(rows):
        yield (",\n" if number else "\n") + json.dumps(row, ensure_ascii=False)
    yield "\n]}\n"


def _file(name: str, content_type: str, pieces: Iterator[str]) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)

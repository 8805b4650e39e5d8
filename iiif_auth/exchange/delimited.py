"""Files of lines with separators between the cells (CSV): which letters, which separator, and what is in them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice

from django.utils.translation import gettext

from iiif_auth.exchange.cells import Cell
from iiif_auth.exchange.sheets import ENCODINGS, MOST_ROWS, NotASheet, Sheet, sheet_of, too_many_rows

MARKS = ((b"\xef\xbb\xbf", "UTF-8", "utf-8-sig"), (b"\xff\xfe", "UTF-16", "utf-16"), (b"\xfe\xff", "UTF-16", "utf-16"))
"""The marks at the beginning of a file by which its letters are known."""

SEPARATORS = (",", ";", "\t")
SAMPLE = 4_000
"""Bytes, and characters, that a guess is made from."""


def read(raw: bytes, encoding: str = "") -> Sheet:
    """The sheet in a file.

    Args:
        encoding: one of ``ENCODINGS``, where somebody has said it; otherwise it is guessed.

    Raises:
        NotASheet: with a sentence.
    """
    text, told = decoded(raw, encoding)
    line, newline, rest = text.partition("\n")
    told_first = line.rstrip("\r").lower()
    separator = told_first[4:] if told_first in {f"sep={one}" for one in SEPARATORS} else ""
    body = rest if separator else text
    separator = separator or guessed_separator(body)
    return sheet_of(_lines(body, separator), encoding=told, separator=separator)


def decoded(raw: bytes, encoding: str = "") -> tuple[str, str]:
    """The text of a file, and the name of its encoding."""
    if encoding:
        return _as_told(raw, encoding), encoding
    for mark, name, codec in MARKS:
        if raw.startswith(mark):
            return _strict(raw, codec, name), name
    if codec := _unmarked_utf16(raw):
        return _strict(raw, codec, "UTF-16"), "UTF-16"
    try:
        return raw.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        return _western(raw)


def _western(raw: bytes) -> tuple[str, str]:
    """Every byte is a letter here, so this can not fail, and can be wrong: it is shown to whoever sent it."""
    try:
        return raw.decode("cp1252"), "Windows-1252"
    except UnicodeDecodeError:
        return raw.decode("latin-1"), "ISO-8859-1"


def _as_told(raw: bytes, name: str) -> str:
    codecs = dict(zip(ENCODINGS, ("utf-8-sig", "utf-16", "cp1252", "latin-1"), strict=True))
    if name == "UTF-16" and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _strict(raw, _unmarked_utf16(raw) or "utf-16-le", name)
    return _strict(raw, codecs[name], name)


def _strict(raw: bytes, codec: str, name: str) -> str:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError as error:
        raise NotASheet(
            gettext(
                "This is not %(encoding)s from byte %(at)d on; please choose another encoding, or save it as UTF-8."
            )
            % {"encoding": name, "at": error.start}
        ) from error


def _unmarked_utf16(raw: bytes) -> str:
    """Latin letters in UTF-16 have a zero in every other byte, and no other text has that."""
    sample = raw[:SAMPLE]
    if len(sample) < 4:
        return ""
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = len(sample) // 2
    if odd > half * 0.6 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.6 and odd < half * 0.1 else ""


def guessed_separator(text: str) -> str:
    """The one that cuts the first lines into most cells, and into equally many."""
    lines = list(islice(io.StringIO(text[:SAMPLE], newline=""), 10))
    return max(SEPARATORS, key=lambda one: _evenness(lines, one))


def _evenness(lines: list[str], separator: str) -> tuple[int, int]:
    try:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator) if row]
    except csv.Error:
        return (0, 0)
    return (widths.count(widths[0]) if widths and widths[0] > 1 else 0, max(widths, default=0))


def _lines(text: str, separator: str) -> Iterator[tuple[int, list[Cell]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for count, row in enumerate(reader):
            if count > MOST_ROWS * 2:
                raise NotASheet(too_many_rows())
            yield reader.line_num, [cell.strip(" \r\n\u00a0").replace("\r\n", "\n") for cell in row]
    except csv.Error as error:
        raise NotASheet(
            gettext("Line %(line)d can not be read (%(error)s); please check its quotes.")
            % {"line": reader.line_num, "error": error}
        ) from error

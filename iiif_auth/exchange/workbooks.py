"""Workbooks (XLSX): a packed folder of XML, which is looked at with care before anything reads it.

Sizes are checked as they are declared and as they turn out, because the first is the sender's word. Formulas are not worked out,
macros and links to other files are not looked at.
"""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from django.utils.translation import gettext

from iiif_auth.exchange.cells import Cell
from iiif_auth.exchange.sheets import MOST_COLUMNS, MOST_ROWS, NotASheet, Sheet, sheet_of

MAGIC = b"PK\x03\x04"
OLDER = b"\xd0\xcf\x11\xe0"
"""What workbooks of before 2007, and those with a password, begin with."""

MOST_UNPACKED = 60_000_000
MOST_PARTS = 500
PIECE = 65_536
DECLARATIONS = tuple(
    word.encode(codec) for word in ("<!DOCTYPE", "<!ENTITY") for codec in ("utf-8", "utf-16-le", "utf-16-be")
)
"""No part of a workbook declares anything of its own; what does is made to harm whoever reads it."""


class NoWorkbooks(NotASheet):
    """This site can not read them."""


def is_available() -> bool:
    """Whether workbooks can be read and written here."""
    try:
        import defusedxml  # noqa: F401
        import openpyxl  # noqa: F401
    except ImportError:
        return False
    return True


def read(raw: bytes) -> Sheet:
    """The first sheet of a workbook.

    Raises:
        NotASheet: with a sentence.
    """
    if raw.startswith(OLDER):
        raise NotASheet(
            gettext(
                "This is an older workbook, or one with a password; please save it as .xlsx without one, or as CSV."
            )
        )
    if not is_available():
        raise NoWorkbooks(
            gettext(
                "This site can not read .xlsx; please save it as CSV, or ask for the extra “tables” to be installed."
            )
        )
    check_package(raw)
    return _first_sheet(raw)


def check_package(raw: bytes) -> None:
    """Refuse a package that would unpack to more than anybody's spreadsheet, or that declares XML entities.

    Raises:
        NotASheet: with a sentence.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as package:
            parts = package.infolist()
            _check_declared(parts)
            left = MOST_UNPACKED
            for part in parts:
                left -= _unpacked(package, part, left)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise NotASheet(_damaged()) from error


def _check_declared(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise NotASheet(_bomb())
    if "xl/workbook.xml" not in {part.filename for part in parts}:
        raise NotASheet(
            gettext("This is a packed file but no .xlsx workbook; please save your spreadsheet as .xlsx or as CSV.")
        )


def _unpacked(package: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """The real size of a part.

    Raises:
        NotASheet: it is larger than what is left, or declares something.
    """
    size, tail = 0, b""
    with package.open(part) as unpacked:
        while piece := unpacked.read(PIECE):
            size += len(piece)
            if size > left:
                raise NotASheet(_bomb())
            _check_declarations(tail + piece)
            tail = piece[-32:]
    return size


def _check_declarations(piece: bytes) -> None:
    if any(word in piece for word in DECLARATIONS):
        raise NotASheet(
            gettext("This workbook declares XML entities, which no spreadsheet program does; please save it anew.")
        )


def _bomb() -> str:
    return gettext("This file unpacks to more than %(most)d MB; please send a smaller one, or CSV.") % {
        "most": MOST_UNPACKED // 1_000_000
    }


def _damaged() -> str:
    return gettext("This workbook is damaged and can not be read; please save it anew, or as CSV.")


def _first_sheet(raw: bytes) -> Sheet:
    """Raises ``NotASheet``, whatever the library makes of a file that only looks like a workbook."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which are not looked at
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=False, keep_links=False)
            try:
                sheet = next(one for one in book.worksheets if one.sheet_state == "visible")
                return sheet_of(_lines(sheet), name=str(sheet.title))
            finally:
                book.close()
    except NotASheet:
        raise
    except Exception as error:
        raise NotASheet(_damaged()) from error


def _lines(sheet: Any) -> Iterator[tuple[int, list[Cell]]]:
    sheet.reset_dimensions()  # the declared ones may be anything
    rows = sheet.iter_rows(max_row=MOST_ROWS * 2 + 2, max_col=MOST_COLUMNS + 1)
    for number, row in enumerate(rows, 1):
        yield number, [_cell(cell) for cell in row]


def _cell(cell: Any) -> Cell:
    value = cell.value
    if value is None:
        return ""
    if cell.data_type == "f":
        return {"formula": str(getattr(value, "text", value) or "=")}
    if cell.data_type == "e":
        return {"fault": str(value)}
    return _text(value)


def _text(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() if value.time() == time():
            return value.strftime("%Y-%m-%d")
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M")
        case date():
            return value.isoformat()
    return str(value).strip(" \r\n\u00a0").replace("\r\n", "\n")

"""A spreadsheet as it was sent: its headings, its rows, and how it was read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext

from iiif_auth.exchange.cells import Cell, is_empty

MOST_ROWS = 10_000
MOST_COLUMNS = 60
MOST_BYTES = 20_000_000
ENCODINGS = ("UTF-8", "UTF-16", "Windows-1252", "ISO-8859-1")


class NotASheet(ValueError):
    """The file can not be read as a spreadsheet; the message is a sentence with what to do."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds. Rows carry the number of their line, and as many cells as there are headings.

    Args:
        encoding: of the letters, as it was told or guessed; empty for a workbook.
        separator: between cells; empty for a workbook.
        name: of the sheet in a workbook.
    """

    headings: tuple[str, ...]
    rows: tuple[tuple[int, list[Cell]], ...]
    encoding: str = ""
    separator: str = ""
    name: str = ""


def sheet_of(lines: Iterable[tuple[int, list[Cell]]], **how: str) -> Sheet:
    """A sheet from its lines, the first of which with anything in it are the headings. Empty lines are left out.

    Raises:
        NotASheet: there are no headings or no rows, or too many of either.
    """
    written = ((number, _trimmed(cells)) for number, cells in lines)
    full = ((number, cells) for number, cells in written if cells)
    first = next(full, None)
    if first is None:
        raise NotASheet(gettext("There is nothing in this file; please check that it is the right one."))
    headings = tuple(cell if isinstance(cell, str) else "" for cell in first[1])
    _check_width(len(headings))
    rows = tuple(_rows(full, len(headings)))
    if not rows:
        raise NotASheet(gettext("There are headings in this file but no rows below them."))
    return Sheet(headings, rows, **how)


def _rows(full: Iterator[tuple[int, list[Cell]]], width: int) -> Iterator[tuple[int, list[Cell]]]:
    for count, (number, cells) in enumerate(full):
        if count >= MOST_ROWS:
            raise NotASheet(too_many_rows())
        if len(cells) > width:
            raise NotASheet(
                gettext(
                    "Line %(line)d has more cells than there are headings; please check the separators and the quotes."
                )
                % {"line": number}
            )
        yield number, [*cells, *[""] * (width - len(cells))]


def _trimmed(cells: list[Cell]) -> list[Cell]:
    while cells and is_empty(cells[-1]):
        cells.pop()
    return cells


def _check_width(width: int) -> None:
    if width > MOST_COLUMNS:
        raise NotASheet(
            gettext("There are %(count)d columns; at most %(most)d fit.") % {"count": width, "most": MOST_COLUMNS}
        )


def too_many_rows() -> str:
    return gettext("There are more than %(most)d rows; please send them in parts.") % {"most": MOST_ROWS}


def too_large() -> str:
    return gettext("The file is larger than %(most)d MB; please send it in parts.") % {"most": MOST_BYTES // 1_000_000}

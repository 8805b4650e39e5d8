"""One cell of a spreadsheet: what may stand in it, and how a text is kept from being taken for a formula."""

from __future__ import annotations

import re
from typing import Any

from django.utils.translation import gettext

Cell = str | dict[str, str]
"""A text, ``{"formula": …}`` for what a program would reckon, or ``{"fault": …}`` for what it could not."""

CLEAR = "-"
"""Takes away what is there; an empty cell leaves it alone."""

MOST_CHARACTERS = 5_000
RISKY = re.compile(r"'*[=+\-@\t\r]")
"""The beginnings that spreadsheet programs take for a formula, behind as many apostrophes as there may be."""
ESCAPED = re.compile(r"'+[=+\-@\t\r]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Wrong(ValueError):
    """A cell or a row that can not be taken; the message is a sentence with what to do."""


def escaped(text: str) -> str:
    """A text that no spreadsheet program evaluates; :func:`plain` takes the apostrophe off again."""
    return f"'{text}" if RISKY.match(text) else text


def plain(text: str) -> str:
    return text[1:] if ESCAPED.match(text) else text


def is_empty(cell: Cell) -> bool:
    return isinstance(cell, str) and not cell


def problem_of(cell: Cell) -> str:
    """The sentence about a cell that can be no value of anything; ``""`` if it is a plain text."""
    if isinstance(cell, dict):
        return _problem_of_reckoning(cell)
    if cell.startswith("="):
        return _formula(cell)
    if found := CONTROL.search(cell):
        code = {"code": f"U+{ord(found.group()):04X}"}
        return gettext("It contains the invisible character %(code)s; please type the text anew.") % code
    if len(cell) > MOST_CHARACTERS:
        return gettext("It has %(count)d characters; at most %(most)d fit.") % {
            "count": len(cell),
            "most": MOST_CHARACTERS,
        }
    return ""


def _problem_of_reckoning(cell: dict[str, str]) -> str:
    if "formula" in cell:
        return _formula(cell["formula"])
    return gettext("The spreadsheet itself says “%(fault)s” here; please write the value.") % {
        "fault": cell.get("fault", "")[:40]
    }


def _formula(text: str) -> str:
    return gettext("This cell is a formula (%(formula)s), and formulas are not worked out here; write its value.") % {
        "formula": text[:40]
    }


def shown(cell: Cell) -> str:
    """What to show of a cell on a page or in a receipt."""
    text: Any = cell if isinstance(cell, str) else next(iter(cell.values()), "")
    return CONTROL.sub("\ufffd", str(text))

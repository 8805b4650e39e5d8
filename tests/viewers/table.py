"""What the tests of this folder found, as a table of viewers, rows and versions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest

from tests.viewers import packages

COLUMNS = {"0": "Auth 0.9.4", "1": "Auth 1.0", "2": "Auth 2.0.0", "mixed": "1.0 and 2.0.0 in one manifest"}
PACKAGES = {"Mirador": "mirador", "react-iiif-vault": "react-iiif-vault"}

HEAD = """# Viewers as clients of the library

Viewers that other people wrote, installed from npm and not changed, meet the demo library from another site, in Chromium with
third-party cookies allowed. A cell says what the tests of this folder saw, on the screen and in the library's own book of
requests.

`python -m tests.viewers` runs them and writes this page. Each number is a fault of the viewer, with a test that shows it and will
notice when a new version mends it.
"""


@dataclass(frozen=True, slots=True)
class Cell:
    viewer: str
    row: str
    column: str
    flaw: str = ""


@dataclass
class Table:
    """A plugin of pytest that gathers cells; a cell holds if every test of it passed."""

    cells: dict[Cell, bool] = field(default_factory=dict)
    _of: dict[str, Cell] = field(default_factory=dict)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if cell := cell_of(item):
                self._of[item.nodeid] = cell
                self.cells[cell] = True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if (cell := self._of.get(report.nodeid)) and report.outcome != "passed":
            self.cells[cell] = False

    def text(self) -> str:
        return render(self.cells)


def cell_of(item: pytest.Item) -> Cell | None:
    marker = item.get_closest_marker("cell")
    if marker is None:
        return None
    viewer, row, column = marker.args[0], marker.args[1], marker.kwargs.get("flavour", "")
    chosen = getattr(item, "callspec", None)
    return Cell(viewer, row, column or chosen.params["flavour"], marker.kwargs.get("flaw", ""))


def render(cells: dict[Cell, bool]) -> str:
    notes: dict[str, int] = {}
    parts = [HEAD]
    for viewer in sorted({cell.viewer for cell in cells}, key=str.casefold):
        parts.append(section(viewer, {cell: held for cell, held in cells.items() if cell.viewer == viewer}, notes))
    parts.append("## Causes\n\n" + "\n".join(f"{number}. {flaw}" for flaw, number in notes.items()) + "\n")
    return "\n".join(parts)


def section(viewer: str, cells: dict[Cell, bool], notes: dict[str, int]) -> str:
    columns = [column for column in COLUMNS if any(cell.column == column for cell in cells)]
    rows = list(dict.fromkeys(cell.row for cell in cells))
    lines = [
        f"## {title(viewer)}\n",
        f"| | {' | '.join(COLUMNS[column] for column in columns)} |",
        "|---|" + "---|" * len(columns),
    ]
    for row in rows:
        here = [
            {cell: held for cell, held in cells.items() if (cell.row, cell.column) == (row, one)} for one in columns
        ]
        lines.append(f"| {row} | {' | '.join(result(found, notes) for found in here)} |")
    return "\n".join(lines) + "\n"


def title(viewer: str) -> str:
    return f"{viewer} {packages.version(PACKAGES[viewer])}" if viewer in PACKAGES else viewer


def result(found: dict[Cell, bool], notes: dict[str, int]) -> str:
    """“works”, “works, but” with the numbers of flaws, or “no”; whatever the tests did not expect is said to be so."""
    if not found:
        return "–"
    if not all(found.values()):
        return "not as expected: see the tests"
    flaws = sorted({notes.setdefault(cell.flaw, len(notes) + 1) for cell in found if cell.flaw})
    works = any(not cell.flaw for cell in found)
    return " ".join([_verdict(works, flaws), *_numbers(flaws)])


def _verdict(works: bool, flaws: Iterable[int]) -> str:
    if not works:
        return "no"
    return "works, but" if flaws else "works"


def _numbers(flaws: Iterable[int]) -> list[str]:
    return [f"({', '.join(str(number) for number in flaws)})"] if flaws else []


def failing(cells: dict[Cell, bool]) -> dict[str, list[str]]:
    """Rows that did not hold, by viewer."""
    found = defaultdict(list)
    for cell, held in cells.items():
        if not held:
            found[cell.viewer].append(f"{cell.row}, {COLUMNS[cell.column]}")
    return dict(found)

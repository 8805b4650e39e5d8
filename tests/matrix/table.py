"""What was found, as tables of Markdown: one of modes and ways, one of the twenty rows."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from tests.browser.demo import ROOT
from tests.matrix.modes import MODES
from tests.matrix.rows import ROWS
from tests.matrix.ways import WAYS

README = ROOT / "tests" / "matrix" / "README.md"
FOUND = ROOT / "tests" / "matrix" / "found.json"
"""Every cell that was walked with ``--write``, so that some can be walked again without the others."""
BEGIN, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"
Found = Mapping[tuple[str, str], str]


def text(found: Found) -> str:
    parts = [modes(found), rows(found)]
    return "\n\n".join(part for part in parts if part)


def modes(found: Found) -> str:
    """What carried token / picture; the reason in brackets where there was none."""
    walked = [way for way in WAYS if any((mode.key, way.key) in found for mode in MODES)]
    if not walked:
        return ""
    lines = [line("Browser", *(way.label for way in walked)), line(*["---"] * (len(walked) + 1))]
    for mode in MODES:
        cells = [short(found.get((mode.key, way.key), "")) for way in walked]
        if any(cells):
            lines.append(line(f"{mode.browser}, {mode.label}", *cells))
    return "\n".join(lines)


def rows(found: Found) -> str:
    lines = []
    for place, row in enumerate(ROWS):
        for mode in row.modes or (None,):
            key = (mode.key if mode else "HTTP", name(place))
            if key in found:
                where = f"{mode.browser}, {mode.label}" if mode else "no browser"
                lines.append(line(str(row.number), row.label, where, found[key]))
    return "\n".join([line("#", "What", "Where", "Seen"), line(*["---"] * 4), *lines]) if lines else ""


def name(place: int) -> str:
    """What a row is called: its number, and a letter where several have the same."""
    number = ROWS[place].number
    before = sum(row.number == number for row in ROWS[:place])
    return f"{number}{'abc'[before]}" if sum(row.number == number for row in ROWS) > 1 else str(number)


def short(words: str) -> str:
    return words.replace("token: ", "").replace("; picture: ", " / ")


def line(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def keep(found: Found) -> None:
    """Add these cells to those that were walked before, leave out what is walked no longer, and write the tables between the
    comments of the README anew.
    """
    FOUND.touch()
    with FOUND.open("r+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        kept: dict[str, dict[str, str]] = json.loads(file.read() or "{}")
        for (mode, what), words in found.items():
            kept.setdefault(mode, {})[what] = words
        there = {way.key for way in WAYS} | {name(place) for place in range(len(ROWS))}
        kept = {mode: {what: words for what, words in cells.items() if what in there} for mode, cells in kept.items()}
        file.seek(0)
        file.truncate()
        file.write(json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n")
        write({(mode, what): words for mode, cells in kept.items() for what, words in cells.items()})


def write(found: Found) -> None:
    before, _, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    day = datetime.now(UTC).date().isoformat()
    told = f"{BEGIN}\nWritten by `python -m tests.matrix --write`, last on {day}.\n\n{text(found)}\n{END}"
    README.write_text(before + told + after, encoding="utf-8")

"""``python -m tests.matrix``: real browsers, one cell after the other; ``--write`` puts what came of it into the README."""

from __future__ import annotations

import signal
import sys
import time
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator

from tests.matrix import table
from tests.matrix.deployment import Deployment, running
from tests.matrix.driver import Unable
from tests.matrix.modes import MODES, Mode
from tests.matrix.rows import ROWS, tried
from tests.matrix.ways import WAYS, walked

AGAIN = 2
"""A cell that could not be walked to its end is walked once more: a machine may be busy. A “no” is never asked again."""


def arguments(given: list[str] | None = None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--browser", help="Only this one: Chromium, Firefox or WebKitGTK.")
    parser.add_argument("--mode", action="append", help="Only this mode; may be repeated.")
    parser.add_argument("--way", action="append", help="Only this way of the mode table; may be repeated.")
    parser.add_argument("--row", action="append", type=int, help="Only this one of the twenty rows; may be repeated.")
    parser.add_argument("--write", action="store_true", help="Keep what came, and write the README's tables anew.")
    parser.add_argument("--loud", action="store_true", help="Say all that is known of what went wrong.")
    return parser.parse_args(given)


def wanted(mode: Mode, options: Namespace) -> bool:
    named = not options.browser or mode.browser.lower().startswith(options.browser.lower())
    return named and (not options.mode or mode.key in options.mode)


def table_cells(options: Namespace, library: Deployment) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """The cells of the mode table: mode, way, and how to get what came."""
    if options.row:
        return
    for way in WAYS:
        for mode in MODES:
            if wanted(mode, options) and (not options.way or way.key in options.way):
                yield mode.key, way.key, lambda mode=mode, way=way: str(walked(mode, way, library))


def row_cells(options: Namespace, library: Deployment) -> Iterator[tuple[str, str, Callable[[], str]]]:
    """The cells of the twenty rows that are not cells of the mode table already."""
    if options.way:
        return
    for place, row in enumerate(ROWS):
        if options.row and row.number not in options.row:
            continue
        for mode in row.modes or (None,):
            if mode is None or wanted(mode, options):
                yield (
                    mode.key if mode else "HTTP",
                    table.name(place),
                    lambda row=row, mode=mode: tried(row, mode, library),
                )


def come_of(cell: Callable[[], str], loud: bool) -> str:
    """In words; a cell that could not run says why."""
    for attempt in range(1, AGAIN + 1):
        try:
            return cell()
        except Unable as reason:
            return f"not run: {reason}"
        except Exception as problem:  # whatever it was, the other cells are walked all the same
            if loud:
                traceback.print_exc()
            if attempt == AGAIN:
                return f"failed: {' '.join(str(problem).split())[:400]}"
    return ""


def main(options: Namespace) -> int:
    found: dict[tuple[str, str], str] = {}
    with running() as library:
        cells = [*table_cells(options, library), *row_cells(options, library)]
        for number, (mode, what, cell) in enumerate(cells, start=1):
            begun = time.monotonic()
            found[mode, what] = come_of(cell, options.loud)
            if options.write:
                table.keep({(mode, what): found[mode, what]})
            took = time.monotonic() - begun
            print(f"[{number:>3}/{len(cells)}] {mode:<22} {what:<14} {took:5.1f} s  {found[mode, what]}", flush=True)
    print()
    print(table.text(found))
    return 0 if not any(words.startswith("failed") for words in found.values()) else 1


def ended(*_signal: object) -> None:
    """Whoever ends this wants its browsers and its server ended too."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, ended)
    sys.exit(main(arguments()))

"""``python -m tests.viewers``: run the viewers, and write what they did to ``README.md`` of this folder.

With ``--check`` nothing is run and nothing written: it is compared whether the page says what the tests expect.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

from tests.viewers.table import Table, failing

HERE = Path(__file__).parent
PAGE = HERE / "README.md"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.viewers", description=__doc__)
    parser.add_argument("--check", action="store_true", help="Only compare the page with what the tests expect.")
    check = parser.parse_args().check
    table = Table()
    options = ["--collect-only", "-qq"] if check else ["-q"]
    ended = pytest.main(
        [str(HERE), f"--ignore={HERE / 'test_table.py'}", "-p", "no:randomly", "-p", "no:cacheprovider", *options],
        plugins=[table],
    )
    if check:
        return int(ended) or _compare(table.text())
    PAGE.write_text(table.text(), encoding="utf-8")
    for viewer, rows in failing(table.cells).items():
        print(f"{viewer}: not as expected: {'; '.join(rows)}")
    return int(ended)


def _compare(expected: str) -> int:
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == expected:
        return 0
    print("tests/viewers/README.md does not say what the tests expect. Run: python -m tests.viewers")
    return 1


if __name__ == "__main__":
    sys.exit(main())

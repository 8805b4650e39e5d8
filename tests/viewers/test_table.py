"""The page that tells people which viewer does what is written by the tests themselves."""

from __future__ import annotations

import subprocess
import sys

from tests.browser.demo import ROOT
from tests.viewers.table import Cell, render


def test_the_page_says_what_the_tests_expect():
    done = subprocess.run(
        [sys.executable, "-m", "tests.viewers", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_test_that_failed_is_not_written_down_as_a_success():
    cells = {Cell("Mirador", "Open", "1"): True, Cell("Mirador", "Log in", "1"): False}
    lines = render(cells).splitlines()
    assert "| Open | works |" in lines
    assert "| Log in | not as expected: see the tests |" in lines


def test_a_flaw_without_a_success_is_a_no_and_with_one_a_but():
    cells = {
        Cell("Mirador", "Open", "1"): True,
        Cell("Mirador", "Open", "1", "Slowly."): True,
        Cell("Mirador", "Log in", "1", "Never."): True,
    }
    lines = render(cells).splitlines()
    assert "| Open | works, but (1) |" in lines
    assert "| Log in | no (2) |" in lines
    assert lines[-4:] == ["## Causes", "", "1. Slowly.", "2. Never."]

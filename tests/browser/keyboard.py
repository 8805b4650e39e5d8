"""``python -m tests.browser.keyboard``: measure how many keys each job takes, and write it into the admin's README."""

from __future__ import annotations

import os
import sys

import pytest

if __name__ == "__main__":
    os.environ["KEYBOARD"] = "write"
    sys.exit(pytest.main(["tests/browser/test_keyboard.py", "-q", "-p", "no:randomly", "-p", "no:xdist"]))

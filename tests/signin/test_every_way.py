"""Every way to sign in needs apps of its own, so these tests run in a process of their own."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ("onelogin", "oidc_provider_mock", "jwt", "fido2")


def test_every_way_to_sign_in_holds():
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"not installed: {', '.join(missing)}")
    assert missing == []
    inside = "tests/signin/inside"
    # The provider of the tests warns about packages of its own, which is no business of ours.
    options = ["--ds=tests.signin.settings", "--nomigrations", "-W", "default", "-n", "0"]
    command = [sys.executable, "-m", "pytest", "-q", *options, inside]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]

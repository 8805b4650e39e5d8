"""The viewers themselves: installed from npm at fixed versions, unmodified, into a folder of their own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser.demo import ROOT

HERE = Path(__file__).parent
INSTALLED = ROOT / ".viewers"
"""Outside ``tests``: tens of thousands of files would be in the way of whatever looks through the tests."""

LISTS = ("package.json", "package-lock.json")
WITHOUT_SURPRISES = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


def install() -> Path:
    """The folder ``node_modules``; installed anew only when the list of packages has changed.

    No script of any package is run.
    """
    npm = shutil.which("npm")
    if npm is None:
        return _missing("npm is needed to install the viewers (Debian: apt-get install npm).")
    INSTALLED.mkdir(exist_ok=True)
    with (INSTALLED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of a parallel run share the folder
        return _installed(npm)


def _installed(npm: str) -> Path:
    wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in LISTS)).hexdigest()
    stamp = INSTALLED / "stamp"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        stamp.unlink(missing_ok=True)
        for name in LISTS:
            shutil.copy(HERE / name, INSTALLED / name)
        done = subprocess.run(
            [npm, "ci", *WITHOUT_SURPRISES], cwd=INSTALLED, capture_output=True, text=True, check=False, timeout=900
        )
        if done.returncode:
            return _missing(f"npm could not install the viewers:\n{done.stderr[-2000:]}")
        stamp.write_text(wanted, encoding="utf-8")
    return INSTALLED / "node_modules"


def version(package: str) -> str:
    """What is listed, which is what ``npm ci`` installs."""
    listed = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))
    found: str = listed["packages"][f"node_modules/{package}"]["version"]
    return found


def bundle(modules: Path, source: Path, into: Path) -> None:
    """Make one script of a page of ours and the packages that it imports."""
    program = modules / ".bin" / "esbuild"
    command = [
        *(str(program), str(source), "--bundle", "--format=iife", "--jsx=automatic", "--target=chrome120"),
        *('--define:process.env.NODE_ENV="production"', "--log-level=warning", f"--outfile={into}"),
    ]
    done = subprocess.run(
        command, env={**os.environ, "NODE_PATH": str(modules)}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


def _missing(sentence: str) -> Path:
    if os.environ.get("CI") == "true":
        pytest.fail(sentence)
    pytest.skip(sentence)

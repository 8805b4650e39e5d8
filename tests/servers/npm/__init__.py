"""An image server from npm, installed at fixed versions into a folder outside the tests."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import subprocess
from pathlib import Path

from tests.servers import ROOT, missing

HERE = Path(__file__).parent
HOME = ROOT / ".viewers" / "image-server"
FILES = ("package.json", "package-lock.json", "server.mjs")
WITHOUT_SURPRISES = ("--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")


def install() -> tuple[str, Path]:
    """Node, and the folder with the server; installed anew only when the list of packages has changed. No script is run."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        missing("Node and npm are needed for an image server (Debian: apt-get install nodejs npm).")
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # workers of a parallel run share the folder
        wanted = hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()
        stamp = HOME / "stamp"
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
            stamp.unlink(missing_ok=True)
            for name in FILES:
                shutil.copy(HERE / name, HOME / name)
            done = subprocess.run(
                [npm, "ci", *WITHOUT_SURPRISES], cwd=HOME, capture_output=True, text=True, check=False, timeout=300
            )
            if done.returncode:
                missing(f"npm could not install the image server:\n{done.stderr[-2000:]}")
            stamp.write_text(wanted, encoding="utf-8")
    return str(program), HOME

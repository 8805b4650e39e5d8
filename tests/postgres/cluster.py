"""A private PostgreSQL that lives as long as a ``with`` block.

The server is our own child, so that it can be stopped by its own id and waited for (security 3.3), and it runs as somebody
who is not root, because PostgreSQL refuses to serve under root.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SETTINGS = ("fsync=off", "full_page_writes=off", "unix_socket_directories=", "listen_addresses=127.0.0.1")
"""Nothing in here needs to survive anything."""


def binaries() -> Path | None:
    """The folder with PostgreSQL's programs; Debian keeps them out of the path."""
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def servant() -> str | None:
    """Whom the server runs as, if we are root: ``postgres``, or ``nobody`` where there is no such account."""
    if os.geteuid() != 0:
        return None
    return next(name for name in ("postgres", "nobody") if name in {entry.pw_name for entry in pwd.getpwall()})


@dataclass(frozen=True, slots=True)
class Cluster:
    process: subprocess.Popen[bytes]
    port: int

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Make a server with an empty database, and remove it in the end."""
    folder = binaries()
    if folder is None:
        raise FileNotFoundError("PostgreSQL is not installed here.")
    with tempfile.TemporaryDirectory(prefix="iiif-auth-postgres-") as place:
        who = servant()
        data = Path(place) / "data"
        data.mkdir()
        if who is not None:
            shutil.chown(place, who)
            shutil.chown(data, who)
        make = [folder / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"]
        subprocess.run(make, user=who, cwd=place, check=True, stdout=subprocess.DEVNULL)
        found = _started(folder, data, who)
        try:
            _wait_for(found)
            yield found
        finally:
            found.process.send_signal(signal.SIGINT)  # “fast”: connections that are open are closed
            found.process.wait(30)


def _started(folder: Path, data: Path, who: str | None) -> Cluster:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = [word for setting in (*SETTINGS, f"port={port}") for word in ("-c", setting)]
    with (data.parent / "log").open("wb") as log:
        process = subprocess.Popen([folder / "postgres", "-D", data, *options], user=who, cwd=data, stderr=log)
    return Cluster(process, port)


def _wait_for(found: Cluster) -> None:
    for _ in range(300):
        if found.process.poll() is not None:
            raise RuntimeError("PostgreSQL stopped at once.")
        try:
            socket.create_connection(("127.0.0.1", found.port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("PostgreSQL did not start.")

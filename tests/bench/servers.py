"""Two ways to ask the site, each with what it cost: in this process, and through gunicorn by CPU of the whole tree."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from tests.bench.target import Target

Ask = Callable[[Target], int]
Clock = Callable[[], int]


def in_process() -> tuple[Ask, Clock]:
    """Calls of the WSGI handler, by the CPU of this process."""
    from tests.bench.wsgi import application

    def ask(target: Target) -> int:
        answered: list[int] = []

        def start_response(status: str, headers: object, *_: object) -> None:
            answered.append(int(status[:3]))

        response = application(environ(target), start_response)
        for _piece in response:
            pass
        response.close()
        return answered[0]

    return ask, time.process_time_ns


def environ(target: Target) -> dict[str, object]:
    path, _, query = target.path.partition("?")
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in target.headers.items()}
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        **headers,
    }


def tree(root: int) -> Iterator[int]:
    """A process and all below it."""
    yield root
    try:
        children = Path(f"/proc/{root}/task/{root}/children").read_text().split()
    except FileNotFoundError:
        return
    for child in children:
        yield from tree(int(child))


def cpu_of(roots: Iterable[int]) -> int:
    """CPU time of processes and all below them, in nanoseconds."""
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for root in roots for pid in tree(root))


@contextmanager
def gunicorn(besides: list[int]) -> Iterator[tuple[Ask, Clock]]:
    """One synchronous worker; ``besides`` are other processes whose work counts, such as a database server's."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "-w", "1", "-b", f"127.0.0.1:{port}", "--log-level", "error"]
    server = subprocess.Popen([*command, "tests.bench.wsgi:application"], env=os.environ.copy())

    def ask(target: Target) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", target.path, headers=target.headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status

    try:
        _wait_for(port)
        yield ask, lambda: cpu_of([server.pid, *besides])
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("gunicorn did not start.")

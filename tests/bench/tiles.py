"""What a tile costs behind each kind of web server, and what a check costs, all in one run (speed.md, sections 1, 4 and 7).

    python -m tests.bench.tiles [--rounds 7] [--tiles 1920]

The cost is CPU of the servers' whole process trees (nginx, Caddy, granian, gunicorn, PostgreSQL), per request, by the kernel's
clocks; the image server behind is not counted. Ratios are medians of paired rounds, forwards and backwards. Nothing is asserted:
machines differ.

The check has a process of its own under granian, which keeps its connections open, as where the goals were taken from. In rows
that say gunicorn it is asked of one synchronous worker of gunicorn, which does not. The empty view is always gunicorn's, unless
the row says otherwise.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import md5
from itertools import dropwhile
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from tests.bench.servers import cpu_of
from tests.bench.shelf import ITEMS, READERS, TILES
from tests.postgres.cluster import cluster
from tests.webserver.caddy import Caddy
from tests.webserver.nginx import Nginx
from tests.webserver.running import free_port

CONNECTIONS = 4
BYTES = 20_000
SECRET_LIFE = 1.2
"""Seconds after which the micro-cache has forgotten what an earlier round asked."""


# -- Asking -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A request, and what it should answer; a tile is all of its bytes."""

    path: str
    headers: tuple[tuple[str, str], ...] = ()
    status: int = 200

    @property
    def size(self) -> int | None:
        return BYTES if self.status == 200 and self.path.endswith(".jpg") else None

    def bytes(self, host: str, keep: bool) -> bytes:
        headers = [*self.headers, *([] if keep else [("Connection", "close")])]
        lines = [f"GET {self.path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join((*lines, "", "")).encode()


class Line:
    """One connection, kept open where the server does so."""

    def __init__(self, url: str, keep: bool) -> None:
        parts = urlsplit(url)
        self.place, self.host, self.keep = (parts.hostname or "", parts.port or 80), parts.netloc, keep
        self.socket: socket.socket | None = None

    def ask(self, question: Question) -> int:
        if self.socket is None:
            self.socket = socket.create_connection(self.place, timeout=20)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(question.bytes(self.host, self.keep))
        status, size = self._read(self.socket)
        if question.size not in (None, size):
            raise ConnectionError(f"{question.path} has {size} bytes.")
        if not self.keep:
            self.close()
        return status

    def _read(self, line: socket.socket) -> tuple[int, int]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += _piece(line)
        head, _, body = received.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            while not body.endswith(b"0\r\n\r\n"):
                body += _piece(line)
            return int(head[9:12]), len(body)
        left = _length(head) - len(body)
        while left > 0 and (piece := line.recv(65536)):
            left -= len(piece)
        return int(head[9:12]), _length(head)

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
        self.socket = None


def _piece(line: socket.socket) -> bytes:
    piece = line.recv(65536)
    if not piece:
        raise ConnectionError("The answer is not whole.")
    return piece


def _length(head: bytes) -> int:
    for header in head.split(b"\r\n"):
        name, _, value = header.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


@dataclass
class Target:
    """Requests whose cost is measured together.

    Attributes:
        base: the name of the target it is held against, and goal what it should be at most.
        questions: the requests of a round for each connection, made anew for each round.
        pids: the processes whose work counts.
    """

    name: str
    url: str
    questions: Callable[[int], list[list[Question]]]
    pids: Callable[[], Sequence[int]]
    base: str = ""
    goal: float | None = None
    keep: bool = True

    def run(self, number: int) -> int:
        """Nanoseconds a request."""
        several = self.questions(number)
        wrong: list[str] = []
        before = cpu_of(self.pids())
        threads = [threading.Thread(target=self._ask, args=(one, wrong), daemon=True) for one in several]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if wrong:
            raise RuntimeError(f"{self.name}: {wrong[0]}")
        return (cpu_of(self.pids()) - before) // sum(map(len, several))

    def _ask(self, questions: list[Question], wrong: list[str]) -> None:
        line = Line(self.url, self.keep)
        try:
            for question in questions:
                status = line.ask(question)
                if status != question.status:
                    wrong.append(f"{question.path} answered {status}, not {question.status}.")
        except OSError as error:
            wrong.append(repr(error))
        finally:
            line.close()


def same(count: int, question: Question) -> Callable[[int], list[list[Question]]]:
    return lambda _: [[question] * (count // CONNECTIONS)] * CONNECTIONS


def burst(count: int, path: str, headers: tuple[tuple[str, str], ...] = (), status: int = 200) -> Any:
    """The tiles of one item again and again."""
    paths = [Question(f"{path}t{tile}.jpg", headers, status) for tile in range(TILES)]
    return lambda _: [(paths * (count // TILES))[start::CONNECTIONS] for start in range(CONNECTIONS)]


def viewers(count: int, cookies: list[str], path: str) -> Callable[[int], list[list[Question]]]:
    """Twenty tiles of one item by one reader, over all connections at once; then another reader, another item."""

    def made(number: int) -> list[list[Question]]:
        connections: list[list[Question]] = [[] for _ in range(CONNECTIONS)]
        for pair in range(count // TILES):
            place = number * (count // TILES) + pair
            cookie, item = cookies[place % READERS], (place // READERS + place) % ITEMS
            for tile in range(TILES):
                question = Question(f"{path.format(item)}t{tile}.jpg", (("Cookie", cookie),))
                connections[tile % CONNECTIONS].append(question)
        return connections

    return made


def edge(count: int, carried: dict[str, str]) -> Callable[[int], list[list[Question]]]:
    """The same burst at an address that the web server checks alone, signed anew for each round: it lives for a minute."""

    def made(number: int) -> list[list[Question]]:
        name, key, item, ends = carried["name"], carried["key"], carried["item"], int(time.time()) + 50
        code = (
            base64.urlsafe_b64encode(md5(f"{key} {ends} {item} {key}".encode(), usedforsecurity=False).digest())
            .decode()
            .rstrip("=")
        )
        found: list[list[Question]] = burst(count, f"{carried['at']}{name}.{ends}.{code}{item}/")(number)
        return found

    return made


# -- The servers --------------------------------------------------------------------------------------------------


def told(words: str, environment: dict[str, str]) -> Any:
    """What :mod:`tests.bench.shelf` says."""
    command = [sys.executable, "-m", "tests.bench.shelf", words]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    return json.loads(done.stdout.splitlines()[-1])


GUNICORN = "-m gunicorn -w 1 -b 127.0.0.1:{port} --log-level error"
GRANIAN = "-m granian --interface wsgi --http 1 --workers 1 --blocking-threads 1 --host 127.0.0.1 --port {port} --log-level error"


@contextmanager
def serving(server: str, environment: dict[str, str]) -> Iterator[tuple[str, int]]:
    """One worker of an application server; its address and its process."""
    port = free_port()
    words = [*server.format(port=port).split(), "tests.bench.wsgi:application"]
    process = subprocess.Popen([sys.executable, *words], env={**os.environ, **environment}, stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.terminate()
        process.wait(10)


PLAIN = """
server {{
    listen 81;
    access_log {tiles}/../plain.log combined;
    location /plain/ {{ alias {tiles}/; }}
    location /proxied/ {{ proxy_pass http://iiif_up_images/; proxy_http_version 1.1; proxy_set_header Connection ""; }}
}}
"""
IMAGES = "server {{ listen 80; access_log off; location / {{ root {tiles}; rewrite ^ /item-0/t0.jpg break; }} }}"


def write_tiles(folder: Path) -> None:
    for item in range(ITEMS):
        (folder / f"item-{item}").mkdir(parents=True)
        for tile in range(TILES):
            (folder / f"item-{item}" / f"t{tile}.jpg").write_bytes(os.urandom(BYTES))


def inside_http(configuration: str, more: str) -> str:
    """A configuration with one more server in it."""
    return configuration.rstrip().removesuffix("}") + more + "\n}\n"


class Bench:
    """Everything that is measured, started."""

    def __init__(self, stack: ExitStack, count: int) -> None:
        self.stack, self.count = stack, count
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iiif-tiles-")))
        self.folder.chmod(0o755)
        self.tiles = self.folder / "tiles"
        write_tiles(self.tiles)
        images = stack.enter_context(Nginx(IMAGES.format(tiles=self.tiles), self.folder / "images"))
        self.images = urlsplit(images.url).netloc
        self.environment = {
            "TILES": f"{self.tiles}/",
            "IMAGES": f"http://{self.images}/",
            "DATABASE_URL": f"sqlite:///{self.folder / 'bench.sqlite3'}",
        }
        print("making the library", file=sys.stderr)
        self.carried = told("fill", self.environment)
        self.app, self.app_pid = stack.enter_context(serving(GUNICORN, self.environment))
        self.kept, self.kept_pid = stack.enter_context(serving(GRANIAN, self.environment))

    def nginx(self, name: str, seconds: float, *, alone: bool = True) -> Nginx:
        """nginx as ``iiif_webserver nginx`` configures it, with plain places beside."""
        text = self.printed(name, seconds, alone=alone)["nginx"]
        whole = inside_http(text, PLAIN.format(tiles=self.tiles))
        return self.stack.enter_context(Nginx(whole, self.folder / name))

    def printed(self, name: str, seconds: float, port: int = 80, *, alone: bool) -> dict[str, str]:
        (self.folder / name / "kept").mkdir(parents=True, exist_ok=True)
        places = {
            "LISTEN": f"127.0.0.1:{port}",
            "APP": urlsplit(self.app).netloc,
            "CHECKER": urlsplit(self.kept).netloc if alone else "",
            "KEPT": str(self.folder / name / "kept"),
            "LOGS": str(self.folder / name),
            "CHECK_CACHE_SECONDS": str(seconds),
        }
        found: dict[str, str] = told("servers", {**self.environment, **places})
        return found

    def targets(self) -> list[Target]:
        cookie = (("Cookie", self.carried["cookies"][0]),)
        cookies, count = self.carried["cookies"], self.count
        nginx, never = self.nginx("nginx", 1), self.nginx("uncached", 0)
        other, other_never = self.nginx("gunicorn", 1, alone=False), self.nginx("gunicorn-uncached", 0, alone=False)
        site, plain = (nginx.urls[port] for port in ("80", "81"))
        ours = self.pids(nginx)
        image = "/iiif/3/item-7/512,0,512,512/512,512/0/default.jpg"
        empty = Question("/empty")
        static, proxied, view, kept = "nginx, plain file", "nginx, plain proxy", "empty view", "empty view, granian"
        fresh, tiles = viewers(count // 2, cookies, "/tiles/item-{}/"), burst(count // 4, "/tiles/item-0/", cookie)
        return [
            Target(view, self.app, same(count // 4, empty), self.only_app, keep=False),
            Target(kept, self.kept, same(count // 4, empty), self.only_kept, view),
            Target(static, plain, burst(count, "/plain/item-0/"), ours),
            Target("ours, hot", site, burst(count, "/tiles/item-0/", cookie), ours, static, 1.75),
            Target("ours, hot, refused", site, burst(count, "/tiles/item-0/", (), 401), ours, static),
            Target("ours, cold", site, fresh, ours, view, 0.45),
            Target("ours, cold, gunicorn", other.urls["80"], fresh, self.pids(other), view),
            Target("ours, no cache", never.urls["80"], tiles, self.pids(never), view),
            Target("ours, no cache, gunicorn", other_never.urls["80"], tiles, self.pids(other_never), view),
            Target("signed, live, hot", site, burst(count, self.carried["signed"]), ours, static),
            Target("signed, at the edge", site, edge(count, self.carried["edge"]), ours, static, 1.15),
            Target(proxied, plain, same(count, Question(f"/proxied{image}")), ours),
            Target("ours, proxied, hot", site, same(count, Question(image, cookie)), ours, proxied, 1.4),
            *self.caddy_targets(cookie, view),
            Target(
                "Django alone", self.app, burst(count // 8, "/tiles/item-0/", cookie), self.only_app, view, keep=False
            ),
            *self.checks(self.app, self.carried, "SQLite", 1.5, self.only_app, view),
            *self.checks(self.kept, self.carried, "granian", 2.2, self.only_kept, kept, keep=True),
            *self.on_postgresql(),
        ]

    def pids(self, server: Nginx | Caddy) -> Callable[[], list[int]]:
        """The processes whose work a tile is: those of a web server, and of both application servers, of which one rests."""
        return lambda: [server.process.pid, self.app_pid, self.kept_pid] if server.process else []

    def only_app(self) -> list[int]:
        return [self.app_pid]

    def only_kept(self) -> list[int]:
        return [self.kept_pid]

    def caddy_targets(self, cookie: Any, view: str) -> list[Target]:
        free, tiles = free_port(), burst(self.count // 8, "/tiles/item-0/", cookie)
        caddy = self.caddy("caddy", f"http://127.0.0.1:{free} {{\n\troot * {self.tiles}\n\tfile_server\n}}\n")
        other = self.caddy("caddy-gunicorn", alone=False)
        plain = burst(self.count // 4, "/item-0/")
        return [
            Target("Caddy, plain file", f"http://127.0.0.1:{free}", plain, self.pids(caddy), "nginx, plain file"),
            Target("Caddy, ours", caddy.url, tiles, self.pids(caddy), view, 2.8),
            Target("Caddy, ours, gunicorn", other.url, tiles, self.pids(other), view),
        ]

    def caddy(self, name: str, more: str = "", *, alone: bool = True) -> Caddy:
        """Caddy as ``iiif_webserver caddy`` configures it, with another site beside."""
        printed = self.printed(name, 0, port := free_port(), alone=alone)["caddy"]
        lines = dropwhile(lambda line: not line.strip().startswith("{"), printed.splitlines())  # the title: a comment
        text = "\n".join(lines).lstrip().replace(f"http://127.0.0.1:{port}", "http://site")
        return self.stack.enter_context(Caddy(f"{text}\n{more}", self.folder / name))

    def checks(
        self, url: str, carried: Any, where: str, goal: float, pids: Any, view: str, *, keep: bool = False
    ) -> list[Target]:
        targets = []
        for name, path, status, headers in carried["checks"]:
            question = Question(path, tuple(headers.items()), status)
            title = f"{name}, {where}"
            targets.append(Target(title, url, same(self.count // 4, question), pids, view, goal, keep=keep))
        return targets

    def on_postgresql(self) -> list[Target]:
        server = self.stack.enter_context(cluster())
        environment = {**self.environment, "DATABASE_URL": server.url}
        carried = told("fill", environment)
        url, pid = self.stack.enter_context(serving(GUNICORN, {**environment, "PREPARED": "1"}))

        def pids() -> list[int]:
            return [pid, server.process.pid]

        view = "empty view, PostgreSQL"
        empty = Target(view, url, same(self.count // 4, Question("/empty")), pids, keep=False)
        return [empty, *self.checks(url, carried, "PostgreSQL", 2.2, pids, view)]


def measured(targets: list[Target], rounds: int) -> dict[str, list[int]]:
    costs: dict[str, list[int]] = {target.name: [] for target in targets}
    turn = 0
    for number in range(-1, rounds):  # the first round is to warm up
        print(f"\rround {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
        spent = dict.fromkeys(costs, 0)
        for target in (*targets, *reversed(targets)):
            turn += 1
            spent[target.name] += target.run(turn)
        if number >= 0:
            for name, cost in spent.items():
                costs[name].append(cost // 2)
        time.sleep(SECRET_LIFE)
    print(file=sys.stderr)
    return costs


def table(targets: list[Target], costs: dict[str, list[int]]) -> None:
    print(f"{'':30}{'µs':>8}{'ratio':>8}{'least':>8}{'goal':>8}  held against")
    for target in targets:
        found = costs[target.name]
        print(f"{target.name:30}{median(found) / 1000:8.1f}", end="")
        if target.base:
            base = costs[target.base]
            ratio = median(cost / one for cost, one in zip(found, base, strict=True))
            goal = f"{target.goal:8.2f}" if target.goal else " " * 8
            print(f"{ratio:8.2f}{min(found) / min(base):8.2f}{goal}  {target.base}", end="")
        print()


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m tests.bench.tiles", description="What tiles and checks cost, as ratios."
    )
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument(
        "--tiles", type=int, default=1920, help="of the cheapest kind in each half round; fewer of dearer ones"
    )
    given = options.parse_args()
    if given.tiles < 160 or given.tiles % 160:
        options.error("--tiles is a multiple of 160.")
    with ExitStack() as stack:
        targets = Bench(stack, given.tiles).targets()
        costs = measured(targets, given.rounds)
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    print(f"Python {platform.python_version()}, {machine}, {given.rounds} rounds")
    table(targets, costs)


if __name__ == "__main__":
    main()

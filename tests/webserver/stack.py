"""The stacks: one library, with a canary in each of its objects, behind every kind of server. For tests and benchmarks.

>>> with Stacks([Front.CHECK, Front.DJANGO]) as stacks:
...     asked(stacks.url(Front.CHECK), "/media/report.pdf", headers=stacks.headers(MEMBER)).status

Everything listens on 127.0.0.1 on free ports, runs as whoever runs the tests, writes into one temporary folder, and is ended by
its own number.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from tests.webserver import caddy
from tests.webserver.nginx import Nginx, Reply, asked
from tests.webserver.running import PATIENCE, free_port
from tests.webserver.site import settings
from tests.webserver.site.holdings import (
    FILMS,
    HOLDINGS,
    NONE,
    OLDER,
    PIECES,
    REELS,
    SIZE,
    STRANGER,
    Canary,
    Holding,
    canaries,
    canary,
    suffixed,
)

ROOT = Path(__file__).resolve().parents[2]
BASE = "http://library.test"
"""The public address of the library; that of its servers does not matter to it."""
LISTENS = re.compile(r"https?://127\.0\.0\.1:([0-9]+)")
ADMIN = Canary(canary("the image server's own pages"), NONE, "/admin")
"""What every other page of the image server says: nobody may ever be led there."""


class Front(StrEnum):
    """What readers reach."""

    CHECK = "nginx-auth-request"
    ACCEL = "nginx-x-accel"
    DJANGO = "django-wsgi"
    ASGI = "django-asgi"
    CADDY = "caddy"


class App(StrEnum):
    """The application, as each front needs it."""

    CHECKING = "checking"
    HANDING = "handing"
    DIRECT = "direct"
    DIRECT_ASGI = "direct-asgi"


APPS = {
    Front.CHECK: App.CHECKING,
    Front.ACCEL: App.HANDING,
    Front.DJANGO: App.DIRECT,
    Front.ASGI: App.DIRECT_ASGI,
    Front.CADDY: App.CHECKING,
}
SERVERS = (Front.CHECK, Front.ACCEL, Front.CADDY)
"""Those whose configuration is printed."""
FLOWS: dict[App, dict[str, Any]] = {
    App.CHECKING: {},
    App.HANDING: {"SEND_FILE": "/_iiif_files/", "SEND_UPSTREAM": "/_iiif_up/"},
    App.DIRECT: {"TRUSTED_PROXIES": 0},
    App.DIRECT_ASGI: {"TRUSTED_PROXIES": 0},
}


CHECKER = "checker"
"""The process that answers the check alone, where it has one."""

FILLED: list[tempfile.TemporaryDirectory[str]] = []
"""The library as it was first made; it is gone with the process."""


class NotStarted(AssertionError):
    """A server did not start; the message is the end of its log."""


@dataclass
class Stacks:
    """The library behind some fronts.

    Attributes:
        fronts: which are started.
        flow: settings of ``IIIF_AUTH_FLOW`` that are not as they usually are, such as ``CHECK_CACHE_SECONDS``.
        options: more words for ``iiif_webserver nginx``.
        workers: of each application under gunicorn, with four threads each.
        checker: whether the check has a process of its own, under granian.
    """

    fronts: Sequence[Front] = tuple(Front)
    flow: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    workers: int = 1
    checker: bool = False

    def __post_init__(self) -> None:
        self.folder = Path("/nonexistent")
        self.upstream: Nginx | None = None
        self.urls: dict[Front, str] = {}
        self.apps: dict[App, str] = {}
        self.checks_at = ""
        self._asked_last = 0
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.carried: dict[str, dict[str, Any]] = {}
        self._stack = ExitStack()

    # -- from beginning to end

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.folder = Path(
            self._stack.enter_context(tempfile.TemporaryDirectory(prefix="iiif-", ignore_cleanup_errors=True))
        )
        files(self.folder)
        self.upstream = self._stack.enter_context(Nginx(image_server(self.folder), self.folder / "upstream"))
        wanted = dict.fromkeys(APPS[front] for front in self.fronts)
        for app in wanted:
            self._begin(app)
        if self.checker:
            self._begin_checker()
        self._fill()
        self.carried = json.loads((self.folder / "carried.json").read_text(encoding="utf-8"))
        self.apps = {app: self._listening(app) for app in wanted}
        self.checks_at = self._listening(CHECKER) if self.checker else ""
        served = [front for front in self.fronts if front in SERVERS]
        texts = dict(zip(served, self.printed([self._words(front) for front in served]), strict=True))
        for front in self.fronts:
            self.urls[front] = self._front(front, texts.get(front, ""))

    def _front(self, front: Front, text: str) -> str:
        if front is Front.CADDY:
            return self._caddy(text)
        if front not in SERVERS:
            return self.apps[APPS[front]]
        nginx = self._stack.enter_context(Nginx(text, self.folder / front))
        return nginx.url

    def _fill(self) -> None:
        """The rows of the library: made once by a test run, then copied."""
        if not FILLED:
            self._run(["-m", "tests.webserver.site.fill"], App.CHECKING)
            kept = tempfile.TemporaryDirectory(prefix="iiif-filled-")
            for name in ("library.sqlite3", "carried.json"):
                shutil.copy(self.folder / name, kept.name)
            FILLED.append(kept)
        for name in ("library.sqlite3", "carried.json"):
            shutil.copy(Path(FILLED[0].name, name), self.folder)

    # -- the application

    def environment(self, app: App, flow: dict[str, Any] | None = None) -> dict[str, str]:
        """In which ``tests.webserver.site.settings`` are those of this application."""
        told = {
            "folder": str(self.folder),
            "upstream": urlsplit(self.upstream.url).netloc if self.upstream else "127.0.0.1:9",
            "base": BASE,
            "flow": {**FLOWS[app], **self.flow, **(flow or {})},
        }
        return {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.webserver.site.settings", "STACK": json.dumps(told)}

    def _run(self, words: list[str], app: App, flow: dict[str, Any] | None = None, told: str = "") -> str:
        done = subprocess.run(
            [sys.executable, *words],
            env=self.environment(app, flow),
            cwd=ROOT,
            input=told,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotStarted(done.stderr[-4000:])
        return done.stdout

    def _begin(self, app: App) -> None:
        if app is App.DIRECT_ASGI:
            words = ["-m", "uvicorn", "tests.webserver.site.asgi:application", "--port", "0", "--no-proxy-headers"]
        else:
            words = [
                *("-m", "gunicorn", "tests.webserver.site.wsgi:application", "-b", "127.0.0.1:0", "--threads", "4"),
                *("-w", str(self.workers), "--access-logfile", "-", "--access-logformat", "%(r)s %(s)s"),
                # Readers reach it themselves here, and none of them is a proxy whose headers could be believed.
                *(["--forwarded-allow-ips", "192.0.2.255"] if app is App.DIRECT else []),
            ]
        self.start(app, [sys.executable, *words], self.environment(app))

    def _begin_checker(self) -> None:
        # It keeps connections open, and does one thing at a time.
        words = [
            *("-m", "granian", "--interface", "wsgi", "--http", "1", "--workers", "1", "--blocking-threads", "1"),
            *("--port", str(free_port()), "--access-log", "--access-log-fmt", "%(method)s %(path)s %(status)d"),
        ]
        command = [sys.executable, *words, "tests.webserver.site.wsgi:application"]
        self.start(CHECKER, command, self.environment(App.CHECKING))

    def start(self, name: str, command: list[str], environment: dict[str, str] | None = None) -> None:
        """Start a program whose output goes to ``name.log`` in the folder, and which ends with the stacks."""
        log = self._stack.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        self.processes[name] = process
        self._stack.callback(ended, process)

    def _listening(self, app: str) -> str:
        """The address of an application, once it answers."""
        until = time.monotonic() + 2 * PATIENCE
        while time.monotonic() < until and self.processes[app].poll() is None:
            if found := LISTENS.search(self.log(app)):
                url = f"http://127.0.0.1:{found[1]}"
                if answers(url):
                    return url
            time.sleep(0.05)
        raise NotStarted(self.log(app)[-4000:])

    # -- the web servers

    def beside(self, flow: dict[str, Any], options: tuple[str, ...] = ()) -> Nginx:
        """One more nginx before the application that is checked with, from other settings or options; not started yet."""
        return Nginx(self.configuration(Front.CHECK, flow, options), Path(tempfile.mkdtemp(dir=self.folder)))

    def configuration(self, front: Front, flow: dict[str, Any] | None = None, options: tuple[str, ...] = ()) -> str:
        """What ``iiif_webserver`` prints for a front."""
        return self.printed([[*self._words(front), *options]], flow)[0]

    def printed(self, commands: list[list[str]], flow: dict[str, Any] | None = None) -> list[str]:
        """What ``iiif_webserver`` prints for each command line, from the library's settings."""
        if not commands:
            return []
        words, told = ["-m", "tests.webserver.site.printing"], json.dumps(commands)
        texts: list[str] = json.loads(self._run(words, App.HANDING, flow, told))
        return texts

    def _words(self, front: Front) -> list[str]:
        """The command line for a front."""
        words = ["caddy" if front is Front.CADDY else "nginx", "--listen", f"127.0.0.1:{free_port()}"]
        words += ["--app", urlsplit(self.apps[APPS[front]]).netloc]
        if self.checks_at and APPS[front] is App.CHECKING:
            words += ["--checker", urlsplit(self.checks_at).netloc]
        if front is Front.CADDY:
            return words
        cache = Path(tempfile.mkdtemp(prefix="kept-", dir=self.folder))
        words += ["--cache-folder", str(cache), "--log-folder", str(self.folder)]
        return [*words, "--mode", "x-accel" if front is Front.ACCEL else "auth-request", *self.options]

    def _caddy(self, text: str) -> str:
        file = self.folder / "Caddyfile"
        file.write_text(text, encoding="utf-8")
        found = re.search(r"^http://(127\.0\.0\.1:[0-9]+)", text, re.MULTILINE)
        if found is None:
            raise NotStarted("The Caddyfile names no address.")
        home = {
            **os.environ,
            "HOME": str(self.folder),
            "XDG_DATA_HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
        }
        command = [caddy.program(), "run", "--config", str(file), "--adapter", "caddyfile"]
        self.start(Front.CADDY, command, home)
        until = time.monotonic() + PATIENCE
        while not answers(f"http://{found[1]}"):
            if time.monotonic() > until or self.processes[Front.CADDY].poll() is not None:
                raise NotStarted(self.log(Front.CADDY)[-4000:])
            time.sleep(0.05)
        return f"http://{found[1]}"

    # -- what tests ask

    def url(self, front: Front) -> str:
        return self.urls[front]

    def headers(self, person: str) -> dict[str, str]:
        """The headers of somebody's browser."""
        return {} if person == STRANGER else {"Cookie": self.carried[person]["cookie"]}

    def ask(self, front: Front, target: str, person: str = STRANGER, method: str = "GET", **headers: str) -> Reply:
        """What a front answers to somebody; ``_`` in the names of headers stands for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return asked(self.url(front), target, method, {**self.headers(person), **named})

    def signed(self, person: str, holding: str, rest: str = "") -> str:
        """The signed address of a thing, by its path in ``HOLDINGS`` (with a suffix for a smaller version), for somebody.

        ``rest`` is what is asked of an image, or another file of the folder instead of its entry.
        """
        start: str = self.carried[person]["signed"][holding]
        if holding.startswith((FILMS, REELS)) and rest:
            return f"{start}{holding.rpartition('/')[0]}/{rest}"
        return f"{start}{holding}{'/' + rest if rest else ''}"

    def edge(self, item: str, rest: str = "", ends: int = 0, key: str = "e1") -> str:
        """An address that the web server checks alone, for 60 seconds or until ``ends``. A folder's item has no entry."""
        secret, ends = settings.EDGE_KEYS[key], ends or int(time.time()) + 60
        code = hashlib.md5(f"{secret} {ends} {item} {secret}".encode(), usedforsecurity=False).digest()
        text = base64.urlsafe_b64encode(code).decode().rstrip("=")
        return f"/iiif-auth/edge/{key}.{ends}.{text}{item}{'/' + rest if rest else ''}"

    def end(self, person: str) -> None:
        """End somebody's pass, as logging out does."""
        with sqlite3.connect(self.folder / "library.sqlite3", timeout=10) as database:
            database.execute("PRAGMA foreign_keys = ON")
            number = self.carried[person]["pass"]
            database.execute("UPDATE iiif_auth_pass SET ends = '2000-01-01 00:00:00' WHERE id = ?", [number])
        database.close()

    def checks(self) -> int:
        """How often the check has been asked so far, by the log of what answers it.

        A log is written when the answer is gone already, on a busy machine long after: so something else is asked last, and
        waited for in the log.

        Raises:
            NotStarted: The log does not have it in time.
        """
        name, url = (CHECKER, self.checks_at) if self.checker else (App.CHECKING, self.apps[App.CHECKING])
        self._asked_last += 1
        last = f"/asked-last-{self._asked_last}"
        asked(url, last)
        until = time.monotonic() + PATIENCE
        while f"GET {last} " not in self.log(name):
            if time.monotonic() > until:
                raise NotStarted(self.log(name)[-4000:])
            time.sleep(0.01)
        return settled(lambda: self.log(name).count("GET /iiif-auth/check "))

    def log(self, name: str) -> str:
        """What a process wrote: an application, Caddy."""
        file = self.folder / f"{name}.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def seen_upstream(self, after: int = 0, at_least: int = 0) -> list[str]:
        """What the image server was asked: a line for each request, with everything that it was sent.

        The first ``after`` lines are left out; it is waited until there are ``at_least`` so many more, for a server writes its
        log when the answer is gone already.
        """
        until = time.monotonic() + PATIENCE
        while len(found := self._seen()[after:]) < at_least and time.monotonic() < until:
            time.sleep(0.01)
        return found

    def _seen(self) -> list[str]:
        file = self.folder / "upstream.seen"
        return file.read_text(encoding="utf-8", errors="replace").splitlines() if file.exists() else []

    def canaries(self) -> tuple[Canary, ...]:
        """Every mark that may be seen by some and not by others."""
        return (*canaries(), ADMIN)


def settled(count: Callable[[], int]) -> int:
    """A count of lines in a log, once nothing more is written: a server writes its log when the answer is gone already."""
    seen = -1
    while seen != (seen := count()):
        time.sleep(0.2)
    return seen


def ended(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started, by its number."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    try:
        asked(url, "/empty")
    except OSError:
        return False
    return True


# -- What is behind -----------------------------------------------------------------------------------------------


def files(folder: Path) -> None:
    """The files of the library, each with its canary, and files beside them that are nobody's."""
    for holding in HOLDINGS:
        if not holding.is_image:
            for name in _names(holding):
                path = folder / holding.door.strip("/") / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{canary(holding.door + name)} {name} " + "0123456789" * 20, encoding="utf-8")
    (folder / "media" / ".htpasswd").write_text(ADMIN.mark, encoding="utf-8")
    (folder / "offmedia").mkdir()
    (folder / "offmedia" / "secret.txt").write_text(ADMIN.mark, encoding="utf-8")


def _names(holding: Holding) -> Iterable[str]:
    if holding.door in (FILMS, REELS):
        return [f"{holding.name.rpartition('/')[0]}/{piece}" for piece in PIECES]
    return [holding.name]


def image_server(folder: Path) -> str:
    """An image server as liberal as any: it decodes, resolves dots, merges slashes and does not mind capitals.

    It sets what a guarded server must not pass on, tells its secrets on every page that is not a picture, and writes down what it
    is asked.
    """
    marks, sizes = [], []
    for number, holding in enumerate(one for one in HOLDINGS if one.is_image):
        version = 2 if holding.door == OLDER else 3
        names = [(holding.name, (SIZE[0] + number, SIZE[1]))]
        names += [(suffixed(holding.name, one), (400, 300)) for one in holding.smaller if one != holding.virtual]
        for name, (width, height) in names:
            marks.append(f'"{version} {name}" {canary(holding.door + name)};')
            sizes.append(f'"{version} {name}" \'"width": {width}, "height": {height}\';')
    return IMAGE_SERVER.format(
        marks="\n".join(marks),
        sizes="\n".join(sizes),
        name="(?<version>[23])/(?<name>.+)",
        folder=folder,
        admin=ADMIN.mark,
    )


IMAGE_SERVER = """
map "$version $name" $mark {{ default ""; {marks} }}
map "$version $name" $size {{ default ""; {sizes} }}
map $version $context {{ 2 "http://iiif.io/api/image/2/context.json"; default "http://iiif.io/api/image/3/context.json"; }}
map $version $kind {{
    2 '"@id": "http://upstream.internal/2/x", "profile": ["http://iiif.io/api/image/2/level2.json"]';
    default '"id": "http://upstream.internal/3/x", "type": "ImageService3", "profile": "level2"';
}}
log_format seen escape=json '$request_method $request_uri cookie=[$http_cookie] authorization=[$http_authorization] '
    'others=[$http_x_forwarded_for$http_user_agent$http_referer$http_x_iiif_auth_secret$http_x_original_uri]';
server {{
    listen 80;
    access_log {folder}/upstream.seen seen;
    add_header Set-Cookie "upstream=1" always;
    add_header Link "<http://upstream.internal/pictures>;rel=canonical" always;
    add_header Access-Control-Allow-Credentials true always;
    add_header Access-Control-Allow-Origin "https://evil.example" always;
    add_header Cache-Control "public, max-age=9999" always;
    location / {{ default_type text/html; return 200 "{admin} $request_uri"; }}
    location ~ "^/iiif/{name}/info\\.json$" {{
        types {{ }} default_type application/json;
        if ($size = "") {{ return 404 "No such picture in /srv/pictures of upstream.internal: $uri"; }}
        return 200 '{{"@context": "$context", $kind, "protocol": "http://iiif.io/api/image", $size}}';
    }}
    location ~ "^/iiif/{name}/[^/]+/[^/]+/[^/]+/[^/]+$" {{
        types {{ }} default_type image/jpeg;
        if ($size = "") {{ return 404 "No such picture in /srv/pictures of upstream.internal: $uri"; }}
        return 200 "$mark $uri";
    }}
    location /reels/ {{ root {folder}; }}
}}
"""

"""A real nginx from a text, on free ports of this machine, and peers behind it; for every test that needs one.

>>> with Nginx("server { listen 80; location / { return 204; } }", folder) as nginx:
...     asked(nginx.url, "/").status
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.webserver.running import PATIENCE, Running, free_port, installed

LISTEN = re.compile(r"(^|[\s;{])listen\s+([^;\s]+)([^;]*);")
OURS = re.compile(r"^(?:user|pid|daemon|worker_processes|error_log)\s[^;]*;|^events\s*\{[^}]*\}", re.MULTILINE)
HTTP = re.compile(r"^http\s*\{", re.MULTILINE)
FRAME = """\
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
"""
PATHS = """
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
"""


def program() -> str:
    """Where nginx is."""
    return installed(
        "nginx", "nginx is not installed (Debian: apt-get install nginx-light).", "/usr/sbin:/usr/local/sbin"
    )


class Nginx(Running):
    """nginx with this configuration: a whole file, or what stands inside ``http``.

    Every port after ``listen`` is replaced by a free one on 127.0.0.1 (``urls`` tells which became what; ``url`` is the first).
    """

    log_name = "error.log"

    def __init__(self, text: str, folder: Path) -> None:
        super().__init__(text, folder)
        self.urls: dict[str, str] = {}

    @property
    def url(self) -> str:
        return next(iter(self.urls.values()))

    def addresses(self) -> Iterable[str]:
        return self.urls.values()

    def begun(self) -> subprocess.Popen[bytes]:
        log, file = self.folder / self.log_name, self.folder / "nginx.conf"
        log.unlink(missing_ok=True)
        file.write_text(self._whole(), encoding="utf-8")
        command = [program(), "-p", str(self.folder), "-e", str(log), "-c", str(file)]
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _whole(self) -> str:
        self.urls = {}
        text = LISTEN.sub(self._listen, self.text)
        for port, url in self.urls.items():  # where it asks itself
            text = text.replace(f"server 127.0.0.1:{port};", f"server {urlsplit(url).netloc};")
        frame = FRAME.format(folder=self.folder, user="user root;" if os.getuid() == 0 else "")
        paths = PATHS.format(folder=self.folder)
        if HTTP.search(text):
            text = HTTP.sub(lambda found: found[0] + paths, OURS.sub("", text), count=1)
            return frame + text
        return f"{frame}http {{{paths}{text}\n}}\n"

    def _listen(self, found: re.Match[str]) -> str:
        if found[2].startswith("["):
            return ""
        port = found[2].rpartition(":")[2]
        scheme = "https" if " ssl" in found[3] else "http"
        url = self.urls.setdefault(port, f"{scheme}://127.0.0.1:{free_port()}")
        return f"{found[1]}listen {urlsplit(url).netloc}{found[3]};"


# -- Those who ask, and those who answer behind -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes


def asked(
    url: str, target: str, method: str = "GET", headers: dict[str, str] | None = None, body: bytes | None = None
) -> Reply:
    """What a server says to a request whose target is sent exactly as written."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=PATIENCE)
    try:
        connection.request(method, target, body=body, headers=headers or {})
        response = connection.getresponse()
        found: dict[str, str] = {}
        for name, value in response.getheaders():
            found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
        return Reply(response.status, found, response.read())
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Request:
    """What a peer was asked; names of headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]


Answer = Callable[[Request], tuple[int, dict[str, str], bytes]]


class Quiet(ThreadingHTTPServer):
    """Says nothing when a client hangs up."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        return


@dataclass
class Peer:
    """A server of our own behind nginx: answers by a function, and remembers what it was asked."""

    answer: Answer
    seen: list[Request] = field(default_factory=list)

    def __enter__(self) -> Self:
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def answered(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                request = Request(
                    self.command, self.path, {name.lower(): value for name, value in self.headers.items()}
                )
                peer.seen.append(request)
                status, headers, body = peer.answer(request)
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            setattr(Handler, f"do_{method}", Handler.answered)
        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=PATIENCE)

    @property
    def port(self) -> int:
        port: int = self.server.server_address[1]
        return port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def lines_with(text: str, words: str) -> Iterator[int]:
    """The numbers of the lines that contain some words."""
    return (number for number, line in enumerate(text.splitlines(), 1) if words in line)

"""One of several processes that serve the same site from the same database: ``python -m tests.security.revoking.node``.

Writes its port to standard output and serves until it is ended. With ``TWIN=1`` it remembers what stood behind a cookie, a token
or a ticket for a second, as a careless node would, and must be caught.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.security.revoking.settings")

import django

django.setup()

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402

from iiif_auth import store  # noqa: E402

TWIN_SECONDS = 1.0


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads twenty lines a round."""


class Server(ThreadedWSGIServer):
    daemon_threads = True
    request_queue_size = 64


def remembering(find: Callable[..., Any]) -> Callable[..., Any]:
    """The twin: the same answer for a second."""
    kept: dict[object, tuple[float, Any]] = {}

    def find_for(uri: str, finder: Any) -> Any:
        key = (uri, getattr(finder, "func", finder), getattr(finder, "args", ()))
        at, found = kept.get(key, (0.0, None))
        if time.monotonic() - at > TWIN_SECONDS:
            at, found = time.monotonic(), find(uri, finder)
            kept[key] = (at, found)
        return found

    return find_for


def main() -> None:
    if os.environ.get("TWIN") == "1":
        store.find_for = remembering(store.find_for)
    server = Server(("127.0.0.1", 0), Quiet)
    server.set_app(get_wsgi_application())
    print(server.server_port, flush=True)
    threading.Thread(target=_end_with_whoever_began_this, daemon=True).start()
    server.serve_forever()


def _end_with_whoever_began_this() -> None:
    sys.stdin.read()  # until the other end is closed, in whatever way
    os._exit(0)


if __name__ == "__main__":
    main()

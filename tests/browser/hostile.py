"""Sites that nobody asked for: a page that frames the token service, and another viewer on an origin of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import quote

FRAMING = """<!doctype html><meta charset="utf-8"><title>Somebody else</title><script>
globalThis.heard = [];
addEventListener("message", (event) => heard.push({data: event.data, origin: event.origin}));
</script>%s"""


@contextmanager
def serving(pages: dict[str, str], host: str) -> Iterator[str]:
    """A tiny site on a loopback address of its own, which is another site than the demo's; its origin."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path.partition("?")[0])
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer((host, 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{host}:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def framing(token_service: str, *origins: str) -> str:
    """A page with the token service in frames, each naming one of ``origins`` as its own, with messages ``m1``, ``m2``, …"""
    asked = (f"messageId=m{number}&amp;origin={quote(one, safe='')}" for number, one in enumerate(origins, start=1))
    return FRAMING % "".join(f'<iframe src="{token_service}?{query}"></iframe>' for query in asked)

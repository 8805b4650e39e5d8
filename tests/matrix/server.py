"""``python -m tests.matrix.server PORT FOLDER``: the library and everybody else's sites, one process behind TLS.

What answers depends on the name that was asked for. One name belongs to the harness: it reads the log there, moves everybody
somewhere, and makes headers worse for tests that must fail.
"""

from __future__ import annotations

import json
import mimetypes
import os
import ssl
import sys
from collections.abc import Callable, Iterable
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from tests.matrix import log, names
from tests.matrix.log import Environ, Headers

HERE = Path(__file__).parent
Start = Callable[[str, Headers], Any]
MACHINE = "Matrix"
TEXT = "text/html; charset=utf-8"


def answer(start: Start, body: bytes, kind: str = TEXT, status: str = "200 OK", **more: str) -> Iterable[bytes]:
    headers = [("Content-Type", kind), ("Content-Length", str(len(body))), ("Cache-Control", "no-store")]
    start(status, [*headers, *((name.replace("_", "-"), value) for name, value in more.items())])
    return [body]


def viewer(environ: Environ, start: Start) -> Iterable[bytes]:
    """The demo's viewer as it is; under ``/plain/`` the smallest one that follows the specification."""
    from project import viewer_site

    path = environ["PATH_INFO"]
    if path == "/plain/":
        return answer(start, (HERE / "viewer.html").read_bytes(), **isolation(environ))
    if path == "/plain/viewer.js":
        return answer(start, (HERE / "viewer.js").read_bytes(), "text/javascript; charset=utf-8", **isolation(environ))
    if path == "/config.json":
        collection = f"https://{library(environ)}/iiif/collection.json"
        return answer(start, json.dumps({"collection": collection}).encode(), "application/json")
    found = viewer_site.asset(path)
    if found is None:
        return answer(start, b"Not found", "text/plain", "404 Not Found")
    policy = viewer_site.HEADERS["Content-Security-Policy"]
    return answer(start, found.read_bytes(), viewer_site.TYPES[found.suffix], Content_Security_Policy=policy)


def isolation(environ: Environ) -> dict[str, str]:
    """The headers of a viewer that isolates itself, as its address says: ``coep`` and ``coop``."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    wanted = {"Cross_Origin_Embedder_Policy": query.get("coep"), "Cross_Origin_Opener_Policy": query.get("coop")}
    return {name: value[0] for name, value in wanted.items() if value}


def nest(environ: Environ, start: Start) -> Iterable[bytes]:
    """Somebody's page with somebody else's in a frame; it keeps what the frame tells."""
    query = parse_qs(environ.get("QUERY_STRING", ""))
    page = (HERE / "nest.html").read_text(encoding="utf-8").replace("SRC", escape(query["src"][0]))
    return answer(start, page.encode())


def provider(environ: Environ, start: Start) -> Iterable[bytes]:
    """An identity provider that cuts the opener, as some do."""
    back = parse_qs(environ.get("QUERY_STRING", "")).get("back", [""])[0]
    page = f'<!doctype html><title>Provider</title><a id="proceed" href="{escape(back)}">I am the reader</a>'
    return answer(start, page.encode(), Cross_Origin_Opener_Policy="same-origin")


def library(environ: Environ) -> str:
    return f"{names.LIBRARY}:{environ['HTTP_HOST'].rpartition(':')[2]}"


class Control:
    """The harness's own door."""

    def __init__(self, library: log.Logged) -> None:
        self.house = library

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        asked = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        done = getattr(self, f"do_{environ['PATH_INFO'].strip('/')}")(**asked)
        return answer(start, json.dumps(done).encode(), "application/json")

    def do_log(self, since: int) -> Any:
        return log.since(since)

    def do_sit(self, place: str) -> None:
        from project import places

        places.sit(place)

    def do_headers(self, overrides: dict[str, dict[str, str]]) -> None:
        self.house.overrides = overrides

    def do_slow(self, seconds: dict[str, float]) -> None:
        self.house.slow = seconds

    def do_settings(self, given: dict[str, Any]) -> None:
        """Keys of ``IIIF_AUTH_FLOW``; ``null`` takes one away."""
        from django.conf import settings

        kept = {**settings.IIIF_AUTH_FLOW, **given}
        settings.IIIF_AUTH_FLOW = {key: value for key, value in kept.items() if value is not None}

    def do_policies(self, fields: dict[str, Any]) -> int:
        """Switches of every policy at once."""
        from iiif_auth.models import AccessPolicy

        known = {field.name for field in AccessPolicy._meta.get_fields()}
        unknown = set(fields) - known
        return -1 if unknown else AccessPolicy.objects.update(**fields)

    def do_code(self, place: str) -> str:
        """A code of the staff's for the harness's machine at some place; what the last one enrolled goes with its use."""
        from iiif_auth import devices
        from iiif_auth.models import Device, Network

        machine, _new = Device.objects.get_or_create(name=MACHINE, network=Network.objects.get(slug=place))
        return devices.new_code(machine, None)

    def do_take_out(self) -> None:
        """As the admin does with a machine that is one no longer."""
        from iiif_auth import devices
        from iiif_auth.models import Device

        devices.revoke(Device.objects.get(name=MACHINE), None)

    def do_end_sessions(self) -> None:
        from django.contrib.sessions.models import Session

        Session.objects.all().delete()


class Sites:
    """Whose page it is depends on the name."""

    def __init__(self, library: Callable[..., Iterable[bytes]], control: Control) -> None:
        self.by_name: dict[str, Callable[..., Iterable[bytes]]] = {
            names.LIBRARY: library,
            names.IMAGES: library,
            names.VIEWER: viewer,
            names.SAME_SITE_VIEWER: viewer,
            names.EVIL: viewer,
            names.NEST: nest,
            names.PROVIDER: provider,
            names.CONTROL: control,
        }

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        environ["wsgi.url_scheme"] = "https"
        site = self.by_name.get(environ.get("HTTP_HOST", "").partition(":")[0])
        return answer(start, b"", status="404 Not Found") if site is None else site(environ, start)


def main(port: int, folder: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.matrix.settings")
    from django.core.servers.basehttp import ThreadedWSGIServer
    from django.core.wsgi import get_wsgi_application

    from tests.tables import made_ready

    mimetypes.init()
    application = get_wsgi_application()
    from project.management.commands.demo import QuietHandler, load_once

    made_ready()
    load_once()
    logged = log.Logged(application, {})
    sites = Sites(logged, Control(logged))
    server = ThreadedWSGIServer(("127.0.0.1", port), QuietHandler)
    server.set_app(sites)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    # Hands are shaken in the thread of each connection: one that opens a line and says nothing must not hold up the others.
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))

"""A program that makes the library and runs what is behind the web servers: the site, as often as wanted, and the image server.

::

    python -m tests.security.hostile.serving FOLDER

It reads what to run from ``wanted.json`` in the folder, writes ``ready.json`` there once the library is made, and ends with all
its servers when its standard input does. The servers are forked, so that Django is loaded once.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.security.hostile.holdings import FILES, LENGTHS, body
from tests.security.hostile.upstream import serve


def files(folder: Path, salt: str) -> None:
    """The files of the library; web servers run as somebody else may read them."""
    folder.chmod(0o755)
    for one in FILES:
        path = folder / one.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body(salt, one.key))
        assert path.stat().st_size == LENGTHS[one.key]
    (folder / "static").mkdir(exist_ok=True)
    (folder / "static" / "site.css").write_text("body {}")


def forked(work: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        work()
    finally:
        os._exit(1)


def run_site(port: int, changes: dict[str, Any], twin: str, log: Path) -> None:
    """gunicorn with the site, with some settings changed, and broken in one way if a twin is named."""
    from django.conf import settings
    from gunicorn.app.base import BaseApplication

    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, **changes}
    if twin:
        from tests.security.hostile.broken import BREAKS

        BREAKS[twin]()

    class Site(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options = {
                "bind": f"127.0.0.1:{port}",
                "worker_class": "gthread",
                "threads": 4,
                "keepalive": 20,
                "backlog": 512,
                "errorlog": str(log),
                "loglevel": "warning",
                "control_socket_disable": True,
            }
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Any:
            from django.core.wsgi import get_wsgi_application

            from iiif_auth.enforce.wsgi import CheckFirst

            return CheckFirst(get_wsgi_application())

    Site().run()


def run_asgi(port: int, changes: dict[str, Any], log: Path) -> None:
    """uvicorn with the site, with some settings changed."""
    import uvicorn
    from django.conf import settings

    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, **changes}
    from django.core.asgi import get_asgi_application

    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT), 2)
    uvicorn.run(
        get_asgi_application(), host="127.0.0.1", port=port, log_level="error", proxy_headers=False, access_log=False
    )


def run_checker(port: int, changes: dict[str, Any], log: Path) -> None:
    """granian with the site, of which the check alone is asked."""
    os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT), 2)
    os.environ["HOSTILE_CHANGES"] = json.dumps(changes)
    words = ("--interface", "wsgi", "--http", "1", "--workers", "1", "--blocking-threads", "1", "--log-level", "error")
    place = ("--host", "127.0.0.1", "--port", str(port))
    os.execv(  # noqa: S606  the words are ours
        sys.executable, [sys.executable, "-m", "granian", *words, *place, "tests.security.hostile.wsgi:application"]
    )


def print_configuration(folder: Path, wanted: dict[str, Any]) -> None:
    """What ``iiif_webserver`` prints for a site, as a file."""
    from django.conf import settings

    from iiif_auth.webserver import caddy_config, generate, nginx_config

    name, kind, before = wanted["name"], wanted["printed"], settings.IIIF_AUTH_FLOW
    (folder / f"{name}-cache").mkdir()
    settings.IIIF_AUTH_FLOW = {**before, **wanted["changes"]}
    place = generate.Place(
        names=settings.HOST,
        listen=f"127.0.0.1:{wanted['port']}",
        app=f"127.0.0.1:{wanted['app']}",
        checker=f"127.0.0.1:{wanted['checker']}" if wanted["checker"] else "",
        folder=str(folder / f"{name}-cache"),
        logs=str(folder),
        mode=generate.Mode(kind) if kind != "caddy" else generate.Mode.AUTH_REQUEST,
    )
    printed = caddy_config.printed if kind == "caddy" else nginx_config.printed
    (folder / f"{name}.conf").write_text(printed(generate.plan(place)))
    settings.IIIF_AUTH_FLOW = before


def main(folder: Path) -> None:
    wanted = json.loads((folder / "wanted.json").read_text())
    held = _made(folder, wanted)
    children = [forked(lambda: serve(wanted["upstream"], wanted["salt"]))]
    try:
        children += [forked(_site(folder, site)) for site in wanted["sites"]]
        if checker := wanted["checker"]:
            work = partial(run_checker, checker["port"], checker["changes"], folder / "checker.log")
            children.append(forked(work))
        (folder / "ready.part").write_text(json.dumps(held))
        (folder / "ready.part").rename(folder / "ready.json")
        sys.stdin.read()
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)


def _made(folder: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """The library, and configurations for it; what people hold."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.security.hostile.settings",
        "HOSTILE_FOLDER": str(folder),
        "HOSTILE_UPSTREAM": f"127.0.0.1:{wanted['upstream']}",
    }
    import django
    from django.db import connections

    from tests.tables import made_ready

    django.setup()
    import gunicorn.workers.gthread

    from tests.security.hostile import broken, rows, urls

    assert all((broken, gunicorn, urls))  # loaded once, here, and not by each site
    files(folder, wanted["salt"])
    made_ready()
    rows.fill()
    held = rows.belongings()
    with connections["default"].cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
    connections.close_all()
    for one in wanted["printed"]:
        print_configuration(folder, one)
    return held


def _site(folder: Path, site: dict[str, Any]) -> Callable[[], None]:
    log = folder / f"site-{site['name']}.log"
    if site["asgi"]:
        return lambda: run_asgi(site["port"], site["changes"], log)
    return lambda: run_site(site["port"], site["changes"], site["twin"], log)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

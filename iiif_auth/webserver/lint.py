"""``iiif_webserver check FILE``: finds the known holes in a configuration of nginx or Caddy that somebody wrote by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from iiif_auth.webserver import lint_caddy, lint_nginx
from iiif_auth.webserver.findings import Finding

NGINX_LINE = re.compile(
    r"^[ \t]*(?:(?:server|http|events|upstream\s+\S+|location\s+[^{}\n]+)\s*\{|[a-z_]+\s[^{}\n#]*;)", re.MULTILINE
)


class Server(StrEnum):
    """The web servers whose language we read."""

    NGINX = "nginx"
    CADDY = "caddy"


def check(
    text: str,
    name: str,
    *,
    guarded: tuple[str, ...] = (),
    bases: tuple[str, ...] = (),
    folder: Path | None = None,
    server: Server | None = None,
) -> list[Finding]:
    """Everything that is known to be wrong with a configuration, by file and line; nothing if no known hole is in it.

    ``name`` is how the file is called in findings. ``guarded`` are the public paths of restricted content (the doors'), such
    as ``/iiif/image/3/``: that one of them is left unguarded is a finding too; without them, guarded is what the configuration
    itself guards. ``bases`` are the addresses of other sites that some doors are on, such as ``https://images.example.org``.
    ``folder`` is where the file is, if files that it includes are to be read as well. ``server`` says in whose
    language it is; by default that is told by the name and the text.

    Raises:
        iiif_auth.webserver.findings.NotReadable: the server itself would refuse it; the message says where and why.
    """
    lint = lint_nginx if (server or server_of(text, name)) is Server.NGINX else lint_caddy
    order: dict[str, int] = {}
    found = [one if one.file else replace(one, file=name) for one in lint.findings(text, name, guarded, folder, bases)]
    for one in found:
        order.setdefault(one.file, len(order))
    return sorted(found, key=lambda one: (one.file != name, order[one.file], one.line, one.id))


def server_of(text: str, name: str) -> Server:
    """Whose language a configuration is in: by its name, else by the “;” at the end of nginx's lines."""
    base = Path(name).name.lower()
    if base.startswith("caddyfile") or base.endswith((".caddy", ".caddyfile")):
        return Server.CADDY
    if base.endswith((".conf", ".nginx")) or base.startswith("nginx"):
        return Server.NGINX
    return Server.NGINX if NGINX_LINE.search(text) else Server.CADDY

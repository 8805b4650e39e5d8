"""The linter for nginx: reads a configuration and applies every rule to it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from pathlib import Path

from iiif_auth.webserver import nginx_rules as rules
from iiif_auth.webserver.findings import Finding, plain
from iiif_auth.webserver.nginx_checks import CHECKS
from iiif_auth.webserver.nginx_doors import DOORS
from iiif_auth.webserver.nginx_places import Guard, guard
from iiif_auth.webserver.nginx_scene import Scene, at, scene
from iiif_auth.webserver.nginx_syntax import read

HARMLESS = frozenset(
    {"mime.types", "fastcgi_params", "fastcgi.conf", "uwsgi_params", "scgi_params", "options-ssl-nginx.conf", "koi-win"}
)
"""Files that come with nginx and say nothing about who may have what."""


def findings(
    text: str, name: str, guarded: tuple[str, ...] = (), folder: Path | None = None, bases: tuple[str, ...] = ()
) -> list[Finding]:
    """Everything that is wrong with a configuration of nginx; see :func:`iiif_auth.webserver.lint.check`.

    Raises:
        NotReadable: nginx would not start with it.
    """
    seen = scene(read(text, name, folder), guarded, bases)
    found = [one for rule in (*DOORS, *CHECKS, unread, nothing_guarded) for one in rule(seen)]
    return list(dict.fromkeys(found))


def unread(seen: Scene) -> Iterator[Finding]:
    for place in seen.site.root.everywhere():
        for one in place.own.get("include", ()):
            if posixpath.basename(one.first) not in HARMLESS and "/modules-enabled/" not in one.first:
                yield at(rules.UNREAD, one, f"The file “{plain(one.first)}” was not read.")


def nothing_guarded(seen: Scene) -> Iterator[Finding]:
    open_kinds = (Guard.NONE, Guard.SHUT)
    if not seen.asking and not seen.guarded and all(guard(one) in open_kinds for one in seen.site.locations):
        yield at(rules.NOTHING_GUARDED, seen.site.root, "Nothing is guarded here.")

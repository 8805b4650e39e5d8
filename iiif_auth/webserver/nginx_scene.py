"""What the rules about nginx look at: which places guard content, which place asks the check, and which server that asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from iiif_auth.webserver.findings import Finding, Rule, Severity, plain
from iiif_auth.webserver.nginx_places import (
    PASSES,
    Content,
    Guard,
    Place,
    Site,
    chosen,
    content,
    guard,
    is_below,
    site,
)
from iiif_auth.webserver.statements import Statement

ACCEL = re.compile(
    r"/_+(?:iiif|files|media)|/_*(?:protected|internal|x-?accel|send-?file|private|restricted)\b", re.IGNORECASE
)
"""How people call the locations that only X-Accel-Redirect should reach."""


@dataclass(slots=True)
class Scene:
    """A configuration, sorted into those who ask, those who answer and those who need not."""

    site: Site
    guarded: tuple[str, ...] = ()
    bases: tuple[str, ...] = ()
    asking: list[tuple[Place, Statement]] = field(default_factory=list)
    deciding: list[Place] = field(default_factory=list)
    app: frozenset[str] = frozenset()
    doors: list[Place] = field(default_factory=list)
    kept: list[tuple[Place, Content]] = field(default_factory=list)
    kept_hosts: frozenset[str] = frozenset()

    def is_app(self, one: Content) -> bool:
        """Whether this is the application itself, which guards what it serves."""
        return bool(one.hosts & self.app)

    def answers(self, place: Place) -> Content | None:
        """The content of a place, if it comes from elsewhere than from the application."""
        found = content(place, self.site)
        return None if found is None or self.is_app(found) else found

    def variants(self, place: Place) -> Iterator[Place]:
        """A location, and the conditions in it that have an answer of their own."""
        yield place
        yield from (one for one in place.children if one.kind == "if" and any(name in one.own for name in PASSES))


def scene(statements: tuple[Statement, ...], guarded: tuple[str, ...] = (), bases: tuple[str, ...] = ()) -> Scene:
    found = Scene(site(statements), guarded, bases)
    found.asking = [
        (place, one)
        for place in found.site.root.everywhere()
        for one in place.own.get("auth_request", ())
        if one.first != "off"
    ]
    found.deciding = _deciding(found)
    hosts = [one.hosts for place in found.deciding if (one := content(place, found.site))]
    found.app = frozenset().union(*hosts)
    found.doors = [one for one in found.site.locations if guard(one) is Guard.CHECK and one not in found.deciding]
    found.kept = list(_kept(found))
    found.kept_hosts = frozenset(host for _place, one in found.kept for host in one.hosts)
    return found


def _deciding(found: Scene) -> list[Place]:
    """The locations made for being asked, each once."""
    places = {
        target: None
        for place, one in found.asking
        for server in servers(place)
        if (target := chosen(server, one.first)) is not None and is_dedicated(target)
    }
    return list(places)


def servers(place: Place) -> list[Place]:
    """The servers that a setting made here is about."""
    if place.kind != "http":
        return [place.server]
    return [one for one in place.children if one.kind == "server"] or [place]


def is_dedicated(place: Place) -> bool:
    return place.path != "/"


def _kept(found: Scene) -> Iterator[tuple[Place, Content]]:
    pages = _error_pages(found.site)
    for place in found.site.locations:
        kind = guard(place)
        if place in found.deciding or kind in (Guard.NONE, Guard.SHUT) or kind is Guard.INTERNAL and place in pages:
            continue
        for one in found.variants(place):
            if (its := found.answers(one)) is not None:
                yield place, its


def _error_pages(site: Site) -> set[Place]:
    """Internal locations that exist for error pages only, or for one address: they hide nothing."""
    exact = {one for one in site.locations if one.modifier == "="}
    targets = {
        target
        for place in site.root.everywhere()
        for one in place.own.get("error_page", ())
        if (target := led_to(place, one.final)) is not None
    }
    return exact | {one for one in targets if one.modifier not in ("^~", "@") or one.path.startswith("/err")}


def led_to(place: Place, uri: str) -> Place | None:
    """The location that an address inside nginx leads to; none if it leads out of this server."""
    if uri.startswith("@"):
        return next((one for one in place.server.children if one.modifier == "@" and one.path == uri), None)
    return chosen(place.server, uri.split("$", 1)[0]) if uri.startswith("/") else None


def overlap(one: Content, other: Content) -> bool:
    """Whether two places can be answered with the same thing."""
    if one.is_files != other.is_files:
        return False
    if one.is_files:
        return bool(one.path and other.path) and (is_below(one.path, other.path) or is_below(other.path, one.path))
    return bool(one.hosts & other.hosts)


def is_kept(found: Scene, one: Content | None) -> bool:
    return one is not None and any(overlap(one, other) for _place, other in found.kept)


# -- Headers ------------------------------------------------------------------------------------------------------


def protocol(place: Place) -> str:
    return PASSES[place.handler.name] if place.handler else "proxy"


def sent(place: Place, header: str) -> str | None:
    """What a header is when it is passed on: a value, nothing (``""``), or as the client sent it (``None``)."""
    found = _set(place, header)
    if found is not None:
        return found
    return "" if place.value(f"{protocol(place)}_pass_request_headers") == "off" else None


def _set(place: Place, header: str) -> str | None:
    kind = protocol(place)
    if kind in ("proxy", "grpc"):
        names, wanted = f"{kind}_set_header", header.lower()
    else:
        names, wanted = f"{kind}_param", "http_" + header.lower().replace("-", "_")
    values = [one.args[1] for one in place.nearest(names) if len(one.args) > 1 and one.first.lower() == wanted]
    return values[-1] if values else None


def added(place: Place, header: str) -> list[tuple[Statement, str]]:
    """The headers of this name that nginx adds to what it sends to the client."""
    rows = [(one, one.args[1]) for one in place.nearest("add_header") if len(one.args) > 1]
    return [(one, value) for one, value in rows if one.first.lower() == header]


# -- Findings -----------------------------------------------------------------------------------------------------


def at(rule: Rule, where: Statement | Place, sentence: str, severity: Severity | None = None) -> Finding:
    one = where.statement if isinstance(where, Place) else where
    return rule.found(one.file, one.line, sentence, severity)


def named(place: Place) -> str:
    return f"“{plain(place.title)}”"


def written(one: Statement) -> str:
    return f"“{plain(' '.join((one.name, *one.args)))}”"

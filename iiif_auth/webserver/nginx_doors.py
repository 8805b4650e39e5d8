"""Rules about guarded locations of nginx: whether a request gets there, and what gets around the check."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Iterator
from urllib.parse import unquote

from iiif_auth.webserver import nginx_rules as rules
from iiif_auth.webserver.findings import Finding, Severity, plain
from iiif_auth.webserver.nginx_places import (
    Content,
    Guard,
    Place,
    checked,
    chosen,
    content,
    guard,
    has_caret,
    is_below,
    rivals,
)
from iiif_auth.webserver.nginx_scene import ACCEL, Scene, at, is_kept, led_to, named, sent, written
from iiif_auth.webserver.statements import Statement

REFUSALS = frozenset({"401", "403"})
PASSED_ON = frozenset({"break", "redirect", "permanent"})
"""Flags with which a ``rewrite`` does not look for another location of this server."""


def missing_caret(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.locations:
        outermost = place.parent is None or place.parent.kind != "location"
        if (
            outermost
            and guard(place) in (Guard.CHECK, Guard.LINK)
            and place.modifier == ""
            and place not in scene.deciding
        ):
            told = f"{named(place)} is guarded, but a regular expression could take its addresses."
            yield at(rules.MISSING_CARET, place, told)


def regex_wins(scene: Scene) -> Iterator[Finding]:
    told: set[Place] = set()
    for place in scene.doors:
        takers = [] if has_caret(place) and place.modifier else [*rivals(place), *_earlier(scene, place)]
        for other in takers:
            if other not in told and guard(other) is Guard.NONE:
                told.add(other)
                sentence = f"{named(other)} takes addresses away from the guarded {named(place)}."
                leaks = is_kept(scene, content(other, scene.site))
                yield at(rules.REGEX_WINS, other, sentence, None if leaks else Severity.WARNING)


def _earlier(scene: Scene, place: Place) -> Iterator[Place]:
    """Regex locations before a guarded one that is a regex itself: the first that fits answers."""
    siblings = place.parent.children if place.is_regex and place.parent is not None else []
    for other in itertools.takewhile(lambda one: one is not place, siblings):
        if other.kind == "location" and other.is_regex and is_kept(scene, content(other, scene.site)):
            yield other


def satisfy_any(scene: Scene) -> Iterator[Finding]:
    for place in scene.doors:
        said = place.last("satisfy")
        if said is not None and said.first == "any":
            others = place.nearest("allow", "auth_basic", "auth_jwt")
            told = f"{named(place)} lets in whom the check refuses, if another rule lets them in."
            yield at(rules.SATISFY_ANY, said, told, None if others else Severity.WARNING)


def error_pages(scene: Scene) -> Iterator[Finding]:
    for place in scene.doors:
        for one in place.nearest("error_page"):
            yield from _error_page(scene, place, one)


def _error_page(scene: Scene, place: Place, one: Statement) -> Iterator[Finding]:
    target = led_to(place, one.final)
    open_target = target is not None and checked(target) is None
    if target is not None and open_target and any(is_kept(scene, its) for its in reached(scene, target)):
        told = f"{written(one)} leads from {named(place)} to {named(target)}, which serves guarded content undecided."
        yield at(rules.ERROR_PAGE_CONTENT, one, told)
    elif any(arg.startswith("=") for arg in one.args) and REFUSALS & set(one.args):
        told = f"{written(one)} gives the refusals of {named(place)} another status."
        yield at(rules.ERROR_PAGE_DISGUISE, one, told)


def reached(scene: Scene, place: Place) -> Iterator[Content]:
    """What an unguarded place can be answered with: by itself, or by a named location that it falls back on."""
    waiting, seen = [place], set()
    while waiting:
        one = waiting.pop()
        if one in seen or checked(one) or guard(one) is Guard.SHUT and one is not place:
            continue
        seen.add(one)
        if (its := scene.answers(one)) is not None:
            yield its
        waiting += [target for uri in _fallbacks(one) if (target := led_to(one, uri)) is not None]


def _fallbacks(place: Place) -> list[str]:
    """Where ``try_files`` and ``error_page`` go on to."""
    tried = [one.final for one in place.nearest("try_files") if one.args and not one.final.startswith("=")]
    return [*tried, *(one.final for one in place.nearest("error_page") if one.args)]


def methods(scene: Scene) -> Iterator[Finding]:
    told_method = bool(scene.deciding) and all(sent(one, "X-Original-Method") for one in scene.deciding)
    for place in scene.site.locations:
        if guard(place) not in (Guard.CHECK, Guard.LINK) or place in scene.deciding:
            continue
        its = scene.answers(place)
        if its is not None and not its.is_files and not _limits_methods(place):
            told = f"{named(place)} passes every method on to {plain(its.raw)}."
            yield at(rules.NO_LIMIT_EXCEPT, place, told, Severity.WARNING if told_method else None)


def _limits_methods(place: Place) -> bool:
    limits = [one for one in place.children if one.kind == "limit_except"]
    if any(set(one.statement.args) <= {"GET", "HEAD", "OPTIONS"} and _denies(one) for one in limits):
        return True
    return any(_refuses_methods(one) for outer in (place, place.server) for one in outer.children if one.kind == "if")


def _denies(place: Place) -> bool:
    return any(one.first == "all" for one in place.own.get("deny", ()))


def _refuses_methods(place: Place) -> bool:
    asks = "$request_method" in " ".join(place.statement.args)
    return asks and any(one.first.startswith("4") for one in place.own.get("return", ()))


# -- Other ways to the same content --------------------------------------------------------------------------------


def open_places(scene: Scene) -> Iterator[Place]:
    """Where everybody enters: open locations, and a server whose own folder answers for everything else."""
    for place in scene.site.root.everywhere():
        if guard(place) is Guard.NONE and (_is_entered(place) or _answers_the_rest(place)):
            yield place


def _is_entered(place: Place) -> bool:
    return place.kind == "location" and place.modifier != "@"


def _answers_the_rest(place: Place) -> bool:
    return place.kind == "server" and chosen(place, "/") is None and bool(place.nearest("root"))


def shared(scene: Scene) -> Iterator[Finding]:
    for place in open_places(scene):
        if place in scene.deciding:
            continue
        pairs = ((its, door, other) for its in reached(scene, place) for door, other in scene.kept)
        hits = [found for its, door, other in pairs if (found := _shares(place, its, door, other)) is not None]
        if hits:
            yield min(hits, key=lambda one: list(Severity).index(one.severity))


def _shares(place: Place, its: Content, door: Place, other: Content) -> Finding | None:
    if its.is_files and other.is_files:
        return _same_folder(place, its, door, other)
    if its.is_files or other.is_files or not its.hosts & other.hosts:
        return None
    apart = bool(its.path and other.path) and not (
        is_below(its.path.rstrip("/"), other.path.rstrip("/")) or is_below(other.path.rstrip("/"), its.path.rstrip("/"))
    )
    told = (
        f"{named(place)} is open, and the server behind it, {plain(its.raw)}, is behind the guarded {named(door)} too."
    )
    return at(rules.SHARED_UPSTREAM, place, told, Severity.WARNING if apart else None)


def _same_folder(place: Place, its: Content, door: Place, other: Content) -> Finding | None:
    if not its.path or not other.path or place is door:
        return None
    within = is_below(its.path, other.path) and its.path != other.path
    if not within and (not is_below(other.path, its.path) or _is_caught(place, its, other)):
        return None
    told = f"{named(place)} is open, and its folder {plain(its.path)} leads to that of the guarded {named(door)}."
    return at(rules.SHARED_ROOT, place, told, Severity.WARNING if within and place.modifier == "=" else None)


def _is_caught(place: Place, its: Content, other: Content) -> bool:
    """Whether the addresses under which the open folder shows the guarded one are guarded themselves."""
    below = posixpath.relpath(other.path, its.path)
    start = place.path if place.kind == "location" and not place.is_regex and place.modifier != "@" else "/"
    if place.modifier == "=":
        return True
    address = start.rstrip("/") + "/" + ("" if below == "." else below + "/")
    target = chosen(place.server, address)
    return target is not None and target is not place and guard(target) is not Guard.NONE


def alias_slip(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.locations:
        if place.modifier not in ("", "^~") or place.path.endswith("/"):
            continue
        for one in place.own.get("alias", ()):
            told = f"{named(place)} has no slash at its end, and stands for the folder {plain(one.first)}."
            sure = one.first.endswith("/") and guard(place) is not Guard.INTERNAL
            yield at(rules.ALIAS_SLIP, place, told, None if sure else Severity.WARNING)
        for one in place.own.get("proxy_pass", ()):
            if re.search(r"://[^/$]+/([^$]*/)?$", one.first):
                told = f"{named(place)} has no slash at its end, and stands for {plain(one.first)}, which has one."
                yield at(rules.ALIAS_SLIP, place, told, Severity.WARNING)


def accel_open(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.locations:
        hidden = ACCEL.match(place.path) and not place.is_regex and place not in scene.deciding
        if hidden and guard(place) is Guard.NONE and scene.answers(place) is not None:
            told = f"{named(place)} is by its name for nginx itself, but anybody can ask for it."
            yield at(rules.ACCEL_OPEN, place, told)


def guard_lost(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.locations:
        door = None if guard(place) is not Guard.NONE or place in scene.deciding else _guarded_around(scene, place)
        if door is not None and scene.answers(place) is not None:
            yield at(rules.GUARD_LOST, place, f"{named(place)} is open, within the guarded {named(door)}.")


def _guarded_around(scene: Scene, place: Place) -> Place | None:
    outer = place.parent
    if outer is not None and outer.kind == "location" and checked(outer):
        return outer
    if place.modifier not in ("", "^~", "="):
        return None
    around = [one for one in scene.doors if one.modifier in ("", "^~") and one.server is place.server]
    return next(
        (one for one in around if one is not place and place.path.startswith(one.path) and one.path != "/"), None
    )


# -- Before the check ----------------------------------------------------------------------------------------------


def leaves_before(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.root.everywhere():
        for one in place.own.get("rewrite", ()):
            if len(one.args) > 1 and one.final not in PASSED_ON:
                yield from _rewrite(scene, place, one)
        if place.kind == "if" and place.location in scene.doors:
            yield from _returns(place)


def _rewrite(scene: Scene, place: Place, one: Statement) -> Iterator[Finding]:
    target = led_to(place, one.args[1])
    kind = guard(target) if target is not None else Guard.NONE
    if target is None or kind in (Guard.CHECK, Guard.SHUT) or place.location is target:
        return
    from_door = place.location in scene.doors
    if (from_door or kind is Guard.INTERNAL) and any(is_kept(scene, its) for its in reached(scene, target)):
        yield at(rules.BEFORE_AUTH, one, f"{written(one)} leads to {named(target)} before anything is decided.")


def _returns(place: Place) -> Iterator[Finding]:
    condition = " ".join(place.statement.args)
    for one in place.own.get("return", ()):
        if one.first.startswith("2") and not ("$request_method" in condition and "OPTIONS" in condition):
            told = f"{named(place)} answers {plain(one.first)} before anything is decided."
            yield at(rules.BEFORE_AUTH, one, told, Severity.WARNING)


def merge_slashes(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.root.everywhere() if scene.kept else ():
        for one in place.own.get("merge_slashes", ()):
            if one.first == "off":
                yield at(rules.MERGE_SLASHES, one, "Doubled slashes are kept, so an address has several spellings.")


def guard_missing(scene: Scene) -> Iterator[Finding]:
    for prefix in scene.guarded:
        servers = [one for one in scene.site.root.everywhere() if one.kind == "server"] or [scene.site.root]
        # nginx chooses by the address decoded.
        answering = [(one, chosen(one, unquote(prefix).rstrip("/") + "/x")) for one in servers]
        if servers and not any(_is_kept_in(scene, server, place) for server, place in answering):
            server, place = next(((one, found) for one, found in answering if found is not None), answering[0])
            yield at(rules.GUARD_MISSING, place or server, f"Nothing here guards {plain(prefix)}.")


def _is_kept_in(scene: Scene, server: Place, place: Place | None) -> bool:
    """Whether a server guards a path: by asking the check, or by leaving it to the application."""
    if place is None or guard(place) is Guard.SHUT:
        return False
    if guard(place) is not Guard.NONE:
        return True
    its = content(place, scene.site)
    by_accel = not scene.asking and any(guard(one) is Guard.INTERNAL for one, _content in scene.kept)
    return its is not None and not its.is_files and (scene.is_app(its) or by_accel)


DOORS = (
    missing_caret,
    regex_wins,
    satisfy_any,
    error_pages,
    methods,
    shared,
    alias_slip,
    accel_open,
    guard_lost,
    leaves_before,
    merge_slashes,
    guard_missing,
)

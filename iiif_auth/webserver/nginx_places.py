"""What nginx makes of a configuration: which settings hold where, where a place gets its content, and who may enter it.

nginx hands settings down from ``http`` to ``server`` to ``location``; a list of headers or rules is handed down only to
places that have none of their own. What answers a request (a ``proxy_pass``) goes to ``if`` and ``limit_except`` only.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from iiif_auth.webserver.findings import NotReadable
from iiif_auth.webserver.statements import Statement

PASSES = {
    "proxy_pass": "proxy",
    "fastcgi_pass": "fastcgi",
    "uwsgi_pass": "uwsgi",
    "scgi_pass": "scgi",
    "grpc_pass": "grpc",
}
WITHIN = frozenset({"if", "limit_except"})
REGEX = frozenset({"~", "~*"})
MODIFIER = re.compile(r"=|\^~|~\*|~|@")
MOST_PLACES = 2_000
KINDS = frozenset({"server", "location", *WITHIN})


class Guard(Enum):
    """What stands between a request and the content of a place."""

    CHECK = "auth_request"
    INTERNAL = "internal"
    LINK = "secure_link"
    SHUT = "nobody enters"
    NONE = "nothing"


@dataclass(slots=True, eq=False)
class Place:
    """A block in which requests are answered, with what it inherits."""

    kind: str
    statement: Statement
    parent: Place | None
    own: dict[str, list[Statement]] = field(default_factory=dict)
    children: list[Place] = field(default_factory=list)
    modifier: str = ""
    """``=``, ``^~``, ``~``, ``~*``, ``@`` for a named place, or nothing for a plain prefix."""
    path: str = ""

    @property
    def is_regex(self) -> bool:
        return self.modifier in REGEX

    @property
    def title(self) -> str:
        """The block as it is written, for a sentence."""
        return " ".join((self.statement.name, *self.statement.args)).strip() or "the file"

    def nearest(self, *names: str) -> list[Statement]:
        """The statements of these names at the innermost level that has any."""
        place: Place | None = self
        while place is not None:
            found = [one for name in names for one in place.own.get(name, ())]
            if found:
                return found
            place = place.parent
        return []

    def last(self, name: str) -> Statement | None:
        found = self.nearest(name)
        return found[-1] if found else None

    def value(self, name: str) -> str:
        """The first argument of a setting that holds here, or nothing."""
        found = self.last(name)
        return found.first if found else ""

    def holds(self, name: str) -> bool:
        return self.value(name) == "on"

    def everywhere(self) -> Iterator[Place]:
        """This place and all within it, in the order of the file."""
        waiting = [self]
        while waiting:
            place = waiting.pop()
            yield place
            waiting += reversed(place.children)

    def outwards(self) -> Iterator[Place]:
        place: Place | None = self
        while place is not None:
            yield place
            place = place.parent

    @property
    def location(self) -> Place:
        """The location that an ``if`` or a ``limit_except`` stands in; else the place itself."""
        return next((one for one in self.outwards() if one.kind not in WITHIN), self)

    @property
    def server(self) -> Place:
        outer = list(self.outwards())
        return next((one for one in outer if one.kind == "server"), outer[-1])

    @property
    def handler(self) -> Statement | None:
        """What answers here by asking another server."""
        for place in self.outwards():
            found = [one for name in PASSES for one in place.own.get(name, ())]
            if found:
                return found[-1]
            if place.kind not in WITHIN:
                break
        return None


def tree(statements: tuple[Statement, ...]) -> Place:
    """Everything of a file; what stands at its top is as if it were inside ``http``."""
    root = Place("http", Statement("", (), statements[0].file if statements else "", 1), None)
    _fill(root, statements)
    return root


def _fill(place: Place, statements: tuple[Statement, ...]) -> None:
    for one in statements:
        if one.name == "http" and one.body is not None:
            _fill(place, one.body)
        elif one.name in KINDS and one.body is not None:
            inner = Place(one.name, one, place, {}, [], *_address(one))
            place.children.append(inner)
            _fill(inner, one.body)
        else:
            place.own.setdefault(one.name, []).append(one)


def _address(one: Statement) -> tuple[str, str]:
    """The modifier and the path of a location. nginx lets the one touch the other: “location ~\\.php$”."""
    if len(one.args) > 1:
        return one.args[0], one.args[1]
    found = MODIFIER.match(one.first) if one.name == "location" else None
    if found is None:
        return "", one.first
    return found[0], one.first if found[0] == "@" else one.first[found.end() :]


# -- Who enters ---------------------------------------------------------------------------------------------------


def checked(place: Place) -> Statement | None:
    """The ``auth_request`` that holds here."""
    found = place.last("auth_request")
    return found if found and found.first != "off" else None


def guard(place: Place) -> Guard:
    place = place.location
    if checked(place):
        return Guard.CHECK
    if any("internal" in one.own for one in place.outwards() if one.kind == "location"):
        return Guard.INTERNAL
    if place.nearest("secure_link") and _judges_links(place):
        return Guard.LINK
    returns = "return" in place.own or "return" in place.server.own
    return Guard.SHUT if returns or _is_shut(place) else Guard.NONE


def _judges_links(place: Place) -> bool:
    """Whether a bad link is sent away, here or further out (the outer conditions are judged there only)."""
    return any(_sends_away(one) for one in place.children if one.kind == "if" and "$secure_link" in _words(one))


def _words(place: Place) -> str:
    return " ".join(place.statement.args)


def _sends_away(place: Place) -> bool:
    return any(one.first.startswith("4") for one in place.own.get("return", ()))


def _is_shut(place: Place) -> bool:
    rules = [(one.name, one.first) for one in place.nearest("allow", "deny")]
    return bool(rules) and ("deny", "all") in rules and all(name == "deny" for name, _who in rules)


# -- Where content comes from -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Content:
    """Where the content of a place is: servers and the path there, or a folder.

    ``raw`` is the argument as it stands. ``path`` is the constant part of the path, up to the first variable.
    """

    protocol: str
    hosts: frozenset[str]
    path: str
    raw: str

    @property
    def is_files(self) -> bool:
        return self.protocol == "files"


ADDRESS = re.compile(r"(?:(?P<scheme>[a-z]+)://)?(?P<host>unix:[^:]*:?|[^/?]*)(?P<path>.*)", re.DOTALL)
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
LOOPBACKS = {"localhost": "127.0.0.1", "[::1]": "127.0.0.1"}
DEFAULT_PORTS = {"https": "443", "grpcs": "443"}


def constant(text: str) -> str:
    """What stands before the first variable."""
    return text.split("$", 1)[0]


def content(place: Place, site: Site) -> Content | None:
    """What a request that gets as far as this place is answered with; ``None`` if with nothing that is kept anywhere."""
    handler = place.handler
    if handler is not None:
        return _upstream(handler, site)
    if place.kind in WITHIN or "return" in place.own or "empty_gif" in place.own:
        return None
    return _files(place)


def _upstream(handler: Statement, site: Site) -> Content:
    protocol = PASSES[handler.name]
    raw = site.expanded(handler.first)
    found = ADDRESS.fullmatch(raw)
    if found is None:  # every string matches; said for the type checker
        return Content(protocol, frozenset({raw}), "", raw)
    hosts = site.servers_of(found["host"], DEFAULT_PORTS.get(found["scheme"] or "", "80"))
    return Content(protocol, hosts, constant(found["path"]), raw)


def _files(place: Place) -> Content | None:
    alias, root = place.own.get("alias"), place.nearest("root")
    outer = next((one.own["alias"] for one in place.outwards() if "alias" in one.own), None)
    if alias or (outer and "root" not in place.own):
        raw = (alias or outer or [])[-1].first
        return Content("files", frozenset(), folder(constant(raw)), raw)
    if not root:
        return None
    raw = root[-1].first
    below = "" if place.kind != "location" or place.modifier == "@" else _below(place)
    return Content("files", frozenset(), folder(constant(raw) + below), raw)


def _below(place: Place) -> str:
    if not place.is_regex:
        return place.path
    prefixes = regex_prefixes(place.path)
    return posixpath.dirname(prefixes[0]) if len(prefixes) == 1 and prefixes[0].startswith("/") else ""


def folder(path: str) -> str:
    """A folder in one spelling, without a slash at the end."""
    return posixpath.normpath(path) if path else ""


def is_below(path: str, above: str) -> bool:
    """Whether a path is ``above`` or lies within it."""
    return path == above or path.startswith(above.rstrip("/") + "/")


# -- Regular expressions, as far as they begin with something certain ------------------------------------------------

MOST_PREFIXES = 64


def regex_prefixes(pattern: str) -> tuple[str, ...]:
    """What every address that a pattern matches begins with: one of these. ``("",)`` says that it can be anything.

    The pattern is not run: a regular expression of a stranger can take for ever.
    """
    if not pattern.startswith("^") or _alternatives(pattern)[1:]:
        return ("",)
    return tuple(prefix for prefix, _whole in _literal(pattern[1:], 0)) or ("",)


def _alternatives(pattern: str) -> list[str]:
    """The parts between the ``|`` that stand in no group."""
    depth, parts, at, start = 0, [], 0, 0
    while at < len(pattern):
        one = pattern[at]
        depth += {"(": 1, ")": -1}.get(one, 0)
        if one == "|" and depth == 0:
            parts.append(pattern[start:at])
            start = at + 1
        at += _step(pattern, at)
    return [*parts, pattern[start:]]


def _step(pattern: str, at: int) -> int:
    """How many characters one unit of a pattern has: an escape, a class, or a single character."""
    if pattern[at] == "\\":
        return 2
    if pattern[at] == "[":
        closed = pattern.find("]", at + 2)
        return (closed if closed > 0 else len(pattern)) - at + 1
    return 1


def _literal(pattern: str, depth: int) -> list[tuple[str, bool]]:
    """The certain beginnings of one alternative, and whether each is the whole of it."""
    found, at = [""], 0
    while at < len(pattern) and pattern[at] not in "[.^$*+?{|)":
        piece, width, whole = _piece(pattern, at, depth)
        if not piece or _is_repeated(pattern, at + width) or len(found) * len(piece) > MOST_PREFIXES:
            break
        found = [before + after for before in found for after in piece]
        at += width
        if not whole:
            break
    return [(one, at >= len(pattern)) for one in found]


def _piece(pattern: str, at: int, depth: int) -> tuple[list[str], int, bool]:
    """The literals that the next unit stands for, its width, and whether it stands for nothing more."""
    if pattern[at] == "\\":
        letter = pattern[at + 1 : at + 2]
        return ([letter], 2, True) if letter and not letter.isalnum() else ([], 2, False)
    if pattern[at] == "(":
        return _group(pattern, at, depth)
    return [pattern[at]], 1, True


def _group(pattern: str, at: int, depth: int) -> tuple[list[str], int, bool]:
    end = _end_of_group(pattern, at)
    inner = re.sub(r"^\?(?::|P?<\w+>|'\w+')", "", pattern[at + 1 : end])
    if inner.startswith("?") or depth > 8:  # looks ahead, or worse
        return [], end + 1 - at, False
    pieces = [piece for one in _alternatives(inner) for piece in _literal(one, depth + 1)]
    return [one for one, _whole in pieces], end + 1 - at, all(whole for _one, whole in pieces)


def _end_of_group(pattern: str, at: int) -> int:
    depth = 0
    while at < len(pattern):
        depth += {"(": 1, ")": -1}.get(pattern[at], 0)
        if depth == 0:
            return at
        at += _step(pattern, at)
    return len(pattern)


def _is_repeated(pattern: str, at: int) -> bool:
    return pattern[at : at + 1] in ("*", "+", "?", "{")


def may_match(place: Place, prefix: str) -> bool:
    """Whether a regex location may take an address that begins with ``prefix``."""
    same = str.lower if place.modifier == "~*" else str
    wanted = same(prefix)
    return any(
        wanted.startswith(same(one)) or same(one).startswith(wanted)
        for one in regex_prefixes(place.path.removeprefix("(?i)"))
    )


# -- Variables, upstreams and ways through a server -------------------------------------------------------------------


CLIENTS = re.compile(
    r"(?:request_uri|uri|document_uri|args|query_string|request|is_args|request_filename|arg_\w+|http_\w+|cookie_\w+|[0-9]+)"
)
"""Variables that the client fills in."""


@dataclass(slots=True)
class Site:
    """A whole configuration, and what its names stand for."""

    root: Place
    variables: dict[str, list[str]] = field(default_factory=dict)
    constants: dict[str, set[str]] = field(default_factory=dict)
    upstreams: dict[str, frozenset[str]] = field(default_factory=dict)
    captures: set[str] = field(default_factory=set)
    written: dict[str, list[str]] = field(default_factory=dict)
    """As ``variables``, but only what a value is made of, not what it is chosen by."""
    locations: list[Place] = field(default_factory=list)
    known: dict[str, frozenset[str]] = field(default_factory=dict)

    def expanded(self, text: str) -> str:
        """The text with variables replaced that have one constant value."""
        return VARIABLE.sub(self._constant, text)

    def _constant(self, match: re.Match[str]) -> str:
        values = self.constants.get(match[1] or match[2], set())
        value = next(iter(values)) if len(values) == 1 else ""
        return value if value and "$" not in value else match[0]

    def servers_of(self, host: str, port: str) -> frozenset[str]:
        name = host.rstrip(":")
        return self.upstreams.get(name) or frozenset({address(name, port)})

    def sources(self, text: str, table: dict[str, list[str]] | None = None) -> frozenset[str]:
        """The built-in variables that a text depends on in the end, through ``map``, ``set`` and the like."""
        table = self.variables if table is None else table
        found: set[str] = set()
        waiting, seen = _names(text), set()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            meant = table.get(name)
            if meant is None:
                found.add(name)
            else:
                waiting += [inner for one in meant for inner in _names(one)]
        return frozenset(found)

    def from_client(self, text: str) -> frozenset[str]:
        """The variables in a text that the client fills in as they like; what a strict grammar has matched is not among them."""
        names = self.sources(text, self.written)
        return frozenset(one for one in names if CLIENTS.fullmatch(one) or one in self.captures)


def _names(text: str) -> list[str]:
    return [match[1] or match[2] for match in VARIABLE.finditer(text)]


def address(host: str, port: str) -> str:
    """A server in one spelling: ``localhost`` is 127.0.0.1, and a port is always there."""
    if host.startswith("unix:") or "$" in host:
        return host
    name, colon, given = host.rpartition(":")
    if not colon or given.endswith("]"):
        name, given = host, port
    return f"{LOOPBACKS.get(name.lower(), name.lower())}:{given}"


def site(statements: tuple[Statement, ...]) -> Site:
    """What a configuration says.

    Raises:
        NotReadable: it has so many places that comparing each with each would take minutes.
    """
    found = Site(tree(statements))
    for number, place in enumerate(found.root.everywhere()):
        if number > MOST_PLACES:
            one = place.statement
            raise NotReadable(
                one.file, one.line, f"there are more than {MOST_PLACES} places to compare; check its parts."
            )
        _learn(found, place)
    return found


NUMBERED = re.compile(r"\$\{?[0-9]")
NAMED_GROUP = re.compile(r"\(\?P?[<'](\w+)[>']", re.ASCII)


def _learn(found: Site, place: Place) -> None:
    if place.kind == "location":
        found.locations.append(place)
    for one in (*place.own.get("set", ()), *place.own.get("auth_request_set", ())):
        _define(found, one.args)
    for name in ("map", "geo", "split_clients"):
        for one in place.own.get(name, ()):
            _learn_table(found, one)
    for one in place.own.get("upstream", ()):
        servers = [inner.first for inner in one.body or () if inner.name == "server"]
        found.upstreams[one.first] = frozenset(address(server, "80") for server in servers)
    patterns = (*place.statement.args, *(arg for one in place.own.get("rewrite", ()) for arg in one.args))
    found.captures.update(name for text in patterns for name in NAMED_GROUP.findall(text))


def _define(found: Site, args: tuple[str, ...]) -> None:
    if len(args) == 2:
        name = args[0].lstrip("$")
        found.variables.setdefault(name, []).append(args[1])
        found.written.setdefault(name, []).append(args[1])
        found.constants.setdefault(name, set()).add(args[1])


def _learn_table(found: Site, one: Statement) -> None:
    """A ``map``: its variable depends on what is looked up, and on the values; what its patterns capture, on the former."""
    *asked, name = one.args or ("",)
    rows = one.body or ()
    source = asked[0] if asked else "$remote_addr"
    for match in (match for row in rows for match in NAMED_GROUP.finditer(row.name)):
        pattern = match.string[match.end() : _end_of_group(match.string, match.start())]
        is_grammar = source == "$request_uri" and not is_loose(pattern)
        found.variables.setdefault(match[1], []).append(source)
        found.written.setdefault(match[1], []).append("" if is_grammar else source)
    values = [source if NUMBERED.search(value) else value for row in rows for value in row.args[:1]]
    found.variables.setdefault(name.lstrip("$"), []).extend([source, *values])
    found.written.setdefault(name.lstrip("$"), []).extend(values)


def is_loose(pattern: str) -> bool:
    """Whether a pattern takes whatever comes: any character, all but some, or slashes among others in one class.

    A pattern that spells out its segments is a grammar: what it has matched in the address as it was sent is in one spelling.
    """
    at = 0
    while at < len(pattern):
        width = _step(pattern, at)
        unit = pattern[at : at + width]
        if unit == "." or unit.startswith("[^") or unit[:1] == "[" and "/" in unit or re.fullmatch(r"\\[DSWNXC]", unit):
            return True
        at += width
    return False


def chosen(server: Place, path: str) -> Place | None:
    """The location that answers for a path, were there no regular expressions: exact, else the longest prefix."""
    found: Place | None = None
    places = server.children
    while inner := _longest(places, path):
        found, places = inner, inner.children
    return found


def _longest(places: list[Place], path: str) -> Place | None:
    plain = [one for one in places if one.kind == "location" and one.modifier in ("", "^~", "=")]
    exact = next((one for one in plain if one.modifier == "=" and one.path == path), None)
    if exact is not None:
        return exact
    fitting = [one for one in plain if one.modifier != "=" and path.startswith(one.path)]
    return max(fitting, key=lambda one: len(one.path), default=None)


def has_caret(place: Place) -> bool:
    """Whether no regular expression outside can take this location's addresses."""
    outer = [one for one in place.outwards() if one.kind == "location"]
    return all(one.modifier in ("^~", "=") for one in outer[-1:])


def rivals(place: Place) -> Iterator[Place]:
    """Regex locations beside a prefix location, and beside those around it, that take some of its addresses."""
    for one in place.outwards():
        if one.kind == "location" and one.parent is not None and one.modifier == "":
            yield from (
                other
                for other in one.parent.children
                if other.kind == "location" and other.is_regex and may_match(other, one.path)
            )

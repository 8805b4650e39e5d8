"""What Caddy makes of a site: in which order directives run, which requests reach which of them, and what was asked before.

Outside of ``route``, Caddy sorts directives by an order of its own; ``handle`` blocks exclude each other; a matcher in front of
a directive says for which requests it is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

from iiif_auth.webserver.caddy_syntax import Caddyfile
from iiif_auth.webserver.nginx_places import address, folder
from iiif_auth.webserver.statements import Statement

ORDER: Final = tuple(
    """
    tracing map vars root log_append skip_log log_skip header copy_response_headers request_body redir method
    rewrite uri try_files basicauth basic_auth forward_auth request_header encode push templates invoke handle
    handle_path route abort error respond metrics reverse_proxy php_fastcgi file_server acme_server
    """.split()  # noqa: SIM905 - forty quotation marks would hide the order
)
"""In which Caddy sorts directives."""
RANK = {name: number for number, name in enumerate(ORDER)}
BLOCKS = frozenset({"handle", "handle_path", "route", "handle_errors", "handle_response"})
DELIVERS = frozenset({"reverse_proxy", "php_fastcgi", "file_server"})
REWRITES = frozenset({"rewrite", "uri"})


@dataclass(frozen=True, slots=True)
class Matcher:
    """For which requests a directive is. ``paths`` is ``None`` for all; ``only`` holds further conditions, such as a header."""

    token: str = "*"  # noqa: S105 - a word of the Caddyfile
    paths: tuple[str, ...] | None = None
    excepts: bool = False
    methods: frozenset[str] = frozenset()
    only: bool = False

    @property
    def is_all(self) -> bool:
        return self.paths is None and not (self.excepts or self.methods or self.only)


EVERYTHING = Matcher()


def fits(path: str, pattern: str) -> bool:
    """Whether every address of the pattern ``path`` is one of ``pattern`` too. Caddy does not regard case."""
    path, pattern = path.lower(), pattern.lower()
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return path == pattern


def meet(path: str, pattern: str) -> bool:
    """Whether some address is of both patterns."""
    one, other = path.lower().rstrip("*"), pattern.lower().rstrip("*")
    return one.startswith(other) or other.startswith(one)


@dataclass(frozen=True, slots=True)
class Scope:
    """What holds where a directive stands."""

    paths: tuple[str, ...] | None = None
    matchers: tuple[Matcher, ...] = ()
    guards: tuple[tuple[Statement, Matcher], ...] = ()
    rewrites: tuple[tuple[Statement, Matcher], ...] = ()
    root: str = ""
    headers: tuple[Statement, ...] = ()
    refuses_methods: bool = False
    inside: str = ""
    stripped: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One directive that answers with content, and everything that happens to a request before it."""

    statement: Statement
    matcher: Matcher
    scope: Scope
    hosts: frozenset[str]
    folder: str
    late: tuple[Statement, ...] = ()

    @property
    def paths(self) -> tuple[str, ...] | None:
        return self.matcher.paths or self.scope.paths

    @property
    def guard(self) -> Statement | None:
        """The check that every request to this place has passed."""
        return next((one for one, matcher in self.scope.guards if self.is_covered(matcher)), None)

    def is_covered(self, matcher: Matcher) -> bool:
        if matcher.is_all or matcher.token == self.matcher.token:
            return True
        if matcher.excepts or matcher.methods or matcher.only or matcher.paths is None or self.paths is None:
            return False
        return all(any(fits(path, pattern) for pattern in matcher.paths) for path in self.paths)

    @property
    def half(self) -> tuple[Statement, Matcher] | None:
        """A check that only some of the requests to this place pass."""
        if self.guard is not None:
            return None
        return next(((one, matcher) for one, matcher in self.scope.guards if self._meets(matcher)), None)

    def _meets(self, matcher: Matcher) -> bool:
        mine = self.paths
        return (
            matcher.paths is None or mine is None or any(meet(path, other) for path in mine for other in matcher.paths)
        )

    def rewrites(self) -> Iterator[Statement]:
        """What changes the address on its way here."""
        for one, matcher in self.scope.rewrites:
            if self._meets(matcher):
                yield one
        yield from lines(self.statement, "rewrite")


def lines(one: Statement, *names: str) -> list[Statement]:
    return [inner for inner in one.body or () if inner.name in names]


def is_guard(one: Statement) -> bool:
    """A check, by ``forward_auth`` or by what that is short for."""
    spelt_out = one.name == "reverse_proxy" and lines(one, "handle_response") and lines(one, "rewrite")
    return one.name == "forward_auth" or bool(spelt_out)


@dataclass(slots=True)
class Walk:
    """Goes through the sites, and notes every delivery."""

    deliveries: list[Delivery] = field(default_factory=list)
    guards: list[tuple[Statement, Scope]] = field(default_factory=list)

    def site(self, one: Statement) -> None:
        self.block(one.body or (), Scope(), in_order=False)

    def block(self, body: tuple[Statement, ...], scope: Scope, *, in_order: bool) -> None:
        named = {line.name: line for line in body if line.name.startswith("@")}
        steps = [(line, matcher_of(line, named)) for line in body if not line.name.startswith("@")]
        if not in_order:
            steps.sort(key=lambda step: (RANK.get(step[0].name, RANK["respond"]), -_length(step[1])))
        for number, (one, matcher) in enumerate(steps):
            later = tuple(line for line, _matcher in steps[number + 1 :] if line.name == "forward_auth")
            scope = self.step(one, matcher, scope, later if in_order else ())

    def step(self, one: Statement, matcher: Matcher, scope: Scope, later: tuple[Statement, ...]) -> Scope:
        """The scope for what comes after a directive."""
        if is_guard(one):
            self.guards.append((one, scope))
            return replace(scope, guards=(*scope.guards, (one, matcher)))
        if one.name in BLOCKS:
            self.enter(one, matcher, scope)
        elif one.name in DELIVERS:
            self.deliver(one, matcher, scope, later)
        return after(one, matcher, scope)

    def enter(self, one: Statement, matcher: Matcher, scope: Scope) -> None:
        inner = replace(
            scope,
            paths=matcher.paths or scope.paths,
            matchers=(*scope.matchers, matcher),
            inside=one.name if one.name.startswith("handle_e") else scope.inside,
            stripped=scope.stripped or one.name == "handle_path",
            refuses_methods=scope.refuses_methods or bool(matcher.methods) and not matcher.excepts,
        )
        self.block(one.body or (), inner, in_order=one.name == "route")

    def deliver(self, one: Statement, matcher: Matcher, scope: Scope, later: tuple[Statement, ...]) -> None:
        hosts = frozenset() if one.name == "file_server" else frozenset(upstreams(one))
        place = folder(own_root(one) or scope.root) if one.name == "file_server" else ""
        self.deliveries.append(Delivery(one, matcher, scope, hosts, place, later))
        for inner in lines(one, "handle_response"):
            self.block(inner.body or (), replace(scope, guards=((one, EVERYTHING),), inside="accel"), in_order=False)


def after(one: Statement, matcher: Matcher, scope: Scope) -> Scope:
    if one.name == "root":
        return replace(scope, root=one.final)
    if one.name in REWRITES:
        return replace(scope, rewrites=(*scope.rewrites, (one, matcher)))
    if one.name in ("request_header", "header"):
        return replace(scope, headers=(*scope.headers, one))
    if one.name in ("respond", "error", "abort") and matcher.methods and matcher.excepts:
        return replace(scope, refuses_methods=True)
    return scope


def _length(matcher: Matcher) -> int:
    return max((len(path) for path in matcher.paths or ()), default=0)


def own_root(one: Statement) -> str:
    return next((line.args[0] for line in lines(one, "root") if line.args), "")


def token_of(one: Statement) -> str:
    """The matcher before a directive's arguments, ``*`` if there is none."""
    first = one.first
    return (
        first if first == "*" or first.startswith(("/", "@")) and one.name != "root" or first.startswith("@") else "*"
    )


def matcher_of(one: Statement, named: dict[str, Statement]) -> Matcher:
    token = token_of(one)
    if token.startswith("/") and one.name not in ("root", "rewrite") or token.startswith("/") and len(one.args) > 1:
        return Matcher(token, (token,))
    if token.startswith("@"):
        return _defined(token, named.get(token))
    return EVERYTHING


def _defined(token: str, one: Statement | None) -> Matcher:
    """A matcher that was given a name; an unknown one is taken to fit less than all."""
    if one is None:
        return Matcher(token, only=True)
    conditions = list(one.body or ())
    if one.args:
        conditions.append(Statement(one.args[0], one.args[1:], one.file, one.line))
    found = Matcher(token)
    for condition in conditions:
        found = _with(found, condition)
    return found


def _with(found: Matcher, one: Statement) -> Matcher:
    if one.name == "path":
        return replace(found, paths=(*(found.paths or ()), *one.args))
    if one.name == "method":
        return replace(found, methods=frozenset(one.args))
    if one.name == "not":
        inner = {line.name for line in one.body or ()} | {one.first}
        if inner <= {"method", ""}:
            methods = {arg for line in one.body or () for arg in line.args} | set(one.args[1:])
            return replace(found, excepts=True, methods=frozenset(methods))
        return replace(found, excepts=True)
    if one.name == "path_regexp":
        return replace(found, only=True, paths=_beginning(one.final))
    return replace(found, only=True)


def _beginning(pattern: str) -> tuple[str, ...] | None:
    found = re.match(r"\^(/[A-Za-z0-9_/-]*)", pattern)
    return (found[1] + "*",) if found else None


def upstreams(one: Statement) -> Iterator[str]:
    """The servers behind a ``reverse_proxy``, each in one spelling."""
    words = [word for word in one.args if not word.startswith(("/", "@", "*"))] + [
        arg for line in lines(one, "to") for arg in line.args
    ]
    for word in words:
        bare = re.sub(r"^(?:https?|h2c)://", "", word)
        yield address(posixpath.dirname(bare) or bare, "443" if word.startswith("https") else "80")


def walked(file: Caddyfile) -> Walk:
    walk = Walk()
    for one in file.sites:
        walk.site(one)
    return walk

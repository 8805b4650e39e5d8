"""The linter for Caddy: reads a Caddyfile and applies every rule to what it delivers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from iiif_auth.webserver import caddy_rules as rules
from iiif_auth.webserver.caddy_places import Delivery, Scope, fits, lines, walked
from iiif_auth.webserver.caddy_places import upstreams as upstreams_of
from iiif_auth.webserver.caddy_syntax import Caddyfile, read
from iiif_auth.webserver.findings import Finding, Rule, Severity, plain
from iiif_auth.webserver.nginx_places import is_below
from iiif_auth.webserver.statements import Statement

ALLOWED = frozenset({"GET", "HEAD", "OPTIONS"})
CONDITIONAL = ("if-none-match", "if-modified-since", "range")
DECIDED = re.compile(
    r"\{(?:http\.request\.header|header|http\.reverse_proxy\.header|rp\.header|http\.vars|vars)\.", re.IGNORECASE
)
CLIENTS = re.compile(r"\{(?:uri|path|query|http\.request\.(?:uri|orig_uri)|re\.|http\.regexp)", re.IGNORECASE)
COPIED = re.compile(r"\{(?:http\.request\.)?header\.([A-Za-z0-9-]+)\}", re.IGNORECASE)
ORIGINAL_URI = re.compile(r"\{http\.request\.orig_uri\}|\{orig_uri\}")
ANY_URI = re.compile(r"\{uri\}|\{http\.request\.uri\}")
METHOD = re.compile(r"\{(?:method|http\.request\.(?:orig_)?method)\}")
EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})
WIDE = re.compile(r"public|s-maxage|max-age=[1-9]|immutable", re.IGNORECASE)
NARROW = re.compile(r"private|no-store|no-cache", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scene:
    """A Caddyfile, and what it delivers: after a check, by the application's word (``accel``), or to anybody."""

    file: Caddyfile
    deliveries: tuple[Delivery, ...]
    guards: tuple[tuple[Statement, Scope], ...]
    guarded: tuple[str, ...]
    bases: tuple[str, ...]
    app: frozenset[str]

    @property
    def behind(self) -> list[Delivery]:
        """What is delivered only after a check, from elsewhere than the application."""
        return [one for one in self.deliveries if one.guard is not None and not self.is_app(one)]

    @property
    def kept(self) -> list[Delivery]:
        """What somebody meant to guard, whether or not that succeeds."""
        meant = [one for one in self.deliveries if (one.half or one.late) and not self.is_app(one)]
        return [*self.behind, *meant]

    def is_app(self, one: Delivery) -> bool:
        return bool(one.hosts & self.app)


def findings(
    text: str, name: str, guarded: tuple[str, ...] = (), folder: Path | None = None, bases: tuple[str, ...] = ()
) -> list[Finding]:
    """Everything that is wrong with a Caddyfile; see :func:`iiif_auth.webserver.lint.check`.

    Raises:
        NotReadable: Caddy would not start with it.
    """
    file = read(text, name, folder)
    walk = walked(file)
    app = frozenset(host for one, _scope in walk.guards for host in upstreams_of(one))
    scene = Scene(file, tuple(walk.deliveries), tuple(walk.guards), guarded, bases, app)
    return list(dict.fromkeys(one for rule in RULES for one in rule(scene)))


def at(rule: Rule, one: Statement, sentence: str, severity: Severity | None = None) -> Finding:
    return rule.found(one.file, one.line, sentence, severity)


def named(one: Statement) -> str:
    return f"“{plain(' '.join((one.name, *one.args)))}”"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# -- Whether a request gets to the check --------------------------------------------------------------------------


def uncovered(scene: Scene) -> Iterator[Finding]:
    for one in scene.deliveries:
        if one.late and one.guard is None and not scene.is_app(one):
            told = f"{named(one.statement)} answers before {named(one.late[0])} is asked."
            yield at(rules.ORDER, one.statement, told)
        elif one.half is not None and not scene.is_app(one) and _is_meant(scene, one):
            guard, matcher = one.half
            rule = rules.EXCEPTION if matcher.excepts else rules.UNCOVERED
            yield at(rule, guard, f"{named(guard)} is not asked for everything that {named(one.statement)} answers.")


def _is_meant(scene: Scene, one: Delivery) -> bool:
    """Whether the check was meant for this place: nothing else is behind it, or the same is."""
    _guard, matcher = one.half or (None, None)
    others = [other for other in scene.behind if matcher in [found for _one, found in other.scope.guards]]
    return not others or any(_same(one, other) for other in others)


def _same(one: Delivery, other: Delivery) -> bool:
    if one.hosts or other.hosts:
        return bool(one.hosts & other.hosts)
    return bool(one.folder and other.folder) and (
        is_below(one.folder, other.folder) or is_below(other.folder, one.folder)
    )


def rewrites_first(scene: Scene) -> Iterator[Finding]:
    for guard, scope in scene.guards:
        tells_original = any(ORIGINAL_URI.search(value) for value in _sent(guard, "x-original-uri"))
        for one, _matcher in scope.rewrites:
            if not tells_original or COPIED.search(" ".join(one.args)):
                yield at(rules.REWRITE_FIRST, one, f"{named(one)} runs before {named(guard)} is asked.")
        if scope.stripped and not tells_original:
            yield at(
                rules.REWRITE_FIRST, guard, f"{named(guard)} is asked about an address whose beginning was taken away."
            )


def shared(scene: Scene) -> Iterator[Finding]:
    for one in scene.deliveries:
        if one.guard is not None or one.half or one.late or scene.is_app(one):
            continue
        other = next((other for other in scene.behind if _same(one, other) and not _is_caught(scene, one, other)), None)
        if other is None:
            continue
        told = f"{named(one.statement)} is open, and what it leads to is guarded at line {other.statement.line}."
        yield at(_rule_of(one), one.statement, told)


def _rule_of(one: Delivery) -> Rule:
    if one.scope.inside == "handle_errors":
        return rules.ERRORS
    return rules.SHARED_UPSTREAM if one.hosts else rules.SHARED_ROOT


def _is_caught(scene: Scene, one: Delivery, other: Delivery) -> bool:
    """Whether the addresses under which an open folder shows a guarded one are guarded themselves."""
    if not one.folder or one.scope.inside == "handle_errors" or one.scope.stripped:
        return False
    if one.folder == other.folder or not is_below(other.folder, one.folder):
        return (
            one.folder == other.folder
            and one.paths != other.paths
            and other.paths is not None
            and not other.scope.stripped
        )
    shown = other.folder.removeprefix(one.folder.rstrip("/")) + "/*"
    return any(fits(shown, pattern) for behind in scene.behind for pattern in behind.paths or ())


def guard_missing(scene: Scene) -> Iterator[Finding]:
    where = scene.file.sites[0] if scene.file.sites else Statement("", (), "", 1)
    for prefix in scene.guarded:
        address = unquote(prefix).rstrip("/") + "/*"
        answered = [one for one in scene.deliveries if any(fits(address, pattern) for pattern in one.paths or ("*",))]
        narrow = [one for one in answered if one.paths] or answered
        if not any(one.guard is not None or scene.app and scene.is_app(one) for one in narrow):
            yield at(rules.GUARD_MISSING, where, f"Nothing here guards {plain(prefix)}.")


# -- What the check is told ----------------------------------------------------------------------------------------


def _sent(one: Statement, header: str) -> list[str]:
    """The values that a header is set to on its way on."""
    return [line.args[1] for line in lines(one, "header_up") if len(line.args) == 2 and line.first.lower() == header]


def _removed(one: Statement, scope: Scope | None = None) -> set[str]:
    """The headers that are taken away on the way on, in lower case."""
    inner = [line.first for line in lines(one, "header_up")]
    outer = [
        word for line in (scope.headers if scope else ()) if line.name == "request_header" for word in line.args[:2]
    ]
    return {word[1:].lower() for word in (*inner, *outer) if word.startswith("-")}


def asked(scene: Scene) -> Iterator[Finding]:
    for guard, scope in scene.guards:
        if not _sent(guard, "x-iiif-auth-secret"):
            yield at(rules.SECRET, guard, f"{named(guard)} does not send X-IIIF-Auth-Secret.")
        wrong = [name for name, good in _original(guard) if not good]
        if wrong:
            yield at(rules.ORIGINAL, guard, f"{named(guard)} lets the client choose {_listed(wrong)}.")
        passed = [name for name in CONDITIONAL if name not in _removed(guard, scope)]
        if passed:
            yield at(rules.CONDITIONAL, guard, f"{named(guard)} passes on the client's {_listed(passed)}.")
        if not [
            line
            for inner in lines(guard, "transport")
            for line in lines(inner, "response_header_timeout", "read_timeout")
        ]:
            yield at(rules.TIMEOUTS, guard, f"{named(guard)} waits without end for want of response_header_timeout.")


def base(scene: Scene) -> Iterator[Finding]:
    for guard, scope in scene.guards:
        said = _sent(guard, "x-iiif-base")
        clients = any("header." in value.lower() for value in said)
        if clients or not said and "x-iiif-base" not in _removed(guard, scope):
            told = f"{named(guard)} lets the client choose X-IIIF-Base."
            yield at(rules.BASE, guard, told, None if scene.bases else Severity.WARNING)


def _original(guard: Statement) -> list[tuple[str, bool]]:
    uris, methods = _sent(guard, "x-original-uri"), _sent(guard, "x-original-method")
    return [
        ("X-Original-URI", any(ORIGINAL_URI.search(value) or ANY_URI.search(value) for value in uris)),
        ("X-Original-Method", any(METHOD.search(value) for value in methods)),
    ]


def forwarded(scene: Scene) -> Iterator[Finding]:
    proxies = [one for one, _scope in scene.guards] + [one.statement for one in scene.deliveries if scene.is_app(one)]
    for proxy in proxies:
        for value in _sent(proxy, "x-forwarded-for"):
            if "header" in value.lower():
                yield at(rules.FORWARDED, proxy, f"{named(proxy)} passes on the X-Forwarded-For that the client wrote.")
        yield from _trusts(lines(proxy, "trusted_proxies"))
    yield from _trusts(
        [line for one in scene.file.options if one.name == "servers" for line in lines(one, "trusted_proxies")]
    )


def _trusts(found: list[Statement]) -> Iterator[Finding]:
    for one in found:
        if EVERYBODY & set(one.args):
            yield at(rules.TRUSTED, one, f"{named(one)} trusts everybody.", Severity.ERROR)
        elif "private_ranges" in one.args:
            yield at(rules.TRUSTED, one, f"{named(one)} trusts every private network.")


# -- What is fetched after it --------------------------------------------------------------------------------------


def proxied(scene: Scene) -> Iterator[Finding]:
    for one in scene.behind:
        if one.hosts:
            passed = [name for name in ("cookie", "authorization") if name not in _removed(one.statement, one.scope)]
            if passed:
                told = f"{named(one.statement)} passes {_listed([name.title() for name in passed])} of the reader on."
                yield at(rules.CREDENTIALS, one.statement, told)
            yield from _methods(scene, one)
        if one.scope.inside != "accel" and not any(DECIDED.search(" ".join(line.args)) for line in one.rewrites()):
            told = f"{named(one.statement)} is asked for the address that the client wrote."
            yield at(rules.CLIENT_PATH, one.statement, told)


def _methods(scene: Scene, one: Delivery) -> Iterator[Finding]:
    own = bool(one.matcher.methods) and one.matcher.methods <= ALLOWED and not one.matcher.excepts
    if not one.scope.refuses_methods and not own:
        told = all(dict(_original(guard))["X-Original-Method"] for guard, _scope in scene.guards)
        sentence = f"{named(one.statement)} passes every method on."
        yield at(rules.METHODS, one.statement, sentence, Severity.WARNING if told else None)


def copied(scene: Scene) -> Iterator[Finding]:
    for one in scene.behind:
        for line in one.rewrites():
            for header in COPIED.findall(" ".join(line.args)):
                if header.lower() not in _removed(Statement("", (), "", 0), one.scope):
                    yield at(rules.COPIED, line, f"{named(line)} may be the client's own header.")


def said(scene: Scene) -> Iterator[Finding]:
    for one in scene.behind:
        for line in one.scope.headers:
            words = (
                [word for word in line.args if not word.startswith(("/", "@", "*"))] if line.name == "header" else []
            )
            rows = [(words[0], words[1:])] if words else [(row.name, list(row.args)) for row in line.body or ()]
            for name, values in rows if line.name == "header" else ():
                yield from _header(line, name.lstrip("+?>").lower(), " ".join(values))


def _header(line: Statement, name: str, value: str) -> Iterator[Finding]:
    if name == "cache-control" and WIDE.search(value) and not NARROW.search(value):
        yield at(rules.PUBLIC_CACHE, line, f"{named(line)} holds for guarded content.")
    if name == "access-control-allow-credentials" and value.lower() == "true":
        yield at(rules.CORS_CREDENTIALS, line, f"{named(line)} holds for guarded content.")


# -- What could not be judged --------------------------------------------------------------------------------------


def unread(scene: Scene) -> Iterator[Finding]:
    waiting = list(scene.file.sites)
    while waiting:
        one = waiting.pop()
        waiting += one.body or ()
        if one.name == "import":
            yield at(rules.UNREAD, one, f"“{plain(one.first)}” was not read.")


def nothing_guarded(scene: Scene) -> Iterator[Finding]:
    accel = any(one.scope.inside == "accel" for one in scene.deliveries)
    if not scene.guards and not scene.guarded and not accel:
        where = scene.file.sites[0] if scene.file.sites else Statement("", (), "", 1)
        yield at(rules.NOTHING_GUARDED, where, "Nothing is guarded here.")


RULES = (
    uncovered,
    rewrites_first,
    shared,
    guard_missing,
    asked,
    base,
    forwarded,
    proxied,
    copied,
    said,
    unread,
    nothing_guarded,
)

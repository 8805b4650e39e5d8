"""Rules about the location that asks the check, and about what guarded locations fetch and say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from iiif_auth.webserver import nginx_rules as rules
from iiif_auth.webserver.findings import Finding, Severity, plain
from iiif_auth.webserver.nginx_places import Content, Guard, Place, chosen, content, guard
from iiif_auth.webserver.nginx_scene import Scene, added, at, is_dedicated, named, protocol, sent, servers, written
from iiif_auth.webserver.statements import Statement

CONDITIONAL = ("If-None-Match", "If-Modified-Since", "Range")
COOKIES = re.compile(r"http_cookie|cookie_\w+")
ADDRESSES = frozenset({"remote_addr", "binary_remote_addr", "realip_remote_addr"})
ITEMS = re.compile(r"request_uri|request|[1-9]")
OWN_PATH = re.compile(r"\$\{?(?:uri|document_uri)\b")
SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}
MOST_CACHED, MOST_BEARABLE = 2, 10
LONGEST_WAIT = 5
WIDE = re.compile(r"public|s-maxage|max-age=[1-9]|immutable", re.IGNORECASE)
NARROW = re.compile(r"private|no-store|no-cache", re.IGNORECASE)
NAMES_OF_PATH = (
    "REQUEST_URI",
    "PATH_INFO",
    "QUERY_STRING",
    "SCRIPT_NAME",
    "SCRIPT_FILENAME",
    "DOCUMENT_URI",
    "PATH_TRANSLATED",
)


def seconds(text: str) -> float | None:
    """A time of nginx; ``None`` if it is none."""
    parts = re.findall(r"(\d{1,12})(ms|[smhdwMy])?", text)
    if "".join(number + unit for number, unit in parts) != text.replace(" ", "") or not text:
        return None
    return sum(int(number) * SECONDS[unit or "s"] for number, unit in parts)


# -- The location of the check ------------------------------------------------------------------------------------


def target(scene: Scene) -> Iterator[Finding]:
    for place, one in scene.asking:
        for server in servers(place):
            found = chosen(server, one.first)
            if found is None or not is_dedicated(found) or _asks_nobody(scene, found):
                yield at(
                    rules.AUTH_TARGET,
                    one,
                    f"No location of this server was made for {plain(one.first)}, which is asked here.",
                )
                break


def _asks_nobody(scene: Scene, place: Place) -> bool:
    its = content(place, scene.site)
    return its is None and "return" not in place.own or its is not None and its.is_files


def says_yes(scene: Scene) -> Iterator[Finding]:
    for place in scene.deciding:
        for one in place.own.get("return", ()):
            if one.first.startswith("2"):
                yield at(rules.AUTH_YES, one, f"{named(place)} answers {plain(one.first)} to everybody.")
        for one in place.nearest("error_page") if place.handler else ():
            if _forgives(place, one):
                yield at(
                    rules.AUTH_YES,
                    one,
                    f"{written(one)} holds in {named(place)}, and turns a no of the check into a yes.",
                )


def _forgives(place: Place, one: Statement) -> bool:
    """Whether an error of the check becomes something else: 4xx are touched only where answers are intercepted."""
    becomes = next((arg for arg in one.args if arg.startswith("=")), None)
    intercepts = place.holds(f"{protocol(place)}_intercept_errors")
    touched = [arg for arg in one.args if arg.isdigit() and (intercepts or arg.startswith("5"))]
    return becomes is not None and (becomes == "=" or becomes[1:2] == "2") and bool(touched)


def _asked(scene: Scene) -> list[Place]:
    """The places that really ask the application."""
    return [place for place in scene.deciding if place.handler is not None]


def not_internal(scene: Scene) -> Iterator[Finding]:
    for place in scene.deciding:
        if "internal" not in place.own:
            yield at(rules.AUTH_NOT_INTERNAL, place, f"{named(place)} asks the check for anybody who calls it.")


def conditional(scene: Scene) -> Iterator[Finding]:
    for place in _asked(scene):
        cached = place.value(f"{protocol(place)}_cache") not in (
            "",
            "off",
        )  # then nginx leaves these headers out by itself
        passed = [name for name in CONDITIONAL if sent(place, name) != ""]
        if passed and not cached:
            yield at(rules.AUTH_CONDITIONAL, place, f"{named(place)} passes on the client's {_listed(passed)}.")


def body(scene: Scene) -> Iterator[Finding]:
    for place in _asked(scene):
        if place.value(f"{protocol(place)}_pass_request_body") != "off":
            yield at(rules.AUTH_BODY, place, f"{named(place)} announces the body of the client's request to the check.")


def timeouts(scene: Scene) -> Iterator[Finding]:
    for place in _asked(scene):
        names = [f"{protocol(place)}_connect_timeout", f"{protocol(place)}_read_timeout"]
        long = [name for name in names if (seconds(place.value(name)) or 60) > LONGEST_WAIT]
        if long:
            yield at(
                rules.AUTH_TIMEOUTS, place, f"{named(place)} waits a minute, or nearly, for want of {_listed(long)}."
            )


def headers(scene: Scene) -> Iterator[Finding]:
    for place in _asked(scene):
        if not sent(place, "X-IIIF-Auth-Secret"):
            yield at(rules.AUTH_SECRET, place, f"{named(place)} does not send X-IIIF-Auth-Secret.")
        wrong = [name for name, good in _original(scene, place) if not good]
        if wrong:
            yield at(rules.AUTH_ORIGINAL, place, f"{named(place)} lets the client choose {_listed(wrong)}.")


def _original(scene: Scene, place: Place) -> list[tuple[str, bool]]:
    uri, method = sent(place, "X-Original-URI") or "", sent(place, "X-Original-Method") or ""
    return [
        ("X-Original-URI", "request_uri" in scene.site.sources(uri)),
        ("X-Original-Method", "request_method" in scene.site.sources(method)),
    ]


def base(scene: Scene) -> Iterator[Finding]:
    for place in _asked(scene):
        value = sent(place, "X-IIIF-Base")
        if value is None or "http_x_iiif_base" in scene.site.sources(value):
            told = f"{named(place)} lets the client choose X-IIIF-Base."
            yield at(rules.AUTH_BASE, place, told, None if scene.bases else Severity.WARNING)
        elif "$" not in value:
            for other in _unsaid(scene, place, value):
                yield at(rules.AUTH_BASE, place, f"{named(place)} does not say that {plain(other)} was asked.")


def _unsaid(scene: Scene, place: Place, said: str) -> list[str]:
    """The sites of this very server for which the check is told another, or none."""
    names = [name for one in place.server.own.get("server_name", ()) for name in one.args]
    return [one for one in scene.bases if one != said and urlsplit(one).hostname in names]


def forwarded_for(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.locations:
        its = content(place, scene.site)
        if its is None or not scene.is_app(its) or place.handler is None:
            continue
        value = sent(place, "X-Forwarded-For")
        names = scene.site.sources(value or "")
        if value is None or "http_x_forwarded_for" in names:
            told = f"{named(place)} passes on the X-Forwarded-For that the client wrote."
            decides = place in scene.deciding
            yield at(rules.FORWARDED_OPEN, place, told, None if decides else Severity.WARNING)
        elif "proxy_add_x_forwarded_for" in names:
            yield at(
                rules.FORWARDED_APPENDED, place, f"{named(place)} adds to the X-Forwarded-For that the client wrote."
            )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


# -- Answers of the check that are kept ---------------------------------------------------------------------------


def cached(scene: Scene) -> Iterator[Finding]:
    for place in _asked(scene):
        kept = place.last(f"{protocol(place)}_cache")
        if kept is not None and kept.first != "off":
            yield from _key(scene, place, kept)
            yield from _time(place)
            yield from _switches(place)


def _key(scene: Scene, place: Place, kept: Statement) -> Iterator[Finding]:
    said = place.last(f"{protocol(place)}_cache_key")
    key = (
        said.first if said else "$proxy_host$uri"
    )  # the default is the address of the check itself, the same for everybody
    names = scene.site.sources(key)
    lacks = [what for what, there in _parts(scene, place, key, names) if not there]
    if lacks:
        yield at(
            rules.AUTH_CACHE_KEY,
            said or kept,
            f"The key under which {named(place)} keeps answers lacks {_listed(lacks)}.",
        )
    if re.search(r"\$\{?request_uri\b", key):
        yield at(rules.AUTH_CACHE_TILE, said or kept, f"{named(place)} keeps an answer for every single address.")


def _parts(scene: Scene, place: Place, key: str, names: frozenset[str]) -> list[tuple[str, bool]]:
    captured = any(one in scene.site.captures or ITEMS.fullmatch(one) for one in names)
    by_token = sent(place, "Authorization") != ""
    return [
        ("the cookie", any(COOKIES.fullmatch(one) for one in names)),
        ("the address of the reader", bool(names & ADDRESSES)),
        ("the item", captured or "uri" in names and not OWN_PATH.search(key)),
        ("the method", not by_token or "request_method" in names),
        ("the token", not by_token or "http_authorization" in names),
    ]


def _time(place: Place) -> Iterator[Finding]:
    for one in place.nearest(f"{protocol(place)}_cache_valid"):
        time = seconds(one.final) if one.args else None
        if time is not None and time > MOST_CACHED:
            told = f"{written(one)} keeps answers of the check for {time:g} seconds."
            yield at(rules.AUTH_CACHE_LONG, one, told, Severity.WARNING if time <= MOST_BEARABLE else None)


def _switches(place: Place) -> Iterator[Finding]:
    kind = protocol(place)
    stale = place.last(f"{kind}_cache_use_stale")
    behind = place.last(f"{kind}_cache_background_update")
    deaf = place.last(f"{kind}_ignore_headers")
    lock = place.last(f"{kind}_cache_lock")
    if stale is not None and stale.first != "off":
        yield at(rules.AUTH_CACHE_STALE, stale, f"{written(stale)} holds in {named(place)}.")
    if behind is not None and behind.first == "on":
        yield at(rules.AUTH_CACHE_STALE, behind, f"{written(behind)} holds in {named(place)}.")
    if deaf is not None and "X-Accel-Expires" in deaf.args:
        yield at(rules.AUTH_CACHE_DEAF, deaf, f"{written(deaf)} holds in {named(place)}.")
    if lock is not None and lock.first == "on":
        yield at(rules.AUTH_CACHE_LOCK, lock, f"{written(lock)} holds in {named(place)}.")


# -- What guarded locations fetch and say -------------------------------------------------------------------------


def guarded_content(scene: Scene) -> Iterator[tuple[Place, Content]]:
    """Every way in which a guarded location is answered by somebody else than the application."""
    for place in scene.site.locations:
        if place in scene.deciding or guard(place) in (Guard.NONE, Guard.SHUT):
            continue
        for one in scene.variants(place):
            if (its := scene.answers(one)) is not None:
                yield one, its


def credentials(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.root.everywhere():
        own = place.kind in ("location", "if") and guard(place) is not Guard.SHUT and place not in scene.deciding
        its = scene.answers(place) if own else None
        if place.handler is None or its is None or not its.hosts & scene.kept_hosts:
            continue
        passed = [name for name in ("Cookie", "Authorization") if sent(place, name) != ""]
        if passed:
            told = f"{named(place)} passes {_listed(passed)} of the reader on to {plain(its.raw)}."
            yield at(rules.FORWARDS_CREDENTIALS, place.handler, told)


def client_path(scene: Scene) -> Iterator[Finding]:
    for place, its in guarded_content(scene):
        if guard(place) is Guard.CHECK and _is_clients(scene, place, its):
            where = place.handler or next(iter(place.nearest("alias", "root")), place)
            told = f"{named(place)} is answered from {plain(its.raw)} by the address that the client wrote."
            yield at(rules.CLIENT_PATH, where, told)


def _is_clients(scene: Scene, place: Place, its: Content) -> bool:
    if its.is_files:
        return _files_are_clients(scene, place, its)
    if its.protocol not in ("proxy", "grpc"):
        return _params_are_clients(scene, place)
    bare = re.sub(r"^[a-z]+://", "", its.raw)
    if "$" in bare:
        return bool(scene.site.from_client(bare))
    if its.protocol == "grpc" or not its.path:
        return True
    return place.location.modifier != "="


def _params_are_clients(scene: Scene, place: Place) -> bool:
    """Whether the address reaches a FastCGI or uWSGI server as the client wrote it; of a name set twice the last counts."""
    values = {one.first: one.args[1] for one in place.nearest(f"{protocol(place)}_param") if len(one.args) > 1}
    return any(scene.site.from_client(values.get(name, "")) for name in NAMES_OF_PATH)


def _files_are_clients(scene: Scene, place: Place, its: Content) -> bool:
    if place.location.modifier == "=":
        return False
    tried = place.own.get("try_files")
    if tried:
        names = [arg for arg in tried[-1].args if not arg.startswith(("=", "@"))]
        return any("$" not in name or scene.site.from_client(name) for name in names)
    decided = "$" in its.raw and not scene.site.from_client(its.raw)
    return not (decided and place.location.is_regex and "alias" in place.own)


def without_prefix(scene: Scene) -> Iterator[Finding]:
    for place in scene.site.root.everywhere():
        for one in place.own.get("proxy_pass", ()):
            raw = scene.site.expanded(one.first)
            found = re.match(r"[a-z]+://(?:unix:[^:$]*:?|[^/$]+)\$", raw)
            if found and place.location not in scene.deciding:
                sentence = f"{written(one)} has no constant path before the variable."
                yield at(rules.NO_PREFIX, one, sentence, None if guard(place) is Guard.CHECK else Severity.WARNING)


def public_cache(scene: Scene) -> Iterator[Finding]:
    for place, _its in guarded_content(scene):
        for one in place.nearest("expires")[-1:]:
            time = one.final
            if time not in ("off", "epoch", "0") and not time.startswith(("-", "$")):
                yield at(rules.PUBLIC_CACHE, one, f"{written(one)} holds for the guarded {named(place)}.")
        for one, value in added(place, "cache-control"):
            if WIDE.search(value) and not NARROW.search(value):
                yield at(rules.PUBLIC_CACHE, one, f"{written(one)} holds for the guarded {named(place)}.")


def cors_credentials(scene: Scene) -> Iterator[Finding]:
    for place, _its in guarded_content(scene):
        for one, value in added(place, "access-control-allow-credentials"):
            if value.lower() == "true":
                yield at(rules.CORS_CREDENTIALS, one, f"{written(one)} holds for the guarded {named(place)}.")


def content_key(scene: Scene) -> Iterator[Finding]:
    for place, its in guarded_content(scene):
        said = place.last(f"{protocol(place)}_cache_key")
        fetched = scene.site.sources(its.raw)
        if (
            said is not None
            and guard(place) is Guard.CHECK
            and fetched
            and not fetched & scene.site.sources(said.first)
        ):
            yield at(rules.CONTENT_CACHE_KEY, said, f"{written(said)} does not say what {named(place)} fetches.")


CHECKS = (
    target,
    says_yes,
    not_internal,
    conditional,
    body,
    timeouts,
    headers,
    base,
    forwarded_for,
    cached,
    credentials,
    client_path,
    without_prefix,
    public_cache,
    cors_credentials,
    content_key,
)

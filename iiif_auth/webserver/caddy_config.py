"""A whole configuration of Caddy, commented, from a plan.

How it holds: everything below a door's path is asked of the check, which reads the address as the client wrote it; only a 200
that names this very door is a yes; and what is fetched has a constant beginning and goes on with what the check answered. Caddy
keeps no answers of the check, so every request is asked, and what is ended has ended at once.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from iiif_auth.cors import PREFLIGHT
from iiif_auth.enforce import doors as grammar
from iiif_auth.enforce import guard
from iiif_auth.enforce.doors import Door, Serves
from iiif_auth.webserver.generate import BLANK, HIDDEN, SENTENCES, Plan

Lines = list[str]

WIDTH = 100
TOLD = ("X-IIIF-Upstream", "X-IIIF-Cache")
"""What the check answers that is used here. Caddy knows it in the spelling of its own language, ``X-Iiif-Upstream``."""
REST = {Serves.IMAGE_2: grammar.IMAGE_REST_2, Serves.IMAGE_3: grammar.IMAGE_REST_3}
ACTIVE = "*.html *.htm *.xhtml *.svg *.xml"
"""Names of what a browser may run."""
REFUSED = {
    **guard.CORS,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Type": "application/json",
}
ADMITTED = {**guard.CORS, "Access-Control-Expose-Headers": guard.EXPOSED, "X-Content-Type-Options": "nosniff"}


def printed(plan: Plan) -> str:
    """The configuration as text."""
    lines = [*_title(), *_global(plan)]
    for door in plan.doors:
        lines += ["", *_door(plan, door)]
    for base in plan.bases:
        lines += ["", *_site(plan, base)]
    return "\n".join(lines) + "\n"


# -- Writing ------------------------------------------------------------------------------------------------------


def block(head: str, body: Iterable[str]) -> Lines:
    return [f"{head} {{".lstrip(), *(f"\t{line}" if line else "" for line in body), "}"]


def note(text: str) -> Lines:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH, break_on_hyphens=False, break_long_words=False)]


def word(text: str) -> str:
    """A word of a Caddyfile that stands for itself, whatever is in it but a backquote."""
    return f"`{text}`"


def headed(headers: dict[str, str]) -> Lines:
    return [f"{name} {word(value)}" for name, value in headers.items()]


def _title() -> Lines:
    return note(
        "Written by “manage.py iiif_webserver caddy” from the settings; this is a whole Caddyfile. After a change of DOORS or of "
        "a secret, write it anew. It holds secrets: keep it readable for root and Caddy alone."
    )


def _global(plan: Plan) -> Lines:
    own = ["admin off", *(["auto_https off"] if plan.place.listen else [])]
    return [
        *block("", own),
        "",
        *note("What everybody is told who may not have something: small, and alike for everything."),
        *_refusal(),
        "",
        *_preflight(),
        *_errors(),
    ]


def _refusal() -> Lines:
    lines: Lines = []
    for status in sorted(SENTENCES):
        body = [*block("header", headed(_told_with(status))), f"respond {_sentence(status)} {status}"]
        lines += block(f"(iiif_{status})", block("route", body))
    return lines


def _told_with(status: int) -> dict[str, str]:
    return {**REFUSED, **{405: {"Allow": "GET, HEAD, OPTIONS"}, 503: {"Retry-After": "10"}}.get(status, {})}


def _sentence(status: int) -> str:
    return word(json.dumps({"error": SENTENCES[status]}))


def _preflight() -> Lines:
    return [
        *note("Browsers ask first whether a page of another site may ask. The answer is the same for everything."),
        *block(
            "(iiif_methods)",
            [
                "@preflight method OPTIONS",
                *block("header @preflight", headed(PREFLIGHT)),
                "respond @preflight 204",
                "@other not method GET HEAD OPTIONS",
                *block("header @other", headed(_told_with(405))),
                f"respond @other {_sentence(405)} 405",
            ],
        ),
    ]


# -- Doors --------------------------------------------------------------------------------------------------------


def _door(plan: Plan, door: Door) -> Lines:
    body = [
        "import iiif_methods",
        *_text(plan, door),
        *_asks(plan, door),
        *(_from_folder(door) if door.root else _from_upstream(door)),
    ]
    return [
        *note(f"{door.path}: what is asked of the check, and where it is fetched if the answer is yes."),
        *block(f"(iiif_door_{door.name})", block("route", body)),
    ]


def _text(plan: Plan, door: Door) -> Lines:
    """Of images, only requests for pixels are fetched from the image server; the application writes the rest, or refuses it."""
    if not door.serves.version:
        return []
    signed = f"(?:{re.escape(plan.mount)}signed/{grammar.TICKET})?"
    pattern = rf"^{signed}{re.escape(door.path)}{grammar.IDENTIFIER}/{REST[door.serves]}(?:\?|$)"
    return [
        *note(
            "Descriptions (info.json) are written by the application, which also refuses what is no request of the Image API."
        ),
        f"@text not header_regexp X-Original-URI {word(pattern)}",
        *block("handle @text", _to_app(plan)),
    ]


def _asks(plan: Plan, door: Door) -> Lines:
    """One question for each request: to the check, by a GET without body."""
    body = [
        "method GET",
        f"rewrite {plan.mount}check?",
        f"header_up X-IIIF-Auth-Secret {plan.secret}",
        f"header_up X-IIIF-Base {door.base}" if door.base else "header_up -X-IIIF-Base",
        "header_up X-Original-URI {http.request.orig_uri}",
        "header_up X-Original-Method {http.request.orig_method}",
        f"header_up Host {plan.host}",
        "header_up X-Forwarded-For {http.request.remote.host}",
        *(f"header_up -{name}" for name in (*CONDITIONS, "Content-Length", "Transfer-Encoding", "X-Forwarded-Host")),
        *block("transport http", ["dial_timeout 500ms", "response_header_timeout 1s"]),
        *block("@yes", ["status 200", f"header X-IIIF-Door {door.name}", "header X-IIIF-Upstream *"]),
        *block(
            "handle_response @yes",
            [f"request_header {name} {{http.reverse_proxy.header.{name.title()}}}" for name in TOLD],
        ),
        "@unknown status 401",
        *block("handle_response @unknown", ["import iiif_401"]),
        "@silent status 5xx",
        *block("handle_response @silent", ["import iiif_503"]),
        *block("handle_response", ["import iiif_403"]),
    ]
    return [
        *note("A token counts for nothing here, but that a HEAD may ask with it what it would get (IIIF Auth 1.0)."),
        "@looks not method HEAD",
        "request_header @looks -Authorization",
        *note("May this reader have that? Only a 200 that names this door is yes; everything else is no."),
        *block(f"reverse_proxy {_upstream(plan.place.checker or plan.place.app)}", body),
        "request_header -Cookie",
        "request_header -Authorization",
    ]


CONDITIONS = ("If-None-Match", "If-Modified-Since", "If-Match", "If-Unmodified-Since", "If-Range", "Range")


def _upstream(app: str) -> str:
    return f"unix/{app.removeprefix('unix:')}" if app.startswith("unix:") else app


def _fetched(door: Door, path: str) -> Lines:
    """The address is replaced by a constant and what the check answered, as it is encoded; the query goes."""
    sandbox = [f"@active path {ACTIVE}", "header @active Content-Security-Policy sandbox"]
    return [
        *note("What was decided is what is fetched. The client's own path and query end here."),
        "rewrite * /decided?",
        f"uri replace /decided {path}{{http.request.header.X-IIIF-Upstream}} 1",
        *block("header", [*headed(ADMITTED), "Cache-Control {http.request.header.X-IIIF-Cache}"]),
        *([] if door.serves.version else sandbox),
    ]


def _from_folder(door: Door) -> Lines:
    return [*_fetched(door, "/"), *block("file_server", [f"root {door.root}", "index .none", "disable_canonical_uris"])]


def _from_upstream(door: Door) -> Lines:
    parts = urlsplit(door.upstream)
    fast = parts.scheme == "fastcgi"
    path = f"{parts.path}{{http.request.header.X-IIIF-Upstream}}"
    to = f"{parts.scheme}://{parts.netloc}" if parts.scheme == "https" else parts.netloc
    if not parts.port and not fast and parts.scheme == "http":
        to += ":80"
    environment = ["env QUERY_STRING IIIF={http.request.header.X-IIIF-Upstream}", f"env REQUEST_URI {path}"]
    body = [
        *(f"header_up -{name}" for name in (*FROM_READERS, *(CONDITIONS[2:] if door.serves.version else ()))),
        *([] if fast else [f"header_up Host {parts.netloc}"]),
        *(f"header_down -{name}" for name in ("Server", *HIDDEN)),
        *(block("transport fastcgi", environment) if fast else block("transport http", ["dial_timeout 5s"])),
        "@moved status 301 302 303 307 308 5xx",
        *block("handle_response @moved", ["import iiif_503"]),
        "@missing status 404 410",
        *block("handle_response @missing", ["import iiif_404"]),
        "@bad status 4xx",
        *block("handle_response @bad", ["import iiif_400"]),
    ]
    return [
        *_fetched(door, parts.path),
        *note("The image server is sent nothing by which readers are known, and its own error pages are not shown."),
        *block(f"reverse_proxy {to}", body),
    ]


FROM_READERS = (
    "Cookie",
    "Authorization",
    "Referer",
    "User-Agent",
    "Origin",
    "Accept-Language",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-IIIF-Upstream",
    "X-IIIF-Cache",
    "X-Original-URI",
)
"""Headers that are of no use to an image server."""


# -- Sites --------------------------------------------------------------------------------------------------------


def _site(plan: Plan, base: str) -> Lines:
    place = plan.place
    names = plan.names_of(base).split()
    addresses = [f"http://{place.listen}"] if place.listen else names
    body = [
        *([f"tls {place.certificate} {place.key}"] if place.certificate else []),
        *_log(plan),
        "",
        *note("What a client could say as if it were this server is not listened to."),
        *(f"request_header -{name}" for name in (*BLANK, *TOLD)),
        "request_header -*_*",
        "request_header X-Original-URI {http.request.orig_uri}",
        "",
        *note("The check is for this web server alone."),
        *block(f"handle {plan.mount}check", ["import iiif_404"]),
        "",
        *_doors(plan, base),
        *note("Everything else is the application's."),
        *block("handle", _to_app(plan)),
        "",
        *block("handle_errors", ["import iiif_errors"]),
    ]
    return block(", ".join(addresses), body)


def _doors(plan: Plan, base: str) -> Lines:
    lines: Lines = []
    for door in plan.at(base):
        lines += block(f"handle {word(unquote(door.path) + '*')}", [f"import iiif_door_{door.name}"])
    for door in plan.at(base):
        pattern = f"^{re.escape(plan.mount)}signed/[^/]+{re.escape(unquote(door.path))}"
        lines += [
            f"@signed_{door.name} path_regexp {word(pattern)}",
            *block(f"handle @signed_{door.name}", [f"import iiif_door_{door.name}"]),
        ]
    return [*lines, ""]


def _to_app(plan: Plan) -> Lines:
    return block(
        f"reverse_proxy {_upstream(plan.place.app)}",
        [
            "header_up X-Forwarded-For {http.request.remote.host}",
            "header_up -X-Forwarded-Host",
            "header_up -X-Original-URI",
        ],
    )


def _log(plan: Plan) -> Lines:
    fields = block("fields", [f"request>uri regexp {word(f'({re.escape(plan.mount)}signed/)[^/?]*|[?].*')} `$1`"])
    return [
        *note("The log has no queries, for tokens and addresses of viewers stand in some, and no tickets."),
        *block("log", block("format filter", ["wrap json", *fields])),
    ]


def _errors() -> Lines:
    """Caddy's own errors: a file that is not there, an application that does not answer."""
    missing = ["@missing expression {http.error.status_code} == 404", *block("handle @missing", ["import iiif_404"])]
    return block("(iiif_errors)", [*missing, *block("handle", ["import iiif_503"])])

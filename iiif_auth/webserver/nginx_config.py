"""A whole configuration of nginx, commented, from a plan.

How it holds (security 2.6): what a request is for is read from ``$request_uri``, as the client wrote it, by the grammar of
:mod:`iiif_auth.enforce.doors`; what is fetched has a constant beginning and goes on with what the check answered; a refusal leads
nowhere else; and the check is told nothing but what its answers are kept under.
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
from iiif_auth.identify import COOKIE, MACHINE, TWIN, named
from iiif_auth.webserver.generate import BLANK, HIDDEN, SENTENCES, Mode, Plan

Lines = list[str]

WIDTH = 110
END = r"(?:\?|\z)"
"""What may follow a path: its query, which leads nowhere, or nothing."""
NO_DOTS = r"(?!\.{1,2}/)"
REST = {Serves.IMAGE_2: grammar.IMAGE_REST_2, Serves.IMAGE_3: grammar.IMAGE_REST_3}
PLAYED = "mp4|m4v|mov|webm|ogv|m4a|mp3|oga|ogg|opus|flac|wav"
"""Endings of the names of films and recordings in one file."""
SECRET = "[A-Za-z0-9_-]{43}"  # noqa: S105  what such a thing looks like
TYPES = """\
image/jpeg jpg jpeg; image/png png; image/webp webp; image/gif gif; image/tiff tif tiff; image/jp2 jp2;
image/svg+xml svg; application/pdf pdf; text/plain txt; text/html html htm; text/vtt vtt; application/json json;
video/mp4 mp4 m4v; video/webm webm; video/mp2t ts; video/iso.segment m4s; audio/mp4 m4a; audio/mpeg mp3;
audio/ogg ogg oga; video/ogg ogv; audio/flac flac; audio/wav wav; application/vnd.apple.mpegurl m3u8;
application/dash+xml mpd; application/zip zip; model/gltf-binary glb; model/gltf+json gltf; text/xml xml;"""


def printed(plan: Plan) -> str:
    """The configuration as text."""
    inside = [*_head(plan), *_maps(plan), *_upstreams(plan)]
    for base in plan.bases:
        inside += ["", *_server(plan, base)]
    if _filed(plan):
        inside += ["", *_files(plan)]
    if plan.place.fragment:
        return _text([*_title(plan), *inside])
    process = [
        "worker_processes auto;",
        "pcre_jit on;",
        "",
        *block("events", ["worker_connections 1024;"]),
        "",
    ]
    own = [
        "server_tokens off;",
        "sendfile on;",
        "tcp_nopush on;",
        "keepalive_timeout 30s;",
        "default_type application/octet-stream;",
        "",
    ]
    return _text([*_title(plan), *process, *block("http", [*own, *inside])])


# -- Writing ------------------------------------------------------------------------------------------------------


def block(head: str, body: Iterable[str]) -> Lines:
    return [f"{head} {{", *(f"    {line}" if line else "" for line in body), "}"]


def note(text: str) -> Lines:
    return [f"# {line}" for line in textwrap.wrap(text, WIDTH - 10, break_on_hyphens=False, break_long_words=False)]


def quoted(text: str) -> str:
    """A word of nginx, which ends at its quotation mark and knows ``\\\\`` before that mark and before itself only."""
    return '"' + re.sub(r'\\(?=["\\])|"', lambda found: f"\\{found[0]}", text) + '"'


def row(pattern: str, value: str) -> str:
    """A row of a ``map``: a regular expression, and what the variable is where it fits."""
    return f"{quoted(f'~{pattern}')} {value};"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def zone(door: Door) -> str:
    """The door's name in names of nginx."""
    return door.name.replace("-", "_")


def _title(plan: Plan) -> Lines:
    told = "goes into a folder such as /etc/nginx/conf.d" if plan.place.fragment else "is a whole configuration"
    return [
        *note(
            f"Written by “manage.py iiif_webserver nginx” from the settings; this {told}. After a change of DOORS or of a "
            "secret, write it anew. It holds secrets: keep it readable for root alone (chmod 600)."
        ),
        "",
    ]


# -- What every server shares -------------------------------------------------------------------------------------


def _head(plan: Plan) -> Lines:
    return [*_log(plan), *_zones(plan)]


def _log(plan: Plan) -> Lines:
    mount = re.escape(plan.mount)
    return [
        *note(
            "The log has no queries, for tokens and addresses of viewers stand in some, and no tickets, for whoever reads the "
            "log could use them."
        ),
        *block(
            "map $request_uri $iiif_logged",
            [
                row(
                    f"^(?<iiif_log_before>{mount}(?:signed|edge)/)[^/?]*(?<iiif_log_after>[^?]*)",
                    '"${iiif_log_before}-${iiif_log_after}"',
                ),
                '"~^(?<iiif_log_path>[^?]*)" $iiif_log_path;',
            ],
        ),
        "log_format iiif '$remote_addr [$time_iso8601] $request_method $iiif_logged $server_protocol '",
        "                '$status $body_bytes_sent $request_time';",
        "",
    ]


def _zones(plan: Plan) -> Lines:
    place, lines = plan.place, []
    if plan.place.mode is Mode.AUTH_REQUEST and plan.seconds:
        lines += [
            *note(
                "Answers of the check are kept for a moment, so that the many tiles of one picture cost one question. Each "
                "is a small file: a folder in memory (tmpfs) is best."
            ),
            f"proxy_cache_path {place.folder}/check levels=1:2 keys_zone=iiif_check:10m max_size=64m inactive=10s "
            "use_temp_path=off;",
            "",
        ]
    kinds = dict.fromkeys(_protocol(door) for door in plan.doors if door.serves.version) if place.bytes else {}
    for kind in kinds:
        lines += [
            *note(
                "What image servers have made is kept here and given out after the check has said yes. If you replace a picture "
                "by another of the same name, empty this folder."
            ),
            f"{kind}_cache_path {place.folder}/{kind}-bytes levels=1:2 keys_zone=iiif_{kind}_bytes:20m max_size={place.bytes} "
            "inactive=7d use_temp_path=off;",
            "",
        ]
    return lines


def _upstreams(plan: Plan) -> Lines:
    lines = [
        *note("The application: it decides, and writes everything but the content."),
        *block("upstream iiif_app", [f"server {plan.place.app};", "keepalive 16;"]),
    ]
    if plan.place.checker:
        lines += [
            "",
            *note("The check alone: another process of the same application, which no page keeps waiting."),
            *block("upstream iiif_checker", [f"server {plan.place.checker};", "keepalive 16;"]),
        ]
    if _filed(plan):
        lines += [
            "",
            *note("This web server itself."),
            *block("upstream iiif_files", [f"server {plan.place.inner};", "keepalive 16;"]),
        ]
    for door in plan.doors:
        if door.upstream:
            lines += [
                "",
                *note(f"What is behind {door.path}. Nobody else may be able to reach it: bind it to 127.0.0.1."),
                *block(f"upstream iiif_up_{zone(door)}", [f"server {_address(door)};", "keepalive 16;"]),
            ]
    return lines


def _protocol(door: Door) -> str:
    """What nginx calls the way it speaks to the server behind a door."""
    return "fastcgi" if door.upstream.startswith("fastcgi:") else "proxy"


def _address(door: Door) -> str:
    parts = urlsplit(door.upstream)
    return parts.netloc if parts.port else f"{parts.netloc}:{443 if parts.scheme == 'https' else 80}"


# -- Reading requests ---------------------------------------------------------------------------------------------


def _maps(plan: Plan) -> Lines:
    lines = _readers(plan) if plan.place.mode is Mode.AUTH_REQUEST else []
    if plan.edge_keys:
        lines += _edge_maps(plan)
    if any(door.serves is Serves.FILES for door in plan.doors):
        lines += _ranges()
    return [
        *lines,
        *note("What a browser might run, such as HTML, is shown without the rights of a page of this site."),
        *block(
            "map $sent_http_content_type $iiif_sandbox",
            ['default "";', '"~*^(?:text/html|text/xml|application/xml|application/xhtml|image/svg)" sandbox;'],
        ),
        "",
    ]


def _ranges() -> Lines:
    """Parts of films that are asked for, cut at the next million of bytes.

    nginx can not add numbers, but the number before the next million is written as the first one, with nines at its end. What is
    asked for up to the end of the next million stays as it is: there are players that know exactly which piece they want.
    """
    start = rf"^[^ ?]+\.(?i:{PLAYED})(?:\?[^ ]*)? bytes="
    next_one = "|".join(rf"{digit}[0-9]{{6}}-\k<iiif_same>{digit + 1}" for digit in range(9))
    next_ten = "|".join(rf"{digit}9[0-9]{{6}}-\k<iiif_same>{digit + 1}0" for digit in range(9))
    rows = [
        row(start + r"(?<iiif_same>[0-9]*)[0-9]{6}-\k<iiif_same>[0-9]{6}$", "$http_range"),
        row(start + r"(?:[0-9]{1,6}-1?[0-9]{1,6}|9[0-9]{6}-10[0-9]{6})$", "$http_range"),
        row(start + rf"(?<iiif_same>[0-9]*)(?:{next_one}|{next_ten})[0-9]{{6}}$", "$http_range"),
        row(start + r"(?<iiif_first>[0-9]{1,6})-[0-9]*$", '"bytes=$iiif_first-999999"'),
        row(
            start + r"(?<iiif_high>[0-9]{1,12})(?<iiif_low>[0-9]{6})-[0-9]*$",
            '"bytes=$iiif_high$iiif_low-${iiif_high}999999"',
        ),
        row(start + r"-[0-9]{7,18}$", '"bytes=-1000000"'),
    ]
    return [
        *note(
            "Browsers ask for everything from here, and let that one answer wait until the end of the film: whoever was let in "
            "once would see it through. So a part ends with its million of bytes; they ask again, and so the check is asked."
        ),
        *block('map "$request_uri $http_range" $iiif_range', ["default $http_range;", *rows]),
        "",
    ]


def _readers(plan: Plan) -> Lines:
    lines = [*_cookie_map(plan), *_small_maps(plan)]
    for door in plan.doors:
        lines += _door_map(plan, door)
    return [*lines, *_signed_map(plan)]


def _cookie_map(plan: Plan) -> Lines:
    if plan.place.whole_cookie:
        return [
            *note("The check is told all cookies, and its answers are kept under all of them."),
            *block("map $http_cookie $iiif_cookie", ["default $http_cookie;"]),
            "",
        ]
    return [
        *note(
            "The check is told the access cookie, that of an enrolled machine, and no other, in one spelling, and its answers "
            "are kept under the same: no two programs can read them in two ways. Two cookies of one name are none, for one of "
            "them may be somebody else's. The twin of the access cookie, which a viewer's own partition keeps, counts where no "
            "access cookie was sent at all."
        ),
        *block(
            "map $http_cookie $iiif_reader",
            ['default "";', *_one(named(COOKIE), "iiif_pass"), *_one(named(TWIN), "iiif_twin")],
        ),
        *block("map $http_cookie $iiif_machine", ['default "";', *_one(named(MACHINE), "iiif_enrolled")]),
        *block(
            'map "$iiif_reader|$iiif_machine" $iiif_cookie',
            ['default "$iiif_reader$iiif_machine";', row(r"^[^|]+\|[^|]+$", '"$iiif_reader; $iiif_machine"')],
        ),
        "",
    ]


def _one(cookie: str, secret: str) -> Lines:
    """The cookie of this name, if it is sent once and can be one of ours; else none, and nothing after it is looked for."""
    name = re.escape(cookie)
    return [
        row(rf"(?:^|[;,])\s*{name}\s*=.*[;,]\s*{name}\s*=", '""'),
        row(rf"(?:^|;)[ ]*{name}=(?<{secret}>{SECRET})[ ]*(?:;|$)", f'"{cookie}=${secret}"'),
        row(rf"(?:^|[;,])\s*{name}\s*=", '""'),
    ]


def _small_maps(plan: Plan) -> Lines:
    return [
        *note("A token counts for nothing here, but that a HEAD may ask with it what it would get (IIIF Auth 1.0)."),
        *block(
            'map "$request_method $http_authorization" $iiif_authorization',
            ['default "";', row(f"^HEAD (?i:bearer) (?<iiif_token>{SECRET})$", '"Bearer $iiif_token"')],
        ),
        "",
        *(_cut_map() if any(door.serves.version for door in plan.doors) else []),
        *(_second_map() if plan.seconds == 1 else []),
        *note("How long others may keep the content: the check says; if it did not, nobody else may."),
        *block("map $iiif_cache $iiif_kept", ["default $iiif_cache;", '"" "private, no-cache";']),
        "",
    ]


def _second_map() -> Lines:
    return [
        *note("The second that it is here: what is kept under it is used for the rest of that one."),
        *block("map $msec $iiif_second", ['default "";', row("^(?<iiif_now>[0-9]+)", "$iiif_now")]),
        "",
    ]


def _cut_map() -> Lines:
    return [
        *note("For versions cut on the fly, the check says what to ask of the image server instead."),
        *block("map $iiif_cut $iiif_wanted", ["default $iiif_cut;", '"" $iiif_rest;']),
        "",
    ]


def _door_map(plan: Plan, door: Door) -> Lines:
    """What is asked for behind a door: ``content``, ``text`` for the application, or nothing that is published."""
    path = re.escape(door.path)
    ticket = f"(?:{re.escape(plan.mount)}signed/(?<iiif_ticket>{grammar.TICKET}))?"
    inner = [other.path for other in plan.at(door.base) if other.path.startswith(door.path) and other != door]
    rows = ['default "";', *(row(f"^{ticket_free(ticket)}{re.escape(other)}", '""') for other in inner)]
    rows += [row(f"^{ticket}{path}{pattern}{END}", kind) for kind, pattern in _patterns(door)]
    return [
        *note(
            f"{door.path}: requests in the one spelling of the IIIF specifications; everything else is refused unread."
        ),
        *block(f"map $request_uri $iiif_{zone(door)}", rows),
        "",
    ]


def ticket_free(pattern: str) -> str:
    """The same pattern without names: nginx keeps each name for what was matched last."""
    return pattern.replace("(?<iiif_ticket>", "(?:")


def _patterns(door: Door) -> list[tuple[str, str]]:
    """Kinds of requests behind a door, with what their addresses look like after the door's path."""
    if door.serves.version:
        return [
            ("content", f"(?<iiif_item>{NO_DOTS}{grammar.IDENTIFIER})/(?<iiif_rest>{REST[door.serves]})"),
            ("text", f"{NO_DOTS}{grammar.IDENTIFIER}(?:/(?:info\\.json)?)?"),
        ]
    if door.serves is Serves.FILES:
        return [("content", f"(?<iiif_item>{grammar.FILE_PATH})")]
    folder = f"{grammar.FILE_SEGMENT}(?:/{grammar.FILE_SEGMENT}){{{door.depth - 1}}}"
    return [("content", f"(?<iiif_item>{folder})/(?<iiif_rest>{grammar.FOLDER_REST})")]


def _signed_map(plan: Plan) -> Lines:
    rows = []
    for door in sorted(plan.doors, key=lambda door: -len(door.path)):
        start = f"^{re.escape(plan.mount)}signed/[^/?]+{re.escape(door.path)}"
        rows += [row(f"{start}[^/?]+(?:/(?:info\\.json)?)?{END}", "text")] if door.serves.version else []
        rows += [row(start, quoted(unquote(door.path)))]
    return [
        *note("Behind which door a signed address leads; descriptions are written by the application there too."),
        *block("map $request_uri $iiif_signed_door", ['default "";', *dict.fromkeys(rows)]),
        "",
    ]


# -- Servers ------------------------------------------------------------------------------------------------------


def _server(plan: Plan, base: str) -> Lines:
    place = plan.place
    listen = [f"listen {place.listen};"] if place.listen else ["listen 443 ssl http2;", "listen [::]:443 ssl http2;"]
    tls = [
        f"ssl_certificate {place.certificate};",
        f"ssl_certificate_key {place.key};",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_cache shared:iiif_tls:2m;",
        "ssl_session_tickets off;",
    ]
    body = [
        *listen,
        f"server_name {plan.names_of(base)};",
        *([] if place.listen else tls),
        f"access_log {place.logs}/access.log iiif;",
        "",
        *_application(plan),
    ]
    if place.mode is Mode.AUTH_REQUEST:
        body += ["", *_check(plan, base), "", *_signed(plan)]
        for door in plan.at(base):
            body += ["", *_door(plan, door)]
    else:
        for door in plan.at(base):
            body += ["", *_internal(plan, door)]
    if plan.edge_keys:
        body += _edge(plan, base)
    body += ["", *_refusals()]
    return [*([] if place.listen else _to_https(plan, base)), *block("server", body)]


def _to_https(plan: Plan, base: str) -> Lines:
    names = plan.names_of(base)
    body = [
        "listen 80;",
        "listen [::]:80;",
        f"server_name {names};",
        f"return 308 https://{names.split()[0]}$request_uri;",
    ]
    return [*block("server", body), ""]


def _application(plan: Plan) -> Lines:
    to_app = [
        "proxy_pass http://iiif_app;",
        "proxy_http_version 1.1;",
        'proxy_set_header Connection "";',
        "proxy_set_header Host $http_host;",
        *note("Replaced, never added to: with TRUSTED_PROXIES = 1 the application believes this header."),
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        *(f'proxy_set_header {name} "";' for name in BLANK),
    ]
    lines = [
        *note("Pages, descriptions of pictures (info.json), tokens and probes are written by the application."),
        *block("location /", to_app),
        "",
        *note(
            "The check is for this web server alone. Image servers that ask it themselves reach the application directly."
        ),
        *block(f"location = {plan.mount}check", ["return 404;"]),
    ]
    if plan.place.mode is Mode.AUTH_REQUEST:
        lines += ["", *block("location @iiif_app", to_app)]
    return lines


def _check(plan: Plan, base: str) -> Lines:
    body = [
        "internal;",
        f"proxy_pass http://{'iiif_checker' if plan.place.checker else 'iiif_app'}{plan.mount}check;",
        "proxy_method GET;",
        "proxy_http_version 1.1;",
        *note("It is told what stands here, and nothing else of the request."),
        "proxy_pass_request_headers off;",
        "proxy_pass_request_body off;",
        *(f'proxy_set_header {name} "";' for name in ("Connection", "Content-Length")),
        *(f'proxy_set_header {name} "";' for name in ("If-None-Match", "If-Modified-Since", "Range")),
        f"proxy_set_header Host {plan.host};",
        f"proxy_set_header X-IIIF-Auth-Secret {plan.secret};",
        f"proxy_set_header X-IIIF-Base {quoted(base)};",
        "proxy_set_header X-Original-URI $request_uri;",
        "proxy_set_header X-Original-Method $request_method;",
        "proxy_set_header X-Forwarded-For $remote_addr;",
        "proxy_set_header X-Forwarded-Proto $scheme;",
        "proxy_set_header Cookie $iiif_cookie;",
        "proxy_set_header Authorization $iiif_authorization;",
        *note("If nobody answers, the answer is no, and soon."),
        "proxy_connect_timeout 500ms;",
        "proxy_send_timeout 1s;",
        "proxy_read_timeout 1s;",
        "proxy_next_upstream off;",
        *_kept_answers(plan, base),
    ]
    return [
        *note("May this reader have that? 200 with its name at the image server is yes; everything else is no."),
        *block("location = /_iiif_check", body),
    ]


def _kept_answers(plan: Plan, base: str) -> Lines:
    if not plan.seconds:
        return note("CHECK_CACHE_SECONDS is 0: every single request is asked, and what is ended has ended at once.")
    second = " $iiif_second" if plan.seconds == 1 else ""
    return [
        *note(
            f"An answer is used for the same reader and item, never for others, and for {plan.seconds} s at most. nginx counts "
            "whole seconds and would use it for up to one more than it is told, so it is told otherwise. The lock stays off: a "
            "viewer would wait half a second for its tiles."
        ),
        "proxy_cache iiif_check;",
        f'proxy_cache_key "{base or "-"} $remote_addr $iiif_door $iiif_item $iiif_ticket|$request_method $iiif_authorization|'
        f'$iiif_cookie{second}";',
        f"proxy_cache_valid 200 401 403 {max(1, plan.seconds - 1)}s;",
        "proxy_cache_methods GET HEAD;",
        "proxy_cache_lock off;",
        "proxy_cache_use_stale off;",
        "proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;",
    ]


def _signed(plan: Plan) -> Lines:
    return [
        *note("Signed addresses: the same doors, for a ticket instead of a cookie. The check reads the ticket."),
        *block(
            f"location ^~ {plan.mount}signed/",
            [
                *_first("iiif_signed_door"),
                "if ($iiif_signed_door = text) { return 418; }",
                "rewrite ^ $iiif_signed_door last;",
                *_errors(),
                "error_page 418 = @iiif_app;",
                "error_page 419 = @iiif_preflight;",
            ],
        ),
    ]


def _errors() -> Lines:
    """Refusals lead to a sentence, and nowhere else."""
    return [
        "error_page 400 @iiif_400;",
        "error_page 401 @iiif_401;",
        "error_page 403 @iiif_403;",
        "error_page 404 410 @iiif_404;",
        "error_page 405 @iiif_405;",
        "error_page 301 302 303 307 308 500 501 502 503 504 =503 @iiif_503;",
    ]


def _first(variable: str) -> Lines:
    return [
        "if ($request_method = OPTIONS) { return 419; }",
        'if ($request_method !~ "^(?:GET|HEAD)$") { return 405; }',
        f'if (${variable} = "") {{ return 400; }}',
    ]


def _headers(cache: str) -> Lines:
    headers = {
        **guard.CORS,
        "Access-Control-Expose-Headers": guard.EXPOSED,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": cache,
        "Content-Security-Policy": "$iiif_sandbox",
    }
    return [f"add_header {name} {quoted(value)} always;" for name, value in headers.items()]


def _door(plan: Plan, door: Door) -> Lines:
    """The guarded location of a door."""
    name = zone(door)
    text = [f"if ($iiif_{name} = text) {{ return 418; }}"] if door.serves.version else []
    body = [
        *_first(f"iiif_{name}"),
        *text,
        f"set $iiif_door {door.name};",
        *_errors(),
        *(["error_page 418 = @iiif_app;"] if text else []),
        "error_page 419 = @iiif_preflight;",
        "",
        "auth_request /_iiif_check;",
        *_told(door),
        "",
        *_content(plan, door),
        *_headers("$iiif_kept"),
    ]
    return [
        *note(f"{_what(door)} “^~”: no regular expression elsewhere in this server takes its addresses."),
        *block(f"location ^~ {quoted(unquote(door.path))}", body),
    ]


def _content(plan: Plan, door: Door) -> Lines:
    if _is_filed(door):
        return _from_files(plan, f"{door.name}/$iiif_source")
    if door.root:
        return _from_folder(door)
    return _from_upstream(plan, door, _decided(door))


def _what(door: Door) -> str:
    kinds = {
        Serves.IMAGE_2: "Pictures, Image API 2.",
        Serves.IMAGE_3: "Pictures, Image API 3.",
        Serves.FILES: "Files.",
        Serves.FOLDERS: f"Folders, each decided as one thing by its {door.entry}.",
    }
    return kinds[door.serves]


def _told(door: Door) -> Lines:
    where = "source" if not door.root or _is_filed(door) else "folder" if door.serves is Serves.FOLDERS else "file"
    names = {"iiif_cache": "cache", f"iiif_{where}": where}
    if door.serves.version:
        names["iiif_cut"] = "rest"
    return [f"auth_request_set ${name} $upstream_http_x_iiif_{header};" for name, header in names.items()]


def _decided(door: Door) -> str:
    """What is fetched, below the door's upstream: the item as the check named it, and the rest as it was read."""
    if door.serves.version:
        return "$iiif_source/$iiif_wanted"
    return "$iiif_source/$iiif_rest" if door.serves is Serves.FOLDERS else "$iiif_source"


def _from_folder(door: Door) -> Lines:
    folders = door.serves is Serves.FOLDERS
    told = "The folder that the check named, decoded, and the plain name in it." if folders else ""
    file = "$iiif_folder/$iiif_rest" if folders else "$iiif_file"
    return [
        *note(told or "The file that the check named, decoded, and no other."),
        f"root {door.root.rstrip('/') or '/'};",
        f"try_files /{file} =404;",
        *note(
            "For many readers at once: open_file_cache max=1000 inactive=20s; a changed file is then seen a little later."
        ),
        *_types(),
    ]


def _is_filed(door: Door) -> bool:
    """Whether it gives out files of this machine, among which there may be films."""
    return bool(door.root) and door.serves is Serves.FILES


def _filed(plan: Plan) -> list[Door]:
    return [door for door in plan.doors if _is_filed(door)]


def _from_files(plan: Plan, path: str) -> Lines:
    """A file of this machine by way of ourselves: the part that is asked for can be shortened in no other way."""
    passed = {
        "Connection": '""',
        "Content-Length": '""',
        "X-IIIF-Auth-Secret": plan.secret,
        "If-None-Match": "$http_if_none_match",
        "If-Modified-Since": "$http_if_modified_since",
        "Range": "$iiif_range",
        "If-Range": "$http_if_range",
    }
    return [
        *note(
            "The file is fetched from this web server itself (the last server below), for of films only a part is given."
        ),
        f"proxy_pass http://iiif_files/{path};",
        "proxy_http_version 1.1;",
        "proxy_pass_request_headers off;",
        "proxy_pass_request_body off;",
        *(f"proxy_set_header {name} {value};" for name, value in passed.items()),
        "proxy_max_temp_file_size 0;",
        "proxy_intercept_errors on;",
        "proxy_next_upstream off;",
    ]


def _files(plan: Plan) -> Lines:
    """The server that only this one asks."""
    body = [
        f"listen {plan.place.inner};",
        "server_name _;",
        "access_log off;",
        f'if ($http_x_iiif_auth_secret != "{plan.secret}") {{ return 404; }}',
        "location / { return 404; }",
    ]
    for door in _filed(plan):
        body += block(
            f"location ^~ /{door.name}/", [f"alias {door.root.rstrip('/')}/;", "try_files $uri =404;", *_types()]
        )
    return [
        *note("Files, for this web server itself: it says the secret, and listens on this machine only."),
        *block("server", body),
    ]


def _types() -> Lines:
    return [*block("types", TYPES.splitlines()), "default_type application/octet-stream;"]


def _from_upstream(plan: Plan, door: Door, path: str) -> Lines:
    """The upstream's answer: its path begins with what stands here, and nothing of the reader's is passed on to it."""
    parts = urlsplit(door.upstream)
    if _protocol(door) == "fastcgi":
        return [*_fastcgi(door, path), *_kept_bytes(plan, door, path)]
    secure = [
        "proxy_ssl_server_name on;",
        f"proxy_ssl_name {parts.hostname};",
        "proxy_ssl_verify on;",
        "proxy_ssl_verify_depth 3;",
        "proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;",
    ]
    return [
        *note("The image server is sent nothing of the reader's: no cookie, no token, no header but what stands here."),
        f"proxy_pass {parts.scheme}://iiif_up_{zone(door)}{parts.path}{path};",
        *(secure if parts.scheme == "https" else []),
        "proxy_http_version 1.1;",
        "proxy_pass_request_headers off;",
        "proxy_pass_request_body off;",
        *(f'proxy_set_header {name} "";' for name in ("Connection", "Content-Length", "Cookie", "Authorization")),
        f"proxy_set_header Host {parts.netloc};",
        *_conditions(door),
        *_hidden("proxy"),
        *_kept_bytes(plan, door, path),
    ]


def _conditions(door: Door) -> Lines:
    names = ["If-None-Match", "If-Modified-Since"]
    if not door.serves.version:
        names += ["Range", "If-Range"]
    passed = [f"proxy_set_header {name} $http_{name.lower().replace('-', '_')};" for name in names]
    if door.serves is Serves.FILES:
        passed = [line.replace("$http_range", "$iiif_range") for line in passed]
    return [*passed, *([] if door.serves.version else ["proxy_max_temp_file_size 0;"])]


def _fastcgi(door: Door, path: str) -> Lines:
    parts = urlsplit(door.upstream)
    values = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_SOFTWARE": "nginx",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or 80),
        "HTTP_HOST": parts.netloc,
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": f"{parts.path}{path}",
        "SCRIPT_NAME": "",
        "PATH_INFO": f"{parts.path}{path}",
        "QUERY_STRING": f"IIIF={path}",
    }
    return [
        *note("The image server is sent nothing of the reader's: only these variables."),
        f"fastcgi_pass iiif_up_{zone(door)};",
        "fastcgi_pass_request_headers off;",
        "fastcgi_pass_request_body off;",
        *(f"fastcgi_param {name} {quoted(value)};" for name, value in values.items()),
        "fastcgi_keep_conn off;",
        *_hidden("fastcgi"),
    ]


def _hidden(protocol: str) -> Lines:
    return [
        *note("Of its answer nothing is believed but the bytes and their type; its own error pages are not shown."),
        f"{protocol}_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset "
        "Cache-Control Expires Set-Cookie Vary;",
        *(f"{protocol}_hide_header {name};" for name in HIDDEN),
        f"{protocol}_intercept_errors on;",
        f"{protocol}_connect_timeout 5s;",
        f"{protocol}_read_timeout 60s;",
        f"{protocol}_next_upstream off;",
    ]


def _kept_bytes(plan: Plan, door: Door, path: str) -> Lines:
    if not (plan.place.bytes and door.serves.version):
        return []
    protocol = _protocol(door)
    return [
        *note("Bytes are kept under what was fetched; the check is asked before they are given to anybody."),
        f"{protocol}_cache iiif_{protocol}_bytes;",
        f'{protocol}_cache_key "{door.name} {path}";',
        f"{protocol}_cache_valid 200 1d;",
        f"{protocol}_cache_lock off;",
    ]


def _refusals() -> Lines:
    """What people read if it is no: small, alike for everything, and readable for viewers on other sites."""
    headers = {**guard.CORS, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    lines: Lines = [*note("Refusals and errors: small, alike for everything, and readable for viewers on other sites.")]
    for status, sentence in sorted(SENTENCES.items()):
        extra = {405: {"Allow": "GET, HEAD, OPTIONS"}, 503: {"Retry-After": "10"}}.get(status, {})
        body = [
            "internal;",
            "types { }",
            "default_type application/json;",
            *(f"add_header {name} {quoted(value)} always;" for name, value in {**headers, **extra}.items()),
            f"return {status} '{json.dumps({'error': sentence})}';",
        ]
        lines += block(f"location @iiif_{status}", body)
    preflight = [f"add_header {name} {quoted(value)} always;" for name, value in PREFLIGHT.items()]
    return [
        *lines,
        *note("Browsers ask first whether a page of another site may ask. The answer is the same for everything."),
        *block("location @iiif_preflight", ["internal;", *preflight, "return 204;"]),
    ]


# -- X-Accel: the application decides, and says what to send --------------------------------------------------------


def _internal(plan: Plan, door: Door) -> Lines:
    """Where X-Accel-Redirect leads, and nobody else gets."""
    if door.root:
        head = f"location ^~ {plan.send_file}{door.name}/"
        body = ["internal;", *_errors(), "", *_aliased(plan, door)]
    else:
        head = f"location ^~ {plan.send_upstream}{door.name}/"
        body = [
            "internal;",
            *note("What the application says is to be fetched, percent-encoded as it says it."),
            "set $iiif_handed $upstream_http_x_iiif_upstream;",
            'if ($iiif_handed = "") { return 404; }',
            *_errors(),
            "",
            *_from_upstream(plan, door, "$iiif_handed"),
        ]
    headers = [line for line in _headers("") if not line.startswith("add_header Cache-Control")]
    return [
        *note(
            f"What is behind {door.path}, for X-Accel-Redirect only: the application decides, and sets Cache-Control."
        ),
        *block(head, [*body, *headers]),
    ]


def _aliased(plan: Plan, door: Door) -> Lines:
    if _is_filed(door):
        return _from_files(plan, f"{door.name}/")
    return [f"alias {door.root};", *_types()]


# -- Edge tickets: checked by nginx alone -------------------------------------------------------------------------


def _edge_maps(plan: Plan) -> Lines:
    parts = zip(("kid", "ends", "code"), grammar.EDGE_TICKET.split(r"\."), strict=True)
    ticket = r"\.".join(f"(?<iiif_edge_{name}>{pattern})" for name, pattern in parts)
    start = f"{re.escape(plan.mount)}edge/"
    lines = [
        *note("Keys of addresses that are checked here alone, by name."),
        *block(
            "map $iiif_edge_kid $iiif_edge_key",
            ['default "";', *(f"{quoted(name)} {quoted(key)};" for name, key in plan.edge_keys.items())],
        ),
        "",
    ]
    for door in plan.doors:
        inner = [other.path for other in plan.at(door.base) if other.path.startswith(door.path) and other != door]
        rows = ['default "";', *(row(f"^{start}[^/?]+{re.escape(other)}", '""') for other in inner)]
        rows.append(row(f"^{start}{ticket}{_edge_pattern(door)}{END}", door.name))
        lines += [*block(f"map $request_uri $iiif_edge_{zone(door)}", rows), ""]
    rows = [
        row(f"^{start}[^/?]+{re.escape(door.path)}", door.name)
        for door in sorted(plan.doors, key=lambda door: -len(door.path))
    ]
    return [*lines, *block("map $request_uri $iiif_edge_door", ['default "";', *rows]), ""]


def _edge_pattern(door: Door) -> str:
    path = re.escape(door.path)
    if door.serves.version:
        name = f"{NO_DOTS}{grammar.IDENTIFIER}"
        return f"(?<iiif_edge_item>{path}(?<iiif_edge_name>{name}))/(?<iiif_edge_rest>{REST[door.serves]})"
    if door.serves is Serves.FILES:
        return f"(?<iiif_edge_item>{path}(?<iiif_edge_name>{grammar.FILE_PATH}))"
    folder = f"{grammar.FILE_SEGMENT}(?:/{grammar.FILE_SEGMENT}){{{door.depth - 1}}}"
    return f"(?<iiif_edge_item>{path}(?<iiif_edge_name>{folder}))/(?<iiif_edge_rest>{grammar.FOLDER_REST})"


def _edge(plan: Plan, base: str) -> Lines:
    start = f"{plan.mount}edge/"
    body = [
        *_first("iiif_edge_door"),
        f'rewrite "^{re.escape(start)}[^/]+(/.*)$" /_iiif_edge/$iiif_edge_door$1 last;',
        *_errors(),
        "error_page 419 = @iiif_preflight;",
    ]
    lines = [
        "",
        *note(
            "Addresses that are checked here alone, without asking anybody: as quick as plain files, but nothing ends them "
            "before their seconds are over."
        ),
        *block(f"location ^~ {start}", body),
    ]
    for door in plan.at(base):
        lines += ["", *_edge_door(plan, door)]
    return lines


def _edge_door(plan: Plan, door: Door) -> Lines:
    rest = "" if door.serves is Serves.FILES else "/$iiif_edge_rest"
    path = f"$iiif_edge_name{rest}"
    head = f"/_iiif_edge/{door.name}{unquote(door.path)}" if door.root else f"/_iiif_edge/{door.name}/"
    body = [
        "internal;",
        f'if ($iiif_edge_{zone(door)} = "") {{ return 400; }}',
        'if ($iiif_edge_key = "") { return 403; }',
        "secure_link $iiif_edge_code,$iiif_edge_ends;",
        'secure_link_md5 "$iiif_edge_key $iiif_edge_ends $iiif_edge_item $iiif_edge_key";',
        'if ($secure_link != "1") { return 403; }',
        *_errors(),
        "",
        *(_aliased(plan, door) if door.root else _from_upstream(plan, door, path)),
        *_headers("private, no-cache"),
    ]
    return block(f"location ^~ {quoted(head)}", body)

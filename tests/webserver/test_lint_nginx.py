"""Every hole that the linter knows is shown on a real nginx: the broken file leaks and is blamed, the mended one does neither."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest

from iiif_auth.webserver.findings import Finding, Severity
from iiif_auth.webserver.lint import check
from tests.webserver.backstage import CANARY, ELSEWHERE, GOOD, READER, UNCACHED, Backstage, decided
from tests.webserver.nginx import Nginx, Reply, Request, asked, lines_with

DOOR = "    location ^~ /iiif/ {\n"
AFTER = "    location ~ /\\. { deny all; }\n"
CHECK = "        proxy_pass http://application/check;\n"
FETCH = "proxy_pass http://images/g$$up;"
LIMIT = "        limit_except GET HEAD OPTIONS { deny all; }\n"
KEY = '"$$http_cookie|$$remote_addr|$$iiif_token|$$iiif_item"'
NEAR = "        proxy_set_header X-Forwarded-For $$remote_addr;\n        proxy_connect_timeout"
FILES = "        root $folder/media;\n        try_files /$$file =404;\n"
BLANK = "proxy_set_header Cookie ''; proxy_set_header Authorization '';"
NAMED = '    location @images { proxy_pass http://images; proxy_set_header Cookie ""; proxy_set_header Authorization ""; }\n'
SECRET_TILE, OPEN_TILE = "/iiif/secret/full/max/0/x.jpg", "/iiif/open/full/max/0/x.jpg"
TOKEN = {"Authorization": "Bearer good"}


@dataclass(frozen=True, slots=True)
class Stage:
    """A running nginx, and whoever is behind it."""

    nginx: Nginx
    behind: Backstage

    def ask(
        self,
        target: str = SECRET_TILE,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        return asked(self.nginx.url, target, method, headers, body)


Attack = Callable[[Stage], bool]
"""Something that somebody does; whether it got them what they should not have."""


def canary(target: str = SECRET_TILE, **headers: str) -> Attack:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda stage: CANARY in stage.ask(target, headers=given).body


def status(wanted: int, target: str = SECRET_TILE, headers: dict[str, str] | None = None) -> Attack:
    return lambda stage: stage.ask(target, headers=headers).status == wanted


def after(first: dict[str, str], method: str = "GET", target: str = SECRET_TILE, then: str = SECRET_TILE) -> Attack:
    """Somebody with these headers asks, and then a stranger does."""

    def attack(stage: Stage) -> bool:
        stage.ask(target, method, first)
        reply = stage.ask(then)
        return reply.status == 200

    return attack


def post_arrives(stage: Stage) -> bool:
    stage.ask(method="POST", headers=READER, body=b"purge")
    return any(one.method == "POST" for one in stage.behind.images.seen)


def cookie_arrives(stage: Stage) -> bool:
    stage.ask(headers={**READER, **TOKEN})
    return any({"cookie", "authorization"} & one.headers.keys() for one in stage.behind.images.seen)


def secret_of_the_client_arrives(stage: Stage) -> bool:
    stage.ask(headers={"X-IIIF-Auth-Secret": "guessed"})
    return any(one.headers.get("x-iiif-auth-secret") == "guessed" for one in stage.behind.app.seen)


def upstream_is_told(stage: Stage) -> bool:
    return "x-iiif-upstream" in stage.ask("/_iiif_auth", headers={**READER, "X-Original-URI": SECRET_TILE}).headers


def kept_after_logout(answer: Callable[[Request], tuple[int, dict[str, str], bytes]]) -> Attack:
    def attack(stage: Stage) -> bool:
        assert stage.ask(headers=READER).body == CANARY
        stage.behind.app.answer = answer
        time.sleep(2.1)  # one second for which an answer may be kept, and the second that nginx counts in
        return CANARY in stage.ask(headers=READER).body

    return attack


def asked_once(stage: Stage) -> bool:
    def never_kept(request: Request) -> tuple[int, dict[str, str], bytes]:
        found, headers, body = decided(request)
        return found, {**headers, "X-Accel-Expires": "0"}, body

    stage.behind.app.answer = never_kept
    for _time in range(3):
        stage.ask(headers=READER)
    return len(stage.behind.app.seen) < 3


def with_an_empty_answer(stage: Stage) -> bool:
    stage.behind.app.answer = lambda request: (200, {}, b"")
    return CANARY in stage.ask().body


def while_the_application_is_down(stage: Stage) -> bool:
    stage.behind.app.answer = lambda request: (500, {}, b"")
    reply = stage.ask()
    return CANARY in reply.body or reply.status == 200


def long_lived(stage: Stage) -> bool:
    return "max-age=2592000" in stage.ask(headers=READER).headers.get("cache-control", "")


def allows_credentials(stage: Stage) -> bool:
    return stage.ask(headers=READER).headers.get("access-control-allow-credentials") == "true"


def one_picture_for_another(stage: Stage) -> bool:
    stage.ask(headers=READER)
    return CANARY in stage.ask(OPEN_TILE).body


@dataclass(frozen=True, slots=True)
class Hole:
    """What was changed in the good configuration, which rule is about that, and what it is worth to an attacker."""

    rule: str
    edits: tuple[tuple[str, str], ...]
    attack: Attack
    good: str = GOOD
    severity: Severity = Severity.ERROR

    @property
    def text(self) -> str:
        text = self.good
        for old, new in self.edits:
            assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
            text = text.replace(old, new)
        return text


def add(to: str, what: str) -> tuple[str, str]:
    return to, to + what


HOLES = {
    "a regular expression for pictures": Hole(
        "regex-wins",
        ((DOOR, DOOR.replace("^~ ", "")), add(AFTER, "    location ~* \\.(jpg|png)$$ { proxy_pass http://images; }\n")),
        canary(),
    ),
    "a prefix that a regular expression beats": Hole(
        "missing-caret",
        ((DOOR, DOOR.replace("^~ ", "")), add(AFTER, "    location ~* \\.(jpg|png)$$ { proxy_pass http://images; }\n")),
        canary(),
        severity=Severity.WARNING,
    ),
    "satisfy any": Hole(
        "satisfy-any",
        # The constant path alone would save the secret here: without the check there is nothing to fetch.
        (add(DOOR, "satisfy any; allow 127.0.0.0/8; deny all;\n"), (FETCH, "proxy_pass http://images/g/;")),
        canary(),
    ),
    "an error page with 200 that is the picture": Hole(
        "error-page-content", (add(DOOR, "error_page 401 =200 @images;\n"), add(AFTER, NAMED)), canary()
    ),
    "an error page without 200 that is the picture": Hole(
        "error-page-content", (add(DOOR, "error_page 401 @images;\n"), add(AFTER, NAMED)), canary()
    ),
    "418 as a detour": Hole(
        "error-page-content", (add(DOOR, "error_page 418 = @images; return 418;\n"), add(AFTER, NAMED)), canary()
    ),
    "a fallback for a broken application": Hole(
        "error-page-content",
        (add(DOOR, "error_page 500 = @images;\n"), add(AFTER, NAMED)),
        while_the_application_is_down,
    ),
    "an error page at an address that is guarded by nobody": Hole(
        "error-page-content",
        (
            add(DOOR, "error_page 401 /instead/secret/x;\n"),
            add(AFTER, "    location /instead/ { internal; proxy_pass http://images; }\n"),
        ),
        canary(),
    ),
    "refusals with 200": Hole(
        "error-page-disguise", (add(DOOR, "error_page 401 =200 /50x.html;\n"),), status(200), severity=Severity.WARNING
    ),
    "every method": Hole("methods-open", ((LIMIT, ""),), post_arrives, severity=Severity.WARNING),
    "a limit on methods that is not handed down": Hole(
        "methods-open",
        ((FETCH, f"location ~ jpg {{ {FETCH} proxy_set_header Cookie ''; proxy_set_header Authorization ''; }}"),),
        post_arrives,
        severity=Severity.WARNING,
    ),
    "a cache by address of the request": Hole("auth-cache-key", ((KEY, "$$request_uri"),), after(READER)),
    "a cache by its own address": Hole("auth-cache-key", ((f"        proxy_cache_key {KEY};\n", ""),), after(READER)),
    "a cache without the item": Hole(
        "auth-cache-key", ((KEY, '"$$http_cookie|$$remote_addr|$$iiif_token"'),), after({}, target=OPEN_TILE)
    ),
    "a cache with the address of the subrequest": Hole(
        "auth-cache-key", ((KEY, '"$$http_cookie|$$remote_addr|$$iiif_token|$$uri"'),), after({}, target=OPEN_TILE)
    ),
    "a cache without token and method": Hole(
        "auth-cache-key", ((KEY, '"$$http_cookie|$$remote_addr|$$iiif_item"'),), after(TOKEN, "HEAD")
    ),
    "a cache for minutes": Hole(
        "auth-cache-long", (("200 401 403 1s", "200 401 403 10m"),), kept_after_logout(lambda request: (401, {}, b""))
    ),
    "a stale cache": Hole(
        "auth-cache-stale",
        (add("        proxy_cache_lock off;\n", "        proxy_cache_use_stale error timeout http_500;\n"),),
        kept_after_logout(lambda request: (500, {}, b"")),
    ),
    "a cache that is deaf": Hole(
        "auth-cache-deaf",
        (add("        proxy_cache_lock off;\n", "        proxy_ignore_headers X-Accel-Expires;\n"),),
        asked_once,
    ),
    "conditions that go to the check": Hole(
        "auth-conditional",
        (('        proxy_set_header If-None-Match "";\n', ""),),
        status(500, headers={**READER, "If-None-Match": '"x"'}),
        UNCACHED,
    ),
    "a check for everybody": Hole("auth-not-internal", (("        internal;\n" + CHECK, CHECK),), upstream_is_told),
    "a body that never comes": Hole(
        "auth-body",
        (('        proxy_pass_request_body off;\n        proxy_set_header Content-Length "";\n', ""),),
        lambda stage: stage.ask(headers=READER, body=b"x" * 10).status == 500,
        severity=Severity.WARNING,
    ),
    "a check that is not there": Hole(
        "auth-target", (("location = /_iiif_auth {", "location = /_other {"),), status(200)
    ),
    "a check that always says yes": Hole("auth-always-yes", ((CHECK, "        return 204;\n" + CHECK),), status(200)),
    "a no that is made a yes": Hole(
        "auth-always-yes", (add(CHECK, "proxy_intercept_errors on; error_page 401 =200 /50x.html;\n"),), status(200)
    ),
    "a no that becomes whatever the page is": Hole(
        "auth-always-yes", (add(CHECK, "proxy_intercept_errors on; error_page 401 = /50x.html;\n"),), status(200)
    ),
    "a yes while the application is down": Hole(
        "auth-always-yes",
        (
            ("server 127.0.0.1:$app;", "server 127.0.0.1:1;"),
            ("error_page 500 502 503 504 /50x.html;", "error_page 500 502 503 504 =200 /50x.html;"),
        ),
        status(200, "/iiif/secret/x"),
    ),
    "no secret": Hole(
        "auth-secret", (("        proxy_set_header X-IIIF-Auth-Secret $secret;\n", ""),), secret_of_the_client_arrives
    ),
    "an address of the client's choice": Hole(
        "auth-original",
        (("        proxy_set_header X-Original-URI $$request_uri;\n", ""),),
        status(200, headers={"X-Original-URI": OPEN_TILE}),
    ),
    "a method of the client's choice": Hole(
        "auth-original",
        (("        proxy_set_header X-Original-Method $$request_method;\n", ""),),
        canary(Authorization="Bearer good", X_Original_Method="HEAD"),
        UNCACHED,
    ),
    "a site of the client's choice": Hole(
        "auth-base",
        (('        proxy_set_header X-IIIF-Base "";\n', ""),),
        canary(X_IIIF_Base=ELSEWHERE),
        severity=Severity.WARNING,
    ),
    "an address of the reading room": Hole(
        "forwarded-for-open",
        ((NEAR, "        proxy_connect_timeout"),),
        canary(X_Forwarded_For="10.0.0.1"),
    ),
    "an address that is only added": Hole(
        "forwarded-for-appended",
        ((NEAR, NEAR.replace("$$remote_addr", "$$proxy_add_x_forwarded_for")),),
        canary(X_Forwarded_For="10.0.0.1"),
        severity=Severity.WARNING,
    ),
    "cookies for the image server": Hole(
        "forwards-credentials", (('        proxy_set_header Cookie "";\n', ""),), cookie_arrives
    ),
    "tokens for the image server": Hole(
        "forwards-credentials", (('        proxy_set_header Authorization "";\n', ""),), cookie_arrives
    ),
    "headers that are not handed down": Hole(
        "forwards-credentials",
        ((FETCH, f"{FETCH} location ~ jpg {{ {LIMIT} {FETCH} proxy_set_header Host images; }}"),),
        cookie_arrives,
    ),
    "the client's path, resolved": Hole(
        "client-path", ((FETCH, "proxy_pass http://images/g/;"),), canary("/iiif/open%2f..%2fsecret/x")
    ),
    "the client's path, as a variable": Hole(
        "client-path", ((FETCH, "proxy_pass http://images/g$$uri;"),), canary("/iiif/open%2f..%2fsecret/x")
    ),
    "the client's path, taken apart": Hole(
        "client-path",
        (
            (
                FETCH,
                f"location ~ ^/iiif/(?<rest>.*)$$ {{ {LIMIT} {FETCH.replace('$$up', '/$$rest')}\n"
                'proxy_set_header Cookie ""; proxy_set_header Authorization ""; }',
            ),
        ),
        canary("/iiif/open%2f..%2fsecret/x"),
    ),
    "the client's path, for files": Hole(
        "client-path", ((FILES, "        alias $folder/media/;\n"),), canary("/media/open%2f..%2fsecret.mp4")
    ),
    "no constant path": Hole(
        "proxy-without-prefix", ((FETCH, "proxy_pass http://images$$up;"),), with_an_empty_answer, UNCACHED
    ),
    "another way to the image server": Hole(
        "shared-upstream",
        (add(AFTER, "    location /pictures/ { proxy_pass http://images; }\n"),),
        canary("/pictures/secret/x"),
    ),
    "another name of the image server": Hole(
        "shared-upstream",
        (add(AFTER, "    location /pictures/ { proxy_pass http://localhost:$images/g/; }\n"),),
        canary("/pictures/secret/x"),
    ),
    "a fallback on the image server": Hole(
        "shared-upstream",
        (add(AFTER, "    location /pictures/ { try_files $$uri @images; }\n" + NAMED),),
        canary("/pictures/secret/x"),
    ),
    "another way to the files": Hole(
        "shared-root", (add(AFTER, "    location ^~ /films/ { alias $folder/media/; }\n"),), canary("/films/secret.mp4")
    ),
    "a folder around the files": Hole(
        "shared-root", (add(AFTER, "    location /all/ { alias $folder/; }\n"),), canary("/all/media/secret.mp4")
    ),
    "a folder without a slash": Hole(
        "alias-slip",
        (("    location /static/ {", "    location /static {"),),
        canary("/static../neighbour/secret.txt"),
    ),
    "files for X-Accel that anybody may ask for": Hole(
        "accel-not-internal", (("/protected/ { internal;", "/protected/ {"),), canary("/protected/secret.mp4")
    ),
    "a check that is switched off further in": Hole(
        "guard-lost",
        ((FETCH, f"{FETCH} location ~ \\.jpg$$ {{ auth_request off; {LIMIT} proxy_pass http://images; }}"),),
        canary(),
    ),
    "an open place among guarded ones": Hole(
        "guard-lost",
        (add(AFTER, "    location ^~ /iiif/secret/ { proxy_pass http://images; }\n"),),
        canary(),
    ),
    "a rewrite before the check": Hole(
        "leaves-before-auth",
        (
            add(DOOR, "if ($$arg_preview) { rewrite ^/iiif/(.*)$$ /raw/$$1 last; }\n"),
            add(AFTER, '    location ^~ /raw/ { internal; proxy_pass http://images/; proxy_set_header Cookie ""; }\n'),
        ),
        canary(SECRET_TILE + "?preview=1"),
    ),
    "doubled slashes": Hole(
        "merge-slashes-off",
        (("    listen 80;\n", "    listen 80;\n    merge_slashes off;\n"),),
        status(200, "/" + SECRET_TILE),
        severity=Severity.WARNING,
    ),
    "a long life in every cache": Hole("public-cache", (add(DOOR, "expires 30d;\n"),), long_lived),
    "scripts of other sites": Hole(
        "cors-credentials",
        (add(DOOR, "add_header Access-Control-Allow-Credentials true always;\n"),),
        allows_credentials,
    ),
    "pictures kept by the name of the host": Hole(
        "content-cache-key",
        (add(DOOR, 'proxy_cache decisions; proxy_cache_key "$$host"; proxy_cache_valid 200 1m;\n'),),
        one_picture_for_another,
        severity=Severity.WARNING,
    ),
}


def played(text: str, attack: Attack, backstage: Backstage, folder: Path) -> bool:
    backstage.forget()
    backstage.app.answer = decided
    try:
        with Nginx(text, folder) as nginx:
            return attack(Stage(nginx, backstage))
    finally:
        backstage.app.answer = decided


@pytest.mark.parametrize("name", HOLES)
def test_a_hole_leaks_and_is_blamed(name: str, backstage: Backstage, folder: Path) -> None:
    hole = HOLES[name]
    # Each nginx of a run has its own store of decisions.
    text = backstage.filled(hole.text).replace(f"{backstage.folder}/decisions", f"{folder}/decisions")
    found = [one for one in check(text, "site.conf") if one.id == hole.rule]
    assert found
    assert {one.severity for one in found} == {hole.severity}
    assert played(text, hole.attack, backstage, folder), "the attack has to succeed, else the rule is about nothing"


@pytest.mark.parametrize("name", HOLES)
def test_the_mended_configuration_does_not_leak(name: str, backstage: Backstage, folder: Path) -> None:
    hole = HOLES[name]
    text = backstage.filled(hole.good).replace(f"{backstage.folder}/decisions", f"{folder}/decisions")
    assert not played(text, hole.attack, backstage, folder)


@pytest.mark.parametrize("text", [GOOD, UNCACHED], ids=["with a cache", "without a cache"])
def test_the_recommended_configuration_is_blamed_for_nothing(text: str) -> None:
    assert check(filled(text), "site.conf", guarded=("/iiif/", "/media/")) == []


def filled(text: str) -> str:
    return Template(text).substitute(images=8182, app=8000, folder="/srv", secret="let-nginx-in")


def found_in(text: str, *edits: tuple[str, str], guarded: tuple[str, ...] = ()) -> list[Finding]:
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return check(filled(text), "site.conf", guarded=guarded)


def ids(findings: list[Finding]) -> set[str]:
    return {one.id for one in findings}


def test_what_a_map_captures_is_known_to_come_from_what_it_looks_at() -> None:
    assert found_in(GOOD, (KEY, KEY.replace("iiif_item", "iiif_found"))) == []
    of_cookie = ("map $$request_uri $$iiif_item {", "map $$http_cookie $$iiif_item {")
    assert ids(found_in(GOOD, of_cookie, (KEY, KEY.replace("iiif_item", "iiif_found")))) == {"auth-cache-key"}


@pytest.mark.parametrize(
    ("source", "pattern", "clients"),
    [
        ("$$request_uri", "[a-z0-9]+/[0-9,]+\\.jpg", False),
        ("$$request_uri", ".*", True),
        ("$$request_uri", "[^?]+", True),
        ("$$request_uri", "[a-z./]+", True),
        ("$$uri", "[a-z0-9]+", True),
    ],
)
def test_what_a_strict_grammar_takes_from_the_address_as_sent_may_be_fetched(
    source: str, pattern: str, clients: bool
) -> None:
    table = f'map {source} $$rest {{ default ""; "~^/iiif/[a-z]+/(?<part>{pattern})$$" $$part; }}\n'
    found = found_in(table + GOOD, (FETCH, "proxy_pass http://images/g/$$upstream_http_x_iiif_source/$$rest;"))
    assert ids(found) == ({"client-path"} if clients else set())


def test_a_finding_is_at_its_line() -> None:
    text = filled(GOOD.replace(DOOR, DOOR + "        satisfy any;\n"))
    [found] = check(text, "site.conf")
    assert (found.id, found.file, found.line) == ("satisfy-any", "site.conf", next(lines_with(text, "satisfy any")))


@pytest.mark.parametrize(
    ("edits", "rule"),
    [
        (((KEY, '"$$http_cookie|$$iiif_token|$$iiif_item"'),), "auth-cache-key"),
        (((KEY, '"$$http_cookie|$$remote_addr|$$iiif_token|$$request_uri"'),), "auth-cache-per-tile"),
        ((("proxy_cache_lock off", "proxy_cache_lock on"),), "auth-cache-lock"),
        ((("proxy_read_timeout 1s", "proxy_read_timeout 60s"),), "auth-timeouts"),
        ((("        proxy_connect_timeout 500ms;\n", ""),), "auth-timeouts"),
        ((add("        proxy_cache_lock off;\n", "proxy_cache_background_update on;"),), "auth-cache-stale"),
    ],
    ids=["address", "tile", "lock", "long", "missing", "background"],
)
def test_what_costs_time_or_is_seldom_is_found_too(edits: tuple[tuple[str, str], ...], rule: str) -> None:
    assert ids(found_in(GOOD, *edits)) == {rule}


@pytest.mark.parametrize(
    "harmless",
    [
        "location = /favicon.ico { log_not_found off; }",
        "location ~ ^/(static|assets)/ { expires 30d; }",
        "location /pictures/ { proxy_pass http://127.0.0.1:9999/open/; }",
        "location /docs/ { alias /srv/www/; }",
        "location ^~ /iiif/logo/ { return 204; }",
        "location = /iiif/about { proxy_pass http://application; proxy_set_header X-Forwarded-For $$remote_addr; }",
        "location /old/ { rewrite ^/old/(.*)$$ /iiif/$$1 last; }",
        "location /gone/ { alias /srv/media/; deny all; }",
        f"location ^~ /raw/ {{ internal; proxy_pass http://images/; {BLANK} }}",
    ],
)
def test_harmless_places_beside_guarded_ones_are_not_blamed(harmless: str) -> None:
    assert found_in(GOOD, add(AFTER, harmless)) == []


def test_a_regular_expression_that_can_not_fit_does_not_win() -> None:
    found = found_in(GOOD, (DOOR, DOOR.replace("^~ ", "")), add(AFTER, "location ~ ^/(css|js)/ { root /srv/www; }"))
    assert ids(found) == {"missing-caret"}


def test_a_redirect_to_https_is_no_open_door() -> None:
    other = "server { listen 8080; return 301 https://$$host$$request_uri; location / { proxy_pass http://images; } }\n"
    assert found_in(GOOD + other) == []


def test_another_server_with_the_same_images_is_found() -> None:
    other = "server { listen 8080; location / { proxy_pass http://images; } }\n"
    assert ids(found_in(GOOD + other)) == {"shared-upstream", "forwards-credentials"}


def test_a_server_whose_own_folder_holds_the_files_is_found() -> None:
    assert ids(found_in(GOOD + "server { listen 8080; root $folder; }\n")) == {"shared-root"}


def test_paths_that_nobody_guards_are_found() -> None:
    assert ids(found_in(GOOD, add(AFTER, "location /more/ { alias /srv/more/; }"), guarded=("/more/",))) == {
        "guard-missing"
    }
    assert ids(check("server { listen 80; root /srv; }", "site.conf", guarded=("/more/",))) == {"guard-missing"}


def test_paths_with_encoded_characters_are_looked_for_as_nginx_reads_them() -> None:
    place = 'location ^~ "/médias/" { %s alias /srv/more/; }'
    assert ids(found_in(GOOD, add(AFTER, place % ""), guarded=("/m%C3%A9dias/",))) == {"guard-missing"}
    kept = 'location ^~ "/médias/" { auth_request /_iiif_auth; root /srv/more; try_files /$$upstream_http_x_iiif_file =404; }'
    assert found_in(GOOD, add(AFTER, kept), guarded=("/m%C3%A9dias/",)) == []


def test_paths_that_the_application_guards_itself_are_not_blamed() -> None:
    assert found_in(GOOD, guarded=("/films/",)) == []


def test_x_accel_alone_is_a_guard() -> None:
    text = "server { location / { proxy_pass http://127.0.0.1:8000; } location ^~ /protected/ { internal; alias /srv/media/; } }"
    assert check(text, "site.conf", guarded=("/media/",)) == []
    assert ids(check(text.replace("internal;", ""), "site.conf", guarded=("/media/",))) >= {"accel-not-internal"}


def test_a_signed_location_that_nginx_checks_is_a_guard() -> None:
    signed = (
        "location ^~ /edge/ { secure_link $$arg_md5; secure_link_md5 'k$$uri'; if ($$secure_link != '1') { return 403; }\n"
        f"{LIMIT} proxy_pass http://images/g/; {BLANK} }}\n"
    )
    assert found_in(GOOD, add(AFTER, signed)) == []
    assert ids(found_in(GOOD, add(AFTER, signed.replace("return 403;", "")))) == {"shared-upstream"}


def test_a_link_that_is_judged_outside_of_the_location_is_no_guard() -> None:
    signed = (
        "location ^~ /edge/ { secure_link $$arg_md5; secure_link_md5 'k'; if ($$secure_link != '1') { return 403; }\n"
        f"location ~ jpg {{ {LIMIT} proxy_pass http://images; {BLANK} }} }}\n"
    )
    assert ids(found_in(GOOD, add(AFTER, signed))) == {"shared-upstream"}


FASTCGI = """\
server {
    location ^~ /older/ {
        limit_except GET HEAD OPTIONS { deny all; }
        auth_request /_auth;
        auth_request_set $up $upstream_http_x_iiif_upstream;
        fastcgi_pass 127.0.0.1:9000;
        fastcgi_param REQUEST_METHOD $request_method;
        fastcgi_param QUERY_STRING IIIF=$up;
        fastcgi_param HTTP_COOKIE "";
        fastcgi_param HTTP_AUTHORIZATION "";
    }
    location = /_auth {
        internal;
        uwsgi_pass unix:/run/app.sock;
        include uwsgi_params;
        uwsgi_pass_request_body off;
        uwsgi_pass_request_headers off;
        uwsgi_param HTTP_COOKIE $http_cookie;
        uwsgi_param HTTP_X_IIIF_AUTH_SECRET let-nginx-in;
        uwsgi_param HTTP_X_IIIF_BASE "";
        uwsgi_param HTTP_X_ORIGINAL_URI $request_uri;
        uwsgi_param HTTP_X_ORIGINAL_METHOD $request_method;
        uwsgi_param HTTP_X_FORWARDED_FOR $remote_addr;
        uwsgi_connect_timeout 500ms;
        uwsgi_read_timeout 1s;
    }
}
"""


def test_fastcgi_and_uwsgi_are_understood() -> None:
    assert check(FASTCGI, "site.conf", guarded=("/older/",)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ('fastcgi_param HTTP_COOKIE "";', "", "forwards-credentials"),
        ("IIIF=$up", "$query_string", "client-path"),
        ("uwsgi_param HTTP_X_ORIGINAL_URI $request_uri;", "", "auth-original"),
        ("uwsgi_pass_request_headers off;", "", "auth-conditional"),
        ("uwsgi_read_timeout 1s;", "", "auth-timeouts"),
        ('HTTP_X_IIIF_BASE "";', "HTTP_X_IIIF_BASE $http_x_iiif_base;", "auth-base"),
        ("limit_except GET HEAD OPTIONS", "limit_except GET POST", "methods-open"),
    ],
)
def test_fastcgi_and_uwsgi_are_judged_as_well(old: str, new: str, rule: str) -> None:
    assert ids(check(FASTCGI.replace(old, new), "site.conf")) == {rule}


BASE_LINE = 'proxy_set_header X-IIIF-Base "";'


@pytest.mark.parametrize(
    ("edits", "severities"),
    [
        ((), set()),
        (((BASE_LINE, ""),), {Severity.ERROR}),
        (((BASE_LINE, "proxy_set_header X-IIIF-Base $$http_x_iiif_base;"),), {Severity.ERROR}),
        ((("    listen 80;\n", "    listen 80; server_name open.example.org;\n"),), {Severity.ERROR}),
        (
            (
                ("    listen 80;\n", "    listen 80; server_name open.example.org;\n"),
                (BASE_LINE, f"proxy_set_header X-IIIF-Base {ELSEWHERE};"),
            ),
            set(),
        ),
        ((("    listen 80;\n", "    listen 80; server_name library.example.org;\n"),), set()),
        (((BASE_LINE, "proxy_set_header X-IIIF-Base $$iiif_site;"),), set()),
    ],
    ids=["said", "missing", "passed on", "another site's", "its own", "this site", "by a map"],
)
def test_where_doors_are_on_several_sites_the_check_is_told_which(edits, severities) -> None:
    text = GOOD
    for old, new in edits:
        assert text.count(old) == 1
        text = text.replace(old, new)
    table = "map $host $iiif_site { default ''; open.example.org https://open.example.org; }\n"
    found = check(table + filled(text), "site.conf", bases=(ELSEWHERE,))
    assert ids(found) == ({"auth-base"} if severities else set())
    assert {one.severity for one in found} == severities


def test_a_file_without_any_guard_says_so() -> None:
    [found] = check("server { location / { proxy_pass http://127.0.0.1:8000; } }", "site.conf")
    assert (found.id, found.severity) == ("nothing-guarded", Severity.NOTE)


def test_includes_are_read_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "snippets").mkdir()
    door = "location ^~ /iiif/ {\n satisfy any;\n auth_request /_auth;\n}\n"
    (tmp_path / "snippets" / "door.conf").write_text(door, encoding="utf-8")
    text = "server {\n include snippets/*.conf;\n include snippets/lost.conf;\n}\n"
    found = check(text, "site.conf", folder=tmp_path / "sites")
    places = {(one.id, Path(one.file).name, one.line) for one in found}
    assert {("satisfy-any", "door.conf", 2), ("unread-include", "site.conf", 3)} <= places
    assert ids(check(text, "site.conf")) == {"unread-include", "nothing-guarded"}

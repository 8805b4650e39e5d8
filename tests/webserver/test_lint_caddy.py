"""The holes that are known in Caddyfiles: found where they are, and shown on a real Caddy where they let something out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest

from iiif_auth.webserver.findings import Finding, Severity
from iiif_auth.webserver.lint import check
from tests.webserver.backstage import CANARY, ELSEWHERE, READER, Backstage, decided
from tests.webserver.caddy import Caddy
from tests.webserver.nginx import Reply, asked

ASK = """\
		forward_auth 127.0.0.1:$app {
			uri /check
			header_up X-IIIF-Auth-Secret $secret
			header_up -X-IIIF-Base
			header_up X-Original-URI {http.request.orig_uri}
			header_up X-Original-Method {http.request.orig_method}
			header_up -If-None-Match
			header_up -If-Modified-Since
			header_up -Range
			copy_headers X-IIIF-Upstream X-IIIF-File X-IIIF-Cache
			transport http {
				dial_timeout 500ms
				response_header_timeout 1s
			}
		}
"""
METHODS = "\t\t@other not method GET HEAD OPTIONS\n\t\trespond @other 405\n"
STRIP = "\t\trequest_header -X-IIIF-Upstream\n"
PROXY = "\t\treverse_proxy 127.0.0.1:$images {\n\t\t\theader_up -Cookie\n\t\t\theader_up -Authorization\n\t\t}\n"
FETCH = "\t\trewrite * /g{header.X-IIIF-Upstream}\n"
CACHE = "\t\theader Cache-Control {header.X-IIIF-Cache}\n"
GOOD = f"""\
http://site {{
	route /iiif/* {{
{METHODS}{STRIP}{ASK}{FETCH}{CACHE}{PROXY}	}}
	route /media/* {{
		request_header -X-IIIF-File
{ASK}		root * $folder/media
		rewrite * /{{header.X-IIIF-File}}
		file_server
	}}
	handle /static/* {{
		root * $folder
		file_server
	}}
	reverse_proxy 127.0.0.1:$app
}}
"""
END = "\treverse_proxy 127.0.0.1:$app\n}\n"
SECRET_TILE, OPEN_TILE = "/iiif/secret/full/max/0/x.jpg", "/iiif/open/full/max/0/x.jpg"


@dataclass(frozen=True, slots=True)
class Stage:
    caddy: Caddy
    behind: Backstage

    def ask(self, target: str = SECRET_TILE, method: str = "GET", headers: dict[str, str] | None = None) -> Reply:
        return asked(self.caddy.url, target, method, headers)


Attack = Callable[[Stage], bool]


def canary(target: str = SECRET_TILE, headers: dict[str, str] | None = None) -> Attack:
    return lambda stage: CANARY in stage.ask(target, headers=headers).body


def status(wanted: int, headers: dict[str, str] | None = None) -> Attack:
    return lambda stage: stage.ask(headers=headers).status == wanted


def cookie_arrives(stage: Stage) -> bool:
    stage.ask(headers=READER)
    return any("cookie" in one.headers for one in stage.behind.images.seen)


def post_arrives(stage: Stage) -> bool:
    stage.ask(method="POST", headers=READER)
    return any(one.method == "POST" for one in stage.behind.images.seen)


def while_the_application_is_down(stage: Stage) -> bool:
    return CANARY in stage.ask().body


@dataclass(frozen=True, slots=True)
class Hole:
    rule: str
    edits: tuple[tuple[str, str], ...]
    attack: Attack
    severity: Severity = Severity.ERROR

    @property
    def text(self) -> str:
        text = GOOD
        for old, new in self.edits:
            assert old in text
            text = text.replace(old, new, 1)
        return text


HOLES = {
    "content before the check": Hole(
        "handler-first", ((METHODS + STRIP + ASK + FETCH + CACHE + PROXY, PROXY + ASK),), canary()
    ),
    "a check for less than what is delivered": Hole(
        "matcher-uncovered",
        ((STRIP + ASK, STRIP + ASK.replace("forward_auth", "forward_auth /iiif/small/*")), (FETCH, "")),
        canary(),
    ),
    "an exception that is decided by the path": Hole(
        "matcher-exception",
        (
            ("\troute /iiif/* {\n", "\troute /iiif/* {\n\t\t@guarded not path *.jpg\n"),
            (STRIP + ASK, STRIP + ASK.replace("forward_auth", "forward_auth @guarded")),
            (FETCH, ""),
        ),
        canary(),
    ),
    "the client's path": Hole(
        "client-path",
        ((FETCH, ""),),
        lambda stage: stage.ask(OPEN_TILE) and stage.behind.images.seen[-1].target == OPEN_TILE,
    ),
    "another way to the image server": Hole(
        "shared-upstream",
        ((END, "\thandle /pictures/* {\n\t\treverse_proxy 127.0.0.1:$images\n\t}\n" + END),),
        canary("/pictures/secret/x"),
    ),
    "another way to the files": Hole(
        "shared-root",
        ((END, "\thandle_path /films/* {\n\t\troot * $folder/media\n\t\tfile_server\n\t}\n" + END),),
        canary("/films/secret.mp4"),
    ),
    "a folder around the files": Hole(
        "shared-root",
        ((END, "\thandle_path /all/* {\n\t\troot * $folder\n\t\tfile_server\n\t}\n" + END),),
        canary("/all/media/secret.mp4"),
    ),
    "cookies for the image server": Hole("forwards-credentials", (("\t\t\theader_up -Cookie\n", ""),), cookie_arrives),
    "every method": Hole("methods-open", ((METHODS, ""),), post_arrives, Severity.WARNING),
    "an address of the client's choice": Hole(
        "auth-original",
        (("\t\t\theader_up X-Original-URI {http.request.orig_uri}\n", ""),),
        status(200, {"X-Original-URI": OPEN_TILE}),
    ),
    "a site of the client's choice": Hole(
        "auth-base",
        (("\t\t\theader_up -X-IIIF-Base\n", ""),),
        canary(headers={"X-IIIF-Base": ELSEWHERE}),
        Severity.WARNING,
    ),
    "a site that the client's header names": Hole(
        "auth-base",
        (("header_up -X-IIIF-Base\n", "header_up X-IIIF-Base {http.request.header.X-IIIF-Base}\n"),),
        canary(headers={"X-IIIF-Base": ELSEWHERE}),
        Severity.WARNING,
    ),
    "an address that everybody may write": Hole(
        "trusted-proxies",
        (("\t\t\turi /check\n", "\t\t\turi /check\n\t\t\ttrusted_proxies 0.0.0.0/0\n"),),
        canary(headers={"X-Forwarded-For": "10.0.0.1"}),
    ),
    "a header of the client's": Hole(
        "forwarded-for-open",
        (
            (
                "\t\t\turi /check\n",
                "\t\t\turi /check\n\t\t\theader_up X-Forwarded-For {http.request.header.X-Forwarded-For}\n",
            ),
        ),
        canary(headers={"X-Forwarded-For": "10.0.0.1"}),
    ),
    "errors that are answered with the picture": Hole(
        "error-page-content",
        (
            ("forward_auth 127.0.0.1:$app", "forward_auth 127.0.0.1:1"),
            (END, "\thandle_errors {\n\t\treverse_proxy 127.0.0.1:$images\n\t}\n" + END),
        ),
        while_the_application_is_down,
    ),
    "a rewrite before the check": Hole(
        "rewrite-first",
        (
            ("\troute /iiif/* {\n", "\thandle_path /iiif/* {\n"),
            ("{http.request.orig_uri}", "{http.request.uri}"),
        ),
        lambda stage: stage.ask() and stage.behind.app.seen[-1].headers.get("x-original-uri") != SECRET_TILE,
    ),
}


def played(text: str, attack: Attack, backstage: Backstage, folder: Path) -> bool:
    backstage.forget()
    backstage.app.answer = decided
    with Caddy(backstage.filled(text), folder) as caddy:
        return attack(Stage(caddy, backstage))


@pytest.mark.parametrize("name", HOLES)
def test_a_hole_leaks_and_is_blamed(name: str, backstage: Backstage, folder: Path) -> None:
    hole = HOLES[name]
    found = [one for one in check(backstage.filled(hole.text), "Caddyfile") if one.id == hole.rule]
    assert found
    assert {one.severity for one in found} == {hole.severity}
    assert played(hole.text, hole.attack, backstage, folder), (
        "the attack has to succeed, else the rule is about nothing"
    )


def test_the_mended_configuration_does_not_leak(backstage: Backstage, folder: Path) -> None:
    for name, hole in HOLES.items():
        assert not played(GOOD, hole.attack, backstage, folder / name), name


def test_the_recommended_configuration_serves_those_who_may(backstage: Backstage, folder: Path) -> None:
    backstage.forget()
    with Caddy(backstage.filled(GOOD), folder) as caddy:
        stage = Stage(caddy, backstage)
        assert stage.ask(headers=READER).body == CANARY
        assert stage.ask(headers=READER).headers["cache-control"] == "private, no-cache"
        assert stage.ask("/media/secret.mp4", headers=READER).body == CANARY
        assert stage.ask("/media/secret.mp4").status == 401


def found_in(text: str, *edits: tuple[str, str], guarded: tuple[str, ...] = ()) -> list[Finding]:
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    filled = Template(text).substitute(images=8182, app=8000, folder="/srv", secret="let-caddy-in")
    return check(filled, "Caddyfile", guarded=guarded)


def ids(findings: list[Finding]) -> set[str]:
    return {one.id for one in findings}


def test_the_recommended_configuration_is_blamed_for_nothing() -> None:
    assert found_in(GOOD, guarded=("/iiif/", "/media/")) == []


def test_where_doors_are_on_several_sites_a_site_of_the_clients_choice_is_a_hole() -> None:
    text = GOOD.replace("\t\t\theader_up -X-IIIF-Base\n", "")
    assert {(one.id, one.severity) for one in check(text, "Caddyfile", bases=(ELSEWHERE,))} == {
        ("auth-base", Severity.ERROR)
    }
    said = GOOD.replace("header_up -X-IIIF-Base", f"header_up X-IIIF-Base {ELSEWHERE}")
    for fine in (GOOD, said):
        assert check(fine, "Caddyfile", bases=(ELSEWHERE,)) == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("\t\t\theader_up X-IIIF-Auth-Secret $secret\n", "", "auth-secret"),
        ("\t\t\theader_up -Range\n", "", "auth-conditional"),
        ("\t\t\t\tresponse_header_timeout 1s\n", "", "auth-timeouts"),
        (STRIP, "", "copied-header"),
        (CACHE, '\t\theader Cache-Control "public, max-age=3600"\n', "public-cache"),
        (CACHE, "\t\theader Access-Control-Allow-Credentials true\n", "cors-credentials"),
        (
            "http://site",
            "{\n\tservers {\n\t\ttrusted_proxies static private_ranges\n\t}\n}\nhttp://site",
            "trusted-proxies",
        ),
        (END, "\timport elsewhere\n" + END, "unread-include"),
    ],
)
def test_what_lets_nobody_in_by_itself_is_found_too(old: str, new: str, rule: str) -> None:
    assert ids(found_in(GOOD, (old, new))) == {rule}


def test_paths_that_nobody_guards_are_found() -> None:
    more = "\thandle /more/* {\n\t\troot * /srv/more\n\t\tfile_server\n\t}\n"
    assert ids(found_in(GOOD, (END, more + END), guarded=("/more/",))) == {"guard-missing"}
    assert found_in(GOOD, guarded=("/films/",)) == []


def test_snippets_stand_where_they_are_imported() -> None:
    snippet = "(ask) {\n" + ASK.replace("$app", "{args.0}") + "}\n"
    text = snippet.replace("127.0.0.1:{args.0}", "{args.0}") + GOOD.replace(ASK, "\t\timport ask 127.0.0.1:$app\n")
    assert found_in(text) == []
    assert ids(found_in(text, ("\t\t\theader_up X-IIIF-Auth-Secret $secret\n", ""))) == {"auth-secret"}


def test_files_that_the_application_sends_by_accel_are_guarded() -> None:
    text = """\
example.org {
	reverse_proxy 127.0.0.1:8000 {
		@accel header X-Accel-Redirect *
		handle_response @accel {
			root * /srv/media
			rewrite * {http.reverse_proxy.header.X-Accel-Redirect}
			file_server
		}
	}
}
"""
    assert check(text, "Caddyfile") == []
    open_too = text + "files.example.org {\n\troot * /srv/media\n\tfile_server\n}\n"
    assert ids(check(open_too, "Caddyfile")) == {"shared-root"}


def test_a_file_without_any_guard_says_so() -> None:
    [found] = check("example.org\n\nreverse_proxy 127.0.0.1:8000\n", "Caddyfile")
    assert (found.id, found.severity) == ("nothing-guarded", Severity.NOTE)

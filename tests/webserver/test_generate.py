"""What ``iiif_webserver`` prints and refuses to print, with real servers before peers that remember what they saw."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from iiif_auth.enforce import doors
from iiif_auth.webserver import caddy_config, generate, nginx_config
from iiif_auth.webserver.generate import Mode, NotPrintable, Place
from iiif_auth.webserver.lint import check
from tests import servers
from tests.webserver import caddy
from tests.webserver.caddy import Caddy
from tests.webserver.nginx import Nginx, Peer, Reply, Request, asked

SECRET = "a-secret-of-these-tests-in-32-letters"
COOKIE, TWIN = "__Host-iiif_access", "__Host-iiif_twin"
MACHINE = "__Host-iiif_device"
READER, OTHER = "r" * 43, "o" * 43
TILE = "full/max/0/default.jpg"
HTTP = Place(listen="127.0.0.1:8080")


def doors_at(images: str = "127.0.0.1:8182", folder: str = "/srv") -> tuple[dict[str, Any], ...]:
    """A door of every kind."""
    return (
        {"name": "images", "path": "/iiif/image/3/", "serves": "image-3", "upstream": f"http://{images}/iiif/3/"},
        {"name": "older-ones", "path": "/iiif/image/2/", "serves": "image-2", "upstream": f"http://{images}/iiif/2/"},
        {"name": "media", "path": "/media/", "serves": "files", "root": f"{folder}/media/"},
        {"name": "inner", "path": "/media/inner/", "serves": "files", "upstream": f"http://{images}/x/"},
        {"name": "caves", "path": "/m%C3%A9dias/", "serves": "files", "root": f"{folder}/caves/"},
        {"name": "films", "path": "/films/", "serves": "folders", "root": f"{folder}/films/", "depth": 2},
        {"name": "reels", "path": "/reels/", "serves": "folders", "upstream": f"http://{images}/reels/"},
    )


@pytest.fixture
def flow(settings):
    """Settings from which a configuration can be printed; called with those that are to be otherwise."""

    def set_to(**values: Any) -> None:
        usual = {
            "BASE_URL": "https://library.example.org",
            "DOORS": doors_at(),
            "CHECK_SECRET": SECRET,
            "TRUSTED_PROXIES": 1,
            "EDGE_KEYS": {"k1": "a-key-for-the-edge-of-it-in-32-letters"},
            "SEND_FILE": "/_iiif_files/",
            "SEND_UPSTREAM": "/_iiif_up/",
        }
        settings.IIIF_AUTH_FLOW = {**usual, **values}

    set_to()
    return set_to


# -- Refusing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "place", "word"),
    [
        ({"DOORS": ()}, HTTP, "There are no DOORS"),
        ({"BASE_URL": ""}, HTTP, "BASE_URL"),
        ({"CHECK_SECRET": ""}, HTTP, "CHECK_SECRET"),
        ({"CHECK_SECRET": "short"}, HTTP, "CHECK_SECRET"),
        ({"CHECK_SECRET": 'x"; return 200; #' * 2}, HTTP, "CHECK_SECRET"),
        ({"CHECK_SECRET": "$http_x_and_what_follows"}, HTTP, "CHECK_SECRET"),
        ({"TRUSTED_PROXIES": 0}, HTTP, "TRUSTED_PROXIES"),
        ({"TRUSTED_PROXIES": 2}, HTTP, "TRUSTED_PROXIES"),
        ({"EDGE_KEYS": {"k1": "$arg_key_and_more"}}, HTTP, "EDGE_KEYS"),
        ({"EDGE_KEYS": {"K 1": "a-key-for-the-edge-of-it-in-32-letters"}}, HTTP, "EDGE_KEYS"),
        ({"SEND_UPSTREAM": ""}, Place(listen="127.0.0.1:1", mode=Mode.X_ACCEL), "SEND_UPSTREAM"),
        ({"SEND_FILE": ""}, Place(listen="127.0.0.1:1", mode=Mode.X_ACCEL), "SEND_FILE"),
        ({"SEND_FILE": "/x y/"}, Place(listen="127.0.0.1:1", mode=Mode.X_ACCEL), "SEND_FILE"),
        ({"DOORS": doors_at(folder='/srv/"; }')}, HTTP, "root"),
        ({}, Place(), "--certificate"),
        ({}, Place(certificate="/etc/x.pem"), "--certificate"),
        ({}, Place(listen="127.0.0.1:1", certificate="/a", key="/b"), "either --listen"),
        ({}, Place(listen="8080; }"), "--listen"),
        ({}, Place(listen="127.0.0.1:1", names="a; b"), "--server-name"),
        ({}, Place(listen="127.0.0.1:1", app="http://x/"), "--app"),
        ({}, Place(listen="127.0.0.1:1", checker="127.0.0.1:1; }"), "--checker"),
        ({}, Place(listen="127.0.0.1:1", checker="127.0.0.1:8001", mode=Mode.X_ACCEL), "--checker"),
        *(
            ({}, Place(listen="127.0.0.1:1", inner=one), "--inner")
            for one in ("0.0.0.0:8184", "8184", "127.0.0.1", "*:8184")
        ),
        ({}, Place(listen="127.0.0.1:1", bytes="much"), "--cache-bytes"),
        ({}, Place(listen="127.0.0.1:1", folder="/var/$uri"), "in full"),
        ({}, Place(listen="127.0.0.1:1", logs="logs"), "in full"),
    ],
)
def test_what_would_not_be_safe_or_would_not_start_is_not_printed(flow, values, place, word):
    flow(**values)
    with pytest.raises(NotPrintable, match=re.escape(word)):
        generate.plan(place)


def test_without_the_urls_of_the_app_there_is_no_check_to_ask(flow, settings):
    settings.ROOT_URLCONF = "tests.webserver.test_generate"
    with pytest.raises(NotPrintable, match=re.escape("iiif_auth.urls")):
        generate.plan(HTTP)


urlpatterns: list[Any] = []
"""Of a site that does not include the app."""


# -- The command --------------------------------------------------------------------------------------------------


def said(*words: str) -> str:
    out = StringIO()
    call_command("iiif_webserver", *words, stdout=out)
    return out.getvalue()


def test_the_command_prints_either(flow):
    assert 'location ^~ "/iiif/image/3/" {' in said("nginx", "--listen", "127.0.0.1:8080")
    assert "handle `/iiif/image/3/*` {" in said("caddy", "--listen", "127.0.0.1:8080")
    assert "server_name one.example.org two.example.org;" in said(
        "nginx", "--listen", "127.0.0.1:8080", "--server-name", "one.example.org two.example.org"
    )


def test_the_command_says_what_is_missing(flow):
    flow(CHECK_SECRET="")
    with pytest.raises(CommandError, match="CHECK_SECRET"):
        said("nginx", "--listen", "127.0.0.1:8080")
    flow(DOORS=({"name": "x"},))
    with pytest.raises(CommandError, match="DOORS"):
        said("caddy", "--listen", "127.0.0.1:8080")


def test_the_command_checks_a_file(flow, tmp_path):
    file = tmp_path / "library.conf"
    file.write_text(
        "server { listen 80; location /iiif/ { satisfy any; allow all; auth_request /a; proxy_pass http://x; } }"
    )
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("iiif_webserver", "check", str(file), stdout=out)
    assert ended.value.code == 1
    assert f"{file}:1" in out.getvalue()
    with pytest.raises(SystemExit):
        call_command("iiif_webserver", "check", str(file), "--json", stdout=(told := StringIO()))
    assert json.loads(told.getvalue())["errors"] > 0


def test_the_command_finds_nothing_in_what_it_prints_itself(flow, tmp_path):
    for way in ("nginx", "caddy"):
        file = tmp_path / ("nginx.conf" if way == "nginx" else "Caddyfile")
        file.write_text(said(way, "--listen", "127.0.0.1:8080"))
        assert said("check", str(file)) == "No known hole was found.\n"


def test_the_command_knows_which_sites_the_doors_are_on(flow, tmp_path):
    flow(DOORS=(*doors_at(), ELSEWHERE))
    printed, file = said("nginx", "--listen", "127.0.0.1:8080"), tmp_path / "nginx.conf"
    file.write_text(printed)
    assert said("check", str(file)) == "No known hole was found.\n"
    line = f'proxy_set_header X-IIIF-Base "{ELSEWHERE["base"]}";'
    assert printed.count(line) == 1
    file.write_text(printed.replace(line, 'proxy_set_header X-IIIF-Base "";'))
    with pytest.raises(SystemExit):
        call_command("iiif_webserver", "check", str(file), stdout=(out := StringIO()))
    assert "auth-base" in out.getvalue()
    assert ELSEWHERE["base"] in out.getvalue()


@pytest.mark.parametrize("content", [b"server {", b"\xff\xfe", b"x" * 5_000_001, b"\x00"])
def test_a_file_that_is_no_configuration_is_told_so_in_a_sentence(flow, tmp_path, content):
    file = tmp_path / "nginx.conf"
    file.write_bytes(content)
    with pytest.raises(CommandError):
        said("check", str(file))
    with pytest.raises(CommandError, match="could not be read"):
        said("check", str(tmp_path / "none.conf"))


# -- Starting -----------------------------------------------------------------------------------------------------

ELSEWHERE = {
    "name": "abroad",
    "path": "/iiif/image/3/",
    "serves": "image-3",
    "upstream": "https://images.example.org/x/",
    "base": "https://images.example.org",
}
VARIANTS = {
    "usual": ({}, {}),
    "fragment": ({}, {"fragment": True}),
    "x-accel": ({}, {"mode": Mode.X_ACCEL}),
    "nothing kept": ({"CHECK_CACHE_SECONDS": 0}, {}),
    "bytes kept": ({}, {"bytes": "10m"}),
    "whole cookie": ({}, {"whole_cookie": True}),
    "no edge": ({"EDGE_KEYS": {}}, {}),
    "socket": ({}, {"app": "unix:/run/library.sock"}),
    "a checker": ({}, {"checker": "127.0.0.1:8001"}),
    "a checker at a socket": ({}, {"checker": "unix:/run/check.sock"}),
    "one door": ({"DOORS": doors_at()[:1]}, {}),
    "files alone": ({"DOORS": doors_at()[2:3]}, {}),
    "files from afar alone": ({"DOORS": doors_at()[3:4]}, {}),
    "folders alone": ({"DOORS": doors_at()[5:6]}, {}),
    "folders from afar alone": ({"DOORS": doors_at()[6:]}, {}),
    "files alone, x-accel": ({"DOORS": doors_at()[2:3]}, {"mode": Mode.X_ACCEL}),
    "fastcgi": ({"DOORS": ({**doors_at()[1], "upstream": "fastcgi://127.0.0.1:9000/iiif/"},)}, {"bytes": "1g"}),
}


def bases() -> tuple[str, ...]:
    """The other sites that doors are on."""
    return tuple({door.base for door in doors.doors() if door.base})


@pytest.mark.parametrize("variant", VARIANTS)
def test_nginx_and_the_linter_accept_every_variant(flow, folder, variant):
    values, options = VARIANTS[variant]
    flow(**values)
    folder.mkdir()
    text = nginx_config.printed(
        generate.plan(Place(listen="127.0.0.1:1", folder=str(folder), logs=str(folder), **options))
    )
    with Nginx(text, folder) as nginx:
        assert asked(nginx.url, "/iiif/image/3/chart/full/max/0/nonsense").status in (400, 502)
        assert "[warn]" not in nginx.log
        assert "[emerg]" not in nginx.log
    assert check(text, "nginx.conf", guarded=tuple(door.path for door in doors.doors()), bases=bases()) == []


@pytest.mark.parametrize("variant", ["usual", "no edge", "socket", "a checker", "one door", "fastcgi"])
def test_caddy_and_the_linter_accept_every_variant(flow, tmp_path, variant):
    values, options = VARIANTS[variant]
    flow(**values)
    text = caddy_config.printed(generate.plan(Place(**{"listen": "127.0.0.1:1", **options, "bytes": ""})))
    assert validated(text, tmp_path)
    assert check(text, "Caddyfile", guarded=tuple(door.path for door in doors.doors()), bases=bases()) == []


def validated(text: str, folder: Path) -> bool:
    file = folder / "Caddyfile"
    file.write_text(text)
    command = [caddy.program(), "validate", "--config", str(file), "--adapter", "caddyfile"]
    home = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, env=home, capture_output=True, text=True, check=False)
    assert "Valid configuration" in done.stdout + done.stderr, done.stderr[-2000:]
    return True


@pytest.fixture
def certificate(tmp_path) -> tuple[str, str]:
    """One that its maker alone believes in."""
    program = shutil.which("openssl")
    if program is None:
        servers.missing("openssl is not installed (Debian: apt-get install openssl).")
    names = str(tmp_path / "own.pem"), str(tmp_path / "own.key")
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=library.example.org", "-days", "2"]
    subprocess.run([program, *words, "-out", names[0], "-keyout", names[1]], check=True, capture_output=True)
    return names


def test_https_is_served_and_http_leads_there(flow, folder, tmp_path, certificate):
    flow(DOORS=(*doors_at(), {**ELSEWHERE, "upstream": "http://127.0.0.1:9/x/"}))
    folder.mkdir()
    place = Place(certificate=certificate[0], key=certificate[1], folder=str(folder), logs=str(folder))
    text = nginx_config.printed(generate.plan(place))
    with Nginx(text, folder) as nginx:
        plain, secure = (
            next(url for url in nginx.urls.values() if url.startswith(f"{one}:")) for one in ("http", "https")
        )
        moved = asked(plain, "/iiif/image/3/x?y", headers={"Host": "library.example.org"})
        assert (moved.status, moved.headers["location"]) == (308, "https://library.example.org/iiif/image/3/x?y")
        host, port = secure.removeprefix("https://").split(":")
        context = ssl.create_default_context(cafile=certificate[0])
        with (
            socket.create_connection((host, int(port)), timeout=10) as bare,
            context.wrap_socket(bare, server_hostname="library.example.org") as wire,
        ):
            wire.sendall(b"GET /media/.x HTTP/1.0\r\nHost: library.example.org\r\n\r\n")
            assert wire.recv(100).startswith(b"HTTP/1.1 400 ")
    assert "server_name images.example.org;" in text
    assert check(text, "nginx.conf") == []
    assert validated(caddy_config.printed(generate.plan(place)), tmp_path)


# -- In front of peers --------------------------------------------------------------------------------------------


def yes(request: Request) -> tuple[int, dict[str, str], bytes]:
    """A check that lets everybody have everything, as the one parser reads it; so what is refused, the web server refused."""
    if not request.target.endswith("/check"):
        return 200, {"Content-Type": "text/plain"}, b"the application"
    try:
        wanted = doors.asked(request.headers["x-original-uri"])
    except doors.NotCanonical:
        return 200, {"X-IIIF-Source": "odd", "X-IIIF-File": "odd", "X-IIIF-Upstream": "odd", "X-IIIF-Door": "odd"}, b""
    from iiif_auth.policy.types import Rendition

    rendition = Rendition(wanted.uri)
    source = doors.source_of(wanted, rendition)
    told = {
        "X-IIIF-Door": wanted.door.name,
        "X-IIIF-Upstream": doors.upstream_path(wanted, rendition),
        "X-IIIF-Source": doors.quoted(wanted.door, source),
        "X-IIIF-File": "/".join(filter(None, (source, wanted.rest))).encode().decode("latin-1"),
        "X-IIIF-Cache": "private, no-cache",
    }
    return 200, told, b""


def picture(request: Request) -> tuple[int, dict[str, str], bytes]:
    return (
        200,
        {"Content-Type": "image/jpeg", "Set-Cookie": "a=b", "X-Accel-Redirect": "/media/x"},
        request.target.encode(),
    )


@contextmanager
def before(server: str, flow: Any, folder: Path, answer: Any = yes, **options: Any) -> Iterator[tuple[Any, Peer, Peer]]:
    """A web server before an application and an image server that remember what they were asked."""
    folder.mkdir(exist_ok=True)
    with Peer(answer) as app, Peer(picture) as images:
        flow(DOORS=doors_at(f"127.0.0.1:{images.port}", str(folder)), **options)
        place = Place(listen="127.0.0.1:1", app=f"127.0.0.1:{app.port}", folder=str(folder), logs=str(folder))
        plan = generate.plan(place)
        if server == "nginx":
            with Nginx(nginx_config.printed(plan), folder) as nginx:
                yield nginx, app, images
        else:
            with Caddy(caddyfile(plan), folder) as other:
                yield other, app, images


def caddyfile(plan: generate.Plan) -> str:
    """As :class:`Caddy` wants it: global options first, and the site at an address that it chooses."""
    text = caddy_config.printed(plan).replace("http://127.0.0.1:1 {", "http://site {")
    return text[text.index("\n{") + 1 :]


BOTH = pytest.mark.parametrize("server", ["nginx", "caddy"])

PATHS = (
    *(
        f"/iiif/image/3/{name}/{rest}"
        for name in (
            "chart",
            "ark:%2F12%2Fb",
            "maps%2Fa%20b.tif",
            "..",
            ".",
            "a..b",
            "A~b",
            "%41",
            "%2f",
            "a%3Bb",
            "x" * 900,
        )
        for rest in (
            TILE,
            "0,0,10,10/5,/0/gray.png",
            "full/^5,/90/default.jpg",
            "full/max/361/default.jpg",
            "full/05,/0/default.jpg",
        )
    ),
    "/iiif/image/3/chart/full/%5E5,/0/default.jpg",
    "/iiif/image/2/chart/full/full/0/default.jpg",
    "/iiif/image/2/chart/full/^5,/0/default.jpg",
    f"/iiif/image/3/chart/{TILE}?x=1",
    f"/iiif/image/3/chart/{TILE}/",
    f"/iiif/image/3/chart/{TILE}#x",
    f"/iiif/image/3//{TILE}",
    "/media/a.txt",
    "/media/plans/%C3%A9.txt",
    "/media/.x",
    "/media/a/.x/b",
    "/media/a//b",
    "/media/",
    "/media/a/",
    "/media/a%2Fb",
    "/media/inner/a.txt",
    "/media/inner/../a.txt",
    "/m%C3%A9dias/a.txt",
    "/m%c3%a9dias/a.txt",
    "/films/a/b/c.ts",
    "/films/a/b",
    "/films/a/b/low/c.ts",
    "/films/a/../b/c.ts",
    "/reels/a/c.ts",
    "/reels/a/.c",
    "/reels/a%2Fb/c.ts",
)


def is_content(target: str) -> bool:
    try:
        wanted = doors.asked(target)
    except doors.NotCanonical:
        return False
    return wanted.image is not None or wanted.door.serves.version is None


def test_nginx_reads_requests_as_python_does(flow, folder):
    """Whatever the one parser takes for content is asked of the check; and what it refuses is fetched from nowhere."""
    with before("nginx", flow, folder, CHECK_CACHE_SECONDS=0) as (nginx, app, images):
        for target in PATHS:
            app.seen.clear()
            images.seen.clear()
            reply = asked(nginx.url, target)
            asked_check = [one for one in app.seen if one.target == "/iiif-auth/check"]
            if is_content(target):
                assert [one.headers["x-original-uri"] for one in asked_check] == [target], (target, reply)
                path = "/" + target.partition("?")[0].removeprefix("/iiif/image/")
                if images.seen and "%" not in path and path.startswith(("/2", "/3")):
                    assert [one.target for one in images.seen] == [f"/iiif{path}"]
            else:
                fetched = [one.target for one in images.seen if "odd" not in one.target]
                assert not fetched, target
                assert reply.status in (200, 400, 404), (target, reply)
                assert reply.status != 200 or reply.body in (b"the application",) or "odd" in reply.body.decode()


@BOTH
def test_what_was_decided_is_what_is_fetched(flow, folder, server):
    with before(server, flow, folder) as (front, app, images):
        for target, fetched in (
            (f"/iiif/image/3/ark:%2F12%2Fb/{TILE}", f"/iiif/3/ark%3A%2F12%2Fb/{TILE}"),
            (f"/iiif/image/3/maps%2Fa%20b.tif/{TILE}?IIIF=x", f"/iiif/3/maps%2Fa%20b.tif/{TILE}"),
            ("/iiif/image/2/chart/full/full/0/default.jpg", "/iiif/2/chart/full/full/0/default.jpg"),
            ("/media/inner/caf%C3%A9.txt", "/x/caf%C3%A9.txt"),
            ("/reels/market/low/seg-1.ts", "/reels/market/low/seg-1.ts"),
        ):
            images.seen.clear()
            reply = asked(front.url, target, headers={"Cookie": f"{COOKIE}={READER}", "Authorization": "Bearer x"})
            assert (reply.status, reply.body.decode()) == (200, fetched), (target, app.seen)
            told = images.seen[0].headers
            assert not {"cookie", "authorization", "x-iiif-upstream", "x-forwarded-for", "referer"} & set(told), told
            assert "set-cookie" not in reply.headers


@BOTH
def test_only_a_yes_is_yes(flow, folder, server):
    """Redirects, errors, other successes and other doors are no; and when nobody answers, that is no too."""
    answers: list[tuple[int, dict[str, str], bytes]] = []
    good = {
        "X-IIIF-Source": "chart",
        "X-IIIF-Upstream": f"chart/{TILE}",
        "X-IIIF-Door": "images",
        "X-IIIF-File": "chart",
    }

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        return answers[-1]

    with before(server, flow, folder, answer, CHECK_CACHE_SECONDS=0) as (front, app, images):
        target = f"/iiif/image/3/chart/{TILE}"
        answers.append((200, good, b""))
        assert asked(front.url, target).status == 200
        images.seen.clear()
        for status, expected in (
            (401, 401),
            (403, 403),
            (302, 0),
            (304, 0),
            (404, 0),
            (429, 0),
            (500, 503),
            (503, 503),
        ):
            answers.append((status, {**good, "Location": "/media/x"}, b""))
            reply = asked(front.url, target, headers={"If-None-Match": "*"})
            assert reply.status == (expected or reply.status), status
            assert reply.status in (401, 403, 503), status
            assert reply.headers["access-control-allow-origin"] == "*"
            assert "location" not in reply.headers
        app.__exit__(None, None, None)
        assert asked(front.url, target).status == 503
        assert images.seen == []
        app.__enter__()


def test_caddy_believes_no_yes_about_another_door(flow, folder):
    told = {"X-IIIF-Upstream": "a", "X-IIIF-Door": "media"}
    with before("caddy", flow, folder, lambda request: (200, told, b"")) as (front, _app, images):
        assert asked(front.url, f"/iiif/image/3/chart/{TILE}").status == 403
        assert images.seen == []


def told_by(nginx, app, sent: str) -> str:
    """The cookies that the check is told, if the browser sends these."""
    app.seen.clear()
    asked(nginx.url, "/reels/market/index.m3u8", headers={"Cookie": sent})
    (one,) = app.seen
    return one.headers.get("cookie", "")


def test_the_check_is_told_one_cookie_in_one_spelling_or_none(flow, folder):
    with before("nginx", flow, folder, CHECK_CACHE_SECONDS=0) as (nginx, app, _images):
        for sent, told in (
            (f"{COOKIE}={READER}", READER),
            (f"a=b; {COOKIE}={READER}; c=d", READER),
            (f"{COOKIE}={READER}; {COOKIE}={OTHER}", ""),
            (f"{COOKIE}={READER}; {COOKIE} ={OTHER}", ""),
            (f"{COOKIE}={READER};\t{COOKIE}={OTHER}", ""),
            (f"{COOKIE}={READER},{COOKIE}={OTHER}", ""),
            (f"{COOKIE}={READER}x", ""),
            (f"x{COOKIE}={READER}", ""),
            (f'{COOKIE}="{READER}"', ""),
            (f"a={COOKIE}={READER}", ""),
            (f"{COOKIE.lower()}={READER}", ""),
        ):
            assert told_by(nginx, app, sent) == (f"{COOKIE}={told}" if told else ""), sent


def test_the_check_is_told_of_an_enrolled_machine_beside_the_reader_or_alone(flow, folder):
    reader, machine = f"{COOKIE}={READER}", f"{MACHINE}={OTHER}"
    with before("nginx", flow, folder, CHECK_CACHE_SECONDS=0) as (nginx, app, _images):
        for sent, told in (
            (machine, machine),
            (f"a=b; {machine}; c=d", machine),
            (f"{machine}; {reader}", f"{reader}; {machine}"),
            (f"{reader}; x=y; {machine}", f"{reader}; {machine}"),
            (f"{machine}; {reader}; {machine}", reader),
            (f"{reader}; {machine}; {reader}", machine),
            (f"{machine}; {MACHINE} =x", ""),
            (f"{machine}x", ""),
            (f"x{machine}", ""),
        ):
            assert told_by(nginx, app, sent) == told, sent


def test_what_is_kept_for_a_machine_is_kept_for_no_other(flow, folder):
    """The key of what is kept holds the machine's cookie: with the same reader elsewhere, the check is asked again."""
    reader, machine = f"{COOKIE}={READER}", f"{MACHINE}={OTHER}"
    with before("nginx", flow, folder, CHECK_CACHE_SECONDS=2) as (nginx, app, _images):
        for sent in (machine, f"{reader}; {machine}", reader, ""):
            before_it = len(app.seen)
            asked(nginx.url, "/reels/market/index.m3u8", headers={"Cookie": sent} if sent else {})
            assert len(app.seen) == before_it + 1, sent


def test_the_check_is_told_a_twin_where_no_access_cookie_was_sent(flow, folder):
    with before("nginx", flow, folder, CHECK_CACHE_SECONDS=0) as (nginx, app, _images):
        for sent, told in (
            (f"{TWIN}={READER}", f"{TWIN}={READER}"),
            (f"a=b; {TWIN}={READER}; c=d", f"{TWIN}={READER}"),
            (f"{TWIN}={OTHER}; {COOKIE}={READER}", f"{COOKIE}={READER}"),
            (f"{COOKIE}={READER}x; {TWIN}={OTHER}", ""),
            (f"{TWIN}={OTHER}; {COOKIE}=", ""),
            (f"{COOKIE}={READER}; {COOKIE}={OTHER}; {TWIN}={OTHER}", ""),
            (f"{TWIN}={READER}; {TWIN}={OTHER}", ""),
            (f"{TWIN}={READER}; {TWIN} ={OTHER}", ""),
            (f"{TWIN}={READER}x", ""),
            (f"x{TWIN}={READER}", ""),
        ):
            assert told_by(nginx, app, sent) == told, sent


def test_with_a_domain_of_cookies_the_check_is_told_those_and_not_the_hosts_own(flow, folder):
    reader, twin, machine = (
        f"{cookie.replace('__Host-', '__Secure-')}={secret}"
        for cookie, secret in ((COOKIE, READER), (TWIN, READER), (MACHINE, OTHER))
    )
    with before("nginx", flow, folder, CHECK_CACHE_SECONDS=0, COOKIE_DOMAIN="example.org") as (nginx, app, _images):
        for sent, told in (
            (reader, reader),
            (f"a=b; {twin}", twin),
            (f"{machine}; {reader}", f"{reader}; {machine}"),
            (f"{COOKIE}={OTHER}; {reader}", reader),
            (f"{COOKIE}={READER}; {MACHINE}={OTHER}", ""),
            (f"{reader}; {reader}", ""),
        ):
            assert told_by(nginx, app, sent) == told, sent


def test_the_check_is_told_nothing_else_of_the_clients(flow, folder):
    with before("nginx", flow, folder, CHECK_CACHE_SECONDS=0) as (nginx, app, _images):
        sent = {
            "X-IIIF-Base": "https://images.example.org",
            "X-IIIF-Auth-Secret": "guessed",
            "X-Original-URI": "/media/open",
            "X-Forwarded-For": "192.0.2.7",
            "X-Forwarded-Host": "evil.example",
            "If-None-Match": "*",
            "Range": "bytes=0-1",
            "Authorization": f"Bearer {READER}",
            "User-Agent": "somebody",
        }
        asked(nginx.url, "/reels/market/index.m3u8", headers=sent, body=b"xx")
        (one,) = app.seen
        assert one.headers == {
            "host": "library.example.org",
            "x-iiif-auth-secret": SECRET,
            "x-original-uri": "/reels/market/index.m3u8",
            "x-original-method": "GET",
            "x-forwarded-for": "127.0.0.1",
            "x-forwarded-proto": "http",
        }
        app.seen.clear()
        asked(nginx.url, "/reels/market/index.m3u8", "HEAD", sent)
        assert app.seen[0].headers["authorization"] == f"Bearer {READER}"


def test_caddy_lets_no_client_speak_in_its_name(flow, folder):
    with before("caddy", flow, folder) as (front, app, _images):
        sent = {
            "X-IIIF-Base": "https://images.example.org",
            "X_IIIF_Base": "https://images.example.org",
            "X-IIIF-Auth-Secret": "guessed",
            "X_Original_URI": "/media/open",
            "X-Original-URI": "/media/open",
            "X-Forwarded-For": "192.0.2.7",
            "SCRIPT_NAME": "/x",
            "If-None-Match": "*",
            "Range": "bytes=0-1",
            "Authorization": f"Bearer {READER}",
        }
        for target in ("/reels/market/index.m3u8", "/anything"):
            app.seen.clear()
            asked(front.url, target, headers=sent)
            told = app.seen[0].headers
            assert not [name for name in told if "_" in name], told
            assert told["x-forwarded-for"] == "127.0.0.1"
            assert "x-iiif-base" not in told
            assert told.get("x-iiif-auth-secret", SECRET) == SECRET
            assert told.get("x-original-uri", target) == target
        asked(front.url, "/reels/market/index.m3u8", headers=sent)
        assert not {"authorization", "if-none-match", "range"} & set(app.seen[-1].headers)
        assert app.seen[-1].headers["x-original-uri"] == "/reels/market/index.m3u8"


# -- Two cookies, and answers that are kept -----------------------------------------------------------------------


def last_cookie_wins(request: Request) -> tuple[int, dict[str, str], bytes]:
    """An application that takes the last of two cookies, as many do."""
    found = re.findall(rf"{COOKIE}=([a-z]+)", request.headers.get("cookie", ""))
    told = {"X-IIIF-Source": "market", "X-IIIF-Door": "reels"}
    return (200, told, b"") if found and found[-1] == READER else (401, {}, b"")


FIRST = re.compile(r'    map "\$iiif_reader\|\$iiif_machine" \$iiif_cookie \{.*?\n    \}', re.DOTALL)


@pytest.mark.parametrize("broken", [True, False])
def test_a_tossed_cookie_can_not_have_a_readers_answer_kept_for_somebody_else(flow, folder, broken):
    """A neighbouring site plants its own cookie before the reader's. Where the first is the key of what is kept and the last is
    who the application takes it for, the reader's yes is kept under the planted one, and whoever planted it comes and gets it.
    """
    folder.mkdir()
    with Peer(last_cookie_wins) as app, Peer(picture) as images:
        flow(DOORS=doors_at(f"127.0.0.1:{images.port}", str(folder)))
        place = Place(listen="127.0.0.1:1", app=f"127.0.0.1:{app.port}", folder=str(folder), logs=str(folder))
        text = nginx_config.printed(generate.plan(place))
        if broken:
            first = f'map $http_cookie $iiif_cookie {{ "~{COOKIE}=(?<iiif_pass>[a-z]+)" $iiif_pass; }}'
            text = FIRST.sub(lambda _found: first, text).replace(
                "proxy_set_header Cookie $iiif_cookie;", "proxy_set_header Cookie $http_cookie;"
            )
        with Nginx(text, folder) as nginx:

            def ask(cookie: str) -> Reply:
                return asked(nginx.url, "/reels/market/index.m3u8", headers={"Cookie": cookie})

            assert ask(f"{COOKIE}={READER}").status == 200
            leaked = False
            for _again in range(5):  # what is kept lasts a second or two, and a slow machine may miss it
                ask(f"{COOKIE}={OTHER}; {COOKIE}={READER}")
                leaked = leaked or ask(f"{COOKIE}={OTHER}").status == 200
            assert leaked is broken


# -- A real image server over FastCGI -----------------------------------------------------------------------------


@BOTH
def test_iipimage_is_asked_by_fastcgi_for_what_was_decided(flow, folder, tmp_path, server):
    drawn = servers.pictures(tmp_path / "images")
    folder.mkdir()
    told = {"X-IIIF-Source": "maps%2Fsurvey.tif", "X-IIIF-Door": "older", "X-IIIF-Cache": "private, no-cache"}

    def answer(request: Request) -> tuple[int, dict[str, str], bytes]:
        rest = request.headers["x-original-uri"].partition("?")[0].split("/", 5)[5]
        return 200, {**told, "X-IIIF-Upstream": f"{told['X-IIIF-Source']}/{rest}"}, b""

    with servers.iipimage(drawn) as made, Peer(answer) as app:
        flow(DOORS=({"name": "older", "path": "/iiif/image/2/", "serves": "image-2", "upstream": made.upstream},))
        place = Place(listen="127.0.0.1:1", app=f"127.0.0.1:{app.port}", folder=str(folder), logs=str(folder))
        plan = generate.plan(place)
        started: Any = (
            Nginx(nginx_config.printed(plan), folder) if server == "nginx" else Caddy(caddyfile(plan), folder)
        )
        with started as front:
            reply = asked(
                front.url, "/iiif/image/2/survey/0,0,256,256/128,/0/default.jpg?IIIF=chart.tif/full/full/0/default.jpg"
            )
            assert (reply.status, reply.headers["content-type"]) == (200, "image/jpeg")
            import pyvips

            found = pyvips.Image.new_from_buffer(reply.body, "")
            assert (found.width, found.height) == (128, 128)
            assert reply.headers["cache-control"] == "private, no-cache"
            assert not {"link", "x-powered-by"} & set(reply.headers)
            told["X-IIIF-Source"] = "gone.tif"
            missing = asked(front.url, "/iiif/image/2/gone/0,0,256,256/128,/0/default.jpg")
            assert missing.status == 404
            assert str(drawn).encode() not in missing.body
            assert missing.body == asked(front.url, "/iiif/image/2/gone/full/max/0/default.jpg").body

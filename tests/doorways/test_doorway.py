"""Content behind doors, served by Django alone: pictures and their descriptions, files, folders."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.test import AsyncRequestFactory
from django.utils import timezone

from iiif_auth import upstream
from iiif_auth.enforce import signed
from iiif_auth.models import AccessService, Pass
from iiif_auth.upstream import kept
from tests import factories, web
from tests.doorways.conftest import JPEG
from tests.test_fetch import OK
from tests.upstream.stub import GOOD, answer, described, drip, endless, silent
from tests.web import BASE, CANARY, EVERYONE, SIGNED_IN, Browser, person

CHART = "/iiif/image/3/chart"
TILE = f"{CHART}/full/200,/0/default.jpg"


def ask(target, browser=None, method="get", **extra):
    """A request as it arrives through a server that keeps the target as it was sent; the answer is read to its end."""
    return read(getattr(browser or Browser(), method)(target, RAW_URI=target, **extra))


def read(response):
    response.whole = b"".join(response.streaming_content) if response.streaming else response.content
    return response


def body(response):
    return response.whole


@pytest.fixture
def member(doors):
    """A service to log in by, and somebody who went through it."""
    web.service("login", "login")
    browser = Browser().sign_in(person())
    browser.click(web.access("login"))
    return browser


def restricted(url=CHART, *who, **values):
    """Something for members, who log in, or for ``who``."""
    by = tuple(AccessService.objects.filter(slug="login")) if not who else ()
    return web.restricted(url, *(who or (SIGNED_IN,)), **{"by": by, **values})


def granted(images, content=CANARY, head=JPEG):
    images.says = answer(content, head)


# -- Pictures -----------------------------------------------------------------------------------------------------


def test_a_picture_is_for_whoever_may_have_it_and_nobody_else(member, images):
    restricted()
    granted(images)
    refused = ask(TILE)
    assert (refused.status_code, images.asked) == (401, [])
    assert refused.headers["Cache-Control"] == "no-store"
    response = ask(TILE, member)
    assert (response.status_code, body(response)) == (200, CANARY)
    assert images.paths == ["/iiif/3/chart/full/200,/0/default.jpg"]


def test_an_open_picture_may_be_kept_by_anybody_and_another_by_nobody(member, images):
    restricted()
    restricted("/iiif/image/3/open", EVERYONE)
    granted(images)
    assert ask("/iiif/image/3/open/full/max/0/default.jpg").headers["Cache-Control"] == "public, max-age=60"
    response = ask(TILE, member)
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_image_server_learns_nothing_of_the_reader(member, images):
    restricted()
    granted(images)
    ask(
        TILE,
        member,
        headers={
            "authorization": "Bearer secret",
            "range": "bytes=0-1",
            "if-none-match": "x",
            "x-forwarded-for": "1.2.3.4",
            "x-custom": "y",
            "accept-encoding": "gzip",
        },
    )
    (asked,) = images.asked
    assert {line.split(b":")[0].lower() for line in asked.strip().split(b"\r\n")[1:]} == {
        *(b"host", b"user-agent", b"accept-encoding", b"connection"),
    }
    assert b"Accept-Encoding: identity" in asked


def test_what_is_fetched_is_what_the_row_says_and_nothing_of_the_address(member, images):
    restricted("/iiif/image/3/ark:1", source="maps/harbour 1.tif")
    granted(images)
    for target in ("/iiif/image/3/ark:1/full/max/0/default.jpg", "/iiif/image/3/ark%3A1/full/max/0/default.jpg"):
        assert ask(target, member).status_code == 200
    assert set(images.paths) == {"/iiif/3/maps%2Fharbour%201.tif/full/max/0/default.jpg"}


@pytest.mark.parametrize(
    "target",
    [
        "/iiif/image/3/chart/../secret/full/max/0/default.jpg",
        "/iiif/image/3/open/../chart/full/max/0/default.jpg",
        "/iiif/image/3/open%2f..%2fchart/full/max/0/default.jpg",
        "/iiif/image/3/open%2F..%2Fchart/full/max/0/default.jpg",
        "/iiif/image/3/%63hart/full/max/0/default.jpg",
        "/iiif/image/3//chart/full/max/0/default.jpg",
        "/iiif/image/3/chart/full/max/0/default.jpg/",
        "/iiif/image/3/chart;x/full/max/0/default.jpg",
        "/iiif/image/3/chart/full/max/0/default.tif",
        "/iiif/image/3/chart/full/max/0/default.jpg#x",
        "/iiif/image/3/chart/full/max/0/default.jpg%00",
        "/iiif/image/3/chart/full/%D9%A4%D9%A0%D9%A0,/0/default.jpg",
        "/iiif/image/3/chart/full/0200,/0/default.jpg",
        "/iiif%2Fimage/3/chart/full/max/0/default.jpg",
        "/iiif/image/3%2Fchart/full/max/0/default.jpg",
        "https://iiif.example.org/iiif/image/3/chart/full/max/0/default.jpg",
        "/IIIF/image/3/chart/full/max/0/default.jpg",
    ],
)
def test_what_is_not_in_its_one_spelling_is_not_there(member, images, target):
    restricted()
    restricted("/iiif/image/3/open", EVERYONE)
    granted(images)
    for browser in (member, Browser()):
        response = read(browser.get(TILE, RAW_URI=target))  # the decoded path leads here, the raw one counts
        assert response.status_code == 404
        assert CANARY not in body(response)
    assert images.asked == []


def test_a_query_changes_nothing(member, images):
    restricted()
    granted(images)
    assert body(ask(f"{TILE}?x=/iiif/image/3/open", member)) == CANARY
    assert images.paths == ["/iiif/3/chart/full/200,/0/default.jpg"]


def test_without_the_raw_target_the_path_is_encoded_again_and_an_escaped_slash_leads_nowhere(member, images):
    restricted()
    granted(images)
    assert read(member.get(TILE)).status_code == 200
    assert member.get("/iiif/image/3/maps%2Fchart/full/max/0/default.jpg").status_code == 404


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "trace"])
def test_other_methods_are_refused(member, images, method):
    restricted()
    browser = Browser()
    browser.handler.enforce_csrf_checks = False
    browser.cookies = member.cookies
    assert ask(TILE, browser, method).status_code == 405
    assert images.asked == []


def test_a_preflight_is_the_same_for_everything(doors, images):
    restricted()
    said = [ask(target, method="options") for target in (TILE, "/iiif/image/3/nothing/info.json", "/media/x")]
    assert {one.status_code for one in said} == {200}
    assert len({tuple(sorted(one.headers.items())) for one in said}) == 1


def test_a_head_brings_no_bytes(member, images):
    restricted()
    images.says = JPEG + b"Content-Length: 34\r\n\r\n"
    response = ask(TILE, member, "head")
    assert (response.status_code, response.headers["Content-Length"], body(response)) == (200, "34", b"")
    assert images.asked[0].startswith(b"HEAD ")


def test_a_token_opens_no_picture(member, images):
    restricted()
    granted(images)
    token = web.token(member, "login")
    for value in (f"Bearer {token}", "Bearer x"):
        assert ask(TILE, headers={"authorization": value}).status_code == 401
    assert images.asked == []


def test_other_paths_of_the_site_are_left_alone(doors):
    assert Browser().get("/plain").content == b"Welcome."
    assert Browser().get("/nothing").status_code == 404
    assert Browser().get("/iiif/image/").status_code == 404


def test_what_nobody_knows_is_not_there_and_the_image_server_is_not_asked(member, images):
    for target in (TILE, f"{CHART}/info.json", "/media/x.pdf", "/films/x/index.m3u8"):
        assert ask(target, member).status_code == 404
    assert images.asked == []


EVIL = {
    "page": (answer(b"<script>", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"), 502),
    "redirect": (b"HTTP/1.1 302 X\r\nLocation: http://169.254.169.254/\r\n\r\n", 502),
    "password": (b"HTTP/1.1 401 X\r\nWWW-Authenticate: Basic\r\n\r\n", 502),
    "broken": (b"HTTP/1.1 500 X\r\n\r\nTraceback", 502),
    "nothing": (b"", 503),
    "nonsense": (b"\x00\xff\r\n\r\n", 503),
    "silence": (silent, 503),
    "drip": (drip(b"HTTP/1.1 200 OK\r\nX"), 503),
}


@pytest.mark.parametrize("name", EVIL)
def test_an_image_server_out_of_order_is_said_in_a_sentence(member, images, hurried, caplog, name):
    restricted()
    images.says, status = EVIL[name]
    response = ask(TILE, member)
    assert (response.status_code, response.json()["error"][-1]) == (status, ".")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Location" not in response.headers
    (line,) = [one for one in caplog.records if one.name == "iiif_auth.doorways"]
    assert line.getMessage().endswith(".")
    assert line.exc_info is None


def test_a_refusal_of_the_image_servers_is_passed_on_without_its_words(member, images):
    restricted()
    for status, told in ((400, 400), (404, 404), (501, 400)):
        images.says = answer(b"/srv/secret.tif", f"HTTP/1.1 {status} X\r\n".encode())
        response = ask(TILE, member)
        assert (response.status_code, b"secret" in response.content) == (told, False)


# -- Descriptions -------------------------------------------------------------------------------------------------


def info(target=f"{CHART}/info.json", browser=None, **extra):
    return ask(target, browser, **extra)


def test_a_description_is_rewritten_and_has_its_services(member, images):
    restricted()
    document = info().json()
    assert document["id"] == BASE + CHART
    assert (document["width"], document["height"]) == (8000, 6000)
    assert document["service"][0]["type"] == "AuthProbeService2"
    assert "internal" not in json.dumps(document)
    assert images.paths == ["/iiif/3/chart/info.json"]


def test_an_older_door_says_it_in_its_own_version(doors, images):
    restricted("/iiif/image/2/chart", EVERYONE, image_api=2)
    document = info("/iiif/image/2/chart/info.json").json()
    assert document["@id"] == f"{BASE}/iiif/image/2/chart"
    assert document["profile"][0] == "http://iiif.io/api/image/2/level2.json"


def test_the_base_address_sends_on_to_the_description(doors, images):
    for target in (CHART, f"{CHART}/", "/iiif/image/3/nothing"):
        response = ask(target)
        assert response.status_code == 303
        assert response.headers["Location"] == f"{BASE}{target.rstrip('/')}/info.json"
    assert images.asked == []


def small(images, width, height):
    images.says = described(width=width, height=height, sizes=[], tiles=[], maxWidth=width)


def members_version(virtual=False):
    """A chart of which everybody may have a version of 400 pixels, and members all."""
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, order=1)
    web.tier(rules, EVERYONE, order=2, slug="small", gets="smaller", max_edge=400, virtual=virtual)
    return factories.ResourceFactory(url=CHART, policy=rules, source="maps/chart.tif")


def test_a_smaller_version_is_another_picture_upstream_and_is_described_as_that(doors, images):
    members_version()
    small(images, 400, 300)
    document = info(f"{CHART}~small/info.json").json()
    assert (document["id"], document["width"]) == (f"{BASE}{CHART}~small", 400)
    assert images.paths == ["/iiif/3/maps%2Fchart~small.tif/info.json"]
    granted(images)
    assert body(ask(f"{CHART}~small/full/max/0/default.jpg")) == CANARY
    assert images.paths[-1] == "/iiif/3/maps%2Fchart~small.tif/full/max/0/default.jpg"
    assert ask(TILE).status_code == 401


def test_a_smaller_version_that_is_the_original_is_not_described(doors, images, caplog):
    members_version()
    response = info(f"{CHART}~small/info.json")
    assert (response.status_code, b"8000" in response.content) == (502, False)
    assert "none above 400" in caplog.text


def test_a_version_cut_on_the_fly_is_asked_of_the_whole_picture_and_never_larger_than_it_is(doors, images):
    members_version(virtual=True)
    document = info(f"{CHART}~small/info.json").json()
    assert (document["width"], document["height"]) == (400, 300)
    assert "8000" not in json.dumps(document)
    granted(images)
    assert body(ask(f"{CHART}~small/0,0,200,150/max/0/default.jpg")) == CANARY
    assert images.paths[-1] == "/iiif/3/maps%2Fchart.tif/0,0,4000,3000/200,150/0/default.jpg"
    asked = len(images.asked)
    for rest in ("full/^401,", "0,0,200,150/^400,300", "full/401,", "0,0,10,10/11,11"):
        assert ask(f"{CHART}~small/{rest}/0/default.jpg").status_code == 403
    for last in ("0/default.png", "45/default.jpg", "0/bitonal.jpg"):
        assert ask(f"{CHART}~small/full/max/{last}").status_code == 403
    assert len(images.asked) == asked


def test_of_a_cut_version_nothing_is_sent_while_the_size_is_not_known(doors, images):
    members_version(virtual=True)
    images.says = b"HTTP/1.1 500 X\r\n\r\n"
    assert ask(f"{CHART}~small/full/max/0/default.jpg").status_code == 502
    assert images.paths == ["/iiif/3/maps%2Fchart.tif/info.json"]


BAD_DESCRIPTIONS = {
    "endless": (endless(OK + b"Content-Length: 10000000000\r\n\r\n"), 502),
    "deep": (answer(b"[" * 100_000), 502),
    "page": (answer(b"<html>", b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"), 502),
    "list": (answer(b"[]"), 502),
    "redirect": (EVIL["redirect"][0], 502),
    "broken": (EVIL["broken"][0], 502),
    "nothing": (b"", 503),
    "silence": (silent, 503),
    "drip": (drip(OK + b"\r\n{"), 503),
}


@pytest.mark.parametrize("name", BAD_DESCRIPTIONS)
def test_a_bad_description_is_a_sentence_for_viewers_and_one_in_the_log(doors, images, hurried, caplog, name):
    restricted()
    images.says, status = BAD_DESCRIPTIONS[name]
    response = info()
    assert (response.status_code, response.json()["error"][-1]) == (status, ".")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert ("Retry-After" in response.headers) == (status == 503)
    assert not [line for line in caplog.records if line.exc_info]
    assert not [line for line in caplog.records if not line.getMessage().endswith(".") and "iiif_auth" in line.name]


@pytest.mark.parametrize("name", BAD_DESCRIPTIONS)
def test_after_a_good_description_a_bad_one_changes_nothing(doors, images, hurried, monkeypatch, name):
    restricted()
    monkeypatch.setattr(kept, "FRESH", 0.0)
    good = info().json()
    images.says, _status = BAD_DESCRIPTIONS[name]
    assert info().json() == good


def test_a_picture_that_the_image_server_does_not_have_is_not_there(doors, images):
    restricted()
    images.says = b"HTTP/1.1 404 X\r\n\r\n"
    assert info().status_code == 404


@pytest.mark.parametrize("says", [described(), b"", b"HTTP/1.1 404 X\r\n\r\n"], ids=["up", "down", "gone"])
def test_what_is_hidden_is_as_what_does_not_exist_whatever_the_image_server_says(doors, images, says):
    """Not even asked: how long it takes would tell (INV11, security S11)."""
    web.hidden_collection("/iiif/image/3/secret-")
    restricted("/iiif/image/3/secret-chart", collection=None)
    row = restricted("/iiif/image/3/secret-2")
    images.says = says
    hidden, unknown = (info(f"/iiif/image/3/{name}/info.json") for name in ("secret-2", "secret-nothing"))
    assert row.url.endswith("secret-2")
    assert (hidden.status_code, hidden.content) == (unknown.status_code, unknown.content) == (404, unknown.content)
    assert images.asked == []


def test_what_is_hidden_is_described_to_whoever_may_have_it(member, images):
    restricted("/iiif/image/3/secret-2", collection=web.hidden_collection("/iiif/image/3/secret-"))
    assert info("/iiif/image/3/secret-2/info.json", member).json()["width"] == 8000


# -- Files and folders --------------------------------------------------------------------------------------------


def write(tmp_path, name, content=CANARY):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_a_file_is_sent_with_ranges_and_after_the_decision_only(member, tmp_path):
    restricted("/media/report.pdf")
    write(tmp_path, "media/report.pdf")
    assert ask("/media/report.pdf").status_code == 401
    response = ask("/media/report.pdf", member)
    assert (body(response), response.headers["Content-Type"]) == (CANARY, "application/pdf")
    part = ask("/media/report.pdf", member, headers={"range": "bytes=0-5"})
    assert (part.status_code, body(part)) == (206, b"CANARY")
    tag = response.headers["ETag"]
    assert ask("/media/report.pdf", member, headers={"if-none-match": tag}).status_code == 304
    refused = ask("/media/report.pdf", headers={"if-none-match": tag, "range": "bytes=0-5"})
    assert (refused.status_code, "ETag" in refused.headers, "Accept-Ranges" in refused.headers) == (401, False, False)


def test_a_file_may_have_another_name_in_its_folder(member, tmp_path):
    restricted("/media/report.pdf", source="2026/Jahresbericht ü.pdf")
    write(tmp_path, "media/2026/Jahresbericht ü.pdf")
    write(tmp_path, "media/report.pdf", b"Another.")
    assert body(ask("/media/report.pdf", member)) == CANARY


def test_a_link_out_of_the_folder_is_not_followed(member, tmp_path):
    restricted("/media/report.pdf")
    write(tmp_path, "secret.pdf")
    (tmp_path / "media" / "report.pdf").symlink_to(tmp_path / "secret.pdf")
    response = ask("/media/report.pdf", member)
    assert (response.status_code, CANARY in body(response)) == (404, False)


def test_everything_in_a_folder_is_decided_as_its_entry(member, tmp_path):
    restricted("/films/harbour/index.m3u8")
    names = {
        "index.m3u8": "application/vnd.apple.mpegurl",
        "480p/seg-1.ts": "video/mp2t",
        "seg-2.m4s": "video/iso.segment",
        "film.key": "application/octet-stream",
        "manifest.mpd": "application/dash+xml",
    }
    for name, kind in names.items():
        write(tmp_path, f"films/harbour/{name}")
        assert ask(f"/films/harbour/{name}").status_code == 401
        response = ask(f"/films/harbour/{name}", member)
        assert (body(response), response.headers["Content-Type"]) == (CANARY, kind)
    write(tmp_path, "films/other/index.m3u8")
    for target in ("/films/other/index.m3u8", "/films/harbour/../other/index.m3u8", "/films/harbour%2F..%2Fother/x.ts"):
        assert ask(target, member).status_code == 404


@pytest.mark.parametrize("name", ["page.html", "drawing.svg", "data.xml"])
def test_what_a_browser_would_run_has_no_rights_of_this_site(member, tmp_path, name):
    restricted(f"/media/{name}")
    write(tmp_path, f"media/{name}", b"<script>")
    response = ask(f"/media/{name}", member)
    assert response.headers["Content-Security-Policy"] == "sandbox"
    assert body(response) == b"<script>"


def test_a_file_from_an_upstream_is_passed_on_in_parts(member, images):
    restricted("/remote/film.mp4", format="video/mp4")
    images.says = answer(b"CANARY", b"HTTP/1.1 206 X\r\nContent-Type: text/html\r\nContent-Range: bytes 0-5/34\r\n")
    assert ask("/remote/film.mp4", headers={"range": "bytes=0-5"}).status_code == 401
    response = ask("/remote/film.mp4", member, headers={"range": "bytes=0-5"})
    assert (response.status_code, body(response)) == (206, b"CANARY")
    assert (response.headers["Content-Type"], response.headers["Content-Range"]) == ("video/mp4", "bytes 0-5/34")
    assert b"GET /files/film.mp4 HTTP/1.1\r\n" in images.asked[0]
    assert b"\r\nRange: bytes=0-5\r\n" in images.asked[0]


@pytest.mark.parametrize(
    "headers", [{"range": "bytes=0-5, 7-9"}, {"range": "x"}, {"range": "bytes=0-5", "if-range": "y"}]
)
def test_a_range_that_is_odd_or_depends_on_something_is_not_passed_on(member, images, headers):
    restricted("/remote/film.mp4")
    granted(images, head=b"HTTP/1.1 200 OK\r\n")
    assert body(ask("/remote/film.mp4", member, headers=headers)) == CANARY
    assert b"Range:" not in images.asked[0]


@pytest.mark.parametrize(
    ("asked", "passed"),
    [
        ("bytes=0-", "bytes=0-99999"),
        ("bytes=7-999999999", "bytes=7-100006"),
        ("bytes=7-9", "bytes=7-9"),
        ("bytes=-999999", "bytes=-100000"),
        ("bytes=-9", "bytes=-9"),
    ],
)
def test_no_more_of_a_film_is_asked_for_than_was_decided_about(member, images, doors, asked, passed):
    doors.IIIF_AUTH_FLOW = {**doors.IIIF_AUTH_FLOW, "RANGE_BYTES": 100_000}
    restricted("/remote/film.mp4", format="video/mp4")
    restricted("/remote/book.pdf", format="application/pdf")
    granted(images, head=b"HTTP/1.1 200 OK\r\n")
    ask("/remote/film.mp4", member, headers={"range": asked})
    ask("/remote/book.pdf", member, headers={"range": asked})
    assert f"\r\nRange: {passed}\r\n".encode() in images.asked[0]
    assert f"\r\nRange: {asked}\r\n".encode() in images.asked[1]


def test_a_door_on_another_site_is_found_by_that_sites_name_and_by_no_other(member, images, doors):
    elsewhere = {"name": "far", "path": "/far/", "serves": "image-3", "base": "https://images.example.org"}
    upstream_of = next(door["upstream"] for door in doors.IIIF_AUTH_FLOW["DOORS"] if door["name"] == "images")
    far = {**elsewhere, "upstream": upstream_of}
    doors.IIIF_AUTH_FLOW = {**doors.IIIF_AUTH_FLOW, "DOORS": (*doors.IIIF_AUTH_FLOW["DOORS"], far)}
    doors.ALLOWED_HOSTS = ["testserver", "images.example.org", "other.example.org"]
    restricted("https://images.example.org/far/chart", EVERYONE)
    granted(images)
    tile = "/far/chart/full/200,/0/default.jpg"
    assert ask(tile, headers={"host": "images.example.org"}).status_code == 200
    for host in ("testserver", "other.example.org"):
        assert ask(tile, headers={"host": host}).status_code == 404
    restricted()
    assert ask(TILE, member, headers={"host": "images.example.org"}).status_code == 404


# -- Through a web server -----------------------------------------------------------------------------------------


def test_nginx_is_handed_a_file_by_the_name_of_its_door(member, tmp_path, doors):
    doors.IIIF_AUTH_FLOW = {**doors.IIIF_AUTH_FLOW, "SEND_FILE": "/_iiif_files/"}
    restricted("/media/report.pdf", source="a b?.pdf")
    write(tmp_path, "media/a b?.pdf")
    response = ask("/media/report.pdf", member)
    assert (response.headers["X-Accel-Redirect"], response.content) == ("/_iiif_files/media/a%20b%3F.pdf", b"")
    assert response.headers["Cache-Control"] == "private, no-cache"
    assert "X-Accel-Redirect" not in ask("/media/report.pdf").headers


def test_nginx_is_handed_a_picture_by_the_name_of_its_door(member, images, doors):
    doors.IIIF_AUTH_FLOW = {**doors.IIIF_AUTH_FLOW, "SEND_UPSTREAM": "/_iiif_up/"}
    restricted(source="maps/chart.tif")
    response = ask(TILE, member)
    assert response.headers["X-Accel-Redirect"] == "/_iiif_up/images/"
    assert response.headers["X-IIIF-Upstream"] == "maps%2Fchart.tif/full/200,/0/default.jpg"
    assert (response.headers["Content-Type"], response.content, images.asked) == ("image/jpeg", b"", [])
    assert "X-Accel-Redirect" not in ask(TILE).headers


def test_apache_is_handed_a_path_on_disk(member, tmp_path, doors):
    doors.IIIF_AUTH_FLOW = {**doors.IIIF_AUTH_FLOW, "SEND_FILE_HEADER": "X-Sendfile"}
    restricted("/media/report.pdf")
    write(tmp_path, "media/report.pdf")
    response = ask("/media/report.pdf", member)
    assert (response.headers["X-Sendfile"], response.content) == (str(tmp_path / "media" / "report.pdf"), b"")
    assert "X-Sendfile" not in ask("/media/report.pdf").headers


# -- Signed addresses ---------------------------------------------------------------------------------------------


def ticket_for(uri):
    """A ticket of the one pass there is."""
    return signed.issue(uri, Pass.objects.get(), timezone.now())


def test_a_ticket_brings_the_picture_its_description_and_nothing_else(member, images):
    restricted()
    restricted("/iiif/image/3/other")
    start = signed.address("", ticket_for(CHART))
    granted(images)
    assert body(ask(f"{start}{TILE}")) == CANARY
    assert images.paths == ["/iiif/3/chart/full/200,/0/default.jpg"]
    asked = len(images.asked)
    for target in ("/iiif/image/3/other/full/max/0/default.jpg", f"{CHART}~small/full/max/0/default.jpg"):
        assert ask(f"{start}{target}").status_code in (401, 403)
    assert ask(f"{start[:-2]}AA{TILE}").status_code in (401, 403, 404)
    assert len(images.asked) == asked
    images.says = described()
    document = ask(f"{start}{CHART}/info.json").json()
    assert document["id"] == f"{BASE}{start}{CHART}"
    assert ask(f"{start}{CHART}").headers["Location"] == f"{BASE}{start}{CHART}/info.json"


def test_when_the_pass_ends_so_does_the_ticket(member, images):
    restricted()
    granted(images)
    start = signed.address("", ticket_for(CHART))
    assert ask(f"{start}{TILE}").status_code == 200
    Pass.objects.all().delete()
    assert ask(f"{start}{TILE}").status_code == 401


@pytest.mark.parametrize("says", [described(), b""], ids=["up", "down"])
def test_a_bad_ticket_tells_nothing_of_what_exists(doors, images, says):
    web.hidden_collection("/iiif/image/3/secret-")
    restricted("/iiif/image/3/secret-2")
    images.says = says
    start = f"{signed.address('', 'abc.4000000000.1.' + 'A' * 43)}"
    said = [ask(f"{start}/iiif/image/3/{name}/info.json") for name in ("secret-2", "secret-nothing")]
    assert len({(one.status_code, one.content) for one in said}) == 1
    assert said[0].status_code == 401
    assert images.asked == []


# -- ASGI ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_under_asgi_the_raw_path_counts_and_a_film_is_sent_piece_by_piece(doors, images, tmp_path):
    restricted("/media/film.mp4", EVERYONE)
    restricted(CHART, EVERYONE)
    write(tmp_path, "media/film.mp4", b"x" * 200_000)
    granted(images)
    film, tile, odd = asyncio.run(
        over_asgi(
            [b"/media/film.mp4", TILE.encode(), b"/iiif/image/3/x%2F..%2Fchart/full/max/0/default.jpg"],
        )
    )
    assert (film[0], sum(map(len, film[1]))) == (200, 200_000)
    assert len([piece for piece in film[1] if piece]) > 1
    assert (tile[0], b"".join(tile[1])) == (200, CANARY)
    assert odd[0] == 404


async def over_asgi(targets):
    """Each target's status and pieces, as a server of ASGI would have them."""
    return [await one_over_asgi(target) for target in targets]


async def one_over_asgi(target):
    scope = AsyncRequestFactory()._base_scope(path=target.decode(), raw_path=target, scheme="https")
    scope["headers"] = [(b"host", web.HOST.encode())]
    pieces, status, asked = [], [], []

    async def receive():
        if asked:
            await asyncio.sleep(30)
        asked.append(1)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            status.append(message["status"])
        else:
            pieces.append(message.get("body", b""))

    await ASGIHandler()(scope, receive, send)
    return status[0], pieces


def test_good_is_what_the_stub_says(doors, images):
    """The control: with this upstream everything above is told."""
    restricted(CHART, EVERYONE)
    assert info().json()["width"] == GOOD["width"]
    upstream.forget()

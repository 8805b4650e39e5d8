"""The printed configurations, in front of the whole application: who gets what, and who does not."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.webserver.nginx import Nginx, asked
from tests.webserver.site.holdings import (
    FILMS,
    IMAGES,
    LEAVER,
    MEDIA,
    MEMBER,
    OLDER,
    ONSITE,
    OUTSIDER,
    PART,
    PEOPLE,
    REELS,
    SECRET,
    SIZE,
    STRANGER,
    STUDENT,
    TILE,
    canary,
)
from tests.webserver.stack import CHECKER, SERVERS, App, Front, Stacks, settled

FRONTS = tuple(Front)
NGINX = (Front.CHECK, Front.ACCEL)
CHART = f"{IMAGES}chart/{TILE}"
REPORT = f"{MEDIA}report.pdf"
SPARED = ("low/seg-2.ts", "init.mp4", "chunk-1.m4s", "low/index.m3u8")
"""Pieces of films like others that are asked for."""


@pytest.fixture(scope="module")
def stacks() -> Iterator[Stacks]:
    with Stacks(FRONTS, checker=True) as found:
        yield found


@pytest.fixture(scope="module")
def uncached(stacks) -> Iterator[str]:
    """nginx that keeps no answer, so that none hides what the next request would have got."""
    with stacks.beside({"CHECK_CACHE_SECONDS": 0}) as nginx:
        yield nginx.url


def every(*fronts: Front):
    return pytest.mark.parametrize("front", fronts, ids=str)


@every(*FRONTS)
def test_everybody_gets_what_they_may_have_and_nothing_else(stacks, front):
    marks = stacks.canaries()
    for one in marks:
        if not one.path.endswith(SPARED):
            for person in PEOPLE:
                reply = stacks.ask(front, one.path, person)
                seen = {other.mark for other in marks if other.mark.encode() in reply.body}
                assert seen == ({one.mark} if person in one.allowed else set()), (one.path, person, reply)
                assert reply.status == 200 or seen == set()


KEPT = 1.1
"""Seconds after which nginx uses no answer to what another test has asked."""


def test_a_process_of_the_checks_own_is_asked_that_and_nothing_else(stacks):
    time.sleep(KEPT)
    for front in (Front.CHECK, Front.CADDY):
        before, pages = stacks.checks(), stacks.log(App.CHECKING).count("/iiif-auth/check ")
        assert stacks.ask(front, CHART, MEMBER).status == 200
        assert stacks.ask(front, f"{IMAGES}chart/info.json", MEMBER).status == 200
        assert stacks.checks() > before
        assert stacks.log(App.CHECKING).count("/iiif-auth/check ") == pages
    assert stacks.log(CHECKER).count(" /iiif-auth/check ") == stacks.log(CHECKER).count("GET /iiif")


@every(*FRONTS)
def test_a_refusal_is_readable_for_viewers_and_kept_by_nobody(stacks, front):
    reply = stacks.ask(front, CHART)
    assert reply.status == 401
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["cache-control"] == "no-store"
    assert b"error" in reply.body
    assert reply.headers["content-type"] == "application/json"
    assert not {"etag", "last-modified", "set-cookie", "www-authenticate", "accept-ranges"} & set(reply.headers)


@every(*FRONTS)
def test_what_is_hidden_and_what_is_unknown_look_alike(stacks, front):
    targets = [f"{SECRET}{name}/{TILE}" for name in ("diary", "neverwas", "diary~preview")]
    replies = [stacks.ask(front, target, person) for target in targets for person in (STRANGER, OUTSIDER)]
    kept = {"date", "server", "connection"}
    shapes = {
        (one.status, one.body, *sorted(item for item in one.headers.items() if item[0] not in kept)) for one in replies
    }
    assert len(shapes) == 1


@every(*FRONTS)
def test_what_is_given_is_kept_by_nobody_else_unless_it_is_everybodys(stacks, front):
    own, open_to_all = stacks.ask(front, CHART, MEMBER), stacks.ask(front, f"{IMAGES}garden/{TILE}")
    assert own.headers["cache-control"] == "private, no-cache"
    assert open_to_all.headers["cache-control"] == "public, max-age=60"
    for reply in (own, open_to_all):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["cross-origin-resource-policy"] == "cross-origin"
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert not {"set-cookie", "link", "access-control-allow-credentials", "location"} & set(reply.headers)
        assert reply.headers["content-type"] == "image/jpeg"


@every(*FRONTS)
def test_a_head_is_decided_like_a_get_and_has_no_body(stacks, front):
    for target in (CHART, REPORT):
        yes, no = stacks.ask(front, target, MEMBER, "HEAD"), stacks.ask(front, target, OUTSIDER, "HEAD")
        assert (yes.status, yes.body) == (200, b"")
        assert no.status in (401, 403)
        assert no.body == b""


@every(*FRONTS)
def test_a_token_opens_nothing(stacks, front):
    token = f"Bearer {stacks.carried[MEMBER]['token']}"
    for target in (CHART, REPORT, f"{FILMS}harbour/crypt.key"):
        assert stacks.ask(front, target, Authorization=token).status == 401
        assert stacks.ask(front, target, Authorization=token, Cookie=f"__Host-iiif_access={token[7:]}").status == 401


@every(*FRONTS)
def test_the_answer_to_options_is_the_same_for_everything(stacks, front):
    replies = [
        stacks.ask(front, target, method="OPTIONS", Origin="https://viewer.example.org")
        for target in (CHART, f"{SECRET}diary/{TILE}", f"{IMAGES}neverwas/{TILE}", REPORT, f"{FILMS}storm/index.m3u8")
    ]
    assert {one.status for one in replies} <= {200, 204}
    assert len({(one.status, one.body, one.headers["access-control-allow-headers"]) for one in replies}) == 1


@every(*FRONTS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PROPFIND", "PATCH"])
def test_other_methods_are_refused_for_everybody(stacks, front, method):
    before = written(stacks)
    for target in (CHART, REPORT, f"{REELS}market/index.m3u8"):
        reply = stacks.ask(front, target, MEMBER, method)
        assert reply.status == 405
        assert b"CANARY" not in reply.body
    assert written(stacks) == before


def written(stacks) -> int:
    """How much the image server has written down, once it writes no more: it does so when the answer is gone already."""
    return settled(lambda: len(stacks.seen_upstream()))


@every(*FRONTS)
def test_a_part_of_a_file_is_given_after_the_decision(stacks, front):
    for target, name in ((REPORT, "report.pdf"), (f"{FILMS}harbour/low/seg-1.ts", "harbour/low/seg-1.ts")):
        part = stacks.ask(front, target, MEMBER, Range="bytes=0-5")
        assert (part.status, part.body) == (206, b"CANARY"), name
        assert part.headers["content-range"].startswith("bytes 0-5/")
        assert stacks.ask(front, target, OUTSIDER, Range="bytes=0-5").status in (401, 403)


@every(Front.CHECK, Front.CADDY, Front.DJANGO)
def test_a_part_of_a_film_that_is_on_another_server_is_given_after_the_decision(stacks, front):
    part = stacks.ask(front, f"{REELS}market/low/seg-1.ts", MEMBER, Range="bytes=0-5")
    assert (part.status, part.body) == (206, b"CANARY")
    assert stacks.ask(front, f"{REELS}market/low/seg-1.ts", STUDENT, Range="bytes=0-5").status == 403


@every(*FRONTS)
def test_a_copy_that_is_still_good_is_confirmed_only_to_whoever_may_have_it(stacks, front):
    tag = stacks.ask(front, REPORT, MEMBER).headers["etag"]
    assert stacks.ask(front, REPORT, MEMBER, If_None_Match=tag).status == 304
    assert stacks.ask(front, REPORT, STRANGER, If_None_Match=tag).status == 401
    assert (
        stacks.ask(front, CHART, STRANGER, If_None_Match="*", If_Modified_Since="Wed, 01 Jan 2098 00:00:00 GMT").status
        == 401
    )
    assert stacks.ask(front, CHART, MEMBER, If_Modified_Since="Wed, 01 Jan 2098 00:00:00 GMT").status in (200, 304)


@every(*FRONTS)
def test_a_description_is_written_by_the_application(stacks, front):
    reply = stacks.ask(front, f"{IMAGES}chart/info.json")
    assert reply.status == 200
    assert b"http://library.test/iiif/image/3/chart" in reply.body
    assert b"upstream" not in reply.body
    assert str(SIZE[0] + 1).encode() in reply.body
    small = stacks.ask(front, f"{IMAGES}chart~preview/info.json", STUDENT)
    assert b'"width":400' in small.body
    assert str(SIZE[0] + 1).encode() not in small.body
    assert stacks.ask(front, f"{SECRET}diary/info.json", STRANGER).status == 404
    assert stacks.ask(front, f"{IMAGES}chart").status == 303
    assert stacks.ask(front, f"{IMAGES}chart/").status == 303


@every(*FRONTS)
def test_a_version_cut_on_the_fly_is_asked_of_the_original_at_its_own_scale(stacks, front):
    before = written(stacks)
    reply = stacks.ask(front, f"{IMAGES}survey~small/full/250,/0/default.jpg", STUDENT)
    assert reply.status == 200
    assert reply.body.endswith(b"/maps/survey.tif/full/250,187/0/default.jpg")
    corner = stacks.ask(front, f"{IMAGES}survey~small/0,0,100,100/max/0/default.jpg", STUDENT)
    assert corner.body.endswith(b"/maps/survey.tif/0,0,801,803/100,100/0/default.jpg"), corner
    told = stacks.seen_upstream(before, at_least=2)
    assert not [line for line in told if "/survey" in line and "%2Fsurvey.tif/" not in line]
    for rest in (
        "full/600,/0/default.jpg",
        "full/^600,/0/default.jpg",
        "full/max/0/default.png",
        "full/max/45/default.jpg",
    ):
        assert stacks.ask(front, f"{IMAGES}survey~small/{rest}", STUDENT).status == 403, rest
    assert stacks.ask(front, f"{IMAGES}survey~small/full/max/0/default.jpg", OUTSIDER).status in (401, 403)


@every(*FRONTS)
def test_a_bad_request_for_a_tile_does_not_close_the_good_ones(stacks, front):
    stacks.ask(front, f"{OLDER}sketch/full/full/400/default.jpg")
    assert stacks.ask(front, f"{OLDER}sketch/full/full/0/default.jpg").status == 200


HOSTILE = (
    f"{IMAGES}garden/../chart/{TILE}",
    f"{IMAGES}garden%2F..%2Fchart/{TILE}",
    f"{IMAGES}garden/%2e%2e/chart/{TILE}",
    f"{IMAGES}garden;chart/{TILE}",
    f"{IMAGES}/chart/{TILE}",
    f"{IMAGES}./chart/{TILE}",
    f"{IMAGES}Chart/{TILE}",
    f"{IMAGES}%63hart/{TILE}",
    f"{IMAGES}chart%00/{TILE}",
    f"{IMAGES}chart\\..\\garden/{TILE}",
    f"{IMAGES}garden/{TILE}/../../../../../chart/{TILE}",
    f"/iiif/image/2/..%2f3/chart/{TILE}",
    f"/IIIF/image/3/chart/{TILE}",
    f"/iiif//image/3/chart/{TILE}",
    f"/iiif%2Fimage/3/chart/{TILE}",
    f"{MEDIA}../media/report.pdf",
    f"{MEDIA}welcome.txt/../report.pdf",
    f"{MEDIA}welcome.txt%2F..%2Freport.pdf",
    f"{MEDIA}plans%2F..%2Freport.pdf",
    f"{MEDIA}Report.pdf",
    f"{MEDIA}report.pdf%20",
    f"{MEDIA}report.pdf.",
    f"{MEDIA}.htpasswd",
    f"{MEDIA}letters/1902-04.txt",
    "/media../offmedia/secret.txt",
    "/offmedia/secret.txt",
    f"{FILMS}ferry/../harbour/crypt.key",
    f"{FILMS}ferry/..%2Fharbour/crypt.key",
    f"{FILMS}ferry/low/../../harbour/crypt.key",
    f"{REELS}parade/../market/crypt.key",
    "/_iiif_check",
    "/_iiif_files/media/report.pdf",
    "/_iiif_up/images/chart/" + TILE,
    "/_iiif_edge/media/media/report.pdf",
    "/_iiif_edge/images/",
    "/decided",
    "/iiif-auth/signed/",
    f"/iiif-auth/signed/x{CHART}",
    f"/iiif-auth/signed/..{CHART}",
    f"/iiif-auth/edge/x{CHART}",
)


@every(*FRONTS)
def test_no_odd_address_leads_to_anything(stacks, front):
    for person in (STRANGER, OUTSIDER):
        for target in HOSTILE:
            reply = stacks.ask(front, target, person)
            assert b"CANARY" not in reply.body, (target, reply)
            assert reply.status >= 300, (target, reply)


@every(*FRONTS)
def test_a_query_leads_nowhere(stacks, front):
    before = written(stacks)
    for query in ("?IIIF=chart/full/max/0/default.jpg", "?FIF=chart", "?x=/chart"):
        reply = stacks.ask(front, f"{IMAGES}garden/{TILE}{query}")
        assert canary(f"{IMAGES}garden").encode() in reply.body
        assert canary(f"{IMAGES}chart").encode() not in reply.body
    assert not any("?" in line for line in stacks.seen_upstream(before, at_least=3))


SPOOFED = {
    "X-Original-URI": f"{IMAGES}garden/{TILE}",
    "X-Original-Method": "OPTIONS",
    "X-IIIF-Auth-Secret": "the-secret-of-the-check-in-32-letters",
    "X-IIIF-Upstream": f"garden/{TILE}",
    "X-IIIF-Source": "garden",
    "X-IIIF-Base": "http://library.test",
    "X-Accel-Redirect": f"{IMAGES}garden/{TILE}",
    "X-Forwarded-For": ONSITE,
    "X-Forwarded-Uri": f"{IMAGES}garden/{TILE}",
    "X-Rewrite-URL": f"{IMAGES}garden/{TILE}",
    "X-Real-IP": ONSITE,
    "Forwarded": f"for={ONSITE}",
    "X_Forwarded_For": ONSITE,
    "X_IIIF_Auth_Secret": "the-secret-of-the-check-in-32-letters",
    "X_Original_URI": f"{IMAGES}garden/{TILE}",
    "SCRIPT_NAME": "/iiif",
}


@every(*FRONTS)
def test_a_header_of_the_clients_says_nothing_about_where_they_are_or_what_they_ask(stacks, uncached, front):
    url = uncached if front is Front.CHECK else stacks.url(front)
    for target in (CHART, REPORT, f"{IMAGES}register/{TILE}", f"{MEDIA}minutes.html"):
        for name, value in SPOOFED.items():
            reply = asked(url, target, headers={name: value})
            assert reply.status in (400, 401, 403, 404), (target, name, reply)
            assert b"CANARY" not in reply.body
        assert b"CANARY" not in asked(url, target, headers=SPOOFED).body


@every(*SERVERS)
def test_the_check_can_not_be_asked_from_outside(stacks, front):
    secret = {"X-IIIF-Auth-Secret": "the-secret-of-the-check-in-32-letters", "X-Original-URI": CHART}
    for target in ("/iiif-auth/check", "/iiif-auth//check", "/iiif-auth/%63heck", "/x/../iiif-auth/check"):
        reply = asked(stacks.url(front), target, headers={**secret, **stacks.headers(MEMBER)})
        assert reply.status in (400, 403, 404), (target, reply)
        assert "x-iiif-upstream" not in reply.headers


@every(*FRONTS)
def test_two_access_cookies_are_none(stacks, front):
    good = stacks.carried[MEMBER]["cookie"]
    other = stacks.carried[OUTSIDER]["cookie"]
    for both in (f"{good}; {other}", f"{other}; {good}", f"{good}; {good}", f"x=1; {good}; __Host-iiif_access =y"):
        assert stacks.ask(front, CHART, Cookie=both).status == 401, both
    assert stacks.ask(front, CHART, Cookie=f"theme=dark; {good}; lang=cy").status == 200


@every(*FRONTS)
def test_a_signed_address_works_without_a_cookie_and_for_its_own_thing_only(stacks, front):
    for holding, rest, mark in (
        (f"{IMAGES}chart", TILE, f"{IMAGES}chart"),
        (f"{IMAGES}deed", PART, f"{IMAGES}vault/deed 7.tif"),
        (f"{OLDER}print", TILE, f"{OLDER}print"),
        (REPORT, "", f"{MEDIA}report.pdf"),
        (f"{FILMS}harbour/index.m3u8", "low/seg-1.ts", f"{FILMS}harbour/low/seg-1.ts"),
        (f"{REELS}market/index.m3u8", "crypt.key", f"{REELS}market/crypt.key"),
    ):
        target = stacks.signed(MEMBER, holding, rest)
        reply = stacks.ask(front, target)
        assert (reply.status, canary(mark).encode() in reply.body) == (200, True), (target, reply)
        assert stacks.ask(front, stacks.signed(OUTSIDER, holding, rest)).status in (401, 403)
        start = stacks.carried[MEMBER]["signed"][holding]
        for elsewhere in (
            f"{IMAGES}folio/{TILE}",
            f"{MEDIA}film.mp4",
            f"{FILMS}storm/index.m3u8",
            f"{MEDIA}letter.txt",
        ):
            assert b"CANARY" not in stacks.ask(front, start + elsewhere).body
        assert b"CANARY" not in stacks.ask(front, target, method="POST").body


@every(*FRONTS)
def test_a_description_at_a_signed_address_keeps_the_ticket(stacks, front):
    reply = stacks.ask(front, stacks.signed(MEMBER, f"{IMAGES}chart", "info.json"))
    assert reply.status == 200
    assert f"http://library.test{stacks.signed(MEMBER, f'{IMAGES}chart')}".encode() in reply.body


@every(*NGINX)
def test_an_address_that_nginx_checks_alone_costs_no_python_and_is_for_one_thing_for_a_while(stacks, front):
    before = stacks.checks()
    for item, rest, mark in (
        (f"{IMAGES}chart", TILE, f"{IMAGES}chart"),
        (f"{IMAGES}ark:%2F12148%2Fb7", TILE, f"{IMAGES}ark:/12148/b7"),
        (REPORT, "", f"{MEDIA}report.pdf"),
        (f"{MEDIA}plans/ann%C3%A9e.txt", "", f"{MEDIA}plans/année.txt"),
        (f"{FILMS}harbour", "low/seg-2.ts", f"{FILMS}harbour/low/seg-2.ts"),
        (f"{REELS}market", "crypt.key", f"{REELS}market/crypt.key"),
    ):
        reply = stacks.ask(front, stacks.edge(item, rest))
        assert (reply.status, canary(mark).encode() in reply.body) == (200, True), (item, reply)
        ended = stacks.edge(item, rest, ends=int(time.time()) - 2)
        good = stacks.edge(item, rest)
        for bad in (
            ended,
            good.replace("/e1.", "/e2."),
            good.replace("/edge/e1.", "/edge/e1.9", 1),
            good.replace(item, f"{IMAGES}folio" if rest == TILE else f"{MEDIA}letter.txt"),
            good.replace("/edge/", "/signed/"),
            good.replace(item, item.replace("a", "%61")),
        ):
            odd = stacks.ask(front, bad)
            assert odd.status in (400, 401, 403, 404), (bad, odd)
            assert b"CANARY" not in odd.body
        assert stacks.ask(front, good, method="POST").status == 405
    assert stacks.checks() == before


def test_the_image_server_is_never_sent_cookies_tokens_or_where_somebody_comes_from(stacks):
    for front in (Front.CHECK, Front.ACCEL, Front.CADDY):
        stacks.ask(
            front,
            CHART,
            MEMBER,
            Authorization=f"Bearer {stacks.carried[MEMBER]['token']}",
            Referer="https://viewer.example.org/",
            X_Forwarded_For="192.0.2.1",
        )
        stacks.ask(front, f"{REELS}market/index.m3u8", MEMBER, Authorization="Bearer x")
    told = stacks.seen_upstream(at_least=6)
    assert not [line for line in told if "cookie=[]" not in line or "authorization=[]" not in line]
    served = [line for line in told if "django-iiif-auth" not in line and "Go-http-client" not in line]
    assert not [line for line in served if "others=[]" not in line]


def test_nothing_is_leaked_by_the_image_servers_own_error_pages(stacks):
    for front in SERVERS:
        reply = stacks.ask(front, f"{IMAGES}garden/full/max/0/default.jpg", MEMBER)
        assert b"upstream.internal" not in str(reply.headers).encode() + reply.body
    for front in SERVERS:
        reply = stacks.ask(front, f"{FILMS}ferry/nothing.mpd")
        assert reply.status == 404
        assert str(stacks.folder).encode() not in reply.body


# -- The micro-cache ----------------------------------------------------------------------------------------------


def burst(url: str, targets: list[str], headers: dict[str, str], connections: int) -> tuple[list[int], float]:
    """The statuses of many requests over a few connections that stay open, and how long that took in seconds."""

    def one(number: int) -> list[int]:
        connection = HTTPConnection(urlsplit(url).netloc, timeout=30)
        found = []
        for target in targets[number::connections]:
            connection.request("GET", target, headers=headers)
            response = connection.getresponse()
            response.read()
            found.append(response.status)
        connection.close()
        return found

    started = time.monotonic()
    with ThreadPoolExecutor(connections) as pool:
        statuses = [status for found in pool.map(one, range(connections)) for status in found]
    return statuses, time.monotonic() - started


@pytest.mark.parametrize(("person", "status"), [(MEMBER, 200), (OUTSIDER, 403)])
def test_a_burst_of_tiles_costs_one_check_for_each_connection_at_most(stacks, person, status):
    tiles = [f"{IMAGES}folio/{x},0,512,512/256,/0/default.jpg" for x in range(0, 20 * 512, 512)]
    before = stacks.checks()
    statuses, took = burst(stacks.url(Front.CHECK), tiles, stacks.headers(person), 4)
    assert statuses == [status] * 20
    # A second may end while they are asked, and is over sooner than a slow machine is done.
    assert stacks.checks() - before <= 4 * (2 + int(took)), took


def asked_again(stacks: Stacks, nginx: Nginx, seconds: int) -> bool:
    """Whether the check is asked once more about what was answered so many seconds before, early in a second of the clock."""
    time.sleep(1.02 - time.time() % 1)
    assert asked(nginx.url, CHART, headers=stacks.headers(MEMBER)).status == 200
    over = time.time() + seconds + 0.02
    before = stacks.checks()
    time.sleep(max(0.0, over - time.time()))
    assert asked(nginx.url, CHART, headers=stacks.headers(MEMBER)).status == 200
    return stacks.checks() > before


@pytest.mark.parametrize("seconds", [1, 2])
def test_an_answer_is_used_for_as_many_seconds_as_the_setting_says_at_most(stacks, seconds):
    with stacks.beside({"CHECK_CACHE_SECONDS": seconds}) as nginx:
        assert all(asked_again(stacks, nginx, seconds) for _again in range(3))


@pytest.mark.parametrize("seconds", [1, 2])
def test_told_just_so_many_seconds_nginx_uses_it_for_up_to_one_more(stacks, seconds):
    """The twin: why the printed configuration says it in another way."""
    right = stacks.configuration(Front.CHECK, {"CHECK_CACHE_SECONDS": seconds})
    plain = re.sub(r"(proxy_cache_valid 200 401 403) \d+s;", rf"\1 {seconds}s;", right).replace(' $iiif_second";', '";')
    assert plain != right
    with Nginx(plain, Path(tempfile.mkdtemp(dir=stacks.folder))) as nginx:
        # A slow machine may be there a second too late.
        assert not all(asked_again(stacks, nginx, seconds) for _again in range(3))


def test_an_answer_is_kept_for_nobody_else(stacks):
    """Neither for another cookie at the same address, nor for another thing, ticket, method or token."""
    front, target = Front.CHECK, f"{MEDIA}film.mp4"
    for _again in range(3):
        assert stacks.ask(front, target, MEMBER).status == 200
        assert stacks.ask(front, target, STRANGER).status == 401
        assert stacks.ask(front, target, OUTSIDER).status == 403
        assert stacks.ask(front, f"{MEDIA}minutes.html", MEMBER).status in (401, 403)
        assert stacks.ask(front, target, STRANGER, "HEAD", Authorization=f"Bearer {'x' * 43}").status == 401
        assert stacks.ask(front, stacks.signed(MEMBER, target)).status == 200
        assert stacks.ask(front, stacks.signed(OUTSIDER, target)).status == 403
        assert stacks.ask(front, stacks.signed(MEMBER, REPORT).replace(REPORT, target)).status in (401, 403)


def test_pieces_of_a_film_do_not_stand_for_each_other(stacks):
    for piece in ("index.m3u8", "low/seg-1.ts", "crypt.key", "low/index.m3u8"):
        for door in (FILMS, REELS):
            name = {FILMS: "harbour", REELS: "market"}[door]
            assert (
                canary(f"{door}{name}/{piece}").encode()
                in stacks.ask(Front.CHECK, f"{door}{name}/{piece}", MEMBER).body
            )


@pytest.mark.parametrize("door", [FILMS, REELS])
def test_a_burst_of_pieces_costs_one_check_for_each_connection_at_most(stacks, door):
    name = {FILMS: "harbour", REELS: "market"}[door]
    pieces = [f"{door}{name}/{piece}" for piece in ("index.m3u8", "low/seg-1.ts", "crypt.key", "low/index.m3u8")] * 5
    before = stacks.checks()
    statuses, took = burst(stacks.url(Front.CHECK), pieces, stacks.headers(MEMBER), 4)
    assert statuses == [200] * 20
    assert stacks.checks() - before <= 4 * (2 + int(took)), took


def until_refused(url: str, target: str, headers: dict[str, str]) -> int:
    """How many more times a thing was given; it has to end some time."""
    given, deadline = 0, time.monotonic() + 20
    while (status := asked(url, target, headers=headers).status) == 200:
        given += 1
        assert time.monotonic() < deadline, "It is still given."
        time.sleep(0.05)
    assert status == 401
    return given


def test_a_pass_that_is_ended_has_ended_at_every_front(stacks, uncached):
    """Where nothing is kept, at once; where answers are kept for a second, soon."""
    headers, signed = stacks.headers(LEAVER), stacks.signed(LEAVER, REPORT)
    at_once = [uncached, *(stacks.url(front) for front in FRONTS if front is not Front.CHECK)]
    for url in (*at_once, stacks.url(Front.CHECK)):
        assert asked(url, CHART, headers=headers).status == 200
        assert asked(url, signed).status == 200
    stacks.end(LEAVER)
    for url in at_once:
        assert asked(url, CHART, headers=headers).status == 401
        assert asked(url, signed).status == 401
    until_refused(stacks.url(Front.CHECK), CHART, headers)
    until_refused(stacks.url(Front.CHECK), signed, {})


def test_the_log_has_neither_tickets_nor_queries(stacks):
    stacks.ask(Front.CHECK, stacks.signed(MEMBER, REPORT) + "?origin=https://viewer.example.org")
    stacks.ask(Front.CHECK, stacks.edge(REPORT))
    log = (stacks.folder / "access.log").read_text(encoding="utf-8")
    ticket = stacks.carried[MEMBER]["signed"][REPORT].rpartition("/")[2]
    assert "/iiif-auth/signed/-/media/report.pdf " in log
    assert "/iiif-auth/edge/-/media/report.pdf " in log
    assert ticket not in log
    assert "origin=" not in log
    assert "e1." not in log

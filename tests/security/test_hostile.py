"""The short version of the campaign of hostile requests; the long one is ``python -m tests.security.hostile``.

One start of all servers serves every test here. Attacks are the same in each run, but who comes first at a server is not.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.security.hostile import corpora
from tests.security.hostile.broken import BREAKS
from tests.security.hostile.campaign import Campaign, Hit, blind, table
from tests.security.hostile.generator import Generator, Request
from tests.security.hostile.holdings import ANONYMOUS, CURATOR, EVERYTHING, MEMBER, TARGETS, Who, body, mark
from tests.security.hostile.oracle import Leak, Oracle
from tests.security.hostile.shrinking import shrunk
from tests.security.hostile.stacks import MODES, Place, Running, running
from tests.security.hostile.twins import TWINS, Twin
from tests.security.hostile.upstream import ADMIN, meant
from tests.security.hostile.wire import status_of

REQUESTS = 6000
SALT = "of this test"
URI = "/iiif/image/3/chart"


@pytest.fixture(scope="module")
def servers() -> Iterator[Running]:
    with running([*MODES.values(), *(twin.wanted for twin in TWINS)]) as found:
        yield found


@pytest.fixture
def oracle() -> Oracle:
    return Oracle(SALT, [("a-ticket", URI, CURATOR.name), ("its-ticket", URI, MEMBER.name)])


def answered(content: bytes, *headers: str) -> bytes:
    lines = "".join(f"{header}\r\n" for header in headers)
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode() + content


# -- The campaign ---------------------------------------------------------------------------------------------------


def test_nobody_gets_what_they_may_not_have_in_any_way(servers):
    places = [place for place in servers.places if place.name in MODES]
    campaign = Campaign(servers, 1, places=places)
    tally = campaign.go(REQUESTS)
    assert [f"{hit}: {campaign.told(hit)}" for hit in tally.hits[:5]] == [], table(tally, places)
    assert blind(tally, places) == [], tally.unseen[:5]
    assert tally.requests == REQUESTS


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.name)
def test_a_broken_twin_is_found(servers, twin: Twin):
    (place,) = (place for place in servers.places if place.name == twin.name)
    tally = Campaign(servers, 1, places=[place], until_found=True).go(twin.budget)
    assert tally.hits, f"{twin.story}: not found within {twin.budget} requests.\n{table(tally, [place])}"


def test_what_got_through_is_made_short_and_written_down(servers):
    (place,) = (place for place in servers.places if place.name == "passes-cookies-on")
    campaign = Campaign(servers, 1, places=[place], until_found=True)
    hit = campaign.go(20_000).hits[0]
    line = campaign.told(hit)
    assert "<own>" in line or "<ended>" in line or "<bearer>" in line or "Cookie" in line
    assert len(corpora.read(line)) <= len(hit.request.payload)
    assert line.isascii()
    assert not any(secret in line for secret in (*servers.held["cookies"].values(), *servers.held["bearers"]))


def test_every_broken_site_is_a_twin():
    assert {twin.wanted.twin for twin in TWINS} - {""} == set(BREAKS)
    assert len({twin.name for twin in TWINS}) == len(TWINS) >= 10


# -- The generator --------------------------------------------------------------------------------------------------

HELD = {
    "cookies": {"wrong group": "o" * 43, "lower tier": "m" * 43, "curator": "c" * 43},
    "ended": ["e" * 43],
    "bearers": ["b" * 43],
    "tickets": [
        (f"k.1795292053.{name[0]}.{number}", target.uri, name)
        for number, target in enumerate(TARGETS)
        for name in ("curator", "lower tier", "wrong group")
    ],
    "dead_tickets": [("k.1000000000.9.dead", URI, "curator")],
    "loose_tickets": ["k.1795292053.9.loose"],
}


def test_the_same_number_is_the_same_request():
    first, second = Generator(HELD, 7), Generator(HELD, 7)
    assert all(first.request(number, "nginx") == second.request(number, "nginx") for number in range(500))
    assert (
        sum(first.request(number, "nginx") != Generator(HELD, 8).request(number, "nginx") for number in range(100)) > 95
    )


@pytest.mark.parametrize("mode", ["nginx", "signed", "edge"])
def test_no_hostile_request_carries_the_cookie_of_somebody_who_may(mode):
    generator = Generator(HELD, 3)
    for number in range(3000):
        request = generator.request(number, mode)
        if request.person is not CURATOR:
            assert b"c" * 43 not in request.payload
            assert (b"m" * 43 in request.payload) <= (request.person is MEMBER)


def test_requests_are_honest_hostile_and_odd_in_fair_shares():
    generator = Generator(HELD, 5)
    requests = [generator.request(number, "nginx") for number in range(4000)]
    honest, alone = sum(bool(one.wants) for one in requests), sum(one.alone for one in requests)
    assert 200 < honest < 400
    assert 100 < alone < 1200
    assert len({one.payload.partition(b" ")[0] for one in requests}) > 40
    assert len({one.payload for one in requests}) > 3500


def test_the_corpora_are_large_and_can_be_read():
    assert sum(len(corpora.lines(name)) for name in corpora.NAMES) >= 2000
    for name in corpora.NAMES:
        assert all(corpora.read(corpora.written(line)) == line for line in corpora.lines(name))


@pytest.mark.parametrize("how", sorted(corpora.SPELLINGS))
def test_every_misspelling_is_another_spelling(how):
    chance = random.Random(1)
    texts = (b"e1.1795292053.17.kSxAb", b"gr%C3%BCn", b"ark:/1/b", b"secret-1")
    assert any(corpora.misspelt(text, how, chance) != text for text in texts for _ in range(20))


# -- The oracle -----------------------------------------------------------------------------------------------------


def test_a_mark_in_an_answer_is_a_leak_whatever_the_status(oracle):
    answer = b"HTTP/1.1 403 Forbidden\r\n\r\n" + body(SALT, "chart")[:60]
    assert oracle.leaks(MEMBER, b"", answer) == [Leak("chart", "its bytes")]
    assert oracle.leaks(CURATOR, b"", answer) == []


def test_what_is_for_everybody_or_for_ones_own_tier_is_no_leak(oracle):
    assert oracle.leaks(ANONYMOUS, b"", answered(body(SALT, "open-1"))) == []
    assert oracle.leaks(MEMBER, b"", answered(body(SALT, "chart~members"))) == []
    assert oracle.leaks(ANONYMOUS, b"", answered(body(SALT, "chart~members"))) != []


@pytest.mark.parametrize("key", sorted(EVERYTHING))
def test_everything_has_a_length_that_gives_it_away(oracle, key):
    size = len(body(SALT, key))
    telling = (f"Content-Length: {size}", f"content-range: bytes 0-0/{size}", f'ETag: "6750-{size:x}"')
    for header in telling:
        found = oracle.leaks(ANONYMOUS, b"", answered(b"", header))
        assert [leak.key for leak in found] == ([key] if EVERYTHING[key] > Who.EVERYONE else [])


def test_the_size_of_what_is_hidden_is_a_leak(oracle):
    assert oracle.leaks(MEMBER, b"", answered(b'{"width":7919,"height":6133}')) == [
        Leak("hush-1", "its size in pixels")
    ]
    assert oracle.leaks(MEMBER, b"", answered(b'{"width": 79190}')) == []


def test_a_ticket_lends_what_it_was_made_for_to_whoever_shows_it(oracle):
    answer = answered(body(SALT, "chart"))
    assert oracle.leaks(ANONYMOUS, b"GET /iiif-auth/signed/a-ticket/x", answer) == []
    assert oracle.leaks(ANONYMOUS, b"GET /iiif-auth/signed/%61-ticket/x", answer) == []
    assert oracle.leaks(ANONYMOUS, b"GET /iiif-auth/signed/A-ticket/x", answer) != []
    assert oracle.leaks(ANONYMOUS, b"GET /iiif-auth/signed/its-ticket/x", answer) != []
    assert oracle.leaks(ANONYMOUS, b"GET /a-ticket", answered(body(SALT, "wide"))) != []


def test_marks_are_of_one_run_only(oracle):
    assert mark("another", "chart") != mark(SALT, "chart")
    assert oracle.leaks(ANONYMOUS, b"", answered(mark("another", "chart"))) == []


# -- What stands behind ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("/iiif/3/open-1/full/max/0/default.jpg", "open-1"),
        ("/iiif/3/open-1/..%2fsecret-1/full/max/0/default.jpg", "secret-1"),
        ("/iiif/3/secret-1/..%2fopen-1/full/max/0/default.jpg", "secret-1"),
        ("/iiif/3/open-1/%252e%252e%252fsecret-1/x", "secret-1"),
        ("/iiif/3/SECRET-1.tif;1:2/full/max/0/default.jpg", "secret-1"),
        ("/iiif/3/open-1/full/max/0/default.jpg?FIF=chart", "chart"),
        ("/iiif/3/ark:%2F1%2Fb/full/max/0/default.jpg", "ark:/1/b"),
        ("/iiif/3/gru%CC%88n/full/max/0/default.jpg", "grün"),
        ("/iiif/3/ma../ps%2Fsurvey/full/max/0/default.jpg", "maps/survey"),
        ("/iiif/3/wide/full/400,300/0/default.jpg", "wide at 400"),
        ("/iiif/2/wide/full/400,300/%210/default.jpg", "wide at 400"),
        ("/iiif/2/wide/full/400,300/0/default.jpg?", "wide at 400"),
        ("/iiif/2/wide/full/400,300/0/default.jpg?IIIF=wide", "wide"),
        ("/iiif/3/wide/full/420,315/0/default.jpg", "wide"),
        ("/iiif/3/wide/0,0,400,400/max/0/default.jpg", "wide"),
        ("/iiif/../admin", ADMIN),
        ("/nothing/here", None),
    ],
)
def test_the_image_server_takes_the_worst_of_every_reading(target, key):
    assert meant(target) == key


# -- Shrinking ------------------------------------------------------------------------------------------------------


def test_a_request_is_made_as_short_as_it_still_gets_through():
    payload = b"GET /a/b/../secret/c HTTP/1.1\r\nHost: x\r\nA: 1\r\nCookie: b\r\nC: 2\r\n\r\n"
    assert shrunk(payload, lambda tried: b"secret" in tried and b"Cookie" in tried) == b"GET secret\r\nCookie: b"


def test_what_does_nothing_by_itself_is_left_as_it_was():
    assert shrunk(b"GET / HTTP/1.1\r\n\r\n", lambda tried: False) == b"GET / HTTP/1.1\r\n\r\n"


def test_a_hit_says_who_got_what_and_where():
    hit = Hit(
        7,
        Place("caddy", "caddy", 1),
        Request(MEMBER, b""),
        (Leak("chart", "its bytes"),),
        status_of(b"HTTP/1.1 403 No"),
    )
    assert str(hit) == "caddy, lower tier, request 7, status 403: its bytes of chart"

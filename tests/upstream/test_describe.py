"""Asking image servers that mean no good, and keeping what good ones said (security S2, R10)."""

from __future__ import annotations

import gzip
import json
import logging
import threading
import time
from contextlib import contextmanager

import pytest

from iiif_auth import fetch, upstream
from iiif_auth.enforce.doors import Door, Serves
from iiif_auth.fetch import NotFetched, NotThere, Unanswered
from iiif_auth.upstream import BadDescription, kept
from iiif_auth.upstream.descriptions import described as described_in
from iiif_auth.upstream.kept import Shelf
from tests.test_fetch import OK
from tests.upstream.stub import GOOD, answer, described, drip, endless, in_turn, silent
from tests.upstream.stub import upstream as running

HTML = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


def door_to(start, serves=Serves.IMAGE_3):
    return Door("images", "/iiif/image/3/", serves, start)


@contextmanager
def behind(says):
    with running(says) as (made, start):
        yield made, door_to(start)


# -- Asking -------------------------------------------------------------------------------------------------------


def test_a_picture_is_asked_for_by_its_name_as_one_segment_and_nothing_is_told_of_anybody():
    with behind(described()) as (made, door):
        assert upstream.describe(door, "maps/harbour 1ü.tif").width == 8000
    (asked,) = made.asked
    assert asked.decode().split("\r\n") == [
        "GET /iiif/3/maps%2Fharbour%201%C3%BC.tif/info.json HTTP/1.1",
        f"Host: 127.0.0.1:{made.port}",
        f"User-Agent: {fetch.AGENT}",
        "Accept: application/ld+json, application/json",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    ]


@pytest.mark.parametrize("name", ["", "..", "a/../b", "a\r\nX: y", "a\x00", "100%", "a\\..\\b", "x" * 3000])
def test_a_name_that_two_programs_might_read_in_two_ways_is_not_asked_for(name):
    with behind(described()) as (made, door):
        if name == "":
            assert upstream.describe(door, "x").width == 8000  # the empty name is refused where doors are read
        else:
            with pytest.raises(NotFetched, match="none that can be asked"):
                upstream.describe(door, name)
    assert len(made.asked) == (1 if name == "" else 0)


@pytest.mark.parametrize(
    ("says", "problem", "why"),
    [
        (b"", Unanswered, "no whole answer"),
        (b"SSH-2.0-OpenSSH\r\n", Unanswered, "no whole answer"),
        (answer(b"x" * 50)[:-10], Unanswered, "no whole answer"),
        (answer(b"<html>", HTML), NotFetched, "no JSON there, but text/html"),
        (answer(b"{}"), BadDescription, "Image API"),
        (answer(b"[" * 5000), BadDescription, "JSON|levels"),
        (answer(b'{"a":' * 5000 + b"1" + b"}" * 5000), BadDescription, "levels"),
        (answer(b" " * 1_000_001), NotFetched, "too large"),
        (endless(OK + b"Content-Length: 10000000000\r\n\r\n"), NotFetched, "too large"),
        (
            answer(gzip.compress(b" " * 50_000_000), OK + b"Content-Encoding: gzip\r\n"),
            NotFetched,
            "compressed",
        ),
        (described(width="8000"), BadDescription, "how wide and high"),
        (described(protocol="x"), BadDescription, "Image API"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\n\r\n", NotFetched, "redirects are not followed"),
        (b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n\r\n", NotFetched, "answered 401"),
        (b"HTTP/1.1 404 No\r\n\r\n", NotThere, "no such document"),
        (b"HTTP/1.1 410 No\r\n\r\n", NotThere, "no such document"),
        (b"HTTP/1.1 500 No\r\n\r\n" + b"x" * 5000, NotFetched, "answered 500"),
    ],
)
def test_whatever_is_wrong_is_one_sentence_in_the_log(says, problem, why, caplog):
    caplog.set_level(logging.WARNING, "iiif_auth.upstream")
    with behind(says) as (_made, door), pytest.raises(problem, match=why):
        upstream.describe(door, "chart")
    (line,) = caplog.records
    assert line.getMessage().endswith(".")
    assert line.exc_info is None


@pytest.mark.parametrize("says", [silent, drip(b""), drip(OK), drip(OK + b"Content-Length: 1000\r\n\r\n{")])
def test_a_slow_one_is_left_off_in_time(says, hurried):
    began = time.monotonic()
    with behind(says) as (_made, door):
        with pytest.raises(Unanswered, match="took longer"):
            upstream.describe(door, "chart")
        assert time.monotonic() - began < hurried + 1.5


def test_what_it_says_its_address_is_counts_for_nothing():
    with behind(described(id="https://elsewhere.example/other", width=10, height=20)) as (_made, door):
        found = upstream.describe(door, "chart")
    assert "elsewhere" not in repr(found)


# -- Addresses ----------------------------------------------------------------------------------------------------

INSIDE = ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "::1", "fd12::1", "::ffff:10.0.0.1"]
NEVER = ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "::ffff:169.254.169.254"]  # noqa: S104


def addresses(found, *, inner):
    target = fetch.target_of("http://cantaloupe:8182/iiif/3/")
    return fetch._addresses(target, lambda host, port: found, time.monotonic() + 5, inner=inner)


@pytest.mark.parametrize("address", INSIDE)
def test_an_upstream_may_be_inside_this_network_because_the_operator_named_it(address):
    assert addresses([address], inner=True)
    with pytest.raises(NotFetched, match="inside this network"):
        addresses([address], inner=False)


@pytest.mark.parametrize("address", NEVER)
def test_but_not_where_clouds_and_routers_talk_of_themselves(address):
    for found in ([address], ["10.0.0.1", address], ["93.184.216.34", address]):
        with pytest.raises(NotFetched, match="inside this network"):
            addresses(found, inner=True)


def test_the_name_is_asked_once_and_held_to_its_word(monkeypatch):
    answers, connected = [["10.0.0.7"], ["169.254.169.254"]], []

    def create_connection(address, *given):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(fetch.socket, "create_connection", create_connection)
    with pytest.raises(NotFetched, match="no whole answer"):
        fetch.fetched(
            "http://cantaloupe/x", ["http://cantaloupe/"], resolve=lambda host, port: answers.pop(0), inner=True
        )
    assert connected == [("10.0.0.7", 80)]
    assert len(answers) == 1


# -- Keeping ------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shelf(clock):
    return Shelf(most=3, clock=clock)


FOUND = described_in(json.dumps(GOOD).encode())
KEY = ("http://images/", "chart")


class Asking:
    """What is asked of an upstream: gives or raises one after the other, and counts."""

    def __init__(self, *says):
        self.says, self.count = list(says), 0

    def __call__(self):
        self.count += 1
        now = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(now, Exception):
            raise now
        return now


def test_what_is_known_is_not_asked_again_for_a_minute(shelf, clock):
    ask = Asking(FOUND)
    for _ in range(5):
        assert shelf.description(KEY, ask) == FOUND
    clock.now += kept.FRESH - 1
    shelf.description(KEY, ask)
    assert ask.count == 1
    clock.now += 1
    shelf.description(KEY, ask)
    assert ask.count == 2


@pytest.mark.parametrize("problem", [Unanswered("Slow."), NotFetched("Odd."), BadDescription("Nonsense.")])
def test_a_bad_answer_leaves_the_good_copy_for_an_hour_and_no_longer(shelf, clock, problem):
    ask = Asking(FOUND, problem)
    shelf.description(KEY, ask)
    clock.now += kept.FRESH
    assert shelf.description(KEY, ask) == FOUND
    clock.now += kept.GOOD - kept.FRESH - 1
    assert shelf.description(KEY, ask) == FOUND
    clock.now += kept.SORRY + 1
    with pytest.raises(type(problem)):
        shelf.description(KEY, ask)


def test_a_picture_that_is_gone_is_gone_at_once(shelf, clock):
    ask = Asking(FOUND, NotThere("Gone."))
    shelf.description(KEY, ask)
    clock.now += kept.FRESH
    with pytest.raises(NotThere):
        shelf.description(KEY, ask)


def test_a_failure_is_not_tried_again_at_once_but_soon(shelf, clock):
    ask = Asking(NotThere("None."), FOUND)
    for _ in range(3):
        with pytest.raises(NotThere):
            shelf.description(KEY, ask)
    assert ask.count == 1
    clock.now += kept.SORRY
    assert shelf.description(KEY, ask) == FOUND


def test_the_ones_looked_at_longest_ago_go_first(shelf):
    ask = Asking(FOUND)
    for name in "abc":
        shelf.description(("u", name), ask)
    shelf.description(("u", "a"), ask)
    shelf.description(("u", "d"), ask)  # “b” goes
    shelf.description(("u", "a"), ask)
    assert ask.count == 4
    shelf.description(("u", "b"), ask)
    assert ask.count == 5


def test_an_upstream_that_is_down_is_asked_by_one_at_a_time(shelf, clock):
    ask = Asking(Unanswered("Slow."))
    for number in range(kept.TRIES):
        with pytest.raises(Unanswered, match=r"Slow\."):
            shelf.description(("u", str(number)), ask)
    for number in range(10, 20):
        with pytest.raises(Unanswered, match="not asked again yet"):
            shelf.description(("u", str(number)), ask)
    assert ask.count == kept.TRIES
    assert shelf.description(("another", "x"), Asking(FOUND)) == FOUND
    clock.now += kept.SORRY
    for number in range(20, 25):
        with pytest.raises(Unanswered):
            shelf.description(("u", str(number)), ask)
    assert ask.count == kept.TRIES + 1
    clock.now += kept.SORRY
    well = Asking(FOUND)
    for number in range(30, 35):
        assert shelf.description(("u", str(number)), well) == FOUND
    assert well.count == 5


def test_one_slow_picture_does_not_close_the_others(shelf):
    slow, well = Asking(Unanswered("Slow.")), Asking(FOUND)
    for number in range(10):
        with pytest.raises(Unanswered, match=r"Slow\."):
            shelf.description(("u", f"slow-{number}"), slow)
        assert shelf.description(("u", f"quick-{number}"), well) == FOUND


def test_of_many_threads_one_asks(shelf):
    going, told = threading.Event(), []

    def slowly():
        going.wait(5)
        return FOUND

    ask = Asking(FOUND)
    asked = []
    threads = [
        threading.Thread(
            target=lambda: told.append(shelf.description(KEY, lambda: (asked.append(1), slowly(), ask())[2]))
        )
        for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    going.set()
    for thread in threads:
        thread.join(10)
    assert told == [FOUND] * 16
    assert len(asked) == ask.count == 1


def test_nobody_waits_for_the_one_that_asks_while_there_is_a_good_copy(shelf, clock):
    going = threading.Event()
    shelf.description(KEY, Asking(FOUND))
    clock.now += kept.FRESH
    other = threading.Thread(target=lambda: shelf.description(KEY, lambda: (going.wait(5), FOUND)[1]))
    other.start()
    time.sleep(0.1)
    assert shelf.description(KEY, Asking(AssertionError("It was asked."))) == FOUND
    going.set()
    other.join(10)


def test_those_who_wait_are_told_even_if_the_one_that_asks_breaks(shelf):
    def breaks():
        time.sleep(0.1)
        raise MemoryError

    problems = []

    def ask():
        try:
            shelf.description(KEY, breaks)
        except (MemoryError, NotFetched) as problem:
            problems.append(type(problem))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert len(problems) == 4
    assert shelf.description(KEY, Asking(FOUND)) == FOUND


def test_an_upstream_that_breaks_down_is_told_of_as_it_was(monkeypatch):
    monkeypatch.setattr(kept, "FRESH", 0.0)
    with behind(in_turn(described(), b"HTTP/1.1 500 No\r\n\r\n")) as (made, door):
        first = upstream.describe(door, "chart")
        assert upstream.describe(door, "chart") == first
    assert len(made.asked) == 2

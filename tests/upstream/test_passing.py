"""Passing bytes on from a server behind a door, and what is not passed on."""

from __future__ import annotations

import socket
from contextlib import closing, contextmanager

import pytest

from iiif_auth.enforce.doors import Door, Serves
from iiif_auth.upstream import passing
from iiif_auth.upstream.passing import CutOff, OutOfOrder, passed
from tests.upstream.stub import answer, endless, silent
from tests.upstream.stub import upstream as running

JPEG = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
PATH = "chart/full/max/0/default.jpg"


@contextmanager
def behind(says, serves=Serves.IMAGE_3):
    with running(says) as (made, start):
        yield made, Door("images", "/iiif/image/3/", serves, start)


def whole(answer):
    with closing(answer.pieces):
        return b"".join(answer.pieces)


def test_what_is_asked_is_the_method_and_the_path_and_nothing_else():
    with behind(answer(b"bytes", JPEG)) as (made, door):
        assert whole(passed(door, PATH, wanted="image/jpeg")) == b"bytes"
    assert made.asked[0].decode().split("\r\n") == [
        f"GET /iiif/3/{PATH} HTTP/1.1",
        f"Host: 127.0.0.1:{made.port}",
        "User-Agent: django-iiif-auth",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    ]


def test_of_the_headers_only_those_about_the_length_are_passed_on():
    head = (
        b"HTTP/1.1 206 Part\r\nContent-Type: text/html\r\nSet-Cookie: session=1\r\nLocation: http://inside/\r\n"
        b"Link: <http://inside/x>;rel=canonical\r\nETag: x\r\nAccept-Ranges: bytes\r\nContent-Range: bytes 0-4/9\r\n"
        b"Cache-Control: public, max-age=86400\r\nAccess-Control-Allow-Credentials: true\r\n"
    )
    with behind(answer(b"bytes", head)) as (made, door):
        said = passed(door, "film.mp4", byte_range="bytes=0-4")
        assert whole(said) == b"bytes"
    assert said.headers == {"Content-Length": "5", "Content-Range": "bytes 0-4/9", "Accept-Ranges": "bytes"}
    assert b"\r\nRange: bytes=0-4\r\n" in made.asked[0]


@pytest.mark.parametrize(
    "status", [100, 101, 201, 204, 206, 301, 302, 303, 304, 307, 401, 403, 407, 429, 500, 502, 503]
)
def test_what_is_no_answer_to_pass_on_is_out_of_order(status):
    says = answer(b"x" * 9, f"HTTP/1.1 {status} X\r\nContent-Type: image/jpeg\r\nLocation: http://inside/\r\n".encode())
    with behind(says) as (made, door), pytest.raises(OutOfOrder, match=r"\.$"):
        passed(door, PATH, wanted="image/jpeg")
    assert len(made.asked) == 1


@pytest.mark.parametrize(("status", "told"), [(400, 400), (404, 404), (410, 404), (416, 416), (501, 400)])
def test_a_refusal_is_passed_on_without_its_words(status, told):
    says = answer(
        b"/srv/images/secret.tif is not there", f"HTTP/1.1 {status} X\r\nContent-Type: image/jpeg\r\n".encode()
    )
    with behind(says) as (_made, door):
        said = passed(door, PATH, wanted="image/jpeg")
    assert (said.status, said.pieces) == (told, None)


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "image/tiff", "application/json", "image/png", ""])
def test_only_the_type_that_was_asked_for_is_a_picture(kind):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n" if kind else "HTTP/1.1 200 OK\r\n"
    with behind(answer(b"<script>", head.encode())) as (_made, door), pytest.raises(OutOfOrder, match="was asked for"):
        passed(door, PATH, wanted="image/jpeg")


def test_what_is_compressed_is_not_passed_on():
    says = answer(b"x", JPEG + b"Content-Encoding: gzip\r\n")
    with behind(says) as (_made, door), pytest.raises(OutOfOrder, match="compressed"):
        passed(door, PATH, wanted="image/jpeg")


@pytest.mark.parametrize(
    "says",
    [
        JPEG + b"Content-Length: 50\r\n\r\nbytes",
        JPEG + b"Transfer-Encoding: chunked\r\n\r\nff\r\nbytes",
        JPEG + b"Transfer-Encoding: chunked\r\n\r\n5\r\nbytes\r\n",
        JPEG + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nbytes\r\n",
    ],
)
def test_what_is_cut_off_never_looks_whole(says, caplog):
    caplog.set_level("WARNING", logger="iiif_auth.upstream")
    with behind(says) as (_made, door):
        said = passed(door, PATH, wanted="image/jpeg")
        with closing(said.pieces), pytest.raises(CutOff):
            b"".join(said.pieces)
    assert caplog.records[-1].getMessage().endswith("the answer was cut off.")


def test_a_picture_without_an_end_has_one(monkeypatch):
    monkeypatch.setattr(passing, "MOST_IMAGE", 500_000)
    with behind(endless(JPEG + b"Content-Length: 10000000000\r\n\r\n")) as (_made, door):
        said, taken = passed(door, PATH, wanted="image/jpeg"), []
        with closing(said.pieces), pytest.raises(CutOff, match="more than"):
            taken.extend(said.pieces)
    assert sum(map(len, taken)) <= 500_000


@pytest.mark.parametrize("says", [silent, b"", b"HTTP/1.", b"nonsense\r\n\r\n"], ids=["silent", "gone", "half", "odd"])
def test_one_that_does_not_answer_is_left_off(says, hurried):
    with behind(says) as (_made, door), pytest.raises(OutOfOrder) as raised:
        passed(door, PATH, wanted="image/jpeg")
    assert raised.value.later


def test_nobody_there_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(OutOfOrder) as raised:
        passed(Door("images", "/i/", Serves.IMAGE_3, f"http://127.0.0.1:{port}/"), PATH, wanted="image/jpeg")
    assert raised.value.later


def test_a_connection_is_given_back_even_if_nobody_wanted_a_byte():
    with behind(answer(b"bytes", JPEG)) as (_made, door):
        said = passed(door, PATH, wanted="image/jpeg")
        connection = said.pieces._asked.connection._connection
        assert connection.fileno() > 0
        said.pieces.close()
        assert connection.fileno() == -1


@pytest.mark.parametrize("path", ["../admin", "%2e%2e/x", "a//b", "x?y=1", "x\r\nX: y", "x#y", "%00", "x%252e"])
def test_no_path_leads_out_from_under_the_beginning(path):
    with behind(answer(b"bytes", JPEG)) as (made, door), pytest.raises(OutOfOrder, match="none that can be asked"):
        passed(door, path, wanted="image/jpeg")
    assert made.asked == []

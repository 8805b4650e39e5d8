"""FastCGI: one question well put, and answers of every kind."""

from __future__ import annotations

import struct
from contextlib import closing
from io import BufferedReader

import pytest

from iiif_auth import fetch, upstream
from iiif_auth.enforce.doors import Door, Serves
from iiif_auth.fetch import NotThere, Unanswered
from iiif_auth.upstream.fastcgi import Answer, NotFastCGI, request
from iiif_auth.upstream.passing import CutOff, OutOfOrder, passed
from tests.test_fetch import site
from tests.upstream.stub import described, silent

DOCUMENT = described().partition(b"\r\n\r\n")[2]


def record(kind, body=b"", number=1, version=1, padding=0):
    return struct.pack("!BBHHBB", version, kind, number, len(body), padding, 0) + body + b"\0" * padding


END = record(3, b"\0" * 8)
HEAD = b"Content-Type: application/ld+json\r\n\r\n"
GOOD = record(6, HEAD + DOCUMENT) + record(6) + END


def heard(raw, step=10**6):
    """What is read of these bytes, if they arrive so many at a time."""
    left = [raw]

    def receive(size):
        given, left[0] = left[0][: min(size, step)], left[0][min(size, step) :]
        return given

    return BufferedReader(Answer(receive)).read()


def test_a_request_is_one_of_a_responder_with_its_variables_and_no_body():
    said = request({"A": "1", "LONG": "x" * 200})
    pairs = b"\x01\x01A1" + b"\x04\x80\x00\x00\xc8LONG" + b"x" * 200
    assert said == record(1, b"\0\x01\0\0\0\0\0\0") + record(4, pairs) + record(4) + record(5)


def test_variables_that_do_not_fit_are_an_error():
    with pytest.raises(ValueError, match="too long"):
        request({"A": "x" * 70_000})


@pytest.mark.parametrize("step", [1, 7, 8, 1000])
def test_an_answer_reads_as_one_of_http(step):
    assert heard(GOOD, step) == b"HTTP/1.0 200 -\r\n" + HEAD + DOCUMENT


@pytest.mark.parametrize(
    "raw",
    [
        record(6, HEAD, padding=5) + record(6, DOCUMENT, padding=255) + END,
        b"".join(record(6, (HEAD + DOCUMENT)[at : at + 1]) for at in range(len(HEAD + DOCUMENT))) + END,
        record(7, b"Careful!") + record(6, HEAD) + record(7, b"x" * 60_000) + record(6, DOCUMENT) + record(7) + END,
        GOOD + b"and more that is not asked for",
    ],
)
def test_however_it_is_cut_into_records(raw):
    assert heard(raw) == b"HTTP/1.0 200 -\r\n" + HEAD + DOCUMENT


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Status: 404 Not Found\r\n\r\n", b"404"),
        (b"Server: x\r\nstatus:403\r\n\r\n", b"403"),
        (b"Status: 200\n\n", b"200"),
        (b"X: y\r\n\r\nStatus: 404 in the body", b"200"),
        (b"X-Status: 404\r\n\r\n", b"200"),
        (b"Status: 2000\r\n\r\n", b"200"),
    ],
)
def test_the_status_is_in_a_header(head, status):
    assert heard(record(6, head) + END).startswith(b"HTTP/1.0 " + status + b" -\r\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
        GOOD[:-3],
        GOOD[:20],
        record(6, HEAD, version=2) + END,
        record(6, HEAD, number=2) + END,
        record(9, HEAD) + END,
        record(1, HEAD) + END,
        END,
        record(6) + END,
        record(6, b"no end of headers") + END,
        record(6, b"X: y\r\n" * 10_000) * 2 + END,
    ],
)
def test_what_is_not_fastcgi_or_not_whole_is_an_error(raw):
    with pytest.raises(NotFastCGI):
        heard(raw)


# -- As an upstream -----------------------------------------------------------------------------------------------


def door_to(made):
    return Door("older", "/iiif/image/2/", Serves.IMAGE_2, f"fastcgi://127.0.0.1:{made.port}/iiif/")


def variables(asked):
    """The CGI variables of a request."""
    length = struct.unpack("!BBHHBB", asked[16:24])[3]
    text, found = asked[24 : 24 + length], {}
    while text:
        sizes = []
        for _ in range(2):
            wide = 4 if text[0] & 128 else 1
            sizes.append(int.from_bytes(text[:wide], "big") & 0x7FFF_FFFF if wide == 4 else text[0])
            text = text[wide:]
        found[text[: sizes[0]].decode()] = text[sizes[0] : sum(sizes)].decode()
        text = text[sum(sizes) :]
    return found


def test_a_picture_is_described_by_fastcgi():
    with site(GOOD) as made:
        assert upstream.describe(door_to(made), "maps/ü.tif").width == 8000
    said = variables(made.asked[0])
    assert (said["REQUEST_METHOD"], said["QUERY_STRING"]) == ("GET", "IIIF=maps%2F%C3%BC.tif/info.json")
    assert said["REQUEST_URI"] == "/iiif/maps%2F%C3%BC.tif/info.json"
    assert not {name for name in said if name.startswith("HTTP_")} - {"HTTP_HOST"}


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (record(6, b"Status: 404 No\r\n\r\n") + END, NotThere),
        (record(6, b"Content-Type: text/html\r\n\r\n<html>") + END, fetch.NotFetched),
        (record(6, HEAD + b" " * 60_000) * 20 + END, fetch.NotFetched),
        (b"nonsense", Unanswered),
        (GOOD[:-4], Unanswered),
    ],
)
def test_what_is_wrong_is_said(raw, problem):
    with site(raw) as made, pytest.raises(problem) as raised:
        upstream.describe(door_to(made), "chart")
    assert str(raised.value).endswith(".")


def test_silence_is_left_off_in_time(hurried):
    with site(silent) as made, pytest.raises(Unanswered):
        upstream.describe(door_to(made), "chart")


def test_a_picture_is_passed_on_and_one_cut_off_is_not_taken_for_whole():
    head = b"Content-Type: image/jpeg\r\nSet-Cookie: a=b\r\nLink: <http://inside/>\r\n\r\n"
    whole = record(6, head + b"JPEG") + record(6, b"x" * 50_000) + END
    with site(whole) as made:
        answer = passed(door_to(made), "chart/full/9,/0/default.jpg", wanted="image/jpeg")
        with closing(answer.pieces):
            assert b"".join(answer.pieces) == b"JPEG" + b"x" * 50_000
        assert answer.headers == {}
    with site(whole[:-20]) as made:
        answer = passed(door_to(made), "chart/full/9,/0/default.jpg", wanted="image/jpeg")
        with closing(answer.pieces), pytest.raises(CutOff):
            b"".join(answer.pieces)
    with site(b"nonsense") as made, pytest.raises(OutOfOrder):
        passed(door_to(made), "chart/full/9,/0/default.jpg", wanted="image/jpeg")

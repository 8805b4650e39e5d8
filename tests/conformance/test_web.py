"""The client keeps within its limits, keeps nothing to itself, and tells in a sentence what went wrong."""

from __future__ import annotations

import httpx
import pytest

from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.web import DOCUMENT, GLANCE, Exhausted, Limits, Unreachable, Web, origin_of, reason

URL = "https://iiif.example.org/manifest"


def web(answer, limits=None, **values):
    return Web(limits, httpx.MockTransport(answer), **values)


def ok(request):
    return httpx.Response(200, json={"path": request.url.path})


def test_the_limit_of_requests_is_kept():
    with web(ok, Limits(requests=2)) as client:
        client.ask("GET", URL)
        client.ask("GET", URL)
        with pytest.raises(Exhausted, match=r"limit of 2 requests was reached first \(see --max-requests\)"):
            client.ask("GET", URL)
        assert client.requests == 2


def test_the_limit_of_time_is_kept():
    now = [0.0]
    with web(ok, Limits(seconds=10), clock=lambda: now[0]) as client:
        client.ask("GET", URL)
        now[0] = 11
        with pytest.raises(Exhausted, match="limit of 10 seconds"):
            client.ask("GET", URL)


def test_a_huge_body_is_not_read_to_its_end():
    read = []

    def endless():
        while True:
            read.append(1)
            yield b"x" * 65_536

    with web(lambda request: httpx.Response(200, content=endless())) as client:
        answer = client.ask("GET", URL)
        assert (len(answer.body), answer.cut) == (DOCUMENT, True)
        with pytest.raises(Unreachable, match="sent more than 5 MB"):
            answer.json()
        assert len(client.ask("GET", URL, most=GLANCE).body) == GLANCE
    assert len(read) < 100


def test_a_body_that_drips_is_given_up():
    now = [0.0]

    def dripping():
        while True:
            now[0] += 5
            yield b"x"

    with (
        web(lambda request: httpx.Response(200, content=dripping()), clock=lambda: now[0]) as client,
        pytest.raises(Unreachable, match="it took too long"),
    ):
        client.ask("GET", URL)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (httpx.ConnectError("refused"), r"nobody could be reached there \(refused\)"),
        (httpx.ConnectTimeout(""), "it took too long to connect"),
        (httpx.ReadTimeout("slow"), r"it took too long \(slow\)"),
        (httpx.RemoteProtocolError("garbage"), "what came was not HTTP"),
        (httpx.DecodingError("zip"), "its body could not be unpacked"),
        (ValueError("odd"), "the connection failed"),
    ],
)
def test_what_went_wrong_is_told_in_words(error, words):
    def broken(request):
        raise error

    with web(broken) as client, pytest.raises(Unreachable, match=rf"^GET {URL} got no answer: {words}.*\.$"):
        client.ask("GET", URL)
    assert reason(error)


def test_nobody_waits_twice_for_a_server_that_is_not_there():
    asked = []

    def gone(request):
        asked.append(request)
        raise httpx.ConnectTimeout("")

    with web(gone) as client:
        for _ in range(3):
            with pytest.raises(Unreachable):
                client.ask("GET", URL)
    assert len(asked) == client.requests == 1


@pytest.mark.parametrize(
    "url",
    [
        "",
        "manifest.json",
        "file:///etc/passwd",
        "ftp://x/y",
        "javascript:1",
        "https://",
        "http://[::1",
        "//x/y",
        "data:,x",
    ],
)
def test_only_web_addresses_are_asked(url):
    with web(ok) as client, pytest.raises(Unreachable, match="is not a web address"):
        client.ask("GET", url)
    assert client.requests == 0


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "is not JSON"),
        (b"", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 200_000, "is nested too deeply|is not JSON"),
    ],
)
def test_what_is_no_json_is_told_in_words(body, words):
    with web(lambda request: httpx.Response(200, content=body)) as client, pytest.raises(Unreachable, match=words):
        client.ask("GET", URL).json()


def redirecting(request):
    places = {
        "/manifest": "/next",
        "/next": "https://other.example.net/last",
        "/loop": "/loop",
        "/odd": "http://[",
        "/none": "",
    }
    target = places.get(request.url.path)
    return httpx.Response(200, text="there") if target is None else httpx.Response(302, headers={"Location": target})


def test_redirects_are_followed_only_when_asked_to():
    with web(redirecting) as client:
        answer = client.ask("GET", URL)
        assert (answer.status, client.requests) == (302, 1)
        assert [one.url for one in client.follow(answer)] == [
            URL,
            "https://iiif.example.org/next",
            "https://other.example.net/last",
        ]
        assert [one.url for one in client.follow(answer, stay=True)] == [URL, "https://iiif.example.org/next"]


@pytest.mark.parametrize(("path", "hops"), [("loop", 11), ("odd", 1), ("none", 1)])
def test_redirects_come_to_an_end(path, hops):
    with web(redirecting) as client:
        assert len(client.follow(client.ask("GET", f"https://iiif.example.org/{path}"))) == hops


def cookies(request):
    if request.url.path == "/give":
        lines = [
            ("Set-Cookie", "a=1; Path=/; Secure"),
            ("Set-Cookie", "b=2; Path=/give"),
            ("Set-Cookie", "c=; Max-Age=0"),
        ]
        return httpx.Response(200, headers=lines)
    return httpx.Response(200, text=request.headers.get("Cookie", ""))


def test_cookies_belong_to_a_person_and_not_to_the_client():
    with web(cookies) as client:
        jar = Jar()
        answer = client.ask("GET", "https://iiif.example.org/give", jar=jar)
        assert [one.name for one in answer.cookies] == ["a", "b", "c"]
        assert client.ask("GET", URL).text == ""
        assert client.ask("GET", URL, jar=Jar()).text == ""
        assert client.ask("GET", URL, jar=jar).text == "a=1"
        assert client.ask("GET", "https://other.example.net/", jar=jar).text == ""


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://X.example.org:443/a?b#c", "https://x.example.org"),
        ("http://x.example.org:8080", "http://x.example.org:8080"),
        ("http://[::1]:80/", "http://[::1]"),
        ("https://user:password@x.example.org/", "https://x.example.org"),
        ("https://x.example.org:99999/", ""),
        ("mailto:x@example.org", ""),
    ],
)
def test_origins_are_as_browsers_write_them(url, origin):
    assert origin_of(url) == origin


def test_every_request_is_told_before_it_is_made():
    heard = []
    with web(ok, told=lambda number, what: heard.append((number, what))) as client:
        client.ask("GET", URL)
    assert heard == [(1, f"GET {URL}")]

"""Fetching from a site that means no good: a real one on this machine, and a resolver that lies."""

from __future__ import annotations

import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
from contextlib import contextmanager, suppress
from ipaddress import ip_address

import pytest

from iiif_auth import fetch
from iiif_auth.fetch import NotFetched, NotListed, fetched, is_public, target_of
from iiif_auth.protocol import manifest

JSON = b"Content-Type: application/ld+json\r\n"
OK = b"HTTP/1.1 200 OK\r\n" + JSON
DOCUMENT = b'{"type": "Manifest"}'
GOOD = OK + b"Content-Length: 20\r\n\r\n" + DOCUMENT


# -- A site -------------------------------------------------------------------------------------------------------


class Site:
    """Answers every connection with what ``says`` does to its socket; keeps what it was asked."""

    def __init__(self, says, context=None):
        self.says, self.context, self.asked, self.over = says, context, [], threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.over.is_set():
            with suppress(OSError):
                connection, _who = self.listener.accept()
                with connection:
                    self.answer(connection)

    def answer(self, connection):
        connection.settimeout(5)
        with suppress(OSError):
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            self.asked.append(connection.recv(65536))
            self.says(connection, self.over)
        connection.close()

    def close(self):
        self.over.set()
        self.thread.join(10)
        self.listener.close()


@contextmanager
def site(says, context=None):
    made = Site(says if callable(says) else lambda connection, over: connection.sendall(says), context)
    try:
        yield made
    finally:
        made.close()


def get(made, path="/m.json", most=10_000, host="127.0.0.1", scheme="http", **given):
    start = f"{scheme}://{host}:{made.port}/"
    return fetched(start + path.removeprefix("/"), [start], most, **given)


@pytest.fixture
def hurried(monkeypatch):
    """Half a second in total, so that what is slow need not be waited for."""
    monkeypatch.setattr(fetch, "SECONDS", 0.5)
    return 0.5


LATE = 10
"""Seconds that a busy machine may need beyond that; whatever is slow here is slower still."""


# -- What is asked, and what is good ------------------------------------------------------------------------------


def test_a_document_is_asked_for_plainly_and_without_anything_about_anybody():
    with site(GOOD) as made:
        assert get(made, "/m.json?v=1") == DOCUMENT
    (asked,) = made.asked
    assert asked.decode().split("\r\n") == [
        "GET /m.json?v=1 HTTP/1.1",
        f"Host: 127.0.0.1:{made.port}",
        f"User-Agent: {fetch.AGENT}",
        "Accept: application/ld+json, application/json",
        "Accept-Encoding: identity",
        "Connection: close",
        "",
        "",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        GOOD,
        OK + b"\r\n" + DOCUMENT,
        OK + b"Transfer-Encoding: chunked\r\n\r\n14\r\n" + DOCUMENT + b"\r\n0\r\n\r\n",
        b"HTTP/1.0 200 Fine\r\nContent-Type: application/json; charset=utf-8\r\n\r\n" + DOCUMENT,
        GOOD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: identity\r\n\r\n"),
        GOOD.replace(b"application/ld+json", b"text/json"),
        GOOD + b"and more that was not announced",
    ],
)
def test_every_way_to_send_a_document_is_understood(answer):
    with site(answer) as made:
        assert get(made) == DOCUMENT


def test_it_may_come_in_drops_as_long_as_it_comes_in_time():
    def drops(connection, over):
        for number in range(len(GOOD)):
            connection.sendall(GOOD[number : number + 1])

    with site(drops) as made:
        assert get(made) == DOCUMENT


# -- What is not good ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "no whole answer"),
        (b"\x00\xff\x00", "no whole answer"),
        (b"SSH-2.0-OpenSSH\r\n", "no whole answer"),
        (OK + b"Content-Length: 21\r\n\r\n" + DOCUMENT, "no whole answer"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\n" + DOCUMENT, "no whole answer"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + DOCUMENT, "no whole answer"),
        (OK + b"X: " + b"x" * 70_000 + b"\r\n\r\n" + DOCUMENT, "no whole answer|too large"),
        (OK + b"X: x\r\n" * 200 + b"\r\n" + DOCUMENT, "no whole answer"),
        (b"HTTP/1.1 204 None\r\n" + JSON + b"\r\n", "answered 204"),
        (b"HTTP/1.1 206 Part\r\n" + JSON + b"\r\n" + DOCUMENT, "answered 206"),
        (b"HTTP/1.1 404 Not Found\r\n" + JSON + b"\r\n" + DOCUMENT, "answered 404"),
        (b"HTTP/1.1 500 Oh\r\n" + JSON + b"\r\n" + DOCUMENT, "answered 500"),
        (GOOD.replace(b"application/ld+json", b"text/html"), "no JSON there, but text/html"),
        (GOOD.replace(b"application/ld+json", b"image/jpeg"), "no JSON there"),
        (GOOD.replace(b"application/ld+json", b"application/jsonx"), "no JSON there"),
        (GOOD.replace(JSON, b""), "no JSON there"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(answer, why):
    with site(answer) as made, pytest.raises(NotFetched, match=why) as raised:
        get(made)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_redirects_are_not_followed(status):
    with site(GOOD) as inner:
        moved = (
            f"HTTP/1.1 {status} X\r\nLocation: http://127.0.0.1:{inner.port}/\r\n".encode() + JSON + b"\r\n" + DOCUMENT
        )
        with site(moved) as made, pytest.raises(NotFetched, match="redirects are not followed"):
            get(made)
    assert len(made.asked) == 1
    assert inner.asked == []


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, identity", "x"])
def test_what_is_compressed_is_not_unpacked(encoding):
    bomb = gzip.compress(b" " * 5_000_000)
    answer = OK + f"Content-Encoding: {encoding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode() + bomb
    with site(answer) as made, pytest.raises(NotFetched, match="compressed"):
        get(made, most=100_000)


def test_a_document_has_a_limit_to_the_byte():
    with site(GOOD) as made:
        assert get(made, most=20) == DOCUMENT
    with site(GOOD) as made, pytest.raises(NotFetched, match="too large"):
        get(made, most=19)


def test_a_document_without_an_end_is_left_off():
    sent = []

    def endless(connection, over):
        connection.sendall(OK + b"\r\n")
        while not over.is_set():
            sent.append(connection.send(b" " * 65536))

    with site(endless) as made, pytest.raises(NotFetched, match="too large"):
        get(made, most=1_000_000)
    assert sum(sent) < 20_000_000


def test_headers_without_an_end_are_left_off():
    def endless(connection, over):
        connection.sendall(OK)
        while not over.is_set():
            connection.sendall(b"X: x\r\n" * 1000)

    with site(endless) as made, pytest.raises(NotFetched, match="too large"):
        get(made)


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200", OK, OK + b"Content-Length: 100\r\n\r\n{"])
def test_a_slow_drip_is_left_off_in_time_however_it_drips(first, hurried):
    def drip(connection, over):
        connection.sendall(first)
        while not over.wait(0.05):
            connection.sendall(b" ")

    began = time.monotonic()
    with site(drip) as made:
        with pytest.raises(NotFetched, match="took longer"):
            get(made)
        assert time.monotonic() - began < hurried + LATE


def test_silence_is_left_off_in_time(hurried):
    began = time.monotonic()
    with site(lambda connection, over: over.wait(30)) as made:
        with pytest.raises(NotFetched, match="took longer"):
            get(made)
        assert time.monotonic() - began < hurried + LATE


def test_a_connection_that_is_kept_open_after_the_end_counts_as_slow(hurried):
    def kept(connection, over):
        connection.sendall(GOOD)
        over.wait(30)

    with site(kept) as made, pytest.raises(NotFetched, match="took longer"):
        get(made)


def test_a_resolver_that_does_not_answer_is_not_waited_for(hurried):
    began, over = time.monotonic(), threading.Event()
    with pytest.raises(NotFetched, match="took longer"):
        fetched("https://slow.example/", ["https://slow.example/"], resolve=lambda host, port: over.wait(30) or [])
    assert time.monotonic() - began < hurried + LATE
    over.set()


def test_nobody_there_is_said():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NotFetched, match="no whole answer"):
        fetched(f"http://127.0.0.1:{port}/", [f"http://127.0.0.1:{port}/"])


def test_deep_json_is_fetched_and_then_refused():
    deep = b'{"type": "Manifest", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    with site(OK + b"\r\n" + deep) as made, pytest.raises(manifest.NotAManifest, match="64 levels"):
        manifest.decorated(manifest.parsed(get(made)), lambda url, place: None)


# -- Addresses ----------------------------------------------------------------------------------------------------

INNER = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),  # noqa: S104
    *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
    *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12:3456::1", "ff02::1", "2001:db8::1", "fec0::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "2002:7f00:1::", "2002:a00:1::", "64:ff9b::7f00:1"),
    *("64:ff9b::a9fe:a9fe", "::127.0.0.1"),
]
OUTER = ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:808:808", "2002:808:808::", "64:ff9b::808:808"]
NAMED = "https://manifests.example.org/m.json"


def never(*given):
    raise AssertionError("It was connected to.")


@pytest.mark.parametrize("address", INNER)
def test_a_name_that_leads_inside_is_not_followed(address, monkeypatch):
    monkeypatch.setattr(fetch, "_plain_connection", never)
    for found in ([address], ["93.184.216.34", address], [address, "93.184.216.34"]):
        with pytest.raises(NotFetched, match="inside this network"):
            fetched(NAMED, [NAMED], resolve=lambda host, port, found=found: found)


@pytest.mark.parametrize("address", OUTER)
def test_a_name_that_leads_outside_is(address):
    assert is_public(ip_address(address))
    assert fetch._addresses(target_of(NAMED), lambda host, port: [address], time.monotonic() + 5) == [address]


@pytest.mark.parametrize("problem", [None, socket.gaierror("no"), OSError("down"), UnicodeError("label too long")])
def test_a_name_without_an_address_is_said(problem):
    def resolve(host, port):
        if problem:
            raise problem
        return []

    with pytest.raises(NotFetched, match="has no address"):
        fetched(NAMED, [NAMED], resolve=resolve)


def test_a_name_that_changes_its_mind_is_asked_once_and_held_to_its_word(monkeypatch):
    """What a rebinding name server does: an outer address for the check, and an inner one for the connection."""
    answers, connected = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]], []

    def create_connection(address, *given):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(fetch.socket, "create_connection", create_connection)
    with pytest.raises(NotFetched, match="no whole answer"):
        fetched(NAMED, [NAMED], resolve=lambda host, port: answers.pop(0))
    assert connected == [("93.184.216.34", 443)]
    assert len(answers) == 2


def test_the_connection_goes_to_the_address_and_the_name_is_only_told():
    with site(GOOD) as made:
        start = f"http://localhost:{made.port}/"
        assert fetched(start, [start], resolve=lambda host, port: ["127.0.0.1"]) == DOCUMENT
    assert f"Host: localhost:{made.port}".encode() in made.asked[0]


def test_of_several_addresses_one_that_answers_is_enough():
    with site(GOOD) as made:
        start = f"http://localhost:{made.port}/"
        assert fetched(start, [start], resolve=lambda host, port: ["127.0.0.2", "::1", "127.0.0.1"]) == DOCUMENT


@pytest.mark.parametrize(
    ("host", "address", "meant"),
    [
        ("localhost", "127.0.0.1", True),
        ("localhost", "::1", True),
        ("localhost", "10.0.0.1", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::1", "::1", True),
        ("intranet.example.org", "10.0.0.1", False),
        ("127.1", "127.0.0.1", False),
        ("0x7f.0.0.1", "127.0.0.1", False),
        ("2130706433", "127.0.0.1", False),
        ("localhost.evil.example", "127.0.0.1", False),
    ],
)
def test_an_inner_address_is_meant_only_if_the_list_says_so_itself(host, address, meant):
    assert fetch.is_meant(host, ip_address(address)) is meant


# -- The list -----------------------------------------------------------------------------------------------------

LIST = [
    "https://a.example/iiif/",
    "https://b.example",
    "http://c.example:8080/x",
    "https://[2606:4700::1]/m",
    "nonsense",
    "",
]


@pytest.mark.parametrize(
    "url",
    [
        "https://a.example/iiif/m.json",
        "https://a.example/iiif",
        "https://a.example:443/iiif/x/y?z=1&u=/../",
        "https://a.example/iiif/ark%3A%2F12148%2Fx/manifest.json",
        "https://b.example",
        "https://b.example/",
        "https://b.example/anything?x",
        "http://c.example:8080/x",
        "http://c.example:8080/x/y",
        "https://[2606:4700::1]/m/1",
    ],
)
def test_what_the_list_covers(url):
    assert fetch.listed(url, LIST) == target_of(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/iiif/m.json",
        "https://a.example/iiifx",
        "https://a.example/",
        "https://a.example/IIIF/x",
        "https://A.example/iiif/x",
        "https://a.example:8443/iiif/x",
        "https://a.example./iiif/x",
        "https://a.example.evil.example/iiif/x",
        "https://evil.example/https://a.example/iiif/x",
        "https://user@a.example/iiif/x",
        "https://user:word@a.example/iiif/x",
        "https://evil.example@a.example/iiif/x",
        "https://a.example@evil.example/iiif/x",
        "https://a.example\\@evil.example/iiif/x",
        "https://a.example#@evil.example/iiif/x",
        "https://a.example/iiif/../x",
        "https://a.example/iiif/..",
        "https://a.example/iiif/./x",
        "https://a.example/iiif/%2e%2e/x",
        "https://a.example/iiif/.%2E/x",
        "https://a.example/iiif/..%2fx",
        "https://a.example/iiif/x%2f..%2f..%2fy",
        "https://a.example/iiif/..%5cx",
        "https://a.example/iiif/%252e%252e/x",
        "https://a.example/iiif//x",
        "https://a.example//iiif/x",
        "https://a.example/iiif/x y",
        "https://a.example/iiif/x\r\nHost: evil.example",
        "https://a.example/iiif/x%0d%0aX",
        "https://a.example/iiif/x%00",
        "https://a.example/iiif/x?y=%0a",
        "https://a.example/iiif/x%",
        "https://a.example/iiif/x%zz",
        "https://a.example/iiif/x#y",
        "https://a.example/iiif/é",
        "https://a.example:0443/iiif/x",
        "https://a.example:/iiif/x",
        "https://a.example:443:443/iiif/x",
        "https:/a.example/iiif/x",
        "https:///a.example/iiif/x",
        "//a.example/iiif/x",
        "a.example/iiif/x",
        " https://a.example/iiif/x",
        "https://a.example/iiif/x\n",
        "HTTPS://a.example/iiif/x",
        "ftp://a.example/iiif/x",
        "file:///iiif/x",
        "gopher://a.example/iiif/x",
        "https://b.example:99999/",
        "https://-b.example/",
        "http://c.example/x",
        "http://c.example:8080/xy",
        "http://c.example:8080",
        "https://[::1]/m",
        "https://[2606:4700::1%25eth0]/m",
        "https://a.example/iiif/" + "x" * 2000,
        "nonsense",
        "",
    ],
)
def test_what_it_does_not(url):
    with pytest.raises(NotListed, match="MANIFEST_SOURCES"):
        fetched(url, LIST, resolve=never)


def test_an_empty_list_covers_nothing_and_neither_does_an_odd_entry():
    for sources in (
        [],
        [""],
        ["https://"],
        ["https://a.example/x?y"],
        ["https://a.example/../"],
        ["https://*.example"],
    ):
        with pytest.raises(NotListed):
            fetched("https://a.example/x", sources, resolve=never)


# -- https --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for manifests.example.org, and a context on each side."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
    ]
    names = ["-subj", "/CN=manifests.example.org", "-addext", "subjectAltName=DNS:localhost,DNS:manifests.example.org"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return server, ssl.create_default_context(cafile=str(certificate))


def test_over_https_the_site_proves_its_name(certificate):
    server, trusting = certificate
    with site(GOOD, server) as made:
        assert get(made, scheme="https", host="localhost", context=trusting) == DOCUMENT


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate):
    server, _trusting = certificate
    with site(GOOD, server) as made:
        with pytest.raises(NotFetched, match="could not be trusted"):
            get(made, scheme="https", host="localhost")
        assert made.asked == []


def test_a_certificate_for_another_name_is_refused(certificate):
    server, trusting = certificate
    with site(GOOD, server) as made:
        with pytest.raises(NotFetched, match="could not be trusted"):
            get(made, scheme="https", host="127.0.0.1", context=trusting)
        assert made.asked == []


def test_a_handshake_that_takes_for_ever_is_left_off(hurried):
    with site(lambda connection, over: over.wait(30)) as made, pytest.raises(NotFetched, match="took longer"):
        get(made, scheme="https", host="localhost")

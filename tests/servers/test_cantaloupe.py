"""The delegate for Cantaloupe, run by Ruby: what it asks, and that whatever goes wrong is a no."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from contextlib import contextmanager, suppress

import pytest

from tests import web
from tests.servers import ROOT, missing
from tests.test_fetch import Site
from tests.upstream.stub import drip, endless, in_turn, silent
from tests.web import SIGNED_IN, Browser, person, site

__all__ = ["site"]

DELEGATE = ROOT / "iiif_auth" / "enforce" / "recipes" / "cantaloupe" / "delegates.rb"
SCRIPT = """
require ARGV[0]
contexts = JSON.parse($stdin.read)
answers = contexts.map { |one| made = CustomDelegate.new; made.context = one; made.pre_authorize }
puts JSON.generate(answers)
"""
TILE = "http://images.example.org/iiif/3/chart/full/200,/0/default.jpg"
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
YES = {"status": 200, "upstream": "chart/full/200,/0/default.jpg", "source": "chart"}


def context(**changes):
    return {
        "identifier": "chart",
        "request_uri": TILE,
        "request_headers": {"Cookie": "a=b", "User-Agent": "x"},
        "client_ip": "203.0.113.9",
        **changes,
    }


def delegate(port, *contexts, **environment):
    """What the delegate says about each of these requests."""
    ruby = shutil.which("ruby")
    if ruby is None:
        missing("Ruby is needed to run the delegate (Debian: apt-get install ruby).")
    given = {
        "PATH": "/usr/bin:/bin",
        "IIIF_AUTH_CHECK": f"http://127.0.0.1:{port}/iiif-auth/check",
        "IIIF_AUTH_SECRET": "a secret",
        "http_proxy": "http://127.0.0.1:9/",
        **environment,
    }
    done = subprocess.run(
        [ruby, "-W1", "-rjson", "-e", SCRIPT, str(DELEGATE)],
        input=json.dumps(contexts),
        env=given,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


class Check(Site):
    """Answers once the whole question is there."""

    def answer(self, connection):
        connection.settimeout(5)
        asked = b""
        with suppress(OSError):
            while not whole(asked):
                asked += connection.recv(65536)
            self.asked.append(asked)
            self.says(connection, self.over)


def whole(asked):
    head, blank, body = asked.partition(b"\r\n\r\n")
    found = re.search(rb"content-length: ([0-9]+)", head.lower())
    return bool(blank) and len(body) >= int(found[1] if found else 0)


@contextmanager
def answering(says):
    made = Check(says if callable(says) else lambda connection, over: connection.sendall(says))
    try:
        yield made
    finally:
        made.close()


def said(document):
    return OK + json.dumps(document).encode()


def test_a_yes_about_this_very_picture_is_a_yes():
    with answering(said(YES)) as made:
        assert delegate(made.port, context()) == [True]
    head, _, body = made.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /iiif-auth/check HTTP/1.1\r\n")
    assert b"X-Iiif-Auth-Secret: a secret" in head
    assert json.loads(body) == {
        "uri": "/iiif/3/chart/full/200,/0/default.jpg",
        "method": "GET",
        "cookie": "a=b",
        "address": "203.0.113.9",
    }


NOS = [
    said({**YES, "status": 401}),
    said({**YES, "status": 403}),
    said({**YES, "status": "200"}),
    said({**YES, "status": True}),
    said({**YES, "status": [200]}),
    said({"status": 200}),
    said({**YES, "upstream": ""}),
    said({**YES, "upstream": None}),
    said({**YES, "upstream": ["chart/full/200,/0/default.jpg"]}),
    said({**YES, "upstream": "chart"}),
    said({**YES, "upstream": "secret/full/200,/0/default.jpg"}),
    said({**YES, "upstream": "chart/0,0,8000,6000/200,/0/default.jpg"}),
    said({**YES, "upstream": "chart%/full/200,/0/default.jpg"}),
    said([YES]),
    said("yes"),
    OK,
    OK + b"{",
    OK + b"[" * 5000,
    OK + b"200",
    OK + json.dumps({**YES, "more": "x" * 30_000}).encode(),
    b"HTTP/1.1 204 None\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /yes\r\n\r\n",
    b"HTTP/1.1 403 No\r\n\r\n" + json.dumps(YES).encode(),
    b"HTTP/1.1 500 No\r\n\r\n" + json.dumps(YES).encode(),
    b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + json.dumps(YES).encode(),
    b"",
    b"nonsense",
]


def test_any_other_answer_is_a_no():
    """All in one run of Ruby, each answer to a question of its own; a yes is the first and the last, as a control."""
    with answering(in_turn(said(YES), *NOS, said(YES))) as made:
        answers = delegate(made.port, *[context()] * (len(NOS) + 2))
    assert [answer for answer, yes in zip(NOS, answers[1:-1], strict=True) if yes] == []
    assert (answers[0], answers[-1], len(made.asked)) == (True, True, len(NOS) + 2)


def test_a_late_answer_is_a_no_and_is_not_waited_for():
    late = [silent, drip(b"HTTP/1.1 200 OK\r\n"), drip(OK + b"{"), endless(OK)]
    began = time.monotonic()
    for says in late:
        with answering(says) as made:
            assert delegate(made.port, context()) == [False]
    assert time.monotonic() - began < 15 * len(late)


def test_nobody_there_is_a_no():
    with answering(b"") as made:
        port = made.port
    assert delegate(port, context()) == [False]


def test_what_is_no_request_for_this_picture_is_a_no():
    changes = [
        {"request_uri": "http://images.example.org/iiif/2/chart/full/200,/0/default.jpg"},
        {"request_uri": "http://images.example.org/admin"},
        {"request_uri": None},
        {"request_uri": ""},
        {"identifier": "secret"},
        {"identifier": None},
        {"identifier": "chart;1"},
    ]
    with answering(said(YES)) as made:
        assert delegate(made.port, *[context(**one) for one in changes]) == [False] * len(changes)


def test_a_name_may_be_written_in_two_ways_but_is_one():
    yes = {"status": 200, "upstream": "ark%3A%2F1%2B2/full/max/0/default.jpg"}
    one = context(identifier="ark:/1+2", request_uri="http://x/iiif/3/ark:%2F1+2/full/max/0/default.jpg")
    other = context(identifier="ark:/1 2", request_uri="http://x/iiif/3/ark:%2F1+2/full/max/0/default.jpg")
    with answering(said(yes)) as made:
        assert delegate(made.port, one, other) == [True, False]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ("0", None, "203.0.113.9"),
        ("0", "10.0.0.1", ""),
        ("1", None, ""),
        ("1", "10.0.0.1", "10.0.0.1"),
        ("1", "192.0.2.5, 10.0.0.1", "10.0.0.1"),
        ("2", "192.0.2.5, 198.51.100.1, 10.0.0.1", "198.51.100.1"),
        ("2", "10.0.0.1", ""),
    ],
)
def test_an_address_that_anybody_could_have_written_counts_for_nothing(proxies, forwarded, address):
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    with answering(said(YES)) as made:
        delegate(made.port, context(request_headers=headers), IIIF_AUTH_PROXIES=proxies)
    assert json.loads(made.asked[0].partition(b"\r\n\r\n")[2])["address"] == address


def test_a_description_is_for_django_alone():
    info = {"request_uri": "http://127.0.0.1:8182/iiif/3/chart/info.json", "request_headers": {}}
    django = context(**info, client_ip="127.0.0.1")
    reader = context(**info, client_ip="203.0.113.9")
    behind = [
        context(**{**info, "request_headers": {name: "127.0.0.1"}}, client_ip="127.0.0.1")
        for name in ("X-Forwarded-For", "x-real-ip", "Forwarded", "VIA")
    ]
    with answering(said(YES)) as made:
        assert delegate(made.port, django, reader, *behind) == [True, *[False] * 5]
    assert made.asked == []


@pytest.mark.django_db(transaction=True)
def test_it_obeys_the_check_of_a_real_site(site, live_server):
    site.ROOT_URLCONF = "tests.doorways.urls"
    site.ALLOWED_HOSTS = ["*"]
    door = {"name": "images", "path": "/iiif/3/", "serves": "image-3", "upstream": "http://127.0.0.1:9/iiif/3/"}
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "DOORS": (door,), "CHECK_SECRET": "a secret"}
    service = web.service("login", "login")
    web.restricted("/iiif/3/chart", SIGNED_IN, by=(service,))
    web.restricted("/iiif/3/other", SIGNED_IN, by=(service,), source="secret")
    member = Browser().sign_in(person())
    member.click(web.access("login"))
    cookie = {"Cookie": f"{web.identify.COOKIE}={member.access_cookie}"}
    other = "http://x/iiif/3/other/full/200,/0/default.jpg"
    port = live_server.thread.port
    asked = [
        context(request_headers=cookie),
        context(request_headers={"Cookie": "x=y"}),
        context(request_headers={}),
        context(request_headers=cookie, request_uri=f"{TILE}/"),
        context(request_headers=cookie, request_uri=TILE.replace("chart", "nothing"), identifier="nothing"),
        context(request_headers=cookie, request_uri=other, identifier="other"),
    ]
    assert delegate(port, *asked) == [True, False, False, False, False, False]
    assert delegate(port, *asked, IIIF_AUTH_SECRET="wrong") == [False] * 6

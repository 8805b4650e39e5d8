"""Cookies are kept and sent as browsers do it."""

from __future__ import annotations

import pytest

from iiif_auth.conformance.cookies import Cookie, Jar, is_loopback, parsed

SITE = "https://archive.example.org/accounts/login"


@pytest.mark.parametrize(
    ("line", "url", "goes"),
    [
        ("a=1", "https://archive.example.org/accounts/other", True),
        ("a=1", "https://archive.example.org/", False),  # without Path it stays in its folder
        ("a=1; Path=/", "https://archive.example.org/", True),
        ("a=1; Path=/", "https://images.archive.example.org/", False),
        ("a=1; Path=/; Domain=example.org", "https://images.example.org/", True),
        ("a=1; Path=/; Domain=.example.org", "https://images.example.org/", True),
        ("a=1; Path=/; Domain=example.org", "https://notexample.org/", False),
        ("a=1; Path=/iiif", "https://archive.example.org/iiif", True),
        ("a=1; Path=/iiif", "https://archive.example.org/iiif/x", True),
        ("a=1; Path=/iiif", "https://archive.example.org/iiifx", False),
        ("a=1; Path=/; Secure", "http://archive.example.org/", False),
        ("a=1; Path=/", "http://archive.example.org/", True),
    ],
)
def test_a_cookie_goes_where_it_was_meant_to_go(line, url, goes):
    jar = Jar([parsed(line, SITE)])
    assert jar.header(url) == ("a=1" if goes else "")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]", "demo.localhost"])
def test_this_very_machine_gets_secure_cookies_without_tls(host):
    cookie = parsed("__Host-a=1; Path=/; Secure", f"http://{host}:8000/x")
    assert cookie is not None
    assert cookie.goes_to(f"http://{host}:8000/y")


@pytest.mark.parametrize("host", ["localhost.example.org", "example.org", "10.0.0.1", "127.0.0.1.example.org"])
def test_no_other_machine_does(host):
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "line",
    [
        "=1",
        "nothing",
        "a=1; Domain=other.example",
        "__Host-a=1; Path=/",
        "__Host-a=1; Secure; Path=/x",
        "__Host-a=1; Secure; Path=/; Domain=archive.example.org",
        "__Secure-a=1",
    ],
)
def test_what_a_browser_would_not_take_is_not_taken(line):
    assert parsed(line, SITE) is None


@pytest.mark.parametrize(
    "line",
    ["a=; Path=/; Max-Age=0", "a=; Path=/; Max-Age=-1", "a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"],
)
def test_a_cookie_is_taken_away_as_it_was_given(line):
    jar = Jar()
    jar.take(parsed("a=1; Path=/", SITE))
    jar.take(parsed(line.replace("Path=/;", "Path=/elsewhere;"), SITE))
    assert len(jar) == 1
    jar.take(parsed(line, SITE))
    assert len(jar) == 0


@pytest.mark.parametrize(
    "line", ["a=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "a=1; Expires=gibberish", "a=1; Max-Age=x"]
)
def test_what_does_not_say_that_it_ends_stays(line):
    assert not parsed(line, SITE).deletes


def test_attributes_are_kept_for_whoever_judges_them():
    cookie = parsed("a=b=c; HttpOnly; SameSite=None; Path=/", SITE)
    assert (cookie.value, cookie.attributes) == ("b=c", {"httponly": "", "samesite": "None", "path": "/"})


def test_a_browser_can_be_tried_with_some_of_its_cookies():
    jar = Jar([Cookie("a", "1", "x"), Cookie("b", "2", "x")])
    assert [one.name for one in jar.only(["a"])] == ["a"]
    assert [one.name for one in jar.without(["a"])] == ["b"]
    assert [one.value for one in jar.changed(["a"], "9")] == ["9", "2"]
    jar.copy().take(Cookie("c", "3", "x"))
    assert len(jar) == 2


def test_a_partitioned_cookie_is_not_counted_on():
    line = "__Host-twin=1; Path=/; Secure; HttpOnly; SameSite=None"
    assert parsed(line, "https://library.example.org/token") is not None
    assert parsed(f"{line}; Partitioned", "https://library.example.org/token") is None

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iiif_auth.protocol.identity import (
    MAX_LENGTH,
    NotAResourceURL,
    absolute,
    digest,
    host_of,
    is_source,
    normalised,
    normalised_pattern,
    reference,
    referred,
)

OWN = "https://iiif.example.org"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://images.example.org/iiif/3/chart", "https://images.example.org/iiif/3/chart"),
        ("http://images.example.org/iiif/3/chart", "https://images.example.org/iiif/3/chart"),
        ("HTTPS://Images.Example.ORG/iiif/3/Chart", "https://images.example.org/iiif/3/Chart"),
        ("https://images.example.org:443/a", "https://images.example.org/a"),
        ("http://images.example.org:80/a", "https://images.example.org/a"),
        ("http://images.example.org:443/a", "https://images.example.org/a"),
        ("https://images.example.org:80/a", "https://images.example.org:80/a"),
        ("https://images.example.org:8443/a", "https://images.example.org:8443/a"),
        ("https://[2001:db8::1]:8000/a", "https://[2001:db8::1]:8000/a"),
        ("https://images.example.org/a/", "https://images.example.org/a"),
        ("https://images.example.org/a/info.json", "https://images.example.org/a"),
        ("https://images.example.org/a/info.json/", "https://images.example.org/a"),
        ("https://images.example.org/a?page=1", "https://images.example.org/a"),
        ("https://images.example.org/a/full/max/0/default.jpg", "https://images.example.org/a"),
        ("/iiif/3/chart", "/iiif/3/chart"),
        ("/a/%53ECRET%7e", "/a/SECRET~"),
        ("/a/%e9%2f".replace("%e9", "%c3%a9"), "/a/%C3%A9%2F"),
        ("/a/x%252Fy", "/a/x%252Fy"),
        # hosts.md, section 1.3
        (
            "https://figgy.example.edu/iiif/2/plum_prod%2Fp0%2F28%2Fimage.jp2/info.json",
            "https://figgy.example.edu/iiif/2/plum_prod%2Fp0%2F28%2Fimage.jp2",
        ),
        (
            "http://tile.example.gov/image-services/iiif/x:1/full/pct:100/0/default.jpg",
            "https://tile.example.gov/image-services/iiif/x:1",
        ),
        ("https://diamm.example.ac.uk/images/4711/", "https://diamm.example.ac.uk/images/4711"),
        ("https://x.example.org/iiif/2/coins%3A1", "https://x.example.org/iiif/2/coins:1"),
        ("/iiif/3/ark%3A%2f12148%2Fb%2C1", "/iiif/3/ark:%2F12148%2Fb,1"),
        ("/iiif/3/a%2A%3bb", "/iiif/3/a%2A%3Bb"),
    ],
)
def test_one_spelling(url, found):
    assert normalised(url, OWN) == found


@pytest.mark.parametrize("region", ["full", "square", "0,0,1024,1024", "pct:41.6,7.5,40,70"])
@pytest.mark.parametrize(
    "size", ["max", "^max", "%5Emax", "full", "150,", ",150", "pct:50", "^pct:120", "!225,100", "^!360,360"]
)
@pytest.mark.parametrize("tail", ["0/default.jpg", "!180/gray.png", "22.5/bitonal.webp", "90/native.tif"])
def test_image_parameters_do_not_count(region, size, tail):
    assert normalised(f"{OWN}/iiif/3/chart/{region}/{size}/{tail}", OWN) == "/iiif/3/chart"


@pytest.mark.parametrize("tail", ["0/default.JPG", "x/default.jpg", "0/other.jpg", "0/default.jpg/more"])
def test_what_only_resembles_image_parameters_counts(tail):
    assert normalised(f"/iiif/3/chart/full/max/{tail}", OWN) == f"/iiif/3/chart/full/max/{tail}"


@pytest.mark.parametrize(
    "base", ["https://iiif.example.org", "http://iiif.example.org", "https://IIIF.example.org:443"]
)
def test_our_own_site_is_a_path(base):
    assert normalised("http://iiif.example.org/iiif/3/chart", base) == "/iiif/3/chart"


def test_another_port_is_another_site():
    assert normalised("https://iiif.example.org:8443/a", OWN) == "https://iiif.example.org:8443/a"


def test_without_a_base_nothing_is_ours():
    assert normalised("https://iiif.example.org/a", "") == "https://iiif.example.org/a"


HOSTILE = [
    "",
    "/",
    "//evil.example/x",
    "///x",
    "x",
    "x/y",
    "?",
    "https://",
    "https:///x",
    "https://h",
    "https://h/",
    "https://h/info.json",
    "https://h/full/max/0/default.jpg",
    "https:/h/x",
    "https:h/x",
    "ftp://h/x",
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "https://user@h/x",
    "https://h@evil/x",
    "https://h\\@evil/x",
    "https://h:/x",
    "https://h:0/x",
    "https://h:0443/x",
    "https://h:123456/x",
    "https://.h/x",
    "https://h./x",
    "https://h..h/x",
    "https://hé/x",
    "https://h%2eevil/x",
    "https://*.example.org/x",
    "/a/../b",
    "/a/./b",
    "/a/..",
    "/..",
    "/a//b",
    "/a//",
    "/a/%2e%2e/b",
    "/a/.%2E/b",
    "/a/..%2Fb",
    "/a%2f..%2fb",
    "/a/..%5Cb",
    "/a/%2E",
    "/a/b\\c",
    "/a/%00",
    "/a/%0d%0aX",
    "/a/%7f",
    "/a/%c0%ae",
    "/a/%ff%fe",
    "/a/%",
    "/a/%2",
    "/a/%zz",
    "/a/%u002e",
    "/a b",
    "/a\tb",
    "/a\nb",
    "/a#b",
    '/a"b',
    "/a<b>",
    "/a|b",
    "/a`b",
    "/a{b}",
    "/é",
    "/\u212a",
    "/a\x00",
    "/" + "a" * MAX_LENGTH,
    "http://h/" + "a" * (MAX_LENGTH - 9),
]


@pytest.mark.parametrize("url", HOSTILE)
def test_what_is_no_url_of_a_resource_is_refused(url):
    with pytest.raises(NotAResourceURL):
        normalised(url, OWN)


WORDS = ["a", "B", "info.json", "full", "max", "0", "default.jpg", "%2F", "%2e", "%5E", "é", "", ".", "..", "~x", "a:b"]
PATHS = st.lists(st.sampled_from(WORDS) | st.text("aZ0%.2Ff-_~:^,!", max_size=8), max_size=14).map("/".join)
HOSTS = st.sampled_from(
    ["", "https://h", "http://h", "HTTP://H:80", "http://h:443", "https://h:443", OWN, "https://h:80"]
)


@given(HOSTS, PATHS)
@example("http://h:443", "x")
@example("https://h", "x/info.json/info.json/")
@example("https://h", "x/full/max/0/default.jpg/full/max/0/default.jpg")
def test_normalising_twice_changes_nothing(host, path):
    try:
        once = normalised(f"{host}/{path}", OWN)
    except NotAResourceURL:
        return
    assert normalised(once, OWN) == once
    assert normalised(absolute(once, OWN), OWN) == once
    assert not {"", ".", ".."} & set(once.removeprefix("https://").split("/")[1:])


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_is_refused(text):
    with suppress(NotAResourceURL):
        assert normalised(text, OWN).isascii()


@pytest.mark.parametrize("unit", ["/info.json", "/full/max/0/default.jpg", "/a", "%2F", "%41", "a", "*", "?"])
def test_a_hundred_thousand_characters_are_looked_at_quickly(unit):
    url = "/x" + unit * (100_000 // len(unit))
    began = time.process_time()
    with suppress(NotAResourceURL):
        normalised(url, OWN)
    assert time.process_time() - began < 0.2  # it takes some 2 ms; what is not linear takes minutes


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/iiif/3/maps", "/iiif/3/maps"),
        ("/iiif/3/maps/", "/iiif/3/maps/"),
        ("http://Images.example.org:80/iiif/%7emaps%2f", "https://images.example.org/iiif/~maps%2F"),
        ("https://iiif.example.org/iiif/3/maps/", "/iiif/3/maps/"),
        ("https://images.example.org", "https://images.example.org/"),
        ("/iiif/3/*/page-*", "/iiif/3/*/page-*"),
        ("/iiif/3/a/info.json", "/iiif/3/a/info.json"),
    ],
)
def test_a_pattern_is_spelt_like_what_it_is_compared_with(pattern, found):
    assert normalised_pattern(pattern, OWN) == found


@pytest.mark.parametrize(
    "pattern", ["iiif/3/", "https://*.example.org/", "/iiif//3", "/iiif/../3", "/a/%4", "/é", "//x/"]
)
def test_a_pattern_that_nothing_could_fit_is_refused(pattern):
    with pytest.raises(NotAResourceURL):
        normalised_pattern(pattern, OWN)


@given(st.sampled_from(["/iiif/3/", "https://h/"]), st.text("abcXYZ019-._~%2F:,", min_size=1, max_size=80))
def test_a_reference_leads_back(start, rest):
    try:
        uri = normalised(start + rest, OWN)
    except NotAResourceURL:
        return
    text = reference(uri)
    assert referred(text, OWN) == uri
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


SOUND = reference("/iiif/3/chart")


@pytest.mark.parametrize(
    "text",
    [
        "",
        SOUND + "=",
        SOUND + "==",
        SOUND + "\n",
        SOUND[:-1],
        SOUND + "A",
        " " + SOUND,
        "é",
        "a" * (MAX_LENGTH * 2 + 1),
        reference("/iiif/3/chart/"),
        reference("/iiif/3/chart/info.json"),
        reference("https://iiif.example.org/iiif/3/chart"),
        reference("http://h/x"),
        reference("/a/%2f"),
        reference("/a/../b"),
        reference("x"),
        reference("/iiif/3/chart??>").replace("-", "+").replace("_", "/"),
    ],
)
def test_a_reference_that_we_would_not_write_leads_nowhere(text):
    assert referred(text, OWN) is None


def test_what_is_outside_the_alphabet_is_not_skipped():
    assert [text for text in (f"{SOUND[:4]}{extra}{SOUND[4:]}" for extra in "\n\t !.*~%=") if referred(text, OWN)] == []


def test_the_unused_bits_of_the_last_letter_must_be_zero():
    text = reference("/a")  # two bytes: of the last letter four bits count
    others = [text[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    assert [other for other in others if referred(other, OWN) == "/a"] == [text]


def test_digests_tell_case_apart():
    assert digest("/a") != digest("/A")
    assert len(digest("/a")) == 64


def test_the_host_of_a_url_is_shown():
    assert (host_of("https://h.example/x"), host_of("/x")) == ("h.example", "/x")


@pytest.mark.parametrize("name", ["", "a", "maps/survey.tif", "ark:/1/2.tif", "a b", "..a", "a..b", "é/ü.jp2", "a/.b"])
def test_a_name_at_the_source_that_stays_in_its_folder(name):
    assert is_source(name)


@pytest.mark.parametrize(
    "name",
    ["..", ".", "/", "/a", "a/", "a//b", "../a", "a/../b", "a/..", "a/./b", "ma../ps/x", "a..", "a\\b", "a\0b", "a\nb"],
)
def test_a_name_at_the_source_that_could_lead_elsewhere(name):
    """The last but three: iipsrv takes “../” out of a name, so that ``ma../ps`` is ``maps``."""
    assert not is_source(name)

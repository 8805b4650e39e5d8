"""What nobody should send: nothing of it is an error of ours, and nothing of it opens anything."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from iiif_auth import identify
from iiif_auth.http.token import page
from iiif_auth.protocol import identity, languages, v2
from tests import web
from tests.node import posted
from tests.web import CANARY, HOME, READING_ROOM, VIEWER, Browser, Page, access, content_status, probe_of, probe_status

CORPORA = Path(__file__).parents[1] / "corpora"
CHART = "/iiif/3/chart"


def lines(name: str) -> list[str]:
    text = (CORPORA / f"{name}.txt").read_text()
    return [line for line in text.split("\n") if line and not line.startswith("#")]


@pytest.fixture
def holder(site):
    terms = web.service("terms")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    browser = Browser()
    browser.click(access("terms"))
    return browser


# -- Message ids (T1) ---------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-TOK-14")
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=300))
def test_no_message_id_gets_out_of_its_island(message_id):
    html = page(RequestFactory().get("/"), v2.token_message("t", 300, message_id), VIEWER).content.decode()
    found = Page(html)
    assert html.count("<script") == html.count("</script") == 2
    assert len(found.scripts) == 1
    assert not set("<>&\u2028\u2029\x00") & set(found.islands["envelope"])
    assert json.loads(found.islands["envelope"]) == {
        "message": v2.token_message("t", 300, message_id),
        "targetOrigin": VIEWER,
    }


@pytest.mark.requirement("A2-TOK-06")
def test_the_script_posts_them_unchanged():
    ids = [chr(code) + chr(code) for code in [*range(0x100), 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0xFFFF, 0x10FFFF]]
    ids += ["</script>", "<!--", "]]>", "${x}", "`", "\\u003c", "\\", '"', "'", "__proto__", "&lt;", "\r\n"]
    request = RequestFactory().get("/")
    pages = [Page(page(request, v2.token_message("t", 1, text), VIEWER).content.decode()) for text in ids]
    assert [[(message["messageId"], target) for message, target in calls] for calls in posted(pages)] == [
        [(text, VIEWER)] for text in ids
    ]


# -- Authorization (K15) ------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-PRB-03")
@pytest.mark.parametrize("line", lines("authorization"))
def test_a_malformed_header_holds_no_token(holder, line):
    token = web.token(holder, "terms")
    response = Browser().get(probe_of(CHART), HTTP_AUTHORIZATION=line.replace("{token}", token))
    assert (response.status_code, response.json()["status"]) == (200, 401)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
def test_the_name_of_the_scheme_may_be_written_anyhow(holder, scheme):
    token = web.token(holder, "terms")
    response = Browser().get(probe_of(CHART), headers={"authorization": f"{scheme} {token}"})
    assert response.json()["status"] == 200


@pytest.mark.parametrize(
    "value", ["x" * 10_000, "\x00", "\u0661" * 43, "é" * 43, "a" * 42, "a" * 44, "-" * 43, "' OR 1=1"]
)
def test_a_value_that_is_no_token_is_nobodys(holder, value):
    response = Browser().get(probe_of(CHART), HTTP_AUTHORIZATION=f"Bearer {value}")
    assert (response.status_code, response.json()["status"]) == (200, 401)


def test_one_character_changed_anywhere_is_another_token(holder):
    token = web.token(holder, "terms")
    for place in range(len(token)):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert probe_status(CHART, other) == 401
    assert probe_status(CHART, token) == 200


# -- Cookies (K9) -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", lines("cookies"))
def test_a_cookie_that_is_not_exactly_ours_once_is_none(holder, line):
    raw = line.replace("{secret}", holder.access_cookie).replace("\\x00", "\x00")
    stranger = Browser()
    response = stranger.get(f"{CHART}/full/max/0/default.jpg", HTTP_COOKIE=raw)
    assert (response.status_code, CANARY in response.content) == (401, False)
    message = web.envelope(stranger.get(web.token_page("terms"), HTTP_COOKIE=raw))["message"]
    assert message["profile"] in ("missingAspect", "invalidAspect")


def test_two_hundred_cookies_of_others_change_nothing(holder):
    others = "; ".join(f"c{number}={'x' * 20}" for number in range(200))
    raw = f"{others}; {identify.COOKIE}={holder.access_cookie}; {others}"
    assert Browser().get(f"{CHART}/full/max/0/default.jpg", HTTP_COOKIE=raw).status_code == 200


# -- Addresses (N1 to N4) -----------------------------------------------------------------------------------------


SPELLINGS = [(line, by_proxy) for line in lines("addresses") for by_proxy in (False, True)]


# A line feed at the end of an entry of X-Forwarded-For is not part of it.
@pytest.mark.parametrize(("line", "by_proxy"), [case for case in SPELLINGS if not (case[1] and "\\n" in case[0])])
def test_every_spelling_of_an_address_is_one_address_or_none(rf, settings, line, by_proxy):
    text, _, expected = line.replace("\\x00", "\x00").replace("\\n", "\n").partition("\t")
    settings.IIIF_AUTH_FLOW = {"TRUSTED_PROXIES": 1 if by_proxy else 0}
    where = {"HTTP_X_FORWARDED_FOR": text, "REMOTE_ADDR": "10.0.0.1"} if by_proxy else {"REMOTE_ADDR": text}
    found = identify.address(rf.get("/", **where))
    assert (str(found) if found else "-") == expected


@pytest.mark.parametrize(
    ("proxies", "header", "status"),
    [
        (0, None, 403),
        (0, READING_ROOM, 403),
        (1, READING_ROOM, 200),
        (1, f"{READING_ROOM}, {HOME}", 403),
        (1, f"{HOME}, {READING_ROOM}", 200),
        (1, f"{HOME},{READING_ROOM}", 200),
        (1, f"{HOME}\t,\t{READING_ROOM}", 200),
        (1, None, 403),
        (1, "", 403),
        (1, f"{READING_ROOM},", 403),
        (1, f"{READING_ROOM}:443", 403),
        (1, "::ffff:192.0.2.5", 200),
        (2, f"{READING_ROOM}", 403),
        (2, f"{READING_ROOM}, 10.0.0.2", 200),
        (2, f"{READING_ROOM}, {HOME}, 10.0.0.2", 403),
        (2, f"{HOME}, {READING_ROOM}, 10.0.0.2", 200),
        (2, ", ".join([READING_ROOM] * 1000 + [HOME, "10.0.0.2"]), 403),
        (3, f"{READING_ROOM}, 10.0.0.2", 403),
        (-1, READING_ROOM, 403),
    ],
)
def test_proxies_are_counted_from_the_right(site, proxies, header, status):
    web.restricted(CHART, web.at(web.reading_room()))
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": proxies}
    headers = {} if header is None else {"HTTP_X_FORWARDED_FOR": header}
    browser = Browser("10.0.0.1" if proxies else HOME, **headers)
    assert content_status(browser) == status
    assert browser.get(probe_of(CHART)).json()["status"] == status


def test_several_headers_in_one_name_are_counted_together(site):
    """Servers join them with a comma; a twin with another spelling never reaches us under this name."""
    web.restricted(CHART, web.at(web.reading_room()))
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "TRUSTED_PROXIES": 1}
    assert content_status(Browser("10.0.0.1", HTTP_X_FORWARDED_FOR=f"{READING_ROOM},{HOME}")) == 403
    for name in ("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_CLIENT_IP", "HTTP_X_CLIENT_IP", "HTTP_TRUE_CLIENT_IP"):
        assert content_status(Browser("10.0.0.1", **{name: READING_ROOM})) == 403


@pytest.mark.parametrize("address", ["", "unix:", "/run/x.sock", "fe80::1%eth0", "nonsense"])
def test_who_has_no_address_is_nowhere_not_everywhere(site, address):
    web.restricted(CHART, web.at(web.reading_room("0.0.0.0/0", "::/0")))
    assert content_status(Browser(address)) == 403
    assert Browser(address).get(probe_of(CHART)).json()["status"] == 403


@pytest.mark.parametrize("spelling", ["192.0.2.5", "::ffff:192.0.2.5", "::ffff:c000:205"])
def test_an_address_is_the_same_place_in_every_spelling(site, spelling):
    web.restricted(CHART, web.at(web.reading_room()))
    assert content_status(Browser(spelling)) == 200


# -- References and identifiers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("line", lines("references"))
def test_a_reference_that_we_would_not_write_refers_to_nothing(site, line):
    reference = json.loads(line)
    web.restricted(CHART, web.EVERYONE)
    assert probe_status(CHART) == 200
    assert identity.referred(reference, web.BASE) != CHART
    response = Browser().get(f"/iiif-auth/2/probe/{quote(reference, safe='')}")
    if response.status_code == 200:
        assert response.json()["status"] == 404
    else:
        assert response.status_code == 404


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_no_reference_is_an_error(text):
    found = identity.referred(text, web.BASE)
    assert found is None or identity.reference(found) == text


@pytest.mark.parametrize("length", [3000, 5000, 20_000])
def test_overlong_references_refer_to_nothing(site, length):
    response = Browser().get(f"/iiif-auth/2/probe/{'A' * length}")
    assert (response.status_code, response.json()["status"]) == (200, 404)


@pytest.mark.parametrize(
    "slug",
    ["..", ".", "x" * 5000, "%00", "a%0d%0aSet-Cookie:x=1", "é", "terms%20", "TERMS", "terms%2f", "' OR 1=1 --", "<b>"],
)
def test_a_slug_that_is_none_is_no_service(holder, slug):
    for door in ("access", "token", "logout"):
        response = Browser().get(f"/iiif-auth/2/{door}/{slug}?origin={VIEWER}&messageId=1")
        assert response.status_code in (200, 404)
        assert "x" not in response.cookies
        if door == "token" and response.status_code == 200:
            assert web.envelope(response)["message"]["profile"] == "invalidRequest"


@pytest.mark.parametrize("path", ["info.json/x.css", "full/max/0/default.jpg/x.css", "x.css", "info.json;x", "full"])
def test_a_path_that_looks_like_a_file_opens_nothing(holder, path):
    """Cache deception (C5): no door answers under a name that a cache would take for a public file."""
    assert Browser().get(f"{CHART}/{path}").status_code in (401, 404)
    for door in (probe_of(CHART), web.path(web.links().token("terms")), web.path(web.links().access("terms"))):
        assert holder.get(f"{door}/x.css").status_code == 404


def test_the_name_of_the_host_comes_from_the_setting(site):
    """Otherwise a forged ``Host`` would send viewers, or a cache, to somebody else's services (C6)."""
    terms = web.service("terms")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    site.ALLOWED_HOSTS = ["*"]
    browser = Browser()
    for headers in ({"HTTP_HOST": "evil.example"}, {"HTTP_X_FORWARDED_HOST": "evil.example"}):
        assert b"evil.example" not in browser.get(f"{CHART}/info.json", **headers).content
        assert b"evil.example" not in browser.get(probe_of(CHART), **headers).content
    site.ALLOWED_HOSTS = [web.HOST]
    assert browser.get(f"{CHART}/info.json", HTTP_HOST="evil.example").status_code == 400


# -- Language maps (A9) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "x",
        1,
        {"en": "x"},
        {"en": []},
        {"en": [""]},
        {"en": ["  "]},
        {"en": [1]},
        {"en": [None]},
        {"en": [["x"]]},
        {"": ["x"]},
        {"e": ["x"]},
        {"en_GB": ["x"]},
        {"en\n": ["x"]},
        {"english language": ["x"]},
        {"__proto__": ["x"]},
        {"@none": ["x"]},
        {1: ["x"]},
        {"en": ["a\u202eb"]},
        {"en": ["a\x00b"]},
        {"en": ["a\x1bb"]},
        {"en": ["a\tb"]},
        {"en": ["a\u2028b"]},
        {"en": ["\ud800"]},
        {"en": ["x" * 4001]},
        {"en": ["x"] * 21},
        {f"x{chr(97 + a)}{chr(97 + b)}": ["y"] for a in range(3) for b in range(26)},
    ],
)
def test_a_malformed_language_map_is_refused_with_a_sentence(value):
    found = list(languages.problems(value))
    assert found
    assert all(sentence.endswith(".") for sentence in found)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"none": ["x"]},
        {"en": ["x", "y\nz"]},
        {"pt-BR": ["x"]},
        {"zh-Hant-TW": ["x"]},
        {"de-CH-1996": ["x"]},
        {"sl-rozaj": ["x"]},
        {"en-x-y": ["<b>&"]},
        {"ar": ["مرحبا"]},
        {"en": ["😀"]},
    ],
)
def test_a_sound_language_map_is_taken(value):
    assert list(languages.problems(value)) == []
    assert languages.thawed(languages.frozen(value)) == value


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
    )
)
def test_nothing_that_is_stored_is_an_error(value):
    list(languages.problems(value))

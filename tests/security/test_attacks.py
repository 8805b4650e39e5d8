"""Attacks of security.md's tables T, K, N and A that no other module plays. Each test says which row it is of."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.core.handlers.asgi import ASGIRequest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from iiif_auth import identify
from iiif_auth.http import access as access_page
from iiif_auth.models import Pass, Token
from project import settings as demo
from tests import factories, web
from tests.web import READING_ROOM, VIEWER, Browser, access, content_status, person, probe_of, probe_status

CHART = "/iiif/3/chart"
TEMPLATES = Path(identify.__file__).parent / "templates"


@pytest.fixture
def reader(login):
    return web.signed_in_reader()


# -- T: the token page --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        f"origin={VIEWER}&origin=https://evil.example",
        f"origin=https://evil.example&origin={VIEWER}",
        f"origin[]={VIEWER}",
        f"origin%5B%5D={VIEWER}",
        f"origin={VIEWER}&origin=",
        f"Origin={VIEWER}",
    ],
)
def test_an_origin_that_is_named_twice_or_oddly_gets_no_token(reader, query):
    """T5: parameter pollution."""
    found = web.envelope(reader.get(f"/iiif-auth/2/token/login?messageId=1&{query}"))
    assert found["message"]["profile"] == "invalidRequest"
    assert not Token.objects.exists()


@pytest.mark.parametrize("message_id", ["a%0d%0aSet-Cookie:%20x=1", "a%0aERROR%20root%20fake%20line", "%1b[2Jcleared"])
def test_a_message_id_writes_no_lines_into_logs(reader, caplog, message_id):
    """T14: nothing of it is logged, whether a token is given or not."""
    with caplog.at_level(logging.DEBUG):
        reader.get(f"/iiif-auth/2/token/login?messageId={message_id}&origin={VIEWER}")
        Browser().get(f"/iiif-auth/2/token/nonsense?messageId={message_id}&origin={VIEWER}")
    ours = [record for record in caplog.records if not record.name.startswith("django.db")]
    assert not [record for record in ours if set("\r\n\x1b") & set(record.getMessage())]


def test_the_test_above_would_find_a_page_that_logs_what_it_is_called(reader, caplog):
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("iiif_auth.token").warning("asked by %s", "a\r\nERROR root fake line")
    assert [record for record in caplog.records if set("\r\n\x1b") & set(record.getMessage())]


# -- K: cookies, sessions, tokens ---------------------------------------------------------------------------------


def test_what_is_in_the_database_opens_nothing(reader):
    """K4: whoever reads a dump can present digests, session marks and keys of rows only."""
    web.token(reader, "login")
    row, token = Pass.objects.get(), Token.objects.get()
    for stolen in (row.digest, row.credential, token.digest, str(row.pk), row.session):
        thief = Browser()
        thief.cookies[identify.COOKIE] = stolen
        assert content_status(thief) == 401
        assert probe_status(CHART, stolen) == 401


def test_a_thief_with_the_secret_itself_would_get_in(reader):
    """So that the test above can not pass because nothing opens."""
    thief = Browser()
    thief.cookies[identify.COOKIE] = reader.access_cookie
    assert content_status(thief) == 200


def test_a_token_drawn_in_the_reading_room_is_worth_nothing_outside(site):
    """K8: a click-through that counts in the room only."""
    terms, room = web.service("terms"), web.reading_room()
    rules = factories.AccessPolicyFactory()
    web.tier(rules, web.agreed(terms), web.at(room), by=(terms,), join="all")
    factories.ResourceFactory(url=CHART, policy=rules)
    browser = Browser(READING_ROOM)
    browser.click(access("terms"))
    token = web.token(browser, "terms")
    assert probe_status(CHART, token, READING_ROOM) == 200
    assert probe_status(CHART, token) == 403
    outside = Browser()
    outside.cookies[identify.COOKIE] = browser.access_cookie
    assert content_status(outside) == 403


def test_the_hosts_own_cookies_stay_at_home():
    """K10: only the access cookie goes to other sites."""
    assert (demo.SESSION_COOKIE_SAMESITE, demo.CSRF_COOKIE_SAMESITE) == ("Lax", "Lax")


def test_what_answers_in_json_or_with_bytes_sets_no_cookie(reader):
    """K18: no CSRF secret can be fetched from there."""
    token = web.token(reader, "login")
    urls = (
        probe_of(CHART),
        f"{CHART}/info.json",
        f"{CHART}/full/max/0/default.jpg",
        "/iiif-auth/services",
        "/iiif-auth/check",
    )
    for url in urls:
        for browser in (reader, Browser()):
            response = browser.get(url, headers={"authorization": f"Bearer {token}"})
            assert not response.cookies, url
    assert Browser().get(access("login")).cookies  # a page with a form does


# -- N: where somebody is -----------------------------------------------------------------------------------------

HEADERS = (
    "X-Real-IP",
    "Forwarded",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
    "Fastly-Client-IP",
    "X-Cluster-Client-IP",
    "X-Original-Forwarded-For",
    "X-Forwarded-For",
    "X_Forwarded_For",
    "Proxy-Protocol",
)


@pytest.fixture
def room(site):
    row = web.reading_room()
    web.restricted(CHART, web.at(row))
    return row


@pytest.mark.parametrize("name", HEADERS)
def test_no_header_of_a_reader_says_where_they_are(room, name):
    """N6 (and N1 without proxies): of all that proxies and networks write, none is believed."""
    assert content_status(Browser(READING_ROOM)) == 200
    for value in (READING_ROOM, f"for={READING_ROOM}", f"PROXY TCP4 {READING_ROOM} 192.0.2.1 1 443"):
        response = Browser().get(f"{CHART}/full/max/0/default.jpg", headers={name: value})
        assert response.status_code == 403


def test_the_test_above_would_find_one_who_believes_a_header(room, monkeypatch):
    believed = identify.address
    monkeypatch.setattr(
        identify,
        "address",
        lambda request: identify.parsed_address(request.headers.get("X-Real-IP", "")) or believed(request),
    )
    response = Browser().get(f"{CHART}/full/max/0/default.jpg", headers={"X-Real-IP": READING_ROOM})
    assert response.status_code == 200


def test_each_request_is_judged_by_its_own_address(site):
    """N7: at the kiosk's page by IPv4 and at the content by IPv6, of which only one is the room's."""
    kiosk = web.service("kiosk", "kiosk")
    web.restricted(CHART, web.at(web.reading_room()), by=(kiosk,))
    inside = Browser(READING_ROOM)
    inside.get(access("kiosk"))
    same = Browser("2001:db8::5")
    same.cookies[identify.COOKIE] = inside.access_cookie
    assert (content_status(inside), content_status(same)) == (200, 403)
    token = web.token(inside, "kiosk")
    assert (probe_status(CHART, token, READING_ROOM), probe_status(CHART, token, "2001:db8::5")) == (200, 403)


@pytest.mark.parametrize(
    "name", ["library.example.org", "*.example.org", "localhost", "192.0.2", "192.0.2.1-9", "192.0.2.0/255.255.255.0.0"]
)
def test_a_network_has_no_names(name, db):
    """N8, N5: only addresses and prefixes; a name would be somebody else's to change."""
    with pytest.raises(ValidationError):
        factories.NetworkFactory.build(prefixes=[name]).full_clean()


def test_allauth_counts_the_same_proxies():
    """N9: its limits are kept by address too."""
    assert demo.ALLAUTH_TRUSTED_PROXY_COUNT == demo.TRUSTED_PROXIES == demo.IIIF_AUTH_FLOW["TRUSTED_PROXIES"]


@pytest.mark.parametrize("count", [0, 1])
def test_under_asgi_an_address_is_the_same(settings, count):
    """N10: the connection's, or that which our own proxy wrote; not what a server made of it."""
    settings.IIIF_AUTH_FLOW = {"TRUSTED_PROXIES": count}
    sent = [(b"x-forwarded-for", b"10.0.0.1, 192.0.2.5"), (b"host", b"testserver")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": sent,
        "client": ("203.0.113.9", 1),
        "server": ("testserver", 80),
    }
    wsgi = RequestFactory().get("/", REMOTE_ADDR="203.0.113.9", HTTP_X_FORWARDED_FOR="10.0.0.1, 192.0.2.5")
    found = identify.address(ASGIRequest({**scope, "query_string": b""}, None))
    assert found == identify.address(wsgi)
    assert str(found) == ("192.0.2.5" if count else "203.0.113.9")


# -- A: pages -----------------------------------------------------------------------------------------------------


def test_nobody_is_signed_in_by_somebody_elses_form(db):
    """A3: login CSRF; and the page that confirms names the account."""
    person("mallory")
    browser = Client(enforce_csrf_checks=True)
    response = browser.post("/accounts/login/", {"login": "mallory", "password": "secret"})
    assert response.status_code == 403
    assert "_auth_user_id" not in browser.session


def test_the_page_that_confirms_names_the_account(reader):
    """A3, A5: so that nobody goes on as somebody else, or for a site they do not know."""
    text = reader.get(access("login")).content.decode()
    assert "<strong>ada</strong>" in text
    assert VIEWER in text


NEXT = [
    line
    for line in (Path(__file__).parents[1] / "corpora" / "targets-bad.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example/", r"\\evil.example", "/\t/evil.example", "javascript:alert(1)"]
)
def test_the_way_to_the_login_leads_back_to_our_own_page_only(login, target):
    """A4: where it leads is our own path; what a viewer writes stays a parameter in it."""
    response = Browser().get(access("login", ""), {"next": target, "origin": VIEWER, "RelayState": target})
    assert response.status_code == 302
    where, _, query = response.headers["Location"].partition("?next=")
    assert where == "/accounts/login/"
    assert query.startswith("%2Fiiif-auth%2F2%2Faccess%2Flogin")


def test_the_corpus_of_bad_targets_is_read():
    assert len(NEXT) > 10


def test_our_pages_open_no_tabs_and_tell_no_other_site_where_somebody_was(reader):
    """A6: no page opens a link in a tab that could navigate ours, and the address of ours is not sent elsewhere."""
    pages = [path.read_text() for path in (TEMPLATES / "iiif_auth").rglob("*.html")]
    assert len(pages) > 8
    # The page of diagnosis opens the library's own test viewer, which has to know its opener: that is what is tried there.
    tabs = [text for text in pages if "target=" in text.replace('data-do="viewer" href="{{ viewer }}" target=', "")]
    assert not [text for text in tabs if "noopener" not in text]
    for url in (access("login"), "/iiif-auth/passes", "/iiif-auth/2/logout/login"):
        assert reader.get(url).headers["Referrer-Policy"] in ("same-origin", "no-referrer")


WORDS = ("{{ settings.SECRET_KEY }}", "{% debug %}", "{0.__class__}", "%(secret)s %s %n", "${7*7}", "{{7*7}}")


@pytest.mark.parametrize("words", WORDS)
def test_texts_of_the_staff_are_never_templates(site, words):
    """A8: shown letter by letter, never compiled and never formatted."""
    web.service(
        "terms", label={"en": [words]}, heading={"en": [words]}, note={"en": [words]}, confirm_label={"en": [words]}
    )
    response = Browser().get(access("terms"))
    shown = render_to_string("iiif_auth/said.html", {"title": words, "note": words})
    assert response.status_code == 200
    escaped = words.replace("&", "&amp;").replace("'", "&#x27;")
    assert response.content.decode().count(escaped) >= 2
    assert escaped in shown


@pytest.mark.parametrize(
    "bad", ["a%0d%0aSet-Cookie:%20x=1", "a%0aX-Accel-Redirect:%20/etc/passwd", "a%00b", "%E2%80%A8"]
)
def test_nothing_in_an_address_becomes_a_header(reader, bad):
    """A10."""
    for url in (
        f"/iiif/3/{bad}/full/max/0/default.jpg",
        f"/media/{bad}",
        f"/iiif-auth/2/access/{bad}",
        f"/iiif-auth/refused/{bad}",
    ):
        response = Browser(raise_request_exception=False).get(url)
        assert response.status_code in (400, 401, 403, 404)
        assert "X-Accel-Redirect" not in response.headers
        assert "x" not in response.cookies
        assert not [value for value in response.headers.values() if set("\r\n") & set(value)]


def test_the_access_page_redirects_nowhere_by_what_it_is_told(reader):
    """A4: even where there is something to click."""
    response = reader.click(access("login"), next="https://evil.example/")
    assert response.status_code == 200
    assert "Location" not in response.headers
    assert access_page.is_for_a_page(RequestFactory().get("/"))

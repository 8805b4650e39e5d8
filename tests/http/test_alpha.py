"""The 2.0 alpha at its own addresses: 401 with the address of a lesser version in the body, and probes by HTTP status."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone

from iiif_auth import identify
from iiif_auth.models import Pass, Resource, Token
from iiif_auth.protocol.texts import LANGUAGES
from tests import factories, web
from tests.http.test_access import grants_nothing
from tests.http.test_token import HOSTILE, broken, run
from tests.web import (
    BASE,
    CANARY,
    EVERYONE,
    HOME,
    OTHER_VIEWER,
    READING_ROOM,
    SIGNED_IN,
    VIEWER,
    Browser,
    access,
    content_status,
    described,
    page_in,
    person,
    plain_token,
)

CONTEXT = "http://iiif.io/api/auth/2/context.json"
CHART = "/iiif/alpha/chart"
REPORT = "/media/report.txt"


@pytest.fixture
def door(site):
    return web.service("login", "login", dialects=["alpha"])


@pytest.fixture
def login(door):
    web.picture("chart", SIGNED_IN, by=(door,))
    web.restricted(REPORT, SIGNED_IN, by=(door,), label={"en": ["Report"]})
    return door


@pytest.fixture
def staff(db):
    return factories.GroupFactory()


@pytest.fixture
def tiers(door, staff):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, {"kind": "group", "group": staff}, by=(door,), slug="full", order=1)
    web.tier(rules, SIGNED_IN, by=(door,), slug="mid", order=2, gets="smaller", max_edge=1500)
    web.tier(rules, EVERYONE, slug="low", order=3, gets="smaller", max_edge=600)
    return web.in_both_apis(factories.ResourceFactory(url="/iiif/3/map", policy=rules))


def reader(name: str = "ada", *groups) -> tuple[Browser, str]:
    user = person(name)
    user.groups.set(groups)
    browser = Browser().sign_in(user)
    browser.click(page_in("login", "alpha"))
    return browser, web.drawn(browser, "login", "alpha")


def probe(uri: str, bearer: str | None = None, address: str = HOME):
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return Browser(address).get(web.probe_of(uri, "alpha"), headers=headers)


# -- info.json ----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-INFO-01", "A2A-INFO-02", "A2A-DESC-01", "A2A-DESC-02", "A2A-DESC-07")
def test_a_description_is_its_own_probe(login):
    _, token = reader()
    refused, shown = described(CHART), described(CHART, token)
    assert (refused.status_code, shown.status_code) == (401, 200)
    assert refused.json() == shown.json()
    assert refused.json()["@context"] == [CONTEXT, "http://iiif.io/api/image/3/context.json"]
    assert refused.json()["id"] == f"{BASE}{CHART}"
    (held,) = refused.json()["service"]
    assert (held["id"], held["type"], held["profile"]) == (
        f"{BASE}/iiif-auth/alpha/access/login",
        "AuthAccessService2",
        "interactive",
    )
    assert "@context" not in held
    assert {"width", "height", "protocol"} <= set(refused.json())


@pytest.mark.requirement("A2A-INFO-03", "A2A-INFO-04", "A2A-INFO-06")
def test_a_refusal_names_the_best_lesser_version_one_may_have_and_sends_nobody_there(tiers, staff):
    _, member = reader("ada")
    _, colleague = reader("bob", staff)
    at = f"{BASE}/iiif/alpha/map"
    expected = {
        ("map", None): (401, f"{at}~low"),
        ("map~mid", None): (401, f"{at}~low"),
        ("map~low", None): (200, None),
        ("map", member): (401, f"{at}~mid"),
        ("map~mid", member): (200, None),
        ("map", colleague): (200, None),
    }
    for (name, token), outcome in expected.items():
        response = described(f"/iiif/alpha/{name}", token)
        assert (name, response.status_code, response.json().get("location")) == (name, *outcome)
        assert response.json()["id"] == f"{BASE}/iiif/alpha/{name}"
        assert "Location" not in response.headers
        assert response.status_code == 200 or response.json()["service"]


@pytest.mark.requirement("A2A-INFO-04")
def test_where_there_is_nothing_less_there_is_no_location(login):
    assert "location" not in described(CHART).json()


def test_a_page_that_stands_in_for_another_is_a_lesser_version_and_a_placeholder_is_not(door):
    sorry = web.picture("sorry", EVERYONE)
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(door,), slug="full", order=1)
    web.tier(rules, EVERYONE, slug="redacted", order=2, gets="substitute", suffix="-redacted")
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/page", policy=rules))
    web.picture("page-redacted", EVERYONE)
    response = described("/iiif/alpha/page")
    assert (response.status_code, response.json()["location"]) == (401, f"{BASE}/iiif/alpha/page-redacted")
    other = factories.AccessPolicyFactory()
    web.tier(other, SIGNED_IN, by=(door,), slug="full", order=1)
    web.tier(other, EVERYONE, slug="sorry", order=2, gets="substitute", substitute=sorry)
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/letter", policy=other))
    response = described("/iiif/alpha/letter")
    assert (response.status_code, "location" in response.json()) == (401, False)


@pytest.mark.requirement("A2A-INFO-05")
@pytest.mark.parametrize("name", ["map", "map~low", "nothing", "unheard-of"])
def test_the_preflight_is_exactly_200_for_everything(tiers, name):
    response = Browser().options(f"/iiif/alpha/{name}/info.json", headers={"origin": OTHER_VIEWER})
    assert (response.status_code, response.content) == (200, b"")
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"].split(", ")


def test_every_answer_is_readable_from_anywhere_and_kept_by_no_cache(tiers):
    for name in ("map", "map~low"):
        response = described(f"/iiif/alpha/{name}", origin=OTHER_VIEWER)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cache-Control"] == "no-store"
        assert "Authorization" in response.headers["Vary"]
        assert not {"WWW-Authenticate", "Access-Control-Allow-Credentials"} & set(response.headers)


def test_nobody_is_forbidden_here_and_what_is_hidden_is_not_there(login, door, staff):
    web.picture("minutes", {"kind": "group", "group": staff}, by=(door,))
    web.picture("secret-x", SIGNED_IN, by=(door,), collection=web.hidden_collection())
    _, token = reader()
    assert described("/iiif/alpha/minutes", token).status_code == 401
    there, nothing = described("/iiif/alpha/secret-x"), described("/iiif/alpha/secret-nothing")
    assert (there.status_code, there.content) == (nothing.status_code, nothing.content) == (404, nothing.content)
    assert described("/iiif/alpha/secret-x", token).status_code == 200


def test_what_is_withdrawn_or_under_embargo_is_401_whoever_asks(login):
    _, token = reader()
    chart = Resource.objects.get(url="/iiif/3/chart")
    for factory in (factories.EmbargoFactory, factories.WithdrawalFactory):
        assert described(CHART, token).status_code == 200
        row = factory(resource=chart, ends=timezone.now() + timedelta(days=1))
        assert described(CHART, token).status_code == 401
        row.delete()


# -- The probe ----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-PRB-01", "A2A-PRB-02", "A2A-PRB-03", "A2A-PRB-04")
def test_the_probe_of_a_document_says_by_its_status_what_one_would_get(login):
    browser, token = reader()
    address = f"{BASE}{web.probe_of(REPORT, 'alpha')}"
    refused, granted = probe(REPORT), probe(REPORT, token)
    assert (refused.status_code, content_status(Browser(), REPORT)) == (401, 401)
    assert (granted.status_code, content_status(browser, REPORT)) == (200, 200)
    assert granted.json() == {
        "@context": CONTEXT,
        "id": address,
        "type": "AuthProbeService2",
        "label": {"en": ["Report"]},
    }
    assert {name: refused.json()[name] for name in ("@context", "id", "type")} == {
        name: granted.json()[name] for name in ("@context", "id", "type")
    }
    assert "location" not in refused.json()


@pytest.mark.requirement("A2A-PRB-03")
def test_the_probe_names_a_lesser_copy_and_where_the_whole_is_delivered(door):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(door,), slug="full", order=1)
    web.tier(rules, EVERYONE, slug="low", order=2, gets="smaller", max_edge=600)
    film = factories.ResourceFactory(url="/media/film.txt", policy=rules, image_api=0, type="Video")
    factories.RenditionFactory(resource=film, url="/media/film-small.txt", tier="low")
    factories.RenditionFactory(resource=film, url="/media/delivered.txt", is_location=True)
    _, token = reader()
    refused, granted = probe("/media/film.txt"), probe("/media/film.txt", token)
    assert (refused.status_code, refused.json()["location"]) == (401, f"{BASE}/media/film-small.txt")
    assert (granted.status_code, granted.json()["location"]) == (200, f"{BASE}/media/delivered.txt")


@pytest.mark.requirement("A2A-PRB-02")
@pytest.mark.parametrize("uri", ["/media/unheard-of", "/iiif/3/secret-x", "nonsense"])
def test_the_probe_always_answers(login, uri):
    url = web.probe_of(uri, "alpha") if uri.startswith("/") else "/iiif-auth/alpha/probe/%ff"
    response = Browser().get(url)
    assert (response.status_code, response.json()["type"]) == (401, "AuthProbeService2")


def test_an_answer_that_can_not_be_given_is_not_a_yes(login, monkeypatch):
    _, token = reader()
    monkeypatch.setattr("iiif_auth.store.find_for", broken)
    response = probe(REPORT, token)
    assert (response.status_code, response.json()["type"]) == (401, "AuthProbeService2")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_the_probe_is_readable_from_anywhere_and_takes_no_cookie(login):
    browser, token = reader()
    response = browser.get(web.probe_of(REPORT, "alpha"), headers={"origin": OTHER_VIEWER})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"WWW-Authenticate", "Access-Control-Allow-Credentials"} & set(response.headers)
    assert Browser().options(web.probe_of(REPORT, "alpha")).status_code == 200
    assert Browser().get(web.probe_of(REPORT, "alpha"), {"access_token": token}).status_code == 401


# -- Access and logout --------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-ACC-01", "A2A-ACC-02")
@pytest.mark.parametrize("pattern", ["login", "clickthrough"])
def test_an_interactive_page_needs_a_click_whatever_it_is_asked_with(site, pattern):
    agree = pattern == "clickthrough"
    row = web.service("door", pattern, dialects=["alpha", "1"], agree_in_viewer=agree)
    web.picture("chart", *((web.agreed(row),) if agree else (SIGNED_IN,)), by=(row,))
    browser = Browser().sign_in(person())
    for url in (access("door", VIEWER, "alpha"), access("door", f"{VIEWER}/", "alpha"), access("door", "", "alpha")):
        page = browser.get(url, headers={"sec-fetch-dest": "document"})
        assert (page.status_code, b"<form" in page.content) == (200, True)
        assert b"data-close-now" not in page.content
        assert grants_nothing(page)
    done = browser.click(access("door", VIEWER, "alpha"))
    assert b"data-close-now" in done.content
    assert described(CHART, web.drawn(browser, "door", "alpha")).status_code == 200


@pytest.mark.requirement("A2A-ACC-03")
def test_even_a_viewer_on_the_librarys_own_site_is_confirmed_by_a_click(login):
    """It may do without; we never do, and so nothing depends on comparing origins."""
    page = Browser().sign_in(person()).get(access("login", BASE, "alpha"))
    assert b"<form" in page.content
    assert grants_nothing(page)


@pytest.mark.requirement("A2A-ACC-01")
def test_only_the_viewer_that_was_confirmed_is_told(login):
    browser, _ = reader()
    message, target = run(browser.get(web.token_page("login", OTHER_VIEWER, space="alpha")))
    assert (message["error"], target) == ("invalidOrigin", OTHER_VIEWER)


@pytest.mark.requirement("A2A-ACC-04")
@pytest.mark.parametrize(("address", "granted"), [(READING_ROOM, True), (HOME, False)])
def test_a_kiosk_sets_the_cookie_and_closes_at_once_for_whoever_is_there(site, address, granted):
    kiosk = web.service("kiosk", "kiosk", dialects=["alpha"])
    web.picture("chart", web.at(web.reading_room()), by=(kiosk,))
    response = Browser(address).get(page_in("kiosk", "alpha"))
    assert (b"data-close-now" in response.content) is granted
    assert (identify.COOKIE in response.cookies) is granted
    assert b"<form" not in response.content


@pytest.mark.requirement("A2A-OUT-01")
def test_leaving_ends_everything_at_once(login):
    browser, token = reader()
    assert (described(CHART, token).status_code, probe(REPORT, token).status_code) == (200, 200)
    response = browser.get(f"{web.logout_page('login', 'alpha')}?origin={VIEWER}")
    assert (response.cookies[identify.COOKIE].value, response.cookies[identify.COOKIE]["max-age"]) == ("", 0)
    assert (described(CHART, token).status_code, probe(REPORT, token).status_code) == (401, 401)
    assert content_status(browser, REPORT) == 401
    assert not Pass.objects.exists()


# -- Tokens -------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-TOK-01")
def test_a_program_gets_plain_json(login):
    browser, _ = reader()
    response = plain_token(browser, "login", "alpha")
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/json")
    found = response.json()
    assert found == {"accessToken": found["accessToken"], "expiresIn": 300}
    assert described(CHART, found["accessToken"]).status_code == 200


@pytest.mark.requirement("A2A-TOK-02")
@pytest.mark.parametrize("message_id", ["1234", *HOSTILE])
def test_a_frame_gets_a_message_that_goes_to_the_viewer(login, message_id):
    browser, _ = reader()
    response = browser.get(web.token_page("login", VIEWER, quote(message_id), "alpha"))
    assert (response.status_code, response.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    message, target = run(response)
    assert message == {"accessToken": message["accessToken"], "expiresIn": 300, "messageId": message_id}
    assert target == VIEWER


@pytest.mark.requirement("A2A-ERR-01", "A2A-TOK-02")
@pytest.mark.parametrize(
    ("drive", "word", "status"),
    [
        ("invalidRequest", "invalidRequest", 400),
        ("missing", "missingCredentials", 401),
        ("nonsense", "invalidCredentials", 401),
        ("expired", "expiredCredentials", 401),
        ("unavailable", "unavailable", 503),
    ],
)
def test_an_error_is_json_ld_with_200_in_a_frame_and_the_status_that_fits_for_a_program(
    login, monkeypatch, drive, word, status
):
    browser, _ = reader()
    origin = {}
    if drive == "invalidRequest":
        origin = {"origin": "nonsense"}
    elif drive == "missing":
        browser = Browser()
    elif drive == "nonsense":
        browser.cookies[identify.COOKIE] = identify.new_secret()
    elif drive == "expired":
        Pass.objects.update(ends=timezone.now())
    else:
        monkeypatch.setattr("django.db.transaction.Atomic.__enter__", broken)
    plain = plain_token(browser, "login", "alpha", **origin)
    body = plain.json()
    assert (plain.status_code, body["error"]) == (status, word)
    assert (body["@context"], body["type"]) == (CONTEXT, "AuthTokenError2")
    assert set(body) == {"@context", "type", "error", "description"}
    assert set(body["description"]) == set(LANGUAGES)
    response = browser.get(web.token_page("login", origin.get("origin", VIEWER), "1234", "alpha"))
    assert response.status_code == 200
    assert run(response)[0] == {**body, "messageId": "1234"}


@pytest.mark.requirement("A2A-ERR-01")
def test_a_viewer_that_was_not_confirmed_is_the_sixth(login):
    browser, _ = reader()
    message, _ = run(browser.get(web.token_page("login", OTHER_VIEWER, "1", "alpha")))
    assert (message["type"], message["error"]) == ("AuthTokenError2", "invalidOrigin")


# -- Content ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-CONT-01")
def test_content_obeys_the_cookie_and_never_the_token(login):
    browser, token = reader()
    bearer = {"authorization": f"Bearer {token}"}
    for url in (REPORT, "/iiif/3/chart/full/max/0/default.jpg"):
        refused = Browser().get(url, headers=bearer)
        assert refused.status_code == 401
        assert CANARY not in refused.content
        assert browser.get(url).status_code == 200
    assert Token.objects.get().dialect == "alpha"

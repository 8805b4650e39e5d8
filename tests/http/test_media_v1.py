"""Film, sound and documents around Auth 1.0: what viewers practise, where a library switches it on."""

from __future__ import annotations

import pytest

from tests import factories, web
from tests.http.test_token import broken
from tests.web import (
    BASE,
    EVERYONE,
    HOME,
    OTHER_VIEWER,
    READING_ROOM,
    SIGNED_IN,
    Browser,
    content_status,
    page_in,
    person,
    probe_of,
)

REPORT = "/media/report.txt"


@pytest.fixture
def login(site):
    login = web.service("login", "login", dialects=["1", "1-media"])
    web.restricted(REPORT, SIGNED_IN, by=(login,), label={"en": ["Report"], "de": ["Bericht"]})
    return login


def reader() -> tuple[Browser, str]:
    browser = Browser().sign_in(person())
    browser.click(page_in("login", "1"))
    return browser, web.drawn(browser, "login", "1")


def probe(uri: str = REPORT, bearer: str | None = None, address: str = HOME, **headers: str):
    if bearer:
        headers["authorization"] = f"Bearer {bearer}"
    return Browser(address).get(probe_of(uri, "1"), headers=headers)


@pytest.mark.requirement("A1X-02", "A1X-03")
def test_the_probe_answers_by_its_status_and_always_says_where_the_content_is(login):
    browser, token = reader()
    refused, granted = probe(), probe(REPORT, token)
    assert (refused.status_code, content_status(Browser(), REPORT)) == (401, 401)
    assert (granted.status_code, content_status(browser, REPORT)) == (200, 200)
    assert granted.json() == {"contentLocation": f"{BASE}{REPORT}", "label": "Report"}
    assert refused.json()["contentLocation"] == f"{BASE}{REPORT}"
    assert set(refused.json()) == {"contentLocation", "label"}


@pytest.mark.requirement("A1X-02", "A1X-03")
def test_a_lesser_copy_is_answered_with_its_own_address(login):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(login,), slug="full", order=1)
    web.tier(rules, EVERYONE, slug="low", order=2, gets="smaller", max_edge=600)
    film = factories.ResourceFactory(url="/media/film.txt", policy=rules, image_api=0, type="Video")
    factories.RenditionFactory(resource=film, url="/media/film-small.txt", tier="low")
    _, token = reader()
    lesser, whole = probe("/media/film.txt"), probe("/media/film.txt", token)
    assert (lesser.status_code, lesser.json()["contentLocation"]) == (200, f"{BASE}/media/film-small.txt")
    assert (whole.status_code, whole.json()["contentLocation"]) == (200, f"{BASE}/media/film.txt")


@pytest.mark.requirement("A1X-02")
@pytest.mark.parametrize(("reads", "label"), [("de", "Bericht"), ("en", "Report")])
def test_the_label_is_plain_and_in_the_readers_language(login, reads, label):
    _, token = reader()
    assert probe(REPORT, token, **{"accept-language": reads}).json()["label"] == label


@pytest.mark.requirement("A1X-01", "A1X-02")
def test_where_the_practice_is_off_a_token_of_1_0_says_nothing(login):
    """1.0 never spoke of anything but pictures: only a library that switches it on has it."""
    _, token = reader()
    assert (probe(REPORT, token).status_code, head(token).status_code) == (200, 200)
    login.dialects = ["1"]
    login.save()
    assert (probe(REPORT, token).status_code, head(token).status_code) == (401, 401)
    assert "1-media" not in type(login)(slug="new").dialects


def head(bearer: str | None = None, browser: Browser | None = None):
    headers = {"authorization": f"Bearer {bearer}"} if bearer else {}
    return (browser or Browser()).head(REPORT, headers=headers)


@pytest.mark.requirement("A1X-01")
def test_without_a_probe_a_head_with_the_token_says_it_too(login):
    _, token = reader()
    asked = {"access-control-request-method": "HEAD", "access-control-request-headers": "authorization"}
    preflight = Browser().options(REPORT, headers={"origin": OTHER_VIEWER, **asked})
    assert preflight.status_code == 200
    assert "HEAD" in preflight.headers["Access-Control-Allow-Methods"].split(", ")
    assert "Authorization" in preflight.headers["Access-Control-Allow-Headers"].split(", ")
    for response, status in ((head(), 401), (head(token), 200), (head("A" * 43), 401)):
        assert (response.status_code, response.content) == (status, b"")
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert Browser().get(REPORT, headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_an_address_counts_without_a_token(site):
    campus = web.service("campus", "external", dialects=["1", "1-media"])
    web.restricted(REPORT, web.at(web.reading_room()), by=(campus,))
    assert probe(address=READING_ROOM).status_code == 200
    token = web.drawn(Browser(READING_ROOM), "campus", "1")
    assert [probe(REPORT, token, where).status_code for where in (READING_ROOM, HOME)] == [200, 401]


def test_the_probe_takes_no_cookie_is_readable_from_anywhere_and_stored_nowhere(login):
    browser, _ = reader()
    response = browser.get(probe_of(REPORT, "1"), headers={"origin": OTHER_VIEWER})
    assert response.status_code == 401
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert not {"WWW-Authenticate", "Access-Control-Allow-Credentials"} & set(response.headers)
    assert Browser().options(probe_of(REPORT, "1")).status_code == 200


def test_what_there_is_not_and_what_can_not_be_told_is_no_yes(login, monkeypatch):
    _, token = reader()
    assert probe("/media/unheard-of", token).status_code == 404
    assert Browser().get("/iiif-auth/1/probe/%ff").status_code == 404
    monkeypatch.setattr("iiif_auth.store.find_for", broken)
    response = probe(REPORT, token)
    assert (response.status_code, "contentLocation" in response.json()) == (503, False)
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_0_9_never_had_a_probe(login):
    assert Browser().get(probe_of(REPORT, "1").replace("/1/", "/0/")).status_code == 404

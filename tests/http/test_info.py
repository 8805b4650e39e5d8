"""info.json with its probe in it: the same for everybody, except where existence is secret."""

from __future__ import annotations

import pytest

from iiif_auth import identify
from tests import web
from tests.web import EVERYONE, SIGNED_IN, Browser, access, person, probe_of

AUTH = "http://iiif.io/api/auth/2/context.json"
CHART = "/iiif/3/chart"


@pytest.fixture
def login(site):
    login = web.service("login", "login")
    web.restricted(CHART, SIGNED_IN, by=(login,))
    web.restricted("/iiif/2/chart", SIGNED_IN, by=(login,), image_api=2)
    return login


def info(uri: str = CHART, browser: Browser | None = None, **headers: str):
    return (browser or Browser()).get(f"{uri}/info.json", headers=headers)


@pytest.mark.requirement("A2-DECL-02")
@pytest.mark.requirement("A2-DECL-06")
@pytest.mark.requirement("A2-DECL-07")
@pytest.mark.requirement("A2-DECL-08")
def test_a_restricted_image_says_where_its_probe_is(login):
    document = info().json()
    assert document["@context"] == [AUTH, "http://iiif.io/api/image/3/context.json"]
    (probe,) = document["service"]
    assert (probe["id"], probe["type"]) == (f"{web.BASE}{probe_of(CHART)}", "AuthProbeService2")
    assert "@context" not in probe
    assert {name: document[name] for name in ("id", "type", "protocol", "profile", "width", "height")} == {
        "id": f"{web.BASE}{CHART}",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": 6000,
        "height": 4000,
    }


@pytest.mark.requirement("A2-DECL-09")
def test_in_image_api_2_the_probe_brings_its_own_context(login):
    document = info("/iiif/2/chart").json()
    assert document["@context"] == "http://iiif.io/api/image/2/context.json"
    (probe,) = document["service"]
    assert (probe["@context"], probe["type"]) == (AUTH, "AuthProbeService2")
    assert isinstance(probe["profile"], str)
    assert not probe["profile"].startswith("http://iiif.io/api/auth/")


@pytest.mark.requirement("A2-INFO-01")
@pytest.mark.requirement("A2-INFO-03")
def test_everybody_is_told_the_same(login):
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    token = web.token(browser, "login")
    answers = [
        info(),
        info(authorization=f"Bearer {token}"),
        info(authorization="Bearer nonsense"),
        info(authorization="Basic eDp5"),
        info(browser=browser),
    ]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert "WWW-Authenticate" not in answers[0].headers


@pytest.mark.requirement("A2-INFO-02")
def test_every_site_may_read_it_even_if_it_is_not_there(login):
    for uri in (CHART, "/iiif/3/nothing", "/iiif/3/open"):
        response = info(uri, origin=web.OTHER_VIEWER)
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers
    assert Browser().options(f"{CHART}/info.json").status_code == 200


def test_an_open_image_has_no_services(site):
    web.restricted(CHART, EVERYONE)
    document = info().json()
    assert "service" not in document
    assert document["@context"] == "http://iiif.io/api/image/3/context.json"


def test_an_image_we_know_nothing_of_is_left_alone(site):
    assert "service" not in info("/iiif/3/stranger").json()


def test_what_is_the_same_for_all_may_be_kept_and_what_is_secret_may_not(login):
    web.hidden_collection()
    assert info().headers["Cache-Control"] == "public, max-age=60"
    assert info("/iiif/3/secret-thing").headers["Cache-Control"] == "no-store"


def test_an_error_is_readable_from_anywhere_and_tells_nothing(site):
    response = Browser().get("/broken/chart/info.json", headers={"origin": web.VIEWER})
    assert (response.status_code, response.json()) == (500, {"error": "Something went wrong here."})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_other_methods_are_refused(login, method):
    response = getattr(Browser(), method)(f"{CHART}/info.json")
    assert response.status_code == 405
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "identifier", ["a b", "a%ff", "..", "%2e%2e", "a%00b", "ü", "a%0ab", "x" * 3000, "a;b", "a%25b"]
)
def test_no_identifier_is_an_error_of_ours(login, identifier):
    response = Browser().get(f"/iiif/3/{identifier}/info.json")
    assert response.status_code in (200, 301, 404)
    assert "Traceback" not in response.content.decode()


def test_a_cookie_changes_nothing_but_what_is_secret(site):
    terms = web.service("terms")
    web.restricted("/iiif/3/secret-chart", web.agreed(terms), by=(terms,), collection=web.hidden_collection())
    browser = Browser()
    browser.click(access("terms"))
    assert info("/iiif/3/secret-chart").status_code == 404
    assert info("/iiif/3/secret-chart", browser).json()["service"][0]["type"] == "AuthProbeService2"
    assert info("/iiif/3/secret-chart", browser).headers["Cache-Control"] == "no-store"
    browser.cookies[identify.COOKIE] = identify.new_secret()
    assert info("/iiif/3/secret-chart", browser).status_code == 404

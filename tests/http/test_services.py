"""The service block of one resource alone."""

from __future__ import annotations

import pytest

from iiif_auth import api, store
from iiif_auth.protocol import identity
from tests import factories, web
from tests.web import BASE, EVERYONE, SIGNED_IN, VIEWER, Browser

AT = "/iiif-auth/services"
CHART = "/iiif/3/chart"


@pytest.fixture(autouse=True)
def library(site):
    login = web.service("login", "login", dialects=["2", "1", "1-media"])
    web.restricted(CHART, SIGNED_IN, by=(login,))
    web.restricted("/media/film.mp4", SIGNED_IN, by=(login,), type="Video")
    web.restricted("/iiif/3/map", EVERYONE)
    shelf = web.hidden_collection(policy=factories.AccessPolicyFactory())
    web.tier(shelf.policy, SIGNED_IN, by=(login,))
    factories.ResourceFactory(url="/iiif/3/secret-plain", collection=shelf)
    return site


def asked(resource=f"{BASE}{CHART}", **more):
    return Browser().get(AT, {"resource": resource, **more})


def referred(uri, **more):
    return Browser().get(f"{AT}/{identity.reference(uri)}", more)


def refused(response, status):
    assert (response.status_code, response.headers["Access-Control-Allow-Origin"]) == (status, "*")
    (sentence,) = response.json().values()
    assert sentence.endswith(".")
    return sentence


def test_the_block_of_a_resource_is_what_stands_in_a_manifest():
    found = asked().json()
    assert found == api.services_for(CHART, profile=True)
    assert referred(CHART).json() == found
    assert asked(place="content", presentation="3").json() == found


@pytest.mark.parametrize(
    ("presentation", "place", "types"),
    [
        ("3", "content", ["AuthProbeService2"]),
        ("3", "image-service", ["AuthCookieService1"]),
        ("2", "image-service", ["http://iiif.io/api/auth/1/context.json"]),
        ("2", "content", []),
    ],
)
def test_each_place_has_blocks_of_its_own(presentation, place, types):
    found = asked(presentation=presentation, place=place).json()
    assert [one.get("type") or one.get("@type") or one["@context"] for one in found] == types


def test_a_film_has_more_than_a_picture():
    assert len(asked(f"{BASE}/media/film.mp4").json()) == 3
    assert len(asked(f"{BASE}/media/film.mp4", presentation="2").json()) == 2


@pytest.mark.parametrize(
    "url", [CHART, f"{BASE}{CHART}/info.json", f"http://iiif.example.org{CHART}/full/max/0/default.jpg#xywh=1,2,3,4"]
)
def test_every_spelling_of_the_address_will_do(url):
    assert asked(url).json() == asked().json() != []


def test_what_is_open_needs_none():
    response = asked(f"{BASE}/iiif/3/map")
    assert (response.status_code, response.json()) == (200, [])


def test_what_is_hidden_and_what_is_not_there_are_told_in_the_same_words(django_assert_num_queries):
    told = set()
    store.rulebook()
    for uri in ("/iiif/3/secret-plain", "/iiif/3/secret-nothing", "/iiif/3/secret-plain~low", "/iiif/3/nothing"):
        for response in (lambda uri=uri: asked(BASE + uri), lambda uri=uri: referred(uri)):
            with django_assert_num_queries(1):
                told.add(refused(response(), 404))
    assert len(told) == 1


@pytest.mark.parametrize(
    "url", ["nonsense", "https://", "ftp://iiif.example.org/x", f"{BASE}/a/../b", f"{BASE}/%zz", ""]
)
def test_what_is_no_address_is_not_there(url):
    refused(asked(url), 404)


@pytest.mark.parametrize("reference", ["x", "====", identity.reference(CHART) + "A", "%FF"])
def test_a_reference_that_we_would_not_write_refers_to_nothing(reference):
    refused(Browser().get(f"{AT}/{reference}"), 404)


@pytest.mark.parametrize("wrong", [{"place": "canvas"}, {"presentation": "4"}, {"presentation": ""}, {"place": ""}])
def test_a_question_that_is_not_understood_is_answered_with_those_that_are(wrong):
    assert "image-service" in refused(asked(**wrong), 400)


def test_without_a_resource_one_is_told_how_to_ask():
    assert "?resource=" in refused(Browser().get(AT), 400)


def test_every_site_may_read_it_and_nobody_keeps_it():
    response = Browser().get(AT, {"resource": CHART}, headers={"origin": VIEWER})
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert not response.cookies


def test_it_is_only_asked_with_get():
    refused(Browser().post(AT, {"resource": CHART}), 405)

"""The probe service: what would this browser get? (section 5)"""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from iiif_auth import identify
from iiif_auth.models import Pass, Token
from iiif_auth.protocol.texts import LANGUAGES
from tests import factories, web
from tests.web import (
    EVERYONE,
    HOME,
    OTHER_VIEWER,
    READING_ROOM,
    SIGNED_IN,
    VIEWER,
    Browser,
    access,
    content_status,
    person,
    probe,
    probe_of,
    probe_status,
)

CHART = "/iiif/3/chart"
CONTEXT = "http://iiif.io/api/auth/2/context.json"
GRANTED = {"@context": CONTEXT, "type": "AuthProbeResult2", "status": 200}


@pytest.fixture
def terms(site):
    terms = web.service("terms")
    web.restricted(CHART, web.agreed(terms), by=(terms,))
    return terms


@pytest.fixture
def holder(terms):
    browser = Browser()
    browser.click(access("terms"))
    return browser


# -- Form ---------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-PRB-01")
@pytest.mark.requirement("A2-PRB-02")
@pytest.mark.parametrize(
    "authorization", [None, "Basic eDp5", "Bearer nonsense", "Bearer", "", f"Bearer {'A' * 43}", "Digest x, Bearer y"]
)
@pytest.mark.parametrize(("uri", "status"), [(CHART, 401), ("/iiif/3/unheard-of", 404)])
def test_the_answer_is_always_200_and_says_the_status_inside(terms, authorization, uri, status):
    headers = {} if authorization is None else {"authorization": authorization}
    response = Browser().get(probe_of(uri), headers=headers)
    body = response.json()
    assert response.status_code == 200
    assert (body["@context"], body["type"], body["status"]) == (CONTEXT, "AuthProbeResult2", status)
    assert type(body["status"]) is int


@pytest.mark.requirement("A2-PRB-07")
@pytest.mark.requirement("A2-PRB-14")
def test_a_yes_says_nothing_else(terms, holder):
    assert probe(CHART, web.token(holder, "terms")) == GRANTED


@pytest.mark.requirement("A2-PRB-16")
@pytest.mark.requirement("A2-PRB-17")
def test_a_no_says_why_in_words(terms):
    assert probe(CHART) == {
        **GRANTED,
        "status": 401,
        "heading": {
            "en": ["Please read this first"],
            "de": ["Bitte zuerst lesen"],
            "fr": ["À lire d’abord"],
            "es": ["Lea esto primero"],
            "cy": ["Darllenwch hwn yn gyntaf"],
        },
        "note": {
            "en": ["Please read and accept the terms to see this item."],
            "de": ["Bitte lesen und bestätigen Sie die Bedingungen, um dieses Objekt zu sehen."],
            "fr": ["Veuillez lire et accepter les conditions pour voir cet objet."],
            "es": ["Lea y acepte las condiciones para ver este objeto."],
            "cy": ["Darllenwch a derbyniwch y telerau i weld yr eitem hon, os gwelwch yn dda."],
        },
    }


@pytest.mark.requirement("A2-PRB-21")
@pytest.mark.parametrize("uri", [CHART, "/iiif/3/open", "/iiif/3/unheard-of", "/iiif/3/nobody"])
def test_words_of_older_drafts_are_not_used(terms, uri):
    web.restricted("/iiif/3/open", EVERYONE)
    web.restricted("/iiif/3/nobody")
    assert not set(probe(uri)) & {"id", "for", "statusFor", "label", "header", "description", "service"}
    assert probe(uri)["type"] != "AuthProbeService2"


@pytest.mark.requirement("A2-PRB-20")
@pytest.mark.requirement("A2-PRB-22")
@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("text/html", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
        ("application/xml;q=0", "application/json"),
        ("application/ld+json", "application/ld+json"),
    ],
)
def test_the_answer_is_json_whatever_is_asked_for_and_is_stored_nowhere(terms, accept, content_type):
    for query in ("", "?format=api", "?format=html", "?cb=1"):
        response = Browser().get(probe_of(CHART) + query, headers={"accept": accept})
        assert (response.status_code, response.headers["Content-Type"]) == (200, content_type)
        assert response.json()["status"] == 401
        assert response.headers["Cache-Control"] == "no-store"
        assert "Authorization" in response.headers["Vary"]
        assert "Cookie" not in response.headers["Vary"]
        assert "WWW-Authenticate" not in response.headers
        assert not response.cookies


@pytest.mark.requirement("A2-PRB-18")
@pytest.mark.parametrize("uri", [CHART, "/iiif/3/unheard-of", "/iiif/3/secret-thing"])
def test_the_preflight_is_the_same_for_everything(terms, uri):
    web.hidden_collection()
    headers = {
        "origin": OTHER_VIEWER,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
    }
    response = Browser().options(probe_of(uri), headers=headers)
    assert response.status_code == 200
    assert response.content == b""
    assert {name: value for name, value in response.headers.items() if name.startswith("Access-Control-")} == {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
        "Access-Control-Allow-Headers": "Authorization, Range",
        "Access-Control-Max-Age": "600",
    }
    assert "WWW-Authenticate" not in response.headers


@pytest.mark.requirement("A2-PRB-19")
def test_an_answer_that_can_not_be_given_is_readable_from_anywhere_and_not_a_yes(terms, holder, monkeypatch):
    token = web.token(holder, "terms")
    monkeypatch.setattr(connection, "cursor", lambda *args, **kwargs: 1 / 0)
    response = Browser().get(probe_of(CHART), headers={"authorization": f"Bearer {token}", "origin": OTHER_VIEWER})
    monkeypatch.undo()
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Cache-Control"] == "no-store"
    assert (response.json()["status"], set(response.json()["heading"])) == (503, set(LANGUAGES))


@pytest.mark.parametrize("uri", [CHART, "/iiif/3/unheard-of"])
def test_every_answer_may_be_read_from_any_site_but_never_with_its_cookies(terms, uri):
    for method in ("get", "head", "options", "post"):
        response = getattr(Browser(), method)(probe_of(uri), headers={"origin": "https://evil.example"})
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_methods_are_refused_with_a_header_that_viewers_can_read(terms, method):
    response = getattr(Browser(), method)(probe_of(CHART))
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_few_queries_are_asked(terms, holder, django_assert_max_num_queries):
    token = web.token(holder, "terms")
    probe(CHART, token)
    with django_assert_max_num_queries(2):
        assert probe(CHART, token) == GRANTED


# -- Whose token --------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-PRB-03")
def test_a_token_counts_in_its_header_only(terms, holder):
    token = web.token(holder, "terms")
    url = probe_of(CHART)
    for query in (f"?access_token={token}", f"?token={token}", f"?authorization=Bearer%20{token}"):
        assert Browser().get(url + query).json()["status"] == 401
    stranger = Browser()
    for name in (identify.COOKIE, "token", "access_token", "authorization"):
        stranger.cookies[name] = token
    assert stranger.get(url).json()["status"] == 401
    assert Browser().get(url, headers={"x-authorization": f"Bearer {token}"}).json()["status"] == 401


def test_cookies_are_not_looked_at(terms, holder):
    """Else any site could ask, with the browser's help, what this person may see."""
    assert content_status(holder) == 200
    assert holder.get(probe_of(CHART)).json()["status"] == 401
    login = web.service("login", "login")
    web.restricted("/iiif/3/map", SIGNED_IN, by=(login,))
    holder.sign_in(person())
    assert holder.get(probe_of("/iiif/3/map")).json()["status"] == 401


def test_the_token_alone_says_who_asks_even_beside_somebody_elses_cookie(site):
    login = web.service("login", "login")
    ada, bob = person("ada"), person("bob")
    web.restricted(CHART, {"kind": "user", "user": ada}, by=(login,))
    browsers = {user.username: Browser().sign_in(user) for user in (ada, bob)}
    for browser in browsers.values():
        browser.click(access("login"))
    token = {name: web.token(browser, "login") for name, browser in browsers.items()}
    for name, status in (("ada", 200), ("bob", 403)):
        for browser in browsers.values():
            headers = {"authorization": f"Bearer {token[name]}"}
            assert browser.get(probe_of(CHART), headers=headers).json()["status"] == status
    assert (content_status(browsers["ada"]), content_status(browsers["bob"])) == (200, 403)


@pytest.mark.requirement("A2-PRB-05")
def test_a_token_of_a_service_that_does_not_lead_here_is_nobodys(site):
    """The person could see both; the token of one service still says nothing at the probe of the other."""
    first, second = web.service("first"), web.service("second")
    web.restricted(CHART, web.agreed(first), by=(first,))
    web.restricted("/iiif/3/map", web.agreed(second), by=(second,))
    browser = Browser()
    browser.click(access("first"))
    browser.click(access("second"))
    tokens = {slug: web.token(browser, slug) for slug in ("first", "second")}
    found = {(slug, uri): probe_status(uri, token) for slug, token in tokens.items() for uri in (CHART, "/iiif/3/map")}
    assert found == {
        ("first", CHART): 200,
        ("first", "/iiif/3/map"): 401,
        ("second", CHART): 401,
        ("second", "/iiif/3/map"): 200,
    }


@pytest.mark.requirement("A2-PRB-05")
@pytest.mark.parametrize("dialect", ["1", "0", "2-alpha", ""])
def test_a_token_of_another_dialect_is_nobodys(terms, holder, dialect):
    token = web.token(holder, "terms")
    assert probe_status(CHART, token) == 200
    Token.objects.update(dialect=dialect)
    assert probe_status(CHART, token) == 401


@pytest.mark.requirement("A2-PRB-06")
def test_where_the_address_is_enough_the_first_call_says_yes(site):
    web.restricted(CHART, web.at(web.reading_room()))
    assert (probe_status(CHART, None, READING_ROOM), probe_status(CHART, None, HOME)) == (200, 403)
    assert (content_status(Browser(READING_ROOM)), content_status(Browser(HOME))) == (200, 403)


@pytest.mark.requirement("A2-PRB-04")
@pytest.mark.requirement("A2-PRB-06")
def test_what_everybody_may_see_needs_no_token(site):
    web.restricted(CHART, EVERYONE)
    assert probe(CHART) == GRANTED
    assert content_status(Browser()) == 200


# -- Which status -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-PRB-04")
@pytest.mark.requirement("A2-PRB-17")
def test_the_status_is_that_of_the_content_for_the_same_person(site):
    login, group = web.service("login", "login"), factories.GroupFactory()
    web.restricted(CHART, {"kind": "group", "group": group}, by=(login,))
    member, other = person("member"), person("other")
    member.groups.add(group)
    assert (probe_status(CHART), content_status(Browser())) == (401, 401)
    for user, status in ((member, 200), (other, 403)):
        browser = Browser().sign_in(user)
        browser.click(access("login"))
        token = web.token(browser, "login")
        assert (probe_status(CHART, token), content_status(browser)) == (status, status)


@pytest.mark.requirement("A2-PRB-17")
def test_what_is_under_embargo_says_until_when_and_that_signing_in_is_pointless(site):
    login = web.service("login", "login")
    chart = web.restricted(CHART, SIGNED_IN, by=(login,))
    ends = timezone.now() + timedelta(days=400)
    factories.EmbargoFactory(resource=chart, ends=ends)
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    answer = probe(CHART, web.token(browser, "login"))
    assert answer["status"] == content_status(browser) == probe_status(CHART) == 403
    assert "substitute" not in answer
    assert str(ends.year) in answer["note"]["en"][1]


@pytest.mark.requirement("A2-PRB-17")
def test_what_is_withdrawn_is_refused_to_everybody_and_comes_back(terms, holder):
    chart = Pass.objects.get() and factories.models.Resource.objects.get()
    token = web.token(holder, "terms")
    withdrawal = factories.WithdrawalFactory(resource=chart, note={"en": ["Rights claim."]})
    answer = probe(CHART, token)
    assert (answer["status"], answer["note"]) == (403, {"en": ["Rights claim."]})
    assert "substitute" not in answer
    assert content_status(holder) == 403
    withdrawal.delete()
    assert (probe_status(CHART, token), content_status(holder)) == (200, 200)


def test_what_nobody_has_settled_yet_is_closed(site):
    factories.ResourceFactory(url=CHART)
    assert (probe_status(CHART), content_status(Browser())) == (403, 403)


def test_a_template_opens_nothing(site):
    chart = web.restricted(CHART, EVERYONE)
    assert probe_status(CHART) == 200
    factories.models.AccessPolicy.objects.filter(pk=chart.policy_id).update(is_template=True)
    assert (probe_status(CHART), content_status(Browser())) == (403, 403)


# -- Somewhere else -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-PRB-15")
@pytest.mark.requirement("A2-PRB-07")
@pytest.mark.requirement("A2-PRB-14")
def test_what_is_delivered_elsewhere_is_answered_with_a_location_only_to_those_who_may_have_it(site):
    terms = web.service("terms")
    film = web.restricted("/media/film", web.agreed(terms), by=(terms,), type="Video", format="video/mp4")
    factories.RenditionFactory(resource=film, url="/media/report.txt", is_location=True)
    refused = probe("/media/film")
    assert refused["status"] == 401
    assert "location" not in refused
    browser = Browser()
    browser.click(access("terms"))
    token = web.token(browser, "terms")
    assert probe("/media/film", token) == {
        **GRANTED,
        "status": 302,
        "location": {"id": f"{web.BASE}/media/report.txt", "type": "Video", "format": "video/mp4"},
    }
    assert content_status(browser, "/media/report.txt") == 200
    assert content_status(Browser(), "/media/report.txt") == 401


@pytest.fixture
def tiers(site):
    """A chart in three sizes: members have it all, those who agreed 1500 pixels, everybody 400."""
    login, terms = web.service("login", "login"), web.service("terms")
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(login,), slug="full", order=1, label={"en": ["Everything"]})
    web.tier(
        rules,
        web.agreed(terms),
        by=(terms,),
        slug="mid",
        order=2,
        gets="smaller",
        max_edge=1500,
        label={"en": ["1500"]},
    )
    web.tier(rules, EVERYONE, slug="low", order=3, gets="smaller", max_edge=400, label={"en": ["400"]})
    return factories.ResourceFactory(url=CHART, policy=rules)


@pytest.mark.requirement("A2-PRB-08")
@pytest.mark.requirement("A2-PRB-09")
@pytest.mark.requirement("A2-PRB-10")
@pytest.mark.requirement("A2-PRB-11")
@pytest.mark.requirement("A2-CONT-02")
def test_smaller_versions_are_offered_and_can_really_be_had(tiers):
    answer = probe(CHART)
    assert answer["status"] == 401
    controlled, free = answer["substitute"]
    assert [found["type"] for found in answer["substitute"]] == ["Image", "Image"]
    assert [found["label"] for found in answer["substitute"]] == [{"en": ["1500"]}, {"en": ["400"]}]
    assert free == {
        "id": f"{web.BASE}/iiif/3/chart~low/full/max/0/default.jpg",
        "type": "Image",
        "label": {"en": ["400"]},
        "service": [{"id": f"{web.BASE}/iiif/3/chart~low", "type": "ImageService3", "profile": "level2"}],
    }
    assert content_status(Browser(), web.path(free["service"][0]["id"])) == 200
    assert probe_status("/iiif/3/chart~low") == 200
    image, beside = controlled["service"]
    (inside,) = image["service"]
    assert inside == beside
    assert inside["id"] == f"{web.BASE}{probe_of('/iiif/3/chart~mid')}" != f"{web.BASE}{probe_of(CHART)}"
    assert [found["id"] for found in inside["service"]] == [web.links().access("terms"), web.links().access("login")]
    assert content_status(Browser(), "/iiif/3/chart~mid") == 401


@pytest.mark.requirement("A2-PRB-11")
@pytest.mark.requirement("A2-PRB-13")
def test_following_a_controlled_version_leads_to_it(tiers):
    browser = Browser()
    browser.click(access("terms"))
    token = web.token(browser, "terms")
    assert probe("/iiif/3/chart~mid", token) == GRANTED
    assert content_status(browser, "/iiif/3/chart~mid") == 200
    # At the probe of the full version a token for the smaller one says nothing, whoever holds it (A2-PRB-05).
    assert probe_status(CHART, token) == content_status(browser) == 401


@pytest.mark.requirement("A2-PRB-13")
def test_once_a_version_is_free_the_lesser_ones_are_not_offered(tiers):
    web.tier(tiers.policy, EVERYONE, slug="tiny", order=4, gets="smaller", max_edge=100)
    assert [found["id"].split("/")[5] for found in probe(CHART)["substitute"]] == ["chart~mid", "chart~low"]


def test_one_resource_instead_of_another(site):
    login = web.service("login", "login")
    leaflet = web.restricted("/media/report.txt", EVERYONE, format="application/pdf", label={"en": ["Leaflet"]})
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(login,), order=1)
    web.tier(rules, EVERYONE, order=2, gets="substitute", substitute=leaflet)
    factories.ResourceFactory(url="/media/map 1.txt".replace(" ", "%20"), policy=rules, image_api=0, type="Text")
    answer = probe("/media/map%201.txt")
    assert answer["status"] == 401
    assert answer["substitute"] == [
        {
            "id": f"{web.BASE}/media/report.txt",
            "type": "Text",
            "format": "application/pdf",
            "label": {"en": ["Leaflet"]},
        }
    ]
    assert content_status(Browser(), "/media/report.txt") == 200
    assert content_status(Browser(), "/media/map%201.txt") == 401


def test_the_viewer_of_another_person_sees_only_what_that_person_may(tiers):
    """Two people, two viewers, at once."""
    member, reader = Browser().sign_in(person()), Browser()
    member.click(access("login"))
    reader.click(access("terms", OTHER_VIEWER))
    tokens = web.token(member, "login", VIEWER), web.token(reader, "terms", OTHER_VIEWER)
    assert [probe_status(CHART, token) for token in tokens] == [200, 401]
    assert [probe_status("/iiif/3/chart~mid", token) for token in tokens] == [200, 200]
    assert [content_status(browser) for browser in (member, reader)] == [200, 401]

"""info.json in Auth 1.0 and 0.9.4, where it is itself what viewers ask: 200, 302 to a lesser version, or 401."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from iiif_auth.http.info import InfoView
from iiif_auth.models import Resource, Token
from tests import factories, web
from tests.web import (
    BASE,
    BOTH,
    EVERYONE,
    HOME,
    OTHER_VIEWER,
    READING_ROOM,
    SIGNED_IN,
    Browser,
    content_status,
    described,
    person,
)

pytestmark = BOTH

OWN = ("@context", "@id", "protocol", "profile", "width", "height")


@pytest.fixture
def door(site):
    return web.service("login", "login", dialects=web.ALL)


@pytest.fixture
def login(door):
    web.picture("chart", SIGNED_IN, by=(door,))
    return door


@pytest.fixture
def staff(db):
    return factories.GroupFactory()


@pytest.fixture
def tiers(door, staff):
    """A picture in three sizes: for staff, for readers, for everybody."""
    rules = factories.AccessPolicyFactory()
    web.tier(rules, {"kind": "group", "group": staff}, by=(door,), slug="full", order=1)
    web.tier(rules, SIGNED_IN, by=(door,), slug="mid", order=2, gets="smaller", max_edge=1500)
    web.tier(rules, EVERYONE, slug="low", order=3, gets="smaller", max_edge=600)
    return web.in_both_apis(factories.ResourceFactory(url="/iiif/3/map", policy=rules))


def reader(version, name: str = "ada", *groups) -> tuple[Browser, str]:
    """The browser of somebody who signed in for a viewer of this version, and the viewer's token."""
    user = person(name)
    user.groups.set(groups)
    browser = Browser().sign_in(user)
    browser.click(web.page_in("login", version.dialect))
    return browser, web.drawn(browser, "login", version.dialect)


def cookie_services(response) -> list[str]:
    """The slugs of the cookie services that a description names."""
    return [held["@id"].rpartition("/")[2] for held in response.json().get("service", []) if "@id" in held]


def own(response) -> dict:
    return {name: value for name, value in response.json().items() if name in OWN}


# -- Yes and no ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-INFO-01", "A1-INFO-11", "A1-INFO-12", "A1-INFO-14", "A1-DESC-08")
def test_whoever_may_not_see_it_gets_401_and_the_whole_description(login, version):
    response = described(version.info())
    assert response.status_code == 401
    assert response.headers["Content-Type"] == "application/json"
    assert "WWW-Authenticate" not in response.headers
    assert own(response) == {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": f"{BASE}{version.info()}",
        "protocol": "http://iiif.io/api/image",
        "profile": ["http://iiif.io/api/image/2/level2.json"],
        "width": 6000,
        "height": 4000,
    }
    assert set(response.json()) == {*OWN, "service"}
    held = response.json()["service"][0]
    assert (held["@context"], held["profile"]) == (version.uri("context.json"), version.uri("login"))
    assert held["@id"] == f"{BASE}/iiif-auth/{version.number}/access/login"


@pytest.mark.requirement("A1-INFO-06", "A1-INFO-15")
def test_with_a_token_it_is_200_and_otherwise_the_same(login, version):
    _browser, token = reader(version)
    refused, shown = described(version.info()), described(version.info(), token)
    assert (refused.status_code, shown.status_code) == (401, 200)
    assert shown.json() == refused.json()
    assert shown.json()["@id"] == f"{BASE}{version.info()}"


@pytest.mark.requirement("A1-INFO-06")
@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer x", f"Bearer {'A' * 43}", "Basic {}", "Token {}", "{}", "Bearer  {}", "Bearer {} {}", ""],
)
def test_what_is_no_token_of_ours_is_nobodys(login, version, header):
    _browser, token = reader(version)
    assert described(version.info(), authorization=header.format(token, token)).status_code == 401


def test_a_token_that_has_run_out_or_whose_reader_left_is_nobodys(login, version):
    browser, token = reader(version)
    assert described(version.info(), token).status_code == 200
    Token.objects.update(ends=timezone.now())
    assert described(version.info(), token).status_code == 401
    token = web.drawn(browser, "login", version.dialect)
    assert described(version.info(), token).status_code == 200
    browser.get(web.logout_page("login", version.space))
    assert described(version.info(), token).status_code == 401


def test_a_cookie_says_nothing_here_and_a_token_nothing_in_the_query(login, version):
    browser, token = reader(version)
    assert browser.get(f"{version.info()}/info.json").status_code == 401
    for name in ("access_token", "token", "accessToken"):
        assert Browser().get(f"{version.info()}/info.json", {name: token}).status_code == 401


def test_a_reader_who_is_not_entitled_is_told_401_like_everybody(door, version, staff):
    web.picture("minutes", {"kind": "group", "group": staff}, by=(door,))
    _browser, token = reader(version)
    _other, good = reader(version, "bob", staff)
    found = [described(version.info("minutes"), held).status_code for held in (None, token, good)]
    assert found == [401, 401, 200]


def test_an_address_counts_without_a_token_and_a_token_for_an_address_only_there(site, version):
    campus = web.service("campus", "external", dialects=web.ALL)
    web.picture("chart", web.at(web.reading_room()), by=(campus,))
    token = web.drawn(Browser(READING_ROOM), "campus", version.dialect)
    assert described(version.info(), address=READING_ROOM).status_code == 200
    assert described(version.info(), token, READING_ROOM).status_code == 200
    assert described(version.info(), token, HOME).status_code == 401
    assert cookie_services(described(version.info())) == ["campus"]


def test_what_is_open_names_nothing_and_what_is_not_there_is_not_there(site, version):
    web.picture("chart", EVERYONE)
    response = described(version.info())
    assert (response.status_code, cookie_services(response)) == (200, [])
    assert described(version.info("nothing")).status_code == 404


# -- Lesser versions ----------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-INFO-02", "A1-INFO-04", "A1-INFO-09")
def test_where_there_is_a_lesser_version_one_is_sent_to_the_best_one_may_have(tiers, version, staff):
    anybody = None
    _, member = reader(version, "ada")
    _, colleague = reader(version, "bob", staff)
    at = f"{BASE}{version.info('map')}"
    expected = {
        ("map", anybody): f"{at}~low/info.json",
        ("map~mid", anybody): f"{at}~low/info.json",
        ("map~low", anybody): 200,
        ("map", member): f"{at}~mid/info.json",
        ("map~mid", member): 200,
        ("map~low", member): 200,
        ("map", colleague): 200,
        ("map~mid", colleague): 200,
        ("map~low", colleague): 200,
    }
    for (name, token), outcome in expected.items():
        response = described(version.info(name), token)
        if outcome == 200:
            assert (name, response.status_code) == (name, 200)
            assert response.json()["@id"] == f"{BASE}{version.info(name)}"
        else:
            assert (name, response.status_code, response.headers["Location"]) == (name, 302, outcome)
            assert response.content == b""


@pytest.mark.requirement("A1-INFO-07")
def test_the_version_one_is_sent_to_names_the_services_of_the_higher_one(tiers, version):
    low = described(version.info("map~low"))
    assert (low.status_code, cookie_services(low)) == (200, ["login"])
    _, token = reader(version)
    middle = described(version.info("map~mid"), token)
    assert (middle.status_code, cookie_services(middle)) == (200, ["login"])
    assert cookie_services(described(version.info("map~mid"), token)) == ["login"]


@pytest.mark.requirement("A1-INFO-03")
def test_where_the_lowest_version_is_not_open_either_it_is_401(door, version, staff):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, {"kind": "group", "group": staff}, by=(door,), slug="full", order=1)
    web.tier(rules, SIGNED_IN, by=(door,), slug="mid", order=2, gets="smaller", max_edge=1500)
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/map", policy=rules))
    for name in ("map", "map~mid"):
        response = described(version.info(name))
        assert (response.status_code, cookie_services(response)) == (401, ["login"])
    _, token = reader(version)
    assert described(version.info("map"), token).headers["Location"] == f"{BASE}{version.info('map~mid')}/info.json"


@pytest.fixture
def register(door):
    """A register whose pages are shown redacted to everybody, each by a page of its own."""
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(door,), slug="full", order=1)
    web.tier(rules, EVERYONE, slug="redacted", order=2, gets="substitute", suffix="-redacted")
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/register", policy=rules))
    web.picture("register-redacted", EVERYONE)
    return rules


@pytest.mark.requirement("A1-INFO-02", "A1-INFO-07")
def test_a_page_that_stands_in_for_another_is_a_lesser_version_of_it(register, version):
    response = described(version.info("register"))
    assert (response.status_code, response.headers["Location"]) == (
        302,
        f"{BASE}{version.info('register-redacted')}/info.json",
    )
    stand_in = described(version.info("register-redacted"))
    assert (stand_in.status_code, cookie_services(stand_in)) == (200, ["login"])
    _, token = reader(version)
    assert described(version.info("register"), token).status_code == 200


def test_a_page_that_only_looks_like_a_stand_in_names_nobodys_services(register, version):
    web.picture("other-redacted", EVERYONE)
    assert cookie_services(described(version.info("other-redacted"))) == []
    assert described(version.info("other-redacted")).status_code == 200


def test_nobody_is_sent_to_a_placeholder_that_stands_for_many(door, version):
    """From there no way would lead back: a viewer could not tell of which picture it is a lesser version."""
    sorry = web.picture("sorry", EVERYONE)
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(door,), slug="full", order=1)
    web.tier(rules, EVERYONE, slug="sorry", order=2, gets="substitute", substitute=sorry)
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/letter", policy=rules))
    response = described(version.info("letter"))
    assert (response.status_code, cookie_services(response)) == (401, ["login"])
    sorry = described(version.info("sorry"))
    assert (sorry.status_code, cookie_services(sorry)) == (200, [])


def test_a_lesser_version_that_stands_behind_a_door_is_not_one_to_be_sent_to(door, version):
    terms = web.service("terms", dialects=web.ALL)
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, by=(door,), slug="full", order=1)
    web.tier(rules, web.agreed(terms), by=(terms,), slug="low", order=2, gets="smaller", max_edge=600)
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/map", policy=rules))
    for name, slugs in (("map", ["login"]), ("map~low", ["terms", "login"])):
        response = described(version.info(name))
        assert (response.status_code, cookie_services(response)) == (401, slugs)


# -- Embargo, withdrawal, secrets ---------------------------------------------------------------------------------


def test_an_embargo_and_a_withdrawal_are_felt_at_once(login, version):
    _, token = reader(version)
    chart = Resource.objects.get()
    soon = timezone.now() + timedelta(days=3)
    for factory in (factories.EmbargoFactory, factories.WithdrawalFactory):
        assert described(version.info(), token).status_code == 200
        row = factory(resource=chart, ends=soon, note={"en": ["Until the press conference."]})
        response = described(version.info(), token)
        assert response.status_code == 401
        assert "press" not in response.content.decode()
        row.delete()


def test_an_embargo_on_the_best_version_sends_readers_to_the_next(tiers, version, staff):
    _, token = reader(version, "bob", staff)
    assert described(version.info("map"), token).status_code == 200
    factories.EmbargoFactory(resource=tiers, closes="full", ends=timezone.now() + timedelta(days=3))
    response = described(version.info("map"), token)
    assert (response.status_code, response.headers["Location"]) == (302, f"{BASE}{version.info('map~mid')}/info.json")
    factories.WithdrawalFactory(resource=tiers)
    for name in ("map", "map~mid", "map~low"):
        assert described(version.info(name), token).status_code == 401


@pytest.mark.requirement("A1-INFO-14")
def test_where_existence_is_secret_only_whoever_is_let_in_is_told(door, version):
    web.picture("secret-chart", SIGNED_IN, by=(door,), collection=web.hidden_collection())
    browser, token = reader(version)
    secret, nothing = version.info("secret-chart"), version.info("secret-nothing")
    for held in (None, "A" * 43):
        there, not_there = described(secret, held), described(nothing, held)
        assert there.status_code == not_there.status_code == 404
        assert there.content == not_there.content
        assert dict(there.headers) == dict(not_there.headers)
    assert described(secret, token).status_code == 200
    assert browser.get(f"{secret}/info.json").status_code == 401


# -- Headers ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-INFO-08")
@pytest.mark.parametrize("name", ["map", "map~low", "nothing", "unheard-of"])
def test_the_preflight_is_the_same_for_everything(tiers, version, name):
    asked = {"origin": OTHER_VIEWER, "access-control-request-method": "GET"}
    response = Browser().options(
        f"{version.info(name)}/info.json", headers={**asked, "access-control-request-headers": "authorization"}
    )
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"].split(", ")
    assert "Location" not in response.headers


@pytest.mark.requirement("A1-INFO-09", "A1-INFO-10", "A1-INFO-12", "A1-INFO-13")
def test_every_answer_is_readable_from_anywhere_and_kept_by_no_cache(tiers, login, version):
    _, token = reader(version)
    answers = {
        200: described(version.info("map~mid"), token, origin=OTHER_VIEWER),
        302: described(version.info("map"), origin=OTHER_VIEWER),
        401: described(version.info("chart"), origin=OTHER_VIEWER),
        404: described(version.info("nothing"), origin=OTHER_VIEWER),
    }
    assert {status: answer.status_code for status, answer in answers.items()} == {status: status for status in answers}
    for status, answer in answers.items():
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers
        assert "WWW-Authenticate" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert not answer.cookies
        assert status == 404 or "Authorization" in answer.headers["Vary"]


@pytest.mark.requirement("A1-INFO-09")
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "iiif.example.org:8443"},
        {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http"},
        {"forwarded": "host=evil.example;proto=http"},
        {"referer": "https://evil.example/"},
    ],
)
def test_one_is_sent_on_within_the_library_whatever_the_request_says_of_it(tiers, version, settings, headers):
    settings.ALLOWED_HOSTS = ["*"]
    extra = {"HTTP_HOST": headers["host"]} if "host" in headers else {}
    response = Browser().get(f"{version.info('map')}/info.json", headers=headers, **extra)
    assert response.headers["Location"] == f"{BASE}{version.info('map~low')}/info.json"
    low = Browser().get(f"{version.info('map~low')}/info.json", headers=headers, **extra)
    assert "evil" not in low.content.decode()
    assert low.json()["service"][0]["@id"].startswith(f"{BASE}/iiif-auth/")


def test_head_is_answered_like_get_without_a_body(tiers, login, version):
    for name, status in (("map", 302), ("chart", 401), ("map~low", 200)):
        response = Browser().head(f"{version.info(name)}/info.json")
        assert (response.status_code, response.content) == (status, b"")


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_other_methods_are_refused_readably(login, version, method):
    response = getattr(Browser(), method)(f"{version.info()}/info.json")
    assert response.status_code == 405
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.requirement("A1-INFO-11")
@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/ld+json", "*/*"])
def test_a_refusal_is_json_whatever_is_asked_for(login, version, accept):
    for query in ("", "?format=api", "?format=html"):
        response = Browser().get(f"{version.info()}/info.json{query}", headers={"accept": accept})
        assert response.status_code == 401
        assert response.headers["Content-Type"] == ("application/ld+json" if "ld" in accept else "application/json")
        assert response.json()["@id"] == f"{BASE}{version.info()}"


@pytest.mark.requirement("A1-SEC-03")
def test_every_address_in_it_is_https(tiers, version):
    response = described(version.info("map~mid"))
    held = described(version.info("map~low")).json()["service"][0]
    addresses = [response.headers["Location"], held["@id"], *(child["@id"] for child in held["service"])]
    assert len(addresses) == 4
    assert all(address.startswith("https://") for address in addresses)


# -- Languages ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reads", "label"),
    [("de", "Anmelden"), ("de-CH, en;q=0.5", "Anmelden"), ("fr, en", "Log in"), ("", "Log in"), ("xx", "Log in")],
)
def test_plain_strings_are_in_the_readers_language(login, version, reads, label):
    login.label = {"en": ["Log in"], "de": ["Anmelden"]}
    login.save()
    held = described(version.info(), **({"accept-language": reads} if reads else {})).json()["service"][0]
    assert held["label"] == label


# -- Content ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-CONT-01")
def test_the_picture_obeys_the_cookie_and_never_the_token(login, version):
    browser, token = reader(version)
    picture = f"{version.info()}/full/full/0/default.jpg"
    bearer = {"authorization": f"Bearer {token}"}
    assert browser.get(picture).status_code == 200
    for answer in (Browser().get(picture), Browser().get(picture, headers=bearer)):
        assert answer.status_code == 401
        assert web.CANARY not in answer.content
    assert Browser().head(picture, headers=bearer).content == b""


@pytest.mark.requirement("A1-CONT-02")
def test_what_a_description_says_with_a_token_the_picture_answers_with_the_cookie(tiers, register, version, staff):
    web.in_both_apis(web.restricted("/iiif/3/closed"))
    people = {"nobody": (Browser(), None), "reader": reader(version, "ada"), "staff": reader(version, "bob", staff)}
    seen = set()
    for browser, token in people.values():
        for name in ("map", "map~mid", "map~low", "register", "register-redacted", "closed"):
            says = described(version.info(name), token).status_code
            gives = content_status(browser, version.info(name))
            assert (name, says == 200) == (name, gives == 200)
            seen.add((says, gives == 200))
    assert {says for says, _ in seen} == {200, 302, 401}


# -- How it is made -----------------------------------------------------------------------------------------------


def test_a_token_takes_one_question_at_a_probe_and_here_at_most_three(tiers, version):
    _, token = reader(version)
    user = Browser().sign_in(person("bob"))
    user.click(web.access("login"))
    newer = web.token(user, "login")

    def cost(ask) -> int:
        ask()
        with CaptureQueriesContext(connection) as seen:
            ask()
        return len(seen)

    assert cost(lambda: web.probe("/iiif/3/map", newer)) == 1
    for name in ("map", "map~mid", "map~low"):
        assert cost(lambda: described(version.info(name), token)) <= 3  # noqa: B023 - called in this very round


def test_a_description_whose_versions_contradict_each_other_can_not_be_made(version):
    with pytest.raises(ImproperlyConfigured, match="an address of its own"):
        type("Muddle", (InfoView,), {"dialects": (version.dialect, "alpha")})
    for names in ((), ("3",), (version.dialect, "1.1")):
        with pytest.raises(ImproperlyConfigured, match="must name some of"):
            type("Muddle", (InfoView,), {"dialects": names})


def test_a_token_of_a_service_that_does_not_lead_here_is_nobodys(login, version):
    web.service("terms", dialects=web.ALL)
    browser, token = reader(version)
    browser.click(web.page_in("terms", version.dialect))
    other = web.drawn(browser, "terms", version.dialect)
    assert described(version.info(), other).status_code == 401
    assert described(version.info(), token).status_code == 200


def test_a_service_that_is_switched_off_in_this_version_is_neither_named_nor_heard(login, version):
    _, token = reader(version)
    login.dialects = ["2", "alpha"]
    login.save()
    response = described(version.info(), token)
    assert (response.status_code, cookie_services(response)) == (401, ["ambient"])

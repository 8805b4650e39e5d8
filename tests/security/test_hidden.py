"""Where a collection hides existence, what one may not see and what there is not look alike (INV11)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from tests import factories, web
from tests.web import SIGNED_IN, Browser, access, content_status, person, probe_of

NOTHING = "/iiif/3/secret-nothing"
UNIMPORTANT = ("Date", "Set-Cookie")


@pytest.fixture
def things(site):
    """Everything that a secret thing can be, and the service that leads to some of them."""
    login, terms = web.service("login", "login"), web.service("terms")
    shelf = web.hidden_collection(policy=factories.AccessPolicyFactory())
    web.tier(shelf.policy, SIGNED_IN, by=(login,))
    soon = timezone.now() + timedelta(days=3)
    made = {
        "plain": factories.ResourceFactory(url="/iiif/3/secret-plain", collection=shelf),
        "unsettled": factories.ResourceFactory(url="/iiif/3/secret-unsettled"),
        "own": web.restricted("/iiif/3/secret-own", web.agreed(terms), by=(terms,), collection=shelf),
        "nobody": web.restricted("/iiif/3/secret-nobody", collection=shelf),
        "withdrawn": factories.ResourceFactory(url="/iiif/3/secret-withdrawn", collection=shelf),
        "embargoed": factories.ResourceFactory(url="/iiif/3/secret-embargoed", collection=shelf),
        "tiered": tiered(shelf),
        "old": factories.ResourceFactory(url="/iiif/3/secret-old", collection=shelf, image_api=0, type="Video"),
    }
    factories.WithdrawalFactory(resource=made["withdrawn"], note={"en": ["Rights claim by M."]})
    factories.EmbargoFactory(resource=made["embargoed"], ends=soon, note={"en": ["Until the press conference."]})
    return made


def tiered(shelf):
    rules = factories.AccessPolicyFactory()
    web.tier(rules, SIGNED_IN, slug="full", order=1)
    web.tier(rules, SIGNED_IN, slug="low", order=2, gets="smaller", max_edge=400)
    return factories.ResourceFactory(url="/iiif/3/secret-tiered", policy=rules, collection=shelf)


def told(response, uri: str) -> tuple:
    headers = {name: value for name, value in response.headers.items() if name not in UNIMPORTANT}
    return response.status_code, response.content.replace(uri.encode(), b"URI"), headers


DOORS = {
    "probe": lambda browser, uri: browser.get(probe_of(uri)),
    "probe, head": lambda browser, uri: browser.head(probe_of(uri)),
    "probe, preflight": lambda browser, uri: browser.options(probe_of(uri)),
    "probe, nonsense token": lambda browser, uri: browser.get(
        probe_of(uri), headers={"authorization": f"Bearer {'A' * 43}"}
    ),
    "info.json": lambda browser, uri: browser.get(f"{uri}/info.json"),
    "content": lambda browser, uri: browser.get(f"{uri}/full/max/0/default.jpg"),
    "content, head": lambda browser, uri: browser.head(f"{uri}/full/max/0/default.jpg"),
    "content, range": lambda browser, uri: browser.get(f"{uri}/full/max/0/default.jpg", headers={"range": "bytes=0-3"}),
    "content, condition": lambda browser, uri: browser.get(
        f"{uri}/full/max/0/default.jpg", headers={"if-none-match": "*"}
    ),
}


@pytest.mark.parametrize("door", DOORS)
def test_to_a_stranger_everything_looks_like_nothing(things, door):
    nothing = told(DOORS[door](Browser(), NOTHING), NOTHING)
    for name, thing in things.items():
        assert (name, told(DOORS[door](Browser(), thing.url), thing.url)) == (name, nothing)
    assert nothing[0] == {"probe": 200, "info.json": 404, "content": 401}.get(door, nothing[0])


def test_a_smaller_version_is_as_secret_as_the_whole(things):
    for door in DOORS.values():
        small = told(door(Browser(), "/iiif/3/secret-tiered~low"), "/iiif/3/secret-tiered~low")
        assert small == told(door(Browser(), f"{NOTHING}~low"), f"{NOTHING}~low")


def test_somebody_who_may_see_some_things_learns_nothing_of_the_others(things):
    """With a sound pass and token, what stays closed still looks like nothing."""
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    token = web.token(browser, "login")
    assert content_status(browser, things["plain"].url) == 200
    assert web.probe_status(things["plain"].url, token) == 200
    nothing = web.probe(NOTHING_CLOSED, token), content_status(browser, NOTHING_CLOSED)
    for name in ("own", "nobody", "withdrawn", "embargoed"):
        uri = things[name].url
        assert (name, web.probe(uri, token), content_status(browser, uri)) == (name, *nothing)


NOTHING_CLOSED = "/iiif/3/secret-vault-nothing"


@pytest.fixture(autouse=True)
def vault(site):
    """A shelf inside, whose rule admits nobody: there is nothing to be seen there for anybody."""
    rules = factories.AccessPolicyFactory()
    web.hidden_collection("/iiif/3/secret-vault-", policy=rules)


def test_the_answer_names_no_reason_no_day_and_no_substitute(things):
    for thing in things.values():
        answer = web.probe(thing.url)
        assert set(answer) == {"@context", "type", "status", "heading", "note"}
        assert answer["status"] == 401
        assert "press" not in str(answer)
        assert "Rights" not in str(answer)


def test_where_nothing_is_hidden_the_two_are_told_apart(site):
    """The other side: a library that hides nothing says 404, or people would look for what is not there."""
    web.restricted("/iiif/3/chart", SIGNED_IN, by=(web.service("login", "login"),))
    assert web.probe_status("/iiif/3/chart") == content_status(Browser()) == 401
    assert web.probe_status("/iiif/3/unheard-of") == content_status(Browser(), "/iiif/3/unheard-of") == 404


def test_as_many_questions_are_asked_of_the_database(things, django_assert_num_queries):
    """Two where it was not asked for since the last change, then one: whatever it is."""
    browser = Browser()
    DOORS["probe"](browser, "/iiif/3/secret-other")
    for uri in (NOTHING, things["plain"].url, things["withdrawn"].url):
        for count in (2, 1):
            with django_assert_num_queries(count):
                DOORS["probe"](browser, uri)

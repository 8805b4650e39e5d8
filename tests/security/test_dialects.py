"""One policy, one cookie, one pass; and tokens that are nobody wherever they were not meant for (C10)."""

from __future__ import annotations

import itertools
import re

import pytest

from iiif_auth import identify
from iiif_auth.models import Agreement, Pass, RegisteredClient, Token
from iiif_auth.protocol.dialects import DIALECTS
from tests import factories, web
from tests.web import (
    BASE,
    CANARY,
    EVERYONE,
    SIGNED_IN,
    VIEWER,
    Browser,
    access,
    content_status,
    described,
    logout_page,
    page_in,
    person,
    probe_of,
    token_page,
)

REPORT = "/media/report.txt"
SERVICES = ("login", "other")
ADDRESSES = {"2": "/iiif/3/chart", "1": "/iiif/1/chart", "0": "/iiif/0/chart", "alpha": "/iiif/alpha/chart"}
"""Where the same picture is described in each space."""


@pytest.fixture
def library(site):
    """A picture and a document that only “login” leads to, and another picture that only “other” leads to."""
    login, other = (web.service(slug, "login", dialects=web.ALL) for slug in SERVICES)
    web.picture("chart", web.agreed(login), by=(login,))
    web.restricted(REPORT, web.agreed(login), by=(login,))
    web.picture("map", web.agreed(other), by=(other,))
    return login


@pytest.fixture
def tokens(library) -> dict[tuple[str, str], str]:
    """One person's tokens of every service in every version."""
    browser = Browser().sign_in(person())
    for slug in SERVICES:
        for dialect in ("2", "0.9.2"):
            browser.click(page_in(slug, dialect))
    return {(slug, dialect): web.drawn(browser, slug, dialect) for slug in SERVICES for dialect in DIALECTS}


def ask(method: str, url: str, token: str | None) -> int:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    response = getattr(Browser(), method)(url, headers=headers)
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert CANARY not in body
    if url.startswith("/iiif-auth/2/"):
        return int(response.json()["status"])
    return int(response.status_code)


DOORS = {
    "probe of 2.0.0": ("get", probe_of, "2", {"2"}),
    "probe of 1.0": ("get", probe_of, "1", {"1"}),
    "probe of the alpha": ("get", probe_of, "alpha", {"alpha"}),
    "description of 1.0": ("get", None, "/iiif/1/chart/info.json", {"1"}),
    "description of 0.9": ("get", None, "/iiif/0/chart/info.json", {"0.9.4", "0.9.2"}),
    "description of the alpha": ("get", None, "/iiif/alpha/chart/info.json", {"alpha"}),
    "head of a document": ("head", None, REPORT, {"1", "alpha"}),
    "document": ("get", None, REPORT, set()),
    "picture of 3": ("get", None, "/iiif/3/chart/full/max/0/default.jpg", set()),
    "picture of 1.0": ("get", None, "/iiif/1/chart/full/full/0/default.jpg", set()),
    "picture of 0.9": ("get", None, "/iiif/0/chart/full/full/0/default.jpg", set()),
}
"""Every door, and the versions whose tokens of “login” count there."""


def door(name: str) -> tuple[str, str]:
    method, make, where, _ = DOORS[name]
    return method, make(REPORT, where) if make else where


@pytest.mark.requirement("A1-CONT-01", "A2A-CONT-01", "A092-CONT-01")
@pytest.mark.parametrize("name", DOORS)
def test_a_token_counts_at_the_doors_of_its_own_version_and_service_and_at_no_other(tokens, name):
    """Every token at every door: what is not meant for it is answered as if nobody had come."""
    method, url = door(name)
    refused = ask(method, url, None)
    assert refused == 401
    counted = {holder for holder, token in tokens.items() if ask(method, url, token) != refused}
    assert counted == {("login", dialect) for dialect in DOORS[name][3]}
    assert {ask(method, url, tokens[holder]) for holder in counted} <= {200}


def test_a_head_of_a_picture_is_heard_where_a_head_of_a_document_is(tokens):
    for url in ("/iiif/3/chart/full/max/0/default.jpg", "/iiif/1/chart/full/full/0/default.jpg"):
        counted = {holder for holder, token in tokens.items() if ask("head", url, token) == 200}
        assert counted == {("login", "1"), ("login", "alpha")}, url


@pytest.mark.parametrize("space", ["2", "1", "0", "alpha"])
def test_what_anybody_may_have_anybodys_token_takes_from_nobody(tokens, space):
    web.picture("open", EVERYONE)
    for token in (None, "A" * 43, *tokens.values()):
        assert ask("get", f"{ADDRESSES[space].replace('chart', 'open')}/info.json", token) == 200


def test_tokens_of_all_versions_are_different_and_none_is_the_cookie(tokens):
    assert len(set(tokens.values())) == len(SERVICES) * len(DIALECTS)
    digests = set(Token.objects.values_list("digest", flat=True)) | set(Pass.objects.values_list("digest", flat=True))
    assert len(digests) == len(tokens) + 1
    assert set(Token.objects.values_list("service", "dialect")) == set(tokens)


# -- One cookie, one pass -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("came_by", "asked_in"), list(itertools.product(["2", "1", "0.9.4", "alpha"], repeat=2)))
def test_a_pass_that_was_got_in_one_version_counts_in_every_other(library, came_by, asked_in):
    browser = Browser().sign_in(person())
    browser.click(page_in("login", came_by))
    assert Pass.objects.count() == 1
    assert [content_status(browser, uri) for uri in ("/iiif/3/chart", "/iiif/1/chart", "/iiif/0/chart", REPORT)] == [
        200
    ] * 4
    before = browser.access_cookie
    assert web.drawn(browser, "login", asked_in)
    assert (browser.access_cookie, Pass.objects.count()) == (before, 1)


def test_what_was_confirmed_in_one_version_is_confirmed_for_that_viewer_only(library):
    browser = Browser().sign_in(person())
    browser.click(page_in("login", "1"))
    for dialect in ("2", "0.9.4", "alpha"):
        assert web.drawn(browser, "login", dialect)
        found = web.envelope(browser.get(token_page("login", web.OTHER_VIEWER, space=web.DIALECTS[dialect])))["message"]
        assert found.get("error", found.get("profile")) == "invalidOrigin"
    # Whoever names no origin was confirmed by nobody here.
    assert web.told(browser, "login", "0.9.2")["error"] == "invalidRequest"
    assert Agreement.objects.values_list("origin", flat=True).get() == VIEWER


@pytest.mark.parametrize("dialect", DIALECTS)
def test_leaving_in_one_version_is_leaving_in_all(tokens, dialect):
    browser = Browser().sign_in(person("bob"))
    for name in ("2", "0.9.2"):
        browser.click(page_in("login", name))
    own = {name: web.drawn(browser, "login", name) for name in DIALECTS}
    browser.get(logout_page("login", web.DIALECTS[dialect]))
    assert browser.access_cookie is None
    for url in (
        f"{ADDRESSES['1']}/info.json",
        f"{ADDRESSES['0']}/info.json",
        probe_of(REPORT),
        probe_of(REPORT, "alpha"),
    ):
        assert {ask("get", url, token) for token in own.values()} == {401}
    assert ask("get", f"{ADDRESSES['1']}/info.json", tokens["login", "1"]) == 200


# -- What is not offered is not there -----------------------------------------------------------------------------


def blocks(document: dict) -> str:
    return str(document.get("service", ""))


@pytest.mark.parametrize("space", ["2", "1", "0", "alpha"])
def test_a_service_that_is_not_offered_in_a_space_is_not_there(library, tokens, space):
    names = [name for name, where in web.DIALECTS.items() if where == space]
    library.dialects = [name for name in web.ALL if name not in names]
    library.save()
    browser = Browser().sign_in(person("bob"))
    assert browser.get(access("login", VIEWER, space)).status_code == 404
    assert browser.get(logout_page("login", space)).status_code == 404
    message = web.envelope(browser.get(token_page("login", VIEWER, space=space)))["message"]
    assert message.get("error", message.get("profile")) == "invalidRequest"
    document = described(ADDRESSES[space]).json()
    assert f"/iiif-auth/{space}/access/login" not in blocks(document)
    for name in names:
        assert (
            ask("get", f"{ADDRESSES[space]}/info.json" if space != "2" else probe_of(REPORT), tokens["login", name])
            == 401
        )
    for other in {"2", "1", "0", "alpha"} - {space}:
        assert browser.get(access("login", VIEWER, other)).status_code == 200
        assert f"/iiif-auth/{other}/" in blocks(described(ADDRESSES[other]).json())


@pytest.mark.parametrize("space", ["2", "1", "0", "alpha"])
def test_what_is_not_offered_looks_like_what_was_never_there(library, space):
    library.dialects = []
    library.save()
    browser = Browser().sign_in(person())
    for make in (
        lambda slug: access(slug, VIEWER, space),
        lambda slug: logout_page(slug, space),
        lambda slug: token_page(slug, VIEWER, space=space),
        lambda slug: web.path(web.links(space).token(slug)),
    ):
        there, not_there = (browser.get(make(slug)) for slug in ("login", "nonsense"))
        assert (there.status_code, normal(there)) == (not_there.status_code, normal(not_there))


def normal(response) -> bytes:
    """A page without what is different each time: nonces and tokens against forged clicks, and the name that was asked for."""
    text = response.content.decode()
    return re.sub(r'nonce="[^"]*"|value="[^"]*"|login|nonsense', "", text).encode()


def test_a_new_service_is_offered_in_two_versions_and_off_in_the_others(site):
    row = web.service("login", "login")
    web.picture("chart", SIGNED_IN, by=(row,))
    browser = Browser().sign_in(person())
    found = {space: browser.get(access("login", VIEWER, space)).status_code for space in ADDRESSES}
    assert found == {"2": 200, "1": 200, "0": 404, "alpha": 404}
    assert "/access/login" in blocks(described("/iiif/1/chart").json())
    for space in ("0", "alpha"):
        assert "/access/login" not in blocks(described(ADDRESSES[space]).json())
        assert described(ADDRESSES[space]).status_code == 401


@pytest.mark.parametrize("space", ["3", "00", "0.9.2", "1-media", "2/", "ALPHA", ""])
def test_there_are_no_other_spaces(library, space):
    for word in ("access", "token", "logout", "client"):
        assert Browser().get(f"/iiif-auth/{space}/{word}/login").status_code == 404


# -- The same policy everywhere -----------------------------------------------------------------------------------


STATES = ("nobody", "reader", "staff")


@pytest.fixture
def tiers(site):
    login, staff = web.service("login", "login", dialects=web.ALL), factories.GroupFactory()
    rules = factories.AccessPolicyFactory()
    web.tier(rules, {"kind": "group", "group": staff}, by=(login,), slug="full", order=1)
    web.tier(rules, SIGNED_IN, by=(login,), slug="mid", order=2, gets="smaller", max_edge=1500)
    web.tier(rules, EVERYONE, slug="low", order=3, gets="smaller", max_edge=600)
    web.in_both_apis(factories.ResourceFactory(url="/iiif/3/chart", policy=rules))
    return staff


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("suffix", ["", "~mid", "~low"])
def test_every_version_says_yes_where_the_picture_does(tiers, state, suffix):
    browser = Browser()
    if state != "nobody":
        user = person()
        user.groups.set([tiers] if state == "staff" else [])
        browser.sign_in(user)
        for dialect in ("2", "0.9.2"):
            browser.click(page_in("login", dialect))
    granted = content_status(browser, f"/iiif/3/chart{suffix}") == 200
    assert granted is (STATES.index(state) >= ("~low", "~mid", "").index(suffix))
    for dialect, space in web.DIALECTS.items():
        token = web.drawn(browser, "login", dialect) if state != "nobody" else None
        uri = f"{ADDRESSES[space]}{suffix}"
        said = web.probe_status(uri, token) if dialect == "2" else described(uri, token).status_code
        assert (dialect, said == 200) == (dialect, granted)


@pytest.mark.parametrize("space", ["2", "1", "0", "alpha"])
def test_what_is_hidden_and_what_was_made_up_are_the_same_in_every_space(library, space):
    shelf = web.hidden_collection()
    factories.CollectionRuleFactory(collection=shelf, pattern="/iiif/1/secret-")
    factories.CollectionRuleFactory(collection=shelf, pattern="/media/secret-")
    web.picture("secret-chart", web.agreed(library), by=(library,), collection=shelf)
    web.restricted("/media/secret-chart", web.agreed(library), by=(library,), collection=shelf)
    secret = ADDRESSES[space].replace("chart", "secret-chart")
    nothing = ADDRESSES[space].replace("chart", "secret-nothing")
    pairs = [(f"{secret}/info.json", f"{nothing}/info.json")]
    if space in ("2", "1", "alpha"):
        pairs.append((probe_of("/media/secret-chart", space), probe_of("/media/secret-nothing", space)))
    if space in ("1", "0"):
        pairs.append((f"{secret}/full/full/0/default.jpg", f"{nothing}/full/full/0/default.jpg"))
    for there, made_up in pairs:
        for headers in ({}, {"authorization": f"Bearer {'A' * 43}"}):
            answers = [Browser().get(url, headers=headers) for url in (there, made_up)]
            assert len({answer.status_code for answer in answers}) == 1
            assert len({stripped(answer, url) for answer, url in zip(answers, (there, made_up), strict=True)}) == 1
            assert len({str(sorted(sized(answer).items())) for answer in answers}) == 1


def stripped(response, url: str) -> bytes:
    """A body without the addresses of what was asked for."""
    text = response.content.decode()
    for own in (f"{BASE}{url}", f"{BASE}/media/secret-chart", f"{BASE}/media/secret-nothing"):
        text = text.replace(own, "ADDRESS")
    return text.encode()


def sized(response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name not in ("Content-Length", "Date")}


def test_no_page_of_any_version_keeps_a_secret_of_a_registered_viewer(library):
    row = factories.RegisteredClientFactory(services=[library])
    library.clients = "known"
    library.save()
    for space in ADDRESSES:
        text = Browser().get(access("login", VIEWER, space)).content + described(ADDRESSES[space]).content
        assert row.digest.encode() not in text
        assert row.client_id.encode() not in text
    assert RegisteredClient.objects.count() == 1
    assert identify.COOKIE not in Browser().get(access("login", VIEWER, "0")).cookies

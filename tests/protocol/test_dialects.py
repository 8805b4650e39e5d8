"""The table of versions: what each row says, how they stand beside each other, and the practice around 1.0."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from iiif_auth.models.fields import dialects_by_default
from iiif_auth.policy.types import (
    AccessService,
    AllOf,
    Allowed,
    Authenticated,
    Denied,
    Everyone,
    Gets,
    ImageApi,
    Kind,
    Level,
    Offer,
    Pattern,
    Policy,
    Rendition,
    Substitute,
    Tier,
    Unknown,
    Why,
)
from iiif_auth.protocol import dialects, v1
from iiif_auth.protocol.dialect import Host, Probing, Question
from iiif_auth.protocol.dialects import DIALECTS, MEDIA, SPACES, described
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import AMBIENT
from tests.protocol.test_documents import LOGIN, TERMS, en, offer
from tests.web import ALL

NOW = datetime(2026, 11, 21, tzinfo=UTC)
SITE = "https://iiif.example.org"


def links(space: str) -> Links:
    at = f"{SITE}/auth/{space}"
    return Links(SITE, f"{at}/access/", f"{at}/token/", f"{at}/logout/", f"{at}/probe/", f"{at}/client/")


def offered(service: AccessService, *names: str) -> AccessService:
    return replace(service, dialects=names)


def everybodys() -> Offer:
    free = Tier("full", Everyone(), services=(offered(LOGIN, *ALL),))
    return replace(offer(), levels=(Level("", Policy("p", (free,))),))


def below(*services: AccessService) -> Offer:
    """The open small version of a picture whose full version is behind these services."""
    full = Tier("full", Authenticated(), services=services)
    low = Tier("low", Everyone(), Gets.SMALLER, max_edge=400)
    wanted = Rendition("/image/3/map-lo", reach=400, image_api=ImageApi.V3)
    return Offer(wanted, levels=(Level("", Policy("p", (full, low))),))


# -- Rows ---------------------------------------------------------------------------------------------------------


def test_there_is_a_row_for_each_version_and_the_newest_comes_first():
    assert list(DIALECTS) == ["2", "1", "0.9.4", "0.9.2", "alpha"]
    assert list(dialects.TITLES) == [*DIALECTS, MEDIA]
    assert {space: [one.name for one in rows] for space, rows in SPACES.items()} == {
        "2": ["2"],
        "1": ["1"],
        "0": ["0.9.4", "0.9.2"],
        "alpha": ["alpha"],
    }
    assert set(dialects.PROBES) == {"2", "1", "alpha"}


def test_new_services_are_offered_in_the_newest_version_and_the_one_most_viewers_speak():
    assert list(dialects.BY_DEFAULT) == dialects_by_default() == ["2", "1"]
    assert AccessService("x", Pattern.LOGIN).dialects == ("2", "1")


def test_the_service_for_no_service_is_offered_in_everything():
    assert set(dialects.TITLES) == set(ALL)
    assert all(AMBIENT.speaks(name) for name in ALL)
    assert [name for name in ALL if AccessService("x", Pattern.LOGIN).speaks(name)] == ["2", "1"]
    assert not [name for name in ALL if offered(LOGIN).speaks(name)]


def test_only_the_oldest_names_no_origin_and_forbids_and_only_the_newest_is_never_plain_json():
    assert [name for name, row in DIALECTS.items() if not row.names_origin] == ["0.9.2"]
    assert [name for name, row in DIALECTS.items() if row.forbids] == ["0.9.2"]
    assert [name for name, row in DIALECTS.items() if not row.answers_json] == ["2"]
    assert {name: row.probing for name, row in DIALECTS.items()} == {
        "2": Probing.ELSEWHERE,
        "1": Probing.REDIRECT,
        "0.9.4": Probing.REDIRECT,
        "0.9.2": Probing.REDIRECT,
        "alpha": Probing.LOCATION,
    }


# -- Who speaks ---------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A094-DIFF-01")
@pytest.mark.parametrize(
    ("names", "origin", "spoken"),
    [
        (("0.9.4", "0.9.2"), True, "0.9.4"),
        (("0.9.4", "0.9.2"), False, "0.9.2"),
        (("0.9.4",), True, "0.9.4"),
        (("0.9.4",), False, "0.9.4"),
        (("0.9.2",), True, "0.9.2"),
        (("0.9.2",), False, "0.9.2"),
        (("2", "1", "alpha"), True, None),
        ((), False, None),
    ],
)
def test_in_the_space_that_two_versions_share_the_origin_tells_which_is_spoken(names, origin, spoken):
    found = dialects.spoken("0", offered(LOGIN, *names), origin=origin)
    assert (found.name if found else None) == spoken


@pytest.mark.parametrize("space", ["2", "1", "alpha"])
@pytest.mark.parametrize("origin", [True, False])
def test_elsewhere_there_is_one_version_whatever_is_said(space, origin):
    assert dialects.spoken(space, offered(LOGIN, *ALL), origin=origin).space == space
    assert dialects.spoken(space, offered(LOGIN, "0.9.2"), origin=origin) is None
    assert dialects.assumed(space, origin=origin).space == space


@pytest.mark.requirement("A094-DIFF-01")
def test_somebody_who_asks_for_nothing_is_answered_in_the_version_of_the_question():
    assert dialects.assumed("0", origin=True).name == "0.9.4"
    assert dialects.assumed("0", origin=False).name == "0.9.2"


# -- Beside each other --------------------------------------------------------------------------------------------


def names_of(blocks) -> list[str]:
    return [held.get("@id", held.get("id")).removeprefix(f"{SITE}/auth/") for held in blocks]


@pytest.mark.parametrize("order", [("1", "2"), ("2", "1")])
def test_blocks_stand_in_the_order_of_the_names(order):
    found = described(order, offer(offered(LOGIN, *ALL)), Host.IMAGE_2, links, NOW)
    assert [name.split("/")[:2] for name in names_of(found)] == [
        {"1": ["1", "access"], "2": ["2", "probe"]}[name] for name in order
    ]


def test_each_service_stands_only_in_the_versions_it_is_offered_in():
    several = (offered(LOGIN, "1", "0.9.4"), offered(TERMS, "1", "alpha"))
    for name, slugs in {"1": ["terms", "login"], "0.9.4": ["login"], "0.9.2": ["ambient"], "alpha": ["terms"]}.items():
        found = described([name], offer(*several), Host.IMAGE_2, links, NOW)
        assert [held.rpartition("/")[2] for held in names_of(found)] == slugs, name


def test_that_there_is_nothing_to_do_is_not_said_beside_something_to_do_in_a_sister_version():
    found = described(["0.9.4", "0.9.2"], offer(offered(LOGIN, "0.9.4")), Host.IMAGE_2, links, NOW)
    assert names_of(found) == ["0/access/login"]
    found = described(["0.9.4", "0.9.2"], offer(), Host.IMAGE_2, links, NOW)
    assert names_of(found) == ["0/access/ambient"]


@pytest.mark.requirement("A1-INFO-07")
@pytest.mark.parametrize("name", ["1", "0.9.4", "0.9.2"])
def test_an_open_version_names_the_services_that_lead_higher(name):
    found = described([name], below(offered(LOGIN, name)), Host.IMAGE_2, links, NOW)
    assert [held.rpartition("/")[2] for held in names_of(found)] == ["login"]


@pytest.mark.parametrize("name", ["1", "0.9.4", "0.9.2", "2", "alpha"])
def test_an_open_version_below_nothing_names_nothing(name):
    assert described([name], below(), Host.IMAGE_3, links, NOW) == []
    assert described([name], everybodys(), Host.IMAGE_3, links, NOW) == []


@pytest.mark.parametrize("name", ["2", "alpha"])
def test_where_a_probe_says_what_else_there_is_an_open_version_names_nothing(name):
    assert described([name], below(offered(LOGIN, *ALL)), Host.IMAGE_3, links, NOW) == []


def test_merging_loses_nothing_and_changes_nothing_of_blocks_that_differ():
    first = {"@context": "c", "@id": "a", "label": "A", "service": [{"@id": "t"}]}
    second = {"@context": "c", "@id": "a", "label": "B", "extra": 1, "service": [{"@id": "t"}, {"@id": "x"}]}
    other = {"@context": "d", "@id": "a"}
    assert dialects.merged([first, second, other]) == [
        {**first, "extra": 1, "service": [{"@id": "t"}, {"@id": "x"}]},
        other,
    ]
    assert dialects.merged([first, {**second, "@id": "b"}]) == [first, {**second, "@id": "b"}]
    assert dialects.merged([]) == []
    assert first["service"] == [{"@id": "t"}]


# -- Film, sound, documents: the practice around 1.0 --------------------------------------------------------------


FILM = Rendition("/media/film.webm", kind=Kind.VIDEO, format="video/webm", label=en("Film"))
SMALL = Rendition("/media/small.webm", reach=400, kind=Kind.VIDEO, label=en("Small copy"))
QUESTION = Question(f"{SITE}/auth/1/probe/x", links("1"))


@pytest.mark.requirement("A1X-02", "A1X-03")
@pytest.mark.parametrize(
    ("decision", "status", "location", "label"),
    [
        (Allowed(FILM), 200, "film.webm", "Film"),
        (Denied(FILM, (Substitute(SMALL),), Why.NOT_SIGNED_IN), 200, "small.webm", "Small copy"),
        (Denied(FILM, (Substitute(SMALL, offer(LOGIN)),), Why.NOT_SIGNED_IN), 401, "film.webm", None),
        (Denied(FILM, (Substitute(SMALL),), Why.NOT_SIGNED_IN, hidden=True), 401, "film.webm", None),
        (Denied(FILM, (), Why.WITHDRAWN), 401, "film.webm", None),
    ],
    ids=["all of it", "a lesser one", "a lesser one behind a door", "hidden", "withdrawn"],
)
def test_a_media_probe_says_all_a_lesser_one_or_nothing(decision, status, location, label):
    found, body = v1.media_result(decision, QUESTION)
    assert (found, body["contentLocation"]) == (status, f"{SITE}/media/{location}")
    assert set(body) == {"contentLocation", "label"}
    assert body["label"] == label or (label is None and body["label"] not in ("", "Film", "Small copy"))


@pytest.mark.requirement("A1X-02")
def test_a_media_probe_of_nothing_and_one_that_can_not_tell_are_no_yes():
    for status, body in (v1.media_result(Unknown(), QUESTION), v1.media_out_of_order(QUESTION)):
        assert status in (404, 503)
        assert set(body) == {"label"}


def test_what_is_hidden_is_told_in_the_same_words_whatever_the_reason():
    said = {json.dumps(v1.media_result(Denied(FILM, why=why, hidden=True), QUESTION)) for why in Why}
    assert len(said) == 1


def film(*services: AccessService) -> Offer:
    return Offer(FILM, levels=(Level("", Policy("p", (Tier("full", AllOf(), services=services),))),))


@pytest.mark.requirement("A1X-01", "A1X-02")
@pytest.mark.parametrize("host", [Host.PRESENTATION_2, Host.PRESENTATION_3])
def test_in_the_practice_the_probe_stands_beside_the_cookie_services(host):
    cookie, probe = dialects.media(film(offered(LOGIN, "1", MEDIA), offered(TERMS, "1")), host, links)
    assert cookie["@id"] == f"{SITE}/auth/1/access/login"
    assert (probe["@id"], probe["profile"]) == (links("1").probe(FILM.uri), "http://iiif.io/api/auth/1/probe")
    kinds = (cookie.get("@type"), probe.get("@type"))
    assert kinds == (("AuthCookieService1", "AuthProbeService1") if host.typed else (None, None))
    assert ("@context" in probe) is not host.typed


def test_the_practice_is_not_followed_where_nobody_switched_it_on():
    assert dialects.media(film(offered(LOGIN, "1")), Host.PRESENTATION_3, links) == []
    assert dialects.media(film(offered(LOGIN, *dialects.BY_DEFAULT)), Host.PRESENTATION_3, links) == []


def test_a_film_that_no_service_leads_to_has_nothing_of_the_practice():
    """The service for no service is nobody's choice, and the practice is off unless somebody chose it."""
    for services in ((), (offered(LOGIN, "2"),)):
        assert dialects.media(film(*services), Host.PRESENTATION_3, links) == []

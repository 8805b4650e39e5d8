"""The documents of the 2.0 alpha: access services on the resource itself, and answers by HTTP status."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iiif_auth.policy.types import (
    Allowed,
    Denied,
    Kind,
    LanguageMap,
    Pattern,
    Rendition,
    Substitute,
    Text,
    Unknown,
    Why,
)
from iiif_auth.protocol import alpha, dialects, infojson
from iiif_auth.protocol.dialect import Host, Question, Setting
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import Problem
from tests.protocol.test_dialects import everybodys
from tests.protocol.test_documents import EXTERNAL, KIOSK, LOGIN, SERVICES, TERMS, en, is_language_map, objects, offer

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples" / "2.0-alpha"
CONTEXT = "http://iiif.io/api/auth/2/context.json"
SITE = "https://iiif.example.org"
AT = f"{SITE}/auth/alpha"
LINKS = Links(SITE, f"{AT}/access/", f"{AT}/token/", f"{AT}/logout/", f"{AT}/probe/")
QUESTION = Question(f"{AT}/probe/x", LINKS)
FILM = Rendition("/media/film.webm", kind=Kind.VIDEO, format="video/webm", label=en("Film"))
SMALL = Rendition("/media/small.webm", reach=400, kind=Kind.VIDEO, label=en("Small copy"))


def example(name: str):
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def blocks(*services, wanted: Rendition | None = None, host: Host = Host.IMAGE_3):
    thing = offer(*services)
    thing = replace(thing, wanted=wanted) if wanted else thing
    return json.loads(json.dumps(alpha.blocks(thing, services, Setting(LINKS, host))))


# -- Descriptions -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-DESC-01", "A2A-DESC-03", "A2A-DESC-04")
@pytest.mark.parametrize(
    ("service", "profile"),
    [(LOGIN, "interactive"), (TERMS, "interactive"), (KIOSK, "kiosk"), (EXTERNAL, "external")],
    ids=lambda value: getattr(value, "slug", value),
)
def test_each_kind_of_service_has_its_profile_and_its_children(service, profile):
    (found,) = blocks(service)
    assert (found["id"], found["type"], found["profile"]) == (
        f"{AT}/access/{service.slug}",
        "AuthAccessService2",
        profile,
    )
    assert is_language_map(found["label"])
    token, *rest = found["service"]
    assert token == {"id": f"{AT}/token/{service.slug}", "type": "AuthTokenService2"}
    assert [held["type"] for held in rest] == ([] if service is EXTERNAL else ["AuthLogoutService2"])
    assert all(is_language_map(held["label"]) and held["id"] == f"{AT}/logout/{service.slug}" for held in rest)


@pytest.mark.requirement("A2A-DESC-02")
def test_in_typed_documents_nothing_has_a_context_of_its_own():
    for host in (Host.IMAGE_3, Host.PRESENTATION_3):
        assert not [held for held in objects(blocks(*SERVICES, host=host)) if "@context" in held]
    for host in (Host.IMAGE_2, Host.PRESENTATION_2):
        assert [held["@context"] for held in blocks(LOGIN, host=host)] == [CONTEXT]


@pytest.mark.requirement("A2A-DESC-02")
def test_the_context_is_at_the_top_before_the_images_own():
    given = {"@context": "http://iiif.io/api/image/3/context.json", "id": "x", "zz": 1}
    document = infojson.with_services(given, blocks(LOGIN), [alpha.DIALECT], 3)
    assert document["@context"] == [CONTEXT, given["@context"]]
    assert list(document) == [*given, "service"]


@pytest.mark.requirement("A2A-DESC-05")
def test_texts_are_language_maps_under_their_old_names():
    (found,) = blocks(LOGIN)
    assert {name: found[name] for name in set(found) - {"id", "type", "profile", "service"}} == {
        "label": {"en": ["Log in to Example Archive"]},
        "header": {"en": ["Please log in"]},
        "description": {"en": ["With your reader account."]},
        "confirmLabel": {"en": ["Log in"]},
        "failureHeader": {"en": ["No token"]},
        "failureDescription": {"en": ["Sorry."]},
    }
    assert not {"heading", "note", "errorHeading", "errorNote"} & set(found)


def test_where_nobody_wrote_a_label_there_is_one():
    (found,) = blocks(replace(KIOSK, label=()))
    assert found["label"] == {"none": ["kiosk"]}


@pytest.mark.requirement("A2A-DESC-06", "A2A-PRB-01")
def test_the_probe_of_a_film_stands_beside_its_access_services_and_never_inside():
    found = blocks(EXTERNAL, LOGIN, wanted=FILM)
    assert found[0] == {"id": LINKS.probe(FILM.uri), "type": "AuthProbeService2"}
    assert [held["type"] for held in found] == ["AuthProbeService2", "AuthAccessService2", "AuthAccessService2"]
    inside = [child["type"] for held in found for child in held.get("service", [])]
    assert set(inside) == {"AuthTokenService2", "AuthLogoutService2"}


@pytest.mark.requirement("A2A-DESC-07")
def test_an_image_service_has_no_probe_but_itself():
    assert [held["type"] for held in blocks(*SERVICES)] == ["AuthAccessService2"] * 4


def test_no_word_of_2_0_0_alone_is_in_it():
    text = json.dumps(blocks(*SERVICES, wanted=FILM))
    assert "AuthAccessTokenService2" not in text
    assert '"active"' not in text


@pytest.mark.parametrize("name", ["image-info-200", "video-resource"])
def test_descriptions_have_the_shape_of_the_examples(name):
    theirs = [held for held in objects(example(name)) if held.get("profile") == "interactive"][0]
    (ours,) = blocks(LOGIN)
    assert set(ours) == set(theirs)
    assert [held["type"] for held in ours["service"]] == [held["type"] for held in theirs["service"]]
    assert all(type(ours[key]) is type(theirs[key]) for key in ours)


# -- The probe ----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-PRB-02", "A2A-PRB-03", "A2A-PRB-04")
@pytest.mark.parametrize(
    ("decision", "status", "location"),
    [
        (Allowed(FILM), 200, None),
        (Allowed(replace(FILM, location="/media/delivered/film.webm")), 200, f"{SITE}/media/delivered/film.webm"),
        (Denied(FILM, (Substitute(SMALL),), Why.NOT_SIGNED_IN), 401, f"{SITE}/media/small.webm"),
        (Denied(FILM, (), Why.NOT_SIGNED_IN), 401, None),
        (Denied(FILM, (Substitute(SMALL, offer(LOGIN)),), Why.NOT_SIGNED_IN), 401, None),
        (Denied(FILM, (Substitute(SMALL),), Why.NOT_SIGNED_IN, hidden=True), 401, None),
        (Denied(FILM, (), Why.WITHDRAWN, text=Text(en("Rights claim."))), 401, None),
        (Unknown(), 401, None),
    ],
    ids=["yes", "elsewhere", "a lesser one", "no", "a door first", "hidden", "withdrawn", "unknown"],
)
def test_the_probe_answers_200_or_401_and_names_at_most_one_address(decision, status, location):
    found, body = alpha.probe_result(decision, QUESTION)
    assert found == status
    assert body["@context"] == CONTEXT
    assert (body["id"], body["type"]) == (QUESTION.address, "AuthProbeService2")
    assert body.get("location") == location
    assert set(body) <= {"@context", "id", "type", "label", "location"}
    assert is_language_map(json.loads(json.dumps(body.get("label", {"en": ["x"]}))))


@pytest.mark.requirement("A2A-PRB-02")
def test_where_nothing_can_be_decided_it_is_not_a_yes():
    status, body = alpha.out_of_order(QUESTION)
    assert (status, body["type"], "location" in body) == (401, "AuthProbeService2", False)


def test_what_is_hidden_is_told_in_the_same_words_whatever_the_reason():
    said = {json.dumps(alpha.probe_result(Denied(FILM, why=why, hidden=True), QUESTION)) for why in Why}
    assert len(said) == 1


@pytest.mark.parametrize(
    ("name", "decision"),
    [
        ("video-probe-http200", Allowed(FILM)),
        ("video-probe-http401-location", Denied(FILM, (Substitute(SMALL),), Why.NOT_SIGNED_IN)),
        ("hls-probe-http200-location", Allowed(replace(FILM, location="/media/x.m3u8"))),
        ("pdf-probe-http401", Denied(FILM, (), Why.NOT_SIGNED_IN)),
    ],
)
def test_answers_have_the_shape_of_the_examples(name, decision):
    theirs, ours = example(name), alpha.probe_result(decision, QUESTION)[1]
    assert set(ours) - {"label"} == set(theirs) - {"label", "for", "statusFor"}
    assert (ours["@context"], ours["type"]) == (theirs["@context"], theirs["type"])
    assert type(ours.get("location")) is type(theirs.get("location"))


# -- Messages -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2A-TOK-01")
def test_a_token_is_plain_json():
    assert alpha.token("secret", 300) == {"accessToken": "secret", "expiresIn": 300}
    assert set(example("token")) == {"accessToken", "expiresIn"}


@pytest.mark.requirement("A2A-ERR-01")
def test_there_are_six_words_and_expired_is_one_of_them():
    said = {problem: alpha.error(problem, None, ("en",))["error"] for problem in Problem}
    assert set(said.values()) == {json.loads(path.read_text())["error"] for path in EXAMPLES.glob("error-*.json")}
    assert said[Problem.EXPIRED_ASPECT] == "expiredCredentials"
    assert said[Problem.INVALID_ASPECT] == "invalidCredentials"


@pytest.mark.requirement("A2A-ERR-01")
@pytest.mark.parametrize("problem", list(Problem))
def test_an_error_is_json_ld_with_a_language_map(problem):
    found = json.loads(json.dumps(alpha.error(problem, LOGIN, ("de",))))
    assert set(found) == {"@context", "type", "error", "description"}
    assert (found["@context"], found["type"]) == (CONTEXT, "AuthTokenError2")
    assert is_language_map(found["description"])


def test_what_is_missing_is_said_in_the_services_own_words():
    own: LanguageMap = (("en", ("Come to the desk.",)), ("cy", ("Dewch at y ddesg.",)))
    found = alpha.error(Problem.MISSING_ASPECT, replace(LOGIN, error_note=own), ("en",))
    assert found["description"] == {"en": ["Come to the desk."], "cy": ["Dewch at y ddesg."]}


# -- Alone --------------------------------------------------------------------------------------------------------


def test_only_a_kiosk_grants_without_a_click():
    assert [pattern for pattern in Pattern if alpha.DIALECT.grants_at_once(replace(LOGIN, pattern=pattern))] == [
        Pattern.KIOSK
    ]
    assert not alpha.DIALECT.grants_at_once(replace(TERMS, agree_in_viewer=True))


def test_what_is_open_names_nothing():
    for space in ("alpha", "2"):
        assert dialects.described([space], everybodys(), Host.IMAGE_3, lambda _: LINKS, datetime.now(UTC)) == []

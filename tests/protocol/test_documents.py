"""The documents of Authorization Flow 2.0: descriptions of services, as pure functions make them (sections 2 to 6)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from iiif_auth import models
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import (
    NOBODY,
    AccessService,
    Agreed,
    AllOf,
    Denied,
    Everyone,
    ImageApi,
    Kind,
    Level,
    Offer,
    Pattern,
    Policy,
    Rendition,
    Text,
    Tier,
    Why,
)
from iiif_auth.protocol import infojson, v2
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import AMBIENT, Problem

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples" / "2.0"
CONTEXT = json.loads((EXAMPLES.parents[1] / "contexts" / "auth-2-context.json").read_text())
AT = "https://iiif.example.org/auth/2"
LINKS = Links("https://iiif.example.org", f"{AT}/access/", f"{AT}/token/", f"{AT}/logout/", f"{AT}/probe/")


def en(text: str):
    return (("en", (text,)),)


LOGIN = AccessService(
    "login",
    Pattern.LOGIN,
    label=en("Log in to Example Archive"),
    heading=en("Please log in"),
    note=en("With your reader account."),
    confirm_label=en("Log in"),
    error_heading=en("No token"),
    error_note=en("Sorry."),
    logout_label=en("Log out of Example Archive"),
)
TERMS = AccessService("terms", Pattern.CLICKTHROUGH, label=en("Example Archive: terms"))
KIOSK = AccessService("kiosk", Pattern.KIOSK)
EXTERNAL = AccessService("campus", Pattern.EXTERNAL, label=en("Campus"))
SERVICES = (EXTERNAL, KIOSK, TERMS, LOGIN)


def offer(*services: AccessService, uri: str = "/image/3/map-hi", **values: Any) -> Offer:
    tier = Tier("full", AllOf((Agreed("x"),)), services=services)
    wanted = Rendition(uri, **{"image_api": ImageApi.V3, **values})
    return Offer(wanted, levels=(Level("", Policy("p", (tier,))),))


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document, outermost first."""
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from objects(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from objects(inner)


def typed(document: Any, kind: str) -> list[dict[str, Any]]:
    return [found for found in objects(document) if found.get("type") == kind]


def is_language_map(value: Any) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(is_texts, value.values()))


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(text, str) for text in value)


PROBE = json.loads(json.dumps(v2.probe_service(offer(*SERVICES), LINKS)))
MAPS = {"label", "heading", "note", "confirmLabel", "errorHeading", "errorNote"}
OLD_WORDS = {
    "header",
    "description",
    "failureHeader",
    "failureDescription",
    "error",
    "@id",
    "@type",
    "statusFor",
    "for",
}


# -- Nesting ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-DECL-04")
@pytest.mark.parametrize("services", [(), (LOGIN,), SERVICES])
def test_service_is_a_list_at_every_level_even_of_one(services):
    document = json.loads(json.dumps(v2.probe_service(offer(*services), LINKS)))
    found = [held["service"] for held in objects(document) if "service" in held]
    assert len(found) == 1 + max(1, len(services))
    assert all(isinstance(value, list) and value for value in found)


@pytest.mark.requirement("A2-DECL-05")
def test_a_probe_holds_access_services_and_those_hold_token_and_logout():
    assert PROBE["type"] == "AuthProbeService2"
    assert {held["type"] for held in PROBE["service"]} == {"AuthAccessService2"}
    kinds = [[inner["type"] for inner in held["service"]] for held in PROBE["service"]]
    both = ["AuthAccessTokenService2", "AuthLogoutService2"]
    assert kinds == [["AuthAccessTokenService2"], both, both, both]
    assert not [leaf for held in PROBE["service"] for leaf in held["service"] if "service" in leaf]


@pytest.mark.requirement("A2-DECL-05")
def test_no_access_service_stands_on_a_resource_itself():
    body = v2.body(offer(LOGIN).wanted, LINKS, [PROBE])
    for host in (body, body["service"][0]):
        assert {held["type"] for held in host["service"]} <= {"ImageService3", "AuthProbeService2"}


@pytest.mark.requirement("A2-DECL-10")
def test_several_services_lead_through_one_probe_and_one_service_to_many():
    other = json.loads(json.dumps(v2.probe_service(offer(LOGIN, uri="/image/3/other"), LINKS)))
    assert [held["profile"] for held in PROBE["service"]] == ["external", "kiosk", "active", "active"]
    assert other["id"] != PROBE["id"]
    assert other["service"] == [PROBE["service"][3]]


@pytest.mark.requirement("A2-DECL-12")
def test_every_probe_holds_its_services_complete():
    for uri in ("/image/3/a", "/image/3/b"):
        (held,) = v2.probe_service(offer(LOGIN, uri=uri), LINKS)["service"]
        assert set(held) == {"id", "type", "profile", "label", "heading", "note", "confirmLabel", "service"}


@pytest.mark.requirement("A2-DECL-08")
def test_nothing_embedded_has_a_context():
    assert not [held for held in objects(PROBE) if "@context" in held]


@pytest.mark.requirement("A2-DECL-11")
def test_every_service_has_an_id_and_a_type():
    found = [PROBE, *(inner for held in objects(PROBE) for inner in held.get("service", []))]
    assert len(found) == 1 + 4 + 7
    assert all(isinstance(held["id"], str) and isinstance(held["type"], str) for held in found)


@pytest.mark.requirement("A2-GEN-01")
@pytest.mark.requirement("A2-PSD-01")
@pytest.mark.requirement("A2-ACC-02")
@pytest.mark.requirement("A2-TSD-01")
def test_every_id_is_https_without_a_query():
    ids = [held["id"] for held in objects(PROBE) if "id" in held]
    assert len(ids) == len(set(ids)) == 12
    assert all(
        re.fullmatch(r"https://iiif\.example\.org/auth/2/(probe|access|token|logout)/[A-Za-z0-9_-]+", i) for i in ids
    )


# -- The probe service --------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-PSD-02")
@pytest.mark.requirement("A2-PSD-03")
@pytest.mark.parametrize("services", [(), (EXTERNAL,), (LOGIN,), SERVICES])
def test_there_is_never_a_probe_without_an_access_service(services):
    document = v2.probe_service(offer(*services), LINKS)
    assert document["type"] == "AuthProbeService2"
    assert [held["type"] for held in document["service"]] == ["AuthAccessService2"] * max(1, len(services))


@pytest.mark.requirement("A2-PSD-03")
def test_where_there_is_nothing_to_open_the_service_is_an_external_one():
    (held,) = v2.probe_service(offer(), LINKS)["service"]
    assert (held["profile"], held["id"]) == ("external", f"{AT}/access/{AMBIENT.slug}")


@pytest.mark.requirement("A2-PSD-04")
@pytest.mark.requirement("A2-TSD-02")
def test_a_note_about_errors_never_stands_without_its_heading():
    for service in (LOGIN, TERMS, replace(LOGIN, error_heading=()), replace(LOGIN, error_note=())):
        for held in objects(json.loads(json.dumps(v2.probe_service(offer(service), LINKS)))):
            assert "errorNote" not in held or "errorHeading" in held


def test_texts_are_language_maps():
    found = [(name, value) for held in objects(PROBE) for name, value in held.items() if name in MAPS]
    assert {name for name, _ in found} == MAPS
    assert all(is_language_map(value) for _, value in found)


# -- Access, token and logout services ----------------------------------------------------------------------------


@pytest.mark.requirement("A2-ACC-01")
@pytest.mark.parametrize(
    ("service", "profile"), [(LOGIN, "active"), (TERMS, "active"), (KIOSK, "kiosk"), (EXTERNAL, "external")]
)
def test_each_pattern_has_its_profile(service, profile):
    document = v2.access_service(service, LINKS)
    assert (document["type"], document["profile"]) == ("AuthAccessService2", profile)


@pytest.mark.requirement("A2-ACC-03")
def test_an_external_service_has_an_id_on_purpose():
    """The specification advises against it, but Ramp, Universal Viewer and the Presentation API want one (3.2)."""
    document = v2.access_service(EXTERNAL, LINKS)
    assert document["id"] == f"{AT}/access/campus"
    assert not {"heading", "note", "confirmLabel"} & set(document)


@pytest.mark.requirement("A2-ACC-04")
@pytest.mark.parametrize("service", SERVICES)
def test_each_access_service_has_one_token_service_and_at_most_one_to_log_out(service):
    kinds = [held["type"] for held in v2.access_service(service, LINKS)["service"]]
    assert kinds.count("AuthAccessTokenService2") == 1
    assert kinds.count("AuthLogoutService2") == (0 if service is EXTERNAL else 1)
    assert len(kinds) == 1 + kinds.count("AuthLogoutService2")


@pytest.mark.requirement("A2-ACC-05")
@pytest.mark.requirement("A2-ACC-06")
def test_an_active_service_says_who_asks_and_what_for():
    document = v2.access_service(LOGIN, LINKS)
    assert {name: document[name] for name in ("label", "heading", "note", "confirmLabel")} == {
        "label": {"en": ["Log in to Example Archive"]},
        "heading": {"en": ["Please log in"]},
        "note": {"en": ["With your reader account."]},
        "confirmLabel": {"en": ["Log in"]},
    }


@pytest.mark.requirement("A2-ACC-05")
def test_a_service_to_click_can_not_be_kept_without_a_label():
    for pattern in ("login", "clickthrough"):
        with pytest.raises(ValidationError, match="A2-ACC-05"):
            models.AccessService(slug="x", pattern=pattern).clean()
    models.AccessService(slug="x", pattern="kiosk").clean()


@pytest.mark.requirement("A2-ACC-07")
def test_no_word_of_an_older_draft_is_left():
    assert not {name for held in objects(PROBE) for name in held} & OLD_WORDS
    assert "interactive" not in json.dumps(PROBE)


@pytest.mark.requirement("A2-LOG-01")
@pytest.mark.requirement("A2-LOG-02")
def test_one_can_log_out_of_what_one_could_enter():
    found = typed(PROBE, "AuthLogoutService2")
    assert [held["label"] for held in found] == [
        {"en": ["Log out: kiosk"]},
        {"en": ["Log out: Example Archive: terms"]},
        {"en": ["Log out of Example Archive"]},
    ]
    assert all(held["id"].startswith(f"{AT}/logout/") for held in found)


@pytest.mark.requirement("A2-LOG-02")
def test_a_label_for_logging_out_is_made_in_each_language_of_the_service():
    service = replace(TERMS, label=(("de-CH", ("Archiv",)), ("cy", ("Archif",)), ("none", ("A",))))
    assert typed(v2.access_service(service, LINKS), "AuthLogoutService2")[0]["label"] == {
        "de-CH": ["Abmelden: Archiv"],
        "cy": ["Allgofnodi: Archif"],
        "none": ["Log out: A"],
    }


# -- Bodies and info.json -----------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-DECL-01")
@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_of_thing_carries_its_probe(kind):
    document = v2.body(Rendition("/media/x", kind=kind, format="a/b"), LINKS, [PROBE])
    assert document == {
        "id": "https://iiif.example.org/media/x",
        "type": kind.value,
        "format": "a/b",
        "service": [PROBE],
    }


@pytest.mark.requirement("A2-DECL-03")
def test_an_image_carries_its_probe_beside_and_inside_its_service():
    document = v2.body(offer(LOGIN).wanted, LINKS, [PROBE])
    assert document["id"] == "https://iiif.example.org/image/3/map-hi/full/max/0/default.jpg"
    image, beside = document["service"]
    assert image["service"] == [beside] == [PROBE]


def test_an_image_service_of_version_2_has_keys_with_an_at():
    document = v2.body(Rendition("/image/2/x", image_api=ImageApi.V2), LINKS, [])
    assert document["id"].endswith("/full/full/0/default.jpg")
    assert document["service"] == [
        {
            "@id": "https://iiif.example.org/image/2/x",
            "@type": "ImageService2",
            "profile": "http://iiif.io/api/image/2/level2.json",
        }
    ]


@pytest.mark.requirement("A2-DECL-06")
@pytest.mark.requirement("A2-DECL-07")
@pytest.mark.parametrize(
    "context",
    [
        "http://iiif.io/api/image/3/context.json",
        ["http://iiif.io/api/image/3/context.json"],
        ["http://example.org/extra.json", "http://iiif.io/api/image/3/context.json"],
        [v2.CONTEXT, "http://iiif.io/api/image/3/context.json"],
        ["http://iiif.io/api/image/3/context.json", v2.CONTEXT][::-1],
    ],
)
def test_the_context_of_auth_comes_first_and_the_images_own_last(context):
    given = {"@context": context, "id": "x", "service": {"id": "old"}}
    document = infojson.with_probe(given, PROBE, 3)
    assert document["@context"].count(v2.CONTEXT) == 1
    assert document["@context"][0] == v2.CONTEXT
    assert document["@context"][-1] == "http://iiif.io/api/image/3/context.json"
    assert document["service"] == [{"id": "old"}, PROBE]
    assert given == {"@context": context, "id": "x", "service": {"id": "old"}}


@pytest.mark.requirement("A2-DECL-09")
def test_in_an_image_2_document_the_context_is_inside_the_probe():
    given = {"@context": "http://iiif.io/api/image/2/context.json", "@id": "x"}
    document = infojson.with_probe(given, PROBE, 2)
    assert document["@context"] == "http://iiif.io/api/image/2/context.json"
    assert document["service"] == [{"@context": v2.CONTEXT, **PROBE}]


def test_all_other_properties_and_their_order_stay():
    given = {"@context": "c", "id": "x", "sizes": [1], "rights": None, "zz": {"a": 1}, "extraFeatures": []}
    document = infojson.with_probe(given, PROBE, 3)
    assert [name for name in document if name != "service"] == list(given)
    assert {name: document[name] for name in given if name != "@context"} == {
        name: given[name] for name in given if name != "@context"
    }


# -- Beside the examples of the specification ---------------------------------------------------------------------


def keys(value: Any) -> Any:
    """Keys and types of a document; a list counts by its first member, a language map as one thing."""
    if is_language_map(value):
        return "language map"
    if isinstance(value, dict):
        return {name: keys(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [keys(value[0])]
    return type(value).__name__


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (v2.access_service(LOGIN, LINKS), "service-access-active"),
        (v2.access_service(KIOSK, LINKS), "service-access-kiosk"),
        (v2.access_service(EXTERNAL, LINKS), "service-access-external"),
        (v2.token_message("t", 300, "1"), "token-message"),
        *[(v2.error_message(p, "1"), f"token-error-{v2.PROBLEMS[p]}") for p in Problem],
    ],
)
def test_documents_have_the_shape_of_the_examples(document, name):
    ours, theirs = json.loads(json.dumps(document)), example(name)
    theirs = theirs.get("service", [theirs])[0] if theirs.get("type") == "AuthProbeService2" else theirs
    shared = set(ours) & set(theirs)
    assert {"type"} <= shared
    assert {key: keys(ours[key]) for key in shared - {"service"}} == {
        key: keys(theirs[key]) for key in shared - {"service"}
    }
    optional = {"@context", "heading", "note", "label", "errorHeading", "errorNote", "confirmLabel"}
    assert set(ours) ^ set(theirs) <= optional
    assert [held["type"] for held in ours.get("service", [])][:1] == [
        held["type"] for held in theirs.get("service", [])
    ][:1]
    assert (ours["type"], ours.get("profile")) == (theirs["type"], theirs.get("profile"))


@pytest.mark.requirement("A2-PRB-12")
def test_the_example_manifest_cites_the_best_version_and_so_does_a_body_of_ours():
    """In the example, as here, the resource that is cited is the one wanted; lesser ones come as substitutes."""
    smaller = Rendition("/image/3/map-lo", reach=400, image_api=ImageApi.V3)
    best = replace(offer(LOGIN), others=(smaller,))
    assert v2.body(best.wanted, LINKS, [])["id"].startswith("https://iiif.example.org/image/3/map-hi/")
    assert v2.probe_service(best, LINKS)["id"] == LINKS.probe("/image/3/map-hi")


def test_every_word_we_write_is_in_the_published_context():
    text = json.dumps(CONTEXT)
    words = {v2.PROBE_SERVICE, v2.PROBE_RESULT, v2.ACCESS_SERVICE, v2.TOKEN_SERVICE, v2.LOGOUT_SERVICE, v2.TOKEN}
    words |= {v2.TOKEN_ERROR, *v2.PROFILES.values(), *v2.PROBLEMS.values(), *MAPS - {"label"}}
    words |= {"accessToken", "expiresIn", "messageId", "status", "substitute", "location"}
    assert sorted(word for word in words if f'"{word}"' not in text) == []


def test_every_problem_has_a_word_and_words_for_people():
    assert set(v2.PROBLEMS) == set(Problem)
    for problem in Problem:
        document = v2.error_message(problem, "1", LOGIN)
        assert is_language_map(json.loads(json.dumps(document["heading"])))
        assert is_language_map(json.loads(json.dumps(document["note"])))


def test_a_refusal_whose_own_text_is_only_a_heading_still_has_a_note_under_a_heading():
    wanted = offer().wanted
    document = v2.probe_result(Denied(wanted, why=Why.WITHDRAWN, text=Text(en("Rights claim."))), LINKS)
    assert document["heading"]["en"] == ["Withdrawn"]
    assert document["note"] == {"en": ["Rights claim."]}


def test_what_is_open_to_everyone_is_granted_with_nothing_else():
    free = replace(offer(), levels=(Level("", Policy("p", (Tier("full", Everyone()),))),))
    decision = decide(free, NOBODY, datetime(2026, 1, 1, tzinfo=UTC))
    assert v2.probe_result(decision, LINKS) == {"@context": v2.CONTEXT, "type": "AuthProbeResult2", "status": 200}

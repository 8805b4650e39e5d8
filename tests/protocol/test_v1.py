"""The documents of Auth 1.0 and of 0.9.4, which is the same text with another number: descriptions and messages."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from iiif_auth import models
from iiif_auth.policy.types import AccessService, Clients, Pattern
from iiif_auth.protocol import dialects, infojson
from iiif_auth.protocol.dialect import Host, Setting
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import AMBIENT, JSON_STATUS, Problem
from tests.protocol.test_documents import EXTERNAL, KIOSK, LOGIN, SERVICES, TERMS, offer
from tests.web import BOTH

pytestmark = BOTH

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples"
FOLDERS = {"1": "1.0", "0.9.4": "0.9.4"}
NOW = datetime(2026, 11, 21, tzinfo=UTC)
IN_VIEWER = replace(TERMS, slug="in-viewer", agree_in_viewer=True)
TEXTS = {"label", "header", "description", "confirmLabel", "failureHeader", "failureDescription"}


def links(space: str) -> Links:
    at = f"https://iiif.example.org/auth/{space}"
    return Links("https://iiif.example.org", f"{at}/access/", f"{at}/token/", f"{at}/logout/", f"{at}/probe/")


def setting(version, host: Host = Host.IMAGE_2, *languages: str) -> Setting:
    return Setting(links(version.space), host, languages or ("en",))


def block(version, service: AccessService, host: Host = Host.IMAGE_2, *languages: str):
    (found,) = dialects.DIALECTS[version.dialect].blocks(offer(service), (service,), setting(version, host, *languages))
    return json.loads(json.dumps(found))


def example(version, name: str):
    return json.loads((EXAMPLES / FOLDERS[version.dialect] / f"{name}.json").read_text())


# -- Descriptions -------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-DESC-01", "A1-DESC-02", "A1-DESC-03")
@pytest.mark.parametrize(
    ("service", "profile"),
    [(LOGIN, "login"), (IN_VIEWER, "clickthrough"), (KIOSK, "kiosk"), (EXTERNAL, "external")],
    ids=lambda value: getattr(value, "slug", value),
)
def test_each_kind_of_service_has_its_profile_and_brings_its_context(version, service, profile):
    found = block(version, service)
    assert found["@context"] == version.uri("context.json")
    assert found["profile"] == version.uri(profile)
    assert found["@id"] == f"https://iiif.example.org/auth/{version.number}/access/{service.slug}"
    assert not {"id", "type", "@type"} & set(found)


@pytest.mark.requirement("A1-DESC-02", "A1-ACC-04")
def test_terms_on_our_own_page_are_advertised_as_a_login(version):
    """A click-through page may ask nothing (C9), so one that asks is not called by that name."""
    assert block(version, TERMS)["profile"] == version.uri("login")
    assert block(version, IN_VIEWER)["profile"] == version.uri("clickthrough")


@pytest.mark.requirement("A1-DESC-04", "A1-DESC-05", "A1-DESC-06")
def test_a_login_says_who_asks_and_what_for_in_plain_strings(version):
    found = block(version, LOGIN)
    assert {name: found[name] for name in TEXTS} == {
        "label": "Log in to Example Archive",
        "header": "Please log in",
        "description": "With your reader account.",
        "confirmLabel": "Log in",
        "failureHeader": "No token",
        "failureDescription": "Sorry.",
    }


@pytest.mark.requirement("A1-DESC-04")
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.slug)
def test_every_service_has_a_label_even_if_nobody_wrote_one(version, service):
    assert block(version, service)["label"]
    assert block(version, replace(service, label=()))["label"] == service.slug


def test_who_has_no_page_to_open_is_not_asked_to(version):
    for service in (KIOSK, EXTERNAL):
        written = replace(service, heading=LOGIN.heading, note=LOGIN.note, confirm_label=LOGIN.confirm_label)
        assert not {"header", "description", "confirmLabel"} & set(block(version, written))


def test_what_nobody_wrote_is_not_there(version):
    bare = AccessService("bare", Pattern.LOGIN, label=LOGIN.label)
    assert TEXTS & set(block(version, bare)) == {"label"}


@pytest.mark.requirement("A1-DESC-05")
@pytest.mark.parametrize(
    ("languages", "label"),
    [
        (("de",), "Anmelden bei Beispiel"),
        (("de-AT", "en"), "Anmelden bei Beispiel"),
        (("fr", "en"), "Log in to Example"),
        (("fr",), "Log in to Example"),
        (("cy", "de"), "Mewngofnodi"),
        ((), "Log in to Example"),
    ],
)
def test_plain_strings_are_in_the_language_of_the_reader(version, languages, label):
    texts = (("en", ("Log in to Example",)), ("de", ("Anmelden bei Beispiel",)), ("cy", ("Mewngofnodi",)))
    service = replace(LOGIN, label=texts, logout_label=texts)
    found = block(version, service, Host.IMAGE_2, *languages)
    assert found["label"] == found["service"][1]["label"] == label


@pytest.mark.requirement("A1-DESC-07", "A1-OUT-01")
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.slug)
def test_each_service_holds_one_token_service_and_the_way_out_if_there_is_one(version, service):
    token, *rest = block(version, service)["service"]
    at = f"https://iiif.example.org/auth/{version.number}"
    assert token == {"@id": f"{at}/token/{service.slug}", "profile": version.uri("token")}
    if service is EXTERNAL:
        assert rest == []
    else:
        (logout,) = rest
        assert (logout["@id"], logout["profile"]) == (f"{at}/logout/{service.slug}", version.uri("logout"))
        assert isinstance(logout["label"], str)
        assert logout["label"]


@pytest.mark.requirement("A1-DESC-09")
@pytest.mark.parametrize("host", [Host.IMAGE_3, Host.PRESENTATION_3])
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.slug)
def test_in_typed_documents_everything_has_an_id_and_a_type(version, host, service):
    found = block(version, service, host)
    kinds = [held["@type"] for held in (found, *found["service"])]
    assert kinds == ["AuthCookieService1", "AuthTokenService1", "AuthLogoutService1"][: len(kinds)]
    assert len(kinds) == (2 if service is EXTERNAL else 3)
    assert all(isinstance(held["@id"], str) and held["@id"] for held in (found, *found["service"]))
    assert isinstance(found["service"], list)


@pytest.mark.requirement("A1-DESC-01", "A1-DESC-09")
def test_in_typed_documents_the_type_of_1_implies_its_context_and_0_says_its_own(version):
    """The types are those of version 1, so that a 0.9.4 block still has to say that it is one."""
    found = block(version, LOGIN, Host.PRESENTATION_3)
    assert found.get("@context") == (None if version.number == 1 else version.uri("context.json"))
    assert not [held for held in found["service"] if "@context" in held]


@pytest.mark.requirement("A1-DESC-08")
def test_the_context_of_an_image_2_document_stays_the_plain_string(version):
    given = {"@context": "http://iiif.io/api/image/2/context.json", "@id": "x", "zz": 1}
    document = infojson.with_services(given, [block(version, LOGIN)], [dialects.DIALECTS[version.dialect]], 2)
    assert document == {**given, "service": [block(version, LOGIN)]}
    assert list(document) == [*given, "service"]


@pytest.mark.requirement("A1-DESC-09")
def test_the_context_of_an_image_3_document_does_not_change_for_it_either(version):
    given = {"@context": "http://iiif.io/api/image/3/context.json", "id": "x"}
    typed = block(version, LOGIN, Host.IMAGE_3)
    document = infojson.with_services(given, [typed], [dialects.DIALECTS[version.dialect]], 3)
    assert document == {**given, "service": [typed]}


def test_every_uri_has_the_number_of_its_version_and_no_other(version):
    other = f"iiif.io/api/auth/{1 - version.number}/"
    for host in Host:
        for service in (*SERVICES, IN_VIEWER):
            assert other not in json.dumps(block(version, service, host))


@pytest.mark.requirement("A094-DIFF-02")
def test_nothing_of_0_9_2_is_in_it(version):
    """No client identity, whatever the service says of registered viewers, and no word of codes."""
    for clients in Clients:
        text = json.dumps(block(version, replace(LOGIN, clients=clients)))
        assert "clientId" not in text
        assert "code" not in text


def described(version, *services: AccessService):
    return dialects.described([version.dialect], offer(*services), Host.IMAGE_2, links, NOW)


def test_services_are_named_in_the_order_in_which_viewers_try_them(version):
    offered = [replace(service, dialects=(version.dialect,)) for service in reversed(SERVICES)]
    found = described(version, *offered)
    assert [held["@id"].rpartition("/")[2] for held in found] == ["campus", "kiosk", "terms", "login"]


def test_a_service_that_is_not_offered_in_this_version_is_not_named(version):
    offered = [replace(LOGIN, dialects=(version.dialect,)), replace(TERMS, dialects=("2", "alpha", "0.9.2"))]
    assert [held["@id"].rpartition("/")[2] for held in described(version, *offered)] == ["login"]


def test_where_no_service_is_offered_one_is_recognised_by_where_and_when_one_is(version):
    (found,) = described(version)
    assert found["@id"].endswith(f"/access/{AMBIENT.slug}")
    assert found["profile"] == version.uri("external")


@pytest.mark.parametrize(
    ("service", "name"),
    [(LOGIN, "login"), (IN_VIEWER, "clickthrough"), (KIOSK, "kiosk"), (EXTERNAL, "external")],
    ids=lambda value: getattr(value, "slug", value),
)
def test_descriptions_have_the_shape_of_the_examples(version, service, name):
    written = replace(
        LOGIN, slug=service.slug, pattern=service.pattern, agree_in_viewer=service.agree_in_viewer, label=LOGIN.label
    )
    ours, theirs = block(version, written), example(version, f"service-{name}")
    # An @id on an external service, and a way out, are ours to add (C7, A1-OUT-01).
    assert set(ours) ^ set(theirs) <= ({"@id"} if name == "external" else set())
    assert all(type(ours[key]) is type(theirs[key]) for key in set(ours) & set(theirs))
    assert (ours["@context"], ours["profile"]) == (theirs["@context"], theirs["profile"])
    assert ours["service"][0]["profile"] == theirs["service"][0]["profile"]
    assert set(ours["service"][0]) == set(theirs["service"][0])


def test_a_service_to_click_can_not_be_kept_without_a_label_in_any_version(version):
    with pytest.raises(ValidationError, match="A2-ACC-05"):
        models.AccessService(slug="x", pattern="login", dialects=[version.dialect]).clean()


def test_only_terms_can_be_agreed_to_in_the_viewer(version):
    dialect = dialects.DIALECTS[version.dialect]
    assert dialect.grants_at_once(IN_VIEWER)
    assert dialect.grants_at_once(KIOSK)
    assert not dialect.grants_at_once(TERMS)
    for pattern in (Pattern.LOGIN, Pattern.EXTERNAL):
        assert not dialect.grants_at_once(replace(IN_VIEWER, pattern=pattern))
    with pytest.raises(ValidationError, match="Only terms"):
        models.AccessService(slug="x", pattern="login", label={"en": ["x"]}, agree_in_viewer=True).clean()


# -- Messages -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-TOK-01")
@pytest.mark.parametrize(("seconds", "said"), [(300, 300), (1, 1), (0, 1), (-5, 1)])
def test_a_token_is_plain_json_with_a_life_of_at_least_a_second(version, seconds, said):
    found = dialects.DIALECTS[version.dialect].token("secret", seconds)
    assert found == {"accessToken": "secret", "expiresIn": said}
    assert set(found) == set(example(version, "token"))


@pytest.mark.requirement("A1-ERR-01", "A1-ERR-02")
@pytest.mark.parametrize("problem", list(Problem))
def test_every_problem_has_one_of_the_five_words_and_a_description_for_people(version, problem):
    found = dialects.DIALECTS[version.dialect].error(problem, LOGIN, ("en",))
    words = {"invalidRequest", "missingCredentials", "invalidCredentials", "invalidOrigin", "unavailable"}
    assert set(found) == {"error", "description"}
    assert found["error"] in words
    assert isinstance(found["description"], str)
    assert found["description"]
    assert JSON_STATUS[problem] in (400, 401, 403, 503)


@pytest.mark.requirement("A1-ERR-01")
def test_all_five_words_are_used_and_what_has_expired_is_no_longer_valid(version):
    error = dialects.DIALECTS[version.dialect].error
    said = {problem: error(problem, None, ("en",))["error"] for problem in Problem}
    names = ("invalidRequest", "missingCredentials", "invalidCredentials", "invalidOrigin", "unavailable")
    assert set(said.values()) == {example(version, f"error-{name}")["error"] for name in names}
    assert said[Problem.EXPIRED_ASPECT] == said[Problem.INVALID_ASPECT] == "invalidCredentials"


@pytest.mark.requirement("A1-ERR-02")
def test_what_is_missing_is_said_in_the_services_own_words_and_the_readers_language(version):
    error = dialects.DIALECTS[version.dialect].error
    own = replace(LOGIN, error_note=(("en", ("Come to the desk.",)), ("de", ("Kommen Sie zur Theke.",))))
    assert error(Problem.MISSING_ASPECT, own, ("de",))["description"] == "Kommen Sie zur Theke."
    assert error(Problem.INVALID_ORIGIN, own, ("de",))["description"] not in ("Kommen Sie zur Theke.", "")
    assert error(Problem.MISSING_ASPECT, None, ("de",))["description"] != ""

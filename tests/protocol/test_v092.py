"""The documents of Auth 0.9.2: everything is a login, and viewers may say who they are."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from iiif_auth.policy.types import Clients
from iiif_auth.protocol import dialects, v092, v1
from iiif_auth.protocol.dialect import Host, Setting
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.terms import Problem
from tests.protocol.test_documents import EXTERNAL, KIOSK, LOGIN, SERVICES, TERMS, offer

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples" / "0.9.2"
AT = "https://iiif.example.org/auth/0"
LINKS = Links("https://iiif.example.org", f"{AT}/access/", f"{AT}/token/", f"{AT}/logout/", "", f"{AT}/client/")
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def block(service, host: Host = Host.IMAGE_2):
    (found,) = v092.blocks(offer(service), (service,), Setting(LINKS, host))
    return json.loads(json.dumps(found))


def example(name: str):
    return json.loads((EXAMPLES / f"{name}.json").read_text())


@pytest.mark.requirement("A092-DESC-01", "A092-DESC-03", "A092-OUT-01")
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.slug)
def test_whatever_a_service_is_a_viewer_opens_it_as_a_login(service):
    found = block(service)
    assert found["@context"] == "http://iiif.io/api/auth/0/context.json"
    assert found["@id"] == f"{AT}/access/{service.slug}"
    assert found["profile"] == "http://iiif.io/api/auth/0/login"
    assert isinstance(found["label"], str)
    assert found["label"]
    token, *rest = found["service"]
    assert token == {"@id": f"{AT}/token/{service.slug}", "profile": "http://iiif.io/api/auth/0/token"}
    logout = {"@id": f"{AT}/logout/{service.slug}", "profile": "http://iiif.io/api/auth/0/logout"}
    assert [{key: held[key] for key in logout} for held in rest] == ([] if service is EXTERNAL else [logout])
    assert all(isinstance(held["label"], str) and held["label"] for held in rest)


@pytest.mark.requirement("A092-DESC-02")
def test_a_login_says_what_for():
    assert block(LOGIN)["description"] == "With your reader account."
    assert block(replace(EXTERNAL, error_note=LOGIN.error_note))["description"] == "Sorry."
    assert "description" not in block(TERMS)


@pytest.mark.requirement("A092-DESC-01")
def test_no_word_of_later_versions_is_in_it():
    later = {"header", "confirmLabel", "failureHeader", "failureDescription", "id", "type", "@type", "heading", "note"}
    assert not later & set(block(LOGIN))


@pytest.mark.requirement("A092-CID-01")
@pytest.mark.parametrize(("clients", "named"), [(Clients.ANY, 0), (Clients.KNOWN, 1), (Clients.ONLY, 1)])
def test_where_viewers_may_say_who_they_are_they_are_told_where(clients, named):
    found = [held for held in block(replace(LOGIN, clients=clients))["service"] if "clientId" in held["profile"]]
    assert found == [{"@id": f"{AT}/client/login", "profile": "http://iiif.io/api/auth/0/clientId"}] * named


def test_descriptions_have_the_shape_of_the_example():
    ours = block(replace(LOGIN, clients=Clients.KNOWN))
    theirs = example("image-info-with-client-identity")["service"]
    assert set(ours) == set(theirs)
    assert {held["profile"] for held in ours["service"]} == {held["profile"] for held in theirs["service"]}
    assert {key: set(held) for held in ours["service"] for key in [held["profile"]]} == {
        key: set(held) for held in theirs["service"] for key in [held["profile"]]
    }


@pytest.mark.parametrize("host", [Host.IMAGE_3, Host.PRESENTATION_3])
def test_in_typed_documents_it_says_that_it_is_of_version_0(host):
    found = block(replace(KIOSK, clients=Clients.ANY), host)
    assert found["@context"] == v1.context(0)
    assert [held["@type"] for held in (found, *found["service"])] == [
        "AuthCookieService1",
        "AuthTokenService1",
        "AuthLogoutService1",
    ]


# -- Beside 0.9.4, with which it shares its constants -------------------------------------------------------------


def both(service, *names: str):
    offered = replace(service, dialects=names)
    return dialects.described(["0.9.4", "0.9.2"], offer(offered), Host.IMAGE_2, lambda space: LINKS, NOW)


@pytest.mark.requirement("A094-DIFF-01", "A094-DIFF-02")
def test_one_block_serves_both_versions_and_a_pure_one_says_nothing_of_the_other():
    known = replace(LOGIN, clients=Clients.KNOWN)
    (mixed,) = both(known, "0.9.4", "0.9.2")
    (old,) = both(known, "0.9.2")
    (new,) = both(known, "0.9.4")
    words = ["token", "logout", "clientId"]
    assert [held["profile"].rpartition("/")[2] for held in mixed["service"]] == words
    assert sorted(held["profile"].rpartition("/")[2] for held in old["service"]) == sorted(words)
    assert [held["profile"].rpartition("/")[2] for held in new["service"]] == words[:2]
    assert {key: mixed[key] for key in new if key != "service"} == {key: new[key] for key in new if key != "service"}
    assert set(old) - {"service"} <= set(mixed)


def test_a_service_that_is_offered_in_neither_is_not_named():
    assert not [held for held in both(LOGIN, "2", "1", "alpha") if held["@id"].endswith("/login")]


# -- Messages -----------------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-TOK-01")
@pytest.mark.parametrize(("seconds", "said"), [(300, 300), (0, 1), (-1, 1)])
def test_a_token_says_that_it_is_a_bearers(seconds, said):
    found = v092.token("secret", seconds)
    assert found == {"accessToken": "secret", "tokenType": "Bearer", "expiresIn": said}
    assert set(found) == set(example("token"))


@pytest.mark.requirement("A092-ERR-01", "A092-ERR-02")
@pytest.mark.parametrize("problem", list(Problem))
def test_every_problem_has_one_of_its_words_and_a_hint_for_developers(problem):
    found = v092.error(problem, LOGIN, ("en",))
    assert found["error"] in ("invalidRequest", "missingCredentials", "invalidCredentials", "invalidClient")
    # Whatever the library wrote for its readers is for readers.
    assert found["description"] not in ("", "Sorry.", "No token")
    assert found == v092.error(problem, None, ("de",))


@pytest.mark.requirement("A092-ERR-01", "A092-CID-03")
@pytest.mark.parametrize("name", ["invalidClient", "invalidClientSecret", "invalidRequest"])
def test_the_client_identity_service_has_three_words(name):
    status, body = v092.client_error(name)
    assert set(body) == {"error", "description"}
    assert body["error"] == example(f"error-{name}")["error"] == name
    assert status == (400 if name == "invalidRequest" else 401)


@pytest.mark.requirement("A092-ERR-01")
def test_all_words_of_the_examples_are_used():
    said = {v092.error(problem, None, ())["error"] for problem in Problem} | set(v092.CLIENT_ERRORS)
    assert said == {json.loads(path.read_text())["error"] for path in EXAMPLES.glob("error-*.json")}

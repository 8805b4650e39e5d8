"""The demo for viewers of every age: the same pictures and the same policy, described in each version's own words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from iiif_auth.protocol.identity import reference
from project import places
from project.items import ITEMS
from tests.project.test_documents import path, things
from tests.web import BOTH, VIEWER, Form, Page, Version

SITE = "http://localhost:8000"
COOKIE_PROFILES = ("login", "clickthrough", "kiosk", "external")
V1 = Version("1", 1)
SPACES = {"mixed": "2", "1": "1", "0": "0", "alpha": "alpha"}
PICTURES = {"mixed": "/iiif/image/2/", "1": "/iiif/image/2/", "0": "/iiif/0/image/2/", "alpha": "/iiif/alpha/image/3/"}


def collection(client, flavour: str) -> dict[str, Any]:
    response = client.get(f"/iiif/{flavour}/collection.json")
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    return response.json()


def manifests(client, flavour: str) -> Iterator[dict[str, Any]]:
    listed = collection(client, flavour)
    for entry in listed.get("items", listed.get("manifests", [])):
        yield client.get(path(entry.get("id", entry.get("@id")))).json()


def manifest(client, flavour: str, slug: str) -> dict[str, Any]:
    return client.get(f"/iiif/{flavour}/manifests/{slug}.json").json()


def profiled(document: Any, *words: str, number: int) -> list[dict[str, Any]]:
    """The objects with one of these profiles of Auth 1.0 or 0.9."""
    wanted = {f"http://iiif.io/api/auth/{number}/{word}" for word in words}
    return [held for held in things(document) if held.get("profile") in wanted]


def image_services(document: Any) -> list[dict[str, Any]]:
    return [held for held in things(document) if "/image/" in str(held.get("profile", "")) and "@id" in held]


class Reader(Client):
    """Somebody at the demo, whose viewer speaks some version."""

    def __init__(self, name: str = "") -> None:
        super().__init__(HTTP_HOST="localhost:8000")
        if name:
            self.force_login(get_user_model().objects.get(username=name), "django.contrib.auth.backends.ModelBackend")

    def enter(self, address: str) -> None:
        page = self.get(path(address), {"origin": VIEWER}, secure=True)
        if b"<form" in page.content:
            fields = Form(page.content.decode()).fields
            page = self.post(f"{path(address)}?origin={VIEWER}", fields, secure=True, headers={"origin": SITE})
        assert b"data-close-now" in page.content, page.content.decode()

    def token(self, address: str) -> str:
        page = self.get(path(address), {"origin": VIEWER, "messageId": "1"}, secure=True)
        message = json.loads(Page(page.content.decode()).islands["envelope"])["message"]
        assert "accessToken" in message, message
        return str(message["accessToken"])


def asked(url: str, token: str | None = None):
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Client(HTTP_HOST="localhost:8000").get(path(url), headers=headers)


# -- Documents ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", SPACES)
def test_every_collection_lists_every_item_at_its_own_address(library, client, flavour):
    listed = collection(client, flavour)
    assert listed.get("id", listed.get("@id")) == f"{SITE}/iiif/{flavour}/collection.json"
    found = [held.get("id", held.get("@id")) for held in listed.get("items", listed.get("manifests"))]
    assert found == [f"{SITE}/iiif/{flavour}/manifests/{item.slug}.json" for item in ITEMS]
    assert [held.get("id", held.get("@id")) for held in manifests(client, flavour)] == found


@pytest.mark.parametrize("flavour", ["1", "0"])
def test_old_viewers_get_presentation_2_and_nothing_of_auth_2(library, client, flavour):
    for document in manifests(client, flavour):
        assert document["@context"] == "http://iiif.io/api/presentation/2/context.json"
        text = json.dumps(document)
        assert "/api/auth/2/" not in text
        assert f"/api/auth/{'0' if flavour == '1' else '1'}/" not in text
        assert "AuthProbeService2" not in text


@pytest.mark.requirement("A2A-DESC-02", "A2A-DESC-06", "A2A-DESC-07", "A2A-PRB-01")
def test_the_alpha_stands_alone_with_probes_for_all_but_pictures(library, client):
    for document in manifests(client, "alpha"):
        text = json.dumps(document)
        assert "AuthAccessTokenService2" not in text
        assert "/api/auth/1/" not in text
        restricted = "AuthAccessService2" in text
        contexts = document["@context"]
        assert (contexts[0] == "http://iiif.io/api/auth/2/context.json" if isinstance(contexts, list) else False) is (
            restricted
        )
        for held in things(document):
            siblings = [one.get("type") for one in held.get("service", []) if isinstance(one, dict)]
            is_picture = "/image/" in str(held.get("id", ""))
            assert siblings.count("AuthProbeService2") == (
                1 if "AuthAccessService2" in siblings and not is_picture else 0
            )
            if held.get("type") == "AuthAccessService2":
                assert {one["type"] for one in held["service"]} <= {"AuthTokenService2", "AuthLogoutService2"}
                assert "@context" not in held


@pytest.mark.requirement("A1-DESC-09")
def test_a_mixed_body_has_one_image_service_of_version_2_and_the_probe_beside_it(library, client):
    """Viewers differ in which of two image services they take, and the most used one falls over a probe inside (3.2)."""
    seen = 0
    for document in manifests(client, "mixed"):
        for held in things(document):
            services = [one for one in held.get("service", []) if isinstance(one, dict)]
            images = [one for one in services if one.get("@type") == "ImageService2"]
            probes = [one for one in services if one.get("type") == "AuthProbeService2"]
            assert len(images) <= 1
            for image in images:
                inside = image.get("service", [])
                assert {one["@type"] for one in inside} <= {"AuthCookieService1"}
                for cookie in inside:
                    assert cookie["@id"]
                    assert "@context" not in cookie
                    kinds = {one["@type"] for one in cookie["service"]}
                    assert kinds <= {"AuthTokenService1", "AuthLogoutService1"}
                    assert all(one["@id"] for one in cookie["service"])
                assert bool(inside) == bool(probes)
                seen += bool(inside)
            assert all(isinstance(one["profile"], str) for one in probes)
    assert seen > 10


# The tests of 1.0 are those of 0.9.4 (A094-ALL-01).


@BOTH
@pytest.mark.requirement("A1-DESC-10")
def test_the_first_time_a_cookie_service_is_named_it_is_complete_and_then_only_its_address(library, client, version):
    document = manifest(client, version.space, "herbal")
    services = [held["service"] for held in image_services(document)]
    assert len(services) == 6
    first, *rest = services
    complete = first[0] if isinstance(first, list) else first
    assert complete["@id"].endswith("/access/merehaven-login")
    assert complete["service"]
    assert all(held in (complete["@id"], [complete["@id"]]) for held in rest)
    info = asked(image_services(document)[0]["@id"] + "/info.json").json()["service"][0]
    assert {key: info[key] for key in ("@context", "@id", "profile", "label")} == {
        key: complete[key] for key in ("@context", "@id", "profile", "label")
    }


@BOTH
@pytest.mark.requirement("A1-INFO-05", "A1-INFO-15")
def test_manifests_cite_the_best_version_by_the_address_that_its_description_has(library, client, version):
    """Viewers notice a lesser version by comparing the two, letter by letter."""
    seen = set()
    for document in manifests(client, version.space):
        for held in image_services(document):
            assert "~" not in held["@id"]
            assert held["@id"].startswith(f"{SITE}{PICTURES[version.space]}")
            response = asked(f"{held['@id']}/info.json")
            seen.add(response.status_code)
            if response.status_code == 302:
                location = response.headers["Location"]
                assert location != f"{held['@id']}/info.json"
                response = asked(location)
                assert response.json()["@id"] == location.removesuffix("/info.json")
            else:
                assert response.json()["@id"] == held["@id"]
    assert seen == {200, 302, 401}


@BOTH
@pytest.mark.requirement("A1-DESC-02", "A1-DESC-04", "A1-DESC-07")
def test_every_kind_of_service_is_met_and_every_one_answers(library, client, version):
    found = {
        held["@id"]: held
        for document in manifests(client, version.space)
        for held in profiled(document, *COOKIE_PROFILES, number=version.number)
    }
    assert {held["profile"].rpartition("/")[2] for held in found.values()} == set(COOKIE_PROFILES)
    for held in found.values():
        assert held["label"]
        for one in (held, *held["service"]):
            response = client.get(path(one["@id"]), {"origin": VIEWER, "messageId": "1"})
            by_post = one["profile"].endswith("/clientId")
            assert response.status_code in ((405,) if by_post else (200, 302, 403))


@BOTH
@pytest.mark.requirement("A1-INFO-06", "A1-CONT-02")
def test_a_reader_logs_in_and_sees_the_herbal(library, client, version):
    document = manifest(client, version.space, "herbal")
    held = image_services(document)[0]
    service = profiled(document, "login", number=version.number)[0]
    reader = Reader("reader")
    picture = f"{path(held['@id'])}/full/,20/0/default.jpg"
    assert reader.get(picture).status_code == 401
    reader.enter(service["@id"])
    token = reader.token(service["service"][0]["@id"])
    assert (asked(f"{held['@id']}/info.json").status_code, asked(f"{held['@id']}/info.json", token).status_code) == (
        401,
        200,
    )
    assert (reader.get(picture).status_code, Client().get(picture).status_code) == (200, 401)


@BOTH
@pytest.mark.requirement("A1-INFO-02", "A1-INFO-04", "A1-INFO-07")
def test_the_survey_leads_downwards_by_redirect_and_upwards_by_its_services(library, client, version):
    at = f"{SITE}{PICTURES[version.space]}survey-1"
    anybody = asked(f"{at}/info.json")
    assert (anybody.status_code, anybody.headers["Location"]) == (302, f"{at}~public/info.json")
    public = asked(f"{at}~public/info.json").json()
    service = next(held for held in public["service"] if held["@id"].endswith("/merehaven-login"))
    reader = Reader("reader")
    reader.enter(service["@id"])
    token = reader.token(service["service"][0]["@id"])
    member = asked(f"{at}/info.json", token)
    assert (member.status_code, member.headers["Location"]) == (302, f"{at}~members/info.json")
    members = asked(f"{at}~members/info.json", token)
    assert (members.status_code, members.json()["@id"]) == (200, f"{at}~members")
    researcher = Reader("researcher")
    researcher.enter(service["@id"])
    whole = asked(f"{at}/info.json", researcher.token(service["service"][0]["@id"]))
    assert (whole.status_code, whole.json()["@id"]) == (200, at)


@BOTH
def test_a_page_of_the_register_is_shown_redacted_and_whole_in_the_reading_room(library, client, version):
    at = f"{SITE}{PICTURES[version.space]}register-1"
    response = asked(f"{at}/info.json")
    assert (response.status_code, response.headers["Location"]) == (302, f"{at}-redacted/info.json")
    redacted = asked(f"{at}-redacted/info.json").json()
    assert [held["profile"] for held in redacted["service"]][:1] == [version.uri("external")]
    places.sit("reading-room")
    assert asked(f"{at}/info.json").status_code == 200


@BOTH
def test_advice_is_agreed_to_in_the_viewer_and_terms_on_our_page(library, client, version):
    found = {
        held["@id"].rpartition("/")[2]: held
        for document in manifests(client, version.space)
        for held in profiled(document, *COOKIE_PROFILES, number=version.number)
    }
    advice, terms = found["merehaven-advisory"], found["merehaven-terms"]
    assert (advice["profile"], terms["profile"]) == (version.uri("clickthrough"), version.uri("login"))
    reader = Reader()
    at_once = reader.get(path(advice["@id"]), {"origin": VIEWER}, secure=True)
    asks = Reader().get(path(terms["@id"]), {"origin": VIEWER}, secure=True)
    assert (b"data-close-now" in at_once.content, b"<form" in at_once.content) == (True, False)
    assert (b"data-close-now" in asks.content, b"<form" in asks.content) == (False, True)
    assert reader.token(advice["service"][0]["@id"])


# -- Only here and there ------------------------------------------------------------------------------------------


@pytest.mark.requirement("A092-CID-01", "A094-DIFF-01")
def test_in_0_9_the_reading_room_machines_may_say_who_they_are(library, client):
    (held,) = profiled(manifest(client, "0", "herbal"), "clientId", number=0)
    assert held["@id"] == f"{SITE}/iiif-auth/0/client/merehaven-login"
    assert client.post(path(held["@id"]), {}, content_type="application/json").status_code == 400
    assert "clientId" not in json.dumps(manifest(client, "1", "herbal"))


@pytest.mark.requirement("A092-CONT-02")
def test_in_0_9_a_tile_of_the_survey_leads_to_the_same_tile_of_the_readers_copy(library, client):
    reader = Reader("reader")
    reader.enter(f"{SITE}/iiif-auth/0/access/merehaven-login")
    tile = "0,0,32,32/16,/0/default.jpg"
    response = reader.get(f"/iiif/0/image/2/survey-1/{tile}")
    assert (response.status_code, response.headers["Location"]) == (302, f"/iiif/0/image/2/survey-1~members/{tile}")
    assert reader.get(response.headers["Location"]).status_code == 200
    assert Client().get(f"/iiif/0/image/2/survey-1/{tile}").status_code == 401
    assert reader.get(f"/iiif/image/2/survey-1/{tile}").status_code == 401


@pytest.mark.requirement("A1X-01", "A1X-02", "A1X-03")
def test_the_report_has_a_probe_of_the_practice_in_1_0(library, client):
    document = manifest(client, "1", "report")
    (probe,) = profiled(document, "probe", number=1)
    assert probe["@id"] == f"{SITE}/iiif-auth/1/probe/{reference('/media/report.pdf')}"
    content = next(held["@id"] for held in things(document) if str(held.get("@id", "")).endswith(".pdf"))
    refused = asked(probe["@id"])
    assert (refused.status_code, refused.json()["contentLocation"]) == (401, content)
    reader = Reader("reader")
    service = profiled(document, "login", number=1)[0]
    reader.enter(service["@id"])
    token = reader.token(service["service"][0]["@id"])
    granted = asked(probe["@id"], token)
    assert (granted.status_code, granted.json()["contentLocation"]) == (200, content)
    head = Client().head(path(content), headers={"authorization": f"Bearer {token}"})
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.requirement("A2A-INFO-03", "A2A-CONT-01", "A2A-PRB-03")
def test_in_the_alpha_the_survey_names_its_lesser_version_and_the_film_its_copy(library, client):
    at = f"{SITE}/iiif/alpha/image/3/survey-1"
    response = asked(f"{at}/info.json")
    assert (response.status_code, response.json()["location"]) == (401, f"{at}~public")
    assert asked(f"{at}~public/info.json").status_code == 200
    reader = Reader("reader")
    reader.enter(f"{SITE}/iiif-auth/alpha/access/merehaven-login")
    token = reader.token(f"{SITE}/iiif-auth/alpha/token/merehaven-login")
    response = asked(f"{at}/info.json", token)
    assert (response.status_code, response.json()["location"]) == (401, f"{at}~members")
    picture = f"{at}~members/full/max/0/default.jpg"
    assert asked(picture, token).status_code == 401
    assert reader.get(path(picture)).status_code == 200
    film = f"{SITE}/iiif-auth/alpha/probe/{reference('/media/film.webm')}"
    assert (asked(film).status_code, asked(film).json()["location"]) == (401, f"{SITE}/media/film-small.webm")
    assert (asked(film, token).status_code, asked(film, token).json()["location"]) == (
        200,
        f"{SITE}/media/delivered/film.webm",
    )


def test_the_bridge_carries_both_and_old_pictures_only_their_own(library, client):
    info = client.get("/iiif/image/2/herbal-1/info.json")
    kinds = [held.get("type", held["profile"].rpartition("/")[2]) for held in info.json()["service"]]
    assert (info.status_code, kinds) == (401, ["login", "AuthProbeService2"])
    assert isinstance(info.json()["service"][1]["profile"], str)
    old = client.get("/iiif/0/image/2/herbal-1/info.json").json()["service"]
    assert {held["@context"] for held in old} == {"http://iiif.io/api/auth/0/context.json"}


@pytest.mark.parametrize("flavour", ["", *SPACES])
@pytest.mark.parametrize("slug", ["nothing", "herbal-1", "Herbal"])
def test_a_manifest_that_there_is_not_is_404_in_every_flavour(library, client, flavour, slug):
    at = f"/iiif/{flavour}/manifests" if flavour else "/iiif/manifests"
    assert client.get(f"{at}/{slug}.json").status_code == 404


def test_there_are_no_other_flavours(library, client):
    for flavour in ("2", "3", "0.9.4", "Alpha", "mixed-1"):
        assert client.get(f"/iiif/{flavour}/collection.json").status_code == 404

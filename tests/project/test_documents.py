"""The documents a machine finds its way by: from the Collection everything is reached by following links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from project.items import ITEMS

AUTH_1 = "http://iiif.io/api/auth/1/context.json"
AUTH = "http://iiif.io/api/auth/2/context.json"
PRESENTATION = "http://iiif.io/api/presentation/3/context.json"


def path(url: str) -> str:
    """Where the test client finds a public URL of ours."""
    parts = urlsplit(url)
    assert f"{parts.scheme}://{parts.netloc}" == "http://localhost:8000"
    return parts.path


def manifests(client) -> Iterator[tuple[str, dict[str, Any]]]:
    for item in client.get("/iiif/collection.json").json()["items"]:
        yield item["id"], client.get(path(item["id"])).json()


def bodies(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for canvas in manifest["items"]:
        yield from canvas.get("rendering", [])
        for page in canvas["items"]:
            for annotation in page["items"]:
                yield annotation["body"]


def things(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, dict):
        yield document
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from things(part)


def of_type(document: Any, *types: str) -> list[dict[str, Any]]:
    return [thing for thing in things(document) if thing.get("type") in types]


@pytest.fixture
def all_manifests(library, client) -> list[tuple[str, dict[str, Any]]]:
    return list(manifests(client))


def test_the_collection_lists_every_item(all_manifests):
    assert [manifest["label"]["en"] for _url, manifest in all_manifests] == [[item.label] for item in ITEMS]


def test_every_document_is_at_its_own_id(all_manifests):
    assert all(manifest["id"] == url for url, manifest in all_manifests)


def test_every_thumbnail_is_of_something_that_anybody_may_see(all_manifests, client):
    found = [image["id"] for _url, manifest in all_manifests for image in manifest.get("thumbnail", [])]
    assert [path(url).split("/")[4] for url in found] == [
        "chart-1",
        "deepfield-1~preview",
        "survey-1~public",
        "rocket-1",
    ]
    assert [client.get(path(url)).status_code for url in found] == [200] * len(found)


@pytest.mark.requirement("A2-DECL-06", "A2-DECL-07")
def test_the_context_of_auth_comes_before_that_of_presentation(all_manifests):
    for _url, manifest in all_manifests:
        restricted = bool(of_type(manifest, "AuthProbeService2"))
        assert manifest["@context"] == ([AUTH, PRESENTATION] if restricted else PRESENTATION)


@pytest.mark.requirement("A2-DECL-01", "A2-PRB-12")
def test_every_restricted_content_has_a_probe_wherever_it_is_referred_to(all_manifests, client):
    for _url, manifest in all_manifests:
        for body in bodies(manifest):
            refused = client.get(path(body["id"])).status_code in (401, 403)
            probes = of_type(body.get("service", []), "AuthProbeService2")
            assert bool(probes) == refused, body["id"]


@pytest.mark.requirement("A2-DECL-04", "A2-DECL-05", "A2-DECL-08", "A2-DECL-11", "A2-DECL-12", "A2-PSD-03")
def test_services_nest_as_they_must(all_manifests):
    for _url, manifest in all_manifests:
        for probe in of_type(manifest, "AuthProbeService2"):
            assert isinstance(probe["service"], list)
            assert probe["service"]
            assert {service["type"] for service in probe["service"]} == {"AuthAccessService2"}
            for access in probe["service"]:
                kinds = [service["type"] for service in access["service"]]
                assert kinds.count("AuthAccessTokenService2") == 1
                assert kinds.count("AuthLogoutService2") <= 1
            assert all("@context" not in thing and thing["id"] for thing in things(probe) if "type" in thing)


@pytest.mark.requirement("A2-DECL-02", "A2-DECL-03", "A2-INFO-01", "A2-INFO-03")
def test_the_probe_of_an_image_is_in_its_info_json_and_the_same_as_in_the_manifest(all_manifests, client):
    for _url, manifest in all_manifests:
        for body in bodies(manifest):
            for service in of_type(body.get("service", []), "ImageService3"):
                anonymous = client.get(path(service["id"]) + "/info.json")
                bad = client.get(path(service["id"]) + "/info.json", headers={"authorization": "Bearer x"})
                assert anonymous.status_code == bad.status_code == 200
                assert anonymous.content == bad.content
                inside = [probe["id"] for probe in of_type(anonymous.json(), "AuthProbeService2")]
                assert inside == [probe["id"] for probe in of_type(body["service"], "AuthProbeService2")]


@pytest.mark.requirement("A2-DECL-09")
def test_in_image_2_the_probe_brings_its_own_context_and_the_hosts_stays_plain(library, client):
    info = client.get("/iiif/image/2/herbal-1/info.json").json()
    assert info["@context"] == "http://iiif.io/api/image/2/context.json"
    assert [service["@context"] for service in info["service"]] == [AUTH_1, AUTH]


@pytest.mark.requirement("A2-PRB-01", "A2-PRB-04")
def test_every_probe_says_what_its_content_answers(all_manifests, client):
    """INV5 for somebody who is nobody, at home."""
    for _url, manifest in all_manifests:
        for body in bodies(manifest):
            for probe in of_type(body.get("service", []), "AuthProbeService2"):
                answer = client.get(path(probe["id"]))
                assert answer.status_code == 200
                assert answer.json()["status"] == client.get(path(body["id"])).status_code, body["id"]


@pytest.mark.requirement("A2-PRB-10")
def test_every_substitute_without_services_can_be_fetched_by_anybody(all_manifests, client):
    found = []
    for _url, manifest in all_manifests:
        for probe in of_type(manifest, "AuthProbeService2"):
            for substitute in client.get(path(probe["id"])).json().get("substitute", []):
                if not of_type(substitute, "AuthProbeService2"):
                    found.append(substitute["id"])
                    assert client.get(path(substitute["id"])).status_code == 200, substitute["id"]
    assert len(set(found)) == 4 + 1 + 1 + 1 + 1  # register, deep field, survey, film, song


@pytest.mark.requirement("A2-PRB-11")
def test_the_readers_copy_of_the_survey_has_a_probe_of_its_own(library, client):
    info = client.get("/iiif/image/3/survey-1/info.json").json()
    answer = client.get(path(info["service"][0]["id"])).json()
    members, public = answer["substitute"]
    probe = of_type(members["service"], "AuthProbeService2")[0]
    assert probe["id"] != info["service"][0]["id"]
    assert client.get(path(probe["id"])).json()["status"] == 401
    assert of_type(public["service"], "AuthProbeService2") == []


def test_every_service_of_every_item_answers(all_manifests, client):
    seen = set()
    for _url, manifest in all_manifests:
        for service in of_type(manifest, "AuthAccessService2", "AuthAccessTokenService2", "AuthLogoutService2"):
            seen.add(service["id"])
    answers = {url: client.get(path(url), {"origin": "https://viewer.example.org", "messageId": "1"}) for url in seen}
    assert {url: answer.status_code for url, answer in answers.items() if answer.status_code not in (200, 302)} == {
        "http://localhost:8000/iiif-auth/2/access/merehaven-kiosk": 403
    }


@pytest.mark.requirement("A2-INFO-02")
def test_the_base_uri_of_an_image_sends_on_to_its_info_json_with_cors(library, client):
    answer = client.get("/iiif/image/3/chart-1")
    assert (answer.status_code, answer["Location"], answer["Access-Control-Allow-Origin"]) == (
        303,
        "http://localhost:8000/iiif/image/3/chart-1/info.json",
        "*",
    )


def test_what_is_sealed_looks_like_what_was_never_there(library, client):
    """INV11: the same answers for an identifier that exists and for one that is made up."""
    for template in ("/iiif/image/3/{}/info.json", "/iiif/image/3/{}/full/max/0/default.jpg"):
        real, made_up = (client.get(template.format(name)) for name in ("sealed-1", "sealed-9"))
        assert (real.status_code, real.content, dict(real.headers)) == (
            made_up.status_code,
            made_up.content,
            dict(made_up.headers),
        )


@pytest.mark.parametrize("manifest", ["nothing", "chart.json", "../admin", "%00"])
def test_a_manifest_that_is_not_there_is_not_found(library, client, manifest):
    assert client.get(f"/iiif/manifests/{manifest}.json").status_code == 404

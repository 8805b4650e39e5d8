"""Services and content are found in documents of every version, also in those that are not quite right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from iiif_auth.conformance.documents import NotIIIF, image_services_of, members, read
from iiif_auth.conformance.flows.v2.targets import content_url

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples"
HERE = "https://iiif.example.org/document"
VERSIONS = {"0.9.2": "0.9", "0.9.4": "0.9", "1.0": "1.0", "2.0-alpha": "2.0-alpha", "2.0": "2.0.0"}
TOKEN = {"id": "https://x/token", "type": "AuthAccessTokenService2"}
ACCESS = {"id": "https://x/access", "type": "AuthAccessService2", "profile": "active", "service": [TOKEN]}
PROBE = {"id": "https://x/probe", "type": "AuthProbeService2", "service": [ACCESS]}


def example(name):
    return json.loads((EXAMPLES / name).read_text())


def image(*services, **values):
    return {"id": "https://x/image.jpg", "type": "Image", "service": list(services), **values}


def found(document):
    return [(one.version, one.role, one.path) for one in document.services]


@pytest.mark.parametrize(
    "name",
    [
        f"{folder}/{path.name}"
        for folder in VERSIONS
        for path in sorted((EXAMPLES / folder).glob("*.json"))
        if not any(
            word in path.name for word in ("error", "token-", "token.", "-probe-", "client-identity-re", "open-tier")
        )
    ],
)
def test_every_example_speaks_its_own_version(name):
    document = read(HERE, example(name))
    assert {one.version for one in document.services} == {VERSIONS[name.partition("/")[0]]}
    assert {"access", "token"} <= {one.role for one in document.services}


@pytest.mark.parametrize(
    "name", ["2.0/image-probe-200.json", "2.0/token-message.json", "2.0/token-error-missingAspect.json"]
)
def test_answers_are_no_documents(name):
    with pytest.raises(NotIIIF, match="says neither by its type nor by its profile"):
        read(HERE, example(name))


@pytest.mark.parametrize(
    "body", [None, 7, "text", [], [{"type": "Manifest"}], {}, {"type": "Robot"}, {"type": 7, "@id": []}]
)
def test_what_is_no_document_is_refused_in_a_sentence(body):
    with pytest.raises(NotIIIF, match=r"\.$"):
        read(HERE, body)


def test_mixed_documents_hold_both_versions():
    document = read(HERE, example("mixed/manifest-auth1-and-auth2.json"))
    assert {one.version for one in document.services} == {"1.0", "2.0.0"}
    assert (document.kind, document.host) == ("manifest", "p3")


def test_services_know_where_they_stand_and_what_they_are_in():
    document = read(HERE, image(PROBE))
    probe, access, token = document.services
    assert [one.path for one in (probe, access, token)] == [
        "/service/0",
        "/service/0/service/0",
        "/service/0/service/0/service/0",
    ]
    assert (probe.inside, access.inside, token.inside) == (None, probe, access)
    assert token.id == "https://x/token"


def test_a_single_service_stands_at_the_property_itself():
    document = read(HERE, {**image(), "service": {**PROBE, "service": ACCESS}})
    assert [path for _, _, path in found(document)] == ["/service", "/service/service", "/service/service/service/0"]


@pytest.mark.parametrize(
    ("service", "version"),
    [
        ({**ACCESS, "profile": "interactive"}, "2.0-alpha"),
        ({**ACCESS, "profile": "kiosk", "service": [{"id": "https://x/t", "type": "AuthTokenService2"}]}, "2.0-alpha"),
        ({**ACCESS, "header": {"en": ["Log in"]}}, "2.0-alpha"),
        (ACCESS, "2.0.0"),  # in the wrong place, but with the new words
        ({**ACCESS, "service": [{"id": "https://x/t", "type": "AuthTokenService2"}]}, "2.0-alpha"),
    ],
)
def test_the_draft_is_told_from_the_final_version_by_its_words_and_places(service, version):
    assert [one.version for one in read(HERE, image(service)).services] == [version, version]


def test_inside_a_probe_everything_is_final_whatever_its_words():
    old = {**ACCESS, "profile": "interactive", "header": {"en": ["Log in"]}}
    assert {one.version for one in read(HERE, image({**PROBE, "service": [old]})).services} == {"2.0.0"}


def test_a_probe_beside_access_services_of_the_draft_is_the_drafts():
    old = {**ACCESS, "profile": "interactive"}
    alone = {"id": "https://x/probe", "type": "AuthProbeService2"}
    assert found(read(HERE, image(alone, old)))[0][:2] == ("2.0-alpha", "probe")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"type": "AuthProbeService"}, "probe"),
        ({"type": "AuthProbe2"}, "probe"),
        ({"type": None}, "probe"),
    ],
)
def test_a_service_with_a_wrong_type_is_found_all_the_same(change, expected):
    assert found(read(HERE, image({**PROBE, **change})))[0][:2] == ("2.0.0", expected)


def test_a_child_without_a_type_is_what_belongs_there():
    bare = {"id": "https://x/access", "service": [{"id": "https://x/token"}]}
    assert [role for _, role, _ in found(read(HERE, image({**PROBE, "service": [bare]})))] == [
        "probe",
        "access",
        "token",
    ]


def test_a_bare_address_is_the_service_it_refers_to():
    document = read(HERE, example("1.0/manifest-p2.json"))
    last = list(document.services)[-1]
    assert (last.version, last.role, last.body) == ("1.0", "access", {"@id": "https://iiif.example.org/auth/1/login"})
    assert list(read(HERE, image("https://x/unheard-of")).services) == []


def test_an_image_service_is_found_in_its_content():
    document = read(HERE, example("2.0/manifest.json"))
    content = next(one for one in document.resources if one.type == "Image")
    service = image_services_of(document, content)[0]
    assert (service.role, service.type) == ("image-service", "ImageService3")
    assert service.services
    assert {one.type for one in document.resources} == {"Text", "Image", "ImageService3", "Video"}


@pytest.mark.parametrize(
    ("body", "url"),
    [
        ({"id": "https://x/i", "type": "ImageService3", "profile": "level2"}, "https://x/i/full/max/0/default.jpg"),
        (
            {"@context": "http://iiif.io/api/image/2/context.json", "@id": "https://x/i", "profile": ["level1"]},
            "https://x/i/full/full/0/default.jpg",
        ),
        (
            {"id": "https://x/i", "type": "ImageService3", "profile": "level0", "sizes": [{"width": 90, "height": 60}]},
            "https://x/i/full/90,60/0/default.jpg",
        ),
        (
            {
                "@context": "http://iiif.io/api/image/2/context.json",
                "@id": "https://x/i",
                "profile": "http://iiif.io/api/image/2/level0.json",
                "sizes": [{"width": 90, "height": 60}],
            },
            "https://x/i/full/90,/0/default.jpg",
        ),
        (
            {"id": "https://x/i", "type": "ImageService3", "profile": "level0", "sizes": [7]},
            "https://x/i/full/max/0/default.jpg",
        ),
    ],
)
def test_the_whole_image_is_asked_for_as_its_server_can_give_it(body, url):
    assert content_url(read(HERE, body).resources[0]) == url


def test_members_of_collections_are_found_in_either_version():
    new = {
        "type": "Collection",
        "id": "c",
        "items": [{"id": "m", "type": "Manifest"}, {"id": "n", "type": "Collection"}, 7],
    }
    old = {"@type": "sc:Collection", "@id": "c", "manifests": [{"@id": "m", "@type": "sc:Manifest"}], "collections": {}}
    assert members(read(HERE, new)) == ("m", "n")
    assert members(read(HERE, old)) == ("m",)


def test_homepages_and_logos_are_not_content_of_the_document():
    manifest = {
        "type": "Manifest",
        "id": "m",
        "homepage": [{"id": "https://x/page", "type": "Text"}],
        "provider": [{"logo": [{"id": "https://x/logo", "type": "Image"}]}],
        "rendering": [{"id": "https://x/pdf", "type": "Text"}],
        "thumbnail": [{"id": "https://x/small", "type": "Image"}],
    }
    assert [one.id for one in read(HERE, manifest).resources] == ["https://x/pdf", "https://x/small"]


def test_of_a_thousand_canvases_the_last_is_found_too():
    canvases = [
        {
            "id": f"https://x/canvas/{number}",
            "type": "Canvas",
            "metadata": [{"label": {"en": ["Page"]}, "value": {"none": [str(number)]}}] * 5,
            "items": [
                {
                    "id": f"https://x/page/{number}",
                    "type": "AnnotationPage",
                    "items": [
                        {
                            "type": "Annotation",
                            "motivation": "painting",
                            "body": image(PROBE, id=f"https://x/{number}.jpg"),
                        }
                    ],
                }
            ],
        }
        for number in range(1000)
    ]
    manifest = {"@context": "http://iiif.io/api/presentation/3/context.json", "type": "Manifest", "items": canvases}
    resources = read(HERE, manifest).resources
    assert (len(resources), resources[-1].id) == (1000, "https://x/999.jpg")


def test_a_paper_beside_a_canvas_of_2_1_is_content():
    paper = {"@id": "https://x/report.pdf", "@type": "foaf:Document", "format": "application/pdf"}
    manifest = {
        "@context": "http://iiif.io/api/presentation/2/context.json",
        "@id": "https://x/manifest",
        "@type": "sc:Manifest",
        "sequences": [{"canvases": [{"@id": "https://x/canvas", "@type": "sc:Canvas", "rendering": [paper]}]}],
    }
    (resource,) = read(HERE, manifest).resources
    assert (resource.id, resource.role) == ("https://x/report.pdf", "content")


def test_however_deep_it_goes_it_comes_to_an_end():
    deep = {"type": "Manifest", "id": "m"}
    inner = deep
    for _ in range(500):
        inner["items"] = [{"type": "Canvas"}]
        inner = inner["items"][0]
    probe = PROBE
    for _ in range(500):
        probe = {**PROBE, "service": [probe]}
    inner["rendering"] = [image(probe)]
    assert read(HERE, deep).resources == ()
    assert len(list(read(HERE, image(probe)).services)) <= 61

"""Every manifest and Collection of the demo, for viewers of every age: valid, complete as JSON-LD, and conformant to look at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from iiif_auth.conformance import structure
from iiif_auth.conformance.documents import read
from iiif_auth.conformance.findings import Finding, Outcome
from project.items import ITEMS
from tests.jsonld import lost
from tests.presentation import AUTH_2, PRESENTATION_2, PRESENTATION_3, faults
from tests.project.test_documents import path

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples"
FLAVOURS = {
    "": PRESENTATION_3,
    "mixed/": PRESENTATION_3,
    "1/": PRESENTATION_2,
    "0/": PRESENTATION_2,
    "alpha/": PRESENTATION_3,
}
SPOKEN = {"": {"2.0.0"}, "mixed/": {"1.0", "2.0.0"}, "1/": {"1.0"}, "0/": {"0.9"}, "alpha/": {"2.0-alpha"}}
UNKNOWN_WORDS = {
    "": set(),
    "mixed/": {"@type"},  # of AuthProbeService1, an experiment that is in no context
    "1/": set(),
    "0/": set(),
    "alpha/": {"header", "description", "failureHeader", "failureDescription", "type", "profile", "location"},
}
"""Properties of services that no published context can keep (requirements, 1.8)."""


def identifier(document: Any) -> str:
    return document.get("@id") or document["id"]


def documents(client, flavour: str) -> Iterator[Any]:
    """The Collection, and every manifest that it leads to."""
    collection = client.get(f"/iiif/{flavour}collection.json").json()
    yield collection
    for found in collection.get("items", collection.get("manifests")):
        yield client.get(path(identifier(found))).json()


def failures(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(one.id, one.evidence) for one in findings if one.outcome is Outcome.FAIL]


def looked_at(document: Any) -> list[Finding]:
    return list(structure.check(read(identifier(document), document)))


def descriptions(client, found: list[Any]) -> Iterator[tuple[str, Any, int]]:
    """The info.json of every image service in some documents, with the address it really came from and its HTTP status."""
    for url in sorted({url for document in found for url in services(document)}):
        at = f"{path(url)}/info.json"
        answer = client.get(at)
        while answer.status_code == 302:
            at = path(answer["Location"])
            answer = client.get(at)
        yield f"http://localhost:8000{at}", answer.json(), answer.status_code


def services(value: Any) -> Iterator[str]:
    """The addresses of the image services in a document."""
    if isinstance(value, list):
        for one in value:
            yield from services(one)
    elif isinstance(value, dict):
        if "ImageService" in str(value.get("type", value.get("@type"))) or "/api/image/" in str(value.get("@context")):
            yield identifier(value)
        for one in value.values():
            yield from services(one)


@pytest.fixture
def published(library, client) -> Callable[[str], list[Any]]:
    return lambda flavour: list(documents(client, flavour))


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_manifest_and_collection_is_valid(published, flavour):
    found = published(flavour)
    assert len(found) == 1 + len(ITEMS)
    assert {identifier(document): faults(document) for document in found if faults(document)} == {}


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_document_is_of_the_version_that_its_viewers_read(published, flavour):
    for document in published(flavour):
        contexts = document["@context"]
        assert contexts in (FLAVOURS[flavour], [AUTH_2, FLAVOURS[flavour]])


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_every_flavour_speaks_its_own_versions_of_auth_and_no_other(published, flavour):
    found = {service.version for document in published(flavour) for service in read("http://x", document).services}
    assert found == SPOKEN[flavour]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_documents_lose_nothing_as_json_ld(published, flavour):
    found = published(flavour)
    gone = {pointer for document in found for pointer in lost(document) if value_at(document, pointer) != "Sound"}
    assert {pointer.rpartition("/")[2] for pointer in gone} == UNKNOWN_WORDS[flavour] - {"location"}
    assert all("/service/" in pointer for pointer in gone)


def value_at(document: Any, pointer: str) -> Any:
    """What stands at a pointer. “Sound” is what Presentation 3 calls it, though its published context knows “Audio” only."""
    for step in pointer.lstrip("/").split("/"):
        document = document[int(step) if isinstance(document, list) else step]
    return document


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_nothing_in_a_manifest_contradicts_a_requirement(published, flavour):
    for document in published(flavour):
        assert failures(looked_at(document)) == [], identifier(document)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_nothing_in_an_info_json_contradicts_a_requirement_or_is_lost(published, client, flavour):
    found = list(descriptions(client, published(flavour)))
    assert {status for _url, _document, status in found} == ({200} if flavour == "" else {200, 401})
    for url, document, status in found:
        assert failures(list(structure.check(read(url, document, status)))) == [], url
        assert {pointer.rpartition("/")[2] for pointer in lost(document)} <= UNKNOWN_WORDS[flavour], url


# -- What is right is seen to be right, and not only not to be wrong ----------------------------------------------


@pytest.fixture
def met(published, client) -> Callable[[str], set[str]]:
    """The requirements that the documents of a flavour, and what they lead to, pass."""

    def of(flavour: str) -> set[str]:
        found = published(flavour)
        told = [finding for document in found for finding in looked_at(document)]
        for url, document, status in descriptions(client, found):
            told += structure.check(read(url, document, status))
        wrong = {finding.id for finding in told if finding.outcome is Outcome.FAIL}
        return {finding.id for finding in told if finding.outcome is Outcome.PASS} - wrong

    return of


def numbered(start: str, *numbers: int) -> set[str]:
    return {f"{start}-{number:02}" for number in numbers}


@pytest.mark.requirement(
    "A2-DECL-04", "A2-DECL-05", "A2-DECL-06", "A2-DECL-07", "A2-DECL-08", "A2-DECL-10", "A2-DECL-11"
)
@pytest.mark.requirement("A2-DECL-12", "A2-PSD-01", "A2-PSD-02", "A2-PSD-03", "A2-PSD-04", "A2-ACC-01", "A2-ACC-02")
@pytest.mark.requirement("A2-ACC-04", "A2-ACC-05", "A2-ACC-06", "A2-ACC-07", "A2-TSD-01", "A2-TSD-02", "A2-LOG-02")
def test_documents_for_viewers_of_2_are_as_they_have_to_be(met):
    wanted = numbered("A2-DECL", 4, 5, 6, 7, 8, 10, 11, 12) | numbered("A2-PSD", 1, 2, 3, 4) | {"A2-LOG-02"}
    assert wanted | numbered("A2-ACC", 1, 2, 4, 5, 6, 7) | numbered("A2-TSD", 1, 2) <= met("")


@pytest.mark.requirement(
    "A1-DESC-01", "A1-DESC-02", "A1-DESC-03", "A1-DESC-04", "A1-DESC-05", "A1-DESC-06", "A1-DESC-07"
)
@pytest.mark.requirement("A1-DESC-08", "A1-DESC-10", "A1-INFO-15", "A1-OUT-01", "A1X-01", "A1X-02", "A2-DECL-09")
def test_documents_for_viewers_of_1_are_as_they_have_to_be(met):
    wanted = numbered("A1-DESC", 1, 2, 3, 4, 5, 6, 7, 8, 10) | {
        "A1-INFO-15",
        "A1-OUT-01",
        "A1X-01",
        "A1X-02",
        "A2-DECL-09",
    }
    assert wanted <= met("1/")


@pytest.mark.requirement("A1-DESC-09")
def test_documents_for_viewers_of_1_and_2_are_as_they_have_to_be(met):
    assert {"A1-DESC-09", "A1-DESC-10", "A1X-02", "A2-DECL-05", "A2-DECL-07", "A2-DECL-09", "A2-DECL-11"} <= met(
        "mixed/"
    )


@pytest.mark.requirement("A092-DESC-01", "A092-DESC-02", "A092-DESC-03", "A092-DESC-05", "A092-CID-01", "A092-OUT-01")
@pytest.mark.requirement("A094-ALL-01", "A094-DIFF-02")
def test_documents_for_viewers_of_0_are_as_they_have_to_be(met):
    wanted = numbered("A092-DESC", 1, 2, 3, 5) | {"A092-CID-01", "A092-OUT-01", "A094-ALL-01", "A094-DIFF-02"}
    assert wanted <= met("0/")


@pytest.mark.requirement("A2A-DESC-01", "A2A-DESC-02", "A2A-DESC-03", "A2A-DESC-04", "A2A-DESC-05")
@pytest.mark.requirement("A2A-DESC-06", "A2A-DESC-07")
def test_documents_for_viewers_of_the_alpha_are_as_they_have_to_be(met):
    assert numbered("A2A-DESC", 1, 2, 3, 4, 5, 6, 7) <= met("alpha/")


# -- The validator is seen to reject ------------------------------------------------------------------------------


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["2.0/manifest", "mixed/manifest-auth1-and-auth2", "1.0/manifest-p2"])
def test_manifests_of_the_specification_are_valid(name):
    assert faults(example(name)) == []


BODY = "/items/0/items/0/items/0/body"
CANVAS_2 = "/sequences/0/canvases/0"
REMOVED = object()
BROKEN_3 = [
    ("/@context", [PRESENTATION_3, AUTH_2], "/@context"),
    ("/@context", PRESENTATION_3, "/@context"),
    ("/@context", "http://iiif.io/api/presentation/4/context.json", "/@context"),
    ("/id", "manifest", "/id"),
    ("/type", "sc:Manifest", "/type"),
    ("/label", REMOVED, "/label"),
    ("/label", "Plain text", "/label"),
    ("/label", {"en": "Not a list"}, "/label"),
    ("/label", {"in English": ["x"]}, "/label"),
    ("/items", [], "/items"),
    ("/lable", {"en": ["x"]}, "/lable"),
    ("/thumbnail", {"id": "https://iiif.example.org/t.jpg", "type": "Image"}, "/thumbnail"),
    ("/homepage", [{"id": "https://iiif.example.org/", "type": "Text"}], "/homepage/0/label"),
    ("/rendering/0/label", REMOVED, "/rendering/0/label"),
    ("/metadata", [{"label": {"en": ["x"]}}], "/metadata/0/value"),
    ("/viewingDirection", "upwards", "/viewingDirection"),
    ("/items/0/id", "https://iiif.example.org/c#1", "/items/0/id"),
    ("/items/0/height", REMOVED, "/items/0"),
    ("/items/0/height", 0, "/items/0/height"),
    ("/items/0/width", "6000", "/items/0/width"),
    ("/items/1/duration", -1, "/items/1/duration"),
    ("/items/1/id", "https://iiif.example.org/iiif/p3/canvas/image", ""),
    ("/items/0/items/0/type", "AnnotationList", "/items/0/items/0/type"),
    ("/items/0/items/0/items", REMOVED, "/items/0/items/0/items"),
    ("/items/0/items/0/items/0/target", "https://iiif.example.org/elsewhere", "/items/0/items"),
    ("/items/0/items/0/items/0/body", REMOVED, BODY),
    (f"{BODY}/type", "dctypes:Image", f"{BODY}/type"),
    (f"{BODY}/format", "jpeg", f"{BODY}/format"),
    (f"{BODY}/service", {"id": "https://iiif.example.org/s", "type": "X"}, f"{BODY}/service"),
    (f"{BODY}/service/0/id", REMOVED, f"{BODY}/service/0/id"),
    (f"{BODY}/service/0/type", "ImageService2", f"{BODY}/service/0/type"),
    (f"{BODY}/service/1/@context", AUTH_2, f"{BODY}/service/1/@context"),
    (f"{BODY}/service/1/service/0/service/0/type", REMOVED, f"{BODY}/service/1/service/0/service/0/type"),
]
BROKEN_2 = [
    ("/@context", ["http://iiif.io/api/auth/1/context.json", PRESENTATION_2], "/@context"),
    ("/@id", REMOVED, "/@id"),
    ("/@type", "Manifest", "/@type"),
    ("/label", {"en": ["x"]}, "/label"),
    ("/sequences", [], "/sequences"),
    ("/items", [], "/items"),
    ("/sequences/0/@type", REMOVED, "/sequences/0/@type"),
    (f"{CANVAS_2}/label", REMOVED, f"{CANVAS_2}/label"),
    (f"{CANVAS_2}/width", REMOVED, f"{CANVAS_2}/width"),
    (f"{CANVAS_2}/images/0/on", "https://iiif.example.org/elsewhere", f"{CANVAS_2}/images/0/on"),
    (f"{CANVAS_2}/images/0/motivation", "painting", f"{CANVAS_2}/images/0/motivation"),
    (f"{CANVAS_2}/images/0/resource/@type", "Image", f"{CANVAS_2}/images/0/resource/@type"),
    (f"{CANVAS_2}/images/0/resource/service/@context", REMOVED, f"{CANVAS_2}/images/0/resource/service/@context"),
    (
        f"{CANVAS_2}/images/0/resource/service/service/profile",
        REMOVED,
        f"{CANVAS_2}/images/0/resource/service/service/profile",
    ),
    (
        f"{CANVAS_2}/images/0/resource/service/service/service/0/@id",
        REMOVED,
        f"{CANVAS_2}/images/0/resource/service/service/service/0/@id",
    ),
    (f"{CANVAS_2}/rendering", {"@id": "https://iiif.example.org/report.pdf"}, f"{CANVAS_2}/rendering/format"),
]


def broken(document: Any, pointer: str, value: Any) -> Any:
    *way, last = pointer.lstrip("/").split("/")
    holder = document
    for step in way:
        holder = holder[int(step) if isinstance(holder, list) else step]
    if value is REMOVED:
        del holder[last]
    else:
        holder[last] = value
    return document


@pytest.mark.parametrize(("pointer", "value", "where"), BROKEN_3)
def test_a_broken_manifest_of_version_3_is_rejected_for_what_is_broken(pointer, value, where):
    found = faults(broken(example("2.0/manifest"), pointer, value))
    assert where in {fault.partition(": ")[0] for fault in found}
    assert len(found) <= 3


@pytest.mark.parametrize(("pointer", "value", "where"), BROKEN_2)
def test_a_broken_manifest_of_version_2_is_rejected_for_what_is_broken(pointer, value, where):
    found = faults(broken(example("1.0/manifest-p2"), pointer, value))
    assert where in {fault.partition(": ")[0] for fault in found}
    assert len(found) <= 2


@pytest.mark.parametrize(
    ("version", "change", "where"),
    [
        (3, {"label": "x"}, "/label"),
        (3, {"items": [{"id": "https://x.example/m", "type": "Manifest"}]}, "/items/0/label"),
        (3, {"items": [{"id": "https://x.example/m", "type": "Canvas", "label": {"en": ["x"]}}]}, "/items/0/type"),
        (2, {"label": ""}, "/label"),
        (2, {"manifests": [{"@id": "https://x.example/m", "@type": "sc:Manifest"}]}, "/manifests/0/label"),
        (
            2,
            {"manifests": [{"@id": "https://x.example/m", "@type": "sc:Collection", "label": "x"}]},
            "/manifests/0/@type",
        ),
    ],
)
def test_a_broken_collection_is_rejected(version, change, where):
    whole = {
        2: {
            "@context": PRESENTATION_2,
            "@id": "https://x.example/",
            "@type": "sc:Collection",
            "label": "x",
            "manifests": [],
        },
        3: {
            "@context": PRESENTATION_3,
            "id": "https://x.example/",
            "type": "Collection",
            "label": {"en": ["x"]},
            "items": [],
        },
    }[version]
    if version == 2:
        whole["manifests"] = [{"@id": "https://x.example/m", "@type": "sc:Manifest", "label": "x"}]
    assert faults(whole) == []
    assert [fault.partition(": ")[0] for fault in faults({**whole, **change})] == [where]


@pytest.mark.parametrize(
    "document", [None, [], "manifest", 7, {}, {"@context": PRESENTATION_3}, {"@context": PRESENTATION_2}]
)
def test_what_is_no_manifest_is_no_valid_one(document):
    assert len(faults(document)) == 1

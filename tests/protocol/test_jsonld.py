"""Every document we make means, as JSON-LD, all that it says: nothing is lost in expansion but what 1.8 says can not be kept."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from iiif_auth.policy.types import (
    AccessService,
    Agreed,
    AllOf,
    Allowed,
    Clients,
    Decision,
    Denied,
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
from iiif_auth.protocol import dialects, infojson, v2
from iiif_auth.protocol.dialect import Host, Question
from iiif_auth.protocol.links import Links
from iiif_auth.protocol.manifest import Place, decorated
from iiif_auth.protocol.terms import Problem
from tests.jsonld import Unpublished, expanded, loader, lost

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples"
SITE = "https://iiif.example.org"
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
IMAGE_2, IMAGE_3 = "http://iiif.io/api/image/2/context.json", "http://iiif.io/api/image/3/context.json"
PRESENTATION_2 = "http://iiif.io/api/presentation/2/context.json"
PRESENTATION_3 = "http://iiif.io/api/presentation/3/context.json"

ALPHA_WORDS = {"header", "description", "failureHeader", "failureDescription", "error", "location", "for", "statusFor"}
ALPHA_VALUES = {"AuthTokenService2", "AuthTokenError2", "interactive"}
"""Words of the alpha that no context was ever published for (requirements, 1.8)."""
EXPECTED = {
    "2.0/image-probe-401-ALT-imageservice-typed": {"/substitute/0/type", "/substitute/0/profile"},
    "mixed/manifest-auth1-and-auth2": {"/items/1/items/0/items/0/body/service/1/@type"},
}
"""Image services resolve only inside ``service``, and AuthProbeService1 is an experiment (data README)."""


def en(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (("en", (text,)), ("de", (f"{text} (deutsch)",)))


def pointed(document: Any, pointer: str) -> Any:
    for step in pointer.lstrip("/").split("/"):
        document = document[int(step) if isinstance(document, list) else step]
    return document


def is_of_the_alpha(document: Any, pointer: str) -> bool:
    name = pointer.rpartition("/")[2]
    return name in ALPHA_WORDS or (name in ("type", "profile") and pointed(document, pointer) in ALPHA_VALUES)


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text())


NAMES = sorted(str(path.relative_to(EXAMPLES).with_suffix("")) for path in EXAMPLES.rglob("*.json"))
WITH_CONTEXT = [name for name in NAMES if "@context" in example(name)]


# -- The examples of the specification ----------------------------------------------------------------------------


def test_there_are_examples_of_every_version_with_a_context():
    assert {name.partition("/")[0] for name in WITH_CONTEXT} == {"0.9.2", "0.9.4", "1.0", "2.0-alpha", "2.0", "mixed"}


@pytest.mark.parametrize("name", [name for name in WITH_CONTEXT if not name.startswith("2.0-alpha")])
def test_an_example_loses_nothing(name):
    assert set(lost(example(name))) == EXPECTED.get(name, set())


@pytest.mark.parametrize("name", [name for name in WITH_CONTEXT if name.startswith("2.0-alpha")])
def test_an_example_of_the_alpha_loses_the_words_that_were_never_published(name):
    document = example(name)
    gone = lost(document)
    assert [pointer for pointer in gone if not is_of_the_alpha(document, pointer)] == []
    assert bool(gone) is (name != "2.0-alpha/pdf-probe-http401")


# -- The comparison is seen to find what is lost ------------------------------------------------------------------


def changed(name: str, pointer: str, value: Any) -> Any:
    document = example(name)
    above, _, last = pointer.rpartition("/")
    holder = pointed(document, above) if above else document
    holder[int(last) if isinstance(holder, list) else last] = value
    return document


@pytest.mark.parametrize(
    ("name", "pointer", "value", "gone"),
    [
        ("2.0/image-info", "/flavour", "vanilla", ["/flavour"]),
        ("2.0/image-info", "/service/0/hint", {"en": ["x"]}, ["/service/0/hint"]),
        ("2.0/image-info", "/service/0/service/1/header", {"en": ["Please log in"]}, ["/service/0/service/1/header"]),
        ("2.0/image-info", "/service/0/service/1/profile", "interactive", ["/service/0/service/1/profile"]),
        ("2.0/image-info", "/service/0/type", "AuthProbeService3", ["/service/0/type"]),
        ("2.0/image-info", "/@context", [IMAGE_3, v2.CONTEXT], ["/profile"]),
        ("1.0/image-info", "/service/1/heading", "Please log in", ["/service/1/heading"]),
        ("1.0/image-info", "/service/1/profile", "login", ["/service/1/profile"]),
        ("1.0/manifest-p2", "/sequences/0/canvases/1/behavior", "paged", ["/sequences/0/canvases/1/behavior"]),
        ("2.0/video-probe-401-substitute", "/substitute/0/status", 200, ["/substitute/0/status"]),
        ("2.0/manifest", "/items/0/items/0/items/0/body/kind", 1, ["/items/0/items/0/items/0/body/kind"]),
        ("2.0/token-message", "/tokenType", "Bearer", ["/tokenType"]),
    ],
)
def test_what_no_context_knows_is_found(name, pointer, value, gone):
    assert lost(changed(name, pointer, value)) == gone


def test_a_word_that_another_one_seems_to_stand_for_is_found_all_the_same():
    """The same text twice, of which one is dropped: one property of the expansion can not be both."""
    heading = example("2.0/pdf-probe-401")["heading"]
    assert lost(changed("2.0/pdf-probe-401", "/header", heading)) == ["/header"]


def test_everything_is_lost_without_the_context():
    document = example("2.0/pdf-probe-401")
    del document["@context"]
    assert set(lost(document)) == {f"/{name}" for name in document}


def test_contexts_are_files_under_http_and_https_alike():
    for scheme in ("http", "https"):
        url = f"{scheme}://iiif.io/api/presentation/3/context.json"
        assert loader(url, {})["document"]["@context"]["Manifest"]["@id"] == "iiif_prezi:Manifest"
    with pytest.raises(Unpublished):
        loader("http://iiif.io/api/auth/3/context.json", {})


# -- Our own descriptions -----------------------------------------------------------------------------------------


def links(space: str) -> Links:
    at = f"{SITE}/iiif-auth/{space}"
    return Links(SITE, f"{at}/access/", f"{at}/token/", f"{at}/logout/", f"{at}/probe/", f"{at}/client/")


EVERYTHING = {
    "label": en("Log in to Example Archive"),
    "heading": en("Please log in"),
    "note": en("With your reader account."),
    "confirm_label": en("Log in"),
    "error_heading": en("No token"),
    "error_note": en("Sorry."),
    "logout_label": en("Log out of Example Archive"),
    "dialects": None,
}
SERVICES = (
    AccessService("campus", Pattern.EXTERNAL, **EVERYTHING),
    AccessService("kiosk", Pattern.KIOSK, **EVERYTHING),
    AccessService("terms", Pattern.CLICKTHROUGH, **EVERYTHING, agree_in_viewer=True),
    AccessService("login", Pattern.LOGIN, **EVERYTHING, clients=Clients.KNOWN),
    AccessService("plain", Pattern.LOGIN, label=en("Log in to Example Archive"), dialects=None),
)
TIER = Tier("full", AllOf((Agreed("x"),)), services=SERVICES)
MAP = Offer(Rendition("/image/map", label=en("Map"), image_api=ImageApi.V3), levels=(Level("", Policy("p", (TIER,))),))
FILM = replace(MAP, wanted=Rendition("/media/film.mp4", kind=Kind.VIDEO, format="video/mp4", label=en("Film")))
SMALL = Rendition("/media/film-small.mp4", kind=Kind.VIDEO, format="video/mp4", label=en("Small"))
DESCRIPTIONS = {
    2: {
        "@context": IMAGE_2,
        "@id": f"{SITE}/image/map",
        "protocol": "http://iiif.io/api/image",
        "width": 6000,
        "height": 4000,
        "sizes": [{"width": 600, "height": 400}, {"width": 1200, "height": 800}],
        "tiles": [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4]}],
        "profile": ["http://iiif.io/api/image/2/level2.json"],
    },
    3: {
        "@context": IMAGE_3,
        "id": f"{SITE}/image/map",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": 6000,
        "height": 4000,
        "sizes": [{"width": 600, "height": 400}, {"width": 1200, "height": 800}],
        "tiles": [{"width": 512, "height": 512, "scaleFactors": [1, 2, 4]}],
    },
}
HOSTS = {2: Host.IMAGE_2, 3: Host.IMAGE_3}


def info(version: int, *names: str) -> Any:
    blocks = dialects.described(names, MAP, HOSTS[version], links, NOON, ("en", "de"))
    spoken = [dialects.DIALECTS[name] for name in names]
    return json.loads(json.dumps(infojson.with_services(DESCRIPTIONS[version], blocks, spoken, version)))


def count(document: Any) -> int:
    """How many services a document has; so that none can have been left out of the comparison."""
    if isinstance(document, list):
        return sum(map(count, document))
    if not isinstance(document, dict):
        return 0
    here = len(document["service"]) if isinstance(document.get("service"), list) else 0
    return here + sum(map(count, document.values()))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "names", [["2"], ["1"], ["0.9.4"], ["0.9.2"], ["0.9.4", "0.9.2"], ["1", "2"], ["1", "0.9.4", "2"]]
)
def test_no_info_json_of_ours_loses_anything(version, names):
    document = info(version, *names)
    assert count(document) >= 5 * len(names)
    assert lost(document) == []


@pytest.mark.parametrize("version", [2, 3])
def test_an_info_json_of_the_alpha_loses_the_words_that_were_never_published(version):
    document = json.loads(json.dumps(infojson.leading_to(info(version, "alpha"), f"{SITE}/image/map-small")))
    gone = lost(document)
    assert "/location" in gone
    assert [pointer for pointer in gone if not is_of_the_alpha(document, pointer)] == []


# -- Our manifests ------------------------------------------------------------------------------------------------

IMAGE_SERVICES = {
    2: {"@id": f"{SITE}/image/map", "@type": "ImageService2", "profile": "http://iiif.io/api/image/2/level2.json"},
    3: {"id": f"{SITE}/image/map", "type": "ImageService3", "profile": "level2"},
}


def painting(at: str, body: Any) -> Any:
    annotation = {"id": f"{at}/a", "type": "Annotation", "motivation": "painting", "target": at, "body": body}
    page = {"id": f"{at}/p", "type": "AnnotationPage", "items": [annotation]}
    return {"id": at, "type": "Canvas", "label": {"en": ["x"]}, "height": 4, "width": 6, "items": [page]}


def manifest_3(image_api: int) -> Any:
    picture = {
        "id": f"{SITE}/image/map/full/max/0/default.jpg",
        "type": "Image",
        "service": [IMAGE_SERVICES[image_api]],
    }
    film = {"id": f"{SITE}/media/film.mp4", "type": "Video", "format": "video/mp4", "duration": 60.5}
    return {
        "@context": PRESENTATION_3,
        "id": f"{SITE}/manifest",
        "type": "Manifest",
        "label": {"en": ["Map and film"], "none": ["1"]},
        "items": [painting(f"{SITE}/c/1", picture), painting(f"{SITE}/c/2", film)],
        "rendering": [{**film, "label": {"en": ["Film"]}}],
    }


def manifest_2() -> Any:
    service = {"@context": IMAGE_2, "@id": f"{SITE}/image/map", "profile": "http://iiif.io/api/image/2/level2.json"}
    picture = {"@id": f"{SITE}/image/map/full/full/0/default.jpg", "@type": "dctypes:Image", "service": service}
    film = {"@id": f"{SITE}/media/film.mp4", "@type": "dctypes:MovingImage", "format": "video/mp4", "label": "Film"}
    at = f"{SITE}/c/1"
    image = {"@type": "oa:Annotation", "motivation": "sc:painting", "on": at, "resource": picture}
    canvas = {"@id": at, "@type": "sc:Canvas", "label": "x", "height": 4, "width": 6, "images": [image]}
    return {
        "@context": PRESENTATION_2,
        "@id": f"{SITE}/manifest",
        "@type": "sc:Manifest",
        "label": [{"@value": "Map and film", "@language": "en"}],
        "sequences": [{"@type": "sc:Sequence", "canvases": [canvas]}],
        "rendering": film,
    }


PLACES_3 = (Place.CONTENT_3, Place.IMAGE_SERVICE_2_IN_3, Place.IMAGE_SERVICE_3_IN_3)
PLACES_2 = (Place.IMAGE_SERVICE_2, Place.CONTENT_2)


def manifest(document: Any, host: Host, *names: str, where: tuple[Place, ...]) -> Any:
    """The document with the blocks of some dialects at some places, and none at others."""

    def blocks(url: str, place: Place) -> Any:
        about = FILM if "film" in url else MAP
        return dialects.described(names, about, host, links, NOON) if place in where else []

    found = json.loads(json.dumps(decorated(document, blocks)))
    assert count(found) > count(document) + 5
    return found


@pytest.mark.parametrize(
    ("image_api", "where"),
    [
        (2, (Place.IMAGE_SERVICE_2_IN_3,)),
        (3, (Place.IMAGE_SERVICE_3_IN_3,)),
        *((image_api, where) for image_api in (2, 3) for where in ((Place.CONTENT_3,), PLACES_3)),
    ],
)
@pytest.mark.parametrize("names", [["2"], ["1"], ["1", "2"]])
def test_no_manifest_of_presentation_3_loses_anything(image_api, where, names):
    assert lost(manifest(manifest_3(image_api), Host.PRESENTATION_3, *names, where=where)) == []


@pytest.mark.parametrize("where", [PLACES_2, PLACES_2[:1], PLACES_2[1:]])
@pytest.mark.parametrize("names", [["1"], ["0.9.4"], ["0.9.2"], ["0.9.4", "0.9.2"], ["2"]])
def test_no_manifest_of_presentation_2_loses_anything(where, names):
    assert lost(manifest(manifest_2(), Host.PRESENTATION_2, *names, where=where)) == []


def test_a_manifest_of_the_alpha_loses_the_words_that_were_never_published():
    where = (Place.IMAGE_SERVICE_3_IN_3, Place.CONTENT_3)
    document = manifest(manifest_3(3), Host.PRESENTATION_3, "alpha", where=where)
    gone = lost(document)
    assert gone
    assert [pointer for pointer in gone if not is_of_the_alpha(document, pointer)] == []


def test_of_the_services_for_film_only_the_type_of_the_practised_probe_is_lost():
    blocks = dialects.media(replace(FILM, levels=MAP.levels), Host.PRESENTATION_3, links)
    body = {"id": f"{SITE}/media/film.mp4", "type": "Video", "service": blocks}
    document = {**manifest_3(3), "items": [painting(f"{SITE}/c/1", body)]}
    probes = [number for number, block in enumerate(blocks) if block["@type"] == "AuthProbeService1"]
    assert lost(document) == [f"/items/0/items/0/items/0/body/service/{number}/@type" for number in probes]


# -- Answers ------------------------------------------------------------------------------------------------------

CONTROLLED = replace(MAP, wanted=replace(MAP.wanted, uri="/image/map-members"))
OPEN = Rendition("/image/map-small", label=en("Small"), image_api=ImageApi.V3)
RESULTS = {
    "granted": Allowed(MAP.wanted),
    "elsewhere": Allowed(replace(FILM.wanted, location="/media/delivered/film.mp4")),
    "denied": Denied(MAP.wanted, remedies=SERVICES, why=Why.WITHDRAWN),
    "hidden": Denied(MAP.wanted, hidden=True),
    "with tiers": Denied(MAP.wanted, substitutes=(Substitute(CONTROLLED.wanted, CONTROLLED), Substitute(OPEN))),
    "film": Denied(FILM.wanted, substitutes=(Substitute(SMALL),)),
    "unknown": Unknown(),
}


def answered(name: str, decision: Decision) -> Any:
    """The body of an answer to a probe, in a dialect."""
    question = Question(f"{SITE}/probe", links(name))
    return json.loads(json.dumps(dialects.DIALECTS[name].probe.told(decision, question)[1]))


@pytest.mark.parametrize("decision", RESULTS.values(), ids=RESULTS)
def test_no_answer_of_a_probe_loses_anything(decision):
    assert lost(answered("2", decision)) == []


@pytest.mark.parametrize("decision", RESULTS.values(), ids=RESULTS)
def test_an_answer_of_a_probe_of_the_alpha_loses_its_location_and_no_more(decision):
    document = answered("alpha", decision)
    assert set(lost(document)) == {"/location"} & {f"/{name}" for name in document}


def test_some_answers_of_the_alpha_have_a_location():
    assert {name for name, decision in RESULTS.items() if "location" in answered("alpha", decision)} == {
        "elsewhere",
        "with tiers",
        "film",
    }


def test_no_message_of_the_token_service_loses_anything():
    spoken = dialects.DIALECTS["2"]
    for message in (spoken.token("t", 300), *(spoken.error(problem, SERVICES[3], ("en",)) for problem in Problem)):
        assert lost(json.loads(json.dumps({**message, "messageId": "1"}))) == [], message


@pytest.mark.parametrize("problem", Problem)
def test_an_error_of_the_alpha_loses_the_words_that_were_never_published(problem):
    document = json.loads(json.dumps(dialects.DIALECTS["alpha"].error(problem, SERVICES[3], ("en",))))
    assert set(lost(document)) == {"/type", "/error", "/description"}


@pytest.mark.parametrize("name", ["1", "0.9.4", "0.9.2"])
def test_messages_before_2_are_plain_json_in_which_there_is_nothing_to_expand(name):
    dialect = dialects.DIALECTS[name]
    for document in (dialect.token("t", 300), *(dialect.error(problem, SERVICES[3], ("en",)) for problem in Problem)):
        assert not any(key.startswith("@") for key in document)
        assert expanded(dict(document)) == []

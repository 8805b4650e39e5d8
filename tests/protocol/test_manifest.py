"""Services in manifests of every shape: what changes, what does not, and in which form services are put there."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from iiif_auth.protocol import manifest
from iiif_auth.protocol.manifest import NotAManifest, Place, TooLarge, decorated, mentioned, parsed, written
from iiif_auth.protocol.v2 import CONTEXT as AUTH_2

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples"
P2 = "http://iiif.io/api/presentation/2/context.json"
P3 = "http://iiif.io/api/presentation/3/context.json"
IMAGES = "https://iiif.example.org/iiif"
OURS = "https://iiif.example.org/iiif-auth/"
MAP2, MAP3 = f"{IMAGES}/2/map", f"{IMAGES}/3/map"
FILM = "https://iiif.example.org/media/film.mp4"
OPEN = f"{IMAGES}/3/open"
SEARCH = {
    "@context": "http://iiif.io/api/search/1/context.json",
    "@id": "https://x.example/search",
    "profile": "search",
}


def probe(url):
    return {
        "id": f"{OURS}2/probe/{url.rpartition('/')[2]}",
        "type": "AuthProbeService2",
        "service": [{"id": f"{OURS}2/access/login", "type": "AuthAccessService2", "profile": "active"}],
    }


def cookie(slug="login", **values):
    token = {"@id": f"{OURS}1/token/{slug}", "profile": "http://iiif.io/api/auth/1/token"}
    return {"@id": f"{OURS}1/access/{slug}", "profile": "http://iiif.io/api/auth/1/login", **values, "service": [token]}


def nameless(slug="external"):
    return {name: value for name, value in cookie(slug).items() if name != "@id"}


TYPED = cookie(**{"@type": "AuthCookieService1"})
PLAIN = cookie(**{"@context": "http://iiif.io/api/auth/1/context.json"})


def blocks(url, place):
    """A library with a restricted map and film, and something open."""
    if OPEN in url:
        return []
    if not url.startswith((MAP2, MAP3, FILM)):
        return None
    return {
        Place.CONTENT_3: [probe(MAP3 if "map" in url else FILM)],
        Place.IMAGE_SERVICE_2_IN_3: [TYPED],
        Place.IMAGE_SERVICE_3_IN_3: [],
        Place.IMAGE_SERVICE_2: [PLAIN],
        Place.CONTENT_2: [PLAIN],
    }[place]


def done(document, blocks=blocks, ours=(OURS,)):
    """The decorated document; what was given is as it was, and doing it again changes nothing."""
    before = copy.deepcopy(document)
    found = decorated(document, blocks, ours)
    assert document == before
    assert json.dumps(decorated(found, blocks, ours)) == json.dumps(found)
    assert json.dumps(decorated(found, blocks)) == json.dumps(found)
    return found


def canvas3(*bodies, **values):
    return {
        "type": "Canvas",
        "id": "https://x.example/canvas",
        "items": [
            {"type": "AnnotationPage", "items": [{"type": "Annotation", "target": "https://x.example/c", "body": body}]}
            for body in bodies
        ],
        **values,
    }


def manifest3(*bodies, **values):
    return {
        "@context": P3,
        "id": "https://x.example/m",
        "type": "Manifest",
        "items": [canvas3(*bodies)],
        **values,
    }


def bodies3(document):
    return [page["items"][0]["body"] for canvas in document["items"] for page in canvas["items"]]


def image3(url=MAP3, **service):
    services = [{"id": url, "type": "ImageService3", "profile": "level2", **service}]
    return {"id": f"{url}/full/max/0/default.jpg", "type": "Image", "format": "image/jpeg", "service": services}


def image2_in_3(url=MAP2, **service):
    services = [{"@id": url, "@type": "ImageService2", "profile": "http://iiif.io/api/image/2/level2.json", **service}]
    return {"id": f"{url}/full/full/0/default.jpg", "type": "Image", "service": services}


def image2(url=MAP2, **service):
    held = {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": url,
        "profile": ["http://iiif.io/api/image/2/level2.json", {"formats": ["png"]}],
        **service,
    }
    return {"@id": f"{url}/full/full/0/default.jpg", "@type": "dctypes:Image", "service": held}


def manifest2(*resources, **values):
    images = [{"@type": "oa:Annotation", "on": "https://x.example/c", "resource": resource} for resource in resources]
    canvases = [{"@type": "sc:Canvas", "@id": f"https://x.example/c{n}", "images": [i]} for n, i in enumerate(images)]
    sequences = [{"@type": "sc:Sequence", "canvases": canvases}]
    return {"@context": P2, "@id": "https://x.example/m", "@type": "sc:Manifest", "sequences": sequences, **values}


def services2(document):
    return [one["images"][0]["resource"]["service"] for one in document["sequences"][0]["canvases"]]


# -- Presentation 3 -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("A2-DECL-01")
@pytest.mark.requirement("A2-DECL-04")
def test_a_film_has_its_probe():
    film = {"id": FILM, "type": "Video", "format": "video/mp4"}
    (body,) = bodies3(done(manifest3(film)))
    assert body == {**film, "service": [probe(FILM)]}
    assert list(body) == [*film, "service"]


def test_an_image_has_its_probe_beside_its_image_service_and_not_inside():
    body = image3()
    (found,) = bodies3(done(manifest3(body)))
    assert found == {**body, "service": [*body["service"], probe(MAP3)]}


def test_an_image_service_2_has_auth_1_inside_and_the_probe_beside():
    body = image2_in_3()
    (found,) = bodies3(done(manifest3(body)))
    assert found["service"] == [{**body["service"][0], "service": [TYPED]}, probe(MAP3)]


def test_every_probe_and_every_block_of_auth_1_is_complete_in_presentation_3():
    found = done(manifest3(image2_in_3(), image2_in_3(), image2_in_3()))
    for body in bodies3(found):
        assert body["service"][0]["service"] == [TYPED]
        assert body["service"][1] == probe(MAP3)


@pytest.mark.parametrize("name", ["rendering", "thumbnail", "logo", "seeAlso", "supplementing"])
def test_what_is_controlled_has_its_probe_wherever_it_is_referred_to(name):
    document = manifest3(**{name: [{"id": FILM, "type": "Video"}]})
    assert done(document)[name] == [{"id": FILM, "type": "Video", "service": [probe(FILM)]}]


def test_choices_and_parts_of_things_are_walked_into():
    choice = {"type": "Choice", "items": [{"id": FILM, "type": "Video"}, image3()]}
    part = {"type": "SpecificResource", "source": {"id": FILM, "type": "Video"}, "selector": {"t": "1,2"}}
    found = bodies3(done(manifest3(choice, part)))
    assert [one["service"][-1] for one in found[0]["items"]] == [probe(FILM), probe(MAP3)]
    assert found[1]["source"]["service"] == [probe(FILM)]
    assert "service" not in found[0]
    assert "service" not in found[1]


def test_a_fragment_is_not_part_of_the_address():
    (body,) = bodies3(done(manifest3({"id": f"{FILM}#t=10,20", "type": "Video"})))
    assert body == {"id": f"{FILM}#t=10,20", "type": "Video", "service": [probe(FILM)]}
    assert mentioned(manifest3({"id": f"{FILM}#t=10,20", "type": "Video"})) == [FILM]


def test_where_the_body_is_not_ours_its_image_service_may_be():
    body = {**image3(), "id": "https://elsewhere.example/thumb.jpg"}
    assert bodies3(done(manifest3(body)))[0]["service"][-1] == probe(MAP3)
    body = {**image3(), "id": f"{OPEN}.jpg"}
    assert bodies3(done(manifest3(body)))[0]["service"][-1] == probe(MAP3)
    body = {**image3("https://elsewhere.example/iiif/x"), "id": FILM}
    assert bodies3(done(manifest3(body)))[0]["service"][-1] == probe(FILM)


def test_there_is_never_one_image_service_more():
    found = written(done(manifest3(image3(), image2_in_3(), {"id": MAP3, "type": "Image"})))
    assert found.count(b"ImageService") == 2


def test_a_single_service_becomes_an_array_where_one_is_added_and_only_there():
    ours, other = image3(), image3("https://elsewhere.example/iiif/x")
    ours["service"], other["service"] = ours["service"][0], other["service"][0]
    found = bodies3(done(manifest3(ours, other)))
    assert found[0]["service"] == [ours["service"], probe(MAP3)]
    assert found[1] == other


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (P3, [AUTH_2, P3]),
        ([P3], [AUTH_2, P3]),
        (["https://x.example/c", {"x": "y"}, P3], ["https://x.example/c", {"x": "y"}, AUTH_2, P3]),
        ([AUTH_2, P3], [AUTH_2, P3]),
        ([AUTH_2, "https://x.example/c", P3], [AUTH_2, "https://x.example/c", P3]),
        ([P3, AUTH_2], [AUTH_2, P3]),
        (P3.replace("http:", "https:"), [AUTH_2, P3.replace("http:", "https:")]),
        (P3.replace("/3/", "/4/"), [AUTH_2, P3.replace("/3/", "/4/")]),
    ],
)
@pytest.mark.requirement("A2-DECL-06")
@pytest.mark.requirement("A2-DECL-07")
@pytest.mark.requirement("A2-DECL-08")
def test_the_context_of_auth_2_goes_before_that_of_the_manifest(before, after):
    document = {**manifest3({"id": FILM, "type": "Video"}), "@context": before}
    found = done(document)
    assert found["@context"] == after
    assert list(found) == list(document)
    assert b"@context" not in written(found["items"])


def test_without_a_service_of_auth_2_the_context_stays():
    for body in (
        image3(OPEN),
        image3("https://elsewhere.example/x"),
        {"id": "https://x.example/f.mp4", "type": "Video"},
    ):
        document = manifest3(body)
        assert done(document) is document
    only_auth_1 = done(
        manifest3(image2_in_3()), lambda url, place: [TYPED] if place == Place.IMAGE_SERVICE_2_IN_3 else None
    )
    assert only_auth_1["@context"] == P3
    assert bodies3(only_auth_1)[0]["service"][0]["service"] == [TYPED]


def test_a_document_that_names_no_context_gets_none():
    document = manifest3({"id": FILM, "type": "Video"})
    del document["@context"]
    found = done(document)
    assert "@context" not in found
    assert bodies3(found)[0]["service"] == [probe(FILM)]


# -- Presentation 2 -----------------------------------------------------------------------------------------------


@pytest.mark.requirement("A1-DESC-08")
def test_in_presentation_2_the_block_brings_its_context_and_the_document_keeps_its_own():
    document = manifest2(image2())
    found = done(document)
    held = document["sequences"][0]["canvases"][0]["images"][0]["resource"]["service"]
    assert services2(found) == [{**held, "service": PLAIN}]
    assert found["@context"] == P2


@pytest.mark.requirement("A1-DESC-10")
def test_the_first_occurrence_of_a_cookie_service_is_complete_and_later_ones_are_its_address():
    found = done(manifest2(image2(), image2(f"{MAP2}-verso"), image2()))
    assert [one["service"] for one in services2(found)] == [PLAIN, PLAIN["@id"], PLAIN["@id"]]


def test_each_of_several_cookie_services_is_complete_once():
    terms, external = cookie("terms"), nameless()
    several = {"a": [PLAIN], "b": [external, PLAIN, terms], "c": [external, terms]}
    found = done(
        manifest2(*(image2(f"{MAP2}-{name}") for name in several)),
        lambda url, place: several[url[-1]] if place is Place.IMAGE_SERVICE_2 else None,
    )
    assert [one["service"] for one in services2(found)] == [
        PLAIN,
        [external, PLAIN["@id"], terms],
        [external, terms["@id"]],
    ]


def test_one_service_of_somebody_else_becomes_an_array_because_it_has_to():
    for before, after in ((SEARCH, [SEARCH, PLAIN]), ([SEARCH], [SEARCH, PLAIN]), ([], [PLAIN])):
        found = done(manifest2(image2(service=before)))
        assert services2(found)[0]["service"] == after


def test_content_without_an_image_service_of_ours_has_the_services_itself():
    film = {"@id": FILM, "@type": "dctypes:MovingImage"}
    still = {**image2("https://elsewhere.example/iiif/x"), "@id": FILM}
    found = done(manifest2(image2(), film, still))
    resources = [one["images"][0]["resource"] for one in found["sequences"][0]["canvases"]]
    assert resources[0]["service"]["service"] == PLAIN
    assert resources[1] == {**film, "service": PLAIN["@id"]}
    assert resources[2]["service"] == [still["service"], PLAIN["@id"]]


def test_alternatives_of_presentation_2_are_walked_into():
    choice = {"@type": "oa:Choice", "default": image2(), "item": [image2(f"{MAP2}-uv"), "rdf:nil"]}
    (found,) = (one["images"][0]["resource"] for one in done(manifest2(choice))["sequences"][0]["canvases"])
    assert found["default"]["service"]["service"] == PLAIN
    assert found["item"][0]["service"]["service"] == PLAIN["@id"]
    assert found["item"][1] == "rdf:nil"


@pytest.mark.parametrize(
    "held",
    [
        {"@context": "http://iiif.io/api/image/2/context.json", "@id": MAP2},
        {"@id": MAP2, "profile": "http://iiif.io/api/image/2/level1.json"},
        {"@id": MAP2, "profile": "https://iiif.io/api/image/2/level1.json#x"},
        {"@id": MAP2, "profile": ["http://iiif.io/api/image/2/level1.json", {}]},
        {"@id": MAP2, "profile": "http://library.stanford.edu/iiif/image-api/1.1/conformance.html#level1"},
        {"@id": MAP2, "@type": "ImageService1"},
        {"@id": MAP2, "@type": "iiif:ImageService2"},
        {"@id": MAP2, "@type": ["ImageService2"]},
        {"@id": MAP2, "protocol": "http://iiif.io/api/image"},
        {"id": MAP2, "type": "ImageService3", "profile": "level0"},
        {"@id": MAP2, "profile": "level2"},
    ],
)
def test_an_image_service_is_known_by_any_of_its_words(held):
    assert services2(done(manifest2({"@type": "dctypes:Image", "service": held}))) == [{**held, "service": PLAIN}]
    assert mentioned(manifest3({"type": "Image", "service": [held]})) == [MAP2]


@pytest.mark.parametrize(
    ("held", "place"),
    [
        ({"id": MAP3, "type": "ImageService3"}, Place.IMAGE_SERVICE_3_IN_3),
        ({"id": MAP3, "profile": "level2"}, Place.IMAGE_SERVICE_3_IN_3),
        ({"@context": "http://iiif.io/api/image/3/context.json", "id": MAP3}, Place.IMAGE_SERVICE_3_IN_3),
        ({"id": MAP3, "type": "ImageService2"}, Place.IMAGE_SERVICE_2_IN_3),
        ({"@id": MAP3, "@type": "ImageService2"}, Place.IMAGE_SERVICE_2_IN_3),
        ({"@id": MAP3, "@type": "ImageService1"}, Place.IMAGE_SERVICE_2_IN_3),
        ({"@id": MAP3, "protocol": "http://iiif.io/api/image"}, Place.IMAGE_SERVICE_2_IN_3),
    ],
)
def test_its_version_says_at_which_place_one_is_in_presentation_3(held, place):
    asked = []
    decorated(manifest3({"type": "Image", "service": [held]}), lambda url, where: asked.append((url, where)))
    assert asked == [(MAP3, place), (MAP3, Place.CONTENT_3)]


@pytest.mark.parametrize(
    "held", [SEARCH, {"@id": MAP2, "profile": "http://iiif.io/api/auth/1/login"}, MAP2, 7, None, []]
)
def test_other_services_are_none(held):
    assert mentioned(manifest2({"@type": "dctypes:Image", "service": held})) == []


# -- What is there already ----------------------------------------------------------------------------------------


def test_services_of_ours_are_replaced_and_those_of_others_stay_first_in_their_order():
    old = {**probe(MAP3), "id": f"{OURS}2/probe/of-yesterday"}
    foreign = {"id": "https://elsewhere.example/probe", "type": "AuthProbeService2", "service": []}
    body = image3()
    body["service"] = [foreign, old, *body["service"], {**probe(MAP3), "label": "old"}, SEARCH]
    (found,) = bodies3(done(manifest3(body)))
    assert found["service"] == [foreign, image3()["service"][0], SEARCH, probe(MAP3)]


def test_services_of_ours_are_taken_away_where_nothing_needs_them_any_more():
    body = image3(OPEN)
    with_old = {**body, "service": [*body["service"], probe(OPEN)]}
    assert bodies3(done(manifest3(with_old))) == [body]
    only = {"id": f"{OPEN}.mp4", "type": "Video", "service": [probe(OPEN)]}
    assert bodies3(done(manifest3(only))) == [{"id": f"{OPEN}.mp4", "type": "Video"}]
    held = manifest2(image2(OPEN.replace("/3/", "/2/"), service=PLAIN["@id"]))
    found = done(held, lambda url, place: [])
    assert "service" not in services2(found)[0]


def test_a_probe_inside_an_image_service_3_is_taken_out_because_viewers_stumble_over_it():
    (found,) = bodies3(done(manifest3(image3(service=[probe(MAP3)]))))
    assert found["service"] == [*image3()["service"], probe(MAP3)]


def test_a_service_without_a_name_of_its_own_is_known_by_those_in_it():
    old = {**nameless(), "label": "old"}
    found = done(manifest2(image2(service=[SEARCH, old])))
    assert services2(found)[0]["service"] == [SEARCH, PLAIN]
    odd = {**old, "service": [{"id": 7}, 7, None]}
    assert services2(done(manifest2(image2(service=[odd]))))[0]["service"] == [odd, PLAIN]
    only_uris = {**old, "service": f"{OURS}1/token/external"}
    assert services2(done(manifest2(image2(service=only_uris))))[0]["service"] == PLAIN


def test_what_is_not_ours_keeps_even_services_that_look_like_ours():
    """Else the difference would tell that something is ours, and hidden."""
    document = manifest3({"id": "https://iiif.example.org/secret", "type": "Image", "service": [probe(MAP3)]})
    assert done(document) is document


# -- Everything else ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind",
    ["Manifest", "Canvas", "Range", "Annotation", "AnnotationPage", "Choice", "Agent", "sc:Canvas", "oa:Annotation"],
)
@pytest.mark.parametrize("key", ["type", "@type"])
def test_structure_is_no_content_even_if_its_address_falls_under_a_rule(kind, key):
    document = {"@context": P3, "id": FILM, "type": "Manifest", "items": [{"id": FILM, key: kind}]}
    assert done(document) is document
    assert mentioned(document) == []


@pytest.mark.parametrize("name", ["partOf", "target", "start", "within", "on", "metadata", "selector", "services"])
def test_what_is_only_pointed_at_is_left_alone(name):
    for pointed in (
        {"id": FILM, "type": "Video"},
        [{"id": FILM}],
        {"x": {"id": FILM}},
        {"@context": P3, "body": {"id": FILM}},
    ):
        document = manifest3(**{name: pointed})
        assert done(document) is document


@pytest.mark.parametrize(
    "url", ["/media/film.mp4", "ftp://x.example/a", "film.mp4", "", 7, None, ["x"], {"@id": FILM}, "data:x"]
)
def test_what_has_no_address_is_left_alone(url):
    document = manifest3({"id": url, "type": "Video"})
    if not isinstance(url, dict):
        assert done(document) is document


def test_a_collection_may_hold_manifests_of_both_versions():
    document = {
        "@context": ["https://x.example/c", P3],
        "type": "Collection",
        "items": [
            {"type": "Manifest", "items": [canvas3(image2_in_3())]},
            manifest2(image2(), image2()),
            manifest3({"id": FILM, "type": "Video"}),
        ],
    }
    found = done(document)
    assert found["@context"] == ["https://x.example/c", AUTH_2, P3]
    first, second, third = found["items"]
    assert "@context" not in first
    assert bodies3(first)[0]["service"][0]["service"] == [TYPED]
    assert second["@context"] == P2
    assert [one["service"] for one in services2(second)] == [PLAIN, PLAIN["@id"]]
    assert third["@context"] == [AUTH_2, P3]


def test_only_an_embedded_document_that_has_a_probe_says_so():
    document = {"@context": P3, "type": "Collection", "items": [manifest3(image3(OPEN)), manifest3({"id": FILM})]}
    found = done(document)
    assert [found["@context"], *(one["@context"] for one in found["items"])] == [P3, P3, [AUTH_2, P3]]


def test_a_document_without_a_context_is_of_the_version_whose_words_it_uses():
    for words in ({"sequences": []}, {"@type": "sc:Manifest"}, {"@id": "https://x.example/m"}):
        found = done({**words, "x": image2()})
        assert found["x"]["service"]["service"] == PLAIN
    assert done({"type": "Manifest", "x": {"id": FILM}})["x"]["service"] == [probe(FILM)]


def test_a_manifest_with_the_image_service_in_the_place_of_the_image():
    """As one publisher's are: no ``service``, an Annotation directly under the Canvas, labels that are texts."""
    document = {
        "@context": P3,
        "type": "Manifest",
        "label": "A book",
        "items": [
            {
                "type": "Canvas",
                "label": "1",
                "items": [{"type": "Annotation", "body": {"id": MAP2, "type": "Image", "format": "image/jpeg"}}],
            }
        ],
    }
    found = done(document)
    assert found["items"][0]["items"][0]["body"] == {
        "id": MAP2,
        "type": "Image",
        "format": "image/jpeg",
        "service": [probe(MAP3)],
    }
    assert found["label"] == "A book"


BROKEN = [
    {"items": None},
    {"items": "https://x.example"},
    {"items": {"type": "Canvas", "items": [[{"body": {"id": FILM}}]]}},
    {"service": [None, 7, "x", [], [{"id": FILM}], {}]},
    {"service": {"id": {}, "type": 7, "profile": [[], {}], "@context": [{}, 7, None]}},
    {"thumbnail": FILM},
    {"type": None, "@type": [None, 7]},
    {"items": [{"type": "Canvas", "images": [{"resource": None}], "service": None}]},
]


@pytest.mark.parametrize("broken", BROKEN)
def test_what_makes_no_sense_stays(broken):
    for context in (P2, P3):
        document = {"@context": context, **broken}
        kept = done(document)
        if FILM not in json.dumps(broken) or "thumbnail" in broken or "service" in broken:
            assert kept is document


def test_an_empty_service_that_was_there_stays_when_something_else_changes():
    for value in (None, [], "", 0):
        found = done({"@context": P3, "service": value, "items": [{"id": FILM}]})
        assert found["service"] == value
        assert list(found) == ["@context", "service", "items"]


def test_the_order_of_everything_stays():
    text = (EXAMPLES / "mixed" / "manifest-auth1-and-auth2.json").read_bytes()
    document = parsed(text)
    found = decorated(document, lambda url, place: [probe(url)] if place is Place.CONTENT_3 else None)

    def without(value):
        if isinstance(value, dict):
            return {key: without(one) for key, one in value.items() if key not in ("service", "@context")}
        return [without(one) for one in value] if isinstance(value, list) else value

    assert json.dumps(without(found)) == json.dumps(without(document))
    assert json.dumps(found) != json.dumps(document)


@pytest.mark.parametrize("name", ["2.0/manifest.json", "mixed/manifest-auth1-and-auth2.json", "1.0/manifest-p2.json"])
def test_the_examples_of_the_specification_are_decorated_as_they_are(name):
    """Taken away and put back: what the examples say is what comes out."""
    document = parsed((EXAMPLES / name).read_bytes())
    start = "https://iiif.example.org/auth/"
    bare = decorated(document, lambda url, place: [], (start,))
    assert b"Auth" not in written(bare["items"] if "items" in bare else bare["sequences"])
    kept = collected(document, start)

    def again(url, place):
        return kept.get((url, place), [])

    assert flattened(decorated(bare, again, (start,))) == flattened(document)


def collected(document, start):
    """By URL and place, the services of an example; a name stands for the complete one before."""
    kept, complete = {}, {}

    def note(url, place, services):
        found = [complete.get(one, one) if isinstance(one, str) else one for one in listed(services)]
        for one in found:
            complete.setdefault(one.get("@id"), one)
        kept[(url, place)] = [one for one in found if (one.get("@id") or one.get("id")).startswith(start)]

    def walk(value, version):
        if isinstance(value, list):
            for one in value:
                walk(one, version)
        elif isinstance(value, dict):
            for one in listed(value.get("service")):
                if isinstance(one, dict) and "mage" in json.dumps(
                    [one.get("type"), one.get("@type"), one.get("profile")]
                ):
                    three = one.get("type") == "ImageService3"
                    place = Place.IMAGE_SERVICE_3_IN_3 if three else Place.IMAGE_SERVICE_2_IN_3
                    note(
                        one.get("id") or one["@id"],
                        Place.IMAGE_SERVICE_2 if version == 2 else place,
                        one.get("service"),
                    )
            if "format" in value and version == 3:
                beside = [one for one in listed(value.get("service")) if "ImageService" not in json.dumps(one)[:200]]
                note(value["id"].partition("#")[0], Place.CONTENT_3, beside)
            for key, one in value.items():
                if key != "service":
                    walk(one, version)

    walk(document, 2 if "sequences" in document else 3)
    return kept


def listed(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def flattened(value):
    """Services in one order, because ours are put last."""
    if isinstance(value, list):
        return [flattened(one) for one in value]
    if not isinstance(value, dict):
        return value
    found = {key: flattened(one) for key, one in value.items()}
    if isinstance(found.get("service"), list):
        found["service"] = sorted(found["service"], key=json.dumps)
    return found


NAMES = some.sampled_from(
    [
        "id",
        "@id",
        "type",
        "@type",
        "service",
        "items",
        "body",
        "profile",
        "@context",
        "x",
        "target",
        "label",
        "resource",
    ]
)
TEXTS = some.sampled_from(
    [
        FILM,
        MAP2,
        MAP3,
        OPEN,
        P2,
        P3,
        AUTH_2,
        "ImageService2",
        "ImageService3",
        "Canvas",
        "Image",
        "level2",
        PLAIN["@id"],
        "x",
    ]
)
DOCUMENTS = some.dictionaries(
    NAMES,
    some.recursive(
        TEXTS | some.none() | some.integers() | some.booleans() | some.sampled_from([probe(FILM), PLAIN, TYPED]),
        lambda inner: some.lists(inner, max_size=4) | some.dictionaries(NAMES, inner, max_size=5),
        max_leaves=25,
    ),
)


@settings(max_examples=400, deadline=None)
@given(DOCUMENTS)
def test_doing_it_twice_is_doing_it_once_whatever_the_document(document):
    before = json.dumps(document)
    once = decorated(document, blocks, (OURS,))
    assert json.dumps(document) == before
    assert json.dumps(decorated(once, blocks, (OURS,))) == json.dumps(once)
    assert json.dumps(without_services(once)) == json.dumps(without_services(document))


def without_services(value):
    if isinstance(value, list):
        return [without_services(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {key: without_services(one) for key, one in value.items() if key not in ("service", "@context")}


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS)
def test_every_address_that_is_asked_for_was_mentioned(document):
    asked = []
    decorated(document, lambda url, place: asked.append(url) or blocks(url, place), (OURS,))
    assert set(asked) <= set(mentioned(document))


# -- Limits -------------------------------------------------------------------------------------------------------


def nested(depth, name="x", leaf="1"):
    """A document of which something stands so many levels below its top."""
    pairs = depth - 1
    return (f'{{"type": "Manifest", "{name}": ' + "[" * pairs + leaf + "]" * pairs + "}").encode()


@pytest.mark.parametrize("name", ["x", "service", "metadata", "items", "label"])
def test_a_document_may_be_nested_64_levels_deep_and_no_deeper(name):
    document = parsed(nested(64, name))
    assert decorated(document, blocks) is document
    for depth in (65, 500):
        with pytest.raises(NotAManifest, match="more than 64 levels deep"):
            decorated(parsed(nested(depth, name)), blocks)
    with pytest.raises(NotAManifest, match="more than 64 levels deep"):
        parsed(nested(100_000, name))


def test_an_image_service_nested_in_image_services_is_bounded_too():
    text = (
        b'{"@context":"%s","x":' % P3.encode()
        + b'{"service":[{"id":"https://x.example/","type":"ImageService3","service":' * 40
    )
    text += b"1" + b"}]}" * 40 + b"}"
    with pytest.raises(NotAManifest, match="64 levels"):
        decorated(parsed(text), blocks)


def test_a_document_may_have_so_many_bytes_and_no_more():
    text = b'{"type": "Manifest"}'
    assert parsed(text, len(text)) == {"type": "Manifest"}
    with pytest.raises(TooLarge, match="more than 19 bytes"):
        parsed(text, len(text) - 1)


def test_a_small_document_does_not_become_a_very_large_one(monkeypatch):
    monkeypatch.setattr(manifest, "MAX_SERVICES", 10)
    done(manifest3(*[{"id": FILM}] * 10))
    with pytest.raises(TooLarge, match="more than 10 services"):
        decorated(manifest3(*[{"id": FILM}] * 11), blocks)


def test_a_thousand_canvases_in_one_go():
    document = manifest2(*(image2(f"{MAP2}-{number}") for number in range(1000)))
    found = services2(done(document))
    assert [one["service"] for one in found] == [PLAIN, *[PLAIN["@id"]] * 999]
    assert mentioned(document) == [
        url for n in range(1000) for url in (f"{MAP2}-{n}", f"{MAP2}-{n}/full/full/0/default.jpg")
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b'{"type": "Manifest",}', "not JSON"),
        (b'{"type": "Manifest", "x": NaN}', "not JSON"),
        (b'{"type": "Manifest", "x": -Infinity}', "not JSON"),
        (b'{"type": "Manifest", "x": 1e400}', "not JSON"),
        (b'{"type": "Manifest", "x": ' + b"9" * 5000 + b"}", "not JSON"),
        (b'{"type": "Manifest\xff"}', "not JSON"),
        (b'["Manifest"]', "neither a manifest"),
        (b'"Manifest"', "neither a manifest"),
        (b"null", "neither a manifest"),
        (b"{}", "neither a manifest"),
        (b'{"type": "FeatureCollection", "features": []}', "neither a manifest"),
        (b'{"@context": "http://iiif.io/api/image/3/context.json", "type": "ImageService3"}', "neither a manifest"),
        (b'{"@context": "http://iiif.io.evil.example/api/presentation/3/context.json"}', "neither a manifest"),
    ],
)
def test_what_is_no_manifest_is_refused_with_a_sentence(text, why):
    with pytest.raises(NotAManifest, match=why) as raised:
        parsed(text)
    assert str(raised.value).endswith(".")


@pytest.mark.parametrize(
    "document",
    [
        {"@context": P2},
        {"@context": [P3, AUTH_2]},
        {"@context": "http://www.shared-canvas.org/ns/context.json"},
        {"type": "AnnotationPage"},
        {"@type": "sc:Collection"},
        {"type": "Manifest", "ü": "日本", "bom": "\ufeff", "float": 1.5, "large": 10**30, "no": None},
    ],
)
def test_what_is_one_is_read_and_written_as_it_is(document):
    text = written(document)
    assert parsed(text) == document
    assert written(parsed(text)) == text
    assert parsed(b"\xef\xbb\xbf" + text) == parsed(text.decode().encode("utf-16")) == document
    assert written(document, "  ").decode() == json.dumps(document, ensure_ascii=False, indent=2)


def test_half_a_character_survives():
    text = rb'{"type": "Manifest", "label": "\ud800"}'
    assert json.loads(written(parsed(text))) == json.loads(text)

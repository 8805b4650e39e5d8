"""Reading manifests, sound ones and such as are in use."""

from __future__ import annotations

import pytest

from iiif_auth.exchange import trees

IMAGE_3 = {"id": "https://images.example.org/iiif/3/one", "type": "ImageService3", "profile": "level2"}
IMAGE_2 = {
    "@context": "http://iiif.io/api/image/2/context.json",
    "@id": "https://images.example.org/iiif/2/two",
    "profile": "http://iiif.io/api/image/2/level1.json",
}


def painting(body):
    return [{"type": "AnnotationPage", "items": [{"type": "Annotation", "motivation": "painting", "body": body}]}]


MANIFEST_3 = {
    "@context": "http://iiif.io/api/presentation/3/context.json",
    "id": "https://x.example/m.json",
    "type": "Manifest",
    "label": {"en": ["Ledger"]},
    "items": [
        {
            "id": "https://x.example/c1",
            "type": "Canvas",
            "label": {"none": ["First page"]},
            "thumbnail": [{"id": "https://images.example.org/thumbs/one.jpg", "type": "Image"}],
            "items": painting({"id": "https://images.example.org/one.jpg", "type": "Image", "service": [IMAGE_3]}),
        },
        {
            "id": "https://x.example/c2",
            "type": "Canvas",
            "label": {"none": ["Second page"]},
            "items": painting(
                {
                    "type": "Choice",
                    "items": [
                        {
                            "id": "https://images.example.org/two.jpg",
                            "type": "Image",
                            "label": {"en": ["Natural light"]},
                            "service": [IMAGE_2],
                        },
                        {"id": "https://images.example.org/two-xray.jpg", "type": "Image", "label": {"en": ["X-ray"]}},
                    ],
                }
            ),
        },
        {
            "id": "https://x.example/c3",
            "type": "Canvas",
            "items": painting({"id": "https://media.example.org/film.webm", "type": "Video", "format": "video/webm"}),
        },
    ],
}
MANIFEST_2 = {
    "@context": "http://iiif.io/api/presentation/2/context.json",
    "@id": "https://x.example/m2.json",
    "@type": "sc:Manifest",
    "label": "Ledger",
    "rendering": {"@id": "https://files.example.org/ledger.pdf", "format": "application/pdf", "label": "Whole book"},
    "sequences": [
        {
            "@type": "sc:Sequence",
            "canvases": [
                {
                    "@type": "sc:Canvas",
                    "label": [{"@value": "p. 1", "@language": "en"}],
                    "thumbnail": "https://images.example.org/iiif/2/two/full/90,/0/default.jpg",
                    "images": [
                        {
                            "@type": "oa:Annotation",
                            "motivation": "sc:painting",
                            "resource": {
                                "@type": "oa:Choice",
                                "default": {
                                    "@id": "https://i.example/a.jpg",
                                    "@type": "dctypes:Image",
                                    "service": IMAGE_2,
                                },
                                "item": [{"@id": "https://i.example/b.jpg", "@type": "dctypes:Image"}],
                            },
                        }
                    ],
                }
            ],
        }
    ],
}
COLLECTION_3 = {
    "@context": "http://iiif.io/api/presentation/3/context.json",
    "id": "https://x.example/c.json",
    "type": "Collection",
    "label": {"en": ["All ledgers"]},
    "items": [
        {"id": "https://x.example/m1.json", "type": "Manifest", "label": {"en": ["One"]}},
        {"id": "https://x.example/sub.json", "type": "Collection", "label": {"en": ["Part"]}, "items": [MANIFEST_3]},
        MANIFEST_2,
    ],
}


def told(document):
    return [(one.uri.rpartition("/")[2], one.kind, one.image_api, one.role) for one in trees.tree(document).contents]


def test_everything_that_presentation_3_shows_is_found():
    assert told(MANIFEST_3) == [
        ("one", "Image", 3, "shown"),
        ("two", "Image", 2, "choice"),
        ("two-xray.jpg", "Image", 0, "choice"),
        ("film.webm", "Video", 0, "shown"),
    ]
    first = trees.tree(MANIFEST_3).contents[0]
    assert (first.label, first.manifest) == ("First page", "Ledger")
    assert first.thumbnail == "https://images.example.org/thumbs/one.jpg"


def test_everything_that_presentation_2_shows_and_offers_is_found():
    assert told(MANIFEST_2) == [
        ("ledger.pdf", "Text", 0, "download"),
        ("two", "Image", 2, "choice"),
        ("b.jpg", "Image", 0, "choice"),
    ]


def test_collections_hold_what_is_in_them_and_name_what_is_not():
    found = trees.tree(COLLECTION_3)
    assert len(found.contents) == 7 - 1  # image service “two” is in both
    assert found.references == [("https://x.example/m1.json", "One")]
    assert {one.manifest for one in found.contents} == {"Ledger"}


def test_collections_of_version_2_are_read():
    document = {
        "@type": "sc:Collection",
        "members": [{"@id": "https://x.example/a", "@type": "sc:Manifest", "label": "A"}],
        "manifests": [{"@id": "https://x.example/b", "@type": "sc:Manifest"}],
        "collections": ["https://x.example/c"],
    }
    assert [url for url, _label in trees.tree(document).references] == [
        "https://x.example/b",
        "https://x.example/c",
        "https://x.example/a",
    ]


BODY = {"id": "https://i.example/a.jpg", "type": "Image"}
BROKEN = {
    "no types at all": {"items": [{"items": painting(BODY)}]},
    "annotations without a page": {"type": "Manifest", "items": [{"type": "Canvas", "items": [{"body": BODY}]}]},
    "no motivation": {
        "type": "Manifest",
        "items": [
            {"type": "Canvas", "items": [{"type": "AnnotationPage", "items": [{"type": "Annotation", "body": BODY}]}]}
        ],
    },
    "a body that is a text": {"type": "Manifest", "items": [{"type": "Canvas", "items": painting(BODY["id"])}]},
    "a body in a list": {"type": "Manifest", "items": [{"type": "Canvas", "items": painting([BODY])}]},
    "a specific resource": {
        "type": "Manifest",
        "items": [{"type": "Canvas", "items": painting({"type": "SpecificResource", "source": BODY})}],
    },
    "objects where lists belong": {"type": "Manifest", "items": {"type": "Canvas", "items": painting(BODY)[0]}},
    "version 2 in version 3": {"type": "Manifest", "items": [{"@type": "sc:Canvas", "images": [{"resource": BODY}]}]},
    "canvases without a sequence": {"@type": "sc:Manifest", "canvases": [{"images": [{"resource": BODY}]}]},
    "rubbish in between": {
        "type": "Manifest",
        "label": 7,
        "thumbnail": [[], 3],
        "items": [None, "x", {"type": "Canvas", "label": {"en": 3}, "items": [*painting(BODY), 5, None]}],
    },
}


@pytest.mark.parametrize("document", BROKEN.values(), ids=BROKEN)
def test_what_is_broken_but_common_is_read(document):
    assert told(document) == [("a.jpg", "Image", 0, "shown")]


def test_comments_are_no_content():
    page = {"type": "AnnotationPage", "items": [{"type": "Annotation", "motivation": "commenting", "body": BODY}]}
    assert told({"type": "Manifest", "items": [{"type": "Canvas", "items": [page]}]}) == []


def test_what_is_nested_without_end_ends():
    document: dict = {"type": "Collection"}
    at = document
    for _ in range(500):
        at["items"] = [{"type": "Collection"}]
        at = at["items"][0]
    at["items"] = [MANIFEST_3]
    assert told(document) == []


def test_a_document_of_very_many_things_is_cut_and_says_so():
    canvas = {"type": "Canvas", "items": painting([{"id": f"https://i.example/{n}.jpg"} for n in range(21_000)])}
    found = trees.tree({"type": "Manifest", "items": [canvas]})
    assert found.cut
    assert len(found.contents) <= trees.MOST_CONTENTS * 2

"""Reading what an image server says of a picture, whatever it says."""

from __future__ import annotations

import json

import pytest

from iiif_auth.upstream.descriptions import BadDescription, Description, Tiles, described
from tests.upstream.stub import GOOD

VERSION_2 = {
    "@context": "http://iiif.io/api/image/2/context.json",
    "@id": "http://images.internal/iiif/2/x",
    "protocol": "http://iiif.io/api/image",
    "width": 600,
    "height": 400,
    "profile": [
        "http://iiif.io/api/image/2/level1.json",
        {"formats": ["jpg", "tif"], "qualities": ["gray"], "supports": ["sizeByPct", "cors"], "maxWidth": 500},
    ],
    "tiles": [{"width": 256, "height": 128, "scaleFactors": [1, 2]}],
    "license": "https://rightsstatements.org/vocab/InC/1.0/",
}


def read(document, **changes):
    return described(json.dumps({**document, **changes}).encode())


def test_of_version_3_numbers_and_known_words_are_read():
    assert read(GOOD) == Description(
        width=8000,
        height=6000,
        version=3,
        level=2,
        sizes=((1000, 750),),
        tiles=(Tiles(512, 512, (1, 2, 4, 8, 16)),),
        max_width=2000,
        formats=("webp",),
        qualities=("color", "gray"),
        features=("mirroring", "rotationArbitrary", "sizeUpscaling"),
        rights="http://creativecommons.org/licenses/by/4.0/",
    )


def test_of_version_2_too():
    assert read(VERSION_2) == Description(
        width=600,
        height=400,
        version=2,
        level=1,
        tiles=(Tiles(256, 128, (1, 2)),),
        max_width=500,
        formats=("jpg",),
        qualities=("gray",),
        features=("cors", "sizeByPct"),
        rights="https://rightsstatements.org/vocab/InC/1.0/",
    )


def test_contexts_may_be_several_and_the_last_of_the_image_api_counts():
    contexts = ["http://example.org/extension.json", "http://iiif.io/api/image/3/context.json"]
    assert read(GOOD, **{"@context": contexts}).version == 3
    assert read(GOOD, **{"@context": None}).version == 3  # by its type


@pytest.mark.parametrize("edge", ["width", "height"])
@pytest.mark.parametrize("value", [0, -1, 1.5, 8000.0, "8000", "٨٠٠٠", True, None, [], [8000], {}, 10_000_001, 10**30])
def test_a_size_that_is_none_is_not_believed(edge, value):
    with pytest.raises(BadDescription, match="how wide and high"):
        read(GOOD, **{edge: value})


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "http://example.org/"},
        {"protocol": None},
        {"protocol": ["http://iiif.io/api/image"]},
        {"@context": "http://iiif.io/api/image/1/context.json", "type": None},
        {"@context": "http://iiif.io/api/presentation/3/context.json", "type": "Manifest"},
        {"@context": None, "type": "ImageService2"},
        {"@context": {"@id": "http://iiif.io/api/image/3/context.json"}, "type": None},
    ],
)
def test_what_is_no_description_is_refused(changes):
    with pytest.raises(BadDescription, match=r"Image API.*\."):
        read(GOOD, **changes)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"<html></html>",
        b"\xff\xfe{}",
        '{"width": 1}'.encode("utf-16"),
        b'{"width": NaN}',
        b'{"width": Infinity}',
        b'{"width": ' + b"9" * 5000 + b"}",
        b'{"width": 1, "width": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
)
def test_what_is_not_json_as_it_should_be_is_refused_in_a_sentence(text):
    with pytest.raises(BadDescription, match=r"\.$"):
        described(text)


@pytest.mark.parametrize("twice", ['"width": 8000', '"width": 1', '"x": {"y": 1, "y": 2}'])
def test_a_property_that_is_there_twice_is_refused(twice):
    """Programs read the first, the last or neither."""
    whole = json.dumps(GOOD)
    assert described(whole.encode()).width == 8000
    with pytest.raises(BadDescription, match="twice"):
        described(f"{{{twice}, {whole[1:]}".encode())


def nested(depth):
    """A description with ``depth`` levels of objects and lists."""
    value = "x"
    for _ in range(depth - 1):
        value = [value]
    return {**GOOD, "extra": value}


def test_depth_has_a_limit_to_the_level():
    assert read(nested(32)).width == 8000
    with pytest.raises(BadDescription, match="32 levels"):
        read(nested(33))


@pytest.mark.parametrize(
    "name", ["sizes", "tiles", "profile", "extraFormats", "extraQualities", "extraFeatures", "rights"]
)
@pytest.mark.parametrize(
    "value", [None, 1, "x", [], {}, [None], [[]], [{}], [1, "x", {"width": "y"}], {"width": [1]}, True]
)
def test_an_odd_property_is_left_out_and_nothing_breaks(name, value):
    found = read(GOOD, **{name: value})
    assert (found.width, found.height) == (8000, 6000)


@pytest.mark.parametrize("name", ["maxWidth", "maxHeight", "maxArea"])
@pytest.mark.parametrize("value", [0, -5, "7", True, 1.5, 10**30, [1]])
def test_an_odd_limit_is_none(name, value):
    found = read(GOOD, **{name: value})
    assert {"maxWidth": found.max_width, "maxHeight": found.max_height, "maxArea": found.max_area}[name] is None


@pytest.mark.parametrize(
    "rights",
    [
        "http://images.internal/licence",
        "https://creativecommons.org.evil.example/x",
        "https://evil.example/http://creativecommons.org/",
        "http://creativecommons.org@evil.example/",
        "http://creativecommons.org/licenses/by/4.0/?u=http://images.internal/",
        "http://creativecommons.org/" + "x" * 200,
        ["http://creativecommons.org/licenses/by/4.0/"],
    ],
)
def test_rights_are_told_only_in_the_words_of_two_sites(rights):
    assert read(GOOD, rights=rights).rights == ""


def test_lists_have_limits():
    many = [{"width": number, "height": number} for number in range(1, 5000)]
    assert len(read(GOOD, sizes=many).sizes) == 64
    tiles = [{"width": number, "scaleFactors": list(range(1, 200))} for number in range(1, 200)]
    found = read(GOOD, tiles=tiles).tiles
    assert (len(found), {len(one.factors) for one in found}) == (64, {64})

"""What is published of a picture: its own address and size, and nothing of where it comes from."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from iiif_auth.enforce.scaled import canvas
from iiif_auth.policy.types import Rendition, Virtual
from iiif_auth.upstream import BadDescription, rewritten, scaled
from iiif_auth.upstream.descriptions import described
from tests.leaves import leaves
from tests.upstream.stub import GOOD

PUBLIC = "https://iiif.example.org/iiif/3/chart"
FULL = Rendition("/iiif/3/chart")
SMALL = Virtual(400, ("jpg",), ("default", "gray"))


@pytest.fixture
def found():
    return described(json.dumps(GOOD).encode())


def test_version_3_is_written_anew(found):
    assert rewritten(found, PUBLIC, 3, FULL) == {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": PUBLIC,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": 8000,
        "height": 6000,
        "maxWidth": 2000,
        "sizes": [{"width": 1000, "height": 750}],
        "tiles": [{"width": 512, "scaleFactors": [1, 2, 4, 8, 16]}],
        "preferredFormats": ["jpg"],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray"],
        "extraFeatures": ["mirroring", "rotationArbitrary", "sizeUpscaling"],
        "rights": "http://creativecommons.org/licenses/by/4.0/",
    }


def test_version_2_is_written_in_its_own_shape_whatever_the_upstream_speaks(found):
    assert rewritten(found, PUBLIC, 2, FULL) == {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": PUBLIC,
        "protocol": "http://iiif.io/api/image",
        "width": 8000,
        "height": 6000,
        "sizes": [{"width": 1000, "height": 750}],
        "tiles": [{"width": 512, "scaleFactors": [1, 2, 4, 8, 16]}],
        "profile": [
            "http://iiif.io/api/image/2/level2.json",
            {
                "formats": ["jpg", "png", "webp"],
                "qualities": ["color", "gray"],
                "supports": ["mirroring", "rotationArbitrary"],
                "maxWidth": 2000,
            },
        ],
        "license": "http://creativecommons.org/licenses/by/4.0/",
    }


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("rendition", [FULL, replace(FULL, reach=400, virtual=SMALL)], ids=["whole", "cut"])
def test_no_text_of_the_upstreams_is_in_it(found, version, rendition):
    told = json.dumps(rewritten(found, PUBLIC, version, rendition))
    for word in ("internal", "secret", "original", "8182", "teleport", "tif", "pdf", 'service"', "seeAlso", "partOf"):
        assert word not in told


@pytest.mark.parametrize("version", [2, 3])
def test_what_is_cut_on_the_fly_is_described_as_a_small_picture(found, version):
    """Nothing of the original: no number above its own longest edge, nothing that would enlarge it (security I7)."""
    told = rewritten(found, PUBLIC, version, replace(FULL, reach=400, virtual=SMALL))
    assert (told["width"], told["height"]) == (400, 300)
    assert told["sizes"] == [{"width": 100, "height": 75}, {"width": 200, "height": 150}, {"width": 400, "height": 300}]
    assert told["tiles"] == [{"width": 512, "scaleFactors": [1]}]
    assert max(leaves({**told, "tiles": []}, int)) <= 400
    text = json.dumps(told)
    for word in ("Upscaling", "AboveFull", "Arbitrary", "png", "webp", "color"):
        assert word not in text
    assert "sizeByConfinedWh" in text  # without PNG it is of level 1, so what level 2 has is said one by one
    assert "level1" in text


@pytest.mark.parametrize("size", [(8000, 6000), (6000, 8000), (5001, 3), (400, 400), (399, 17), (1, 1)])
@pytest.mark.parametrize("edge", [1, 7, 399, 400, 5000])
def test_it_is_described_with_the_canvas_on_which_requests_are_translated(found, size, edge):
    virtual = Virtual(edge)
    small = canvas(virtual, *size)
    told = scaled(replace(found, width=size[0], height=size[1]), virtual)
    assert (told.width, told.height, told.max_width) == (small.width, small.height, max(small.width, small.height))
    assert told.sizes[-1] == (small.width, small.height)


def test_with_png_it_stays_at_its_level(found):
    assert scaled(found, Virtual(400, ("jpg", "png"))).level == 2


def test_a_format_that_the_server_does_not_make_is_not_promised(found):
    assert scaled(replace(found, level=1, formats=("jpg",)), Virtual(400, ("jpg", "webp"))).formats == ("jpg",)


def test_a_smaller_version_has_a_limit_to_the_pixel(found):
    small = replace(found, width=400, height=300, sizes=(), max_width=None)
    assert rewritten(small, PUBLIC, 3, replace(FULL, reach=400))["width"] == 400
    for wide, high in ((401, 300), (300, 401)):
        with pytest.raises(BadDescription, match="none above 400"):
            rewritten(replace(small, width=wide, height=high), PUBLIC, 3, replace(FULL, reach=400))


def test_a_height_without_a_width_is_no_limit(found):
    told = rewritten(replace(found, max_width=None, max_height=50), PUBLIC, 3, FULL)
    assert "maxHeight" not in told

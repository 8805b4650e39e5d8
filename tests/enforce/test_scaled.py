"""Versions cut on the fly: which part of the large picture, and how large. Millions more are in :mod:`tests.security.tiers`."""

from __future__ import annotations

import pytest

from iiif_auth.enforce.imagepath import BadImageRequest, parse
from iiif_auth.enforce.scaled import Canvas, canvas, translated
from iiif_auth.policy.types import Virtual

SMALL = Virtual(600, ("jpg", "webp"), ("default", "gray"))


def made(parameters: str, version=3, virtual=SMALL, size=(6000, 4000)) -> str:
    region, wanted, turn, last = parameters.split("/")
    return translated(parse(version, region, wanted, turn, *last.split(".")), virtual, *size)


@pytest.mark.parametrize(
    ("edge", "size", "small"),
    [
        (600, (6000, 4000), (600, 400)),
        (600, (4000, 6000), (400, 600)),
        (600, (6001, 4001), (600, 400)),
        (601, (6000, 4000), (601, 400)),
        (600, (600, 400), (600, 400)),
        (600, (599, 3), (599, 3)),
        (600, (100_000, 10), (600, 1)),
        (1, (6000, 4000), (1, 1)),
    ],
)
def test_the_canvas_is_rounded_down_and_never_larger_than_the_picture(edge, size, small):
    assert canvas(Virtual(edge), *size) == Canvas(*small, *size)


@pytest.mark.parametrize(
    ("asked", "asked_of_the_large_one"),
    [
        ("full/max/0/default.jpg", "full/600,400/0/default.jpg"),
        ("full/300,/0/default.jpg", "full/300,200/0/default.jpg"),
        ("0,0,300,200/max/0/default.jpg", "0,0,3000,2000/300,200/0/default.jpg"),
        ("300,200,9999,9999/max/0/default.jpg", "3000,2000,3000,2000/300,200/0/default.jpg"),
        ("0,0,1,1/max/0/default.jpg", "0,0,10,10/1,1/0/default.jpg"),
        ("square/max/!90/gray.webp", "1000,0,4000,4000/400,400/!90/gray.webp"),
        ("pct:0,0,50,50/pct:50/180.0/default.jpg", "0,0,3000,2000/150,100/180/default.jpg"),
        ("full/!100,100/0/default.jpg", "full/100,67/0/default.jpg"),
        ("full/^300,/0/default.jpg", "full/300,200/0/default.jpg"),
    ],
)
def test_a_part_is_one_of_the_large_picture(asked, asked_of_the_large_one):
    assert made(asked) == asked_of_the_large_one


def test_in_version_2_full_is_the_small_picture_too():
    assert made("full/full/0/default.jpg", 2) == "full/600,400/0/default.jpg"


def test_parts_are_rounded_outwards_so_that_the_scale_is_no_larger():
    assert made("1,1,1,1/max/0/default.jpg", size=(6001, 4001)) == "10,10,11,11/1,1/0/default.jpg"
    assert made("599,399,1,1/max/0/default.jpg", size=(6001, 4001)) == "5990,3990,11,11/1,1/0/default.jpg"


@pytest.mark.parametrize(
    "asked",
    [
        "full/601,/0/default.jpg",
        "full/^601,/0/default.jpg",
        "full/,401/0/default.jpg",
        "0,0,300,200/301,/0/default.jpg",
        "0,0,300,200/^max/0/default.jpg",
        "0,0,300,200/^pct:101/0/default.jpg",
        "0,0,300,200/^!600,600/0/default.jpg",
        "0,0,300,200/300,201/0/default.jpg",
        "600,0,10,10/max/0/default.jpg",
        "3000,2000,400,400/max/0/default.jpg",
        "full/max/45/default.jpg",
        "full/max/0.5/default.jpg",
        "full/max/359.999/default.jpg",
        "full/max/0/color.jpg",
        "full/max/0/bitonal.jpg",
        "full/max/0/default.png",
    ],
)
def test_what_the_small_picture_has_not_is_refused(asked):
    with pytest.raises(BadImageRequest):
        made(asked)


@pytest.mark.parametrize(
    "asked", ["full/601,/0/default.jpg", "0,0,300,200/pct:101/0/default.jpg", "full/!700,700/0/default.jpg"]
)
def test_in_version_2_nothing_is_enlarged_either(asked):
    with pytest.raises(BadImageRequest):
        made(asked, 2)

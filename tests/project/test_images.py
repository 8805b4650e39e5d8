from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import pyvips
from django.test import RequestFactory
from PIL import Image

from iiif_auth.enforce.imagepath import BadImageRequest, Version, parse
from project.images.pictures import describe, render
from project.images.views import image

RED, GREEN, BLUE, GOLD = (200, 30, 30), (30, 160, 60), (30, 60, 190), (220, 180, 40)
CORNERS = {"upper left": RED, "upper right": GREEN, "lower left": BLUE, "lower right": GOLD}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 1200 by 800 with a colour in each quarter."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "images").mkdir()
    pixels = np.zeros((800, 1200, 3), dtype=np.uint8)
    pixels[:400, :600], pixels[:400, 600:], pixels[400:, :600], pixels[400:, 600:] = RED, GREEN, BLUE, GOLD
    pyvips.Image.new_from_array(pixels).copy(interpretation="srgb").tiffsave(
        str(folder / "images" / "four-1.tif"),
        tile=True,
        tile_width=256,
        tile_height=256,
        pyramid=True,
        compression="jpeg",
        Q=90,
    )
    (folder / "secret.tif").write_bytes(b"no")
    return folder


def picture(data: Path, path: str, version: Version = 3) -> Image.Image:
    region, size, rotation, file = path.split("/")
    quality, _, format = file.partition(".")
    rendered = render("four-1", parse(version, region, size, rotation, quality, format), data)
    assert rendered is not None
    return Image.open(BytesIO(rendered[0]))


def corners(shown: Image.Image) -> dict[str, str]:
    """The name of the colour seen in each corner."""
    wide, high = shown.size
    shown = shown.convert("RGB")
    spots = zip(CORNERS, [(x, y) for y in (high // 8, high * 7 // 8) for x in (wide // 8, wide * 7 // 8)], strict=True)
    return {corner: nearest(shown.getpixel(spot)) for corner, spot in spots}


def nearest(colour) -> str:
    return min(CORNERS, key=lambda name: sum(abs(a - b) for a, b in zip(CORNERS[name], colour, strict=True)))


UPRIGHT = {corner: corner for corner in CORNERS}


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("full/max/0/default.jpg", (1200, 800)),
        ("full/600,/0/default.jpg", (600, 400)),
        ("full/,100/0/default.jpg", (150, 100)),
        ("full/pct:10/0/default.jpg", (120, 80)),
        ("full/333,333/0/default.jpg", (333, 333)),
        ("full/!90,90/0/default.jpg", (90, 60)),
        ("full/1,/0/default.jpg", (1, 1)),
        ("full/^1500,/0/default.jpg", (1500, 1000)),
        ("square/100,/0/default.jpg", (100, 100)),
        ("1100,700,500,500/max/0/default.jpg", (100, 100)),
        ("3,5,7,11/max/0/default.jpg", (7, 11)),
        ("0,0,1200,1/12,/0/default.jpg", (12, 1)),
        ("full/max/90/default.jpg", (800, 1200)),
        ("full/300,/270/default.png", (200, 300)),
    ],
)
def test_the_size_is_as_asked(data, path, size):
    assert picture(data, path).size == size


@pytest.mark.parametrize(
    "path",
    ["full/max/0/default.jpg", "full/150,/0/default.png", "full/97,/0/default.webp", "full/^1300,/0/default.jpg"],
)
def test_every_corner_keeps_its_colour_at_every_size(data, path):
    assert corners(picture(data, path)) == UPRIGHT


@pytest.mark.parametrize(
    ("region", "colour"),
    [
        ("0,0,600,400", RED),
        ("600,0,600,400", GREEN),
        ("0,400,600,400", BLUE),
        ("pct:50,50,50,50", GOLD),
        ("620,420,3000,3000", GOLD),
    ],
)
@pytest.mark.parametrize("size", ["max", "40,", "75,50"])
def test_a_region_shows_what_is_there(data, region, colour, size):
    pixels = np.asarray(picture(data, f"{region}/{size}/0/default.png"), dtype=int)
    assert np.abs(pixels.mean(axis=(0, 1)) - colour).max() < 6


def test_tiles_of_a_zoom_level_fit_together(data):
    whole = np.asarray(picture(data, "full/300,200/0/default.png"), dtype=int)
    left, right = (np.asarray(picture(data, f"{x},0,600,800/150,200/0/default.png"), dtype=int) for x in (0, 600))
    assert np.abs(np.concatenate([left, right], axis=1) - whole)[:, [0, 60, 148, 151, 240, 299]].mean() < 5


@pytest.mark.parametrize(
    ("rotation", "seen"),
    [
        ("0", ("upper left", "upper right", "lower left", "lower right")),
        ("90", ("lower left", "upper left", "lower right", "upper right")),
        ("180", ("lower right", "lower left", "upper right", "upper left")),
        ("270", ("upper right", "lower right", "upper left", "lower left")),
        ("360", ("upper left", "upper right", "lower left", "lower right")),
        ("!0", ("upper right", "upper left", "lower right", "lower left")),
        ("!90", ("lower right", "upper right", "lower left", "upper left")),
    ],
)
def test_rotation_is_clockwise_and_after_mirroring(data, rotation, seen):
    assert tuple(corners(picture(data, f"full/300,/{rotation}/default.jpg")).values()) == seen


@pytest.mark.parametrize(
    ("format", "mode", "empty"),
    [("jpg", "RGB", (255, 255, 255)), ("png", "RGBA", (0, 0, 0, 0)), ("webp", "RGBA", None)],
)
def test_any_other_angle_grows_the_canvas_and_leaves_its_corners_empty(data, format, mode, empty):
    shown = picture(data, f"full/300,/45/default.{format}")
    assert shown.mode == mode
    assert abs(shown.width - 354) <= 2
    corner = shown.getpixel((2, 2))
    assert corner == empty or corner[3] == 0


def test_gray_is_gray_and_bitonal_is_black_or_white(data):
    gray = picture(data, "full/120,/0/gray.png")
    assert (gray.mode, len(gray.getcolors(256) or ()) >= 4) == ("L", True)
    bitonal = picture(data, "full/120,/0/bitonal.png")
    assert {colour for _, colour in bitonal.convert("L").getcolors(256) or ()} == {0, 255}
    assert picture(data, "full/120,/0/color.jpg").mode == picture(data, "full/120,/0/default.jpg").mode == "RGB"


@pytest.mark.parametrize("rotation", ["0", "90", "30"])
@pytest.mark.parametrize("quality", ["default", "gray", "bitonal"])
@pytest.mark.parametrize(
    ("format", "name", "content_type"),
    [("jpg", "JPEG", "image/jpeg"), ("png", "PNG", "image/png"), ("webp", "WEBP", "image/webp")],
)
def test_every_format_in_every_quality_and_at_every_angle(data, format, name, content_type, quality, rotation):
    content, told = render("four-1", parse(3, "full", "60,", rotation, quality, format), data)
    assert (Image.open(BytesIO(content)).format, told) == (name, content_type)


def test_what_is_sent_carries_no_metadata(data, tmp_path):
    (tmp_path / "images").mkdir()
    tagged = pyvips.Image.black(64, 64, bands=3).copy(interpretation="srgb").copy()
    tagged.set_type(pyvips.GValue.gstr_type, "image-description", "taken at 51.5 N")
    tagged.tiffsave(str(tmp_path / "images" / "tagged.tif"), tile=True, pyramid=True)
    for format in ("jpg", "png", "webp"):
        content, _ = render("tagged", parse(3, "full", "max", "0", "default", format), tmp_path)
        assert b"51.5" not in content
        assert not Image.open(BytesIO(content)).getexif()


# -- Describing -----------------------------------------------------------------------------------------------------


def test_info_3(data):
    info = describe("four-1", 3, "https://example.org/iiif/3/four-1", data)
    assert info == {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": "https://example.org/iiif/3/four-1",
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": 1200,
        "height": 800,
        "maxWidth": 10_000,
        "maxArea": 25_000_000,
        "sizes": [
            {"width": 150, "height": 100},
            {"width": 300, "height": 200},
            {"width": 600, "height": 400},
            {"width": 1200, "height": 800},
        ],
        "tiles": [{"width": 512, "scaleFactors": [1, 2, 4]}],
        "preferredFormats": ["jpg"],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["mirroring", "profileLinkHeader", "rotationArbitrary", "sizeUpscaling"],
    }


def test_info_2(data):
    info = describe("four-1", 2, "https://example.org/iiif/2/four-1", data)
    assert info is not None
    assert (info["@context"], info["@id"]) == (
        "http://iiif.io/api/image/2/context.json",
        "https://example.org/iiif/2/four-1",
    )
    assert (info["width"], info["height"], info["protocol"]) == (1200, 800, "http://iiif.io/api/image")
    assert info["profile"][0] == "http://iiif.io/api/image/2/level2.json"
    assert info["profile"][1]["formats"] == ["jpg", "png", "webp"]


def test_every_size_that_is_announced_is_served(data):
    for size in describe("four-1", 3, "x", data)["sizes"]:
        assert picture(data, f"full/{size['width']},{size['height']}/0/default.jpg").size == (
            size["width"],
            size["height"],
        )
        assert picture(data, f"full/{size['width']},/0/default.jpg", 2).size == (size["width"], size["height"])


# -- Not found, not possible ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "identifier",
    [
        "four-2",
        "",
        ".",
        "..",
        "../secret",
        "..%2fsecret",
        "images/four-1",
        "Four-1",
        "four-1.tif",
        "four-1\n",
        "four-1\x00",
        "-four",
        "~four",
        "four_1",
        "four 1",
        "føur-1",
        "a" * 82,
        "four-1/../four-1",
        "\\four-1",
    ],
)
def test_no_such_picture(data, identifier):
    assert describe(identifier, 3, "x", data) is None
    assert render(identifier, parse(3, "full", "max", "0", "default", "jpg"), data) is None


def test_what_lies_outside_raises(data):
    for region, size in (("1200,0,5,5", "max"), ("full", "1201,"), ("full", "^20000,")):
        with pytest.raises(BadImageRequest):
            render("four-1", parse(3, region, size, "0", "default", "jpg"), data)


GOOD = {
    "version": 3,
    "identifier": "four-1",
    "region": "full",
    "size": "60,",
    "rotation": "0",
    "quality": "default",
    "format": "jpg",
}


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({}, 200),
        ({"format": "tif"}, 400),
        ({"region": "9000,0,1,1"}, 400),
        ({"size": "5000,"}, 400),
        ({"size": "٦٠,"}, 400),
        ({"identifier": "four-2"}, 404),
    ],
)
def test_the_view_answers(settings, data, wrong, status):
    settings.DEMO_DATA = data
    response = image(RequestFactory().get("/"), **{**GOOD, **wrong})
    assert response.status_code == status
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Content-Type"] == ("image/jpeg" if status == 200 else "application/json")
    if status == 200:
        assert response["Link"] == '<http://iiif.io/api/image/3/level2.json>;rel="profile"'
    else:
        assert b'"error"' in response.content

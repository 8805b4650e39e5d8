from __future__ import annotations

from decimal import Decimal
from time import process_time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from iiif_auth.enforce.imagepath import BadImageRequest, Box, ImageRequest, Limits, UnsupportedFormat, Version, parse

WIDE, HIGH = 1000, 600


def request(version: Version, region: str = "full", size: str = "max", rotation: str = "0") -> ImageRequest:
    return parse(version, region, size, rotation, "default", "jpg")


def size_of(version: Version, size: str, region: str = "full") -> tuple[int, int]:
    box = request(version, region, size).box(WIDE, HIGH)
    return box.width, box.height


# -- Regions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    ("region", "taken"),
    [
        ("full", (0, 0, 1000, 600)),
        ("square", (200, 0, 600, 600)),
        ("0,0,1,1", (0, 0, 1, 1)),
        ("10,20,30,40", (10, 20, 30, 40)),
        ("900,500,400,400", (900, 500, 100, 100)),
        ("0,0,999999999,999999999", (0, 0, 1000, 600)),
        ("pct:0,0,100,100", (0, 0, 1000, 600)),
        ("pct:10,10,50,50", (100, 60, 500, 300)),
        ("pct:41.6,7.5,40,70", (416, 45, 400, 420)),
        ("pct:50,50,100,100", (500, 300, 500, 300)),
        ("pct:0,0,0.0001,0.0001", (0, 0, 1, 1)),
    ],
)
def test_region(version, region, taken):
    box = request(version, region, "max").box(WIDE, HIGH)
    assert (box.x, box.y, box.region_width, box.region_height) == taken


@pytest.mark.parametrize(
    "region", ["1000,0,5,5", "0,600,5,5", "999999999,999999999,1,1", "pct:100,0,5,5", "pct:99.99,0,1,1"]
)
def test_a_region_outside_the_image_is_an_error(region):
    with pytest.raises(BadImageRequest, match="outside the image"):
        request(3, region).box(WIDE, HIGH)


BAD_REGIONS = [
    "",
    "Full",
    "full ",
    " full",
    "full\n",
    "square,",
    "max",
    "0,0,0,10",
    "0,0,10,0",
    "0,0,10",
    "0,0,10,10,10",
    "-1,0,10,10",
    "0,0,-10,10",
    "+1,0,10,10",
    "0, 0,10,10",
    "1.5,0,10,10",
    "1e3,0,10,10",
    "٤٠٠,0,10,10",
    "4_0,0,10,10",
    "040,0,10,10",
    "0,0,10,1\n",
    "0x10,0,1,1",
    "pct:",
    "pct:0,0,0,10",
    "pct:0,0,10,0.0",
    "pct:nan,0,10,10",
    "pct:inf,0,10,10",
    "pct:1e1,0,10,10",
    "pct:-1,0,10,10",
    "pct:.5,0,10,10",
    "pct:5.,0,10,10",
    "PCT:0,0,10,10",
    "pct:0,0,10,10,",
    "pct:1_0,0,10,10",
    "0,0,10,１０",
    "1" * 400 + ",0,10,10",
    "pct:0." + "1" * 400 + ",0,10,10",
    "0,0,1000000000,10",
    "../full",
    "full%0a",
    "full\x00",
    "0,0,10,10\u2028",
]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("region", BAD_REGIONS)
def test_no_such_region(version, region):
    with pytest.raises(BadImageRequest, match=r"^[A-Z].*\.$"):
        request(version, region)


# -- Sizes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "size", "expected"),
    [
        (2, "full", (1000, 600)),
        (2, "max", (1000, 600)),
        (2, "400,", (400, 240)),
        (2, ",300", (500, 300)),
        (2, "pct:50", (500, 300)),
        (2, "400,400", (400, 400)),
        (2, "!300,300", (300, 180)),
        (2, "!2000,2000", (2000, 1200)),
        (2, "2000,", (2000, 1200)),
        (2, "pct:150", (1500, 900)),
        (2, "1,", (1, 1)),
        (2, "333,", (333, 200)),
        (2, "335,", (335, 201)),
        (3, "max", (1000, 600)),
        (3, "400,", (400, 240)),
        (3, ",300", (500, 300)),
        (3, "pct:50", (500, 300)),
        (3, "400,400", (400, 400)),
        (3, "!300,300", (300, 180)),
        (3, "!2000,2000", (1000, 600)),
        (3, "!2000,300", (500, 300)),
        (3, "1000,600", (1000, 600)),
        (3, "^2000,", (2000, 1200)),
        (3, "^,1200", (2000, 1200)),
        (3, "^pct:150", (1500, 900)),
        (3, "^1200,700", (1200, 700)),
        (3, "^!2000,2000", (2000, 1200)),
        (3, "^400,", (400, 240)),
        (3, "pct:100", (1000, 600)),
        (3, "pct:0.01", (1, 1)),
        (3, "pct:33.3", (333, 200)),
    ],
)
def test_size(version, size, expected):
    assert size_of(version, size) == expected


@pytest.mark.parametrize("size", ["1001,", ",601", "1001,10", "10,601", "pct:100.1", "pct:120"])
def test_version_3_wants_a_caret_before_it_enlarges(size):
    with pytest.raises(BadImageRequest, match=r"wants \^"):
        request(3, "full", size).box(WIDE, HIGH)
    assert request(3, "full", f"^{size}").box(WIDE, HIGH) == request(2, "full", size).box(WIDE, HIGH)


def test_a_size_is_measured_against_the_region_and_not_the_image():
    with pytest.raises(BadImageRequest, match=r"wants \^"):
        request(3, "0,0,100,100", "101,").box(WIDE, HIGH)
    assert size_of(3, "!500,500", "0,0,100,50") == (100, 50)


def test_a_thin_tile_still_has_a_pixel():
    assert request(2, "0,0,512,3", "64,").box(1024, 1024) == Box(0, 0, 512, 3, 64, 1)


BAD_SIZES = [
    "",
    ",",
    "0,",
    ",0",
    "0,0",
    "w,",
    "400",
    "400,,",
    "!400,",
    "!,400",
    "!max",
    "!pct:50",
    "pct:0",
    "pct:0.0",
    "pct:-5",
    "pct:nan",
    "pct:",
    "pct:1e2",
    "pct:٥٠",
    "pct:5_0",
    "pct:050",
    "pct:50%",
    "400.0,",
    "0400,",
    "+400,",
    "4_00,",
    "٤٠٠,",
    "1e3,",
    "nan,",
    "-1,",
    "4e2,",
    "400,\n",
    " 400,",
    "400 ,",
    "^^max",
    "!^400,400",
    "!!400,400",
    "MAX",
    "10" * 200 + ",",
    "1000000000,",
    "pct:1000000",
    "400;",
    "４００,",
]


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("size", BAD_SIZES)
def test_no_such_size(version, size):
    with pytest.raises(BadImageRequest, match=r"^[A-Z].*\.$"):
        request(version, "full", size)


@pytest.mark.parametrize("size", ["^max", "^400,", "^pct:50", "^!400,400", "^full"])
def test_version_2_knows_no_caret(size):
    with pytest.raises(BadImageRequest):
        request(2, "full", size)


def test_version_3_knows_no_full_size():
    with pytest.raises(BadImageRequest):
        request(3, "full", "full")


@pytest.mark.parametrize("size", ["^10001,", "^5001,5000", "^pct:100000", "^999999999,999999999"])
def test_nothing_is_made_larger_than_the_limits(size):
    with pytest.raises(BadImageRequest, match="larger than this server makes"):
        request(3, "full", size).box(WIDE, HIGH)


@pytest.mark.parametrize(("width", "height"), [(1000, 600), (1, 4000), (4000, 1), (30_000, 30_000), (7, 9)])
def test_the_largest_size_is_within_the_limits_and_keeps_its_shape(width, height):
    limits = Limits(area=250_000, edge=2000)
    box = request(3, "full", "^max").box(width, height, limits)
    assert limits.admits(box.width, box.height)
    assert not limits.admits(box.width + 1 + box.width // box.height, box.height + 1 + box.height // box.width)


def test_max_of_a_picture_above_the_limits_is_smaller_than_it():
    assert request(3).box(2000, 1000, Limits(area=500_000, edge=10_000)) == Box(0, 0, 2000, 1000, 1000, 500)
    with pytest.raises(BadImageRequest):
        request(2, "full", "full").box(2000, 1000, Limits(area=500_000, edge=10_000))


# -- Rotation, quality, format --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rotation", "canonical"),
    [
        ("0", "0"),
        ("90", "90"),
        ("!0", "!0"),
        ("!180", "!180"),
        ("22.5", "22.5"),
        ("22.50", "22.5"),
        ("90.0", "90"),
        ("360", "360"),
        ("0.5", "0.5"),
    ],
)
def test_rotation(rotation, canonical):
    parsed = request(3, rotation=rotation).rotation
    assert parsed.canonical == canonical
    assert parsed.mirrored is rotation.startswith("!")
    assert parsed.degrees == Decimal(canonical.removeprefix("!"))


@pytest.mark.parametrize(
    "rotation",
    [
        "",
        "!",
        "-90",
        "+90",
        "090",
        "361",
        "360.1",
        "9e1",
        "nan",
        "inf",
        "٩٠",
        "9_0",
        "90!",
        "!!90",
        ".5",
        "5.",
        "90\n",
        "9" * 400,
        "90 ",
    ],
)
def test_no_such_rotation(rotation):
    with pytest.raises(BadImageRequest):
        request(3, rotation=rotation)


@pytest.mark.parametrize("quality", ["", "native", "grey", "Default", "default ", "default\n", "bitonal.jpg"])
def test_no_such_quality(quality):
    with pytest.raises(BadImageRequest):
        parse(3, "full", "max", "0", quality, "jpg")


@pytest.mark.parametrize("format", ["", "tif", "jp2", "pdf", "gif", "exe", "JPG", "jpeg", "jpg\n", "jpg "])
def test_no_such_format(format):
    with pytest.raises(UnsupportedFormat):
        parse(3, "full", "max", "0", "default", format)


def test_a_refusal_costs_nothing_however_long_the_number():
    start = process_time()
    for number in ("9" * 100_000, "0." + "0" * 100_000, "1" + "_1" * 50_000):
        with pytest.raises(BadImageRequest):
            request(3, "full", f"{number},")
        with pytest.raises(BadImageRequest):
            request(3, f"pct:{number},0,1,1")
    assert process_time() - start < 0.5


# -- The canonical spelling -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "given_path", "canonical"),
    [
        (2, "full/full/0/default.jpg", "full/full/0/default.jpg"),
        (2, "0,0,1000,600/max/0/color.jpg", "full/full/0/default.jpg"),
        (2, "pct:0,0,50,50/!100,100/90.0/gray.png", "0,0,500,300/100,/90/gray.png"),
        (2, "full/400,400/0/default.jpg", "full/400,400/0/default.jpg"),
        (2, "full/pct:200/!0/default.webp", "full/2000,/!0/default.webp"),
        (3, "full/max/0/default.jpg", "full/max/0/default.jpg"),
        (3, "square/max/0/color.jpg", "200,0,600,600/max/0/default.jpg"),
        (3, "full/400,/0/default.jpg", "full/400,240/0/default.jpg"),
        (3, "full/1000,/0/default.jpg", "full/max/0/default.jpg"),
        (3, "full/^2000,/0/bitonal.png", "full/^2000,1200/0/bitonal.png"),
        (3, "full/^400,/0/default.jpg", "full/400,240/0/default.jpg"),
        (3, "full/^max/0/default.jpg", "full/^max/0/default.jpg"),
    ],
)
def test_canonical(version, given_path, canonical):
    assert read(version, given_path).canonical(WIDE, HIGH) == canonical


def read(version: Version, path: str) -> ImageRequest:
    region, size, rotation, file = path.split("/")
    quality, _, format = file.partition(".")
    return parse(version, region, size, rotation, quality, format)


edge = st.integers(1, 3000)
percent = st.decimals(0, 100, places=3, allow_nan=False, allow_infinity=False).map(lambda number: f"{number:f}")
regions = st.one_of(
    st.sampled_from(["full", "square"]),
    st.tuples(st.integers(0, 3000), st.integers(0, 3000), edge, edge).map(lambda four: ",".join(map(str, four))),
    st.tuples(percent, percent, percent, percent).map(lambda four: "pct:" + ",".join(four)),
)
sizes = st.one_of(
    st.just("max"),
    edge.map("{},".format),
    edge.map(",{}".format),
    st.tuples(edge, edge).map(lambda two: f"{two[0]},{two[1]}"),
    st.tuples(edge, edge).map(lambda two: f"!{two[0]},{two[1]}"),
    percent.map("pct:{}".format),
)
rotations = st.tuples(st.sampled_from(["", "!"]), st.decimals(0, 360, places=2)).map(lambda two: f"{two[0]}{two[1]:f}")
files = st.sampled_from(["default.jpg", "color.png", "gray.webp", "bitonal.jpg"])


@given(st.sampled_from([2, 3]), st.booleans(), regions, sizes, rotations, files, edge, edge)
def test_the_canonical_spelling_means_the_same_and_is_its_own(
    version, caret, region, size, rotation, file, width, height
):
    spelled = f"^{size}" if caret and version == 3 else size
    try:
        asked = read(version, f"{region}/{spelled}/{rotation}/{file}")
        box, canonical = asked.box(width, height), asked.canonical(width, height)
    except BadImageRequest:
        assume(False)
    again = read(version, canonical)
    assert again.box(width, height) == box
    assert again.canonical(width, height) == canonical
    assert again.rotation == asked.rotation


@given(st.sampled_from([2, 3]), regions, sizes, edge, edge)
def test_a_box_is_inside_the_image_and_never_empty(version, region, size, width, height):
    try:
        box = request(version, region, size).box(width, height)
    except BadImageRequest:
        return
    assert 0 <= box.x < box.x + box.region_width <= width
    assert 0 <= box.y < box.y + box.region_height <= height
    assert min(box.width, box.height) >= 1
    assert Limits().admits(box.width, box.height)
    assert version == 2 or not box.enlarges


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=10), st.text(max_size=10), st.text(max_size=5))
def test_whatever_is_sent_is_read_or_refused(region, size, rotation, quality, format):
    for version in (2, 3):
        try:
            parse(version, region, size, rotation, quality, format)
        except BadImageRequest:
            continue

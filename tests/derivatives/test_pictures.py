"""Smaller pictures, looked at as pixels and as bytes."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import pyvips

from iiif_auth.derivatives import pictures
from iiif_auth.derivatives.limits import Limits, NotMade, Stopped, Watch
from iiif_auth.derivatives.recipes import Recipe
from tests.derivatives import originals

FORMS = {"tif": "tiff", "jpg": "jpeg", "png": "png", "webp": "webp"}


def made(original, into, edge=400, recipe=None, limits=None):
    """What came out, opened."""
    watch = Watch(limits or Limits())
    pictures.make(original, into, FORMS[into.suffix[1:]], edge, recipe or Recipe(), watch)
    return pyvips.Image.new_from_file(str(into))


def contrast(picture):
    """Of the striped half, between the lightest and the darkest in its middle."""
    part = picture.colourspace("b-w").crop(
        picture.width // 8, picture.height // 4, picture.width // 4, picture.height // 2
    )
    return part.max() - part.min()


@pytest.mark.parametrize("ending", FORMS)
def test_the_longest_edge_is_that_of_the_tier(tmp_path, ending):
    original = originals.write(originals.stripes(), tmp_path / f"a.{ending}")
    small = made(original, tmp_path / f"b.{ending}")
    assert (small.width, small.height) == (400, 300)


def test_it_is_never_enlarged(tmp_path):
    original = originals.write(originals.stripes(300, 200), tmp_path / "a.png")
    small = made(original, tmp_path / "b.png")
    assert (small.width, small.height) == (300, 200)


@pytest.mark.parametrize("ending", FORMS)
@pytest.mark.parametrize("edge", [400, 5000], ids=["smaller", "as large"])
def test_nothing_but_pixels_comes_along(tmp_path, ending, edge):
    original = originals.write(originals.stripes(), tmp_path / f"a.{ending}")
    assert originals.is_in(originals.CANARY, original), "The test planted nothing."
    assert pyvips.Image.new_from_file(str(original)).get_typeof("icc-profile-data")
    small = made(original, tmp_path / f"b.{ending}", edge)
    assert not originals.is_in(originals.CANARY, tmp_path / f"b.{ending}")
    assert [
        name for name in small.get_fields() if name.startswith(("exif", "xmp", "iptc", "icc", "photoshop", "jpeg-th"))
    ] == []


def test_a_writer_that_keeps_metadata_is_found_out(tmp_path, monkeypatch):
    """The broken twin of the test above: what is written is read back, and thrown away if anything came along."""
    original = originals.write(originals.stripes(), tmp_path / "a.jpg")
    monkeypatch.setitem(
        pictures.WRITERS, "jpeg", lambda picture, path, _quality: picture.jpegsave(str(path), keep="all")
    )
    with pytest.raises(NotMade, match=r"It came out with exif-data.* of the original, so it was thrown away\."):
        made(original, tmp_path / "b.jpg")


def test_the_other_pages_of_a_tiff_stay_behind(tmp_path):
    pages = pyvips.Image.arrayjoin([originals.light(200, 800, 600), originals.light(17, 800, 600)], across=1)
    original = tmp_path / "a.tif"
    pages.copy().tiffsave(str(original), page_height=600)
    assert pyvips.Image.new_from_file(str(original)).get("n-pages") == 2
    small = made(original, tmp_path / "b.tif", 500)
    for page in range(small.get("n-pages")):
        level = pyvips.Image.tiffload(str(tmp_path / "b.tif"), page=page)
        assert max(level.width, level.height) <= 500
        assert level.min() > 150, "There is something of the second page."


def test_a_tiff_is_tiled_and_has_a_pyramid(tmp_path):
    small = made(originals.write(originals.stripes(1600, 1200), tmp_path / "a.tif"), tmp_path / "b.tif", 1000)
    assert small.get("tile-width") == 256
    sizes = [pyvips.Image.tiffload(str(tmp_path / "b.tif"), page=page).width for page in range(small.get("n-pages"))]
    assert sizes == [1000, 500, 250]


def test_a_pyramid_is_read_at_the_level_that_will_do_and_looks_the_same(tmp_path):
    plain = originals.write(originals.stripes(1600, 1200, period=64), tmp_path / "a.tif")
    levels = originals.write(originals.stripes(1600, 1200, period=64), tmp_path / "c.tif", tile=True, pyramid=True)
    header = pictures.opened(levels)
    assert pictures._level(levels, header, 400).width == 400
    assert pictures._level(levels, header, 401).width == 800
    difference = (made(plain, tmp_path / "b.png") - made(levels, tmp_path / "d.png")).abs()
    assert difference.avg() < 3


@pytest.mark.parametrize("pyramid", [False, True])
def test_it_is_upright(tmp_path, pyramid):
    noted = originals.stripes().copy()
    noted.set_type(pyvips.GValue.gint_type, "orientation", 6)
    noted.tiffsave(str(tmp_path / "a.tif"), tile=pyramid, pyramid=pyramid, compression="lzw")
    small = made(tmp_path / "a.tif", tmp_path / "b.jpg")
    assert (small.width, small.height) == (300, 400)


@pytest.mark.parametrize("space", ["cmyk", "grey16", "rgb16", "lab", "b-w"])
def test_any_colours_become_srgb_or_grey_of_eight_bits(tmp_path, space):
    picture = originals.light(180, 640, 480).colourspace(space)
    picture.tiffsave(str(tmp_path / "a.tif"), compression="lzw")
    small = made(tmp_path / "a.tif", tmp_path / "b.tif", 320)
    assert (small.interpretation, small.format) == ("b-w" if space in ("grey16", "b-w") else "srgb", "uchar")
    assert small.avg() == pytest.approx(180, abs=12)


def test_what_was_transparent_shows_nothing_of_what_was_under_it(tmp_path):
    hidden = originals.light(20, 640, 480).bandjoin(pyvips.Image.black(640, 480)).copy(interpretation="srgb")
    hidden.pngsave(str(tmp_path / "a.png"))
    small = made(tmp_path / "a.png", tmp_path / "b.png")
    assert (small.bands, small.min()) == (3, 255)


# -- Treating -------------------------------------------------------------------------------------------------------


def test_blur_takes_the_detail_away(tmp_path):
    original = originals.write(originals.stripes(1600, 1200, period=32), tmp_path / "a.tif")
    sharp = contrast(made(original, tmp_path / "b.tif", 800))
    blurred = made(original, tmp_path / "c.tif", 800, Recipe(blur=0.02))
    assert (blurred.width, blurred.height) == (800, 600)
    assert sharp > 200
    assert contrast(blurred) < 12


def test_blur_leaves_nothing_that_sharpening_could_bring_back(tmp_path):
    """What a filter has smeared is still there, weakly; what fewer pixels could not hold is not."""
    original = originals.write(originals.stripes(1600, 1200, period=48), tmp_path / "a.png")
    sharp, blurred = made(original, tmp_path / "b.png", 800), made(original, tmp_path / "c.png", 800, Recipe(blur=0.02))
    assert strength(sharp, period=24) > 100
    assert strength(sharp.gaussblur(8), period=24) > 8, "The twin, smeared as much, can be sharpened."
    assert strength(blurred, period=24) < 1


def strength(picture, period):
    """Of stripes so many pixels wide, in one line across the striped half."""
    line = picture.colourspace("b-w").numpy()[300, 24:384].astype(float).ravel()
    return abs(np.fft.rfft(line)[len(line) // period]) * 2 / len(line)


def test_grey_is_one_band(tmp_path):
    original = originals.write(originals.stripes(), tmp_path / "a.jpg")
    small = made(original, tmp_path / "b.jpg", 400, Recipe(grey=True))
    assert (small.bands, small.interpretation) == (1, "b-w")


@pytest.mark.parametrize("value", [30, 225], ids=["dark", "light"])
@pytest.mark.parametrize("mark", ["words", "file"])
@pytest.mark.parametrize("grey", [False, True])
def test_a_watermark_is_seen_in_every_part(tmp_path, value, mark, grey):
    stamp = tmp_path / "stamp.png"
    (pyvips.Image.black(90, 30, bands=3) + [200, 60, 120]).cast("uchar").copy(interpretation="srgb").pngsave(str(stamp))
    recipe = (
        Recipe(watermark="<b>Merehaven & Co", grey=grey)
        if mark == "words"
        else Recipe(watermark_file=str(stamp), grey=grey)
    )
    original = originals.write(originals.light(value), tmp_path / "a.tif")
    plain, marked = made(original, tmp_path / "b.tif", 600), made(original, tmp_path / "c.tif", 600, recipe)
    assert (marked.width, marked.height, marked.bands) == (600, 450, 1 if grey else 3)
    change = (marked.colourspace("b-w") - plain.colourspace("b-w")).abs()
    for left in (0, 200, 400):
        for top in (0, 150, 300):
            assert change.crop(left, top, 200, 150).max() > 20, (left, top)


def test_a_small_picture_can_have_a_watermark_too(tmp_path):
    original = originals.write(originals.light(200, 40, 30), tmp_path / "a.png")
    assert made(original, tmp_path / "b.png", 20, Recipe(watermark="Merehaven Library")).deviate() > 1


def test_quality_makes_files_smaller(tmp_path):
    noise = pyvips.Image.gaussnoise(800, 600, mean=128, sigma=40).cast("uchar").copy(interpretation="b-w")
    noise.pngsave(str(tmp_path / "a.png"))
    made(tmp_path / "a.png", tmp_path / "high.jpg", 600, Recipe(quality=95))
    made(tmp_path / "a.png", tmp_path / "low.jpg", 600, Recipe(quality=20))
    assert (tmp_path / "low.jpg").stat().st_size * 3 < (tmp_path / "high.jpg").stat().st_size


# -- Refusing -------------------------------------------------------------------------------------------------------


def test_a_broken_picture_is_a_sentence(tmp_path):
    whole = originals.write(originals.stripes(), tmp_path / "a.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NotMade, match=r"^libvips says: .+\.$"):
        made(tmp_path / "half.jpg", tmp_path / "b.jpg")


@pytest.mark.parametrize(
    "text", [b"", b"GIF89a", b"#!/bin/sh\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"]
)
def test_what_is_no_picture_is_not_given_to_a_reader_that_might_take_it(tmp_path, text):
    (tmp_path / "a.tif").write_bytes(text)
    with pytest.raises(NotMade, match="It is not a TIFF"):
        made(tmp_path / "a.tif", tmp_path / "b.tif")


def test_options_in_the_name_of_a_file_are_its_name(tmp_path):
    original = originals.write(originals.stripes(), tmp_path / "a.png").rename(tmp_path / "a.png[shrink=9]")
    pictures.make(original, tmp_path / "b.png[Q=1]", "png", 400, Recipe(), Watch(Limits()))
    assert pictures.longest_edge(tmp_path / "b.png[Q=1]") == 400


def test_too_many_pixels_are_refused_before_they_are_decoded(tmp_path):
    originals.light(200, 4000, 3000).pngsave(str(tmp_path / "a.png"))
    with pytest.raises(NotMade, match=r"4000 x 3000 pixels, more than 11 megapixels; raise --max-megapixels"):
        made(tmp_path / "a.png", tmp_path / "b.png", limits=Limits(megapixels=11))
    assert made(tmp_path / "a.png", tmp_path / "b.png", limits=Limits(megapixels=12)).width == 400


def test_it_ends_when_its_time_is_over_or_somebody_stops_it(tmp_path):
    original = originals.write(originals.stripes(), tmp_path / "a.tif")
    with pytest.raises(NotMade, match="It took more than 0 minutes"):
        made(original, tmp_path / "b.tif", limits=Limits(minutes=0))
    stopping = threading.Event()
    stopping.set()
    with pytest.raises(Stopped):
        pictures.make(original, tmp_path / "c.tif", "tiff", 400, Recipe(), Watch(Limits(), stopping))

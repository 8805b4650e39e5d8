"""Recipes: what is understood, and what is refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from iiif_auth.derivatives.recipes import NotARecipe, Recipe, Recipes, read
from tests.derivatives import originals

TABLES = """
[members]
scale = 1200
watermark = "Merehaven Library"

["survey/public"]
blur = 0.02
grey = true
quality = 75

[clip]
clip_seconds = 30
start = 10
max_height = 360
bitrate = "600k"
"""


@pytest.fixture
def file(tmp_path):
    def write(text):
        (tmp_path / "recipe.toml").write_text(text)
        return tmp_path / "recipe.toml"

    return write


def test_a_table_is_for_a_tier_and_says_otherwise_than_the_options(file, tmp_path):
    told = read(file(TABLES), {"quality": 90, "watermark": "Draft"}, tmp_path)
    assert told.of("any", "members") == Recipe(scale=1200, watermark="Merehaven Library", quality=90)
    assert told.of("survey", "public") == Recipe(watermark="Draft", blur=0.02, grey=True, quality=75)
    assert told.of("another", "public") == Recipe(watermark="Draft", quality=90)
    assert told.of("any", "clip") == Recipe(
        watermark="Draft", quality=90, clip_seconds=30.0, start=10.0, max_height=360, bitrate="600k"
    )


def test_a_png_is_found_beside_the_recipe(file, tmp_path):
    originals.light(3, 8, 8).pngsave(str(tmp_path / "stamp.png"))
    told = read(file('[members]\nwatermark = "stamp.png"'), {"watermark": "Draft"}, Path("/nowhere"))
    assert told.of("any", "members") == Recipe(watermark_file=str(tmp_path / "stamp.png"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[members", "is not TOML"),
        ("scale = 3", "“scale” stands alone; put it below the name of a tier"),
        ("[members]\nsize = 3", r"table \[members\]: “size” is no instruction; there are scale, watermark, "),
        ("[members]\nscale = 0", r"“scale” has to be a whole number from 1 to 100000, not 0\."),
        ("[members]\nscale = true", "“scale” has to be a whole number"),
        ("[members]\nscale = 1.5", "“scale” has to be a whole number"),
        ('[members]\nscale = "400"', "“scale” has to be a whole number"),
        ("[members]\nblur = 0", "“blur” has to be a number above 0 up to 0.5"),
        ("[members]\nblur = nan", "“blur” has to be a number"),
        ("[members]\nblur = 0.6", "“blur” has to be a number"),
        ("[members]\nblur = true", "“blur” has to be a number"),
        ("[members]\nclip_seconds = inf", "“clip_seconds” has to be a number"),
        ("[members]\nstart = -1", "“start” has to be a number from 0"),
        ('[members]\ngrey = "yes"', "“grey” has to be true or false"),
        ("[members]\nquality = 101", "“quality” has to be a whole number from 1 to 100"),
        ('[members]\nbitrate = "fast"', "“bitrate” has to be a text such as “600k”"),
        ('[members]\nbitrate = "٦٠٠k"', "“bitrate” has to be"),
        ('[members]\nbitrate = "600k -f null"', "“bitrate” has to be"),
        ("[members]\nbitrate = 600", "“bitrate” has to be"),
        ('[members]\nwatermark = " "', "“watermark” has to be a line"),
        ('[members]\nwatermark = "a\\nb"', "“watermark” has to be a line"),
        ('[members]\nwatermark = "gone.png"', "The watermark gone.png can not be read: No such file"),
        ('[members]\nwatermark = "text.png"', "The watermark text.png is not a PNG"),
    ],
)
def test_what_is_no_recipe_is_refused_with_a_sentence(file, tmp_path, text, why):
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(NotARecipe, match=why):
        read(file(text), {}, tmp_path)


def test_a_recipe_that_is_not_there_is_a_sentence(tmp_path):
    with pytest.raises(NotARecipe, match=r"can not be read: No such file or directory\."):
        read(tmp_path / "gone.toml", {}, tmp_path)


def test_options_are_read_as_strictly(tmp_path):
    with pytest.raises(NotARecipe, match="“quality” has to be a whole number"):
        read(None, {"quality": 0}, tmp_path)
    assert read(None, {}, tmp_path) == Recipes({})


@pytest.mark.parametrize(("scale", "allowed", "edge"), [(0, 500, 500), (300, 500, 300), (900, 500, 500)])
def test_no_recipe_makes_more_than_the_tier_allows(scale, allowed, edge):
    assert Recipe(scale=scale).edge(allowed) == edge


def test_the_digest_changes_with_everything_that_changes_the_file(tmp_path):
    stamp = tmp_path / "stamp.png"
    stamp.write_bytes(b"one")
    several = [
        Recipe(),
        Recipe(quality=84),
        Recipe(grey=True),
        Recipe(blur=0.1),
        Recipe(watermark="a"),
        Recipe(watermark="b"),
        Recipe(watermark_file=str(stamp)),
        Recipe(clip_seconds=3),
        Recipe(start=3),
        Recipe(max_height=90),
        Recipe(bitrate="3k"),
    ]
    digests = [recipe.digest(400, "tiff") for recipe in several]
    stamp.write_bytes(b"two")
    digests += [several[6].digest(400, "tiff"), Recipe().digest(401, "tiff"), Recipe().digest(400, "jpeg")]
    assert len(set(digests)) == len(digests)
    assert Recipe(scale=500).digest(400, "tiff") != Recipe(scale=300).digest(400, "tiff")
    assert Recipe().digest(400, "tiff") == digests[0]

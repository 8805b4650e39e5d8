"""Lesser versions: a short run of :mod:`tests.security.tiers`, and that it finds the ways in which limits are no limits."""

from __future__ import annotations

from pathlib import Path

import pytest

from iiif_auth.enforce import scaled
from iiif_auth.enforce.imagepath import BadImageRequest
from tests.security import tiers
from tests.security.tickets import SETTINGS


@pytest.fixture(autouse=True)
def library(settings):
    for name, value in SETTINGS.items():
        setattr(settings, name, value)


def test_nothing_is_delivered_above_the_scale_of_the_tier():
    found = tiers.campaign(6_000, seed=1)
    assert found.wrong == []
    assert found.granted > 1_000
    assert found.refused > 1_000
    assert found.derived > 500


def test_in_pictures_there_is_nothing_finer_than_the_tiers_pixels(tmp_path: Path):
    found = tiers.decoded(60, seed=1, folder=tmp_path)
    assert (found.wrong, found.granted) == ([], 60)


def capped(request, virtual, width, height):
    """A limit on the size of what is sent, as many have it: small pieces at full scale make the whole (security I1)."""
    if request.format not in virtual.formats or request.quality not in virtual.qualities:
        raise BadImageRequest("no")
    box = request.box(width, height)
    if max(box.width, box.height) > virtual.max_edge or box.enlarges or request.rotation.degrees % 90:
        raise BadImageRequest("no")
    region = f"{box.x},{box.y},{box.region_width},{box.region_height}"
    turn = request.rotation.canonical
    return f"{region}/{box.width},{box.height}/{turn}/{request.quality}.{request.format}"


def rounded_inwards(small, box):
    """A part that is smaller than what was asked for is at a larger scale."""
    x, y, wide, high = real_region(small, box)
    return x, y, max(1, wide - 1), max(1, high - 1)


def any_form(request, virtual, width, height):
    everything = type(virtual)(virtual.max_edge, ("jpg", "png", "webp"), ("default", "color", "gray", "bitonal"))
    return real(request, everything, width, height)


def enlarging(request, virtual, width, height):
    small = scaled.canvas(virtual, width, height)
    box = request.box(small.width, small.height)
    x, y, wide, high = scaled.region(small, box)
    return f"{x},{y},{wide},{high}/{box.width},{box.height}/0/{virtual.qualities[0]}.{virtual.formats[0]}"


real, real_region = scaled.translated, scaled.region
TWINS = {
    "a limit on what is sent": ("translated", capped, "has a scale of"),
    "parts rounded inwards": ("region", rounded_inwards, "has a scale of"),
    "any format": ("translated", any_form, "should be refused (form)"),
    "enlarging": ("translated", enlarging, "should be refused (larger)"),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_twin_is_found(name, monkeypatch):
    what, twin, words = TWINS[name]
    monkeypatch.setattr(scaled, what, twin)
    assert any(words in line for line in tiers.campaign(1_500, seed=2).wrong)


def test_in_the_pictures_of_a_limit_on_what_is_sent_the_squares_are_seen(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(scaled, "translated", capped)
    found = tiers.decoded(60, seed=2, folder=tmp_path)
    assert any("shows the squares" in line for line in found.wrong)


def test_the_mosaic_is_not_to_be_had(settings, monkeypatch):
    """The attack itself: 300 squares of 400 pixels, which rebuild 6000 x 8000 under a limit of 400 pixels (security I1)."""
    squares = [f"{x},{y},400,400/max/0/default.jpg" for x in range(0, 6000, 400) for y in range(0, 8000, 400)]

    def had() -> int:
        cases = [tiers.Case(3, 6000, 8000, 400, ("jpg",), ("default",), square, derived=False) for square in squares]
        pixels = 0
        for one in cases:
            with tiers.held([one]):
                found = tiers.UPSTREAM.fullmatch(tiers.answered(one).upstream)
            pixels += int(found["across"]) * int(found["down"]) if found else 0
        return pixels

    assert (
        had() == 300 * 400
    )  # the whole of the small version, 300 x 400, is in the first square; the others are outside of it
    monkeypatch.setattr(scaled, "translated", capped)
    assert had() == 6000 * 8000

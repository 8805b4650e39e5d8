"""Leaves of a book of songs: staves, notes and verses, all invented."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from project.collection.paper import bitten, paper, seeded, stain
from project.collection.plate import BROWN_INK, Plate, curve

_TITLES: Final = ("The Coming of the Ice", "For the Boats That Stay", "When the Lamp Is Carried In")
_VERSES: Final = (
    (
        "Lay by the oar and bank the fire,",
        "the sound is white from shore to shore,",
        "and she that went to wake the day",
    ),
    ("Three for the keel and three for the tide,", "and none for the wind that took the sail;", "we sing you dry"),
    ("Who bears the lamp shall bear it low,", "who keeps the door shall keep it wide,", "till the long night turns"),
)
_GAP: Final = 17


def song_leaf(number: int) -> Image.Image:
    width, height = 1500, 2000
    rng = seeded(f"songs-{number}")
    plate = Plate(width, height)
    plate.write(width / 2, 190, _TITLES[number - 1], 56, BROWN_INK, anchor="middle", slant=0.4, tremble=rng, weight=1.1)
    plate.write(
        width / 2, 262, "not to be sung before the first frost", 32, BROWN_INK, anchor="middle", slant=0.5, tremble=rng
    )
    for row in range(6):
        top = 360.0 + row * 262
        _staff(plate, rng, top, width)
        plate.write(170, top + 158, _VERSES[number - 1][row % 3], 40, BROWN_INK, slant=0.5, tremble=rng)
    sheet = stain(paper(rng, width, height, (233, 221, 193), 1.4), rng, 1180, 1640, 120)
    return plate.printed_on(sheet, bitten(rng, width, height, 0.7))


def _staff(plate: Plate, rng: np.random.Generator, top: float, width: int) -> None:
    """Five lines, a mark at their beginning, and as many notes as fit, each a step or two from the last."""
    for line in range(5):
        plate.line([(130, top + line * _GAP), (width - 130, top + line * _GAP + rng.uniform(-2, 2))], BROWN_INK, 1.5)
    hook = [(165, top + 84), (186, top + 40), (170, top - 14), (152, top + 22), (178, top + 56), (160, top + 70)]
    plate.pen(curve(hook), BROWN_INK, 4)
    place = 4
    for x in np.arange(250, width - 170, 74):
        place = int(np.clip(place + rng.integers(-2, 3), 0, 8))
        _note(plate, float(x + rng.uniform(-8, 8)), top + place * _GAP / 2, place > 4)


def _note(plate: Plate, x: float, y: float, up: bool) -> None:
    plate.disc(x, y, 9, BROWN_INK)
    stem = -62 if up else 62
    plate.line([(x + (8 if up else -8), y), (x + (8 if up else -8), y + stem)], BROWN_INK, 2.4)

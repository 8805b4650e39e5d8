"""Minute book, infirmary register, diary and a sealed letter. Every name in them is invented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from project.collection.paper import Field, bitten, clouds, paper, seeded, stain
from project.collection.plate import BROWN_INK, INK, Colour, Pixels, Plate, arc, curve, to_image

Rng = np.random.Generator

_BLUE_RULE: Colour = (150, 172, 196)
_RED_RULE: Colour = (196, 96, 92)
_BLUE_INK: Colour = (44, 52, 92)

_MINUTES: Final = (
    (
        (
            "At a meeting of the Trustees of the Harbour, held at the",
            "Custom House on Tuesday the 8th of March 1887.",
            "Present Mr Tarn in the chair, Captain Isbister, Mr Oddy,",
            "Mr Fell, the Revd Mr Quale, and the Harbour Master.",
        ),
        ("The minutes of the last meeting were read and confirmed.",),
        (
            "The Harbour Master reported one hundred and twelve boats",
            "in the season, being nine more than in the year before, and",
            "that the north steps want mending before the herring come.",
        ),
        (
            "Resolved, that tar and timber be bought of Messrs Oddy",
            "at a cost of not more than 23 pounds 6 shillings.",
        ),
        (
            "A letter was read from the widow Marr asking for leave to",
            "dry nets upon the green. Granted, at the pleasure of the",
            "Trustees, Mr Fell dissenting.",
        ),
        ("The beacon on the Calf to be painted white.",),
    ),
    (
        (
            "At a meeting held the 12th of April 1887. Present as before,",
            "Captain Isbister being at sea.",
        ),
        (
            "The Treasurer laid before the Trustees the accounts for the",
            "quarter, which were examined and found correct.",
        ),
        (
            "Dues upon landing  . . . . . . . . . . .  212 . 4 . 6",
            "Rent of cellars  . . . . . . . . . . . . . .  31 . 10 . 0",
            "Sale of old chain  . . . . . . . . . . . . . .  4 . 17 . 9",
            "Paid for tar and timber  . . . . . . .  23 . 6 . 0",
        ),
        (
            "The Clerk was desired to write to the owners of the brig",
            "Hesper, which has lain at the quay eleven weeks and pays",
            "nothing, that she must be moved by the next spring tide.",
        ),
        ("Ordered, that no dog be let loose upon the fish market.",),
    ),
    (
        (
            "At a special meeting, the 3rd of May 1887, called upon the",
            "matter of the new light. Present all the Trustees.",
        ),
        (
            "Captain Isbister said that in thirty years he had not known",
            "a winter so dark, and that four boats were lost for want of",
            "a lamp at the pier head.",
        ),
        (
            "The Revd Mr Quale moved, Mr Oddy seconding, that a",
            "lamp be set up and kept burning from dusk until day.",
        ),
        ("Carried, five to one.",),
        (
            "Mr Fell desired that his reasons be written down, namely",
            "that light is dear, that fish do not see it, and that nobody",
            "lit a lamp for his father.",
        ),
        ("The Trustees thanked Mr Fell and rose at nine.",),
    ),
)

_MARGINS: Final = (
    ("Present", "Minutes", "Boats", "Timber", "Nets", "Beacon"),
    ("Present", "Accounts", "Dues", "Brig", "Dogs"),
    ("Light", "Losses", "Motion", "Carried", "Mr Fell", "Rising"),
)

_DIARY: Final = (
    (
        "Monday 4th",
        (
            "Wind north east and very cold. Could not see the Calf",
            "until noon. Mended the small sail with Anna, who sews",
            "better than I do and says so.",
        ),
        "Tuesday 5th",
        (
            "Forty cran of herring, all before breakfast. The whole",
            "street smells of it. Sold at 18 shillings.",
            "Letter from Thomas at last! He is well, he is in Riga, he",
            "wants socks.",
        ),
    ),
    (
        "Thursday 14th",
        (
            "Fog. We rang the bell from four until eleven. At ten a",
            "voice answered out of it and we brought in the Hesper,",
            "all hands safe. They had rowed the last mile by the bell",
            "alone.",
        ),
        "Friday 15th",
        ("Slept. Rain. The cat has taken", "possession of the chart table and will not be moved."),
    ),
    (
        "Sunday 24th",
        (
            "First day with any warmth in it. Walked to the top of the",
            "hill and drew the harbour, badly, see below.",
        ),
        "Monday 25th",
        (
            "They light the lamp at the pier head tonight. Mr Fell",
            "came to look at it. He stood a long while and said nothing.",
        ),
    ),
)

_GIVEN: Final = (
    "Agnes",
    "Barnaby",
    "Clement",
    "Dorcas",
    "Edith",
    "Fergus",
    "Grizel",
    "Hamnet",
    "Isolde",
    "Jabez",
    "Keziah",
    "Lavinia",
    "Magnus",
    "Nessa",
    "Orlo",
    "Perpetua",
    "Quintin",
    "Rhona",
    "Silas",
    "Tamsin",
)
_FAMILY: Final = (
    "Ashgrove",
    "Brackwater",
    "Corrigill",
    "Dunnock",
    "Elverson",
    "Fairnie",
    "Gullane",
    "Hesketh-Orr",
    "Inglebright",
    "Jollife",
    "Kestleton",
    "Lomax",
    "Marrowby",
    "Netherby",
    "Ouseman",
    "Pellow",
)
_TRADES: Final = (
    "net maker",
    "cooper",
    "gutter",
    "pilot",
    "baker",
    "ship boy",
    "laundress",
    "carter",
    "rope walker",
    "smith",
)
_AILMENTS: Final = (
    "fever",
    "broken wrist",
    "cough, some weeks",
    "scald of hand",
    "sore chest",
    "hook in thumb",
    "fall from mast",
    "frostbite",
    "weak sight",
    "bad tooth",
)
_ENDS: Final = ("cured", "cured", "relieved", "sent home", "cured", "at own wish", "to Leith")


# -- Minute book ----------------------------------------------------------------------------------------------------


def minute_page(number: int) -> Image.Image:
    width, height = 1600, 2200
    rng = seeded(f"minutes-{number}")
    plate = Plate(width, height)
    _ruling(plate, 256, 66, _BLUE_RULE)
    plate.line([(235, 90), (235, height - 60)], _RED_RULE, 1.4)
    plate.line([(243, 90), (243, height - 60)], _RED_RULE, 1.0)
    plate.write(width - 130, 150, str(84 + number), 30, BROWN_INK, slant=0.3, tremble=rng)
    plate.write(width / 2, 190, "Merehaven Harbour Trustees", 40, BROWN_INK, anchor="middle", slant=0.5, tremble=rng)
    y, notes = 316.0, list(_MARGINS[number - 1])
    for paragraph in _MINUTES[number - 1]:
        _margin_note(plate, rng, y, notes.pop(0))
        for row, text in enumerate(paragraph):
            plate.write(
                275 + (55 if row == 0 else rng.uniform(-6, 6)),
                y,
                text,
                47,
                BROWN_INK,
                slant=0.52,
                tremble=rng,
                weight=0.95,
            )
            y += 66
        y += 66 * (len(_MINUTES[number - 1]) < 7)
    _signed(plate, rng, width - 560, min(y + 40, height - 150))
    sheet = paper(rng, width, height, (236, 226, 200), 1.3)
    sheet = _gutter(sheet, "left") if number % 2 else _gutter(sheet, "right")
    return plate.printed_on(_shown_through(sheet, rng), bitten(rng, width, height, 0.7))


def _margin_note(plate: Plate, rng: Rng, y: float, word: str) -> None:
    plate.write(64, y, word, 25, BROWN_INK, slant=0.5, tremble=rng)
    plate.line([(64, y + 9), (64 + len(word) * 13, y + 8)], BROWN_INK, 1)


def _signed(plate: Plate, rng: Rng, x: float, y: float) -> None:
    plate.write(x, y, "Jn. Tarn", 58, BROWN_INK, slant=0.6, tremble=rng)
    plate.write(x + 250, y + 10, "Chairman", 30, BROWN_INK, slant=0.5, tremble=rng)
    loops = [
        (x - 10, y + 26),
        (x + 140, y + 12),
        (x + 260, y + 34),
        (x + 120, y + 44),
        (x + 30, y + 30),
        (x + 330, y + 40),
    ]
    plate.pen(curve(loops), BROWN_INK, 3.4)


def _ruling(plate: Plate, top: float, step: float, colour: Colour, left: float = 0) -> None:
    for y in np.arange(top, plate.height - 60, step):
        plate.line([(left, y), (plate.width, y)], colour, 1.1)


def _gutter(sheet: Pixels, side: str) -> Pixels:
    """The shadow in the fold of the book, and the leaves beneath showing at the other edge."""
    width = sheet.shape[1]
    fold = np.exp(-np.arange(width) / 60.0) * 78 + np.exp(-np.arange(width) / 260.0) * 22
    leaves = np.where(np.arange(width) > width - 16, 24 * (np.arange(width) % 5 == 0) + 10, 0)
    shade = (fold + leaves).astype(np.float32)
    return sheet - (shade if side == "left" else shade[::-1])[None, :, None]


def _shown_through(sheet: Pixels, rng: Rng) -> Pixels:
    """Iron ink of the other side, mirrored and faint."""
    ghost = Plate(sheet.shape[1], sheet.shape[0], scale=1)
    for row in range(24):
        if row % 6 != 5:
            ghost.write(
                150 + rng.uniform(-9, 9), 316 + row * 66, "held that the said harbour be", 44, (0, 0, 0), slant=0.52
            )
            ghost.write(800, 316 + row * 66, "as before and no other", 44, (0, 0, 0), slant=0.52)
    faint = gaussian_filter(np.asarray(ghost.finished().convert("L"), dtype=np.float32)[:, ::-1], 2.2)
    return sheet - (255 - faint)[..., None] * np.array([0.045, 0.055, 0.06], dtype=np.float32)


# -- Infirmary register ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Column:
    left: float
    title: str


_COLUMNS: Final = (
    _Column(120, "No."),
    _Column(220, "Admitted"),
    _Column(400, "Name"),
    _Column(830, "Age"),
    _Column(930, "Trade"),
    _Column(1190, "Complaint"),
    _Column(1570, "Left"),
    _Column(1740, "Result"),
)
_REGISTER = (2040, 1560)


def register_opening(number: int) -> Image.Image:
    return _register(number, redacted=False)


def redacted_opening(number: int) -> Image.Image:
    """The same page with the names covered before it was photographed: nothing of them is in this file."""
    return _register(number, redacted=True)


def _register(number: int, redacted: bool) -> Image.Image:
    width, height = _REGISTER
    rng = seeded(f"register-{number}")
    plate = Plate(width, height)
    _register_form(plate, number)
    bars = [_entry(plate, rng, number, row, redacted) for row in range(19)]
    sheet = stain(
        _gutter(paper(rng, width, height, (226, 220, 196), 1.1), "left"), rng, 1600, 1250 - 160 * number, 90, 14
    )
    page = plate.printed_on(sheet, bitten(rng, width, height, 0.74))
    return _taped(page, bars, rng) if redacted else page


def _register_form(plate: Plate, number: int) -> None:
    width, height = _REGISTER
    plate.write(width / 2, 110, "MEREHAVEN INFIRMARY", 40, INK, style="roman", anchor="middle", spacing=5)
    plate.write(width / 2, 162, "Register of In-Patients", 30, INK, anchor="middle", slant=0.4)
    plate.write(140, 120, "1949", 34, _BLUE_INK, slant=0.3)
    plate.write(width - 110, 120, f"fo. {210 + number}", 26, _BLUE_INK, anchor="right", slant=0.4)
    _ruling(plate, 290, 64, _BLUE_RULE, 60)
    for column in _COLUMNS:
        plate.line([(column.left - 14, 190), (column.left - 14, height - 55)], _RED_RULE, 1.2)
        plate.caption(column.left, 196, column.title.upper(), 19, (70, 60, 56))
    for y in (190, 226, 232):
        plate.line([(60, y), (width - 50, y)], _RED_RULE, 1.4)


def _entry(plate: Plate, rng: Rng, number: int, row: int, redacted: bool) -> tuple[float, float, float, float]:
    y = 282 + row * 64
    name = f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}"
    day, stay = int(rng.integers(1, 28)), int(rng.integers(3, 40))
    month = (number * 3 + row // 7 - 1) % 12 + 1
    age, trade = int(rng.integers(6, 84)), str(rng.choice(_TRADES))
    cells = (
        str(number * 40 + row),
        f"{day}/{month}",
        "" if redacted else name,
        str(age),
        trade if age > 14 else "scholar",
        str(rng.choice(_AILMENTS)),
        f"{(day + stay) % 28 + 1}/{month % 12 + 1}",
        str(rng.choice(_ENDS)),
    )
    size, lean = rng.uniform(27, 30), 0.42 + 0.1 * (row // 7 % 2)
    ink = _BLUE_INK if (row // 7) % 2 == 0 else INK
    # One tremble per row and cell: leaving the name out must not move the rest of the page.
    for column, text in zip(_COLUMNS, cells, strict=True):
        hand = np.random.default_rng([number, row, int(column.left)])
        plate.write(column.left + hand.uniform(0, 7), y, text, size, ink, slant=lean, tremble=hand, weight=1.05)
    # All bars are of one length: a bar as long as the name would tell half of it.
    return (394, y - 41, 808, y + 15)


def _taped(page: Image.Image, bars: list[tuple[float, float, float, float]], rng: Rng) -> Image.Image:
    pixels = np.array(page, dtype=np.float32)
    for left, top, right, bottom in bars:
        shift = int(rng.integers(-4, 5))
        rows, columns = slice(int(top) + shift, int(bottom) + shift), slice(int(left), int(right))
        pixels[rows, columns] = 17 + rng.normal(0, 1.6, pixels[rows, columns].shape)
    return to_image(pixels)


# -- Diary ----------------------------------------------------------------------------------------------------------


def diary_page(number: int) -> Image.Image:
    width, height = 1500, 2000
    rng = seeded(f"diary-{number}")
    plate = Plate(width, height)
    y = 230.0
    first, first_lines, second, second_lines = _DIARY[number - 1]
    for heading, lines in ((first, first_lines), (second, second_lines)):
        plate.write(150, y, heading, 52, _BLUE_INK, slant=0.25, tremble=rng, weight=1.2)
        plate.pen(curve([(150, y + 16), (260, y + 12), (440, y + 17)]), _BLUE_INK, 3)
        y += 92
        for text in lines:
            lean = rng.uniform(-0.4, 0.2)
            plate.write(155 + rng.uniform(-10, 10), y, text, 50, _BLUE_INK, slant=0.22, tremble=rng, angle=lean)
            y += 80
        y += 50
    _SKETCHES[number - 1](plate, rng, y)
    sheet = _gutter(paper(rng, width, height, (238, 232, 214), 0.9), "right" if number % 2 else "left")
    if number == 2:
        sheet = stain(sheet, rng, 1130, 1640, 150, 26)
    return plate.printed_on(sheet, bitten(rng, width, height, 0.72))


def _harbour_sketch(plate: Plate, rng: Rng, y: float) -> None:
    ground = y + 470
    for ridge, share in ((0, 0.5), (1, 0.8)):
        x = np.linspace(160, 1340, 120)
        hill = ground - 150 * share - 70 * np.sin(x / (170 + 70 * ridge) + ridge * 2) - rng.normal(0, 2.4, 120)
        plate.pen(np.stack([x, hill], axis=1), _BLUE_INK, 2.6)
    for house in range(14):
        left = 200 + house * 74 + rng.uniform(-10, 10)
        _house(plate, left, ground - rng.uniform(10, 60), rng.uniform(42, 62))
    for boat in range(4):
        _boat(plate, 300 + boat * 270 + rng.uniform(-30, 30), ground + 90 + 22 * (boat % 2), rng.uniform(0.8, 1.2))
    for _ in range(46):
        left, at = float(rng.uniform(170, 1290)), float(ground + rng.uniform(40, 190))
        plate.pen(curve([(left, at), (left + 14, at - 5), (left + 28, at), (left + 44, at - 4)]), _BLUE_INK, 2)
    plate.write(1180, ground + 232, "M. from the hill", 26, _BLUE_INK, anchor="middle", slant=0.25, tremble=rng)


def _house(plate: Plate, x: float, y: float, size: float) -> None:
    wall = np.array([(0, 0), (0, -0.7), (0.5, -1.15), (1, -0.7), (1, 0)]) * size + (x, y)
    plate.pen(curve([tuple(point) for point in np.repeat(wall, 2, axis=0).tolist()], 4), _BLUE_INK, 2.4)
    for dx in (0.25, 0.65):
        plate.box(x + dx * size, y - 0.5 * size, x + (dx + 0.16) * size, y - 0.28 * size, outline=_BLUE_INK, width=1.2)


def _boat(plate: Plate, x: float, y: float, scale: float) -> None:
    hull = [
        (x - 70 * scale, y - 16),
        (x - 52 * scale, y + 12),
        (x + 46 * scale, y + 12),
        (x + 72 * scale, y - 20),
        (x - 70 * scale, y - 16),
    ]
    plate.pen(curve(hull), _BLUE_INK, 3)
    plate.pen(curve([(x - 8, y - 14), (x - 6, y - 90 * scale), (x - 4, y - 170 * scale)]), _BLUE_INK, 3)
    plate.pen(
        curve([(x - 4, y - 165 * scale), (x + 62 * scale, y - 100 * scale), (x + 50 * scale, y - 30), (x - 5, y - 34)]),
        _BLUE_INK,
        2.4,
    )


def _lamp_sketch(plate: Plate, rng: Rng, y: float) -> None:
    plate.write(160, y + 60, "Wants of Thomas", 34, _BLUE_INK, slant=0.25, tremble=rng)
    for row, text in enumerate(
        ("socks, grey, six pair", "tea", "the small knife", "a letter from Anna (he does not say so)")
    ):
        plate.write(220, y + 140 + row * 74, text, 34, _BLUE_INK, slant=0.25, tremble=rng)
        plate.box(160, y + 112 + row * 74, 188, y + 140 + row * 74, outline=_BLUE_INK, width=1.6)
        if row < 2:
            plate.pen(
                curve([(162, y + 126 + row * 74), (172, y + 138 + row * 74), (206, y + 96 + row * 74)]), _BLUE_INK, 4
            )


def _cat_sketch(plate: Plate, rng: Rng, y: float) -> None:
    x = 560.0
    y += 330
    plate.pen(
        curve(
            [
                (x - 160, y),
                (x - 190, y - 90),
                (x - 120, y - 190),
                (x + 40, y - 200),
                (x + 130, y - 140),
                (x + 150, y - 40),
                (x + 100, y + 6),
                (x - 160, y),
            ]
        ),
        _BLUE_INK,
        4,
    )
    plate.pen(
        curve(
            [
                (x + 90, y - 120),
                (x + 100, y - 196),
                (x + 126, y - 160),
                (x + 168, y - 162),
                (x + 196, y - 196),
                (x + 204, y - 116),
                (x + 170, y - 66),
                (x + 118, y - 72),
                (x + 90, y - 120),
            ]
        ),
        _BLUE_INK,
        4,
    )
    plate.pen(
        curve([(x - 150, y - 4), (x - 40, y + 24), (x + 120, y + 22), (x + 190, y - 12), (x + 160, y - 22)]),
        _BLUE_INK,
        6,
    )
    for dx in (128, 168):
        plate.pen(curve([(x + dx - 9, y - 122), (x + dx, y - 115), (x + dx + 9, y - 122)]), _BLUE_INK, 3)
    for dy in (-14, 0, 14):
        plate.line([(x + 176, y - 98 + dy / 2), (x + 252, y - 104 + dy)], _BLUE_INK, 1.2)
    for _ in range(90):
        at_x, at_y = x + rng.uniform(-150, 90), y - rng.uniform(14, 180)
        if ((at_x - x + 20) / 150) ** 2 + ((at_y - y + 95) / 95) ** 2 < 0.9:
            plate.line([(at_x, at_y), (at_x + 20, at_y + 9)], _BLUE_INK, 1.3)
    plate.write(x + 420, y, "Admiral", 34, _BLUE_INK, slant=0.25, tremble=rng)


_SKETCHES: Final = (_lamp_sketch, _cat_sketch, _harbour_sketch)


# -- Sealed letter --------------------------------------------------------------------------------------------------


def sealed_letter() -> Image.Image:
    width, height = 2000, 1400
    rng = seeded("sealed-1")
    plate = Plate(width, height)
    for flap in ([(150, 130), (1000, 770), (1850, 130)], [(150, 1270), (830, 640)], [(1850, 1270), (1170, 640)]):
        plate.line(flap, (176, 164, 140), 2.4)
    plate.write(1000, 330, "Not to be opened", 58, BROWN_INK, anchor="middle", slant=0.5, tremble=rng, weight=1.1)
    plate.write(
        1000, 420, "until a hundred years from this day", 42, BROWN_INK, anchor="middle", slant=0.5, tremble=rng
    )
    plate.write(
        1000, 1130, "Deposited with the Librarian, 1 May 1952", 36, BROWN_INK, anchor="middle", slant=0.5, tremble=rng
    )
    plate.write(1540, 1222, "E. Tarn", 48, BROWN_INK, anchor="middle", slant=0.6, tremble=rng)
    sheet = paper(rng, width, height, (232, 220, 192), 1.3)
    lit = _folds(sheet, width, height)
    letter = np.asarray(plate.printed_on(lit, bitten(rng, width, height)), dtype=np.float32)
    return to_image(_on_a_desk(_sealed(letter, rng, 1000, 745, 175), rng))


def _folds(sheet: Pixels, width: int, height: int) -> Pixels:
    """Light from the upper left on the flaps of the envelope."""
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    flap = np.abs(across - 1000) * 640 / 850
    upper = down < 770 - flap
    shade = np.where(upper, 5, -4) + 15 * np.exp(-np.abs(down - (770 - flap)) / 3) * upper
    shade -= 26 * np.exp(-np.abs(down - (774 - flap)) / 9) * ~upper
    return sheet + shade[..., None]


def _sealed(letter: Pixels, rng: Rng, x: int, y: int, radius: int) -> Pixels:
    """Red wax as a height field under a raking light: a ragged rim, a sunk disc and a ship upon it."""
    reach = int(radius * 1.6)
    part = letter[y - reach : y + reach, x - reach : x + reach]
    down, across = np.mgrid[-reach:reach, -reach:reach].astype(np.float32)
    angle = np.arctan2(down, across)
    far = np.hypot(across, down)
    rim = radius * (1.14 + 0.06 * np.sin(3 * angle + 1) + 0.05 * np.sin(5 * angle) + 0.03 * np.sin(11 * angle + 2))
    wax = np.clip((rim - far) / 26, 0, 1)
    height = np.sqrt(wax) * 26 - 13 * gaussian_filter((far < radius * 0.84).astype(np.float32), 3)
    height += 9 * gaussian_filter(_ship_matrix(reach, radius), 1.6) + clouds(rng, 2 * reach, 2 * reach, 40, 4) * 0.5
    lit = _raking(height)
    body = np.clip((rim - far) / 2.5, 0, 1)
    shadow = gaussian_filter(np.roll(body, (13, 11), (0, 1)), 9)
    colour = np.array([150, 22, 24], dtype=np.float32) * np.clip(0.82 + 0.9 * lit, 0.25, 1.5)[..., None]
    colour += np.clip(lit - 0.34, 0, 1)[..., None] ** 1.4 * 330
    part[...] = (part - 72 * shadow[..., None]) * (1 - body[..., None]) + colour * body[..., None]
    return letter


def _raking(height: Field) -> Field:
    slope_y, slope_x = np.gradient(gaussian_filter(height, 1.1))
    lit: Field = ((slope_x + slope_y) / np.sqrt(2) / np.sqrt(1 + slope_x**2 + slope_y**2)).astype(np.float32)
    return lit


def _ship_matrix(reach: int, radius: float) -> Field:
    plate = Plate(2 * reach, 2 * reach, (0, 0, 0))
    white: Colour = (255, 255, 255)
    k, x, y = radius / 175, float(reach), float(reach)
    plate.polygon(np.array([(-78, 34), (-58, 66), (56, 66), (84, 26), (60, 34)]) * k + (x, y), white)
    for mast, tall in ((-34, 96), (22, 112)):
        plate.line([(x + mast * k, y + 34 * k), (x + mast * k, y - tall * k)], white, 5 * k)
        for sail in range(2):
            top = -tall + 14 + sail * 52
            outline = np.array([(-24, top), (24, top), (32, top + 44), (-18, top + 44)]) * k + (x + mast * k + 2, y)
            plate.polygon(outline, white)
    plate.line(arc(x, y, radius * 0.8), white, 4)
    for place, letter in enumerate("SIGILLUM PORTUS MEREHAVEN"):
        turn = -180 + place * 14.4
        at = np.radians(turn)
        plate.write(
            x + 122 * k * np.cos(at),
            y + 122 * k * np.sin(at),
            letter,
            17 * k,
            white,
            style="roman",
            anchor="middle",
            angle=turn + 90,
            weight=1.5,
        )
    return np.asarray(plate.finished().convert("L"), dtype=np.float32) / 255


def _on_a_desk(letter: Pixels, rng: Rng) -> Pixels:
    """A margin of dark wood with the shadow of the letter on it."""
    height, width = letter.shape[:2]
    figure = clouds(rng, width, height, 900, 2)
    rings = np.sin(np.arange(height)[:, None] / 15 + figure * 3.4)
    pores = gaussian_filter(rng.standard_normal((height, width)).astype(np.float32), (0.7, 26)) * 5
    wood = np.array([84, 55, 36], dtype=np.float32) * (0.88 + 0.07 * rings + 0.1 * pores + 0.03 * figure)[..., None]
    inside = np.zeros((height, width), dtype=np.float32)
    inside[118 : height - 118, 130 : width - 130] = 1
    shadow = gaussian_filter(np.roll(inside, (18, 14), (0, 1)), 16)
    return wood * (1 - 0.6 * shadow[..., None]) * (1 - inside[..., None]) + letter * inside[..., None]

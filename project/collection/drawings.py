"""The ship model as it is drawn for the gallery, and the poster nobody would now put up."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image

from project.collection.letterforms import Points
from project.collection.paper import bitten, clouds, grain, paper, seeded, stain
from project.collection.plate import INK, Colour, Plate, curve

_BLUE: Colour = (60, 84, 120)
_RED: Colour = (170, 60, 48)
_PENCIL: Colour = (168, 164, 158)
_WOOD: Colour = (226, 190, 138)
_CANVAS: Colour = (246, 238, 216)

_LENGTH: Final = 2040.0
_DEEP: Final = 250.0


# -- Ship model -----------------------------------------------------------------------------------------------------


def ship_model() -> Image.Image:
    width, height = 2800, 2000
    rng = seeded("gallery-1")
    plate = Plate(width, height)
    plate.box(60, 60, width - 60, height - 60, outline=INK, width=4)
    plate.box(74, 74, width - 74, height - 74, outline=INK, width=1.2)
    _profile(plate, 380, 1140)
    _deck_plan(plate, 380, 1690)
    _sections(plate, 2590, 1720)
    _measures(plate, 380, 1140)
    _title_block(plate, width, height)
    sheet = stain(paper(rng, width, height, (238, 232, 214), 0.8), rng, 560, 1820, 85, 16)
    return plate.printed_on(sheet, bitten(rng, width, height, 0.84))


def _profile(plate: Plate, x: float, y: float) -> None:
    hull = _hull_outline(x, y)
    plate.polygon(hull, _WOOD, INK, 3)
    for strake in range(1, 13):
        share = strake / 13
        line = np.stack(
            [
                np.linspace(x + 24 + 60 * share, x + _LENGTH - 18 - 90 * share, 60),
                _sheer(np.linspace(0, 1, 60), y) + share * (_DEEP - 26),
            ],
            axis=1,
        )
        plate.line(line, INK if strake == 4 else (150, 112, 70), 3 if strake == 4 else 1)
    plate.line(np.stack([np.linspace(x - 60, x + _LENGTH + 60, 2), np.full(2, y + 118)], axis=1), _BLUE, 1.6)
    _gun_ports(plate, x, y)
    _rigging(plate, x, y)
    _stern(plate, x, y)


def _sheer(share: Points, y: float) -> Points:
    return y - 60 + 88 * np.sin(np.pi * share) ** 1.4 * 0.9 - 44 * share**3


def _hull_outline(x: float, y: float) -> Points:
    share = np.linspace(0, 1, 70)
    top = np.stack([x + share * _LENGTH, _sheer(share, y)], axis=1)
    keel = curve(
        [
            (x + _LENGTH, y - 104),
            (x + _LENGTH - 40, y + 60),
            (x + _LENGTH - 160, y + 186),
            (x + _LENGTH - 330, y + _DEEP - 6),
            (x + 900, y + _DEEP + 6),
            (x + 200, y + _DEEP + 8),
            (x + 150, y + 190),
            (x + 60, y + 60),
            (x, y - 60),
        ]
    )
    return np.concatenate([top, keel])


def _gun_ports(plate: Plate, x: float, y: float) -> None:
    for port in range(15):
        at = 0.12 + port * 0.054
        level = float(_sheer(np.array([at]), y)[0]) + 52
        plate.box(
            x + at * _LENGTH - 14, level, x + at * _LENGTH + 14, level + 24, fill=(120, 44, 38), outline=INK, width=1.8
        )
        plate.box(x + at * _LENGTH - 14, level - 11, x + at * _LENGTH + 14, level, fill=_WOOD, outline=INK, width=1.2)
        plate.box(
            x + at * _LENGTH - 5, level + 8, x + at * _LENGTH + 22, level + 16, fill=(70, 70, 72), outline=INK, width=1
        )


def _rigging(plate: Plate, x: float, y: float) -> None:
    masts = ((0.18, 690, 0.78), (0.49, 900, 1.0), (0.78, 800, 0.92))
    plate.pen(np.linspace((x + _LENGTH - 30, y - 84), (x + _LENGTH + 300, y - 250), 8), INK, 13, nib=0.9)
    for at, tall, wide in masts:
        foot = x + at * _LENGTH
        base = float(_sheer(np.array([at]), y)[0])
        plate.polygon(
            [(foot - 11, base), (foot - 3, base - tall), (foot + 3, base - tall), (foot + 11, base)],
            (180, 136, 84),
            INK,
            1.6,
        )
        _shrouds(plate, foot, base, tall)
        for level, spread in ((0.30, 250), (0.56, 205), (0.80, 150)):
            _yard(plate, foot, base - tall * level, spread * wide, tall * 0.2)
        plate.polygon(
            curve(
                [
                    (foot, base - tall),
                    (foot + 40, base - tall - 20),
                    (foot + 84, base - tall - 4),
                    (foot + 70, base - tall + 16),
                    (foot, base - tall + 22),
                ]
            ),
            _RED,
            INK,
            1.2,
        )
    tops = [(x + at * _LENGTH, float(_sheer(np.array([at]), y)[0]) - tall * 0.96) for at, tall, _ in masts]
    for (a, b), (c, d) in zip(tops[:-1], tops[1:], strict=True):
        plate.line([(a, b), (c, d + 180)], INK, 1.2)
        plate.line([(a, b + 260), (c, d + 500)], INK, 1.2)
    for drop in (0, 180, 330):
        plate.line([(tops[2][0], tops[2][1] + drop), (x + _LENGTH + 290 - drop * 0.4, y - 246 + drop * 0.2)], INK, 1.2)
    _jib(plate, tops[2], x, y)


def _jib(plate: Plate, top: tuple[float, float], x: float, y: float) -> None:
    outline = curve(
        [
            (top[0] + 60, top[1] + 170),
            (x + _LENGTH + 90, y - 420),
            (x + _LENGTH + 230, y - 236),
            (x + _LENGTH + 30, y - 190),
            (top[0] + 60, top[1] + 170),
        ],
        10,
    )
    plate.polygon(outline, _CANVAS, INK, 1.6)


def _shrouds(plate: Plate, foot: float, base: float, tall: float) -> None:
    ropes = np.linspace(-74, 74, 9)
    for off in ropes:
        plate.line([(foot + off * 0.12, base - tall * 0.62), (foot + off, base + 12)], INK, 1)
    for rung in np.linspace(0.06, 0.94, 19):
        reach = 74 * (1 - rung * 0.88)
        plate.line(
            [
                (foot - reach, base + 12 - rung * (tall * 0.62 + 12)),
                (foot + reach, base + 12 - rung * (tall * 0.62 + 12)),
            ],
            INK,
            0.8,
        )
    plate.box(foot - 34, base - tall * 0.64, foot + 34, base - tall * 0.62, fill=_WOOD, outline=INK, width=1.4)


def _yard(plate: Plate, foot: float, level: float, spread: float, drop: float) -> None:
    sail = curve(
        [
            (foot - spread, level),
            (foot - spread, level),
            (foot + spread, level),
            (foot + spread, level),
            (foot + spread * 0.94, level + drop * 0.6),
            (foot + spread * 1.08, level + drop),
            (foot, level + drop * 0.86),
            (foot - spread * 0.92, level + drop),
            (foot - spread * 1.02, level + drop * 0.5),
            (foot - spread, level),
        ],
        8,
    )
    plate.polygon(sail, _CANVAS, INK, 1.6)
    for seam in np.linspace(-0.85, 0.85, 11):
        plate.line(
            [(foot + spread * seam, level + 3), (foot + spread * seam * 1.02, level + drop * 0.86)], _PENCIL, 0.8
        )
    for reef in (0.2, 0.36):
        plate.dashed(
            np.array([(foot - spread * 0.96, level + drop * reef), (foot + spread * 0.97, level + drop * reef)]),
            INK,
            0.9,
            5,
            6,
        )
    plate.pen(
        np.linspace((foot - spread * 1.06, level - 3), (foot + spread * 1.06, level - 3), 8), INK, 9, nib=np.pi / 2
    )


def _stern(plate: Plate, x: float, y: float) -> None:
    for pane in range(4):
        plate.box(
            x + 24 + pane * 40,
            y - 40 + pane * 9,
            x + 52 + pane * 40,
            y - 6 + pane * 9,
            fill=(196, 214, 216),
            outline=INK,
            width=1.6,
        )
        plate.line([(x + 38 + pane * 40, y - 40 + pane * 9), (x + 38 + pane * 40, y - 6 + pane * 9)], INK, 1)
    plate.polygon(
        [(x + 60, y + 62), (x + 150, y + 190), (x + 198, y + _DEEP + 6), (x + 140, y + _DEEP + 6), (x + 110, y + 180)],
        (196, 156, 104),
        INK,
        2,
    )
    plate.line([(x - 10, y - 62), (x - 70, y - 250)], INK, 4)
    plate.polygon(
        curve(
            [
                (x - 66, y - 246),
                (x - 150, y - 226),
                (x - 190, y - 250),
                (x - 196, y - 150),
                (x - 120, y - 134),
                (x - 40, y - 150),
            ],
            8,
        ),
        (236, 232, 220),
        INK,
        1.6,
    )


def _deck_plan(plate: Plate, x: float, y: float) -> None:
    share = np.linspace(0, 1, 80)
    beam = 150 * np.clip(1.04 - np.abs(share - 0.42) ** 2.6 * 4.4, 0, 1) * np.clip((1 - share) * 7, 0, 1) ** 0.5
    outline = np.concatenate(
        [np.stack([x + share * _LENGTH, y - beam], axis=1), np.stack([x + share * _LENGTH, y + beam], axis=1)[::-1]]
    )
    plate.polygon(outline, _CANVAS, INK, 2.6)
    for plank in range(-11, 12):
        inside = beam > abs(plank) * 12.6 + 6
        if inside.any():
            along = x + share[inside] * _LENGTH
            plate.line([(along[0], y + plank * 12.6), (along[-1], y + plank * 12.6)], (196, 168, 122), 1)
    for at, long in ((0.3, 120), (0.38, 70), (0.58, 150), (0.68, 80)):
        plate.box(x + at * _LENGTH, y - 38, x + at * _LENGTH + long, y + 38, fill=_WOOD, outline=INK, width=1.8)
        for bar in np.arange(10, long, 12):
            plate.line([(x + at * _LENGTH + bar, y - 38), (x + at * _LENGTH + bar, y + 38)], INK, 0.8)
    for at in (0.18, 0.49, 0.78):
        plate.disc(x + at * _LENGTH, y, 15, (180, 136, 84), INK)
    plate.dashed(np.array([(x - 60, y), (x + _LENGTH + 90, y)]), _RED, 1.2, 22, 6)
    plate.write(x, y + 196, "Deck", 30, INK, slant=0.4)


def _sections(plate: Plate, x: float, y: float) -> None:
    plate.line([(x, y - 190), (x, y + 110)], INK, 1.6)
    for frame in range(1, 8):
        half = 118 - frame * 10
        for side in (-1, 1):
            rib = curve(
                [
                    (x, y + 96),
                    (x + side * half * 0.5, y + 84),
                    (x + side * half, y + 10 - frame * 4),
                    (x + side * half * 0.94, y - 70),
                    (x + side * half * 0.82, y - 140 + frame * 3),
                ]
            )
            plate.line(rib, INK if frame == 1 else _BLUE, 2 if frame == 1 else 1.1)
    plate.write(x, y + 146, "Sections", 24, INK, anchor="middle", slant=0.4)


def _measures(plate: Plate, x: float, y: float) -> None:
    _measure(plate, (x, y + 345), (x + _LENGTH, y + 345), "length on deck 1 126 mm")
    _measure(plate, (x + 0.49 * _LENGTH, y + 298), (x + 0.78 * _LENGTH, y + 298), "main to fore 326")
    _measure(plate, (x + 0.18 * _LENGTH, y + 298), (x + 0.49 * _LENGTH, y + 298), "mizzen to main 349")
    _measure(plate, (240, y - 870), (240, y + 258), "height 622")
    _measure(plate, (300, y - 60), (300, y + 258), "depth 176")
    for number, (at_x, at_y) in enumerate(
        ((1290, 985), (1500, 1180), (1944, 1130), (2580, 900), (420, 1130), (1390, 240)), 1
    ):
        plate.disc(at_x, at_y, 19, (255, 255, 255), _RED)
        plate.write(at_x, at_y + 10, str(number), 22, _RED, anchor="middle")


def _measure(plate: Plate, start: tuple[float, float], end: tuple[float, float], text: str) -> None:
    a, b = np.array(start), np.array(end)
    unit = (b - a) / np.hypot(*(b - a))
    normal = np.array([-unit[1], unit[0]])
    plate.line([a, b], _BLUE, 1.2)
    for tip, way in ((a, 1), (b, -1)):
        plate.polygon([tip, tip + way * unit * 18 + normal * 5, tip + way * unit * 18 - normal * 5], _BLUE)
        plate.line([tip - normal * 16, tip + normal * 16], _BLUE, 1.2)
    middle = (a + b) / 2 - (normal * -10 if unit[0] == 0 else normal * 10)
    plate.write(middle[0], middle[1], text, 20, _BLUE, anchor="middle", slant=0.25, angle=-90 if unit[0] == 0 else 0)


def _title_block(plate: Plate, width: int, height: int) -> None:
    plate.write(110, 170, "MODEL OF THE FRIGATE PETREL", 46, INK, style="roman", spacing=4)
    plate.write(
        110, 226, "pear wood and bone, made by prisoners of war about 1810. Drawn at two to one.", 28, INK, slant=0.4
    )
    keys = (
        "1 main course, linen",
        "2 chain wale",
        "3 gun port lids, hinged",
        "4 jib",
        "5 stern lights, mica",
        "6 pennant",
    )
    for row, key in enumerate(keys):
        plate.write(width - 700 + 310 * (row % 2), 150 + 44 * (row // 2), key, 22, INK, slant=0.35)
    plate.write(
        width - 110,
        height - 100,
        "Gallery 1, case 4. Measured and drawn by N. Fell",
        24,
        INK,
        anchor="right",
        slant=0.4,
    )


# -- Poster ---------------------------------------------------------------------------------------------------------


def poster() -> Image.Image:
    width, height = 1800, 2600
    rng = seeded("poster-1")
    red, black, blue = (186, 44, 34), (30, 26, 26), (28, 58, 96)
    plate = Plate(width, height)
    plate.box(90, 90, width - 90, height - 90, outline=black, width=16)
    plate.box(120, 120, width - 120, height - 120, outline=black, width=4)
    _poster_sea(plate, blue, red)
    for y, text, size, colour in (
        (282, "GRAND", 104, red),
        (566, "REGATTA", 220, black),
        (760, "AT MEREHAVEN", 116, blue),
    ):
        _wide(plate, y, text, size, colour)
    lines = (
        (1740, "ON THE FIRST SATURDAY OF AUGUST", 58, black),
        (1848, "SAILING - ROWING - SWIMMING", 70, red),
        (1930, "GREASY POLE", 54, black),
        (2052, "FIREWORKS AT DUSK", 84, blue),
        (2150, "THE TOWN BAND WILL PLAY UNTIL STOPPED", 44, black),
    )
    for y, text, size, colour in lines:
        _wide(plate, y, text, size, colour)
    plate.box(180, 2200, width - 180, 2212, fill=black)
    plate.write(
        width / 2,
        2290,
        "Admission sixpence, children and dogs half price",
        60,
        black,
        anchor="middle",
        slant=0.35,
        weight=1.3,
    )
    plate.write(width / 2, 2385, "No hawkers. No politics.", 52, red, anchor="middle", slant=0.35, weight=1.3)
    plate.caption(width / 2, 2448, "PRINTED BY ODDY & FELL, SHORE STREET, MEREHAVEN", 25, black, "ma")
    sheet = _creased(paper(rng, width, height, (240, 226, 190), 1.3), rng)
    return plate.printed_on(sheet, _wood_type(rng, width, height))


def _wide(plate: Plate, y: float, text: str, size: float, colour: Colour) -> None:
    plate.write(plate.width / 2, y, text, size, colour, style="roman", anchor="middle", spacing=2, weight=2.1)


def _poster_sea(plate: Plate, blue: Colour, red: Colour) -> None:
    left, top, right, bottom = 180, 830, 1620, 1630
    plate.box(left, top, right, bottom, fill=(244, 206, 120), outline=(30, 26, 26), width=6)
    for ray in range(24):
        turn = np.radians(ray * 15)
        spread = np.radians(3.7)
        far = [(900 + 620 * np.cos(turn + way), 1180 + 340 * np.sin(turn + way)) for way in (-spread, spread)]
        plate.polygon([(900, 1180), *far], (236, 150, 84))
    plate.disc(900, 1180, 150, red, (30, 26, 26))
    for row in range(7):
        y = 1260 + row * 58
        x = np.linspace(left + 4, right - 4, 240)
        crest = y + 16 * np.sin(x / (46 + row * 8) + row * 1.9)
        tint = (max(0, blue[0] + 60 - row * 10), blue[1] + 60 - row * 9, blue[2] + 60 - row * 8)
        plate.polygon(
            np.concatenate([np.stack([x, crest], axis=1), [(right - 4, bottom - 4), (left + 4, bottom - 4)]]),
            tint,
            (240, 236, 224),
            3,
        )
        if row in (1, 3, 5):
            _yacht(plate, 420 + row * 190, y + 12, 0.7 + row * 0.16, red if row == 3 else (244, 238, 222))


def _yacht(plate: Plate, x: float, y: float, k: float, sail: Colour) -> None:
    black: Colour = (30, 26, 26)
    plate.polygon(
        curve(
            [(x - 130 * k, y - 26 * k), (x - 90 * k, y + 22 * k), (x + 90 * k, y + 22 * k), (x + 140 * k, y - 30 * k)]
        ),
        black,
    )
    plate.line([(x, y - 20 * k), (x, y - 330 * k)], black, 6)
    plate.polygon([(x + 8, y - 320 * k), (x + 8, y - 44 * k), (x + 150 * k, y - 44 * k)], sail, black, 3)
    plate.polygon([(x - 8, y - 290 * k), (x - 8, y - 44 * k), (x - 110 * k, y - 44 * k)], (244, 238, 222), black, 3)


def _wood_type(rng: np.random.Generator, width: int, height: int) -> Points:
    """Large wooden letters never ink evenly: salty, worn and with the grain showing."""
    worn = clouds(rng, width, height, 30, 4)
    rows = np.repeat(grain(rng, 8, height, 0.9)[:, :1], width, axis=1)
    return np.clip(0.93 - np.clip(worn - 1.6, 0, 1) * 0.6 + rows * 0.06 + grain(rng, width, height, 0.8) * 0.1, 0.25, 1)


def _creased(sheet: Points, rng: np.random.Generator) -> Points:
    height, width = sheet.shape[:2]
    for axis, at in ((0, 0.25), (0, 0.5), (0, 0.75), (1, 0.5)):
        along = np.arange(width if axis == 0 else height)
        line = int(at * sheet.shape[axis]) + (2.4 * np.sin(along / 130)).astype(int)
        for off, shade in ((-1, -12), (0, 20), (1, 20), (2, -20), (3, -10)):
            if axis == 0:
                sheet[line + off, along] += shade
            else:
                sheet[along, line + off] += shade
    for x, y in ((90, 90), (width - 90, 90), (90, height - 90), (width - 90, height - 90)):
        down, across = np.mgrid[y - 40 : y + 40, x - 40 : x + 40]
        far = np.hypot(down - y, across - x)
        sheet[y - 40 : y + 40, x - 40 : x + 40] -= (130 * (far < 9) + 40 * np.exp(-(((far - 10) / 6) ** 2)))[
            ..., None
        ] * np.array([0.5, 0.8, 1.0])
    return sheet

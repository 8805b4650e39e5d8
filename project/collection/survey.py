"""The town survey: a large sheet on which every house has its number. Kept at sixteen feet to the inch, as it were."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.measure import find_contours

from project.collection.letterforms import Points
from project.collection.paper import bitten, clouds, paper, seeded
from project.collection.plate import INK, Colour, Plate, arc, curve

WIDTH, HEIGHT = 4000, 3000
Rng = np.random.Generator

_HOUSE: Colour = (222, 138, 122)
_PUBLIC: Colour = (196, 92, 84)
_GARDEN: Colour = (226, 232, 204)
_STREET: Colour = (250, 244, 226)
_FIELD: Colour = (238, 236, 210)
_SEA: Colour = (186, 212, 216)
_CONTOUR: Colour = (190, 142, 96)
_GREEN: Colour = (120, 146, 92)
_THIN: Colour = (90, 80, 74)

_STREETS_DOWN: Final = (
    "WEST STREET",
    "COOPERS LANE",
    "PETREL STREET",
    "KIRK ROW",
    "HIGH STREET",
    "MARKET STREET",
    "NET LOFT WYND",
    "CUSTOM HOUSE LANE",
    "ROPE WALK",
    "SKERRA STREET",
    "EAST STREET",
)
_STREETS_ACROSS: Final = (
    "HILL ROAD",
    "BEACON STREET",
    "QUALE STREET",
    "CHAPEL STREET",
    "TARN STREET",
    "HERRING STREET",
    "SHORE STREET",
)
_PLACES: Final = {
    (4, 2): "ST BRIDES",
    (5, 4): "MARKET PLACE",
    (2, 1): "SCHOOL",
    (8, 3): "INFIRMARY",
    (1, 4): "GAS WORKS",
    (7, 1): "GREEN",
    (6, 5): "LIBRARY",
    (9, 5): "FISH MARKET",
}

_LEFT, _RIGHT, _TOP, _SHORE = 700.0, 3560.0, 560.0, 2270.0


def town_survey() -> Image.Image:
    rng = seeded("survey-1")
    plate = Plate(WIDTH, HEIGHT, _FIELD)
    downs, acrosses = _lines(rng, _LEFT, _RIGHT, 12), _lines(rng, _TOP, _SHORE, 8)
    _fields(plate, rng)
    _contour_lines(plate, rng)
    plate.polygon(_warped(_ring(_LEFT - 26, _TOP - 26, _RIGHT + 26, _SHORE + 26)), _STREET)
    for column in range(11):
        for row in range(7):
            block = (downs[column] + 17, acrosses[row] + 15, downs[column + 1] - 17, acrosses[row + 1] - 15)
            _block(plate, rng, block, _PLACES.get((column, row)))
    _sea(plate, rng)
    _railway(plate)
    _street_names(plate, downs, acrosses)
    _margins(plate)
    sheet = paper(rng, WIDTH, HEIGHT, (247, 241, 224), 0.9)
    return plate.printed_on(sheet, bitten(rng, WIDTH, HEIGHT, 0.84))


# -- Ground ---------------------------------------------------------------------------------------------------------


def _lines(rng: Rng, start: float, end: float, count: int) -> list[float]:
    gaps = rng.uniform(0.75, 1.3, count - 1)
    return [start, *(start + (end - start) * np.cumsum(gaps) / gaps.sum()).tolist()]


def _warped(points: Points) -> Points:
    """No street of an old town is straight: all are drawn straight and then bent together."""
    x, y = points[:, 0], points[:, 1]
    down = (y - _TOP) / (_SHORE - _TOP)
    bent_x = x + 46 * np.sin(y / 330 + x / 900) + 70 * np.sin(x / 610) * (1 - down)
    bent_y = y + 52 * np.sin(x / 520 + 1.2) + 24 * np.sin(x / 190 + y / 400)
    return np.stack([bent_x, bent_y], axis=1)


def _ring(left: float, top: float, right: float, bottom: float, steps: int = 14) -> Points:
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return np.concatenate([np.linspace(a, b, steps) for a, b in zip(corners[:-1], corners[1:], strict=True)])


def _fields(plate: Plate, rng: Rng) -> None:
    downs, acrosses = np.arange(-100, WIDTH + 300, 330), np.arange(-100, 2700, 290)
    shift_x, shift_y = rng.normal(0, 52, (len(downs), len(acrosses))), rng.normal(0, 46, (len(downs), len(acrosses)))
    corner = np.stack([downs[:, None] + shift_x, acrosses[None, :] + shift_y], axis=2)
    for column in range(len(downs) - 1):
        for row in range(len(acrosses) - 1):
            field = np.array(
                [corner[column, row], corner[column + 1, row], corner[column + 1, row + 1], corner[column, row + 1]]
            )
            _field(plate, rng, field, 100 + column * 12 + row)


def _field(plate: Plate, rng: Rng, field: Points, number: int) -> None:
    tint = rng.normal(0, 3.5)
    plate.polygon(field, (int(236 + tint), int(235 + tint), int(208 + tint)), _THIN, 1)
    middle = field.mean(axis=0)
    plate.write(middle[0], middle[1], str(number), 17, _THIN, anchor="middle", slant=0.2)
    plate.write(middle[0], middle[1] + 25, f"{rng.uniform(0.4, 6):.3f}", 11, _THIN, anchor="middle", slant=0.2)
    for start, end in zip(field, np.roll(field, -1, axis=0), strict=True):
        for share in np.linspace(0.05, 0.95, int(rng.integers(2, 10))):
            at = start + (end - start) * share + rng.normal(0, 3, 2)
            _tree(plate, float(at[0]), float(at[1]), float(rng.uniform(4, 8)))


def _tree(plate: Plate, x: float, y: float, size: float) -> None:
    plate.disc(x, y, size, (204, 216, 176), _GREEN)
    plate.line([(x, y), (x, y + size * 1.5)], _GREEN, 1)
    plate.line(arc(x + size * 0.5, y + size * 0.4, size * 0.7, 20, 150, 8), _GREEN, 0.9)


def _contour_lines(plate: Plate, rng: Rng) -> None:
    step = 8
    down, across = np.mgrid[0 : HEIGHT // step, 0 : WIDTH // step].astype(np.float32)
    hill = 150 - down * 0.36 + 62 * np.exp(-(((across - 90) / 110) ** 2 + ((down - 50) / 85) ** 2))
    height = gaussian_filter(hill + 9 * clouds(rng, WIDTH // step, HEIGHT // step, 90, 4), 2)
    for level in range(10, 260, 5):
        for line in find_contours(height, level):
            plate.line(line[:, ::-1] * step, _CONTOUR, 1.7 if level % 25 == 0 else 0.8)
            if level % 25 == 0 and len(line) > 60:
                y, x = line[len(line) // 3] * step
                plate.box(x - 22, y - 12, x + 22, y + 9, fill=_FIELD)
                plate.write(x, y + 6, str(level), 14, (150, 100, 60), anchor="middle")


# -- Town -----------------------------------------------------------------------------------------------------------


def _block(plate: Plate, rng: Rng, block: tuple[float, float, float, float], place: str | None) -> None:
    plate.polygon(_warped(_ring(*block)), _GARDEN, INK, 1.3)
    if place:
        _PUBLIC_PLACES.get(place, _institution)(plate, rng, block, place)
        return
    left, top, right, bottom = block
    spine = (top + bottom) / 2 + rng.uniform(-12, 12)
    plate.line(_warped(np.linspace((left, spine), (right, spine), 14)), _THIN, 0.9)
    number = int(rng.integers(1, 40))
    for upper in (True, False):
        x = left
        while x < right - 8:
            wide = min(float(rng.uniform(19, 40)), right - x)
            wide = right - x if right - x - wide < 17 else wide
            _plot(plate, rng, (x, top if upper else spine, x + wide, spine if upper else bottom), upper, number)
            x, number = x + wide, number + 2


def _plot(plate: Plate, rng: Rng, plot: tuple[float, float, float, float], upper: bool, number: int) -> None:
    left, top, right, bottom = plot
    plate.line(_warped(np.linspace((right, top), (right, bottom), 5)), _THIN, 0.8)
    deep = float(rng.uniform(0.3, 0.55)) * (bottom - top)
    set_back = float(rng.choice([0, 0, 0, 5]))
    near, far = (top + set_back, top + set_back + deep) if upper else (bottom - set_back - deep, bottom - set_back)
    if rng.random() < 0.93:
        _building(plate, (left + 1, near, right - 1, far), _HOUSE)
        wing = (
            (left + 2, far, left + (right - left) * 0.5, far + 15)
            if upper
            else (left + 2, near - 15, left + (right - left) * 0.5, near)
        )
        if rng.random() < 0.6:
            _building(plate, wing, (232, 170, 150))
        at = _warped(np.array([[(left + right) / 2, (near + far) / 2 + 4]]))[0]
        plate.write(at[0], at[1], str(number), 10.5, INK, anchor="middle", weight=1.3)
    for _ in range(int(rng.integers(0, 4))):
        y = rng.uniform(far + 22, bottom - 8) if upper else rng.uniform(top + 8, near - 22)
        if top < y < bottom:
            at = _warped(np.array([[rng.uniform(left + 5, right - 5), y]]))[0]
            plate.disc(float(at[0]), float(at[1]), float(rng.uniform(2, 4.4)), (190, 208, 160), _GREEN)


def _building(plate: Plate, box: tuple[float, float, float, float], fill: Colour, hatch: float = 5) -> None:
    left, top, right, bottom = box
    plate.polygon(_warped(_ring(left, top, right, bottom, 4)), fill, INK, 1.3)
    shade = (max(0, fill[0] - 34), max(0, fill[1] - 34), max(0, fill[2] - 30))
    for at in np.arange(left + hatch, right, hatch):
        plate.line(_warped(np.array([(at, top + 1), (at - 3, bottom - 1)])), shade, 0.5)
    plate.line(_warped(np.array([(left, bottom), (right, bottom), (right, top)])), INK, 2.2)


def _institution(plate: Plate, rng: Rng, block: tuple[float, float, float, float], place: str) -> None:
    left, top, right, bottom = block
    wide, high = right - left, bottom - top
    _building(plate, (left + wide * 0.14, top + high * 0.2, right - wide * 0.14, top + high * 0.48), _PUBLIC, 7)
    for share in (0.14, 0.7):
        _building(
            plate, (left + wide * share, top + high * 0.48, left + wide * (share + 0.16), top + high * 0.78), _PUBLIC, 7
        )
    _lawn(plate, rng, (left, top + high * 0.8, right, bottom), 9)
    _label(plate, left + wide / 2, bottom - high * 0.07, place)


def _church(plate: Plate, rng: Rng, block: tuple[float, float, float, float], place: str) -> None:
    left, top, right, bottom = block
    x, y = (left + right) / 2, (top + bottom) / 2
    _building(plate, (x - 62, y - 17, x + 46, y + 17), _PUBLIC, 6)
    _building(plate, (x - 12, y - 42, x + 14, y + 42), _PUBLIC, 6)
    _building(plate, (x - 84, y - 13, x - 62, y + 13), (150, 66, 62), 4)
    for _ in range(70):
        at_x, at_y = rng.uniform(left + 9, right - 9), rng.uniform(top + 9, bottom - 9)
        if abs(at_x - x) > 96 or abs(at_y - y) > 52:
            at = _warped(np.array([[at_x, at_y]]))[0]
            plate.line([at - (0, 5), at + (0, 5)], _THIN, 1)
            plate.line([at - (3, 2), at + (3, -2)], _THIN, 1)
    _label(plate, x, bottom - 16, place)


def _square(plate: Plate, rng: Rng, block: tuple[float, float, float, float], place: str) -> None:
    left, top, right, bottom = block
    plate.polygon(_warped(_ring(*block)), _STREET, INK, 1.2)
    for stall in range(5):
        for row in range(3):
            x, y = left + 40 + stall * (right - left - 80) / 5, top + 30 + row * (bottom - top - 60) / 3
            if (stall, row) != (2, 1):
                _building(plate, (x, y, x + 30, y + 13), (236, 206, 150), 6)
    at = _warped(np.array([[(left + right) / 2, (top + bottom) / 2]]))[0]
    for radius in (17, 11, 4):
        plate.disc(float(at[0]), float(at[1]), radius, None, INK)
    _label(plate, (left + right) / 2, bottom - 10, place)


def _green(plate: Plate, rng: Rng, block: tuple[float, float, float, float], place: str) -> None:
    left, top, right, bottom = block
    _lawn(plate, rng, block, 60)
    for path in (((left, top), (right, bottom)), ((right, top), (left, bottom))):
        plate.line(_warped(np.linspace(*path, 14)), _STREET, 9)
        plate.dashed(_warped(np.linspace(*path, 14)) + (5, 0), _THIN, 0.8, 6, 4)
    _label(plate, (left + right) / 2, (top + bottom) / 2, place)


def _lawn(plate: Plate, rng: Rng, box: tuple[float, float, float, float], trees: int) -> None:
    left, top, right, bottom = box
    for _ in range(trees):
        at = _warped(np.array([[rng.uniform(left + 10, right - 10), rng.uniform(top + 8, bottom - 8)]]))[0]
        _tree(plate, float(at[0]), float(at[1]), float(rng.uniform(5, 8)))


_PUBLIC_PLACES: Final = {"ST BRIDES": _church, "MARKET PLACE": _square, "GREEN": _green}


def _label(plate: Plate, x: float, y: float, text: str) -> None:
    at = _warped(np.array([[x, y]]))[0]
    for weight, colour in ((3.4, _GARDEN), (1.0, INK)):
        plate.write(at[0], at[1], text, 17, colour, style="roman", anchor="middle", spacing=2, weight=weight)


# -- Shore, line and lettering --------------------------------------------------------------------------------------


def _sea(plate: Plate, rng: Rng) -> None:
    x = np.linspace(0, WIDTH, 500)
    quay = _warped(np.stack([x, np.full(500, _SHORE + 62)], axis=1))[:, 1]
    beach = clouds(rng, 500, 2, 60, 5)[0] * 13
    ashore = (x < 900) | (x > 3380)
    edge = np.where(ashore, quay + 34 + beach, quay)
    plate.polygon(np.concatenate([np.stack([x, edge], axis=1), [(WIDTH, HEIGHT), (0, HEIGHT)]]), _SEA)
    for off in range(1, 9):
        plate.line(np.stack([x, edge + off * (6 + off * 1.6)], axis=1), (134, 168, 178), 0.8)
    plate.line(np.stack([x, edge], axis=1), INK, 2.6)
    for pier, length in ((1250, 330), (2330, 420), (3080, 260)):
        base = float(np.interp(pier, x, edge))
        plate.polygon(
            [(pier, base - 4), (pier + 50, base - 4), (pier + 66, base + length), (pier - 6, base + length)],
            _STREET,
            INK,
            2.2,
        )
        for bollard in np.arange(24, length - 8, 30):
            plate.disc(pier + 8, base + bollard, 3, INK)
            plate.disc(pier + 48 + bollard / 30, base + bollard, 3, INK)
    _harbour_depths(plate, rng)
    plate.write(1760, 2730, "Merehaven Harbour", 52, (60, 90, 108), anchor="middle", slant=0.45, spacing=3)


def _harbour_depths(plate: Plate, rng: Rng) -> None:
    for row in range(9):
        for column in range(26):
            at_x, at_y = 160 + column * 148 + 70 * (row % 2) + rng.normal(0, 12), 2455 + row * 52
            if not (2760 < at_x < 3900 and at_y > 2520) and not 2290 < at_x < 2420:
                plate.write(
                    at_x, at_y, str(int(rng.integers(1, 4)) + row), 13, (70, 100, 116), anchor="middle", slant=0.2
                )


def _railway(plate: Plate) -> None:
    track = curve(
        [
            (0, 1730),
            (230, 1640),
            (420, 1420),
            (500, 1130),
            (560, 800),
            (700, 470),
            (1000, 330),
            (1500, 290),
            (2400, 330),
            (3300, 250),
            (4000, 190),
        ],
        26,
    )
    step = np.gradient(track, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.hypot(step[:, 0], step[:, 1])[:, None]
    for rail in (-6, 6):
        plate.line(track + normal * rail, INK, 1.8)
    for sleeper in range(0, len(track), 2):
        plate.line([track[sleeper] - normal[sleeper] * 10, track[sleeper] + normal[sleeper] * 10], INK, 1.1)
    plate.box(1560, 318, 1820, 356, fill=_PUBLIC, outline=INK, width=1.6)
    plate.write(1690, 396, "STATION", 22, INK, style="roman", anchor="middle", spacing=4)


def _street_names(plate: Plate, downs: list[float], acrosses: list[float]) -> None:
    for x, name in zip(downs[1:-1], _STREETS_DOWN, strict=False):
        for y in (_TOP + 330, _SHORE - 420):
            _along(plate, name, np.array([(x + 4, y + 200), (x + 4, y - 200)]))
    for y, name in zip(acrosses, _STREETS_ACROSS, strict=False):
        for x in (_LEFT + 420, (_LEFT + _RIGHT) / 2 + 120, _RIGHT - 560):
            _along(plate, name, np.array([(x - 220, y + 5), (x + 220, y + 5)]))


def _along(plate: Plate, text: str, line: Points) -> None:
    """Letters one by one down the middle of the bent street."""
    path = _warped(np.linspace(line[0], line[1], 200))
    run = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(path, axis=0).T))])
    for place, letter in enumerate(text):
        at = run[-1] / 2 + (place - len(text) / 2) * 23
        i = min(int(np.searchsorted(run, at)), len(path) - 2)
        ahead = path[i + 1] - path[i]
        turn = float(np.degrees(np.arctan2(ahead[1], ahead[0])))
        plate.write(path[i, 0], path[i, 1], letter, 14, INK, style="roman", anchor="middle", angle=turn, weight=1.15)


def _margins(plate: Plate) -> None:
    margin: Colour = (252, 249, 240)
    for box in ((0, 0, WIDTH, 90), (0, HEIGHT - 90, WIDTH, HEIGHT), (0, 0, 90, HEIGHT), (WIDTH - 90, 0, WIDTH, HEIGHT)):
        plate.box(*box, fill=margin)
    for gap, thick in ((56, 1.2), (68, 6), (90, 1.6)):
        plate.box(gap, gap, WIDTH - gap, HEIGHT - gap, outline=INK, width=thick)
    for column in range(1, 12):
        plate.write(column * WIDTH / 12, 50, "ABCDEFGHIJK"[column - 1], 22, INK, style="roman", anchor="middle")
    for row in range(1, 9):
        plate.write(38, row * HEIGHT / 9, str(row), 22, INK, anchor="middle")
    plate.box(2810, 2520, 3840, 2850, fill=margin, outline=INK, width=3)
    plate.box(2822, 2532, 3828, 2838, outline=INK, width=1)
    plate.write(3325, 2612, "PLAN OF THE TOWN AND PORT OF", 24, INK, style="roman", anchor="middle", spacing=4)
    plate.write(3325, 2692, "MEREHAVEN", 62, INK, style="roman", anchor="middle", spacing=6, weight=1.15)
    plate.write(3325, 2744, "from the survey of 1874, corrected to 1891", 30, INK, anchor="middle", slant=0.4)
    for chain in range(8):
        plate.box(
            3005 + chain * 80, 2772, 3085 + chain * 80, 2784, fill=INK if chain % 2 else (255, 255, 255), outline=INK
        )
    plate.write(3325, 2818, "Chains", 20, INK, anchor="middle", slant=0.4)
    _north(plate, 3700, 470)


def _north(plate: Plate, x: float, y: float) -> None:
    plate.line([(x, y + 150), (x, y - 150)], INK, 2.4)
    plate.polygon([(x, y - 190), (x - 26, y - 110), (x, y - 130)], INK, INK)
    plate.polygon([(x, y - 190), (x + 26, y - 110), (x, y - 130)], (255, 255, 255), INK, 1.6)
    plate.line([(x - 70, y), (x + 70, y)], INK, 1.6)
    plate.line(arc(x, y, 46), INK, 1.4)
    plate.write(x, y - 204, "N", 34, INK, style="roman", anchor="middle")

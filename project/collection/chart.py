"""The sea chart: one height field gives coast, depths and soundings, so that they agree with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt, gaussian_filter, label
from skimage.measure import approximate_polygon, find_contours

from project.collection.paper import Field, bitten, clouds, paper, seeded, stain
from project.collection.plate import INK, Colour, Plate, arc, curve

WIDTH, HEIGHT = 3000, 2200
_FRAME = 110
_COARSE = 2

_LAND: Colour = (236, 221, 178)
_SHALLOW: Colour = (214, 230, 228)
_FAIR: Colour = (232, 240, 236)
_LINE: Colour = (92, 88, 84)
_FAINT: Colour = (176, 166, 150)
_RED: Colour = (158, 52, 40)

_ISLANDS = (
    # x, y, reach across, reach down, tilt
    (0.44, 0.43, 0.16, 0.10, 0.5),
    (0.53, 0.53, 0.09, 0.06, -0.4),
    (0.37, 0.42, 0.07, 0.09, 0.9),
    (0.69, 0.63, 0.12, 0.075, 0.8),
    (0.62, 0.69, 0.06, 0.05, 0.0),
    (0.22, 0.68, 0.075, 0.055, 0.2),
    (0.79, 0.27, 0.075, 0.042, -0.7),
    (0.48, 0.82, 0.045, 0.03, 0.0),
    (0.90, 0.48, 0.03, 0.03, 0.5),
    (0.13, 0.44, 0.035, 0.03, 0.3),
    (0.31, 0.87, 0.025, 0.025, 0.0),
    (0.69, 0.17, 0.02, 0.02, 0.0),
)

_NAMES = (
    (0.43, 0.405, "MEREHAVEN", 38, "roman"),
    (0.69, 0.64, "GREAT SKERRA", 27, "roman"),
    (0.20, 0.815, "Holm of Ness", 25, "hand"),
    (0.70, 0.355, "Linga", 25, "hand"),
    (0.565, 0.845, "The Calf", 21, "hand"),
    (0.90, 0.55, "Nun Rock", 19, "hand"),
    (0.105, 0.52, "Wester Stack", 20, "hand"),
    (0.585, 0.40, "Merehaven Roads", 25, "hand"),
    (0.32, 0.60, "Sound of Ness", 28, "hand"),
    (0.60, 0.245, "Linga Firth", 27, "hand"),
    (0.385, 0.925, "Flotta Clett", 18, "hand"),
)


@dataclass(frozen=True, slots=True)
class Relief:
    height: Field
    offshore: Field

    def depth(self, x: float, y: float) -> float:
        return float(-self.height[int(y) // _COARSE, int(x) // _COARSE])


def sea_chart() -> Image.Image:
    rng = seeded("chart-1")
    relief = _relief(rng)
    plate = Plate(WIDTH, HEIGHT)
    _depths(plate, relief)
    _rhumb_lines(plate)
    _land(plate, relief, rng)
    _soundings(plate, relief, rng)
    _aids(plate, relief)
    _names(plate)
    _compass(plate, 0.865 * WIDTH, 0.80 * HEIGHT, 190)
    _compass(plate, 0.50 * WIDTH, 0.155 * HEIGHT, 90)
    _cartouche(plate)
    _frame(plate)
    sheet = paper(rng, WIDTH, HEIGHT, (242, 231, 205), 1.2)
    return plate.printed_on(_folded(stain(sheet, rng, 330, 1890, 105)), bitten(rng, WIDTH, HEIGHT))


def _relief(rng: np.random.Generator) -> Relief:
    wide, high = WIDTH // _COARSE, HEIGHT // _COARSE
    down, across = np.mgrid[0:high, 0:wide].astype(np.float32)
    ground = np.full((high, wide), -1.0, dtype=np.float32)
    for x, y, reach_x, reach_y, tilt in _ISLANDS:
        dx, dy = across - x * wide, down - y * high
        along, aside = dx * np.cos(tilt) + dy * np.sin(tilt), dy * np.cos(tilt) - dx * np.sin(tilt)
        far = np.hypot(along / (reach_x * wide), aside / (reach_y * wide))
        ground = np.maximum(ground, 1.05 - far)
    height = gaussian_filter(ground, 7) + 0.30 * clouds(rng, wide, high, 190, 8, 0.6)
    height[:, :] = _without_specks(height)
    return Relief(height, distance_transform_edt(height < 0).astype(np.float32))


def _without_specks(height: Field) -> Field:
    """Noise leaves islets of a few pixels; a surveyor would have called them rocks."""
    pieces, count = label(height > 0)
    sizes = np.bincount(pieces.ravel(), minlength=count + 1)
    return np.where((height > 0) & (sizes[pieces] < 60), -0.02, height).astype(np.float32)


def _contours(field: Field, level: float, coarse: float = 0.35) -> list[Field]:
    padded = np.pad(field, 1, mode="edge")
    lines = (approximate_polygon(line, coarse) for line in find_contours(padded, level))
    return [(line[:, ::-1] - 1) * _COARSE for line in lines if len(line) > 6]


def _tinted(plate: Plate, mask: Field, colour: Colour) -> None:
    high = Image.fromarray((gaussian_filter(mask, 0.7) * 255).astype(np.uint8))
    plate.image.paste(colour, (0, 0), high.resize(plate.image.size, Image.Resampling.BILINEAR))


def _depths(plate: Plate, relief: Relief) -> None:
    _tinted(plate, (relief.height > -0.62).astype(np.float32), _FAIR)
    _tinted(plate, (relief.height > -0.3).astype(np.float32), _SHALLOW)
    for level, dash in ((-0.3, 3), (-0.62, 9), (-1.0, 18)):
        for line in _contours(gaussian_filter(relief.height, 2), level, 0.5):
            plate.dashed(line, _LINE, 0.9, dash, 5)


def _land(plate: Plate, relief: Relief, rng: np.random.Generator) -> None:
    _tinted(plate, (relief.height > 0).astype(np.float32), _LAND)
    for far, thick in ((2.4, 0.8), (5, 0.6), (8.4, 0.5), (12.6, 0.5)):
        for line in _contours(relief.offshore, far):
            plate.line(line, (122, 138, 142), thick)
    for line in _contours(relief.height, 0.0, 0.2):
        plate.line(line, INK, 2.0)
    _hachures(plate, relief, rng)


def _hachures(plate: Plate, relief: Relief, rng: np.random.Generator) -> None:
    """Short strokes down the slope, heavier where it is steeper: how hills were drawn before contour lines."""
    inland = np.clip(distance_transform_edt(relief.height > 0) / 45, 0, 1)
    hills = gaussian_filter(
        (np.maximum(relief.height, 0) + 0.45 * clouds(rng, *_size(relief), 95, 3) + 0.5) * inland, 4
    )
    slope_y, slope_x = np.gradient(hills)
    steep = np.hypot(slope_x, slope_y) + 1e-6
    for level in np.arange(0.25, 3, 0.13):
        for line in find_contours(hills, float(level)):
            for row, column in line[:: 2 + int(rng.integers(0, 2))].astype(int):
                grade = float(steep[row, column])
                if grade > 0.008:
                    x, y = column * _COARSE, row * _COARSE
                    reach = min(17.0, 5 + grade * 420) * rng.uniform(0.7, 1.2) / grade
                    end = (x - slope_x[row, column] * reach, y - slope_y[row, column] * reach)
                    plate.line([(x, y), end], (112, 92, 68), min(1.8, 0.5 + grade * 28))


def _size(relief: Relief) -> tuple[int, int]:
    return relief.height.shape[1], relief.height.shape[0]


def _rhumb_lines(plate: Plate) -> None:
    for x, y in ((0.865 * WIDTH, 0.80 * HEIGHT), (0.50 * WIDTH, 0.155 * HEIGHT)):
        for point in range(32):
            turn = point * np.pi / 16
            far = (x + 4000 * np.cos(turn), y + 4000 * np.sin(turn))
            plate.line([(x, y), far], _FAINT if point % 2 else (160, 146, 126), 0.6 if point % 4 else 0.9)


def _soundings(plate: Plate, relief: Relief, rng: np.random.Generator) -> None:
    for row, y in enumerate(range(190, HEIGHT - 160, 62)):
        for x in range(180 + 34 * (row % 2), WIDTH - 150, 70):
            at_x, at_y = x + rng.uniform(-16, 16), y + rng.uniform(-14, 14)
            depth = relief.depth(at_x, at_y)
            ashore = relief.offshore[int(at_y) // _COARSE, int(at_x) // _COARSE] < 11
            if depth > 0.05 and not ashore and not _reserved(at_x, at_y):
                fathoms = max(1, round(depth * 22 + depth**2 * 14 + rng.normal(0, 0.8)))
                plate.write(at_x, at_y, str(fathoms), 15, INK, anchor="middle", slant=0.2, weight=0.9)


def _reserved(x: float, y: float) -> bool:
    """Where the title, the roses and the names stand."""
    title = x < 1130 and y < 620
    scale = 1750 < x < 2420 and y > HEIGHT - 220
    roses = np.hypot(x - 0.865 * WIDTH, y - 0.80 * HEIGHT) < 215 or np.hypot(x - 0.5 * WIDTH, y - 0.155 * HEIGHT) < 108
    named = any(
        abs(x - a * WIDTH) < len(text) * size * 0.3 and abs(y - b * HEIGHT + 8) < size for a, b, text, size, _ in _NAMES
    )
    return bool(title or scale or roses or named)


def _aids(plate: Plate, relief: Relief) -> None:
    for x, y, kind in ((0.515, 0.462, "Lt. fixed"), (0.862, 0.248, "Lt. rev. 30 s"), (0.748, 0.66, "Lt. fl. red")):
        _light(plate, *_on_the_coast(relief, x * WIDTH, y * HEIGHT), kind)
    _town(plate, *_on_the_coast(relief, 0.515 * WIDTH, 0.462 * HEIGHT))
    for x, y in ((0.565, 0.43), (0.60, 0.47), (0.25, 0.56), (0.645, 0.30), (0.40, 0.60)):
        if relief.depth(x * WIDTH, y * HEIGHT) > 0.1:
            _anchor(plate, x * WIDTH, y * HEIGHT)
    for x, y in ((0.20, 0.52), (0.595, 0.71), (0.72, 0.42), (0.45, 0.70), (0.83, 0.40), (0.30, 0.80)):
        if relief.depth(x * WIDTH, y * HEIGHT) > 0.1:
            _rock(plate, x * WIDTH, y * HEIGHT)


def _town(plate: Plate, x: float, y: float) -> None:
    """Houses in two rows behind the light, and a church."""
    for house in range(15):
        left, top = x - 34 - 15 * (house % 5) - 3 * (house // 5), y - 22 + 21 * (house // 5)
        plate.box(left, top, left + 10, top + 8, fill=(150, 60, 46), outline=INK, width=0.8)
    plate.line([(x - 66, y - 52), (x - 66, y - 34)], INK, 1.6)
    plate.line([(x - 71, y - 46), (x - 61, y - 46)], INK, 1.6)


def _on_the_coast(relief: Relief, x: float, y: float) -> tuple[float, float]:
    rows, columns = np.nonzero((relief.offshore > 0) & (relief.offshore < 1.5))
    nearest = int(np.argmin((columns * _COARSE - x) ** 2 + (rows * _COARSE - y) ** 2))
    return float(columns[nearest] * _COARSE), float(rows[nearest] * _COARSE)


def _light(plate: Plate, x: float, y: float, kind: str) -> None:
    for beam in np.arange(0, 360, 30):
        turn = np.radians(beam)
        near, far = (x + 9 * np.cos(turn), y + 9 * np.sin(turn)), (x + 26 * np.cos(turn), y + 26 * np.sin(turn))
        plate.line([near, far], _RED, 1.4)
    plate.dashed(arc(x, y, 120), _RED, 0.9, 7, 7)
    plate.disc(x, y, 6, _RED)
    plate.write(x + 30, y - 14, kind, 18, _RED, slant=0.4)


def _anchor(plate: Plate, x: float, y: float) -> None:
    plate.line([(x, y - 15), (x, y + 15)], INK, 2)
    plate.line([(x - 8, y - 9), (x + 8, y - 9)], INK, 2)
    plate.line(curve([(x - 12, y + 5), (x - 8, y + 13), (x, y + 16), (x + 8, y + 13), (x + 12, y + 5)]), INK, 2)
    plate.disc(x, y - 18, 3.5, None, INK)


def _rock(plate: Plate, x: float, y: float) -> None:
    for dx, dy in ((0, 0), (24, 9), (9, 26)):
        plate.line([(x + dx - 7, y + dy), (x + dx + 7, y + dy)], INK, 1.4)
        plate.line([(x + dx, y + dy - 7), (x + dx, y + dy + 7)], INK, 1.4)
    plate.dashed(arc(x + 10, y + 12, 32), INK, 1, 2, 5)


def _names(plate: Plate) -> None:
    for x, y, text, size, style in _NAMES:
        halo = {"anchor": "middle", "style": style, "slant": 0.4 if style == "hand" else 0, "spacing": 3}
        ground = _LAND if style == "roman" else _FAIR
        if style == "roman":
            plate.write(x * WIDTH, y * HEIGHT, text, size, ground, weight=4.5, **halo)  # type: ignore[arg-type]
        plate.write(x * WIDTH, y * HEIGHT, text, size, INK, weight=1.2, **halo)  # type: ignore[arg-type]


def _compass(plate: Plate, x: float, y: float, radius: float) -> None:
    plate.disc(x, y, radius, (244, 238, 222), INK)
    for edge in (0.98, 0.88, 0.86, 0.52):
        plate.line(arc(x, y, radius * edge, steps=180), INK, 1.2)
    for degree in range(0, 360, 2 if radius > 120 else 5):
        turn, inner = np.radians(degree), 0.9 if degree % 10 else 0.885
        spoke = np.array([np.cos(turn), np.sin(turn)]) * radius
        plate.line([spoke * inner + (x, y), spoke * 0.97 + (x, y)], INK, 0.9)
    for turn, reach, girth in ((11.25, 0.46, 0.10), (22.5, 0.6, 0.11), (45, 0.74, 0.13), (0, 0.86, 0.155)):
        for quarter in range(8 if turn in (11.25, 22.5) else 4):
            step = 45 if turn in (11.25, 22.5) else 90
            _point(plate, x, y, radius, np.radians(turn + quarter * step), reach, girth)
    plate.disc(x, y, radius * 0.07, _RED, INK)
    plate.write(x, y - radius * 1.06, "N", radius * 0.2, INK, style="roman", anchor="middle")


def _point(plate: Plate, x: float, y: float, radius: float, turn: float, reach: float, girth: float) -> None:
    tip = np.array([np.cos(turn), np.sin(turn)]) * radius * reach
    for side, fill in ((1, (64, 74, 88)), (-1, (240, 232, 212))):
        flank = np.array([np.cos(turn + side * np.pi / 4), np.sin(turn + side * np.pi / 4)]) * radius * girth
        plate.polygon(np.stack([np.zeros(2), tip, flank]) + (x, y), fill, INK, 0.8)


def _cartouche(plate: Plate) -> None:
    left, top, right, bottom = 190, 175, 1090, 590
    plate.box(left, top, right, bottom, fill=(247, 240, 222), outline=INK, width=2.4)
    plate.box(left + 12, top + 12, right - 12, bottom - 12, outline=INK, width=0.9)
    for x, y, flip_x, flip_y in (
        (left, top, 1, 1),
        (right, top, -1, 1),
        (left, bottom, 1, -1),
        (right, bottom, -1, -1),
    ):
        _scroll(plate, x, y, flip_x, flip_y)
    middle = (left + right) / 2
    plate.write(middle, top + 100, "A CHART OF THE", 26, INK, style="roman", anchor="middle", spacing=5)
    plate.write(middle, top + 182, "MEREHAVEN ISLES", 56, INK, style="roman", anchor="middle", spacing=3, weight=1.15)
    plate.write(middle, top + 242, "with the Sounds, Roads and Anchorages", 29, INK, anchor="middle", slant=0.4)
    plate.write(middle, top + 294, "surveyed in the cutter Petrel", 29, INK, anchor="middle", slant=0.4)
    plate.line([(middle - 190, top + 316), (middle + 190, top + 316)], INK, 1)
    plate.write(
        middle, top + 352, "SOUNDINGS IN FATHOMS AT LOW WATER", 17, INK, style="roman", anchor="middle", spacing=3
    )
    plate.write(middle, top + 390, "1851", 24, INK, style="roman", anchor="middle", spacing=4)
    _scale_bar(plate, 1780, HEIGHT - 175)


def _scroll(plate: Plate, x: float, y: float, flip_x: int, flip_y: int) -> None:
    for reach in (1.0, 0.72):
        turn = np.linspace(0, 3.6 * np.pi, 70)
        radius = 34 * reach * (1 - turn / (4.4 * np.pi))
        points = np.stack(
            [x + flip_x * (46 * reach - radius * np.cos(turn)), y + flip_y * (46 * reach - radius * np.sin(turn))],
            axis=1,
        )
        plate.pen(points, INK, 4.5)


def _scale_bar(plate: Plate, x: float, y: float) -> None:
    plate.write(x + 300, y - 28, "SEA MILES", 17, INK, style="roman", anchor="middle", spacing=4)
    for mile in range(6):
        plate.box(
            x + mile * 100, y, x + mile * 100 + 100, y + 12, fill=INK if mile % 2 == 0 else (255, 255, 255), outline=INK
        )
        plate.write(x + mile * 100, y + 36, str(mile), 15, INK, anchor="middle")


def _frame(plate: Plate) -> None:
    outer, inner = _FRAME - 56, _FRAME
    margin: Colour = (250, 245, 232)
    for left, top, right, bottom in (
        (0, 0, WIDTH, inner),
        (0, HEIGHT - inner, WIDTH, HEIGHT),
        (0, 0, inner, HEIGHT),
        (WIDTH - inner, 0, WIDTH, HEIGHT),
    ):
        plate.box(left, top, right, bottom, fill=margin)
    for gap, thick in ((outer - 12, 5), (outer, 1.2), (inner - 24, 1.2), (inner - 12, 1.2), (inner, 1.8)):
        plate.box(gap, gap, WIDTH - gap, HEIGHT - gap, outline=INK, width=thick)
    _graticule(plate, outer, inner)


def _graticule(plate: Plate, outer: float, inner: float) -> None:
    wide, high = (WIDTH - 2 * inner) / 28, (HEIGHT - 2 * inner) / 20
    _minutes(plate, inner, wide, high)
    for minute in range(4, 28, 4):
        x, text = inner + minute * wide, f"{minute // 4 + 2}.{minute * 5 % 60:02d}"
        plate.line([(x, inner), (x, HEIGHT - inner)], _FAINT, 0.7)
        plate.write(x, inner - 30, text, 15, INK, anchor="middle")
        plate.write(x, HEIGHT - inner + 44, text, 15, INK, anchor="middle")
    for minute in range(4, 20, 4):
        y, text = inner + minute * high, str(60 - minute)
        plate.line([(inner, y), (WIDTH - inner, y)], _FAINT, 0.7)
        plate.write(outer + 16, y, text, 15, INK, anchor="middle")
        plate.write(WIDTH - outer - 16, y, text, 15, INK, anchor="middle")


def _minutes(plate: Plate, inner: float, wide: float, high: float) -> None:
    """The border of black and white, a minute of arc each."""
    for minute in range(28):
        for y in (inner - 24, HEIGHT - inner + 12):
            _minute(plate, inner + minute * wide, y, wide, 12, minute)
    for minute in range(20):
        for x in (inner - 24, WIDTH - inner + 12):
            _minute(plate, x, inner + minute * high, 12, high, minute)


def _minute(plate: Plate, x: float, y: float, wide: float, high: float, number: int) -> None:
    plate.box(x, y, x + wide, y + high, fill=INK if number % 2 else None, outline=INK)


def _folded(sheet: Field) -> Field:
    """It has lain folded in a drawer: two creases across, three down."""
    for at in (0.25, 0.5, 0.75):
        column = int(at * sheet.shape[1])
        sheet[:, column - 1 : column + 2] -= 13
        sheet[:, column + 2 : column + 9] += 5
    for at in (0.33, 0.67):
        row = int(at * sheet.shape[0])
        sheet[row - 1 : row + 2] -= 11
        sheet[row + 2 : row + 9] += 4
    return sheet

"""The herbal: fronds grown leaflet upon leaflet. The Latin names and the habits of growth are real."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image

from project.collection.letterforms import Points
from project.collection.paper import bitten, paper, seeded
from project.collection.plate import BROWN_INK, INK, Colour, Plate, arc, curve

WIDTH, HEIGHT = 1700, 2300
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Fern:
    latin: str
    author: str
    english: str
    where: str
    fronds: tuple[tuple[float, float, float], ...]
    """Lean in degrees, length in pixels and bend of each frond."""
    pairs: int
    girth: float
    leaflet: str
    stalk: Colour
    bare: float
    green: Colour


FERNS: Final = (
    Fern(
        "Dryopteris filix-mas",
        "(L.) Schott",
        "The Male Fern",
        "Woods above Linga Firth",
        ((-27, 1050, -30), (25, 1020, 32), (-3, 1460, 6), (50, 760, 30)),
        25,
        0.165,
        "pinnate",
        (112, 84, 46),
        0.16,
        (82, 116, 56),
    ),
    Fern(
        "Asplenium scolopendrium",
        "L.",
        "The Hart's-tongue",
        "Old lime kiln, Merehaven",
        ((-24, 1150, -30), (20, 1220, 30), (-3, 1440, 5), (42, 800, 30), (-46, 760, -34)),
        46,
        0.088,
        "strap",
        (92, 70, 44),
        0.15,
        (66, 120, 58),
    ),
    Fern(
        "Polypodium vulgare",
        "L.",
        "The Common Polypody",
        "On oaks, Great Skerra",
        ((-21, 1250, -16), (10, 1400, 12), (38, 980, 18)),
        21,
        0.22,
        "lobe",
        (120, 108, 60),
        0.24,
        (100, 132, 66),
    ),
    Fern(
        "Adiantum capillus-veneris",
        "L.",
        "The Maidenhair",
        "Sea cave, Holm of Ness",
        ((-30, 960, -26), (27, 960, 28), (-7, 1330, -10), (9, 1240, 14), (50, 640, 26), (-53, 620, -22)),
        14,
        0.21,
        "fan",
        (44, 30, 26),
        0.22,
        (112, 152, 84),
    ),
    Fern(
        "Asplenium trichomanes",
        "L.",
        "The Maidenhair Spleenwort",
        "Churchyard wall, Merehaven",
        (
            (-36, 960, -30),
            (33, 930, 34),
            (-16, 1280, -16),
            (15, 1320, 18),
            (0, 1460, -6),
            (60, 640, 30),
            (-60, 640, -30),
        ),
        36,
        0.046,
        "round",
        (52, 30, 24),
        0.08,
        (78, 118, 62),
    ),
    Fern(
        "Pteridium aquilinum",
        "(L.) Kuhn",
        "The Bracken",
        "Everywhere on the hill",
        ((2, 1500, 14),),
        11,
        0.42,
        "bipinnate",
        (132, 104, 58),
        0.26,
        (106, 132, 54),
    ),
)


@dataclass(slots=True)
class Brush:
    plate: Plate
    rng: Rng
    green: Colour

    def shade(self, light: float = 1.0) -> Colour:
        spread = self.rng.normal(light, 0.07)
        warm = self.rng.normal(0, 6)
        red, green, blue = self.green
        return (_byte(red * spread + warm), _byte(green * spread), _byte(blue * spread - warm / 2))

    def leaf(self, outline: Points, light: float = 1.0) -> None:
        fill = self.shade(light)
        edge = (_byte(fill[0] * 0.62), _byte(fill[1] * 0.64), _byte(fill[2] * 0.6))
        self.plate.polygon(outline, fill, edge, 0.8)


def fern_plate(number: int) -> Image.Image:
    rng, fern = seeded(f"herbal-{number}"), FERNS[number - 1]
    plate = Plate(WIDTH, HEIGHT)
    root = (WIDTH * 0.5, HEIGHT * 0.775)
    _roots(plate, rng, root, fern.stalk)
    for lean, length, bend in fern.fronds:
        _frond(Brush(plate, rng, fern.green), fern, root, lean, length, bend)
    _rhizome(plate, rng, root)
    _detail(plate, rng, fern)
    _inscriptions(plate, fern, number)
    sheet = paper(rng, WIDTH, HEIGHT, (244, 236, 214))
    return plate.printed_on(sheet, bitten(rng, WIDTH, HEIGHT, 0.8))


Leaflet = Callable[[Brush, float, float, float, float], None]


# -- Growth ---------------------------------------------------------------------------------------------------------


def _axis(root: tuple[float, float], lean: float, length: float, bend: float, steps: int = 60) -> Points:
    """A stalk that leaves the root at one angle and arrives at another."""
    turn = np.radians(lean + bend * np.linspace(0, 1, steps) ** 1.6)
    step = length / steps
    path = np.stack([np.cumsum(np.sin(turn)), -np.cumsum(np.cos(turn))], axis=1) * step
    return np.concatenate([[root], path + root])


def _frond(brush: Brush, fern: Fern, root: tuple[float, float], lean: float, length: float, bend: float) -> None:
    axis = _axis((root[0] + lean * 0.9, root[1] - 6), lean, length, bend)
    if fern.leaflet == "strap":
        _strap(brush, axis, length * fern.girth)
        return
    brush.plate.pen(axis[::-1], fern.stalk, 7.5, nib=np.pi / 7)
    for at, side, taper in _positions(fern.pairs, fern.bare):
        spot = axis[min(int(at * (len(axis) - 1)), len(axis) - 2)]
        ahead = axis[min(int(at * (len(axis) - 1)) + 1, len(axis) - 1)] - spot
        heading = np.arctan2(ahead[1], ahead[0]) + side * np.radians(brush.rng.normal(68 - 22 * at, 3))
        _LEAFLETS[fern.leaflet](brush, spot[0], spot[1], heading, length * fern.girth * taper)
    tip = axis[-1] - axis[-4]
    _LEAFLETS[fern.leaflet](brush, axis[-1, 0], axis[-1, 1], np.arctan2(tip[1], tip[0]), length * fern.girth * 0.14)


def _positions(pairs: int, bare: float) -> list[tuple[float, int, float]]:
    """Where along the stalk, on which side, how long: short at the foot, longest at a third, nothing at the tip."""
    found = []
    for pair in range(pairs):
        share = pair / (pairs - 1)
        taper = (0.52 + 0.48 * min(1.0, share / 0.28)) * (1 - share**1.7) ** 0.8 + 0.04
        for side in (-1, 1):
            found.append((bare + (1 - bare) * (share**0.92) + 0.004 * side, side, taper))
    return found


def _ray(x: float, y: float, heading: float, length: float, droop: float, steps: int = 14) -> Points:
    turn = heading + droop * np.linspace(0, 1, steps) ** 1.5
    path = np.stack([np.cumsum(np.cos(turn)), np.cumsum(np.sin(turn))], axis=1) * (length / steps)
    return np.concatenate([[(x, y)], path + (x, y)])


def _blade(spine: Points, girth: float, wave: float = 0.0, tip: float = 0.7) -> Points:
    """The outline of a leaf about its midrib."""
    step = np.gradient(spine, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / (np.hypot(step[:, 0], step[:, 1])[:, None] + 1e-9)
    share = np.linspace(0, 1, len(spine))
    swell = np.sin(np.pi * share**tip) ** 0.6 * girth * (1 + wave * np.sin(share * 40))
    return np.concatenate([spine + normal * swell[:, None], (spine - normal * swell[:, None])[::-1]])


def _pinnate(brush: Brush, x: float, y: float, heading: float, length: float) -> None:
    """A feather of small blunt lobes: one leaflet of the male fern."""
    spine = _ray(x, y, heading, length, float(brush.rng.normal(0, 0.14)))
    lobes = max(4, int(length / 11))
    for lobe in range(lobes):
        share = (lobe + 0.5) / lobes
        spot = spine[int(share * (len(spine) - 1))]
        reach = min(34.0, length * 0.19) * (1 - share**1.5) ** 0.75 + 3
        for side in (-1, 1):
            ray = _ray(spot[0], spot[1], heading + side * 1.16, reach, -0.22 * side, 6)
            brush.leaf(_blade(ray, reach * 0.30, 0, 0.5), 1.0 + 0.1 * side)
    brush.plate.line(spine, _dark(brush.green), 1.2)


def _bipinnate(brush: Brush, x: float, y: float, heading: float, length: float) -> None:
    spine = _ray(x, y, heading, length, float(brush.rng.normal(0.05, 0.08)), 20)
    brush.plate.line(spine, (140, 122, 66), 3)
    pinnae = max(3, int(length / 34))
    for pinna in range(pinnae):
        share = (pinna + 0.6) / pinnae
        spot = spine[int(share * (len(spine) - 1))]
        for side in (-1, 1):
            reach = length * 0.24 * (1 - share**1.3) ** 0.85 + 6
            _pinnate(brush, spot[0], spot[1], heading + side * float(brush.rng.normal(1.12, 0.05)), reach)


def _lobe(brush: Brush, x: float, y: float, heading: float, length: float) -> None:
    spine = _ray(x, y, heading, length, float(brush.rng.normal(0, 0.12)))
    brush.leaf(_blade(spine, 19 * (0.4 + 0.6 * min(1.0, length / 150)), 0.035, 0.55))
    brush.plate.line(spine[:-2], _dark(brush.green), 1.2)
    for share in np.linspace(0.12, 0.86, max(2, int(length / 17))):
        spot = spine[int(share * (len(spine) - 1))]
        for side in (-1, 1):
            at = spot + 8.5 * np.array([np.cos(heading + side * 1.5), np.sin(heading + side * 1.5)])
            brush.plate.disc(float(at[0]), float(at[1]), 3.4, (176, 112, 44), (112, 66, 30))


def _fan(brush: Brush, x: float, y: float, heading: float, length: float) -> None:
    """Hair-thin stalks, each ending in a notched fan."""
    spine = _ray(x, y, heading, length, float(brush.rng.normal(0.2, 0.15)))
    brush.plate.line(spine, (44, 30, 26), 1.6)
    fans = max(1, int(length / 38))
    for fan in range(fans):
        spot = spine[int((fan + 1) / fans * (len(spine) - 1))]
        side = 1 if fan % 2 else -1
        turn = heading + side * 0.75 if fan < fans - 1 else heading
        stem = spot + 14 * np.array([np.cos(turn), np.sin(turn)])
        brush.plate.line([spot, stem], (44, 30, 26), 1.1)
        _one_fan(brush, float(stem[0]), float(stem[1]), turn, 30 + 8 * float(brush.rng.random()))


def _one_fan(brush: Brush, x: float, y: float, heading: float, reach: float) -> None:
    spread = np.linspace(-1.0, 1.0, 34)
    notched = reach * (0.9 + 0.13 * np.abs(np.cos(spread * 5.2))) * (1 - 0.18 * spread**2)
    rim = np.stack([x + notched * np.cos(heading + spread), y + notched * np.sin(heading + spread)], axis=1)
    brush.leaf(np.concatenate([[(x, y)], rim]))
    for ray in rim[3:-3:4]:
        brush.plate.line([(x, y), (x + (ray[0] - x) * 0.9, y + (ray[1] - y) * 0.9)], _dark(brush.green), 0.5)


def _round(brush: Brush, x: float, y: float, heading: float, length: float) -> None:
    reach = max(7.0, length * float(brush.rng.normal(0.95, 0.06)))
    brush.leaf(_blade(_ray(x, y, heading, reach, 0.0, 12), reach * 0.33, 0.05, 0.6))
    for share in (0.35, 0.6):
        for side in (-0.5, 0.5):
            near = np.array([x + np.cos(heading) * reach * share, y + np.sin(heading) * reach * share])
            far = near + reach * 0.17 * np.array([np.cos(heading + side * 1.6), np.sin(heading + side * 1.6)])
            brush.plate.line([near, far], (150, 96, 42), 1.6)


def _strap(brush: Brush, axis: Points, girth: float) -> None:
    blade = axis[7:]
    share = np.linspace(0, 1, len(blade))
    step = np.gradient(blade, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / np.hypot(step[:, 0], step[:, 1])[:, None]
    swell = (
        girth * np.clip(np.minimum(share * 9 + 0.55, (1 - share) * 3.2), 0, 1) ** 0.7 * (1 + 0.06 * np.sin(share * 32))
    )
    left, right = blade + normal * swell[:, None], blade - normal * swell[:, None]
    brush.leaf(np.concatenate([left, right[::-1]]))
    brush.plate.polygon(np.concatenate([left, blade[::-1]]), brush.shade(1.12))
    _veins(brush, blade, normal, swell)
    brush.plate.pen(axis[::-1], (126, 112, 60), 8, nib=np.pi / 7)


def _veins(brush: Brush, blade: Points, normal: Points, swell: Points) -> None:
    along = np.linspace(1, len(blade) - 4, len(blade) * 3)
    for at in along:
        row = int(at)
        spot = blade[row] + (blade[row + 1] - blade[row]) * (at - row)
        for side in (-1, 1):
            tip = spot + side * normal[row] * swell[row] * 0.92 + (blade[row + 1] - blade[row]) * 0.8
            brush.plate.line([spot, tip], _dark(brush.green), 0.5)
            if int(at * 3) % 4 == 0 and 0.3 < row / len(blade) < 0.92:
                brush.plate.line([spot + (tip - spot) * 0.3, spot + (tip - spot) * 0.82], (134, 84, 40), 4)


_LEAFLETS: Final[dict[str, Leaflet]] = {
    "pinnate": _pinnate,
    "bipinnate": _bipinnate,
    "lobe": _lobe,
    "fan": _fan,
    "round": _round,
}


# -- Below the ground and around the plant ---------------------------------------------------------------------------


def _roots(plate: Plate, rng: Rng, root: tuple[float, float], colour: Colour) -> None:
    for _ in range(70):
        x = root[0] + rng.normal(0, 52)
        spine = _ray(x, root[1] + 8, np.pi / 2 + rng.normal(0, 0.6), rng.uniform(40, 190), rng.normal(0, 1.1), 18)
        plate.pen(
            spine, (_byte(colour[0] * 0.8), _byte(colour[1] * 0.75), _byte(colour[2] * 0.8)), rng.uniform(1.2, 4.4)
        )


def _rhizome(plate: Plate, rng: Rng, root: tuple[float, float]) -> None:
    x, y = root
    plate.polygon(
        curve(
            [
                (x - 120, y + 4),
                (x - 70, y - 26),
                (x, y - 34),
                (x + 70, y - 26),
                (x + 122, y + 6),
                (x + 60, y + 32),
                (x - 50, y + 34),
                (x - 120, y + 4),
            ]
        ),
        (104, 72, 44),
        INK,
        1.4,
    )
    for _ in range(260):
        at_x, at_y = x + rng.uniform(-112, 112), y + rng.uniform(-27, 27)
        if abs(at_x - x) / 122 + abs(at_y - y) / 70 < 1:
            plate.pen(_ray(at_x, at_y, -np.pi / 2 + rng.normal(0, 0.7), rng.uniform(10, 26), 0.4, 6), (66, 42, 28), 2.4)


def _detail(plate: Plate, rng: Rng, fern: Fern) -> None:
    """Fig. 2: a fertile leaflet, enlarged; fig. 3: the crozier in spring."""
    brush = Brush(plate, rng, fern.green)
    x, y = WIDTH * 0.845, HEIGHT * 0.80
    spine = _ray(x - 120, y + 70, -0.5, 250, 0.12, 24)
    brush.leaf(_blade(spine, 62, 0.05, 0.55), 1.05)
    plate.line(spine, _dark(fern.green), 2.2)
    for share in np.linspace(0.18, 0.8, 6):
        spot = spine[int(share * (len(spine) - 1))]
        for side in (-1, 1):
            at = spot + side * np.array([15.0, 31.0]) * (1 - abs(share - 0.5))
            plate.line([spot, at], _dark(fern.green), 1.0)
            _sorus(plate, rng, float(at[0]), float(at[1]))
    plate.write(x + 40, y + 92, "Fig. 2", 20, BROWN_INK, slant=0.4)
    _crozier(plate, fern, WIDTH * 0.145, HEIGHT * 0.80)


def _sorus(plate: Plate, rng: Rng, x: float, y: float) -> None:
    for _ in range(22):
        plate.disc(x + rng.normal(0, 5), y + rng.normal(0, 5), rng.uniform(1.6, 3.2), (152, 92, 40), (92, 54, 26))


def _crozier(plate: Plate, fern: Fern, x: float, y: float) -> None:
    turn = np.linspace(0, 4.2 * np.pi, 120)
    radius = 62 * (1 - turn / (4.6 * np.pi))
    spiral = np.stack([x + radius * np.cos(turn + np.pi), y - 90 - radius * np.sin(turn + np.pi) * -1], axis=1)
    stalk = curve([(x - 30, y + 110), (x - 42, y + 40), (x - 60, y - 40), (x - 62, y - 90)])
    plate.pen(np.concatenate([stalk, spiral]), (118, 126, 66), 15, nib=0.6)
    for at in range(4, 110, 2):
        out = spiral[at] - (x, y - 90)
        unit = out / (np.hypot(*out) + 1e-6)
        plate.line([spiral[at] + unit * 4, spiral[at] + unit * 13 + (0, 2)], fern.stalk, 1.5)
    plate.write(x - 20, y + 132, "Fig. 3", 20, BROWN_INK, slant=0.4)


def _inscriptions(plate: Plate, fern: Fern, number: int) -> None:
    middle = WIDTH / 2
    plate.box(70, 70, WIDTH - 70, HEIGHT - 70, outline=BROWN_INK, width=1.8)
    plate.box(80, 80, WIDTH - 80, HEIGHT - 80, outline=BROWN_INK, width=0.7)
    plate.write(
        WIDTH - 110,
        135,
        f"PL. {['I', 'II', 'III', 'IV', 'V', 'VI'][number - 1]}",
        25,
        INK,
        style="roman",
        anchor="right",
        spacing=3,
    )
    plate.write(110, 135, "FILICES", 25, INK, style="roman", spacing=3)
    plate.write(middle, HEIGHT - 205, fern.latin, 50, INK, anchor="middle", slant=0.42, weight=1.1)
    plate.write(middle, HEIGHT - 152, fern.author, 23, INK, anchor="middle", slant=0.3)
    plate.write(middle, HEIGHT - 108, fern.english.upper(), 22, INK, style="roman", anchor="middle", spacing=4)
    plate.write(110, HEIGHT - 104, fern.where, 20, BROWN_INK, slant=0.5)
    plate.write(WIDTH - 110, HEIGHT - 104, "E. Tarn del.", 20, BROWN_INK, anchor="right", slant=0.5)
    _stamp(plate, WIDTH - 235, 265)


def _stamp(plate: Plate, x: float, y: float) -> None:
    violet: Colour = (128, 104, 150)
    for radius in (92, 86, 56):
        plate.line(arc(x, y, radius), violet, 2)
    for text, start in (("MEREHAVEN", 205), ("MUSEUM", 120)):
        for place, letter in enumerate(text):
            turn = start + place * (130 / len(text) if start > 180 else -12)
            at = np.radians(turn)
            plate.write(
                x + 66 * np.cos(at),
                y + 66 * np.sin(at),
                letter,
                15,
                violet,
                style="roman",
                anchor="middle",
                angle=turn + 90 if start > 180 else turn - 90,
            )
    plate.write(x, y + 8, "HERBAL", 17, violet, style="roman", anchor="middle")


def _dark(colour: Colour) -> Colour:
    return (_byte(colour[0] * 0.6), _byte(colour[1] * 0.62), _byte(colour[2] * 0.58))


def _byte(value: float) -> int:
    return int(min(255, max(0, value)))

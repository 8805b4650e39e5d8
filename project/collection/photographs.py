"""Photographs that nobody took: a harbour drawn in greys, put out of focus, grained, toned and scratched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from project.collection.paper import Field, clouds, edges, grain, paper, seeded
from project.collection.plate import BROWN_INK, Colour, Pixels, Plate, curve, to_image

WIDTH, HEIGHT = 2000, 1400
Rng = np.random.Generator


@dataclass(frozen=True, slots=True)
class Craft:
    x: float
    waterline: float
    scale: float
    sails: int
    """How many of its sails are set."""
    heading: int = 1
    heel: float = 0.0


@dataclass(frozen=True, slots=True)
class Scene:
    caption: str
    horizon: float
    sky: float
    wind: float
    town: bool
    foreground: str
    fleet: tuple[Craft, ...]


SCENES: Final = (
    Scene(
        "The fleet at anchor, Merehaven Roads",
        620,
        208,
        0.5,
        True,
        "none",
        (
            Craft(330, 700, 0.42, 0),
            Craft(690, 690, 0.36, 0, -1),
            Craft(1010, 712, 0.46, 0),
            Craft(1660, 700, 0.4, 0, -1),
            Craft(1350, 760, 0.72, 0),
            Craft(560, 850, 0.98, 0, -1),
            Craft(1500, 980, 1.36, 0),
        ),
    ),
    Scene(
        "Leaving on the ebb",
        560,
        214,
        1.1,
        False,
        "none",
        (
            Craft(240, 590, 0.24, 2),
            Craft(470, 585, 0.2, 2),
            Craft(760, 600, 0.28, 2, 1, 3),
            Craft(1640, 606, 0.3, 2, 1, 4),
            Craft(1180, 670, 0.6, 2, 1, 5),
            Craft(720, 905, 1.32, 2, 1, 6),
        ),
    ),
    Scene(
        "At the north steps",
        520,
        200,
        0.25,
        True,
        "quay",
        (
            Craft(420, 640, 0.5, 0),
            Craft(1150, 660, 0.58, 0, -1),
            Craft(760, 800, 0.95, 1),
            Craft(1480, 880, 1.2, 0, -1),
        ),
    ),
    Scene(
        "Waiting for wind, August",
        640,
        222,
        0.12,
        False,
        "none",
        (
            Craft(330, 668, 0.3, 2),
            Craft(620, 660, 0.24, 2, -1),
            Craft(1700, 680, 0.36, 1, -1),
            Craft(1220, 880, 1.26, 2),
        ),
    ),
    Scene(
        "Gale from the south east",
        570,
        176,
        2.6,
        False,
        "spray",
        (Craft(300, 610, 0.3, 1, 1, 9), Craft(1690, 620, 0.34, 1, 1, 11), Craft(950, 860, 1.2, 1, 1, 14)),
    ),
    Scene(
        "Barrels for Riga",
        500,
        210,
        0.3,
        True,
        "barrels",
        (Craft(300, 640, 0.6, 0), Craft(980, 660, 0.66, 1, -1), Craft(1560, 700, 0.8, 0, -1)),
    ),
)


def fleet_photograph(number: int) -> Image.Image:
    rng, scene = seeded(f"fleet-{number}"), SCENES[number - 1]
    air = _air(scene, rng)
    plate = Plate(WIDTH, HEIGHT)
    plate.image.paste(to_image(np.repeat(air[..., None], 3, axis=2)).resize(plate.image.size, Image.Resampling.BOX))
    _land(plate, scene, rng)
    shore = np.asarray(plate.finished().convert("L"), dtype=np.float32)
    for craft in scene.fleet:
        _boat(plate, craft, rng, scene)
    ashore = np.asarray(plate.finished().convert("L"), dtype=np.float32)
    picture = _afloat(ashore, shore, scene, rng)
    picture = _foreground(picture, scene, rng)
    return _mounted(_developed(picture, rng), scene.caption, number, rng)


# -- The scene ------------------------------------------------------------------------------------------------------


def _grey(value: float) -> Colour:
    level = int(min(255, max(0, value)))
    return (level, level, level)


def _air(scene: Scene, rng: Rng) -> Field:
    down = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None]
    sky = scene.sky - 46 * (1 - np.clip(down * HEIGHT / scene.horizon, 0, 1)) ** 1.3
    cover = clouds(rng, WIDTH, HEIGHT * 3, 620, 6)[::3]
    return (sky + np.clip(cover, -0.4, 2) * (9 + 5 * scene.wind)).astype(np.float32)


def _land(plate: Plate, scene: Scene, rng: Rng) -> None:
    for ridge in range(3):
        tone = scene.sky - 30 - 26 * ridge
        x = np.linspace(-10, WIDTH + 10, 300)
        rise = clouds(rng, 300, 2, 90 - 20 * ridge, 5)[0] * (16 + 7 * ridge) + (95 - 20 * ridge)
        slope = np.clip((x - WIDTH * (0.2 + 0.15 * ridge)) / (WIDTH * 0.5), 0, 1) if not scene.town else 1
        top = scene.horizon - np.maximum(rise, 4) * slope * (1.1 if scene.town else 0.8)
        plate.polygon(
            np.concatenate([np.stack([x, top], axis=1), [(WIDTH, scene.horizon), (0, scene.horizon)]]), _grey(tone)
        )
    if scene.town:
        _town(plate, scene, rng)
    plate.box(0, scene.horizon, WIDTH, HEIGHT, fill=_grey(scene.sky - 70))


def _town(plate: Plate, scene: Scene, rng: Rng) -> None:
    for row in range(4):
        x, ground = rng.uniform(-30, 10), scene.horizon - 58 + 17 * row
        while x < WIDTH:
            wide, high = rng.uniform(28, 58), rng.uniform(24, 44)
            if rng.random() < 0.86:
                _house(plate, x, ground, wide, high, scene.sky - 62 - 9 * row + rng.normal(0, 13))
            x += wide * rng.uniform(0.85, 1.15)
    x, base = WIDTH * 0.62, scene.horizon - 62
    plate.polygon([(x, base), (x, base - 88), (x + 13, base - 150), (x + 26, base - 88), (x + 26, base)], _grey(104))
    plate.box(0, scene.horizon - 11, WIDTH, scene.horizon + 6, fill=_grey(92))
    for stone in range(260):
        plate.line(
            [(stone * 8, scene.horizon - 10 + stone % 3 * 5), (stone * 8 + 5, scene.horizon - 10 + stone % 3 * 5)],
            _grey(74),
            1,
        )


def _house(plate: Plate, x: float, ground: float, wide: float, high: float, tone: float) -> None:
    ridge = high * 0.55
    plate.box(x, ground - high, x + wide, ground, fill=_grey(tone + 34))
    plate.polygon(
        [(x - 2, ground - high), (x + wide / 2, ground - high - ridge), (x + wide + 2, ground - high)], _grey(tone + 20)
    )
    plate.polygon(
        [
            (x + wide / 2, ground - high - ridge),
            (x + wide + 2, ground - high),
            (x + wide * 1.3, ground - high),
            (x + wide * 0.95, ground - high - ridge),
        ],
        _grey(tone - 22),
    )
    plate.box(
        x + wide * 0.8, ground - high - ridge - 9, x + wide * 0.9, ground - high - ridge + 5, fill=_grey(tone - 12)
    )
    for pane in (0.2, 0.6):
        for level in (0.3, 0.72):
            plate.box(
                x + wide * pane,
                ground - high * level - 5,
                x + wide * (pane + 0.15),
                ground - high * level + 2,
                fill=_grey(tone - 34),
            )


# -- Boats ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Rig:
    """Boat co-ordinates (stem to the right, keel line at 0) turned into those of the picture, with haze."""

    plate: Plate
    craft: Craft
    haze: float

    def points(self, flat: list[tuple[float, float]]) -> Field:
        shape = np.array(flat, dtype=float) * (self.craft.heading, 1)
        turn = np.radians(self.craft.heel) * self.craft.heading
        spun = np.stack(
            [
                shape[:, 0] * np.cos(turn) - shape[:, 1] * np.sin(turn),
                shape[:, 0] * np.sin(turn) + shape[:, 1] * np.cos(turn),
            ],
            axis=1,
        )
        placed: Field = spun * self.craft.scale + (self.craft.x, self.craft.waterline)
        return placed

    def tone(self, value: float) -> Colour:
        return _grey(value * (1 - self.haze) + 178 * self.haze)

    def fill(self, flat: list[tuple[float, float]], value: float, rim: float | None = None) -> None:
        edge = None if rim is None else self.tone(rim)
        self.plate.polygon(self.points(flat), self.tone(value), edge, max(0.6, self.craft.scale))

    def rope(self, flat: list[tuple[float, float]], value: float = 46, width: float = 1.6) -> None:
        self.plate.line(self.points(flat), self.tone(value), max(0.55, width * self.craft.scale))


def _boat(plate: Plate, craft: Craft, rng: Rng, scene: Scene) -> None:
    rig = _Rig(plate, craft, float(np.clip(0.62 - craft.scale * 0.55, 0, 0.5)))
    _masts(rig)
    _sails(rig, craft.sails, rng)
    _hull(rig, rng)
    _crew(rig, rng)


def _hull(rig: _Rig, rng: Rng) -> None:
    sheer = [tuple(p) for p in curve([(-232, -66), (-150, -48), (0, -42), (140, -54), (226, -84)]).tolist()]
    bottom = [tuple(p) for p in curve([(232, -60), (214, 6), (120, 16), (-100, 16), (-206, 8), (-236, -40)]).tolist()]
    rig.fill([*sheer, *bottom], 40, 28)
    for plank in range(5):
        drop = 11 + plank * 12
        rig.rope([(x, y + drop) for x, y in sheer[2:-2]], 62 if plank else 150, 2.6 if plank == 0 else 1)
    rig.rope(sheer, 172, 4)
    rig.fill([(-120, -44), (-120, -70), (-58, -70), (-58, -44)], 84, 44)
    number = f"M {rng.integers(10, 190)}"
    at = rig.points([(150 * rig.craft.heading if rig.craft.heading < 0 else 104, -20)])[0]
    if rig.craft.scale > 0.5 and not rig.craft.heel:
        rig.plate.caption(float(at[0]), float(at[1]), number, 26 * rig.craft.scale, rig.tone(196))


def _masts(rig: _Rig) -> None:
    for foot, top, thick in ((86, -520, 9), (-128, -400, 7)):
        rig.rope([(foot, -44), (foot - 12, top)], 52, thick)
        for shroud in (-46, -22, 26, 50):
            rig.rope([(foot - 10, top + 40), (foot + shroud, -50)], 70, 1.3)
        for rung in range(7):
            rig.rope([(foot - 40 + rung * 4, -90 - rung * 48), (foot - 16 + rung, -94 - rung * 48)], 84, 0.9)
    rig.rope([(74, -518), (226, -84)], 66, 1.6)
    rig.rope([(74, -518), (-140, -396)], 70, 1.2)
    rig.rope([(-140, -396), (-232, -66)], 70, 1.4)
    rig.rope([(226, -84), (318, -112)], 54, 6)
    rig.rope([(318, -112), (76, -500)], 70, 1.2)


def _sails(rig: _Rig, count: int, rng: Rng) -> None:
    shapes = (
        [(100, -96), (64, -470), (196, -430), (214, -300), (230, -110)],
        [(-112, -86), (-142, -360), (-28, -340), (-8, -220), (-4, -96)],
    )
    for outline in shapes[:count]:
        bellied = [tuple(p) for p in curve([outline[0], outline[0]] + outline[1:2] * 2 + outline[2:], 8).tolist()]
        rig.fill(bellied, 122 + float(rng.normal(0, 5)), 78)
        _seams(rig, outline)
    for outline in shapes[count:]:
        (x, y), (end_x, end_y) = outline[0], outline[-1]
        roll = [
            tuple(p)
            for p in curve(
                [(x - 8, y + 14), (x + 30, y - 6), (end_x - 40, end_y - 2), (end_x - 4, end_y + 14), (x - 8, y + 16)]
            ).tolist()
        ]
        rig.fill(roll, 118, 70)
        for tie in np.linspace(0.15, 0.85, 6):
            at = x + (end_x - x) * float(tie)
            rig.rope([(at, y - 2), (at + 2, y + 17)], 60, 2)


def _seams(rig: _Rig, outline: Sequence[tuple[float, float]]) -> None:
    foot, top, peak, _, clew = (np.array(point) for point in outline)
    for share in np.linspace(0.14, 0.9, 7):
        low, high = foot + (clew - foot) * share, top + (peak - top) * share
        bend = (low + high) / 2 + (9, 0)
        rig.rope([tuple(p) for p in curve([tuple(low), tuple(bend), tuple(high)], 6).tolist()], 98, 1.1)
    for reef in (0.2, 0.34):
        left, right = foot + (top - foot) * reef, clew + (np.array(outline[3]) - clew) * reef * 1.5
        rig.rope([tuple(left), tuple(right)], 92, 1)
        for tie in np.linspace(0.05, 0.95, 12):
            spot = left + (right - left) * tie
            rig.rope([tuple(spot), tuple(spot + (2, 15))], 88, 1.1)


def _crew(rig: _Rig, rng: Rng) -> None:
    """Figures of a few pixels, all hats and shoulders."""
    for _ in range(int(rng.integers(2, 5))):
        x, bend = float(rng.uniform(-190, 170)), float(rng.uniform(-6, 6))
        arm = float(rng.uniform(10, 26)) * (1 if rng.random() < 0.5 else -1)
        coat = [
            (x - 9, -44),
            (x - 13 + bend / 2, -66),
            (x - 9 + bend, -80),
            (x + bend, -85),
            (x + 9 + bend, -80),
            (x + 13 + bend / 2, -66),
            (x + 9, -44),
        ]
        rig.fill([(a, b) for a, b in curve(coat, 5).tolist()], float(rng.uniform(30, 60)))
        rig.rope([(x + bend, -77), (x + arm * 0.8 + bend, -66), (x + arm + bend, -56)], 44, 5)
        face = np.radians(np.linspace(0, 360, 14))
        rig.fill([(x + bend * 1.3 + 5.4 * np.cos(a), -91 + 6.4 * np.sin(a)) for a in face], 120)
        rig.fill(
            [
                (x - 7 + bend * 1.3, -94),
                (x - 4 + bend * 1.3, -100),
                (x + 4 + bend * 1.3, -100),
                (x + 9 + bend * 1.3, -93),
            ],
            32,
        )


# -- Water ----------------------------------------------------------------------------------------------------------


def _afloat(above: Field, shore: Field, scene: Scene, rng: Rng) -> Field:
    """Below each waterline the picture is what stands above it, upside down and shaken; nearer is shakier."""
    horizon = int(scene.horizon)
    depth = (np.arange(HEIGHT, dtype=np.float32) - horizon)[:, None] / (HEIGHT - horizon)
    near = np.clip(depth, 0.001, 1)
    swell = _swell(rng, scene, near)
    picture = above.copy()
    water = scene.sky - 34 - 52 * near + swell * (7 + 15 * scene.wind * near + 5 * scene.wind)
    picture[horizon:] = water[horizon:]
    mirrored = _mirror(shore, horizon, swell, near, scene)
    strength = 0.6 * np.exp(-2.2 * near) / (1 + scene.wind)
    picture[horizon:] = picture[horizon:] * (1 - strength[horizon:]) + mirrored * strength[horizon:]
    for craft in sorted(scene.fleet, key=lambda craft: craft.waterline):
        picture = _with_boat(picture, above, shore, craft, swell, scene)
    return picture


def _swell(rng: Rng, scene: Scene, near: Field) -> Field:
    """Noise laid on the sea in perspective: flat and fine at the horizon, long and tall at our feet."""
    flat = clouds(rng, 1600, 1600, 42, 5, 0.66)
    far = 1 / (near + 0.035)
    below = int(scene.horizon)
    swell = np.zeros((HEIGHT, WIDTH), dtype=np.float32)
    rows = np.clip(far * 55, 0, 1599) + np.zeros((1, WIDTH), dtype=np.float32)
    across = (np.arange(WIDTH, dtype=np.float32)[None, :] - WIDTH / 2) * (0.12 + 0.055 * far) + 800
    swell[below:] = map_coordinates(flat, [rows[below:], across[below:]], order=1, mode="mirror")
    return swell


def _mirror(source: Field, line: int, swell: Field, near: Field, scene: Scene) -> Field:
    down, across = np.mgrid[line:HEIGHT, 0:WIDTH].astype(np.float32)
    shake = swell[line:] * ((2 + 16 * near) * (0.5 + scene.wind))[line:]
    rows, columns = np.clip(2 * line - down + shake * 0.8, 0, line), np.clip(across + shake * 0.5, 0, WIDTH - 1)
    return np.asarray(map_coordinates(source, [rows, columns], order=1), dtype=np.float32)


def _with_boat(picture: Field, above: Field, shore: Field, craft: Craft, swell: Field, scene: Scene) -> Field:
    reach, line = int(340 * craft.scale), int(craft.waterline)
    left, right = max(0, int(craft.x) - reach), min(WIDTH, int(craft.x) + reach)
    top, bottom = max(0, line - int(545 * craft.scale)), min(HEIGHT, line + int(500 * craft.scale))
    body = np.clip(np.abs(above - shore)[top:line, left:right] / 10, 0, 1)
    lapped = line + int(5 * craft.scale)
    deep = np.clip(np.abs(above - shore)[line:lapped, left:right] / 10, 0, 1) * 0.8
    picture[top:line, left:right] = picture[top:line, left:right] * (1 - body) + above[top:line, left:right] * body
    picture[line:lapped, left:right] = (
        picture[line:lapped, left:right] * (1 - deep) + above[line:lapped, left:right] * deep
    )
    down, across = np.mgrid[lapped:bottom, left:right].astype(np.float32)
    ripple = swell[lapped:bottom, left:right] * (3 + 15 * craft.scale) * (0.35 + scene.wind)
    rows, columns = np.clip(2 * line - down + ripple, top, line - 1), np.clip(across + ripple * 0.6, left, right - 1)
    cover = map_coordinates(np.clip(np.abs(above - shore) / 10, 0, 1), [rows, columns], order=1)
    tone = map_coordinates(above, [rows, columns], order=1)
    strength = cover * 0.72 * np.exp(-(down - lapped) / (260 * craft.scale)) / (1 + scene.wind * 0.9)
    part = picture[lapped:bottom, left:right]
    picture[lapped:bottom, left:right] = part * (1 - strength) + tone * strength * 0.9
    return picture


# -- Foreground -----------------------------------------------------------------------------------------------------


def _foreground(picture: Field, scene: Scene, rng: Rng) -> Field:
    if scene.foreground == "none":
        return picture
    if scene.foreground == "spray":
        return _sprayed(picture, scene, rng)
    plate = Plate(WIDTH, HEIGHT)
    plate.image.paste(to_image(np.repeat(picture[..., None], 3, axis=2)).resize(plate.image.size, Image.Resampling.BOX))
    _quay(plate, rng, 1085)
    if scene.foreground == "barrels":
        for row in range(3):
            for barrel in range(8 - row * 2):
                _barrel(plate, 150 + barrel * 128 + row * 110 + rng.uniform(-5, 5), 1350 - row * 131, rng)
    else:
        _bollards(plate)
    return np.asarray(plate.finished().convert("L"), dtype=np.float32)


def _quay(plate: Plate, rng: Rng, top: float) -> None:
    plate.polygon([(0, top + 40), (WIDTH, top), (WIDTH, HEIGHT), (0, HEIGHT)], _grey(128))
    for row in range(9):
        y, tall = top + 6 + row * row * 3.2 + row * 12, 16 + row * 6.4
        x = -rng.uniform(0, 120)
        while x < WIDTH:
            wide = rng.uniform(80, 170) * (0.7 + row * 0.09)
            lift = 40 * (1 - x / WIDTH)
            plate.polygon(
                [(x, y + lift), (x + wide, y + lift), (x + wide + 3, y + lift + tall), (x + 3, y + lift + tall)],
                _grey(128 + rng.normal(0, 10) + row * 2),
                _grey(86),
                1.4,
            )
            x += wide


def _barrel(plate: Plate, x: float, y: float, rng: Rng) -> None:
    tone = float(rng.normal(98, 9))
    side = (
        curve([(x - 50, y - 130), (x - 62, y - 66), (x - 50, y)]).tolist()
        + curve([(x + 50, y), (x + 62, y - 66), (x + 50, y - 130)]).tolist()
    )
    plate.polygon(side, _grey(tone), _grey(40), 1.6)
    for stave in np.linspace(-0.8, 0.8, 7):
        shade = tone * (0.72 + 0.34 * (1 - abs(stave - 0.25)))
        plate.polygon(
            curve([(x + 50 * stave - 7, y - 128), (x + 62 * stave - 8, y - 66), (x + 50 * stave - 7, y - 2)]).tolist()
            + curve(
                [(x + 50 * stave + 7, y - 2), (x + 62 * stave + 8, y - 66), (x + 50 * stave + 7, y - 128)]
            ).tolist(),
            _grey(shade),
        )
    for hoop in (8, 30, 98, 120):
        bulge = 50 + 12 * np.sin(np.pi * hoop / 130)
        plate.pen(curve([(x - bulge, y - hoop), (x, y - hoop + 9), (x + bulge, y - hoop)]), _grey(46), 9, nib=np.pi / 2)
    plate.polygon(
        np.stack([x + 50 * np.cos(np.linspace(0, 6.3, 40)), y - 130 + 13 * np.sin(np.linspace(0, 6.3, 40))], axis=1),
        _grey(tone + 46),
        _grey(44),
        2,
    )
    plate.caption(x, y - 78, "M.H.", 22, _grey(40), "mm")


def _bollards(plate: Plate) -> None:
    for x, y in ((260, 1180), (1230, 1150)):
        plate.polygon(
            curve(
                [
                    (x - 40, y),
                    (x - 30, y - 90),
                    (x - 52, y - 110),
                    (x - 46, y - 140),
                    (x + 46, y - 140),
                    (x + 52, y - 110),
                    (x + 30, y - 90),
                    (x + 40, y),
                    (x - 40, y),
                ]
            ),
            _grey(44),
            _grey(24),
            2,
        )
        for turn in range(4):
            plate.pen(
                curve([(x - 40, y - 60 + turn * 13), (x, y - 48 + turn * 13), (x + 42, y - 62 + turn * 13)]),
                _grey(164),
                10,
                nib=np.pi / 2,
            )
        plate.pen(
            curve([(x + 36, y - 40), (x + 210, y + 6), (x + 330, y - 130), (x + 400, y - 240)]), _grey(150), 9, nib=1.2
        )
    plate.pen(
        curve([(640, 1300), (760, 1250), (900, 1270), (880, 1320), (740, 1330), (700, 1290), (820, 1270), (940, 1300)]),
        _grey(60),
        13,
        nib=1.0,
    )


def _sprayed(picture: Field, scene: Scene, rng: Rng) -> Field:
    near = np.clip((np.arange(HEIGHT, dtype=np.float32)[:, None] - scene.horizon) / (HEIGHT - scene.horizon), 0.001, 1)
    crests, torn = _swell(rng, scene, near), clouds(rng, WIDTH, HEIGHT, 18, 4)
    picture = picture + np.clip(crests + 0.8 * torn - 1.3, 0, 0.7) * 95 * (near > 0.002) * (0.3 + near)
    spots = rng.random((HEIGHT, WIDTH)) > 0.9986
    drops = (
        gaussian_filter(spots.astype(np.float32), 1.2)
        * 900
        * np.exp(-(((np.arange(HEIGHT)[:, None] - 860) / 210) ** 2))
    )
    return np.asarray(picture + drops, dtype=np.float32)


# -- The print ------------------------------------------------------------------------------------------------------


def _developed(picture: Field, rng: Rng) -> Pixels:
    """A slow plate and an old lens: soft corners, coarse grain, dust, scratches, faded and toned brown."""
    corner = np.hypot(*np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))).astype(np.float32) / 1.414
    soft = np.clip(corner * 1.6 - 0.5, 0, 1)
    picture = gaussian_filter(picture, 0.9) * (1 - soft) + gaussian_filter(picture, 2.6) * soft
    grained = (
        picture * (1 - 0.34 * corner**2.2)
        + grain(rng, WIDTH, HEIGHT, 0.9) * 17
        + clouds(rng, WIDTH, HEIGHT, 700, 2) * 4
    )
    toned = _damaged(grained, rng)
    flat = np.clip((toned - 34) / 190, 0, 1)
    level = 0.07 + 0.84 * (0.55 * flat + 0.45 * flat * flat * (3 - 2 * flat)) + edges(WIDTH, HEIGHT, 46) ** 2 * 0.16
    dark, light = np.array([40, 25, 18], dtype=np.float32), np.array([250, 232, 204], dtype=np.float32)
    return dark + (light - dark) * np.clip(level, 0, 1)[..., None]


def _damaged(picture: Field, rng: Rng) -> Field:
    marks = Plate(WIDTH, HEIGHT, (0, 0, 0), scale=1)
    for _ in range(70):
        marks.disc(
            float(rng.uniform(0, WIDTH)),
            float(rng.uniform(0, HEIGHT)),
            float(rng.gamma(1.4, 0.9)),
            _grey(rng.uniform(60, 200)),
        )
    for _ in range(4):
        x, y, run = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), rng.uniform(60, 500)
        marks.pen(
            curve([(x, y), (x + rng.normal(0, 20), y + run / 2), (x + rng.normal(0, 34), y + run)]), _grey(78), 0.9
        )
    return picture + gaussian_filter(np.asarray(marks.finished().convert("L"), dtype=np.float32), 0.7)


def _mounted(photograph: Pixels, caption: str, number: int, rng: Rng) -> Image.Image:
    wide, high, gap = WIDTH + 240, HEIGHT + 330, 120
    plate = Plate(wide, high)
    plate.box(gap - 14, gap - 14, gap + WIDTH + 14, gap + HEIGHT + 14, outline=(150, 128, 98), width=2)
    plate.write(gap, high - 92, caption, 40, BROWN_INK, slant=0.45, tremble=rng)
    plate.write(
        wide - gap, high - 92, f"Donor's album no. {number}", 30, BROWN_INK, anchor="right", slant=0.45, tremble=rng
    )
    board = np.asarray(plate.printed_on(paper(rng, wide, high, (226, 214, 192), 0.8)), dtype=np.float32)
    board[gap : gap + HEIGHT, gap : gap + WIDTH] = photograph
    return to_image(board)

"""The portrait album. Shades cut from paper, since a demonstration should not show a living face; none is of anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from project.collection.letterforms import Points
from project.collection.paper import clouds, edges, grain, paper, seeded
from project.collection.plate import Colour, Pixels, Plate, curve

Outline = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 1700, 2200
_GILT: Colour = (186, 148, 84)


@dataclass(frozen=True, slots=True)
class Sitter:
    caption: str
    hair: str
    faces: int
    collar: str


ALBUM: Final = (
    (
        Sitter("Aunt Perpetua", "bun", 1, "lace"),
        Sitter("Uncle Orlo", "short", -1, "stock"),
        Sitter("The Captain", "cap", 1, "coat"),
        Sitter("Nessa at twelve", "plait", -1, "lace"),
    ),
    (
        Sitter("Grandmother", "bonnet", 1, "shawl"),
        Sitter("Grandfather", "short", -1, "stock"),
        Sitter("Cousin Isolde", "bun", -1, "lace"),
        Sitter("Unknown, perhaps Silas", "cap", 1, "coat"),
    ),
)

_FACE: Final = (
    (-96, -250),
    (-20, -282),
    (62, -262),
    (112, -196),
    (120, -140),
    (112, -118),
    (128, -92),
    (152, -44),
    (158, -30),
    (140, -16),
    (128, -10),
    (134, 6),
    (144, 14),
    (132, 26),
    (124, 32),
    (134, 42),
    (126, 60),
    (112, 70),
    (118, 92),
    (108, 118),
    (72, 134),
    (34, 128),
    (6, 140),
    (-6, 190),
)
_BACK: Final = ((-110, 210), (-98, 130), (-120, 60), (-146, -30), (-152, -130), (-134, -210), (-96, -250))


def album_page(number: int) -> Image.Image:
    rng = seeded(f"album-{number}")
    page = paper(rng, WIDTH, HEIGHT, (206, 196, 176), 1.0)
    frame = Plate(WIDTH, HEIGHT)
    for place, sitter in enumerate(ALBUM[number - 1]):
        x, y = (445, 560) if place == 0 else (1255, 560) if place == 1 else (445, 1560) if place == 2 else (1255, 1560)
        page = _portrait(page, sitter, x, y, rng)
        _oval_frame(frame, x, y)
        frame.write(x, y + 466, sitter.caption, 40, (70, 54, 40), anchor="middle", slant=0.45, tremble=rng)
    frame.box(70, 70, WIDTH - 70, HEIGHT - 70, outline=_GILT, width=5)
    frame.box(86, 86, WIDTH - 86, HEIGHT - 86, outline=_GILT, width=1.6)
    for x, y in ((70, 70), (WIDTH - 70, 70), (70, HEIGHT - 70), (WIDTH - 70, HEIGHT - 70)):
        for radius in (34, 26, 10):
            frame.disc(x, y, radius, (240, 232, 212) if radius == 34 else None, _GILT)
    return frame.printed_on(page)


def _portrait(page: Pixels, sitter: Sitter, x: int, y: int, rng: np.random.Generator) -> Pixels:
    half_x, half_y = 300, 390
    size = (2 * half_x, 2 * half_y)
    shade = Plate(*size)
    _bust(shade, sitter, half_x, half_y - 20)
    dark = 1 - np.asarray(shade.finished().convert("L"), dtype=np.float32) / 255
    down, across = np.mgrid[-half_y:half_y, -half_x:half_x].astype(np.float32)
    far = np.hypot(across / half_x, down / half_y)
    oval = np.clip((1 - far) * 130, 0, 1)
    light = 238 - 96 * np.clip(far - 0.35, 0, 1) ** 1.5 + clouds(rng, *size, 190, 4) * 4 + grain(rng, *size, 0.9) * 9
    edge = np.clip(gaussian_filter(dark, 5)[:, :], 0, 1)
    tone = light * (1 - dark) + (34 + 14 * (1 - edge) + grain(rng, *size, 0.9) * 6 + 12 * edges(*size, 300)) * dark
    toned = tone[..., None] * np.array([1.0, 0.92, 0.8], dtype=np.float32)
    part = page[y - half_y : y + half_y, x - half_x : x + half_x]
    part[...] = part * (1 - oval[..., None]) + toned * oval[..., None]
    return page


def _bust(shade: Plate, sitter: Sitter, x: float, y: float) -> None:
    profile = _Profile(shade, x, y, sitter.faces)
    profile.fill((*_FACE, *_BACK))
    profile.fill(_SHOULDERS)
    for outline in _HAIR[sitter.hair]:
        profile.fill(outline)
    _COLLARS[sitter.collar](profile)


@dataclass(frozen=True, slots=True)
class _Profile:
    """Heads are given facing right; ``faces`` of -1 turns them."""

    shade: Plate
    x: float
    y: float
    faces: int

    def turned(self, points: Outline) -> Points:
        return curve([(self.x + a * self.faces * 0.95, self.y + b * 0.95) for a, b in points], 10)

    def fill(self, points: Outline, colour: Colour = (0, 0, 0)) -> None:
        self.shade.polygon(self.turned(points), colour)

    def spot(self, x: float, y: float, radius: float, fill: Colour, outline: Colour | None = None) -> None:
        self.shade.disc(self.x + self.faces * x, self.y + y, radius, fill, outline)


def _lace(profile: _Profile) -> None:
    for loop in range(9):
        profile.spot(loop * 17 - 96, 186 + 5 * abs(loop - 4), 13, (0, 0, 0), (110, 110, 110))


def _stock(profile: _Profile) -> None:
    profile.fill(((-96, 168), (10, 172), (44, 214), (-40, 236), (-110, 206)), (88, 88, 88))


def _coat(profile: _Profile) -> None:
    for button in range(3):
        profile.spot(96 - button * 4, 286 + button * 42, 9, (96, 96, 96))


def _shawl(profile: _Profile) -> None:
    for fringe in range(24):
        profile.shade.line(profile.turned(((fringe * 18 - 200, 330), (fringe * 18 - 204, 372))), (70, 70, 70), 2)


_COLLARS: Final = {"lace": _lace, "stock": _stock, "coat": _coat, "shawl": _shawl}
_SHOULDERS: Final = (
    (-6, 150),
    (40, 214),
    (150, 262),
    (236, 330),
    (262, 470),
    (-262, 470),
    (-240, 330),
    (-170, 256),
    (-110, 180),
)


_HAIR: Final[dict[str, tuple[Outline, ...]]] = {
    "bun": (
        ((-100, -240), (-10, -300), (80, -268), (112, -214), (40, -200), (-60, -60), (-140, -20)),
        ((-150, -160), (-226, -190), (-244, -110), (-196, -60), (-140, -90)),
    ),
    "short": (
        (
            (-100, -244),
            (-20, -298),
            (90, -272),
            (124, -214),
            (60, -214),
            (-30, -160),
            (-40, -20),
            (-120, 60),
            (-160, -60),
            (-150, -180),
        ),
    ),
    "cap": (
        (
            (-158, -196),
            (-130, -300),
            (0, -332),
            (110, -296),
            (126, -224),
            (196, -196),
            (194, -180),
            (110, -190),
            (-150, -176),
        ),
    ),
    "plait": (
        ((-100, -244), (-10, -296), (84, -268), (116, -206), (30, -190), (-50, -60), (-140, -10)),
        (
            (-140, -60),
            (-190, 10),
            (-176, 80),
            (-204, 150),
            (-180, 220),
            (-196, 280),
            (-160, 250),
            (-150, 170),
            (-160, 90),
            (-120, 10),
        ),
    ),
    "bonnet": (
        (
            (60, -290),
            (132, -250),
            (150, -190),
            (96, -200),
            (20, -120),
            (-30, 60),
            (-110, 110),
            (-190, 20),
            (-196, -150),
            (-130, -290),
            (-20, -330),
        ),
        ((-60, 90), (-40, 170), (10, 230), (-30, 240), (-80, 180)),
    ),
}


def _oval_frame(plate: Plate, x: float, y: float) -> None:
    angle = np.linspace(0, 2 * np.pi, 160)
    for reach, thick in ((1.0, 4), (1.035, 9), (1.075, 2.4), (1.095, 1.4)):
        plate.line(np.stack([x + 300 * reach * np.cos(angle), y + 390 * reach * np.sin(angle)], axis=1), _GILT, thick)
    for bead in range(96):
        turn = bead * 2 * np.pi / 96
        plate.disc(x + 317 * np.cos(turn), y + 412 * np.sin(turn), 4, (240, 224, 180), (120, 92, 50))

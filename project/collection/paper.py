"""Grounds and ageing: paper, stains, film grain. All seeded, so that a picture is the same on every machine."""

from __future__ import annotations

from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from project.collection.plate import Colour, Pixels

Field = NDArray[np.floating[Any]]


def seeded(name: str) -> np.random.Generator:
    """Not ``hash()``, which differs from run to run."""
    return np.random.default_rng(crc32(name.encode()))


def clouds(
    rng: np.random.Generator, width: int, height: int, cell: float, octaves: int = 5, fade: float = 0.5
) -> Field:
    """Fractal noise about 0 with a deviation of 1; ``cell`` is the size of its largest features in pixels."""
    total = np.zeros((height, width), dtype=np.float32)
    weight = 1.0
    for _ in range(octaves):
        if cell < 2:
            break
        grid = rng.standard_normal((max(2, int(height / cell) + 3), max(2, int(width / cell) + 3))).astype(np.float32)
        wide, high = int(grid.shape[1] * cell) + 1, int(grid.shape[0] * cell) + 1
        grown = Image.fromarray(grid).resize((max(width, wide), max(height, high)), Image.Resampling.BICUBIC)
        total += weight * np.asarray(grown)[:height, :width]
        weight *= fade
        cell /= 2
    return (total - total.mean()) / (total.std() + 1e-6)


def edges(width: int, height: int, reach: float) -> Field:
    """1 at the rim, 0 further in than ``reach`` pixels."""
    across = np.minimum(np.arange(width), np.arange(width)[::-1]).astype(np.float32)
    down = np.minimum(np.arange(height), np.arange(height)[::-1]).astype(np.float32)
    return np.clip(1 - np.minimum(across[None, :], down[:, None]) / reach, 0, 1)


def paper(
    rng: np.random.Generator, width: int, height: int, colour: Colour = (240, 230, 208), age: float = 1.0
) -> Pixels:
    """Laid paper that has been somewhere: mottled, fibrous, darker towards the rim, here and there foxed."""
    mottle = clouds(rng, width, height, max(width, height) / 5, 5) * 3.2 * age
    fibres = grain(rng, width, height, (0.4, 1.6)) * 5.5
    rows = np.sin(np.arange(height) * 2 * np.pi / 7.3).astype(np.float32)[:, None] * 0.9
    rim = edges(width, height, min(width, height) / 7) ** 3
    shade = mottle + fibres + rows - rim * (19 + 7 * mottle / 3.2) * age
    sheet = np.empty((height, width, 3), dtype=np.float32)
    for band, (ground, share) in enumerate(zip(colour, (1.0, 1.05, 1.22), strict=True)):
        np.multiply(shade, share, out=sheet[..., band])
        sheet[..., band] += ground
    return _foxed(sheet, rng, round(26 * age))


def stain(sheet: Pixels, rng: np.random.Generator, x: int, y: int, radius: int, strength: float = 22) -> Pixels:
    """The ring a wet cup leaves."""
    left, top = max(0, x - 2 * radius), max(0, y - 2 * radius)
    part = sheet[top : y + 2 * radius, left : x + 2 * radius]
    high, wide = part.shape[:2]
    down, across = np.mgrid[top : top + high, left : left + wide].astype(np.float32)
    far = np.hypot(across - x, down - y) + clouds(rng, wide, high, radius / 2, 3) * radius * 0.03
    ring = np.exp(-(((far - radius) / (radius * 0.045)) ** 2)) + 0.22 * (far < radius)
    part -= ring[..., None] * strength * np.array([0.6, 1.0, 1.5], dtype=np.float32)
    return sheet


def bitten(rng: np.random.Generator, width: int, height: int, low: float = 0.72) -> Field:
    """How well ink took: uneven over the sheet and speckled in the small."""
    return np.clip(
        low + 0.14 + clouds(rng, width, height, 260, 3) * 0.06 + grain(rng, width, height, 0.8) * 0.16, 0.3, 1
    )


def grain(rng: np.random.Generator, width: int, height: int, blur: float | tuple[float, float]) -> Field:
    """Fine noise, repeated like wallpaper: nobody sees it at this scale, and drawing it anew takes a second a sheet."""
    block = gaussian_filter(rng.standard_normal((701, 743)).astype(np.float32), blur, mode="wrap")
    return np.tile(block, (height // 701 + 1, width // 743 + 1))[:height, :width]


def _foxed(sheet: Pixels, rng: np.random.Generator, count: int) -> Pixels:
    height, width = sheet.shape[:2]
    for _ in range(count):
        radius = float(rng.gamma(2.0, 3.0)) + 2
        x, y, reach = int(rng.integers(0, width)), int(rng.integers(0, height)), int(radius * 3) + 1
        left, top, right, bottom = max(0, x - reach), max(0, y - reach), min(width, x + reach), min(height, y + reach)
        down, across = np.mgrid[top:bottom, left:right]
        spot = np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * radius**2)) * rng.uniform(6, 26)
        sheet[top:bottom, left:right] -= spot[..., None] * np.array([0.5, 0.9, 1.3], dtype=np.float32)
    return sheet

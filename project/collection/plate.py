"""A sheet to draw on: colours on white at twice the size, reduced and then printed on paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from project.collection.letterforms import Points, Style, set_line, smooth

Colour = tuple[int, int, int]
Pixels = NDArray[np.floating[Any]]

INK: Colour = (38, 30, 28)
BROWN_INK: Colour = (74, 48, 30)
WHITE: Colour = (255, 255, 255)


class Plate:
    """Coordinates are those of the finished picture; everything inside is twice as large."""

    def __init__(self, width: int, height: int, ground: Colour = WHITE, scale: int = 2) -> None:
        self.width, self.height, self.scale = width, height, scale
        self.image = Image.new("RGB", (width * scale, height * scale), ground)
        self._draw = ImageDraw.Draw(self.image)

    def polygon(self, points: ArrayLike, fill: Colour | None, outline: Colour | None = None, width: float = 1) -> None:
        flat = self._flat(points)
        if fill is not None:
            self._draw.polygon(flat, fill=fill)
        if outline is not None:
            self._draw.line(flat + flat[:2], fill=outline, width=self._thick(width), joint="curve")

    def line(self, points: ArrayLike, colour: Colour, width: float = 1) -> None:
        self._draw.line(self._flat(points), fill=colour, width=self._thick(width), joint="curve")

    def dashed(self, points: ArrayLike, colour: Colour, width: float, dash: float, gap: float) -> None:
        for piece in dashes(np.asarray(points, dtype=float), dash, gap):
            self.line(piece, colour, width)

    def box(self, left: float, top: float, right: float, bottom: float, **drawn: Any) -> None:
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], drawn.pop("fill", None), **drawn)

    def disc(self, x: float, y: float, radius: float, fill: Colour | None, outline: Colour | None = None) -> None:
        k = self.scale
        edges = ((x - radius) * k, (y - radius) * k, (x + radius) * k, (y + radius) * k)
        self._draw.ellipse(edges, fill=fill, outline=outline, width=k)

    def pen(self, points: Points, colour: Colour, width: float, nib: float | None = None) -> None:
        """A stroke that swells: going down with a pointed pen, or across a broad nib held at that angle."""
        points = np.asarray(points, dtype=float)
        if len(points) < 2:
            return
        step = np.gradient(points, axis=0)
        length = np.hypot(step[:, 0], step[:, 1]) + 1e-9
        across = _pointed(step, length, width) if nib is None else _broad(nib, width, len(points))
        ribbon = (
            np.stack(
                [
                    points[:-1] - across[:-1],
                    points[1:] - across[1:],
                    points[1:] + across[1:],
                    points[:-1] + across[:-1],
                ],
                axis=1,
            )
            * self.scale
        )
        for quad in ribbon.reshape(-1, 8).tolist():
            self._draw.polygon(quad, fill=colour)
        self._draw.line(
            (points * self.scale).ravel().tolist(), fill=colour, width=max(1, int(width * 0.3 * self.scale))
        )

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        colour: Colour = INK,
        *,
        style: Style = "hand",
        anchor: str = "left",
        slant: float = 0.0,
        angle: float = 0.0,
        weight: float = 1.0,
        spacing: float = 0.0,
        tremble: np.random.Generator | None = None,
    ) -> float:
        """Letters from the pen, ``size`` being the height of a capital; returns the length of the line."""
        strokes, length = set_line(text, style, spacing)
        unit = size / 20
        nib = np.radians(28 + angle) if style == "roman" else None
        shift = {"left": 0.0, "middle": length / 2, "right": length}[anchor]
        for stroke in strokes:
            curve = smooth(_unsteady(stroke, tremble)) - (shift, 0)
            placed = _placed(curve, unit, slant, angle) + (x, y)
            self.pen(placed, colour, weight * unit * (1.7 if nib is None else 2.3), nib)
        return length * unit

    def caption(self, x: float, y: float, text: str, size: float, colour: Colour = INK, anchor: str = "la") -> None:
        """Printed type, ASCII only: the font that comes with Pillow has little else."""
        k = self.scale
        self._draw.text((x * k, y * k), text, fill=colour, font=ImageFont.load_default(size=size * k), anchor=anchor)

    def finished(self) -> Image.Image:
        return self.image.reduce(self.scale)

    def printed_on(self, paper: Pixels, bite: Pixels | None = None) -> Image.Image:
        """Multiplied into the paper. ``bite`` (0..1) is how well the ink took at each point."""
        colour = np.asarray(self.finished(), dtype=np.float32)
        for band in range(3):
            lost = (255 - colour[..., band]) / 255
            colour[..., band] = paper[..., band] * (1 - (lost if bite is None else lost * bite))
        return to_image(colour)

    def _flat(self, points: ArrayLike) -> list[float]:
        return (np.asarray(points, dtype=float) * self.scale).ravel().tolist()

    def _thick(self, width: float) -> int:
        return max(1, round(width * self.scale))


def to_image(pixels: Pixels) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def arc(x: float, y: float, radius: float, start: float = 0, end: float = 360, steps: int = 90) -> Points:
    angle = np.radians(np.linspace(start, end, steps))
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def dashes(points: Points, dash: float, gap: float) -> Iterable[Points]:
    along = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))])
    for start in np.arange(0, along[-1], dash + gap):
        at = np.linspace(start, min(start + dash, along[-1]), 5)
        yield np.stack([np.interp(at, along, points[:, i]) for i in (0, 1)], axis=1)


def curve(points: Sequence[tuple[float, float]], steps: int = 16) -> Points:
    return smooth(np.array(points, dtype=float), steps)


def _placed(points: Points, unit: float, slant: float, angle: float) -> Points:
    x, y = (points[:, 0] + slant * points[:, 1]) * unit, -points[:, 1] * unit
    turn = np.radians(angle)
    return np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], axis=1)


def _unsteady(points: Points, tremble: np.random.Generator | None) -> Points:
    if tremble is None:
        return points
    return points * (1, tremble.normal(1, 0.03)) + tremble.normal(0, 0.28, points.shape) + (0, tremble.normal(0, 0.35))


def _pointed(step: Points, length: Points, width: float) -> Points:
    down = np.clip(step[:, 1] / length, 0, 1)
    normal = np.stack([-step[:, 1], step[:, 0]], axis=1) / length[:, None]
    return normal * (width * (0.28 + 0.72 * down**1.5) / 2)[:, None]


def _broad(nib: float, width: float, count: int) -> Points:
    return np.repeat([[np.cos(nib) * width / 2, -np.sin(nib) * width / 2]], count, axis=0)

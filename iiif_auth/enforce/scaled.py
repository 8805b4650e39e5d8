"""Versions cut on the fly: an image of its own, smaller size, whose requests are translated into the large one.

A limit on the size of what is sent is none: three hundred small squares at full scale make the whole picture (security I1). So
what people ask is a part of a *small canvas*, and never more pixels than that part has. Whatever they ask, the scale is then
that of the canvas or less, and what they get begins and ends at whole pixels of it (I3).
"""

from __future__ import annotations

from dataclasses import dataclass

from iiif_auth.enforce.imagepath import BadImageRequest, Box, ImageRequest, Limits
from iiif_auth.policy.types import Virtual


@dataclass(frozen=True, slots=True)
class Canvas:
    """The small image over a large one: its size, and that of the source, in pixels."""

    width: int
    height: int
    source_width: int
    source_height: int

    @property
    def limits(self) -> Limits:
        return Limits(self.width * self.height, max(self.width, self.height))


def canvas(virtual: Virtual, width: int, height: int) -> Canvas:
    """The canvas whose longest edge is the tier's, rounded down, so that no scale is above it; never larger than the source."""
    longest = max(width, height)
    edge = min(virtual.max_edge, longest)
    return Canvas(max(1, width * edge // longest), max(1, height * edge // longest), width, height)


def translated(request: ImageRequest, virtual: Virtual, width: int, height: int) -> str:
    """``region/size/rotation/quality.format`` to ask of the source of that size, for a request made of the small image.

    Raises:
        BadImageRequest: the request enlarges, or wants a format, a quality or a rotation that this version has not (I2, I5, I6).
    """
    if request.format not in virtual.formats or request.quality not in virtual.qualities:
        raise BadImageRequest("This version is not made in that format or quality.")
    if request.rotation.degrees not in (0, 90, 180, 270):
        raise BadImageRequest("This version is turned by quarters only.")
    small = canvas(virtual, width, height)
    box = request.box(small.width, small.height, small.limits)
    if box.enlarges:
        raise BadImageRequest("This version is not enlarged.")
    x, y, wide, high = region(small, box)
    part = "full" if (x, y, wide, high) == (0, 0, width, height) else f"{x},{y},{wide},{high}"
    return f"{part}/{box.width},{box.height}/{request.rotation.canonical}/{request.quality}.{request.format}"


def region(small: Canvas, box: Box) -> tuple[int, int, int, int]:
    """The part of the source under a box of the canvas, rounded outwards: a larger part at the same size is a smaller scale."""
    left, top = box.x * small.source_width // small.width, box.y * small.source_height // small.height
    right = -((box.x + box.region_width) * small.source_width // -small.width)
    bottom = -((box.y + box.region_height) * small.source_height // -small.height)
    return left, top, min(right, small.source_width) - left, min(bottom, small.source_height) - top

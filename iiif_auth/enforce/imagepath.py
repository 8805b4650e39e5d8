"""The request grammar of the Image API, 2.1 and 3.0, and the arithmetic of what a request would return.

This is a security boundary: what is decided here is what an image server is asked for, so every number is matched by
an ASCII pattern of bounded length before it becomes a number (``int("٤٠٠")`` is 400, ``float("nan")`` is accepted),
and what is passed on is the canonical spelling, never the caller's. Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt
from typing import Final, Literal

Version = Literal[2, 3]

FORMATS: Final = ("jpg", "png", "webp")
QUALITIES: Final = ("default", "color", "gray", "bitonal")

# No leading zeros: "0400" and "400" would otherwise be two addresses of one picture.
_WHOLE = r"(?:0|[1-9][0-9]{0,8})"
_COUNT = r"(?:[1-9][0-9]{0,8})"
_DECIMAL = r"(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,10})?"

_PIXELS = re.compile(rf"({_WHOLE}),({_WHOLE}),({_COUNT}),({_COUNT})", re.ASCII)
_PERCENT_REGION = re.compile(rf"pct:({_DECIMAL}),({_DECIMAL}),({_DECIMAL}),({_DECIMAL})", re.ASCII)
_PERCENT = re.compile(rf"pct:({_DECIMAL})", re.ASCII)
_WIDTH_HEIGHT = re.compile(rf"({_COUNT})?,({_COUNT})?", re.ASCII)
_CONFINED = re.compile(rf"!({_COUNT}),({_COUNT})", re.ASCII)
_ROTATION = re.compile(rf"(!?)({_DECIMAL})", re.ASCII)


def pattern(version: Version) -> str:
    """``region/size/rotation/quality.format`` as a regular expression that Python and PCRE read alike.

    A path that fits is the spelling of one request, but for ``^``, which browsers also write as ``%5E``. Whether it can be met,
    :func:`parse` and :meth:`ImageRequest.box` say.
    """
    decimals = ",".join([_DECIMAL] * 4)
    region = rf"(?:full|square|{_WHOLE},{_WHOLE},{_COUNT},{_COUNT}|pct:{decimals})"
    edges = rf"{_COUNT},{_COUNT}|{_COUNT},|,{_COUNT}"
    sizes = rf"max|pct:{_DECIMAL}|{edges}|!{_COUNT},{_COUNT}"
    size = rf"(?:full|{sizes})" if version == 2 else rf"(?:\^|%5[Ee])?(?:{sizes})"
    return rf"{region}/{size}/!?{_DECIMAL}/(?:{'|'.join(QUALITIES)})\.(?:{'|'.join(FORMATS)})"


class BadImageRequest(ValueError):
    """A request that the Image API answers with 400. The message is one sentence for the person who asked."""


class UnsupportedFormat(BadImageRequest):
    """A well-formed request for a format that is not served."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server refuses to make larger than: ``maxArea``, and ``maxWidth`` for both edges."""

    area: int = 25_000_000
    edge: int = 10_000

    def admits(self, width: int, height: int) -> bool:
        return width * height <= self.area and max(width, height) <= self.edge


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Box:
    """The pixels taken from the image, and the size they are returned at, before rotation."""

    x: int
    y: int
    region_width: int
    region_height: int
    width: int
    height: int

    @property
    def enlarges(self) -> bool:
        return self.width > self.region_width or self.height > self.region_height


@dataclass(frozen=True, slots=True)
class FullRegion:
    def within(self, width: int, height: int) -> tuple[int, int, int, int]:
        return (0, 0, width, height)


@dataclass(frozen=True, slots=True)
class SquareRegion:
    def within(self, width: int, height: int) -> tuple[int, int, int, int]:
        edge = min(width, height)
        return ((width - edge) // 2, (height - edge) // 2, edge, edge)


@dataclass(frozen=True, slots=True)
class PixelRegion:
    x: int
    y: int
    width: int
    height: int

    def within(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Cropped at the edge of the image, as the specification asks; wholly outside is an error."""
        right, bottom = min(self.x + self.width, width), min(self.y + self.height, height)
        if right <= self.x or bottom <= self.y:
            raise BadImageRequest("The region lies outside the image.")
        return (self.x, self.y, right - self.x, bottom - self.y)


@dataclass(frozen=True, slots=True)
class PercentRegion:
    x: Decimal
    y: Decimal
    width: Decimal
    height: Decimal

    def within(self, width: int, height: int) -> tuple[int, int, int, int]:
        pixels = PixelRegion(
            _rounded(Fraction(self.x) * width / 100),
            _rounded(Fraction(self.y) * height / 100),
            _at_least_one(Fraction(self.width) * width / 100),
            _at_least_one(Fraction(self.height) * height / 100),
        )
        return pixels.within(width, height)


Region = FullRegion | SquareRegion | PixelRegion | PercentRegion


@dataclass(frozen=True, slots=True)
class FullSize:
    """``full`` of version 2: never scaled, unlike ``max``."""

    def of(self, width: int, height: int, limits: Limits) -> tuple[int, int]:
        return (width, height)


@dataclass(frozen=True, slots=True)
class MaxSize:
    upscale: bool = False

    def of(self, width: int, height: int, limits: Limits) -> tuple[int, int]:
        if not self.upscale and limits.admits(width, height):
            return (width, height)
        return _largest(width, height, limits)


@dataclass(frozen=True, slots=True)
class PercentSize:
    percent: Decimal

    def of(self, width: int, height: int, limits: Limits) -> tuple[int, int]:
        scale = Fraction(self.percent) / 100
        return (_at_least_one(width * scale), _at_least_one(height * scale))


@dataclass(frozen=True, slots=True)
class ExactSize:
    """``w,`` and ``,h`` keep the aspect ratio; ``w,h`` need not."""

    width: int | None
    height: int | None

    def of(self, width: int, height: int, limits: Limits) -> tuple[int, int]:
        if self.width is not None:
            return (self.width, self.height or _at_least_one(Fraction(height * self.width, width)))
        assert self.height is not None  # noqa: S101  the grammar has no lone comma
        return (_at_least_one(Fraction(width * self.height, height)), self.height)


@dataclass(frozen=True, slots=True)
class ConfinedSize:
    """``!w,h``: the largest that fits. Without ``^`` version 3 stops at the size of the region; it does not fail."""

    width: int
    height: int
    upscale: bool

    def of(self, width: int, height: int, limits: Limits) -> tuple[int, int]:
        scale = min(Fraction(self.width, width), Fraction(self.height, height))
        if not self.upscale:
            scale = min(scale, Fraction(1))
        return (_at_least_one(width * scale), _at_least_one(height * scale))


Size = FullSize | MaxSize | PercentSize | ExactSize | ConfinedSize


@dataclass(frozen=True, slots=True)
class Rotation:
    degrees: Decimal = Decimal(0)
    mirrored: bool = False

    @property
    def canonical(self) -> str:
        return f"{'!' if self.mirrored else ''}{_plain(self.degrees)}"


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """One well-formed request. Whether it can be met depends on the image: ask :meth:`box`."""

    version: Version
    region: Region
    size: Size
    upscale: bool
    rotation: Rotation
    quality: str
    format: str

    def box(self, width: int, height: int, limits: Limits = LIMITS) -> Box:
        """What this request takes from an image of that width and height, or :class:`BadImageRequest`."""
        x, y, region_width, region_height = self.region.within(width, height)
        box = Box(x, y, region_width, region_height, *self.size.of(region_width, region_height, limits))
        if box.enlarges and not self.upscale:
            raise BadImageRequest("The size is larger than the region; version 3 wants ^ before a size that enlarges.")
        if not limits.admits(box.width, box.height):
            raise BadImageRequest("The size is larger than this server makes; see maxWidth and maxArea in info.json.")
        return box

    def canonical(self, width: int, height: int, limits: Limits = LIMITS) -> str:
        """``region/size/rotation/quality.format`` in the one spelling the specification prefers."""
        box = self.box(width, height, limits)
        taken = (box.x, box.y, box.region_width, box.region_height)
        region = "full" if taken == (0, 0, width, height) else ",".join(map(str, taken))
        quality = "default" if self.quality == "color" else self.quality
        size = _CANONICAL_SIZE[self.version](box, limits)
        return f"{region}/{size}/{self.rotation.canonical}/{quality}.{self.format}"


def parse(version: Version, region: str, size: str, rotation: str, quality: str, format: str) -> ImageRequest:
    """Read the five parameters of a request, already percent-decoded once and never again."""
    upscale, parsed_size = _SIZES[version](size)
    return ImageRequest(
        version, _region(region), parsed_size, upscale, _rotation(rotation), _quality(quality), _format(format)
    )


# -- Reading --------------------------------------------------------------------------------------------------------


def _region(text: str) -> Region:
    if text == "full":
        return FullRegion()
    if text == "square":
        return SquareRegion()
    if match := _PIXELS.fullmatch(text):
        return PixelRegion(*map(int, match.groups()))
    if match := _PERCENT_REGION.fullmatch(text):
        return _percent_region(*map(Decimal, match.groups()))
    raise BadImageRequest("The region is none of full, square, x,y,w,h and pct:x,y,w,h.")


def _percent_region(x: Decimal, y: Decimal, width: Decimal, height: Decimal) -> PercentRegion:
    if not width or not height:
        raise BadImageRequest("The region is empty.")
    if max(x, y) >= 100:
        raise BadImageRequest("The region lies outside the image.")
    return PercentRegion(x, y, width, height)


def _size_2(text: str) -> tuple[bool, Size]:
    """Version 2 has no ``^``: a size may always be above full, as far as the server goes."""
    if text == "full":
        return True, FullSize()
    return True, _size(text, upscale=text != "max")


def _size_3(text: str) -> tuple[bool, Size]:
    upscale = text.startswith("^")
    return upscale, _size(text.removeprefix("^"), upscale)


def _size(text: str, upscale: bool) -> Size:
    if text == "max":
        return MaxSize(upscale)
    if match := _CONFINED.fullmatch(text):
        return ConfinedSize(int(match[1]), int(match[2]), upscale)
    if match := _PERCENT.fullmatch(text):
        return _percent_size(Decimal(match[1]), upscale)
    if (match := _WIDTH_HEIGHT.fullmatch(text)) and text != ",":
        return ExactSize(*(int(edge) if edge else None for edge in match.groups()))
    raise BadImageRequest("The size is none of max, w, ,h pct:n w,h and !w,h.")


def _percent_size(percent: Decimal, upscale: bool) -> PercentSize:
    if not percent:
        raise BadImageRequest("The size is zero.")
    if percent > 100 and not upscale:
        raise BadImageRequest("The size is above 100 per cent; version 3 wants ^ before a size that enlarges.")
    return PercentSize(percent)


def _rotation(text: str) -> Rotation:
    match = _ROTATION.fullmatch(text)
    if match is None or Decimal(match[2]) > 360:
        raise BadImageRequest("The rotation is not a number from 0 to 360, with or without ! before it.")
    return Rotation(Decimal(match[2]), bool(match[1]))


def _quality(text: str) -> str:
    if text not in QUALITIES:
        raise BadImageRequest("The quality is none of default, color, gray and bitonal.")
    return text


def _format(text: str) -> str:
    if text not in FORMATS:
        raise UnsupportedFormat("The format is none of jpg, png and webp.")
    return text


_SIZES: dict[Version, Callable[[str], tuple[bool, Size]]] = {2: _size_2, 3: _size_3}


# -- Writing --------------------------------------------------------------------------------------------------------


def _canonical_size_2(box: Box, limits: Limits) -> str:
    if (box.width, box.height) == (box.region_width, box.region_height):
        return "full"
    derived = ExactSize(box.width, None).of(box.region_width, box.region_height, limits)
    return f"{box.width}," if derived == (box.width, box.height) else f"{box.width},{box.height}"


def _canonical_size_3(box: Box, limits: Limits) -> str:
    caret = "^" if box.enlarges else ""
    largest = MaxSize(box.enlarges).of(box.region_width, box.region_height, limits)
    return f"{caret}max" if (box.width, box.height) == largest else f"{caret}{box.width},{box.height}"


_CANONICAL_SIZE: dict[Version, Callable[[Box, Limits], str]] = {2: _canonical_size_2, 3: _canonical_size_3}


def _plain(number: Decimal) -> str:
    """No exponent and no zeros at the end: ``90`` for 90.0, ``22.5`` for 22.50."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# -- Arithmetic -----------------------------------------------------------------------------------------------------


def _rounded(value: Fraction) -> int:
    """Half up: the built-in rounds half to even, so that two neighbouring tiles would round apart."""
    return int(value + Fraction(1, 2))


def _at_least_one(value: Fraction) -> int:
    """A thin tile of a deep zoom level still has one pixel; an empty picture is nobody's wish."""
    return max(1, _rounded(value))


def _largest(width: int, height: int, limits: Limits) -> tuple[int, int]:
    """The largest size of that aspect ratio within the limits, rounded down so that it is within them."""
    wide = min(isqrt(limits.area * width // height), limits.edge, limits.edge * width // height)
    wide = max(1, wide)
    return (wide, max(1, min(limits.edge, wide * height // width)))

"""The demo's own image server: pyramidal TIFFs in one folder, described and cut with libvips.

It knows nothing of who may see what. ``DATA/images/<identifier>.tif`` is the whole catalogue.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pyvips
from django.conf import settings

from iiif_auth.enforce.imagepath import FORMATS, LIMITS, QUALITIES, Box, ImageRequest, Limits, Rotation, Version

Description = dict[str, Any]

CONTENT_TYPES: Final = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
PROFILE_LINKS: Final[dict[Version, str]] = {
    2: '<http://iiif.io/api/image/2/level2.json>;rel="profile"',
    3: '<http://iiif.io/api/image/3/level2.json>;rel="profile"',
}
TILE: Final = 512
SMALLEST: Final = 100

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9~-]{0,80}", re.ASCII)
_WRITERS: dict[str, dict[str, Any]] = {
    "jpg": {"Q": 85, "optimize_coding": True, "background": 255},
    "png": {"compression": 3},
    "webp": {"Q": 82, "effort": 2},
}
_CRISP_EDGE = 128

# Remembered operations would also remember pixels of a file that has since been redrawn. Opening one costs about a
# millisecond, which is cheaper than explaining a stale tile.
pyvips.cache_set_max(0)


def master(identifier: str, data: Path | None = None) -> Path | None:
    """The file of an identifier. Nothing but ``[a-z0-9~-]`` ever reaches the file system."""
    if not _IDENTIFIER.fullmatch(identifier):
        return None
    path = (data or settings.DEMO_DATA) / "images" / f"{identifier}.tif"
    return path if path.is_file() else None


def describe(identifier: str, version: Version, service_id: str, data: Path | None = None) -> Description | None:
    """The plain info.json under that id, without access services; None for a picture that is not there."""
    path = master(identifier, data)
    if path is None:
        return None
    image = pyvips.Image.new_from_file(str(path))
    return _DESCRIPTIONS[version](service_id, image.width, image.height)


def render(
    identifier: str, request: ImageRequest, data: Path | None = None, limits: Limits = LIMITS
) -> tuple[bytes, str] | None:
    """The picture and its content type; None if there is none; ``BadImageRequest`` if it has no such part or size."""
    path = master(identifier, data)
    if path is None:
        return None
    full = pyvips.Image.new_from_file(str(path))
    picture = _scaled(path, full, request.box(full.width, full.height, limits))
    picture = _QUALITIES[request.quality](_rotated(picture, request.rotation, request.format))
    encoded = picture.write_to_buffer(f".{request.format}", keep="none", **_WRITERS[request.format])
    return encoded, CONTENT_TYPES[request.format]


# -- Describing -----------------------------------------------------------------------------------------------------


def _description_2(service_id: str, width: int, height: int) -> Description:
    return {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": service_id,
        "protocol": "http://iiif.io/api/image",
        "width": width,
        "height": height,
        "sizes": _sizes(width, height),
        "tiles": [{"width": TILE, "height": TILE, "scaleFactors": _scale_factors(width, height)}],
        "profile": [
            "http://iiif.io/api/image/2/level2.json",
            {
                "formats": list(FORMATS),
                "qualities": list(QUALITIES),
                "supports": ["mirroring", "profileLinkHeader", "regionSquare", "rotationArbitrary", "sizeAboveFull"],
                "maxWidth": LIMITS.edge,
                "maxArea": LIMITS.area,
            },
        ],
    }


def _description_3(service_id: str, width: int, height: int) -> Description:
    return {
        "@context": "http://iiif.io/api/image/3/context.json",
        "id": service_id,
        "type": "ImageService3",
        "protocol": "http://iiif.io/api/image",
        "profile": "level2",
        "width": width,
        "height": height,
        "maxWidth": LIMITS.edge,
        "maxArea": LIMITS.area,
        "sizes": _sizes(width, height),
        "tiles": [{"width": TILE, "scaleFactors": _scale_factors(width, height)}],
        "preferredFormats": ["jpg"],
        "extraFormats": ["webp"],
        "extraQualities": ["color", "gray", "bitonal"],
        "extraFeatures": ["mirroring", "profileLinkHeader", "rotationArbitrary", "sizeUpscaling"],
    }


_DESCRIPTIONS = {2: _description_2, 3: _description_3}


def _scale_factors(width: int, height: int) -> list[int]:
    """Powers of two, up to the one at which the whole picture is a single tile."""
    factors = [1]
    while max(width, height) > TILE * factors[-1]:
        factors.append(factors[-1] * 2)
    return factors


def _sizes(width: int, height: int) -> list[dict[str, int]]:
    """Smallest first, each the ``w,`` of a level of the pyramid, so that asking for it reads no more than that."""
    widths = [width]
    while min(widths[-1], height * widths[-1] // width) >= 2 * SMALLEST:
        widths.append((widths[-1] + 1) // 2)
    return [{"width": wide, "height": max(1, (2 * height * wide + width) // (2 * width))} for wide in reversed(widths)]


# -- Cutting --------------------------------------------------------------------------------------------------------


def _scaled(path: Path, full: pyvips.Image, box: Box) -> pyvips.Image:
    level = _level(path, full, min(box.region_width / box.width, box.region_height / box.height))
    part = _part(level, box, level.width / full.width, level.height / full.height)
    if (part.width, part.height) == (box.width, box.height):
        return part
    resized = part.resize(box.width / part.width, vscale=box.height / part.height)
    return _exactly(resized, box.width, box.height)


def _level(path: Path, full: pyvips.Image, shrink: float) -> pyvips.Image:
    """The smallest level of the pyramid that still has every pixel asked for."""
    pages = full.get("n-pages") if full.get_typeof("n-pages") else 1
    page = min(int(shrink).bit_length() - 1, pages - 1) if shrink >= 2 else 0
    return pyvips.Image.new_from_file(str(path), page=page) if page else full


def _part(level: pyvips.Image, box: Box, across: float, down: float) -> pyvips.Image:
    left, top = min(round(box.x * across), level.width - 1), min(round(box.y * down), level.height - 1)
    right, bottom = round((box.x + box.region_width) * across), round((box.y + box.region_height) * down)
    wide, high = min(max(1, right - left), level.width - left), min(max(1, bottom - top), level.height - top)
    return level.crop(left, top, wide, high)


def _exactly(picture: pyvips.Image, width: int, height: int) -> pyvips.Image:
    """Resizing rounds; what was promised in the box is what is returned."""
    if (picture.width, picture.height) == (width, height):
        return picture
    return picture.embed(0, 0, width, height, extend="copy")


def _rotated(picture: pyvips.Image, rotation: Rotation, format: str) -> pyvips.Image:
    """Mirrored first, then turned clockwise, as the specification orders it."""
    if rotation.mirrored:
        picture = picture.fliphor()
    quarter = {0: "d0", 90: "d90", 180: "d180", 270: "d270", 360: "d0"}.get(
        int(rotation.degrees) if rotation.degrees % 1 == 0 else -1
    )
    if quarter:
        # Turning reads the input out of order, and tiles are decoded top to bottom: keep the pixels.
        return picture if quarter == "d0" else picture.copy_memory().rot(quarter)
    if format == "jpg":
        return picture.copy_memory().rotate(float(rotation.degrees), background=[255.0] * picture.bands)
    return picture.addalpha().copy_memory().rotate(float(rotation.degrees), background=[0.0] * (picture.bands + 1))


def _gray(picture: pyvips.Image) -> pyvips.Image:
    return picture.colourspace("b-w")


def _bitonal(picture: pyvips.Image) -> pyvips.Image:
    gray = _gray(picture)
    if not gray.hasalpha():
        return (gray >= _CRISP_EDGE).copy(interpretation="b-w")
    ink = (gray.extract_band(0) >= _CRISP_EDGE).copy(interpretation="b-w")
    return ink.bandjoin(gray.extract_band(1)).copy(interpretation="b-w")


def _as_it_is(picture: pyvips.Image) -> pyvips.Image:
    return picture


_QUALITIES = {"default": _as_it_is, "color": _as_it_is, "gray": _gray, "bitonal": _bitonal}

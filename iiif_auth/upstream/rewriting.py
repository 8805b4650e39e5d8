"""The info.json that is published of a picture: under its own address, with its own size, and nothing of where it comes from.

Written anew from what was read, never edited: what is not written here can not be in it (security I7).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from iiif_auth.enforce.imagepath import Version
from iiif_auth.enforce.scaled import canvas
from iiif_auth.policy.types import FULL, Rendition, Virtual
from iiif_auth.protocol.terms import JSON
from iiif_auth.upstream.descriptions import LEVEL_FORMATS, BadDescription, Description, Tiles

CONTEXTS = {2: "http://iiif.io/api/image/2/context.json", 3: "http://iiif.io/api/image/3/context.json"}
PROTOCOL = "http://iiif.io/api/image"
SMALLEST = 100
"""Sizes that are listed of a picture cut on the fly end before both its edges are below this."""

NOT_CUT = frozenset(("sizeAboveFull", "sizeUpscaling", "rotationArbitrary"))
"""What nobody may ask of a picture cut on the fly: more pixels than it has, and turns that make it larger (security I2, I6)."""

LEVEL_1 = ("regionByPct", "rotationBy90s", "sizeByConfinedWh", "sizeByPct")
"""What level 2 has beyond level 1, apart from formats."""


def rewritten(description: Description, public_id: str, version: Version, rendition: Rendition) -> JSON:
    """The info.json of a rendition, without services.

    Args:
        description: that of its bytes upstream; of a rendition cut on the fly that of the whole picture.
        public_id: its URL on this site, absolute.
        version: of the Image API at that URL.

    Raises:
        BadDescription: the bytes are larger than the rendition may be: the smaller version is not there, or something else is.
    """
    if rendition.virtual is not None:
        description = scaled(description, rendition.virtual)
    elif 0 < rendition.reach < FULL and max(description.width, description.height) > rendition.reach:
        raise BadDescription(
            f"It is of a picture of {description.width} x {description.height} pixels, where none above {rendition.reach} "
            "may be shown; please make the smaller version anew."
        )
    return _WRITTEN[version](description, public_id)


def scaled(description: Description, virtual: Virtual) -> Description:
    """The description of a smaller version that is cut from the picture described, as if it were a picture of its own."""
    small = canvas(virtual, description.width, description.height)
    width, height, edge = small.width, small.height, small.limits.edge
    formats = _formats(description)
    kept = tuple(one for one in virtual.formats if one in formats)
    # Without PNG a server is not of level 2, so what else that level has is said one by one.
    drops = description.level == 2 and "png" not in kept
    features = {*description.features, *(LEVEL_1 if drops else ())} - NOT_CUT
    return replace(
        description,
        width=width,
        height=height,
        level=1 if drops else description.level,
        sizes=_halves(width, height),
        tiles=tuple(Tiles(one.width, one.height, _factors(one, edge)) for one in description.tiles),
        max_width=edge,
        max_height=None,
        max_area=None,
        formats=kept,
        qualities=virtual.qualities,
        features=tuple(sorted(features)),
    )


def _formats(description: Description) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*LEVEL_FORMATS[description.level], *description.formats)))


def _halves(width: int, height: int) -> tuple[tuple[int, int], ...]:
    found = [(width, height)]
    while max(found[0]) >= 2 * SMALLEST:
        found.insert(0, (max(1, found[0][0] // 2), max(1, found[0][1] // 2)))
    return tuple(found)


def _factors(tiles: Tiles, edge: int) -> tuple[int, ...]:
    """Powers of two, up to the one at which the whole is a single tile."""
    factors = [1]
    while edge > min(tiles.width, tiles.height) * factors[-1]:
        factors.append(factors[-1] * 2)
    return tuple(factors)


# -- The two shapes ---------------------------------------------------------------------------------------------------


def _version_2(of: Description, public_id: str) -> JSON:
    limits = _limits(of)
    extras = {
        "formats": list(_formats(of)),
        "qualities": list(of.qualities) or ["default"],
        "supports": [name for name in of.features if name != "sizeUpscaling"],
        **limits,
    }
    return {
        "@context": CONTEXTS[2],
        "@id": public_id,
        "protocol": PROTOCOL,
        "width": of.width,
        "height": of.height,
        **_pieces(of),
        "profile": [
            f"http://iiif.io/api/image/2/level{of.level}.json",
            {key: value for key, value in extras.items() if value},
        ],
        **({"license": of.rights} if of.rights else {}),
    }


def _version_3(of: Description, public_id: str) -> JSON:
    extras = {
        "preferredFormats": ["jpg"] if "jpg" in _formats(of) else [],
        "extraFormats": [name for name in of.formats if name not in LEVEL_FORMATS[of.level]],
        "extraQualities": [name for name in of.qualities if name != "default"],
        "extraFeatures": [name for name in of.features if name != "sizeAboveFull"],
        "rights": of.rights,
    }
    return {
        "@context": CONTEXTS[3],
        "id": public_id,
        "type": "ImageService3",
        "protocol": PROTOCOL,
        "profile": f"level{of.level}",
        "width": of.width,
        "height": of.height,
        **_limits(of),
        **_pieces(of),
        **{key: value for key, value in extras.items() if value},
    }


def _limits(of: Description) -> dict[str, Any]:
    """``maxHeight`` alone means nothing: both versions want ``maxWidth`` with it."""
    found = {"maxWidth": of.max_width, "maxHeight": of.max_height if of.max_width else None, "maxArea": of.max_area}
    return {name: value for name, value in found.items() if value is not None}


def _pieces(of: Description) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if of.sizes:
        found["sizes"] = [{"width": wide, "height": high} for wide, high in of.sizes]
    if of.tiles:
        found["tiles"] = [
            {
                "width": one.width,
                **({"height": one.height} if one.height != one.width else {}),
                "scaleFactors": list(one.factors),
            }
            for one in of.tiles
        ]
    return found


_WRITTEN = {2: _version_2, 3: _version_3}

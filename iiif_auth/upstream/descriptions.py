"""Reading an info.json that somebody else wrote (security S2, R10).

What is taken from it are numbers, and words from lists of ours. No other text of it goes any further: not its ``id``, which may
be of an address that nobody is to know (security I7), and no property that we do not understand.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from iiif_auth.enforce.imagepath import FORMATS, QUALITIES, Version

MAX_DEPTH: Final = 32
MAX_EDGE: Final = 10_000_000
MAX_AREA: Final = MAX_EDGE * MAX_EDGE
MAX_LISTED: Final = 64
"""Sizes, kinds of tiles, scale factors: what a viewer is told of each; beyond that an upstream is wasting its time."""

PROTOCOL: Final = "http://iiif.io/api/image"
LEVEL = re.compile(r"(?:https?://iiif\.io/api/image/[23]/)?level([012])(?:\.json)?")
CONTEXT = re.compile(r"https?://iiif\.io/api/image/([23])/context\.json")
RIGHTS = re.compile(r"https?://(?:creativecommons\.org|rightsstatements\.org)/[A-Za-z0-9/._-]{1,100}")
"""The only two sites whose addresses may stand in ``rights`` (Image API 3, 5.6): no name of another host comes by this way."""

FEATURES: Final = frozenset(
    (
        *("mirroring", "regionByPct", "regionByPx", "regionSquare", "rotationArbitrary", "rotationBy90s"),
        *("sizeByConfinedWh", "sizeByDistortedWh", "sizeByForcedWh", "sizeByH", "sizeByPct", "sizeByW", "sizeByWh"),
        *("sizeAboveFull", "sizeUpscaling", "cors", "baseUriRedirect", "jsonldMediaType"),
    )
)
"""What may be told on. Not here: headers that name the upstream's own addresses, and are not passed on."""

LEVEL_FORMATS: Final = {0: ("jpg",), 1: ("jpg",), 2: ("jpg", "png")}


class BadDescription(Exception):
    """This is no description of a picture; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiles of ``width`` x ``height`` pixels, at these scale factors."""

    width: int
    height: int
    factors: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What is believed of a picture: its size in pixels, the sizes and tiles that are quick to make, the largest picture that is
    made (``None``: not said), the level of compliance from 0 to 2, and what it can be asked in beyond that.
    """

    width: int
    height: int
    version: Version
    level: int = 0
    sizes: tuple[tuple[int, int], ...] = ()
    tiles: tuple[Tiles, ...] = ()
    max_width: int | None = None
    max_height: int | None = None
    max_area: int | None = None
    formats: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    rights: str = ""


def described(text: bytes) -> Description:
    """The description in a text.

    Raises:
        BadDescription: it is not JSON, or is nested too deeply, or does not describe a picture of Image API 2 or 3.
    """
    document = _document(text)
    if document.get("protocol") != PROTOCOL:
        raise BadDescription("It does not say that it is of the Image API.")
    version = _version(document)
    more = _profile(document) if version == 2 else document
    width, height = _edge(document.get("width")), _edge(document.get("height"))
    if width is None or height is None:
        raise BadDescription("It does not say how wide and high the picture is.")
    return Description(
        width=width,
        height=height,
        version=version,
        level=_level(document.get("profile")),
        sizes=_sizes(document.get("sizes"), width, height),
        tiles=_tiles(document.get("tiles")),
        max_width=_edge(more.get("maxWidth")),
        max_height=_edge(more.get("maxHeight")),
        max_area=_number(more.get("maxArea"), MAX_AREA),
        formats=_words(_both(more, "formats", "extraFormats"), FORMATS),
        qualities=_words(_both(more, "qualities", "extraQualities"), QUALITIES),
        features=_words(_both(more, "supports", "extraFeatures"), sorted(FEATURES)),
        rights=_rights(document.get("rights", document.get("license"))),
    )


# -- JSON -----------------------------------------------------------------------------------------------------------


def _document(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError as error:
        raise BadDescription(f"It is nested more than {MAX_DEPTH} levels deep.") from error
    except ValueError as error:  # also what is not UTF-8, and numbers of thousands of digits
        raise BadDescription(f"It is not JSON as it should be ({str(error)[:100]}).") from error
    if not isinstance(found, dict):
        raise BadDescription("It is JSON, but not an object.")
    _check_depth(found)
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of two properties of one name programs read the first, the last or neither, so there must be one."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a property is there twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _check_depth(document: Any) -> None:
    """Level by level, so that no depth is too deep for this itself."""
    level = [document]
    for _depth in range(MAX_DEPTH):
        level = [below for one in level for below in _below(one) if isinstance(below, dict | list)]
        if not level:
            return
    raise BadDescription(f"It is nested more than {MAX_DEPTH} levels deep.")


def _below(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


# -- Properties -----------------------------------------------------------------------------------------------------


def _version(document: Mapping[str, Any]) -> Version:
    """By the last context that is of the Image API, as in JSON-LD the last one wins; else by the type that only 3 has."""
    named = [found[1] for one in _listed(document.get("@context")) if (found := _match(CONTEXT, one)) is not None]
    if named:
        return 3 if named[-1] == "3" else 2
    if document.get("type") == "ImageService3":
        return 3
    raise BadDescription("It is of no version of the Image API that is known here; 2 and 3 are.")


def _profile(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """In version 2 limits and extras are in objects of the list ``profile``."""
    found: dict[str, Any] = {}
    for one in _listed(document.get("profile")):
        if isinstance(one, dict):
            found.update(one)
    return found


def _level(profile: Any) -> int:
    levels = [int(found[1]) for one in _listed(profile) if (found := _match(LEVEL, one)) is not None]
    return max(levels, default=0)


def _sizes(value: Any, width: int, height: int) -> tuple[tuple[int, int], ...]:
    """Those that are not larger than the picture."""
    found = []
    for one in _listed(value)[:MAX_LISTED]:
        if isinstance(one, dict):
            wide, high = _edge(one.get("width")), _edge(one.get("height"))
            if wide is not None and high is not None and wide <= width and high <= height:
                found.append((wide, high))
    return tuple(dict.fromkeys(found))


def _tiles(value: Any) -> tuple[Tiles, ...]:
    found = []
    for one in _listed(value)[:MAX_LISTED]:
        if isinstance(one, dict) and (wide := _edge(one.get("width"))) is not None:
            given = (_number(factor, MAX_EDGE) for factor in _listed(one.get("scaleFactors"))[:MAX_LISTED])
            factors = tuple(sorted({factor for factor in given if factor is not None}))
            if factors:
                found.append(Tiles(wide, _edge(one.get("height")) or wide, factors))
    return tuple(found)


def _edge(value: Any) -> int | None:
    return _number(value, MAX_EDGE)


def _number(value: Any, most: int) -> int | None:
    """A whole number from 1; in Python ``True`` is one too, here it is not."""
    return value if type(value) is int and 0 < value <= most else None


def _both(properties: Mapping[str, Any], *names: str) -> list[Any]:
    return [one for name in names for one in _listed(properties.get(name))]


def _words(found: Sequence[Any], known: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in known if word in [one for one in found if isinstance(one, str)])


def _rights(value: Any) -> str:
    return value if _match(RIGHTS, value) else ""


def _match(pattern: re.Pattern[str], value: Any) -> re.Match[str] | None:
    return pattern.fullmatch(value) if isinstance(value, str) else None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]

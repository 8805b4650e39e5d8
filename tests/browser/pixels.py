"""Whether the pixels that arrived are the right ones."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyvips
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Response

from iiif_auth.enforce.imagepath import parse
from project.images import pictures

PREFIX = "/iiif/image/3/"


def identifier_of(url: str) -> str | None:
    """Which picture a tile is of; nothing for info.json and whatever is not a picture."""
    parts = unquote(urlsplit(url).path).removeprefix(PREFIX).split("/")
    return parts[0] if urlsplit(url).path.startswith(PREFIX) and len(parts) == 5 else None


def expected(url: str, data: Path) -> bytes:
    """The same request, cut from the file without anybody's leave."""
    identifier, region, size, rotation, last = unquote(urlsplit(url).path).removeprefix(PREFIX).split("/")
    quality, _, file_format = last.partition(".")
    rendered = pictures.render(identifier, parse(3, region, size, rotation, quality, file_format), data)
    assert rendered is not None, url
    return rendered[0]


def difference(one: bytes, other: bytes) -> float:
    """The mean difference of two pictures, 0 to 255; pictures of different sizes could not be more different."""
    first, second = (Image.open(BytesIO(content)).convert("RGB") for content in (one, other))
    if first.size != second.size:
        return 255.0
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


def spread(content: bytes) -> float:
    """How much there is to see: the standard deviation of the brightness. An empty surface has none."""
    return float(ImageStat.Stat(Image.open(BytesIO(content)).convert("L")).stddev[0])


def is_right(tile: Response, data: Path) -> bool:
    """Whether a tile came, and holds what the file holds there."""
    return tile.status == 200 and difference(tile.body(), expected(tile.url, data)) < 1


def size_of_file(identifier: str, data: Path) -> tuple[int, int]:
    picture = pyvips.Image.new_from_file(str(data / "images" / f"{identifier}.tif"))
    return (picture.width, picture.height)

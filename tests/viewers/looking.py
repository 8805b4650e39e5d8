"""Whether what is to be seen on a page is the picture that was asked for."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import Response

from iiif_auth.enforce.imagepath import Version, parse
from project.images import pictures
from tests.browser.pixels import difference

ALIKE = 0.9
"""From here on two views are of one picture: the right ones reach 0.98, another page of one book 0.6, an empty stage 0."""

UPPER = 0.8
"""The part of the stage that is looked at."""


def is_right(tile: Response, data: Path) -> bool:
    """Whether a tile came, and holds what the file holds there."""
    return tile.status == 200 and difference(tile.body(), expected(tile.url, data)) < 1


def expected(url: str, data: Path) -> bytes:
    """The same request, cut from the file without anybody's leave."""
    *before, identifier, region, size, rotation, last = unquote(urlsplit(url).path).split("/")
    version: Version = 3 if before[-1] == "3" else 2
    quality, _, file_format = last.partition(".")
    rendered = pictures.render(identifier, parse(version, region, size, rotation, quality, file_format), data)
    assert rendered is not None, url
    return rendered[0]


def likeness(seen: bytes, identifier: str, data: Path) -> float:
    """How well a stage shows a picture, fitted into its middle: 1 for perfectly, 0 for not at all."""
    rendered = pictures.render(identifier, parse(3, "full", "!400,400", "0", "default", "jpg"), data)
    assert rendered is not None, identifier
    stage, picture = (Image.open(BytesIO(content)).convert("L") for content in (seen, rendered[0]))
    return max(_correlation(one, other) for one, other in _fitted(stage, picture))


def _fitted(stage: Image.Image, picture: Image.Image) -> Iterator[tuple[Image.Image, Image.Image]]:
    """The middle of the stage beside the picture, for every margin that a viewer may leave around it.

    Both are made small, so that a shift by a pixel does not count, and lose their lower part, over which viewers lay buttons.
    """
    fit = min(stage.width / picture.width, stage.height / picture.height)
    for percent in range(80, 101):
        width, height = (side * fit * percent / 100 for side in picture.size)
        left, top = max(stage.width - width, 0) / 2, max(stage.height - height, 0) / 2
        small = (48, max(round(48 * UPPER * height / width), 1))
        yield (
            stage.resize(
                small, Image.Resampling.BOX, (left, top, min(left + width, stage.width), top + height * UPPER)
            ),
            picture.resize(small, Image.Resampling.BOX, (0, 0, picture.width, picture.height * UPPER)),
        )


def _correlation(one: Image.Image, other: Image.Image) -> float:
    first, second = (np.asarray(image, dtype=float).ravel() for image in (one, other))
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])

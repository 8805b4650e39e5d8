"""Real pictures, taken from the scikit-image wheel; nothing is fetched."""

from __future__ import annotations

import numpy as np
from PIL import Image
from skimage import data


def deep_field() -> Image.Image:
    return _picture(data.hubble_deep_field())


def rocket() -> Image.Image:
    return _enlarged(_picture(data.rocket()), 3)


def retina() -> Image.Image:
    return _picture(data.retina())


def coins() -> Image.Image:
    return _enlarged(_picture(data.coins()), 4)


def _picture(pixels: object) -> Image.Image:
    return Image.fromarray(np.asarray(pixels, dtype=np.uint8)).convert("RGB")


def _enlarged(picture: Image.Image, times: int) -> Image.Image:
    """The wheel has small copies of some; enlarged, they fill a viewer like the rest and show no more than they had."""
    return picture.resize((picture.width * times, picture.height * times), Image.Resampling.LANCZOS)

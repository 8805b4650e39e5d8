"""Smaller pictures, by libvips.

Only pixels go from the original to what is made: one page, in sRGB or grey, without transparency and without any metadata.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any, Final

from iiif_auth.derivatives.limits import Limits, NotMade, Watch
from iiif_auth.derivatives.recipes import Recipe

Image = Any
"""A ``pyvips.Image``; the library has no types of its own."""

MAGIC: Final = (
    (b"II*\0", "tiffload"),
    (b"MM\0*", "tiffload"),
    (b"II+\0", "tiffload"),
    (b"MM\0+", "tiffload"),
    (b"\xff\xd8\xff", "jpegload"),
    (b"\x89PNG\r\n\x1a\n", "pngload"),
    (b"\0\0\0\x0cjP  ", "jp2kload"),
    (b"\xff\x4f\xff\x51", "jp2kload"),
)
"""What a file begins with, and the one reader it is given to: others of libvips were not made for files of strangers."""

TILED: Final = {"tile": True, "tile_width": 256, "tile_height": 256, "pyramid": True, "compression": "jpeg"}
KEPT_AT_MOST: Final = (
    "exif-data",
    "xmp-data",
    "iptc-data",
    "icc-profile-data",
    "photoshop-data",
    "jpeg-thumbnail-data",
)
LARGEST_TIFF: Final = 2_000_000_000
STRENGTH: Final = 0.4
"""How opaque words across a picture are."""


def vips() -> Any:
    """The library, when the first picture needs it.

    Raises:
        NotMade: it is not installed.
    """
    try:
        import pyvips
    except (ImportError, OSError) as missing:
        raise NotMade("Pictures need libvips; install it with: pip install 'django-iiif-auth[images]'") from missing
    return pyvips


def make(original: Path, into: Path, form: str, edge: int, recipe: Recipe, watch: Watch) -> tuple[int, int]:
    """Write the smaller version of a picture to ``into``; its size.

    Raises:
        NotMade: the original can not be read, is too large, or took too long, or the file could not be written.
    """
    library = vips()
    try:
        picture = scaled(original, edge, watch.limits)
        picture = _treated(picture, edge, recipe)
        size = picture.width, picture.height
        _stoppable(picture, watch)
        WRITERS[form](picture, into, recipe.quality)
        if watch.is_over:  # libvips looks now and then, and may be done before its first look
            raise watch.reason()
        _check(into, form, size)
    except library.Error as problem:
        raise watch.reason() if watch.is_over else NotMade(sentence_of(problem)) from problem
    return size


def sentence_of(problem: Exception) -> str:
    """What libvips says is several lines, the last of which is the cause."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    return f"libvips says: {lines[-1]}." if lines else "libvips could not read it."


# -- Reading --------------------------------------------------------------------------------------------------------


def opened(path: Path, **options: Any) -> Image:
    """A picture by what its file begins with, whatever it is called.

    Raises:
        NotMade: it is no picture that is known.
        pyvips.Error: it is broken.
    """
    library = vips()
    with path.open("rb") as file:
        head = file.read(12)
    loader = next((name for magic, name in MAGIC if head.startswith(magic)), "")
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        loader = "webpload"
    if not loader:
        raise NotMade("It is not a TIFF, JPEG, PNG, WebP or JPEG 2000 file, whatever its name says.")
    if not library.type_find("VipsForeignLoad", loader):
        raise NotMade("This libvips was built without JPEG 2000; convert the original, or install another libvips.")
    # The names of files are not looked into: “a[page=2].tif” is called so.
    return getattr(library.Image, loader)(str(path), fail_on="error", revalidate=True, **options)


def longest_edge(path: Path) -> int:
    """Of the first page, in pixels."""
    header = opened(path)
    return max(int(header.width), int(header.height))


def scaled(path: Path, edge: int, limits: Limits) -> Image:
    """The first page, upright, in sRGB or grey with eight bits, with no longer edge than that; never enlarged.

    Raises:
        NotMade: see :func:`opened`, or it has too many pixels.
    """
    header = opened(path)
    limits.check_size(header.width, header.height)
    picture = _level(path, header, edge).thumbnail_image(edge, height=edge, size="down", output_profile="srgb")
    if picture.hasalpha():
        picture = picture.flatten(background=[white_of(picture)])
    if header.interpretation in ("b-w", "grey16"):
        return picture.colourspace("b-w").extract_band(0).cast("uchar")
    return picture.colourspace("srgb").extract_band(0, n=3).cast("uchar")


def white_of(picture: Image) -> float:
    return {"ushort": 65535.0, "float": 1.0 if picture.interpretation == "scrgb" else 255.0}.get(picture.format, 255.0)


def _level(path: Path, header: Image, edge: int) -> Image:
    """The smallest level of a pyramid that has every pixel wanted: a large map need not be read whole."""
    page, width, height = 0, header.width, header.height
    for number in range(1, header.get("n-pages") if header.get_typeof("n-pages") else 1):
        lower = opened(path, page=number)
        # Half as large, or it is another page and not another level.
        if (
            abs(lower.width * 2 - width) > 2
            or abs(lower.height * 2 - height) > 2
            or max(lower.width, lower.height) < edge
        ):
            break
        page, width, height = number, lower.width, lower.height
    options = {"page": page} if page else {}
    level = opened(path, access="sequential", **options)
    return _as_described(level, header) if page else level


def _as_described(level: Image, header: Image) -> Image:
    """A level with the colours and the way up of the whole, which many writers note there only."""
    found = level.copy()
    for name in ("icc-profile-data", "orientation"):
        if header.get_typeof(name):
            found.set_type(header.get_typeof(name), name, header.get(name))
    return found


# -- Treating -------------------------------------------------------------------------------------------------------


def _treated(picture: Image, edge: int, recipe: Recipe) -> Image:
    if recipe.blur:
        picture = _blurred(picture, recipe.blur)
    if recipe.watermark or recipe.watermark_file:
        across = mark(picture.width, picture.height, recipe)
        picture = picture.colourspace("srgb").composite2(across, "over").extract_band(0, n=3).cast("uchar")
    return picture.colourspace("b-w").extract_band(0) if recipe.grey else picture


def coarse_edge(blur: float) -> int:
    """How many pixels along the longest edge hold all that a blurred version shows."""
    return max(1, round(1 / blur))


def _blurred(picture: Image, blur: float) -> Image:
    """Made so small that the detail is gone, and large again: what a filter has only smeared can be sharpened."""
    coarse = picture.thumbnail_image(coarse_edge(blur), height=coarse_edge(blur), size="down").copy_memory()
    smooth = coarse.resize(picture.width / coarse.width, vscale=picture.height / coarse.height, kernel="cubic")
    if (smooth.width, smooth.height) == (picture.width, picture.height):
        return smooth
    return smooth.embed(0, 0, picture.width, picture.height, extend="copy")


def mark(width: int, height: int, recipe: Recipe) -> Image:
    """The watermark, repeated over so many pixels, with transparency.

    Raises:
        NotMade: there is no font for the words.
    """
    tile = _stamp(recipe, max(8, width // 3)) if recipe.watermark_file else _written(recipe.watermark, width, height)
    gap_x, gap_y = tile.width + max(2, tile.width // 4), tile.height + max(2, tile.height // 2)
    tile = tile.embed(0, 0, gap_x, gap_y)
    repeated = tile.replicate(-(-width // gap_x), -(-height // gap_y)).crop(0, 0, width, height)
    return repeated.copy(interpretation="srgb").copy_memory()


def _stamp(recipe: Recipe, width: int) -> Image:
    stamp = opened(Path(recipe.watermark_file)).colourspace("srgb").cast("uchar")
    stamp = stamp if stamp.hasalpha() else stamp.addalpha()
    return stamp.thumbnail_image(width, height=width).cast("uchar")


def _written(words: str, width: int, height: int) -> Image:
    """White words with a dark edge, rising a little, to be read on light and on dark."""
    library = vips()
    wide = max(24, min(width, height) * 2 // 3)
    text = library.Image.text(escape(words, quote=False), font="sans bold", width=wide, height=max(8, wide // 4))
    if text.max() == 0:
        raise NotMade("No font is installed that could write the watermark; install one, or use a PNG.")
    text = text.embed(4, 4, text.width + 8, text.height + 8)
    edge = (text.gaussblur(max(0.6, text.height / 40)) * 3).cast("uchar")
    either = (text > edge).ifthenelse(text, edge)
    drawn = text.bandjoin([text, text, (either * STRENGTH).cast("uchar")])
    return drawn.copy(interpretation="srgb").rotate(-20, background=[0, 0, 0, 0]).cast("uchar")


# -- Writing --------------------------------------------------------------------------------------------------------


def _stoppable(picture: Image, watch: Watch) -> None:
    def look(image: Image, _progress: Any) -> None:
        if watch.is_over:
            image.set_kill(True)

    picture.set_progress(True)
    picture.signal_connect("eval", look)


def _tiff(picture: Image, path: Path, quality: int) -> None:
    large = picture.width * picture.height * picture.bands > LARGEST_TIFF
    picture.tiffsave(str(path), Q=quality, keep="none", bigtiff=large, **TILED)


def _jpeg(picture: Image, path: Path, quality: int) -> None:
    picture.jpegsave(str(path), Q=quality, keep="none", optimize_coding=True)


def _png(picture: Image, path: Path, _quality: int) -> None:
    picture.pngsave(str(path), keep="none", compression=6)


def _webp(picture: Image, path: Path, quality: int) -> None:
    picture.webpsave(str(path), Q=quality, keep="none")


def _jp2(picture: Image, path: Path, quality: int) -> None:
    picture.jp2ksave(str(path), Q=quality, keep="none")


WRITERS: Final[dict[str, Callable[[Image, Path, int], None]]] = {
    "tiff": _tiff,
    "jpeg": _jpeg,
    "png": _png,
    "webp": _webp,
    "jp2": _jp2,
}


def _check(path: Path, form: str, size: tuple[int, int]) -> None:
    """Read back what was written: its size, every pixel, and that nothing came along.

    Raises:
        NotMade: it is not what was meant.
        pyvips.Error: it is not whole.
    """
    written = opened(path)
    if (written.width, written.height) != size:
        raise NotMade(f"It came out as {written.width} x {written.height} pixels, not as {size[0]} x {size[1]}.")
    along = [name for name in KEPT_AT_MOST if written.get_typeof(name)]
    if along:
        raise NotMade(f"It came out with {', '.join(along)} of the original, so it was thrown away.")
    written.avg()

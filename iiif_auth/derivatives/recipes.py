"""What is done to an original for a tier: read from options and from a table, and checked before anything is made."""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

EDITION: Final = 1
"""Raised when the same recipe comes to make other files, so that all are made again."""

MOST_WORDS = 200
MOST_PNG = 20_000_000
BITRATE = re.compile(r"[1-9][0-9]{0,6}[kM]?")


class NotARecipe(ValueError):
    """A value that is no such instruction. The message is a sentence that says what would be."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the version of a tier is made.

    Attributes:
        scale: longest edge in pixels, if less than the tier allows; 0: what the tier allows.
        watermark: words to write across pictures and films.
        watermark_file: a PNG to lay across them, absolute; one of the two at most.
        blur: 0.02 leaves what 50 pixels along the longest edge can hold; 0: none.
        grey: without colour.
        quality: of lossy pictures, 1 to 100.
        clip_seconds: of films and sound, how much is kept; 0: all.
        start: of films and sound, the second at which the clip begins.
        max_height: of films, in pixels; 0: what the tier allows.
        bitrate: of films, their pictures; of sound, the sound; such as ``600k``.
    """

    scale: int = 0
    watermark: str = ""
    watermark_file: str = ""
    blur: float = 0.0
    grey: bool = False
    quality: int = 85
    clip_seconds: float = 0.0
    start: float = 0.0
    max_height: int = 0
    bitrate: str = ""

    def edge(self, allowed: int) -> int:
        """The longest edge of what is made for a tier that allows so much."""
        return min(self.scale, allowed) if self.scale else allowed

    def digest(self, allowed: int, form: str) -> str:
        """Changes whenever what would be made changes; the PNG counts by what is in it, not by its name.

        Raises:
            OSError: the PNG can not be read.
        """
        values = {**asdict(self), "edition": EDITION, "edge": self.edge(allowed), "form": form}
        if self.watermark_file:
            values["watermark_file"] = hashlib.sha256(Path(self.watermark_file).read_bytes()).hexdigest()
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def __str__(self) -> str:
        said = (
            ("watermark", self.watermark or self.watermark_file),
            (f"blur {self.blur:g}", self.blur),
            ("grey", self.grey),
            (f"{self.clip_seconds:g} s from {self.start:g} s", self.clip_seconds or self.start),
            (f"at most {self.max_height} px high", self.max_height),
            (self.bitrate, self.bitrate),
        )
        return ", ".join(words for words, is_so in said if is_so)


# -- Values ---------------------------------------------------------------------------------------------------------


def _whole(lowest: int, highest: int) -> Callable[[Any], int]:
    def checked(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
            raise NotARecipe(f"a whole number from {lowest} to {highest}")
        return value

    return checked


def _number(above: float, highest: float, *, or_equal: bool = False) -> Callable[[Any], float]:
    def checked(value: Any) -> float:
        sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not sound or not above <= value <= highest or (value == above and not or_equal):
            raise NotARecipe(
                f"a number {'from' if or_equal else 'above'} {above:g} {'to' if or_equal else 'up to'} {highest:g}"
            )
        return float(value)

    return checked


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise NotARecipe("true or false")
    return value


def _bitrate(value: Any) -> str:
    if not isinstance(value, str) or not BITRATE.fullmatch(value):
        raise NotARecipe("a text such as “600k” or “2M”")
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > MOST_WORDS or not value.isprintable():
        raise NotARecipe(f"a line of 1 to {MOST_WORDS} characters, or the name of a PNG file")
    return value


VALUES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "scale": _whole(1, 100_000),
    "watermark": _words,
    "blur": _number(0, 0.5),
    "grey": _truth,
    "quality": _whole(1, 100),
    "clip_seconds": _number(0, 86_400),
    "start": _number(0, 1_000_000, or_equal=True),
    "max_height": _whole(2, 10_000),
    "bitrate": _bitrate,
}
"""Every instruction there is, and what reads its value."""


def checked(values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Instructions as fields of :class:`Recipe`; a watermark that ends in ``.png`` is a file below or beside ``folder``.

    Raises:
        NotARecipe: one of them is unknown, or its value is none.
    """
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name not in VALUES:
            raise NotARecipe(f"“{name}” is no instruction; there are {', '.join(VALUES)}.")
        try:
            found[name] = VALUES[name](value)
        except NotARecipe as wanted:
            raise NotARecipe(f"“{name}” has to be {wanted}, not {value!r}.") from None
    return {**found, **_watermark(found["watermark"], folder)} if "watermark" in found else found


def _watermark(text: str, folder: Path) -> dict[str, str]:
    if not text.lower().endswith(".png"):
        return {"watermark": text, "watermark_file": ""}
    path = (folder / text).resolve()
    try:
        with path.open("rb") as file:
            head = file.read(8)
        if head != b"\x89PNG\r\n\x1a\n" or path.stat().st_size > MOST_PNG:
            raise NotARecipe(f"The watermark {text} is not a PNG of at most {MOST_PNG // 1_000_000} MB.")
    except OSError as problem:
        raise NotARecipe(f"The watermark {text} can not be read: {problem.strerror}.") from problem
    return {"watermark": "", "watermark_file": str(path)}


# -- Tables ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipes:
    """The recipe for every tier: what the options say, and where a table of the file says otherwise, that.

    A table is named by the identifier of a tier, or by that of the policy and of the tier, ``["survey/members"]``.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, policy: str, tier: str) -> Recipe:
        return Recipe(**{**self.options, **self.tables.get(tier, {}), **self.tables.get(f"{policy}/{tier}", {})})


def read(path: Path | None, options: Mapping[str, Any], here: Path) -> Recipes:
    """The recipes of a TOML file over those of the options, whose watermark is looked for from ``here``.

    Raises:
        NotARecipe: the file or a value can not be read as a recipe.
    """
    given = checked(options, here)
    if path is None:
        return Recipes(given)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as problem:
        raise NotARecipe(f"The recipe {path} can not be read: {problem.strerror}.") from problem
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise NotARecipe(f"The recipe {path} is not TOML: {problem}.") from problem
    return Recipes(given, {name: _table(name, table, path) for name, table in document.items()})


def _table(name: str, table: Any, path: Path) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise NotARecipe(f"In {path}, “{name}” stands alone; put it below the name of a tier, such as [members].")
    try:
        return checked(table, path.parent)
    except NotARecipe as problem:
        raise NotARecipe(f"In {path}, table [{name}]: {problem}") from problem

"""Smaller versions cut on the fly, and derived files, asked for in every way that the Image API has.

    python -m tests.security.tiers --count 2000000 --decoded 20000 --seed 1

An independent model, in fractions, says what each request may have: never more than the scale of the tier, whichever region and
size it names, so that no number of small pieces makes the large picture (security I1). Of some thousands the picture is made from
a chessboard of single pixels, and looked at: its size is what was promised, and nothing finer than the tier's pixels is in it.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django

if __name__ == "__main__":
    django.setup()

from django.test import override_settings

from iiif_auth import store, upstream
from iiif_auth.enforce import check
from iiif_auth.enforce.imagepath import Limits, parse
from iiif_auth.policy import types as policy
from iiif_auth.upstream import Description
from project.images import pictures
from tests.security.tickets import SETTINGS

PATHS = {2: "/iiif/1/", 3: "/iiif/3/"}


@dataclass(frozen=True)
class Case:
    """One request for a lesser version of a picture of ``width`` x ``height`` pixels."""

    version: int
    width: int
    height: int
    edge: int
    formats: tuple[str, ...]
    qualities: tuple[str, ...]
    parameters: str
    derived: bool

    @property
    def target(self) -> str:
        return (
            f"{PATHS[self.version]}chart~p/{self.parameters.replace('^', '%5E') if self.edge % 2 else self.parameters}"
        )


# -- What is asked ------------------------------------------------------------------------------------------------

EDGES = (1, 2, 3, 7, 50, 99, 100, 400, 401, 1000, 1500, 4095, 6000, 10_000)


def number(chance: Random, most: int) -> int:
    near = (1, 2, most - 1, most, most + 1, most * 2, max(1, most // 2), max(1, most // 3), 999_999_999)
    return max(1, chance.choice(near)) if chance.random() < 0.3 else chance.randrange(1, most + 2)


def percent(chance: Random) -> str:
    exact = (
        "0",
        "0.1",
        "5",
        "5.01",
        "12.5",
        "33.3333333333",
        "50",
        "99.9999999999",
        "100",
        "100.01",
        "200",
        "0.0000000001",
    )
    return chance.choice(exact) if chance.random() < 0.5 else f"{chance.uniform(0, 120):.{chance.randrange(1, 8)}f}"


def case(chance: Random, sizes: tuple[int, ...] = EDGES) -> Case:
    width, height, edge = (
        chance.choice(sizes) if chance.random() < 0.5 else chance.randrange(1, max(sizes)) for _ in range(3)
    )
    version = chance.choice((2, 3))
    # People ask for parts of the small picture, whose size they are told; attackers for parts of the large one too.
    scale = chance.choice((1.0, 1.0, edge / max(width, height, edge)))
    wide, high = max(1, int(width * scale)), max(1, int(height * scale))
    x, y = (chance.choice((0, 1, chance.randrange(most + 1))) for most in (wide, high))
    region = chance.choice(
        (
            "full",
            "square",
            *[f"{x},{y},{number(chance, wide)},{number(chance, high)}"] * 4,
            f"pct:{percent(chance)},{percent(chance)},{percent(chance)},{percent(chance)}",
        )
    )
    across, down = number(chance, wide), number(chance, high)
    plain = ("max", "full", f"{across},", f",{down}", f"{across},{down}", f"!{across},{down}", f"pct:{percent(chance)}")
    size = f"{chance.choice(('', '', '', '^')) if version == 3 else ''}{chance.choice(plain)}"
    turn = chance.choice(("0", "0", "0", "90", "180", "!270", "!0", "90.0", "45", "359.999", "360", "0.5"))
    formats = chance.choice((("jpg",), ("jpg", "png"), ("webp",)))
    qualities = chance.choice((("default",), ("default", "gray"), ("bitonal",)))
    quality = (
        chance.choice(qualities) if chance.random() < 0.8 else chance.choice(("default", "color", "gray", "bitonal"))
    )
    form = chance.choice(formats) if chance.random() < 0.8 else chance.choice(("jpg", "png", "webp", "tif"))
    parameters = f"{region}/{size}/{turn}/{quality}.{form}"
    return Case(version, width, height, edge, formats, qualities, parameters, derived=chance.random() < 0.2)


# -- What may be had: the model -----------------------------------------------------------------------------------


class Refused(Exception):
    """The model says no."""


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def small_size(case: Case) -> tuple[int, int]:
    """The size of the lesser version: the longest edge is the tier's, nothing is larger than the original, nothing is empty."""
    longest = max(case.width, case.height)
    scale = min(Fraction(1), Fraction(case.edge, longest))
    return max(1, floor(case.width * scale)), max(1, floor(case.height * scale))


def model(case: Case) -> tuple[tuple[int, int, int, int], int, int]:
    """The part of the original, and how large: ``(x, y, width, height), width, height``.

    Raises:
        Refused: there is no such part, or it is larger than the small version has pixels for it.
    """
    region, size, turn, last = case.parameters.split("/")
    quality, form = last.split(".")
    if form not in case.formats or quality not in case.qualities:
        raise Refused("form")
    if Fraction(turn.lstrip("!")) % 90 or Fraction(turn.lstrip("!")) >= 360:
        raise Refused("turn")
    wide, high = small_size(case)
    left, top, right, bottom = _part(region, wide, high)
    across, down = _size(size, right - left, bottom - top, case.version)
    if not (0 < across <= right - left and 0 < down <= bottom - top):
        raise Refused("larger")
    fx, fy = Fraction(case.width, wide), Fraction(case.height, high)
    x, y = floor(left * fx), floor(top * fy)
    return (x, y, ceil(right * fx) - x, ceil(bottom * fy) - y), across, down


def _part(region: str, wide: int, high: int) -> tuple[int, int, int, int]:
    """Edges of the part of the small picture: left, top, right, bottom."""
    if region == "full":
        return 0, 0, wide, high
    if region == "square":
        edge = min(wide, high)
        return (wide - edge) // 2, (high - edge) // 2, (wide - edge) // 2 + edge, (high - edge) // 2 + edge
    numbers = [Fraction(text) for text in region.removeprefix("pct:").split(",")]
    if not numbers[2] or not numbers[3]:
        raise Refused("empty")
    if region.startswith("pct:"):
        if max(numbers[:2]) >= 100:
            raise Refused("outside")
        numbers = [Fraction(half_up(value * most / 100)) for value, most in zip(numbers, (wide, high) * 2, strict=True)]
    left, top = int(numbers[0]), int(numbers[1])
    right, bottom = min(wide, left + max(1, int(numbers[2]))), min(high, top + max(1, int(numbers[3])))
    if right <= left or bottom <= top:
        raise Refused("outside")
    return left, top, right, bottom


def _size(size: str, wide: int, high: int, version: int) -> tuple[int, int]:
    """What is asked of that part. ``^`` enlarges, or means nothing where it does not; in version 3 nothing else may."""
    upwards, size = size.startswith("^") or (version == 2 and size not in ("max", "full")), size.lstrip("^")
    if size == "full" and version == 3:
        raise Refused("grammar")
    if size in ("max", "full"):
        return wide, high
    if size.startswith("pct:"):
        share = Fraction(size[4:]) / 100
        if not share or (share > 1 and not upwards):
            raise Refused("size")
        return max(1, half_up(wide * share)), max(1, half_up(high * share))
    if size.startswith("!"):
        across, down = (Fraction(text) for text in size[1:].split(","))
        share = min(across / wide, down / high, *([] if upwards else [Fraction(1)]))
        return max(1, half_up(wide * share)), max(1, half_up(high * share))
    across_text, down_text = size.split(",")
    if across_text and down_text:
        return int(across_text), int(down_text)
    share = Fraction(int(across_text), wide) if across_text else Fraction(int(down_text), high)
    other = max(1, half_up((high if across_text else wide) * share))
    return (int(across_text), other) if across_text else (other, int(down_text))


# -- What is answered ---------------------------------------------------------------------------------------------

UPSTREAM = re.compile(
    r"(?P<name>chart(?:~p)?)/(?:(?P<full>full)|(?P<x>\d+),(?P<y>\d+),(?P<w>\d+),(?P<h>\d+))/(?P<across>\d+),(?P<down>\d+)"
    r"/(?P<turn>!?(?:0|90|180|270))/(?P<quality>[a-z]+)\.(?P<form>[a-z]+)",
    re.ASCII,
)


@contextmanager
def held(cases: list[Case]) -> Iterator[None]:
    """A library whose only picture is that of the last case, for everybody, in the lesser version."""

    def found(uri: str, finder: Any) -> tuple[policy.Offer, store.Presented]:
        one = cases[-1]
        prefix = PATHS[one.version]
        virtual = None if one.derived else policy.Virtual(one.edge, one.formats, one.qualities)
        rendition = policy.Rendition(
            uri, one.edge, source="chart~p" if one.derived else "", virtual=virtual, cut_from=f"{prefix}chart", tier="p"
        )
        level = policy.Level(
            uri, policy.Policy("p", (policy.Tier("p", policy.Everyone(), policy.Gets.SMALLER, one.edge),))
        )
        return policy.Offer(rendition, levels=(level,)), store.Presented("1")

    def described(door: Any, source: str) -> Description:
        return Description(cases[-1].width, cases[-1].height, 3)

    with ExitStack() as stack:
        stack.enter_context(patch.object(store, "find_for", found))
        stack.enter_context(patch.object(upstream, "describe", described))
        yield


def answered(one: Case) -> check.Answer:
    return check.answer(check.Reader("", "203.0.113.9", "", "GET"), one.target)


def wrong(one: Case, answer: check.Answer) -> str:
    """What is wrong with an answer; empty if nothing is."""
    if one.derived:
        return _wrong_derived(one, answer)
    try:
        part, across, down = model(one)
    except Refused as reason:
        return "" if answer.status == 403 and not answer.upstream else f"should be refused ({reason})"
    except (ValueError, ZeroDivisionError):
        return "" if answer.status == 403 else "is not even a request"
    if answer.status != 200:
        return "" if _enlarged(one) else f"should be granted, but {answer.reason}"
    return _too_much(one, answer) or _another_part(one, answer, part, across, down)


def _wrong_derived(one: Case, answer: check.Answer) -> str:
    """A derived file is a picture of its own: whatever is asked of it, the original is not what is read."""
    rest = one.parameters.replace("^", "%5E")
    if answer.status != 200:
        return "" if answer.upstream == "" else "refused, but with a path"
    return "" if answer.upstream == f"chart~p/{rest}" else "leads elsewhere"


def _enlarged(one: Case) -> bool:
    """Whether a part is wanted as large as it can be made, which may be larger than it is: then a no is right as well."""
    region, size, _, _ = one.parameters.split("/")
    return size == "^max" and region != "full"


def _too_much(one: Case, answer: check.Answer) -> str:
    """Without the model of requests: from what the image server is asked for alone."""
    found = UPSTREAM.fullmatch(answer.upstream)
    if found is None or found["name"] != "chart":
        return "asks for something else"
    x, y, wide, high = (0, 0, one.width, one.height) if found["full"] else (int(found[name]) for name in "xywh")
    if x + wide > one.width or y + high > one.height or not (wide and high):
        return "asks for what is outside"
    across, down = int(found["across"]), int(found["down"])
    scale = min(Fraction(1), Fraction(one.edge, max(one.width, one.height)))
    # The lesser version has at least one pixel either way, however thin the picture.
    if Fraction(across, wide) > max(scale, Fraction(1, one.width)) or Fraction(down, high) > max(
        scale, Fraction(1, one.height)
    ):
        return f"has a scale of {across / wide:.4f} x {down / high:.4f}, where {float(scale):.4f} may be had"
    if max(across, down) > max(1, one.edge):
        return "is larger than the lesser version"
    if found["form"] not in one.formats or found["quality"] not in one.qualities:
        return "has another format or quality"
    return "" if answer.headers.get("X-Accel-Expires") == "0" else "may be kept for another request"


def _another_part(one: Case, answer: check.Answer, part: tuple[int, ...], across: int, down: int) -> str:
    x, y, wide, high = part
    region = "full" if part == (0, 0, one.width, one.height) else f"{x},{y},{wide},{high}"
    wanted = f"chart/{region}/{across},{down}/"
    return "" if answer.upstream.startswith(wanted) else f"is {answer.upstream}, where the model has {wanted}"


@dataclass
class Found:
    granted: int = 0
    refused: int = 0
    derived: int = 0
    wrong: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)


def campaign(count: int, seed: int, tell: Callable[[int], None] = lambda done: None) -> Found:
    """Ask so many; with the settings of :mod:`tests.security.tickets`."""
    chance, found, cases = Random(seed), Found(), [case(Random(0))]
    with held(cases):
        for done in range(count):
            one = cases[0] = case(chance)
            answer = answered(one)
            found.derived += one.derived
            found.granted += answer.status == 200
            found.refused += answer.status != 200
            if problem := wrong(one, answer):
                found.wrong.append(f"{one}: {problem}")
            if done % 5000 == 0:
                tell(done)
    return found


# -- Pictures -----------------------------------------------------------------------------------------------------

BOARD = 1200, 800
SHARP = 40.0
"""A chessboard of black and white has a deviation of 127 from its mean; grey has none."""


@lru_cache(maxsize=8)
def board(folder: str, square: int, pyramid: bool) -> str:
    """The name of a picture in a folder: a chessboard of squares of so many pixels."""
    import pyvips

    across, down = pyvips.Image.xyz(*BOARD)[0], pyvips.Image.xyz(*BOARD)[1]
    white = (((across / square).floor() + (down / square).floor()) % 2) * 255
    name = f"board{square}{'p' if pyramid else 'f'}"
    images = Path(folder) / "images"
    images.mkdir(exist_ok=True)
    white.cast("uchar").copy(interpretation="b-w").tiffsave(
        str(images / f"{name}.tif"), tile=True, pyramid=pyramid, compression="deflate"
    )
    return name


def decoded(count: int, seed: int, folder: Path, tell: Callable[[int], None] = lambda done: None) -> Found:
    """Ask as many as needed for so many pictures, and look at each."""
    import pyvips

    chance, found, cases = Random(seed), Found(), [case(Random(0))]
    width, height = BOARD
    with held(cases):
        while found.granted < count and not len(found.wrong) > 20:
            drawn = case(chance, (1, 10, 60, 150, 299, 300))
            one = cases[0] = Case(
                drawn.version,
                width,
                height,
                min(drawn.edge, 300),
                drawn.formats,
                drawn.qualities,
                drawn.parameters,
                derived=False,
            )
            answer = answered(one)
            if answer.status != 200:
                found.refused += 1
                continue
            found.granted += 1
            name = board(str(folder), chance.choice((1, 2)), chance.choice((True, False)))
            picture = pyvips.Image.new_from_buffer(_made(answer.upstream, name, folder), "")
            if problem := _seen(answer.upstream, picture):
                found.wrong.append(f"{one} on {name}: {problem}")
            if found.granted % 100 == 0:
                tell(found.granted)
    return found


def _made(path: str, name: str, folder: Path) -> bytes:
    region, size, turn, last = path.split("/")[1:]
    quality, form = last.split(".")
    made = pictures.render(name, parse(3, region, size, turn, quality, form), folder, Limits())
    assert made is not None
    return made[0]


def _seen(path: str, picture: Any) -> str:
    """What is wrong with a picture; empty if nothing is. A bitonal one is black or white whatever it shows."""
    _, size, turn, last = path.split("/")[1:]
    across, down = (int(edge) for edge in size.split(","))
    wanted = (down, across) if turn.lstrip("!") in ("90", "270") else (across, down)
    if (picture.width, picture.height) != wanted:
        return f"is {picture.width} x {picture.height}, where {wanted} was promised"
    deviation = picture.extract_band(0).deviate() if picture.width * picture.height > 1 else 0.0
    if not last.startswith("bitonal") and deviation > SHARP:
        return f"shows the squares (a deviation of {deviation:.0f})"
    return ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.tiers", description=__doc__)
    parser.add_argument("--count", type=int, default=2_000_000)
    parser.add_argument("--decoded", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.monotonic()

    def tell(done: int) -> None:
        sys.stderr.write(f"\r{done:>10,}  {done / max(time.monotonic() - began, 0.001):>7,.0f}/s ")
        sys.stderr.flush()

    with override_settings(**SETTINGS), tempfile.TemporaryDirectory() as folder:
        asked = campaign(options.count, options.seed, tell)
        told = f"{asked.granted:,} granted, {asked.refused:,} refused, {asked.derived:,} of derived files"
        print(f"\n{options.count:,} requests: {told}, {len(asked.wrong)} wrong", flush=True)
        began = time.monotonic()
        looked = decoded(options.decoded, options.seed, Path(folder), tell) if options.decoded else Found()
        print(f"\n{looked.granted:,} pictures made and looked at, {len(looked.wrong)} wrong")
    problems = asked.wrong + looked.wrong
    for line in problems[:20]:
        print(f"WRONG {line}")
    return int(bool(problems) or not asked.granted)


if __name__ == "__main__":
    sys.exit(main())

"""Plots drawn as SVG: bars and lines with axes, a title and a description, for pages without a script.

What a colour says, a pattern and a word say too. Colours come from classes of the style sheet, so that they change with the
page's; there are no style attributes. In scripts that run from right to left the plot runs so too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_bidi

WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 34
ROW, NAMES = 26, 220
"""Of plots with lying bars: the height of each, and the width for their names."""
MOST_SERIES = 6
LETTER = 7
"""What a letter takes of the width, about."""
MOST_TICKS = 12
"""Names along an axis; of more columns only some are named, and the table names them all."""
MOST_NAME = 34


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of thing that is counted: its name, and a value for each name along the axis."""

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """What is drawn, and what its table says.

    Attributes:
        slug: of letters, digits and hyphens, unique on the page.
        about: what to see in it, in a sentence.
        axis: what the names along the axis are, such as “Day”.
        shape: ``"columns"`` and ``"bars"`` are stacked, standing or lying; ``"line"``.
        series: six at most.
    """

    slug: str
    title: str
    about: str
    axis: str
    names: tuple[str, ...]
    series: tuple[Series, ...]
    shape: str = "columns"

    @property
    def is_empty(self) -> bool:
        return not any(any(one.values) for one in self.series)

    @property
    def rows(self) -> list[tuple[str, list[str]]]:
        """The table: for each name the values of all series."""
        return [(name, [said(one.values[at]) for one in self.series]) for at, name in enumerate(self.names)]

    @property
    def legend(self) -> list[tuple[SafeString, str]]:
        """A swatch and a word for each series."""
        return [(swatch(self.slug, number), one.name) for number, one in enumerate(self.series)]

    @property
    def svg(self) -> SafeString:
        return drawn(self)


def said(number: int) -> str:
    return str(number_format(number, use_l10n=True, force_grouping=True))


def drawn(plot: Plot) -> SafeString:
    """The picture alone, as safe markup.

    Raises:
        ValueError: there are more series than can be told apart, or a shape that is not known.
    """
    if len(plot.series) > MOST_SERIES:
        raise ValueError(f"{len(plot.series)} series can not be told apart; give {MOST_SERIES} at most.")
    if plot.shape not in SHAPES:
        raise ValueError(f"There is no shape {plot.shape!r}; there are {', '.join(SHAPES)}.")
    height = TOP + 6 + ROW * len(plot.names) if plot.shape == "bars" else HEIGHT
    parts = mark_safe("".join(SHAPES[plot.shape](plot)))  # noqa: S308 - of parts that are safe already
    return format_html(
        '<svg class="iiif-auth-plot" role="img" direction="ltr" viewBox="0 0 {} {}" '
        'aria-labelledby="{slug}-title {slug}-about"><title id="{slug}-title">{}</title>'
        '<desc id="{slug}-about">{}</desc>{}{}</svg>',
        WIDTH,
        height,
        plot.title,
        plot.about,
        patterns(plot.slug, len(plot.series)),
        parts,
        slug=plot.slug,
    )


# -- Patterns -----------------------------------------------------------------------------------------------------

MARKS = (
    "",
    '<path class="iiif-auth-mark" d="M-2 2 L2 -2 M0 8 L8 0 M6 10 L10 6"/>',
    '<circle class="iiif-auth-dot" cx="4" cy="4" r="1.6"/>',
    '<path class="iiif-auth-mark" d="M0 4 H8"/>',
    '<path class="iiif-auth-mark" d="M-2 6 L2 10 M0 0 L8 8 M6 -2 L10 2"/>',
    '<path class="iiif-auth-mark" d="M0 4 H8 M4 0 V8"/>',
)
"""What lies over the colour of each series: nothing, strokes, dots and so on."""


def patterns(slug: str, count: int) -> SafeString:
    each = (
        (f"{slug}-{number}", f"iiif-auth-series-{number}", mark_safe(mark))  # noqa: S308 - ours, above
        for number, mark in enumerate(MARKS[:count])
    )
    made = format_html_join(
        "",
        '<pattern id="{}" width="8" height="8" patternUnits="userSpaceOnUse"><rect class="{}" width="8" height="8"/>{}</pattern>',
        each,
    )
    return format_html("<defs>{}</defs>", made)


def swatch(slug: str, number: int) -> SafeString:
    return format_html(
        '<svg class="iiif-auth-swatch" aria-hidden="true" focusable="false" viewBox="0 0 16 16" width="16" height="16">'
        '<rect class="iiif-auth-bar" x="0.5" y="0.5" width="15" height="15" fill="url(#{}-{})"/></svg>',
        slug,
        number,
    )


# -- Axes ---------------------------------------------------------------------------------------------------------


def ticks(most: int) -> list[int]:
    """Round numbers from 0 to at least ``most``, at most six of them.

    >>> ticks(7)
    [0, 2, 4, 6, 8]
    """
    step = 1
    while step * 5 < most:
        # 1, 2, 5, 10, 20, 50 …
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(0, max(most, 1) + step, step))[: -(-max(most, 1) // step) + 1]


def across(x: float) -> float:
    """Where that is on the page: from the other side where people read from right to left."""
    return round(WIDTH - x if get_language_bidi() else x, 2)


def anchor(side: str) -> str:
    """``start`` or ``end`` of a text, likewise."""
    return {"start": "end", "end": "start"}.get(side, side) if get_language_bidi() else side


def text(x: float, y: float, words: str, side: str = "middle") -> SafeString:
    return format_html('<text x="{}" y="{}" text-anchor="{}">{}</text>', across(x), round(y, 2), anchor(side), words)


def stroke(kind: str, x1: float, y1: float, x2: float, y2: float) -> SafeString:
    return format_html(
        '<line class="iiif-auth-{}" x1="{}" y1="{}" x2="{}" y2="{}"/>',
        *(kind, across(x1), round(y1, 2), across(x2), round(y2, 2)),
    )


def block(plot: Plot, number: int, x: float, y: float, width: float, height: float) -> SafeString:
    """One piece of a bar; which it is is said when the pointer rests on it, and in the table."""
    return format_html(
        '<rect class="iiif-auth-bar" x="{}" y="{}" width="{}" height="{}" fill="url(#{}-{})"/>',
        *(min(across(x), across(x + width)), round(y, 2), round(width, 2), round(height, 2), plot.slug, number),
    )


def short(name: str) -> str:
    return name if len(name) <= MOST_NAME else f"{name[: MOST_NAME - 1]}…"


def upright(marks: Sequence[int]) -> Iterator[SafeString]:
    """The axis of values at the beginning of the line, with a faint stroke across for each mark."""
    for mark in marks:
        y = height_of(mark, marks[-1])
        yield stroke("axis" if mark == 0 else "grid", LEFT, y, WIDTH - RIGHT, y)
        yield text(LEFT - 6, y + 4, said(mark), "end")


def height_of(value: float, most: int) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / most


def along(plot: Plot) -> Iterator[tuple[int, float, float]]:
    """For each name its number, where its part of the axis begins, and how wide that is."""
    width = (WIDTH - LEFT - RIGHT) / max(len(plot.names), 1)
    for number in range(len(plot.names)):
        yield number, LEFT + number * width, width


def named(plot: Plot) -> Iterator[SafeString]:
    every = -(-len(plot.names) // room_for(plot.names))
    for number, x, width in along(plot):
        if number % every == 0:
            yield text(x + width / 2, HEIGHT - BOTTOM + 18, plot.names[number])


def room_for(names: Sequence[str]) -> int:
    """How many of these names stand beside each other without touching."""
    longest = max(map(len, names), default=1) + 2
    return max(1, min(MOST_TICKS, int((WIDTH - LEFT - RIGHT) / (longest * LETTER))))


# -- Shapes -------------------------------------------------------------------------------------------------------


def sums(plot: Plot) -> list[int]:
    return [sum(one.values[at] for one in plot.series) for at in range(len(plot.names))]


def columns(plot: Plot) -> Iterator[SafeString]:
    marks = ticks(max(sums(plot), default=0))
    yield from upright(marks)
    for at, x, width in along(plot):
        gap, below = min(width * 0.15, 4), 0
        for number, one in enumerate(plot.series):
            top, bottom = height_of(below + one.values[at], marks[-1]), height_of(below, marks[-1])
            if one.values[at]:
                yield block(plot, number, x + gap, top, width - 2 * gap, bottom - top)
            below += one.values[at]
    yield from named(plot)


def line(plot: Plot) -> Iterator[SafeString]:
    marks = ticks(max((value for one in plot.series for value in one.values), default=0))
    yield from upright(marks)
    for number, one in enumerate(plot.series):
        points = [
            (across(x + width / 2), round(height_of(one.values[at], marks[-1]), 2)) for at, x, width in along(plot)
        ]
        path = " ".join(f"{x},{y}" for x, y in points)
        yield format_html('<polyline class="iiif-auth-line iiif-auth-line-{}" points="{}"/>', number, path)
        yield format_html_join("", '<circle class="iiif-auth-point" cx="{}" cy="{}" r="2.5"/>', points)
    yield from named(plot)


def bars(plot: Plot) -> Iterator[SafeString]:
    """Lying bars, the name before each and its sum after it."""
    most = max(sums(plot), default=0) or 1
    room = WIDTH - NAMES - 70
    for at, (name, total) in enumerate(zip(plot.names, sums(plot), strict=True)):
        y, begun = TOP + at * ROW, 0
        yield text(NAMES - 8, y + 16, short(name), "end")
        for number, one in enumerate(plot.series):
            if one.values[at]:
                x, width = NAMES + room * begun / most, room * one.values[at] / most
                yield block(plot, number, x, y + 3, width, ROW - 8)
            begun += one.values[at]
        yield text(NAMES + room * total / most + 6, y + 16, said(total), "start")
    yield stroke("axis", NAMES, TOP - 4, NAMES, TOP + ROW * len(plot.names))


SHAPES = {"columns": columns, "bars": bars, "line": line}

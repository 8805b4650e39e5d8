"""Judging a file of rules row by row: what is wrong, what would change, and what is to be done for it.

Nothing is changed here. What somebody may not find is answered as what is not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from django.utils.translation import gettext

from iiif_auth.conf import conf
from iiif_auth.exchange import columns, known, reading_overlays, reading_resources
from iiif_auth.exchange.cells import CLEAR, Cell, Wrong, is_empty, plain, problem_of
from iiif_auth.exchange.dates import Style
from iiif_auth.exchange.deeds import Deed
from iiif_auth.models import Resource
from iiif_auth.protocol import identity

ERROR, NEW, CHANGED, SAME = "error", "new", "changed", "same"
Change = tuple[str, str, str]
"""What changes, from what, to what; all in words."""


@dataclass(slots=True)
class Given:
    """One row of a file by the keys of its columns; only what says something. ``-`` is in ``cleared``."""

    line: int
    values: dict[str, str] = field(default_factory=dict)
    cleared: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def says(self, *keys: str) -> bool:
        return any(key in self.values or key in self.cleared for key in keys)


@dataclass(slots=True)
class Judged:
    """What came of one row."""

    line: int
    identifier: str
    state: str = SAME
    errors: list[str] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)

    def stored(self) -> list[Any]:
        """As it is kept as JSON, without the deeds: they are found anew when it is applied."""
        return [self.line, self.identifier, self.state, self.errors, self.changes, self.hints]


def mark(stored: Iterable[Sequence[Any]]) -> str:
    """A digest of what was shown: if it is another at the moment of applying, the rules have changed in between."""
    digest = sha256()
    for line, identifier, state, errors, changes, _hints in stored:
        digest.update(repr((line, identifier, state, list(errors), [list(one) for one in changes])).encode())
    return digest.hexdigest()


def given_rows(rows: Iterable[Sequence[Any]], mapping: Sequence[str]) -> list[Given]:
    """The rows of a file as what they say, by the columns that its headings stand for."""
    return [_given(line, cells, mapping) for line, cells in rows]


def _given(line: int, cells: Sequence[Cell], mapping: Sequence[str]) -> Given:
    found = Given(line)
    for key, cell in zip(mapping, cells, strict=False):
        if not key or is_empty(cell):
            continue
        if problem := problem_of(cell):
            found.problems.append(f"{columns.title(key)}: {problem}")
        elif cell == CLEAR:
            found.cleared.add(key)
        else:
            found.values[key] = plain(str(cell))
    return found


def judged(user: Any, rows: Iterable[Sequence[Any]], mapping: Sequence[str], style: Style) -> list[Judged]:
    """What comes of each row of a file, for one person, as things are now."""
    given = given_rows(rows, mapping)
    texts = (row.values.get(key, "") for row in given for key in ("identifier", "thumbnail"))
    urls = [url for text in texts if (url := _spelt(text))]
    people = [row.values["grant_to"] for row in given if "grant_to" in row.values]
    bench = Bench(known.looked_up(user, urls, people), style)
    return [bench.judge(row) for row in given]


def _spelt(text: str) -> str:
    try:
        return identity.normalised(text, conf.BASE_URL) if text else ""
    except identity.NotAResourceURL:
        return ""


@dataclass(slots=True)
class Bench:
    """Judges the rows of one file, one after the other: later ones are read in the light of those before."""

    known: known.Known
    style: Style
    met: dict[str, Judged] = field(default_factory=dict)
    made: dict[str, Resource] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    """Addresses that rows of this file give to a resource besides its own."""
    principals: set[tuple[str, str]] = field(default_factory=set)

    def judge(self, given: Given) -> Judged:
        found = Judged(given.line, given.values.get("identifier", ""), errors=list(given.problems))
        try:
            self._judge(given, found)
        except Wrong as wrong:
            found.errors.append(str(wrong))
        if found.errors:
            found.state, found.deeds, found.changes = ERROR, [], []
        return found

    def _judge(self, given: Given, found: Judged) -> None:
        url = self._url(given)
        first = self.met.get(url)
        row = self._again(given, first, url) if first else self._first(given, found, url)
        if first is None:
            self.met[url] = found
        reading_resources.also_at(self, given, found, row)
        reading_overlays.embargo(self, given, found, row)
        reading_overlays.grant(self, given, found, row)
        if found.state != NEW and found.changes:
            found.state = CHANGED
        if found.errors and found.state == NEW:
            self.made.pop(url, None)

    def _url(self, given: Given) -> str:
        text = given.values.get("identifier", "")
        if not text:
            raise Wrong(gettext("There is no address in this row; every row needs one."))
        try:
            return identity.normalised(text, conf.BASE_URL)
        except identity.NotAResourceURL as error:
            raise Wrong(gettext("“%(text)s” is no address: %(why)s") % {"text": text[:80], "why": error}) from error

    def _again(self, given: Given, first: Judged, url: str) -> Resource:
        """A further row about the same resource, which can only give somebody access."""
        if given.says(*columns.OF_RESOURCE, *columns.OF_EMBARGO) or not given.says("grant_to", "place"):
            raise Wrong(
                gettext(
                    "Line %(line)d is about the same resource. A further row can only give access to somebody else; please "
                    "put everything else into one row."
                )
                % {"line": first.line}
            )
        row = self.known.resources.get(url) or self.made.get(url)
        if row is None:
            raise Wrong(
                gettext("Line %(line)d, which is about the same resource, can not be taken; please correct that first.")
                % {"line": first.line}
            )
        return row

    def _first(self, given: Given, found: Judged, url: str) -> Resource:
        row = self.known.resources.get(url)
        if row is not None:
            reading_resources.altered(self, given, found, row)
            return row
        self.met[url] = found
        self.made[url] = reading_resources.made(self, given, found, url)
        found.state = NEW
        return self.made[url]


def counts(stored: Iterable[Sequence[Any]]) -> Mapping[str, int]:
    """How many rows are what."""
    found = {ERROR: 0, NEW: 0, CHANGED: 0, SAME: 0}
    for row in stored:
        found[row[2]] += 1
    return found

"""The requirements of every version, one row each, from ``requirements.tsv`` beside this module."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from types import MappingProxyType

COLUMNS = ("id", "version", "level", "source", "section", "requirement", "test")


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row. ``source`` says whether the text asks for it (``normative``) or the web and its clients do (``derived``)."""

    id: str
    version: str
    level: str
    source: str
    section: str
    text: str
    test: str

    @property
    def binds(self) -> bool:
        """Whether a server that does otherwise does not conform; a SHOULD or a MAY does not bind."""
        return self.level in ("MUST", "MUST NOT")

    @property
    def derived(self) -> bool:
        """Whether the text of the specification does not ask for it: what follows from elsewhere is no violation of IIIF."""
        return self.source != "normative"

    @property
    def optional(self) -> bool:
        """Whether a server is free to do otherwise."""
        return self.level == "MAY"


def read() -> Mapping[str, Requirement]:
    """Every requirement by its ID, in the order of the table."""
    source = files(__package__).joinpath("requirements.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(source.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return MappingProxyType({row["id"]: Requirement(*(row[name] for name in COLUMNS)) for row in rows})


REQUIREMENTS = read()


def of_versions(versions: Iterable[str]) -> tuple[Requirement, ...]:
    """The rows of some versions, in the table's spelling: 2.0.0, 2.0-alpha, 1.0, 1.0-defacto, 0.9.4, 0.9.2."""
    wanted = frozenset(versions)
    return tuple(row for row in REQUIREMENTS.values() if row.version in wanted)

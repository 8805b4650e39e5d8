"""The columns of a spreadsheet of rules, and how the headings of a file are recognised."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name in files and programs, its title and meaning for people, and other names it goes by."""

    key: str
    title: Any
    about: Any
    names: tuple[str, ...] = ()
    example: str = ""


COLUMNS: tuple[Column, ...] = (
    Column(
        "identifier",
        _("Address"),
        _("Of the image service or of the file, as in the list of resources. On this site a path will do."),
        ("url", "uri", "id", "link", "resource"),
        "/iiif/image/3/chart",
    ),
    Column(
        "label", _("Label"), _("What people call it. A new resource without one is named by its address."), ("title",)
    ),
    Column("type", _("Type"), _("Image, Video, Sound, Text, Model or Dataset."), ("kind",), "Image"),
    Column(
        "image_service",
        _("Image service"),
        _("3 or 2 for the version of the Image API; 0 for a file."),
        ("image api", "iiif version"),
        "3",
    ),
    Column("collection", _("Collection"), _("Its identifier or its name."), ("set",), ""),
    Column("policy", _("Own policy"), _("Its identifier or its name."), ("access", "rule"), ""),
    Column(
        "embargo_until",
        _("Closed until"),
        _("The first day it is open, such as 2031-05-01. “indefinitely” closes it without an end."),
        ("embargo", "release date", "release_date", "opens on"),
        "2031-05-01",
    ),
    Column(
        "then_policy", _("Then the policy"), _("What governs it from that day on; needs a date."), ("policy after",), ""
    ),
    Column(
        "grant_to",
        _("Access for"),
        _("A user name or an e-mail address; or “group:” and the name of a group."),
        ("grant", "person", "group"),
    ),
    Column(
        "place",
        _("Access at"),
        _("A network, by its identifier or name, where everybody may see it. Instead of a person."),
        ("location", "network"),
    ),
    Column(
        "view",
        _("Which version"),
        _("The version that they may see: “full”, or the identifier of a tier."),
        ("tier", "version"),
        "full",
    ),
    Column("download", _("May keep a copy"), _("Whether they may keep a copy of it: yes or no."), ("take",), "yes"),
    Column(
        "grant_until",
        _("Access until"),
        _("The last day of this access, such as 2031-04-30. “indefinitely”: without an end."),
        ("until", "grant end"),
        "",
    ),
    Column(
        "thumbnail",
        _("Also at"),
        _(
            "Another address of the same, such as a small picture; it is governed alike. It is added to those there are."
        ),
        ("rendition", "other address"),
    ),
    Column("note", _("Remarks"), _("For your colleagues, about the resource."), ("remark", "comment")),
    Column("reason", _("Reason"), _("Why it is closed, or why somebody has access."), ("basis", "why")),
)
"""In the order in which they are written."""

BY_KEY = {column.key: column for column in COLUMNS}
OF_RESOURCE = ("label", "type", "image_service", "collection", "policy", "thumbnail", "note")
OF_EMBARGO = ("embargo_until", "then_policy")
OF_GRANT = ("grant_to", "place", "view", "download", "grant_until")
DATES = ("embargo_until", "grant_until")


def folded(heading: str) -> str:
    """A heading without case, spaces and signs."""
    return re.sub(r"[\W_]+", "", heading).casefold()


@lru_cache(maxsize=1)
def _known(languages: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in COLUMNS:
        for name in (column.key, *column.names, *_titles(column, languages)):
            found.setdefault(folded(name), column.key)
    return found


def _titles(column: Column, languages: Iterable[str]) -> Iterable[str]:
    for language in languages:
        with override(language):
            yield str(column.title)


def guessed(headings: Sequence[str], remembered: Mapping[str, str]) -> list[str]:
    """For each heading the key of a column, each at most once; ``""`` for what is not known and never guessed.

    Args:
        remembered: what somebody chose for these headings before, by :func:`folded` heading.
    """
    known = _known(("en", *(code for code, _name in settings.LANGUAGES)))
    found: list[str] = []
    for heading in headings:
        key = remembered.get(folded(heading), known.get(folded(heading), ""))
        found.append(key if key in BY_KEY and key not in found else "")
    return found


def title(key: str) -> str:
    return str(BY_KEY[key].title)

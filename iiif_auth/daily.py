"""Work that is done once a day. Nothing depends on it for being closed or open: that is judged when somebody asks.

Each piece is a function ``due(now) -> str`` that does what is due and returns a sentence about it. It may be run again at any
time, and then has less to do. A module may have a function ``would(now) -> str`` beside it, which only says what is due.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.module_loading import import_string

logger = logging.getLogger("iiif_auth.daily")

WORK: tuple[str, ...] = (
    "iiif_auth.passes.due",
    "iiif_auth.asking.tidying.due",
    "iiif_auth.terms.due",
    "iiif_auth.remembering.due",
    "iiif_auth.drafts.due",
    "iiif_auth.dates.mailing.due",
    "iiif_auth.asking.notices.due",
    "iiif_auth.exchange.uploads.due",
    "iiif_auth.lending.due.due",
)
"""Dotted paths of the functions, in the order in which they are run."""


@dataclass(frozen=True, slots=True)
class Done:
    """What one piece of work said, or why it failed."""

    path: str
    said: str
    failed: bool = False


def run(now: datetime, *, dry: bool = False, work: tuple[str, ...] | None = None) -> Iterator[Done]:
    """Do each piece of work in turn; one that fails keeps none of the others from being done.

    Args:
        now: the moment that counts as today (aware).
        dry: only say what would be done, where that can be said.
    """
    for path in WORK if work is None else work:
        try:
            yield Done(path, _would(path, now) if dry else import_string(path)(now))
        except Exception as error:
            logger.exception("Daily work %s failed.", path)
            yield Done(path, f"{type(error).__name__}: {error}", failed=True)


def _would(path: str, now: datetime) -> str:
    due = import_string(path)
    module, _dot, _name = path.rpartition(".")
    try:
        said: str = import_string(f"{module}.would")(now)
    except ImportError:
        return f"{(due.__doc__ or path).strip().splitlines()[0]} (What is due can not be counted beforehand.)"
    return said

"""What a flow is: a version, the rows of the table it answers for, and a walk that yields findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from iiif_auth.conformance.findings import Finding, untestable
from iiif_auth.conformance.script import CannotRun
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import Unreachable

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Flow:
    """One version. ``version`` is as documents are told apart, ``rows`` as the table of requirements calls it."""

    version: str
    rows: tuple[str, ...]
    walk: Callable[[Tour], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """Requirements, and the function that looks whether one subject keeps them."""

    ids: tuple[str, ...]
    look: Callable[[Subject], Iterator[Finding]]


def carried_out(tour: Tour, checks: Iterable[Check[Subject]], subject: Subject) -> Iterator[Finding]:
    """Every check that was asked for. One that can not be made says why, and the others go on."""
    for check in checks:
        if any(tour.options.wants(id) for id in check.ids):
            yield from _looked(check, subject)


def _looked(check: Check[Subject], subject: Subject) -> Iterator[Finding]:
    try:
        yield from check.look(subject)
    except (Unreachable, CannotRun) as problem:
        yield from (untestable(id, str(problem)) for id in check.ids)

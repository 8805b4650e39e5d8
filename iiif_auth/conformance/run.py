"""One run from the URLs to the verdicts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from iiif_auth.conformance import structure
from iiif_auth.conformance.discovery import discover
from iiif_auth.conformance.findings import Ledger, Verdict
from iiif_auth.conformance.flows import FLOWS, ROWS
from iiif_auth.conformance.reasons import REASONS
from iiif_auth.conformance.table import REQUIREMENTS
from iiif_auth.conformance.tour import Options, Tour
from iiif_auth.conformance.web import Exhausted, Web


@dataclass(frozen=True, slots=True)
class Report:
    """What a run came to. ``stopped`` tells in a sentence which limit ended it early; ``problems`` what could not be read."""

    urls: tuple[str, ...]
    versions: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    documents: int
    looked_at: int
    requests: int
    seconds: float
    problems: tuple[str, ...] = ()
    stopped: str = ""


def judge(web: Web, options: Options) -> Report:
    """Find the services behind some URLs, walk through them, and give a verdict on every requirement of their versions."""
    tour = Tour(web, options)
    ledger = Ledger()
    stopped = ""
    try:
        discover(tour)
        for document in tour.documents:
            ledger.extend(structure.check(document))
        for flow in FLOWS:
            if flow.version in spoken(tour) and {*flow.rows} & {*rows(tour)}:
                for finding in flow.walk(tour):
                    ledger.add(finding)
    except Exhausted as limit:
        stopped = str(limit)
    return Report(
        urls=options.urls,
        versions=spoken(tour),
        verdicts=tuple(one for one in _verdicts(tour, ledger, stopped) if options.wants(one.requirement.id)),
        documents=len(tour.documents),
        looked_at=len(tour.selected),
        requests=web.requests,
        seconds=web.seconds,
        problems=tuple(dict.fromkeys(tour.problems)),
        stopped=stopped,
    )


def spoken(tour: Tour) -> tuple[str, ...]:
    """The versions that the documents speak, newest first, or those of them that were asked for."""
    found = {service.version for document in tour.documents for service in document.services}
    wanted = tour.options.versions
    return tuple(one for one in ROWS if one in found and (not wanted or {one, *ROWS[one]} & {*wanted}))


def rows(tour: Tour) -> tuple[str, ...]:
    """The rows of the table that are judged: of every version spoken, all of them or those that were asked for."""
    wanted = tour.options.versions
    return tuple(
        row for version in spoken(tour) for row in ROWS[version] if not wanted or version in wanted or row in wanted
    )


def _verdicts(tour: Tour, ledger: Ledger, stopped: str) -> Iterable[Verdict]:
    return ledger.verdicts(rows(tour), _reasons(stopped))


def _reasons(stopped: str) -> Mapping[str, str]:
    return dict.fromkeys(REQUIREMENTS, stopped) if stopped else REASONS

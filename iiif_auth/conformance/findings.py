"""What was found out about each requirement, and the ledger in which many findings become one verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from iiif_auth.conformance.table import REQUIREMENTS, Requirement, of_versions


class Outcome(StrEnum):
    PASS = "pass"  # noqa: S105 - a word of the report
    FAIL = "fail"
    UNTESTABLE = "not testable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation about one requirement.

    ``evidence`` is a sentence for whoever has to mend it: what was asked, what was expected, what came. ``url`` is where.
    """

    id: str
    outcome: Outcome
    evidence: str
    url: str = ""


def passed(id: str, evidence: str, url: str = "") -> Finding:
    return Finding(id, Outcome.PASS, evidence, url)


def failed(id: str, evidence: str, url: str = "") -> Finding:
    return Finding(id, Outcome.FAIL, evidence, url)


def untestable(id: str, evidence: str, url: str = "") -> Finding:
    return Finding(id, Outcome.UNTESTABLE, evidence, url)


def judged(id: str, good: bool, evidence: str, url: str = "", *, expected: str = "") -> Finding:
    """Passed or failed, by what was seen; ``evidence`` tells what that was, and ``expected`` what a failure should have been."""
    if good:
        return Finding(id, Outcome.PASS, evidence, url)
    told = f"{evidence.removesuffix('.')}; expected: {expected}." if expected else evidence
    return Finding(id, Outcome.FAIL, told, url)


def measured(id: str, told: str, claims: Iterable[tuple[str, bool]], good: str, url: str = "") -> Finding:
    """Passed if every claim holds; else the evidence lists what was expected. ``good`` tells how it is when all is well."""
    lacks = [words for words, holds in claims if not holds]
    evidence = f"{told}; expected: {', '.join(lacks)}." if lacks else f"{told}, {good}."
    return judged(id, not lacks, evidence, url)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all findings about one requirement come to; ``findings`` holds those that decided it, each once."""

    requirement: Requirement
    outcome: Outcome
    findings: tuple[Finding, ...]
    looked: int

    @property
    def evidence(self) -> str:
        return self.findings[0].evidence

    @property
    def url(self) -> str:
        return self.findings[0].url


WEIGHT = {Outcome.FAIL: 2, Outcome.PASS: 1, Outcome.UNTESTABLE: 0}


@dataclass
class Ledger:
    """Findings by requirement. One failure outweighs any number of passes, and one pass what could not be tested."""

    findings: dict[str, list[Finding]] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Note a finding.

        Raises:
            KeyError: it is about a requirement that is not in the table.
        """
        if finding.id not in REQUIREMENTS:
            raise KeyError(f"There is no requirement {finding.id} in the table.")
        self.findings.setdefault(finding.id, []).append(finding)

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.add(finding)

    def verdicts(self, versions: Iterable[str], otherwise: Mapping[str, str] | None = None) -> tuple[Verdict, ...]:
        """One verdict for every requirement of these versions, in the order of the table.

        ``otherwise`` gives the reason for those that nobody found out anything about.
        """
        reasons = otherwise or {}
        return tuple(self._verdict(row, reasons.get(row.id, NOBODY_LOOKED)) for row in of_versions(versions))

    def _verdict(self, row: Requirement, reason: str) -> Verdict:
        found = self.findings.get(row.id) or [untestable(row.id, reason)]
        outcome = max((finding.outcome for finding in found), key=WEIGHT.__getitem__)
        decisive = dict.fromkeys(finding for finding in found if finding.outcome is outcome)
        return Verdict(row, outcome, tuple(decisive), len(found))


NOBODY_LOOKED = "Nothing in the documents given led to it."

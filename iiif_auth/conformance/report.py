"""Reports for people at a terminal, for programs (JSON), and for continuous integration (JUnit XML)."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from iiif_auth.conformance.findings import Finding, Outcome, Verdict
from iiif_auth.conformance.run import Report

GREEN, RED, YELLOW, DIM, BOLD = "32", "31", "33", "2", "1"
SIGNS = {Outcome.PASS: ("✓", GREEN), Outcome.FAIL: ("✗", RED), Outcome.UNTESTABLE: ("–", DIM)}
MOST = 4
"""Pieces of evidence that are shown for one failure; JSON has them all."""
VERSION_NAMES = {
    "2.0.0": "Authorization Flow 2.0.0",
    "2.0-alpha": "Authorization Flow 2.0 (alpha of August 2022)",
    "1.0": "Authentication 1.0",
    "1.0-defacto": "Authentication 1.0, practice for sound, film and PDF",
    "0.9.4": "Authentication 0.9.4",
    "0.9.2": "Authentication 0.9.2",
}
CONTROL = dict.fromkeys((*range(32), *range(127, 160)))
"""Characters that a server could move the cursor of a terminal with."""


def exit_status(report: Report, *, shoulds: bool = False) -> int:
    """0 if everything that binds and could be tested is met, 1 if not, 2 if there was nothing to test."""
    if not report.verdicts:
        return 2
    return int(any(one.outcome is Outcome.FAIL and counts(one, shoulds=shoulds) for one in report.verdicts))


def counts(verdict: Verdict, *, shoulds: bool) -> bool:
    """Whether a failure decides the exit status: a SHOULD does only where it is wanted, a MAY never."""
    return verdict.requirement.binds or shoulds and not verdict.requirement.optional


# -- Text ---------------------------------------------------------------------------------------------------------


class Ink:
    """Colours, or none."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def __call__(self, text: str, *codes: str) -> str:
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if self.colour and codes else text


def text(report: Report, *, colour: bool = False, width: int = 100) -> str:
    """A table for a terminal: for each version a summary, then failures with their evidence, then the rest."""
    ink = Ink(colour)
    lines = [*_heading(report, ink, width)]
    for version in dict.fromkeys(one.requirement.version for one in report.verdicts):
        verdicts = [one for one in report.verdicts if one.requirement.version == version]
        lines += ["", *_version(version, verdicts, ink, width)]
    return "\n".join([*lines, "", *_closing(report, ink, width), ""])


def _some(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _heading(report: Report, ink: Ink, width: int) -> Iterator[str]:
    yield ink("IIIF authorization, checked from outside", BOLD)
    for url in report.urls:
        yield f"  {clean(url)}"
    told = f"{_some(report.documents, 'document')} read, {_some(report.looked_at, 'resource')} looked at, "
    yield ink(f"  {told}{_some(report.requests, 'request')} in {report.seconds:.1f} seconds", DIM)
    for problem in report.problems:
        yield from wrapped(ink("! ", YELLOW), clean(problem), width, 2)


def _version(version: str, verdicts: list[Verdict], ink: Ink, width: int) -> Iterator[str]:
    number = Counter(one.outcome for one in verdicts)
    failed = number[Outcome.FAIL]
    summary = [
        ink(f"{number[Outcome.PASS]} passed", GREEN),
        ink(f"{failed} failed", *((RED, BOLD) if failed else (DIM,))),
        ink(f"{number[Outcome.UNTESTABLE]} not testable", DIM),
    ]
    yield ink(VERSION_NAMES.get(version, version), BOLD) + "   " + " · ".join(summary)
    yield ink("─" * width, DIM)
    for outcome, one_of_them in ((Outcome.FAIL, _failure), (Outcome.UNTESTABLE, _aside), (Outcome.PASS, _pass)):
        for verdict in [one for one in verdicts if one.outcome is outcome]:
            yield from one_of_them(verdict, ink, width)


def _row(verdict: Verdict, ink: Ink, width: int, *, dim: bool = False) -> Iterator[str]:
    sign, code = SIGNS[verdict.outcome]
    row = verdict.requirement
    head = f"{ink(sign, code)} {ink(f'{row.id:<12}', *(() if dim else (BOLD,)))} {ink(_level(verdict), DIM)} "
    yield from wrapped(head, row.text, width, 27, ink=(lambda part: ink(part, DIM)) if dim else None)


def _level(verdict: Verdict) -> str:
    return f"{verdict.requirement.level}{'*' if verdict.requirement.derived else ''}".ljust(11)


def _failure(verdict: Verdict, ink: Ink, width: int) -> Iterator[str]:
    yield from _row(verdict, ink, width)
    for finding in verdict.findings[:MOST]:
        yield from wrapped(" " * 4 + ink("→ ", RED), clean(finding.evidence), width, 6)
    more = len(verdict.findings) - MOST
    if more > 0:
        yield ink(f"      and {more} more like this", DIM)
    yield ""


def _aside(verdict: Verdict, ink: Ink, width: int) -> Iterator[str]:
    yield from _row(verdict, ink, width, dim=True)
    yield from wrapped(" " * 27, clean(verdict.evidence), width, 27)


def _pass(verdict: Verdict, ink: Ink, width: int) -> Iterator[str]:
    row = verdict.requirement
    room = width - 27
    words = row.text if len(row.text) <= room else f"{row.text[: room - 1].rstrip()}…"
    yield f"{ink('✓', GREEN)} {row.id:<12} {ink(_level(verdict), DIM)} {words}"


def _closing(report: Report, ink: Ink, width: int) -> Iterator[str]:
    if report.stopped:
        yield from wrapped(ink("! ", YELLOW), report.stopped, width, 2)
    if not report.verdicts:
        yield from wrapped("", NOTHING, width, 0)
        return
    if any(one.requirement.derived for one in report.verdicts):
        yield from wrapped(ink("* ", DIM), DERIVED, width, 2, ink=lambda part: ink(part, DIM))
        yield ""
    binding = [one for one in report.verdicts if one.outcome is Outcome.FAIL and one.requirement.binds]
    others = [one for one in report.verdicts if one.outcome is Outcome.FAIL and not one.requirement.binds]
    advice = f" {_many(len(others), 'recommendation')} not followed." if others else ""
    if binding:
        yield ink(f"{_many(len(binding), 'requirement')} not met.{advice}", RED, BOLD)
    else:
        yield ink(f"Every requirement that could be tested is met.{advice}", GREEN, BOLD)


DERIVED = (
    "Not in the text of the specification, but needed all the same: by browsers, by the other specifications, or by the viewers "
    "that there are. What does otherwise does not violate IIIF; it only does not work."
)
NOTHING = (
    "There was nothing to test: no document with a service of IIIF authorization was found. Name a manifest, a Collection or an "
    "info.json of something restricted."
)


def _many(number: int, noun: str) -> str:
    return f"{number} {noun} {'is' if number == 1 else 'are'}" if number == 1 else f"{number} {noun}s are"


def wrapped(head: str, words: str, width: int, indent: int, ink: Callable[[str], str] | None = None) -> Iterator[str]:
    """Words behind a head that may hold colours, with later lines under the first."""
    lines = textwrap.wrap(words, max(30, width - indent), break_on_hyphens=False) or [""]
    paint = ink or (lambda part: part)
    yield head + paint(lines[0])
    yield from (" " * indent + paint(line) for line in lines[1:])


def clean(words: str) -> str:
    """What a server said, with nothing in it that a terminal would obey."""
    return words.translate(CONTROL)


# -- JSON ---------------------------------------------------------------------------------------------------------


def as_json(report: Report) -> str:
    """Everything, for programs."""
    number = Counter(one.outcome.value for one in report.verdicts)
    document = {
        "urls": list(report.urls),
        "versions": list(report.versions),
        "documents": report.documents,
        "resources": report.looked_at,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "stopped": report.stopped or None,
        "problems": list(report.problems),
        "summary": {outcome.value: number[outcome.value] for outcome in Outcome},
        "requirements": [_described(one) for one in report.verdicts],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _described(verdict: Verdict) -> Mapping[str, Any]:
    row = verdict.requirement
    return {
        "id": row.id,
        "version": row.version,
        "level": row.level,
        "source": row.source,
        "section": row.section,
        "requirement": row.text,
        "outcome": verdict.outcome.value,
        "observations": verdict.looked,
        "evidence": [_finding(one) for one in verdict.findings],
    }


def _finding(finding: Finding) -> Mapping[str, str]:
    return {"text": finding.evidence, "url": finding.url}


# -- JUnit XML ----------------------------------------------------------------------------------------------------


def as_junit(report: Report, *, shoulds: bool = False) -> str:
    """One suite for each version, one case for each requirement. A recommendation that is not followed fails if it counts."""
    root = ElementTree.Element("testsuites", name="IIIF authorization", time=f"{report.seconds:.3f}")
    for version in dict.fromkeys(one.requirement.version for one in report.verdicts):
        verdicts = [one for one in report.verdicts if one.requirement.version == version]
        failed = [one for one in verdicts if one.outcome is Outcome.FAIL and counts(one, shoulds=shoulds)]
        skipped = [one for one in verdicts if one.outcome is Outcome.UNTESTABLE]
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=VERSION_NAMES.get(version, version),
            tests=str(len(verdicts)),
            failures=str(len(failed)),
            errors="0",
            skipped=str(len(skipped)),
        )
        for verdict in verdicts:
            _case(suite, verdict, shoulds)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, verdict: Verdict, shoulds: bool) -> None:
    row = verdict.requirement
    name = _xml(f"{row.id} {row.level}: {row.text}")
    case = ElementTree.SubElement(suite, "testcase", classname=f"iiif_auth.{row.version}", name=name)
    evidence = _xml("\n".join(one.evidence for one in verdict.findings))
    if verdict.outcome is Outcome.UNTESTABLE:
        ElementTree.SubElement(case, "skipped", message=_xml(verdict.evidence))
    elif verdict.outcome is Outcome.FAIL and counts(verdict, shoulds=shoulds):
        ElementTree.SubElement(case, "failure", message=_xml(verdict.evidence)).text = evidence
    elif verdict.outcome is Outcome.FAIL:
        ElementTree.SubElement(case, "system-out").text = f"Recommended, and not followed:\n{evidence}"


def _xml(words: str) -> str:
    """Text without the characters that XML can not hold, even escaped."""
    return "".join(one for one in clean(words.replace("\n", "\uf000")).replace("\uf000", "\n") if _is_xml(ord(one)))


def _is_xml(number: int) -> bool:
    return number in (0x9, 0xA, 0xD) or 0x20 <= number <= 0xD7FF or 0xE000 <= number <= 0xFFFD or number >= 0x10000

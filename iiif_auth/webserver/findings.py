"""What is wrong with a web server's configuration, told so that whoever keeps the server can mend it."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

CONTROL = dict.fromkeys((*range(32), *range(127, 160)), "?")
"""Characters of a file that could move the cursor of a terminal."""
LONGEST = 120
"""How much of a word of the file is quoted in a sentence."""


class Severity(StrEnum):
    """How bad it is: an ``error`` lets content out or a refused person in, a ``warning`` is one step from it, or breaks
    viewers or speed; a ``note`` says what could not be judged.
    """

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at one line of one file.

    ``id`` names the rule, ``sentence`` tells what stands there, ``why`` how it is exploited (a paragraph), ``mend`` the next
    step. ``line`` counts from 1.
    """

    file: str
    line: int
    severity: Severity
    id: str
    sentence: str
    why: str
    mend: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of hole: its name, how bad it usually is, how it is exploited, and what to do about it."""

    id: str
    severity: Severity
    why: str
    mend: str

    def found(self, file: str, line: int, sentence: str, severity: Severity | None = None) -> Finding:
        return Finding(file, line, severity or self.severity, self.id, sentence, self.why, self.mend)


class NotReadable(ValueError):
    """A configuration that no server would start with, or too large to be one. The message is a sentence with file and line."""

    def __init__(self, file: str, line: int, what: str) -> None:
        super().__init__(f"{plain(file)}:{line}: {what}")
        self.file, self.line, self.what = file, line, what


def plain(words: str) -> str:
    """Text of the file, safe to print: one line, no control characters, and not endless."""
    told = words.translate(CONTROL).encode("utf-8", "replace").decode()
    return told if len(told) <= LONGEST else told[: LONGEST - 1] + "…"


def exit_status(findings: Sequence[Finding]) -> int:
    """1 if there is an error among them, else 0: a warning does not stop a deployment."""
    return int(any(finding.severity is Severity.ERROR for finding in findings))


def text(findings: Sequence[Finding], *, width: int = 100) -> str:
    """For a terminal: each finding with its explanation and the next step, then one line that counts them.

    An explanation is printed the first time its rule is met; later findings of that rule refer to it by being the same rule.
    """
    told: set[str] = set()
    lines: list[str] = []
    for finding in findings:
        lines += _entry(finding, width, explained=finding.id in told)
        told.add(finding.id)
    return "\n".join([*lines, summary(findings), ""])


def _entry(finding: Finding, width: int, *, explained: bool) -> Iterator[str]:
    yield f"{plain(finding.file)}:{finding.line}  {finding.severity}  {finding.id}  {finding.sentence}"
    if not explained:
        yield from _wrapped(finding.why, width)
        yield from _wrapped(f"Next step: {finding.mend}", width)
    yield ""


def _wrapped(words: str, width: int) -> list[str]:
    return textwrap.wrap(words, width, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)


def summary(findings: Sequence[Finding]) -> str:
    """How many there are of each severity, in one sentence."""
    if not findings:
        return "No known hole was found."
    number = {severity: sum(one.severity is severity for one in findings) for severity in Severity}
    return "Found: " + ", ".join(_some(count, severity) for severity, count in number.items() if count) + "."


def _some(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def as_json(findings: Sequence[Finding]) -> str:
    """For programs: every field of every finding, in the order of the file."""
    rows = [
        {
            "file": one.file,
            "line": one.line,
            "severity": one.severity.value,
            "id": one.id,
            "sentence": one.sentence,
            "why": one.why,
            "next_step": one.mend,
        }
        for one in findings
    ]
    return json.dumps({"findings": rows, "errors": sum(row["severity"] == "error" for row in rows)}, indent=2) + "\n"

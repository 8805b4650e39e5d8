"""A rule says which requirement it judges, what it looks at, and what would be wrong there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from iiif_auth.conformance.findings import Finding, Outcome

MOST = 5
"""Failures of one rule in one document that are told in full; a manifest with a thousand canvases has the rest in a number."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a rule looks at: ``name`` for evidence (in the plural), and how to find them in what is judged."""

    name: str
    among: Callable[[Any], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement, as far as a document alone can show it.

    Attributes:
        id: of the requirement.
        subjects: what it is about; where there are none, the rule says nothing.
        wrong: what is wrong with a subject, a sentence each; none if nothing is.
        enough: finding nothing wrong here shows that the requirement is met. If not, behaviour has to show that, and the
            rule speaks only of failures.
        otherwise: what it means if something is wrong; ``UNTESTABLE`` where two requirements contradict each other.
        binding: it is wrong, and not only less good, to do otherwise. Only for rules that another version takes over.
    """

    id: str
    subjects: Subjects
    wrong: Callable[[Any], Iterable[str]]
    enough: bool = True
    otherwise: Outcome = Outcome.FAIL
    binding: bool = True


def judged(rules: Iterable[Rule], whole: Any, url: str) -> Iterator[Finding]:
    """What these rules find in something that stands at a URL."""
    for rule in rules:
        yield from _judged(rule, list(rule.subjects.among(whole)), url)


def _judged(rule: Rule, subjects: list[Any], url: str) -> Iterator[Finding]:
    wrong = [sentence for subject in subjects for sentence in rule.wrong(subject)]
    more = f" There are {len(wrong) - MOST} more like these." if len(wrong) > MOST else ""
    for number, sentence in enumerate(islice(wrong, MOST), start=1):
        yield Finding(rule.id, rule.otherwise, sentence + (more if number == MOST else ""), url)
    if subjects and not wrong and rule.enough:
        yield Finding(rule.id, Outcome.PASS, f"So it is with all {rule.subjects.name} here ({len(subjects)}).", url)


def ids(*tables: Iterable[Rule]) -> tuple[str, ...]:
    """The requirements that these rules judge, each once."""
    return tuple(dict.fromkeys(rule.id for table in tables for rule in table))

"""Reports: for eyes, for programs, for continuous integration."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from iiif_auth.conformance.findings import Ledger, failed, passed, untestable
from iiif_auth.conformance.report import as_json, as_junit, exit_status, text
from iiif_auth.conformance.run import Report

URL = "https://iiif.example.org/manifest"


def report(*findings, **values):
    ledger = Ledger()
    ledger.extend(findings)
    verdicts = tuple(
        one for one in ledger.verdicts(["2.0.0"]) if one.requirement.id in {found.id for found in findings}
    )
    values = {"documents": 3, "looked_at": 2, "requests": 40, "seconds": 1.234, **values}
    return Report((URL,), ("2.0.0",), verdicts, **values)


MUST = failed("A2-PRB-01", "GET https://x/probe answered HTTP 401; expected: 200.", "https://x/probe")
MUST_TEXT = (
    "HTTP status is always 200, for every outcome the probe decides (no/bad/expired token, denied, unknown item)"
)
SHOULD = failed("A2-INT-03", "The last page has no script that closes it.", "https://x/access")
GOOD = passed("A2-PRB-02", "So it is.", "https://x/probe")
UNKNOWN = untestable("A2-TOK-08", "Nobody waited to see.")
DERIVED = failed("A2-PRB-18", "OPTIONS answered 405; expected: 200 or 204.")


@pytest.mark.parametrize(
    ("findings", "by_default", "with_shoulds"),
    [
        ((GOOD,), 0, 0),
        ((GOOD, UNKNOWN), 0, 0),
        ((UNKNOWN,), 0, 0),
        ((GOOD, SHOULD), 0, 1),
        ((GOOD, MUST), 1, 1),
        ((failed("A2-DECL-03", "It is not there."),), 0, 0),
        ((), 2, 2),
    ],
)
def test_the_exit_status_is_for_continuous_integration(findings, by_default, with_shoulds):
    assert exit_status(report(*findings)) == by_default
    assert exit_status(report(*findings), shoulds=True) == with_shoulds


def test_one_is_not_called_many():
    lines = text(report(GOOD, documents=1, looked_at=1, requests=1), width=100).splitlines()
    assert lines[2].startswith("  1 document read, 1 resource looked at, 1 request in ")


def test_the_text_begins_with_failures_and_their_evidence():
    lines = text(report(GOOD, UNKNOWN, MUST), width=100).splitlines()
    assert lines[:3] == [
        "IIIF authorization, checked from outside",
        f"  {URL}",
        "  3 documents read, 2 resources looked at, 40 requests in 1.2 seconds",
    ]
    assert lines[4] == "Authorization Flow 2.0.0   1 passed · 1 failed · 1 not testable"
    assert lines[6].startswith("✗ A2-PRB-01    MUST        HTTP status is always 200")
    shown = [line for line in lines if line.startswith(("✗", "–", "✓", "    →"))]
    assert [line.split()[0] for line in shown] == ["✗", "→", "–", "✓"]
    assert "    → GET https://x/probe answered HTTP 401; expected: 200." in lines
    assert lines[-1] == "1 requirement is not met."


def test_recommendations_are_told_apart_from_requirements():
    assert "Every requirement that could be tested is met. 1 recommendation is not followed." in text(
        report(GOOD, SHOULD)
    )
    assert "2 requirements are not met. 1 recommendation is not followed." in text(report(MUST, DERIVED, SHOULD))


def test_what_the_specification_does_not_say_is_not_called_a_violation_of_it():
    told = text(report(DERIVED))
    assert "✗ A2-PRB-18    MUST*" in told
    assert "does not violate IIIF" in " ".join(told.split())
    assert "does not violate IIIF" not in " ".join(text(report(MUST)).split())


def test_many_failures_of_one_kind_are_cut_short():
    many = [replace(MUST, evidence=f"GET https://x/{n} answered 401.") for n in range(9)]
    told = text(report(*many))
    assert told.count("→") == 4
    assert "and 5 more like this" in told
    assert len(json.loads(as_json(report(*many)))["requirements"][0]["evidence"]) == 9


def test_a_terminal_is_told_in_colours_only_if_it_has_some():
    assert "\x1b[" not in text(report(GOOD, MUST, UNKNOWN))
    assert "\x1b[31m✗\x1b[0m" in text(report(MUST), colour=True)
    assert "\x1b[32m✓\x1b[0m" in text(report(GOOD), colour=True)


def test_no_server_moves_the_cursor_of_a_terminal():
    evil = replace(MUST, evidence="GET \x1b[2J\x1b]0;title\x07 \x9b31m\r\nanswered 401.\x00\u202e")
    assert not {"\x1b", "\x07", "\x9b", "\r", "\x00"} & {*text(report(evil, problems=("\x1b[1m bold",)))}


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_lines_fit_the_terminal(width):
    long = replace(MUST, evidence="GET https://x answered something that has to be told at some length. " * 5)
    lines = text(report(long, GOOD, UNKNOWN), width=width).splitlines()
    assert max(len(line) for line in lines[4:]) <= max(width, 64)


def test_limits_and_unreadable_documents_are_told():
    told = text(report(GOOD, stopped="The limit of 400 requests was reached first.", problems=("It is not JSON.",)))
    assert "! It is not JSON." in told
    assert "! The limit of 400 requests was reached first." in told


def test_nothing_to_test_is_not_success():
    told = " ".join(text(report()).split())
    assert "There was nothing to test" in told
    assert "Name a manifest, a Collection or an info.json" in told
    assert "is met" not in told


def test_json_has_everything():
    found = json.loads(as_json(report(GOOD, MUST, MUST)))
    assert found["summary"] == {"pass": 1, "fail": 1, "not testable": 0}
    assert (found["urls"], found["requests"], found["seconds"], found["stopped"]) == ([URL], 40, 1.234, None)
    assert found["requirements"][0] == {
        "id": "A2-PRB-01",
        "version": "2.0.0",
        "level": "MUST",
        "source": "normative",
        "section": "5.2",
        "requirement": MUST_TEXT,
        "outcome": "fail",
        "observations": 2,
        "evidence": [{"text": MUST.evidence, "url": MUST.url}],
    }


def parsed(xml):
    return ElementTree.fromstring(xml.encode())  # noqa: S314 - we have just written it


def test_junit_has_a_case_for_each_requirement():
    root = parsed(as_junit(report(GOOD, MUST, UNKNOWN, SHOULD)))
    suite = root.find("testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4",
        "failures": "1",
        "errors": "0",
        "skipped": "1",
    }
    children = {case.get("name").split()[0]: [one.tag for one in case] for case in suite}
    assert children == {
        "A2-PRB-01": ["failure"],
        "A2-PRB-02": [],
        "A2-TOK-08": ["skipped"],
        "A2-INT-03": ["system-out"],
    }
    assert suite.find("testcase/failure").text == MUST.evidence
    strict = parsed(as_junit(report(SHOULD), shoulds=True))
    assert strict.find("testsuite").get("failures") == "1"


def test_junit_is_xml_whatever_a_server_said():
    evil = replace(MUST, evidence='</failure> & "<![CDATA[" \x00\x1b\ud800\ufffe\n]]>')
    root = parsed(as_junit(report(evil)))
    assert root.find("testsuite/testcase/failure").text == '</failure> & "<![CDATA[" \n]]>'

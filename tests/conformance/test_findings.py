"""Many findings become one verdict, and nobody's requirement is left out."""

from __future__ import annotations

import pytest

from iiif_auth.conformance.findings import NOBODY_LOOKED, Ledger, Outcome, failed, judged, measured, passed, untestable
from iiif_auth.conformance.flows import ROWS
from iiif_auth.conformance.reasons import REASONS
from iiif_auth.conformance.table import REQUIREMENTS, of_versions

GOOD = passed("A2-PRB-01", "It answered 200.", "https://x/1")
BAD = failed("A2-PRB-01", "It answered 401.", "https://x/2")
UNKNOWN = untestable("A2-PRB-01", "Nobody answered.", "https://x/3")


def verdict(*findings, reasons=None):
    ledger = Ledger()
    ledger.extend(findings)
    return next(one for one in ledger.verdicts(["2.0.0"], reasons) if one.requirement.id == "A2-PRB-01")


@pytest.mark.parametrize(
    ("findings", "outcome", "decisive"),
    [
        ((GOOD, UNKNOWN, BAD, GOOD), Outcome.FAIL, (BAD,)),
        ((UNKNOWN, GOOD, UNKNOWN), Outcome.PASS, (GOOD,)),
        ((UNKNOWN,), Outcome.UNTESTABLE, (UNKNOWN,)),
        ((BAD, BAD), Outcome.FAIL, (BAD,)),
    ],
)
def test_one_failure_outweighs_any_pass_and_one_pass_any_doubt(findings, outcome, decisive):
    found = verdict(*findings)
    assert (found.outcome, found.findings, found.looked) == (outcome, decisive, len(findings))


def test_what_nobody_looked_at_is_not_testable_and_says_why():
    assert (verdict().outcome, verdict().evidence) == (Outcome.UNTESTABLE, NOBODY_LOOKED)
    assert verdict(reasons={"A2-PRB-01": "It is Sunday."}).evidence == "It is Sunday."
    assert verdict(GOOD, reasons={"A2-PRB-01": "It is Sunday."}).evidence == "It answered 200."


def test_every_requirement_of_a_version_gets_a_verdict_in_the_order_of_the_table():
    found = [one.requirement.id for one in Ledger().verdicts(["2.0.0", "0.9.4"])]
    assert found == [row.id for row in REQUIREMENTS.values() if row.version in ("2.0.0", "0.9.4")]
    assert len(found) == len(set(found)) == 91


def test_a_finding_about_nothing_in_the_table_is_refused():
    with pytest.raises(KeyError, match="no requirement A2-XYZ-01"):
        Ledger().add(passed("A2-XYZ-01", "Fine."))


def test_a_failure_tells_what_was_expected_and_a_pass_does_not():
    assert judged("A2-PRB-01", False, "It answered 401.", expected="200").evidence == "It answered 401; expected: 200."
    assert judged("A2-PRB-01", True, "It answered 200.", expected="200").evidence == "It answered 200."


def test_of_several_claims_those_that_do_not_hold_are_listed():
    claims = [("a lock", True), ("a key", False), ("a door", False)]
    assert (
        measured("A2-PRB-01", "It had a lock", claims, "all is well").evidence
        == "It had a lock; expected: a key, a door."
    )
    found = measured("A2-PRB-01", "It had a lock", claims[:1], "all is well")
    assert (found.outcome, found.evidence) == (Outcome.PASS, "It had a lock, all is well.")


def test_the_table_has_every_requirement_that_the_specifications_were_read_to_have():
    assert len(REQUIREMENTS) == 209


def test_every_row_belongs_to_a_version_that_documents_can_speak():
    assert {row.version for row in REQUIREMENTS.values()} == {name for names in ROWS.values() for name in names}
    assert {row.id for row in of_versions(["1.0-defacto"])} == {"A1X-01", "A1X-02", "A1X-03"}


def test_levels_say_what_binds():
    assert {row.level for row in REQUIREMENTS.values() if row.binds} == {"MUST", "MUST NOT"}
    assert {row.level for row in REQUIREMENTS.values() if row.optional} == {"MAY"}
    assert {row.source for row in REQUIREMENTS.values() if not row.derived} == {"normative"}


def test_every_reason_is_about_a_requirement_and_is_a_sentence():
    assert set(REASONS) <= set(REQUIREMENTS)
    assert [id for id, reason in REASONS.items() if not reason[0].isupper() or not reason.endswith(".")] == []

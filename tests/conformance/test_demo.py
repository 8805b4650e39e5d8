"""The checker, run against our own demo: nothing fails, and what can not be tested is known."""

from __future__ import annotations

import httpx
import pytest

from iiif_auth.conformance.documents import VERSION_2
from iiif_auth.conformance.findings import Outcome
from iiif_auth.conformance.tour import Credentials
from project import places
from tests.conformance.conftest import BASE, COLLECTION, ids, told

UNTESTABLE = {
    "A2-DECL-09",  # these documents are by the newer APIs
    "A2-ACC-03",  # contradicts A2-DECL-11
    "A2-INT-02",
    "A2-INT-05",
    "A2-INT-06",
    "A2-INT-07",  # at home nobody is at a kiosk
    "A2-TOK-08",  # takes five minutes
    "A2-TOK-11",
    "A2-PRB-06",  # at home no address opens anything
    "A2-PRB-12",
    "A2-PRB-13",
}


def test_everything_that_can_be_tested_passes(checked):
    report = checked()
    assert told(report) == {}
    assert ids(report, "not testable") == UNTESTABLE
    assert (report.versions, len(report.verdicts)) == ((VERSION_2,), 87)
    assert (report.stopped, report.problems) == ("", ())


def test_one_run_keeps_within_the_limits_that_it_has_by_itself(checked):
    report = checked(requests=400)
    assert report.stopped == ""
    assert report.looked_at == 20


@pytest.mark.parametrize(("place", "id"), [("reading-room", "A2-PRB-06"), ("kiosk", "A2-INT-07")])
def test_at_the_right_place_more_can_be_tested(checked, place, id):
    places.sit(place)
    report = checked()
    assert told(report) == {}
    assert id in ids(report, "pass")


def test_without_an_account_what_needs_one_is_not_testable_and_the_terms_are(checked):
    report = checked(credentials=None)
    assert told(report) == {}
    assert {"A2-TOK-05", "A2-INT-04", "A2-CONT-05"} <= ids(report, "pass")
    minutes = checked(f"{BASE}/iiif/manifests/minutes.json", credentials=None)
    reason = next(one for one in minutes.verdicts if one.requirement.id == "A2-TOK-05").evidence
    assert "asks for a name and a password; give them with --user" in reason


def test_a_wrong_password_is_told_and_tried_once(checked, server):
    report = checked(f"{BASE}/iiif/manifests/herbal.json", credentials=Credentials("reader", "wrong"))
    assert told(report) == {}
    reason = next(one for one in report.verdicts if one.requirement.id == "A2-TOK-05").evidence
    assert "the name or the password is wrong" in reason
    logins = [one for one in server.asked if one.method == "POST" and one.url.path == "/accounts/login/"]
    assert len(logins) == 1


def test_a_cookie_does_instead_of_an_account(checked, server):
    cookie = ("__Host-iiif_access", access_cookie(server))
    report = checked(f"{BASE}/iiif/manifests/fleet.json", credentials=None, cookies=(cookie,))
    assert told(report) == {}
    assert {"A2-TOK-05", "A2-PRB-04", "A2-CONT-01"} <= ids(report, "pass")
    found = {one.requirement.id: one for one in report.verdicts}
    assert found["A2-LOG-04"].outcome is Outcome.UNTESTABLE
    assert "would end the session" in found["A2-LOG-04"].evidence
    assert not [one for one in server.asked if one.url.path.startswith("/iiif-auth/2/logout/")]


def access_cookie(server):
    """Of somebody who clicked on the terms."""
    with httpx.Client(transport=server, base_url=BASE) as client:
        page = client.get("/iiif-auth/2/access/merehaven-terms?origin=https://client.example.org")
        secret = page.text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
        client.post(page.url, data={"csrfmiddlewaretoken": secret}, headers={"Origin": BASE})
        return client.cookies["__Host-iiif_access"]


@pytest.mark.parametrize("path", ["/iiif/manifests/survey.json", "/iiif/image/3/survey-1/info.json"])
def test_one_document_is_enough(checked, path):
    report = checked(BASE + path)
    assert told(report) == {}
    assert {"A2-PRB-04", "A2-PRB-10", "A2-PRB-11"} <= ids(report, "pass")


def test_substitutes_of_substitutes_are_followed(checked, server):
    checked(f"{BASE}/iiif/manifests/survey.json", credentials=None)
    asked = {one.url.path for one in server.asked}
    assert "/iiif/image/3/survey-1~public/full/max/0/default.jpg" in asked
    probes = {path for path in asked if path.startswith("/iiif-auth/2/probe/")}
    assert len(probes) >= 2


def test_the_password_goes_to_the_login_form_and_nowhere_else(checked, server):
    report = checked()
    with_it = [one for one in server.asked if b"merehaven" in one.read() and b"password" in one.read()]
    assert {(one.method, one.url.path) for one in with_it} == {("POST", "/accounts/login/")}
    assert "merehaven" not in [
        part for one in report.verdicts for found in one.findings for part in found.evidence.split()
    ]


def test_what_was_asked_for_is_what_is_reported(checked):
    report = checked(COLLECTION, only=("A2-PRB-18",))
    assert [one.requirement.id for one in report.verdicts] == ["A2-PRB-18"]
    assert told(report) == {}


@pytest.mark.parametrize("flavour", ["1", "mixed"])
def test_documents_that_speak_older_versions_too_are_not_blamed_for_it(checked, flavour):
    report = checked(f"{BASE}/iiif/{flavour}/collection.json", versions=("2.0.0",))
    assert told(report) == {}
    assert "A2-DECL-09" in ids(report, "pass")
    reason = next(one for one in report.verdicts if one.requirement.id == "A2-INFO-03")
    assert (reason.outcome, reason.evidence) == (
        Outcome.UNTESTABLE,
        "It speaks older versions too, in which info.json itself says no.",
    )

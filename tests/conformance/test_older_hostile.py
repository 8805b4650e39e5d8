"""Servers of the older versions that answer nonsense: there is a report, whatever comes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from iiif_auth.conformance.tour import Credentials
from tests.conformance.conftest import BASE, ids
from tests.conformance.older import is_info, manifests
from tests.conformance.test_twins import Mirror

ODD = (
    *(None, 0, 1.5, True, "", "x", "https://[::1", "//x", [], {}, [[]], [None], {"a": {}}, "ü" * 50, 10**30),
    *(f"{BASE}/", [f"{BASE}/"], "https://elsewhere.example.net/x"),
)
PLACES = ("/", "https://[", "https://elsewhere.example.net/x", "http://a b/", "javascript:1", "")
STATUSES = (200, 302, 401, 403, 404, 500, 503)


def spoiled(value: Any, dice: random.Random, often: float) -> Any:
    """JSON in which here and there something else stands."""
    if dice.random() < often:
        return dice.choice(ODD)
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if dice.random() > often / 2}
        return {name: spoiled(one, dice, often) for name, one in kept.items()}
    return [spoiled(one, dice, often) for one in value] if isinstance(value, list) else value


def spoil(request, answer, dice: random.Random) -> None:
    if request.url.path.startswith("/accounts/"):
        return
    if "json" in answer.headers.get("Content-Type", ""):
        answer.json = spoiled(answer.json, dice, 0.01 if "manifests" in request.url.path else 0.05)
        answer.body = answer.body if dice.random() > 0.05 else b"[" * 100_000
        answer.status = answer.status if dice.random() > 0.05 else dice.choice(STATUSES)
    elif dice.random() < 0.03:
        answer.status, answer.headers["Location"] = dice.choice(STATUSES), dice.choice(PLACES)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("flavour", ["1", "0", "mixed", "alpha"])
def test_nonsense_ends_in_a_report(checked, server, flavour, seed):
    dice = random.Random(f"{flavour}{seed}")
    nonsense = Mirror(server, lambda request, answer: spoil(request, answer, dice))
    urls = manifests(flavour, "herbal", "survey", "film", "retina")
    report = checked(*urls, transport=nonsense, requests=600, client=Credentials("x", "y"))
    assert nonsense.changed
    assert all(one.evidence for one in report.verdicts)
    assert report.verdicts or report.problems


@pytest.mark.parametrize(("flavour", "id"), [("1", "A1-INFO-01"), ("0", "A092-INFO-03"), ("alpha", "A2A-INFO-01")])
def test_a_description_that_sends_round_in_circles_is_no_answer(checked, server, flavour, id):
    def circle(request, answer):
        if is_info(request):
            answer.status, answer.headers["Location"] = 302, str(request.url)

    report = checked(*manifests(flavour, "herbal"), transport=Mirror(server, circle), requests=500)
    assert id in ids(report, "fail")
    assert report.stopped == ""


@pytest.mark.parametrize("flavour", ["1", "0", "alpha"])
def test_a_server_that_is_busy_is_not_said_to_be_wrong_about_it(checked, server, flavour):
    def busy(request, answer):
        if is_info(request):
            answer.status, answer.body = 503, b"Later."

    report = checked(*manifests(flavour, "herbal"), transport=Mirror(server, busy))
    assert not [one for one in ids(report, "fail") if "-INFO-0" in one and not one.startswith("A2-")]


def test_a_redirect_to_another_host_takes_no_token_there(checked, server):
    def elsewhere(request, answer):
        if is_info(request) and request.headers.get("Authorization") and "herbal" in request.url.path:
            answer.status, answer.headers["Location"] = 302, "https://elsewhere.example.net/info.json"

    report = checked(*manifests("1", "herbal"), versions=("1.0",), transport=Mirror(server, elsewhere))
    gone = [one for one in server.asked if one.url.host == "elsewhere.example.net"]
    assert gone
    assert not [one for one in gone if "authorization" in one.headers or "cookie" in one.headers]
    assert "A1-INFO-06" not in ids(report, "pass")

"""The checker's walk through the 2.0 alpha: our demo passes, and broken twins of it are named."""

from __future__ import annotations

import json

import pytest
from django.http import HttpResponse

from iiif_auth import identify, store
from iiif_auth.conformance.findings import Outcome
from iiif_auth.enforce import guard
from iiif_auth.http import access, info, token
from iiif_auth.http import logout as logout_views
from iiif_auth.policy.types import Pattern
from iiif_auth.protocol import alpha
from project import places
from tests.conformance.conftest import BASE, ids, told
from tests.conformance.older import Twins, collection, is_info, is_page_of, is_read_by_a_program, manifests

UNTESTABLE = {
    "A2A-ACC-03",
    "A2A-ACC-04",  # at home nobody is at a kiosk
}


# -- Our own server -----------------------------------------------------------------------------------------------


def test_everything_that_can_be_tested_passes(checked):
    report = checked(collection("alpha"))
    assert told(report) == {}
    assert ids(report, "not testable") == UNTESTABLE
    assert (report.versions, len(report.verdicts), report.stopped) == (("2.0-alpha",), 29, "")


def test_at_a_kiosk_the_kiosk_lets_in_at_once(checked):
    places.sit("kiosk")
    report = checked(*manifests("alpha", "gallery"))
    assert told(report) == {}
    assert {"A2A-ACC-04", "A2A-INFO-01", "A2A-TOK-01"} <= ids(report, "pass")


def test_without_an_account_what_needs_one_says_so(checked):
    report = checked(*manifests("alpha", "herbal", "film"), credentials=None)
    assert told(report) == {}
    found = {one.requirement.id: one for one in report.verdicts}
    assert found["A2A-INFO-02"].outcome is found["A2A-PRB-03"].outcome is Outcome.PASS
    for id in ("A2A-TOK-01", "A2A-HEAD-02", "A2A-OUT-01"):
        assert found[id].outcome is Outcome.UNTESTABLE
        assert "asks for a name and a password" in found[id].evidence


def test_an_info_json_is_enough(checked):
    report = checked(f"{BASE}/iiif/alpha/image/3/survey-1/info.json")
    assert told(report) == {}
    assert {"A2A-INFO-01", "A2A-INFO-03", "A2A-INFO-06", "A2A-CONT-01", "A2A-ACC-02"} <= ids(report, "pass")


# -- Twins --------------------------------------------------------------------------------------------------------

TWINS = Twins(manifests("alpha", "herbal", "survey", "fleet", "film", "report"), ())
answers, inside = TWINS.answers, TWINS.inside


@answers("A2A-INFO-03")
def a_redirect_leads_to_the_lesser_version(request, answer):
    if is_info(request) and answer.status == 401 and "location" in answer.json:
        answer.status, answer.headers["Location"] = 302, f"{answer.json['location']}/info.json"


@answers("A2A-INFO-03")
def the_location_is_an_object(request, answer):
    if is_info(request) and "location" in answer.json:
        answer.json = {**answer.json, "location": {"id": answer.json["location"], "type": "ImageService3"}}


@answers("A2A-INFO-03")
def the_lesser_version_is_refused(request, answer):
    if is_info(request) and "~public" in request.url.path:
        answer.status = 401


@answers("A2A-INFO-03", "A2A-INFO-06")
def the_lesser_version_is_the_same(request, answer):
    if is_info(request) and "location" in answer.json:
        answer.json = {**answer.json, "location": answer.json["id"]}


@answers("A2A-INFO-02")
def the_401_does_not_say_how_to_log_in(request, answer):
    if is_info(request) and answer.status == 401:
        answer.json = {name: value for name, value in answer.json.items() if name != "service"}


@answers("A2A-INFO-02")
def the_401_is_no_description(request, answer):
    if is_info(request) and answer.status == 401 and "herbal" in request.url.path:
        answer.json = {name: answer.json[name] for name in ("@context", "id", "type", "service")}


@answers("A2A-INFO-05")
def the_preflight_is_a_204(request, answer):
    if request.method == "OPTIONS":
        answer.status = 204


@inside("A2A-INFO-01")
def the_description_takes_no_tokens(patch):
    patch.setattr(info, "doors", lambda offer, asked: {})


@inside("A2A-INFO-01")
def the_description_is_open_and_the_picture_is_not(patch):
    patch.setattr(info, "_judged", lambda *given: info.Response(given[-1]))


@inside("A2A-HEAD-02", "A2A-CONT-01")
def a_get_takes_tokens_like_a_head(patch):
    def asker(request, offer, presented, ticket):
        shown = identify.shown_token(request, guard.heads(offer)) if offer else None
        return identify.bearer_of(request, shown) if shown else identify.browser_with(request, presented.holder)

    patch.setattr(guard, "_asker", asker)


@inside("A2A-HEAD-01")
def a_head_is_always_fine(patch):
    real = guard.refusal

    def lenient(request, url, **options):
        return guard.seen() if request.method == "HEAD" else real(request, url, **options)

    patch.setattr("iiif_auth.enforce.guard.refusal", lenient)


@answers("A2A-HEAD-03")
def a_head_can_not_be_announced(request, answer):
    if request.method == "OPTIONS" and request.url.path.startswith("/media/"):
        answer.headers["Access-Control-Allow-Headers"] = "Range"


def is_probe(request):
    return is_page_of(request, "alpha", "probe") and request.method == "GET"


@answers("A2A-PRB-02")
def the_probe_answers_as_in_2_0_0(request, answer):
    if is_probe(request):
        answer.json = {**answer.json, "type": "AuthProbeResult2"}


@answers("A2A-PRB-02")
def the_probe_can_not_be_read(request, answer):
    if is_probe(request):
        del answer.headers["Access-Control-Allow-Origin"]


@answers("A2A-PRB-02")
def the_probe_is_forbidden(request, answer):
    if is_probe(request) and answer.status == 401:
        answer.status, answer.json = 403, {**answer.json}


@answers("A2A-PRB-03")
def the_probe_says_yes_to_everybody(request, answer):
    if is_probe(request) and "location" not in answer.json:
        answer.status = 200


@answers("A2A-PRB-03")
def the_probe_offers_what_is_refused(request, answer):
    if is_probe(request) and answer.status == 401:
        answer.json = {**answer.json, "location": f"{BASE}/media/report.pdf"}


@inside("A2A-TOK-02")
def the_message_goes_to_anybody(patch):
    def page(request, message, target, ladder=None):
        said = json.dumps(message).replace("<", "\\u003c")
        response = HttpResponse(f"<!doctype html><title>x</title><script>parent.postMessage({said}, '*')</script>")
        response.xframe_options_exempt = True
        return response

    patch.setattr(token, "page", page)


@answers("A2A-TOK-01")
def tokens_in_json_are_linked_data(request, answer):
    if is_page_of(request, "alpha", "token") and is_read_by_a_program(request) and "accessToken" in answer.json:
        answer.json = {"@context": "http://iiif.io/api/auth/2/context.json", **answer.json}


@answers("A2A-ERR-01")
def errors_in_json_are_fine_by_http(request, answer):
    if is_page_of(request, "alpha", "token") and is_read_by_a_program(request):
        answer.status = 200


@inside("A2A-ERR-01")
def errors_are_plain_as_in_1_0(patch):
    real = alpha.DIALECT.error

    def plain(*given):
        return {name: value for name, value in real(*given).items() if name not in ("@context", "type")}

    patch.setattr(
        token, "_told", lambda request, dialect, service, found: said(plain, request, dialect, service, found)
    )


def said(error, request, dialect, service, found):
    return dialect.token(*found) if isinstance(found, tuple) else error(found, service, ("en",))


@inside("A2A-ACC-02")
def a_look_grants(patch):
    patch.setitem(access.PATTERNS, Pattern.CLICKTHROUGH, access.granted)


@inside("A2A-ACC-01")
def the_access_page_knows_no_other_parameters(patch):
    real = access.named_origin
    patch.setattr(access, "named_origin", lambda request: None if {*request.GET} - {"origin"} else real(request))


@inside("A2A-OUT-01")
def logging_out_does_nothing(patch):
    patch.setattr(logout_views, "left", lambda request, service: HttpResponse("Bye."))


@inside("A2A-CONT-01")
def pictures_take_tokens(patch):
    real = identify.browser_with

    def either(request, held):
        facts = store.find_token(identify.digest(identify.presented_token(request) or "A" * 43))
        tokened = facts and request.path.startswith("/iiif/alpha/")
        return identify._subject(facts.holder, request) if tokened else real(request, held)

    patch.setattr(identify, "browser_with", either)


@pytest.mark.parametrize("name", TWINS.found)
def test_a_broken_twin_is_named_for_what_it_breaks(name, checked, server, monkeypatch):
    TWINS.judge(name, checked, server, monkeypatch)

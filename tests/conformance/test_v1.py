"""The checker's walk through 1.0, the practice around it, and 0.9.4: our demo passes, and broken twins of it are named."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from django.http import HttpResponse

from iiif_auth import identify, passes, store
from iiif_auth.conformance.cookies import Cookie
from iiif_auth.conformance.documents import VERSION_0, VERSION_1
from iiif_auth.conformance.findings import Outcome, failed, passed, untestable
from iiif_auth.conformance.flows.earlier.secrets import kinship
from iiif_auth.conformance.flows.v1.delta import as_094
from iiif_auth.http import access, info, token
from iiif_auth.http import logout as logout_views
from iiif_auth.protocol import v1
from project import places
from tests.conformance.conftest import BASE, ids, told
from tests.conformance.older import (
    Twins,
    collection,
    is_info,
    is_page_of,
    is_picture,
    is_read_by_a_program,
    manifests,
)

UNTESTABLE = {
    "A1-DESC-09",  # these documents are by the older APIs
    "A1-INFO-03",  # every image with tiers has one that is open
    "A1-INFO-14",
    "A1-ACC-05",  # at home nobody is at a kiosk
    "A1-ACC-08",
}
ROWS = {VERSION_1: 52 + 3, VERSION_0: 4}


# -- Our own server -----------------------------------------------------------------------------------------------


def test_everything_of_1_0_that_can_be_tested_passes(checked):
    report = checked(collection("1"), versions=("1.0",))
    assert told(report) == {}
    assert ids(report, "not testable") == UNTESTABLE
    assert (len(report.verdicts), report.stopped) == (ROWS[VERSION_1], "")


def test_in_presentation_3_the_types_can_be_tested_too(checked):
    report = checked(collection("mixed"), versions=("1.0",))
    assert told(report) == {}
    assert ids(report, "not testable") == UNTESTABLE - {"A1-DESC-09"}
    assert {"A1X-01", "A1X-02", "A1X-03"} <= ids(report, "pass")


def test_everything_of_0_9_4_that_can_be_tested_passes(checked):
    report = checked(collection("0"), versions=("0.9.4",))
    assert told(report) == {}
    assert ids(report, "not testable") == set()
    assert len(report.verdicts) == ROWS[VERSION_0]
    evidence = next(one for one in report.verdicts if one.requirement.id == "A094-ALL-01").findings
    kept = next(one.evidence for one in evidence if "the server keeps" in one.evidence)
    assert all(id in kept for id in ("A1-INFO-02", "A1-INFO-06", "A1-TOK-01", "A1-TOK-04", "A1-ACC-04", "A1-CONT-02"))


def test_at_a_kiosk_the_kiosk_lets_in_at_once(checked):
    places.sit("kiosk")
    report = checked(*manifests("1", "gallery"), versions=("1.0",))
    assert told(report) == {}
    assert {"A1-ACC-05", "A1-INFO-06", "A1-CONT-02", "A1-TOK-01"} <= ids(report, "pass")


def test_in_the_reading_room_there_is_a_token_and_nothing_left_for_it_to_open(checked):
    places.sit("reading-room")
    report = checked(*manifests("1", "register"), versions=("1.0",))
    assert told(report) == {}
    assert {"A1-ACC-06", "A1-TOK-01", "A1-TOK-04"} <= ids(report, "pass")
    assert "A1-INFO-06" in ids(report, "not testable")


def test_without_an_account_what_needs_one_says_so(checked):
    report = checked(*manifests("1", "herbal"), versions=("1.0",), credentials=None)
    assert told(report) == {}
    found = {one.requirement.id: one for one in report.verdicts}
    assert found["A1-INFO-01"].outcome is Outcome.PASS
    for id in ("A1-INFO-06", "A1-TOK-01", "A1-CONT-02", "A1-OUT-02"):
        assert found[id].outcome is Outcome.UNTESTABLE
        assert "asks for a name and a password; give them with --user" in found[id].evidence


def test_an_info_json_is_enough(checked):
    report = checked(
        f"{BASE}/iiif/image/2/survey-1/info.json", f"{BASE}/iiif/image/2/herbal-1/info.json", versions=("1.0",)
    )
    assert told(report) == {}
    assert {"A1-INFO-01", "A1-INFO-06", "A1-TOK-03", "A1-CONT-01"} <= ids(report, "pass")


def test_a_token_never_leaves_the_origin_of_the_description(checked, server):
    report = checked(*manifests("1", "survey"), versions=("1.0",))
    assert told(report) == {}
    shown = [one for one in server.asked if "authorization" in one.headers]
    assert shown
    assert {f"{one.url.scheme}://{one.url.host}" for one in shown} == {BASE}


def test_the_password_goes_to_the_login_form_and_nowhere_else(checked, server):
    checked(collection("1"), versions=("1.0",))
    with_it = [one for one in server.asked if b"merehaven" in one.read() and b"password" in one.read()]
    assert {(one.method, one.url.path) for one in with_it} == {("POST", "/accounts/login/")}


# -- Twins --------------------------------------------------------------------------------------------------------

TWINS = Twins(manifests("1", "herbal", "survey", "retina", "film"), ("1.0",))
answers, inside = TWINS.answers, TWINS.inside


@answers("A1-INFO-12")
def the_401_asks_for_a_password(request, answer):
    if is_info(request) and answer.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"


@answers("A1-INFO-09")
def the_redirect_can_not_be_read(request, answer):
    if is_info(request) and answer.status == 302:
        del answer.headers["Access-Control-Allow-Origin"]


@answers("A1-INFO-01", "A1-INFO-11")
def the_401_is_a_page(request, answer):
    if is_info(request) and answer.status == 401:
        answer.headers["Content-Type"], answer.body = "text/html", b"<h1>Please log in</h1>"


@answers("A1-INFO-01")
def the_401_is_a_403(request, answer):
    if is_info(request) and answer.status == 401:
        answer.status = 403


@answers("A1-INFO-02")
def the_redirect_is_another_one(request, answer):
    if is_info(request) and answer.status == 302:
        answer.status = 307


@answers("A1-INFO-07")
def the_lesser_version_does_not_tell_of_the_better(request, answer):
    if is_info(request) and "~public" in request.url.path:
        answer.json = {name: value for name, value in answer.json.items() if name != "service"}


@answers("A1-INFO-04", "A1-INFO-15")
def the_lesser_version_has_the_name_of_the_better(request, answer):
    if is_info(request) and "~public" in request.url.path:
        answer.json = {**answer.json, "@id": f"{BASE}/iiif/image/2/survey-1"}


@answers("A1-INFO-15")
def the_description_spells_its_name_otherwise(request, answer):
    if is_info(request) and answer.status == 401 and "herbal" in request.url.path:
        answer.json = {**answer.json, "@id": f"{answer.json['@id']}/"}


@answers("A1-INFO-08")
def the_description_knows_no_preflight(request, answer):
    if request.method == "OPTIONS" and request.url.path.endswith("/info.json"):
        answer.status = 401


@answers("A1-INFO-08")
def any_header_is_allowed_but_none_by_name(request, answer):
    if request.method == "OPTIONS" and request.url.path.endswith("/info.json"):
        answer.headers["Access-Control-Allow-Headers"] = "*"


@answers("A1-INFO-10")
def the_description_wants_cookies(request, answer):
    if is_info(request):
        answer.headers["Access-Control-Allow-Credentials"] = "true"


@answers("A1-INFO-13")
def the_description_is_kept(request, answer):
    if is_info(request):
        answer.headers["Cache-Control"] = "max-age=60"


@inside("A1-INFO-01")
def the_description_is_open_and_the_picture_is_not(patch):
    patch.setattr(info, "_judged", lambda *given: info.Response(given[-1]))


@inside("A1-INFO-06")
def the_description_takes_no_tokens(patch):
    patch.setattr(info, "doors", lambda offer, asked: {})


@answers("A1-INFO-01")
def a_made_up_token_is_an_error(request, answer):
    if is_info(request) and "made-up" in request.headers.get("Authorization", ""):
        answer.status = 400


@answers("A1-CONT-02")
def pictures_mind_no_cookie(request, answer):
    if is_picture(request) and "Cookie" in request.headers and answer.status == 200:
        answer.status, answer.body = 401, b"{}"


@inside("A1-CONT-01")
def pictures_take_tokens(patch):
    real = identify.browser_with

    def either(request, held):
        facts = store.find_token(identify.digest(identify.presented_token(request) or "A" * 43))
        return identify._subject(facts.holder, request) if facts else real(request, held)

    patch.setattr(identify, "browser_with", either)


def message_page(patch, script):
    """Have the page's message written into the page by ``script(message, target)``."""

    def page(request, message, target, ladder=None):
        response = HttpResponse(f"<!doctype html><title>x</title><script>{script(message, target)}</script>")
        response.headers["Cache-Control"] = "no-store"
        response.xframe_options_exempt = True
        return response

    patch.setattr(token, "page", page)


@inside("A1-TOK-04")
def the_message_goes_to_anybody(patch):
    message_page(patch, lambda message, _: f"parent.postMessage({safe(message)}, '*')")


def safe(message):
    return json.dumps(message).replace("<", "\\u003c")


@inside("A1-TOK-02", "A1-TOK-03")
def the_message_is_written_into_the_script_as_plain_json(patch):
    message_page(patch, lambda message, target: f"parent.postMessage({json.dumps(message)}, {json.dumps(target)})")


@inside("A1-TOK-03")
def the_message_id_is_lost_where_it_is_no_number(patch):
    def kept(message, target):
        own = {**message, "messageId": message["messageId"] if len(message["messageId"]) < 9 else "0"}
        return f"parent.postMessage({safe(own)}, {json.dumps(target)})"

    message_page(patch, kept)


@inside("A1-TOK-07")
def errors_have_no_message_id(patch):
    def bare(message, target):
        own = {name: value for name, value in message.items() if name != "messageId" or "error" not in message}
        return f"parent.postMessage({safe(own)}, {json.dumps(target)})"

    message_page(patch, bare)


@answers("A1-TOK-05")
def errors_of_the_token_page_are_http_errors(request, answer):
    if is_page_of(request, "1", "token") and b"missingCredentials" in answer.body and not is_read_by_a_program(request):
        answer.status = 401


@answers("A1-TOK-08")
def the_token_page_can_not_be_framed(request, answer):
    if is_page_of(request, "1", "token"):
        answer.headers["X-Frame-Options"] = "SAMEORIGIN"


@answers("A1-TOK-06")
def errors_in_json_are_fine_by_http(request, answer):
    if is_page_of(request, "1", "token") and is_read_by_a_program(request):
        answer.status = 200


@answers("A1-TOK-01")
def tokens_in_json_are_linked_data(request, answer):
    if is_page_of(request, "1", "token") and is_read_by_a_program(request) and "accessToken" in answer.json:
        answer.json = {"@context": "http://iiif.io/api/auth/1/context.json", **answer.json}


@inside("A1-ERR-01")
def errors_have_the_words_of_2_0(patch):
    new = {old: word.replace("Credentials", "Aspect") for old, word in v1.PROBLEMS.items()}
    for problem, word in new.items():
        patch.setitem(v1.PROBLEMS, problem, word)


@inside("A1-ACC-04")
def the_click_through_asks(patch):
    patch.setattr(access, "_grants_at_once", lambda *given: False)


@inside("A1-ACC-01")
def the_access_page_knows_no_other_parameters(patch):
    real = access.named_origin
    patch.setattr(access, "named_origin", lambda request: None if {*request.GET} - {"origin"} else real(request))


@answers("A1-ACC-03", "A1-ACC-04")
def no_page_closes_itself(request, answer):
    if is_page_of(request, "1", "access"):
        answer.body = answer.body.replace(b"<script", b"<template").replace(b"</script", b"</template")


@inside("A1-SEC-02")
def the_cookie_lives_for_a_year(patch):
    def long(response, value, max_age):
        life = 365 * 86_400 if max_age else max_age
        response.set_cookie(identify.COOKIE, value, max_age=life, path="/", secure=True, httponly=True, samesite="None")

    patch.setattr(passes, "_cookie", long)


@inside("A1-OUT-02")
def logging_out_does_nothing(patch):
    patch.setattr(logout_views, "left", lambda request, service: HttpResponse("Bye."))


def is_probe(request):
    return is_page_of(request, "1", "probe") and request.method == "GET"


@answers("A1X-03")
def the_probe_does_not_say_where_it_is(request, answer):
    if is_probe(request):
        answer.json = {name: value for name, value in answer.json.items() if name != "contentLocation"}


@answers("A1X-03")
def the_probe_spells_the_address_otherwise(request, answer):
    if is_probe(request):
        answer.json = {**answer.json, "contentLocation": answer.json["contentLocation"].replace(".org/", ".org:443/")}


@answers("A1X-02")
def the_probe_says_yes_to_everybody(request, answer):
    if is_probe(request):
        answer.json = {**answer.json, "contentLocation": f"{BASE}/media/film.webm"}


@pytest.mark.parametrize("name", TWINS.found)
def test_a_broken_twin_is_named_for_what_it_breaks(name, checked, server, monkeypatch):
    TWINS.judge(name, checked, server, monkeypatch)


TWINS_094 = Twins(manifests("0", "herbal", "survey", "retina"), ("0.9.4",))


@TWINS_094.answers("A094-ALL-01")
def the_401_of_0_9_4_asks_for_a_password(request, answer):
    the_401_asks_for_a_password(request, answer)


@TWINS_094.inside("A094-ALL-01", "A094-DIFF-01")
def the_message_of_0_9_4_goes_to_anybody(patch):
    the_message_goes_to_anybody(patch)


@TWINS_094.inside("A094-ALL-01")
def the_click_through_of_0_9_4_asks(patch):
    the_click_through_asks(patch)


@TWINS_094.answers("A094-DIFF-01")
def viewers_without_an_origin_hear_nothing(request, answer):
    if is_page_of(request, "0", "token") and "origin" not in request.url.params and not is_read_by_a_program(request):
        answer.body = b"<!doctype html><title>Who are you?</title>"


@pytest.mark.parametrize("name", TWINS_094.found)
def test_a_broken_twin_of_0_9_4_is_named_for_what_it_breaks(name, checked, server, monkeypatch):
    TWINS_094.judge(name, checked, server, monkeypatch)


# -- Parts --------------------------------------------------------------------------------------------------------

VALUE = "cookie-value-of-some-length"
DIGEST = hashlib.sha256(VALUE.encode())


@pytest.mark.parametrize(
    "value", [VALUE, f"1.{VALUE}", VALUE[3:], DIGEST.hexdigest(), base64.urlsafe_b64encode(DIGEST.digest()).decode()]
)
def test_a_token_that_can_be_had_from_the_cookie_is_noticed(value):
    assert kinship(value, [Cookie("access", VALUE, "library.example.org")]).endswith("of the cookie access")


@pytest.mark.parametrize("value", ["", "another-value-altogether", VALUE[::-1]])
def test_a_token_of_its_own_is_none_of_the_cookies(value):
    assert kinship("token", [Cookie("access", value, "library.example.org")]) == ""


def test_what_1_0_asks_for_goes_by_one_name_in_0_9_4_and_only_what_binds():
    found = [
        failed("A1-INFO-12", "It asks."),
        passed("A1-TOK-01", "It is so."),
        failed("A1-ACC-03", "It does not close."),
        untestable("A1-INFO-03", "There is none."),
        passed("A094-DIFF-01", "They are told apart."),
    ]
    assert list(as_094(found)) == [
        failed("A094-ALL-01", "A1-INFO-12: It asks."),
        passed("A094-DIFF-01", "They are told apart."),
        passed("A094-ALL-01", "With auth/0 in place of auth/1, the server keeps A1-TOK-01."),
        untestable("A094-ALL-01", "A1-INFO-03: There is none."),
    ]

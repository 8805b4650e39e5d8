"""The checker's walk through 0.9.2: our demo passes, registered viewers included, and broken twins of it are named."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from django.http import JsonResponse

from iiif_auth import clients
from iiif_auth.conformance.findings import Outcome
from iiif_auth.conformance.tour import Credentials
from iiif_auth.http import access, info
from iiif_auth.http import client as client_view
from iiif_auth.models import AccessService, RegisteredClient
from iiif_auth.protocol import dialects, v092, v1
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

UNTESTABLE = {"A092-LOGIN-05", "A092-CID-02", "A092-CID-04"}
"""The last two need a viewer that is registered."""


@pytest.fixture
def registered(library):
    """A viewer that the login knows, with its secret."""
    row = RegisteredClient(client_id="reading-room-7", name="Reading room 7")
    secret = clients.new_secret(row)
    row.save()
    row.services.set(AccessService.objects.filter(slug="merehaven-login"))
    return Credentials("reading-room-7", secret)


# -- Our own server -----------------------------------------------------------------------------------------------


def test_everything_that_can_be_tested_passes(checked):
    report = checked(collection("0"), versions=("0.9",))
    said = told(report)
    # A register with its names covered is another picture, which has no same part to lead to; more is not said.
    assert "register-1/full" in said.pop("A092-CONT-02")
    assert said == {}
    assert ids(report, "not testable") == UNTESTABLE
    assert (len(report.verdicts), report.stopped) == (34 + 4, "")


def test_with_a_registered_viewer_its_identity_can_be_tested(checked, registered):
    report = checked(*manifests("0", "herbal"), versions=("0.9.2",), client=registered)
    assert told(report) == {}
    assert {"A092-CID-02", "A092-CID-03", "A092-CID-04", "A092-TOK-05"} <= ids(report, "pass")


def test_a_secret_goes_to_the_host_that_was_named_and_is_told_to_nobody(checked, server, registered):
    report = checked(*manifests("0", "herbal"), versions=("0.9.2",), client=registered)
    secret = registered.password
    with_it = [one for one in server.asked if secret.encode() in one.read() or secret in str(one.url)]
    assert {(one.method, one.url.path) for one in with_it} == {("POST", "/iiif-auth/0/client/merehaven-login")}
    assert secret not in repr(registered)
    assert not [one for verdict in report.verdicts for one in verdict.findings if secret in one.evidence + one.url]


def test_without_the_secret_a_wrong_one_is_tried_and_the_right_one_is_asked_for(checked, registered):
    client = Credentials(registered.user, "")
    report = checked(*manifests("0", "herbal"), versions=("0.9.2",), client=client)
    found = {one.requirement.id: one for one in report.verdicts}
    assert told(report) == {}
    assert any("a wrong secret" in one.evidence for one in found["A092-CID-03"].findings)
    assert found["A092-CID-02"].outcome is found["A092-CID-04"].outcome is Outcome.UNTESTABLE
    assert "--client-secret" in found["A092-CID-02"].evidence


def test_somebody_without_a_right_is_needed_to_see_a_403(checked):
    entitled = checked(*manifests("0", "herbal"), versions=("0.9.2",))
    verdict = next(one for one in entitled.verdicts if one.requirement.id == "A092-INFO-06")
    assert verdict.outcome is Outcome.UNTESTABLE
    assert "give the account of somebody who may not" in verdict.evidence
    assert "A092-INFO-06" in ids(checked(*manifests("0", "minutes"), versions=("0.9.2",)), "pass")


def test_a_viewer_of_0_9_2_tells_nobody_its_origin(checked, server):
    checked(*manifests("0", "herbal"), versions=("0.9.2",))
    asked = [one for one in server.asked if one.url.path.startswith("/iiif-auth/0/")]
    assert asked
    assert not [one for one in asked if "origin" in one.url.params]


def test_a_server_of_0_9_4_alone_is_not_judged_as_0_9_2_unless_that_is_asked_for(checked):
    AccessService.objects.update(dialects=["0.9.4"])
    urls = manifests("0", "herbal", "retina")
    both = checked(*urls, versions=("0.9",))
    assert told(both) == {}
    # What the documents show is judged; how the server behaves is not.
    assert not [id for id in ids(both, "pass") if id.startswith("A092") and "-DESC-" not in id and "-OUT-01" not in id]
    reason = next(one for one in both.verdicts if one.requirement.id == "A092-TOK-01").evidence
    assert "give --version 0.9.2 to judge it as that too" in reason
    asked_for = checked(*urls, versions=("0.9.2",))
    assert {"A092-LOGIN-02", "A092-ERR-01"} <= ids(asked_for, "fail")


# -- Twins --------------------------------------------------------------------------------------------------------

TWINS = Twins(manifests("0", "herbal", "survey", "minutes"), ("0.9.2",))
answers, inside = TWINS.answers, TWINS.inside


@answers("A092-INFO-04")
def the_401_asks_for_something(request, answer):
    if is_info(request) and answer.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"


@answers("A092-INFO-04", "A092-INFO-05")
def the_401_asks_for_a_password(request, answer):
    if is_info(request) and answer.status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="library"'


@answers("A092-DESC-04", "A092-INFO-03")
def the_401_is_a_page(request, answer):
    if is_info(request) and answer.status == 401:
        answer.headers["Content-Type"], answer.body = "text/html", b"<h1>Please log in</h1>"


@answers("A092-DESC-04")
def the_401_does_not_say_how_to_log_in(request, answer):
    if is_info(request) and answer.status == 401:
        answer.json = {name: value for name, value in answer.json.items() if name != "service"}


@answers("A092-INFO-01")
def the_redirect_is_another_one(request, answer):
    if is_info(request) and answer.status == 302:
        answer.status = 303


@answers("A092-INFO-02")
def the_degraded_version_has_the_name_of_the_better(request, answer):
    if is_info(request) and "~public" in request.url.path:
        answer.json = {**answer.json, "@id": f"{BASE}/iiif/0/image/2/survey-1"}


@answers("A092-INFO-06")
def the_known_are_told_401_for_ever(request, answer):
    if is_info(request) and answer.status == 403:
        answer.status = 401


@inside("A092-INFO-07")
def the_description_takes_no_tokens_for_ferns(patch):
    real = info.doors
    patch.setattr(info, "doors", lambda offer, asked: {} if "herbal" in offer.wanted.uri else real(offer, asked))


@inside("A092-INFO-03")
def the_description_is_open_and_the_picture_is_not(patch):
    patch.setattr(info, "_judged", lambda *given: info.Response(given[-1]))


@answers("A092-TOK-01")
def tokens_in_json_have_no_type(request, answer):
    if is_page_of(request, "0", "token") and is_read_by_a_program(request) and "accessToken" in answer.json:
        answer.json = {name: value for name, value in answer.json.items() if name != "tokenType"}


@inside("A092-TOK-01", "A092-TOK-03")
def tokens_have_no_type(patch):
    patch.setitem(dialects.SPACES, "0", tuple(replace(one, token=v1.token) for one in dialects.SPACES["0"]))


@answers("A092-TOK-03", "A092-TOK-04")
def messages_go_to_an_origin_that_nobody_named(request, answer):
    if is_page_of(request, "0", "token") and not is_read_by_a_program(request):
        answer.body = answer.body.replace(b'"targetOrigin": "*"', b'"targetOrigin": "https://viewer.example.com"')


@answers("A092-TOK-04")
def errors_in_json_are_fine_by_http(request, answer):
    if is_page_of(request, "0", "token") and is_read_by_a_program(request):
        answer.status = 200


@inside("A092-TOK-05")
def any_code_will_do(patch):
    patch.setattr(clients, "use_code", lambda *given: True)


@answers("A092-TOK-06")
def the_token_service_speaks_script(request, answer):
    if is_page_of(request, "0", "token") and (name := request.url.params.get("callback")):
        answer.headers["Content-Type"] = "application/javascript"
        answer.body = f"{name}({answer.body.decode()});".encode()


@inside("A092-ERR-01")
def errors_have_the_words_of_2_0(patch):
    for problem, word in v092.PROBLEMS.items():
        patch.setitem(v092.PROBLEMS, problem, word.replace("Credentials", "Aspect"))


@inside("A092-LOGIN-04")
def the_login_wants_an_origin(patch):
    real = access.named_origin
    patch.setattr(access, "named_origin", lambda request: real(request) or None)


@answers("A092-LOGIN-03")
def no_page_closes_itself(request, answer):
    if is_page_of(request, "0", "access"):
        answer.body = answer.body.replace(b"<script", b"<template").replace(b"</script", b"</template")


@answers("A092-CONT-02")
def pictures_are_refused_where_a_lesser_one_is_there(request, answer):
    if is_picture(request) and answer.status == 302:
        answer.status, answer.body = 401, b"{}"
        del answer.headers["Location"]


@answers("A092-CID-03")
def the_unknown_client_is_a_wrong_secret(request, answer):
    if is_page_of(request, "0", "client") and answer.status == 401:
        answer.json = {**answer.json, "error": "invalidClientSecret"}


@answers("A092-CID-03")
def the_client_service_says_no_with_200(request, answer):
    if is_page_of(request, "0", "client"):
        answer.status = 200


@pytest.mark.parametrize("name", TWINS.found)
def test_a_broken_twin_is_named_for_what_it_breaks(name, checked, server, monkeypatch):
    TWINS.judge(name, checked, server, monkeypatch)


def test_a_code_that_is_not_taken_is_named(checked, registered, monkeypatch):
    monkeypatch.setattr(clients, "use_code", lambda codes, *given: not codes)
    report = checked(*manifests("0", "herbal"), versions=("0.9.2",), client=registered)
    assert ids(report, "fail") == {"A092-CID-04"}, told(report)


def test_a_code_by_another_name_is_named(checked, registered, monkeypatch):
    def misnamed(status, body):
        return JsonResponse({"code": "x"} if status == 200 else body, status=status)

    monkeypatch.setattr(client_view, "_answer", misnamed)
    report = checked(*manifests("0", "herbal"), versions=("0.9.2",), client=registered)
    assert ids(report, "fail") == {"A092-CID-02"}, told(report)


def test_a_client_service_elsewhere_is_told_no_secret(checked, server, registered):
    elsewhere = "https://clients.example.net/identity"

    class Moved(httpx.BaseTransport):
        asked: list[httpx.Request] = []

        def handle_request(self, request):
            self.asked.append(request)
            response = server.handle_request(request)
            body = response.read().replace(f"{BASE}/iiif-auth/0/client/merehaven-login".encode(), elsewhere.encode())
            headers = {name: value for name, value in response.headers.items() if name != "content-length"}
            return httpx.Response(response.status_code, headers=headers, content=body)

    moved = Moved()
    report = checked(*manifests("0", "herbal"), versions=("0.9.2",), client=registered, transport=moved)
    assert not [one for one in moved.asked if registered.password.encode() in one.read()]
    verdict = next(one for one in report.verdicts if one.requirement.id == "A092-CID-02")
    assert "is not on the host named in the URL, so no secret was sent there" in verdict.evidence

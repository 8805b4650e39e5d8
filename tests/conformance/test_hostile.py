"""Whatever a server sends, the checker ends with a report, and never with a traceback."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import httpx
import pytest

from iiif_auth.conformance.report import as_json, as_junit, exit_status, text
from iiif_auth.conformance.run import judge
from iiif_auth.conformance.tour import Credentials, Options
from iiif_auth.conformance.web import Limits, Web

EXAMPLES = Path(__file__).parents[2] / "fixtures" / "spec" / "examples"
URL = "https://iiif.example.org/manifest"
PASSWORD = "correct horse battery"
JUNK = (
    None,
    True,
    7,
    -1.5,
    "",
    "text",
    "https://[broken",
    "\ud800",
    [],
    [[]],
    {},
    [None],
    {"": {}},
    [{"id": 7, "type": []}],
    "x" * 10_000,
)


def run(answer, requests=150, seconds=60, **options):
    with Web(Limits(requests, seconds), httpx.MockTransport(answer)) as web:
        report = judge(web, Options(urls=(URL,), credentials=Credentials("ada", PASSWORD), **options))
    for written in (text(report), as_json(report), as_junit(report)):
        assert PASSWORD not in written
        written.encode("utf-8", "replace")
    return report


def serving(document, **others):
    """The document at its address, and something else everywhere else."""

    def answer(request):
        if str(request.url) == URL:
            return httpx.Response(
                200, content=document if isinstance(document, bytes) else json.dumps(document).encode()
            )
        return httpx.Response(**{"status_code": 404, "text": "No.", **others})

    return answer


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (b"", "is not JSON"),
        (b"<!doctype html><title>Not found</title>", "is not JSON"),
        (b'{"type": "Manifest"', "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
        (b"[" * 100_000, "nested too deeply|not JSON"),
        (b'{"a":' * 100_000, "nested too deeply|not JSON"),
        (b"null", "neither a manifest"),
        (b"[]", "neither a manifest"),
        (b'"text"', "neither a manifest"),
        (b'{"type": "Robot"}', "neither by its type nor by its profile"),
        (b" " * 6_000_000, "more than 5 MB"),
    ],
)
def test_what_is_no_document_is_told_in_a_sentence(document, words):
    report = run(serving(document))
    assert exit_status(report) == 2
    assert len(report.problems) == 1
    assert report.problems[0].endswith(".")
    assert re.search(words, report.problems[0])


@pytest.mark.parametrize("status", [204, 301, 401, 403, 404, 500, 503])
def test_every_http_status_is_survived(status):
    report = run(lambda request: httpx.Response(status, text="No."))
    assert (exit_status(report), len(report.problems)) == (2, 1)


def test_a_document_that_redirects_for_ever_is_given_up():
    report = run(lambda request: httpx.Response(302, headers={"Location": f"{request.url}x"}))
    assert exit_status(report) == 2
    assert report.requests <= 12


def test_a_document_may_be_elsewhere():
    moved = {"type": "Manifest", "id": URL}

    def answer(request):
        if str(request.url) == URL:
            return httpx.Response(302, headers={"Location": "https://other.example.net/manifest"})
        return httpx.Response(200, json=moved)

    report = run(answer)
    assert (report.documents, report.problems) == (1, ())


def test_collections_that_hold_themselves_come_to_an_end():
    here = {"id": URL, "type": "Collection"}
    report = run(lambda request: httpx.Response(200, json={**here, "items": [here] * 50}), requests=5000)
    assert report.requests < 5000
    assert report.stopped == ""


def test_the_limit_of_requests_is_told_for_all_that_was_not_looked_at():
    manifest = json.loads((EXAMPLES / "2.0" / "manifest.json").read_text())
    report = run(serving(manifest), requests=3)
    assert report.requests == 3
    assert "limit of 3 requests" in report.stopped
    unseen = [one for one in report.verdicts if one.requirement.id == "A2-LOG-03"]
    assert unseen[0].evidence == report.stopped


def test_a_server_that_vanishes_leaves_a_report():
    manifest = json.loads((EXAMPLES / "2.0" / "manifest.json").read_text())

    def answer(request):
        if str(request.url) == URL:
            return httpx.Response(200, json=manifest)
        raise httpx.ReadTimeout("slow")

    report = run(answer)
    assert {one.outcome.value for one in report.verdicts} == {"pass", "not testable"}


def places(value, path=()):
    yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield from places(child, (*path, name))


def planted(document, path, junk):
    made = copy.deepcopy(document)
    if not path:
        return junk
    at = made
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = junk
    return made


DOCUMENTS = (
    "2.0/image-info.json",
    "2.0/video-resource.json",
    "2.0-alpha/video-resource.json",
    "1.0/image-info.json",
    "1.0/defacto-video-resource.json",
    "0.9.2/image-info-with-client-identity.json",
    "mixed/manifest-auth1-and-auth2.json",
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_junk_anywhere_in_a_document_ends_in_a_report(name, monkeypatch):
    """Each place in turn holds something else than it should. Pages are not run here, which would take minutes."""
    monkeypatch.setattr("iiif_auth.conformance.script.find_spec", lambda module: None)
    document = json.loads((EXAMPLES / name).read_text())
    everywhere = list(places(document))
    for number, path in enumerate(everywhere):
        report = run(serving(planted(document, path, JUNK[number % len(JUNK)])), requests=60)
        assert report.requests <= 60


RESULTS = ("2.0/image-probe-401-tiers.json", "2.0/hls-probe-302-location.json", "2.0/video-probe-401-substitute.json")


@pytest.mark.parametrize("name", RESULTS)
def test_junk_anywhere_in_an_answer_ends_in_a_report(name, monkeypatch):
    monkeypatch.setattr("iiif_auth.conformance.script.find_spec", lambda module: None)
    manifest = json.loads((EXAMPLES / "2.0" / "video-resource.json").read_text())
    result = json.loads((EXAMPLES / name).read_text())
    for number, path in enumerate(places(result)):
        for junk in (JUNK[number % len(JUNK)], JUNK[(number * 7 + 3) % len(JUNK)]):
            answer = planted(result, path, junk)
            run(serving(manifest, status_code=200, text=None, content=json.dumps(answer).encode()), requests=60)


PAGES = (
    "",
    "<",
    "<script>parent.postMessage(1, '*')</script>",
    "<script>parent.postMessage({messageId: [], profile: {}, heading: 7}, '*')</script>",
    "<script>parent.postMessage({accessToken: 7, messageId: {}}, 'x')</script>",
    "<script>parent.postMessage({accessToken: 'a\\r\\nb: c', messageId: '1'}, {})</script>",
    "<script>for (let i = 0; i < 1e4; i++) parent.postMessage({accessToken: 'é\u2028', expiresIn: NaN}, null)</script>",
    "<form method=post action='https://[broken'><input type=password name=p>",
    "<form method=post action='/x'><input name=''><button name=b></form>",
    "<script>for (;;) {}</script>",
)


@pytest.mark.parametrize("page", PAGES)
def test_whatever_stands_on_a_page_ends_in_a_report(page):
    document = json.loads((EXAMPLES / "2.0" / "video-resource.json").read_text())

    def answer(request):
        if str(request.url) == URL:
            return httpx.Response(200, json=document)
        if "/probe/" in request.url.path:
            return httpx.Response(200, json={"status": 401})
        odd = [
            ("Set-Cookie", "a=1; Path=/; Expires=never"),
            ("Set-Cookie", "=;;;"),
            ("Content-Security-Policy", ";;,, script-src"),
        ]
        return httpx.Response(200, headers=odd if "script" not in page else [], html=page)

    run(answer, requests=60, seconds=8)

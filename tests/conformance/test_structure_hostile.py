"""Documents that nobody would write: judged in sentences, within bounds, and never with an exception."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from iiif_auth.conformance import structure
from iiif_auth.conformance.documents import NotIIIF, read
from iiif_auth.conformance.findings import Finding, Outcome
from iiif_auth.conformance.structure import alpha, rules, v092, v1, v2, values
from tests.conformance.test_structure import AT, INFO, MANIFEST, example, failed, judge, passed, strip

WEIRD = (None, True, 7, -1.5, "", "x", "http://[", "\x1b[2J", [], [[]], [None], {}, {"a": 1}, {"": [""]}, "é" * 10_000)
SPOILT = (
    INFO,
    "mixed/manifest-auth1-and-auth2",
    "1.0/manifest-p2",
    "0.9.2/image-info-with-client-identity",
    "2.0-alpha/image-info-401-with-location",
    "2.0/image-probe-401-tiers",
    "2.0/image-probe-302-location",
    "2.0/token-error-missingAspect",
    "2.0-alpha/video-probe-http401-location",
    "1.0/defacto-probe-200-full",
    "1.0/token-message",
    "0.9.2/error-invalidClient",
)


def pointers(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if way:
        yield way
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in steps:
        yield from pointers(inner, (*way, step))


def spoilt(document: Any, way: tuple[Any, ...], value: Any) -> Any:
    found = holder = deepcopy(document)
    for step in way[:-1]:
        holder = holder[step]
    holder[way[-1]] = value
    return found


def findings(name: str, document: Any) -> list[Finding]:
    try:
        return list(judge(name)(document))
    except NotIIIF:
        return []


@pytest.mark.parametrize("name", SPOILT)
def test_whatever_stands_where_it_is_told_in_a_sentence(name):
    whole = example(name)
    for way in pointers(whole):
        for value in WEIRD:
            if way == ("id",) and name.startswith("2.0-alpha/video"):
                continue  # the test itself takes the address from there
            for finding in findings(name, spoilt(whole, way, value)):
                assert finding.evidence.isprintable()
                assert len(finding.evidence) < 600


@pytest.mark.parametrize("body", [None, True, 7, "x", [], [{}]])
def test_an_answer_that_is_no_object_fails(body):
    found = [
        *v2.probe_result(body, "Image", AT),
        *v2.message(body, "1", AT),
        *v1.message(body, "1", AT),
        *v1.message(body, None, AT, "0.9.4"),
        *v1.probe_result(body, AT, AT),
        *v092.message(body, "1", AT),
        *v092.authorization_code(body, AT),
        *alpha.probe_result(body, 200, AT),
        *alpha.message(body, "1", AT),
    ]
    assert [finding.outcome for finding in found] == [Outcome.FAIL] * 9
    assert all("object" in finding.evidence for finding in found)


@pytest.mark.parametrize("body", [{}, {"a": 1}])
def test_an_empty_answer_fails(body):
    assert failed(v2.probe_result(body, "Image", AT)) == {"A2-PRB-02"}
    assert failed(v2.message(body, "1", AT)) == {"A2-ERR-01"}
    assert failed(v1.message(body, None, AT)) == {"A1-ERR-01"}
    assert failed(v1.probe_result(body, AT, AT)) == {"A1X-03"}
    assert failed(v092.message(body, None, AT)) == {"A092-ERR-01"}
    assert failed(alpha.probe_result(body, 200, AT)) == {"A2A-PRB-02"}
    assert failed(alpha.message(body, None, AT)) == {"A2A-ERR-01"}


def test_a_manifest_with_hundreds_of_faults_tells_of_a_few_and_counts_the_rest():
    document = example(MANIFEST)
    canvas = document["items"][1]
    canvas["items"][0]["items"][0]["body"]["service"][0]["service"][1].pop("label")
    document["items"] = [json.loads(json.dumps(canvas).replace("/canvas/video", f"/canvas/{n}")) for n in range(500)]
    started = time.perf_counter()
    found = [f for f in structure.check(read(document["id"], document)) if f.outcome is Outcome.FAIL]
    assert time.perf_counter() - started < 10
    assert {finding.id for finding in found} == {"A2-ACC-05"}
    assert len(found) == rules.MOST
    assert found[-1].evidence.endswith("There are 495 more like these.")


# -- Services that stand at the top of a manifest -----------------------------------------------------------------


def kept() -> Any:
    """A manifest whose access services are in ``services``, and only named in the probes."""
    document = example(MANIFEST)
    bodies = [canvas["items"][0]["items"][0]["body"] for canvas in document["items"]]
    probes = [
        bodies[0]["service"][0]["service"][0],
        *(one for body in bodies for one in body["service"]),
        *rendered(document),
    ]
    probes = [probe for probe in probes if probe["type"] == "AuthProbeService2"]
    complete = {one["id"]: deepcopy(one) for probe in probes for one in probe["service"]}
    for probe in probes:
        for one in probe["service"]:
            strip(one)
    document["services"] = list(complete.values())
    return document


def rendered(document: Any) -> list[Any]:
    return [one for rendering in document["rendering"] for one in rendering["service"]]


def test_services_that_are_complete_elsewhere_are_not_incomplete_but_harder_to_find():
    found = list(structure.check(read(f"{AT}/manifest", kept())))
    assert failed(found) == {"A2-DECL-12"}
    assert {"A2-ACC-01", "A2-ACC-04", "A2-ACC-05", "A2-TSD-01", "A2-DECL-05"} <= passed(found)


def test_a_fault_of_a_service_at_the_top_is_found_there():
    document = kept()
    del document["services"][1]["label"]
    found = list(structure.check(read(f"{AT}/manifest", document)))
    assert failed(found) == {"A2-DECL-12", "A2-ACC-05"}
    assert [f.evidence for f in found if f.outcome is Outcome.FAIL and f.id == "A2-ACC-05"] == [
        "At /services/1/label, a language map, with lists of texts by language, was expected, but nothing is there."
    ]


def test_a_service_that_is_named_and_stands_nowhere_is_incomplete():
    document = kept()
    document["services"] = ["x", None, {}]
    assert {"A2-DECL-12", "A2-ACC-01", "A2-ACC-04"} <= failed(structure.check(read(f"{AT}/manifest", document)))


# -- On this machine there is no https ----------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["localhost:8000", "viewer.localhost", "127.0.0.1:8000", "127.9.9.9", "[::1]:8000"])
def test_on_loopback_https_can_not_be_tested_and_everything_else_can(host):
    body = json.loads(json.dumps(example(INFO)).replace("https://iiif.example.org", f"http://{host}"))
    found = list(structure.check(read(f"{body['id']}/info.json", body)))
    assert failed(found) == set()
    assert {finding.outcome for finding in found if finding.id == "A2-GEN-01"} == {Outcome.UNTESTABLE}
    assert {"A2-PSD-01", "A2-ACC-02", "A2-TSD-01", "A2-LOG-02"} <= passed(found)


@pytest.mark.parametrize(
    "host", ["iiif.example.org", "localhost.example.org", "127.0.0.1.example.org", "10.0.0.1", "[::2]"]
)
def test_elsewhere_http_is_not_enough(host):
    body = json.loads(json.dumps(example(INFO)).replace("https://iiif.example.org", f"http://{host}"))
    found = structure.check(read(f"{body['id']}/info.json", body))
    assert failed(found) == {"A2-GEN-01", "A2-PSD-01", "A2-ACC-02", "A2-TSD-01", "A2-LOG-02"}


# -- Values -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value", [{"en": ["x"]}, {"none": ["x"]}, {"de-CH-1996": ["x", "y"]}, {"en": ["x"], "de": ["y"]}]
)
def test_a_language_map_is_one(value):
    assert values.is_language_map(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "x",
        [],
        {},
        {"en": "x"},
        {"en": []},
        {"en": [""]},
        {"en": [" "]},
        {"en": [7]},
        {"en": None},
        {"in English": ["x"]},
    ]
    + [{"": ["x"]}, {"en": ["x"], "de": "y"}, [{"@value": "x"}]],
)
def test_anything_else_is_none(value):
    assert not values.is_language_map(value)


@pytest.mark.parametrize("value", ["x", {"@value": "x"}, {"@value": "x", "@language": "en"}, ["x", {"@value": "y"}]])
def test_a_text_is_one(value):
    assert values.is_text(value)


@pytest.mark.parametrize("value", [None, 7, "", " ", [], {}, {"en": ["x"]}, ["x", 7], {"@value": ""}])
def test_what_is_no_text_is_none(value):
    assert not values.is_text(value)


@pytest.mark.parametrize(
    "value", [None, 7, "", "x", "//x.example", "ftp://x.example", "https://", "http://[", "javascript:1"]
)
def test_what_is_no_uri_is_none(value):
    assert not values.is_uri(value)

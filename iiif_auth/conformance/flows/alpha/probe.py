"""Probes of content: a service that answers by HTTP status, or a HEAD of the content itself (sections 1.6 and 2.2.5)."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.browser import bearer, preflight, shown
from iiif_auth.conformance.findings import Finding, failed, judged, measured, passed, untestable
from iiif_auth.conformance.flows.earlier.contents import json_object
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.info import preflight_claims
from iiif_auth.conformance.flows.v1.media import Watching
from iiif_auth.conformance.structure import alpha as structure
from iiif_auth.conformance.web import Answer, origin_of, shortened


def is_declared(watching: Watching) -> Iterator[Finding]:
    content = watching.content
    evidence = f"{content.id} has {f'the probe {content.probe}' if content.probe else 'no probe; viewers send a HEAD'}."
    yield judged("A2A-PRB-01", bool(content.probe), evidence, content.id)


def tells_the_truth(watching: Watching) -> Iterator[Finding]:
    """Four answers: all of it, all of it elsewhere, something lesser, nothing."""
    content = watching.content
    if not content.probe:
        return
    answer = content.probed(watching.token)
    body = json_object(answer)
    yield from structure.probe_result(body, answer.status, content.probe)
    location = body.get("location")
    if location is None:
        sight = content.sight(watching.holder)
        told = f"{answer.told} {watching.how} answered {answer.status} without a location; {sight.told}"
        yield judged("A2A-PRB-03", sight.granted is (answer.status == 200), f"{told}.", content.probe)
    elif isinstance(location, str) and origin_of(location):
        yield from _leads_somewhere(watching, answer, location)


def _leads_somewhere(watching: Watching, answer: Answer, location: str) -> Iterator[Finding]:
    """What is named instead can be had by the one who asked; with 401 the content itself can not."""
    content = watching.content
    told = f"{answer.told} {watching.how} answered {answer.status} with the location {shortened(location)}"
    sight = content.sight(watching.holder, location)
    yield judged("A2A-PRB-03", sight.granted, f"{told}; {sight.told}.", content.probe)
    if answer.status == 401:
        itself = content.sight(watching.holder)
        evidence = f"{told}, which stands for a lesser version; {itself.told}."
        yield judged("A2A-PRB-03", not itself.granted and not content.is_itself(location), evidence, content.probe)


def can_be_asked(watching: Watching) -> Iterator[Finding]:
    """It always answers, so it answers viewers on other sites, and preflights."""
    content = watching.content
    if content.probe:
        answer, plain = preflight(content.tour, content.probe), content.probed()
        allowed = plain.header("access-control-allow-origin")
        told = f"{answer.told} (preflight) answered {answer.status}, and GET allowed {allowed or 'no origin'}"
        claims = [*preflight_claims(answer), ("Access-Control-Allow-Origin: * for GET too", allowed == "*")]
        yield measured("A2A-PRB-02", told, claims, "as viewers need it", content.probe)


def may_say_more(watching: Watching) -> Iterator[Finding]:
    """Two properties that the draft marks as not thought through."""
    content = watching.content
    if content.probe:
        body = json_object(content.probed())
        found = sorted({"for", "statusFor"} & {*body})
        told = f"has {' and '.join(found)}" if found else "has neither for nor statusFor"
        yield passed("A2A-PRB-04", f"{content.probed().told} {told}; both are allowed.", content.probe)


# -- HEAD ---------------------------------------------------------------------------------------------------------


def head_tells_the_truth(watching: Watching) -> Iterator[Finding]:
    """200 or 401, as the token would have it, and no body."""
    content = watching.content
    answer = content.asked_for("HEAD", watching.token)
    sight = content.sight(watching.holder)
    told = f"{answer.told} {watching.how} answered {answer.status}; {sight.told}"
    if (answer.status == 200) is sight.granted and answer.status in (200, 401):
        yield passed("A2A-HEAD-01", f"{told}.", content.id)
    elif content.probe and answer.status != 200:
        yield untestable("A2A-HEAD-01", f"{told}; it has a probe, so no HEAD is needed.", content.id)
    else:
        yield failed("A2A-HEAD-01", f"{told}; both should come to the same, 200 or 401.", content.id)


def head_lets_no_byte_out(watching: Watching) -> Iterator[Finding]:
    """A token that is good for a HEAD is no good for a GET."""
    content = watching.content
    if content.open_sight.granted:
        return
    head = content.asked_for("HEAD", watching.token)
    sight = shown(content.tour, content.id, content.kind, headers=bearer(watching.token))
    told = f"{head.told} {watching.how} answered {head.status}; {sight.told} with the same token and no cookie"
    yield judged("A2A-CONT-01", not sight.granted, f"{told}.", content.id)
    if sight.granted or head.status == 200:
        yield judged("A2A-HEAD-02", not sight.granted, f"{told}.", content.id)
    elif content.sight(watching.holder).granted and not content.probe:
        yield failed("A2A-HEAD-02", f"{told}; HEAD is expected to go by the token.", content.id)
    else:
        yield untestable("A2A-HEAD-02", f"{told}, so tokens do not count for HEAD.", content.id)


def head_can_be_sent(watching: Watching) -> Iterator[Finding]:
    content = watching.content
    answer = preflight(content.tour, content.id, "HEAD")
    methods = {name.strip().upper() for name in answer.header("access-control-allow-methods").split(",")}
    # HEAD needs no mention by the Fetch standard, only the token does.
    claims = [*preflight_claims(answer), ("HEAD in Access-Control-Allow-Methods, if that is sent", _allows(methods))]
    told = f"{answer.told} (preflight for HEAD) answered {answer.status}"
    yield measured("A2A-HEAD-03", told, claims, "and allows HEAD with Authorization", content.id)


def _allows(methods: set[str]) -> bool:
    return methods == {""} or bool({"HEAD", "*"} & methods)


ANYBODY: tuple[Check[Watching], ...] = (
    Check(("A2A-PRB-01",), is_declared),
    Check(("A2A-PRB-02", "A2A-PRB-03"), tells_the_truth),
    Check(("A2A-PRB-02",), can_be_asked),
    Check(("A2A-PRB-04",), may_say_more),
    Check(("A2A-HEAD-01",), head_tells_the_truth),
    Check(("A2A-HEAD-03",), head_can_be_sent),
)
HOLDERS: tuple[Check[Watching], ...] = (
    Check(("A2A-PRB-02", "A2A-PRB-03"), tells_the_truth),
    Check(("A2A-HEAD-01",), head_tells_the_truth),
    Check(("A2A-HEAD-02", "A2A-CONT-01"), head_lets_no_byte_out),
)

"""What is practised around 1.0 for film, sound and documents: a probe beside the cookie services, or a HEAD of the content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from iiif_auth.conformance.browser import preflight
from iiif_auth.conformance.findings import Finding, judged, measured, passed, untestable
from iiif_auth.conformance.flows.earlier.contents import Content, json_object
from iiif_auth.conformance.flows.earlier.people import Holder
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.info import preflight_claims
from iiif_auth.conformance.structure import v1 as structure
from iiif_auth.conformance.web import Answer, origin_of, shortened


@dataclass(frozen=True)
class Watching:
    """Some content, and somebody with a token, or nobody in particular."""

    content: Content
    holder: Holder | None = None

    @property
    def token(self) -> str:
        return self.holder.token if self.holder else ""

    @property
    def how(self) -> str:
        return f"with a token of {self.holder.name}" if self.holder else "without a token"


def probe_tells_the_truth(watching: Watching) -> Iterator[Finding]:
    """200 and the same address for all of it, 200 and another for a lesser version, 401 for nothing."""
    content = watching.content
    if not content.probe:
        return
    answer = content.probed(watching.token)
    if answer.status not in (200, 401):
        evidence = f"{answer.told} {watching.how} answered {answer.status}; 200 or 401 is expected."
        yield judged("A1X-02", False, evidence, content.probe)
        return
    body = json_object(answer)
    yield from structure.probe_result(body, content.id, content.probe)
    location = body.get("contentLocation")
    if isinstance(location, str) and origin_of(location):
        yield from _what_it_says_is_so(watching, answer, location)


def _what_it_says_is_so(watching: Watching, answer: Answer, location: str) -> Iterator[Finding]:
    content = watching.content
    sight = content.sight(watching.holder, "" if content.is_itself(location) else location)
    told = f"{answer.told} {watching.how} answered {answer.status} with {shortened(location)}; {sight.told}"
    if answer.status == 200 or content.is_itself(location):
        yield judged("A1X-02", sight.granted is (answer.status == 200), f"{told}.", content.probe)


def probe_can_be_asked(watching: Watching) -> Iterator[Finding]:
    content = watching.content
    if content.probe:
        answer = preflight(content.tour, content.probe)
        told = f"{answer.told} (preflight) answered {answer.status}"
        yield measured("A1X-02", told, preflight_claims(answer), "and allows Authorization", content.probe)
        allowed = content.probed().header("access-control-allow-origin")
        evidence = f"{content.probed().told} allows {allowed or 'no origin'} to read it; * is expected."
        yield judged("A1X-02", allowed == "*", evidence, content.probe)


def head_tells_the_truth(watching: Watching) -> Iterator[Finding]:
    """Without a probe viewers send a HEAD with the token; beside one a server may do as it likes, but not say yes for nothing."""
    content = watching.content
    answer = content.asked_for("HEAD", watching.token)
    sight = content.sight(watching.holder)
    told = f"{answer.told} {watching.how} answered {answer.status}; {sight.told}"
    if (answer.status == 200) is sight.granted:
        yield passed("A1X-01", f"{told}.", content.id)
    elif sight.granted and content.probe:
        yield untestable("A1X-01", f"{told}; it has a probe, so no HEAD is needed.", content.id)
    else:
        yield judged("A1X-01", False, f"{told}; both should come to the same.", content.id)


def head_can_be_sent(watching: Watching) -> Iterator[Finding]:
    content = watching.content
    if not content.probe:
        answer = preflight(content.tour, content.id, "HEAD")
        told = f"{answer.told} (preflight for HEAD) answered {answer.status}"
        yield measured("A1X-01", told, preflight_claims(answer), "and allows Authorization", content.id)


ANYBODY: tuple[Check[Watching], ...] = (
    Check(("A1X-02", "A1X-03"), probe_tells_the_truth),
    Check(("A1X-02",), probe_can_be_asked),
    Check(("A1X-01",), head_tells_the_truth),
    Check(("A1X-01",), head_can_be_sent),
)
HOLDERS: tuple[Check[Watching], ...] = (
    Check(("A1X-02", "A1X-03"), probe_tells_the_truth),
    Check(("A1X-01",), head_tells_the_truth),
)

"""0.9.4 is 1.0 with a 0 in its URIs, and shares these URIs with 0.9.2: which of the two is spoken shows in the request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from iiif_auth.conformance.documents import VERSION_0, Service
from iiif_auth.conformance.findings import Finding, Outcome, failed, judged, passed, untestable
from iiif_auth.conformance.flows.earlier.people import Asking, child_of
from iiif_auth.conformance.flows.flow import Check
from iiif_auth.conformance.flows.v1.token import is_origin
from iiif_auth.conformance.person import profile
from iiif_auth.conformance.table import REQUIREMENTS
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import shortened

ALL = "A094-ALL-01"
IDS = (ALL, "A094-DIFF-01", "A094-DIFF-02", "A094-DIFF-03")
WORDS = frozenset({"header", "confirmLabel", "failureHeader", "failureDescription"})
"""What a service of 0.9.4 has to say, and one of 0.9.2 has not."""


def is_old(access: Service) -> bool:
    """Whether a service can be one of 0.9.2: there was nothing but the login."""
    return profile(access) == "login"


def is_new(access: Service) -> bool:
    """Whether a service can only be one of 0.9.4."""
    return not is_old(access) or bool(WORDS & {*access.body})


def why_not(tour: Tour) -> str:
    """Why what is found under auth/0 is not judged as 0.9.4; empty if it is."""
    services = list(tour.services(VERSION_0, "access"))
    if "0.9.4" in tour.options.versions or any(map(is_new, services)):
        return ""
    return (
        "Every service under auth/0 is a login with nothing that 0.9.2 had not, so it is judged as 0.9.2 only; "
        "give --version 0.9.4 to judge it as that too."
    )


# -- The rules of 1.0 under another name --------------------------------------------------------------------------


def as_094(found: Iterable[Finding]) -> Iterator[Finding]:
    """What is found by the rules of 1.0, as findings about 0.9.4. Only what binds counts, for A094-ALL-01 is a MUST."""
    kept: dict[str, None] = {}
    untried: dict[str, str] = {}
    for finding in found:
        if finding.id in IDS:
            yield finding
        elif REQUIREMENTS[finding.id].binds:
            yield from _sorted_in(finding, kept, untried)
    yield from _summed_up(kept, untried)


def _sorted_in(finding: Finding, kept: dict[str, None], untried: dict[str, str]) -> Iterator[Finding]:
    if finding.outcome is Outcome.FAIL:
        yield failed(ALL, f"{finding.id}: {finding.evidence}", finding.url)
    elif finding.outcome is Outcome.PASS:
        kept[finding.id] = None
    else:
        untried.setdefault(finding.id, finding.evidence)


def _summed_up(kept: Mapping[str, None], untried: Mapping[str, str]) -> Iterator[Finding]:
    if kept:
        yield passed(ALL, f"With auth/0 in place of auth/1, the server keeps {', '.join(sorted(kept))}.")
    for id, why in untried.items():
        if id not in kept:
            yield untestable(ALL, f"{id}: {why}")


# -- The difference to 0.9.2 --------------------------------------------------------------------------------------


def knows_viewers_by_their_origin(asking: Asking) -> Iterator[Finding]:
    """With an origin the message goes there; without one it goes to anybody, as in 0.9.2, or is an error."""
    named, unnamed = asking.holder.answer, asking.in_frame(("messageId", "old"))
    if named is None:
        return
    sound = bool(named.posted) and all(is_origin(one.target, asking.tour.origin) for one in named.posted)
    evidence = f"With an origin {_told(asking)} {named.told}; {asking.tour.origin!r} is expected as the target."
    yield judged("A094-DIFF-01", sound, evidence, asking.url)
    if is_old(asking.holder.access):
        evidence = f"Without an origin {_told(asking)} {unnamed.told}; a message to '*' is expected, as in 0.9.2."
        yield judged("A094-DIFF-01", unnamed.target == "*", evidence, asking.url)
    else:
        fair = not unnamed.token
        evidence = f"Without an origin {_told(asking)}, which 0.9.2 does not have, {unnamed.told}."
        yield judged("A094-DIFF-01", fair, evidence, asking.url)


def may_say_bearer(asking: Asking) -> Iterator[Finding]:
    """``tokenType`` is for viewers of 0.9.2, and does no harm."""
    if asking.holder.token:
        kind = asking.holder.message.get("tokenType")
        told = f"tokenType {kind!r}" if kind else "no tokenType"
        yield judged("A094-DIFF-03", kind in (None, "Bearer"), f"{_told(asking)} gave {told}.", asking.url)


def keeps_clients_out(asking: Asking) -> Iterator[Finding]:
    """Client identities are of 0.9.2; where a login serves both, they stand there for that one."""
    access = asking.holder.access
    client = child_of(access, "client")
    if not is_old(access):
        told = f"the client identity service {client}" if client else "no client identity service"
        evidence = f"{asking.holder.name} has {told}."
        yield judged("A094-DIFF-02", not client, evidence, access.id)
    elif client:
        why = f"{asking.holder.name} has a client identity service: the login is one of 0.9.2 too, and not of 0.9.4 alone."
        yield untestable("A094-DIFF-02", why, access.id)
    else:
        yield passed("A094-DIFF-02", f"{asking.holder.name} has no client identity service.", access.id)


def _told(asking: Asking) -> str:
    return shortened(asking.url, 120)


ASKING: tuple[Check[Asking], ...] = (
    Check(("A094-DIFF-01",), knows_viewers_by_their_origin),
    Check(("A094-DIFF-03",), may_say_bearer),
    Check(("A094-DIFF-02",), keeps_clients_out),
)

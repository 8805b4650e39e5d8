"""The walk through a server of 2.0.0: look as a stranger, go through every access service, look again, and leave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from iiif_auth.conformance.cookies import Jar
from iiif_auth.conformance.documents import VERSION_2, Document, Service
from iiif_auth.conformance.findings import Finding, failed, passed, untestable
from iiif_auth.conformance.flows.flow import carried_out
from iiif_auth.conformance.flows.v2 import access, content, logout, probe, token
from iiif_auth.conformance.flows.v2.targets import Target, key_of, status_of, substitutes, targets
from iiif_auth.conformance.person import Holder, Visit, become, profile
from iiif_auth.conformance.script import CannotRun
from iiif_auth.conformance.tour import Tour, on_loopback
from iiif_auth.conformance.web import Unreachable, origin_of

MOST_TIERS = 3
"""How far substitutes of substitutes are followed."""
THOROUGH = 2
"""Token services that are asked everything; the others are asked as viewers ask."""


def walk(tour: Tour) -> Iterator[Finding]:
    found = targets(tour)
    yield from encrypted(tour)
    yield from as_a_stranger(tour, found)
    holders = [become_somebody(tour, one) for one in tour.services(VERSION_2, "access") if key_of(one)]
    for holder in holders:
        yield from through(tour, holder)
    yield from asked_for_tokens(tour, holders)
    yield from with_tokens(tour, found, holders)
    for holder in holders:
        yield from leaving(tour, holder, found)


# -- As a stranger ------------------------------------------------------------------------------------------------


def as_a_stranger(tour: Tour, found: list[Target]) -> Iterator[Finding]:
    """Every target; what its probe offers instead is looked at too, and put into the list."""
    for target in found:
        yield from carried_out(tour, content.OPEN, target)
        if target.probe is not None:
            yield from carried_out(tour, probe.PLAIN, target)
        if target.thorough:
            yield from carried_out(tour, (*probe.THOROUGH, *content.THOROUGH), target)
        if target.probe is not None:
            found.extend(lower_tiers(found, target))
    for info in infos(found):
        yield from carried_out(tour, content.INFO, (tour, info))


def lower_tiers(found: list[Target], target: Target) -> list[Target]:
    """What is offered instead of a target and is itself controlled, unless it is in the list already."""
    if depth(found, target) >= MOST_TIERS:
        return []
    try:
        offered = substitutes(target, target.plain)
    except Unreachable:
        return []
    known = {one.url for one in found}
    kinds = {one.accesses for one in found if one.thorough}
    new = [one for one in offered if one.probe is not None and one.url not in known]
    return [replace(one, thorough=one.accesses not in kinds) for one in new]


def depth(found: list[Target], target: Target) -> int:
    """How many probes led to this one."""
    above = next((one for one in found if one.url == target.offered_by), None)
    return 0 if above is None or above is target else 1 + depth(found, above)


def infos(found: list[Target]) -> list[Document]:
    """The info.json of one target of each kind."""
    return list({info.url: info for target in found if target.thorough for info in target.infos}.values())


# -- Through the access services ----------------------------------------------------------------------------------


def become_somebody(tour: Tour, service: Service) -> Holder:
    """As :func:`become`; who is stopped by an unreachable server or a page that can not be run is told so."""
    try:
        return become(tour, service)
    except (Unreachable, CannotRun) as problem:
        return Holder(service, None, Jar(), visit=Visit(service, Jar(), problem=str(problem)))


def through(tour: Tour, holder: Holder) -> Iterator[Finding]:
    visiting = access.Visiting(tour, holder)
    yield from carried_out(tour, access.checks_for(holder), visiting)
    yield from carried_out(tour, logout.LOGOUT, token.Asking(tour, holder))


def asked_for_tokens(tour: Tour, holders: list[Holder]) -> Iterator[Finding]:
    """Token services asked by strangers, and by those who went through; some of them everything."""
    ready = sorted(holders, key=lambda one: (not one.token, not one.cookies))
    for number, holder in enumerate(ready):
        asking = token.Asking(tour, holder)
        yield from carried_out(tour, token.STRANGER, asking)
        if number < THOROUGH:
            yield from carried_out(tour, token.STRANGER_THOROUGH, asking)
        if holder.token:
            more = token.HOLDING_THOROUGH if number < THOROUGH else ()
            yield from carried_out(tour, (*token.HOLDING, *more), asking)


# -- With tokens --------------------------------------------------------------------------------------------------


def with_tokens(tour: Tour, found: list[Target], holders: list[Holder]) -> Iterator[Finding]:
    able = [holder for holder in holders if holder.token]
    if not able:
        why = holders[0].why_not if holders else "No access service was found."
        yield from (untestable(id, why) for id in NEED_A_TOKEN)
        return
    for target in found:
        own = [holder for holder in able if key_of(holder.access) in target.accesses]
        for holder in own:
            yield from _held(tour, target, holder)
    for trio in with_strangers(found, able)[:THOROUGH]:
        yield from carried_out(tour, probe.FOREIGN, trio)
    for info in infos(found)[:1]:
        yield from carried_out(tour, content.INFO_HOLDING, (tour, info, able[0]))


def with_strangers(found: list[Target], able: list[Holder]) -> list[tuple[Target, Holder, Holder]]:
    """Targets that somebody opens, and somebody else whose service is not under their probe."""
    return [
        (target, own, stranger)
        for target in found
        for own in able
        for stranger in able
        if key_of(own.access) in target.accesses and opens(target, own)
        if key_of(stranger.access) not in target.accesses and stranger.cookies
    ]


def _held(tour: Tour, target: Target, holder: Holder) -> Iterator[Finding]:
    yield from carried_out(tour, probe.HOLDING, (target, holder))
    if target.thorough:
        yield from carried_out(tour, (*probe.HOLDING_THOROUGH, *content.HOLDING), (target, holder))
        yield from reaches_both(target, holder)


def reaches_both(target: Target, holder: Holder) -> Iterator[Finding]:
    """The cookie that the token service goes by goes to the content as well (A2-TOK-10)."""
    cookies = [one for one in holder.jar if one.name in holder.cookies]
    if not cookies or holder.token_service is None or origin_of(target.content) == "":
        return
    reached = [one for one in cookies if one.goes_to(target.content) and one.goes_to(holder.token_service.id)]
    told = "goes to both" if reached else "goes to one of them only"
    evidence = f"The cookie {', '.join(holder.cookies)}: {told}, {holder.token_service.id} and {target.content}."
    yield (passed if reached else failed)("A2-TOK-10", evidence, target.content)


NEED_A_TOKEN = (
    *("A2-TOK-05", "A2-TOK-06", "A2-TOK-07", "A2-TOK-09", "A2-TOK-10", "A2-TOK-14"),
    *("A2-PRB-03", "A2-PRB-05", "A2-PRB-07", "A2-PRB-17", "A2-CONT-01", "A2-CONT-04", "A2-CONT-05"),
)


# -- Leaving, and the way there -----------------------------------------------------------------------------------


def leaving(tour: Tour, holder: Holder, found: list[Target]) -> Iterator[Finding]:
    opener = next((one for one in found if key_of(holder.access) in one.accesses and opens(one, holder)), None)
    if profile(holder.access) != "external":
        yield from carried_out(tour, logout.LEAVING, (token.Asking(tour, holder), opener))


def opens(target: Target, holder: Holder) -> bool:
    """Whether a token makes a difference to a probe, as far as it was asked."""
    answer = target.answers.get(holder.token)
    try:
        return answer is not None and status_of(answer) != status_of(target.plain)
    except Unreachable:
        return False


def encrypted(tour: Tour) -> Iterator[Finding]:
    """Nothing is said in the clear: plain http is closed, or sends on to https (A2-GEN-01)."""
    urls = [one.id for role in ("probe", "access", "token") for one in tour.services(VERSION_2, role) if one.id]
    if not urls or on_loopback(urls) or not urls[0].startswith("https:"):
        return
    plain = f"http{origin_of(urls[0]).removeprefix('https')}/"
    try:
        answer = tour.web.ask("GET", plain)
    except Unreachable:
        yield passed("A2-GEN-01", f"Nobody answers at {plain}.", plain)
        return
    safe = (answer.redirects_to or "").startswith("https:")
    evidence = f"{answer.told} answered {answer.status}{' and sends on to https' if safe else ' instead of sending on to https'}."
    yield (passed if safe else failed)("A2-GEN-01", evidence, plain)

"""The walk through a server of the 2.0 alpha."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.documents import ALPHA
from iiif_auth.conformance.findings import Finding, untestable
from iiif_auth.conformance.flows.alpha import access, info, probe, token
from iiif_auth.conformance.flows.earlier.contents import contents
from iiif_auth.conformance.flows.earlier.images import images
from iiif_auth.conformance.flows.earlier.people import Asking, Holder, Visiting, become_somebody, key_of
from iiif_auth.conformance.flows.flow import carried_out
from iiif_auth.conformance.flows.v1.info import Holding
from iiif_auth.conformance.flows.v1.media import Watching
from iiif_auth.conformance.person import Query, profile
from iiif_auth.conformance.tour import Tour

THOROUGH = 2
"""Token services that are asked everything; the others are asked as viewers ask."""
NEED_A_TOKEN = ("A2A-TOK-01", "A2A-HEAD-02", "A2A-OUT-01")


def walk(tour: Tour) -> Iterator[Finding]:
    yield from _as_a_stranger(tour)
    holders = [become_somebody(tour, one) for one in tour.services(ALPHA, "access") if key_of(one)]
    for holder in holders:
        yield from carried_out(tour, access.checks_for(holder), Visiting(tour, holder, query(tour)))
    yield from _asked(tour, holders)
    yield from _with_tokens(tour, holders)
    for holder in holders:
        if profile(holder.access) != "external":
            yield from carried_out(tour, access.LEAVING, Asking(tour, holder, query(tour)))


def query(tour: Tour) -> Query:
    """What a viewer tells of itself."""
    return (("origin", tour.origin),)


def _as_a_stranger(tour: Tour) -> Iterator[Finding]:
    for image in images(tour, ALPHA):
        more = info.ANYBODY_THOROUGH if image.thorough else ()
        yield from carried_out(tour, (*info.ANYBODY, *more), image)
    for content in contents(tour, ALPHA):
        yield from carried_out(tour, probe.ANYBODY, Watching(content))


def _asked(tour: Tour, holders: list[Holder]) -> Iterator[Finding]:
    """Token services asked by strangers, and by those who went through; some of them everything."""
    for number, holder in enumerate(sorted(holders, key=lambda one: (not one.token, not one.cookies))):
        asking = Asking(tour, holder, query(tour))
        yield from carried_out(tour, token.STRANGER, asking)
        if holder.token:
            more = token.HOLDING_THOROUGH if number < THOROUGH else ()
            yield from carried_out(tour, (*token.HOLDING, *more), asking)


def _with_tokens(tour: Tour, holders: list[Holder]) -> Iterator[Finding]:
    able = [holder for holder in holders if holder.token]
    if not able:
        why = holders[0].why_not if holders else "No access service was found."
        yield from (untestable(id, why) for id in NEED_A_TOKEN)
        return
    for image in images(tour, ALPHA):
        for holder in image.holders(able):
            more = info.HOLDERS_THOROUGH if image.thorough else ()
            yield from carried_out(tour, (*info.HOLDERS, *more), Holding(image, holder))
    for content in contents(tour, ALPHA):
        for holder in content.holders(able):
            yield from carried_out(tour, probe.HOLDERS, Watching(content, holder))

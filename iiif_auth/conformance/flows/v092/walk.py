"""The walk through a server of 0.9.2, as a viewer that tells no origin."""

from __future__ import annotations

from collections.abc import Iterator

from iiif_auth.conformance.documents import VERSION_0
from iiif_auth.conformance.findings import Finding, untestable
from iiif_auth.conformance.flows.earlier.images import Image, images
from iiif_auth.conformance.flows.earlier.people import Asking, Holder, Visiting, become_somebody, child_of, key_of
from iiif_auth.conformance.flows.flow import carried_out
from iiif_auth.conformance.flows.v092 import client, info, login, token
from iiif_auth.conformance.flows.v1.delta import is_new, is_old
from iiif_auth.conformance.flows.v1.info import Holding
from iiif_auth.conformance.table import of_versions
from iiif_auth.conformance.tour import Tour

VERSION = "0.9.2"
NEED_A_TOKEN = (
    *("A092-INFO-06", "A092-INFO-07", "A092-LOGIN-02", "A092-LOGIN-03", "A092-TOK-01", "A092-TOK-02", "A092-TOK-03"),
    *("A092-TOK-05", "A092-CONT-02", "A092-SEC-01", "A092-OUT-02"),
)
NOBODY_REFUSED = (
    "Whoever logged in may see everything that was looked at, or a lesser version of it; "
    "give the account of somebody who may not."
)
NOBODY_SENT_ON = (
    "Whoever logged in got the best version of everything that was looked at; give the account of somebody who may not."
)


NO_LOGIN = "There is no login service under auth/0, and 0.9.2 has nothing else."
ONLY_094 = (
    "Every login under auth/0 says what only 0.9.4 can say, and gives viewers that tell no origin nothing, so it is judged as "
    "0.9.4 only; give --version 0.9.2 to judge it as that too."
)
UNDERSTOOD = ("missingCredentials", "invalidCredentials", "invalidClient")
"""Errors of a server that understood a viewer without an origin."""


def walk(tour: Tour) -> Iterator[Finding]:
    logins = [one for one in tour.services(VERSION_0, "access") if is_old(one) and one.id]
    everybody = [become_somebody(tour, one, ()) for one in logins]
    holders = [one for one in everybody if VERSION in tour.options.versions or speaks_it(one)]
    if not holders:
        yield from (untestable(row.id, ONLY_094 if logins else NO_LOGIN) for row in of_versions([VERSION]))
        return
    keys = {key_of(one.access) for one in holders}
    found = [image for image in images(tour, VERSION_0) if image.accesses & keys]
    yield from _as_a_stranger(tour, found)
    for holder in holders:
        yield from carried_out(tour, login.PAGES, Visiting(tour, holder, ()))
    yield from _asked(tour, holders)
    yield from _with_tokens(tour, found, holders)
    for holder in holders:
        yield from carried_out(tour, login.LEAVING, Asking(tour, holder, ()))


def speaks_it(holder: Holder) -> bool:
    """Whether a login is meant for viewers of 0.9.2 too: by its words, a client identity service, or what it answers them.

    Both versions have the same URIs, and a login of 0.9.4 alone owes nothing to viewers that tell no origin.
    """
    if not is_new(holder.access) or child_of(holder.access, "client"):
        return True
    return bool(holder.token) or holder.message.get("error") in UNDERSTOOD


def _as_a_stranger(tour: Tour, found: list[Image]) -> Iterator[Finding]:
    for image in found:
        more = info.ANYBODY_THOROUGH if image.thorough else ()
        yield from carried_out(tour, (*info.ANYBODY, *more), image)


def _asked(tour: Tour, holders: list[Holder]) -> Iterator[Finding]:
    for number, holder in enumerate(sorted(holders, key=lambda one: not one.token)):
        asking = Asking(tour, holder, ())
        yield from carried_out(tour, token.STRANGER, asking)
        if holder.token:
            more = token.HOLDING_THOROUGH if not number else ()
            yield from carried_out(tour, (*token.HOLDING, *more), asking)
    yield from _identified(tour, holders)


def _identified(tour: Tour, holders: list[Holder]) -> Iterator[Finding]:
    """One client identity service is asked everything: the others are of the same server."""
    found = [(holder, url) for holder in holders if (url := child_of(holder.access, "client"))]
    for holder, url in sorted(found, key=lambda one: not one[0].token)[:1]:
        yield from carried_out(tour, client.CHECKS, client.Identifying(Asking(tour, holder, ()), url))


def _with_tokens(tour: Tour, found: list[Image], holders: list[Holder]) -> Iterator[Finding]:
    able = [holder for holder in holders if holder.token]
    if not able:
        yield from (untestable(id, holders[0].why_not) for id in NEED_A_TOKEN)
        return
    for image in found:
        for holder in image.holders(able):
            more = info.HOLDERS_THOROUGH if image.thorough else ()
            yield from carried_out(tour, (*info.HOLDERS, *more), Holding(image, holder))
    yield untestable("A092-INFO-06", NOBODY_REFUSED)
    yield untestable("A092-CONT-02", NOBODY_SENT_ON)

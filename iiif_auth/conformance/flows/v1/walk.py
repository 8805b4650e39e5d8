"""The walk through a server of 1.0, or of 0.9.4: as a stranger, through every access service, with tokens, and out again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from iiif_auth.conformance.documents import VERSION_0, VERSION_1
from iiif_auth.conformance.findings import Finding, untestable
from iiif_auth.conformance.flows.earlier.contents import contents
from iiif_auth.conformance.flows.earlier.images import Image, images
from iiif_auth.conformance.flows.earlier.people import Asking, Holder, Visiting, become_somebody, key_of
from iiif_auth.conformance.flows.flow import Check, carried_out
from iiif_auth.conformance.flows.v1 import access, delta, info, media, token
from iiif_auth.conformance.flows.v1.info import Holding
from iiif_auth.conformance.flows.v1.media import Watching
from iiif_auth.conformance.person import Query, profile
from iiif_auth.conformance.tour import Tour

Subject = TypeVar("Subject")
THOROUGH = 2
"""Token services that are asked everything; the others are asked as viewers ask."""
NEED_A_TOKEN = (
    "A1-INFO-06",
    "A1-TOK-01",
    "A1-TOK-03",
    "A1-ACC-03",
    "A1-CONT-02",
    "A1-SEC-01",
    "A1-SEC-02",
    "A1-OUT-02",
)


@dataclass(frozen=True)
class Walk:
    """One walk, in one version as documents tell them apart."""

    tour: Tour
    version: str

    @property
    def query(self) -> Query:
        """What a viewer tells of itself."""
        return (("origin", self.tour.origin),)

    def carried_out(self, checks: Iterable[Check[Subject]], subject: Subject) -> Iterator[Finding]:
        """Every check that was asked for; those of 0.9.4 all go by one name."""
        named = [Check((delta.ALL,), one.look) for one in checks] if self.version == VERSION_0 else checks
        return carried_out(self.tour, named, subject)


def walk(tour: Tour) -> Iterator[Finding]:
    """Everything about 1.0, and about what is practised around it."""
    yield from _walk(Walk(tour, VERSION_1))


def walk_094(tour: Tour) -> Iterator[Finding]:
    """Everything about 0.9.4: what 1.0 asks for, and how it differs from 0.9.2."""
    if why := delta.why_not(tour):
        yield from (untestable(id, why) for id in delta.IDS)
        return
    walking = Walk(tour, VERSION_0)
    yield from delta.as_094(_walk(walking))


def _walk(walking: Walk) -> Iterator[Finding]:
    tour = walking.tour
    found = images(tour, walking.version)
    for image in found:
        more = info.ANYBODY_THOROUGH if image.thorough else ()
        yield from walking.carried_out((*info.ANYBODY, *more), image)
    services = [one for one in tour.services(walking.version, "access") if key_of(one)]
    holders = [become_somebody(tour, one) for one in services]
    yield from _through(walking, holders)
    yield from _asked(walking, holders)
    yield from _with_tokens(walking, found, holders)
    if walking.version == VERSION_1:
        yield from _watched(walking, holders)
    for holder in holders:
        if profile(holder.access) != "external":
            yield from walking.carried_out(access.LEAVING, Asking(tour, holder, walking.query))


def _through(walking: Walk, holders: list[Holder]) -> Iterator[Finding]:
    for holder in holders:
        visiting = Visiting(walking.tour, holder, walking.query)
        yield from walking.carried_out(access.checks_for(holder), visiting)
        if profile(holder.access) == "external":
            yield from walking.carried_out(access.EXTERNAL, Asking(walking.tour, holder, walking.query))


def _asked(walking: Walk, holders: list[Holder]) -> Iterator[Finding]:
    """Token services asked by strangers, and by those who went through; some of them everything."""
    ready = sorted(holders, key=lambda one: (not one.token, not one.cookies))
    for number, holder in enumerate(ready):
        asking = Asking(walking.tour, holder, walking.query)
        thorough = number < THOROUGH
        yield from walking.carried_out(token.STRANGER, asking)
        if thorough and walking.version == VERSION_1:
            yield from walking.carried_out(token.WITHOUT_ORIGIN, asking)
        if thorough and walking.version == VERSION_0:
            yield from walking.carried_out(delta.ASKING, asking)
        if holder.token:
            more = token.HOLDING_THOROUGH if thorough else ()
            yield from walking.carried_out((*token.HOLDING, *more), asking)


def _with_tokens(walking: Walk, found: list[Image], holders: list[Holder]) -> Iterator[Finding]:
    able = [holder for holder in holders if holder.token]
    if not able:
        why = holders[0].why_not if holders else "No access service was found."
        yield from (untestable(id, why) for id in NEED_A_TOKEN)
        return
    for image in found:
        own = image.holders(able)
        for holder in own:
            more = info.HOLDERS_THOROUGH if image.thorough else ()
            yield from walking.carried_out((*info.HOLDERS, *more), Holding(image, holder))
        strangers = [holder for holder in able if holder not in own and holder.cookies]
        if image.thorough and strangers:
            yield from walking.carried_out(info.STRANGERS, Holding(image, strangers[0]))


def _watched(walking: Walk, holders: list[Holder]) -> Iterator[Finding]:
    for content in contents(walking.tour, walking.version):
        yield from walking.carried_out(media.ANYBODY, Watching(content))
        for holder in content.holders(holders):
            yield from walking.carried_out(media.HOLDERS, Watching(content, holder))

"""Where a browser is sent for what it may have, if that is not the published address: a signed one (requirement A2-PRB-12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from iiif_auth.enforce import doors, signed
from iiif_auth.policy.decide import in_force, is_allowed
from iiif_auth.policy.types import Allowed, Offer, Rendition, Subject
from iiif_auth.store import PassFacts


def delivered(decision: Allowed, offer: Offer, holder: PassFacts, here: Subject, now: datetime) -> Allowed:
    """The same yes, with a signed address as its location, where a policy in force says so.

    ``here`` is whoever has nothing in hand at the address that asks: for somebody who may have it anyhow, nothing is signed.
    """
    if not signs(offer) or is_allowed(offer, here, now):
        return decision
    rendition = decision.rendition
    place = rendition.location or rendition.uri
    address = signed.address(place, signed.issue(place, holder, now))
    return replace(decision, rendition=replace(rendition, location=address))


def signs(offer: Offer) -> bool:
    """Whether a policy that bears on it wants signed addresses."""
    return any(policy is not None and policy.signed for policy in in_force(offer.levels))


def edge_address(rendition: Rendition, now: datetime) -> str | None:
    """The address at which a web server alone lets somebody have a rendition for some seconds.

    ``None`` without ``EDGE_KEYS``, for what is on another site, and for what only the app can find: the web server knows no more
    than the name in the address, so a rendition with a source of its own, or cut on the fly, would be another file there.
    """
    if rendition.source or rendition.virtual or not rendition.uri.startswith("/"):
        return None
    try:
        item = doors.asked(rendition.uri).item
    except doors.NotCanonical:
        return None
    address = signed.edge_address(item, now)
    return None if address is None else address.removesuffix(item) + rendition.uri

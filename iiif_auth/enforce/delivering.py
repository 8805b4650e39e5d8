"""Where a browser is sent for what it may have, if that is not the published address: to what the site's own hook says, such as
an object in a private bucket, or to an address that we sign (requirements A2-PRB-12, A2-PRB-15).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from iiif_auth.conf import conf
from iiif_auth.enforce import doors, objects, signed
from iiif_auth.policy.decide import in_force, is_allowed
from iiif_auth.policy.types import Allowed, ImageApi, Offer, Rendition, Subject
from iiif_auth.store import PassFacts


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who shows a token: the pass behind it, and whoever has nothing in hand at the same address.

    ``cookieless``: the token was drawn in a browser that was measured to keep our cookies out.
    """

    holder: PassFacts | None
    here: Subject
    cookieless: bool = False


def delivered_to(bearer: Bearer, decision: Allowed, offer: Offer, now: datetime) -> Allowed | None:
    """The same yes as :func:`delivered`, or ``None`` where no cookie can come and no policy has an address signed instead.

    A probe that said yes there would send the viewer to pictures that the content refuses (INV5).
    """
    holder = bearer.holder
    found = delivered(decision, offer, holder, bearer.here, now)
    if not bearer.cookieless or holder is None or found is not decision or is_allowed(offer, bearer.here, now):
        return found
    return _signed(decision, holder, now) if signs_if_blocked(offer) else None


def delivered(decision: Allowed, offer: Offer, holder: PassFacts | None, here: Subject, now: datetime) -> Allowed:
    """The same yes, with its location where that is not the published address.

    What the ``LOCATIONS`` hook says comes first, for everybody: what is elsewhere is not at its own address for anybody. Then a
    signed address, where a policy in force says so, for the pass of ``holder``. ``here`` is whoever has nothing in hand at the
    address that asks: for somebody who may have it anyhow, nothing is signed.

    Raises:
        Exception: whatever the hook raises, and what :func:`elsewhere` says of its answer; neither is a yes (INV6).
    """
    address = elsewhere(decision.rendition)
    if address is not None:
        return _at(decision, address)
    if holder is not None and signs(offer) and not is_allowed(offer, here, now):
        return _signed(decision, holder, now)
    return decision


def _signed(decision: Allowed, holder: PassFacts, now: datetime) -> Allowed:
    place = decision.rendition.location or decision.rendition.uri
    return _at(decision, signed.address(place, signed.issue(place, holder, now)))


def _at(decision: Allowed, address: str) -> Allowed:
    return replace(decision, rendition=replace(decision.rendition, location=address))


def elsewhere(rendition: Rendition) -> str | None:
    """Where the site's own hook has a rendition, if there is a hook and it knows; asked only once somebody may have it.

    Raises:
        TypeError: the hook answers with something else than an address.
        objects.NotAnAddress: it is none that a browser can be sent to, over https or on this machine.
    """
    hook = conf.LOCATIONS
    address = None if hook is None else hook(rendition)
    if address is None:
        return None
    if not isinstance(address, str):
        raise TypeError("The LOCATIONS hook must return an address, or None for what is at its own.")
    if rendition.image_api is not ImageApi.NONE and "?" in address:
        raise objects.NotAnAddress("An image service can not have a ? in its address: viewers add to the end of it.")
    return objects.reachable(address)


def signs(offer: Offer) -> bool:
    """Whether a policy that bears on it wants signed addresses."""
    return any(policy is not None and policy.signed for policy in in_force(offer.levels))


def signs_if_blocked(offer: Offer) -> bool:
    """Whether a policy that bears on it wants signed addresses for browsers that keep our cookies out."""
    return any(policy is not None and policy.signed_if_blocked for policy in in_force(offer.levels))


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

"""From rows to the values that policy judges.

Rules that many resources share are few and change rarely: they are read once into a :class:`Rulebook`, which is good for
exactly one stamp of the epoch. What belongs to one resource is read at each request, in one statement together with the
epoch, so that a change counts from the moment it is committed (security 3.1, strict mode). An offer made of both is kept
for as long as the epoch says that nothing at all has changed, and every request asks the epoch.
"""

from __future__ import annotations

from iiif_auth.store.offers import find_for, find_offer, find_offers, original_of, stands_in
from iiif_auth.store.passes import (
    VERSION,
    Finder,
    PassFacts,
    Presented,
    TokenFacts,
    credential_mark,
    find_pass,
    find_token,
    nobody,
    presented_pass,
    presented_ticket,
    presented_token,
    presented_twin,
)
from iiif_auth.store.rules import (
    Place,
    Reader,
    Rulebook,
    RulesInMotion,
    database,
    fits,
    places_of,
    rulebook,
    stamp_now,
)
from iiif_auth.store.values import grant_value, linked_principal, service_value, user_id

__all__ = [
    "VERSION",
    "Finder",
    "PassFacts",
    "Place",
    "Presented",
    "Reader",
    "Rulebook",
    "RulesInMotion",
    "TokenFacts",
    "credential_mark",
    "database",
    "find_for",
    "find_offer",
    "find_offers",
    "find_pass",
    "find_token",
    "fits",
    "grant_value",
    "linked_principal",
    "nobody",
    "original_of",
    "places_of",
    "presented_pass",
    "presented_ticket",
    "presented_token",
    "presented_twin",
    "rulebook",
    "service_value",
    "stamp_now",
    "stands_in",
    "user_id",
]

"""Whether viewers can find out that somebody was given access: only where a policy on the way names an access service."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import ngettext

from iiif_auth import store
from iiif_auth.models import Grant
from iiif_auth.policy.types import Policy

MOST_NAMED = 5


def warnings(grants: Sequence[Grant]) -> list[str]:
    """A sentence about those grants of which no viewer can learn; none if there are none.

    The grants count all the same: whoever has a pass, or is where a grant says, gets the bytes.
    """
    try:
        silent = list(dict.fromkeys(str(target_of(row)) for row in without_service(grants)))
    except store.RulesInMotion:
        return []
    if not silent:
        return []
    names = ", ".join(silent[:MOST_NAMED]) + (", …" if len(silent) > MOST_NAMED else "")
    said = ngettext(
        "No access service is named by the policy of %(names)s, so viewers can not find out about this access. Please add "
        "one, such as a login, to a tier of that policy.",
        "No access service is named by the policies of %(names)s, so viewers can not find out about this access. Please add "
        "one, such as a login, to a tier of each.",
        len(silent),
    )
    return [said % {"names": names}]


def target_of(row: Grant) -> Any:
    return row.resource or row.collection or row.policy


def without_service(grants: Sequence[Grant]) -> list[Grant]:
    """The grants to something that is governed, but by no policy with an access service; one query for many items."""
    book = store.rulebook()
    offers = store.find_offers(row.resource.url for row in grants if row.resource is not None)
    found = []
    for row in grants:
        held = list(policies_of(row, book, offers))
        if held and not any(tier.services for policy in held for tier in policy.tiers):
            found.append(row)
    return found


def policies_of(row: Grant, book: store.Rulebook, offers: Any) -> Iterable[Policy]:
    if row.policy_id is not None:
        return (book.policies[row.policy_id],) if row.policy_id in book.policies else ()
    if row.resource is not None:
        offer = offers.get(row.resource.url)
        levels = offer.levels if offer else ()
    else:
        place = book.places.get(row.collection_id or 0)
        levels = place.levels if place else ()
    return [level.policy for level in levels if level.policy]

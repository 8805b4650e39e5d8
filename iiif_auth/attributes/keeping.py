"""What identity providers say of people, kept from one login to the next."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone

from iiif_auth.attributes.normal import Said
from iiif_auth.attributes.trust import Heard, heard, trusting
from iiif_auth.models import IdentityProvider, PersonAttribute

logger = logging.getLogger("iiif_auth.attributes")


def keep(user: Any, issuer: str, pairs: Iterable[Said]) -> Heard:
    """Keep what an issuer says of somebody in place of all that it said before, and nothing if nobody configured it.

    To be called at each login, also when it brought nothing: then nothing is left. What other issuers say stays as it is.
    """
    with transaction.atomic():
        provider = IdentityProvider.objects.select_for_update().filter(issuer=issuer).first()
        if provider is None:
            found = Heard((), tuple(pairs))
        else:
            found = heard(pairs, trusting(provider.attributes, provider.scopes))
            _replace(user, provider, set(found.kept))
    _log(user, issuer, found, configured=provider is not None)
    return found


def _replace(user: Any, provider: IdentityProvider, kept: set[Said]) -> None:
    """In as few statements as it takes; what is said again keeps since when it is said."""
    now = timezone.now()
    rows = PersonAttribute.objects.filter(user=user, provider=provider)
    had = {(row.name, row.value): row.pk for row in rows}
    rows.filter(pk__in=[key for pair, key in had.items() if pair not in kept]).delete()
    rows.update(seen=now)
    new = sorted(kept - set(had))
    PersonAttribute.objects.bulk_create(
        PersonAttribute(user=user, provider=provider, name=name, value=value, since=now, seen=now)
        for name, value in new
    )


def _log(user: Any, issuer: str, found: Heard, *, configured: bool) -> None:
    """The values stay out of the log: they are about a person."""
    if found.dropped:
        names = ", ".join(sorted({name for name, _value in found.dropped}))
        reason = "it may not say that, or not for that scope" if configured else "nobody configured it"
        logger.warning("Dropped of what %.200r says of user %s: %s (%s).", issuer, user.pk, names, reason)


def forget(user: Any, issuer: str) -> None:
    """Forget all that an issuer says of somebody, as when the two accounts are parted."""
    PersonAttribute.objects.filter(user=user, provider__issuer=issuer).delete()


def narrow(provider: IdentityProvider) -> int:
    """Forget what a provider said before and may no longer say; how much that was."""
    trust = trusting(provider.attributes, provider.scopes)
    rows = PersonAttribute.objects.filter(provider=provider)
    gone = {pair for pair in rows.values_list("name", "value").distinct() if not trust.believes(pair)}
    count = 0
    for name, value in gone:
        count += rows.filter(name=name, value=value).delete()[0]
    return count


def said_of_each(keys: Iterable[Any]) -> dict[Any, frozenset[Said]]:
    """By primary key of a person, what is said of them; one query for all."""
    found: dict[Any, set[Said]] = {key: set() for key in keys}
    rows = PersonAttribute.objects.filter(user__in=list(found)).values_list("user", "name", "value")
    for person, name, value in rows:
        found[person].add((name, value))
    return {key: frozenset(pairs) for key, pairs in found.items()}


def said_of(user: Any) -> frozenset[Said]:
    """What is said of somebody at present, by whichever provider; one query."""
    return frozenset(PersonAttribute.objects.filter(user=user).values_list("name", "value"))

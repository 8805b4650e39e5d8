"""What is in a collection, and what an address rule would take in before anybody saves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Left
from django.db.models.lookups import Exact, Regex

from iiif_auth import placing, roles, store
from iiif_auth.exchange import manifests, uploads
from iiif_auth.models import Batch, Collection, CollectionRule, Resource
from iiif_auth.protocol import identity

MOST_WEIGHED = 10_000
"""Resources that are weighed one by one for a preview; of more, that many are."""

MOST_MANIFESTS = 5
Fits = CollectionRule.Fits


@dataclass(frozen=True, slots=True)
class Inside:
    """How many resources are in a collection, and why."""

    by_row: int
    by_rule: int
    rules: tuple[tuple[CollectionRule, int], ...]
    """With how many of the resources in no collection of their own fit each rule."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What an address rule would do.

    Args:
        fitting: known resources whose address fits.
        joining: of these, how many would come into the collection.
        elsewhere: of these, how many stay because their own row says another collection.
        taken_from: from which collections they come, and how many from each.
        canvases: contents of manifests that wait to be applied whose address fits.
        weighed: how many were looked at for ``joining`` and ``taken_from``, where there are more; else 0.
    """

    fitting: int
    joining: int
    elsewhere: int
    taken_from: tuple[tuple[Collection, int], ...]
    canvases: int
    weighed: int


def inside(user: Any, collection: Collection) -> Inside:
    """What somebody finds in a collection."""
    found = roles.visible(user, Resource.objects.order_by())
    loose = found.filter(collection=None)
    rules = collection.rules.order_by("pk")[:100]
    return Inside(
        found.filter(collection=collection).count(),
        loose.filter(placing.by_rule({collection.pk})).count(),
        tuple((rule, loose.filter(fitting(rule.fits, rule.pattern)).count()) for rule in rules[:20]),
    )


def fitting(fits: str, pattern: str) -> Q:
    """The rows whose address fits, letter for letter as the rules themselves see it."""
    if fits == Fits.EXACT:
        return Q(url_digest=identity.digest(identity.folded(pattern)))
    if fits == Fits.PREFIX:
        return Q(Exact(Left(F("url"), len(pattern)), Value(pattern)))
    return Q(Regex(F("url"), Value(placing.regex(pattern))))


def preview(user: Any, rule: CollectionRule) -> Preview:
    """What a rule that is not saved would do, by the rules themselves with this one among them."""
    rows = roles.visible(user, Resource.objects.order_by()).filter(fitting(rule.fits, rule.pattern))
    loose = rows.filter(collection=None)
    book = store.rulebook()
    moving = Counter(_moving(book, with_rule(book, rule), _urls(loose)))
    count = rows.count()
    here = {row.pk: row for row in Collection.objects.filter(pk__in=[key for key in moving if key])}
    return Preview(
        fitting=count,
        joining=sum(moving.values()),
        elsewhere=rows.exclude(collection=None).exclude(collection=rule.collection_id).count(),
        taken_from=tuple((here[key], number) for key, number in moving.most_common() if key in here),
        canvases=_canvases(user, with_rule(store.Rulebook(""), rule)),
        weighed=MOST_WEIGHED if loose.count() > MOST_WEIGHED else 0,
    )


def _urls(rows: QuerySet[Resource]) -> Iterable[str]:
    return rows.values_list("url", flat=True)[:MOST_WEIGHED].iterator()


def with_rule(book: store.Rulebook, rule: CollectionRule) -> store.Rulebook:
    """A copy of the rules with one more."""
    key = rule.collection_id
    if rule.fits == Fits.EXACT:
        return replace(book, exact={**book.exact, identity.folded(rule.pattern): key})
    if rule.fits == Fits.PREFIX:
        longest_first = sorted([*book.prefixes, (rule.pattern, key)], key=lambda one: -len(one[0]))
        return replace(book, prefixes=longest_first)
    return replace(book, globs=[*book.globs, (rule.pattern, key)])


def _moving(before: store.Rulebook, after: store.Rulebook, urls: Iterable[str]) -> Iterator[int]:
    """For each address that comes into another collection, the one it comes from; 0 for none."""
    for url in urls:
        was, becomes = before.collection_of(url), after.collection_of(url)
        if was != becomes:
            yield was or 0


def _canvases(user: Any, alone: store.Rulebook) -> int:
    """Of the manifests that somebody has brought in and not applied yet, how many contents a rule by itself takes in."""
    waiting = uploads.own(user, Batch.Kind.MANIFEST).filter(state=Batch.State.WAITING)[:MOST_MANIFESTS]
    uris = {manifests.normalised(one["uri"]) for batch in waiting for one in batch.plan["contents"]}
    return sum(alone.collection_of(uri) is not None for uri in uris if uri)

"""Where a row is: in which collection, and which rows are in some collections.

A resource is in the collection of its row, else in the one whose address rule takes it in. What belongs to a resource is
where that is. Whatever is in no collection has no place, and only people who work everywhere find it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Left
from django.db.models.lookups import Exact, Regex

from iiif_auth import models, store

SHARED = frozenset(
    {
        *("accesspolicy", "tier", "condition", "refusaltext", "policydraft"),
        *("accessservice", "terms", "network", "device", "networkuse", "registeredclient", "identityprovider"),
        *("seats", "seatsplace"),
    }
)
"""What all collections have in common: everybody with the permission may read it."""

BY_RESOURCE = {
    "rendition": "resource",
    "embargo": "resource",
    "withdrawal": "resource",
    "grant": "resource",
    "accessrequest": "resource",
    "requestmessage": "request__resource",
    "invitation": "request__resource",
}
"""By model, the way to its resource."""

BY_COLLECTION = {
    "collection": "pk",
    "collectionrule": "collection",
    "delegation": "collection",
    "embargo": "collection",
    "withdrawal": "collection",
    "grant": "collection",
    "change": "collection",
    "dailycount": "collection",
    "lentwork": "collection",
    "loan": "work__collection",
    "waiting": "work__collection",
}
"""By model, the way to its collection."""

BY_POLICY = {"resource": "policy", "collection": "policy", "grant": "policy", "dailycount": "policy"}
"""By model, the way to a policy of its own, which may be hidden from the staff."""

BY_URL = frozenset({"refusal", "accessrequest"})
"""Rows about an address, which may belong to a collection by a rule only."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A part of all collections.

    ``inside`` are primary keys of collections, ``None`` for all and for what is in none; ``hidden`` and ``secret`` are
    those of collections and policies whose things are not found for all that.
    """

    inside: frozenset[int] | None
    hidden: frozenset[int] = frozenset()
    secret: frozenset[int] = frozenset()

    @property
    def are_none(self) -> bool:
        return self.inside is None and not self.hidden and not self.secret


# -- By address ---------------------------------------------------------------------------------------------------


def by_rule(collections: Collection[int], field: str = "url", book: store.Rulebook | None = None) -> Q:
    """Addresses that the rules give to some collections: exact before the longest prefix before a pattern."""
    book = book or store.rulebook()
    found = Q(pk__in=())
    exact = [url for url, key in book.exact.items() if key in collections]
    if exact:
        found |= Q(**{f"{field}__in": exact})
    for condition in (*_prefixes(book, collections, field), *_globs(book, collections, field)):
        found |= condition
    return found


def _begins(field: str, prefix: str) -> Q:
    # Not startswith, which takes no notice of case on SQLite.
    return Q(Exact(Left(F(field), len(prefix)), Value(prefix)))


def _prefixes(book: store.Rulebook, collections: Collection[int], field: str) -> Iterator[Q]:
    foreign = [url for url, key in book.exact.items() if key not in collections]
    others = [prefix for prefix, key in book.prefixes if key not in collections]
    for prefix, key in book.prefixes:
        if key in collections:
            inner = [longer for longer in others if longer.startswith(prefix)]
            yield _but(_begins(field, prefix), field, [url for url in foreign if url.startswith(prefix)], inner)


def _globs(book: store.Rulebook, collections: Collection[int], field: str) -> Iterator[Q]:
    foreign = [url for url, key in book.exact.items() if key not in collections]
    others = [prefix for prefix, key in book.prefixes if key not in collections]
    before = Q(pk__in=())
    for pattern, key in book.globs:
        fits = Q(Regex(F(field), Value(regex(pattern))))
        if key in collections:
            yield _but(fits, field, foreign, others) & ~before
        else:
            before |= fits


def _but(taken: Q, field: str, exact: list[str], prefixes: list[str]) -> Q:
    """What is taken in, but for what stronger rules of other collections take away."""
    if exact:
        taken &= ~Q(**{f"{field}__in": exact})
    for prefix in prefixes:
        taken &= ~_begins(field, prefix)
    return taken


SPECIAL = frozenset(r"\.^$*+?{}[]|()-")


def regex(pattern: str) -> str:
    """A pattern of an address rule as a regular expression that SQLite's and PostgreSQL's dialects read alike."""
    return "^" + "".join("[^/]*" if one == "*" else f"\\{one}" if one in SPECIAL else one for one in pattern) + "$"


# -- Rows in some collections -------------------------------------------------------------------------------------


def filtered(rows: QuerySet[Any], bounds: Bounds, user: Any) -> QuerySet[Any]:
    """The rows of a model of ours that lie within some bounds; those of a model that is not known lie nowhere."""
    name = str(rows.model._meta.model_name)
    if name in SHARED or bounds.are_none:
        return rows
    if name in OWN_WAY:
        return OWN_WAY[name](rows, bounds, user)
    condition = without(name, bounds) if bounds.inside is None else within(name, bounds)
    return rows.filter(condition)


def resources(bounds: Bounds) -> QuerySet[models.Resource]:
    """The resources within some bounds."""
    return models.Resource.objects.order_by().filter(within("resource", bounds))


def within(name: str, bounds: Bounds) -> Q:
    """What is inside, and not hidden."""
    if bounds.inside is None:
        return without(name, bounds)
    inside = bounds.inside - bounds.hidden
    if name == "resource":
        found = Q(collection__in=inside) | (Q(collection=None) & by_rule(inside))
    else:
        found = Q(pk__in=())
        if way := BY_RESOURCE.get(name):
            found |= Q(**{f"{way}__in": resources(bounds)})
        if way := BY_COLLECTION.get(name):
            found |= Q(**{f"{way}__in": inside})
    return found & _not_secret(name, bounds)


def without(name: str, bounds: Bounds) -> Q:
    """Everything but what is hidden."""
    found = _not_secret(name, bounds)
    if name == "resource" and bounds.hidden:
        return found & ~(Q(collection__in=bounds.hidden) | (Q(collection=None) & by_rule(bounds.hidden)))
    if way := BY_RESOURCE.get(name):
        found &= ~Q(**{f"{way}__in": hidden_resources(bounds)})
    if way := BY_COLLECTION.get(name):
        found &= ~Q(**{f"{way}__in": bounds.hidden})
    return found


def hidden_resources(bounds: Bounds) -> QuerySet[models.Resource]:
    hidden = Q(collection__in=bounds.hidden) | (Q(collection=None) & by_rule(bounds.hidden))
    return models.Resource.objects.order_by().filter(hidden | Q(policy__in=bounds.secret))


def _not_secret(name: str, bounds: Bounds) -> Q:
    way = BY_POLICY.get(name)
    return ~Q(**{f"{way}__in": bounds.secret}) if way and bounds.secret else Q()


def _changes(rows: QuerySet[Any], bounds: Bounds, user: Any) -> QuerySet[Any]:
    """History by the collection that the row was in; what is about hidden rows goes by the row."""
    found = rows.filter(within("change", bounds))
    if not (bounds.hidden or bounds.secret):
        return found
    for name in ("resource", "rendition", "embargo", "withdrawal", "grant"):
        way = "pk" if name == "resource" else BY_RESOURCE[name]
        model: Any = getattr(models, name.title())
        hidden = model._default_manager.filter(**{f"{way}__in": hidden_resources(bounds)})
        found = found.exclude(model__in=spellings(model), row__in=hidden.order_by().values("pk"))
    return found


def spellings(model: type[Model]) -> tuple[str, ...]:
    """What history may call a model."""
    meta = model._meta
    return (str(meta.model_name), meta.object_name or "", meta.label, meta.label_lower)


def _batches(rows: QuerySet[Any], bounds: Bounds, user: Any) -> QuerySet[Any]:
    """Somebody's own, and those that touched nothing elsewhere."""
    found = _changes(models.Change.objects.order_by(), bounds, user).values("pk")
    changes = models.Change.objects.order_by().filter(batch=OuterRef("pk"))
    inside = ~Exists(changes.exclude(pk__in=found))
    return rows.filter(inside if bounds.inside is None else Q(actor=user.pk) | (Exists(changes) & inside))


def _by_url(rows: QuerySet[Any], bounds: Bounds, user: Any) -> QuerySet[Any]:
    """Rows about an address: that of a resource within, or one that only a rule takes in."""
    known = models.Resource.objects.order_by().filter(url=OuterRef("url"))
    linked = Q(resource__in=resources(bounds)) if rows.model is models.AccessRequest else Q(pk__in=())
    free = Q(resource=None) if rows.model is models.AccessRequest else Q()
    by_row = Exists(known.filter(within("resource", bounds)))
    if bounds.inside is None:
        return rows.filter(linked | (free & (by_row | (~Exists(known) & ~by_rule(bounds.hidden)))))
    return rows.filter(linked | (free & (by_row | (~Exists(known) & by_rule(bounds.inside - bounds.hidden)))))


def _feeds(rows: QuerySet[Any], bounds: Bounds, user: Any) -> QuerySet[Any]:
    return rows.filter(user=user.pk)


def _lent(rows: QuerySet[Any], bounds: Bounds, user: Any) -> QuerySet[Any]:
    """Loans by the collection that the work was in when last lent; nothing of works hidden by a policy of their own."""
    name = str(rows.model._meta.model_name)
    found = rows.filter(within(name, bounds))
    if not (bounds.hidden or bounds.secret):
        return found
    way = "work__in" if name == "lentwork" else "work__work__in"
    return found.exclude(**{way: hidden_resources(bounds).order_by().values("url")})


def _nowhere(rows: QuerySet[Any], bounds: Bounds, user: Any) -> QuerySet[Any]:
    """In no collection: credentials, and who agreed to what."""
    return rows if bounds.inside is None else rows.none()


OWN_WAY: dict[str, Callable[[QuerySet[Any], Bounds, Any], QuerySet[Any]]] = {
    "change": _changes,
    "batch": _batches,
    "refusal": _by_url,
    "accessrequest": _by_url,
    "calendarfeed": _feeds,
    **dict.fromkeys(("lentwork", "loan", "waiting"), _lent),
    **dict.fromkeys(("pass", "token", "agreement", "clientcode", "acceptance", "epoch", "personattribute"), _nowhere),
    **dict.fromkeys(("twin", "handoff", "remembered"), _nowhere),
}


# -- The place of one row -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Spot:
    """Where one row is: a collection or none, and the policy of its own or of its resource, if any."""

    collection: int | None
    policy: int | None = None


def spot(row: Any) -> Spot:
    """Where a row is, saved or about to be."""
    name = str(row._meta.model_name)
    if name == "resource":
        return Spot(row.collection_id or store.rulebook().collection_of(row.url), row.policy_id)
    if name == "collection":
        return Spot(row.pk if row.pk and not row._state.adding else row.parent_id, row.policy_id)
    if (resource := _followed(row, BY_RESOURCE.get(name))) is not None:
        return spot(resource)
    if name in BY_URL:
        return _spot_of_url(row.url)
    if name in ("loan", "waiting"):
        row = row.work
    collection = getattr(row, "collection_id", None) or getattr(row, "collection", None)
    return Spot(collection if isinstance(collection, int) and collection else None, getattr(row, "policy_id", None))


def _followed(row: Any, way: str | None) -> Any:
    for name in (way or "").split("__"):
        row = getattr(row, name, None) if name and row is not None else None
    return row


def _spot_of_url(url: str) -> Spot:
    known = models.Resource.objects.filter(url=url).first()
    return spot(known) if known else Spot(store.rulebook().collection_of(url))


def claimed_by(url: str, but: int | None = None) -> Iterable[Spot]:
    """The places that an address belongs to already: by the rows that bear on it, and by a rule.

    Args:
        but: the primary key of a resource whose own rows do not count.
    """
    book = store.rulebook()
    wanted = [url, *(base for base, _suffix in book.bases(url))]
    for known in models.Resource.objects.filter(url__in=wanted).exclude(pk=but or 0):
        yield spot(known)
    for version in models.Rendition.objects.filter(url__in=wanted).exclude(resource=but).select_related("resource"):
        yield spot(version.resource)
    yield from (Spot(key) for one in wanted if (key := book.collection_of(one)) is not None)

"""What a collection holds: how many resources, and how many that are not simply as the collection says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from iiif_auth import placing, roles
from iiif_auth.admin import states
from iiif_auth.models import Collection, Embargo, Resource, Withdrawal


@dataclass(frozen=True, slots=True)
class Held:
    """How many resources are in a collection and those within it, and how many are not as the collection says."""

    total: int
    own_policy: int
    other_collections: int
    withdrawn: int
    embargoed: int


def held_in(collection: Collection, user: Any, at: datetime) -> Held:
    """The counts, of what whoever looks may find."""
    keys = within(collection.pk)
    inside = Q(collection__in=keys) | (Q(collection=None) & placing.by_rule(keys))
    rows = roles.visible(user, Resource.objects.filter(inside)).order_by()
    counts = rows.aggregate(
        total=Count("pk"),
        own=Count("pk", filter=Q(policy__isnull=False)),
        deeper=Count("pk", filter=Q(collection__isnull=False) & ~Q(collection=collection)),
    )
    running = states.conditions(at)["running"]
    return Held(
        counts["total"],
        counts["own"],
        counts["deeper"],
        withdrawn=_closed(Withdrawal, running, rows),
        embargoed=_closed(Embargo, running, rows),
    )


def _closed(model: type[Embargo] | type[Withdrawal], running: Q, rows: QuerySet[Resource]) -> int:
    found: Any = model._default_manager.filter(running, resource__in=rows.values("pk")).order_by()
    return int(found.values("resource").distinct().count())


def within(key: int) -> set[int]:
    """A collection and all those it holds."""
    children: dict[int | None, list[int]] = {}
    for one, parent in Collection.objects.order_by().values_list("pk", "parent_id"):
        children.setdefault(parent, []).append(one)
    found, pending = {key}, [key]
    while pending:
        fresh = [one for one in children.get(pending.pop(), []) if one not in found]
        found.update(fresh)
        pending.extend(fresh)
    return found

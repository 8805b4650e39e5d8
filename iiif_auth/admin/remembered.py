"""Our history on the page that Django shows behind “History”: of a row, and of what is laid over it or belongs to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

from iiif_auth import roles
from iiif_auth.admin import told
from iiif_auth.models import (
    AccessPolicy,
    Change,
    Collection,
    CollectionRule,
    Embargo,
    Grant,
    RefusalText,
    Rendition,
    Resource,
    Tier,
    Withdrawal,
)

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object

MOST_SHOWN = 100
PARTS: dict[type[Model], tuple[str, tuple[type[Model], ...]]] = {
    Resource: ("resource", (Embargo, Withdrawal, Grant, Rendition)),
    Collection: ("collection", (Embargo, Withdrawal, Grant, CollectionRule)),
    AccessPolicy: ("policy", (Tier, RefusalText)),
}
"""What decides about a row besides the row itself, by the field that points at it."""


class Remembered(Base):
    """Shows what changed before and after, by whom and why, with a way to put it back."""

    object_history_template = "admin/iiif_auth/object_history.html"

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        row = self.get_object(request, object_id)
        context = {} if row is None else self.changes_of(request, row)
        response: HttpResponse = super().history_view(request, object_id, {**context, **(extra_context or {})})
        return response

    def changes_of(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """The last changes of a row, for those who may read the history where it is."""
        if not request.user.has_perm("iiif_auth.view_change"):
            return {}
        seen = list(roles.visible(request.user, Change.objects.filter(pk__in=latest(row))).order_by("-at", "-pk"))
        return {
            "kept": [(change, about(change, row), told.lines(change)[:12]) for change in seen[:MOST_SHOWN]],
            "kept_more": len(seen) > MOST_SHOWN,
        }


def latest(row: Model) -> list[int]:
    """The last changes of a row and of its parts, each found by its own index: one statement for all would read every change."""
    field, parts = PARTS.get(type(row), ("", ()))
    found = list(keys(type(row), [row.pk]))
    for part in parts:
        found += keys(part, part._default_manager.filter(**{field: row.pk}).order_by().values("pk"))
        found += keys(part, deleted(part, field, row))
    return sorted(found)[-MOST_SHOWN - 1 :]


def deleted(part: type[Model], field: str, row: Model) -> list[int]:
    """The numbers of those parts of a row that were deleted, the last ones: what they said is kept with their deletion."""
    gone = Change.objects.filter(
        model=part._meta.model_name, action=Change.Action.DELETED, **{f"before__{field}__id": row.pk}
    )
    return list(gone.order_by("-pk").values_list("row", flat=True)[: MOST_SHOWN + 1])


def keys(model: type[Model], rows: Any) -> Iterator[int]:
    changes = Change.objects.filter(model=model._meta.model_name, row__in=rows).order_by("-pk")
    yield from changes.values_list("pk", flat=True)[: MOST_SHOWN + 1]


def about(change: Change, row: Model) -> str:
    """What sort of row it was, where it was not the row itself."""
    return "" if change.model == row._meta.model_name else told.kind(change)

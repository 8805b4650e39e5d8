"""Who may put something back: whoever might have made the opposite change there by hand."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from iiif_auth import roles
from iiif_auth.models import Change, Collection, Resource

OPPOSITE = {Change.Action.CHANGED: "change", Change.Action.ADDED: "delete", Change.Action.DELETED: "add"}
PERMISSION = "iiif_auth.change_batch"


def may_put_back(user: Any, changes: QuerySet[Change]) -> bool:
    """Whether somebody may put back all of these changes: permission, place and loosening."""
    changes = changes.order_by()
    if roles.visible(user, changes).count() != changes.count():
        return False
    kinds = list(changes.values_list("model", "action", "collection").distinct())
    return all(_may(user, *kind) for kind in kinds) and (
        not _loosens(changes) or user.has_perm("iiif_auth.loosen_policy")
    )


def _may(user: Any, model: str, action: str, collection: int | None) -> bool:
    permission = f"iiif_auth.{OPPOSITE[Change.Action(action)]}_{model}"
    if not user.has_perm(permission):
        return False
    if roles.is_everywhere(user):
        return True
    place = Collection.objects.filter(pk=collection or 0).first()
    return place is not None and roles.may(user, permission, place)


def _loosens(changes: QuerySet[Change]) -> bool:
    """Whether it would touch what replaces the policies above."""
    if (
        changes.filter(Q(before__has_key="overrides") | Q(after__has_key="overrides"))
        .filter(Q(action=Change.Action.CHANGED) | Q(before__overrides=True) | Q(after__overrides=True))
        .exists()
    ):
        return True
    placed = changes.filter(action=Change.Action.CHANGED, before__has_key="policy")
    models = ((Resource, "resource"), (Collection, "collection"))
    return any(
        model.objects.filter(overrides=True, pk__in=placed.filter(model=name).values("row")).exists()
        for model, name in models
    )

"""How many rows point at one, without joining them: a join of two such relations multiplies their rows."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Model, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from iiif_auth import roles


def pointing(model: type[Model], field: str, user: Any, *only: Q) -> Any:
    """An annotation: how many rows of ``model`` that somebody finds have the annotated row in ``field``; 0 if none has.

    ``only`` leaves out what is not meant.
    """
    found = roles.visible(user, model._default_manager.all())
    rows = found.filter(*only, **{field: OuterRef("pk")}).order_by().values(field)
    return Coalesce(Subquery(rows.annotate(number=Count("pk")).values("number")), 0)

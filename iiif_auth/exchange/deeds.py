"""What a row of a file comes to, as values, and doing it: all of it in one transaction, with a history."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Model
from django.utils import timezone

from iiif_auth import history
from iiif_auth.exchange.known import in_parts
from iiif_auth.models import Embargo, Grant, Rendition, Resource


@dataclass(frozen=True, slots=True)
class Make:
    """A new row."""

    row: Model


@dataclass(frozen=True, slots=True)
class Alter:
    """New values for some fields of a row."""

    model: type[Model]
    key: int
    fields: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Remove:
    """A row that goes."""

    model: type[Model]
    key: int


Deed = Make | Alter | Remove
MAKING: tuple[type[Model], ...] = (Resource, Rendition, Embargo, Grant)
"""What is made first: the others point at it."""

T = TypeVar("T", bound=Model)


def do(deeds: Iterable[Deed]) -> int:
    """Do them all; the caller is in a transaction. How many rows were made, changed and removed."""
    found = list(deeds)
    removed = sum(_removed(found))
    altered = sum(_altered(found))
    made = sum(_made(model, found) for model in MAKING)
    return removed + altered + made


def _removed(deeds: list[Deed]) -> Iterator[int]:
    keys: dict[type[Model], list[int]] = defaultdict(list)
    for deed in deeds:
        if isinstance(deed, Remove):
            keys[deed.model].append(deed.key)
    for model, some in keys.items():
        for part in in_parts(some):
            yield history.deleted(model._default_manager.filter(pk__in=part))


def _altered(deeds: list[Deed]) -> Iterator[int]:
    """Rows that become alike are changed together; a file of one's own remarks has a statement for each."""
    groups: dict[tuple[type[Model], str], tuple[dict[str, Any], list[int]]] = {}
    for deed in deeds:
        if isinstance(deed, Alter):
            name = json.dumps([(field, str(getattr(value, "pk", value))) for field, value in deed.fields])
            groups.setdefault((deed.model, name), (dict(deed.fields), []))[1].append(deed.key)
    for (model, _name), (fields, keys) in groups.items():
        for part in in_parts(keys):
            yield history.updated(model._default_manager.filter(pk__in=part), **fields)


def _made(model: type[T], deeds: list[Deed]) -> int:
    rows = [deed.row for deed in deeds if isinstance(deed, Make) and isinstance(deed.row, model)]
    for row in rows:
        if getattr(row, "resource", None) is not None:
            row.resource = row.resource  # type: ignore[attr-defined]  # its number is known only since it was made
        if isinstance(row, Grant):
            row.created = timezone.now()
    return len(history.created(model, rows)) if rows else 0

"""Many rows in one transaction, each with its line in the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from django.db import router, transaction
from django.db.models import CASCADE, F, Model, QuerySet, prefetch_related_objects
from django.db.models.expressions import BaseExpression

from iiif_auth.history.lines import Line, text, write
from iiif_auth.history.recording import gathered
from iiif_auth.history.snapshots import (
    KEPT,
    NAMED_BY,
    Names,
    State,
    columns,
    differences,
    fields_of,
    lists_of,
    name_of,
    place_of,
    plain,
    values_of,
)
from iiif_auth.models import Change

Row = TypeVar("Row", bound=Model)

AT_ONCE = 1000
"""How many keys go into one statement."""


def database_of(rows: QuerySet[Any]) -> str:
    """The database that these rows are written to."""
    return rows._db or router.db_for_write(rows.model)  # type: ignore[attr-defined]


def updated(rows: QuerySet[Any], **fields: Any) -> int:
    """Like ``rows.update(**fields)``, with one recorded change for each row that differs, in the same transaction.

    Returns:
        how many rows differed and were changed.

    Raises:
        TypeError: a value is an expression; the history must know what is written.
    """
    model, using = rows.model, database_of(rows)
    wanted = wanted_state(model, fields)
    with transaction.atomic(using=using):
        return sum(_updated(model, keys, fields, wanted, using) for keys in keys_of(rows, using))


def wanted_state(model: type[Model], fields: dict[str, Any]) -> State:
    """The values of an update as the history keeps them."""
    state: State = {}
    for name, value in fields.items():
        if isinstance(value, BaseExpression | F):
            raise TypeError(f"The history can not tell what {name} becomes; give a value instead of an expression.")
        field: Any = model._meta.get_field(name)
        state[field.name] = plain(field, value.pk if isinstance(value, Model) else value)
    return state


def keys_of(rows: QuerySet[Any], using: str) -> Iterator[list[Any]]:
    """The keys of rows, so many at once. They are all read before the first is changed: a change may take rows out."""
    keys = list(dict.fromkeys(rows.using(using).order_by().values_list("pk", flat=True)))
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


def _updated(model: type[Model], keys: list[Any], fields: dict[str, Any], wanted: State, using: str) -> int:
    locked = model._base_manager.using(using).filter(pk__in=keys).select_for_update(of=("self",)).order_by("pk")
    looked_at = [field for field in fields_of(model) if field.name in wanted]
    found = [
        (row, *differences(values_of(row, looked_at), wanted))
        for row in locked.select_related(*NAMED_BY.get(model, ()))
    ]
    differing = [one for one in found if one[2]]
    model._base_manager.using(using).filter(pk__in=[row.pk for row, _, _ in differing]).update(**fields)
    names = Names(using)
    names.learn(model, [wanted, *(before for _, before, _ in differing)])
    said = Texts(model, names)
    place = wanted.get("collection")
    write(
        [
            Line(Change.Action.CHANGED, model, row.pk, name_of(row), place or place_of(row), said(before), said(after))
            for row, before, after in differing
        ],
        using,
    )
    return len(differing)


class Texts:
    """States as JSON with names. Rows that are changed together mostly have the same ones, which are written once."""

    def __init__(self, model: type[Model], names: Names) -> None:
        self.model, self.names = model, names
        self.known: dict[Any, str] = {}

    def __call__(self, state: State) -> str:
        key = tuple(state.items())
        try:
            return self.known[key]
        except KeyError:
            return self.known.setdefault(key, text(self.names.named(self.model, state)))
        except TypeError:  # texts in several languages, which are no key
            return text(self.names.named(self.model, state))


def created(model: type[Row], objects: Sequence[Row]) -> list[Row]:
    """Like ``bulk_create``, with one recorded change for each row, in the same transaction."""
    using = router.db_for_write(model)
    with transaction.atomic(using=using):
        made = model._base_manager.using(using).bulk_create(objects, batch_size=AT_ONCE)
        prefetch_related_objects(made, *NAMED_BY.get(model, ()))
        empty: State = {field.name: [] for field in lists_of(model)}
        states = [{**columns(row), **empty} for row in made]
        names = Names(using)
        names.learn(model, states)
        added, nothing = Change.Action.ADDED, text({})
        write(
            [
                Line(added, model, row.pk, name_of(row), place_of(row), nothing, text(names.named(model, state)))
                for row, state in zip(made, states, strict=True)
            ],
            using,
        )
    return made


def deleted(rows: QuerySet[Any]) -> int:
    """Like ``rows.delete()``, with one recorded change for each row and for each that goes with it, in one transaction.

    Returns:
        how many rows were deleted, without those that went with them.

    Raises:
        ProtectedError: something else needs one of them; then none is deleted.
    """
    model, using = rows.model, database_of(rows)
    with transaction.atomic(using=using):
        return sum(_deleted(model, keys, using) for keys in keys_of(rows, using))


def _deleted(model: type[Model], keys: list[Any], using: str) -> int:
    for dependent, field in dependents(model):
        # By themselves and first: what a deletion takes along, Django reads row by row.
        deleted(dependent._base_manager.using(using).filter(**{f"{field}__in": keys}))
    with gathered(using):
        chosen = model._base_manager.using(using).filter(pk__in=keys).select_related(*NAMED_BY.get(model, ()))
        _count, by_kind = chosen.delete()
    return by_kind.get(model._meta.label, 0)


def dependents(model: type[Model]) -> list[tuple[type[Model], str]]:
    """The kinds of rules that are deleted together with a row of this model, and the field that says so."""
    return [
        (relation.related_model, relation.field.name)
        for relation in model._meta.related_objects
        if relation.related_model in KEPT and getattr(relation, "on_delete", None) is CASCADE
    ]

"""Every save and every deletion of a rule is written down, by signals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from iiif_auth.history.lines import Line, text, write
from iiif_auth.history.snapshots import (
    KEPT,
    Names,
    State,
    columns,
    differences,
    fields_of,
    lists_of,
    name_of,
    place_of,
    whole,
)
from iiif_auth.models import Change

FIXTURE = "fixture"

Waiting = tuple[Line, State, State]

_quiet: ContextVar[bool] = ContextVar("iiif_auth_quiet", default=False)
_gathered: ContextVar[list[Waiting] | None] = ContextVar("iiif_auth_gathered", default=None)


@contextmanager
def quiet() -> Iterator[None]:
    """Within this block the signals write nothing: whoever enters it writes it down."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


@contextmanager
def gathered(using: str) -> Iterator[None]:
    """Changes within this block are written together at its end."""
    token = _gathered.set([])
    try:
        yield
        found = _gathered.get() or []
    finally:
        _gathered.reset(token)
    names = Names(using)
    for model in KEPT:
        names.learn(model, [state for line, *states in found if line.model is model for state in states])
    write([with_states(line, names, *states) for line, *states in found], using)


def with_states(line: Line, names: Names, before: State, after: State) -> Line:
    """A line that says what the row was before and after, and what everything was called that it points at."""
    named = names.named
    return line._replace(before=text(named(line.model, before)), after=text(named(line.model, after)))


def noted(
    row: Model,
    action: str,
    before: State,
    after: State,
    using: str,
    *,
    name: str = "",
    place: Any = "",
    reason: str = "",
) -> None:
    """Write down one change, or keep it for the end of :func:`gathered`. The states are without names.

    Args:
        name: what the row was called, and ``place`` where it was, if it is gone by now.
    """
    place = place_of(row) if place == "" else place
    line = Line(action, type(row), row.pk, name or name_of(row), place, "", "", reason)
    waiting = _gathered.get()
    if waiting is not None:
        waiting.append((line, before, after))
        return
    names = Names(using)
    names.know(row)
    names.learn(line.model, (before, after))
    write([with_states(line, names, before, after)], using)


def as_stored(row: Model, using: str) -> Model | None:
    """The row as the database has it."""
    return type(row)._base_manager.using(using).filter(pk=row.pk).first()


# -- Saving -------------------------------------------------------------------------------------------------------


def before_saving(sender: type[Model], instance: Any, raw: bool, using: str, **kwargs: Any) -> None:
    """Look at the row that is about to be replaced. A fixture names its key, whether there is such a row or not."""
    if _quiet.get():
        return
    known = instance.pk is not None and (raw or not instance._state.adding)
    stored = as_stored(instance, using) if known else None
    instance._iiif_auth_before = None if stored is None else columns(stored)


def after_saving(
    sender: type[Model], instance: Any, raw: bool, using: str, update_fields: Iterable[str] | None, **kwargs: Any
) -> None:
    if _quiet.get():
        return
    before: State | None = instance.__dict__.pop("_iiif_auth_before", None)
    after = _columns_now(instance, using, update_fields)
    reason = FIXTURE if raw else ""
    if before is None:
        lists: State = {field.name: [] for field in lists_of(sender)}
        noted(instance, Change.Action.ADDED, {}, {**after, **lists}, using, reason=reason)
        return
    old, new = differences(before, after)
    if new:
        noted(instance, Change.Action.CHANGED, old, new, using, reason=reason)


def _columns_now(row: Model, using: str, only: Iterable[str] | None) -> State:
    """The columns that were just saved; those the database worked out are read back."""
    computed = any(hasattr(getattr(row, field.attname), "resolve_expression") for field in fields_of(type(row)))
    stored = as_stored(row, using) if computed else None
    return columns(stored or row, only)


# -- Lists --------------------------------------------------------------------------------------------------------


def list_changed(
    sender: Any, instance: Model, action: str, reverse: bool, pk_set: set[Any] | None, using: str, **kwargs: Any
) -> None:
    """A list of other rows, whichever side it was changed from."""
    if _quiet.get():
        return
    owner, field = next((model, field) for model in KEPT for field in lists_of(model) if _through(field) is sender)
    when, _, _verb = action.partition("_")
    if when == "pre":
        rows = _owners(owner, field, instance, pk_set, using) if reverse else [instance]
        kept = {row.pk: (row, _members(row, field, using)) for row in rows}
        instance.__dict__["_iiif_auth_lists"] = kept
        return
    for row, before in instance.__dict__.pop("_iiif_auth_lists", {}).values():
        after = _members(row, field, using)
        if after != before:
            noted(row, Change.Action.CHANGED, {field.name: before}, {field.name: after}, using)


def _owners(owner: type[Model], field: Any, member: Model, pk_set: set[Any] | None, using: str) -> list[Model]:
    """The rows whose list it is, if it is changed from the other side; all that have this member if it is cleared."""
    rows = owner._base_manager.using(using)
    return list(rows.filter(**{field.name: member}) if pk_set is None else rows.filter(pk__in=pk_set))


def _members(row: Model, field: Any, using: str) -> list[Any]:
    through = _through(field)
    own, other = field.m2m_column_name(), field.m2m_reverse_name()
    found = through._base_manager.using(using).filter(**{own: row.pk}).values_list(other, flat=True)
    return sorted(found, key=str)


def _through(field: Any) -> Any:
    return field.remote_field.through


# -- Deleting -----------------------------------------------------------------------------------------------------


def before_deleting(sender: type[Model], instance: Any, using: str, **kwargs: Any) -> None:
    """Look at the row while what it points at, and its lists, are still there."""
    if not _quiet.get():
        instance._iiif_auth_before = (whole(instance), {"name": name_of(instance), "place": place_of(instance)})


def after_deleting(sender: type[Model], instance: Any, using: str, **kwargs: Any) -> None:
    found = instance.__dict__.pop("_iiif_auth_before", None)
    if found is not None and not _quiet.get():
        before, facts = found
        noted(instance, Change.Action.DELETED, before, {}, using, **facts)


def connect() -> None:
    """Watch every model that is a rule."""
    for model in KEPT:
        name = f"iiif_auth.history.{model._meta.model_name}"
        pre_save.connect(before_saving, sender=model, dispatch_uid=name)
        post_save.connect(after_saving, sender=model, dispatch_uid=name)
        pre_delete.connect(before_deleting, sender=model, dispatch_uid=name)
        post_delete.connect(after_deleting, sender=model, dispatch_uid=name)
        for field in lists_of(model):
            m2m_changed.connect(list_changed, sender=_through(field), dispatch_uid=f"{name}.{field.name}")

"""Putting rows back as they were: first it is checked what can be, then that is done."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Model, ProtectedError, RestrictedError
from django.utils.text import capfirst
from django.utils.translation import gettext

from iiif_auth.history.many import AT_ONCE, created, deleted, dependents, updated
from iiif_auth.history.nets import Net
from iiif_auth.history.snapshots import KEPT, State, columns, fields_of, in_list, lists, lists_of
from iiif_auth.models import Invitation

SECRET = (Invitation,)
"""What has a secret whose digest is not kept here, so that it can not come back."""


def field_label(model: type[Model], name: str) -> str:
    """What people call a field."""
    field: Any = model._meta.get_field(name)
    return str(field.verbose_name)


def label_of(net: Net) -> str:
    return net.name or f"{capfirst(net.model._meta.verbose_name)} {net.row}"


class PuttingBack:
    """Some rows, and what they were before."""

    def __init__(self, nets: Sequence[Net], using: str) -> None:
        self.using = using
        self.changed = by_model(net for net in nets if net.before is not None and net.after is not None)
        self.added = by_model(net for net in nets if net.before is None)
        self.deleted = by_model(net for net in nets if net.after is None)

    def check(self) -> list[str]:
        """A sentence for each row that can not be put back; those rows are not touched later."""
        said: list[str] = []
        for several, look in (
            (self.changed, self._why_not_changed_back),
            (self.added, self._why_not_taken_away),
            (self.deleted, self._why_not_brought_back),
        ):
            for model, nets in several.items():
                found = {net.row: why for part in in_parts(nets) for net, why in look(model, part)}
                several[model] = [net for net in nets if net.row not in found]
                said += found.values()
        return said

    def put_back(self) -> list[str]:
        """Put back what can be, within the transaction around; returns a sentence for each row that was left."""
        said = self.check()
        for model in KEPT:
            said += self._bring_back(model, self.deleted.get(model, []))
        for model in KEPT:
            said += self._change_back(model, self.changed.get(model, []))
        for model in reversed(KEPT):
            said += self._take_away(model, self.added.get(model, []))
        return said

    def _rows(self, model: type[Model], nets: Iterable[Net]) -> dict[Any, Any]:
        return model._base_manager.using(self.using).in_bulk([net.row for net in nets])

    def _touched(self, model: type[Model], nets: Iterable[Net]) -> dict[Any, str]:
        """The rows that are no longer as they were left, each with the sentence that says so."""
        rows = self._rows(model, nets)
        return {net.row: said for net in nets if (said := touched_since(net, rows.get(net.row)))}

    # -- what was changed

    def _why_not_changed_back(self, model: type[Model], nets: list[Net]) -> Iterator[tuple[Net, str]]:
        touched, gone = self._touched(model, nets), self._gone(model, nets)
        for net in nets:
            if net.row in touched:
                yield net, touched[net.row]
            elif net.row in gone:
                yield net, points_nowhere(net, gone[net.row])

    def _change_back(self, model: type[Model], nets: list[Net]) -> Iterator[str]:
        alike: dict[str, list[Net]] = defaultdict(list)
        for net in nets:
            alike[json.dumps(net.before, sort_keys=True)].append(net)
        for group in alike.values():
            before = group[0].before or {}
            fields = assigned(model, before)
            rows = model._base_manager.using(self.using).filter(pk__in=[net.row for net in group])
            try:
                with transaction.atomic(using=self.using):
                    for part in in_parts(group) if fields else ():
                        updated(rows.filter(pk__in=[net.row for net in part]), **fields)
                    self._set_lists(rows, before)
            except IntegrityError:
                yield from (contradicts(net) for net in group)

    def _set_lists(self, rows: Iterable[Any], state: State) -> None:
        for field in lists_of(rows.model):  # type: ignore[attr-defined]
            if field.name in state:
                for row in rows:
                    getattr(row, field.name).set(state[field.name])

    # -- what was added

    def _why_not_taken_away(self, model: type[Model], nets: list[Net]) -> Iterator[tuple[Net, str]]:
        touched, needed = self._touched(model, nets), self._needed(model, nets)
        for net in nets:
            if net.row in touched:
                yield net, touched[net.row]
            elif net.row in needed:
                text = gettext("“%(name)s” was given something since: %(what)s.")
                yield net, text % {"name": label_of(net), "what": needed[net.row]}

    def _needed(self, model: type[Model], nets: list[Net]) -> dict[Any, str]:
        """Of rows that were added: those that something was added to by others, and what."""
        found: dict[Any, str] = {}
        keys = [net.row for net in nets]
        for dependent, field in dependents(model):
            ours = {net.row for net in self.added.get(dependent, [])}
            rows = dependent._base_manager.using(self.using).filter(**{f"{field}__in": keys})
            for pk, holder in rows.values_list("pk", field):
                if pk not in ours:
                    found[holder] = str(dependent._meta.verbose_name)
        return found

    def _take_away(self, model: type[Model], nets: list[Net]) -> Iterator[str]:
        for part in in_parts(nets):
            try:
                with transaction.atomic(using=self.using):
                    self._delete(model, part)
            except (ProtectedError, RestrictedError):
                yield from self._take_away_singly(model, part)

    def _take_away_singly(self, model: type[Model], nets: list[Net]) -> Iterator[str]:
        for net in nets:
            try:
                with transaction.atomic(using=self.using):
                    self._delete(model, [net])
            except (ProtectedError, RestrictedError):
                yield gettext("“%(name)s” is used elsewhere by now.") % {"name": label_of(net)}

    def _delete(self, model: type[Model], nets: list[Net]) -> None:
        deleted(model._base_manager.using(self.using).filter(pk__in=[net.row for net in nets]))

    # -- what was deleted

    def _why_not_brought_back(self, model: type[Model], nets: list[Net]) -> Iterator[tuple[Net, str]]:
        rows = self._rows(model, nets)
        gone = self._gone(model, nets)
        for net in nets:
            if net.row in rows:
                yield net, gettext("“%(name)s” is there again.") % {"name": label_of(net)}
            elif model in SECRET:
                yield (
                    net,
                    gettext("“%(name)s” had a secret that is not kept; please make a new one.")
                    % {"name": label_of(net)},
                )
            elif net.row in gone:
                yield net, points_nowhere(net, gone[net.row])

    def _bring_back(self, model: type[Model], nets: list[Net]) -> Iterator[str]:
        for part in in_parts(nets):
            try:
                with transaction.atomic(using=self.using):
                    self._create(model, part)
            except IntegrityError:
                yield from self._bring_back_singly(model, part)

    def _bring_back_singly(self, model: type[Model], nets: list[Net]) -> Iterator[str]:
        for net in nets:
            try:
                with transaction.atomic(using=self.using):
                    self._create(model, [net])
            except IntegrityError:
                yield contradicts(net)

    def _create(self, model: type[Model], nets: list[Net]) -> None:
        objects = [model(pk=net.row, **assigned(model, net.before or {})) for net in nets]
        stamps = [field.name for field in fields_of(model) if getattr(field, "auto_now_add", False)]
        kept = [{name: getattr(row, name) for name in stamps} for row in objects]
        created(model, objects)
        for row, values in zip(objects, kept, strict=True):  # a date that the database would set anew
            for name, value in values.items():
                setattr(row, name, value)
        if stamps:
            model._base_manager.using(self.using).bulk_update(objects, stamps, batch_size=AT_ONCE)
        for row, net in zip(objects, nets, strict=True):
            for field in lists_of(model):
                getattr(row, field.name).set((net.before or {}).get(field.name, []))

    # -- what they point at

    def _gone(self, model: type[Model], nets: list[Net]) -> dict[Any, str]:
        """The rows that would point at something that is not there, and by which field."""
        found: dict[Any, str] = {}
        for field in (*fields_of(model), *lists_of(model)):
            if not field.is_relation:
                continue
            wanted = {net.row: in_list(value) for net in nets if (value := (net.before or {}).get(field.name))}
            there = self._there(field.related_model, {key for keys in wanted.values() for key in keys})  # type: ignore[arg-type]
            for row, keys in wanted.items():
                if any(str(key) not in there for key in keys):
                    found[row] = field.name
        return found

    def _there(self, model: type[Model], keys: set[Any]) -> set[str]:
        """Which of these exist, or will when this is done."""
        present = model._base_manager.using(self.using).filter(pk__in=keys).values_list("pk", flat=True)
        return {*map(str, present), *(str(net.row) for net in self.deleted.get(model, []))}


def by_model(nets: Iterable[Net]) -> dict[type[Model], list[Net]]:
    found: dict[type[Model], list[Net]] = defaultdict(list)
    for net in nets:
        found[net.model].append(net)
    # What others point at is checked first, so that they can count on it.
    return {model: found[model] for model in KEPT if model in found}


def in_parts(nets: list[Net]) -> Iterator[list[Net]]:
    for start in range(0, len(nets), AT_ONCE):
        yield nets[start : start + AT_ONCE]


def assigned(model: type[Model], state: State) -> dict[str, Any]:
    """The columns of a state as the model takes them."""
    fields = {field.name: field for field in fields_of(model)}
    return {
        (fields[name].attname if fields[name].is_relation else name): fields[name].to_python(value)
        for name, value in state.items()
        if name in fields
    }


def differing(row: Model, state: State) -> list[str]:
    """The fields in which a row is no longer as this state says. Fields that there are no more do not count."""
    now = columns(row, state)
    if any(field.name in state for field in lists_of(type(row))):
        now.update(lists(row))
    return [name for name, value in now.items() if name in state and value != state[name]]


# -- Sentences ----------------------------------------------------------------------------------------------------


def touched_since(net: Net, row: Model | None) -> str:
    """What became of a row since; empty if nothing did."""
    if row is None:
        return gettext("“%(name)s” is not there any more.") % {"name": label_of(net)}
    since = differing(row, net.after or {})
    return changed_since(net, since) if since else ""


def changed_since(net: Net, names: list[str]) -> str:
    fields = ", ".join(field_label(net.model, name) for name in names)
    return gettext("“%(name)s” was changed since: %(fields)s.") % {"name": label_of(net), "fields": fields}


def points_nowhere(net: Net, name: str) -> str:
    text = gettext("“%(name)s” can not be put back, because what it had under “%(field)s” is gone.")
    return text % {"name": label_of(net), "field": field_label(net.model, name)}


def contradicts(net: Net) -> str:
    text = gettext("“%(name)s” can not be put back, because something else has taken its place.")
    return text % {"name": label_of(net)}

"""Rows as the history keeps them: plain values by name of field, what they point at with its name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC
from functools import cache
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.models import DateField, DateTimeField, Field, ForeignKey, JSONField, ManyToManyField, Model
from django.utils import timezone

from iiif_auth import models

KEPT: tuple[type[Model], ...] = (
    models.IdentityProvider,
    models.Network,
    models.Device,
    models.AccessService,
    models.Terms,
    models.Seats,
    models.SeatsPlace,
    models.AccessPolicy,
    models.Collection,
    models.Resource,
    models.Tier,
    models.Condition,
    models.RefusalText,
    models.CollectionRule,
    models.Delegation,
    models.Rendition,
    models.Invitation,
    models.Embargo,
    models.Withdrawal,
    models.Grant,
)
"""What is a rule, those that others point at first."""

LEFT_OUT = frozenset({"url_digest", "digest", "code_ends", "seen"})
"""What follows from another field, is a secret or its digest, or says only that something was used."""

NAMED_BY: Mapping[type[Model], tuple[str, ...]] = {
    models.Terms: ("service",),
    models.RefusalText: ("policy",),
    models.SeatsPlace: ("seats", "network"),
    models.Delegation: ("collection", "user", "group"),
    models.Embargo: ("resource", "collection"),
    models.Withdrawal: ("resource", "collection"),
    models.Rendition: ("resource",),
    models.Grant: ("user", "group", "network", "service", "invitation", "resource", "collection", "policy"),
}
"""The rows that the name of a row is made of."""

MOST_NAME = 300

State = dict[str, Any]
Key = tuple[type[Model], Any]

MODELS: Mapping[str, type[Model]] = {str(model._meta.model_name): model for model in KEPT}


@cache
def fields_of(model: type[Model]) -> tuple[Field[Any, Any], ...]:
    """The columns of a model that are kept."""
    return tuple(field for field in model._meta.concrete_fields if not field.primary_key and field.name not in LEFT_OUT)


@cache
def lists_of(model: type[Model]) -> tuple[ManyToManyField[Any, Any], ...]:
    """The lists of other rows that a row has."""
    return tuple(model._meta.many_to_many)


def plain(field: Field[Any, Any], value: Any) -> Any:
    """A value of a column as JSON has it; what a foreign key points at is its number."""
    if value is None or isinstance(field, JSONField):
        return value
    if isinstance(field, ForeignKey):
        return _number(field.target_field.to_python(value))
    return _written(field, field.to_python(value))


def _number(value: Any) -> int | str:
    return value if isinstance(value, int) else str(value)


def _written(field: Field[Any, Any], value: Any) -> Any:
    if isinstance(field, DateTimeField):
        aware = timezone.make_aware(value) if timezone.is_naive(value) else value
        return aware.astimezone(UTC).isoformat()
    if isinstance(field, DateField):
        return value.isoformat()
    # Members of enumerations are texts and numbers too, but not to everybody.
    return str(value) if isinstance(value, str) else value


def values_of(row: Model, fields: Iterable[Field[Any, Any]]) -> State:
    """These columns of a row, without the names of what they point at."""
    return {field.name: plain(field, getattr(row, field.attname)) for field in fields}


def columns(row: Model, only: Iterable[str] | None = None) -> State:
    """The columns of a row, all or some."""
    fields = fields_of(type(row))
    if only is None:
        return values_of(row, fields)
    wanted = set(only)
    return values_of(row, [field for field in fields if field.name in wanted or field.attname in wanted])


def lists(row: Model) -> State:
    """The lists of a row, as the numbers of what is in them."""
    return {
        field.name: sorted(_number(key) for key in getattr(row, field.name).values_list("pk", flat=True))
        for field in lists_of(type(row))
    }


def whole(row: Model) -> State:
    return {**columns(row), **lists(row)}


class Names:
    """What rows are called, each asked for once."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.found: dict[Key, str] = {}

    def know(self, row: Model) -> None:
        """Take the names of what this row has at hand, without asking the database."""
        for name, at_hand in row._state.fields_cache.items():
            if isinstance(at_hand, Model):
                field: Any = type(row)._meta.get_field(name)
                self.found[(field.related_model, str(at_hand.pk))] = name_of(at_hand)

    def learn(self, model: type[Model], states: Iterable[State]) -> None:
        """Ask for everything that these states of rows of one model point at: one query for each kind."""
        wanted: dict[type[Model], set[Any]] = defaultdict(set)
        for field in (*fields_of(model), *lists_of(model)):
            if field.is_relation:
                values = [state[field.name] for state in states if state.get(field.name)]
                wanted[field.related_model].update(key for value in values for key in in_list(value))  # type: ignore[index]
        for related, keys in wanted.items():
            unknown = [key for key in keys if (related, str(key)) not in self.found]
            rows = related._base_manager.using(self.using).select_related(*NAMED_BY.get(related, ())).in_bulk(unknown)
            self.found.update({(related, str(key)): name_of(row) for key, row in rows.items()})

    def named(self, model: type[Model], state: State) -> State:
        """The same state, with ``{"id": …, "name": …}`` for whatever it points at."""
        return {name: self._named(model, name, value) for name, value in state.items()}

    def _named(self, model: type[Model], name: str, value: Any) -> Any:
        field: Any = model._meta.get_field(name)
        if not field.is_relation or value is None:
            return value
        given = [{"id": key, "name": self.found.get((field.related_model, str(key)), "")} for key in in_list(value)]
        return given if isinstance(value, list) else given[0]


def in_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def unnamed(state: Mapping[str, Any]) -> State:
    """The opposite of :meth:`Names.named`: only the numbers of what it points at."""
    return {name: _unnamed(value) for name, value in state.items()}


def _unnamed(value: Any) -> Any:
    if isinstance(value, list):
        return sorted((_unnamed(one) for one in value), key=str) if value and _is_link(value[0]) else value
    return value["id"] if _is_link(value) else value


def _is_link(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"id", "name"}


def name_of(row: Model) -> str:
    """What a row is called. A row of a fixture may point at what is not there yet; it has no name then."""
    try:
        return str(row)[:MOST_NAME]
    except (ObjectDoesNotExist, ValidationError):
        return ""


def place_of(row: Any) -> int | None:
    """The number of the collection that a row is in, or says something about."""
    if isinstance(row, models.Collection):
        return row.pk
    if getattr(row, "collection_id", None) is not None:
        return int(row.collection_id)
    if getattr(row, "resource_id", None) is None:
        return None
    try:
        return row.resource.collection_id if row.resource else None
    except ObjectDoesNotExist:
        return None


def differences(before: State, after: State) -> tuple[State, State]:
    """What two states of one row do not have in common."""
    names = [name for name in after if before.get(name) != after[name]]
    return {name: before.get(name) for name in names}, {name: after[name] for name in names}

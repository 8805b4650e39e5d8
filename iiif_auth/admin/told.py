"""Changes in words: what a field is called, what was in it before and after."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateField, DateTimeField, Model
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext

from iiif_auth.history.snapshots import MODELS
from iiif_auth.models import Change
from iiif_auth.models.fields import LanguageMapField

NOTHING = "–"


@dataclass(frozen=True, slots=True)
class Line:
    """One field of a change. ``before`` and ``after`` are ``None`` where the row did not exist."""

    label: str
    before: str | None
    after: str | None


def kind(change: Change) -> str:
    """What sort of row it is about."""
    model = MODELS.get(change.model)
    return str(capfirst(model._meta.verbose_name)) if model else change.model


def lines(change: Change) -> list[Line]:
    """Every field of a change, in the order of the model; what says nothing in an addition or a deletion is left out."""
    model = MODELS.get(change.model)
    names = list(dict.fromkeys([*change.before, *change.after]))
    found = []
    for name in names:
        before = None if change.action == Change.Action.ADDED else worded(model, name, change.before.get(name))
        after = None if change.action == Change.Action.DELETED else worded(model, name, change.after.get(name))
        if {before, after} - {None, NOTHING}:
            found.append(Line(label(model, name), before, after))
    return found


def label(model: type[Model] | None, name: str) -> str:
    found = field(model, name)
    return str(capfirst(found.verbose_name)) if found is not None else name


def field(model: type[Model] | None, name: str) -> Any:
    """The field of this name; ``None`` if there is none any more."""
    try:
        return model._meta.get_field(name) if model else None
    except FieldDoesNotExist:
        return None


def worded(model: type[Model] | None, name: str, value: Any) -> str:
    """A value as somebody reads it."""
    if value is None or value in ("", [], {}):
        return NOTHING
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(worded(None, "", one) for one in value)
    if isinstance(value, dict):
        return _worded_map(field(model, name), value)
    return _worded_text(field(model, name), value)


def _worded_map(found: Any, value: dict[str, Any]) -> str:
    if value.keys() == {"id", "name"}:
        return str(value["name"] or gettext("number %(id)s") % value)
    if isinstance(found, LanguageMapField):
        return " / ".join(f"{code}: {' '.join(map(str, texts))}" for code, texts in value.items())
    return str(value)


def _worded_text(found: Any, value: Any) -> str:
    if isinstance(found, DateTimeField):
        at = parse_datetime(str(value))
        return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at else str(value)
    if isinstance(found, DateField):
        day = parse_date(str(value))
        return date_format(day) if day else str(value)
    choices = dict(getattr(found, "flatchoices", None) or ())
    return str(choices.get(value, value))

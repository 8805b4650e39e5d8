"""Naming people and groups by typing, whatever the host's user model looks like.

The host's own pickers can not be relied on: its user admin may have no search, or one that finds nobody by e-mail
(``hosts.md``, C12 and C13).
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

MOST_NAMED = 6


def name_fields() -> list[str]:
    """The text columns of the user model in which somebody can be looked for, the one they sign in with first."""
    model = get_user_model()
    wanted = (model.USERNAME_FIELD, model.get_email_field_name(), "first_name", "last_name", "name", "full_name")
    return [name for name in dict.fromkeys(wanted) if _is_text(model, name)]


def _is_text(model: type[Model], name: str) -> bool:
    try:
        field = model._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return field.get_internal_type() in ("CharField", "TextField", "EmailField", "SlugField")


def search_fields(prefix: str = "user__") -> list[str]:
    """``search_fields`` of a ModelAdmin whose rows point at people."""
    return [prefix + name for name in name_fields()]


def named(people: QuerySet[Any], fields: list[str], text: str) -> Any:
    """The one whom a text names: exactly by a field, else the only one in whom it occurs.

    Raises:
        ValidationError: nobody, or several; the sentence says who they are.
    """
    for lookup in ("exact", "iexact", "icontains"):
        found = list(people.filter(_any_of(fields, lookup, text)).order_by("pk")[: MOST_NAMED + 1])
        if len(found) == 1:
            return found[0]
        if found:
            raise ValidationError(_several(text, found))
    raise ValidationError(_("There is no “%(text)s”; please check the spelling.") % {"text": text[:80]})


def _any_of(fields: list[str], lookup: str, text: str) -> Q:
    query = Q()
    for field in fields:
        query |= Q(**{f"{field}__{lookup}": text})
    return query


def _several(text: str, found: list[Any]) -> str:
    names = ", ".join(shown(one) for one in found[:MOST_NAMED]) + (", …" if len(found) > MOST_NAMED else "")
    return _("Several fit “%(text)s”; please write one of these: %(names)s.") % {"text": text[:80], "names": names}


def person(text: str) -> Any:
    """The person whom a text names; see :func:`named`."""
    return named(get_user_model()._default_manager.all(), name_fields(), text)


def group(text: str) -> Group:
    """The group that a text names; see :func:`named`."""
    found: Group = named(Group.objects.all(), ["name"], text)
    return found


def shown(one: Any) -> str:
    """What to type for somebody."""
    return str(one.get_username() if hasattr(one, "get_username") else one)


class NamedField(forms.CharField):
    """A person or a group by name. The value is the row."""

    def __init__(self, *args: Any, find: Any = person, **kwargs: Any) -> None:
        for unknown in ("queryset", "to_field_name", "limit_choices_to", "blank", "empty_label"):
            kwargs.pop(unknown, None)
        super().__init__(*args, **{"widget": forms.TextInput(attrs={"class": "vTextField", "size": 40}), **kwargs})
        self.find = find

    def prepare_value(self, value: Any) -> Any:
        return shown(value) if isinstance(value, Model) else value

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        return self.find(text) if text else None

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((self.prepare_value(initial) or "") != (data or "").strip())


class NamesPeople:
    """For model forms: shows the people and groups in ``named_fields`` by name, without a query for each row."""

    named_fields = ("user", "group")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        instance: Any = getattr(self, "instance", None)
        for name in self.named_fields:
            if name in self.fields and getattr(instance, f"{name}_id", None) is not None:  # type: ignore[attr-defined]
                self.initial[name] = getattr(instance, name)  # type: ignore[attr-defined]


def picked(name: str, **kwargs: Any) -> NamedField:
    """The form field for a foreign key to a person or a group."""
    if name == "user":
        help_text: Any = _("A user name, an e-mail address, or a part of it that only one person has.")
        return NamedField(find=person, **{**kwargs, "help_text": help_text})
    return NamedField(find=group, **{**kwargs, "help_text": _("The name of the group, or a part that only one has.")})

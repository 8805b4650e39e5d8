"""Every door of the admin asks :mod:`iiif_auth.roles`: lists, forms, pickers, inlines, actions and what they touch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from iiif_auth import roles
from iiif_auth.models import Grant, Rendition, Resource

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[Any]
    BaseInline = admin.StackedInline[Any, Any]
    from django import forms
    from django.forms.models import BaseInlineFormSet

    BaseForm = forms.ModelForm[Any]
    BaseFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    BaseAdmin = BaseInline = BaseForm = BaseFormSet = object

ACTION_CODENAMES = {
    "embargo": "add_embargo",
    "lift": "change_embargo",
    "grant": "add_grant",
    "end_grants": "change_grant",
    "withdraw": "add_withdrawal",
    "restore": "change_withdrawal",
}
"""What an action on rows needs there, by the name of the permission it asks its admin class for; else ``NAME_model``."""

FIXED: dict[str, tuple[str, ...]] = {
    "resource": ("url", "source"),
    "collection": ("slug", "parent", "hides_existence", "administrators"),
}
"""What only people who work everywhere change: it could take something out of reach of its rules, or out of others' hands."""

UNLISTED: dict[str, tuple[str, ...]] = {
    "resource": ("source",),
    "rendition": ("source", "is_location"),
    "collection": ("administrators",),
}
"""What others do not say of new rows either: from where bytes come, since they could be anybody's."""


def codename(opts: Any, action: str) -> str:
    return f"{opts.app_label}.{get_permission_codename(action, opts)}"


def is_ours(model: type[Model]) -> bool:
    return model._meta.app_label == "iiif_auth"


class Choosing:
    """Pickers offer, and forms take, what somebody finds; for anything else the answer is that there is no such choice."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return self._chosen(super().formfield_for_foreignkey(db_field, request, **kwargs), request)  # type: ignore[misc]

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return self._chosen(super().formfield_for_manytomany(db_field, request, **kwargs), request)  # type: ignore[misc]

    def _chosen(self, found: Any, request: HttpRequest) -> Any:
        rows = getattr(found, "queryset", None)
        if isinstance(rows, QuerySet) and is_ours(rows.model):
            found.queryset = roles.visible(request.user, rows)
        return found


class Scoped(Choosing, BaseAdmin):
    """A model admin that shows and changes only what is somebody's to see and to change."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return roles.visible(request.user, super().get_queryset(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and (
            self._may(request, "view", obj) or self._may(request, "change", obj)
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and self._may(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may(request, "delete", obj)

    def _may(self, request: HttpRequest, action: str, obj: Any = None) -> bool:
        permission = codename(self.opts, action)
        if obj is None:
            return roles.somewhere(request.user, permission)
        return roles.may(request.user, permission, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (PlacedHere, form), {"asker": request.user})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        return (*fields, *(name for name in kept_from(request, self.opts, obj) if name not in fields))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        kept = kept_from(request, self.opts, obj)
        found: Any = super().get_prepopulated_fields(request, obj)
        return {name: sources for name, sources in found.items() if name not in kept}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Nobody asks through what points at a row, such as ``?resources=7``: that would count what they do not find."""
        if not roles.is_everywhere(request.user) and self._is_backwards(lookup):
            return False
        return super().lookup_allowed(lookup, value, request)

    def _is_backwards(self, lookup: str) -> bool:
        try:
            field: Any = self.opts.get_field(lookup.partition("__")[0])
        except FieldDoesNotExist:
            return False
        return bool(field.auto_created and not field.concrete)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        """Actions touch those rows only with which their permission may be used, however many are found."""
        for permission in self._needed(request):
            queryset = roles.within(request.user, permission, queryset)
        return super().response_action(request, queryset, *args, **kwargs)

    def _needed(self, request: HttpRequest) -> list[str]:
        """What the actions that are named need; a request may name two of them, of which Django takes one."""
        offered: Any = self.get_actions(request)
        functions = [offered[name][0] for name in request.POST.getlist("action") if name in offered]
        return [self._of_action(name) for one in functions for name in getattr(one, "allowed_permissions", ())]

    def _of_action(self, name: str) -> str:
        known = {**ACTION_CODENAMES, **getattr(self, "action_codenames", {})}
        return f"{self.opts.app_label}.{known[name]}" if name in known else codename(self.opts, name)


class ScopedInline(Choosing, BaseInline):
    """Rows on the page of their owner: whether they may be seen and changed is a matter of where the owner is."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and (
            self._may(request, "view", obj) or self._may(request, "change", obj)
        )

    def has_add_permission(self, request: HttpRequest, obj: Any) -> bool:  # type: ignore[override]
        return super().has_add_permission(request, obj) and self._may(request, "add", obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._may(request, "delete", obj)

    def _may(self, request: HttpRequest, action: str, obj: Any) -> bool:
        permission = codename(self.opts, action)
        if obj is None or not is_ours(type(obj)):
            return roles.somewhere(request.user, permission)
        return roles.may(request.user, permission, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return roles.visible(request.user, super().get_queryset(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        kept = () if roles.is_everywhere(request.user) else UNLISTED.get(str(self.opts.model_name), ())
        return (*fields, *(name for name in kept if name not in fields))

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)
        form = type(formset.form.__name__, (PlacedHere, formset.form), {"asker": request.user})
        return type(formset.__name__, (WithOwner, formset), {"form": form})


def kept_from(request: HttpRequest, opts: Any, obj: Any) -> tuple[str, ...]:
    """The fields that somebody sees but does not fill in."""
    if roles.is_everywhere(request.user):
        return ()
    return (UNLISTED if obj is None else FIXED).get(str(opts.model_name), ())


# -- What is about to be saved ------------------------------------------------------------------------------------


class WithOwner(BaseFormSet):
    """Tells its forms whose rows they are, which a new owner that is not saved yet can not be asked by a key."""

    def _construct_form(self, i: int, **kwargs: Any) -> Any:
        form: Any = super()._construct_form(i, **kwargs)  # type: ignore[misc]
        form.owner = self.instance
        return form


class PlacedHere(BaseForm):
    """Asks once more about the row as it would be saved: where it would be, whose address it has, how long it lasts."""

    asker: Any = None
    owner: Any = None
    free = False
    """Nothing of it is kept, and whoever uses it has asked already: drafts of policies."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        row = self.instance
        if self.free or self.errors or not self.changed_data or not is_ours(type(row)):
            return
        place = self.owner if self.owner is not None and is_ours(type(self.owner)) else row
        if not roles.may(self.asker, codename(row._meta, "add" if row._state.adding else "change"), place):
            self.add_error(self._place_field(), elsewhere())
            self._put_back()
        for name, sentence in objections(self.asker, row, place, set(self.changed_data)):
            self.add_error(name if name in self.fields else None, ValidationError(sentence))

    def _put_back(self) -> None:
        """The page that says so asks about the row again: it is where it was."""
        for name in ("collection", "parent", "resource"):
            if name in self.changed_data and not self.instance._state.adding:
                setattr(self.instance, f"{name}_id", self.initial.get(name))

    def _place_field(self) -> str | None:
        return next((name for name in ("collection", "parent", "resource") if name in self.fields), None)


def elsewhere() -> str:
    return _("Choose something in a collection that you look after; this would be outside of yours.")


def objections(user: Any, row: Any, place: Any, changed: set[str]) -> list[tuple[str, str]]:
    """By field, what else is against saving a row at a place."""
    if isinstance(row, Grant) and changed - {"reason"}:
        return [("ends", sentence) for sentence in (too_long(user, row, place),) if sentence]
    if isinstance(row, Resource | Rendition) and "url" in changed:
        own = row.pk if isinstance(row, Resource) else place.pk if isinstance(place, Resource) else row.resource_id
        return [] if roles.may_claim(user, row.url, own) else [("url", _("This address is not yours to list."))]
    return []


def too_long(user: Any, row: Grant, place: Any) -> str:
    """Why a grant lasts longer than somebody may give at a place; empty if it does not."""
    days = roles.most_days(user, place)
    if days is None:
        return ""
    now = timezone.now()
    latest = max(row.starts or now, now) + timedelta(days=days)
    if row.ends is not None and row.ends <= latest + timedelta(minutes=1):
        return ""
    return ngettext(
        "Here you may give access for %(days)d day at most; please choose an earlier end.",
        "Here you may give access for %(days)d days at most; please choose an earlier end.",
        days,
    ) % {"days": days}

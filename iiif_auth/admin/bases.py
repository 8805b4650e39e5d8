"""What our admin classes have in common. They are plain ModelAdmins, so that any skin can dress them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db.models import Field, Q, QuerySet, TextField
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin.recorded import recorded_pattern
from iiif_auth.admin.remembered import Remembered
from iiif_auth.admin.scope import Scoped, ScopedInline
from iiif_auth.conf import conf
from iiif_auth.models.content import ResourceURLField
from iiif_auth.models.fields import LanguageMapField
from iiif_auth.protocol import identity

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    PlainInline = admin.StackedInline[Any, Any]
    ModelForm = forms.ModelForm[Any]
    InlineFormSet = BaseInlineFormSet[Any, Any, Any]
else:
    ModelAdmin, PlainInline = admin.ModelAdmin, admin.StackedInline
    ModelForm, InlineFormSet = forms.ModelForm, BaseInlineFormSet

LONG_TEXTS = ("note", "error_note")


class Fields:
    """Form fields as all of our forms want them."""

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest | None, **kwargs: Any) -> Any:
        if isinstance(db_field, LanguageMapField):
            kwargs.setdefault("lines", 4 if db_field.name in LONG_TEXTS else 1)
        elif isinstance(db_field, ResourceURLField):
            kwargs.setdefault("widget", forms.TextInput(attrs={"class": "vLargeTextField", "inputmode": "url"}))
        elif isinstance(db_field, TextField):
            kwargs.setdefault("widget", AdminTextareaWidget(attrs={"rows": 3}))
        found = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if isinstance(found, forms.SplitDateTimeField):
            name_parts(found)
        return found


def name_parts(found: forms.SplitDateTimeField) -> None:
    """Django gives the two boxes of a moment labels that belong to neither."""
    parts: Any = found.widget
    for part, name in zip(parts.widgets, (_("%(label)s: date"), _("%(label)s: time")), strict=True):
        part.attrs["aria-label"] = name % {"label": found.label}


class StackedInline(ScopedInline, PlainInline):
    """Rows on the page of their owner, for those who may see and change them there."""


class Admin(Remembered, Fields, Scoped, ModelAdmin):
    """A list that stays quick with many rows, and a form that speaks in sentences."""

    list_per_page = 100
    list_max_show_all = 100
    show_full_result_count = False

    @property
    def urls(self) -> Any:
        """Whatever is changed on any of these pages is recorded with the person who did it."""
        return [recorded_pattern(pattern) for pattern in self.get_urls()]

    class Media:
        css = {"all": ("iiif_auth/admin/admin.css",)}
        js = (forms.Script("iiif_auth/admin/names.js", type="module"),)

    def cautions(self, row: Any) -> Iterable[str]:
        """What somebody who just saved this row should know."""
        return ()

    def response_add(self, request: HttpRequest, obj: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().response_add(request, obj, *args, **kwargs)
        self._caution(request, obj)
        return response

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        response = super().response_change(request, obj)
        self._caution(request, obj)
        return response

    def _caution(self, request: HttpRequest, obj: Any) -> None:
        for sentence in dict.fromkeys(self.cautions(obj)):
            self.message_user(request, sentence, messages.WARNING)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # PostgreSQL can not even be asked for U+0000; Django's own pickers pass it on.
        return super().get_search_results(request, queryset, search_term.replace("\x00", ""))


class Written(Admin):
    """Rows that the program writes: people with the permission read them, and nobody adds, changes or deletes any."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class FoundByAddress(Admin):
    """Finds rows by any spelling of an address, as copied from a viewer or a browser, besides the search fields."""

    address_lookup = "url_digest"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        found, distinct = super().get_search_results(request, queryset, search_term)
        try:
            digest = identity.digest(identity.normalised(search_term.strip(), conf.BASE_URL))
        except identity.NotAResourceURL:
            return found, distinct
        return found | queryset.filter(Q(**{self.address_lookup: digest})), distinct

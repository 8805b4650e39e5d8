"""Embargoes, withdrawals and grants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin import askable, chosen, people, states
from iiif_auth.admin.attributes import TakesAttribute, cautions_about_grant
from iiif_auth.admin.bases import Fields, StackedInline
from iiif_auth.admin.calendar import CalendarPages
from iiif_auth.admin.cleaning import CleaningPages
from iiif_auth.admin.embargoes import EmbargoForm, FromMidnight, StillClosed, what_comes_then
from iiif_auth.admin.granting import GivingPages
from iiif_auth.admin.people import NamesPeople
from iiif_auth.admin.searching import SearchedByKeys
from iiif_auth.admin.sees_page import SeesWhat
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.models import Embargo, Grant, Withdrawal

PERSONAL = ("user", "group")


class GrantForm(NamesPeople, TakesAttribute):
    """For whom is typed by name, or as an attribute."""


class TakesPeople(Fields):
    """People and groups are typed by name, whatever the host's own admin can search for."""

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in PERSONAL:
            return people.picked(db_field.name, required=not db_field.blank, label=db_field.verbose_name.capitalize())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        if db_field.name in PERSONAL:
            # Without the buttons of related objects, which open the host's own pages.
            return self.formfield_for_foreignkey(db_field, request, **kwargs)  # type: ignore[arg-type]
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class Overlay(SearchedByKeys):
    """A list by state, and the way to end what is running."""

    form = PlainForm
    actions: Any = ("end_now",)
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("resource", "collection")
    list_select_related: ClassVar[tuple[str, ...]] = ("resource", "collection")

    @admin.display(description=_("state"))
    def state(self, row: Any) -> str:
        return states.state(row)

    @admin.display(description=_("what"))
    def target(self, row: Any) -> str:
        return str(row.resource or row.collection)

    @admin.action(description=_("End now"), permissions=["change"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        chosen.end_now(self, request, queryset)

    def cautions(self, row: Any) -> Iterable[str]:
        if row.ends is not None and row.ends <= timezone.now():
            yield gettext("It ended on %(day)s already, so it changes nothing.") % {"day": states.day(row.ends)}


@admin.register(Embargo)
class EmbargoAdmin(CalendarPages, CleaningPages, Overlay):
    form = EmbargoForm
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.DateTimeField: {"form_class": FromMidnight}}
    list_display = ("target", "closes", "hard", "state", "then_policy", "reason")
    list_filter = (states.StateFilter, StillClosed, "ends", "closes", "hard")
    list_select_related = ("resource", "collection", "then_policy")
    autocomplete_fields = ("resource", "collection", "then_policy")
    readonly_fields = ("what_then",)
    search_fields = ("resource__url", "resource__label", "collection__slug", "collection__label", "reason")
    fieldsets = (
        (None, {"fields": ("resource", "collection", ("starts", "ends"), "closes", "hard")}),
        (_("And then"), {"fields": ("then_policy", "what_then")}),
        (_("Why"), {"fields": ("note", "reason")}),
    )

    @admin.display(description=_("in words"))
    def what_then(self, row: Embargo) -> str:
        return what_comes_then(row)


@admin.register(Withdrawal)
class WithdrawalAdmin(Overlay):
    list_display = ("target", "state", "reason", "reference", "review_on")
    list_filter = (states.StateFilter, "starts", "review_on")
    search_fields = ("resource__url", "resource__label", "collection__slug", "collection__label", "reason", "reference")
    fieldsets = (
        (None, {"fields": ("resource", "collection", "reason", "reference", "review_on")}),
        (_("When"), {"fields": (("starts", "ends"),)}),
        (_("What people are told"), {"fields": ("note",)}),
    )


@admin.register(Grant)
class GrantAdmin(GivingPages, SeesWhat, TakesPeople, Overlay):
    form = GrantForm
    actions = ("extend", "end_now")
    list_display = ("__str__", "in_words", "state", "sees_link", "reason", "granted_by")
    list_filter = (states.StateFilter, "created", "take", ("policy", admin.RelatedOnlyFieldListFilter))
    list_select_related = (
        "resource",
        "collection",
        "policy",
        "user",
        "group",
        "network",
        "service",
        "invitation",
        "granted_by",
    )
    autocomplete_fields = ("resource", "collection", "policy", "network", "service")
    readonly_fields = ("granted_by", "created")
    fieldsets = (
        (_("For whom (one of these)"), {"fields": ("user", "group", "network", "service", "attribute")}),
        (_("What (one of these)"), {"fields": ("resource", "collection", "policy")}),
        (_("How much"), {"fields": ("tier", "take")}),
        (_("How long"), {"fields": (("starts", "ends"), "reason")}),
        (_("Given"), {"fields": (("granted_by", "created"),)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fieldsets[:-1] if obj is None else self.fieldsets

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        own = ["resource__url", "resource__label", "collection__slug", "policy__name", "group__name", "reason"]
        return [*own, *people.search_fields("user__")]

    @admin.display(description=_("how much"))
    def in_words(self, row: Grant) -> str:
        tier = row.tier or gettext("full version")
        return tier if row.take else gettext("%(tier)s, to look only") % {"tier": tier}

    def cautions(self, row: Any) -> Iterable[str]:
        yield from super().cautions(row)
        yield from cautions_about_grant(row)
        yield from askable.warnings([row])

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.granted_by = request.user
        super().save_model(request, obj, form, change)


class OverlayInline(Fields, StackedInline):
    """What is not over yet; the rest is in the list."""

    form = PlainForm
    extra = 0
    show_change_link = True
    classes = ("collapse",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).exclude(states.conditions(timezone.now())["over"])


class EmbargoInline(OverlayInline):
    model = Embargo
    form = EmbargoForm
    formfield_overrides: ClassVar[dict[Any, Any]] = {models.DateTimeField: {"form_class": FromMidnight}}
    autocomplete_fields = ("then_policy",)
    fields = (("starts", "ends"), "closes", "then_policy", "hard", "note", "reason")
    verbose_name_plural = _("embargoes that are not over")


class WithdrawalInline(OverlayInline):
    model = Withdrawal
    fields = (("starts", "ends"), "reason", "reference", "review_on", "note")
    verbose_name_plural = _("withdrawals that are not over")


class GrantInline(TakesPeople, OverlayInline):
    model = Grant
    form = GrantForm
    fields = (("user", "group"), "attribute", ("tier", "take"), ("starts", "ends"), "reason")
    verbose_name_plural = _("grants to people and groups that are not over")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(network=None, service=None).select_related("user", "group")

"""The history: what was changed, by whom, why, before and after, and putting it back. Nobody adds to it or takes from it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, path, reverse
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import history, roles
from iiif_auth.admin import told
from iiif_auth.admin.bases import Written
from iiif_auth.admin.putting_back import may_put_back
from iiif_auth.history.snapshots import MODELS
from iiif_auth.models import Change, Collection

MOST_LISTED = 50


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), help_text=_("For your colleagues.")
    )


class WhoFilter(admin.SimpleListFilter):
    title = _("who")
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """People who changed something that the asker finds."""
        changes = roles.visible(request.user, Change.objects.filter(actor=OuterRef("pk"))).order_by()
        people = get_user_model()._default_manager.filter(Exists(changes)).order_by(get_user_model().USERNAME_FIELD)
        listed = [(str(person.pk), person.get_username()) for person in people[:MOST_LISTED]]
        return [*listed, ("nobody", _("The program itself"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "nobody":
            return queryset.filter(actor=None)
        return queryset.filter(actor=value) if value in {str(key) for key, _name in self.lookup_choices} else queryset


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(name, model._meta.verbose_name) for name, model in MODELS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(model=self.value()) if self.value() in MODELS else queryset


class PlaceFilter(admin.SimpleListFilter):
    title = _("collection")
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        rows = roles.visible(request.user, Collection.objects.all()).order_by("slug")
        return [(str(row.pk), str(row)) for row in rows[:MOST_LISTED]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value() or ""
        return queryset.filter(collection=value) if value.isdecimal() and len(value) < 18 else queryset


@admin.register(Change)
class ChangeAdmin(Written):
    list_display = ("at", "by", "action", "kind", "name", "what", "why", "batch_link")
    list_display_links = ("at", "name")
    list_filter = (WhoFilter, "at", KindFilter, "action", PlaceFilter)
    list_select_related = ("batch",)
    search_fields = ("reason", "name", "actor_name")
    ordering = ("-at", "-pk")
    actions = None

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return lookup in ("batch__id__exact", "batch", "row", "model") or super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("by"), ordering="actor_name")
    def by(self, row: Change) -> str:
        return row.actor_name or gettext("the program itself")

    @admin.display(description=_("kind"), ordering="model")
    def kind(self, row: Change) -> str:
        return told.kind(row)

    @admin.display(description=_("what"))
    def what(self, row: Change) -> str:
        lines = told.lines(row)
        if row.action != Change.Action.CHANGED:
            return ""
        said = "; ".join(f"{line.label}: {line.before} → {line.after}" for line in lines[:3])
        return Truncator(said).chars(160)

    @admin.display(description=_("reason"))
    def why(self, row: Change) -> str:
        return Truncator(row.reason).chars(100)

    @admin.display(description=_("batch"))
    def batch_link(self, row: Change) -> str:
        if row.batch is None:
            return ""
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:iiif_auth_batch_change", args=[row.batch_id]), row.batch
        )

    # -- one change

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.revert_view)
        return [path("<path:object_id>/revert/", view, name="iiif_auth_change_revert"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_permission(request, row) or request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return self.page(request, row, ReasonForm())

    def page(self, request: HttpRequest, row: Change, form: ReasonForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": str(row),
            "kind": told.kind(row),
            "lines": told.lines(row),
            "subject": subject_url(row),
            "allowed": may_put_back(request.user, Change.objects.filter(pk=row.pk)),
            "obstacle": history.revertible(row),
            "form": form,
            "media": self.media,
        }
        return TemplateResponse(request, "admin/iiif_auth/change.html", context)

    def revert_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Put one change back, with a reason."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_view_permission(request, row) or not may_put_back(
            request.user, Change.objects.filter(pk=row.pk)
        ):
            raise PermissionDenied
        form = ReasonForm(request.POST or None)
        if request.method != "POST" or not form.is_valid():
            return self.page(request, row, form)
        try:
            history.revert(row, request.user, form.cleaned_data["reason"])
        except history.NotUndone as error:
            self.message_user(request, " ".join(error.sentences), messages.ERROR)
        else:
            self.message_user(request, gettext("“%(name)s” was put back.") % {"name": row.name}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:iiif_auth_change_change", args=[row.pk]))


def subject_url(row: Change) -> str:
    """The page of the row that a change is about; empty if it is gone or has none."""
    model = MODELS.get(row.model)
    if model is None or not model._base_manager.filter(pk=row.row).exists():
        return ""
    try:
        return reverse(f"admin:iiif_auth_{row.model}_change", args=[row.row])
    except NoReverseMatch:
        return ""

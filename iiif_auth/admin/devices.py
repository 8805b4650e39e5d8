"""Enrolled machines: codes for them, when they were last seen, and an end to any of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, CharField, Exists, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from iiif_auth import devices
from iiif_auth.admin import people
from iiif_auth.admin.bases import Admin
from iiif_auth.admin.passes import SECRET
from iiif_auth.conf import conf
from iiif_auth.models import Device, Pass

STATES = {
    "enrolled": _("Enrolled"),
    "waiting": _("Waiting for its code"),
    "out": _("Not enrolled"),
    "revoked": _("Revoked"),
}


def with_state(rows: QuerySet[Device], now: datetime) -> QuerySet[Device]:
    """Rows with what they are now, and when they were last seen."""
    own = Pass.objects.filter(device=OuterRef("pk"), enrols=True)
    state = Case(
        When(revoked__isnull=False, then=Value("revoked")),
        When(Exists(own.filter(ends__gt=now)), then=Value("enrolled")),
        When(code_ends__gt=now, then=Value("waiting")),
        default=Value("out"),
        output_field=CharField(),
    )
    return rows.annotate(state_now=state, last_seen=Coalesce(Subquery(own.values("seen")[:1]), "seen"))


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(state_now=self.value()) if self.value() in STATES else queryset


class RevokeForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), required=False, max_length=500, help_text=_("For the history."))


@admin.register(Device)
class DeviceAdmin(Admin):
    list_display = ("name", "network", "state", "seen_on", "since", "by")
    list_filter = (StateFilter, ("network", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("network", "made_by")
    search_fields = ("name", "network__name")
    ordering = ("name", "pk")
    fields = ("name", "network", "state", "seen_on", "since", "by", "revoked")
    readonly_fields = ("state", "seen_on", "since", "by", "revoked")
    actions = ("revoke",)
    change_form_template = "admin/iiif_auth/device_form.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is not None else ("name", "network")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Device]:
        return with_state(super().get_queryset(request), timezone.now())

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not SECRET & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("state"))
    def state(self, row: Any) -> Any:
        until = timezone.localtime(row.code_ends) if row.code_ends else None
        if row.state_now == "waiting" and until is not None:
            return gettext("Waiting for its code until %(time)s") % {"time": date_format(until, "TIME_FORMAT")}
        return STATES[row.state_now]

    @admin.display(description=_("last seen"), ordering="last_seen")
    def seen_on(self, row: Any) -> str:
        """To the hour it was noted; while a machine is out, when it was last seen before."""
        return date_format(timezone.localtime(row.last_seen), "DATETIME_FORMAT") if row.last_seen else "–"

    @admin.display(description=_("enrolled by"), ordering="made_by")
    def by(self, row: Device) -> str:
        return people.shown(row.made_by) if row.made_by else "–"

    # -- codes

    def get_urls(self) -> list[Any]:
        views = ((self.code_view, "code"), (self.revoke_view, "revoke"))
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"iiif_auth_device_{name}")
            for view, name in views
        ]
        return [*own, *super().get_urls()]

    def response_add(self, request: HttpRequest, obj: Device, *args: Any, **kwargs: Any) -> HttpResponse:
        """Its code at once, in the answer itself: it is put into no message, cookie or log."""
        super().response_add(request, obj, *args, **kwargs)
        return self._coded(request, obj)

    def code_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._changeable(request, object_id)
        if not isinstance(row, Device):
            return row
        if request.method == "POST":
            return self._coded(request, row)
        title = gettext("A new code for “%(name)s”?") % {"name": row}
        return self._page(request, row, "device_code", title=title)

    @sensitive_variables("code")
    def _coded(self, request: HttpRequest, row: Device) -> HttpResponse:
        code = devices.new_code(row, request.user)
        title = gettext("The code for “%(name)s”") % {"name": row}
        page = conf.BASE_URL + reverse("iiif_auth:enrol")
        return self._page(request, row, "device_code", title=title, code=code, page=page, minutes=devices.CODE_MINUTES)

    # -- revoking

    def revoke_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self._changeable(request, object_id)
        if not isinstance(row, Device):
            return row
        form = RevokeForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            self._revoked(request, row, form.cleaned_data["reason"])
            self.message_user(request, gettext("“%(name)s” is revoked.") % {"name": row}, messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:iiif_auth_device_changelist"))
        return self._page(request, row, "device_revoke", title=gettext("Revoke “%(name)s”?") % {"name": row}, form=form)

    @admin.action(permissions=["change"], description=_("Revoke the chosen machines, at once"))
    def revoke(self, request: HttpRequest, queryset: QuerySet[Device]) -> None:
        rows = list(queryset)
        for row in rows:
            self._revoked(request, row)
        said = ngettext("%(n)d machine is revoked.", "%(n)d machines are revoked.", len(rows)) % {"n": len(rows)}
        self.message_user(request, said, messages.SUCCESS)

    def _revoked(self, request: HttpRequest, row: Device, reason: str = "") -> None:
        devices.revoke(row, request.user, reason)
        self.log_change(request, row, gettext("Revoked."))

    # -- both

    def _changeable(self, request: HttpRequest, object_id: str) -> Device | HttpResponse:
        """The row, if this person may change it.

        Raises:
            PermissionDenied: they may not.
        """
        row: Device | None = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        if not self.has_change_permission(request, row):
            raise PermissionDenied
        return row

    def _page(self, request: HttpRequest, row: Device, name: str, **context: Any) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "opts": self.opts, "original": row, "media": self.media}
        response = TemplateResponse(request, f"admin/iiif_auth/{name}.html", {**common, **context})
        response.headers["Cache-Control"] = "no-store"
        return response

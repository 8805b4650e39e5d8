"""The page “Who can see this?” of a resource and of a collection, on the screen, on paper and as a file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles, store
from iiif_auth.admin import held, written
from iiif_auth.admin.who_sees import COLUMNS, PER_PAGE, Sheet
from iiif_auth.models import Collection

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object


class WhoSees(Base):
    """Adds the page to the admin of resources or of collections, and ``who_link`` for its list and its form."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.who_view)
        name = f"iiif_auth_{self.opts.model_name}_who"
        return [path("<path:object_id>/who/", view, name=name), *super().get_urls()]

    @admin.display(description=_("who can see this"))
    def who_link(self, row: Any) -> str:
        if row is None or row.pk is None:
            return "-"
        url = reverse(f"admin:iiif_auth_{self.opts.model_name}_who", args=[row.pk], current_app=self.admin_site.name)
        label = gettext("Who can see %(what)s?") % {"what": row}
        return format_html('<a href="{}" aria-label="{}">{}</a>', url, label, gettext("Who?"))

    def who_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404(gettext("There is nothing with this number, or it is not yours to look after."))
        if not (self.has_view_permission(request, row) and roles.visible(request.user, self._one(row)).exists()):
            raise PermissionDenied
        sheet = Sheet(row, request.user)
        try:
            return FORMATS.get(request.GET.get("format", ""), page)(self, request, sheet)
        except store.RulesInMotion:
            return moving(self, request, row)

    def _one(self, row: Any) -> Any:
        return type(row)._default_manager.filter(pk=row.pk)


def context_of(model_admin: Any, request: HttpRequest, row: Any) -> dict[str, Any]:
    title = gettext("Who can see %(what)s?") % {"what": row}
    request.current_app = model_admin.admin_site.name
    return {**model_admin.admin_site.each_context(request), "opts": model_admin.opts, "original": row, "title": title}


def moving(model_admin: Any, request: HttpRequest, row: Any) -> HttpResponseBase:
    context = {**context_of(model_admin, request, row), "moving": True}
    return TemplateResponse(request, "admin/iiif_auth/who_sees.html", context, status=503)


def page(model_admin: Any, request: HttpRequest, sheet: Sheet) -> HttpResponseBase:
    """For people; by name a hundred at a time."""
    kinds = sheet.kinds()
    group = request.GET.get("group", "")
    rows = sheet.members(group) if group else sheet.people
    pages = Paginator(rows, PER_PAGE)
    shown = pages.get_page(request.GET.get("page"))
    context = {
        **context_of(model_admin, request, sheet.target),
        "sheet": sheet,
        "kinds": kinds,
        "closed": sheet.closed(),
        "shown": shown,
        "people": sheet.named(list(shown.object_list)) if sheet.names else [],
        "invited": sheet.invited() if sheet.names and not group else [],
        "group": next((kind for kind in kinds if group and kind.group == group), None),
        "held": held.held_in(sheet.target, request.user, sheet.at) if isinstance(sheet.target, Collection) else None,
        "why": reverse("admin:iiif_auth_why", current_app=model_admin.admin_site.name),
    }
    return TemplateResponse(request, "admin/iiif_auth/who_sees.html", context)


def name_of(sheet: Sheet) -> str:
    return f"who-{sheet.target._meta.model_name}-{sheet.target.pk}-{sheet.at:%Y-%m-%d}"


def csv(model_admin: Any, request: HttpRequest, sheet: Sheet) -> HttpResponseBase:
    """For spreadsheets."""
    return written.as_csv(name_of(sheet), COLUMNS, sheet.rows())


def json(model_admin: Any, request: HttpRequest, sheet: Sheet) -> HttpResponseBase:
    """For programs."""
    about = {"what": str(sheet.target), "at": sheet.at.isoformat(), "complete": sheet.found.complete}
    return written.as_json(name_of(sheet), about, sheet.rows())


FORMATS = {"csv": csv, "json": json}

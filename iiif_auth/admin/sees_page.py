"""The page “What can this person see?”, beside the grants; the host's own admin of people is left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import store
from iiif_auth.admin import people, written
from iiif_auth.admin.sees_what import COLUMNS, SeesForm, Sight
from iiif_auth.models import Grant

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Grant]
else:
    Base = object

PER_PAGE = 100
MOST_COLLECTIONS = 1000


class SeesWhat(Base):
    """Adds the page to the admin of grants, and ``sees_link`` for its list."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path("person/", self.admin_site.admin_view(self.sees_view), name="iiif_auth_sees_what"),
            *super().get_urls(),
        ]

    @admin.display(description=_("sees"))
    def sees_link(self, row: Grant) -> str:
        """What else the one sees whom this grant is for."""
        asked = question_about(row)
        if asked is None:
            return "-"
        url = reverse("admin:iiif_auth_sees_what", current_app=self.admin_site.name)
        name, value = asked
        label = gettext("What can %(who)s see?") % {"who": value}
        return format_html(
            '<a href="{}?{}" aria-label="{}">{}</a>', url, urlencode({name: value}), label, gettext("What?")
        )

    def sees_view(self, request: HttpRequest) -> HttpResponseBase:
        """Who may look at grants may ask about all of somebody's."""
        if not (request.user.has_perm("iiif_auth.view_grant") and self.has_view_permission(request)):
            raise PermissionDenied
        asked = bool({"person", "group", "email"} & set(request.GET))
        form = SeesForm(request.GET if asked else None)
        sight = Sight(request.user, **form.cleaned_data) if asked and form.is_valid() else None
        try:
            return FORMATS.get(request.GET.get("format", ""), page)(self, request, form, sight)
        except store.RulesInMotion:
            form.add_error(None, gettext("The rules can not be read just now. Please try again in a minute."))
            return page(self, request, form, None)


def question_about(row: Grant) -> tuple[str, str] | None:
    """The question about whom a grant is for; ``None`` for places and services."""
    if row.user is not None:
        return "person", people.shown(row.user)
    if row.group is not None:
        return "group", row.group.name
    return ("email", row.invitation.email) if row.invitation is not None else None


def page(model_admin: Any, request: HttpRequest, form: SeesForm, sight: Sight | None) -> HttpResponseBase:
    """For people; policies and grants a hundred at a time."""
    query = request.GET.copy()
    for name in ("format", "page", "policies"):
        query.pop(name, None)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": gettext("What can this person see?"),
        "form": form,
        "sight": sight,
        "query": query.urlencode(),
        **(parts_of(sight, request) if sight else {}),
    }
    request.current_app = model_admin.admin_site.name
    return TemplateResponse(request, "admin/iiif_auth/sees_what.html", context)


def parts_of(sight: Sight, request: HttpRequest) -> dict[str, Any]:
    policies: Page[Any] = Paginator(sight.listed_policies(), PER_PAGE).get_page(request.GET.get("policies"))
    rows = sight.rows()
    over: Page[Any] = Paginator(sight.grants("over"), PER_PAGE).get_page(request.GET.get("page"))
    return {
        "policies": policies,
        "satisfied": sight.policies(policies.object_list),
        "running": list(sight.grants("running")[: PER_PAGE + 1]),
        "coming": list(sight.grants("coming")[: PER_PAGE + 1]),
        "over": over,
        "columns": sight.columns(),
        "rows": rows[:MOST_COLLECTIONS],
        "left": max(0, len(rows) - MOST_COLLECTIONS),
        "most": PER_PAGE,
    }


def csv(model_admin: Any, request: HttpRequest, form: SeesForm, sight: Sight | None) -> HttpResponseBase:
    """For spreadsheets."""
    if sight is None:
        return page(model_admin, request, form, None)
    return written.as_csv(f"sees-{sight.at:%Y-%m-%d}", COLUMNS, sight.written())


def json(model_admin: Any, request: HttpRequest, form: SeesForm, sight: Sight | None) -> HttpResponseBase:
    """For programs."""
    if sight is None:
        return JsonResponse({"errors": form.errors.get_json_data()}, status=400)
    about = {"who": sight.name, "groups": list(map(str, sight.groups)), "at": sight.at.isoformat()}
    return written.as_json(f"sees-{sight.at:%Y-%m-%d}", about, sight.written())


FORMATS = {"csv": csv, "json": json}

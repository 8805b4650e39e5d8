"""Terms in versions, and the log of who accepted which: to be read and exported, never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import terms
from iiif_auth.admin import states
from iiif_auth.admin.bases import Admin, Written
from iiif_auth.admin.copying import save_as_new
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.exchange.writing import as_csv
from iiif_auth.models import Acceptance, AccessService, Terms

SLACK = timedelta(minutes=5)
"""“Now” in a form is some minutes ago when it arrives."""


class TermsForm(PlainForm):
    """One version. It is numbered when it is saved."""

    class Meta:
        model = Terms
        fields = ("service", "heading", "text", "from_day", "note")

    def clean_service(self) -> Any:
        service = self.cleaned_data["service"]
        if service.pattern != AccessService.Pattern.CLICKTHROUGH:
            raise ValidationError(
                _("Only services of the kind “Agree to terms” have terms; please choose one of those.")
            )
        return service

    def clean_from_day(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["from_day"]
        if at is None:
            return None
        now = timezone.now()
        if at < now - SLACK:
            raise ValidationError(
                _("Nobody can have agreed to this before now; please choose a moment to come, or leave it empty.")
            )
        return max(at, now)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        service, at = given.get("service") or getattr(self.instance, "service", None), given.get("from_day")
        if service is not None and at is not None and (sentence := self._out_of_order(service, at)):
            self.add_error("from_day", sentence)
        return given

    def _out_of_order(self, service: AccessService, at: datetime) -> str:
        """Versions come into force in the order of their numbers, so that the latest is the one that counts."""
        others = Terms.objects.filter(service=service, from_day__isnull=False).exclude(pk=self.instance.pk)
        number = self.instance.number or (1 << 31)
        if others.filter(number__gt=number).exists():
            return gettext("A later version is published already; please make a new version from this one instead.")
        last = others.filter(number__lt=number, from_day__gte=at).first()
        if last is None:
            return ""
        return gettext("Version %(number)d comes into force on %(day)s; please choose a later moment.") % {
            "number": last.number,
            "day": states.day(last.from_day),  # type: ignore[arg-type]
        }


@admin.register(Terms)
class TermsAdmin(Admin):
    """A version may be changed until it is in force. From then on it stays as people read it: the next is a copy."""

    form = TermsForm
    list_display = ("__str__", "state", "accepted_by", "new_version")
    list_filter = (("service", admin.RelatedOnlyFieldListFilter),)
    list_select_related = ("service",)
    search_fields = ("service__slug", "note")
    autocomplete_fields = ("service",)
    fields = ("service", "heading", "text", "from_day", "note")
    ordering = ("service", "-number")
    actions = None

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest | None, **kwargs: Any) -> Any:
        if db_field.name == "text":
            kwargs["lines"] = 10
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    # Deleting is for drafts: a version that people agreed to is evidence.
    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj is not None and is_fixed(obj)) and super().has_delete_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not (obj is not None and is_fixed(obj)) and super().has_change_permission(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        own = () if obj is None else ("service", "state", "new_version")
        return tuple(dict.fromkeys((*super().get_readonly_fields(request, obj), *own)))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj is None else ("service", "state", *self.fields[1:], "new_version")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with transaction.atomic():
            if not change:
                obj.number = next_number(obj.service_id)
            super().save_model(request, obj, form, change)

    def cautions(self, row: Any) -> Iterable[str]:
        if row.from_day is None:
            yield gettext(
                "This is a draft: people are asked for the version that is in force until you give it a date."
            )
            return
        yield gettext("From %(day)s on everybody is asked again.") % {"day": states.day(row.from_day)}
        if row.service.agree_in_viewer:
            yield gettext("Viewers do not show versions, so people will read and agree on our own page.")

    @admin.display(description=_("state"))
    def state(self, row: Terms) -> str:
        if row.from_day is None:
            return gettext("draft")
        if row.from_day > timezone.now():
            return gettext("in force from %(day)s") % {"day": states.day(row.from_day)}
        current = terms.in_force(row.service.slug, timezone.now())
        if current is not None and current.pk == row.pk:
            return gettext("in force since %(day)s") % {"day": states.day(row.from_day)}
        return gettext("replaced; it was in force from %(day)s") % {"day": states.day(row.from_day)}

    @admin.display(description=_("accepted"))
    def accepted_by(self, row: Terms) -> str:
        url = reverse("admin:iiif_auth_acceptance_changelist")
        query = f"?service__id__exact={row.service_id}&version={row.number}"
        return format_html('<a href="{}{}">{}</a>', url, query, gettext("Who accepted it"))

    @admin.display(description=_("new version"))
    def new_version(self, row: Terms) -> str:
        url = reverse("admin:iiif_auth_terms_copy", args=[row.pk])
        return format_html('<a href="{}">{}</a>', url, gettext("Make a new version from it"))

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.copy_view)
        return [path("<int:pk>/copy/", view, name="iiif_auth_terms_copy"), *super().get_urls()]

    def copy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make a draft with the same words, after a click."""
        row = self.get_object(request, str(pk))
        if row is None or not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self._ask(request, row)
        with transaction.atomic():
            row.number, row.from_day = next_number(row.service_id), None
            save_as_new(row)
        self.message_user(request, gettext("This is the new version, a draft as yet."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:iiif_auth_terms_change", args=[row.pk]))

    def _ask(self, request: HttpRequest, row: Terms) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("A new version of “%(terms)s”?") % {"terms": row},
            "opts": self.opts,
            "original": row,
        }
        return TemplateResponse(request, "admin/iiif_auth/terms_copy.html", context)


def is_fixed(row: Terms) -> bool:
    """Whether a version is or was in force, and so can not be changed."""
    return row.from_day is not None and row.from_day <= timezone.now()


def next_number(service: int) -> int:
    # Held, so that two people who add one at the same time do not get the same number.
    AccessService.objects.select_for_update().get(pk=service)
    last = Terms.objects.filter(service=service).aggregate(last=Max("number"))["last"]
    return int(last or 0) + 1


class VersionFilter(admin.SimpleListFilter):
    title = _("version")
    parameter_name = "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        last = Terms.objects.aggregate(last=Max("number"))["last"] or 0
        return [(str(number), str(number)) for number in range(min(int(last), 50) + 1)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value() or ""
        return (
            queryset.filter(version=int(chosen))
            if chosen.isascii() and chosen.isdigit() and len(chosen) < 10
            else queryset
        )


HEADINGS = ("when", "service", "version", "person", "pass", "viewer", "network", "language")


@admin.register(Acceptance)
class AcceptanceAdmin(Written):
    """Who accepted which version: only read, and taken out as a table."""

    list_display = ("service", "version", "whom", "at", "origin", "network", "language")
    list_display_links = ("service",)
    list_filter = (("service", admin.RelatedOnlyFieldListFilter), VersionFilter, "at")
    list_select_related = ("service", "user")
    search_fields = ("user_name", "origin")
    date_hierarchy = "at"
    actions = None
    change_list_template = "admin/iiif_auth/acceptances.html"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not {"password", "digest"} & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    @admin.display(description=_("person"), ordering="user_name")
    def whom(self, row: Acceptance) -> str:
        return row.user_name or gettext("pass %(number)s") % {"number": row.pass_number or "–"}

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.export_view)
        return [path("export.csv", view, name="iiif_auth_acceptance_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> Any:
        """The list as it is filtered, as CSV; cells that would be formulas are texts."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        changelist = self.get_changelist_instance(request)
        rows = changelist.get_queryset(request)
        response = StreamingHttpResponse(as_csv(lines(rows), HEADINGS), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="acceptances.csv"'
        response.headers["Cache-Control"] = "no-store"
        return response


def lines(rows: QuerySet[Acceptance]) -> Iterator[dict[str, str]]:
    """A line of the table for each acceptance, read a thousand at a time."""
    for row in rows.select_related("service").iterator(chunk_size=1000):
        yield {
            "when": row.at.isoformat(),
            "service": row.service.slug,
            "version": str(row.version),
            "person": row.user_name,
            "pass": str(row.pass_number or ""),
            "viewer": row.origin,
            "network": row.network,
            "language": row.language,
        }

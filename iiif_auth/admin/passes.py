"""What browsers and viewers carry. To be looked at and taken away, never made or changed; secrets are not shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from iiif_auth import carried, useragents
from iiif_auth.admin import people
from iiif_auth.admin.bases import Admin
from iiif_auth.admin.counted import pointing
from iiif_auth.models import Agreement, Pass, Token


class LiveFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Live")), ("no", _("Over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        if self.value() == "yes":
            return queryset.filter(ends__gt=now)
        return queryset.filter(ends__lte=now) if self.value() == "no" else queryset


SECRET = {"digest", "credential", "session"}


class ReadOnly(Admin):
    """Deleting is revoking."""

    person = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        # Django lets people filter by any column in the query; so a digest could be guessed letter by letter.
        return not SECRET & set(lookup.split("__")) and super().lookup_allowed(lookup, value, request)

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return [*self.search_fields, *people.search_fields(self.person)]


@admin.register(Pass)
class PassAdmin(ReadOnly):
    person = "user__"
    list_display = ("__str__", "in_words", "place", "created", "seen", "ends", "token_count")
    list_filter = (LiveFilter, "created")
    search_fields = ("place",)
    actions = ("end_now",)
    ordering = ("-created",)
    list_select_related = ("user",)
    fields = ("user", "through", "in_words", "place", "created", "seen", "idle_minutes", "idle_until", "ends")
    readonly_fields = ("in_words",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Pass]:
        # What an enrolled machine carries itself is ended where the machine is.
        rows: QuerySet[Pass] = super().get_queryset(request).filter(enrols=False)
        return rows.select_related("user").annotate(tokens_drawn=pointing(Token, "holder", request.user))

    @admin.display(description=_("browser"), ordering="browser")
    def in_words(self, row: Any) -> str:
        return useragents.in_words(row.browser)

    @admin.action(description=_("End access in these browsers, at once"), permissions=["delete"])
    def end_now(self, request: HttpRequest, queryset: QuerySet[Pass]) -> None:
        """Each is written into the log of the admin. Whoever may end passes need not be allowed to delete tokens one by one."""
        with transaction.atomic():
            self.log_deletions(request, queryset)
            count = carried.end(queryset.values_list("pk", flat=True))
        said = ngettext("Access has ended in %(n)d browser.", "Access has ended in %(n)d browsers.", count)
        self.message_user(request, said % {"n": count}, messages.SUCCESS)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """For Django's page that asks before it deletes: what hangs on a pass goes with it and needs no leave of its own."""
        named, counts, _needed, protected = super().get_deleted_objects(objs, request)
        return named, counts, set(), protected

    @admin.display(description=_("tokens"))
    def token_count(self, row: Any) -> int:
        count: int = row.tokens_drawn
        return count


@admin.register(Token)
class TokenAdmin(ReadOnly):
    person = "holder__user__"
    list_display = ("__str__", "holder", "dialect", "created", "ends")
    list_filter = (LiveFilter, "created", "service", "dialect")
    list_select_related = ("holder__user",)
    search_fields = ("service", "origin")
    fields = ("holder", "service", "dialect", "origin", "created", "ends")


@admin.register(Agreement)
class AgreementAdmin(ReadOnly):
    person = "holder__user__"
    list_display = ("__str__", "holder", "at")
    list_filter = ("at", "service")
    list_select_related = ("holder__user", "service")
    search_fields = ("origin", "service__slug")
    fields = ("holder", "service", "origin", "at")

"""Resources with their renditions and with what is laid over them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import store
from iiif_auth.admin import bulk, bulk_filters, embargoes, spoken, states
from iiif_auth.admin.bases import Fields, FoundByAddress, StackedInline
from iiif_auth.admin.finding import Finding
from iiif_auth.admin.granting import GivesAccess
from iiif_auth.admin.labels import LabelSearch
from iiif_auth.admin.loosening import Loosening
from iiif_auth.admin.manifests import ManifestsMixin
from iiif_auth.admin.overlays import EmbargoInline, GrantInline, WithdrawalInline
from iiif_auth.admin.paging import ByKeys
from iiif_auth.admin.public_test import TestsAsPublic
from iiif_auth.admin.sentences import PlainForm
from iiif_auth.admin.tables import TablesMixin
from iiif_auth.admin.ways import Ways
from iiif_auth.admin.who_page import WhoSees
from iiif_auth.admin.why import WhyMixin
from iiif_auth.models import Embargo, Grant, Rendition, Resource, Withdrawal
from iiif_auth.policy import types as policy
from iiif_auth.policy import words


def in_force(levels: list[tuple[policy.Policy | None, bool]]) -> list[policy.Policy]:
    """The policies that count, nearest first: one that overrides sets those further out aside."""
    found: list[policy.Policy] = []
    for held, overrides in levels:
        if held is not None:
            found.append(held)
            if overrides:
                break
    return list(dict.fromkeys(found))


def levels_above(row: Resource, book: store.Rulebook) -> tuple[policy.Level, ...]:
    """The collections that a resource is in, by its row or by an address rule."""
    place = book.places.get(row.collection_id or book.collection_of(row.url) or 0)
    return place.levels if place else ()


def policies_of(row: Resource, book: store.Rulebook) -> list[policy.Policy]:
    own, now = book.policies.get(embargoes.own_policy(row)), timezone.now()
    above = (level.governed(now) for level in levels_above(row, book))
    return in_force([(own, row.overrides), *((level.policy, level.overrides) for level in above)])


def closed_in_words(row: Any, book: store.Rulebook) -> str:
    """Whether an overlay of its own or of a collection closes it now."""
    now, above = timezone.now(), levels_above(row, book)
    if getattr(row, "is_withdrawn", False) or any(
        one.window.covers(now) for level in above for one in level.withdrawals
    ):
        return gettext("withdrawn")
    if getattr(row, "is_embargoed", False) or any(one.window.covers(now) for level in above for one in level.embargoes):
        return gettext("under embargo")
    return gettext("no")


def rules_in_words(row: Resource, book: store.Rulebook) -> str:
    """What governs a resource now, and what an embargo of its own brings."""
    return " ".join(filter(None, (_now_in_words(row, book), embargoes.coming_in_words(row, book))))


def _now_in_words(row: Resource, book: store.Rulebook) -> str:
    held = policies_of(row, book)
    if not held:
        return gettext("There is no policy, so nobody may see it.")
    sentences = [words.policy_sentence(one, gettext, spoken.reader()) for one in held]
    if len(sentences) == 1:
        return sentences[0]
    return gettext("Whoever meets all of these: %(rules)s") % {"rules": " ".join(sentences)}


class ClosedFilter(admin.SimpleListFilter):
    title = _("closed now by itself")
    parameter_name = "closed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("withdrawn", _("Withdrawn")), ("embargoed", _("Under embargo")), ("neither", _("Neither"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted: dict[str | None, dict[str, bool]] = {
            "withdrawn": {"is_withdrawn": True},
            "embargoed": {"is_embargoed": True},
            "neither": {"is_withdrawn": False, "is_embargoed": False},
        }
        return queryset.filter(**wanted.get(self.value(), {}))


WHO_SEES = ("why_link", "who_link", "public_link")


class RenditionInline(Fields, StackedInline):
    model = Rendition
    form = PlainForm
    extra = 0
    classes = ("collapse",)
    fields = ("url", ("tier", "is_location"), ("image_api", "format"), "source", "label")


@admin.register(Resource)
class ResourceAdmin(
    bulk.Bulk,
    GivesAccess,
    Finding,
    TablesMixin,
    ManifestsMixin,
    Ways,
    WhyMixin,
    WhoSees,
    TestsAsPublic,
    Loosening,
    LabelSearch,
    FoundByAddress,
):
    inlines = (RenditionInline, EmbargoInline, WithdrawalInline, GrantInline)
    list_display = ("__str__", "ways", "in_words", "closed", "collection", "url")
    way_links = ("why_link", "who_link", "public_link", "take_down")
    list_filter = (
        ClosedFilter,
        ("policy", admin.RelatedOnlyFieldListFilter),
        ("collection", admin.RelatedOnlyFieldListFilter),
        *bulk_filters.FILTERS,
        "type",
        "overrides",
    )
    list_select_related = ("collection", "policy")
    paginator = ByKeys
    search_fields = ("url", "remarks")
    autocomplete_fields = ("collection", "policy")
    readonly_fields = ("in_words", "closed", *WHO_SEES, "take_down")
    actions = ("give_access", *bulk.actions(*bulk.ORDERS), "export_csv", "export_xlsx")
    fieldsets = (
        (None, {"fields": ("label", "url", ("type", "image_api"), "format")}),
        (
            _("Who may see it"),
            {"fields": ("in_words", "closed", "take_down", WHO_SEES, "collection", "policy", "overrides")},
        ),
        (_("More"), {"fields": ("date", "source", "remarks"), "classes": ("collapse",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Resource]:
        now = states.conditions(timezone.now())["running"]
        rows: QuerySet[Resource] = embargoes.with_then(super().get_queryset(request))
        return rows.annotate(
            is_withdrawn=Exists(Withdrawal.objects.filter(now, resource=OuterRef("pk"))),
            is_embargoed=Exists(Embargo.objects.filter(now, resource=OuterRef("pk"))),
        )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Word the rules of the whole page from one reading of the rulebook."""
        changelist = super().get_changelist_instance(request)
        book = store.rulebook()
        for row in changelist.result_list:
            row.said, row.closed_said = rules_in_words(row, book), closed_in_words(row, book)
        return changelist

    @admin.display(description=_("who may see what"))
    def in_words(self, row: Any) -> str:
        if row.pk is None:
            return gettext("This is said here once it is saved.")
        said: str = row.said if hasattr(row, "said") else rules_in_words(row, store.rulebook())
        return said

    @admin.display(description=_("closed now"))
    def closed(self, row: Any) -> str:
        if row.pk is None:
            return gettext("no")
        said: str = row.closed_said if hasattr(row, "closed_said") else closed_in_words(row, store.rulebook())
        return said

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for given in formset.forms:
            if isinstance(given.instance, Grant) and given.instance._state.adding:
                given.instance.granted_by_id = request.user.pk
        super().save_formset(request, form, formset, change)

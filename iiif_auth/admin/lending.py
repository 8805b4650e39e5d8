"""Lending: the rules by which copies are lent, what is out now, who waits, and ending a loan at the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles
from iiif_auth.admin.bases import Admin, Fields, StackedInline
from iiif_auth.admin.passes import ReadOnly
from iiif_auth.lending import counter
from iiif_auth.models import Loan, Seats, SeatsPlace, Waiting

MOST_AT_ONCE = 100
RELEASE = "iiif_auth.change_loan"


# -- Rules --------------------------------------------------------------------------------------------------------


class SeatsPlaceInline(Fields, StackedInline):
    model = SeatsPlace
    extra = 0
    autocomplete_fields = ("network",)


@admin.register(Seats)
class SeatsAdmin(Admin):
    """How copies are lent. A policy asks for one under “For whom”."""

    inlines = (SeatsPlaceInline,)
    list_display = ("name", "in_words", "out_link")
    ordering = ("name",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": ("name", "slug", "counts", "copies")}),
        (_("For how long"), {"fields": ("minutes", "renews")}),
        (_("Waiting list"), {"fields": ("queue", "hold_minutes")}),
    )

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return dict(super().get_prepopulated_fields(request, obj)) if obj is None else {}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Seats]:
        rows: QuerySet[Seats] = super().get_queryset(request)
        return rows.prefetch_related("places__network").annotate(out_now=out_of_rule(request))

    @admin.display(description=_("in words"))
    def in_words(self, row: Seats) -> str:
        return sentence(row)

    @admin.display(description=_("out now"))
    def out_link(self, row: Any) -> str:
        url = reverse("admin:iiif_auth_loan_changelist", current_app=self.admin_site.name)
        label = gettext("What is out of %(rule)s") % {"rule": row}
        return format_html(
            '<a href="{}?work__seats__id__exact={}" aria-label="{}">{}</a>', url, row.pk, label, row.out_now
        )


def out_of_rule(request: HttpRequest) -> Any:
    """How many loans of a rule are out, of those that somebody finds."""
    rows = roles.visible(request.user, Loan.objects.filter(counter.live(timezone.now()), work__seats=OuterRef("pk")))
    return counted(rows, "work__seats")


def counted(rows: QuerySet[Any], by: str) -> Any:
    """How many there are, as a column; nothing is ``None``, which is shown as 0."""
    found = rows.order_by().values(by).annotate(n=Count("pk")).values("n")
    return Subquery(found)


def sentence(row: Seats) -> str:
    """A rule as a sentence."""
    whole = row.counts == Seats.Counts.COLLECTION
    what = gettext("each collection") if whole else gettext("each item")
    parts = [
        ngettext("%(n)d copy of %(what)s", "%(n)d copies of %(what)s", row.copies) % {"n": row.copies, "what": what}
    ]
    for place in row.places.all():
        names = {"n": place.copies, "place": place.network}
        parts.append(ngettext("%(n)d more at %(place)s", "%(n)d more at %(place)s", place.copies) % names)
    parts.append(ngettext("for %(n)d minute", "for %(n)d minutes", row.minutes) % {"n": row.minutes})
    return ", ".join(parts)


# -- What is out --------------------------------------------------------------------------------------------------


class StateFilter(admin.SimpleListFilter):
    """What is out now, unless something else is asked for."""

    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("over", _("Over")), ("released", _("Released by the staff")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": _("Out now")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        live = counter.live(timezone.now())
        match self.value():
            case "over":
                return queryset.exclude(pk__in=Loan.objects.order_by().filter(live).values("pk"))
            case "released":
                return queryset.filter(how=Loan.How.RELEASED)
            case "all":
                return queryset
        return queryset.filter(live)


class Kept(ReadOnly):
    """What readers did: to be looked at, and kept."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Loan)
class LoanAdmin(Kept):
    """What is out now: who has it, where, since when and until when, and how many wait for it."""

    person = "user__"
    list_display = ("work_name", "reader", "place", "since", "due", "waiting", "state", "release_link")
    list_filter = (StateFilter, ("work__seats", admin.RelatedOnlyFieldListFilter), "since")
    ordering = ("-since", "-pk")
    list_select_related = ("work__network", "user", "holder")
    search_fields = ("work__name", "work__work")
    fields = ("work", "user", "since", "due", "ended", "how", "by", "reason")
    actions = ("release_selected",)
    action_codenames = {"release": "change_loan"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Loan]:
        waiting = Waiting.objects.filter(work=OuterRef("work"), ended=None)
        rows: QuerySet[Loan] = super().get_queryset(request)
        return rows.annotate(waiting_for=counted(waiting, "work"))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title = gettext("What is out now") if not request.GET.get("state") else gettext("Loans")
        answer: HttpResponse = super().changelist_view(request, {"title": title, **(extra_context or {})})
        return answer

    @admin.display(description=_("work"), ordering="work__name")
    def work_name(self, row: Loan) -> str:
        return str(row.work)

    @admin.display(description=_("reader"))
    def reader(self, row: Loan) -> str:
        return str(row.user) if row.user else gettext("somebody not signed in")

    @admin.display(description=_("place"))
    def place(self, row: Loan) -> str:
        return str(row.work.network) if row.work.network else gettext("anywhere")

    @admin.display(description=_("waiting"))
    def waiting(self, row: Any) -> int:
        return row.waiting_for or 0

    @admin.display(description=_("state"))
    def state(self, row: Loan) -> str:
        return stands(row, timezone.now())

    @admin.display(description=_("release"))
    def release_link(self, row: Loan) -> str:
        if row.ended is not None:
            return "–"
        url = reverse("admin:iiif_auth_loan_release", current_app=self.admin_site.name)
        label = gettext("Release %(work)s") % {"work": row.work}
        return format_html('<a href="{}?loan={}" aria-label="{}">{}</a>', url, row.pk, label, gettext("Release…"))

    # -- ending loans

    def has_release_permission(self, request: HttpRequest) -> bool:
        return roles.somewhere(request.user, RELEASE)

    def get_list_display(self, request: HttpRequest) -> Any:
        names = super().get_list_display(request)
        return names if self.has_release_permission(request) else [name for name in names if name != "release_link"]

    @admin.action(description=_("Release: end these loans…"), permissions=["release"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Loan]) -> HttpResponse:
        keys = queryset.filter(ended=None).order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE]
        query = "&".join(f"loan={key}" for key in keys)
        where = reverse("admin:iiif_auth_loan_release", current_app=self.admin_site.name)
        return HttpResponseRedirect(f"{where}?{query}")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.release_view)
        return [path("release/", view, name="iiif_auth_loan_release"), *super().get_urls()]

    def release_view(self, request: HttpRequest) -> HttpResponse:
        """Say which loans end, ask for the reason, then end them."""
        if not self.has_release_permission(request):
            raise PermissionDenied
        loans = self._named(request)
        form = ReleaseForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and loans and form.is_valid():
            return self._released(request, loans, form.cleaned_data["reason"])
        context = {
            **self.admin_site.each_context(request),
            "title": ngettext("Release %(n)d loan", "Release %(n)d loans", len(loans)) % {"n": len(loans)},
            "opts": self.opts,
            "media": self.media,
            "loans": loans,
            "form": form,
        }
        return TemplateResponse(request, "admin/iiif_auth/release.html", context)

    def _named(self, request: HttpRequest) -> list[Loan]:
        given = request.POST if request.method == "POST" else request.GET
        keys = [key for key in given.getlist("loan") if key.isascii() and key.isdigit() and len(key) < 19]
        rows = Loan.objects.filter(pk__in=keys[:MOST_AT_ONCE], ended=None).select_related("work", "user")
        return list(roles.within(request.user, RELEASE, rows).order_by("pk"))

    def _released(self, request: HttpRequest, loans: list[Loan], reason: str) -> HttpResponse:
        count = sum(counter.release(loan, request.user, reason) for loan in loans)
        said = ngettext("%(n)d loan was ended.", "%(n)d loans were ended.", count) % {"n": count}
        self.message_user(request, said, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:iiif_auth_loan_changelist", current_app=self.admin_site.name))


class ReleaseForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text=_("For the history. The reader does not see it."),
    )


def stands(row: Loan, now: datetime) -> str:
    """How a loan stands, in words."""
    if row.ended is not None:
        return str(row.get_how_display())
    if row.due <= now:
        return str(Loan.How.DUE.label)
    gone = row.holder is None or row.holder.ends <= now or row.holder.idle_until <= now
    return str(Loan.How.LEFT.label) if gone else gettext("out")


# -- Who waits ----------------------------------------------------------------------------------------------------


class WaitsFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("kept", _("A copy is kept")), ("over", _("Over")), ("all", _("All"))]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": _("Waiting now")}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted = {
            "kept": Q(ended=None, kept_until__gt=timezone.now()),
            "over": Q(ended__isnull=False),
            "all": Q(),
        }
        return queryset.filter(wanted.get(self.value() or "", Q(ended=None)))


@admin.register(Waiting)
class WaitingAdmin(Kept):
    person = "user__"
    list_display = ("work_name", "reader", "since", "kept_until", "how")
    list_filter = (WaitsFilter, ("work__seats", admin.RelatedOnlyFieldListFilter))
    ordering = ("since", "pk")
    list_select_related = ("work", "user")
    search_fields = ("work__name", "work__work")
    fields = ("work", "user", "since", "kept_until", "ended", "how")

    @admin.display(description=_("work"), ordering="work__name")
    def work_name(self, row: Waiting) -> str:
        return str(row.work)

    @admin.display(description=_("reader"))
    def reader(self, row: Waiting) -> str:
        return str(row.user) if row.user else gettext("somebody not signed in")

"""Reports: how much was shown, lessened and refused, as plots with their tables, and as a file for a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import roles
from iiif_auth.admin import counts
from iiif_auth.admin.bases import Admin
from iiif_auth.admin.counts import Asked
from iiif_auth.admin.labels import label_contains
from iiif_auth.admin.restricting import within
from iiif_auth.counting import facts
from iiif_auth.models import AccessPolicy, Collection, DailyCount, Grant, RefusalText
from iiif_auth.plots import Plot, Series

MOST_COLUMNS = 120
MOST_BARS = 10
MOST_WHY = 5
DECISIONS = (
    (facts.ALLOWED, _("Shown in full")),
    (facts.LESS, _("Something lesser")),
    (facts.REFUSED, _("Refused")),
)
PERIODS = (
    (7, _("The last 7 days")),
    (30, _("The last 30 days")),
    (90, _("The last 90 days")),
    (365, _("The last year")),
)
DOORS = (("probe", _("What viewers asked")), ("content", _("Requests for the content itself")), ("", _("Both")))
STEPS = (("", _("By itself")), ("day", _("By day")), ("week", _("By week")), ("month", _("By month")))


class ReportForm(forms.Form):
    """What the report is about. Dates, if there are any, count before the period."""

    period = forms.TypedChoiceField(label=_("Period"), choices=PERIODS, coerce=int, required=False)
    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=_("Until and with"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    step = forms.ChoiceField(label=_("Columns"), choices=STEPS, required=False)
    door = forms.ChoiceField(
        label=_("Of"),
        choices=DOORS,
        required=False,
        help_text=_("A viewer asks once for each picture; its content is asked for in many pieces."),
    )
    collection = forms.CharField(
        label=_("Collection"),
        required=False,
        max_length=200,
        help_text=_("Its name or identifier, with what is within it. Empty: all."),
    )
    policy = forms.ModelChoiceField(
        AccessPolicy.objects.none(), label=_("Policy"), required=False, empty_label=_("All policies")
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        policy: Any = self.fields["policy"]
        policy.queryset = roles.visible(user, AccessPolicy.objects.filter(is_template=False)).order_by("name")

    def clean_collection(self) -> tuple[int, ...] | None:
        text = str(self.cleaned_data["collection"]).replace("\x00", "").strip()
        if not text:
            return None
        mine = roles.visible(self.user, Collection.objects.order_by())
        found = list(mine.filter(slug=text)[:1]) or list(mine.filter(label_contains(text))[:2])
        if not found:
            raise ValidationError(
                _("There is no collection of this name; please write a part of it, or its identifier.")
            )
        if len(found) > 1:
            names = {"one": found[0], "other": found[1]}
            raise ValidationError(
                _("Several fit, such as “%(one)s” and “%(other)s”; please write more of it."), params=names
            )
        return tuple(sorted(within(found[0].pk)))

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        last = found.get("last") or timezone.localdate()
        first = found.get("first") or last - timedelta(days=(found.get("period") or 30) - 1)
        if first > last:
            self.add_error("first", _("The first day must not come after the last."))
        elif (last - first).days >= counts.MOST_DAYS:
            self.add_error("first", _("Please choose three years at most."))
        else:
            self._choose_step(found, first, last)
        return found

    def _choose_step(self, found: dict[str, Any], first: date, last: date) -> None:
        step = found.get("step") or usual_step((last - first).days)
        self.asked = Asked(first, last, step, found.get("door") or "", found.get("collection"), policy_of(found))
        if len(counts.buckets(self.asked)) > MOST_COLUMNS:
            self.add_error("step", _("That would be too many columns to see; please choose weeks or months."))


def policy_of(found: dict[str, Any]) -> int | None:
    return found["policy"].pk if found.get("policy") else None


def usual_step(days: int) -> str:
    if days <= 62:
        return "day"
    return "week" if days <= 270 else "month"


# -- Plots --------------------------------------------------------------------------------------------------------


def plots(user: Any, asked: Asked) -> Iterator[Plot]:
    """All that the report shows: for the collections and policies that this person may find."""
    rows = counts.found(user, asked)
    yield _requests(rows, asked)
    yield _turned_away(rows, asked)
    yield from _by_what(rows)
    if user.has_perm("iiif_auth.view_grant"):
        yield _grants(user, asked)


def step_names(asked: Asked) -> tuple[str, ...]:
    return tuple(counts.name_of(bucket, asked.step) for bucket in counts.buckets(asked))


def axis_of(asked: Asked) -> str:
    return {"day": gettext("Day"), "week": gettext("Week from"), "month": gettext("Month")}[asked.step]


def _requests(rows: QuerySet[DailyCount], asked: Asked) -> Plot:
    made = counts.over_time(rows, "decision", asked)
    names = step_names(asked)
    series = tuple(Series(str(label), tuple(made.get(key, [0] * len(names)))) for key, label in DECISIONS)
    about = gettext("How often something was shown in full, lessened or refused.")
    return Plot("decisions", gettext("Requests by decision"), about, axis_of(asked), names, series)


def _turned_away(rows: QuerySet[DailyCount], asked: Asked) -> Plot:
    away = rows.exclude(decision=facts.ALLOWED).exclude(why="")
    made = sorted(counts.over_time(away, "why", asked).items(), key=lambda pair: (-sum(pair[1]), pair[0]))
    series = [Series(reason(key), tuple(values)) for key, values in made[:MOST_WHY]]
    if rest := [values for _key, values in made[MOST_WHY:]]:
        series.append(Series(gettext("Other reasons"), tuple(map(sum, zip(*rest, strict=True)))))
    about = gettext(
        "Why people were refused, or given something lesser. A sudden rise often means that a network changed."
    )
    return Plot("reasons", gettext("Turned away, by reason"), about, axis_of(asked), step_names(asked), tuple(series))


REASONS: dict[str, Any] = {
    **dict(RefusalText.Why.choices),
    "no-policy": _("no policy"),
    facts.UNKNOWN: _("no such thing"),
    facts.GRANT: _("by a grant"),
}


def reason(key: str) -> str:
    said = str(REASONS.get(key, key))
    return said[:1].upper() + said[1:]


def _by_what(rows: QuerySet[DailyCount]) -> Iterator[Plot]:
    kinds = (
        ("policies", "policy", AccessPolicy, gettext("By policy"), gettext("Policy")),
        ("collections", "collection", Collection, gettext("The collections asked for most"), gettext("Collection")),
    )
    for slug, field, model, title, axis in kinds:
        made = counts.by_decision(rows, field, MOST_BARS)
        called = counts.names(model, made)
        yield _lying(slug, title, axis, {called[key]: values for key, values in made.items()})
    made = counts.by_decision(rows.exclude(tier=""), "tier", MOST_BARS)
    yield _lying("tiers", gettext("By tier"), gettext("Tier"), made)


def _lying(slug: str, title: str, axis: str, made: dict[str, dict[str, int]]) -> Plot:
    series = tuple(Series(str(label), tuple(one.get(key, 0) for one in made.values())) for key, label in DECISIONS)
    about = gettext("The ten with the most requests, and how those ended.")
    return Plot(slug, title, about, axis, tuple(made), series, "bars")


def _grants(user: Any, asked: Asked) -> Plot:
    days, values = counts.active(grants_in(roles.visible(user, Grant.objects.order_by()), asked), asked)
    names = tuple(counts.name_of(day, "day") for day in days)
    about = gettext("How many grants were running at the end of a day.")
    return Plot(
        "grants",
        gettext("Grants running"),
        about,
        gettext("Day"),
        names,
        (Series(gettext("Grants"), tuple(values)),),
        "line",
    )


def grants_in(rows: QuerySet[Grant], asked: Asked) -> QuerySet[Grant]:
    """Those of the collections and the policy that were asked for."""
    if asked.collections is not None:
        rows = rows.filter(Q(collection__in=asked.collections) | Q(resource__collection__in=asked.collections))
    if asked.policy is not None:
        rows = rows.filter(policy=asked.policy)
    return rows


# -- Pages --------------------------------------------------------------------------------------------------------


class Echo:
    """A file that gives back what is written to it, for one line at a time."""

    def write(self, line: str) -> str:
        return line


def as_file(user: Any, asked: Asked) -> StreamingHttpResponse:
    writer = csv.writer(Echo())
    lines = counts.lines(counts.found(user, asked), asked)
    # The mark at the beginning tells spreadsheets that this is UTF-8.
    pieces = ("\ufeff" * (not number) + str(writer.writerow(line)) for number, line in enumerate(lines))
    name = f"counts-{asked.first.isoformat()}-{asked.last.isoformat()}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(pieces, content_type="text/csv; charset=utf-8", headers=headers)


@admin.register(DailyCount)
class DailyCountAdmin(Admin):
    """What was counted is looked at and never changed. Its list is the reports."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.reports_view)
        return [path("reports/", view, name="iiif_auth_reports"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Single counts say nothing; whoever follows the link of the app index wants the reports."""
        return self.reports_view(request)  # type: ignore[return-value]

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.reports_view(request)  # type: ignore[return-value]

    def reports_view(self, request: HttpRequest) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        given = {name: value for name, value in request.GET.items() if name in ReportForm.base_fields}
        form = ReportForm({"period": 30, "door": "probe", **given}, user=request.user)
        sound = form.is_valid()
        if sound and request.GET.get("format") == "csv":
            return as_file(request.user, form.asked)
        return self._page(request, form, list(plots(request.user, form.asked)) if sound else [])

    def _page(self, request: HttpRequest, form: ReportForm, drawn: list[Plot]) -> HttpResponse:
        query = request.GET.copy()
        query["format"] = "csv"
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Reports"),
            "form": form,
            "plots": drawn,
            "asked": getattr(form, "asked", None),
            "query": query.urlencode(),
            "few": counts.FEW,
            "is_everywhere": roles.is_everywhere(request.user),
        }
        return TemplateResponse(request, "admin/iiif_auth/reports.html", context)

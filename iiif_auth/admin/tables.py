"""Spreadsheets: sent, looked at, applied with a reason, and put back; and given out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.http import content_disposition_header
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import history, roles
from iiif_auth.admin.table_forms import ColumnsForm, ReasonForm, UploadForm, heading
from iiif_auth.exchange import columns, dates, uploads, workbooks, writing
from iiif_auth.exchange.cells import shown
from iiif_auth.exchange.dates import Question
from iiif_auth.exchange.judging import CHANGED, ERROR, NEW, SAME
from iiif_auth.models import Batch, Resource

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Resource]
else:
    Base = object

PER_PAGE = 100
SAMPLE = 5
REMEMBERED = "iiif_auth_columns"
MOST_REMEMBERED = 200
MOST_IN_WORKBOOK = 50_000
PAGES = {"table": "table", "manifest": "manifest"}
"""By the form of a plan, the page on which one says how it is meant."""

ANY_OF = ("change_resource", "add_resource", "add_grant", "add_embargo")
"""The permissions any of which makes a spreadsheet worth sending."""


# -- What the pages show ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """One column of a file on the page of columns."""

    field: Any
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tab:
    """One way to look at the rows."""

    key: str
    title: str
    count: int
    current: bool


def heads(form: ColumnsForm) -> list[Head]:
    rows = form.plan["rows"][:SAMPLE]
    return [
        Head(form[f"column_{number}"], tuple(shown(cells[number])[:60] for _line, cells in rows if cells[number]))
        for number in range(len(form.plan["mapping"]))
    ]


def tabs(counts: dict[str, int], current: str) -> list[Tab]:
    changes = counts[NEW] + counts[CHANGED]
    told = (
        ("changes", gettext("Only changes"), changes),
        ("errors", gettext("Only errors"), counts[ERROR]),
        ("all", gettext("Everything"), changes + counts[ERROR] + counts[SAME]),
    )
    return [Tab(key, title, count, key == current) for key, title, count in told]


STATES: dict[str, tuple[str, Any]] = {
    NEW: ("+", _("made")),
    CHANGED: ("≠", _("changed")),
    SAME: ("=", _("was so already")),
    ERROR: ("✕", _("left out")),
}
SHOWN = {"changes": (NEW, CHANGED), "errors": (ERROR,), "all": (NEW, CHANGED, SAME, ERROR)}


def read_as(plan: dict[str, Any]) -> str:
    """How a file was read, in a sentence."""
    if plan["sheet"]:
        return gettext("Read from the sheet “%(sheet)s”.") % {"sheet": plan["sheet"]}
    if not plan["encoding"]:
        return gettext("A list of addresses.")
    separators = {",": gettext("commas"), ";": gettext("semicolons"), "\t": gettext("tabs")}
    told = {"encoding": plan["encoding"], "separator": separators.get(plan["separator"], plan["separator"])}
    return gettext("Read as %(encoding)s, with %(separator)s between the cells.") % told


def question_words(asked: Question) -> str:
    """What is asked about dates, in sentences; empty if nothing is."""
    said = []
    if asked.ambiguous:
        said.append(
            gettext("“%(date)s” can be read in two ways; please say which comes first.") % {"date": asked.ambiguous}
        )
    if asked.serial:
        day = date_format(dates.example_of_serial(asked.serial))
        told = {"number": asked.serial, "day": day}
        said.append(gettext("“%(number)s” stands where a date should be; to Excel it is %(day)s.") % told)
    return " ".join(said)


# -- Pages --------------------------------------------------------------------------------------------------------


def may_exchange(user: Any) -> bool:
    """Whether somebody can change anything by a file at all."""
    return any(roles.somewhere(user, f"iiif_auth.{codename}") for codename in ANY_OF)


class TablesMixin(Base):
    """Adds the pages for spreadsheets to the admin of resources, and the actions that give them out."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        pages = [
            path("tables/", wrap(self.tables_view), name="iiif_auth_tables"),
            path("tables/template.<str:form>", wrap(self.template_view), name="iiif_auth_tables_template"),
            path("tables/<int:key>/", wrap(self.columns_view), name="iiif_auth_table"),
            path("tables/<int:key>/rows/", wrap(self.rows_view), name="iiif_auth_table_rows"),
            path("tables/<int:key>/receipt.csv", wrap(self.receipt_view), name="iiif_auth_table_receipt"),
        ]
        return [*pages, *super().get_urls()]

    # -- sending

    def tables_view(self, request: HttpRequest) -> HttpResponse:
        """Send a spreadsheet, or go on with one."""
        check(request)
        form = UploadForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file, sheet = form.cleaned_data["file"], form.cleaned_data["sheet"]
            batch = uploads.table(request.user, sheet, file.name, request.session.get(REMEMBERED, {}))
            return HttpResponseRedirect(self._url("table", batch.pk))
        recent = uploads.own(request.user, Batch.Kind.TABLE).defer("plan")[:10]
        more = {"form": form, "recent": recent, "workbooks": workbooks.is_available(), "columns": columns.COLUMNS}
        return self._page(request, "tables", gettext("Spreadsheets"), **more)

    def template_view(self, request: HttpRequest, form: str) -> HttpResponseBase:
        """An empty spreadsheet to fill in."""
        check(request)
        keys = [column.key for column in columns.COLUMNS]
        return given_out(form, writing.template_lines(), keys, gettext("template"), about=True)

    # -- what the columns mean

    def columns_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Say what each heading stands for."""
        batch = waiting(request, key)
        if batch.state != Batch.State.WAITING:
            return HttpResponseRedirect(self._url("table_rows", key))
        form = ColumnsForm(request.POST or None, plan=batch.plan)
        if request.method == "POST" and form.is_valid():
            self._remember(request, batch.plan["headings"], form.mapping)
            uploads.mapped(batch, form.mapping, form.style)
            return HttpResponseRedirect(self._url("table_rows", key))
        unknown = [heading(batch.plan, number) for number, one in enumerate(batch.plan["mapping"]) if not one]
        title = gettext("What the columns of “%(name)s” mean") % {"name": batch.plan["name"]}
        return self._page(
            request,
            "table_columns",
            title,
            batch=batch,
            form=form,
            heads=heads(form),
            unknown=unknown,
            read_as=read_as(batch.plan),
            question=question_words(uploads.question(batch.plan)[1]),
        )

    def _remember(self, request: HttpRequest, headings: Sequence[str], mapping: Sequence[str]) -> None:
        """For the next file of this person with the same headings."""
        kept = dict(request.session.get(REMEMBERED, {}))
        kept.update({columns.folded(one)[:100]: key for one, key in zip(headings, mapping, strict=True) if one and key})
        request.session[REMEMBERED] = dict(list(kept.items())[-MOST_REMEMBERED:])

    # -- what would be done

    def rows_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Every row with what is wrong with it or what it changes; then apply it."""
        batch = waiting(request, key, *uploads.KINDS)
        if "judged" not in batch.plan:
            return HttpResponseRedirect(self._url(PAGES[batch.plan["form"]], key))
        deed = POSTS.get(request.POST.get("do", "")) if request.method == "POST" else None
        form = ReasonForm(request.POST if deed else None)
        if deed and form.is_valid():
            deed(self, request, batch, form.cleaned_data["reason"])
            return HttpResponseRedirect(self._url("table_rows", key))
        return self._page(request, "table_rows", self._title(batch), form=form, **self._shown(request, batch))

    def _title(self, batch: Batch) -> str:
        count = batch.plan["counts"][NEW] + batch.plan["counts"][CHANGED]
        name = {"name": batch.plan["name"], "n": count}
        if batch.state == Batch.State.WAITING:
            text = ngettext("“%(name)s” would change %(n)d row", "“%(name)s” would change %(n)d rows", count)
        else:
            text = ngettext("“%(name)s” changed %(n)d row", "“%(name)s” changed %(n)d rows", count)
        return text % name

    def _shown(self, request: HttpRequest, batch: Batch) -> dict[str, Any]:
        counts = batch.plan["counts"]
        first = "changes" if counts[NEW] + counts[CHANGED] else "errors"
        show = request.GET.get("show", "") if request.GET.get("show", "") in SHOWN else first
        found = [row for row in batch.plan["judged"] if row[2] in SHOWN[show]]
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
        rows = [
            {
                "line": row[0],
                "identifier": row[1],
                "state": row[2],
                "errors": row[3],
                "changes": row[4],
                "hints": row[5],
            }
            for row in page
        ]
        for row in rows:
            row["sign"], row["word"] = STATES[row["state"]]
        return {
            "batch": batch,
            "back": self._url(PAGES[batch.plan["form"]], batch.pk),
            "counts": counts,
            "changing": counts[NEW] + counts[CHANGED],
            "tabs": tabs(counts, show),
            "show": show,
            "page": page,
            "rows": rows,
            "why_not": history.undoable(batch),
        }

    def receipt_view(self, request: HttpRequest, key: int) -> HttpResponseBase:
        """What came of each row, to be kept."""
        batch = waiting(request, key, *uploads.KINDS)
        if batch.state == Batch.State.WAITING or "judged" not in batch.plan:
            raise Http404
        name = gettext("receipt-%(number)d") % {"number": batch.pk}
        return given_out("csv", writing.receipt_lines(batch), writing.RECEIPT, name)

    # -- giving out

    @admin.action(description=_("Export as a spreadsheet (CSV)"), permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Resource]) -> HttpResponseBase:
        return self._exported(request, queryset, "csv")

    @admin.action(description=_("Export as a workbook (.xlsx)"), permissions=["view"])
    def export_xlsx(self, request: HttpRequest, queryset: QuerySet[Resource]) -> HttpResponseBase | None:
        if workbooks.is_available() and queryset[MOST_IN_WORKBOOK : MOST_IN_WORKBOOK + 1].exists():
            text = gettext("More than %(most)d do not fit into a workbook; please export them as CSV.")
            self.message_user(request, text % {"most": MOST_IN_WORKBOOK}, messages.ERROR)
            return None
        return self._exported(request, queryset, "xlsx")

    def _exported(self, request: HttpRequest, queryset: QuerySet[Resource], form: str) -> HttpResponseBase:
        rows = roles.visible(request.user, Resource.objects.filter(pk__in=queryset.order_by().values("pk")))
        keys = [column.key for column in columns.COLUMNS]
        return given_out(form, writing.lines_of(rows, request.user), keys, gettext("resources"))

    # -- what they share

    def _url(self, name: str, *args: Any) -> str:
        return reverse(f"admin:iiif_auth_{name}", args=args, current_app=self.admin_site.name)

    def _page(self, request: HttpRequest, name: str, title: str, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "media": self.media,
            **more,
        }
        return TemplateResponse(request, f"admin/iiif_auth/{name}.html", context)


def check(request: HttpRequest) -> None:
    if not may_exchange(request.user):
        raise PermissionDenied


def waiting(request: HttpRequest, key: int, *kinds: str) -> Batch:
    """A file of this person's own; anybody else's is not there.

    Args:
        kinds: of batches; by default a spreadsheet.
    """
    check(request)
    batch = uploads.own(request.user, *(kinds or (Batch.Kind.TABLE,))).filter(pk=key).select_related("actor").first()
    if batch is None:
        raise Http404(gettext("This file is no longer kept; please send it again."))
    return batch


def apply(model_admin: Any, request: HttpRequest, batch: Batch, reason: str) -> None:
    try:
        done = uploads.apply(batch, reason)
        model_admin.message_user(request, done.said, messages.SUCCESS)
    except uploads.Moved:
        text = gettext("Something was changed since you looked, so nothing was done. Please look again.")
        model_admin.message_user(request, text, messages.WARNING)
    except uploads.Over:
        model_admin.message_user(request, gettext("This was applied already."), messages.WARNING)


def undo(model_admin: Any, request: HttpRequest, batch: Batch, reason: str) -> None:
    try:
        made = history.undo(batch, request.user, reason)
    except history.NotUndone as problem:
        for sentence in problem.sentences[:20]:
            model_admin.message_user(request, sentence, messages.ERROR)
        return
    model_admin.message_user(request, made.said or gettext("Everything is as it was before."), messages.SUCCESS)


POSTS = {"apply": apply, "undo": undo}


def given_out(
    form: str, lines: Iterable[writing.Line], keys: Sequence[str], name: str, *, about: bool = False
) -> HttpResponseBase:
    """Lines as a file to keep.

    Raises:
        Http404: there is no such kind of file here.
    """
    if form not in writing.FORMATS or (form == "xlsx" and not workbooks.is_available()):
        raise Http404(gettext("Files of this kind can not be made here."))
    content: Any = writing.as_workbook(lines, keys, about) if form == "xlsx" else writing.as_csv(lines, keys)
    kind = HttpResponse if form == "xlsx" else StreamingHttpResponse
    response: HttpResponseBase = kind(content, content_type=writing.FORMATS[form])
    response["Content-Disposition"] = content_disposition_header(True, f"{name}.{form}") or ""
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "no-store"
    return response

"""Batches: what was done to many rows at once, how far it is, what came of it, and putting it back."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import bulk, history
from iiif_auth.admin import told
from iiif_auth.admin.bases import Written
from iiif_auth.admin.bulk import Echo
from iiif_auth.admin.history import ReasonForm
from iiif_auth.admin.putting_back import PERMISSION, may_put_back
from iiif_auth.exchange.cells import escaped
from iiif_auth.models import Batch, Change

PER_PAGE = 100
MOST_OBSTACLES = 20
REFRESH_SECONDS = 5


@admin.register(Batch)
class BatchAdmin(Written):
    list_display = ("what", "kind", "by", "created", "state", "progress", "reason")
    list_filter = ("kind", "state", "created")
    search_fields = ("what", "reason", "actor_name")
    ordering = ("-created", "-pk")
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        rows: QuerySet[Batch] = super().get_queryset(request)
        return rows.defer("plan")  # which may name a hundred thousand rows

    @admin.display(description=_("by"), ordering="actor_name")
    def by(self, row: Batch) -> str:
        return row.actor_name or gettext("the program itself")

    @admin.display(description=_("rows"))
    def progress(self, row: Batch) -> str:
        if row.state in (Batch.State.WAITING, Batch.State.RUNNING):
            return gettext("%(done)d of %(total)d") % {"done": row.done, "total": row.total}
        return str(row.done)

    def get_urls(self) -> list[Any]:
        pages = [
            path(f"<path:object_id>/{step}/", self.admin_site.admin_view(view), name=f"iiif_auth_batch_{step}")
            for step, view in (("undo", self.undo_view), ("receipt", self.receipt_view), ("stop", self.stop_view))
        ]
        return [*pages, *super().get_urls()]

    def found(self, request: HttpRequest, object_id: str) -> Batch:
        """The batch, for somebody who may look at it.

        Raises:
            PermissionDenied: there is none that they may look at.
        """
        row: Batch | None = self.get_object(request, object_id)
        if row is None or not self.has_view_permission(request, row):
            raise PermissionDenied
        return row

    # -- looking at it

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if self.get_object(request, object_id) is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
        row = self.found(request, object_id)
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        changes = row.changes.order_by("pk")
        page = Paginator(changes, PER_PAGE).get_page(request.GET.get("p"))
        is_open = row.state in (Batch.State.WAITING, Batch.State.RUNNING)
        context = {
            **self.context(request, row),
            "page": page,
            "rows": [(change, told.kind(change), told.lines(change)[:6]) for change in page],
            "is_open": is_open,
            "stoppable": is_open and bool(row.plan) and self.may_change(request),
            "refresh": REFRESH_SECONDS if is_open else 0,
            "undoable": not is_open and not history.undoable(row) and self.may_change(request),
            "why_not": "" if is_open else history.undoable(row),
            "left": row.plan.get("left", []),
            "undone_by": Batch.objects.filter(undoes=row).first(),
        }
        return TemplateResponse(request, "admin/iiif_auth/batch.html", context)

    def context(self, request: HttpRequest, row: Batch) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": row,
            "title": row.what,
            "media": self.media,
        }

    def may_change(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(PERMISSION))

    def receipt_view(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """Every changed row as a table."""
        row = self.found(request, object_id)
        response = StreamingHttpResponse(receipt(row), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="batch-{row.pk}.csv"'
        return response

    # -- stopping it, and putting it back

    def stop_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.found(request, object_id)
        if request.method != "POST" or not self.may_change(request):
            raise PermissionDenied
        if bulk.stopped(row, request.user):
            self.message_user(request, gettext("It was stopped; what was done until then can be put back."))
        else:
            self.message_user(request, gettext("It was over already."), messages.WARNING)
        return HttpResponseRedirect(reverse("admin:iiif_auth_batch_change", args=[row.pk]))

    def undo_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what would be put back and what would not, then do it."""
        row = self.found(request, object_id)
        if not self.may_change(request) or not may_put_back(request.user, row.changes.all()):
            raise PermissionDenied
        if why := history.undoable(row):
            self.message_user(request, why, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:iiif_auth_batch_change", args=[row.pk]))
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self.put_back(request, row, form.cleaned_data["reason"])
        return self.ask_to_undo(request, row, form)

    def ask_to_undo(self, request: HttpRequest, row: Batch, form: ReasonForm) -> HttpResponse:
        count = row.changes.order_by().values("model", "row").distinct().count()
        is_job = count > bulk.MOST_AT_ONCE
        obstacles = [] if is_job else history.obstacles(row)
        context = {
            **self.context(request, row),
            "title": gettext("Put back %(n)s rows") % {"n": f"{count - len(obstacles):,}"},
            "count": count - len(obstacles),
            "obstacles": obstacles[:MOST_OBSTACLES],
            "more": max(0, len(obstacles) - MOST_OBSTACLES),
            "is_job": is_job,
            "form": form,
        }
        return TemplateResponse(request, "admin/iiif_auth/batch_undo.html", context)

    def put_back(self, request: HttpRequest, row: Batch, reason: str) -> HttpResponse:
        many = row.changes.count() > bulk.MOST_AT_ONCE
        try:
            made = (history.undo_later if many else history.undo)(row, request.user, reason)
        except history.NotUndone as error:
            for sentence in error.sentences[:MOST_OBSTACLES]:
                self.message_user(request, sentence, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:iiif_auth_batch_change", args=[row.pk]))
        self.message_user(request, made.said or gettext("It waits to be put back."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:iiif_auth_batch_change", args=[made.pk]))


def receipt(batch: Batch) -> Iterator[str]:
    """The changes of a batch as lines of a CSV file."""
    writer = csv.writer(Echo())
    headings = (
        _("On"),
        _("By"),
        _("Kind"),
        _("Number"),
        _("Name"),
        _("What happened"),
        _("Field"),
        _("Before"),
        _("After"),
    )
    yield "\ufeff" + str(writer.writerow([str(one) for one in headings]))
    for change in batch.changes.order_by("pk").iterator(chunk_size=2000):
        lines: list[told.Line | None] = [*told.lines(change)]
        for line in lines or [None]:
            yield str(writer.writerow(cells(change, line)))


def cells(change: Change, line: told.Line | None) -> list[Any]:
    field = (line.label, line.before or "", line.after or "") if line else ("", "", "")
    texts = (change.actor_name, told.kind(change), str(change.row), change.name, change.get_action_display(), *field)
    return [change.at.isoformat(timespec="seconds"), *map(escaped, texts)]

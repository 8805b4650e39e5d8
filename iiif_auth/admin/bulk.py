"""Actions on many rows: what is chosen, what is asked, who gains and who loses, and then it is done."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import display, helpers
from django.core.exceptions import PermissionDenied
from django.db.models import Count, ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import bulk, roles
from iiif_auth.admin import bulk_forms
from iiif_auth.admin.bases import Admin
from iiif_auth.bulk.deeds import running
from iiif_auth.exchange.cells import escaped
from iiif_auth.models import Resource, Withdrawal

MOST_SHOWN = 20
CONTROL = frozenset(
    {"csrfmiddlewaretoken", "action", "select_across", "index", "step", "count", helpers.ACTION_CHECKBOX_NAME}
)
"""What a page between sends besides the answers to its questions."""


@dataclass(frozen=True, slots=True)
class Order:
    """One entry in the list of actions.

    ``permission`` is the name under which an admin class is asked for it; ``title`` is ``%(n)s`` and ``%(what)s``.
    """

    form: type[bulk_forms.DeedForm]
    permission: str
    label: Any
    title: Any
    button: Any
    grave: bool = False
    note: Any = ""


ORDERS: dict[str, Order] = {
    "set_policy": Order(
        bulk_forms.SetPolicyForm, "change", _("Set policy…"), _("Set the policy of %(n)s %(what)s"), _("Set policy")
    ),
    "remove_policy": Order(
        bulk_forms.RemovePolicyForm,
        "change",
        _("Remove policy…"),
        _("Remove the policy of %(n)s %(what)s"),
        _("Remove policy"),
        note=_("They are governed by what their collections say from then on, and by nothing else."),
    ),
    "embargo": Order(
        bulk_forms.EmbargoForm, "embargo", _("Embargo…"), _("Lay an embargo over %(n)s %(what)s"), _("Lay the embargo")
    ),
    "lift": Order(
        bulk_forms.LiftForm, "lift", _("Lift embargo…"), _("Lift the embargo on %(n)s %(what)s"), _("Lift the embargo")
    ),
    "grant": Order(
        bulk_forms.GrantForm,
        "grant",
        _("Grant access, with a look first…"),
        _("Grant access to %(n)s %(what)s"),
        _("Grant access"),
    ),
    "end_grants": Order(
        bulk_forms.EndGrantsForm, "end_grants", _("End grants…"), _("End grants at %(n)s %(what)s"), _("End the grants")
    ),
    "withdraw": Order(
        bulk_forms.WithdrawForm,
        "withdraw",
        _("Withdraw…"),
        _("Withdraw %(n)s %(what)s"),
        _("Withdraw now"),
        grave=True,
        note=_("Nobody can see it from that moment on, grants or not. Its rules stay as they are, for restoring it."),
    ),
    "restore": Order(
        bulk_forms.RestoreForm,
        "restore",
        _("Restore what is withdrawn…"),
        _("Restore %(n)s %(what)s"),
        _("Restore"),
        note=_("The rules that it had before count again at once."),
    ),
    "move": Order(
        bulk_forms.MoveForm, "change", _("Move to a collection…"), _("Move %(n)s %(what)s to a collection"), _("Move")
    ),
    "remove": Order(
        bulk_forms.RemoveForm,
        "delete",
        _("Delete…"),
        _("Delete %(n)s %(what)s"),
        _("Delete"),
        grave=True,
        note=_(
            "What is deleted is no longer known here: its address is then governed by the address rules of collections only, "
            "and by nothing if there are none. To take something away from readers, withdraw it instead."
        ),
    ),
}
"""By the name of the action."""


def action(name: str) -> Callable[..., HttpResponseBase | None]:
    """An action of a list, by its name in :data:`ORDERS`."""
    order = ORDERS[name]

    def asked(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase | None:
        return Page(admin, request, queryset, name).answer()

    asked.__name__ = name
    asked.short_description = order.label  # type: ignore[attr-defined]
    asked.allowed_permissions = [order.permission]  # type: ignore[attr-defined]
    return asked


def actions(*names: str) -> tuple[Callable[..., HttpResponseBase | None], ...]:
    return tuple(action(name) for name in names)


class Page:
    """The page between choosing rows and doing something to them: asking, looking it over, and doing it."""

    def __init__(
        self, admin: Any, request: HttpRequest, chosen: QuerySet[Any], name: str, *, single: Any = None
    ) -> None:
        self.admin, self.request, self.name, self.single = admin, request, name, single
        self.order = ORDERS[name]
        model = chosen.model
        self.rows: QuerySet[Any] = model._default_manager.filter(pk__in=chosen.order_by().values("pk"))
        self.now = timezone.now()
        self.step = request.POST.get("step", "")
        self.form = self.order.form(request.POST if self.step else None, user=request.user, rows=self.rows)

    def answer(self) -> HttpResponseBase | None:
        if not self.step or self.step == "ask" or not self.form.is_valid():
            return self.ask()
        steps: dict[str, Callable[[], HttpResponseBase | None]] = {"file": self.file, "apply": self.apply}
        return steps.get(self.step, self.look)()

    # -- the pages

    def ask(self) -> HttpResponse:
        if self.step == "ask":  # the answers are shown again, to be changed, and not found fault with
            self.form = self.order.form(None, user=self.request.user, rows=self.rows)
            self.form.initial = {**self.form.initial, **self._given_before()}
        return self._page({"looked": False, "form": self.form})

    def _given_before(self) -> dict[str, Any]:
        sent = self.order.form(self.request.POST, user=self.request.user, rows=self.rows)
        sent.is_valid()
        return getattr(sent, "cleaned_data", {})

    def look(self, again: bool = False) -> HttpResponse:
        deed = self.form.deed()
        left, free = self.parted(deed)
        count = free.count()
        told = None if self.name == "remove" else bulk.gains(deed, free, self.now)
        extra = {
            "looked": True,
            "again": again,
            "form": self.form,
            "answers": self.form.words(),
            "carried": self.carried(),
            "left": left,
            "free": count,
            "is_job": self.rows.count() > bulk.MOST_AT_ONCE,
            "gains": told,
            "nothing": told is not None and not any(one.differs for one in told),
        }
        return self._page(extra)

    def parted(self, deed: bulk.Deed) -> tuple[list[tuple[str, int]], QuerySet[Any]]:
        """How many are left as they are, by reason; and the others."""
        free, left = self.rows, []
        for why, which in deed.as_done_by(self.request.user).spared(self.rows.model, self.now):
            if count := free.filter(which).count():
                left.append((str(why), count))
            free = free.exclude(which)
        return left, free

    def carried(self) -> list[tuple[str, str]]:
        """The answers, for the next step."""
        return [(name, value) for name, values in self.request.POST.lists() if name not in CONTROL for value in values]

    def _page(self, extra: dict[str, Any]) -> HttpResponse:
        admin, count = self.admin, self.rows.count()
        across = self.request.POST.get("select_across", "0")
        ticked = self.request.POST.getlist(helpers.ACTION_CHECKBOX_NAME)
        context = {
            **admin.admin_site.each_context(self.request),
            "opts": admin.opts,
            "title": self.title(count),
            "order": self.order,
            "media": admin.media + self.form.media,
            "single": self.single,
            "action": self.name,
            "across": across,
            "checkbox": helpers.ACTION_CHECKBOX_NAME,
            # With everything that matches, one key is enough: Django asks for one, and the list is found again.
            "ticked": ticked[:1] if across == "1" else ticked,
            "total": count,
            "policies": self.by_policy(),
            "shown": self.rows.order_by("pk")[:MOST_SHOWN],
            "more": max(0, count - MOST_SHOWN),
            "back": self.back(),
            **extra,
        }
        return TemplateResponse(self.request, "admin/iiif_auth/bulk.html", context)

    def title(self, count: int) -> str:
        if self.single is not None:
            return str(self.order.title % {"n": "", "what": f"“{self.single}”"}).replace("  ", " ")
        names = self.admin.opts
        what = names.verbose_name if count == 1 else names.verbose_name_plural
        return str(self.order.title % {"n": f"{count:,}", "what": what})

    def by_policy(self) -> list[tuple[str, int]]:
        """How many have which policy of their own."""
        if not hasattr(self.rows.model, "policy"):
            return []
        counted = (
            self.rows.order_by()
            .values_list("policy__name")
            .annotate(Count("pk"))
            .order_by("-pk__count", "policy__name")
        )
        return [(name or gettext("none of their own"), count) for name, count in counted[:MOST_SHOWN]]

    def back(self) -> str:
        if self.single is not None:
            return reverse(f"admin:iiif_auth_{self.admin.opts.model_name}_change", args=[self.single.pk])
        return self.request.get_full_path()

    # -- what comes of it

    def file(self) -> HttpResponseBase:
        """What would be done to each row, as a table."""
        response = StreamingHttpResponse(self._lines(self.form.deed()), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="dry-run-{self.name}.csv"'
        return response

    def _lines(self, deed: bulk.Deed) -> Iterator[str]:
        spared: dict[Any, str] = {}
        for why, which in deed.as_done_by(self.request.user).spared(self.rows.model, self.now):
            for key in self.rows.filter(which).order_by().values_list("pk", flat=True):
                spared.setdefault(key, str(why))
        writer = csv.writer(Echo())
        headings = (gettext("Number"), gettext("Name"), gettext("Address or identifier"), gettext("Policy"))
        yield "\ufeff" + writer.writerow([*map(capfirst, headings), gettext("What would be done")])
        done = str(self.order.button)
        for row in self.rows.select_related("policy").order_by("pk").iterator(chunk_size=2000):
            address = getattr(row, "url", None) or row.slug
            cells = (str(row), address, row.policy.name if row.policy else "", spared.get(row.pk, done))
            yield writer.writerow([row.pk, *map(escaped, cells)])

    def apply(self) -> HttpResponseBase | None:
        deed = self.form.deed()
        if self.single is None and str(self.parted(deed)[1].count()) != self.request.POST.get("count"):
            return self.look(again=True)
        title = self.title(self.rows.count())
        try:
            batch = bulk.started(deed, self.rows, self.request.user, title, self.form.cleaned_data["reason"])
        except bulk.NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        except ProtectedError:
            self.admin.message_user(
                self.request, gettext("Nothing was deleted, because something else needs it."), messages.ERROR
            )
            return None
        said = batch.said or gettext("This is a job now; it begins when “iiif_auth_batch” is run on the server.")
        self.admin.message_user(self.request, f"{title}: {said}", messages.SUCCESS)
        return self._onwards(batch)

    def _onwards(self, batch: Any) -> HttpResponseBase | None:
        if self.single is not None:
            return HttpResponseRedirect(self.back())
        if self.request.user.has_perm("iiif_auth.view_batch"):
            return HttpResponseRedirect(reverse("admin:iiif_auth_batch_change", args=[batch.pk]))
        return None


class Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


# -- On the admin classes -----------------------------------------------------------------------------------------


class Bulk(Admin):
    """A list with actions on many rows, and a page for withdrawing one."""

    action_codenames = {"embargo": "add_embargo", "lift": "change_embargo", "end_grants": "change_grant"}

    def has_embargo_permission(self, request: HttpRequest) -> bool:
        return roles.somewhere(request.user, "iiif_auth.add_embargo")

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return roles.somewhere(request.user, "iiif_auth.change_embargo")

    def has_grant_permission(self, request: HttpRequest) -> bool:
        return roles.somewhere(request.user, "iiif_auth.add_grant")

    def has_end_grants_permission(self, request: HttpRequest) -> bool:
        return roles.somewhere(request.user, "iiif_auth.change_grant")

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return roles.somewhere(request.user, "iiif_auth.add_withdrawal")

    def has_restore_permission(self, request: HttpRequest) -> bool:
        return roles.somewhere(request.user, "iiif_auth.change_withdrawal")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Django's own way of deleting lists every row on one page; with a hundred thousand that is 18 MB."""
        found: dict[str, Any] = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    def get_urls(self) -> list[Any]:
        name = f"iiif_auth_{self.opts.model_name}"
        pages = [
            path(f"<path:object_id>/{step}/", self.admin_site.admin_view(self._view(step)), name=f"{name}_{step}")
            for step in ("withdraw", "restore")
        ]
        return [*pages, *super().get_urls()]

    def _view(self, step: str) -> Callable[..., HttpResponseBase]:
        def view(request: HttpRequest, object_id: str) -> HttpResponseBase:
            row = self.get_object(request, object_id)
            if row is None:
                return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined,no-any-return]
            if not roles.may(request.user, bulk.DEEDS[step]().permission(self.model), row):
                raise PermissionDenied
            page = Page(self, request, self.get_queryset(request).filter(pk=row.pk), step, single=row)
            return page.answer() or HttpResponseRedirect(page.back())

        return view

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Whoever may take nothing down is shown no way to it."""
        changelist = super().get_changelist_instance(request)
        may = self.has_withdraw_permission(request) or self.has_restore_permission(request)
        for row in changelist.result_list:
            row.may_take_down = may
        return changelist

    @display(description=_("take down"))
    def take_down(self, row: Any) -> str:
        """The way to the page that withdraws it, or to the one that restores it."""
        if row.pk is None:
            return gettext("Once it is saved.")
        if not getattr(row, "may_take_down", True):
            return ""
        withdrawn = row.is_withdrawn if hasattr(row, "is_withdrawn") else is_withdrawn(row, timezone.now())
        step, text = ("restore", gettext("Restore…")) if withdrawn else ("withdraw", gettext("Withdraw…"))
        url = reverse(f"admin:iiif_auth_{self.opts.model_name}_{step}", args=[row.pk])
        return format_html(
            '<a href="{}" class="iiif-auth-take-down is-{}">{}<span class="visually-hidden">: {}</span></a>',
            url,
            step,
            text,
            row,
        )


def is_withdrawn(row: Any, at: datetime) -> bool:
    target = "resource" if isinstance(row, Resource) else "collection"
    return Withdrawal.objects.filter(running(at), **{target: row}).exists()

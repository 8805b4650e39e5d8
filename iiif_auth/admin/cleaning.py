"""What has been left lying about: grants of people who have left, policies nobody uses, embargoes that are over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, ProtectedError, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import history, roles
from iiif_auth.models import (
    AccessPolicy,
    Batch,
    Collection,
    CollectionRule,
    Condition,
    DailyCount,
    Delegation,
    Embargo,
    Grant,
    Network,
    NetworkUse,
    Resource,
)

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object

LONG_AGO = timedelta(days=365)
MOST_SHOWN = 10
MOST_AT_ONCE = 10_000
"""Rows that one click cleans up; the rest with the next."""


@dataclass(frozen=True, slots=True)
class Mess:
    """A list of rows that somebody may want to clean up.

    ``ends`` says that they are ended and not deleted; without ``deed`` they are only shown, since each wants a decision.
    """

    name: str
    model: type[Model]
    title: Any
    about: Any
    rows: Callable[[datetime], QuerySet[Any]]
    deed: Any = ""
    ends: bool = False

    @property
    def permission(self) -> str:
        return f"iiif_auth.{'change' if self.ends else 'delete'}_{self.model._meta.model_name}"

    @property
    def looking(self) -> str:
        return f"iiif_auth.view_{self.model._meta.model_name}"


def lasting(now: datetime) -> QuerySet[Grant]:
    return Grant.objects.exclude(ends__lte=now)


def used_by(model: type[Model], field: str) -> Exists:
    return Exists(model._default_manager.filter(**{field: OuterRef("pk")}))


def unused_policies(now: datetime) -> QuerySet[AccessPolicy]:
    rows = AccessPolicy.objects.filter(is_template=False)
    for model, field in ((Resource, "policy"), (Collection, "policy"), (Grant, "policy"), (Embargo, "then_policy")):
        rows = rows.exclude(used_by(model, field))
    return rows


def empty_collections(now: datetime) -> QuerySet[Collection]:
    rows = Collection.objects.all()
    for model, field in ((Resource, "collection"), (Collection, "parent"), (CollectionRule, "collection")):
        rows = rows.exclude(used_by(model, field))
    return rows


def idle_networks(now: datetime) -> QuerySet[Network]:
    """Only where the uses of networks have been noted for long enough to tell."""
    since = (now - LONG_AGO).date()
    if not any(model._default_manager.filter(day__lte=since).exists() for model in (NetworkUse, DailyCount)):
        return Network.objects.none()
    return Network.objects.exclude(Exists(NetworkUse.objects.filter(network=OuterRef("pk"), day__gt=since)))


def unnamed_networks(now: datetime) -> QuerySet[Network]:
    return idle_networks(now).exclude(used_by(Condition, "network")).exclude(used_by(Grant, "network"))


def named_networks(now: datetime) -> QuerySet[Network]:
    return idle_networks(now).filter(used_by(Condition, "network") | used_by(Grant, "network"))


MESSES: tuple[Mess, ...] = (
    Mess(
        "inactive",
        Grant,
        _("Grants of people whose account is no longer active"),
        _("They open nothing while the account is inactive, and would again if it came back."),
        lambda now: lasting(now).filter(user__is_active=False),
        _("End them now"),
        ends=True,
    ),
    Mess(
        "endless",
        Grant,
        _("Grants without an end"),
        _("Nobody has to think of them again, and so nobody does. Give each an end in the list of grants."),
        lambda now: Grant.objects.filter(ends=None),
    ),
    Mess(
        "past",
        Grant,
        _("Grants that ended over a year ago"),
        _("They open nothing. The history keeps them when they are deleted here."),
        lambda now: Grant.objects.filter(ends__lte=now - LONG_AGO),
        _("Delete them"),
    ),
    Mess(
        "delegations",
        Delegation,
        _("Collections that are delegated to people whose account is no longer active"),
        _("They can do nothing while the account is inactive, and could again if it came back."),
        lambda now: Delegation.objects.filter(user__is_active=False),
        _("Delete them"),
    ),
    Mess(
        "embargoes",
        Embargo,
        _("Embargoes that are over and bring no other policy"),
        _("They close nothing any more. The history keeps them when they are deleted here."),
        lambda now: Embargo.objects.filter(ends__lte=now, then_policy=None),
        _("Delete them"),
    ),
    Mess(
        "policies",
        AccessPolicy,
        _("Policies that nothing uses"),
        _("No item, collection, grant or embargo names them. Templates are not among them."),
        unused_policies,
        _("Delete them"),
    ),
    Mess(
        "collections",
        Collection,
        _("Collections with nothing in them"),
        _("No item, no address rule and no other collection is in them."),
        empty_collections,
        _("Delete them"),
    ),
    Mess(
        "networks",
        Network,
        _("Networks from which nobody has come for a year, and that no rule names"),
        _("They let nobody in. They are listed once uses have been noted for a year."),
        unnamed_networks,
        _("Delete them"),
    ),
    Mess(
        "idle",
        Network,
        _("Networks from which nobody has come for a year, though rules name them"),
        _("Their addresses may be out of date: please check them."),
        named_networks,
    ),
)


class CleaningForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500, widget=forms.TextInput({"size": 40}))

    def __init__(self, *args: Any, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "auto_id": f"id_{name}_%s"})


@dataclass(frozen=True, slots=True)
class Pile:
    """One list as the page shows it."""

    mess: Mess
    count: int
    shown: tuple[tuple[str, str], ...]
    form: CleaningForm | None


def piles(user: Any, site: str, now: datetime, failed: tuple[str, CleaningForm] | None = None) -> Iterator[Pile]:
    for mess in MESSES:
        if not roles.somewhere(user, mess.looking):
            continue
        rows = roles.visible(user, mess.rows(now))
        count = rows.count()
        if not count:
            continue
        form = None
        if mess.deed and roles.somewhere(user, mess.permission):
            form = failed[1] if failed and failed[0] == mess.name else CleaningForm(name=mess.name)
        yield Pile(mess, count, tuple(_shown(rows, site)), form)


def _shown(rows: QuerySet[Any], site: str) -> Iterator[tuple[str, str]]:
    named: dict[str, tuple[str, ...]] = {
        "grant": ("user", "group", "network", "service", "invitation", "resource", "collection", "policy")
    }
    named.update(embargo=("resource", "collection"), delegation=("collection", "user", "group"))
    for row in rows.select_related(*named.get(str(rows.model._meta.model_name), ())).order_by("pk")[:MOST_SHOWN]:
        try:
            yield str(row), reverse(f"admin:iiif_auth_{row._meta.model_name}_change", args=(row.pk,), current_app=site)
        except NoReverseMatch:
            yield str(row), ""


@transaction.atomic
def clean(user: Any, mess: Mess, reason: str, now: datetime) -> Batch:
    """Clean up what somebody may, as one batch that can be undone.

    Raises:
        ProtectedError: something uses one of them after all; then nothing was changed.
    """
    allowed = roles.within(user, mess.permission, roles.visible(user, mess.rows(now)))
    keys = list(allowed.order_by("pk").values_list("pk", flat=True)[:MOST_AT_ONCE])
    rows = mess.model._default_manager.filter(pk__in=keys)
    batch = history.begun(Batch.Kind.CLEANING, user, str(mess.title), reason, total=len(keys))
    with history.by(user, reason=reason, batch=batch):
        done = history.updated(rows, ends=now) if mess.ends else history.deleted(rows)
    history.ended(batch, ngettext("%(n)d was cleaned up.", "%(n)d were cleaned up.", done) % {"n": done})
    return batch


class CleaningPages(Base):
    """Adds the page to an admin class."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.cleaning_view)
        return [path("cleaning/", view, name="iiif_auth_cleaning"), *super().get_urls()]

    def cleaning_view(self, request: HttpRequest) -> HttpResponse:
        if not any(roles.somewhere(request.user, mess.looking) for mess in MESSES):
            raise PermissionDenied
        failed = None
        if request.method == "POST":
            mess = next((one for one in MESSES if one.name == request.POST.get("mess") and one.deed), None)
            if mess is None or not roles.somewhere(request.user, mess.permission):
                raise PermissionDenied
            form = CleaningForm(request.POST, name=mess.name)
            if form.is_valid():
                self._clean(request, mess, form.cleaned_data["reason"])
                return HttpResponseRedirect(request.path)
            failed = (mess.name, form)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Clean up"),
            "piles": list(piles(request.user, self.admin_site.name, timezone.now(), failed)),
            "form": failed[1] if failed else None,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/iiif_auth/cleaning.html", context)

    def _clean(self, request: HttpRequest, mess: Mess, reason: str) -> None:
        try:
            batch = clean(request.user, mess, reason, timezone.now())
        except ProtectedError:
            messages.error(
                request, gettext("Something uses one of them by now, so nothing was changed. Please look again.")
            )
            return
        hint = gettext("It can be put back for thirty days from the list of batches.")
        messages.success(request, f"{batch.said} {hint}")

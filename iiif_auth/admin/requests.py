"""The queue of requests: who asks for what and why, and deciding about it; and the invitations that came of it."""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet, prefetch_related_objects
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import identify, roles
from iiif_auth.admin import spoken
from iiif_auth.admin.bases import Admin
from iiif_auth.admin.deciding import ApproveForm, RefuseForm, TextForm
from iiif_auth.admin.passes import ReadOnly
from iiif_auth.asking import deciding
from iiif_auth.asking.invitations import revoke
from iiif_auth.asking.items import Item, address_of, item_at
from iiif_auth.asking.states import OPEN, WAITING, NotPossible
from iiif_auth.models import Acceptance, AccessRequest, Grant, Invitation
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import decide

logger = logging.getLogger("iiif_auth.asking")

NOT_SENT = (OSError, smtplib.SMTPException)
MOST_SHOWN = 20
MOST_POLICIES = 5
THUMBNAIL = "/full/!320,320/0/default.jpg"


class StateFilter(admin.SimpleListFilter):
    """What waits for the staff, unless something else is chosen."""

    title = _("state")
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        known = (one for one in AccessRequest.State if one != AccessRequest.State.UNCONFIRMED)
        return [("all", _("All")), *((one.value, one.label) for one in known)]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        yield {**first, "display": gettext("Waiting for us")}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if chosen == "all":
            return queryset
        return queryset.filter(state=chosen) if chosen else queryset.filter(state__in=WAITING)


@dataclass(frozen=True, slots=True)
class Look:
    """What this browser may be shown of an item: a picture, or the sentence why there is none."""

    picture: str = ""
    sentence: str = ""


@dataclass(frozen=True)
class Desk:
    """One request in front of one member of the staff."""

    request: HttpRequest
    row: AccessRequest

    @cached_property
    def item(self) -> Item | None:
        """What is asked for, as the rules are now."""
        return item_at(self.row.url)

    @property
    def may_answer(self) -> bool:
        allowed = roles.may(self.request.user, "iiif_auth.change_accessrequest", self.row)
        return allowed and self.row.state in OPEN

    @property
    def may_approve(self) -> bool:
        place = self.row.resource or self.row
        return self.may_answer and self.item is not None and roles.may(self.request.user, "iiif_auth.add_grant", place)

    def form(self, name: str, data: Any = None) -> forms.Form:
        if name == "approve":
            place: Any = self.row.resource or self.row
            most, now = roles.most_days(self.request.user, place), timezone.now()
            assert self.item is not None  # noqa: S101 - asked before: see may_approve
            return ApproveForm(data, item=self.item, most_days=most, now=now)
        if name == "refuse":
            return RefuseForm(data, row=self.row, item=self.item)
        label = _("Your question to the reader") if name == "ask" else _("Note for the staff")
        return TextForm(data, prefix=name, label=label)

    def names(self) -> tuple[str, ...]:
        """The forms that this person may send."""
        if self.may_approve:
            return ("approve", "ask", "refuse", "note")
        if self.may_answer:
            return ("ask", "refuse", "note")
        change = roles.may(self.request.user, "iiif_auth.change_accessrequest", self.row)
        return ("note",) if change else ()

    def look(self) -> Look:
        """The picture, if the rules let this very browser have it; a smaller version, if they let it have that."""
        if self.item is None:
            return Look(sentence=gettext("There is no such item any more."))
        if not roles.sees_images(self.request.user):
            return Look(sentence=gettext("You are not shown pictures of items."))
        decision = decide(self.item.offer, identify.browser(self.request), timezone.now())
        found = next((one for one in _shown(decision) if one.image_api is not policy.ImageApi.NONE), None)
        if found is None:
            return Look(sentence=gettext("The rules do not let this browser have a picture of it."))
        return Look(address_of(found.uri) + THUMBNAIL)


def _shown(decision: policy.Decision) -> list[policy.Rendition]:
    match decision:
        case policy.Allowed():
            return [decision.rendition]
        case policy.Denied():
            return [one.rendition for one in decision.substitutes if one.offer is None]
        case policy.Unknown():
            return []


@admin.register(AccessRequest)
class AccessRequestAdmin(Admin):
    """People who ask, and what becomes of it."""

    list_display = ("code", "item", "name", "state", "created", "wished_until")
    list_display_links = ("code", "item")
    list_filter = (StateFilter,)
    search_fields = ("code", "name", "email", "url", "purpose")
    date_hierarchy = "created"
    ordering = ("created",)
    list_select_related = ("resource",)
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return "digest" not in lookup.split("__") and super().lookup_allowed(lookup, value, request)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessRequest]:
        return super().get_queryset(request).exclude(state=AccessRequest.State.UNCONFIRMED)

    @admin.display(description=_("item"), ordering="url")
    def item(self, row: AccessRequest) -> str:
        return str(row.resource or row.url)

    # -- the page of one request

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        """Everything about one request; what is decided is sent here too."""
        row = self.get_object(request, object_id)
        if row is None:
            self.message_user(
                request, gettext("There is no such request, or it is not yours to see."), messages.WARNING
            )
            return HttpResponseRedirect(reverse("admin:iiif_auth_accessrequest_changelist"))
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        desk = Desk(request, row)
        if request.method != "POST":
            return self._page(desk, {})
        name = request.POST.get("deed", "")
        if name not in desk.names():
            raise PermissionDenied
        form = desk.form(name, request.POST)
        if not form.is_valid():
            return self._page(desk, {name: form}, status=400)
        return self._done(desk, name, form)

    def _done(self, desk: Desk, name: str, form: forms.Form) -> HttpResponse:
        try:
            sentence = DEEDS[name](desk, form)
        except NotPossible as problem:
            form.add_error(None, str(problem))
        except NOT_SENT:
            logger.exception("A reader could not be told what became of a request.")
            form.add_error(
                None, _("The e-mail to the reader could not be sent, so nothing was changed. Please try again.")
            )
        else:
            self.message_user(desk.request, sentence, messages.SUCCESS)
            return HttpResponseRedirect(desk.request.path)
        desk.row.refresh_from_db()
        return self._page(Desk(desk.request, desk.row), {name: form}, status=409)

    def _page(self, desk: Desk, sent: dict[str, forms.Form], status: int = 200) -> HttpResponse:
        row, user = desk.row, desk.request.user
        tasks = [(name, WORDS[name], sent.get(name) or desk.form(name)) for name in desk.names()]
        unsent = [form for name, form in sent.items() if name not in desk.names()]
        context = {
            **self.admin_site.each_context(desk.request),
            "title": gettext("Request %(code)s") % {"code": row.code},
            "opts": self.opts,
            "media": self.media,
            "row": row,
            "label": desk.item.label((get_language() or "en",)) if desk.item else row.url,
            "address": address_of(row.url),
            "resource_url": self._resource_url(desk),
            "look": desk.look(),
            "policies": [(one.name, spoken.policy_sentence(one)) for one in _policies(desk)],
            "needs_two": desk.item is not None and desk.item.needs_two,
            "said": row.messages.select_related("by"),
            "earlier": earlier(user, row),
            "accepted": accepted(row),
            "grants": _grants(desk),
            "tasks": tasks,
            "form": next(iter(sent.values()), None),
            "unsent": unsent,
        }
        return TemplateResponse(desk.request, "admin/iiif_auth/request.html", context, status=status)

    def _resource_url(self, desk: Desk) -> str:
        row, user = desk.row.resource, desk.request.user
        if row is None or not roles.may(user, "iiif_auth.view_resource", row):
            return ""
        return reverse("admin:iiif_auth_resource_change", args=(row.pk,))


def _policies(desk: Desk) -> list[Any]:
    """The policies of the item with all that their sentences need."""
    found = desk.item.policies[:MOST_POLICIES] if desk.item else []
    prefetch_related_objects(found, *spoken.PARTS)
    return found


def earlier(user: Any, row: AccessRequest) -> list[AccessRequest]:
    """What else the same reader asked for, as far as this person finds it."""
    if row.forgotten is not None:
        return []
    same = Q(email__iexact=row.email) | (Q(user=row.user_id) if row.user_id else Q(pk__in=()))
    rows = AccessRequest.objects.filter(same).exclude(pk=row.pk).exclude(state=AccessRequest.State.UNCONFIRMED)
    return list(roles.visible(user, rows).select_related("resource")[:MOST_SHOWN])


def accepted(row: AccessRequest) -> list[Acceptance]:
    """The terms that a reader with an account has accepted."""
    if row.user_id is None:
        return []
    return list(Acceptance.objects.filter(user=row.user_id).select_related("service")[:MOST_SHOWN])


def _grants(desk: Desk) -> list[Grant]:
    """What the reader was given: by invitations of this request, or by name for this item."""
    row = desk.row
    given = Q(invitation__request=row.pk)
    if row.user_id and row.resource_id:
        given |= Q(user=row.user_id, resource=row.resource_id)
    rows = roles.visible(desk.request.user, Grant.objects.filter(given))
    return list(rows.select_related("user", "invitation", "resource", "collection", "policy")[:MOST_SHOWN])


# -- What is done -------------------------------------------------------------------------------------------------


def _approved(desk: Desk, form: Any) -> str:
    assert desk.item is not None  # noqa: S101 - asked before: see may_approve
    grant = deciding.approve(desk.row, desk.request.user, desk.item, form.approval())
    if grant is None:
        return gettext("You approved it. A second person must approve it too before anything opens.")
    return gettext("Approved. The reader was told by e-mail.")


def _refused(desk: Desk, form: Any) -> str:
    deciding.refuse(desk.row, desk.request.user, form.words())
    return gettext("Refused. The reader was told why by e-mail.")


def _asked(desk: Desk, form: Any) -> str:
    deciding.ask_back(desk.row, desk.request.user, form.cleaned_data["text"])
    return gettext("Your question was sent. The request waits for the reader now.")


def _noted(desk: Desk, form: Any) -> str:
    deciding.note(desk.row, desk.request.user, form.cleaned_data["text"])
    return gettext("Your note was kept. The reader does not see it.")


DEEDS: dict[str, Callable[[Desk, Any], str]] = {
    "approve": _approved,
    "refuse": _refused,
    "ask": _asked,
    "note": _noted,
}
WORDS: dict[str, tuple[Any, Any]] = {
    "approve": (_("Approve"), _("Approve")),
    "refuse": (_("Refuse"), _("Refuse")),
    "ask": (_("Ask back"), _("Send the question")),
    "note": (_("Note for the staff"), _("Keep the note")),
}
"""By form, its heading and its button."""


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Links that bring people in. Deleting one ends it at once, with the passes and grants that hang on it."""

    list_display = ("__str__", "email", "created", "ends", "seen", "grant_count", "request")
    list_select_related = ("request",)
    search_fields = ("email", "name", "request__code")
    date_hierarchy = "created"
    fields = ("name", "email", "request", "created", "ends", "seen")
    actions = ("take_back",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invitation]:
        rows: QuerySet[Invitation] = super().get_queryset(request)
        return rows.annotate(granted=Count("grants"))

    def get_search_fields(self, request: HttpRequest) -> list[str]:
        return list(self.search_fields)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        found: dict[str, Any] = super().get_actions(request)
        found.pop("delete_selected", None)
        return found

    @admin.display(description=_("grants"))
    def grant_count(self, row: Any) -> int:
        return int(row.granted)

    @admin.action(description=_("Take back at once"), permissions=["delete"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        rows = list(queryset)
        for row in rows:
            revoke(row)
        text = ngettext("%(n)d invitation was taken back.", "%(n)d invitations were taken back.", len(rows))
        self.message_user(request, text % {"n": len(rows)}, messages.SUCCESS)

"""Drafts of policies: written in the form of the policy itself, compared with what is live, published now or at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth import contents, drafts, identify, roles
from iiif_auth.admin import compared, people, spoken, states
from iiif_auth.admin.bases import Admin
from iiif_auth.admin.draft_form import filled_in
from iiif_auth.contents import NotPublished
from iiif_auth.models import AccessPolicy, PolicyDraft
from iiif_auth.policy import words

MOST_SAMPLES = 10


# -- Comparing and publishing -------------------------------------------------------------------------------------


def lines_of(label: Any, help_text: Any) -> forms.CharField:
    """A field for some names, one to a line."""
    widget = forms.Textarea(attrs={"rows": 3})
    return forms.CharField(label=label, required=False, max_length=2000, widget=widget, help_text=help_text)


class SampleForm(forms.Form):
    """Whom to judge besides those whom the policies name."""

    people = lines_of(_("People"), _("Names or e-mail addresses, one to a line."))
    addresses = lines_of(_("Addresses"), _("Such as 192.0.2.5, one to a line."))

    def clean_people(self) -> list[Any]:
        return [people.person(text) for text in few(self.cleaned_data["people"])]

    def clean_addresses(self) -> list[str]:
        found = few(self.cleaned_data["addresses"])
        if wrong := [text for text in found if identify.parsed_address(text) is None]:
            raise ValidationError(
                _("“%(text)s” is not an address; write one such as 192.0.2.5.") % {"text": wrong[0][:80]}
            )
        return found


def few(text: str) -> list[str]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_SAMPLES:
        raise ValidationError(_("Please give at most %(n)d at once.") % {"n": MOST_SAMPLES})
    return lines


class PublishForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For the history; readers do not see it."),
    )
    at = forms.DateTimeField(
        label=_("At a time"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Only for “Publish at this time”. The daily command does it when it next runs after that."),
        error_messages={"invalid": _("Please write the time as 2031-05-01 09:00.")},
    )
    anyway = forms.BooleanField(label=_("Replace what was changed since the draft was begun"), required=False)

    def __init__(self, *args: Any, changed: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.planning = "plan" in self.data
        if not changed:
            del self.fields["anyway"]

    def clean_at(self) -> datetime | None:
        at: datetime | None = self.cleaned_data["at"]
        if self.planning and (at is None or at <= timezone.now()):
            raise ValidationError(_("Please give a time that is still to come."))
        return at

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if "anyway" in self.fields and not found.get("anyway"):
            self.add_error("anyway", _("The policy was changed since. Look at what would be replaced, then tick this."))
        return found


def state(draft: PolicyDraft) -> str:
    """Where a draft stands, in words."""
    if draft.published is not None:
        return gettext("published on %(day)s") % {"day": states.day(draft.published)}
    if draft.failed:
        return gettext("not published: %(why)s") % {"why": draft.failed}
    if draft.publish_at is None:
        return gettext("a draft")
    if draft.publish_at <= timezone.now():
        return gettext("overdue since %(day)s: has the daily command run?") % {"day": states.day(draft.publish_at)}
    return gettext("to be published on %(day)s") % {"day": states.day(draft.publish_at)}


def is_amber(draft: PolicyDraft) -> bool:
    """Whether somebody should look at it: it should have been published and was not."""
    late = draft.publish_at is not None and draft.publish_at <= timezone.now()
    return draft.published is None and bool(draft.failed or late)


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("open", _("Not published")),
            ("planned", _("Planned")),
            ("late", _("Overdue")),
            ("published", _("Published")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        wanted: dict[str | None, dict[str, Any]] = {
            "open": {"published": None},
            "planned": {"published": None, "publish_at__gt": timezone.now()},
            "late": {"published": None, "publish_at__lte": timezone.now()},
            "published": {"published__isnull": False},
        }
        return queryset.filter(**wanted.get(self.value(), {}))


@admin.register(PolicyDraft)
class PolicyDraftAdmin(Admin):
    """A draft's page compares it with what is live; the form is a page of its own."""

    list_display = ("policy", "where_it_stands", "created_by", "created", "links")
    list_filter = (StateFilter, ("policy", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("policy", "created_by")
    search_fields = ("policy__name", "policy__slug", "reason")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A draft is begun at its policy."""
        return False

    @admin.display(description=_("state"))
    def where_it_stands(self, row: PolicyDraft) -> str:
        said = state(row)
        return format_html('<strong class="iiif-auth-amber">⚠ {}</strong>', said) if is_amber(row) else said

    @admin.display(description=_("what to do"))
    def links(self, row: PolicyDraft) -> str:
        if row.published is not None:
            return "-"
        pages = (
            (gettext("Edit"), "iiif_auth_draft_edit"),
            (gettext("Compare and publish"), "iiif_auth_policydraft_change"),
        )
        found = [
            format_html(
                '<a href="{}">{}<span class="visually-hidden">: {}</span></a>',
                reverse(f"admin:{name}", args=[row.pk]),
                text,
                row,
            )
            for text, name in pages
        ]
        return format_html("{} · {}", *found)

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("of/<path:policy_id>/", view(self.new_view), name="iiif_auth_draft_new"),
            path("<path:object_id>/edit/", view(self.edit_view), name="iiif_auth_draft_edit"),
            path("<path:object_id>/publish/", view(self.publish_view), name="iiif_auth_draft_publish"),
            *super().get_urls(),
        ]

    # -- writing

    def new_view(self, request: HttpRequest, policy_id: str) -> HttpResponse:
        """The form of a live policy; what is said in it becomes a draft."""
        row = self._policy(request, policy_id)
        if not roles.somewhere(request.user, "iiif_auth.add_policydraft"):
            raise PermissionDenied
        answer = filled_in(request, self.admin_site, row, None)
        if isinstance(answer, HttpResponse):
            return answer
        made = drafts.begun(row, answer, request.user)
        self.message_user(request, gettext("The draft is kept. Nothing has changed for readers."), messages.SUCCESS)
        return self._to(made)

    def edit_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        draft = self._draft(request, object_id)
        if not self.has_change_permission(request, draft) or draft.published is not None:
            raise PermissionDenied
        try:
            answer = filled_in(request, self.admin_site, draft.policy, draft)
        except NotPublished as error:
            return self._back(request, draft, error)
        if isinstance(answer, HttpResponse):
            return answer
        draft.content = {**draft.content, "draft": answer}
        draft.failed = ""
        draft.save(update_fields=["content", "failed"])
        self.message_user(request, gettext("The draft is kept. Nothing has changed for readers."), messages.SUCCESS)
        return self._to(draft)

    def _policy(self, request: HttpRequest, key: str) -> AccessPolicy:
        rows = roles.visible(request.user, AccessPolicy.objects.filter(is_template=False))
        if not request.user.has_perm("iiif_auth.view_accesspolicy"):
            raise PermissionDenied
        return get_object_or_404(rows, pk=key) if key.isascii() and key.isdigit() else not_there()

    def _draft(self, request: HttpRequest, key: str) -> PolicyDraft:
        found = self.get_object(request, key)
        if found is None:
            not_there()
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return found  # type: ignore[return-value]

    def _to(self, draft: PolicyDraft) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:iiif_auth_policydraft_change", args=[draft.pk]))

    def _back(self, request: HttpRequest, draft: PolicyDraft, error: NotPublished) -> HttpResponse:
        for sentence in error.sentences:
            self.message_user(request, sentence, messages.ERROR)
        return self._to(draft)

    # -- comparing

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        draft = self._draft(request, object_id)
        return self._page(request, draft, PublishForm(changed=is_stale(draft), initial=self._initial(draft)))

    def _initial(self, draft: PolicyDraft) -> dict[str, Any]:
        return {"reason": draft.reason, "at": draft.publish_at}

    def _page(self, request: HttpRequest, draft: PolicyDraft, form: PublishForm, status: int = 200) -> HttpResponse:
        samples = SampleForm(request.GET if {"people", "addresses"} & set(request.GET) else None)
        asked = samples.cleaned_data if samples.is_bound and samples.is_valid() else {}
        page = {
            **self.admin_site.each_context(request),
            **comparison(request.user, draft, asked),
            "opts": self.opts,
            "title": str(draft),
            "draft": draft,
            "state": state(draft),
            "amber": is_amber(draft),
            "samples": samples,
            "form": form,
            "may_publish": drafts.may_publish(request.user) and draft.published is None,
            "may_edit": self.has_change_permission(request, draft) and draft.published is None,
            "may_delete": self.has_delete_permission(request, draft),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/iiif_auth/draft.html", page, status=status)

    # -- publishing

    def publish_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Now, at a time, or not at that time after all."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        draft = self._draft(request, object_id)
        if not drafts.may_publish(request.user) or draft.published is not None:
            raise PermissionDenied
        if "unplan" in request.POST:
            drafts.planned(draft, request.user, None, draft.reason)
            self.message_user(request, gettext("It is not published by itself any more."), messages.SUCCESS)
            return self._to(draft)
        form = PublishForm(request.POST, changed=is_stale(draft))
        if not form.is_valid():
            return self._page(request, draft, form, status=400)
        return self._plan(request, draft, form) if form.planning else self._publish(request, draft, form)

    def _plan(self, request: HttpRequest, draft: PolicyDraft, form: PublishForm) -> HttpResponse:
        if form.cleaned_data.get("anyway"):
            drafts.rebased(draft)
        drafts.planned(draft, request.user, form.cleaned_data["at"], form.cleaned_data["reason"])
        when = {"day": states.day(form.cleaned_data["at"])}
        self.message_user(request, gettext("It will be published on %(day)s.") % when, messages.SUCCESS)
        return self._to(draft)

    def _publish(self, request: HttpRequest, draft: PolicyDraft, form: PublishForm) -> HttpResponse:
        said = form.cleaned_data
        try:
            drafts.publish(draft, request.user, said["reason"], anyway=bool(said.get("anyway")))
        except NotPublished as error:
            return self._back(request, draft, error)
        text = gettext("“%(policy)s” is live as in the draft. It can be put back for 30 days.")
        self.message_user(request, text % {"policy": draft.policy}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:iiif_auth_policydraft_changelist"))


def not_there() -> Any:
    raise Http404(gettext("There is no such draft or policy."))


def is_stale(draft: PolicyDraft) -> bool:
    return draft.published is None and drafts.changed_since(draft)


def comparison(user: Any, draft: PolicyDraft, asked: dict[str, Any]) -> dict[str, Any]:
    """What the page says about a draft; if it can not be judged, why."""
    content, base = draft.content["draft"], draft.content["base"]
    now = base if draft.published is not None else contents.snapshot(draft.policy)
    said: dict[str, Any] = {
        "differences": compared.differences(now, content),
        "since": compared.differences(base, now),
        "problems": (),
    }
    try:
        value, live = drafts.as_policy(draft), contents.value_of(contents.rows_of(now, draft.policy))
    except NotPublished as error:
        return {**said, "problems": error.sentences}
    items, collections = compared.affected(user, draft.policy, live)
    samples = compared.typed(asked.get("people", ()), asked.get("addresses", ()))
    return {
        **said,
        "items": items,
        "collections": collections,
        "live_sentence": words.policy_sentence(live, gettext, spoken.reader()),
        "draft_sentence": words.policy_sentence(value, gettext, spoken.reader()),
        "cautions": words.warnings(value, timezone.now(), gettext, spoken.reader()),
        "lines": compared.lines(user, draft.policy, live, value, samples, timezone.now()),
    }

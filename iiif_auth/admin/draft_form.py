"""The form of a policy in which a draft is written: its rows are put back afterwards."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext

from iiif_auth import contents, drafts
from iiif_auth.admin.rules import AccessPolicyAdmin, RefusalTextInline, TierInline
from iiif_auth.models import AccessPolicy, PolicyDraft

LEFT_OUT = {"slug", "is_template", "used_by", "copy_link", "draft_link"}
"""What of the policy's form is not for a draft to say."""


class Free:
    """The page that uses this has asked already who may write drafts."""

    show_change_link = False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    has_add_permission = has_change_permission = has_delete_permission = has_view_permission

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        formset = super().get_formset(request, obj, **kwargs)  # type: ignore[misc]
        formset.form.free = True
        return formset


class DraftedTiers(Free, TierInline):
    pass


class DraftedTexts(Free, RefusalTextInline):
    pass


class DraftedPolicy(AccessPolicyAdmin):
    """The form of a policy whose rows are put back afterwards: nothing is logged, and success is not announced."""

    inlines = (DraftedTiers, DraftedTexts)
    change_form_template = "admin/iiif_auth/draft_form.html"

    def __init__(self, site: Any) -> None:
        super().__init__(AccessPolicy, site)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.free = True
        return form

    def get_fieldsets(self, request: HttpRequest, obj: AccessPolicy | None = None) -> Any:
        kept = [
            (title, {**said, "fields": remaining(said["fields"])})
            for title, said in super().get_fieldsets(request, obj)
        ]
        return [(title, said) for title, said in kept if said["fields"]]

    def log_change(self, *args: Any, **kwargs: Any) -> Any:
        return None

    def message_user(
        self, request: HttpRequest, message: Any, level: int | str = messages.INFO, *args: Any, **kwargs: Any
    ) -> None:
        if level == messages.WARNING:
            super().message_user(request, message, level, *args, **kwargs)

    def response_post_save_change(self, request: HttpRequest, obj: AccessPolicy) -> HttpResponseRedirect:
        return HttpResponseRedirect("saved")


def remaining(fields: Iterable[Any]) -> tuple[Any, ...]:
    found = (remaining(one) if isinstance(one, tuple | list) else one for one in fields)
    return tuple(one for one in found if one and one not in LEFT_OUT)


def filled_in(
    request: HttpRequest, site: Any, row: AccessPolicy, draft: PolicyDraft | None
) -> HttpResponse | contents.Content:
    """The page with the form, or what was said in it. The rows are written and read, and none of it is kept.

    Raises:
        NotPublished: something that the draft names is gone.
    """
    request.POST = plain_save(request.POST)
    with transaction.atomic():
        try:
            if draft is not None:
                drafts.laid_out(draft)
            answer: Any = DraftedPolicy(site).changeform_view(request, str(row.pk), extra_context=context(row, draft))
            if answer.status_code == 302:
                return contents.snapshot(AccessPolicy.objects.get(pk=row.pk))
            page: HttpResponse = answer.render()
            return page
        finally:
            transaction.set_rollback(True)


def plain_save(data: Any) -> Any:
    """Without Django's other buttons, which lead elsewhere; and the name of the policy, which a draft does not change."""
    kept = data.copy()
    for name in ("_continue", "_addanother", "_saveasnew", "_popup"):
        kept.pop(name, None)
    return kept


def context(row: AccessPolicy, draft: PolicyDraft | None) -> dict[str, Any]:
    return {
        "title": gettext("Draft of %(policy)s") % {"policy": row},
        "draft": draft,
        "live": row,
        "show_save_and_continue": False,
        "show_save_and_add_another": False,
        "show_delete": False,
    }

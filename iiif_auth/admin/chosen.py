"""Actions that ask something first: what is chosen, a form, and one transaction."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin import loosening, states
from iiif_auth.forms import LanguageMapFormField
from iiif_auth.models import AccessPolicy, Withdrawal

MOST_SHOWN = 20


class PolicyForm(forms.Form):
    policy = forms.ModelChoiceField(
        AccessPolicy.objects.filter(is_template=False),
        label=_("Own policy"),
        required=False,
        empty_label=_("None: only what the collection says"),
    )


class WithdrawForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("For your colleagues; readers do not see it."),
    )
    reference = forms.CharField(label=_("Reference"), max_length=200, required=False)
    review_on = forms.DateField(
        label=_("To be reviewed on"),
        required=False,
        help_text=_("A reminder; it restores nothing."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    note = LanguageMapFormField(label=_("What people are told"), required=False, lines=4)


def asked(admin: Any, request: HttpRequest, queryset: QuerySet[Any], form: forms.Form, **words: str) -> HttpResponse:
    """The page between: what is chosen, and the form of the action.

    Args:
        words: ``title``, ``action`` (its name) and ``button``.
    """
    context = {
        **admin.admin_site.each_context(request),
        **words,
        "opts": admin.opts,
        "form": form,
        "media": admin.media + form.media,
        "shown": queryset[:MOST_SHOWN],
        "more": max(0, queryset.count() - MOST_SHOWN),
        "checkbox": helpers.ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(helpers.ACTION_CHECKBOX_NAME),
        "across": request.POST.get("select_across", "0"),
    }
    return TemplateResponse(request, "admin/iiif_auth/chosen.html", context)


def answered(request: HttpRequest, form_class: type[forms.Form]) -> tuple[bool, forms.Form]:
    """Whether the page between was sent with sound answers, and its form."""
    sent = "answered" in request.POST
    form = form_class(request.POST if sent else None)
    return sent and form.is_valid(), form


def set_policy(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """Ask for a policy and give it to all that is chosen, but to what replaces the policies above only if allowed."""
    ready, form = answered(request, PolicyForm)
    if not ready:
        count = queryset.count()
        title = ngettext("Set the policy of %(n)d", "Set the policy of %(n)d", count) % {"n": count}
        return asked(admin, request, queryset, form, title=title, action="set_policy", button=gettext("Set policy"))
    policy = form.cleaned_data["policy"]
    free = queryset if policy and loosening.may_loosen(request) else queryset.filter(overrides=False)
    with transaction.atomic():
        keys = list(free.values_list("pk", flat=True))
        log(request, free, [{"changed": {"fields": [gettext("own policy")]}}])
        left = queryset.count() - len(keys)
        free.order_by().update(policy=policy)
    say(admin, request, len(keys), gettext("The policy was set."), left)
    return None


def say(admin: Any, request: HttpRequest, count: int, done: str, left: int = 0) -> None:
    counted = ngettext("%(n)d was changed.", "%(n)d were changed.", count) % {"n": count}
    admin.message_user(request, f"{done} {counted}", messages.SUCCESS)
    if left:
        kept = gettext("%(n)d were left as they are, because they replace the policies above.") % {"n": left}
        admin.message_user(request, kept, messages.WARNING)


def withdraw(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
    """Ask for the reason and take all that is chosen away; what is withdrawn already stays so."""
    ready, form = answered(request, WithdrawForm)
    if not ready:
        count = queryset.count()
        title = ngettext("Withdraw %(n)d", "Withdraw %(n)d", count) % {"n": count}
        return asked(admin, request, queryset, form, title=title, action="withdraw", button=gettext("Withdraw now"))
    now = timezone.now()
    target = admin.opts.model_name
    running = Withdrawal.objects.filter(states.conditions(now)["running"], ends=None, **{f"{target}__isnull": False})
    free = list(queryset.exclude(pk__in=running.values(target)))
    with transaction.atomic():
        Withdrawal.objects.bulk_create(
            [Withdrawal(**{target: row}, starts=now, **form.cleaned_data) for row in free], batch_size=500
        )
        log(request, free, gettext("Withdrawn: %(reason)s") % {"reason": form.cleaned_data["reason"]})
    say(admin, request, len(free), gettext("Nobody can see what was chosen any more."))
    return None


def end_now(admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> None:
    """End what is running; what has not begun is left to be changed or deleted by hand."""
    now = timezone.now()
    running = queryset.filter(states.conditions(now)["running"])
    with transaction.atomic():
        keys = list(running.values_list("pk", flat=True))
        log(request, running, gettext("Ended now."))
        admin.model._default_manager.filter(pk__in=keys).update(ends=now)
    say(admin, request, len(keys), gettext("It is over from now on."))
    if left := queryset.count() - len(keys):
        text = gettext("%(n)d were left as they are, because they are over or have not begun.") % {"n": left}
        admin.message_user(request, text, messages.WARNING)


def log(request: HttpRequest, rows: Any, message: Any) -> None:
    """Into the history of each, so that anybody can see who did it."""
    LogEntry.objects.log_actions(
        user_id=str(request.user.pk), queryset=rows, action_flag=CHANGE, change_message=message
    )

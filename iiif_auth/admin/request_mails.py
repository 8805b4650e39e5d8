"""Whether one is mailed about new requests, chosen beside one's other reminders."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth.asking import notices
from iiif_auth.dates import feeds
from iiif_auth.dates.mailing import address_of
from iiif_auth.models import CalendarFeed


class RequestMailForm(forms.Form):
    requests = forms.ChoiceField(
        label=_("E-mail about new requests"),
        required=False,
        choices=(("", _("None")), *CalendarFeed.Requests.choices),
        help_text=_("About those that you may answer. It names the item and the reference, and nothing of the reader."),
    )


def form_for(user: Any, feed: CalendarFeed | None) -> RequestMailForm | None:
    """The form with what somebody chose; ``None`` for whoever may answer no requests."""
    if not notices.may_answer(user):
        return None
    return RequestMailForm(initial={"requests": feed.requests if feed else ""})


def chosen(request: HttpRequest) -> None:
    """Keep what somebody chose, for themselves. What waits already is on the first page; they are told of what comes.

    Raises:
        PermissionDenied: they may answer no requests.
    """
    if not notices.may_answer(request.user):
        raise PermissionDenied
    form = RequestMailForm(request.POST)
    if not form.is_valid():
        messages.error(request, gettext("Please choose one of what is offered."))
        return
    feed = feeds.of(request.user)
    feed.requests, feed.requests_told = form.cleaned_data["requests"], timezone.now()
    feed.save(update_fields=["requests", "requests_told"])
    messages.success(request, said(request.user, feed.requests))


def said(user: Any, often: str) -> str:
    """What comes of a choice, in a sentence or two."""
    told = {
        "": gettext("You get no e-mail about requests."),
        CalendarFeed.Requests.AT_ONCE: gettext("You get an e-mail as soon as a request waits for an answer."),
        CalendarFeed.Requests.DAILY: gettext("You get an e-mail once a day if new requests wait for an answer."),
    }[often]
    missing = gettext("Your account has no e-mail address yet, so nothing can be sent.")
    return told if not often or address_of(user) else f"{told} {missing}"

"""Somebody's calendar, for the program they read calendars with. The address is the secret."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_safe

from iiif_auth.conf import conf
from iiif_auth.dates import feeds, ics

HEADERS = {"Cache-Control": "private, no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@sensitive_variables("secret")
@require_safe
def calendar(request: HttpRequest, secret: str) -> HttpResponse:
    """What is not there, was taken back, or belongs to somebody who no longer works here looks the same."""
    now = timezone.now()
    feed = feeds.found(secret, now)
    if feed is None:
        gone = gettext("There is no such calendar, or it was taken back. Make a new address on the page “Dates”.")
        return HttpResponse(gone, status=404, content_type="text/plain; charset=utf-8", headers=HEADERS)
    host = urlsplit(conf.BASE_URL).hostname or "iiif_auth"
    with translation.override(settings.LANGUAGE_CODE):
        text = ics.calendar(feeds.events(feed.user, now), gettext("Access to collections"), host, now)
    return HttpResponse(text.encode("utf-8", "replace"), content_type="text/calendar; charset=utf-8", headers=HEADERS)

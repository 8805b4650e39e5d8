"""Whether the site itself is in order: what ``manage.py check`` says of us, and what can only be seen while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from iiif_auth import checks, store
from iiif_auth.admin.bases import Admin
from iiif_auth.conf import conf
from iiif_auth.models import Pass, Tier

PERMISSION = "iiif_auth.change_accessservice"
LATE = timedelta(days=3)
"""After so long without it, the daily work is taken to be forgotten."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is not in order, and what to do about it; ``url`` is where, if that is a page."""

    said: str
    mend: str
    url: str = ""


def problems(request: HttpRequest, now: datetime) -> Iterator[Problem]:
    """All that can be found out at once; the rules as they are kept, and two queries at most."""
    for message in checks.check_settings(None):
        yield Problem(str(message.msg), str(message.hint or ""))
    yield from _address(request)
    yield from _proxies(request)
    yield from _unreadable()
    yield from _daily(now)


def _address(request: HttpRequest) -> Iterator[Problem]:
    wanted, here = urlsplit(conf.BASE_URL).netloc, request.get_host()
    if wanted and wanted.lower() != here.lower():
        said = gettext(
            "This page was asked for at %(here)s, but the addresses that viewers are told are at %(wanted)s."
        )
        yield Problem(
            said % {"here": here, "wanted": wanted},
            gettext("If readers come to %(here)s too, set BASE_URL to the address that they use.") % {"here": here},
        )


def _proxies(request: HttpRequest) -> Iterator[Problem]:
    forwarded = [one for one in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if one.strip()]
    if conf.TRUSTED_PROXIES == 0 and forwarded:
        yield Problem(
            gettext("A proxy stands in front of the site, but no proxy is trusted, so all readers have its address."),
            gettext("Set TRUSTED_PROXIES to the number of your proxies; rules about networks do not work before."),
        )
    elif len(forwarded) < conf.TRUSTED_PROXIES:
        said = ngettext(
            "%(n)d proxy is trusted, but this request came through fewer, so its sender has no address.",
            "%(n)d proxies are trusted, but this request came through fewer, so its sender has no address.",
            conf.TRUSTED_PROXIES,
        )
        yield Problem(
            said % {"n": conf.TRUSTED_PROXIES},
            gettext(
                "Set TRUSTED_PROXIES to the number of proxies that every request passes, or let none pass by them."
            ),
        )


def _unreadable() -> Iterator[Problem]:
    """Policies that have tiers as rows but not as rules."""
    try:
        book = store.rulebook()
    except store.RulesInMotion:
        return  # somebody is saving just now
    empty = [key for key, held in book.policies.items() if not held.tiers]
    rows = Tier.objects.filter(policy__in=empty, policy__is_template=False) if empty else Tier.objects.none()
    for key, name in rows.values_list("policy", "policy__name").distinct().order_by("policy__name"):
        yield Problem(
            gettext("The policy “%(name)s” can not be read, so it lets nobody in.") % {"name": name},
            gettext("Open it, correct its time zone, its tiers and the networks they name, and save it."),
            reverse("admin:iiif_auth_accesspolicy_change", args=[key]),
        )


def _daily(now: datetime) -> Iterator[Problem]:
    if Pass.objects.filter(ends__lt=now - LATE).exists():
        yield Problem(
            gettext("The daily work has not been done for some days: what has ended long ago is still kept."),
            gettext("Let “manage.py iiif_auth_daily” be run once a day, such as by cron or a timer of systemd."),
        )


class Doctor(Admin):
    """Adds the page to the lists of something that its readers look after."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.doctor_view)
        return [path("doctor/", view, name="iiif_auth_doctor"), *super().get_urls()]

    def doctor_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Is the site in order?"),
            "problems": list(problems(request, timezone.now())),
        }
        return TemplateResponse(request, "admin/iiif_auth/doctor.html", context)

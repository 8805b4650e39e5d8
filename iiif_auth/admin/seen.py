"""Where the browser that asks is, as this site sees it: for finding out what a proxy does to addresses."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext

from iiif_auth import identify
from iiif_auth.conf import conf
from iiif_auth.policy.types import Address


@dataclass(frozen=True, slots=True)
class Seen:
    """Where the browser that asks is, as far as can be told, and how that was told."""

    remote: str
    forwarded: str
    chosen: str
    because: str


def seen(request: HttpRequest) -> Seen:
    """The asker's own address, for finding out what a proxy does to it."""
    forwarded, found = request.META.get("HTTP_X_FORWARDED_FOR", ""), identify.ambient(request).address
    return Seen(request.META.get("REMOTE_ADDR", ""), forwarded, str(found or ""), _because(request, found))


def _because(request: HttpRequest, found: Address | None) -> str:
    count, plain = conf.TRUSTED_PROXIES, identify.address(request)
    if found != plain:
        return gettext("The SUBJECT hook of this site put it in the place of %(address)s.") % {"address": plain}
    if found is None:
        return gettext("No address can be told for sure from these; please check TRUSTED_PROXIES (%(count)d).") % {
            "count": count
        }
    if count == 0:
        return gettext("TRUSTED_PROXIES is 0, so the address of the connection counts and the header is not read.")
    return gettext("TRUSTED_PROXIES is %(count)d, so that entry of the header counts, from the right.") % {
        "count": count
    }

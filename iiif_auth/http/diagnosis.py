"""A page for readers and help desks: what this browser allows, in sentences, and what to do about it.

It looks by trying: a cookie that means nothing is set and asked back, on a page of our own, in a frame on somebody else's page,
and in the partition of that page; a window is opened and asked whether it still knows who opened it (browsers.md, sections 1-4).
Nothing is stored on the server, and nothing that is shown opens anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import time
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from iiif_auth import identify, store
from iiif_auth.conf import conf
from iiif_auth.http.headers import NEVER_STORE, PAGE, page_policy, with_headers
from iiif_auth.http.reading import in_readers_language, text
from iiif_auth.policy.types import AccessService
from iiif_auth.twins import PartitionedMorsel

COOKIE, TWIN = "__Host-iiif_look", "__Host-iiif_look_twin"
MINUTES = 10
AGAIN = "again"
"""The parameter of the page once more: now the cookie must be there."""


@dataclass(frozen=True, slots=True)
class Look:
    """What can be told from one request. ``cookie`` is ``None`` as long as there was no occasion to send one."""

    cookie: bool | None
    address: str
    places: tuple[str, ...]
    person: str
    standing: identify.Standing
    services: tuple[str, ...]


def look(request: HttpRequest) -> Look:
    here = identify.ambient(request)
    book = store.rulebook()
    found = identify.current_pass(request)
    slugs = found.facts.agreements if found.facts and found.standing is identify.Standing.SOUND else {}
    services: list[AccessService] = [book.services[slug] for slug in sorted(slugs) if slug in book.services]
    return Look(
        cookie=_came_back(request),
        address=str(here.address or ""),
        places=tuple(sorted(one.label for one in book.networks.values() if one.admits(here) and one.label)),
        person=request.user.get_username() if identify.is_signed_in(request) else "",
        standing=found.standing,
        services=tuple(text(request, one.label) or one.slug for one in services),
    )


def _came_back(request: HttpRequest) -> bool | None:
    if COOKIE in request.COOKIES:
        return True
    return False if AGAIN in request.GET else None


@never_cache
@require_safe
@in_readers_language
def diagnosis(request: HttpRequest) -> HttpResponse:
    """The page itself. Without JavaScript it says what one request tells, and what it can not tell."""
    seen = look(request)
    context: dict[str, Any] = {
        "title": _("What does this browser allow?"),
        "look": seen,
        "standing": seen.standing.value,
        "viewer": _test_viewer(request),
        "asks": {"seen": reverse("iiif_auth:diagnosis-seen"), "window": reverse("iiif_auth:diagnosis-window")},
        "report": report(seen),
    }
    response = with_headers(render(request, "iiif_auth/diagnosis.html", context), PAGE)
    response.headers["Content-Security-Policy"] = page_policy(asks=True)
    _set(response)
    return response


def _test_viewer(request: HttpRequest) -> str:
    """Where the page on another site is, told which address to put into its frame; empty if there is none."""
    address = conf.DIAGNOSIS_VIEWER
    if not address:
        return ""
    frame = (conf.BASE_URL or f"{request.scheme}://{request.get_host()}") + reverse("iiif_auth:diagnosis-frame")
    return f"{address}{'&' if '?' in address else '?'}frame={frame}"


def report(seen: Look) -> str:
    """What the help desk is sent, as far as the server knows it: no name, no cookie, no secret."""
    lines = (
        (_("Address"), seen.address or _("not known")),
        (_("Place"), ", ".join(seen.places) or _("none of the library's")),
        (_("Signed in"), _("yes") if seen.person else _("no")),
        (_("Access"), ", ".join(seen.services) or _("none at present")),
    )
    return "\n".join(f"{name}: {value}" for name, value in lines)


def _set(response: HttpResponse) -> None:
    response.set_cookie(COOKIE, "1", max_age=MINUTES * 60, secure=True, httponly=True, samesite="None")


@never_cache
@require_safe
def window(request: HttpRequest) -> HttpResponse:
    """What the page opens to see whether windows can be opened, and still know who opened them."""
    response = with_headers(render(request, "iiif_auth/diagnosis_window.html", {"title": _("A test")}), PAGE)
    response.headers["Content-Security-Policy"] = page_policy(asks=True)
    return response


@never_cache
@require_safe
@xframe_options_exempt
def frame(request: HttpRequest) -> HttpResponse:
    """What somebody else's page has in a frame. It shows what it finds, and can be asked to do nothing."""
    context = {"title": _("As seen from this page"), "asks": {"seen": reverse("iiif_auth:diagnosis-seen")}}
    response = with_headers(render(request, "iiif_auth/diagnosis_frame.html", context), NEVER_STORE)
    response.headers["Content-Security-Policy"] = page_policy(asks=True, framed=True)
    _set_partitioned(response)
    return response


def _set_partitioned(response: HttpResponse) -> None:
    """The other cookie, for the partition of whatever site has us in a frame."""
    morsel = PartitionedMorsel()
    morsel.set(TWIN, "1", "1")
    attributes: dict[str, Any] = {"max-age": MINUTES * 60, "path": "/", "secure": True, "httponly": True}
    morsel.update({**attributes, "samesite": "None", "partitioned": True})
    response.cookies[TWIN] = morsel


@never_cache
@require_safe
def seen(request: HttpRequest) -> JsonResponse:
    """Which of the two cookies came along, and the time, for a script of our own; another site's can not read it."""
    found = {
        "cookie": COOKIE in request.COOKIES,
        "partitioned": TWIN in request.COOKIES,
        "storageAccess": request.headers.get("Sec-Fetch-Storage-Access", ""),
        "now": round(time() * 1000),
    }
    return with_headers(JsonResponse(found), NEVER_STORE, vary=("Cookie",))

"""Signing in at the side: in a second window, so that the tab that the viewer holds never leaves this site.

Some identity providers isolate their pages, and a tab that was there once is lost to its opener for good (browsers.md, 2).
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from iiif_auth import identify, middleware
from iiif_auth.conf import conf
from iiif_auth.http.headers import NEVER_STORE, PAGE, page_policy, with_headers
from iiif_auth.http.reading import asked_for, choices, in_readers_language


def login_page(request: HttpRequest, back: str) -> str:
    """The host's login page, in the languages that the viewer named, from which one comes back to a path of this site."""
    url = resolve_url(conf.LOGIN_URL)
    asked = {"lang": " ".join(tags)} if (tags := asked_for(request)) else {}
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'next': back, **asked})}"


def choice(request: HttpRequest) -> HttpResponse:
    """The page with the button that opens the window. Without JavaScript the button leads to the login page as ever."""
    context = {
        "title": _("Sign in to continue"),
        "same": login_page(request, request.get_full_path()),
        "side": login_page(request, reverse("iiif_auth:signed-in")),
        "session": reverse("iiif_auth:session"),
        "languages": choices(request),
    }
    response = render(request, "iiif_auth/sign_in.html", context)
    response.headers["Content-Security-Policy"] = page_policy(asks=True)
    middleware.mark(response)
    return with_headers(response, PAGE)


@never_cache
@require_GET
@in_readers_language
def signed_in(request: HttpRequest) -> HttpResponse:
    """Where the window at the side ends: it says so to the tab that opened it, and closes itself."""
    done = identify.is_signed_in(request)
    context = {"title": _("You are signed in") if done else _("You are not signed in"), "done": done}
    response = render(request, "iiif_auth/signed_in.html", context)
    response.headers["Content-Security-Policy"] = page_policy()
    return with_headers(response, PAGE)


@never_cache
@require_GET
def session(request: HttpRequest) -> HttpResponse:
    """Whether somebody is signed in here, for our own pages; other sites' pages can not read it."""
    response = JsonResponse({"signedIn": identify.is_signed_in(request)})
    return with_headers(response, {**NEVER_STORE, "Cross-Origin-Resource-Policy": "same-origin"}, vary=("Cookie",))

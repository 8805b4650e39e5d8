"""The one thing our pages need from a host's other pages while somebody signs in."""

from __future__ import annotations

from collections.abc import Callable

from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "iiif_auth_flow"
SALT = "iiif_auth.flow"
MINUTES = 15
HEADER = "Cross-Origin-Opener-Policy"
PAGES = ("access", "handoff")
"""The pages that a viewer's hold goes through: the access page, and the window that carries consent back."""


def mark(response: HttpResponse) -> None:
    """Note in this browser that a sign-in for a viewer is under way."""
    value = signing.TimestampSigner(salt=SALT).sign("1")
    response.set_cookie(COOKIE, value, max_age=MINUTES * 60, httponly=True, samesite="Lax", path="/")


def unmark(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path="/", samesite="Lax")


def is_marked(request: HttpRequest) -> bool:
    value = request.COOKIES.get(COOKIE)
    if not value:
        return False
    try:
        signing.TimestampSigner(salt=SALT).unsign(value, max_age=MINUTES * 60)
    except signing.BadSignature:
        return False
    return True


def is_access_page(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.url_name in PAGES and "iiif_auth" in match.app_names


class FlowMiddleware:
    """Keeps the viewer's hold on the tab it opened, on every page of a sign-in that began at an access page.

    Django sends ``Cross-Origin-Opener-Policy: same-origin`` everywhere. A single response with it, even a redirect, tells
    the viewer that the tab was closed, and it asks for a token before anybody has typed a password (browsers.md,
    section 2). Only browsers in which an access page began a sign-in less than fifteen minutes ago get ``unsafe-none``,
    and the access pages themselves, whoever wrote the response (a refused form, an error); nothing else changes.

    Put it first in ``MIDDLEWARE``, so that error pages are covered too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if is_access_page(request) or is_marked(request):
            response[HEADER] = "unsafe-none"
        return response

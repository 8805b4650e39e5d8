"""The demo with a login that cuts every window off from the one that opened it, as some identity providers do, and for that in a
window at the side; met by browsers that say nothing about storage access in their requests."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from project.settings import *  # noqa: F403 - settings are a module of names

IIIF_AUTH_FLOW = {**IIIF_AUTH_FLOW, "LOGIN_WINDOW": "side"}  # noqa: F405
MIDDLEWARE = [
    "tests.browser.at_the_side.without_a_word",
    "tests.browser.at_the_side.cutting",
    *MIDDLEWARE,  # noqa: F405
]

Answering = Callable[[HttpRequest], HttpResponse]


def without_a_word(answer: Answering) -> Answering:
    """The library does not hear of a permission that is not in use, and asks for no second try: so it is with WebKit."""

    def answered(request: HttpRequest) -> HttpResponse:
        request.META.pop("HTTP_SEC_FETCH_STORAGE_ACCESS", None)
        return answer(request)

    return answered


def cutting(answer: Answering) -> Answering:
    def answered(request: HttpRequest) -> HttpResponse:
        response = answer(request)
        if request.path.startswith("/accounts/"):
            response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        return response

    return answered

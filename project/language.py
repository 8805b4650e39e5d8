"""The language of the demo's pages: of the link that led here, of the account, of this browser's choice, of the browser."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from iiif_auth.http import reading
from project.models import Preference

REMEMBERED = "language_of_account"


class LanguageMiddleware(LocaleMiddleware):
    """Django's choice, unless the address names a language; and at sign-in the account's language becomes the browser's."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if code := reading.spoken(reading.asked_for(request)):
            translation.activate(code)
            request.LANGUAGE_CODE = code

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if code := getattr(request, REMEMBERED, ""):
            _set_cookie(response, code)
        return super().process_response(request, response)


def _set_cookie(response: HttpResponseBase, code: str) -> None:
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        domain=settings.LANGUAGE_COOKIE_DOMAIN,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )


@receiver(user_logged_in)
def remember(sender: object, request: HttpRequest | None, user: Any, **kwargs: object) -> None:
    """Look once, at sign-in, so that no other request has to ask what the account prefers."""
    found = Preference.objects.filter(user=user.pk).first() if request is not None else None
    if request is not None and found is not None:
        setattr(request, REMEMBERED, found.language)


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep a language in this browser, and with the account of whoever is signed in."""
    code = request.POST.get("language", "")
    if request.user.is_authenticated and translation.check_for_language(code):
        Preference.objects.update_or_create(user=request.user, defaults={"language": code})
    response: HttpResponse = set_language(request)
    return response


def is_chosen(request: HttpRequest) -> bool:
    """Whether somebody said which language it should be, here or by the link; else the browser's own preferences count."""
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return bool(reading.spoken(reading.asked_for(request)) or (cookie and reading.spoken((cookie,))))

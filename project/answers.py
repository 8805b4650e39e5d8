"""Answers of identity providers that nobody asked for: a page with a next step, in place of a bare refusal."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

logger = logging.getLogger("project.answers")

WHERE_ANSWERS_END = frozenset({"saml_acs", "saml_finish_acs", "saml_sls", "openid_connect_callback"})
"""By the names of their URLs in django-allauth, the pages that read an answer."""


class AnswersMiddleware:
    """Says in a page what allauth refuses without a word, such as a SAML answer to a question that was not asked here."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        match = request.resolver_match
        if not isinstance(exception, PermissionDenied) or match is None or match.url_name not in WHERE_ANSWERS_END:
            return None
        logger.warning("Refused an answer at %s: nobody asked for it here, or it was used before.", match.url_name)
        return render(request, "socialaccount/authentication_error.html", {"auth_error": {}}, status=401)

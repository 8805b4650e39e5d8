"""Whatever is changed on a page of the admin is recorded with the person who did it, and from which network."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern

from iiif_auth import history, identify


def recorded(view: Any) -> Any:
    """The same view, whose changes are those of whoever is signed in."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with history.by(request.user, network=str(identify.address(request) or "")):
            response: HttpResponseBase = view(request, *args, **kwargs)
            return response

    return inner


def recorded_pattern(pattern: URLPattern) -> URLPattern:
    return URLPattern(pattern.pattern, recorded(pattern.callback), pattern.default_args, pattern.name)

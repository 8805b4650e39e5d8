"""What such sites do to every response, and to every error of the REST framework."""

from __future__ import annotations

from typing import Any


class StrictPolicy:
    """A policy that allows no inline script, on every page that does not bring its own (as django-csp and Django 6 do)."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> Any:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
        return response


def no_answer(exc: Exception, context: Any) -> Any:
    raise AssertionError("The host's own exception handler was asked.") from exc

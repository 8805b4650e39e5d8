"""The check before everything else of the site: no middleware, no session, no URL resolver.

In ``wsgi.py``: ``application = CheckFirst(get_wsgi_application())``. Without it the check is a view like any other, and costs
what the site's middleware costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from http.client import responses
from typing import Any

from django.core.handlers.wsgi import WSGIRequest, get_script_name
from django.core.signals import request_finished, request_started
from django.urls import set_script_prefix

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class CheckFirst:
    """Answers the check that web servers make, and leaves everything else to the site."""

    def __init__(self, application: Application) -> None:
        # Not before the site's apps are loaded, which the application's being there shows: ``wsgi.py`` imports this first.
        from iiif_auth.enforce import check, doors

        self.application, self.answer = application, check.answered
        self.mount = lru_cache(maxsize=8)(lambda script: doors.mount())

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.endswith("/check") or environ["REQUEST_METHOD"] != "GET":
            return self.application(environ, start_response)
        script = get_script_name(environ)
        set_script_prefix(script)
        if f"{script.rstrip('/')}{path}" != f"{self.mount(script)}check":
            return self.application(environ, start_response)
        # As Django's own handler does: connections of the database are opened and closed by these signals.
        request_started.send(sender=self.__class__, environ=environ)
        return self._said(environ, start_response)

    def _said(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            found = self.answer(WSGIRequest(environ))
        except BaseException:
            request_finished.send(sender=self.__class__)
            raise
        start_response(f"{found.status} {responses[found.status]}", [("Content-Length", "0"), *found.headers.items()])
        return _Nothing()


class _Nothing:
    """An empty body, at whose end the request is over."""

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        request_finished.send(sender=CheckFirst)

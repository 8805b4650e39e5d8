"""The check before everything else of the site: no middleware, no session, no URL resolver.

In ``wsgi.py``: ``application = CheckFirst(get_wsgi_application())``. Without it the check is a view like any other, and costs
what the site's middleware costs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.core.handlers.wsgi import WSGIRequest, get_script_name
from django.core.signals import request_started
from django.urls import set_script_prefix

from iiif_auth.enforce import doors
from iiif_auth.enforce.check import check

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class CheckFirst:
    """Answers the check, and leaves everything else to the site."""

    def __init__(self, application: Application) -> None:
        self.application = application

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not environ.get("PATH_INFO", "").endswith("/check"):
            return self.application(environ, start_response)
        script = get_script_name(environ)
        set_script_prefix(script)
        if f"{script.rstrip('/')}{environ['PATH_INFO']}" != f"{doors.mount()}check":
            return self.application(environ, start_response)
        # As Django's own handler does: connections of the database are opened and closed by these signals.
        request_started.send(sender=self.__class__, environ=environ)
        response = check(WSGIRequest(environ))
        response._handler_class = self.__class__  # type: ignore[attr-defined]
        status = f"{response.status_code} {response.reason_phrase}"
        start_response(status, [(name, value) for name, value in response.items()])
        return response

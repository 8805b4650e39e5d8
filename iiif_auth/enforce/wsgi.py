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
from django.db import close_old_connections
from django.urls import set_script_prefix

from iiif_auth.conf import conf

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class CheckFirst:
    """Answers the check that web servers make, and leaves everything else to the site."""

    def __init__(self, application: Application) -> None:
        # Not before the site's apps are loaded, which the application's being there shows: ``wsgi.py`` imports this first.
        from iiif_auth import counting
        from iiif_auth.enforce import check, doors

        self.application, self.answer, self.flush = application, check.answered, counting.flush_when_due
        self.mount = lru_cache(maxsize=8)(lambda script: doors.mount())

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not path.endswith("/check") or environ["REQUEST_METHOD"] != "GET":
            return self.application(environ, start_response)
        script = get_script_name(environ)
        set_script_prefix(script)
        if f"{script.rstrip('/')}{path}" != f"{self.mount(script)}check":
            return self.application(environ, start_response)
        _begin(environ)
        return self._said(environ, start_response)

    def _said(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        try:
            found = self.answer(WSGIRequest(environ))
        except BaseException:
            self._end()
            raise
        start_response(f"{found.status} {responses[found.status]}", [("Content-Length", "0"), *found.headers.items()])
        return _Nothing(self._end)

    def _end(self) -> None:
        if _hosts_code():
            request_finished.send(sender=CheckFirst)
        else:
            self.flush(CheckFirst)  # a process that answers checks only would never write down what it counted
            close_old_connections()


def _begin(environ: Environ) -> None:
    """See to the connections of the database, as Django's own handler does.

    Its signals cost as much as the statement that is asked, and what else they do is for views. But where code of the host's
    takes part in the decision, it is told of a request as it is used to: it may have connections of its own to see to.
    """
    if _hosts_code():
        request_started.send(sender=CheckFirst, environ=environ)
    else:
        close_old_connections()


def _hosts_code() -> bool:
    """Whether hooks of the host's take part in decisions."""
    return bool(conf.given.get("SUBJECT") or conf.given.get("OFFERS"))


class _Nothing:
    """An empty body, at whose end the request is over."""

    def __init__(self, end: Callable[[], None]) -> None:
        self.close = end

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

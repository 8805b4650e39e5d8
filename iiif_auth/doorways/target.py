"""The request target as the client sent it: path and query, not decoded (security 2.6).

Django shows the path decoded, and two different paths may then look alike: ``%2F`` is a slash, bytes that are no UTF-8 are all
one character. Servers keep the original too, each under a name of its own.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from django.http import HttpRequest

RAW: Final = ("RAW_URI", "REQUEST_URI")
"""Where servers of WSGI put it: gunicorn; uWSGI and mod_wsgi. granian (2.8) keeps none. No header of a client's can have these
names.
"""

AS_THEY_ARE: Final = "/:@!$&'()*+,=~"


def target_of(request: HttpRequest) -> str:
    """The target; where the server did not keep it, the decoded path encoded again.

    What is encoded again may mean something else than was sent, ``%2F`` for one. It is what is decided about and what is fetched,
    all the same.
    """
    scope = getattr(request, "scope", None)
    if scope is not None:
        raw = scope.get("raw_path")
        return raw.decode("latin-1") if raw else _again(request)
    return next((str(raw) for name in RAW if (raw := request.META.get(name))), "") or _again(request)


def _again(request: HttpRequest) -> str:
    return quote(request.path, safe=AS_THEY_ARE)

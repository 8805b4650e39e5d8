"""Services in the manifests that a host serves itself, without a change to its views."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import parse_http_date_safe

from iiif_auth import store
from iiif_auth.conf import conf
from iiif_auth.http.manifest import decorated
from iiif_auth.protocol import manifest

logger = logging.getLogger("iiif_auth.decorating")

WITHHELD = (
    *("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE"),
    *("HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_ACCEPT_ENCODING"),
)
"""What the host's view is not told on these paths. It would answer for the document that it knows, or with a part of it, or
packed; but what the document says now depends on our rules too.
"""


class ManifestMiddleware:
    """Adds services to manifests at the paths of ``MANIFEST_PATHS``.

    Anything but a whole JSON document that is a manifest passes unchanged, and so does a manifest in which nothing of ours is
    restricted. If the rules can not be read, the host's answer passes too: a description opens nothing. Put it below whatever
    compresses answers, and above nothing that it needs.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in ("GET", "HEAD") or not is_manifest_path(request.path):
            return self.get_response(request)
        with withheld(request):
            response = self.get_response(request)
        if not isinstance(response, HttpResponse) or not is_plain_json(response):
            return response
        add_services(response)
        return revalidated(request, response)


def is_manifest_path(path: str) -> bool:
    return any(store.fits(pattern, path) for pattern in conf.MANIFEST_PATHS)


@contextmanager
def withheld(request: HttpRequest) -> Iterator[None]:
    """Without the headers of :data:`WITHHELD`, which other middleware finds again afterwards."""
    kept = {name: request.META.pop(name) for name in WITHHELD if name in request.META}
    forget_headers(request)
    try:
        yield
    finally:
        request.META.update(kept)
        forget_headers(request)


def forget_headers(request: HttpRequest) -> None:
    """``request.headers`` is made of ``META`` once, when somebody first looks at it."""
    request.__dict__.pop("headers", None)


def is_plain_json(response: HttpResponse) -> bool:
    """Whether it is a whole document that can be read as it is."""
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return (
        response.status_code == 200
        and not response.streaming
        and response.headers.get("Content-Encoding", "identity") == "identity"
        and (media_type == "application/json" or media_type.endswith("+json"))
        and (response.charset or "utf-8").lower() in ("utf-8", "utf8", "us-ascii", "ascii")
    )


def add_services(response: HttpResponse) -> None:
    """Services in the document of a response, whose length and validators then are those of what it says now."""
    try:
        document = manifest.parsed(response.content)
        found, _holdings = decorated(document)
    except manifest.NotAManifest as problem:
        logger.debug("A document at a path of MANIFEST_PATHS is left as it is: %s", problem)
        return
    except Exception:
        logger.exception("A manifest is left without services.")
        return
    if found is not document:
        response.content = manifest.written(found)
        response.headers["ETag"] = f'"{sha256(response.content).hexdigest()[:32]}"'
        if "Content-Length" in response.headers:
            response.headers["Content-Length"] = str(len(response.content))
        # Our rules have no date; whoever asks for what is newer than the host's would never get it.
        del response.headers["Last-Modified"]


def revalidated(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    """The response, or that nothing has changed since, if the browser has this very one."""
    modified = parse_http_date_safe(response.headers.get("Last-Modified", ""))
    return get_conditional_response(request, response.headers.get("ETag"), modified, response) or response

"""Requests that only a page of this very site can have made."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.http import HttpRequest

from iiif_auth.conf import conf

DEFAULT_PORTS = {"https": 443, "http": 80}


def own_origin() -> str:
    """This site as browsers write an origin."""
    found = urlsplit(conf.BASE_URL)
    port = f":{found.port}" if found.port not in (None, DEFAULT_PORTS.get(found.scheme)) else ""
    host = f"[{found.hostname}]" if ":" in (found.hostname or "") else found.hostname
    return f"{found.scheme}://{host}{port}"


def is_our_own(request: HttpRequest) -> bool:
    """Whether a browser says that a page of ours asks, a framed one too.

    Where cookies are kept out there is no CSRF token either; what a browser itself says of a request, no page can change.
    """
    same_site = request.headers.get("Sec-Fetch-Site") == "same-origin"
    return same_site and request.headers.get("Origin") == own_origin()

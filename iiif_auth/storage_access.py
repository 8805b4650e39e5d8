"""Storage Access Headers: a browser that may send our cookies, but did not, is asked to try again with them.

``Sec-Fetch-Storage-Access: inactive`` says that a permission is there and not in use. Then a refusal says ``retry``, and the
browser asks again with its cookies, for a frame and for an ``<img>`` alike, without any script (browsers.md, section 3).
"""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from iiif_auth.protocol import origins

ASKED = "Sec-Fetch-Storage-Access"
ANSWER = "Activate-Storage-Access"


def retried(request: HttpRequest, response: HttpResponseBase, origin: str = "") -> None:
    """Ask for another try with cookies, in answer to what was refused; ``origin`` is the viewer's site if no header says it."""
    patch_vary_headers(response, (ASKED,))
    site = origins.serialised(request.headers.get("Origin", "")) or origin
    if request.headers.get(ASKED) == "inactive" and site:
        response.headers[ANSWER] = f'retry; allowed-origin="{site}"'


def kept(request: HttpRequest, response: HttpResponseBase) -> None:
    """Let a frame go on using the cookies that it was loaded with."""
    patch_vary_headers(response, (ASKED,))
    if request.headers.get(ASKED) == "active":
        response.headers[ANSWER] = "load"

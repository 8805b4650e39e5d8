"""The content door: bytes leave only for whom the decision lets them (INV1). It decides by cookie or address, never by token."""

from __future__ import annotations

import re
from datetime import datetime

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.conf import conf
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Decision, Denied, Offer, Unknown
from iiif_auth.protocol import identity
from iiif_auth.protocol.terms import content_status, is_open

CORS = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
EXPOSED = "Content-Length, Content-Range, ETag"
KEPT_FROM_CACHES = re.compile(r"(?:^|[\s,])(?:private|no-store)(?:$|[\s,])", re.IGNORECASE)
ERRORS = {401: "Access to this is restricted.", 403: "This is not available.", 404: "There is no such thing here."}


def judged(request: HttpRequest, url: str) -> Decision:
    """The decision about some content for the browser that asks; two queries at most.

    Raises:
        iiif_auth.store.RulesInMotion, django.db.Error: nothing can be decided, and nothing may be sent.
    """
    return _judged(request, url, timezone.now())[1]


def _judged(request: HttpRequest, url: str, now: datetime) -> tuple[Offer | None, Decision]:
    try:
        offer = store.find_offer(identity.normalised(url, conf.BASE_URL))
    except identity.NotAResourceURL:
        offer = None
    return offer, decide(offer, identify.browser(request), now)


def refusal(request: HttpRequest, url: str, *, take: bool = False) -> HttpResponse | None:
    """The refusal to send, or ``None`` if this content may be sent; ``take`` asks for a copy to keep.

    A refusal is small, is stored nowhere, says nothing of what is there, and never asks for a password (A2-CONT-03).
    """
    now = timezone.now()
    offer, decision = _judged(request, url, now)
    match decision:
        case Allowed() if decision.take or not take:
            identify.keep_alive(request)
            # Everybody may look, perhaps, but not everybody may keep a copy: no cache gives that to the next (INV7).
            everybodys = not take and offer is not None and is_open(offer, now)
            request.iiif_auth_open = everybodys  # type: ignore[attr-defined]
            return None
        case Allowed():
            return refused(403)
        case Denied() | Unknown():
            return refused(content_status(decision))


def refused(status: int) -> HttpResponse:
    response = JsonResponse({"error": ERRORS[status]}, status=status)
    for name, value in CORS.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def admitted(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Granted content, usable across sites, in frames too.

    What :func:`refusal` found to be everybody's may be kept for a minute by any cache; anything else is kept by none that is
    shared, whatever the view says of it (INV7).
    """
    if getattr(request, "iiif_auth_open", False):
        response.headers.setdefault("Cache-Control", "public, max-age=60")
    elif not KEPT_FROM_CACHES.search(response.headers.get("Cache-Control", "")):
        response.headers["Cache-Control"] = "private, no-cache"
    for name, value in CORS.items():
        response.headers[name] = value
    response.headers["Access-Control-Expose-Headers"] = EXPOSED
    # Viewers show documents in frames; a page of the host's own, with forms on it, keeps the host's protection.
    is_page = response.headers.get("Content-Type", "").startswith("text/html")
    response.xframe_options_exempt = not is_page  # type: ignore[attr-defined]
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

"""The content door: bytes leave only for whom the decision lets them (INV1). It decides by cookie or address, never by token.

A token may be shown with a HEAD, in old versions that have no probe; what then leaves is a status.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from iiif_auth import cors, counting, identify, storage_access, store
from iiif_auth.conf import conf
from iiif_auth.enforce import signed
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Decision, Denied, Offer, Subject, Unknown
from iiif_auth.protocol import identity
from iiif_auth.protocol.dialects import DIALECTS
from iiif_auth.protocol.terms import content_status, is_open, services_of

CORS = {**cors.CORS, "Cross-Origin-Resource-Policy": "cross-origin"}
EXPOSED = "Content-Length, Content-Range, ETag"
KEPT_FROM_CACHES = re.compile(r"(?:^|[\s,])(?:private|no-store)(?:$|[\s,])", re.IGNORECASE)
ERRORS = {401: "Access to this is restricted.", 403: "This is not available.", 404: "There is no such thing here."}


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision about some content, what it is about, and when it was made."""

    offer: Offer | None
    decision: Decision
    at: datetime

    @property
    def everybodys(self) -> bool:
        """Whether anybody may have it, so that shared caches may too (INV7)."""
        return self.offer is not None and isinstance(self.decision, Allowed) and is_open(self.offer, self.at)


def judged(request: HttpRequest, url: str) -> Decision:
    """The decision about some content for the browser that asks; one query (two after a change).

    Raises:
        iiif_auth.store.RulesInMotion, django.db.Error: nothing can be decided, and nothing may be sent.
        iiif_auth.enforce.signed.NotSigned: it was asked under a ticket that is not good for it.
    """
    return verdict(request, url).decision


def verdict(request: HttpRequest, url: str) -> Verdict:
    """What :func:`judged` says, with what it is about."""
    now = timezone.now()
    try:
        uri = identity.normalised(url, conf.BASE_URL)
    except identity.NotAResourceURL:
        return Verdict(None, decide(None, identify.browser(request), now), now)
    ticket: signed.Ticket | None = getattr(request, "iiif_auth_ticket", None)
    offer, presented = store.find_for(uri, _finder(request, uri, ticket, now))
    asker = _asker(request, offer, presented, ticket)
    decision = decide(offer, asker, now)
    counting.note("content", offer, decision, asker.address, now)
    return Verdict(offer, decision, now)


def _finder(request: HttpRequest, uri: str, ticket: signed.Ticket | None, now: datetime) -> store.Finder:
    """How to read who asks: whose ticket it is, and then no cookie is looked at (INV4), or whose cookie."""
    if ticket is None:
        return identify.presenting(request)
    if not signed.holds(ticket, uri, now):
        raise signed.NotSigned("This address has ended, or was not signed here.")
    return partial(store.presented_ticket, ticket.holder)


def _asker(
    request: HttpRequest, offer: Offer | None, presented: store.Presented, ticket: signed.Ticket | None
) -> Subject:
    """Whose browser asks. In the alpha, and in what is practised around 1.0, a HEAD with a token asks what that token would get
    (A2A-HEAD-01, A1X-01): no byte follows it, and a GET with the same token gets nothing (A2A-HEAD-02).
    """
    if request.method == "HEAD" and ticket is None and offer is not None and "HTTP_AUTHORIZATION" in request.META:
        token = identify.shown_token(request, heads(offer))
        if token is not None:
            request.iiif_auth_headed = True  # type: ignore[attr-defined]
            return identify.bearer_of(request, token)
    return identify.browser_with(request, presented.holder)


def heads(offer: Offer) -> identify.Doors:
    """Whose tokens a HEAD may carry: of services that are offered in a version that has it so."""
    return {
        name: frozenset(one.slug for one in services_of(offer, name) if one.speaks(dialect.probe.offered_as))
        for name, dialect in DIALECTS.items()
        if dialect.probe is not None and dialect.probe.heads
    }


Degraded = Callable[[HttpRequest, str], str]
"""Where the same part of a lesser version is, from the request and the URI of that version."""


def refusal(
    request: HttpRequest, url: str, *, take: bool = False, degraded: Degraded | None = None
) -> HttpResponse | None:
    """The refusal to send, or ``None`` if this content may be sent; ``take`` asks for a copy to keep.

    A refusal is small, is stored nowhere, says nothing of what is there, and never asks for a password (A2-CONT-03).
    With ``degraded``, whoever is known but not entitled is sent on to the lesser version they may have (A092-CONT-02).
    """
    try:
        found = verdict(request, url)
    except signed.NotSigned:
        return refused(401)
    request.iiif_auth_offer = found.offer  # type: ignore[attr-defined]
    return _refusal(request, found, take=take, degraded=degraded)


def _refusal(request: HttpRequest, found: Verdict, *, take: bool, degraded: Degraded | None) -> HttpResponse | None:
    match found.decision:
        case Allowed() if take and not found.decision.take:
            return refused(403)
        case Allowed() if getattr(request, "iiif_auth_headed", False):
            return seen()
        case Allowed():
            identify.keep_alive(request)
            # Everybody may look, perhaps, but not everybody may keep a copy: no cache gives that to the next (INV7).
            request.iiif_auth_open = not take and found.everybodys  # type: ignore[attr-defined]
            return None
        case Denied() if degraded is not None and (instead := _lesser(request, found.offer, found.decision)):
            return sent_on(degraded(request, instead))
        case Denied() | Unknown():
            return refused_here(request, content_status(found.decision))


def _lesser(request: HttpRequest, offer: Offer | None, decision: Denied) -> str | None:
    """The URI of the lesser version of the same picture that somebody who is known may have now."""
    if offer is None or decision.hidden or getattr(request, "iiif_auth_pass", None) is None:
        return None
    return next(
        (one.rendition.uri for one in decision.substitutes if one.offer is None and one.rendition in offer.others),
        None,
    )


def sent_on(location: str) -> HttpResponse:
    response = HttpResponse(status=302, headers={"Location": location, "Cache-Control": "no-store"})
    for name, value in CORS.items():
        response.headers[name] = value
    return response


def seen() -> HttpResponse:
    """The whole answer to a HEAD with a token that counts. The view is not called, so there is nothing that could leave."""
    response = HttpResponse(status=200, headers={"Cache-Control": "no-store", "Vary": "Authorization"})
    del response.headers["Content-Type"]  # nobody looked what it is
    for name, value in CORS.items():
        response.headers[name] = value
    return response


def preflight() -> HttpResponse:
    """The same for everything, existing or not: pictures on a canvas, parts of films, and HEADs with a token (A2A-HEAD-03)."""
    response = HttpResponse(status=200)
    for name, value in cors.PREFLIGHT.items():
        response.headers[name] = value
    return response


def refused(status: int) -> HttpResponse:
    response = JsonResponse({"error": ERRORS[status]}, status=status)
    for name, value in CORS.items():
        response.headers[name] = value
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def refused_here(request: HttpRequest, status: int) -> HttpResponse:
    """A refusal, with a word to browsers that held our cookie back although they may send it."""
    response = refused(status)
    if status == 401:
        storage_access.retried(request, response)
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

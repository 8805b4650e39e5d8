"""The view behind every door: read the request, decide, and only then look at anything else."""

from __future__ import annotations

import logging
from urllib.parse import urlsplit

from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase

from iiif_auth import cors, identify
from iiif_auth.doorways import content
from iiif_auth.doorways.info import VIEWS, public_id
from iiif_auth.doorways.target import target_of
from iiif_auth.enforce import guard, signed
from iiif_auth.enforce.check import virtual_rest
from iiif_auth.enforce.doors import INFO, Asked, NotCanonical, asked, doors, upstream_path
from iiif_auth.enforce.imagepath import BadImageRequest
from iiif_auth.fetch import NotFetched, NotThere, Unanswered
from iiif_auth.policy.types import Allowed, Denied, Rendition, Unknown
from iiif_auth.protocol.terms import content_status
from iiif_auth.upstream import BadDescription

logger = logging.getLogger("iiif_auth.doorways")

METHODS = ("GET", "HEAD", "OPTIONS")


@transaction.non_atomic_requests
def doorway(request: HttpRequest) -> HttpResponseBase:
    """Pictures, their descriptions, files and folders, for whoever may have them."""
    if request.method == "OPTIONS":
        return guard.preflight()
    if request.method not in METHODS:
        return _not_so()
    try:
        wanted = asked(target_of(request), base_of(request))
        if wanted.ticket:
            request.iiif_auth_ticket = signed.read(wanted.ticket)  # type: ignore[attr-defined]
    except (NotCanonical, signed.NotSigned):
        return guard.refused(404)  # as what does not exist, so that nothing is learned from how it is spelt
    version = wanted.door.serves.version
    if version is not None and wanted.image is None:
        return _about(request, wanted) if wanted.rest == INFO else elsewhere(request, wanted)
    return _content(request, wanted)


doorway.iiif_auth_guarded = True  # type: ignore[attr-defined]


def _about(request: HttpRequest, wanted: Asked) -> HttpResponseBase:
    version = wanted.door.serves.version or 3
    response: HttpResponseBase = VIEWS[version].as_view(asked=wanted)(request)
    return response


def elsewhere(request: HttpRequest, wanted: Asked) -> HttpResponse:
    """The base URI of an image sends on to its info.json, whether the image exists or not (A2-INFO-02)."""
    ticket = getattr(request, "iiif_auth_ticket", None)
    address = public_id(wanted) if ticket is None else signed.address(public_id(wanted), ticket.text)
    return HttpResponse(status=303, headers={**cors.CORS, "Location": f"{address}/{INFO}"})


def _content(request: HttpRequest, wanted: Asked) -> HttpResponseBase:
    """The bytes for whoever may have them, a refusal for others. What may be had and where it is are known from one reading
    of the rules (security D10).
    """
    try:
        found = guard.verdict(request, wanted.uri)
    except signed.NotSigned:
        return guard.refused(401)
    match found.decision:
        case Allowed() if getattr(request, "iiif_auth_headed", False):
            return guard.seen()
        case Allowed(rendition):
            identify.keep_alive(request)
            request.iiif_auth_open = found.everybodys  # type: ignore[attr-defined]
            return guard.admitted(request, delivered(request, wanted, rendition))
        case Denied() | Unknown():
            return guard.refused_here(request, content_status(found.decision))


def delivered(request: HttpRequest, wanted: Asked, rendition: Rendition) -> HttpResponseBase:
    """The bytes of a rendition, for somebody who may have it."""
    try:
        path = upstream_path(wanted, rendition, virtual_rest(wanted, rendition) or None)
    except (NotCanonical, NotThere):
        return guard.refused(404)
    except BadImageRequest:
        return guard.refused(403)
    except (NotFetched, BadDescription) as problem:
        logger.error("%s can not be cut: %s", wanted.item, problem)
        return content.out_of_order(later=isinstance(problem, Unanswered))
    return content.content(request, wanted, path, "" if wanted.rest else rendition.format)


def base_of(request: HttpRequest) -> str:
    """The site that was asked, if doors are on another one than this: by its host, which ``ALLOWED_HOSTS`` lets through."""
    others = {urlsplit(door.base).netloc: door.base for door in doors() if door.base}
    return others.get(request.get_host(), "") if others else ""


def _not_so() -> HttpResponse:
    headers = {**guard.CORS, "Allow": ", ".join(METHODS), "Cache-Control": "no-store"}
    return JsonResponse({"error": "Ask with GET."}, status=405, headers=headers)

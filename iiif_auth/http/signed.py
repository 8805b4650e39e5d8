"""Content at a signed address: the same view as at the public one, for whoever the ticket was made for."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, get_script_prefix, resolve

from iiif_auth.enforce import guard, signed


@transaction.non_atomic_requests
def at_signed_address(request: HttpRequest, ticket: str, path: str) -> HttpResponseBase:
    """What is published at ``/path``, if it is guarded content and this ticket was made for it.

    Only guarded views are reached, so a ticket is no way around to anything else of the site.
    """
    if request.method == "OPTIONS":
        return guard.preflight()
    if request.method not in ("GET", "HEAD"):
        return guard.refused(403)
    try:
        match = resolve(f"/{path}")
        request.iiif_auth_ticket = signed.read(ticket)  # type: ignore[attr-defined]
    except (Resolver404, signed.NotSigned):
        return guard.refused(403)
    if not getattr(match.func, "iiif_auth_guarded", False):
        return guard.refused(403)
    request.path_info = f"/{path}"
    request.path = f"{get_script_prefix().rstrip('/')}/{path}"
    response: HttpResponseBase = match.func(request, *match.args, **match.kwargs)
    return response

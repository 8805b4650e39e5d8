"""The page behind a mailed invitation: it says what will happen, and a click makes a pass. Looking at it changes nothing."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods

from iiif_auth import middleware, passes, store
from iiif_auth.asking import invitations
from iiif_auth.asking.items import openable
from iiif_auth.http.access import page, said
from iiif_auth.http.ask import with_no_referrer
from iiif_auth.http.reading import languages
from iiif_auth.http.refused import Way
from iiif_auth.models import Grant, Invitation
from iiif_auth.policy.types import Offer
from iiif_auth.protocol.languages import chosen, frozen

MOST_NAMED = 50


@never_cache
@sensitive_variables("secret")
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def invited(request: HttpRequest, secret: str) -> HttpResponse:
    """Name what somebody was invited to, and let them in when they click."""
    row = invitations.opened_by(secret)
    if row is None:
        return with_no_referrer(said(request, 404, _("This invitation does not work any more"), _over()))
    if request.method != "POST":
        return with_no_referrer(page(request, "iiif_auth/invited.html", _context(request, row)))
    cookie = passes.grant_by_invitation(request, row)
    context = {**_context(request, row), "title": _("You can open it now"), "is_in": True}
    response = with_no_referrer(page(request, "iiif_auth/invited.html", context))
    passes.set_invited_cookie(response, cookie)
    middleware.unmark(response)
    return response


def _over() -> str:
    return _(
        "It has ended or was taken back, or a newer one was mailed in its place. Please use the link in the latest mail, or "
        "ask the library."
    )


def _context(request: HttpRequest, row: Invitation) -> dict[str, object]:
    items, others = _granted(request, row)
    return {"title": _("You are invited"), "row": row, "items": items, "others": others}


def _granted(request: HttpRequest, row: Invitation) -> tuple[list[Way], list[str]]:
    """The single items that are granted, each with an address to open it, and the collections and policies by name."""
    now = timezone.now()
    running = (Q(starts=None) | Q(starts__lte=now)) & (Q(ends=None) | Q(ends__gt=now))
    grants = list(
        Grant.objects.filter(running, invitation=row).select_related("resource", "collection", "policy")[:MOST_NAMED]
    )
    uris = list(dict.fromkeys(grant.resource.url for grant in grants if grant.resource))
    offers = store.find_offers(uris)
    items = [_way(request, uri, offer) for uri in uris if (offer := offers[uri]) is not None]
    reads = languages(request)
    places = [chosen(frozen(grant.collection.label), reads) for grant in grants if grant.collection]
    return items, [*places, *(grant.policy.name for grant in grants if grant.policy)]


def _way(request: HttpRequest, uri: str, offer: Offer) -> Way:
    return Way(chosen(offer.label, languages(request)) or uri, openable(offer.wanted))

"""The demo's own pages: what there is, why it is restricted, and where everybody sits."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from iiif_auth import store
from iiif_auth.protocol import identity
from project import language, places
from project.items import ACCOUNTS, BY_SLUG, ITEMS, PASSWORD, Item, Piece
from project.manifests import FLAVOURS, address, public
from project.sentences import sentences


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    context = {
        "items": [{"item": item, "viewer": in_viewer(item, request)} for item in ITEMS],
        "accounts": ACCOUNTS if settings.DEMO else (),
        "password": PASSWORD,
        "places": list(places.PLACES.values()),
        "here": places.here(),
        "demo": settings.DEMO,
        "collections": [(one.about, address("collection", one)) for one in FLAVOURS.values()],
    }
    return render(request, "project/home.html", context)


@require_safe
def item(request: HttpRequest, slug: str) -> HttpResponse:
    """One item: what it shows, the rules in words, and the ways to look at it and into it."""
    found = BY_SLUG.get(slug)
    if found is None:
        raise Http404
    offer = store.find_offer(found.pieces[0].path)
    context: dict[str, Any] = {
        "item": found,
        "viewer": in_viewer(found, request),
        "manifests": [(one.about, address("manifest", one, slug=slug)) for one in FLAVOURS.values()],
        "rules": sentences(offer) if offer else (),
        "path": found.pieces[0].path,
        "why": why_page(found),
        "pieces": [(piece.label, told_why_not(piece)) for piece in found.pieces],
    }
    return render(request, "project/item.html", context)


def in_viewer(item: Item, request: HttpRequest) -> str:
    """The address of the viewer with this item in it, in the language chosen here; empty if the demo runs without a viewer."""
    viewer: str = settings.VIEWER_URL
    if not viewer:
        return ""
    chosen = f"?lang={get_language()}" if language.is_chosen(request) else ""
    return f"{viewer}/{chosen}#{quote(public(reverse('manifest', args=[item.slug])), safe='')}"


def why_page(item: Item) -> str:
    return f"{reverse('admin:iiif_auth_why')}?{urlencode({'resource': item.pieces[0].path})}"


def told_why_not(piece: Piece) -> str:
    """The page of the library that tells a reader why not, when it opens, and whom to ask."""
    reference = identity.reference(identity.normalised(piece.path, settings.BASE_URL))
    return reverse("iiif_auth:refused", kwargs={"reference": reference})


@require_POST
def place(request: HttpRequest) -> HttpResponse:
    """Seat everybody somewhere; only a demo server can."""
    if not settings.DEMO:
        raise Http404
    try:
        places.sit(request.POST.get("place", ""))
    except KeyError:
        return HttpResponseBadRequest("There is no such place; choose one of those on the first page.")
    return redirect("home")

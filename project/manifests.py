"""The demo's IIIF documents: one Collection, from which everything else is reached by following links."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from iiif_auth import api, store
from iiif_auth.models import Resource
from iiif_auth.policy.decide import narrowed
from iiif_auth.policy.types import ImageApi, Kind
from iiif_auth.protocol.terms import is_open
from iiif_auth.protocol.v2 import CONTEXT as AUTH_CONTEXT
from project.images.library import describe
from project.items import BY_SLUG, ITEMS, Item, Piece

PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
Document = dict[str, Any]


def public(path: str) -> str:
    return f"{settings.BASE_URL}{path}"


@require_safe
def collection(request: HttpRequest) -> JsonResponse:
    """The one document that a viewer has to be told of."""
    return published(
        {
            "@context": PRESENTATION,
            "id": public(reverse("collection")),
            "type": "Collection",
            "label": {"en": ["Merehaven Museum & Library"]},
            "summary": {"en": ["A small collection in which every kind of restriction can be tried."]},
            "items": [reference(item) for item in ITEMS],
        }
    )


def reference(item: Item) -> Document:
    return {
        "id": public(reverse("manifest", args=[item.slug])),
        "type": "Manifest",
        "label": {"en": [item.label], "de": [item.german]},
        "summary": {"en": [f"{item.kind}. {item.shows}"]},
        **({"thumbnail": found} if (found := thumbnail(item)) else {}),
    }


def thumbnail(item: Item) -> list[Document]:
    """A small picture that anybody may see: of the item itself, or of a smaller version; none if there is none."""
    offer = store.find_offer(item.pieces[0].path)
    if offer is None or offer.wanted.image_api is ImageApi.NONE:
        return []
    open_to_all = (one for one in (offer.wanted, *offer.others) if is_open(narrowed(offer, one), timezone.now()))
    return [
        {"id": f"{public(one.uri)}/full/!200,200/0/default.jpg", "type": "Image", "format": "image/jpeg"}
        for one in list(open_to_all)[:1]
    ]


@require_safe
def manifest(request: HttpRequest, slug: str) -> JsonResponse:
    item = BY_SLUG.get(slug)
    if item is None:
        raise Http404
    found = reference(item)
    canvases = [canvas(item, piece) for piece in item.pieces]
    return published(
        {
            "@context": [AUTH_CONTEXT, PRESENTATION],
            **found,
            "homepage": [
                {
                    "id": public(reverse("item", args=[slug])),
                    "type": "Text",
                    "format": "text/html",
                    "label": {"en": ["About this item"]},
                }
            ],
            "items": canvases,
        }
    )


def canvas(item: Item, piece: Piece) -> Document:
    resource = Resource.objects.get(url=piece.path)
    at = f"{public(reverse('manifest', args=[item.slug]))}/canvas/{item.pieces.index(piece) + 1}"
    found: Document = {"id": at, "type": "Canvas", "label": {"en": [piece.label]}, **extent(piece, resource)}
    if resource.type == Kind.TEXT:
        # A PDF is not painted on a canvas but offered beside it (Presentation 3.0, “rendering”).
        return {**found, "rendering": [{**body(resource, piece), "label": resource.label}], "items": []}
    painting = {
        "id": f"{at}/painting",
        "type": "Annotation",
        "motivation": "painting",
        "target": at,
        "body": body(resource, piece),
    }
    return {**found, "items": [{"id": f"{at}/page", "type": "AnnotationPage", "items": [painting]}]}


def extent(piece: Piece, resource: Resource) -> Document:
    """Width and height of a picture come from the picture."""
    if resource.image_api:
        described = describe(identifier(piece), 3, public(piece.path)) or {}
        return {"width": described.get("width", 1000), "height": described.get("height", 1000)}
    sides = {"width": piece.width, "height": piece.height} if piece.width else {}
    if resource.type == Kind.TEXT:
        sides = {"width": 1000, "height": 1414}
    return {**sides, **({"duration": piece.duration} if piece.duration else {})}


def identifier(piece: Piece) -> str:
    return piece.path.rpartition("/")[2]


def body(resource: Resource, piece: Piece) -> Document:
    """The content resource with its probe beside its image service (A2-DECL-01; beside, so that Mirador survives it)."""
    url = public(piece.path)
    services: list[Any] = api.services_for(piece.path, profile=True)
    found: Document = {"id": url, "type": resource.type, **({"format": resource.format} if resource.format else {})}
    if resource.image_api:
        found |= {"id": f"{url}/full/max/0/default.jpg", "format": "image/jpeg", **extent(piece, resource)}
        if not piece.plain:
            services = [{"id": url, "type": "ImageService3", "profile": "level2"}, *services]
    elif resource.type != Kind.TEXT:
        found |= extent(piece, resource)
    return {**found, "service": services} if services else found


def published(document: Document) -> JsonResponse:
    """Descriptions are open to every viewer; only content is restricted."""
    response = JsonResponse(
        document, content_type='application/ld+json;profile="http://iiif.io/api/presentation/3/context.json"'
    )
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-cache"
    return response

"""The demo's IIIF documents: one Collection, from which everything else is reached by following links.

There is the same collection for viewers of every age. Documents are first made as if everything were open; what restrictions
need is added to them as it is to anybody's (:mod:`iiif_auth.protocol.manifest`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from iiif_auth import api, store
from iiif_auth.models import Resource
from iiif_auth.policy.decide import narrowed
from iiif_auth.policy.types import ImageApi, Kind
from iiif_auth.protocol.manifest import Place, decorated
from iiif_auth.protocol.terms import JSON, is_open
from project.images.pictures import describe
from project.items import BY_SLUG, ITEMS, Item, Piece, Words
from project.wording import in_all, in_all_2

PRESENTATION = {
    2: "http://iiif.io/api/presentation/2/context.json",
    3: "http://iiif.io/api/presentation/3/context.json",
}
MEDIA_TYPE = {
    2: f'application/ld+json;profile="{PRESENTATION[2]}"',
    3: f'application/ld+json;profile="{PRESENTATION[3]}"',
}
DCTYPES = {
    Kind.IMAGE: "dctypes:Image",
    Kind.VIDEO: "dctypes:MovingImage",
    Kind.SOUND: "dctypes:Sound",
    Kind.TEXT: "foaf:Document",
}
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Flavour:
    """The documents for viewers of some age.

    Attributes:
        about: which viewers, in words.
        presentation: the version of the Presentation API.
        pictures: where their pictures are, and in which version of the Image API.
        spoken: the versions of Auth whose services stand at a place, for pictures and, under ``media``, for everything else.
    """

    name: str
    about: Words
    presentation: int
    pictures: str
    image_api: int
    spoken: Mapping[Place, Sequence[str]]
    media: Mapping[Place, Sequence[str]] = field(default_factory=dict)


FLAVOURS = {
    "": Flavour(
        "",
        _("Viewers of Authorization Flow 2.0.0"),
        3,
        "/iiif/image/3/",
        3,
        {Place.CONTENT_3: ("2",)},
        {Place.CONTENT_3: ("2",)},
    ),
    "mixed": Flavour(
        "mixed",
        _("Viewers of 2.0.0 and of 1.0, in one document"),
        3,
        "/iiif/image/2/",
        2,
        # The probe beside the image service, not inside: there today's most used viewer would show nothing at all.
        {Place.CONTENT_3: ("2",), Place.IMAGE_SERVICE_2_IN_3: ("1",)},
        {Place.CONTENT_3: ("2", "1-media")},
    ),
    "1": Flavour(
        "1",
        _("Viewers of Authentication 1.0"),
        2,
        "/iiif/image/2/",
        2,
        {Place.IMAGE_SERVICE_2: ("1",)},
        {Place.CONTENT_2: ("1-media",)},
    ),
    "0": Flavour(
        "0", _("Viewers of Authentication 0.9"), 2, "/iiif/0/image/2/", 2, {Place.IMAGE_SERVICE_2: ("0.9.4", "0.9.2")}
    ),
    "alpha": Flavour(
        "alpha",
        _("Pilots of the 2.0 alpha"),
        3,
        "/iiif/alpha/image/3/",
        3,
        {Place.IMAGE_SERVICE_3_IN_3: ("alpha",)},
        {Place.CONTENT_3: ("alpha",)},
    ),
}


def given_services(document: Document, flavour: Flavour) -> JSON:
    """The document with the services that restrictions need."""

    def blocks(url: str, place: Place) -> Sequence[JSON] | None:
        path = url.removeprefix(settings.BASE_URL)
        is_picture = path.startswith(flavour.pictures)
        names = (flavour.spoken if is_picture else flavour.media).get(place, ())
        # The app knows a picture by its address under /iiif/image/; the others stand before the same picture.
        known = path.replace("/iiif/0/image/", "/iiif/image/").replace("/iiif/alpha/image/", "/iiif/image/")
        return api.services_for(known, profile=True, dialects=names, presentation=flavour.presentation) if names else []

    return decorated(document, blocks)


SUMMARY = _("A small collection in which every kind of restriction can be tried.")


def summary(item: Item) -> Words:
    return format_lazy("{kind}. {shows}", kind=item.kind, shows=item.shows)


def public(path: str) -> str:
    return f"{settings.BASE_URL}{path}"


@require_safe
def collection(request: HttpRequest, flavour: str = "") -> JsonResponse:
    """The one document that a viewer has to be told of."""
    return published(COLLECTIONS[FLAVOURS[flavour].presentation](FLAVOURS[flavour]), FLAVOURS[flavour])


def address(name: str, flavour: Flavour, **kwargs: str) -> str:
    given = {**kwargs, "flavour": flavour.name} if flavour.name else kwargs
    return public(reverse(name, kwargs=given))


def collection_3(flavour: Flavour) -> Document:
    return {
        "@context": PRESENTATION[3],
        "id": address("collection", flavour),
        "type": "Collection",
        "label": {"en": ["Merehaven Museum & Library"]},
        "summary": in_all(SUMMARY),
        "items": [reference(item, flavour) for item in ITEMS],
    }


def collection_2(flavour: Flavour) -> Document:
    return {
        "@context": PRESENTATION[2],
        "@id": address("collection", flavour),
        "@type": "sc:Collection",
        "label": "Merehaven Museum & Library",
        "description": in_all_2(SUMMARY),
        "manifests": [reference_2(item, flavour) for item in ITEMS],
    }


COLLECTIONS = {2: collection_2, 3: collection_3}


def reference(item: Item, flavour: Flavour) -> Document:
    return {
        "id": address("manifest", flavour, slug=item.slug),
        "type": "Manifest",
        "label": in_all(item.label),
        "summary": in_all(summary(item)),
        **({"thumbnail": found} if (found := thumbnail(item)) else {}),
    }


def reference_2(item: Item, flavour: Flavour) -> Document:
    return {
        "@id": address("manifest", flavour, slug=item.slug),
        "@type": "sc:Manifest",
        "label": in_all_2(item.label),
        "description": in_all_2(summary(item)),
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
def manifest(request: HttpRequest, slug: str, flavour: str = "") -> JsonResponse:
    item, chosen = BY_SLUG.get(slug), FLAVOURS[flavour]
    if item is None:
        raise Http404
    return published(given_services(MANIFESTS[chosen.presentation](item, chosen), chosen), chosen)


def manifest_3(item: Item, flavour: Flavour) -> Document:
    return {
        "@context": PRESENTATION[3],
        **reference(item, flavour),
        "homepage": [
            {
                "id": public(reverse("item", args=[item.slug])),
                "type": "Text",
                "format": "text/html",
                "label": in_all(_("About this item")),
            }
        ],
        "items": [canvas(item, piece, flavour) for piece in item.pieces],
    }


def canvas(item: Item, piece: Piece, flavour: Flavour) -> Document:
    resource = Resource.objects.get(url=piece.path)
    at = canvas_address(item, piece, flavour)
    found: Document = {"id": at, "type": "Canvas", "label": in_all(piece.label), **extent(piece, resource)}
    if resource.type == Kind.TEXT:
        # A PDF is not painted on a canvas but offered beside it (Presentation 3.0, “rendering”).
        return {**found, "rendering": [{**body(resource, piece, flavour), "label": resource.label}], "items": []}
    painting = {
        "id": f"{at}/painting",
        "type": "Annotation",
        "motivation": "painting",
        "target": at,
        "body": body(resource, piece, flavour),
    }
    return {**found, "items": [{"id": f"{at}/page", "type": "AnnotationPage", "items": [painting]}]}


def canvas_address(item: Item, piece: Piece, flavour: Flavour) -> str:
    return f"{address('manifest', flavour, slug=item.slug)}/canvas/{item.pieces.index(piece) + 1}"


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


IMAGE_SERVICES: dict[int, Document] = {
    2: {"@type": "ImageService2", "profile": "http://iiif.io/api/image/2/level2.json"},
    3: {"type": "ImageService3", "profile": "level2"},
}
WHOLE = {2: "full/full/0/default.jpg", 3: "full/max/0/default.jpg"}


def body(resource: Resource, piece: Piece, flavour: Flavour) -> Document:
    """A content resource, with its image service if it is one."""
    if not resource.image_api:
        found: Document = {"id": public(piece.path), "type": resource.type, "format": resource.format}
        return found if resource.type == Kind.TEXT else found | extent(piece, resource)
    url = public(flavour.pictures + identifier(piece))
    found = {"id": f"{url}/{WHOLE[flavour.image_api]}", "type": "Image", "format": "image/jpeg"}
    if not piece.plain:
        key = "@id" if flavour.image_api == 2 else "id"
        found["service"] = [{key: url, **IMAGE_SERVICES[flavour.image_api]}]
    return found | extent(piece, resource)


# -- Presentation 2.1 ---------------------------------------------------------------------------------------------


def manifest_2(item: Item, flavour: Flavour) -> Document:
    here = address("manifest", flavour, slug=item.slug)
    return {
        "@context": PRESENTATION[2],
        **reference_2(item, flavour),
        "related": {"@id": public(reverse("item", args=[item.slug])), "format": "text/html"},
        "sequences": [
            {
                "@id": f"{here}/sequence",
                "@type": "sc:Sequence",
                "canvases": [canvas_2(item, piece, flavour) for piece in item.pieces],
            }
        ],
    }


def canvas_2(item: Item, piece: Piece, flavour: Flavour) -> Document:
    resource = Resource.objects.get(url=piece.path)
    at = canvas_address(item, piece, flavour)
    sides = {"width": 1000, "height": 1000, **extent(piece, resource)}
    found: Document = {
        "@id": at,
        "@type": "sc:Canvas",
        "label": in_all_2(piece.label),
        "width": sides["width"],
        "height": sides["height"],
    }
    if not resource.image_api:
        # 2.1 knows pictures only; anything else is offered beside the canvas.
        return {**found, "images": [], "rendering": [beside_2(resource, piece)]}
    return {
        **found,
        "images": [
            {
                "@id": f"{at}/painting",
                "@type": "oa:Annotation",
                "motivation": "sc:painting",
                "on": at,
                "resource": picture_2(resource, piece, flavour),
            }
        ],
    }


def beside_2(resource: Resource, piece: Piece) -> Document:
    kind = DCTYPES[Kind(resource.type)]
    return {"@id": public(piece.path), "@type": kind, "format": resource.format, "label": in_all_2(piece.label)}


def picture_2(resource: Resource, piece: Piece, flavour: Flavour) -> Document:
    url = public(flavour.pictures + identifier(piece))
    found: Document = {
        "@id": f"{url}/{WHOLE[2]}",
        "@type": DCTYPES[Kind.IMAGE],
        "format": "image/jpeg",
        **extent(piece, resource),
    }
    if piece.plain:
        return found
    service = {
        "@context": "http://iiif.io/api/image/2/context.json",
        "@id": url,
        "profile": IMAGE_SERVICES[2]["profile"],
    }
    return {**found, "service": service}


MANIFESTS = {2: manifest_2, 3: manifest_3}


def published(document: JSON, flavour: Flavour) -> JsonResponse:
    """Descriptions are open to every viewer; only content is restricted."""
    response = JsonResponse(document, content_type=MEDIA_TYPE[flavour.presentation])
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-cache"
    return response

"""The service blocks of one resource alone, for people whose manifests are built elsewhere."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from iiif_auth import store
from iiif_auth.conf import conf
from iiif_auth.http.api_view import PublicView
from iiif_auth.http.headers import CORS, NEVER_STORE, with_headers
from iiif_auth.http.manifest import blocks_of, told
from iiif_auth.protocol import identity
from iiif_auth.protocol.manifest import Place

PLACES = {
    ("3", "content"): Place.CONTENT_3,
    ("3", "image-service"): Place.IMAGE_SERVICE_2_IN_3,
    ("2", "content"): Place.CONTENT_2,
    ("2", "image-service"): Place.IMAGE_SERVICE_2,
}
"""By the version of the Presentation API and what the blocks are to be put into. An image service is one of version 1 or 2: in a
manifest, one of version 3 has none inside, but beside it.
"""


class ServicesView(PublicView):
    """``services/<reference>`` or ``services?resource=<URL>``: the array to put into ``service``, empty if it needs none.

    ``presentation`` is 3 (unless given) or 2, ``place`` is ``content`` (unless given) or ``image-service``.
    """

    def get(self, request: Request, reference: str | None = None) -> Response:
        asked = request.query_params
        place = PLACES.get((asked.get("presentation", "3"), asked.get("place", "content")))
        if place is None:
            return told(
                400, "presentation is 2 or 3, and place is content or image-service; please ask for one of those."
            )
        if reference is None and "resource" not in asked:
            return told(400, "Add ?resource= and the address of the resource as it stands in the manifest.")
        uri = identity.referred(reference, conf.BASE_URL) if reference is not None else _meant(asked["resource"])
        offer = store.find_offer(uri) if uri else None
        if offer is None or offer.hidden:
            return told(
                404, "There is nothing here under this address; please check it, or leave the resource as it is."
            )
        return with_headers(Response(blocks_of(offer, place, timezone.now())), {**CORS, **NEVER_STORE})


def _meant(url: str) -> str | None:
    try:
        return identity.normalised(url.partition("#")[0], conf.BASE_URL)
    except identity.NotAResourceURL:
        return None

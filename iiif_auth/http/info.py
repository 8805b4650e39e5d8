"""info.json with its probe in it. In Authorization Flow 2.0 it says the same to everyone (A2-INFO-01)."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from iiif_auth import identify, store
from iiif_auth.conf import conf
from iiif_auth.http.api_view import PublicView
from iiif_auth.http.headers import CORS, NEVER_STORE, with_headers
from iiif_auth.http.links import links
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Offer
from iiif_auth.protocol import identity, infojson, v2
from iiif_auth.protocol.terms import JSON, is_open


class InfoView(PublicView):
    """Subclass it in front of an image server: say how an image is described, and the probe is added.

    ``version`` is that of the Image API, 2 or 3.
    """

    version = 3

    def describe(self, identifier: str) -> tuple[str, JSON] | None:
        """The URL of the image service (absolute or site-relative), and its info.json without our services."""
        raise NotImplementedError

    def get(self, request: Request, identifier: str) -> Response:
        found = self.describe(identifier)
        if found is None:
            return self._missing()
        try:
            offer = store.find_offer(identity.normalised(found[0], conf.BASE_URL))
        except identity.NotAResourceURL:
            return self._missing()  # what has no address can not be restricted, so it is not shown either
        if offer is not None and offer.hidden and not self._allowed(request, offer):
            # Dimensions are existence. Only whoever is let in by cookie or address is told (INV11).
            return self._missing()
        return self._described(found[1], offer)

    def _described(self, document: JSON, offer: Offer | None) -> Response:
        if offer is not None and not is_open(offer, timezone.now()):
            probe = v2.probe_service(offer, links(), profile=self.version == 2)
            document = infojson.with_probe(document, probe, self.version)
        cache = "no-store" if offer is not None and offer.hidden else "public, max-age=60"
        return with_headers(Response(document), {**CORS, **NEVER_STORE, "Cache-Control": cache})

    def _allowed(self, request: Request, offer: Offer) -> bool:
        return isinstance(decide(offer, identify.browser(request._request), timezone.now()), Allowed)

    def _missing(self) -> Response:
        return with_headers(Response({"error": "There is no such image."}, status=404), {**CORS, **NEVER_STORE})

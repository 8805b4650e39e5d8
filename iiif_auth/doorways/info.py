"""info.json of pictures behind a door: what the image server says of them, rewritten, with services."""

from __future__ import annotations

import logging

from django.http import HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from iiif_auth import store, upstream
from iiif_auth.conf import conf
from iiif_auth.enforce import guard
from iiif_auth.enforce.doors import Asked, NotCanonical, source_of
from iiif_auth.enforce.imagepath import Version
from iiif_auth.fetch import NotFetched, NotThere, Unanswered
from iiif_auth.http.headers import CORS, NEVER_STORE, with_headers
from iiif_auth.http.info import InfoView
from iiif_auth.policy.types import Offer, Rendition
from iiif_auth.protocol import identity
from iiif_auth.protocol.terms import JSON
from iiif_auth.upstream import BadDescription

logger = logging.getLogger("iiif_auth.doorways")

SORRY = "The image server gives no good answer at the moment. Please try again in a minute."


def public_id(asked: Asked) -> str:
    """The URL of an image service as people see it."""
    return identity.absolute(f"{asked.door.base}{asked.item}", conf.BASE_URL)


NOT_DESCRIBED_YET: JSON = {"id": "", "@id": ""}


class DoorInfo(InfoView):
    """The description of one picture.

    Attributes:
        asked: the request as the one parser read it; given with ``as_view``.
    """

    asked: Asked | None = None

    def get(self, request: Request, identifier: str = "") -> HttpResponse:
        """The description, or a refusal. The image server is asked only about what is known here, and of hidden things only for
        whoever may have them: how long it takes, and whether it is up, must tell nobody else anything (INV11, security S6, S11).
        """
        asked = self.asked
        if asked is None:
            return self._missing()
        signed_in = getattr(request._request, "iiif_auth_ticket", None) is not None
        if signed_in and (refusal := guard.refusal(request._request, asked.uri)) is not None:
            return refusal
        offer = store.find_offer(asked.uri)
        if offer is None:
            return self._missing()
        if offer.hidden and (said := self._about(request, offer, NOT_DESCRIBED_YET)).status_code == 404:
            return said
        return self._answered(request, asked, offer)

    def _answered(self, request: Request, asked: Asked, offer: Offer) -> HttpResponse:
        try:
            document = document_of(asked, offer.wanted)
        except (NotThere, NotCanonical):
            return self._missing()
        except (NotFetched, BadDescription) as problem:
            logger.error("%s can not be described: %s", asked.item, problem)
            return unavailable(later=isinstance(problem, Unanswered))
        return self._about(request, offer, document)


class DoorInfo2(DoorInfo):
    """Image API 2, and a bridge: viewers of Auth 1.0 ask this description itself, those of 2.0.0 find its probe."""

    version = 2
    dialects = ("1", "2")


VIEWS: dict[Version, type[DoorInfo]] = {2: DoorInfo2, 3: DoorInfo}


def document_of(asked: Asked, rendition: Rendition) -> JSON:
    """The info.json of a rendition, without services.

    Raises:
        NotFetched, BadDescription: see :func:`iiif_auth.upstream.describe`.
        NotCanonical: it has no name at the image server.
    """
    version = asked.door.serves.version
    if version is None:
        raise NotCanonical("There are no pictures behind this door.")
    description = upstream.describe(asked.door, source_of(asked, rendition))
    return upstream.rewritten(description, public_id(asked), version, rendition)


def unavailable(*, later: bool) -> Response:
    """The image server is down (503) or answers nonsense (502): nothing of it is told to anybody but the log."""
    headers = {**CORS, **NEVER_STORE, **({"Retry-After": "10"} if later else {})}
    return with_headers(Response({"error": SORRY}, status=503 if later else 502), headers)

"""Services for manifests that are built elsewhere: a whole manifest in, the same out with services on what we know.

It must not tell what may not be known: a resource whose existence is hidden is left exactly as one that is not ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response

from iiif_auth import fetch, store
from iiif_auth.conf import conf
from iiif_auth.http.api_view import PublicView
from iiif_auth.http.headers import CORS, NEVER_STORE, PREFLIGHT, with_headers
from iiif_auth.http.links import links
from iiif_auth.policy.types import Kind, Offer
from iiif_auth.protocol import dialects, identity, manifest
from iiif_auth.protocol.dialect import Host
from iiif_auth.protocol.manifest import NotAManifest, Place, TooLarge
from iiif_auth.protocol.terms import AMBIENT, JSON, is_open, services_of

MAX_BYTES = 20_000_000
"""Of a manifest that anybody may send."""

HOSTS = {
    Place.CONTENT_3: Host.PRESENTATION_3,
    Place.IMAGE_SERVICE_2_IN_3: Host.PRESENTATION_3,
    Place.IMAGE_SERVICE_3_IN_3: Host.PRESENTATION_3,
    Place.IMAGE_SERVICE_2: Host.PRESENTATION_2,
    Place.CONTENT_2: Host.PRESENTATION_2,
}
SPOKEN: dict[Place, tuple[tuple[str, ...], ...]] = {
    Place.CONTENT_3: (("2",),),
    Place.IMAGE_SERVICE_2_IN_3: (("1",),),
    # A probe inside the image service of a manifest leaves a viewer of Auth 1 with an empty page; it stands beside it instead.
    Place.IMAGE_SERVICE_3_IN_3: ((),),
    Place.IMAGE_SERVICE_2: (("1",), ("0.9.4", "0.9.2")),
    Place.CONTENT_2: ((),),
}
"""The dialects that viewers of such a document look for at a place, and survive (requirements, 3.2 and 3.3); and others, for what
is offered in none of those.
"""

PRACTISED = (Place.CONTENT_3, Place.CONTENT_2)
"""Where viewers of Auth 1 look for the services of what is no image (A1X-01)."""


def blocks_of(offer: Offer, place: Place, at: datetime) -> list[JSON]:
    """The services of an offer for a place in a manifest, in the words of each dialect in which they are offered.

    Plain texts are in the site's own language, for a manifest is published to everybody.
    """
    host, languages = HOSTS[place], (settings.LANGUAGE_CODE,)
    found = dialects.described(_spoken(offer, place), offer, host, links, at, languages)
    if place in PRACTISED and offer.wanted.kind is not Kind.IMAGE and not is_open(offer, at):
        found += dialects.media(offer, host, links, languages)
    return found


def _spoken(offer: Offer, place: Place) -> Sequence[str]:
    several = ([name for name in names if services_of(offer, name) != (AMBIENT,)] for names in SPOKEN[place])
    return next((names for names in several if names), SPOKEN[place][0])


def our_services() -> tuple[str, ...]:
    """The beginnings of the URLs of everything that stands in a ``service`` of ours."""
    found = (links(space) for space in dialects.SPACES)
    return tuple(
        start for one in found for start in (one.access_at, one.token_at, one.logout_at, one.probe_at) if start
    )


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of the addresses in a document are what; ``known`` ones are ``decorated``, ``open``, or need nothing there."""

    known: int
    decorated: int
    open: int
    unknown: int
    hidden: int


@dataclass(slots=True)
class Holdings:
    """What we have of what a document mentions, by URL as it is written there. What is hidden is not among it."""

    offers: dict[str, Offer]
    at: datetime
    unknown: int = 0
    hidden: int = 0
    made: dict[tuple[int, Place], list[JSON]] = field(default_factory=dict)
    """By the identity of the offer: one thing may have many URLs here, and a host's hook may call two things the same."""

    @classmethod
    def among(cls, urls: Iterable[str], at: datetime) -> Holdings:
        """Look them all up, in few queries."""
        spelt = {url: _normalised(url) for url in urls}
        found = store.find_offers(uri for uri in spelt.values() if uri)
        visible = {uri: offer for uri, offer in found.items() if offer is not None and not offer.hidden}
        hidden = sum(1 for offer in found.values() if offer is not None and offer.hidden)
        unknown = len({uri or url for url, uri in spelt.items()}) - len(visible) - hidden
        return cls({url: visible[uri] for url, uri in spelt.items() if uri in visible}, at, unknown, hidden)

    def blocks(self, url: str, place: Place) -> Sequence[JSON] | None:
        offer = self.offers.get(url)
        if offer is None:
            return None
        key = (id(offer), place)
        if key not in self.made:
            self.made[key] = blocks_of(offer, place, self.at)
        return self.made[key]

    def tally(self) -> Tally:
        """What there is, and what was done with it so far."""
        offers = {id(offer): offer for offer in self.offers.values()}
        return Tally(
            known=len(offers),
            decorated=len({offer for (offer, _place), blocks in self.made.items() if blocks}),
            open=sum(is_open(offer, self.at) for offer in offers.values()),
            unknown=self.unknown,
            hidden=self.hidden,
        )


def _normalised(url: str) -> str | None:
    try:
        return identity.normalised(url, conf.BASE_URL)
    except identity.NotAResourceURL:
        return None


def decorated(document: JSON, version: int | None = None) -> tuple[JSON, Holdings]:
    """A manifest, or a Collection with manifests in it, with services on the resources we know; the same one if there are none.

    Also what we know of it, which can be counted.

    Args:
        version: 2 or 3, of the Presentation API, where the document does not say it itself or says it wrongly.

    Raises:
        NotAManifest: it is nested too deeply, or would need too many services.
        RulesInMotion: the rules changed each time while they were being read.
    """
    holdings = Holdings.among(manifest.mentioned(document), timezone.now())
    return manifest.decorated(document, holdings.blocks, our_services(), version), holdings


class ManifestView(PublicView):
    """``POST`` a manifest and get it back with services, or name one on an allow-listed site with ``?url=``."""

    http_method_names = ("get", "head", "post", "options")  # type: ignore[assignment]

    def get(self, request: Request) -> HttpResponse:
        url = request.query_params.get("url", "")
        if not url:
            return told(400, "Add ?url= and the address of a manifest, or send the manifest itself with POST.")
        if request.headers.get("User-Agent") == fetch.AGENT:
            return told(
                403, "A document that is itself being fetched is not fetched for."
            )  # or it might go round for ever
        try:
            return self._answer(request, fetch.fetched(url, conf.MANIFEST_SOURCES, MAX_BYTES))
        except fetch.NotListed as problem:
            return told(403, str(problem))
        except fetch.NotFetched as problem:
            return told(502, str(problem))

    def post(self, request: Request) -> HttpResponse:
        # Read from the stream: Django's own limit is for forms, and smaller than a manifest.
        return self._answer(request, request._request.read(MAX_BYTES + 1))

    def _answer(self, request: Request, text: bytes) -> HttpResponse:
        try:
            found, _holdings = decorated(manifest.parsed(text, MAX_BYTES))
        except TooLarge as problem:
            return told(413, str(problem))
        except NotAManifest as problem:
            return told(400, str(problem))
        kind = request.accepted_renderer.media_type
        return with_headers(HttpResponse(manifest.written(found), content_type=kind), {**CORS, **NEVER_STORE})

    def options(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:  # type: ignore[override]
        """Pages of other sites may send a manifest too."""
        return with_headers(HttpResponse(status=204), {**PREFLIGHT, **SENDING})

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, MethodNotAllowed):
            allowed = {"Allow": ", ".join(self.allowed_methods)}
            return with_headers(told(405, "Ask with GET, or send a manifest with POST."), allowed)
        return super().handle_exception(exc)


SENDING = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Range",
}


def told(status: int, sentence: str) -> Response:
    """A sentence with what to do next, readable from any site."""
    return with_headers(Response({"error": sentence}, status=status), {**CORS, **NEVER_STORE})

"""Probe services: what would this browser get? Each version asks and answers in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from iiif_auth import identify, store
from iiif_auth.conf import conf
from iiif_auth.http.api_view import PublicView
from iiif_auth.http.headers import CORS, NEVER_STORE, with_headers
from iiif_auth.http.links import links
from iiif_auth.http.reading import languages
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Decision, Offer
from iiif_auth.protocol import alpha, dialects, identity, v1, v2
from iiif_auth.protocol.terms import JSON, services_of

Answer = tuple[int, JSON]


@dataclass(frozen=True, slots=True)
class Voice:
    """How the probe of one space speaks: HTTP status and body, for a decision and for none."""

    told: Callable[[Decision, str, tuple[str, ...]], Answer]
    out_of_order: Callable[[str], Answer]
    offered: str


def _final(decision: Decision, reference: str, reads: tuple[str, ...]) -> Answer:
    return 200, v2.probe_result(decision, links(), conf.TIME_ZONE)


def _media(decision: Decision, reference: str, reads: tuple[str, ...]) -> Answer:
    return v1.media_result(decision, links("1"), reads)


def _alpha(decision: Decision, reference: str, reads: tuple[str, ...]) -> Answer:
    return alpha.probe_result(decision, links("alpha").probe_at + reference, links("alpha"))


VOICES: Mapping[str, Voice] = {
    "2": Voice(_final, lambda reference: (200, v2.unavailable()), "2"),
    "1": Voice(_media, lambda reference: (503, {"label": "Something went wrong here."}), dialects.MEDIA),
    "alpha": Voice(_alpha, lambda reference: alpha.unavailable(links("alpha").probe_at + reference), "alpha"),
}
"""The spaces that have probes: 2.0.0 always HTTP 200 (A2-PRB-01), the others by HTTP status (A1X-02, A2A-PRB-02)."""


class ProbeView(PublicView):
    """Cookies are not looked at. An error is an answer too, and readable from any site (A2-PRB-19)."""

    def get(self, request: Request, space: str, reference: str) -> Response:
        voice = VOICES[space]
        return answer(*voice.told(judged(request, space, reference), reference, languages(request._request)))

    def out_of_order(self) -> Response:
        return answer(*VOICES[self.kwargs["space"]].out_of_order(self.kwargs["reference"]))


def judged(request: Request, space: str, reference: str) -> Decision:
    """find → identify → decide."""
    uri = identity.referred(reference, conf.BASE_URL)
    offer = store.find_offer(uri) if uri else None
    return decide(offer, identify.bearer(request._request, doors(offer, space)), timezone.now())


def doors(offer: Offer | None, space: str) -> identify.Doors:
    """Whose tokens count at the probe of an offer. What a service is not offered in, its tokens do not open (C10)."""
    if offer is None:
        return {}
    offered = VOICES[space].offered
    return {
        dialect.name: frozenset(one.slug for one in services_of(offer, dialect.name) if offered in one.dialects)
        for dialect in dialects.SPACES[space]
    }


def answer(status: int, body: object) -> Response:
    return with_headers(Response(body, status=status), {**CORS, **NEVER_STORE}, vary=("Authorization",))

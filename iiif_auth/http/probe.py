"""The probe service: what would this browser get? (Authorization Flow 2.0, section 5)"""

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
from iiif_auth.policy.types import Decision
from iiif_auth.protocol import identity, v2
from iiif_auth.protocol.terms import services_of


class ProbeView(PublicView):
    """Always HTTP 200 (A2-PRB-01); the answer is in ``status``. Cookies are not looked at."""

    def get(self, request: Request, reference: str) -> Response:
        decision = judged(request, reference)
        return answer(v2.probe_result(decision, links(), conf.TIME_ZONE))

    def out_of_order(self) -> Response:
        """An error is an answer too, and readable from any site (A2-PRB-19)."""
        return answer(v2.unavailable())


def judged(request: Request, reference: str) -> Decision:
    """find → identify → decide."""
    uri = identity.referred(reference, conf.BASE_URL)
    offer = store.find_offer(uri) if uri else None
    slugs = frozenset(service.slug for service in services_of(offer)) if offer else frozenset()
    subject = identify.bearer(request._request, v2.DIALECT, slugs)
    return decide(offer, subject, timezone.now())


def answer(body: object) -> Response:
    return with_headers(Response(body), {**CORS, **NEVER_STORE}, vary=("Authorization",))

"""Probe services: what would this browser get? Each version says it in its own way (``protocol.dialect.Probe``)."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from iiif_auth import counting, identify, store
from iiif_auth.conf import conf
from iiif_auth.enforce import delivering
from iiif_auth.http.api_view import PublicView
from iiif_auth.http.headers import CORS, NEVER_STORE, with_headers
from iiif_auth.http.links import links, refused_at
from iiif_auth.http.reading import languages
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Decision, Offer
from iiif_auth.protocol import dialects, identity
from iiif_auth.protocol.dialect import Question
from iiif_auth.protocol.terms import services_of


class ProbeView(PublicView):
    """2.0.0 always answers HTTP 200 (A2-PRB-01), the others by HTTP status (A1X-02, A2A-PRB-02). Cookies are not looked at.

    An error is an answer too, and readable from any site (A2-PRB-19).
    """

    def get(self, request: Request, space: str, reference: str) -> Response:
        decision, offer = judged(request, space, reference)
        ask_at = refused_at(reference) if offer is not None and takes_requests(offer) else ""
        return answer(*dialects.PROBES[space].told(decision, question(request, space, reference, ask_at)))

    def out_of_order(self) -> Response:
        space = self.kwargs["space"]
        return answer(*dialects.PROBES[space].out_of_order(question(self.request, space, self.kwargs["reference"])))


def question(request: Request, space: str, reference: str, ask_at: str = "") -> Question:
    where = links(space)
    return Question(where.probe_at + reference, where, languages(request._request), conf.TIME_ZONE, ask_at)


def takes_requests(offer: Offer) -> bool:
    """Whether a policy on the way says that readers may ask; the page itself then says whether it would help just now."""
    return any(policy.requestable for level in offer.levels for policy in level.policies)


def judged(request: Request, space: str, reference: str) -> tuple[Decision, Offer | None]:
    """find → identify → decide; and where the policy says so, to what address the browser is sent with no cookie."""
    uri, shown = identity.referred(reference, conf.BASE_URL), identify.showing(request._request)
    offer, presented = store.find_for(uri, shown) if uri else (None, store.Presented(""))
    now = timezone.now()
    token = identify.counting_token(presented.token, doors(offer, space))
    asker = identify.bearer_of(request._request, token)
    decision = decide(offer, asker, now)
    counting.note("probe", offer, decision, asker.address, now)
    if isinstance(decision, Allowed) and offer is not None:
        holder = None if token is None else token.holder
        return delivering.delivered(decision, offer, holder, identify.ambient(request._request), now), offer
    return decision, offer


def doors(offer: Offer | None, space: str) -> identify.Doors:
    """Whose tokens count at the probe of an offer: those of services that are offered in its version (A2-PRB-05, C10)."""
    if offer is None:
        return {}
    offered = dialects.PROBES[space].offered_as
    return {
        one.name: frozenset(service.slug for service in services_of(offer, one.name) if service.speaks(offered))
        for one in dialects.SPACES[space]
    }


def answer(status: int, body: object) -> Response:
    return with_headers(Response(body, status=status), {**CORS, **NEVER_STORE}, vary=("Authorization",))

"""info.json with its services in it.

In Authorization Flow 2.0 it says the same to everyone (A2-INFO-01). Before, it was itself what viewers asked: 200, or 302 to a
lesser version, or 401 (A1-INFO-01, A1-INFO-02); in the alpha 401 with the lesser version named in the body (A2A-INFO-03).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from iiif_auth import counting, identify, store
from iiif_auth.conf import conf
from iiif_auth.enforce import guard, signed
from iiif_auth.http.api_view import PublicView
from iiif_auth.http.headers import CORS, NEVER_STORE, with_headers
from iiif_auth.http.links import links
from iiif_auth.http.reading import languages
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Decision, Denied, ImageApi, Offer
from iiif_auth.protocol import dialects, identity, infojson
from iiif_auth.protocol.dialect import Dialect, Host, Probing
from iiif_auth.protocol.terms import JSON, is_open, services_of

HOSTS = {2: Host.IMAGE_2, 3: Host.IMAGE_3}


class InfoView(PublicView):
    """Subclass it in front of an image server: say how an image is described, and the services are added.

    Attributes:
        version: that of the Image API, 2 or 3.
        dialects: those spoken at this address, by name, in the order in which their blocks stand. Versions that ask the
            description itself decide its HTTP status; the alpha stands alone (C5).
    """

    version = 3
    dialects: tuple[str, ...] = ("2",)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse what would mislead viewers.

        Raises:
            ImproperlyConfigured: a version is unknown, or two at one address contradict each other.
        """
        super().__init_subclass__(**kwargs)
        unknown = [name for name in cls.dialects if name not in dialects.DIALECTS]
        if unknown or not cls.dialects:
            known = ", ".join(dialects.DIALECTS)
            raise ImproperlyConfigured(
                f"{cls.__name__}.dialects must name some of {known}, not {', '.join(unknown) or 'none'}."
            )
        if len(cls.dialects) > 1 and Probing.LOCATION in {one.probing for one in cls._spoken()}:
            raise ImproperlyConfigured(
                f"{cls.__name__} speaks the alpha beside other versions, which contradict it; give it an address of its own."
            )

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Guarded by itself, so it may be reached under a ticket too."""
        view = super().as_view(**initkwargs)
        view.iiif_auth_guarded = True  # type: ignore[attr-defined]
        return view

    def describe(self, identifier: str) -> tuple[str, JSON] | None:
        """The URL of the image service (absolute or site-relative), and its info.json without our services."""
        raise NotImplementedError

    def address_of(self, uri: str) -> str:
        """The public address of a rendition in this view's part of the site; its own by default.

        Override it where one picture is served at several addresses of which the app knows one.
        """
        return identity.absolute(uri, conf.BASE_URL)

    def get(self, request: Request, identifier: str) -> HttpResponse:
        found = self.describe(identifier)
        if found is None:
            return self._missing()
        try:
            offer = store.find_offer(identity.normalised(found[0], conf.BASE_URL))
        except identity.NotAResourceURL:
            return self._missing()  # what has no address can not be restricted, so it is not shown either
        if offer is None:
            return self._public(found[1])
        return self._about(request, offer, found[1])

    def _about(self, request: Request, offer: Offer, document: JSON) -> HttpResponse:
        if (ticket := getattr(request._request, "iiif_auth_ticket", None)) is not None:
            return self._at_signed_address(request, offer, document, ticket)
        now = timezone.now()
        asked = [one for one in self._spoken() if one.probing is not Probing.ELSEWHERE]
        if not asked:
            # The same for everybody; but dimensions are existence, and of that only whoever is let in is told (INV11).
            if offer.hidden and not self._browser_may(request, offer, now):
                return self._missing()
            return self._public(self._described(request, offer, document, now), hidden=offer.hidden)
        token = identify.shown_token(request._request, doors(offer, asked))
        asker = identify.bearer_of(request._request, token)
        decision = decide(offer, asker, now)
        counting.note("probe", offer, decision, asker.address, now)
        if offer.hidden and not isinstance(decision, Allowed) and not self._browser_may(request, offer, now):
            return self._missing()
        lesser = self._lesser(offer, decision)
        if lesser is not None and asked[0].probing is Probing.REDIRECT:
            return self._answer(HttpResponse(status=302, headers={"Location": f"{lesser}/info.json"}))
        described = self._described(request, offer, document, now)
        return self._answer(_judged(decision, lesser, token, described))

    def _at_signed_address(self, request: Request, offer: Offer, document: JSON, ticket: signed.Ticket) -> HttpResponse:
        """The description under a ticket: with its own id, so that tiles are asked there too, and without services."""
        refusal = guard.refusal(request._request, offer.wanted.uri)
        if refusal is not None:
            return refusal
        key = "@id" if self.version == 2 else "id"
        address = signed.address(str(document[key]), ticket.text)
        return self._answer(Response({**document, key: address}))

    @classmethod
    def _spoken(cls) -> list[Dialect]:
        return [dialects.DIALECTS[name] for name in cls.dialects]

    def _browser_may(self, request: Request, offer: Offer, now: datetime) -> bool:
        return isinstance(decide(offer, identify.browser(request._request), now), Allowed)

    def _described(self, request: Request, offer: Offer, document: JSON, now: datetime) -> JSON:
        spoken = self._spoken()
        redirecting = [one for one in spoken if one.probing is Probing.REDIRECT]
        for some in (redirecting, [one for one in spoken if one not in redirecting]):
            names = [one.name for one in some]
            about = _led_to(offer, now) if some and some is redirecting else offer
            blocks = dialects.described(names, about, HOSTS[self.version], links, now, languages(request._request))
            document = infojson.with_services(document, blocks, some, self.version)
        return document

    # -- Answers --------------------------------------------------------------------------------------------------

    def _lesser(self, offer: Offer, decision: Decision) -> str | None:
        """The address of the best lesser version that whoever asks may have now, as an image service of the same API.

        Something else that is shown instead counts only if its own info.json leads back up (A1-INFO-07).
        """
        if not isinstance(decision, Denied):
            return None
        for one in decision.substitutes:
            known = one.rendition in offer.others or store.stands_in(one.rendition.uri, offer.wanted.uri)
            if known and one.offer is None and one.rendition.image_api is ImageApi(self.version):
                return self.address_of(one.rendition.uri)
        return None

    def _answer(self, response: HttpResponse) -> HttpResponse:
        """What a description answers that is its own probe. No cache keeps it (A1-INFO-13)."""
        return with_headers(response, {**CORS, **NEVER_STORE}, vary=("Authorization",))

    def _public(self, document: JSON, *, hidden: bool = False) -> Response:
        cache = "no-store" if hidden else "public, max-age=60"
        return with_headers(Response(document), {**CORS, **NEVER_STORE, "Cache-Control": cache})

    def _missing(self) -> Response:
        return with_headers(Response({"error": "There is no such image."}, status=404), {**CORS, **NEVER_STORE})


def _judged(decision: Decision, lesser: str | None, token: store.TokenFacts | None, document: JSON) -> Response:
    """A description that is sent, with the HTTP status that tells viewers what they may have of it."""
    if isinstance(decision, Allowed):
        return Response(document)
    if lesser is not None:
        return Response(infojson.leading_to(document, lesser), status=401)
    return Response(document, status=403 if forbidden(token) else 401)


def doors(offer: Offer, asked: list[Dialect]) -> Mapping[str, frozenset[str]]:
    """Whose tokens count here: in each dialect those of the services that its blocks name (C10)."""
    return {one.name: frozenset(service.slug for service in services_of(offer, one.name)) for one in asked}


def _led_to(offer: Offer, now: datetime) -> Offer:
    """The offer whose services a description names: its own or, if it stands in openly for something better, that one's.

    It is how a viewer that was redirected learns that there is more (A1-INFO-07, C14).
    """
    return (store.original_of(offer) if is_open(offer, now) else None) or offer


def forbidden(token: store.TokenFacts | None) -> bool:
    """Whether 403 may be said: only in 0.9.2, to whoever is known there (C3, A092-INFO-06)."""
    return token is not None and dialects.DIALECTS[token.dialect].forbids

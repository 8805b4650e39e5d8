"""The door for host sites. This module and ``iiif_auth.urls`` are what stays stable.

::

    from iiif_auth import api

    api.may_see("/iiif/3/chart", request=request)          # may this browser see it?
    api.services_for("https://images.example.org/iiif/3/chart")   # what to put into a manifest

    @api.protect("/files/{name}")
    def download(request, name): ...
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import quote

from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from iiif_auth import carried, identify, store
from iiif_auth.conf import conf
from iiif_auth.enforce import delivering, guard, signed
from iiif_auth.http import manifest as manifests
from iiif_auth.http.links import links
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Decision, ImageApi, Offer
from iiif_auth.protocol import dialects as registry
from iiif_auth.protocol import identity, infojson, v2
from iiif_auth.protocol.dialect import Host
from iiif_auth.protocol.identity import NotAResourceURL
from iiif_auth.protocol.manifest import NotAManifest
from iiif_auth.protocol.terms import JSON, is_open

__all__ = [
    "NotAManifest",
    "NotAResourceURL",
    "decision_about",
    "decorated",
    "end_passes",
    "end_passes_of_sessions",
    "is_restricted",
    "may_see",
    "protect",
    "services_for",
    "signed_address",
    "with_services",
]

Parameters = ParamSpec("Parameters")
View = Callable[Concatenate[HttpRequest, Parameters], HttpResponseBase]


def decision_about(
    url: str,
    *,
    request: HttpRequest | None = None,
    user: Any = None,
    address: str = "",
    at: datetime | None = None,
) -> Decision:
    """What would be decided about a URL.

    Args:
        url: the service or content URL, absolute or a path on this site.
        request: judge the browser that sent it, by access cookie and address; then ``user`` and ``address`` are not looked at.
        user: judge this person, as the host knows them.
        address: judge somebody at this IPv4 or IPv6 address.
        at: the instant, aware; now by default.

    Raises:
        NotAResourceURL: the URL can not be that of a resource.
    """
    offer = store.find_offer(identity.normalised(url, conf.BASE_URL))
    subject = identify.browser(request) if request is not None else identify.described(user, address)
    return decide(offer, subject, at or timezone.now())


def may_see(
    url: str,
    *,
    request: HttpRequest | None = None,
    user: Any = None,
    address: str = "",
    at: datetime | None = None,
) -> bool:
    """Whether somebody may have what is at this URL; unknown things, and what is no URL, nobody may."""
    try:
        decision = decision_about(url, request=request, user=user, address=address, at=at)
    except NotAResourceURL:
        return False
    return isinstance(decision, Allowed)


def signed_address(url: str, *, request: HttpRequest, edge: bool = False) -> str | None:
    """An address of content that needs no cookie, for the browser that sent this request; ``None`` if it may not have it.

    Args:
        url: the content URL, absolute or a path on this site.
        request: its access cookie says whose pass the address is signed for, and the address ends with it.
        edge: rather one that the web server checks alone, at the speed of a plain file. It ends by itself after ``EDGE_SECONDS``
            and not before; ``None`` also where there can be none.

    Raises:
        NotAResourceURL: the URL can not be that of a resource.
    """
    now = timezone.now()
    found = guard.verdict(request, identity.normalised(url, conf.BASE_URL))
    holder: store.PassFacts | None = getattr(request, "iiif_auth_pass", None)
    if not isinstance(found.decision, Allowed):
        return None
    if edge:
        address = delivering.edge_address(found.decision.rendition, now)
        return None if address is None else identity.absolute(address, conf.BASE_URL)
    if holder is None:
        return None
    uri = found.decision.rendition.uri
    return identity.absolute(signed.address(uri, signed.issue(uri, holder, now)), conf.BASE_URL)


def is_restricted(url: str, *, at: datetime | None = None) -> bool:
    """Whether there is anybody who may not have it. What we know nothing of counts as restricted."""
    offer = _offer(url)
    return offer is None or not is_open(offer, at or timezone.now())


def services_for(
    url: str,
    *,
    profile: bool = False,
    dialects: Iterable[str] = ("2",),
    presentation: int = 3,
    at: datetime | None = None,
) -> list[JSON]:
    """The ``service`` blocks to put on this resource in a manifest: its probe, or nothing if it is open or not ours.

    Args:
        url: the service or content URL, absolute or a path on this site.
        profile: add a ``profile`` to the probe of 2.0.0, which viewers of Auth 1 want of every service they meet.
        dialects: the versions to speak, by name: “2”, “1”, “0.9.4”, “0.9.2”, “alpha”. “1-media” puts on a film, a recording
            or a document what is practised there in 1.0. The alpha must stand alone.
        presentation: the version of the Presentation API that the manifest is in, 2 or 3.
        at: the instant, aware; now by default.
    """
    offer = _offer(url)
    names, now = tuple(dialects), at or timezone.now()
    if offer is None or is_open(offer, now):
        return []
    if names == ("2",) and presentation == 3:
        return [v2.probe_service(offer, links(), profile=profile)]
    return blocks_for(offer, names, HOSTS[presentation], now)


HOSTS = {2: Host.PRESENTATION_2, 3: Host.PRESENTATION_3}


def blocks_for(offer: Offer, names: Sequence[str], host: Host, at: datetime) -> list[JSON]:
    """The blocks of these versions for an offer, as they stand in this kind of document; the practice around 1.0 last."""
    spoken = [name for name in names if name in registry.DIALECTS]
    practised = registry.MEDIA in names and offer.wanted.image_api is ImageApi.NONE
    found = registry.media(offer, host, links) if practised else []
    return [*registry.described(spoken, offer, host, links, at), *found]


def with_services(document: JSON, url: str, *, version: int = 3) -> JSON:
    """An info.json of Image API 2 or 3 with the probe in it, if it needs one; every other property stays."""
    for service in services_for(url, profile=version == 2):
        document = infojson.with_probe(document, service, version)
    return document


def decorated(manifest: JSON) -> JSON:
    """A manifest of Presentation 2.1 or 3, or a Collection with manifests in it, with services on the resources we know.

    Every other property and its order stay; what is not ours, and what nobody is to know of, is left as it is.

    Raises:
        NotAManifest: it is nested too deeply, or would need too many services.
    """
    return manifests.decorated(manifest)[0]


def _offer(url: str) -> Offer | None:
    try:
        return store.find_offer(identity.normalised(url, conf.BASE_URL))
    except NotAResourceURL:
        return None


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A URL with a view's arguments in it, percent-encoded as browsers do, because Django has decoded them."""
    return template.format(**{name: quote(str(value), safe="/:@!$&'()*+,;=~") for name, value in values.items()})


def protect(
    url: str | Callable[..., str], *, take: bool = False, degraded: guard.Degraded | None = None
) -> Callable[[View[Parameters]], View[Parameters]]:
    """Guard a view: it is called only for browsers that may have what is at ``url``.

    Args:
        url: the resource's URL; a text with the view's keyword arguments in braces, or a function of the request and those.
        take: the view hands out a copy to keep.
        degraded: for addresses of Auth 0.9.2 only: where the same part of a lesser version is, from the request and that
            version's URL. Whoever is known but not entitled is sent there.

    The decision is made before the view, so before any condition or range; errors are not a yes (INV6). Works on views that
    return a response; what they return is marked as usable across sites and kept by no shared cache.
    """

    def decorate(view: View[Parameters]) -> View[Parameters]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> HttpResponseBase:
            if request.method == "OPTIONS":
                return guard.preflight()
            about = url(request, *args, **kwargs) if callable(url) else filled(url, kwargs)
            refusal = guard.refusal(request, about, take=take, degraded=degraded)
            return refusal if refusal is not None else guard.admitted(request, view(request, *args, **kwargs))

        guarded.iiif_auth_guarded = True  # type: ignore[attr-defined]
        return transaction.non_atomic_requests(guarded)

    return decorate


def end_passes(user: Any) -> int:
    """End whatever a person may see by signing in, in every browser and at once: cookies, tokens and signed addresses.

    For hosts whose sessions are not in the database beside ours, and for what an identity provider says behind the reader's back.
    Sessions in the database, passwords, groups and accounts that are switched off are noticed without this.

    Returns:
        How many passes there were.
    """
    return carried.end_of(user)


def end_passes_of_sessions(keys: Collection[str]) -> int:
    """End the passes that were given in these sessions of the host, and nothing else of the same people.

    For hosts that end sessions in other browsers than the one that asks, such as for an identity provider. Passes of a session
    that is deleted from the database open nothing from then on; with this they are gone from lists, too.

    Args:
        keys: of sessions in the database; of sessions that are kept elsewhere no pass knows the key.

    Returns:
        How many passes there were.
    """
    return carried.end_of_sessions(keys)

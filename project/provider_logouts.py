"""Where identity providers say that somebody has left. Imported only where ``allauth.socialaccount`` is installed."""

from __future__ import annotations

import logging
import time
from hashlib import sha256
from typing import Any

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from django.contrib.auth import logout
from django.core.cache import cache
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from iiif_auth.attributes.from_allauth import issuer_of
from project import logout_tokens, provider_sessions
from project.logout_tokens import Logout, Refused

logger = logging.getLogger("project.provider_logouts")

OPENID = "openid_connect"
KEPT = 600
"""Seconds for which the keys of a provider are kept."""
ASKED_AGAIN = 30
"""Seconds within which a key of an unknown name has nobody ask the provider anew: strangers may post whatever they like."""


# -- OpenID Connect -------------------------------------------------------------------------------------------------


@csrf_exempt
@never_cache
@sensitive_post_parameters()
@require_POST
@transaction.non_atomic_requests
def openid(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back-channel logout (OpenID Connect Back-Channel Logout 1.0, section 2.5): the provider itself posts a ``logout_token``.

    200 also if there was nothing to end; 400 with a reason if the token is not believed.
    """
    app = app_or_404(request, provider_id)
    try:
        asked = believed(request, app)
    except Refused as refused:
        logger.warning("Refused a logout by %.100s: %s", provider_id, refused)
        return JsonResponse({"error": "invalid_request", "error_description": str(refused)}, status=400)
    numbers = [asked.number] if asked.number else []
    ended = provider_sessions.end(issuer_of(app), asked.subject, numbers, provider=provider_id, at=asked.at)
    # Noted at the end: a provider whose logout failed here for whatever reason may try again.
    cache.set(used(app, asked), True, logout_tokens.LONGEST + logout_tokens.SKEW)
    logger.info("%.100s ended %d sessions.", provider_id, len(ended))
    return HttpResponse()


def app_or_404(request: HttpRequest, provider_id: str) -> Any:
    try:
        app = get_adapter().get_app(request, provider=provider_id)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    if app.provider != OPENID:
        raise Http404
    return app


def believed(request: HttpRequest, app: Any) -> Logout:
    """What the posted token says, if it was not used before.

    Raises:
        Refused: it is not believed.
    """
    token = request.POST.get("logout_token", "")
    if not token:
        raise Refused("There is no logout_token.")
    keys = Keys(request, app)
    found = logout_tokens.read(token, issuer=issuer_of(app), audience=app.client_id, keys=keys.named)
    if cache.get(used(app, found)):
        raise Refused("The logout token was used before.")
    return found


def used(app: Any, asked: Logout) -> str:
    """Where it is noted that a token was used; it has a key of its own whatever its provider calls it."""
    return f"project.logout.{sha256(f'{issuer_of(app)} {asked.id}'.encode()).hexdigest()}"


class Keys:
    """The keys of a provider, from where its own configuration says they are."""

    def __init__(self, request: HttpRequest, app: Any) -> None:
        self.request, self.app = request, app
        self.place = f"project.keys.{app.provider_id}"

    def named(self, name: str, algorithm: str) -> Any:
        """The key of this name, for this kind of signature; without a name, the only one.

        Raises:
            Refused: there is none, or the provider can not be asked.
        """
        kept = cache.get(self.place)
        found = pick(kept["keys"], name, algorithm) if kept else None
        if found is None and (kept is None or kept["at"] < time.time() - ASKED_AGAIN):
            kept = {"keys": self.asked_for(), "at": time.time()}
            cache.set(self.place, kept, KEPT)
            found = pick(kept["keys"], name, algorithm)
        if found is None:
            raise Refused("The logout token is signed with a key that is not the provider's.")
        return found

    def asked_for(self) -> list[dict[str, Any]]:
        import requests
        from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter

        try:
            where = OpenIDConnectOAuth2Adapter(self.request, self.app.provider_id).openid_config["jwks_uri"]
            with get_adapter().get_requests_session() as session:
                answer = session.get(where)
                answer.raise_for_status()
                found: list[dict[str, Any]] = answer.json()["keys"]
                return found
        except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as problem:
            logger.exception("The keys of %.100s can not be read.", self.app.provider_id)
            raise Refused("The provider's keys can not be read at present.") from problem


def pick(keys: list[dict[str, Any]], name: str, algorithm: str) -> Any:
    """The key of this name, ready for signatures of this kind, or ``None``."""
    from jwt import PyJWK, PyJWTError

    keys = [one for one in keys if one.get("use", "sig") == "sig"]
    chosen = [one for one in keys if one.get("kid") == name] if name else keys
    if len(chosen) != 1 or chosen[0].get("alg", algorithm) != algorithm:
        return None
    try:
        return PyJWK(chosen[0], algorithm=algorithm)
    except PyJWTError:
        return None


# -- SAML -----------------------------------------------------------------------------------------------------------


@csrf_exempt
@never_cache
@require_GET
@transaction.non_atomic_requests
def saml(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """Single logout (SAML 2.0 Profiles, section 4.4, redirect binding): the provider asks through the browser.

    The session is found by what the provider calls it, since a browser sends no cookie of ours along from a frame of the
    provider's. Only signed requests count: anybody can write one that is not. Answers do not, since nothing is ever asked here.
    """
    from allauth.socialaccount.providers.saml.utils import build_auth, get_app_or_404
    from onelogin.saml2.errors import OneLogin_Saml2_Error
    from onelogin.saml2.logout_request import OneLogin_Saml2_Logout_Request as Asked

    provider = get_app_or_404(request, organization_slug).get_provider(request)
    if not is_signed(request):
        return refused(request, organization_slug, "it is not a signed request")
    auth = build_auth(request, provider)
    if not auth.get_slo_response_url():
        return refused(request, organization_slug, "its slo_url is not configured")
    try:
        back = auth.process_slo(keep_local_session=True)
        if auth.get_errors():
            return refused(request, organization_slug, auth.get_last_error_reason() or ", ".join(auth.get_errors()))
        text = auth.get_last_request_xml()
        subject, numbers = Asked.get_nameid(text), Asked.get_session_indexes(text)
    except (OneLogin_Saml2_Error, ValueError) as problem:
        return refused(request, organization_slug, str(problem))
    ended = provider_sessions.end(issuer_of(provider.app), subject, numbers, provider=provider.app.provider_id)
    logger.info("%.100s ended %d sessions.", organization_slug, len(ended))
    if request.session.session_key in ended:
        logout(request)
    return HttpResponseRedirect(back)


def is_signed(request: HttpRequest) -> bool:
    """Whether it is a request at all and has a signature; whether that is good is for python3-saml to say."""
    return bool(request.GET.get("SAMLRequest") and request.GET.get("Signature"))


def refused(request: HttpRequest, who: str, why: str) -> HttpResponse:
    logger.warning("Refused a logout by %.100s: %s", who, why)
    return render(request, "socialaccount/logout_error.html", status=400)


def finish_acs(request: HttpRequest, organization_slug: str) -> HttpResponse:
    """allauth's view, which also keeps what the provider calls this session."""
    from project.saml_finish import Finish

    response: HttpResponse = Finish.as_view()(request, organization_slug=organization_slug)
    return response

"""The token service: a page in a hidden frame that posts the viewer a token, or says why not (section 4).

Every answer is HTTP 200 and HTML (A2-TOK-01, A2-TOK-02).
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

from iiif_auth import identify, passes, store
from iiif_auth.conf import conf
from iiif_auth.http.headers import TOKEN_PAGE, token_policy, with_headers
from iiif_auth.policy.types import AccessService, OriginRule, Pattern
from iiif_auth.protocol import origins, v2
from iiif_auth.protocol.terms import JSON, Problem

logger = logging.getLogger("iiif_auth.token")

MAX_MESSAGE_ID = 4096
"""Some viewers use a whole URL as ``messageId``, 2 kB long (browsers.md, section 8)."""

FRAMES = ("iframe", "frame", "embed", "object", "empty", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a request, as far as they could be understood."""

    message_id: str
    origin: str | None
    sound: bool


def asked(request: HttpRequest) -> Asked:
    """``messageId`` and ``origin``, each exactly once (security T5)."""
    message_ids, given = request.GET.getlist("messageId"), request.GET.getlist("origin")
    origin = origins.serialised(given[0], plain_http=conf.PLAIN_HTTP_VIEWERS) if len(given) == 1 else None
    message_id = message_ids[0] if len(message_ids) == 1 else ""
    short = len(message_id) <= MAX_MESSAGE_ID
    return Asked(message_id if short else "", origin, len(message_ids) == 1 and short and origin is not None)


@require_GET
@xframe_options_exempt
def token(request: HttpRequest, slug: str) -> HttpResponse:
    """Post a token to exactly the origin named, or an error; the error goes to ``*`` if no origin can be used (A2-ERR-04)."""
    ask = asked(request)
    try:
        message = answer(request, slug, ask)
    except Exception as error:  # whatever happened, a viewer waits for a message, and an error is not a token (INV6)
        logger.error("The token service could not answer.", exc_info=error)
        message = v2.error_message(Problem.UNAVAILABLE, ask.message_id)
    return page(request, message, ask.origin or "*")


def answer(request: HttpRequest, slug: str, ask: Asked) -> JSON:
    service = identify.service_called(slug)
    if not ask.sound or ask.origin is None or service is None or not _is_framed(request):
        return v2.error_message(Problem.INVALID_REQUEST, ask.message_id, service)
    found = problem_or_pass(request, service, ask.origin)
    if isinstance(found, Problem):
        return v2.error_message(found, ask.message_id, service)
    minted = passes.mint(service, v2.DIALECT, ask.origin, found.facts)
    if minted is None:
        return v2.error_message(Problem.INVALID_ASPECT, ask.message_id, service)
    return v2.token_message(*minted, ask.message_id)


def _is_framed(request: HttpRequest) -> bool:
    """Refuse what a browser says is a script, an image or a page of its own (security T10)."""
    return request.headers.get("Sec-Fetch-Dest", "") in FRAMES and request.headers.get("Sec-Fetch-Mode") != "cors"


def problem_or_pass(request: HttpRequest, service: AccessService, origin: str) -> Problem | identify.CurrentPass:
    """What is wrong with the aspect, or the pass that carries it (decision table, requirements 2.7)."""
    if service.pattern is Pattern.EXTERNAL:
        return _place(request, service, origin)
    found = identify.current_pass(request)
    problem = PROBLEMS[found.standing]
    if problem is not None or found.facts is None:
        return problem or Problem.MISSING_ASPECT
    if service.slug not in found.facts.agreements:
        return Problem.MISSING_ASPECT
    return found if identify.may_use_origin(service, origin, found.facts) else Problem.INVALID_ORIGIN


PROBLEMS: dict[identify.Standing, Problem | None] = {
    identify.Standing.ABSENT: Problem.MISSING_ASPECT,
    identify.Standing.UNKNOWN: Problem.INVALID_ASPECT,
    identify.Standing.EXPIRED: Problem.EXPIRED_ASPECT,
    identify.Standing.SOUND: None,
}


def _place(request: HttpRequest, service: AccessService, origin: str) -> Problem | identify.CurrentPass:
    """For a service that looks only at the address there was no visit, so there is no confirmed origin (requirements 5.3)."""
    if not identify.recognises(service, identify.ambient(request), store.rulebook()):
        return Problem.MISSING_ASPECT
    if service.origin_rule is OriginRule.LISTED and origin not in service.origins:
        return Problem.INVALID_ORIGIN
    return identify.CurrentPass(identify.Standing.ABSENT)


def page(request: HttpRequest, message: JSON, target: str) -> HttpResponse:
    nonce = secrets.token_urlsafe(16)
    context = {"envelope": {"message": message, "targetOrigin": target}, "nonce": nonce}
    response = render(request, "iiif_auth/token.html", context)
    response.headers["Content-Security-Policy"] = token_policy(nonce)
    return with_headers(response, TOKEN_PAGE, vary=("Cookie", "Origin"))

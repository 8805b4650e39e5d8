"""The hand-off window, and the door at which a viewer's frame turns a code into a token (browsers.md, section 4.1).

The access tab opens this window in the click on “Continue”, and closes. It keeps hold of the viewer's window, and says the code
to every frame in there, addressed to this site: a browser gives it to no page of anybody else's.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from iiif_auth import clients, handoffs, identify, passes, store, twins
from iiif_auth.http.headers import NEVER_STORE, PAGE, page_policy, with_headers
from iiif_auth.http.own import is_our_own
from iiif_auth.http.reading import in_readers_language, languages
from iiif_auth.http.token import Asked, asked, log_drawn, problem_of
from iiif_auth.policy.types import AccessService
from iiif_auth.protocol import dialects
from iiif_auth.protocol.dialect import Dialect
from iiif_auth.protocol.terms import JSON, Problem

logger = logging.getLogger("iiif_auth.token")


@never_cache
@csrf_exempt
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@in_readers_language
def handoff(request: HttpRequest) -> HttpResponse:
    """The window itself, in which looking changes nothing; and by POST, from itself, the code that it is to say."""
    if request.method == "POST":
        return code(request)
    response = render(request, "iiif_auth/handoff.html", {"title": _("Back to the viewer")})
    response.headers["Content-Security-Policy"] = page_policy(asks=True)
    return with_headers(response, PAGE)


def code(request: HttpRequest) -> HttpResponse:
    """A code for the pass of this browser and the site that it has just been confirmed for."""
    found = identify.current_pass(request)
    if not is_our_own(request) or found.facts is None or found.standing is not identify.Standing.SOUND:
        return said({}, 403)
    issued = handoffs.issue(found.facts, request.POST.get("service", ""), request.POST.get("origin", ""))
    return said({"number": issued.number, "code": issued.code}) if issued else said({}, 403)


@never_cache
@csrf_exempt
@require_POST
def standing(request: HttpRequest) -> HttpResponse:
    """How a hand-off of this browser stands, for its window; with ``over`` the window says that it closes."""
    found, number = identify.current_pass(request), request.POST.get("number", "")
    if (
        not is_our_own(request)
        or found.facts is None
        or not (number.isascii() and number.isdigit() and len(number) < 19)
    ):
        return said({"state": handoffs.State.OVER})
    state = handoffs.state(int(number), found.facts.id)
    if request.POST.get("over"):
        handoffs.finish(int(number), found.facts.id)
    return said({"state": state})


def said(body: JSON, status: int = 200) -> HttpResponse:
    headers = {**NEVER_STORE, "Cross-Origin-Resource-Policy": "same-origin"}
    return with_headers(JsonResponse(body, status=status), headers, vary=("Cookie",))


# -- In the viewer's frame ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Redeeming:
    """A frame with a code: what it asks for, and whose code it turned out to be."""

    request: HttpRequest
    ask: Asked
    dialect: Dialect
    service: AccessService
    holder: store.PassFacts


@never_cache
@csrf_exempt
@sensitive_post_parameters()
@require_POST
def redeem(request: HttpRequest, space: str, slug: str) -> HttpResponse:
    """Turn a code into a twin of the access cookie, and on asking again into a message for the viewer.

    The second time shows whether the browser brings the twin back. There is no cookie to prove whose frame it is: the code is the
    proof, and only a page of ours can have been told it.
    """
    ask = asked(request)
    service = identify.service_called(slug, space)
    dialect = dialects.spoken(space, service, origin=ask.origin != "") if service else None
    if not is_our_own(request) or service is None or dialect is None or not ask.understood(dialect):
        return said({}, 403)
    holder = handoffs.redeemed(request.POST.get("code", ""), ask.origin or "")
    if holder is None:
        return told(request, ask, dialect.error(Problem.MISSING_ASPECT, service, languages(request)))
    redeeming = Redeeming(request, ask, dialect, service, holder)
    return measured(redeeming) if request.POST.get("again") else given(redeeming)


def given(one: Redeeming) -> HttpResponse:
    """The twin, to be brought back."""
    now, secret = timezone.now(), identify.new_secret()
    twins.note(secret, one.holder.id, one.ask.origin or "", now)
    response = said({"again": True})
    twins.set_cookie(response, secret, max(1, int((one.holder.ends - now).total_seconds())))
    return response


def measured(one: Redeeming) -> HttpResponse:
    """A message for the viewer, according to whether the twin came back."""
    carried = identify.framed_pass(one.request, one.ask.origin or "").facts
    cookieless = carried is None or carried.id != one.holder.id
    found = drawn(one, cookieless=cookieless)
    if isinstance(found, Problem):
        return told(one.request, one.ask, one.dialect.error(found, one.service, languages(one.request)))
    log_drawn("signed" if cookieless else "handoff", one.service, one.ask.origin)
    return told(one.request, one.ask, one.dialect.token(*found))


def drawn(one: Redeeming, *, cookieless: bool) -> Problem | tuple[str, int]:
    """A token and its life in seconds; or why there is none.

    A version whose viewers follow no address that a probe gives them gets none where no cookie can come: with it a viewer would
    believe that it may show what then does not come.
    """
    sound = identify.CurrentPass(identify.Standing.SOUND, one.holder)
    problem = problem_of(sound, one.service, one.ask.origin)
    if problem is not None:
        return problem
    if cookieless and not one.dialect.locates:
        return Problem.COOKIES_KEPT_OUT
    codes = one.request.GET.getlist("code")
    if not one.dialect.names_origin and not clients.use_code(codes, one.service, one.holder.id):
        return Problem.INVALID_CLIENT
    token = passes.mint(one.service, one.dialect.name, one.ask.origin or "", one.holder, cookieless=cookieless)
    return token or Problem.INVALID_ASPECT


def told(request: HttpRequest, ask: Asked, message: JSON) -> HttpResponse:
    return said({"message": {**message, "messageId": ask.message_id}})

"""The access service: a page in a tab of its own, where a person gets the aspect that the content obeys (section 3).

Nothing is granted without a click on our own page (A2-INT-04), except at a kiosk, where there is nobody to click.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from iiif_auth import clients, devices, handoffs, identify, middleware, passes, remembering, store, terms
from iiif_auth.conf import conf
from iiif_auth.http import side
from iiif_auth.http.headers import PAGE, page_policy, with_headers
from iiif_auth.http.reading import choices, in_readers_language, text
from iiif_auth.models import Terms
from iiif_auth.policy.types import AccessService, OriginRule, Pattern
from iiif_auth.protocol import dialects, origins
from iiif_auth.protocol.languages import frozen


@never_cache
@sensitive_post_parameters()
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@in_readers_language
def access(request: HttpRequest, space: str, slug: str) -> HttpResponse:
    """The page of one service in one space of dialects. Parameters other than ``origin`` are ignored (A2-INT-01), but for the
    ``code`` of registered viewers in 0.9.2 and the reader's language (``lang``, ``ui_locales``).
    """
    service = identify.service_called(slug, space)
    if service is None:
        return said(
            request,
            404,
            _("There is no such service"),
            _("The address may be out of date. Please close this tab and reload the viewer."),
        )
    origin = named_origin(request)
    if origin is None:
        return said(
            request,
            400,
            _("The viewer did not say properly who it is"),
            _(
                "It named itself in a way that browsers do not. Please close this tab and tell the makers of the viewer."
            ),
        )
    if service.origin_rule is OriginRule.LISTED and origin and origin not in service.origins:
        return said(
            request,
            403,
            _("This viewer is not on the library's list"),
            _("Please close this tab and open the item in a viewer that the library recommends."),
        )
    if clients.refused(request, space, service, has_origin=bool(origin)):
        return said(
            request,
            403,
            _("This viewer is not registered"),
            _("The library gives access through registered viewers only. Please use one of its own machines."),
        )
    visit = Visit(service, origin, at_once=_grants_at_once(space, service, origin))
    return PATTERNS[service.pattern](request, visit)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody at the page of a service, for a viewer's site (``""`` if none was named)."""

    service: AccessService
    origin: str
    at_once: bool = False


def _grants_at_once(space: str, service: AccessService, origin: str) -> bool:
    dialect = dialects.spoken(space, service, origin=bool(origin))
    return dialect is not None and dialect.grants_at_once(service)


def named_origin(request: HttpRequest) -> str | None:
    """The viewer's site; ``""`` if the viewer did not say, ``None`` if it said something that is not an origin."""
    given = request.GET.getlist("origin")
    if not given:
        return ""
    return origins.serialised(given[0], plain_http=conf.PLAIN_HTTP_VIEWERS) if len(given) == 1 else None


# -- The four patterns --------------------------------------------------------------------------------------------


def login(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Sign in at the host first; then confirm, on a page of ours, with a click."""
    if request.method == "POST" and "switch" in request.POST:
        logout(request)
    if not identify.is_signed_in(request):
        return at_login_by_invitation(request, visit)
    if request.method == "POST":
        return granted(request, visit)
    return confirmation(request, visit)


def at_login_by_invitation(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Whoever carries an invitation needs no account: a click lets the viewer ask on their behalf, as nobody in particular."""
    found = identify.current_pass(request)
    invited = found.standing is identify.Standing.SOUND and found.facts is not None and found.facts.user is None
    if not invited or found.facts is None or found.facts.invited(timezone.now()) is None or "sign-in" in request.POST:
        return to_login(request)
    return granted(request, visit) if request.method == "POST" else confirmation(request, visit)


def clickthrough(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Read, and agree with a click, here or, in versions that have it so, in the viewer (A1-ACC-04).

    Then too a browser must be asking for a page: a picture on somebody's site is nobody's agreement.
    """
    current = terms.in_force(visit.service.slug, timezone.now())
    version = current.number if current else 0
    if request.method == "POST" and request.POST.get("version", "0") == str(version):
        response = granted(request, visit)
        remembering.note(request, response, visit.service, version, visit.origin)
        return response
    if is_for_a_page(request) and remembering.remembers(request, visit.service, version, visit.origin):
        return granted(request, visit, clicked=False)
    # A version that is in force is read here: viewers show the note of the service, which is none.
    if visit.at_once and current is None and is_for_a_page(request):
        return granted(request, visit)
    return confirmation(request, visit, current)


def kiosk(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Let in whoever is at the right place, at once, and close (A2-INT-07).

    A robot's HEAD gets nothing, nor does a picture on somebody's page, which would end the pass of whoever looks at it.
    """
    here = identify.standing_here(request)
    service = visit.service
    if not is_for_a_page(request) or not identify.recognises(service, here, store.rulebook()):
        return said(
            request,
            403,
            _("This machine is not one of the library's"),
            text(request, service.error_note)
            or _("Items like this one are shown at certain machines only. Please ask at the desk."),
        )
    return granted(request, visit)


def external(request: HttpRequest, visit: Visit) -> HttpResponse:
    """There is nothing to do here (A2-ACC-03), but whoever comes should be told so."""
    return said(
        request,
        200,
        text(request, visit.service.label) or _("Recognised by address"),
        _("There is nothing to do on this page: you are recognised by where you are. You can close this tab."),
    )


PATTERNS = {
    Pattern.LOGIN: login,
    Pattern.CLICKTHROUGH: clickthrough,
    Pattern.KIOSK: kiosk,
    Pattern.EXTERNAL: external,
}


def is_for_a_page(request: HttpRequest) -> bool:
    """Whether a browser asks in order to show a page of its own; old browsers do not say."""
    return request.method == "GET" and request.headers.get("Sec-Fetch-Dest", "document") == "document"


# -- Answers ------------------------------------------------------------------------------------------------------


def to_login(request: HttpRequest) -> HttpResponse:
    """To the host's login page and back here, or to it in a window at the side (:mod:`iiif_auth.http.side`).

    ``next`` is our own path; the viewer's origin is only a parameter in it.
    """
    if conf.LOGIN_WINDOW == "side":
        return side.choice(request)
    response = HttpResponseRedirect(side.login_page(request, request.get_full_path()))
    middleware.mark(response)
    return with_headers(response, PAGE)


def confirmation(request: HttpRequest, visit: Visit, current: Terms | None = None) -> HttpResponse:
    """The page with the button. Whoever is signed in already is not asked to sign in, only whether to go on.

    Args:
        current: the version of the terms that is in force; whoever agrees to another one is shown this one.
    """
    service = visit.service
    is_login = service.pattern is Pattern.LOGIN
    heading, note = (frozen(current.heading), frozen(current.text)) if current else (service.heading, service.note)
    asked = text(request, heading) or text(request, service.label)
    context: dict[str, object] = {
        "title": _("Continue to the viewer?") if is_login else asked,
        "label": text(request, service.label),
        "note": text(request, note) if not is_login else "",
        "version": current.number if current else 0,
        "since": current.from_day if current else None,
        "anew": request.method == "POST",
        "confirm": text(request, service.confirm_label) if not is_login else "",
        "origin": visit.origin,
        "person": request.user if is_login and identify.is_signed_in(request) else None,
        "invited": is_login and not identify.is_signed_in(request),
        "handoff": reverse("iiif_auth:handoff"),
    }
    return page(request, "iiif_auth/access.html", context)


def granted(request: HttpRequest, visit: Visit, *, clicked: bool = True) -> HttpResponse:
    stuck = request.method == "GET" and _is_stuck(request, visit)
    secret = passes.grant(request, visit.service, visit.origin, clicked=clicked)
    clients.note_visit(request, secret)
    context = {
        "origin": visit.origin,
        "service": visit.service.slug,
        "window": WINDOWS.get(request.POST.get("second-window", ""), ""),
        "handoff": reverse("iiif_auth:handoff"),
        "stuck": stuck,
    }
    response = page(request, "iiif_auth/done.html", context)
    passes.set_cookie(response, secret, visit.service)
    devices.renew(request, response)
    middleware.unmark(response)
    return response


WINDOWS = {name: name for name in ("opened", "blocked", "lost")}
"""What the script of the page says of the window that carries consent back: opened in the click, blocked by the browser, or of no
use, as this tab was cut from the viewer. Without a script it says nothing."""


def _is_stuck(request: HttpRequest, visit: Visit) -> bool:
    return handoffs.is_stuck(identify.current_pass(request).facts, visit.service.slug, visit.origin)


def said(request: HttpRequest, status: int, heading: str, note: str) -> HttpResponse:
    return page(request, "iiif_auth/said.html", {"title": heading, "note": note}, status)


def page(request: HttpRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, template, {"languages": choices(request), **context}, status=status)
    response.headers["Content-Security-Policy"] = page_policy()
    return with_headers(response, PAGE)

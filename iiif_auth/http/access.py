"""The access service: a page in a tab of its own, where a person gets the aspect that the content obeys (section 3).

Nothing is granted without a click on our own page (A2-INT-04), except at a kiosk, where there is nobody to click.
"""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from iiif_auth import identify, middleware, passes, store
from iiif_auth.conf import conf
from iiif_auth.http.headers import PAGE, page_policy, with_headers
from iiif_auth.http.reading import text
from iiif_auth.policy.types import AccessService, OriginRule, Pattern
from iiif_auth.protocol import origins


@never_cache
@sensitive_post_parameters()
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def access(request: HttpRequest, slug: str) -> HttpResponse:
    """The page of one service. Parameters other than ``origin`` are ignored (A2-INT-01)."""
    service = identify.service_called(slug)
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
    return PATTERNS[service.pattern](request, service, origin)


def named_origin(request: HttpRequest) -> str | None:
    """The viewer's site; ``""`` if the viewer did not say, ``None`` if it said something that is not an origin."""
    given = request.GET.getlist("origin")
    if not given:
        return ""
    return origins.serialised(given[0], plain_http=conf.PLAIN_HTTP_VIEWERS) if len(given) == 1 else None


# -- The four patterns --------------------------------------------------------------------------------------------


def login(request: HttpRequest, service: AccessService, origin: str) -> HttpResponse:
    """Sign in at the host first; then confirm, on a page of ours, with a click."""
    if request.method == "POST" and "switch" in request.POST:
        logout(request)
    if not identify.is_signed_in(request):
        return to_login(request)
    if request.method == "POST":
        return granted(request, service, origin)
    return confirmation(request, service, origin)


def clickthrough(request: HttpRequest, service: AccessService, origin: str) -> HttpResponse:
    """Read, and agree with a click."""
    if request.method == "POST":
        return granted(request, service, origin)
    return confirmation(request, service, origin)


def kiosk(request: HttpRequest, service: AccessService, origin: str) -> HttpResponse:
    """Let in whoever is at the right place, at once, and close (A2-INT-07).

    A robot's HEAD gets nothing, nor does a picture on somebody's page, which would end the pass of whoever looks at it.
    """
    here = identify.ambient(request)
    if not is_for_a_page(request) or not identify.recognises(service, here, store.rulebook()):
        return said(
            request,
            403,
            _("This machine is not one of the library's"),
            text(request, service.error_note)
            or _("Items like this one are shown at certain machines only. Please ask at the desk."),
        )
    return granted(request, service, origin)


def external(request: HttpRequest, service: AccessService, origin: str) -> HttpResponse:
    """There is nothing to do here (A2-ACC-03), but whoever comes should be told so."""
    return said(
        request,
        200,
        text(request, service.label) or _("Recognised by address"),
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
    """To the host's login page and back here. ``next`` is our own path; the viewer's origin is only a parameter in it."""
    url = resolve_url(conf.LOGIN_URL)
    separator = "&" if "?" in url else "?"
    response = HttpResponseRedirect(f"{url}{separator}{urlencode({'next': request.get_full_path()})}")
    middleware.mark(response)
    return with_headers(response, PAGE)


def confirmation(request: HttpRequest, service: AccessService, origin: str) -> HttpResponse:
    """The page with the button. Whoever is signed in already is not asked to sign in, only whether to go on."""
    is_login = service.pattern is Pattern.LOGIN
    asked = text(request, service.heading) or text(request, service.label)
    context: dict[str, object] = {
        "title": _("Continue to the viewer?") if is_login else asked,
        "label": text(request, service.label),
        "note": text(request, service.note) if not is_login else "",
        "confirm": text(request, service.confirm_label) if not is_login else "",
        "origin": origin,
        "person": request.user if is_login else None,
    }
    return page(request, "iiif_auth/access.html", context)


def granted(request: HttpRequest, service: AccessService, origin: str) -> HttpResponse:
    secret = passes.grant(request, service, origin)
    response = page(request, "iiif_auth/done.html", {"origin": origin})
    passes.set_cookie(response, secret, service)
    middleware.unmark(response)
    return response


def said(request: HttpRequest, status: int, heading: str, note: str) -> HttpResponse:
    return page(request, "iiif_auth/said.html", {"title": heading, "note": note}, status)


def page(request: HttpRequest, template: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, template, context, status=status)
    response.headers["Content-Security-Policy"] = page_policy()
    return with_headers(response, PAGE)

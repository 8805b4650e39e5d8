"""The logout service: a GET, by specification, and so something that only ever takes away (section 6)."""

from __future__ import annotations

from django.contrib.auth import logout as logout_of_host
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from iiif_auth import identify, passes, remembering
from iiif_auth.http.access import is_for_a_page, page, said
from iiif_auth.http.reading import in_readers_language
from iiif_auth.policy.types import AccessService, Pattern


@never_cache
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
@in_readers_language
def logout(request: HttpRequest, space: str, slug: str) -> HttpResponse:
    """End the pass, its tokens and the session behind it, at once (A2-LOG-03, A2-LOG-04).

    A picture on somebody's page could ask for this address too: browsers say what a request is for, and one that is not for a
    page only gets the question (security 2.5).
    """
    service = identify.service_called(slug, space)
    if service is None:
        return said(
            request, 404, _("There is no such service"), _("The address may be out of date. You can close this tab.")
        )
    if request.method != "POST" and not is_for_a_page(request):
        return page(request, "iiif_auth/logout.html", {"title": _("Log out?")})
    return left(request, service)


def left(request: HttpRequest, service: AccessService) -> HttpResponse:
    kept = passes.leave(request, service)
    remembering.forget(request, service.slug)
    if service.pattern is Pattern.LOGIN:
        logout_of_host(request)
    response = page(request, "iiif_auth/done.html", {"left": True, "title": _("You are logged out")})
    if not kept:
        passes.delete_cookie(response)
    return response

"""Pages of the host, in two languages, with the app's URLs among them and a catch-all below."""

from __future__ import annotations

from typing import Any

from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth import authenticate, login, logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import include, path, re_path
from django.utils.http import url_has_allowed_host_and_scheme

from iiif_auth import api
from iiif_auth.http.info import InfoView


def sign_in(request: HttpRequest) -> HttpResponse:
    onwards = request.POST.get("next") or request.GET.get("next", "/")
    if request.method == "POST" and url_has_allowed_host_and_scheme(onwards, {request.get_host()}, require_https=True):
        reader = authenticate(request, email=request.POST["email"], password=request.POST["password"])
        if reader is not None:
            login(request, reader)
            return HttpResponseRedirect(onwards)
    return render(request, "archive/sign_in.html", {"next": onwards})


def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    return HttpResponse("Bye.")


@api.protect("/scans/{name}")
def scan(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(f"CANARY {name}", content_type="image/jpeg")


def page(request: HttpRequest, name: str) -> JsonResponse:
    """What templates of the host ask: may this reader see it, and what goes into a manifest?"""
    url = f"/scans/{name}"
    return JsonResponse(
        {
            "reader": api.may_see(url, user=request.user, address=request.META["REMOTE_ADDR"]),
            "browser": api.may_see(url, request=request),
            "restricted": api.is_restricted(url),
            "services": [dict(service) for service in api.services_for(url)],
        }
    )


class Info(InfoView):
    def describe(self, identifier: str) -> tuple[str, dict[str, Any]]:
        return f"/scans/{identifier}", {"@context": "http://iiif.io/api/image/3/context.json", "id": identifier}


def anything(request: HttpRequest) -> HttpResponse:
    return HttpResponse("The CMS has this page.", status=404)


urlpatterns = [
    path("iiif-auth/", include("iiif_auth.urls")),
    path("signing-in/", sign_in, name="sign-in"),
    path("signing-out/", sign_out),
    path("scans/<str:identifier>/info.json", Info.as_view()),
    path("scans/<str:name>", scan),
    path("page/<str:name>", page),
    *i18n_patterns(path("welcome/", anything)),
    re_path(r".*/$", anything),
]

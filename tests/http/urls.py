"""A site that uses the app: an image server, files behind a guard, and pages of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import include, path

from iiif_auth import api
from iiif_auth.enforce import files
from iiif_auth.http.info import InfoView
from tests.web import BASE, CANARY

FILES = Path(__file__).parent / "files"


class Info(InfoView):
    def describe(self, identifier: str) -> tuple[str, dict[str, Any]] | None:
        if identifier.startswith("secret-nothing") or identifier == "nothing":
            return None
        uri = f"/iiif/3/{identifier}"
        return uri, {
            "@context": "http://iiif.io/api/image/3/context.json",
            "id": BASE + uri,
            "type": "ImageService3",
            "protocol": "http://iiif.io/api/image",
            "profile": "level2",
            "width": 6000,
            "height": 4000,
        }


class Info2(InfoView):
    version = 2

    def describe(self, identifier: str) -> tuple[str, dict[str, Any]] | None:
        uri = f"/iiif/2/{identifier}"
        return uri, {
            "@context": "http://iiif.io/api/image/2/context.json",
            "@id": BASE + uri,
            "protocol": "http://iiif.io/api/image",
            "profile": ["http://iiif.io/api/image/2/level2.json"],
            "width": 6000,
            "height": 4000,
        }


class Bridge(InfoView):
    """Image API 2 for viewers of Auth 1.0 and, beside it, of 2.0.0."""

    version = 2
    dialects = ("1", "2")
    prefix = "/iiif/1/"

    def describe(self, identifier: str) -> tuple[str, dict[str, Any]] | None:
        if identifier.startswith("secret-nothing") or identifier == "nothing":
            return None
        document = {
            "@context": "http://iiif.io/api/image/2/context.json",
            "@id": f"{BASE}{self.prefix}{identifier}",
            "protocol": "http://iiif.io/api/image",
            "profile": ["http://iiif.io/api/image/2/level2.json"],
            "width": 6000,
            "height": 4000,
        }
        return f"/iiif/1/{identifier}", document


class Old(Bridge):
    """The same pictures at another address, for viewers of 0.9.4 and 0.9.2."""

    dialects = ("0.9.4", "0.9.2")
    prefix = "/iiif/0/"

    def address_of(self, uri: str) -> str:
        return f"{BASE}{self.prefix}{uri.rpartition('/')[2]}"


class Alpha(Info):
    """The pictures of Image API 3 at another address, for pilots."""

    dialects = ("alpha",)

    def describe(self, identifier: str) -> tuple[str, dict[str, Any]] | None:
        found = super().describe(identifier)
        return found and (found[0], {**found[1], "id": f"{BASE}/iiif/alpha/{identifier}"})

    def address_of(self, uri: str) -> str:
        return f"{BASE}/iiif/alpha/{uri.rpartition('/')[2]}"


class BrokenInfo(InfoView):
    def describe(self, identifier: str) -> tuple[str, dict[str, Any]] | None:
        raise RuntimeError("The image server is on fire.")


@api.protect("/iiif/3/{identifier}")
def image(request: HttpRequest, identifier: str, rest: str) -> HttpResponse:
    return HttpResponse(CANARY, content_type="image/jpeg", headers={"Cache-Control": "public, max-age=3600"})


@api.protect("/iiif/1/{identifier}")
def image_1(request: HttpRequest, identifier: str, rest: str) -> HttpResponse:
    return HttpResponse(CANARY, content_type="image/jpeg")


def lesser(request: HttpRequest, uri: str) -> str:
    tail = request.path.removeprefix("/iiif/0/").partition("/")[2]
    return f"/iiif/0/{uri.rpartition('/')[2]}/{tail}"


@api.protect("/iiif/1/{identifier}", degraded=lesser)
def image_0(request: HttpRequest, identifier: str, rest: str) -> HttpResponse:
    return HttpResponse(CANARY, content_type="image/jpeg")


@api.protect("/media/{name}")
def media(request: HttpRequest, name: str) -> Any:
    try:
        return files.send(request, FILES, name, "text/plain")
    except files.NoSuchFile as problem:
        raise Http404 from problem


@api.protect("/copies/{name}", take=True)
def copy(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(CANARY)


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Welcome.")


def moved(request: HttpRequest) -> HttpResponse:
    return HttpResponseRedirect("/plain")


def forbidden(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def boom(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("Boom.")


urlpatterns = [
    path("iiif-auth/", include("iiif_auth.urls")),
    path("accounts/login/", LoginView.as_view()),
    path("accounts/logout/", LogoutView.as_view()),
    path("iiif/3/<str:identifier>/info.json", Info.as_view(), name="info"),
    path("iiif/2/<str:identifier>/info.json", Info2.as_view(), name="info-2"),
    path("iiif/1/<str:identifier>/info.json", Bridge.as_view(), name="info-1"),
    path("iiif/0/<str:identifier>/info.json", Old.as_view(), name="info-0"),
    path("iiif/alpha/<str:identifier>/info.json", Alpha.as_view(), name="info-alpha"),
    path("broken/<str:identifier>/info.json", BrokenInfo.as_view(), name="info-broken"),
    path("iiif/3/<str:identifier>/<path:rest>", image, name="image"),
    path("iiif/1/<str:identifier>/<path:rest>", image_1, name="image-1"),
    path("iiif/0/<str:identifier>/<path:rest>", image_0, name="image-0"),
    path("media/<str:name>", media, name="media"),
    path("copies/<str:name>", copy, name="copy"),
    path("plain", plain, name="plain"),
    path("moved", moved, name="moved"),
    path("forbidden", forbidden, name="forbidden"),
    path("boom", boom, name="boom"),
]

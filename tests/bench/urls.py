"""The pages that are measured, and the empty one they are measured against."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from iiif_auth.enforce import guard
from iiif_auth.http.info import InfoView

INFO = {
    "@context": "http://iiif.io/api/image/3/context.json",
    "id": "http://localhost:8000/iiif/3/page",
    "type": "ImageService3",
    "protocol": "http://iiif.io/api/image",
    "profile": "level2",
    "width": 6000,
    "height": 4000,
}


def empty(request: HttpRequest) -> JsonResponse:
    return JsonResponse({})


def content(request: HttpRequest, identifier: str) -> HttpResponse:
    """What nginx asks before it sends a tile: only whether it may."""
    return guard.refusal(request, f"/iiif/3/{identifier}") or HttpResponse(status=204)


class Info(InfoView):
    def describe(self, identifier: str) -> tuple[str, dict[str, object]]:
        return f"/iiif/3/{identifier}", dict(INFO)


urlpatterns = [
    path("empty", empty),
    path("content/<str:identifier>", content),
    path("iiif/3/<str:identifier>/info.json", Info.as_view()),
    path("iiif-auth/", include("iiif_auth.urls")),
    path("", include("iiif_auth.doorways")),
]

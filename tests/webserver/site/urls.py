"""URLs of the library behind the stacks."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import include, path


def empty(request: HttpRequest) -> JsonResponse:
    """What everything else is measured against."""
    return JsonResponse({})


urlpatterns = [
    path("empty", empty),
    path("iiif-auth/", include("iiif_auth.urls")),
    path("", include("iiif_auth.doorways")),
]

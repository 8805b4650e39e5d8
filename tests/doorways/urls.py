"""A site whose content is all behind doors."""

from __future__ import annotations

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Welcome.")


urlpatterns = [
    path("iiif-auth/", include("iiif_auth.urls")),
    path("accounts/login/", LoginView.as_view()),
    path("plain", plain),
    path("", include("iiif_auth.doorways")),
]

"""The guarded content of :mod:`tests.http.urls`, and the login pages of the demo site."""

from __future__ import annotations

from django.urls import include, path

from project.urls import urlpatterns as demo
from tests.http.urls import urlpatterns as guarded

urlpatterns = [
    path("accounts/", include("project.provider_urls")),
    path("accounts/", include("allauth.urls")),
    *guarded,
    *demo,
]

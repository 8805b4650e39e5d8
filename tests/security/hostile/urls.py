"""Everything of the app, and every door served by Django."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("iiif-auth/", include("iiif_auth.urls")), path("", include("iiif_auth.doorways"))]

"""The URLs of the app; include them anywhere, above a CMS's catch-all. No path ends in a slash (hosts.md, C8)."""

from __future__ import annotations

from django.urls import path

from iiif_auth.http.access import access
from iiif_auth.http.logout import logout
from iiif_auth.http.probe import ProbeView
from iiif_auth.http.token import token

app_name = "iiif_auth"
urlpatterns = [
    path("2/access/<str:slug>", access, name="access"),
    path("2/token/<str:slug>", token, name="token"),
    path("2/logout/<str:slug>", logout, name="logout"),
    path("2/probe/<str:reference>", ProbeView.as_view(), name="probe"),
]

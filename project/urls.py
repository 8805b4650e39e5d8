"""URLs of the demo site."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path

from project import content, language, manifests, pages

FLAVOUR = r"(?P<flavour>mixed|1|0|alpha)"
IDENTIFIER = r"(?P<identifier>[a-z0-9~-]+)"
PIECE = r"(?P<folder>[a-z0-9-]+)/(?P<name>[a-z0-9-]+\.(?:m3u8|mpd|ts|mp4|m4s|key))"
PARAMETERS = r"(?P<region>[^/]+)/(?P<size>[^/]+)/(?P<rotation>[^/]+)/(?P<quality>[^/.]+)\.(?P<format>[^/.]+)"

urlpatterns = [
    path("", pages.home, name="home"),
    path("items/<slug:slug>/", pages.item, name="item"),
    path("place/", pages.place, name="place"),
    path("language/", language.choose, name="language"),
    path("iiif/collection.json", manifests.collection, name="collection"),
    path("iiif/manifests/<slug:slug>.json", manifests.manifest, name="manifest"),
    re_path(rf"^iiif/{FLAVOUR}/collection\.json$", manifests.collection, name="collection"),
    re_path(rf"^iiif/{FLAVOUR}/manifests/(?P<slug>[-\w]+)\.json$", manifests.manifest, name="manifest"),
    re_path(rf"^iiif/image/3/{IDENTIFIER}/info\.json$", content.Info.as_view()),
    re_path(rf"^iiif/image/2/{IDENTIFIER}/info\.json$", content.Info2.as_view()),
    re_path(rf"^iiif/0/image/2/{IDENTIFIER}/info\.json$", content.InfoOld.as_view()),
    re_path(rf"^iiif/alpha/image/3/{IDENTIFIER}/info\.json$", content.InfoAlpha.as_view()),
    re_path(rf"^iiif/image/(?P<version>[23])/{IDENTIFIER}/{PARAMETERS}$", content.image),
    re_path(rf"^iiif/alpha/image/(?P<version>3)/{IDENTIFIER}/{PARAMETERS}$", content.image),
    re_path(rf"^iiif/0/image/(?P<version>2)/{IDENTIFIER}/{PARAMETERS}$", content.image_old),
    re_path(rf"^iiif/(?:0|alpha)/image/(?P<version>[23])/{IDENTIFIER}/?$", content.described_elsewhere),
    re_path(rf"^iiif/image/(?P<version>[23])/{IDENTIFIER}/?$", content.described_elsewhere),
    path("media/<str:name>", content.media),
    path("media/delivered/<str:name>", content.delivered),
    re_path(rf"^films/{PIECE}\Z", content.piece),
    path("iiif-auth/", include("iiif_auth.urls")),
    *([path("accounts/", include("project.provider_urls"))] if settings.WAYS.elsewhere else []),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]

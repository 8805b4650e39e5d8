"""The demo's content behind the app's door: pictures, film, sound, papers."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from iiif_auth import api
from iiif_auth.enforce import files
from iiif_auth.enforce.imagepath import Version
from iiif_auth.http.info import InfoView
from project.images import library, views

VERSIONS: dict[str, Version] = {"2": 2, "3": 3}
MEDIA = {
    "film.webm": "video/webm",
    "film-small.webm": "video/webm",
    "song.webm": "audio/webm",
    "song-clip.webm": "audio/webm",
    "report.pdf": "application/pdf",
}


class Info(InfoView):
    """info.json of the demo's pictures, Image API 3."""

    def describe(self, identifier: str) -> tuple[str, Any] | None:
        path = f"/iiif/image/{self.version}/{identifier}"
        document = library.describe(identifier, cast("Version", self.version), settings.BASE_URL + path)
        return None if document is None else (path, document)


class Info2(Info):
    version = 2


@require_safe
@api.protect("/iiif/image/{version}/{identifier}")
def image(request: HttpRequest, /, version: str, identifier: str, **parameters: str) -> HttpResponseBase:
    return views.image(request, VERSIONS[version], identifier, **parameters)


@require_safe
def described_elsewhere(request: HttpRequest, version: str, identifier: str) -> HttpResponseBase:
    """The base URI of an image sends on to its info.json, whether the image exists or not (A2-INFO-02)."""
    response = HttpResponse(status=303)
    response.headers["Location"] = f"{settings.BASE_URL}/iiif/image/{version}/{identifier}/info.json"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@require_safe
@api.protect("/media/{name}")
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    return file(request, name)


@require_safe
@api.protect("/media/delivered/{name}")
def delivered(request: HttpRequest, name: str) -> HttpResponseBase:
    """Where a film really is: the probe sends those who may see it here."""
    return file(request, name)


def file(request: HttpRequest, name: str) -> HttpResponseBase:
    try:
        return files.send(request, settings.DEMO_DATA / "media", name, MEDIA[name])
    except (KeyError, files.NoSuchFile):
        return JsonResponse({"error": "There is no such file."}, status=404)

"""The demo's content behind the app's door: pictures, film, sound, papers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_http_methods, require_safe

from iiif_auth import api
from iiif_auth.enforce import files
from iiif_auth.enforce.imagepath import Version
from iiif_auth.http.info import InfoView
from project.images import pictures, views

require_viewing = require_http_methods(["GET", "HEAD", "OPTIONS"])
"""OPTIONS is answered by the app: some viewers ask before they look (A2A-HEAD-03)."""

VERSIONS: dict[str, Version] = {"2": 2, "3": 3}
MEDIA = {
    "film.webm": "video/webm",
    "film-small.webm": "video/webm",
    "film.mp4": "video/mp4",
    "song.webm": "audio/webm",
    "song-clip.webm": "audio/webm",
    "report.pdf": "application/pdf",
}
PIECES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".key": "application/octet-stream",
}


class Info(InfoView):
    """info.json of the demo's pictures, Image API 3."""

    def describe(self, identifier: str) -> tuple[str, Any] | None:
        path = f"/iiif/image/{self.version}/{identifier}"
        document = pictures.describe(identifier, cast("Version", self.version), settings.BASE_URL + path)
        return None if document is None else (path, document)


class Info2(Info):
    """Image API 2, and a bridge: viewers of Auth 1.0 ask this description itself, those of 2.0.0 find its probe."""

    version = 2
    dialects = ("1", "2")


class Elsewhere(Info):
    """The same pictures at another address, for versions that are not to meet the others in one document (C5, C15).

    The app knows each picture by the address it has under ``/iiif/image/``; these only stand before it.
    """

    prefix = ""

    def describe(self, identifier: str) -> tuple[str, Any] | None:
        found = super().describe(identifier)
        if found is None:
            return None
        key = "@id" if self.version == 2 else "id"
        return found[0], {**found[1], key: settings.BASE_URL + self.prefix + identifier}

    def address_of(self, uri: str) -> str:
        return settings.BASE_URL + self.prefix + uri.rpartition("/")[2]


class InfoOld(Elsewhere):
    version = 2
    dialects = ("0.9.4", "0.9.2")
    prefix = "/iiif/0/image/2/"


class InfoAlpha(Elsewhere):
    dialects = ("alpha",)
    prefix = "/iiif/alpha/image/3/"


def lesser(request: HttpRequest, uri: str) -> str:
    """The same part of a lesser version: what follows the identifier stays (A092-CONT-02)."""
    tail = request.path.removeprefix(InfoOld.prefix).partition("/")[2]
    return f"{InfoOld.prefix}{uri.rpartition('/')[2]}/{tail}"


@require_viewing
@api.protect("/iiif/image/{version}/{identifier}")
def image(request: HttpRequest, /, version: str, identifier: str, **parameters: str) -> HttpResponseBase:
    return views.image(request, VERSIONS[version], identifier, **parameters)


@require_viewing
@api.protect("/iiif/image/{version}/{identifier}", degraded=lesser)
def image_old(request: HttpRequest, /, version: str, identifier: str, **parameters: str) -> HttpResponseBase:
    return views.image(request, VERSIONS[version], identifier, **parameters)


@require_safe
def described_elsewhere(request: HttpRequest, version: str, identifier: str) -> HttpResponseBase:
    """The base URI of an image sends on to its info.json, whether the image exists or not (A2-INFO-02)."""
    response = HttpResponse(status=303)
    response.headers["Location"] = f"{settings.BASE_URL}{request.path.rstrip('/')}/info.json"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@require_viewing
@api.protect("/media/{name}")
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    return file(request, name)


@require_viewing
@api.protect("/media/delivered/{name}")
def delivered(request: HttpRequest, name: str) -> HttpResponseBase:
    """Where a film really is: the probe sends those who may see it here."""
    return file(request, name)


@require_viewing
@api.protect("/films/{folder}/index.m3u8")
def piece(request: HttpRequest, folder: str, name: str) -> HttpResponseBase:
    """A playlist, a piece or the key of a film: decided as the film it belongs to, so under the folder it is in (P11)."""
    try:
        return files.send(request, settings.DEMO_DATA / "films", f"{folder}/{name}", PIECES[Path(name).suffix])
    except files.NoSuchFile:
        return missing()


def file(request: HttpRequest, name: str) -> HttpResponseBase:
    try:
        return files.send(request, settings.DEMO_DATA / "media", name, MEDIA[name])
    except (KeyError, files.NoSuchFile):
        return missing()


def missing() -> HttpResponse:
    return JsonResponse({"error": "There is no such file."}, status=404)

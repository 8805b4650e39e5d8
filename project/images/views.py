"""The image requests of the demo, with no access control: the project wraps that around them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse

from iiif_auth.enforce.imagepath import BadImageRequest, Version, parse
from project.images.pictures import PROFILE_LINKS, describe, render

__all__ = ["describe", "image"]


def image(
    request: HttpRequest,
    version: Version,
    identifier: str,
    region: str,
    size: str,
    rotation: str,
    quality: str,
    format: str,
) -> HttpResponse:
    try:
        rendered = render(identifier, parse(version, region, size, rotation, quality, format))
    except BadImageRequest as bad:
        return _refusal(400, str(bad))
    if rendered is None:
        return _refusal(404, "There is no such picture here.")
    content, content_type = rendered
    return _open(HttpResponse(content, content_type=content_type, headers={"Link": PROFILE_LINKS[version]}))


def _refusal(status: int, sentence: str) -> HttpResponse:
    return _open(JsonResponse({"error": sentence}, status=status))


def _open(response: HttpResponse) -> HttpResponse:
    """Viewers on other sites draw pictures on a canvas; without this header the browser keeps the pixels from them."""
    response["Access-Control-Allow-Origin"] = "*"
    return response

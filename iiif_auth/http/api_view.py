"""A DRF view that the host's defaults cannot bend (hosts.md, C4)."""

from __future__ import annotations

import logging
from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from iiif_auth.http.headers import CORS, NEVER_STORE, PREFLIGHT, with_headers

logger = logging.getLogger("iiif_auth.http")


class LinkedJSONRenderer(JSONRenderer):
    """The same JSON under the name that JSON-LD has."""

    media_type = "application/ld+json"
    format = "jsonld"


class AnswerAnyway(BaseContentNegotiation):
    """Answers JSON whatever is asked for; ``?format`` and ``Accept`` change nothing but the name of the type."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return next(iter(parsers))

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        plain, linked = renderers
        chosen = linked if linked.media_type in request.headers.get("Accept", "") else plain
        return chosen, chosen.media_type


class PublicView(APIView):
    """Everything that a project's DRF settings could change is pinned here."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (JSONParser,)
    renderer_classes = (JSONRenderer, LinkedJSONRenderer)
    content_negotiation_class = AnswerAnyway
    versioning_class = None
    schema = None
    http_method_names = ("get", "head", "options")

    def options(self, request: Request, *args: object, **kwargs: object) -> HttpResponse:  # type: ignore[override]
        """The same preflight for everything, existing or not (A2-PRB-18, security C9); the alpha wants exactly 200."""
        return with_headers(HttpResponse(status=200), PREFLIGHT)

    def handle_exception(self, exc: Exception) -> Response:
        """Whatever goes wrong, viewers get an answer they can read (security C10), and it is not a yes (INV6)."""
        if isinstance(exc, MethodNotAllowed):
            allowed = {"Allow": ", ".join(self.allowed_methods)}
            return with_headers(Response({"error": "Ask with GET."}, status=405), {**CORS, **NEVER_STORE, **allowed})
        logger.error("%s could not answer.", type(self).__name__, exc_info=exc)
        return self.out_of_order()

    def out_of_order(self) -> Response:
        return with_headers(Response({"error": "Something went wrong here."}, status=500), {**CORS, **NEVER_STORE})

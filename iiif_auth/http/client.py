"""The client identity service of Auth 0.9.2: a registered viewer's own server shows its secret and gets a code (section 2.4)."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from iiif_auth import clients, identify
from iiif_auth.http.headers import NEVER_STORE, with_headers
from iiif_auth.protocol import dialects, v092
from iiif_auth.protocol.terms import JSON

MOST_BYTES = 4096


@csrf_exempt
@require_POST
@sensitive_variables("given", "code")
def client(request: HttpRequest, space: str, slug: str) -> HttpResponse:
    """A code for a login and a token (A092-CID-02), or why not (A092-CID-03). From server to server: no CORS, no cookie."""
    service = identify.service_called(slug, space)
    dialect = dialects.spoken(space, service, origin=False) if service else None
    given = _body(request)
    if service is None or dialect is None or dialect.names_origin or given is None:
        return _answer(*v092.client_error("invalidRequest"))
    code, problem = clients.code_for(service, given)
    return _answer(*v092.client_error(problem)) if problem else _answer(200, {"authorizationCode": code})


def _body(request: HttpRequest) -> object:
    """What was sent, if it is JSON of a sensible size; else ``None``."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > MOST_BYTES:
        return None
    try:
        found: object = json.loads(request.read(MOST_BYTES))
    except (RecursionError, ValueError):
        return None
    return found


def _answer(status: int, body: JSON) -> HttpResponse:
    return with_headers(JsonResponse(body, status=status), NEVER_STORE)

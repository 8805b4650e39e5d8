"""The check: may this reader have that, and where is it? For web servers that send the bytes themselves, and for image servers.

It answers 200 with what to fetch, rebuilt from the parts that were read (security 1.2), or 401 or 403 with nothing; a redirect,
a 304 or a 404 would come out of nginx as an error (2.6). It believes only a web server that says ``CHECK_SECRET``, because
whoever may set its headers may ask for anybody. If nothing can be decided it answers 503, which web servers take for a no.
"""

from __future__ import annotations

import hmac
import json
import logging
from dataclasses import dataclass, field
from typing import Any

from django.db import Error, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.cookie import parse_cookie
from django.views.decorators.csrf import csrf_exempt

from iiif_auth import identify, store, upstream
from iiif_auth.conf import conf
from iiif_auth.enforce import doors, guard, scaled, signed
from iiif_auth.enforce.imagepath import BadImageRequest
from iiif_auth.fetch import NotFetched
from iiif_auth.policy.types import FULL, Allowed, Rendition
from iiif_auth.protocol.terms import content_status

logger = logging.getLogger("iiif_auth.check")

METHODS = ("GET", "HEAD")
EVERYBODYS = "public, max-age=60"
ONES_OWN = "private, no-cache"
MOST_BODY = 20_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a web server is told: a status and, with 200, what to fetch and how to send it.

    Attributes:
        upstream: the path below the door's upstream or root for this very request, percent-encoded.
        source: the item alone, likewise; together with what the server itself read of the rest it makes the same path.
        file: the decoded path below the door's root, or nothing for image servers.
        folder: for folders, that of the item alone; together with what the server read of the rest it makes the same path.
        rest: what to ask of the item instead, for versions cut on the fly; then each request must be asked.
        max_edge: the longest edge in pixels of what may be had, if that is not all.
    """

    status: int
    door: str = ""
    upstream: str = ""
    source: str = ""
    file: str = ""
    folder: str = ""
    rest: str = ""
    tier: str = ""
    cache: str = ""
    max_edge: int | None = None
    reason: str = field(default="", compare=False)

    @property
    def headers(self) -> dict[str, str]:
        named = {
            "X-IIIF-Door": self.door,
            "X-IIIF-Upstream": self.upstream,
            "X-IIIF-Source": self.source,
            # Header bytes are Latin-1 to WSGI; what the server reads is UTF-8.
            "X-IIIF-File": self.file.encode().decode("latin-1"),
            "X-IIIF-Folder": self.folder.encode().decode("latin-1"),
            "X-IIIF-Rest": self.rest,
            "X-IIIF-Tier": self.tier,
            "X-IIIF-Cache": self.cache,
        }
        # What is kept is kept for an item: nothing that depends on what was asked of it.
        every_time = {"X-Accel-Expires": "0"} if self.rest or self.reason or self.status not in (200, 401, 403) else {}
        return {"Cache-Control": "no-store", **{name: value for name, value in named.items() if value}, **every_time}


NO = Answer(403)


@csrf_exempt
@transaction.non_atomic_requests
def check(request: HttpRequest) -> HttpResponse:
    """``GET``: by headers, for web servers. ``POST``: by JSON, for image servers (HTTP 200, the status in the body)."""
    if request.method == "POST" and is_ours(request):
        return _told(request)
    return _said(answered(request))


def answered(request: HttpRequest) -> Answer:
    """What is said to whoever asks by headers."""
    if not is_ours(request):
        return NO
    return answer(request, request.META.get("HTTP_X_ORIGINAL_URI", ""), request.META.get("HTTP_X_IIIF_BASE", ""))


def is_ours(request: HttpRequest) -> bool:
    """Whether a web server of ours asks (security P10)."""
    said, secret = request.META.get("HTTP_X_IIIF_AUTH_SECRET", ""), conf.CHECK_SECRET
    if secret and hmac.compare_digest(said.encode(), secret.encode()):
        return True
    logger.warning("A check without the right secret was refused; see CHECK_SECRET in IIIF_AUTH_FLOW.")
    return False


def answer(request: HttpRequest, target: str, base: str = "") -> Answer:
    """May whoever sent this request have what is at this target, and where is it?

    ``request`` brings cookie, address and, with HEAD, a token; its method is that of the check, not the reader's.
    """
    method = request.META.get("HTTP_X_ORIGINAL_METHOD", "GET")
    if method not in METHODS:
        return Answer(403, reason="method")
    try:
        asked = doors.asked(target, base)
        return _decided(request, method, asked)
    except (doors.NotCanonical, BadImageRequest, signed.NotSigned) as refusal:
        return Answer(403, reason=str(refusal))
    except (store.RulesInMotion, Error, NotFetched, upstream.BadDescription):
        logger.exception("Nothing can be decided about a request, so it is refused.")
        return Answer(503)


def _decided(request: HttpRequest, method: str, asked: doors.Asked) -> Answer:
    request.method = method
    if asked.ticket:
        request.iiif_auth_ticket = signed.read(asked.ticket)  # type: ignore[attr-defined]
    verdict = guard.verdict(request, asked.uri)
    if not isinstance(verdict.decision, Allowed):
        # What is not there is refused like what one may not have: nginx would make an error of a 404.
        return Answer(401 if content_status(verdict.decision) == 401 else 403)
    identify.keep_alive(request, verdict.offer)
    return _let_in(asked, verdict.decision.rendition, everybodys=verdict.everybodys)


def _let_in(asked: doors.Asked, rendition: Rendition, *, everybodys: bool) -> Answer:
    """Where the bytes are."""
    rest = virtual_rest(asked, rendition)
    path = doors.upstream_path(asked, rendition, rest or None)
    source = doors.source_of(asked, rendition)
    return Answer(
        200,
        door=asked.door.name,
        upstream=path,
        source=doors.quoted(asked.door, source),
        file="/".join(filter(None, (source, asked.rest))) if asked.door.root else "",
        folder=source if asked.door.root and asked.door.serves is doors.Serves.FOLDERS else "",
        rest=rest,
        tier=rendition.tier,
        cache=EVERYBODYS if everybodys else ONES_OWN,
        max_edge=None if rendition.reach == FULL else rendition.reach,
    )


def virtual_rest(asked: doors.Asked, rendition: Rendition) -> str:
    """What to ask of the large picture for a part of a version cut on the fly; empty if this is none.

    Raises:
        BadImageRequest: this version has no such part, or it was asked for its description, which would be the large picture's.
        iiif_auth.fetch.NotFetched, iiif_auth.upstream.BadDescription: the size of the large picture can not be found out.
    """
    if rendition.virtual is None:
        return ""
    if asked.image is None:
        raise BadImageRequest("This version is described by the site, and cut from pictures only.")
    size = upstream.describe(asked.door, doors.source_of(asked, rendition))
    return scaled.translated(asked.image, rendition.virtual, size.width, size.height)


def _said(found: Answer) -> HttpResponse:
    response = HttpResponse(status=found.status, headers=found.headers)
    del response.headers["Content-Type"]
    return response


# -- For image servers --------------------------------------------------------------------------------------------


class Reader(HttpRequest):
    """Somebody about whom an image server asks, in the words of its delegate."""

    def __init__(self, cookie: str, address: str, token: str, method: str) -> None:
        super().__init__()
        self.method = method
        self.COOKIES = parse_cookie(cookie)
        # The image server speaks for as many proxies as are ours: it knows only who is beyond them.
        forwarded = ", ".join([address] * conf.TRUSTED_PROXIES)
        self.META = {
            "HTTP_COOKIE": cookie,
            "REMOTE_ADDR": address,
            "HTTP_X_FORWARDED_FOR": forwarded,
            "HTTP_X_ORIGINAL_METHOD": method,
            **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token and method == "HEAD" else {}),
        }


def _told(request: HttpRequest) -> HttpResponse:
    try:
        said = _texts(request)
    except ValueError as error:
        return JsonResponse({"status": 403, "error": str(error)}, status=400)
    reader = Reader(said["cookie"], said["address"], said["token"], said["method"] or "GET")
    found = answer(reader, said["uri"], said["base"])
    body = {
        "status": found.status,
        **{name: getattr(found, name) for name in ("door", "source", "upstream", "tier", "max_edge", "cache")},
        **({"reason": found.reason} if found.reason else {}),
    }
    return JsonResponse(body, headers={"Cache-Control": "no-store"})


def _texts(request: HttpRequest) -> dict[str, str]:
    """The words of a delegate.

    Raises:
        ValueError: they are not what was agreed on.
    """
    if len(request.body) > MOST_BODY:
        raise ValueError("The question is too long.")
    try:
        said: Any = json.loads(request.body)
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ValueError("Send an object in JSON, in UTF-8.") from error
    if not isinstance(said, dict) or not isinstance(said.get("uri"), str):
        raise ValueError("Send an object with “uri”, the path and query that were asked for.")
    names = ("uri", "base", "method", "cookie", "address", "token")
    texts = {name: said.get(name) or "" for name in names}
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError(f"All of {', '.join(names)} are texts.")
    return texts

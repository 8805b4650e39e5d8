"""The token service: a page in a hidden frame that posts the viewer a token, or says why not (section 4).

Every page is HTTP 200, an error too (A2-TOK-02, A1-TOK-05). Up to the alpha, whoever names no ``messageId`` is no browser and
gets the same as plain JSON (A1-TOK-01).
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_GET

from iiif_auth import clients, devices, handoffs, identify, passes, storage_access, store, twins
from iiif_auth.conf import conf
from iiif_auth.http.headers import NEVER_STORE, TOKEN_PAGE, token_policy, with_headers
from iiif_auth.http.reading import in_readers_language, languages
from iiif_auth.policy.types import AccessService, OriginRule, Pattern
from iiif_auth.protocol import dialects, origins
from iiif_auth.protocol.dialect import Dialect
from iiif_auth.protocol.terms import JSON, JSON_STATUS, Problem

logger = logging.getLogger("iiif_auth.token")

MAX_MESSAGE_ID = 4096
"""Some viewers use a whole URL as ``messageId``, 2 kB long (browsers.md, section 8)."""

LISTENING = 6
"""Seconds for which a frame waits for a code that is on its way; some viewers give up not long after."""

FRAMES = ("iframe", "frame", "embed", "object", "empty", "")


@dataclass(frozen=True, slots=True)
class Asked:
    """The parameters of a request, as far as they could be understood.

    ``origin`` is the viewer's site, ``""`` if it names none and ``None`` if it names something that is none.
    """

    message_id: str
    origin: str | None
    for_a_frame: bool
    sound_id: bool

    @property
    def target(self) -> str:
        """Where a message goes. An error that can go nowhere else goes to everybody: it holds no secret (A2-ERR-04)."""
        return self.origin or "*"

    def understood(self, dialect: Dialect) -> bool:
        """Whether this can be answered. Who is to get a token must be said, in the versions that can say it (security T5)."""
        if self.answered_as_json(dialect):
            return self.origin is not None
        named = bool(self.origin) or (self.origin == "" and not dialect.names_origin)
        return self.sound_id and named

    def answered_as_json(self, dialect: Dialect) -> bool:
        return dialect.answers_json and not self.for_a_frame


def asked(request: HttpRequest) -> Asked:
    """``messageId`` and ``origin``, each at most once."""
    message_ids, given = request.GET.getlist("messageId"), request.GET.getlist("origin")
    message_id = message_ids[0] if len(message_ids) == 1 else ""
    short = len(message_id) <= MAX_MESSAGE_ID
    sound = len(message_ids) == 1 and short
    return Asked(message_id if short else "", _origin(given), bool(message_ids), sound)


def _origin(given: list[str]) -> str | None:
    if not given:
        return ""
    return origins.serialised(given[0], plain_http=conf.PLAIN_HTTP_VIEWERS) if len(given) == 1 else None


@require_GET
@xframe_options_exempt
@in_readers_language
def token(request: HttpRequest, space: str, slug: str) -> HttpResponse:
    """Post a token to exactly the origin named, or an error. A version without origins posts to ``*`` (A092-TOK-03)."""
    ask = asked(request)
    dialect = dialects.assumed(space, origin=ask.origin != "")
    ladder: JSON | None = None
    try:
        service = identify.service_called(slug, space)
        dialect = (dialects.spoken(space, service, origin=ask.origin != "") if service else None) or dialect
        found = answer(request, dialect, service, ask)
        body = _told(request, dialect, service, found)
        secret = devices.renewed(request)
        if found in CLIMBED and not ask.answered_as_json(dialect):
            ladder = rungs(ask, space, slug)
    except Exception as error:  # whatever happened, a viewer waits for a message, and an error is not a token (INV6)
        logger.error("The token service could not answer.", exc_info=error)
        found = Problem.UNAVAILABLE
        body, secret = dialect.error(found, None, ("en",)), None
    if ask.answered_as_json(dialect):
        return plain(body, JSON_STATUS[found] if isinstance(found, Problem) else 200)
    response = page(request, {**body, "messageId": ask.message_id}, ask.target, ladder)
    if secret is not None:
        devices.set_cookie(response, secret)
    return carried(request, response, ask, found)


CLIMBED = (Problem.MISSING_ASPECT, Problem.INVALID_ASPECT, Problem.EXPIRED_ASPECT)
"""What is missing here may yet be found on another rung: the browser keeps a cookie back, or a code is on its way."""


def rungs(ask: Asked, space: str, slug: str) -> JSON:
    """What the frame may still try before it posts the error: where to redeem a code, and for how many seconds to listen for one.

    It listens only while a code for this very site is on its way; otherwise the error is posted at once.
    """
    listen = LISTENING if handoffs.pending(ask.origin or "") else 0
    query = urlencode({"messageId": ask.message_id, **({"origin": ask.origin} if ask.origin else {})})
    place = reverse("iiif_auth:redeem", kwargs={"space": space, "slug": slug})
    return {"listen": listen, "redeem": f"{place}?{query}", "origin": ask.origin or ""}


def carried(request: HttpRequest, response: HttpResponse, ask: Asked, found: Problem | Drawn) -> HttpResponse:
    """The page with what else carries access: a twin of the cookie, or a word to a browser that kept the cookie back."""
    if isinstance(found, Problem):
        storage_access.retried(request, response, ask.origin or "")
        return response
    storage_access.kept(request, response)
    if found.twin:
        twins.set_cookie(response, found.twin, found.whole)
    return response


@dataclass(frozen=True, slots=True)
class Drawn:
    """A new token and its life in seconds; the secret of a new twin, if there is one, and the seconds that the pass still has."""

    token: str = field(repr=False)
    seconds: int
    twin: str = field(default="", repr=False)
    whole: int = 0


def _told(request: HttpRequest, dialect: Dialect, service: AccessService | None, found: Problem | Drawn) -> JSON:
    if isinstance(found, Problem):
        return dialect.error(found, service, languages(request))
    return dialect.token(found.token, found.seconds)


def answer(request: HttpRequest, dialect: Dialect, service: AccessService | None, ask: Asked) -> Problem | Drawn:
    """A new token, or what is wrong."""
    as_json = ask.answered_as_json(dialect)
    if service is None or not ask.understood(dialect) or not _may_be_answered(request, as_json):
        return Problem.INVALID_REQUEST
    # Plain JSON is read by whoever asked and by no site: browsers keep it from them, as there is no CORS on it.
    found = problem_or_pass(request, service, None if as_json else ask.origin)
    if isinstance(found, Problem):
        return found
    holder = found.facts.id if found.facts else None
    if not dialect.names_origin and not clients.use_code(request.GET.getlist("code"), service, holder):
        return Problem.INVALID_CLIENT
    return _drawn(request, dialect, service, ask, found.facts)


def _drawn(
    request: HttpRequest, dialect: Dialect, service: AccessService, ask: Asked, facts: store.PassFacts | None
) -> Problem | Drawn:
    """A token of this pass, and a twin for whoever is in a frame and brings none."""
    framed = facts is not None and not ask.answered_as_json(dialect)
    twin = twins.lacking(request, ask.origin or "") if framed else ""
    minted = passes.mint(service, dialect.name, ask.origin or "", facts, twin=twin)
    if minted is None:
        return Problem.INVALID_ASPECT
    log_drawn(_mode(request, facts), service, ask.origin)
    whole = max(1, int((facts.ends - timezone.now()).total_seconds())) if facts else 0
    return Drawn(*minted, twin, whole)


def _mode(request: HttpRequest, facts: store.PassFacts | None) -> str:
    if facts is None:
        return "place"
    return "cookie" if identify.cookie_secret(request) else "partitioned"


def log_drawn(mode: str, service: AccessService, origin: str | None) -> None:
    """Say by what a token came: ``cookie``, ``partitioned`` cookie, ``handoff``, ``signed`` (no cookie at all), ``place``."""
    logger.debug("A token by %s for %s at %s.", mode, service.slug, origin or "a viewer that does not say where")


def _may_be_answered(request: HttpRequest, as_json: bool) -> bool:
    """Refuse what a browser says is a script, an image or a page of its own (security T10).

    JSON is for programs that are no browser; one that says it asks for another site is refused.
    """
    if as_json:
        return request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin", "same-site")
    return request.headers.get("Sec-Fetch-Dest", "") in FRAMES and request.headers.get("Sec-Fetch-Mode") != "cors"


def problem_or_pass(request: HttpRequest, service: AccessService, origin: str | None) -> Problem | identify.CurrentPass:
    """What is wrong with the aspect, or the pass that carries it (decision table, requirements 2.7).

    ``origin`` is the site that will read the answer, ``""`` if any may, ``None`` if none will.
    """
    if service.pattern is Pattern.EXTERNAL:
        return _place(request, service, origin)
    found = identify.current_pass(request) if origin is None else identify.framed_pass(request, origin)
    return problem_of(found, service, origin) or found


def problem_of(found: identify.CurrentPass, service: AccessService, origin: str | None) -> Problem | None:
    """What is wrong with a pass, for a token of this service at this site."""
    problem = PROBLEMS[found.standing]
    if problem is not None or found.facts is None:
        return problem or Problem.MISSING_ASPECT
    if service.slug not in found.facts.agreements:
        return Problem.MISSING_ASPECT
    if origin is None or identify.may_use_origin(service, origin, found.facts):
        return None
    return Problem.INVALID_ORIGIN


PROBLEMS: dict[identify.Standing, Problem | None] = {
    identify.Standing.ABSENT: Problem.MISSING_ASPECT,
    identify.Standing.UNKNOWN: Problem.INVALID_ASPECT,
    identify.Standing.EXPIRED: Problem.EXPIRED_ASPECT,
    identify.Standing.SOUND: None,
}


def _place(request: HttpRequest, service: AccessService, origin: str | None) -> Problem | identify.CurrentPass:
    """For a service that looks only at where somebody is there was no visit, so there is no confirmed origin (requirements 5.3).

    The token of an enrolled machine is drawn from the machine's own pass, so that it says where that stands, and ends with it.
    """
    if not identify.recognises(service, identify.standing_here(request), store.rulebook()):
        return Problem.MISSING_ASPECT
    if origin is not None and service.origin_rule is OriginRule.LISTED and origin not in service.origins:
        return Problem.INVALID_ORIGIN
    own = identify.machine(request)
    return identify.CurrentPass(identify.Standing.SOUND if own else identify.Standing.ABSENT, own)


def page(request: HttpRequest, message: JSON, target: str, ladder: JSON | None = None) -> HttpResponse:
    """The page that posts a message; with a ladder, only once it has tried what that says."""
    nonce = secrets.token_urlsafe(16)
    envelope: JSON = {"message": message, "targetOrigin": target}
    template = "iiif_auth/token.html"
    if ladder is not None:
        envelope, template = {**envelope, "ladder": ladder}, "iiif_auth/token_ladder.html"
    response = render(request, template, {"envelope": envelope, "nonce": nonce})
    response.headers["Content-Security-Policy"] = token_policy(nonce, asks=ladder is not None)
    return with_headers(response, TOKEN_PAGE, vary=("Cookie", "Origin"))


def plain(body: JSON, status: int) -> HttpResponse:
    return with_headers(JsonResponse(body, status=status), NEVER_STORE, vary=("Cookie",))

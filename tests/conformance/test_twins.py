"""Servers that are like our demo but for one thing, and the checker names exactly that thing.

Some twins answer differently (what comes is changed on its way), the others are broken inside.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
from django.http import HttpResponse, HttpResponseRedirect

from iiif_auth import identify, passes, store
from iiif_auth.enforce import guard
from iiif_auth.http import access, headers, token
from iiif_auth.http import logout as logout_views
from iiif_auth.policy.types import Pattern
from iiif_auth.protocol import origins
from tests.conformance.conftest import ids, told


@dataclass
class Twin:
    """A broken server, what it breaks, and which requirements that is about."""

    breaks: Callable[..., Any]
    expected: frozenset[str]
    inside: bool = False


TWINS: dict[str, Twin] = {}


def answers(*expected: str):
    """A twin that answers differently: it is given each request and its answer."""
    return _twin(expected, inside=False)


def inside(*expected: str):
    """A twin that is broken inside: it is given pytest's monkeypatch."""
    return _twin(expected, inside=True)


def _twin(expected, *, inside):
    def noted(breaks):
        assert breaks.__name__ not in TWINS
        TWINS[breaks.__name__] = Twin(breaks, frozenset(expected), inside)
        return breaks

    return noted


class Mirror(httpx.BaseTransport):
    """A server, with something changed in what it answers."""

    def __init__(self, server: httpx.BaseTransport, change: Callable[[httpx.Request, Answer], None]) -> None:
        self.server, self.change, self.changed = server, change, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.server.handle_request(request)
        answer = Answer(response.status_code, httpx.Headers(response.headers), response.read())
        before = replace(answer, headers=httpx.Headers(answer.headers))
        self.change(request, answer)
        self.changed += answer != before
        answer.headers["Content-Length"] = str(len(answer.body))
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)


@dataclass
class Answer:
    status: int
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""

    @property
    def json(self) -> dict[str, Any] | None:
        if not self.headers.get("Content-Type", "").startswith(("application/json", "application/ld+json")):
            return None
        return json.loads(self.body)

    @json.setter
    def json(self, value: Any) -> None:
        self.body = json.dumps(value).encode()


def is_probe(request):
    return request.url.path.startswith("/iiif-auth/2/probe/") and request.method == "GET"


def is_content(request):
    return request.url.path.endswith(".jpg") or request.url.path.startswith("/media/")


def is_token_page(request):
    return request.url.path.startswith("/iiif-auth/2/token/")


# -- The probe ----------------------------------------------------------------------------------------------------


@answers("A2-PRB-01")
def the_probe_says_no_by_http(request, answer):
    if is_probe(request):
        answer.status = answer.json["status"]


@answers("A2-PRB-08")
def the_substitute_is_an_object(request, answer):
    if is_probe(request) and "substitute" in answer.json:
        answer.json = {**answer.json, "substitute": answer.json["substitute"][0]}


@answers("A2-PRB-02")
def the_status_is_a_string(request, answer):
    if is_probe(request) and "location" not in answer.json:
        answer.json = {**answer.json, "status": str(answer.json["status"])}


@answers("A2-PRB-15", "A2-PRB-21")
def the_location_is_a_string(request, answer):
    if is_probe(request) and "location" in answer.json:
        answer.json = {**answer.json, "location": answer.json["location"]["id"]}


@answers("A2-PRB-04")
def the_probe_knows_better_than_the_content(request, answer):
    if is_probe(request) and answer.json["status"] == 401 and "substitute" not in answer.json:
        answer.json = {"@context": answer.json["@context"], "type": answer.json["type"], "status": 200}


@answers("A2-PRB-10")
def the_substitute_is_refused(request, answer):
    if "~preview/full/max/" in request.url.path:
        answer.status, answer.body = 401, b"{}"
        answer.headers["Cache-Control"] = "no-store"


@answers("A2-PRB-17")
def the_probe_says_that_logging_in_is_pointless(request, answer):
    if is_probe(request) and answer.json["status"] == 401 and "substitute" not in answer.json:
        answer.json = {**answer.json, "status": 403}


@answers("A2-PRB-18")
def any_header_is_allowed_but_none_by_name(request, answer):
    if "Access-Control-Allow-Headers" in answer.headers:
        answer.headers["Access-Control-Allow-Headers"] = "*"


@answers("A2-PRB-18")
def there_is_no_preflight(request, answer):
    if request.method == "OPTIONS":
        answer.status, answer.headers, answer.body = 405, httpx.Headers(), b""


@answers("A2-PRB-19")
def the_probe_can_not_be_read(request, answer):
    if is_probe(request):
        del answer.headers["Access-Control-Allow-Origin"]


@answers("A2-PRB-20")
def the_probe_is_kept(request, answer):
    if is_probe(request):
        answer.headers["Cache-Control"] = "max-age=60"


@answers("A2-PRB-22")
def the_probe_asks_for_a_password(request, answer):
    if is_probe(request):
        answer.headers["WWW-Authenticate"] = "Bearer"


@inside("A2-PRB-03")
def the_probe_takes_tokens_from_its_address(patch):
    real = identify.presented_token

    def anywhere(request):
        return real(request) or request.GET.get("access_token") or None

    patch.setattr(identify, "presented_token", anywhere)


@inside("A2-PRB-05")
def a_token_is_good_for_every_probe(patch):
    real = identify.counting_token
    everywhere = lambda doors: dict.fromkeys(doors, frozenset(store.rulebook().services))  # noqa: E731
    patch.setattr(identify, "counting_token", lambda facts, doors: real(facts, everywhere(doors)))


# -- The token service --------------------------------------------------------------------------------------------


def token_page(patch, script):
    """Have the page's message written into the page by ``script(message, target)``."""

    def page(request, message, target, ladder=None):
        response = HttpResponse(f"<!doctype html><title>x</title><script>{script(message, target)}</script>")
        for name, value in headers.TOKEN_PAGE.items():
            response.headers[name] = value
        return response

    patch.setattr(token, "page", page)


@inside("A2-TOK-14")
def the_message_is_written_into_the_script_as_plain_json(patch):
    token_page(patch, lambda message, target: f"parent.postMessage({json.dumps(message)}, {json.dumps(target)})")


@inside("A2-TOK-06", "A2-TOK-14")
def the_message_id_is_written_between_quotes(patch):
    def raw(message, target):
        rest = json.dumps({name: value for name, value in message.items() if name != "messageId"})
        identity = f'Object.assign({rest}, {{messageId: "{message["messageId"]}"}})'
        return f"parent.postMessage({identity}, {json.dumps(target)})"

    token_page(patch, raw)


@inside("A2-TOK-04")
def the_token_goes_to_anybody(patch):
    real = token.page
    patch.setattr(
        token,
        "page",
        lambda request, message, target, ladder=None: real(
            request, message, "*" if "accessToken" in message else target, ladder
        ),
    )


@inside("A2-TOK-03")
def the_message_goes_to_the_opener_too(patch):
    def twice(message, target):
        said = json.dumps(message).replace("<", "\\u003c")
        return f"for (const to of [parent, top]) to.postMessage({said}, {json.dumps(target)})"

    token_page(patch, twice)


@answers("A2-TOK-02")
def errors_of_the_token_service_are_http_errors(request, answer):
    if is_token_page(request) and b"missingAspect" in answer.body:
        answer.status = 401


@answers("A2-TOK-12")
def the_token_page_can_not_be_framed(request, answer):
    if is_token_page(request):
        answer.headers["X-Frame-Options"] = "DENY"


@answers("A2-TOK-13")
def the_token_page_is_kept(request, answer):
    if is_token_page(request):
        answer.headers["Cache-Control"] = "max-age=60"


@inside("A2-ERR-04")
def any_origin_will_do(patch):
    patch.setattr(origins, "serialised", lambda value, *, plain_http=True: value)


# -- The access service -------------------------------------------------------------------------------------------


@answers("A2-INT-08")
def the_access_page_isolates_itself(request, answer):
    if request.url.path.startswith("/iiif-auth/2/access/"):
        answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"


@inside("A2-INT-04")
def a_look_grants(patch):
    patch.setitem(access.PATTERNS, Pattern.CLICKTHROUGH, access.granted)


@inside("A2-INT-04")
def signing_in_grants(patch):
    patch.setattr(access, "confirmation", lambda request, visit, terms=None: access.granted(request, visit))


@answers("A2-INT-09")
def the_access_page_can_be_framed(request, answer):
    if request.url.path.startswith("/iiif-auth/2/access/"):
        answer.headers.pop("X-Frame-Options", None)
        answer.headers.pop("Content-Security-Policy", None)


@inside("A2-CONT-05")
def the_cookie_stays_on_its_own_site(patch):
    def lax(response, value, max_age):
        response.set_cookie(
            identify.COOKIE, value, max_age=max_age, path="/", secure=True, httponly=True, samesite="Lax"
        )

    patch.setattr(passes, "_cookie", lax)


# -- Logout -------------------------------------------------------------------------------------------------------


@inside("A2-LOG-04")
def only_the_cookie_goes(patch):
    patch.setattr(passes, "leave", lambda request, service: False)


@inside("A2-LOG-03", "A2-LOG-04")
def logging_out_does_nothing(patch):
    patch.setattr(logout_views, "left", lambda request, service: HttpResponse("Bye."))


# -- Content and info.json ----------------------------------------------------------------------------------------


@inside("A2-CONT-01")
def the_content_takes_tokens(patch):
    real = identify.browser_with

    def either(request, held):
        facts = store.find_token(identify.digest(identify.presented_token(request) or "A" * 43))
        return identify._subject(facts.holder, request) if facts else real(request, held)

    patch.setattr(identify, "browser_with", either)


@inside("A2-CONT-03")
def refusals_send_on_to_a_login_page(patch):
    patch.setattr(guard, "refused", lambda status: HttpResponseRedirect("/accounts/login/"))


@answers("A2-CONT-03")
def refusals_ask_for_a_password(request, answer):
    if is_content(request) and answer.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"


@answers("A2-CONT-04")
def content_is_for_its_own_site(request, answer):
    if is_content(request):
        answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"


@answers("A2-INFO-01")
def info_json_says_no(request, answer):
    if request.url.path.endswith("/info.json") and "AuthProbeService2" in answer.body.decode():
        answer.status = 401


@answers("A2-INFO-02")
def info_json_can_not_be_read(request, answer):
    if request.url.path.endswith("/info.json"):
        del answer.headers["Access-Control-Allow-Origin"]


@answers("A2-DECL-02")
def info_json_does_not_tell(request, answer):
    if request.url.path.endswith("/info.json") and (body := answer.json):
        body.pop("service", None)
        answer.json = {**body, "@context": "http://iiif.io/api/image/3/context.json"}


@answers("A2-DECL-01", "A2-DECL-02")
def nothing_tells_of_the_terms(request, answer):
    """No service anywhere on what the terms restrict."""

    def bared(value):
        if isinstance(value, dict):
            mine = "AuthProbeService2"
            kept = {name: bared(one) for name, one in value.items()}
            if "service" in kept and "merehaven-terms" in json.dumps(kept["service"]):
                kept["service"] = [one for one in kept["service"] if one.get("type") != mine]
            return kept
        return [bared(one) for one in value] if isinstance(value, list) else value

    if request.method == "GET" and not is_probe(request) and (body := answer.json):
        answer.json = bared(body)


@pytest.mark.parametrize("name", TWINS)
def test_a_broken_twin_is_named_for_what_it_breaks(name, checked, server, monkeypatch):
    twin = TWINS[name]
    if twin.inside:
        twin.breaks(monkeypatch)
        report = checked(versions=("2.0.0",))
    else:
        mirror = Mirror(server, twin.breaks)
        report = checked(versions=("2.0.0",), transport=mirror)
        assert mirror.changed, "The twin is no different from the demo."
    assert ids(report, "fail") == twin.expected, told(report)


def test_there_are_many_ways_to_be_wrong():
    assert len(TWINS) >= 30

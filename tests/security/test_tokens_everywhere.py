"""A token opens no content and no page, wherever it is put (security T8, INV2)."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from iiif_auth import identify
from iiif_auth.http import diagnosis
from iiif_auth.models import Pass
from tests import web
from tests.web import CANARY, SIGNED_IN, Browser, access, content_status, person

CHART = "/iiif/3/chart"
NAMES = ("access_token", "token", "accessToken", "bearer", "auth", "key", "api_key", "authorization", "Authorization")
PLACES = {
    "header": lambda token: {"headers": {"authorization": f"Bearer {token}"}},
    "other headers": lambda token: {
        "headers": {"x-authorization": f"Bearer {token}", "x-api-key": token, "x-token": token}
    },
    "basic": lambda token: {"headers": {"authorization": f"Basic {token}"}},
    "query": lambda token: {"query_params": dict.fromkeys(NAMES, token)},
    "cookie": lambda token: {"HTTP_COOKIE": "; ".join(f"{name}={token}" for name in NAMES)},
    "access cookie": lambda token: {"HTTP_COOKIE": f"{identify.COOKIE}={token}"},
    "session cookie": lambda token: {"HTTP_COOKIE": f"sessionid={token}"},
    "form": lambda token: {"data": dict.fromkeys(NAMES, token)},
}
KNOWN = {"csrftoken", "iiif_auth_flow", diagnosis.COOKIE, diagnosis.TWIN}
"""Cookies that open nothing: they are set for everybody who looks at such a page."""
ARGUMENTS = {
    "identifier": "chart",
    "ticket": f"k1.2000000000.1.{'A' * 43}",
    "path": "iiif/3/chart/full/max/0/default.jpg",
    "rest": "full/max/0/default.jpg",
    "name": "report.txt",
    "slug": "login",
    "reference": "x",
    "secret": "s" * 43,
}


def patterns(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Every URL of the site, with arguments that lead to something restricted."""
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern).removeprefix("^").removesuffix(r"\Z")
        if isinstance(pattern, URLResolver):
            yield from patterns(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield from filled(route)


def filled(route: str) -> Iterator[str]:
    for name, value in ARGUMENTS.items():
        for written in (f"<str:{name}>", f"<path:{name}>", f"<{name}>", f"(?P<{name}>[^/]+)"):
            route = route.replace(written, value)
    spaces = re.search(r"\(\?P<space>([^)]*)\)", route)
    yield from [route.replace(spaces[0], space) for space in spaces[1].split("|")] if spaces else [route]


@pytest.fixture
def token(site):
    login = web.service("login", "login")
    web.restricted(CHART, SIGNED_IN, by=(login,))
    web.restricted("/media/report.txt", SIGNED_IN, by=(login,))
    web.restricted("/copies/report.txt", SIGNED_IN, by=(login,))
    browser = Browser().sign_in(person())
    browser.click(access("login"))
    assert content_status(browser) == content_status(browser, "/media/report.txt") == 200
    return web.token(browser, "login")


def urls() -> list[str]:
    found = sorted(set(patterns(get_resolver("tests.http.urls"))))
    assert len(found) > 12
    assert not [url for url in found if "<" in url]
    return found


@pytest.mark.requirement("A2-CONT-01")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("method", ["get", "head", "post"])
def test_a_token_opens_nothing_anywhere(token, place, method):
    """What is asked with a token is answered exactly as without one: same status, no bytes, no cookie, no echo."""
    if place == "form" and method != "post":
        method = "put"
    before = Pass.objects.count()
    for url in urls():
        with_token = ask(url, method, PLACES[place](token))
        without = ask(url, method, {})
        assert (url, with_token.status_code) == (url, without.status_code)
        assert CANARY not in body(with_token)
        assert token.encode() not in body(with_token)
        assert {name for name, morsel in with_token.cookies.items() if morsel.value} <= KNOWN
    assert Pass.objects.count() == before


def ask(url: str, method: str, extra: dict):
    browser = Browser(raise_request_exception=False)
    return getattr(browser, method)(url, **extra)


def body(response) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.requirement("A2-CONT-01")
def test_the_same_bytes_are_there_for_the_cookie(token):
    """So that the test above can not pass because there is nothing to see."""
    browser = Browser(raise_request_exception=False).sign_in(person("bob"))
    browser.click(access("login"))
    found = [url for url in urls() if "logout" not in url and CANARY in body(browser.get(url))]
    assert found == ["/copies/report.txt", "/iiif/3/chart/full/max/0/default.jpg", "/media/report.txt"]


def test_the_cookie_is_no_token(token, site):
    """The other direction: neither can be used as the other (INV3)."""
    browser = Browser().sign_in(person("bob"))
    browser.click(access("login"))
    assert web.probe_status(CHART, token) == 200
    assert web.probe_status(CHART, browser.access_cookie) == 401

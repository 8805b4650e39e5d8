"""A small library on the web for tests: its rows, people's browsers, and viewers on other sites."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from iiif_auth import identify
from iiif_auth.http.links import links
from iiif_auth.models import AccessPolicy, AccessService, Collection, Network, Resource, Tier
from tests import factories

BASE = "https://iiif.example.org"
HOST = "iiif.example.org"
VIEWER = "https://viewer.example.com"
OTHER_VIEWER = "https://other.example.net"
HOME = "203.0.113.9"
READING_ROOM = "192.0.2.5"
CANARY = b"CANARY: these bytes are restricted"
JSON = dict[str, Any]


@pytest.fixture
def site(db, settings):
    """The library is at :data:`BASE`, with the views of :mod:`tests.http.urls`."""
    settings.IIIF_AUTH_FLOW = {"BASE_URL": BASE, "LOGIN_URL": "/accounts/login/"}
    settings.ROOT_URLCONF = "tests.http.urls"
    settings.ALLOWED_HOSTS = [HOST]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith(("whitenoise.", "allauth."))]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [Path(__file__).parent / "http" / "templates"]}]
    return settings


# -- Rows ---------------------------------------------------------------------------------------------------------


def service(slug: str = "terms", pattern: str = "clickthrough", **values: Any) -> AccessService:
    values.setdefault("label", {"en": [f"Merehaven Library: {slug}"]})
    return factories.AccessServiceFactory(slug=slug, pattern=pattern, **values)


def agreed(row: AccessService) -> JSON:
    return {"kind": "agreed", "service": row}


def at(row: Network) -> JSON:
    return {"kind": "network", "network": row}


EVERYONE: JSON = {"kind": "everyone"}
SIGNED_IN: JSON = {"kind": "authenticated"}


def tier(rules: AccessPolicy, *who: JSON, by: tuple[AccessService, ...] = (), **values: Any) -> Tier:
    """A tier for each of ``who``, reached through the services ``by``."""
    row = factories.TierFactory(policy=rules, services=by, **values)
    for condition in who:
        factories.ConditionFactory(tier=row, **condition)
    return row


def restricted(
    url: str = "/iiif/3/chart",
    *who: JSON,
    by: tuple[AccessService, ...] = (),
    tier_values: JSON | None = None,
    **values: Any,
) -> Resource:
    """A resource with a policy of its own, of one tier."""
    rules = factories.AccessPolicyFactory()
    tier(rules, *who, by=by, **(tier_values or {}))
    if not url.startswith("/iiif/"):
        values = {"image_api": 0, "type": "Text", **values}
    return factories.ResourceFactory(url=url, policy=rules, **values)


def reading_room(*prefixes: str) -> Network:
    return factories.NetworkFactory(slug="reading-room", prefixes=list(prefixes) or ["192.0.2.0/28"])


def hidden_collection(prefix: str = "/iiif/3/secret-", **values: Any) -> Collection:
    row = factories.CollectionFactory(hides_existence=True, **values)
    factories.CollectionRuleFactory(collection=row, pattern=prefix)
    return row


# -- Browsers -----------------------------------------------------------------------------------------------------


class Form(HTMLParser):
    """The hidden fields of the first form of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "input" and found.get("type") == "hidden":
            self.fields.setdefault(found["name"] or "", found.get("value") or "")


class Browser(Client):
    """Django's client with what a browser does besides: https, CSRF, and cookies that go when they are told to."""

    def __init__(self, address: str = HOME, **extra: Any) -> None:
        super().__init__(enforce_csrf_checks=True, HTTP_HOST=HOST, REMOTE_ADDR=address, **extra)

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["secure"] = True
        response = super().generic(*args, **kwargs)
        for name in [name for name, morsel in self.cookies.items() if morsel["max-age"] == 0]:
            del self.cookies[name]
        return response

    @property
    def access_cookie(self) -> str | None:
        return self.cookies[identify.COOKIE].value if identify.COOKIE in self.cookies else None

    def click(self, url: str, page: HttpResponse | None = None, **data: str) -> Any:
        """Open a page and send the form on it."""
        fields = Form((page or self.get(url)).content.decode()).fields
        return self.post(url, {**fields, **data}, headers={"origin": BASE})

    def sign_in(self, user: Any) -> Browser:
        self.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return self


def person(name: str = "ada", **values: Any) -> Any:
    return factories.UserFactory(username=name, **values)


def access(slug: str, origin: str = VIEWER, space: str = "2") -> str:
    return path(links(space).access(slug)) + (f"?origin={origin}" if origin else "")


def token_page(slug: str, origin: str = VIEWER, message_id: str = "1", space: str = "2") -> str:
    """The address of a token page as a viewer writes it, without an origin if that is empty."""
    return f"{path(links(space).token(slug))}?messageId={message_id}" + (f"&origin={origin}" if origin else "")


def logout_page(slug: str, space: str = "2") -> str:
    return path(links(space).logout(slug))


def probe_of(uri: str, space: str = "2") -> str:
    return path(links(space).probe(uri))


def path(url: str) -> str:
    assert url.startswith(BASE)
    return url.removeprefix(BASE)


# -- Viewers ------------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """What a token page holds: JSON islands by id, and scripts by nonce."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.islands: dict[str, str] = {}
        self.scripts: list[tuple[str | None, str]] = []
        self._inside: dict[str, str | None] | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self._inside = dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside is None:
            return
        if self._inside.get("type") == "application/json":
            self.islands[self._inside["id"] or ""] = data
        else:
            self.scripts.append((self._inside.get("nonce"), data))


def envelope(response: Any) -> JSON:
    """Message and target as the page holds them, without running its script."""
    assert response.status_code == 200
    found: JSON = json.loads(Page(response.content.decode()).islands["envelope"])
    return found


def message(browser: Browser, slug: str, origin: str = VIEWER) -> JSON:
    """What a viewer at ``origin`` is told by the token service, if it is told anything."""
    found = envelope(browser.get(token_page(slug, origin)))
    assert found["targetOrigin"] == origin
    return dict(found["message"])


def token(browser: Browser, slug: str, origin: str = VIEWER) -> str:
    found = message(browser, slug, origin)
    assert found["type"] == "AuthAccessToken2", found
    return str(found["accessToken"])


def problem(browser: Browser, slug: str, origin: str = VIEWER) -> str:
    found = message(browser, slug, origin)
    assert found["type"] == "AuthAccessTokenError2", found
    return str(found["profile"])


def probe(uri: str, bearer: str | None = None, address: str = HOME, **headers: str) -> JSON:
    """The answer of the probe to a viewer, which sends no cookie."""
    if bearer is not None:
        headers["authorization"] = f"Bearer {bearer}"
    response = Browser(address).get(probe_of(uri), headers=headers)
    assert response.status_code == 200
    return dict(response.json())


def probe_status(uri: str, bearer: str | None = None, address: str = HOME) -> int:
    return int(probe(uri, bearer, address)["status"])


def content_status(browser: Browser, uri: str = "/iiif/3/chart") -> int:
    """What the content answers; whatever is refused must not leak."""
    response = browser.get(uri + ("/full/max/0/default.jpg" if uri.startswith("/iiif/3/") else ""))
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert (CANARY in body) == (response.status_code == 200)
    return int(response.status_code)

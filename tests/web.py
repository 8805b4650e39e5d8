"""A small library on the web for tests: its rows, people's browsers, and viewers on other sites."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
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
DIALECTS = {"2": "2", "1": "1", "0.9.4": "0", "0.9.2": "0", "alpha": "alpha"}
"""Every version of the protocol, and the space that it is spoken in."""
ALL = ["2", "1", "0.9.4", "0.9.2", "alpha", "1-media"]
"""Everything that a service can be offered in."""


@dataclass(frozen=True)
class Version:
    """One of the two versions that are the same text with another number in their URIs (requirements 0.2)."""

    dialect: str
    number: int

    @property
    def space(self) -> str:
        return str(self.number)

    def uri(self, word: str) -> str:
        return f"http://iiif.io/api/auth/{self.number}/{word}"

    def info(self, name: str = "chart") -> str:
        """Where pictures of this version are described; see :mod:`tests.http.urls`."""
        return f"/iiif/{self.space}/{name}"


V1, V094 = Version("1", 1), Version("0.9.4", 0)
BOTH = pytest.mark.parametrize("version", [V1, V094], ids=("1.0", "0.9.4"))
"""For every test of a module: what is shown of 1.0 is shown of 0.9.4 too (A094-ALL-01)."""


@pytest.fixture
def site(db, settings):
    """The library is at :data:`BASE`, with the views of :mod:`tests.http.urls`."""
    settings.IIIF_AUTH_FLOW = {"BASE_URL": BASE, "LOGIN_URL": "/accounts/login/"}
    settings.ROOT_URLCONF = "tests.http.urls"
    settings.ALLOWED_HOSTS = [HOST]
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith(("whitenoise.", "allauth."))]
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [Path(__file__).parent / "http" / "templates"]}]
    return settings


@pytest.fixture
def login(site):
    """A login, and a picture at ``/iiif/3/chart`` for whoever is signed in."""
    row = service("login", "login")
    restricted("/iiif/3/chart", SIGNED_IN, by=(row,))
    return row


@pytest.fixture
def terms(site):
    """A click-through, and a picture at ``/iiif/3/map`` for whoever agreed."""
    row = service("terms")
    restricted("/iiif/3/map", agreed(row), by=(row,))
    return row


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


def picture(name: str = "chart", *who: JSON, by: tuple[AccessService, ...] = (), **values: Any) -> Resource:
    """A restricted picture that has an address in each version of the Image API, under one policy."""
    return in_both_apis(restricted(f"/iiif/3/{name}", *who, by=by, **values))


def in_both_apis(row: Resource) -> Resource:
    factories.RenditionFactory(resource=row, url=row.url.replace("/iiif/3/", "/iiif/1/"), image_api=2)
    return row


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
        self.twin = ""

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        kwargs["secure"] = True
        if asked := re.search(r"/token/.*[?&]origin=([^&]+)", str(args[1])):  # browsers say where a frame is
            kwargs.setdefault("HTTP_REFERER", f"{asked[1]}/")
        response = super().generic(*args, **kwargs)
        for name in [name for name, morsel in self.cookies.items() if morsel["max-age"] == 0]:
            del self.cookies[name]
        if (
            identify.named(identify.TWIN) in response.cookies
        ):  # it lies in the viewer's partition, and goes along only from there
            self.twin = self.cookies.pop(identify.named(identify.TWIN)).value
        return response

    @property
    def access_cookie(self) -> str | None:
        name = identify.named(identify.COOKIE)
        return self.cookies[name].value if name in self.cookies else None

    def click(self, url: str, page: HttpResponse | None = None, **data: str) -> Any:
        """Open a page and send the form on it."""
        fields = Form((page or self.get(url)).content.decode()).fields
        return self.post(url, {**fields, **data}, headers={"origin": BASE})

    def sign_in(self, user: Any) -> Browser:
        self.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return self


def person(name: str = "ada", **values: Any) -> Any:
    return factories.UserFactory(username=name, **values)


def signed_in_reader(name: str = "ada") -> Browser:
    """The browser of somebody who is signed in, and has just clicked “Continue” at the login for :data:`VIEWER`."""
    browser = Browser().sign_in(person(name))
    browser.click(access("login"))
    return browser


def access(slug: str, origin: str = VIEWER, space: str = "2") -> str:
    return path(links(space).access(slug)) + (f"?origin={origin}" if origin else "")


def token_page(slug: str, origin: str = VIEWER, message_id: str = "1", space: str = "2") -> str:
    """The address of a token page as a viewer writes it, without an origin if that is empty."""
    return f"{path(links(space).token(slug))}?messageId={message_id}" + (f"&origin={origin}" if origin else "")


def logout_page(slug: str, space: str = "2") -> str:
    return path(links(space).logout(slug))


def probe_of(uri: str, space: str = "2") -> str:
    return path(links(space).probe(uri))


def named(dialect: str) -> str:
    """What a viewer of this version says of itself."""
    return "" if dialect == "0.9.2" else VIEWER


def page_in(slug: str, dialect: str) -> str:
    """The access page as a viewer of this version opens it."""
    return access(slug, named(dialect), DIALECTS[dialect])


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


def told(browser: Browser, slug: str, dialect: str) -> JSON:
    """What a viewer of this version is told by the token service."""
    found = envelope(browser.get(token_page(slug, named(dialect), space=DIALECTS[dialect])))
    assert found["targetOrigin"] == (named(dialect) or "*")
    return dict(found["message"])


def drawn(browser: Browser, slug: str, dialect: str) -> str:
    """A token of this version."""
    found = told(browser, slug, dialect)
    assert "accessToken" in found, found
    return str(found["accessToken"])


def plain_token(browser: Browser, slug: str, space: str, **query: str) -> Any:
    """The answer of the token service to a program that is no browser."""
    return browser.get(path(links(space).token(slug)), query)


def described(uri: str, bearer: str | None = None, address: str = HOME, **headers: str) -> Any:
    """The answer of an info.json to a viewer, which sends no cookie."""
    if bearer is not None:
        headers["authorization"] = f"Bearer {bearer}"
    return Browser(address).get(f"{uri}/info.json", headers=headers)


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
    is_picture = uri.startswith(("/iiif/3/", "/iiif/1/", "/iiif/0/"))
    response = browser.get(uri + ("/full/max/0/default.jpg" if is_picture else ""))
    body = b"".join(response.streaming_content) if response.streaming else response.content
    assert (CANARY in body) == (response.status_code == 200)
    return int(response.status_code)

"""Two identity providers, and a library that believes them so and so much."""

from __future__ import annotations

import json
from contextlib import ExitStack

import pytest
from django.conf import settings as given

from iiif_auth import identify, store
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed
from project import sign_in
from tests import web
from tests.signin.inside.saml import College
from tests.signin.leaving import teach

if "allauth.socialaccount" not in given.INSTALLED_APPS:
    collect_ignore_glob = ["test_*.py"]

CHART = "/iiif/3/chart"


@pytest.fixture(scope="session")
def openid():
    """Two OpenID providers, each with its own address and keys."""
    from oidc_provider_mock import run_server_in_thread

    with ExitStack() as stack:
        servers = [stack.enter_context(run_server_in_thread()) for _ in range(2)]
        for server in servers:
            teach(server.app)
        yield [f"http://localhost:{server.server_port}" for server in servers]


@pytest.fixture(scope="session")
def college():
    return College("https://idp.college.example/metadata")


@pytest.fixture
def library(db, settings, openid, college):
    """Every way in, and a chart for staff of Westmark and members of Northwick."""
    entry = {"client_id": "merehaven", "secret": "very-secret"}
    ways = sign_in.ways(
        openid=json.dumps(
            [
                {**entry, "id": "uni", "name": "Westmark", "issuer": openid[0]},
                {**entry, "id": "other", "name": "Other", "issuer": openid[1]},
            ]
        ),
        saml=json.dumps([college.entry]),
        mfa=True,
    )
    assert ways.problems == ()
    settings.WAYS = ways
    settings.SOCIALACCOUNT_PROVIDERS = ways.providers(web.BASE)
    rules = web.service("login", "login")
    asked = {"kind": "attribute", "attribute_name": "affiliation"}
    web.restricted(
        CHART,
        {**asked, "attribute_value": "staff@westmark.example"},
        {**asked, "attribute_value": "northwick.example", "attribute_matching": "scope"},
        by=(rules,),
    )
    believed("Westmark", openid[0], "westmark.example")
    believed("Northwick", college.entity_id, "northwick.example")
    return settings


def believed(name: str, issuer: str, *scopes: str):
    from tests import factories

    return factories.IdentityProviderFactory(
        name=name, issuer=issuer, scopes=list(scopes), attributes=["affiliation", "organisation"]
    )


def opens(browser: web.Browser) -> bool:
    """Whether the chart opens for whoever went through the access page in this browser."""
    if browser.access_cookie is None:
        browser.click(web.access("login"))
    return shown(browser)


def shown(browser: web.Browser) -> bool:
    from django.test import RequestFactory

    request = RequestFactory().get("/", secure=True, headers={"host": web.HOST})
    request.COOKIES = {name: morsel.value for name, morsel in browser.cookies.items()}
    request.META["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in request.COOKIES.items())
    from django.utils import timezone

    decision = decide(store.find_offer(CHART), identify.browser(request), timezone.now())
    return isinstance(decision, Allowed)


def remembering(request, *, state_id: str, provider_id: str, raises: bool = False):
    """The twin of allauth's ``unstash_state`` that does not forget what it found."""
    from allauth.socialaccount.internal import statekit

    return statekit.get_states(request)[state_id][0]


def reader() -> web.Browser:
    """A browser behind the one proxy of the site."""
    return web.Browser(HTTP_X_FORWARDED_FOR=web.HOME)

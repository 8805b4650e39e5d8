"""A reader without an account, and what they find in their mail."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from iiif_auth.models import AccessPolicy, AccessRequest, AccessService, Resource
from iiif_auth.protocol import identity
from tests import web
from tests.web import BASE, Browser

CHART = "/iiif/3/chart"
WISH = {"name": "Ada Reader", "email": "ada@example.org", "purpose": "A thesis on charts."}
LINK = re.compile(rf"{re.escape(BASE)}(\S+/(?:asked|invited)/[\w-]{{43}})")


def named_only(url: str = CHART, **values: Any) -> Resource:
    """Something for named people, for which readers may ask; its policy takes ``values``."""
    login = AccessService.objects.filter(slug="login").first() or web.service("login", "login")
    row = web.restricted(url, by=(login,))
    AccessPolicy.objects.filter(pk=row.policy_id).update(**{"requestable": True, **values})
    return row


def refused_page(url: str = CHART) -> str:
    return f"/iiif-auth/refused/{identity.reference(url)}"


def ask_page(url: str = CHART) -> str:
    return f"/iiif-auth/ask/{identity.reference(url)}"


def last_link() -> str:
    """The path of the link in the mail that came last."""
    found = LINK.search(mail.outbox[-1].body)
    assert found, mail.outbox[-1].body
    return found[1]


def asked(url: str = CHART, browser: Browser | None = None, **wish: str) -> AccessRequest:
    """A request that was sent and confirmed."""
    cache.clear()
    browser = browser or Browser()
    assert browser.click(ask_page(url), **{**WISH, **wish}).status_code == 200
    browser.click(last_link(), action="confirm")
    return AccessRequest.objects.latest("pk")


def in_a_week() -> Any:
    return timezone.now() + timedelta(days=7)

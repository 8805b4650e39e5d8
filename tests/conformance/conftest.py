"""The demo library on a made-up host, in the same process as the checker, and nothing else on the web."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from django.core.wsgi import get_wsgi_application

from iiif_auth.conformance.run import Report, judge
from iiif_auth.conformance.tour import Credentials, Options
from iiif_auth.conformance.web import Limits, Web
from tests.project.conftest import library, pictures

__all__ = ["library", "pictures"]

BASE = "https://merehaven.example.org"
COLLECTION = f"{BASE}/iiif/collection.json"
READER = Credentials("reader", "merehaven")


class Elsewhere(httpx.BaseTransport):
    """The whole web: one server behind TLS, and nobody else at home."""

    def __init__(self, application: Callable[..., object]) -> None:
        self.inside = httpx.WSGITransport(app=application, raise_app_exceptions=True)
        self.asked: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if f"{request.url.scheme}://{request.url.host}" != BASE:
            raise httpx.ConnectError("nobody lives there")
        return self.inside.handle_request(request)


@pytest.fixture
def server(library, settings):
    """The demo at :data:`BASE`; its transport."""
    settings.BASE_URL = BASE
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "BASE_URL": BASE}
    settings.ALLOWED_HOSTS = ["merehaven.example.org"]
    return Elsewhere(get_wsgi_application())


@pytest.fixture
def checked(server) -> Callable[..., Report]:
    """Run the checker against the demo: as the reader, and on the whole Collection, unless told otherwise."""

    def run(*urls: str, requests: int = 1000, transport: httpx.BaseTransport = server, **options) -> Report:
        options.setdefault("credentials", READER)
        with Web(Limits(requests, 300), transport) as web:
            return judge(web, Options(urls=urls or (COLLECTION,), **options))

    return run


def ids(report: Report, outcome: str) -> set[str]:
    return {one.requirement.id for one in report.verdicts if one.outcome == outcome}


def told(report: Report) -> dict[str, str]:
    """The first evidence for everything that failed, for whoever reads a failing test."""
    return {one.requirement.id: one.evidence for one in report.verdicts if one.outcome == "fail"}

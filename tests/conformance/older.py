"""For tests of the versions before 2.0.0: where their documents are, and twins of the demo that are broken in one thing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.conformance.conftest import BASE, ids, told
from tests.conformance.test_twins import Mirror


def collection(flavour: str) -> str:
    return f"{BASE}/iiif/{flavour}/collection.json"


def manifests(flavour: str, *slugs: str) -> tuple[str, ...]:
    return tuple(f"{BASE}/iiif/{flavour}/manifests/{slug}.json" for slug in slugs)


@dataclass
class Twin:
    """A broken server: ``breaks`` changes answers or, if it is broken ``inside``, our own code."""

    breaks: Callable[..., Any]
    expected: frozenset[str]
    inside: bool


@dataclass
class Twins:
    """Twins by name. Each is judged by the same few documents, as the reader."""

    urls: tuple[str, ...]
    versions: tuple[str, ...]
    found: dict[str, Twin] = field(default_factory=dict)

    def answers(self, *expected: str):
        """A twin that answers differently: it is given each request and its answer."""
        return self._noted(expected, inside=False)

    def inside(self, *expected: str):
        """A twin that is broken inside: it is given pytest's monkeypatch."""
        return self._noted(expected, inside=True)

    def _noted(self, expected: tuple[str, ...], *, inside: bool):
        def noted(breaks):
            assert breaks.__name__ not in self.found
            self.found[breaks.__name__] = Twin(breaks, frozenset(expected), inside)
            return breaks

        return noted

    def judge(self, name: str, checked: Callable[..., Any], server: httpx.BaseTransport, patch: Any, **options) -> None:
        """The checker names what a twin breaks, and nothing else."""
        twin = self.found[name]
        mirror = Mirror(server, (lambda request, answer: None) if twin.inside else twin.breaks)
        if twin.inside:
            twin.breaks(patch)
        report = checked(*self.urls, versions=self.versions, transport=mirror, **options)
        assert twin.inside or mirror.changed, "The twin is no different from the demo."
        assert ids(report, "fail") == twin.expected, told(report)


def is_info(request: httpx.Request) -> bool:
    return request.url.path.endswith("/info.json") and request.method == "GET"


def is_picture(request: httpx.Request) -> bool:
    return request.url.path.endswith(".jpg")


def is_page_of(request: httpx.Request, space: str, what: str) -> bool:
    return request.url.path.startswith(f"/iiif-auth/{space}/{what}/")


def is_read_by_a_program(request: httpx.Request) -> bool:
    """Whether the token service was asked for plain JSON."""
    return "messageId" not in request.url.params

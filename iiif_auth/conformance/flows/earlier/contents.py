"""Films, recordings and documents with services of an older version on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from iiif_auth.conformance.browser import CORS, Sight, bearer, fetched, shown
from iiif_auth.conformance.documents import Service, image_services_of
from iiif_auth.conformance.flows.earlier.people import Holder, key_of
from iiif_auth.conformance.structure.v1 import is_same
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import GLANCE, Answer, Unreachable, origin_of


@dataclass
class Content:
    """Something that is no image service, and the services of one version that stand on it."""

    tour: Tour
    version: str
    id: str
    type: str
    services: tuple[Service, ...]
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.type.removeprefix("dctypes:")

    @property
    def accesses(self) -> frozenset[str]:
        return frozenset(key_of(one) for one in self.services if one.role == "access" and key_of(one))

    @property
    def probe(self) -> str:
        """The address of its probe service; empty if it has none."""
        return next((one.id for one in self.services if one.role == "probe" and one.id), "")

    @cached_property
    def open_sight(self) -> Sight:
        """What anybody gets."""
        return shown(self.tour, self.id, self.kind)

    def sight(self, holder: Holder | None, url: str = "") -> Sight:
        """What somebody gets, of this or of what is offered instead."""
        if holder is None and not url:
            return self.open_sight
        return shown(self.tour, url or self.id, self.kind, holder.jar.copy() if holder else None)

    def probed(self, token: str = "") -> Answer:
        """What the probe says, to anybody or to a token; asked once each."""
        if token not in self.answers:
            self.answers[token] = fetched(self.tour, self.probe, bearer(token) if token else {})
        return self.answers[token]

    def asked_for(self, method: str, token: str = "") -> Answer:
        """The content itself, as a viewer's script asks: without cookies, with a token."""
        sent = {**CORS, "Origin": self.tour.origin, **(bearer(token) if token else {})}
        return self.tour.web.ask(method, self.id, headers=sent, most=GLANCE)

    def holders(self, everybody: Iterable[Holder]) -> list[Holder]:
        return [one for one in everybody if one.token and key_of(one.access) in self.accesses]

    def is_itself(self, url: str) -> bool:
        return is_same(url, self.id)


def contents(tour: Tour, version: str) -> list[Content]:
    """Everything selected that is no image service's and has an access service of a version, each once."""
    found: dict[str, Content] = {}
    for document, resource in tour.selected:
        services = tuple(one for one in resource.services if one.version == version)
        own = resource.role == "content" and not image_services_of(document, resource)
        if own and origin_of(resource.id) and any(one.role == "access" for one in services):
            found.setdefault(resource.id, Content(tour, version, resource.id, resource.type, services))
    return list(found.values())


def json_object(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of an answer.

    Raises:
        Unreachable: it is none.
    """
    found = answer.json()
    if not isinstance(found, Mapping):
        raise Unreachable(f"{answer.told} answered with JSON that is not an object.")
    return found

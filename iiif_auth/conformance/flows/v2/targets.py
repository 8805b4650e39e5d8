"""What is restricted by a probe: the content, the probe, and the documents that tell of both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from iiif_auth.conformance.browser import Sight, bearer, fetched, shown
from iiif_auth.conformance.documents import (
    VERSION_2,
    Document,
    NotIIIF,
    Resource,
    Service,
    image_services_of,
    image_version,
    profile_of,
    read,
)
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import Answer, Unreachable

FULL = {"3": "/full/max/0/default.jpg", "2": "/full/full/0/default.jpg", "1": "/full/full/0/native.jpg"}


@dataclass
class Target:
    """Some content and the probe that speaks for it; ``probe`` is ``None`` if nothing does.

    ``thorough`` is set for one target of each kind: its probe is asked everything, the others only whether they tell the truth.
    ``older`` is set where the document that refers to it is for older viewers: it speaks, if anything, older versions only.
    """

    tour: Tour
    content: str
    kind: str
    resource: Resource
    probe: Service | None
    infos: tuple[Document, ...] = ()
    offered_by: str = ""
    thorough: bool = False
    older: bool = False
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address of the probe."""
        return self.probe.id if self.probe else ""

    @property
    def accesses(self) -> tuple[str, ...]:
        """The identifiers of the access services inside the probe."""
        inside = _inside(self.resource.services, self.probe) + tuple(
            one for info in self.infos for one in _inside(tuple(info.services), self.probe)
        )
        return tuple(dict.fromkeys(one.id or _token_id(one) for one in inside))

    @cached_property
    def open_sight(self) -> Sight:
        """What anybody gets of the content."""
        return shown(self.tour, self.content, self.kind)

    @cached_property
    def plain(self) -> Answer:
        """The probe, asked without a token."""
        return fetched(self.tour, self.url)

    def asked(self, token: str) -> Answer:
        """The probe, asked with a token; each token once."""
        if token not in self.answers:
            self.answers[token] = fetched(self.tour, self.url, bearer(token))
        return self.answers[token]


def key_of(access: Service) -> str:
    """What an access service is known by; an external one may have no identifier of its own."""
    return access.id or _token_id(access)


def result(answer: Answer) -> Mapping[str, Any]:
    """What a probe answered.

    Raises:
        Unreachable: it is no JSON object.
    """
    body = answer.json()
    if not isinstance(body, Mapping):
        raise Unreachable(f"{answer.told} answered with JSON that is not an object.")
    return body


def status_of(answer: Answer) -> int:
    """The ``status`` in a probe's answer.

    Raises:
        Unreachable: there is none that is a number, so nothing can be compared with it.
    """
    found = result(answer).get("status")
    if not isinstance(found, int) or isinstance(found, bool):
        raise Unreachable(f"{answer.told} answered without a status that is a number.")
    return found


def targets(tour: Tour) -> list[Target]:
    """Everything selected that has content to fetch, with its 2.0.0 probes; content without a probe is there once, without."""
    found: dict[tuple[str, str], Target] = {}
    for document, resource in tour.selected:
        for target in _targets(tour, document, resource):
            found.setdefault((target.content, target.url), target)
    return _with_thorough(list(found.values()))


def _targets(tour: Tour, document: Document, resource: Resource) -> Iterator[Target]:
    content = content_url(resource)
    if not content:
        return
    services = image_services_of(document, resource)
    infos = tuple(one for one in tour.documents if one.kind == "info" and _describes(one, (resource, *services)))
    every = [*resource.services, *_services(services), *(one for info in infos for one in info.services)]
    probes = {one.id: one for one in every if (one.version, one.role) == (VERSION_2, "probe") and one.id}
    kind = "Image" if resource.role == "image-service" else resource.type.removeprefix("dctypes:")
    versions = {one.version for one in document.services}
    older = VERSION_2 not in versions and (bool(versions) or document.host in ("p2", "image2"))
    spoken_for: list[Service | None] = [*probes.values()]
    for probe in spoken_for or [None]:
        yield Target(tour, content, kind, resource, probe, infos, older=older)


def substitutes(target: Target, answer: Answer) -> list[Target]:
    """The resources that a probe offers instead, each with its own probe if it has one."""
    listed = result(answer).get("substitute")
    return [one for body in listed for one in _offered(target, body)] if isinstance(listed, list) else []


def _offered(target: Target, body: Any) -> Iterator[Target]:
    try:
        document = read(target.url, body)
    except NotIIIF:
        return
    for resource in document.resources[:1]:
        for found in _targets(target.tour, document, resource):
            found.offered_by = target.url
            yield found


def content_url(resource: Resource) -> str:
    """Where the content itself is: of an image service, the whole image."""
    if resource.role != "image-service":
        return resource.id if resource.role == "content" else ""
    if not resource.id:
        return ""
    return resource.id.rstrip("/") + (_smallest(resource) or FULL.get(image_version(resource.body), FULL["3"]))


def _smallest(resource: Resource) -> str:
    """A server of level 0 has only the sizes that it lists."""
    sizes = resource.body.get("sizes")
    if "level0" not in profile_of(resource.body) or not isinstance(sizes, list) or not sizes:
        return ""
    width, height = (sizes[0].get(name) if isinstance(sizes[0], Mapping) else None for name in ("width", "height"))
    if not isinstance(width, int) or not isinstance(height, int):
        return ""
    return f"/full/{width},{height if image_version(resource.body) == '3' else ''}/0/default.jpg"


def _describes(info: Document, resources: Iterable[Resource]) -> bool:
    addresses = {f"{one.id.rstrip('/')}/info.json" for one in resources if one.role == "image-service"}
    return info.url in addresses or any(one.id.rstrip("/") + "/info.json" in addresses for one in info.resources)


def _services(resources: Iterable[Resource]) -> Iterator[Service]:
    for resource in resources:
        yield from resource.services


def _inside(services: tuple[Service, ...], probe: Service | None) -> tuple[Service, ...]:
    if probe is None:
        return ()
    return tuple(
        one for one in services if one.role == "access" and one.inside is not None and one.inside.id == probe.id
    )


def _token_id(access: Service) -> str:
    listed = access.body.get("service")
    children = [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
    return next((str(one.get("id", "")) for one in children if "Token" in str(one.get("type", ""))), "")


def _with_thorough(found: list[Target]) -> list[Target]:
    """One target for each set of access services is looked at from every side."""
    seen: set[tuple[str, ...]] = set()
    for target in found:
        if target.probe is not None and target.accesses not in seen:
            seen.add(target.accesses)
            target.thorough = True
    return found

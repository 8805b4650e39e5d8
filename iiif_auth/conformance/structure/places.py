"""Services where they stand: in which document, on which resource, in which service, and what stands in them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iiif_auth.conformance.documents import (
    Document,
    NotIIIF,
    Resource,
    Service,
    contexts_of,
    identifier,
    listed_values,
    read,
)
from iiif_auth.conformance.structure.rules import Subjects

TYPED = ("image3", "p3")
"""Documents in which every service has a type, and which list all contexts at their top."""
NAMES = frozenset({"id", "type", "@id", "@type"})
HOSTS = tuple(
    f"http://iiif.io/api/{name}/context.json" for name in ("image/2", "image/3", "presentation/2", "presentation/3")
)


@dataclass(frozen=True, slots=True)
class Place:
    """A service where it stands.

    ``children`` stand in it. ``cited`` means that only its name stands here, and all of it elsewhere in the document.
    """

    service: Service
    resource: Resource
    alone: bool
    children: tuple[Service, ...]
    cited: bool

    @property
    def body(self) -> Mapping[str, Any]:
        return self.service.body

    @property
    def path(self) -> str:
        return self.service.path

    @property
    def version(self) -> str:
        return self.service.version

    @property
    def role(self) -> str:
        return self.service.role

    @property
    def inside(self) -> Service | None:
        return self.service.inside

    @property
    def typed(self) -> bool:
        return self.service.host in TYPED

    @property
    def listed(self) -> bool:
        """Whether it stands in a list, even of one."""
        return self.path.rpartition("/")[2].isdecimal()

    @property
    def is_only_named(self) -> bool:
        return NAMES.issuperset(self.body)

    def of_role(self, role: str) -> list[Service]:
        return [child for child in self.children if child.role == role]


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole document, with its services in the order in which they stand there."""

    document: Document
    places: tuple[Place, ...]
    path: str = ""

    @property
    def body(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document.body
        return found

    @property
    def contexts(self) -> tuple[str, ...]:
        return contexts_of(self.body)

    @property
    def host_context(self) -> str:
        """The context of the Image or Presentation API; empty for a part of a document."""
        return next((found for found in self.contexts if found in HOSTS), "")

    @property
    def typed(self) -> bool:
        return self.document.host in TYPED

    def speaks(self, version: str) -> bool:
        return any(place.version == version for place in self.places)


def whole(document: Document) -> Whole:
    """A document with its services, and those that Presentation 3 keeps in ``services`` at its top."""
    found = [
        (resource, service) for resource in (*_kept(document), *document.resources) for service in resource.services
    ]
    within: dict[str, list[Service]] = defaultdict(list)
    for _, service in found:
        if service.inside is not None:
            within[service.inside.path].append(service)
    complete = {service.id for _, service in found if not NAMES.issuperset(service.body)}
    return Whole(document, tuple(_place(document, *one, within, complete) for one in found))


def _place(
    document: Document, resource: Resource, service: Service, within: Mapping[str, list[Service]], complete: set[str]
) -> Place:
    alone = service.inside is None and (document.kind == "service" or service.path.startswith("/services/"))
    cited = NAMES.issuperset(service.body) and service.id in complete
    return Place(service, resource, alone, tuple(within.get(service.path, ())), cited)


def _kept(document: Document) -> Iterator[Resource]:
    """Services that stand complete at the top of a manifest, and are only named elsewhere (Presentation 3.0, “services”)."""
    if document.kind not in ("manifest", "collection"):
        return
    for number, one in enumerate(listed_values(document.body.get("services"))):
        try:
            found = read(document.url, one)
        except NotIIIF:
            continue
        if found.kind == "service":
            yield from (_moved(resource, f"/services/{number}", document.host) for resource in found.resources)


def _moved(resource: Resource, path: str, host: str) -> Resource:
    """What was read by itself, as it stands in the document."""
    known: dict[str, Service] = {}
    for old in resource.services:
        inside = known[old.inside.path] if old.inside else None
        known[old.path] = Service(old.version, old.role, old.body, host, path + old.path, inside)
    return Resource("", "", resource.role, resource.body, tuple(known.values()), resource.document, host, path)


def of(name: str, version: str, *roles: str, where: Callable[[Place], bool] | None = None) -> Subjects:
    """The services of a version and of some roles, complete ones only; of those, the ones for which ``where`` holds."""

    def among(seen: Whole) -> Iterable[Place]:
        found = (place for place in seen.places if place.version == version and place.role in roles and not place.cited)
        return [place for place in found if where is None or where(place)]

    return Subjects(name, among)


def documents(name: str, version: str, where: Callable[[Whole], bool]) -> Subjects:
    """The document itself, if it has services of a version and ``where`` holds."""
    return Subjects(name, lambda seen: [seen] if seen.speaks(version) and where(seen) else [])


def own_address(seen: Whole) -> str:
    """Where an info.json was found, as the identifier of its image service."""
    return seen.document.url.partition("#")[0].removesuffix("/info.json")


def is_info(seen: Whole) -> bool:
    return seen.document.kind == "info" and seen.document.url.partition("#")[0].endswith("/info.json")


def name_of(seen: Whole) -> str:
    return identifier(seen.body)

"""Fetches the documents that were named, those they lead to, and the info.json of every image service that is looked at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from iiif_auth.conformance.browser import CORS
from iiif_auth.conformance.documents import Document, NotIIIF, Resource, image_services_of, members, read
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import Unreachable, shortened

DEEPEST = 3
"""How far Collections in Collections are followed."""
JSON = "application/ld+json, application/json;q=0.9, */*;q=0.1"


def discover(tour: Tour) -> None:
    """Fill the tour with documents, and choose what to look at: something of everything rather than all of one thing."""
    manifests = [document for url in tour.options.urls for document in _with_members(tour, url, DEEPEST)]
    tour.documents.extend(manifests)
    tour.selected.extend(chosen(manifests, tour.options.resources))
    for document, resource in tour.selected:
        for service in _image_services(document, resource):
            _describe(tour, service)


def fetch(tour: Tour, url: str) -> Document | None:
    """A document, through redirects to wherever it is; a sentence in ``tour.problems`` if there is none to be had."""
    headers = {**CORS, "Accept": JSON, "Origin": tour.origin}
    try:
        answer = tour.web.follow(tour.web.ask("GET", url, headers=headers), headers=headers)[-1]
        return read(answer.url, answer.json(), answer.status, answer.headers)
    except Unreachable as problem:
        tour.problems.append(str(problem))
    except NotIIIF as problem:
        tour.problems.append(f"{shortened(url)}: {problem}")
    return None


def _with_members(tour: Tour, url: str, levels: int) -> Iterator[Document]:
    document = fetch(tour, url)
    if document is None:
        return
    yield document
    if levels:
        for member in members(document)[: tour.options.resources]:
            yield from _with_members(tour, member, levels - 1)


def chosen(documents: Iterable[Document], most: int) -> list[tuple[Document, Resource]]:
    """Content and image services, one from each document in turn; what has services of authorization comes first."""
    rows = [[(document, one) for one in _ranked(document)] for document in documents]
    in_turn = (pair for row in zip_longest(*rows) for pair in row if pair is not None)
    found: dict[str, tuple[Document, Resource]] = {}
    for document, resource in in_turn:
        found.setdefault(resource.id, (document, resource))
    return list(found.values())[:most]


def _ranked(document: Document) -> list[Resource]:
    """A document's own content: image services only where they stand for themselves, thumbnails last."""
    contents = [one for one in document.resources if one.role == "content"]
    alone = [one for one in document.resources if one.role == "image-service" and not _belongs(document, one, contents)]
    return sorted([*contents, *alone], key=lambda one: (not _restricted(document, one), "/thumbnail/" in one.path))


def _belongs(document: Document, service: Resource, contents: list[Resource]) -> bool:
    return any(service in image_services_of(document, content) for content in contents)


def _restricted(document: Document, resource: Resource) -> bool:
    return bool(resource.services) or any(one.services for one in image_services_of(document, resource))


def _image_services(document: Document, resource: Resource) -> tuple[Resource, ...]:
    return image_services_of(document, resource) if document.kind != "info" else ()


def _describe(tour: Tour, service: Resource) -> None:
    url = f"{service.id.rstrip('/')}/info.json"
    if service.id and all(one.url != url for one in tour.documents):
        info = fetch(tour, url)
        if info is not None:
            tour.documents.append(info)

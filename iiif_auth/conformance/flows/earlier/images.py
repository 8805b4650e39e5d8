"""Image services whose description is their own probe: it answers 200, sends on to a lesser version, or says no."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from iiif_auth.conformance.browser import Sight, bearer, fetched, shown
from iiif_auth.conformance.documents import (
    Document,
    Resource,
    Service,
    identifier,
    image_services_of,
    image_version,
    listed_values,
)
from iiif_auth.conformance.findings import Finding, judged
from iiif_auth.conformance.flows.earlier.people import Holder, key_of
from iiif_auth.conformance.structure.v1 import is_same
from iiif_auth.conformance.tour import Tour
from iiif_auth.conformance.web import HOPS, Answer, Unreachable, origin_of

INFO = "/info.json"
OUT_OF_ORDER = (429, 500, 502, 503, 504)
MADE_UP = "made-up-by-the-conformance-checker"
"""A token that nobody gave out."""


@dataclass(frozen=True)
class Description:
    """What somebody got who asked for a description: every hop, and what it came to."""

    asked: str
    hops: tuple[Answer, ...]

    @property
    def first(self) -> Answer:
        return self.hops[0]

    @property
    def last(self) -> Answer:
        return self.hops[-1]

    @cached_property
    def body(self) -> Mapping[str, Any] | None:
        """The description, if the last answer holds a JSON object."""
        try:
            found = self.last.json()
        except Unreachable:
            return None
        return found if isinstance(found, Mapping) else None

    @property
    def id(self) -> str:
        return identifier(self.body or {})

    @property
    def lesser(self) -> bool:
        """Whether a redirect led to the description of something else, which is a lesser version."""
        return len(self.hops) > 1 and not is_same(self.last.url.partition("?")[0].removesuffix(INFO), self.asked)

    @property
    def granted(self) -> bool:
        return self.last.status == 200 and not self.lesser

    @property
    def is_out_of_order(self) -> bool:
        """Whether the server was busy or broken, which says nothing about who may see what."""
        return self.last.status in OUT_OF_ORDER

    @property
    def location(self) -> Any:
        """The lesser version that the body names, as in the 2.0 alpha."""
        return (self.body or {}).get("location")

    @property
    def outcome(self) -> tuple[int, str, str]:
        """What it comes to, to compare: status, whose description it is, and what it points to."""
        return self.last.status, self.id, str(self.location or "")

    @property
    def told(self) -> str:
        through = "".join(f", then {hop.told} {hop.status}" for hop in self.hops[1:])
        return f"{self.first.told} answered {self.first.status}{through}"


@dataclass
class Image:
    """An image service, where it is cited, and the services of one version that lead to it.

    ``cited`` is the URL of the document that names it, and ``api`` the version of its Image API. One image of each kind is
    ``thorough``: it is asked everything.
    """

    tour: Tour
    version: str
    id: str
    cited: str
    api: str
    services: tuple[Service, ...]
    thorough: bool = False

    @property
    def url(self) -> str:
        return f"{self.id.rstrip('/')}{INFO}"

    @property
    def accesses(self) -> frozenset[str]:
        """What its access services are known by."""
        return frozenset(key_of(one) for one in self.services if one.role == "access" and key_of(one))

    @property
    def plain(self) -> Description:
        """What anybody gets."""
        return looked_up(self.tour, self.id)

    def asked(self, token: str) -> Description:
        """What somebody gets who has a token."""
        return looked_up(self.tour, self.id, token)

    @property
    def is_restricted(self) -> bool:
        """Whether not everybody gets it."""
        return not self.plain.granted

    @cached_property
    def content(self) -> str:
        """A small picture of all of it."""
        whole = self.plain if self.plain.id and is_same(self.plain.id, self.id) else None
        return self.id.rstrip("/") + _smallest((whole.body if whole else None) or {}, self.api)

    @cached_property
    def open_sight(self) -> Sight:
        """What anybody gets of the picture."""
        return shown(self.tour, self.content)

    def sight(self, holder: Holder) -> Sight:
        """What a person gets of the picture, with cookies."""
        return shown(self.tour, self.content, jar=holder.jar.copy())

    def is_in(self, sight: Sight) -> bool:
        """Whether the picture itself was got, and no lesser version that a redirect led to."""
        tail = self.content.removeprefix(self.id.rstrip("/"))
        own = f"{self.id.rstrip('/')}/"
        elsewhere = len(sight.hops) > 1 and not sight.last.url.startswith(own) and sight.last.url.endswith(tail)
        return sight.granted and not elsewhere

    def holders(self, everybody: Iterable[Holder]) -> list[Holder]:
        """Those with a token from one of its own services."""
        return [one for one in everybody if one.token and key_of(one.access) in self.accesses]


def same_for_strangers(image: Image, id: str) -> Finding:
    """Whether a token that is none is no token: the answer is what anybody gets, and no error."""
    found = image.asked(MADE_UP)
    evidence = f"With a made-up token {found.told}, and without one {image.plain.told}; both should be the same."
    return judged(id, found.outcome == image.plain.outcome, evidence, image.url)


def looked_up(tour: Tour, id: str, token: str = "") -> Description:
    """A description with the redirects on the way, followed as ``fetch()`` does; each asked for once."""
    key = (id, token)
    if key not in tour.looked_up:
        tour.looked_up[key] = tuple(_hops(tour, f"{id.rstrip('/')}{INFO}", bearer(token) if token else {}))
    return Description(id, tour.looked_up[key])


def _hops(tour: Tour, url: str, headers: Mapping[str, str]) -> list[Answer]:
    hops = [fetched(tour, url, headers)]
    while (target := hops[-1].redirects_to) and len(hops) <= HOPS and target not in [hop.url for hop in hops]:
        # Browsers drop the token where a redirect leaves the origin, and a token is nobody else's business.
        kept = headers if origin_of(target) == origin_of(url) else {}
        hops.append(fetched(tour, target, kept))
    return hops


def _smallest(description: Mapping[str, Any], api: str) -> str:
    """The smallest size that a description lists, else the whole image."""
    typed = api == "3"
    listed = [one for one in listed_values(description.get("sizes")) if isinstance(one, Mapping)]
    sizes = [(one.get("width"), one.get("height")) for one in listed]
    sound = [(w, h) for w, h in sizes if isinstance(w, int) and isinstance(h, int)]
    if not sound:
        return f"/full/{'max' if typed else 'full'}/0/default.jpg"
    width, height = min(sound)
    return f"/full/{width},{height if typed else ''}/0/default.jpg"


# -- Which images there are ---------------------------------------------------------------------------------------


def images(tour: Tour, version: str) -> list[Image]:
    """The image services that speak a version, of everything that was selected, each once."""
    found: dict[str, Image] = {}
    for document, resource in tour.selected:
        for one in _image_services(document, resource):
            image = _image(tour, version, one, document)
            if image is not None:
                found.setdefault(one.id, image)
    return _with_thorough(list(found.values()))


def _image_services(document: Document, resource: Resource) -> Iterator[Resource]:
    if resource.role == "image-service":
        yield resource
    else:
        yield from image_services_of(document, resource)


def _image(tour: Tour, version: str, service: Resource, document: Document) -> Image | None:
    if not origin_of(service.id):
        return None
    infos = [one for info in _infos(tour, service) for one in info.services]
    services = tuple(one for one in (*service.services, *infos) if one.version == version)
    return Image(tour, version, service.id, document.url, image_version(service.body), services) if services else None


def _infos(tour: Tour, service: Resource) -> list[Document]:
    """The description itself; where that was not to be had, the one that a redirect led to."""
    own = f"{service.id.rstrip('/')}{INFO}"
    found = [one for one in tour.documents if one.kind == "info" and one.url == own]
    if found:
        return found
    try:
        last = looked_up(tour, service.id).last.url
    except Unreachable:
        return []
    return [one for one in tour.documents if one.kind == "info" and one.url == last]


def _with_thorough(found: list[Image]) -> list[Image]:
    """One image for each set of access services is looked at from every side."""
    seen: set[frozenset[str]] = set()
    for image in found:
        image.thorough = image.accesses not in seen
        seen.add(image.accesses)
    return found

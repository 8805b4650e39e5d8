"""Finds content and its authorization services in any IIIF document, of any version, without asking anybody.

Servers that are not quite right are the ones worth checking, so services are recognised by whatever speaks for them: their type,
their profile, their context, and at last the place they stand in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

Object = Mapping[str, Any]

VERSION_2 = "2.0.0"
ALPHA = "2.0-alpha"
VERSION_1 = "1.0"
VERSION_0 = "0.9"

DEEPEST = 60
"""Levels of nesting that are looked into; no manifest needs half as many."""
MOST = 500_000
"""Values that are looked at in one document: more than one of the size that is fetched holds, unless it is made to tire us."""


class NotIIIF(ValueError):
    """A document that is no manifest, Collection, info.json, content resource or service; says so in a sentence."""


@dataclass(frozen=True, slots=True)
class Service:
    """An authorization service as it stands in a document.

    ``host`` is the kind of document (``image2``, ``image3``, ``p2``, ``p3``), ``path`` a JSON pointer into it, and ``inside`` the
    service that this one is nested in. A reference (a bare URI in Presentation 2.1) has only its identifier in ``body``.
    """

    version: str
    role: str
    body: Object
    host: str
    path: str
    inside: Service | None = None

    @property
    def id(self) -> str:
        return identifier(self.body)


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that can be restricted: an image service, or content. ``path`` is a JSON pointer into the document."""

    id: str
    type: str
    role: str
    body: Object
    services: tuple[Service, ...]
    document: str
    host: str
    path: str


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was fetched: ``kind`` is manifest, collection, info, resource or service."""

    url: str
    kind: str
    host: str
    body: Any
    status: int
    headers: Mapping[str, str]
    resources: tuple[Resource, ...]

    @property
    def services(self) -> Iterator[Service]:
        """Every service in the document, in order, each as often as it stands there."""
        return chain.from_iterable(resource.services for resource in self.resources)


def read(url: str, body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Document:
    """What stands in a document.

    Raises:
        NotIIIF: it is not a document of the IIIF.
    """
    kind, host = kind_and_host(body)
    resources = tuple(_resolved(list(READERS[kind](body, url, host))))
    return Document(url, kind, host, body, status, headers or {}, resources)


def members(document: Document) -> tuple[str, ...]:
    """The URLs of the manifests and Collections that a Collection refers to."""
    if document.kind != "collection":
        return ()
    listed = [listed_values(document.body.get(name)) for name in ("items", "members", "manifests", "collections")]
    referred = (one for one in chain.from_iterable(listed) if isinstance(one, Mapping))
    kinds = ("Manifest", "Collection")
    return tuple(dict.fromkeys(identifier(one) for one in referred if type_of(one).endswith(kinds) and identifier(one)))


def image_services_of(document: Document, content: Resource) -> tuple[Resource, ...]:
    """The image services that a content resource is served by."""
    below = f"{content.path}/service"
    return tuple(one for one in document.resources if one.role == "image-service" and _is_below(one.path, below))


# -- Small questions to any object --------------------------------------------------------------------------------


def identifier(body: Object) -> str:
    """``id`` or ``@id``; empty if there is none."""
    found = body.get("id", body.get("@id"))
    return found if isinstance(found, str) else ""


def type_of(body: Object) -> str:
    """``type`` or ``@type``; empty if there is none."""
    found = body.get("type", body.get("@type"))
    return found if isinstance(found, str) else ""


def profile_of(body: Object) -> str:
    """The first profile that is a string."""
    found = [value for value in listed_values(body.get("profile")) if isinstance(value, str)]
    return found[0] if found else ""


def contexts_of(body: Object) -> tuple[str, ...]:
    return tuple(value for value in listed_values(body.get("@context")) if isinstance(value, str))


def listed_values(value: Any) -> list[Any]:
    """A property that may be one value or several, as a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]


# -- What kind of document it is ----------------------------------------------------------------------------------

MANIFESTS = {"Manifest": ("manifest", "p3"), "Collection": ("collection", "p3")}
OLD_MANIFESTS = {"sc:Manifest": ("manifest", "p2"), "sc:Collection": ("collection", "p2")}
KINDS = {**MANIFESTS, **OLD_MANIFESTS}
CONTENT = re.compile(
    r"(?:dctypes:)?(?:Image|StillImage|Video|MovingImage|Sound|Audio|Text|Dataset|Model|PhysicalObject)|foaf:Document"
)
IMAGE_API = re.compile(r"https?://(?:iiif\.io/api/image/(\d)|library\.stanford\.edu/iiif/image-api)(?:/|$)|level[012]$")
IMAGE_TYPE = re.compile(r"ImageService(\d)|iiif:(?:Image|ImageService\d?)")


def kind_and_host(body: Any) -> tuple[str, str]:
    """Which kind of document, and by which API.

    Raises:
        NotIIIF: none that is known.
    """
    if not isinstance(body, Mapping):
        raise NotIIIF("This JSON is not an object, so it is neither a manifest, nor a Collection, nor an info.json.")
    if type_of(body) in KINDS:
        return KINDS[type_of(body)]
    if is_image_service(body) or body.get("protocol") == "http://iiif.io/api/image":
        return "info", "image3" if image_version(body) == "3" else "image2"
    if CONTENT.fullmatch(type_of(body)):
        return "resource", "p2" if type_of(body).startswith("dctypes:") else "p3"
    found = _recognised(body, None, ())
    if found:
        return "service", "p2" if found[0] in (VERSION_0, VERSION_1) and "@type" not in body else "p3"
    raise NotIIIF(
        "This document says neither by its type nor by its profile that it is a manifest, a Collection or an info.json."
    )


def is_image_service(body: Object) -> bool:
    if IMAGE_TYPE.fullmatch(type_of(body)):
        return True
    return any(IMAGE_API.match(value) for value in (*contexts_of(body), profile_of(body))) and bool(identifier(body))


def image_version(body: Object) -> str:
    """``1``, ``2`` or ``3``; ``2`` for one that does not say."""
    said = IMAGE_TYPE.fullmatch(type_of(body))
    if said and said[1]:
        return said[1]
    found = [IMAGE_API.match(value) for value in (*contexts_of(body), profile_of(body))]
    return next((match[1] for match in found if match and match[1]), "2")


# -- The walk through a document ----------------------------------------------------------------------------------

BESIDE = frozenset(
    {
        "homepage",
        "partOf",
        "isPartOf",
        "within",
        "provider",
        "logo",
        "structures",
        "target",
        "on",
        "services",
        "related",
    }
    | {"service", "label", "summary", "metadata", "requiredStatement", "rights", "license", "attribution", "start"}
)
"""Properties under which no content of the document itself stands; ``service`` is looked into by itself."""


def _in_manifest(body: Object, url: str, host: str) -> Iterator[Resource]:
    for path, one in _objects(body):
        if _carries_content(one, path):
            yield from _with_image_services(one, url, host, path)


def _objects(body: Object) -> Iterator[tuple[str, Object]]:
    """Every object where content may stand, in the order of the document, with its JSON pointer."""
    waiting: list[tuple[str, Any, int]] = [("", body, 0)]
    for _ in range(MOST):
        if not waiting:
            return
        path, value, depth = waiting.pop()
        if isinstance(value, Mapping):
            yield path, value
        if depth < DEEPEST:
            waiting.extend((at, child, depth + 1) for at, child in reversed(list(_children(path, value))))


def _children(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"{path}/{escaped(name)}", child) for name, child in value.items() if name not in BESIDE)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from ((f"{path}/{number}", child) for number, child in enumerate(value))


def escaped(name: str) -> str:
    """A name as a step of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")


def _carries_content(body: Object, path: str) -> bool:
    """Whether this object is content, or anything else (a canvas, the manifest itself) with an authorization service."""
    if CONTENT.fullmatch(type_of(body)):
        return bool(identifier(body))
    return not is_image_service(body) and bool(_auth_services(body))


def _with_image_services(body: Object, url: str, host: str, path: str) -> Iterator[Resource]:
    role = "content" if CONTENT.fullmatch(type_of(body)) else "description"
    yield Resource(identifier(body), type_of(body), role, body, _services(body, host, path), url, host, path)
    for at, service in _at(body.get("service"), f"{path}/service"):
        if isinstance(service, Mapping) and is_image_service(service):
            yield _image_service(service, url, host, at)


def _image_service(body: Object, url: str, host: str, path: str) -> Resource:
    kind = f"ImageService{image_version(body)}"
    return Resource(identifier(body), kind, "image-service", body, _services(body, host, path), url, host, path)


def _in_info(body: Object, url: str, host: str) -> Iterator[Resource]:
    yield _image_service(body, url, host, "")


def _alone(body: Object, url: str, host: str) -> Iterator[Resource]:
    yield from _with_image_services(body, url, host, "")


def _service_alone(body: Object, url: str, host: str) -> Iterator[Resource]:
    services = tuple(_service(body, host, "", None, (body,)))
    yield Resource("", "", "description", {"service": [body]}, services, url, host, "")


READERS = {
    "manifest": _in_manifest,
    "collection": _in_manifest,
    "info": _in_info,
    "resource": _alone,
    "service": _service_alone,
}


def _at(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The values of a property with the pointer to each; a single value stands at the property itself."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        yield from ((f"{path}/{number}", one) for number, one in enumerate(value))
    elif value is not None:
        yield path, value


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith(f"{above}/")


# -- Services -----------------------------------------------------------------------------------------------------

AUTH_1 = re.compile(r"https?://iiif\.io/api/auth/([01])/(.*)")
ROLES_1 = {
    "login": "access",
    "clickthrough": "access",
    "kiosk": "access",
    "external": "access",
    "token": "token",
    "logout": "logout",
    "clientId": "client",
    "probe": "probe",
    "context.json": "access",
}
TYPES = (("Probe", "probe"), ("Token", "token"), ("Logout", "logout"), ("Access", "access"), ("Cookie", "access"))
"""Parts of type names, tried in this order: ``AuthAccessTokenService2`` is a token service."""
ANSWER = re.compile(r"Auth.*(?:Result|Error|Token)\d?")
"""Types of what services answer, which are no services."""
OLD_WORDS = frozenset({"header", "description", "failureHeader", "failureDescription"})


def _auth_services(body: Object) -> list[Object]:
    found = [one for one in listed_values(body.get("service")) if isinstance(one, Mapping)]
    return [one for one in found if not is_image_service(one) and _recognised(one, None, found)]


def _services(body: Object, host: str, path: str) -> tuple[Service, ...]:
    """The services of a resource and, each after the one it is nested in, theirs."""
    given = list(_at(body.get("service"), f"{path}/service"))
    beside = [one for _, one in given if isinstance(one, Mapping)]
    return tuple(chain.from_iterable(_service(one, host, at, None, beside) for at, one in given))


def _service(body: Any, host: str, path: str, inside: Service | None, beside: Sequence[Object]) -> Iterator[Service]:
    if isinstance(body, str):
        yield Service("", "reference", {"@id": body}, host, path, inside)
        return
    if not isinstance(body, Mapping) or is_image_service(body) or path.count("/service") > DEEPEST:
        return
    found = _recognised(body, inside, beside)
    if found is None:
        return
    service = Service(*found, body, host, path, inside)
    yield service
    given = list(_at(body.get("service"), f"{path}/service"))
    siblings = [one for _, one in given if isinstance(one, Mapping)]
    for at, one in given:
        yield from _service(one, host, at, service, siblings)


def _recognised(body: Object, inside: Service | None, beside: Sequence[Object]) -> tuple[str, str] | None:
    """Version and role of a service; ``None`` if it is none of authorization."""
    return _by_profile(body) or _by_type(body, inside, beside) or _by_context(body) or _by_place(body, inside)


def _by_profile(body: Object) -> tuple[str, str] | None:
    """Auth 0.9 and 1.0 tell their services by the profile."""
    match = AUTH_1.fullmatch(profile_of(body))
    if match is None:
        return None
    role = ROLES_1.get(match[2].rpartition("/")[2], "access")
    return VERSION_1 if match[1] == "1" else VERSION_0, role


def _by_type(body: Object, inside: Service | None, beside: Sequence[Object]) -> tuple[str, str] | None:
    name = type_of(body)
    role = next((role for part, role in TYPES if part in name), None)
    if role is None or not name.startswith("Auth") or ANSWER.fullmatch(name):
        return None
    if name.endswith("1"):
        return VERSION_1, role
    if inside is not None and inside.version in (VERSION_2, ALPHA):
        return inside.version, role
    return _version_2(body, role, beside), role


def _version_2(body: Object, role: str, beside: Sequence[Object]) -> str:
    """2.0.0 or its draft, for a service that stands directly on a resource."""
    if role == "access":
        return ALPHA if _is_old_access(body) else VERSION_2
    if role != "probe":
        return ALPHA if type_of(body) == "AuthTokenService2" else VERSION_2
    drafts = [one for one in beside if type_of(one) == "AuthAccessService2" and _is_old_access(one)]
    return ALPHA if drafts and not body.get("service") else VERSION_2


def _is_old_access(body: Object) -> bool:
    """Whether an access service directly on a resource is the draft's, and not one of 2.0.0 in the wrong place."""
    children = {type_of(one) for one in listed_values(body.get("service")) if isinstance(one, Mapping)}
    if body.get("profile") == "interactive" or "AuthTokenService2" in children or OLD_WORDS & {*body}:
        return True
    return body.get("profile") != "active" and "AuthAccessTokenService2" not in children


def _by_context(body: Object) -> tuple[str, str] | None:
    """A service whose profile or type is wrong still says by its context what it means to be."""
    for context in contexts_of(body):
        match = AUTH_1.fullmatch(context)
        if match is not None:
            return VERSION_1 if match[1] == "1" else VERSION_0, "access"
        if context.endswith("//iiif.io/api/auth/2/context.json") and "service" in body:
            return VERSION_2, "probe"
    return None


BY_PLACE = {"probe": "access", "access": "token"}


def _by_place(body: Object, inside: Service | None) -> tuple[str, str] | None:
    """What stands inside a service is meant to be what belongs there."""
    if inside is None:
        holds = [one for one in listed_values(body.get("service")) if isinstance(one, Mapping)]
        return (VERSION_2, "probe") if any(type_of(one) == "AuthAccessService2" for one in holds) else None
    role = BY_PLACE.get(inside.role)
    return (inside.version, role) if role and inside.version != VERSION_0 else None


def _resolved(resources: list[Resource]) -> Iterator[Resource]:
    """Bare URIs get the version and role of the service they refer to; those that refer to none are left out."""
    known = {
        service.id: service
        for resource in reversed(resources)
        for service in reversed(resource.services)
        if service.role != "reference" and service.id
    }
    for resource in resources:
        services = (_referred(service, known) for service in resource.services)
        yield replace(resource, services=tuple(service for service in services if service is not None))


def _referred(service: Service, known: Mapping[str, Service]) -> Service | None:
    if service.role != "reference":
        return service
    full = known.get(service.id)
    return None if full is None else replace(service, version=full.version, role=full.role)

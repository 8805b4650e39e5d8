"""Services in manifests, which are rewritten as plain JSON: only ``service`` and ``@context`` change, in value and in place.

Manifests in use break the schema in every way there is, so nothing here goes by it. What counts is where a thing stands: an
object with the URL of something we know is a content resource unless it says that it is part of the structure, and an entry of
``service`` that says so in any of its versions' words is an image service. Presentation 2.1 and 3 may hold one another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from math import isfinite
from operator import is_
from typing import Any

from iiif_auth.protocol.terms import JSON
from iiif_auth.protocol.v2 import ACCESS_SERVICE, CONTEXT, PROBE_SERVICE

MAX_BYTES = 50_000_000
MAX_DEPTH = 64
MAX_SERVICES = 20_000


class NotAManifest(ValueError):
    """The text or the document can not be given services; the message is a sentence that says why."""


class TooLarge(NotAManifest):
    """It is larger than anybody's manifest needs to be."""


class Place(StrEnum):
    """Where services may stand (requirements, 3.3). Presentation 2.1 and 3 differ in shape, and viewers in what they survive."""

    CONTENT_3 = "content of Presentation 3"
    """In ``service`` of a content resource, beside its image service if it has one."""
    IMAGE_SERVICE_2_IN_3 = "image service 2 in Presentation 3"
    """Inside an image service of version 1 or 2."""
    IMAGE_SERVICE_3_IN_3 = "image service 3 in Presentation 3"
    IMAGE_SERVICE_2 = "image service in Presentation 2"
    """Inside an image service, of whatever version."""
    CONTENT_2 = "content of Presentation 2"
    """In ``service`` of a content resource that has no image service of ours."""


Blocks = Callable[[str, Place], Sequence[JSON] | None]
"""The services for a URL, as it is written in the document but for a fragment, at a place: none if it needs none, ``None`` if it
is not ours (or nobody is to know that it is), and then it stays exactly as it was.
"""

PRESENTATION = re.compile(
    r"https?://(?:www\.)?(?:iiif\.io/api/presentation/([0-9])|shared-canvas\.org/ns)/context\.json/?"
)
IMAGE_SERVICE = re.compile(
    r"\bImageService([1-9])|//iiif\.io/api/image(?:/([1-9]))?|//library\.stanford\.edu/iiif/image-api/([1-9])"
    r"|(?:^| )(?:level[0-2])(?: |$)"
)
TELLING = ("type", "@type", "@context", "profile", "protocol")
"""The properties by any of which an image service makes itself known."""

STRUCTURE = frozenset(
    (
        *("Collection", "Manifest", "Sequence", "Range", "Layer", "Canvas", "Scene", "Timeline"),
        *("Annotation", "AnnotationPage", "AnnotationCollection", "AnnotationList"),
        *("Choice", "List", "Composite", "Independents", "SpecificResource", "TextualBody", "ContentAsText", "Agent"),
    )
)
"""Types, without prefix, of what is no content: nobody fetches it to show it, whatever address rule it may fall under."""

POINTERS = frozenset(("@context", "metadata", "on", "partOf", "selector", "services", "start", "target", "within"))
"""Properties that say something about a thing that is described elsewhere."""

SERVICE = "service"
NESTED = (dict, list)


# -- From text and back -------------------------------------------------------------------------------------------


def parsed(text: bytes, most: int = MAX_BYTES) -> dict[str, Any]:
    """The document in a text.

    Raises:
        TooLarge: it has more than ``most`` bytes.
        NotAManifest: it is not JSON, is nested too deeply, or is neither a manifest nor anything else of the Presentation API.
    """
    if len(text) > most:
        raise TooLarge(f"The document has more than {most:,} bytes; please give it in parts.")
    try:
        found = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError as error:
        raise NotAManifest(DEEP) from error
    except ValueError as error:
        raise NotAManifest(f"This is not JSON ({error}); please check that the whole document was given.") from error
    if not isinstance(found, dict) or not is_presentation(found):
        raise NotAManifest("This is JSON, but neither a manifest nor a Collection; please give one of the two.")
    return found


DEEP = (
    f"The document is nested more than {MAX_DEPTH} levels deep, which no manifest needs; please check how it was made."
)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")


def _finite(text: str) -> float:
    """A number; one too large for this machine would come out as something that is not JSON."""
    if not isfinite(number := float(text)):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


def is_presentation(document: JSON) -> bool:
    """Whether this is a document of the Presentation API, by its context or by its type."""
    return _version_told(document) is not None or _is_structure(document)


def written(document: JSON, indent: int | str | None = None) -> bytes:
    """A document as UTF-8; as ASCII if somebody has put half a character into it, which UTF-8 can not say."""
    separators = (",", ":") if indent is None else (",", ": ")
    try:
        return json.dumps(document, ensure_ascii=False, indent=indent, separators=separators).encode()
    except UnicodeEncodeError:
        return json.dumps(document, indent=indent, separators=separators).encode()


# -- Services -----------------------------------------------------------------------------------------------------


def decorated(document: JSON, blocks: Blocks, ours: Iterable[str] = (), version: int | None = None) -> JSON:
    """The document with these services in it; the same one if none are wanted. What is given is not changed.

    Other people's services stay, and first. Ours that are there already are replaced, so that doing it twice is doing it once.
    In Presentation 2.1 only the first occurrence of a cookie service is complete, others are its URI (A1-DESC-10); in 3 all are
    complete, because viewers do not look elsewhere (A2-DECL-12). No image service is ever added: viewers differ in which of
    two they take (requirements, 3.2).

    Args:
        ours: beginnings of the URLs of our services, by which those are known that ``blocks`` would not give today.
        version: 2 or 3, of the Presentation API, where the document does not say it itself or says it wrongly.

    Raises:
        NotAManifest: the document is nested too deeply, or would need too many services.
    """
    scope = _Scope(version or _version_told(document) or _version_looked_like(document))
    found: JSON = _Decoration(blocks, tuple(ours)).document(document, scope, 1)
    return found


def mentioned(document: JSON) -> list[str]:
    """Every URL in a document for which :func:`decorated` would ask, in order and each once.

    Raises:
        NotAManifest: as there.
    """
    found: dict[str, None] = {}
    decorated(document, lambda uri, place: found.setdefault(uri))
    return list(found)


@dataclass(slots=True)
class _Scope:
    """A document of one version of the Presentation API; another one may be embedded in it."""

    version: int
    lists_2: bool = False
    """A service was added whose words the top of the document must explain."""


ELSEWHERE = _Scope(0)
"""What is only pointed at: nothing is added there."""


@dataclass(slots=True)
class _Decoration:
    blocks: Blocks
    ours: tuple[str, ...]
    complete: set[str] = field(default_factory=set)
    added: int = 0

    def document(self, held: Any, scope: _Scope, depth: int) -> Any:
        """A document with its context, which may be embedded in another one."""
        found = self._thing(held, scope, depth)
        if not scope.lists_2 or "@context" not in found:
            return found
        return {**found, "@context": _with_context(found["@context"])}

    # -- the walk

    def _value(self, value: Any, scope: _Scope, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise NotAManifest(DEEP)
        if isinstance(value, list):
            walked = [self._value(one, scope, depth + 1) if isinstance(one, NESTED) else one for one in value]
            return value if _same(value, walked) else walked
        if scope.version and (version := _version_told(value)):
            return self.document(value, _Scope(version), depth)
        return self._thing(value, scope, depth)

    def _thing(self, held: Any, scope: _Scope, depth: int) -> Any:
        """An object with everything in it, in the order in which it is written, because the first service is special."""
        changed: dict[str, Any] = {}
        for key, value in held.items():
            if key == SERVICE:
                new = self._services(held, value, scope, depth)
            elif isinstance(value, NESTED):
                new = self._value(value, ELSEWHERE if key in POINTERS else scope, depth + 1)
            else:
                continue
            if new is not value:
                changed[key] = new
        if SERVICE not in held and (services := self._services(held, None, scope, depth)):
            changed[SERVICE] = services
        return _rewritten(held, changed)

    def _services(self, held: Any, value: Any, scope: _Scope, depth: int) -> Any:
        """What is to stand in ``service`` of an object; ``None`` if nothing is."""
        if value is None and not (scope.version and ("id" in held or "@id" in held)):
            return None
        listed = _listed(value)
        inner = depth + 1 + isinstance(value, list)
        walked = [self._service(one, scope, inner) if isinstance(one, NESTED) else one for one in listed]
        wanted = self._wanted_by(held, listed, scope) if scope.version else None
        return self._joined(value, walked, wanted, scope)

    def _service(self, service: Any, scope: _Scope, depth: int) -> Any:
        """A service as it is, or an image service with what it needs inside."""
        self._value(service, ELSEWHERE, depth)
        version, uri = _image_api(service), _url(service)
        if not version or not uri or not scope.version:
            return service
        inside = service.get(SERVICE)
        wanted = self.blocks(uri, _place(version, scope))
        joined = self._joined(inside, _listed(inside), wanted, scope)
        return service if joined is inside else _rewritten(service, {SERVICE: joined})

    # -- what is wanted

    def _wanted_by(self, held: Any, services: list[Any], scope: _Scope) -> Sequence[JSON] | None:
        own, images = _url(held), [uri for one in services if _image_api(one) and (uri := _url(one))]
        if (not own and not images) or _is_structure(held):
            return None
        if scope.version == 3:
            return self._first_of([uri for uri in (own, *images) if uri], Place.CONTENT_3)
        if any(self.blocks(uri, Place.IMAGE_SERVICE_2) is not None for uri in images):
            return None
        return self._first_of([own] if own else [], Place.CONTENT_2)

    def _first_of(self, uris: list[str], place: Place) -> Sequence[JSON] | None:
        """A body is what its own URL says, or what its image service says; whichever there are services for."""
        said: Sequence[JSON] | None = None
        for uri in uris:
            found = self.blocks(uri, place)
            if found:
                return found
            said = found if said is None else said
        return said

    # -- putting it there

    def _joined(self, value: Any, held: list[Any], wanted: Sequence[JSON] | None, scope: _Scope) -> Any:
        """``service`` as it was, with what it held as it is now, and the services that are wanted in place of ours."""
        if wanted is None:
            return _shaped(value, held)
        names = {name for block in wanted for name in _names(block)}
        kept = [one for one in held if not self._is_ours(one, names)]
        self._count(len(wanted))
        scope.lists_2 |= any(_is_listed(block) for block in wanted)
        new = [self._first_or_name(block) for block in wanted] if scope.version == 2 else wanted
        return _shaped(value, [*kept, *new], listed=bool(new) and scope.version == 3)

    def _is_ours(self, service: Any, names: set[str]) -> bool:
        return any(name in names or name.startswith(self.ours) for name in _names(service))

    def _count(self, number: int) -> None:
        """A small document that names one thing very often must not become a very large one."""
        self.added += number
        if self.added > MAX_SERVICES:
            raise TooLarge(f"The document would need more than {MAX_SERVICES:,} services; please give it in parts.")

    def _first_or_name(self, block: JSON) -> Any:
        name = block.get("@id")
        if not isinstance(name, str) or name not in self.complete:
            self.complete.update([name] if isinstance(name, str) else [])
            return block
        return name


# -- Reading what is there ----------------------------------------------------------------------------------------


def _texts(value: Any) -> Sequence[str]:
    """The texts in a value that may be one or a list of them."""
    if isinstance(value, str):
        return (value,)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else ()


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _version_told(document: JSON) -> int | None:
    """The version of the Presentation API that a context names, 2 also for those before it and 3 for those after."""
    if "@context" not in document:
        return None
    found = (PRESENTATION.fullmatch(text) for text in _texts(document["@context"]))
    return next((3 if int(match[1] or 2) >= 3 else 2 for match in found if match), None)


def _version_looked_like(document: JSON) -> int:
    """A document that names no context is of the version whose words it uses."""
    return 2 if not {"sequences", "@type", "@id"}.isdisjoint(document) else 3


def _is_structure(held: JSON) -> bool:
    return any(map(_is_structural, (*_texts(held.get("type")), *_texts(held.get("@type")))))


@lru_cache(maxsize=256)
def _is_structural(kind: str) -> bool:
    return re.split(r"[:/#]", kind)[-1] in STRUCTURE


def _url(held: Any) -> str | None:
    """The URL of an object without its fragment, if it has one."""
    if not isinstance(held, dict):
        return None
    found = held.get("id") or held.get("@id")
    if not isinstance(found, str) or not found.startswith(("https://", "http://")):
        return None
    return found.partition("#")[0]


def _image_api(service: Any) -> int:
    """The version of an image service; 0 if this is something else."""
    if not isinstance(service, dict):
        return 0
    return _api_told(" ".join([text for key in TELLING for text in _texts(service.get(key))]), "id" in service)


@lru_cache(maxsize=256)
def _api_told(words: str, modern: bool) -> int:
    """The version by the words of an image service; where they do not say it, versions before 3 had no ``id``."""
    told = IMAGE_SERVICE.search(words)
    if told is None:
        return 0
    return int(next((group for group in told.groups() if group), 3 if modern else 2))


def _place(version: int, scope: _Scope) -> Place:
    if scope.version == 2:
        return Place.IMAGE_SERVICE_2
    return Place.IMAGE_SERVICE_3_IN_3 if version >= 3 else Place.IMAGE_SERVICE_2_IN_3


def _names(service: Any) -> list[str]:
    """By what a service is known: its own URL, or, as some of version 1 have none, those of the services in it."""
    if isinstance(service, str):
        return [service]
    if not isinstance(service, dict):
        return []
    own = service.get("id") or service.get("@id")
    if isinstance(own, str):
        return [own]
    return [name for child in _listed(service.get(SERVICE)) if isinstance(child, dict | str) for name in _name(child)]


def _name(child: Any) -> Iterator[str]:
    name = child if isinstance(child, str) else child.get("id") or child.get("@id")
    if isinstance(name, str):
        yield name


def _is_listed(block: JSON) -> bool:
    """Whether a block is of a version whose context stands at the top of the document, and does not bring its own."""
    return block.get("type") in (PROBE_SERVICE, ACCESS_SERVICE) and "@context" not in block


# -- Writing what is to be there ----------------------------------------------------------------------------------


def _same(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(map(is_, one, other))


def _shaped(value: Any, services: list[Any], *, listed: bool = False) -> Any:
    """Services in the form in which ``service`` was, as long as they fit into it; ``None`` if there are none any more."""
    if isinstance(value, list) and _same(value, services):
        return value
    if not services:
        return None
    return services if listed or isinstance(value, list) or len(services) > 1 else services[0]


def _rewritten(held: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    gone = SERVICE in changed and changed[SERVICE] is None
    return (
        {key: value for key, value in {**held, **changed}.items() if not (gone and key == SERVICE)} if changed else held
    )


def _with_context(context: Any) -> Any:
    """With the context of Auth 2 before that of the Presentation API, which stays where it is (A2-DECL-06, A2-DECL-07)."""
    listed = _listed(context)
    at = next(
        (number for number, one in enumerate(listed) if isinstance(one, str) and PRESENTATION.fullmatch(one)), None
    )
    if at is None or CONTEXT in listed[:at]:
        return context
    return [*listed[:at], CONTEXT, *(one for one in listed[at:] if one != CONTEXT)]

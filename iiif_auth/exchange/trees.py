"""What a manifest or a Collection shows: its pictures, films and files, with what stands for each. Reads, and fetches nothing.

Manifests in use break the schema in every way there is, so what counts is where a thing stands and what it says of itself; what
can not be read is passed over. Presentation 2.1 and 3 may hold one another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from iiif_auth.protocol.manifest import IMAGE_SERVICE, MAX_DEPTH, TELLING

MOST_CONTENTS = 10_000
MOST_REFERENCES = 500
MOST_TEXT = 300

COLLECTIONS = ("Collection",)
CANVASES = ("Canvas", "Scene", "Timeline")
CHILDREN = ("manifests", "collections", "members", "sequences", "canvases", "items")
"""Where the parts of a Collection or a manifest stand, in either version."""

PAINTED = ("images", "content", "media", "items")
"""Where what is shown on a canvas stands, in either version and in drafts between them."""

KINDS = {
    "image": "Image",
    "stillimage": "Image",
    "video": "Video",
    "movingimage": "Video",
    "sound": "Sound",
    "audio": "Sound",
    "text": "Text",
    "application": "Text",
    "model": "Model",
    "physicalobject": "Model",
    "dataset": "Dataset",
}


@dataclass(frozen=True, slots=True)
class Content:
    """One thing that is shown or offered, by the address that rules go by.

    Args:
        uri: of its image service if it has one, else of the file.
        image_api: 2 or 3, of its image service; 0 for a file.
        role: ``"shown"``, ``"choice"`` for one of several, or ``"download"``.
        thumbnail: the address of its small picture, as it is written; empty if there is none.
        manifest: the name of the manifest it is in.
    """

    uri: str
    kind: str
    image_api: int
    format: str
    label: str
    role: str
    thumbnail: str
    manifest: str


@dataclass(slots=True)
class Tree:
    """All that is in a document."""

    label: str
    contents: list[Content] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)
    """Address and name of manifests and Collections that are only pointed at."""
    rights: list[str] = field(default_factory=list)
    cut: bool = False
    """There is more than fits."""


@dataclass(frozen=True, slots=True)
class Around:
    """What a thing is in."""

    manifest: str = ""
    label: str = ""
    thumbnail: str = ""
    role: str = "shown"


def tree(document: dict[str, Any]) -> Tree:
    """The tree of a document that :func:`iiif_auth.protocol.manifest.parsed` has read."""
    found = Tree(label_of(document) or url_of(document))
    _walk(document, Around(), found, 0)
    first: dict[str, Content] = {}
    for one in found.contents:
        first.setdefault(one.uri, one)
    found.contents = list(first.values())
    return found


def _walk(thing: Any, around: Around, found: Tree, depth: int) -> None:
    if not isinstance(thing, dict) or depth > MAX_DEPTH:
        return
    _note_rights(thing, found)
    kind = type_of(thing)
    if kind in CANVASES or _looks_like_canvas(thing):
        _canvas(thing, around, found, depth)
        return
    if kind not in ("Sequence", "AnnotationPage"):
        around = Around(label_of(thing) or around.manifest, thumbnail=around.thumbnail)
    _downloads(thing, around, found)
    for child in _parts(thing, CHILDREN):
        if _is_pointer(child):
            _refer(child, found)
        else:
            _walk(child, around, found, depth + 1)


def _looks_like_canvas(thing: dict[str, Any]) -> bool:
    """Without a type: it has pictures on it, or pages of annotations."""
    if type_of(thing):
        return False
    return "images" in thing or any(type_of(one) == "AnnotationPage" for one in _listed(thing.get("items")))


def _is_pointer(child: Any) -> bool:
    """A manifest or a Collection of which only the address is here."""
    if isinstance(child, str):
        return True
    structural = type_of(child) in ("Manifest", "Collection")
    return structural and not any(key in child for key in CHILDREN)


def _refer(child: Any, found: Tree) -> None:
    url = child if isinstance(child, str) else url_of(child)
    if len(found.references) >= MOST_REFERENCES:
        found.cut = True
    elif url.startswith(("https://", "http://")):
        found.references.append((url, "" if isinstance(child, str) else label_of(child)))


def _note_rights(thing: dict[str, Any], found: Tree) -> None:
    for key in ("rights", "license"):
        for one in _listed(thing.get(key)):
            text = one if isinstance(one, str) else url_of(one)
            if text and text[:MOST_TEXT] not in found.rights and len(found.rights) < 20:
                found.rights.append(text[:MOST_TEXT])


# -- Canvases -----------------------------------------------------------------------------------------------------


def _canvas(thing: dict[str, Any], around: Around, found: Tree, depth: int) -> None:
    inner = Around(around.manifest, label_of(thing), thumbnail_of(thing))
    for annotation in _annotations(thing, depth):
        for body, role in _bodies(annotation, depth):
            _add(body, inner, role, found)
    _downloads(thing, inner, found)


def _annotations(thing: dict[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    """Annotations, whether in pages or not; of those that say what they are for, the ones that paint."""
    if depth > MAX_DEPTH:
        return
    for one in _parts(thing, PAINTED):
        if not isinstance(one, dict):
            continue
        if type_of(one) == "AnnotationPage" or ("items" in one and "body" not in one and "resource" not in one):
            yield from _annotations(one, depth + 1)
        elif _paints(one):
            yield one


def _paints(annotation: dict[str, Any]) -> bool:
    said = [one for one in _listed(annotation.get("motivation")) if isinstance(one, str)]
    return not said or any(one.rpartition(":")[2] == "painting" for one in said)


def _bodies(annotation: dict[str, Any], depth: int) -> Iterator[tuple[dict[str, Any], str]]:
    """What an annotation shows; an entry that is no annotation stands for itself."""
    held = annotation.get("body", annotation.get("resource"))
    if held is None and not _is_annotation(annotation):
        held = annotation
    several = isinstance(held, list) and len(held) > 1
    for one in _listed(held):
        yield from _alternatives(one, "choice" if several else "shown", depth)


def _is_annotation(thing: dict[str, Any]) -> bool:
    return type_of(thing) == "Annotation"


def _alternatives(body: Any, role: str, depth: int) -> Iterator[tuple[dict[str, Any], str]]:
    """A body, or each one of a choice, behind whatever is said of the part that is shown."""
    if isinstance(body, str):
        body = {"id": body}
    if not isinstance(body, dict) or depth > MAX_DEPTH:
        return
    if type_of(body) == "Choice" or ("default" in body and "item" in body):
        for one in (*_listed(body.get("default")), *_listed(body.get("item")), *_listed(body.get("items"))):
            yield from _alternatives(one, "choice", depth + 1)
    elif type_of(body) == "SpecificResource" or "full" in body or "source" in body:
        yield from _alternatives(body.get("source", body.get("full")), role, depth + 1)
    else:
        yield body, role


def _downloads(thing: dict[str, Any], around: Around, found: Tree) -> None:
    for one in _listed(thing.get("rendering")):
        body = {"id": one} if isinstance(one, str) else one
        if isinstance(body, dict):
            _add(body, around, "download", found)


def _add(body: dict[str, Any], around: Around, role: str, found: Tree) -> None:
    if len(found.contents) >= MOST_CONTENTS * 2:  # some are there twice
        found.cut = True
        return
    uri, version = service_of(body)
    uri = uri or url_of(body)
    if not uri.startswith(("https://", "http://", "/")):
        return
    own = label_of(body)
    label = " – ".join(dict.fromkeys(text for text in (around.label or around.manifest, own) if text))
    form = body.get("format") if isinstance(body.get("format"), str) else ""
    thumbnail = thumbnail_of(body) or (around.thumbnail if role != "download" else "")
    found.contents.append(
        Content(uri, kind_of(body), version, str(form)[:100], label[:MOST_TEXT], role, thumbnail, around.manifest)
    )


# -- What a thing says of itself ----------------------------------------------------------------------------------


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _parts(thing: dict[str, Any], keys: Iterable[str]) -> Iterator[Any]:
    for key in keys:
        yield from _listed(thing.get(key))


def type_of(thing: Any) -> str:
    """The type without its prefix; ``""`` if it has none."""
    if not isinstance(thing, dict):
        return ""
    for key in ("type", "@type"):
        for one in _listed(thing.get(key)):
            if isinstance(one, str):
                return re.split(r"[:/#]", one)[-1]
    return ""


def url_of(thing: Any) -> str:
    """The address without its fragment; ``""`` if it has none."""
    found = (thing.get("id") or thing.get("@id")) if isinstance(thing, dict) else None
    return found.strip().partition("#")[0] if isinstance(found, str) else ""


def label_of(thing: Any) -> str:
    """The first text of a label, in whatever form it is."""
    held = thing.get("label") if isinstance(thing, dict) else None
    return next((text.strip()[:MOST_TEXT] for text in _texts(held, 0) if text.strip()), "")


def _texts(held: Any, depth: int) -> Iterator[str]:
    if isinstance(held, str):
        yield held
    elif isinstance(held, list) and depth < 4:
        for one in held:
            yield from _texts(one, depth + 1)
    elif isinstance(held, dict) and depth < 4:
        yield from _texts(held["@value"] if "@value" in held else list(held.values()), depth + 1)


def service_of(body: dict[str, Any]) -> tuple[str, int]:
    """Address and version of the image service of a body, the newest if there are several; ``("", 0)`` if there is none."""
    found = [one for key in ("service", "services") for one in _listed(body.get(key)) if isinstance(one, dict)]
    known = [(url_of(one), _version(one)) for one in found]
    return max(((url, version) for url, version in known if url and version), key=lambda one: one[1], default=("", 0))


def _version(service: dict[str, Any]) -> int:
    """2 also for what is older; 0 if it is no image service."""
    words = " ".join(text for key in TELLING for text in _listed(service.get(key)) if isinstance(text, str))
    told = IMAGE_SERVICE.search(words)
    if told is None:
        return 0
    number = next((group for group in told.groups() if group), "3" if "id" in service else "2")
    return 3 if int(number) >= 3 else 2


def kind_of(body: dict[str, Any]) -> str:
    """One of our kinds, by its type or its media type."""
    told = (type_of(body), str(body.get("format", "")).partition("/")[0])
    found = (KINDS.get(re.sub(r"[^a-z]", "", word.lower())) for word in told)
    return next((kind for kind in found if kind), "Image")


def thumbnail_of(thing: dict[str, Any]) -> str:
    """The address of the small picture of a thing; ``""`` if it has none."""
    for one in _listed(thing.get("thumbnail")):
        url = one if isinstance(one, str) else url_of(one)
        if url.startswith(("https://", "http://", "/")):
            return str(url)
    return ""

"""Documents as JSON-LD, offline: what of them is lost when they are expanded with the contexts that were published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pyld import jsonld

CONTEXTS = Path(__file__).parents[1] / "fixtures" / "spec" / "contexts"
ANNOTATION: dict[str, Any] = {
    "@context": {
        "@version": 1.1,
        "id": "@id",
        "type": "@type",
        "oa": "http://www.w3.org/ns/oa#",
        "as": "http://www.w3.org/ns/activitystreams#",
        "body": {"@id": "oa:hasBody", "@type": "@id"},
        "target": {"@id": "oa:hasTarget", "@type": "@id"},
        "motivation": {"@id": "oa:motivatedBy", "@type": "@vocab"},
        "items": {"@id": "as:items", "@type": "@id", "@container": "@list"},
    }
}
"""In place of http://www.w3.org/ns/anno.jsonld, which is not ours to carry: the terms that manifests use."""

NOWHERE = "https://unknown.invalid/"
"""The base that a word is resolved against when no context knows it; nothing real has such an address."""
IDS, TYPES = ("id", "@id"), ("type", "@type")


class Unpublished(LookupError):
    """A context that is not among those at hand."""


@cache
def context(name: str) -> Any:
    path = CONTEXTS / f"{name}-context.json"
    if not path.exists():
        raise Unpublished(name)
    return json.loads(path.read_text())


def loader(url: str, _options: Any) -> dict[str, Any]:
    """Every context from a file, under http and https alike (the one of Auth 2 names one under https)."""
    place = re.sub(r"^https?://", "", url)
    if place == "www.w3.org/ns/anno.jsonld":
        document = ANNOTATION
    else:
        document = context(place.removeprefix("iiif.io/api/").removesuffix("/context.json").replace("/", "-"))
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": document}


def expanded(document: Any) -> list[Any]:
    options = {"documentLoader": loader, "base": NOWHERE, "processingMode": "json-ld-1.1"}
    return list(jsonld.expand(document, options))


def lost(document: Any) -> list[str]:
    """JSON pointers to every property and value of a document that its expansion does not have."""
    found = expanded(document)
    return list(_of_node(document, found[0] if found else {}, ""))


def _of_node(source: dict[str, Any], node: dict[str, Any], at: str) -> Iterator[str]:
    """Every property must have one of its own in the expansion; none may stand for two."""
    free = {name: values for name, values in node.items() if name not in ("@id", "@type")}
    for name, value in source.items():
        here = f"{at}/{name}"
        if name in IDS:
            yield from [] if node.get("@id") == value else [here]
        elif name in TYPES:
            yield from _of_types(value, node.get("@type", []), here)
        elif name != "@context":
            yield from _of_property(value, free, here)


def _of_property(value: Any, free: dict[str, Any], at: str) -> list[str]:
    """What is missing of the property that has most of this value, which then is taken."""
    tried = {name: missing(value, values, at) for name, values in free.items()}
    found = {name: gone for name, gone in tried.items() if at not in gone}
    if not found:
        return [at]
    best = min(found, key=lambda name: len(found[name]))
    del free[best]
    return found[best]


def _of_types(value: Any, types: list[str], at: str) -> Iterator[str]:
    names = value if isinstance(value, list) else [value]
    known = [one for one in types if not one.startswith(NOWHERE)]
    if len(known) != len(names):
        yield at


def missing(value: Any, values: Any, at: str) -> list[str]:
    """What of a value is not among the expanded ones; the pointer to the value itself if they are of something else."""
    if len(values) == 1 and "@list" in values[0]:
        values = values[0]["@list"]
    if isinstance(value, dict) and "@value" not in value and all("@value" in one for one in values):
        return _of_languages(value, values, at)
    wanted = value if isinstance(value, list) else [value]
    if len(wanted) != len(values):
        return [at]
    found: list[str] = []
    for number, (one, other) in enumerate(zip(wanted, values, strict=True)):
        inner = _of_one(one, other, f"{at}/{number}" if isinstance(value, list) else at, at)
        if at in inner:
            return [at]
        found += inner
    return found


def _of_one(value: Any, other: dict[str, Any], here: str, at: str) -> list[str]:
    if not isinstance(value, dict):
        return [] if _says(value, other) else [at]
    if "@value" in value:
        return [] if other == value else [at]
    if "@value" in other or identity(value) != other.get("@id"):
        return [at]
    found = list(_of_node(value, other, here))
    return [at] if set(found) >= {f"{here}/{name}" for name in value} else found


def identity(source: dict[str, Any]) -> Any:
    return next((source[name] for name in IDS if name in source), None)


def _says(value: Any, other: dict[str, Any]) -> bool:
    """A literal is there as it was, an address too, and a word as the address that it stands for."""
    if "@value" in other:
        return type(other["@value"]) is type(value) and other["@value"] == value
    if not isinstance(value, str):
        return False
    found = other.get("@id", NOWHERE)
    return found == value if "://" in value else set(other) == {"@id"} and not found.startswith(NOWHERE)


def _of_languages(value: dict[str, Any], values: list[dict[str, Any]], at: str) -> list[str]:
    there = {(one.get("@language", "none").lower(), one["@value"]) for one in values}
    wanted = [
        (language, text)
        for language, texts in value.items()
        for text in (texts if isinstance(texts, list) else [texts])
    ]
    gone = {language for language, text in wanted if not isinstance(text, str) or (language.lower(), text) not in there}
    return [at] if len(gone) == len(value) else [f"{at}/{language}" for language in value if language in gone]

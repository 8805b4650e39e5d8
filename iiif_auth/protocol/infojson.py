"""Services in info.json documents, which are rewritten as plain JSON: every other property and its order stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from iiif_auth.protocol.dialect import Dialect
from iiif_auth.protocol.terms import JSON, JSONValue
from iiif_auth.protocol.v2 import CONTEXT, DIALECT


def with_probe(document: JSON, probe: JSON, version: int) -> JSON:
    """The info.json of an image service, of Image API ``version``, with this probe of 2.0.0 in it."""
    block = {"@context": CONTEXT, **probe} if version == 2 else probe
    return with_services(document, [block], [DIALECT], version)


def with_services(document: JSON, blocks: Sequence[JSON], dialects: Iterable[Dialect], version: int) -> JSON:
    """The info.json of an image service, of Image API ``version``, with these blocks of these dialects in it.

    In Image API 3 the context of Auth 2 goes before the image's (A2-DECL-06, A2-DECL-07); in Image API 2 every block brings
    its own, and the host's context stays the plain string (A2-DECL-09, A1-DESC-08).
    """
    if not blocks:
        return document
    if version == 3:
        ours = list(dict.fromkeys(dialect.context for dialect in dialects if dialect.listed))
        contexts = _listed(document.get("@context"))
        if ours:
            document = {**document, "@context": [*ours, *(one for one in contexts if one not in ours)]}
    return {**document, "service": [*_listed(document.get("service")), *blocks]}


def leading_to(document: JSON, location: str) -> JSON:
    """An info.json of the alpha that names the lesser version one may have (A2A-INFO-03)."""
    return {**document, "location": location}


def _listed(value: JSONValue) -> list[JSONValue]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]

"""Services in info.json documents, which are rewritten as plain JSON: every other property and its order stay."""

from __future__ import annotations

from iiif_auth.protocol.terms import JSON, JSONValue
from iiif_auth.protocol.v2 import CONTEXT


def with_probe(document: JSON, probe: JSON, version: int) -> JSON:
    """The info.json of an image service with this probe in it.

    In Image API 3 the context of Auth 2 goes before the image's (A2-DECL-06, A2-DECL-07); in Image API 2 the probe brings its
    own, and the host's context stays the plain string (A2-DECL-09, A1-DESC-08).
    """
    if version == 2:
        return _placed(document, {"@context": CONTEXT, **probe})
    contexts = _listed(document.get("@context"))
    return _placed({**document, "@context": [CONTEXT, *(c for c in contexts if c != CONTEXT)]}, probe)


def _placed(document: JSON, service: JSON) -> JSON:
    return {**document, "service": [*_listed(document.get("service")), service]}


def _listed(value: JSONValue) -> list[JSONValue]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]

"""The image and file servers that stand behind a door: asked by us alone, believed in nothing but the shape of a picture."""

from __future__ import annotations

from iiif_auth.upstream.descriptions import BadDescription, Description
from iiif_auth.upstream.kept import describe, forget
from iiif_auth.upstream.passing import Passed, passed
from iiif_auth.upstream.rewriting import rewritten, scaled

__all__ = ["BadDescription", "Description", "Passed", "describe", "forget", "passed", "rewritten", "scaled"]

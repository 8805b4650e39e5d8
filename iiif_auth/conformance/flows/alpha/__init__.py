"""Authentication API 2.0 alpha of August 2022, by behaviour."""

from __future__ import annotations

from iiif_auth.conformance.documents import ALPHA
from iiif_auth.conformance.flows.alpha.walk import walk
from iiif_auth.conformance.flows.flow import Flow

FLOW = Flow(ALPHA, ("2.0-alpha",), walk)

__all__ = ["FLOW"]

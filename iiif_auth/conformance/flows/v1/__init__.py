"""Authentication API 1.0, and 0.9.4, which is the same text with another number in its URIs, by behaviour."""

from __future__ import annotations

from iiif_auth.conformance.documents import VERSION_0, VERSION_1
from iiif_auth.conformance.flows.flow import Flow
from iiif_auth.conformance.flows.v1.walk import walk, walk_094

FLOW = Flow(VERSION_1, ("1.0", "1.0-defacto"), walk)
FLOW_094 = Flow(VERSION_0, ("0.9.4",), walk_094)

__all__ = ["FLOW", "FLOW_094"]

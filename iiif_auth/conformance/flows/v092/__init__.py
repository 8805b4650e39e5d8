"""IIIF Authentication 0.9.2, by behaviour."""

from __future__ import annotations

from iiif_auth.conformance.documents import VERSION_0
from iiif_auth.conformance.flows.flow import Flow
from iiif_auth.conformance.flows.v092.walk import walk

FLOW = Flow(VERSION_0, ("0.9.2",), walk)

__all__ = ["FLOW"]

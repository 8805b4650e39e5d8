"""IIIF Authorization Flow 2.0.0, by behaviour."""

from __future__ import annotations

from iiif_auth.conformance.documents import VERSION_2
from iiif_auth.conformance.flows.flow import Flow
from iiif_auth.conformance.flows.v2.walk import walk

FLOW = Flow(VERSION_2, ("2.0.0",), walk)

__all__ = ["FLOW"]

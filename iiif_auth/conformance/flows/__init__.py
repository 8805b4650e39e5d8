"""The versions that are judged by behaviour, one row each: a new version is a module and a row."""

from __future__ import annotations

from iiif_auth.conformance.flows import alpha, v092, v1, v2
from iiif_auth.conformance.flows.flow import Flow

FLOWS: tuple[Flow, ...] = (v2.FLOW, alpha.FLOW, v1.FLOW, v1.FLOW_094, v092.FLOW)

ROWS: dict[str, tuple[str, ...]] = {
    version: tuple(row for flow in FLOWS if flow.version == version for row in flow.rows)
    for version in dict.fromkeys(flow.version for flow in FLOWS)
}
"""What the table of requirements calls each version that documents can speak: 0.9.4 and 0.9.2 share their addresses."""

__all__ = ["FLOWS", "ROWS", "Flow"]

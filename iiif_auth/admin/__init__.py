"""The admin: importing it registers every model that people look at or change."""

from iiif_auth.admin import (
    attributes,
    batches,
    clients,
    content,
    delegation,
    devices,
    drafts,
    history,
    lending,
    overlays,
    passes,
    reports,
    requests,
    rules,
    terms,
)

__all__ = [
    "attributes",
    "batches",
    "clients",
    "content",
    "delegation",
    "devices",
    "drafts",
    "history",
    "lending",
    "overlays",
    "passes",
    "reports",
    "requests",
    "rules",
    "terms",
]

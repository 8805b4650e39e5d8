"""The admin: importing it registers every model that people look at or change."""

from iiif_auth.admin import (
    batches,
    clients,
    content,
    delegation,
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
    "batches",
    "clients",
    "content",
    "delegation",
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

"""The admin: importing it registers every model that people look at or change."""

from iiif_auth.admin import clients, content, overlays, passes, rules

__all__ = ["clients", "content", "overlays", "passes", "rules"]

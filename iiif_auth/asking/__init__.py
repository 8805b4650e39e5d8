"""Readers who ask: what the page that says why not gives them to quote, requests for access, and invitations.

Nothing here speaks HTTP. :mod:`iiif_auth.http.refused`, :mod:`~iiif_auth.http.ask` and :mod:`~iiif_auth.http.invited` are the
readers' pages, :mod:`iiif_auth.admin.requests` is the staff's.
"""

from __future__ import annotations

from iiif_auth.asking.invitations import invite

__all__ = ["invite"]

from __future__ import annotations

from tests.web import login, site, terms

__all__ = ["login", "site", "terms"]

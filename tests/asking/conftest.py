from __future__ import annotations

from tests.web import site

__all__ = ["site"]

from __future__ import annotations

import pytest
from django.core.cache import cache

from tests.web import site

__all__ = ["site"]


@pytest.fixture(autouse=True)
def nothing_counted():
    cache.clear()

from __future__ import annotations

import pytest

from iiif_auth import fetch, upstream


@pytest.fixture(autouse=True)
def nothing_known():
    upstream.forget()
    yield
    upstream.forget()


@pytest.fixture
def hurried(monkeypatch):
    """Half a second instead of five, so that what is slow need not be waited for."""
    monkeypatch.setattr(fetch, "SECONDS", 0.5)
    return 0.5

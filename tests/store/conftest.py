from __future__ import annotations

import pytest

BASE = "https://iiif.example.org"


@pytest.fixture(autouse=True)
def base_url(settings):
    settings.IIIF_AUTH_FLOW = {"BASE_URL": BASE}

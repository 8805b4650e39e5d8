from __future__ import annotations

import pytest

from tests import factories


@pytest.fixture(autouse=True)
def plain_site(settings):
    """WhiteNoise complains about static files that were never collected, and nothing here asks for them."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise.")]


@pytest.fixture
def root(client):
    """The browser of somebody who may do everything."""
    client.force_login(factories.UserFactory(username="root", is_staff=True, is_superuser=True))
    return client

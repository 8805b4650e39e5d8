from __future__ import annotations

import pytest

from iiif_auth import upstream
from tests.test_fetch import site as running
from tests.upstream.conftest import hurried
from tests.upstream.stub import described
from tests.web import site

__all__ = ["hurried", "site"]

JPEG = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nConnection: close\r\n"


class Upstream:
    """An image server that says whatever a test puts into ``says``."""

    def __init__(self):
        self.says = described()
        self.asked = []

    def __call__(self, connection, over):
        return connection.sendall(self.says) if isinstance(self.says, bytes) else self.says(connection, over)

    @property
    def paths(self):
        return [one.split(b" ")[1].decode() for one in self.asked]


@pytest.fixture
def images():
    """The image server behind the doors ``images`` and ``older``."""
    upstream.forget()
    stub = Upstream()
    with running(stub) as made:
        stub.asked, stub.port = made.asked, made.port
        yield stub
    upstream.forget()


@pytest.fixture
def doors(site, images, tmp_path):
    """A site with one door of each kind; returns the settings."""
    site.ROOT_URLCONF = "tests.doorways.urls"
    start = f"http://127.0.0.1:{images.port}"
    for folder in ("media", "films/harbour"):
        (tmp_path / folder).mkdir(parents=True)
    site.IIIF_AUTH_FLOW = {
        **site.IIIF_AUTH_FLOW,
        "DOORS": (
            {"name": "images", "path": "/iiif/image/3/", "serves": "image-3", "upstream": f"{start}/iiif/3/"},
            {"name": "older", "path": "/iiif/image/2/", "serves": "image-2", "upstream": f"{start}/iiif/2/"},
            {"name": "media", "path": "/media/", "serves": "files", "root": f"{tmp_path}/media/"},
            {"name": "remote", "path": "/remote/", "serves": "files", "upstream": f"{start}/files/"},
            {"name": "films", "path": "/films/", "serves": "folders", "root": f"{tmp_path}/films/"},
        ),
    }
    return site

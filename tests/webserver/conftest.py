"""Peers that stand behind a web server: an application that decides, and an image server with a secret."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webserver.backstage import Backstage, running


@pytest.fixture(scope="module")
def backstage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backstage]:
    with running(tmp_path_factory.mktemp("backstage")) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where one nginx writes its files."""
    return tmp_path / "nginx"

from __future__ import annotations

import pytest

from tests.servers import pictures


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with ``images`` in it."""
    made = tmp_path_factory.mktemp("served")
    pictures(made / "images")
    return made

"""A plugin for the second run of the suites, on PostgreSQL: of the large packages, one test in twelve, others the next day.

The statements of checks are kept ready there, as on a site that has set ``PREPARED_STATEMENTS``; races, stories and jobs are run
on PostgreSQL without.

``POSTGRES_PARTS=1 python -m pytest -m postgres tests/postgres`` runs every one.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from zlib import crc32

import pytest

from iiif_auth.conf import DEFAULTS

LARGE = ("tests/http/", "tests/security/", "tests/enforce/", "tests/models/")
PARTS = int(os.environ.get("POSTGRES_PARTS", "12"))


def is_of(day: int, name: str) -> bool:
    """Whether a test is run on a day, counted from any; within so many days as there are parts each is run once."""
    return not name.startswith(LARGE) or crc32(name.encode()) % PARTS == day % PARTS


def pytest_configure() -> None:
    DEFAULTS["PREPARED_STATEMENTS"] = True


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    day = datetime.now(UTC).toordinal()
    left = [item for item in items if not is_of(day, item.nodeid)]
    items[:] = [item for item in items if is_of(day, item.nodeid)]
    config.hook.pytest_deselected(items=left)

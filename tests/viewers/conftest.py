"""The viewers installed, a site to host them, a library with a book, and a browser before them.

The browser is that of ``tests/browser``: third-party cookies allowed, a profile for every test.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zlib import crc32

import pytest
from playwright.sync_api import BrowserContext

from tests.browser.conftest import (  # noqa: F401 - fixtures and the hook that keeps evidence of failures
    Notes,
    chromium,
    context,
    new_context,
    notes,
    playwright,
    pytest_runtest_makereport,
)
from tests.viewers import packages
from tests.viewers.holdings import Library, open_library
from tests.viewers.hosting import hosting
from tests.viewers.mirador import Mirador
from tests.viewers.vault import Vault

HERE = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "cell(viewer, row, flavour, flaw): a cell of the table in tests/viewers/README.md"
    )


PARTS = int(os.environ.get("VIEWERS_PARTS", "3"))
"""When all tests run in parallel, two flavours of each take turns, so that each is tried once in so many days; with 1, always."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    day, left = datetime.now(UTC).toordinal(), []
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if hasattr(config, "workerinput") and not is_of(day, item.nodeid.partition("[")[0], flavour_of(item)):
                left.append(item)
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=left)


def flavour_of(item: pytest.Item) -> str:
    return str(item.callspec.params.get("flavour", "")) if hasattr(item, "callspec") else ""


def is_of(day: int, name: str, flavour: str) -> bool:
    """Whether a test is run on a day, with dialects 1.0 and 0.9 (``"1"``, ``"0"``) by turns; others always."""
    return flavour not in ("1", "0") or (crc32(name.encode()) + int(flavour) + day) % PARTS == 0


@pytest.fixture(scope="session")
def library(chromium: str) -> Iterator[Library]:  # noqa: F811 - the fixture imported above
    with open_library() as opened:
        yield opened


@pytest.fixture(scope="session")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: F811
    """Where the viewers live: another site than the library's."""
    modules = packages.install()
    vault = tmp_path_factory.mktemp("pages") / "vault.js"
    packages.bundle(modules, HERE / "pages" / "vault.jsx", vault)
    files = {
        "/mirador.html": HERE / "pages" / "mirador.html",
        "/mirador.min.js": modules / "mirador" / "dist" / "mirador.min.js",
        "/vault.html": HERE / "pages" / "vault.html",
        "/vault.js": vault,
    }
    with hosting(files) as origin:
        yield origin


@pytest.fixture
def mirador(context: BrowserContext, site: str, library: Library, notes: Notes) -> Callable[[str], Mirador]:  # noqa: F811
    """Open Mirador with an empty page, to be shown manifests of one flavour."""
    # Said by Mirador's own copy of React, of Mirador itself.
    notes.expect("Accessing element.ref was removed in React 19")
    notes.expect("Tile %s failed to load")
    return lambda flavour: Mirador(context, site, library, flavour)


@pytest.fixture
def vault(context: BrowserContext, site: str, library: Library) -> Callable[[str], Vault]:  # noqa: F811
    return lambda flavour: Vault(context, site, library, flavour)


@pytest.fixture
def sit(context: BrowserContext, library: Library) -> Iterator[Callable[[str], None]]:  # noqa: F811
    """Move everybody somewhere with the switch on the library's first page; back home afterwards."""
    page = context.new_page()

    def move(place: str) -> None:
        page.goto(library.demo.address)
        page.locator(f'button[name="place"][value="{place}"]').click()
        page.locator(f'button[name="place"][value="{place}"][aria-pressed="true"]').wait_for()

    yield move
    move("home")

"""A demo, a Chromium, and a reader before it.

The demo is one process for the whole run; every test has a browser profile of its own. Nothing here touches Django's ORM:
Playwright's event loop and Django's guard against using the ORM beside one do not go together, which is also why Playwright
itself lives no longer than a module.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Playwright, expect, sync_playwright

from tests.browser.demo import RESULTS, Demo, running
from tests.browser.furnish import Furnished, house
from tests.browser.reader import Reader

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
ALLOW_POPUPS = "--disable-popup-blocking"
"""Playwright's own default, and of a kiosk that allows windows."""

PATIENCE = 60_000
"""Milliseconds for anything to come true; a limit for what never does, on a machine that has other things to do."""

COOKIES_ALLOWED, COOKIES_BLOCKED = 0, 1
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
Contexts = Callable[..., BrowserContext]
expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or ("/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else "")
    if not found:
        missing = "Chromium is not installed (Debian: apt-get install chromium)."
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@pytest.fixture(scope="session")
def demo(chromium: str) -> Iterator[Demo]:
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def furnished(chromium: str) -> Iterator[Furnished]:
    """Another demo, with rows for every page of the admin."""
    with house() as started:
        yield started


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


class Notes:
    """What a browser said while nobody looked: errors on the console, requests that failed, exceptions."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.faults: list[str] = []
        self.expected: list[str] = []

    def watch(self, context: BrowserContext) -> None:
        context.on("console", lambda message: self._said(message.type, message.text, message.location.get("url", "")))
        context.on("weberror", lambda found: self._fault(f"exception: {found.error}"))
        context.on("requestfailed", lambda request: self.lines.append(f"failed: {request.url} {request.failure}"))

    def expect(self, words: str) -> None:
        """A test that provokes an error says which."""
        self.expected.append(words)

    def unexpected(self) -> list[str]:
        return [fault for fault in self.faults if not any(words in fault for words in self.expected)]

    def _said(self, kind: str, text: str, where: str) -> None:
        line = f"{kind}: {text} ({where})"
        self.lines.append(line)
        if kind == "error" and not REFUSED.match(text):
            self.faults.append(line)

    def _fault(self, line: str) -> None:
        self.lines.append(line)
        self.faults.append(line)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def new_context(
    playwright: Playwright, chromium: str, tmp_path: Path, notes: Notes, request: pytest.FixtureRequest
) -> Iterator[Contexts]:
    """Open browsers, each with a profile of its own: third-party cookies allowed, pop-ups after a click only."""
    opened: list[BrowserContext] = []

    def new(
        *arguments: str, cookies: int = COOKIES_ALLOWED, locale: str = "en-GB", height: int = 800, **more: Any
    ) -> BrowserContext:
        profile = tmp_path / f"profile-{len(opened)}"
        (profile / "Default").mkdir(parents=True)
        preferences = {"profile": {"cookie_controls_mode": cookies}}
        (profile / "Default" / "Preferences").write_text(json.dumps(preferences), encoding="utf-8")
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=chromium,
            args=[*ARGUMENTS, *arguments],
            # What is named here Playwright takes away wherever it comes from, from our own arguments too.
            ignore_default_args=[one for one in (ALLOW_POPUPS,) if one not in arguments],
            locale=locale,
            viewport={"width": 1280, "height": height},
            **more,
        )
        context.set_default_timeout(PATIENCE)
        notes.watch(context)
        opened.append(context)
        return context

    yield new
    unexpected = notes.unexpected()
    if request.node.stash.get(FAILED, False) or unexpected:
        keep_evidence(request.node.name, opened, notes)
    for context in opened:
        context.close()
    assert unexpected == []


@pytest.fixture
def context(new_context: Contexts) -> BrowserContext:
    return new_context()


@pytest.fixture
def reader(context: BrowserContext, demo: Demo) -> Reader:
    """Somebody before the demo's viewer, who has not yet chosen anything."""
    return Reader(context, demo)


@pytest.fixture
def sit(new_context: Contexts, demo: Demo) -> Iterator[Callable[[str], None]]:
    """Move everybody somewhere with the switch on the library's first page; back home afterwards."""
    page = new_context().new_page()

    def move(place: str) -> None:
        page.goto(demo.address)
        page.locator(f'button[name="place"][value="{place}"]').click()
        page.locator(f'button[name="place"][value="{place}"][aria-pressed="true"]').wait_for()

    yield move
    move("home")


def keep_evidence(name: str, contexts: list[BrowserContext], notes: Notes) -> None:
    """Screenshots of every tab, the console, and the viewer's own log, in ``test-results/``."""
    folder = RESULTS / re.sub(r"\W+", "-", name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "console.txt").write_text("\n".join(notes.lines), encoding="utf-8")
    tabs = [tab for context in contexts for tab in context.pages]
    for number, tab in enumerate(tabs):
        tab.screenshot(path=folder / f"{number}.png", timeout=5000)
        events = tab.evaluate("globalThis.iiifViewer ? JSON.stringify(iiifViewer.events, null, 1) : ''")
        (folder / f"{number}.json").write_text(f"{tab.url}\n{events}", encoding="utf-8")

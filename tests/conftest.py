"""What every test shares, and how the tests are shared out among the workers of a parallel run."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone, translation
from hypothesis import settings as examples

from iiif_auth.conf import DEFAULTS

examples.register_profile("patient", examples.default, deadline=None)  # otherwise as it was: in CI without chance
examples.load_profile("patient")

DEFAULTS["COUNT_SECONDS"] = 0  # else whichever test comes a minute later would write down what others counted

LONG = ("postgres", "browser", "readme")
"""Markers of tests that take long, mostly waiting for others: begun first, lest one worker is left with one at the end."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a parallel run, what takes long comes first; otherwise the order is left as it is."""
    if hasattr(config, "workerinput"):
        items.sort(key=_turn)  # stable: within a turn the order stays random, and it is the same for every worker


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, marker in enumerate(LONG) if item.get_closest_marker(marker)), len(LONG))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n``, a module is one worker's: what it started for one test serves its others too."""
    from xdist.scheduler import LoadFileScheduling

    if config.getoption("dist") != "load":  # asked for something else
        return None
    config.option.loadscopereorder = False  # the order of pytest_collection_modifyitems, not the most tests first
    return LoadFileScheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """``-n auto``: as many as there are cores, but a demo and a browser for each is enough at four."""
    return min(4, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest) -> None:
    """Passwords are hashed to be slow; hundreds of accounts in tests need not be."""
    if "settings" in request.fixturenames or "db" in request.fixturenames:
        request.getfixturevalue("settings").PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def nothing_left_over() -> Iterator[None]:
    """The language that a test was answered in stays active in its thread, and what it was counted for in the cache."""
    yield
    translation.deactivate()
    timezone.deactivate()
    cache.clear()


@pytest.fixture(autouse=True, scope="module")
def loggers_as_they_were() -> Iterator[None]:
    """What configures logging anew within a module switches off the loggers of everything else, and so ends with it."""
    ours = [logging.getLogger(name) for name in logging.root.manager.loggerDict if name.startswith("iiif_auth")]
    before = [(one, one.disabled, one.propagate, one.level) for one in ours]
    disabled = logging.root.manager.disable
    yield
    logging.disable(disabled)
    for one, *state in before:
        one.disabled, one.propagate, one.level = state


@pytest.fixture(autouse=True)
def one_connection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's transaction is not ended by the check's looking after old connections, as Django's own client sees to."""
    if "db" in request.fixturenames:
        monkeypatch.setattr("iiif_auth.enforce.wsgi.close_old_connections", lambda: None)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI everything that tests need is installed, so a skipped test is a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("Tests were skipped, which counts as failing in CI.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

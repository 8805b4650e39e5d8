"""What every test shares."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True)
def quick_passwords(request: pytest.FixtureRequest) -> None:
    """Passwords are hashed to be slow; hundreds of accounts in tests need not be."""
    if "settings" in request.fixturenames or "db" in request.fixturenames:
        request.getfixturevalue("settings").PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """In CI everything that tests need is installed, so a skipped test is a failed one."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("Tests were skipped, which counts as failing in CI.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

"""The campaign of ``texts.py``, in short: a text stays a text wherever it is shown (security T1, A7)."""

from __future__ import annotations

from random import Random

import pytest

from tests.browser.conftest import chromium
from tests.security import texts

__all__ = ["chromium"]
pytestmark = pytest.mark.browser


@pytest.fixture
def everywhere(site):
    site.ROOT_URLCONF = "tests.security.texts_urls"


def test_no_text_ever_becomes_markup(everywhere, chromium):
    found = texts.run(600, 1, chromium, access=60, admin=200)
    assert found.wrong == []
    assert found.texts == {"token": 600, "access": 10, "admin": 3}
    assert found.run >= 20


def test_a_text_that_is_not_escaped_is_found_everywhere(everywhere, chromium):
    """The broken twin."""
    with texts.unescaped():
        found = texts.run(400, 1, chromium, access=40, admin=200)
    assert {line.partition(" ")[0].rstrip(":") for line in found.wrong} == {"token", "access", "admin"}
    assert any("scripts of texts ran" in line for line in found.wrong)


def test_texts_are_of_every_kind():
    made = [texts.made(Random(seed)) for seed in range(500)]
    assert len(set(made)) > 490
    assert all(text.startswith(texts.MARK) and text.endswith(texts.MARK) and len(text) < 200 for text in made)
    assert all(any(part in text for text in made) for part in texts.PARTS if len(part) < 20)

"""The demo's settings, and one language more that is written from right to left; nobody sees it who does not ask for it."""

from __future__ import annotations

from project.settings import *  # noqa: F403 - settings are a module of names

LANGUAGES = [*LANGUAGES, ("ar", "العربية")]  # noqa: F405

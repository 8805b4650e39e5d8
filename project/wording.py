"""The demo's own words in every language of the site, for documents that all languages travel in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils import translation

from project.items import Words


def in_all(words: Words) -> dict[str, list[str]]:
    """A language map: English, and every language of the site that says it otherwise."""
    with translation.override("en"):
        found = {"en": [str(words)]}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            if (said := str(words)) != found["en"][0]:
                found[code] = [said]
    return found


def in_all_2(words: Words) -> Any:
    """The same for Presentation 2.1 (section 3.3): a list of values with their languages, or a text if there is one only."""
    found = in_all(words)
    if len(found) == 1:
        return found["en"][0]
    return [{"@value": texts[0], "@language": code} for code, texts in found.items()]

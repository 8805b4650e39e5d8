"""IIIF language maps: ``{"en": ["Chart"], "none": ["…"]}`` (Presentation API 3.0, section 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from iiif_auth.policy.types import LanguageMap

LANGUAGE_TAG = re.compile(
    r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})"  # language, extended language
    r"(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"  # script, region
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"  # variants
    r"(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*(?:-x(?:-[A-Za-z0-9]{1,8})+)?"  # extensions, private use
)
"""A well-formed BCP 47 tag (RFC 5646, section 2.1), without the grandfathered ones."""

MAX_LANGUAGES = 60
MAX_STRINGS = 20
MAX_LENGTH = 4000
MAX_TOTAL = 40_000

FORBIDDEN = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f"  # control characters but the line feed
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # bidirectional controls can make a text lie about itself (A9)
    "\u2028\u2029\ud800-\udfff]"
)


def problems(value: object) -> Iterator[str]:
    """Sentences saying what is wrong with a language map; none if it is sound."""
    if not isinstance(value, dict):
        yield 'A language map is an object such as {"en": ["Chart"]}.'
        return
    if len(value) > MAX_LANGUAGES:
        yield f"There are {len(value)} languages; at most {MAX_LANGUAGES} fit."
    for language, texts in value.items():
        yield from _problems_of_language(language, texts)
    if sum(len(text) for text in _strings(value)) > MAX_TOTAL:
        yield f"The texts are longer than {MAX_TOTAL} characters together."


def _strings(value: dict[Any, Any]) -> Iterator[str]:
    for texts in value.values():
        if isinstance(texts, list):
            yield from (text for text in texts if isinstance(text, str))


def _problems_of_language(language: object, texts: object) -> Iterator[str]:
    if not isinstance(language, str) or not (language == "none" or LANGUAGE_TAG.fullmatch(language)):
        yield f"{str(language)[:40]!r} is not a language tag; use one such as “en”, “cy” or “pt-BR”, or “none”."
    if not isinstance(texts, list) or not texts:
        yield f"The texts for {str(language)[:40]!r} must be a list with at least one text."
    elif len(texts) > MAX_STRINGS:
        yield f"There are {len(texts)} texts for {str(language)[:40]!r}; at most {MAX_STRINGS} fit."
    else:
        for text in texts:
            yield from _problems_of_text(text)


def _problems_of_text(text: object) -> Iterator[str]:
    if not isinstance(text, str):
        yield f"{str(text)[:40]!r} is not a text."
    elif not text.strip():
        yield "A text is empty; remove the language instead."
    elif len(text) > MAX_LENGTH:
        yield f"A text has {len(text)} characters; at most {MAX_LENGTH} fit."
    elif found := FORBIDDEN.search(text):
        yield f"A text contains the invisible control character U+{ord(found.group()):04X}; please remove it."


def frozen(value: dict[str, list[str]] | None) -> LanguageMap:
    """A language map as the hashable value that policy carries."""
    return tuple((language, tuple(texts)) for language, texts in (value or {}).items())


def thawed(value: LanguageMap) -> dict[str, list[str]]:
    """The JSON of a language map."""
    return {language: list(texts) for language, texts in value}


def chosen(value: LanguageMap, preferred: tuple[str, ...]) -> str:
    """The text to show to somebody who reads ``preferred`` languages (best first); ``""`` for an empty map.

    Follows the Presentation API: an exact match, then the same primary language, then ``none``, English, anything.
    """
    texts = {language.lower(): " ".join(strings) for language, strings in value}
    for language in (*(tag.lower() for tag in preferred), "none", "en"):
        if language in texts:
            return texts[language]
        primary = language.split("-")[0]
        for tag, text in texts.items():
            if tag.split("-")[0] == primary:
                return text
    return next(iter(texts.values()), "")

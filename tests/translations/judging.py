"""What is wrong with a translation, as far as a program can tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

import polib

from tests.translations.catalogues import Said, forms

NAMED = re.compile(r"%\(\w+\)[sd]")
IN_TURN = re.compile(r"%[sd]")
BRACES = re.compile(r"\{\w*\}")
TAGS = re.compile(r"</?[a-z]+[^>]*>")
ADDRESS = re.compile(r"[a-z]+://\S+|\b(?:IPv[46] )?[0-9a-f]*::?[0-9a-f/]+|\d+:\d+|<[^>]+>")
NARROW, WIDE = "\u202f", "\u00a0"

MARKS = {"de": ("„", "“"), "fr": ("«", "»"), "es": ("«", "»"), "cy": ("“", "”")}
"""The quotation marks of each language, opening and closing."""


def problems(entry: polib.POEntry, said: Said, language: str) -> list[str]:
    """Sentences about what is wrong; none if nothing is."""
    if isinstance(said, str) is bool(entry.msgid_plural):
        return [f"A message with a plural wants a list of {forms(language)} texts, any other message one text."]
    if isinstance(said, str):
        return list(_text_problems(entry.msgid, said, language))
    if len(said) != forms(language):
        return [f"There are {len(said)} plural forms; {language} has {forms(language)}."]
    found = [one for text in said[:-1] for one in _form_problems(entry, text, language)]
    return [*found, *_text_problems(entry.msgid_plural, said[-1], language)]


def _form_problems(entry: polib.POEntry, text: str, language: str) -> Iterator[str]:
    """One, two or three of something may be said without the number, but with nothing that English does not have."""
    if extra := placeholders(text) - (placeholders(entry.msgid) | placeholders(entry.msgid_plural)):
        yield f"Placeholders that English does not have: {', '.join(extra)}."
    needed = placeholders(entry.msgid) & placeholders(entry.msgid_plural)
    if missing := {one for one in needed if NAMED.fullmatch(one) and not COUNTS.search(one)} - set(placeholders(text)):
        yield f"Placeholders that are missing: {', '.join(sorted(missing))}."
    yield from _wording_problems(entry.msgid, text, language)


COUNTS = re.compile(r"count|number|days|rows|many|minutes|hours|total|people|times|n\b")
"""Placeholders that are numbers, by their names."""


def placeholders(text: str) -> Counter[str]:
    """What Python and JavaScript fill in; each named one once, however often a sentence names it."""
    bare = text.replace("%%", "")
    return Counter(set(NAMED.findall(bare)) | set(BRACES.findall(bare))) + Counter(IN_TURN.findall(bare))


def _text_problems(msgid: str, text: str, language: str) -> Iterator[str]:
    if placeholders(text) != placeholders(msgid):
        wanted, given = sorted(placeholders(msgid).elements()), sorted(placeholders(text).elements())
        yield f"Placeholders are {', '.join(given) or 'none'}, and should be {', '.join(wanted) or 'none'}."
    yield from _wording_problems(msgid, text, language)


def _wording_problems(msgid: str, text: str, language: str) -> Iterator[str]:
    if not text.strip():
        yield "It is empty."
    if _ends(msgid) != _ends(text):
        yield "Blanks or line ends at the beginning or the end differ from English."
    if Counter(TAGS.findall(msgid)) != Counter(TAGS.findall(text)):
        yield "HTML tags differ from English."
    yield from _quote_problems(msgid, text, language)
    if language == "fr":
        yield from _french_spacing(text)


def _ends(text: str) -> tuple[str, str]:
    """Blanks before and after the text."""
    bare = text.strip(" \n\t")
    return (text.partition(bare)[0], text.rpartition(bare)[2]) if bare else (text, "")


def _quote_problems(msgid: str, text: str, language: str) -> Iterator[str]:
    opening, closing = MARKS[language]
    if text.count(opening) != text.count(closing):
        yield f"As many {opening} as {closing}, please."
    if ("“" in msgid) is not (opening in text):
        yield f"Quotation marks belong where English has them: {opening} and {closing}."
    foreign = {"“", "”", "„", "«", "»"} - {opening, closing}
    if any(mark in text for mark in foreign):
        yield f"Other quotation marks than {opening} and {closing}."
    plain = TAGS.sub("", text)
    if "'" in plain and "'" not in msgid:
        yield "A typewriter's apostrophe; please use ’."
    if plain.count('"') > TAGS.sub("", msgid).count('"'):
        yield "A typewriter's quotation mark."


def _french_spacing(text: str) -> Iterator[str]:
    bare = ADDRESS.sub("", text)
    if re.search(rf"[^{NARROW}{WIDE}\s?!/{{=&.…][;:!?](?=[ \n]|$)", bare) or re.search(r"[ ][;:!?»](?=\s|$)", bare):
        yield "Before ; : ! ? French has a narrow no-break space."
    if re.search(rf"«(?![{NARROW}{WIDE}])|(?<![{NARROW}{WIDE}])»", bare):
        yield "Inside « and » French has a narrow no-break space."

"""The catalogues themselves: sorted, without dates and line numbers, so that only what changed shows in a comparison."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import polib

from tests.translations.sources import PARTS, Part

PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "cy": "nplurals=6; plural=(n==0) ? 0 : (n==1) ? 1 : (n==2) ? 2 : (n==3) ? 3 : (n==6) ? 4 : 5;",
}
"""The languages there are catalogues for, and how each of them counts (CLDR)."""

Said = str | list[str]
"""A translation: one text, or one for each plural form."""


def path(part: Part, language: str) -> Path:
    return part.locale / language / "LC_MESSAGES" / "django.po"


def read(part: Part, language: str) -> polib.POFile:
    """A catalogue as it is kept; an empty one if there is none yet."""
    found = path(part, language)
    return polib.pofile(str(found), wrapwidth=0) if found.exists() else polib.POFile()


def forms(language: str) -> int:
    """How many plural forms a language has."""
    return int(PLURALS[language].partition("=")[2].partition(";")[0])


def key(entry: polib.POEntry) -> str:
    """A short name of a message, for files that translators fill."""
    return sha256(f"{entry.msgctxt or ''}\x04{entry.msgid}".encode()).hexdigest()[:8]


def said(entry: polib.POEntry) -> Said:
    return [entry.msgstr_plural[n] for n in sorted(entry.msgstr_plural)] if entry.msgid_plural else entry.msgstr


def is_filled(entry: polib.POEntry) -> bool:
    texts = said(entry)
    return bool(texts) and all([texts] if isinstance(texts, str) else texts)


def brought_up_to_date(part: Part, language: str, sources: polib.POFile) -> polib.POFile:
    """The messages of the sources, with the translations that are there; what the sources no longer say is dropped."""
    kept = {(one.msgctxt, one.msgid): one for one in read(part, language) if not one.obsolete}
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.metadata = {
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": language,
        "Plural-Forms": PLURALS[language],
    }
    for one in sorted(sources, key=lambda entry: (entry.msgid, entry.msgctxt or "")):
        catalogue.append(_entry(one, kept.get((one.msgctxt, one.msgid)), forms(language)))
    return catalogue


def _entry(source: polib.POEntry, kept: polib.POEntry | None, count: int) -> polib.POEntry:
    entry = polib.POEntry(msgid=source.msgid, msgctxt=source.msgctxt, msgid_plural=source.msgid_plural)
    entry.flags = sorted(source.flags)
    if source.msgid_plural:
        texts = kept.msgstr_plural if kept else {}
        entry.msgstr_plural = {n: texts.get(n, "") for n in range(count)}
    else:
        entry.msgstr = kept.msgstr if kept else ""
    return entry


def text(catalogue: polib.POFile) -> str:
    """A catalogue as its file has it."""
    return f"{catalogue}".rstrip("\n") + "\n"


def keep(part: Part, language: str, catalogue: polib.POFile) -> None:
    """Write a catalogue and what Django reads of it."""
    target = path(part, language)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text(catalogue), encoding="utf-8")
    target.with_suffix(".mo").write_bytes(compiled(catalogue))


def compiled(catalogue: polib.POFile) -> bytes:
    return bytes(catalogue.to_binary())


def everything() -> list[tuple[Part, str]]:
    return [(part, language) for part in PARTS for language in PLURALS]

"""``python -m tests.translations``: what translators and reviewers of translations do with the catalogues."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import django
import polib

from tests.translations import catalogues
from tests.translations.catalogues import PLURALS, Said
from tests.translations.judging import problems
from tests.translations.sources import PARTS, Part, messages


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.translations", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    one = commands.add_parser("collect", help="bring every catalogue up to date with the sources, and compile it")
    one.set_defaults(deed=collect)
    one = commands.add_parser("status", help="how much of each catalogue is translated, and what is wrong with it")
    one.set_defaults(deed=status)
    one = commands.add_parser("missing", help="print what is not translated yet, as JSON")
    one.add_argument("language", choices=PLURALS)
    one.add_argument("--chunk", type=int, default=150, help="how many messages at most (150)")
    one.add_argument("--part", choices=[part.name for part in PARTS], help="of the app or of the demo site only")
    one.add_argument("--under", default="", help="of files only whose path has this in it")
    one.set_defaults(deed=missing)
    one = commands.add_parser("fill", help="take translations from a JSON object: English, or its key, to translation")
    one.add_argument("language", choices=PLURALS)
    one.add_argument("file", type=Path)
    one.set_defaults(deed=fill)
    given = parser.parse_args(arguments)
    result: int = given.deed(given)
    return result


def collect(given: argparse.Namespace) -> int:
    for part in PARTS:
        sources = messages(part)
        for language in PLURALS:
            former = {one.msgid for one in catalogues.read(part, language) if catalogues.is_filled(one)}
            catalogue = catalogues.brought_up_to_date(part, language, sources)
            catalogues.keep(part, language, catalogue)
            gone = sorted(former - {one.msgid for one in catalogue})
            for msgid in gone:
                print(f"{part.name} {language}: no longer in the sources, so dropped: {msgid!r}")
    return status(given)


def status(given: argparse.Namespace) -> int:
    """Print a line for each catalogue; one if a translation is wrong, else zero."""
    wrong = 0
    for part, language in catalogues.everything():
        catalogue = catalogues.read(part, language)
        filled = [one for one in catalogue if catalogues.is_filled(one)]
        print(f"{part.name:10} {language}  {len(filled):5} of {len(catalogue):5} translated")
        for one in filled:
            for problem in problems(one, catalogues.said(one), language):
                wrong += 1
                print(f"    {one.msgid!r}: {problem}")
    return 1 if wrong else 0


def missing(given: argparse.Namespace) -> int:
    """By file, so that what stands together is translated together."""
    found = [one for part in PARTS if given.part in (None, part.name) for one in _missing(part, given.language)]
    chosen = [one for one in found if given.under in one["in"]][: given.chunk]
    print(json.dumps(chosen, ensure_ascii=False, indent=1))
    return 0


def _missing(part: Part, language: str) -> Iterator[dict[str, str]]:
    filled = {(one.msgctxt, one.msgid) for one in catalogues.read(part, language) if catalogues.is_filled(one)}
    for one in messages(part):
        if (one.msgctxt, one.msgid) not in filled:
            yield {"key": catalogues.key(one), "in": one.occurrences[0][0], **_words(one)}


def _words(entry: polib.POEntry) -> dict[str, str]:
    plural = {"plural": entry.msgid_plural} if entry.msgid_plural else {}
    context = {"context": entry.msgctxt} if entry.msgctxt else {}
    return {**context, "msgid": entry.msgid, **plural}


def fill(given: argparse.Namespace) -> int:
    """Take what is right, say what is not; nothing that is right is lost because something else is wrong."""
    offered: dict[str, Said] = json.loads(given.file.read_text(encoding="utf-8"))
    used: set[str] = set()
    wrong = 0
    for part in PARTS:
        catalogue = catalogues.read(part, given.language)
        for one in catalogue:
            name = next((name for name in (catalogues.key(one), one.msgid) if name in offered), None)
            if name is None:
                continue
            used.add(name)
            found = problems(one, offered[name], given.language)
            for problem in found:
                print(f"{one.msgid!r} → {offered[name]!r}: {problem}")
            wrong += bool(found)
            if not found:
                _set(one, offered[name])
        catalogues.keep(part, given.language, catalogue)
    for name in sorted(set(offered) - used):
        print(f"Not in the catalogues: {name!r}")
    print(f"{len(used) - wrong} taken, {wrong} refused, {len(set(offered) - used)} unknown.")
    return 1 if wrong or set(offered) - used else 0


def _set(entry: polib.POEntry, said: Said) -> None:
    if isinstance(said, str):
        entry.msgstr = said
    else:
        entry.msgstr_plural = dict(enumerate(said))


if __name__ == "__main__":
    django.setup()
    sys.exit(main())

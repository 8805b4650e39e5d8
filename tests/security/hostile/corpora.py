"""The corpora: lines of data files, with words in angle brackets for what differs from run to run.

A line is printable ASCII; other bytes are written ``\\xNN``, ``\\r``, ``\\n``, ``\\t``, and a backslash twice. Lines with
``# `` in front are comments. A word may be followed by a colon and the way in which it is to be misspelt: ``<s:upper>``.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

CORPORA = Path(__file__).parents[1] / "corpora"
FINDINGS = CORPORA / "findings.txt"
NAMES = ("paths", "headers", "methods", "requests", "findings")
ESCAPED = re.compile(rb"\\(x[0-9a-fA-F]{2}|[rnt\\])")
WORD = re.compile(rb"<([a-z]+)(?::([a-z0-9]+))?>")
NAMED: Final = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


def read(text: str) -> bytes:
    """A line of a corpus as bytes, its words not yet filled in."""
    return ESCAPED.sub(lambda found: NAMED.get(found[1]) or bytes([int(found[1][1:], 16)]), text.encode("latin-1"))


def written(payload: bytes) -> str:
    """Bytes as a line of a corpus."""
    short = {13: "\\r", 10: "\\n", 9: "\\t", 92: "\\\\"}
    return "".join(short.get(one) or (chr(one) if 32 <= one < 127 else f"\\x{one:02x}") for one in payload)


@lru_cache
def lines(name: str) -> tuple[bytes, ...]:
    """The lines of a corpus."""
    text = (CORPORA / f"{name}.txt").read_text(encoding="ascii")
    return tuple(read(line) for line in text.splitlines() if line and not line.startswith("# "))


@lru_cache
def sections(name: str) -> tuple[tuple[bytes, ...], ...]:
    """The lines of a corpus, by the comments between them."""
    text = (CORPORA / f"{name}.txt").read_text(encoding="ascii")
    parts = re.split(r"^# .*\n", text, flags=re.MULTILINE)
    return tuple(tuple(read(line) for line in part.splitlines() if line) for part in parts if part.strip())


# -- Words ----------------------------------------------------------------------------------------------------------

Words = Mapping[str, Callable[[], bytes]]
HOMOGLYPHS: Final = str.maketrans("aeopcxsi", "аеорсхѕі")  # Cyrillic, on purpose
KELVIN: Final = str.maketrans("ks", "\u212a\u017f")


def filled(line: bytes, words: Words, chance: random.Random) -> bytes:
    """A line with its words filled in; what is no word stays."""

    def word(found: re.Match[bytes]) -> bytes:
        name, how = found[1].decode(), (found[2] or b"").decode()
        if name == "many":
            return b"a" * int(how)
        if name == "nines":
            return b"9" * int(how)
        if name not in words:
            return found[0]
        value = words[name]()
        return misspelt(value, how, chance) if how else value

    return WORD.sub(word, line)


def misspelt(value: bytes, how: str, chance: random.Random) -> bytes:
    text = value.decode("latin-1")
    return SPELLINGS[how](text, chance).encode("utf-8") if how in SPELLINGS else value


def _encoded(text: str, chance: random.Random) -> str:
    return "".join(one if one in "/%" else f"%{ord(one):02X}" for one in text)


def _one(text: str, chance: random.Random) -> str:
    places = [at for at, one in enumerate(text) if one.isalnum() and not text[max(0, at - 2) : at].count("%")]
    if not places:
        return text
    at = chance.choice(places)
    return f"{text[:at]}%{ord(text[at]):02X}{text[at + 1 :]}"


def _flipped(text: str, chance: random.Random) -> str:
    if not text:
        return text
    at = chance.randrange(len(text))
    return text[:at] + chance.choice("ABCDwxyz0189-_") + text[at + 1 :]


def _last(text: str, chance: random.Random) -> str:
    """Another last character: in base64 some of its bits mean nothing."""
    return text[:-1] + chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def _part(index: int, change: Callable[[str, random.Random], str]) -> Callable[[str, random.Random], str]:
    """A change of one part of a ticket."""

    def changed(text: str, chance: random.Random) -> str:
        parts = text.split(".")
        if len(parts) > index:
            parts[index] = change(parts[index], chance)
        return ".".join(parts)

    return changed


def _number(text: str, chance: random.Random) -> str:
    return str(int(text) + chance.choice((1, 60, 3600, -1, 10**6))) if text.isdigit() else text


SPELLINGS: Final[Mapping[str, Callable[[str, random.Random], str]]] = {
    "upper": lambda text, chance: text.upper(),
    "title": lambda text, chance: text.title(),
    "enc": _encoded,
    "enc1": _one,
    "enc2": lambda text, chance: _encoded(text, chance).replace("%", "%25"),
    "encl": lambda text, chance: _encoded(text, chance).lower(),
    "nfd": lambda text, chance: quote(unicodedata.normalize("NFD", unquote(text)), safe="/:"),
    "nfc": lambda text, chance: unicodedata.normalize("NFC", unquote(text)),
    "homo": lambda text, chance: quote(unquote(text).translate(chance.choice((HOMOGLYPHS, KELVIN))), safe="/:"),
    "slash": lambda text, chance: text.replace("/", "%2F"),
    "dec": lambda text, chance: unquote(text),
    "full": lambda text, chance: "".join(
        chr(ord(one) + 0xFEE0) if "!" <= one <= "~" and one != "%" else one for one in text
    ),
    "zero": lambda text, chance: chance.choice(("0", "00", "%30")) + text,
    "flip": _flipped,
    "last": _last,
    "later": _part(1, _number),
    "pass": _part(2, _number),
    "key": _part(0, _flipped),
    "short": lambda text, chance: text[: -chance.randint(1, 3)],
    "empty": lambda text, chance: ".".join((*text.split(".")[:-1], "")),
    "swap": lambda text, chance: ".".join(reversed(text.split("."))),
    "digits": lambda text, chance: text.translate({ord("0") + number: 0x660 + number for number in range(10)}),
}

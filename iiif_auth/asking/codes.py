"""Codes that people read out on the telephone, such as ``7F3K-92``."""

from __future__ import annotations

import re
import secrets

LETTERS = "234679CDFGHJKMNPRTVWX"
"""No two of them are mistaken for each other, on paper or by ear; without vowels they spell nothing."""
LENGTH = 6
CODE = re.compile(rf"\A([{LETTERS}]{{4}})[\s-]*([{LETTERS}]{{2}})\Z")


def new_code() -> str:
    """A code; some eighty million of them exist, so who makes a row of one asks again if it is taken."""
    text = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    return f"{text[:4]}-{text[4:]}"


def read(text: str) -> str | None:
    """The code that somebody wrote, in any spelling; ``None`` if it can not be one."""
    found = CODE.match(text.strip().upper())
    return f"{found[1]}-{found[2]}" if found else None

"""A request that got through, made as short as it still gets through, and written as a line of a corpus."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.security.hostile import corpora
from tests.security.hostile.generator import AFTER, Generator, Request

EDGE_TICKET = re.compile(rb"e1\.[0-9]{10}\.[A-Za-z0-9_-]{22}")
MOST_TRIES = 200


def shrunk(payload: bytes, still: Callable[[bytes], bool]) -> bytes:
    """The shortest that was found; ``payload`` itself if even that does nothing by itself any more.

    Args:
        still: whether some bytes still get through.
    """
    payload = payload.removesuffix(AFTER)
    left = [MOST_TRIES]

    def tried(candidate: bytes) -> bool:
        left[0] -= 1
        return left[0] >= 0 and still(candidate)

    if not tried(payload):
        return payload
    lines = _fewer(payload.split(b"\r\n"), lambda kept: tried(b"\r\n".join(kept)), first=1)
    first, rest = lines[0], b"\r\n".join(lines[1:])
    letters = _fewer([bytes([one]) for one in first], lambda kept: tried(b"".join(kept) + b"\r\n" + rest), first=4)
    return b"".join(letters) + b"\r\n" + rest


def _fewer(pieces: list[bytes], still: Callable[[list[bytes]], bool], first: int) -> list[bytes]:
    """The pieces without as many as can be left out, in runs that get shorter (delta debugging). The first few stay."""
    size = max(1, (len(pieces) - first) // 2)
    while size:
        at = first
        while at < len(pieces):
            without = pieces[:at] + pieces[at + size :]
            if len(without) < len(pieces) and still(without):
                pieces = without
            else:
                at += size
        size //= 2
    return pieces


def line_of(payload: bytes, request: Request, generator: Generator) -> str:
    """A payload as a line of a corpus, with words for what will be different in the next run."""
    words = {
        generator.cookie(request.person): b"<own>",
        **dict.fromkeys(generator.live, b"<t>"),
        **dict.fromkeys(generator.dead, b"<x>"),
        **{one.encode(): b"<bearer>" for one in generator.held["bearers"]},
        **{one.encode(): b"<ended>" for one in generator.held["ended"]},
    }
    for value, word in words.items():
        if value:
            payload = payload.replace(value, word)
    return corpora.written(EDGE_TICKET.sub(b"<e>", payload))


def keep(line: str) -> bool:
    """Add a line to the corpus of findings; whether it was new."""
    text = corpora.FINDINGS.read_text(encoding="ascii")
    if line in text.splitlines():
        return False
    corpora.FINDINGS.write_text(f"{text}{line}\n", encoding="ascii")
    return True

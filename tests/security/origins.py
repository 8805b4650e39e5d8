"""Our idea of an origin beside the URL standard's, on as many strings as one likes.

::

    python -m tests.security.origins --count 100000 --seed 1
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from iiif_auth.protocol.origins import serialised
from tests.node import url_origins

CORPORA = Path(__file__).parents[1] / "corpora"
SCHEMES = (
    ["https://"] * 12 + ["http://"] * 6 + ["HTTPS://", "https:", "https:/", "https:///", "//", "ftp://", "file://", ""]
)
LABELS = [
    "a",
    "viewer",
    "example",
    "org",
    "xn--bcher-kva",
    "xn--fiqs8s",
    "xn--a",
    "xn--0",
    "ab--cd",
    "1",
    "0x1",
    "255",
    "007",
]
LABELS += [
    "-a",
    "a-",
    "A",
    "a_b",
    "é",
    "ß",
    "%61",
    "",
    "xn--ls8h",
    "xn--zca",
    "xn--n3h",
    "localhost",
    "0",
    "09",
    "0xg",
    "1e3",
]
JOINS = ["."] * 12 + ["..", "。", "．", "%2e", "@", "\\", "/", ":", " ", "\t", "\n", "#", "?"]
ADDRESSES = [
    "127.0.0.1",
    "192.0.2.255",
    "1.2.3",
    "0x7f.1",
    "256.0.0.1",
    "[::1]",
    "[2001:db8::]",
    "[::ffff:1.2.3.4]",
    "[1::2::3]",
]
ADDRESSES += [
    "[0:0::1]",
    "[::A]",
    "[fe80::1%25a]",
    "[::ffff:102:304]",
    "[1:0:0:2::]",
    "[1:2:3:4:5:6:7:8]",
    "[1:0:2:3:4:5:6:7]",
]
PORTS = [""] * 8 + [":1", ":80", ":443", ":8080", ":65535", ":65536", ":0", ":", ":00", ":0443", ":a", ":-1"]
TAILS = [""] * 10 + ["/", "//", "/x", "?", "#", "\n", " ", ".", "/."]


SCRIPTS = [(0x61, 0x7A), (0x30, 0x39), (0x80, 0x24F), (0x370, 0x5FF), (0x600, 0x8FF), (0x900, 0x1FFF), (0x3000, 0xFFFF)]


def label(chance: random.Random) -> str:
    """Part of a name, now and then one in another script, as punycode."""
    if chance.random() < 0.7:
        return chance.choice(LABELS)
    letters = [chr(chance.randint(*chance.choice(SCRIPTS))) for _ in range(chance.randint(1, 4))]
    return "xn--" + "".join(letters).encode("punycode").decode("ascii")


def generated(count: int, seed: int) -> Iterator[str]:
    """Strings that look like origins: most nearly right, some right, some one character off."""
    chance = random.Random(seed)
    for _ in range(count):
        labels = "".join(label(chance) + chance.choice(JOINS) for _ in range(chance.randint(0, 3)))
        host = chance.choice(ADDRESSES) if chance.random() < 0.25 else labels + label(chance)
        text = chance.choice(SCHEMES) + host + chance.choice(PORTS) + chance.choice(TAILS)
        if chance.random() < 0.1 and text:
            place = chance.randrange(len(text))
            text = text[:place] + chr(chance.randrange(0x250)) + text[place + chance.randint(0, 1) :]
        yield text


def good() -> list[str]:
    return (CORPORA / "origins-good.txt").read_text().splitlines()


def bad() -> list[str]:
    return [json.loads(line) for line in (CORPORA / "origins-bad.txt").read_text().splitlines()]


def disagreements(texts: Sequence[str]) -> tuple[int, list[tuple[str, str, str | None]]]:
    """How many of these we accept, and those that a browser would understand as another origin."""
    accepted = [(text, found) for text in texts if (found := serialised(text)) is not None]
    theirs = url_origins([text for text, _ in accepted])
    again = url_origins([found for _, found in accepted])
    wrong = [
        (text, found, browser)
        for (text, found), browser, twice in zip(accepted, theirs, again, strict=True)
        if not found == browser == twice
    ]
    return len(accepted), wrong


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    accepted, wrong = disagreements(list(generated(given.count, given.seed)))
    print(f"{given.count} strings, seed {given.seed}: {accepted} accepted, {len(wrong)} understood otherwise by Node.")
    for text, ours, theirs in wrong[:50]:
        print(f"  {text!r}: we say {ours!r}, Node says {theirs!r}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

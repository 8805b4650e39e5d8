"""Two readers of one grammar: Python and PCRE, over strings that nearly fit. ``python -m tests.security.strings --count 100000``

The patterns of :mod:`iiif_auth.enforce.doors` are printed into configurations of web servers, which read them with PCRE. A string
that one takes and the other does not would be decided about as one thing and fetched as another.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from random import Random

from iiif_auth.enforce import doors

GRAMMAR = {
    name: getattr(doors, name)
    for name in (
        *("IDENTIFIER", "FILE_SEGMENT", "FILE_PATH", "FOLDER_REST", "IMAGE_REST_2", "IMAGE_REST_3"),
        *("TICKET", "EDGE_TICKET"),
    )
}
PARTS = {
    "IDENTIFIER": ("chart", "ark:1", "%2F", "%3A", "%C3%A9", "a.b", "~small", "(1)"),
    "FILE_SEGMENT": ("film", ".mp4", "%20", "%C3%A9", "~", "a-b", "(1)", ".."),
    "FILE_PATH": ("film", ".mp4", "/", "a/b", "%20", "%C3%A9", "~", "/x"),
    "FOLDER_REST": ("seg-1", ".ts", "/", "low/", "index.m3u8", "key", "_", "0"),
}
ODD = (
    *(
        "%2f",
        "%2E",
        "%5C",
        "%00",
        "%25",
        "%",
        "%5E",
        "%5e",
        "^",
        "/",
        "//",
        "..",
        ".",
        ";",
        "\\",
        "#",
        "?",
        "*",
        " ",
        "!",
        "=",
        "+",
    ),
    *("٤", "é", "\x7f", "\x01", "\x85", "\u2028", "\ufeff", "K", "0", "00", "-", "_", "A", "Z", "=", "|", "$", "^"),
)
REGIONS = ("full", "square", "0,0,512,512", "10,20,30,40", "pct:0,0,50,50", "pct:1.5,2.25,3,4", "0,0,0,5", "01,0,5,5")
SIZES = (
    "max",
    "full",
    "^max",
    "%5Emax",
    "%5emax",
    "400,",
    ",300",
    "400,300",
    "!400,300",
    "^!9,9",
    "pct:50",
    "^pct:150.5",
    ",",
)
TURNS = ("0", "90", "!180", "22.5", "359.99", "361", "00", "!", "1e2")
LASTS = (
    "default.jpg",
    "color.png",
    "gray.webp",
    "bitonal.jpg",
    "native.jpg",
    "default.tif",
    "default",
    ".jpg",
    "Default.jpg",
)


def made_up(chance: Random, name: str) -> str:
    """A string that fits, or nearly: no line break, which no request target can hold and which ends grep's lines."""
    text = _fitting(chance, name)
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        text = _spoilt(chance, text)
    return text.replace("\n", "").replace("\r", "")


def _fitting(chance: Random, name: str) -> str:
    if name.startswith("IMAGE"):
        return "/".join(chance.choice(some) for some in (REGIONS[:6], SIZES, TURNS[:5], LASTS[:4]))
    if name.endswith("TICKET"):
        return _ticket(chance, name)
    return "".join(chance.choice(PARTS[name]) for _ in range(chance.randint(1, 6)))


def _ticket(chance: Random, name: str) -> str:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    length, last = (43, "AEIMQUYcgkosw048") if name == "TICKET" else (22, "AQgw")
    code = "".join(chance.choices(letters, k=length - 1)) + chance.choice(last)
    holder = f"{chance.randrange(1, 10 ** chance.randint(1, 18))}." if name == "TICKET" else ""
    return f"{chance.choice(('k1', 'a', 'key20261121'))}.{chance.randrange(10**9, 10**10)}.{holder}{code}"


def _spoilt(chance: Random, text: str) -> str:
    at, odd = chance.randrange(len(text) + 1), chance.choice((*ODD, *REGIONS, *SIZES, *TURNS, *LASTS))
    match chance.randrange(5):
        case 0:
            return text[:at] + odd + text[at:]
        case 1:
            return text[:at] + odd + text[at + 1 :]
        case 2:
            return text[:at] + text[at + 1 :]
        case 3:
            return text[:at] + chr(chance.choice((*range(1, 127), 0x85, 0xA0, 0x660, 0x2028))) + text[at:]
        case _:
            return text.swapcase() if chance.random() < 0.2 else text[:at] + text[max(0, at - 3) :]


def accepted(name: str, strings: list[str]) -> list[bool]:
    """Whether PCRE takes each as a whole, as bytes, which is how nginx reads them."""
    found = subprocess.run(
        ["grep", "-naP", f"^(?:{GRAMMAR[name]})$"],
        input="\n".join(strings).encode(),
        capture_output=True,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"},
    )
    if found.returncode > 1:
        raise OSError(found.stderr.decode())
    numbers = {int(line.split(b":", 1)[0]) for line in found.stdout.splitlines() if line[:1].isdigit()}
    return [number in numbers for number in range(1, len(strings) + 1)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.strings", description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    for name, pattern in GRAMMAR.items():
        chance, mine = Random(f"{name} {options.seed}"), re.compile(pattern)
        strings = [made_up(chance, name) for _ in range(options.count // len(GRAMMAR))]
        read = [mine.fullmatch(text) is not None for text in strings]
        for text, here, there in zip(strings, read, accepted(name, strings), strict=True):
            if here != there:
                print(f"{name}: {text!r} is taken by {'Python' if here else 'PCRE'} only.")
                return 1
        print(f"{name:<14}{len(strings):>9,} strings, {sum(read):>9,} taken, no difference", flush=True)
    return 0


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    sys.exit(main())

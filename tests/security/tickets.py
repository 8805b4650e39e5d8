"""Tickets that we did not write, a million of them, at the check: ``python -m tests.security.tickets --count 1000000 --seed 1``

Whoever asks is let in by any good ticket, whichever pass it names, so that the code in the ticket is all there is against a
forger. What is accepted though we never wrote that ticket for that item is printed, and ends with exit status 1.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import itertools
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from random import Random
from unittest.mock import patch

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django

if __name__ == "__main__":
    django.setup()

from django.test import override_settings
from django.utils import timezone

from iiif_auth import store
from iiif_auth.enforce import check, doors, signed
from iiif_auth.policy import types as policy

BASE = "https://iiif.example.org"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
KEYS = {"k2": "the key that signs, of two and thirty letters", "k1": "the key before, of as many letters as that"}
EDGE_KEYS = {"e1": "the key that the web server knows too, 32 letters"}
SETTINGS = {
    "ROOT_URLCONF": "tests.http.urls",
    "SECRET_KEY": "not a secret of anybody",
    "IIIF_AUTH_FLOW": {
        "BASE_URL": BASE,
        "SIGNING_KEYS": KEYS,
        "EDGE_KEYS": EDGE_KEYS,
        "DOORS": (
            {"name": "images", "path": "/iiif/3/", "serves": "image-3", "upstream": "http://127.0.0.1:8182/iiif/3/"},
            {"name": "older", "path": "/iiif/1/", "serves": "image-2", "upstream": "http://127.0.0.1:8182/iiif/2/"},
            {"name": "media", "path": "/media/", "serves": "files", "root": "/srv/media/"},
            {"name": "films", "path": "/films/", "serves": "folders", "root": "/srv/films/"},
        ),
    },
}
ITEMS = {
    "/iiif/3/chart": "/iiif/3/chart/full/max/0/default.jpg",
    "/iiif/3/chart~small": "/iiif/3/chart~small/full/max/0/default.jpg",
    "/iiif/3/ark:%2F1": "/iiif/3/ark:%2F1/0,0,512,512/256,/0/default.jpg",
    "/iiif/1/chart": "/iiif/1/chart/full/full/0/default.jpg",
    "/media/film.mp4": "/media/film.mp4",
    "/media/a/report%20.pdf": "/media/a/report%20.pdf",
    "/films/harbour/index.m3u8": "/films/harbour/low/seg-1.ts",
    "/films/harbour2/index.m3u8": "/films/harbour2/index.m3u8",
}
"""What is decided about, and an address that asks for it."""


@dataclass
class Mint:
    """Tickets that we did write, for some passes and all items."""

    passes: dict[int, store.PassFacts]
    issued: dict[str, set[str]]
    tickets: list[tuple[str, str]]
    found: list[str] = field(default_factory=list)

    def wrote(self, text: str, uri: str) -> bool:
        return text in self.issued.get(uri, ())


def holder(number: int) -> store.PassFacts:
    ends = NOW + timedelta(minutes=30 + number % 90)
    return store.PassFacts(number, str(number), frozenset(), {}, ends, ends, 30, sound=True)


def minted(chance: Random) -> Mint:
    passes = {
        number: holder(number)
        for number in (1, 2, 7, 12, 70, 71, 700, *(chance.randrange(1, 10**12) for _ in range(9)))
    }
    issued: dict[str, set[str]] = {uri: set() for uri in ITEMS}
    tickets = []
    for facts in passes.values():
        for uri in ITEMS:
            text = signed.issue(uri, facts, NOW - timedelta(seconds=chance.randrange(60)))
            issued[uri].add(text)
            tickets.append((text, uri))
    return Mint(passes, issued, tickets)


@contextmanager
def library(mint: Mint, now: list[datetime]) -> Iterator[None]:
    """A library in memory, in which whoever has a pass may see everything, and every number but one is a pass."""

    def anybodys(number: int) -> store.Presented:
        return store.Presented("1", mint.passes.get(number) or replace(holder(1), id=number))

    def found(uri: str, finder: store.Finder) -> tuple[policy.Offer, store.Presented]:
        tier = policy.Tier("t", policy.Authenticated())
        level = policy.Level(uri, policy.Policy("p", (tier,)))
        return policy.Offer(policy.Rendition(uri), levels=(level,)), finder()

    with ExitStack() as stack:
        stack.enter_context(patch.object(store, "presented_ticket", anybodys))
        stack.enter_context(patch.object(store, "nobody", lambda: store.Presented("1")))
        stack.enter_context(patch.object(store, "find_for", found))
        stack.enter_context(patch.object(timezone, "now", lambda: now[0]))
        yield


def status(target: str, method: str = "GET") -> int:
    """What the check answers, asked with no cookie."""
    return check.answer(check.Reader("", "203.0.113.9", "", method), target).status


# -- Forging ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Forged:
    """Something nobody was given: a target, and with which method and when it is asked."""

    target: str
    method: str = "GET"
    at: datetime = NOW
    genuine: bool = False


Forger = Callable[[Random, Mint], Forged]


def at(ticket: str, path: str, prefix: str = "/iiif-auth/signed/") -> str:
    return f"{prefix}{ticket}{path}"


def one(chance: Random, mint: Mint) -> tuple[list[str], str]:
    text, uri = chance.choice(mint.tickets)
    return text.split("."), uri


def a_letter_changed(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    text = ".".join(parts)
    where = chance.randrange(len(text))
    letter = chance.choice(LETTERS) if chance.random() < 0.7 else chr(chance.randrange(0x21, 0x7F))
    return Forged(at(text[:where] + letter + text[where + 1 :], ITEMS[uri]))


def a_bit_of_the_code_changed(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    code = bytearray(base64.urlsafe_b64decode(parts[3] + "="))
    code[chance.randrange(32)] ^= 1 << chance.randrange(8)
    return Forged(at(".".join((*parts[:3], written(bytes(code)))), ITEMS[uri]))


def written(code: bytes) -> str:
    return base64.urlsafe_b64encode(code).decode().rstrip("=")


def the_same_bytes_written_otherwise(chance: Random, mint: Mint) -> Forged:
    """base64 has idle bits at the end, padding, and a second alphabet."""
    parts, uri = one(chance, mint)
    code = parts[3]
    idle = LETTERS.index(code[-1]) & ~3
    twins = [code[:-1] + LETTERS[idle + more] for more in range(4) if LETTERS[idle + more] != code[-1]]
    twins += [
        code + "=",
        code + "%3D",
        code.replace("-", "+").replace("_", "/"),
        code + "A",
        f"%{ord(code[0]):02X}{code[1:]}",
    ]
    return Forged(at(".".join((*parts[:3], chance.choice(twins))), ITEMS[uri]))


def another_item(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    other = chance.choice([path for known, path in ITEMS.items() if known != uri])
    return Forged(at(".".join(parts), other))


def another_tier_or_name(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    path = ITEMS[uri]
    for old, new in chance.sample(
        [
            ("chart", "chart~large"),
            ("chart~small", "chart"),
            ("harbour", "harbor"),
            ("film", "Film"),
            ("ark:", "ark:%2F"),
        ],
        2,
    ):
        path = path.replace(old, new)
    return Forged(at(".".join(parts), path))


def another_end(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    parts[1] = str(int(parts[1]) + chance.choice((-1, 1, 60, 3600, 10**6, chance.randrange(1, 10**9))))
    return Forged(at(".".join(parts), ITEMS[uri]))


def another_pass(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    parts[2] = str(chance.choice((*mint.passes, int(parts[2]) + 1, int(parts[2]) * 10, chance.randrange(1, 10**12))))
    return Forged(at(".".join(parts), ITEMS[uri]))


def another_key(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    parts[0] = chance.choice(("k1", "k3", "k", "k22", "e1", "", "K2", "k2.", "0"))
    return Forged(at(".".join(parts), ITEMS[uri]))


def parts_of_several(chance: Random, mint: Mint) -> Forged:
    several = [one(chance, mint) for _ in range(4)]
    parts = [several[number][0][number] for number in range(4)]
    return Forged(at(".".join(parts), ITEMS[several[3][1]]))


def parts_in_another_order(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    chance.shuffle(parts)
    return Forged(at(".".join(parts), ITEMS[uri]))


def signed_by_somebody_else(chance: Random, mint: Mint) -> Forged:
    """With what a forger can have: no key, a key of theirs, the right message; MD5; or our message under an edge key."""
    parts, uri = one(chance, mint)
    fields = [signed.PURPOSE, *(part.encode() for part in parts[:3]), uri.encode()]
    message = chance.choice((b"", b"|", b"\n")).join(fields)
    key = chance.choice((b"", b"key", SETTINGS["SECRET_KEY"].encode(), EDGE_KEYS["e1"].encode()))
    code = chance.choice(
        (
            hmac.new(key, message, sha256).digest(),
            sha256(key + message).digest(),
            md5(key + message, usedforsecurity=False).digest() * 2,
        )
    )
    return Forged(at(".".join((*parts[:3], written(code))), ITEMS[uri]))


def numbers_spelt_otherwise(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    number = chance.choice((1, 2))
    digits = parts[number]
    other = digits.translate({ord("0") + value: chance.choice((0x660, 0x966, 0xFF10)) + value for value in range(10)})
    spelt = (
        f"0{digits}",
        f"+{digits}",
        f" {digits}",
        f"{digits}.0",
        f"{digits[:-1]}%3{digits[-1]}",
        f"{digits}_0",
        other,
        hex(int(digits)),
    )
    parts[number] = chance.choice(spelt)
    return Forged(at(".".join(parts), ITEMS[uri]))


def cut_or_doubled(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    text = ".".join(parts)
    cut = chance.randrange(len(text))
    twin = chance.choice(
        (text[:cut], text[cut:], text + text, f"{text}.{text}", text + text[cut:], text.upper(), text[::-1])
    )
    return Forged(at(twin, ITEMS[uri]))


def in_another_place(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    text, path = ".".join(parts), ITEMS[uri]
    other = ITEMS[chance.choice(list(ITEMS))]
    return Forged(
        chance.choice(
            (
                f"{path}?ticket={text}",
                f"/{text}{path}",
                at(text, path, "/iiif-auth/signed//"),
                at(text, path, "/iiif-auth/edge/"),
                at(text, path, "/iiif-auth/Signed/"),
                at(text, f"/../{text}{path}"),
                at(text, at(text, path)),
                at(text, f"//{path}"),
                at(text, path.replace("/", "%2F")),
                at(text, f"/{BASE}{path}"),
                at(text, f"{path}/../..{other}"),
                at(text, f"{path}%00"),
                at(f"{text};", path),
                at(f"{text}/x", path),
            )
        )
    )


def by_another_method(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    methods = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE", "get", "", "GET,HEAD")
    return Forged(at(".".join(parts), ITEMS[uri]), method=chance.choice(methods))


def after_the_end(chance: Random, mint: Mint) -> Forged:
    parts, uri = one(chance, mint)
    late = datetime.fromtimestamp(int(parts[1]), UTC) + timedelta(seconds=chance.choice((0, 0, 1, 60, 10**6)))
    return Forged(at(".".join(parts), ITEMS[uri]), at=late)


def ours(chance: Random, mint: Mint) -> Forged:
    """A real one, or nothing would show that real ones are accepted."""
    parts, uri = one(chance, mint)
    return Forged(at(".".join(parts), ITEMS[uri]), chance.choice(("GET", "HEAD")), genuine=True)


FORGERS: tuple[Forger, ...] = (
    *(a_letter_changed, a_letter_changed, a_bit_of_the_code_changed, the_same_bytes_written_otherwise, another_item),
    *(another_tier_or_name, another_end, another_pass, another_key, parts_of_several, parts_in_another_order),
    *(
        signed_by_somebody_else,
        numbers_spelt_otherwise,
        cut_or_doubled,
        in_another_place,
        by_another_method,
        after_the_end,
    ),
)
SIGNED = re.compile(r"/iiif-auth/signed/([^/]*)(/.*)")


def is_genuine(forged: Forged, mint: Mint) -> bool:
    """Whether chance has made a ticket that we wrote for this very item, asked as it may be."""
    found = SIGNED.fullmatch(forged.target.partition("?")[0])
    if found is None or forged.method not in ("GET", "HEAD"):
        return False
    try:
        inner = doors.asked(found[2])
    except doors.NotCanonical:
        return False
    return not inner.ticket and mint.wrote(found[1], inner.uri) and forged.at.timestamp() < int(found[1].split(".")[1])


@dataclass
class Found:
    """How many were tried, how many real ones were among them, and what was accepted that must not be."""

    tried: Counter[str] = field(default_factory=Counter)
    genuine: int = 0
    refused_though_genuine: int = 0
    accepted: list[str] = field(default_factory=list)


def campaign(count: int, seed: int, tell: Callable[[int], None] = lambda done: None) -> Found:
    """Try so many forged ones; with the settings :data:`SETTINGS`."""
    chance, found, now = Random(seed), Found(), [NOW]
    mint = minted(chance)
    with library(mint, now):
        for number in itertools.count():
            if sum(found.tried.values()) == count:
                break
            forger = ours if number % 50 == 0 else FORGERS[number % len(FORGERS)]
            forged = forger(chance, mint)
            now[0] = forged.at
            _judge(forged, forger.__name__, mint, found)
            if number % 5000 == 0:
                tell(number)
    return found


def _judge(forged: Forged, name: str, mint: Mint, found: Found) -> None:
    answer = status(forged.target, forged.method)
    if is_genuine(forged, mint):
        found.genuine += 1
        found.refused_though_genuine += answer != 200
    else:
        found.tried[name] += 1
        if answer == 200:
            found.accepted.append(f"{name}: {forged.method} {forged.target} at {forged.at:%H:%M:%S}")


# -- Tickets that the web server checks alone ---------------------------------------------------------------------

EDGE = re.compile(rf"/iiif-auth/edge/(?P<ticket>{doors.EDGE_TICKET})(?P<item>/.*)")


def nginx_lets(target: str, now: datetime) -> bool:
    """What nginx says by ``secure_link``, written from its manual: the code's bytes are compared, and then the end."""
    found = EDGE.fullmatch(target.partition("?")[0])
    if found is None:
        return False
    name, ends, code = found["ticket"].split(".")
    key = EDGE_KEYS.get(name)
    if key is None:
        return False
    wanted = md5(f"{key} {ends} {found['item']} {key}".encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64decode(code + "==") == wanted and int(ends) >= int(now.timestamp())


def edge_forged(chance: Random, known: list[str]) -> str:
    """A target that is none of those known, made of them."""
    target = chance.choice(known)
    found = EDGE.fullmatch(target)
    assert found is not None
    name, ends, code = found["ticket"].split(".")
    item, other = found["item"], EDGE.fullmatch(chance.choice(known))["item"]  # type: ignore[index]
    where = chance.randrange(len(code))
    twin = LETTERS[(LETTERS.index(code[-1]) & ~15) + chance.randrange(16)]
    made = (
        (name, ends, code[:where] + chance.choice(LETTERS) + code[where + 1 :], item),
        (name, ends, code[:-1] + twin, item),
        (name, str(int(ends) + chance.randrange(-100, 10**6)), code, item),
        (name, f"0{ends}", code, item),
        (name, ends, code, other),
        (name, ends, code, item + chance.choice(("x", "/", "%20", " ", "%2e", ".bak"))),
        (chance.choice(("e2", "k1", "E1", "e11")), ends, code, item),
        (name, ends, written(md5(f"{ends}{item}".encode(), usedforsecurity=False).digest()), item),
        (name, ends, code + "==", item),
        (name, ends[:-1], code, f"{ends[-1]}{item}"),
        (name, f"{ends} ", code, item),
    )
    name, ends, code, item = chance.choice(made)
    return f"/iiif-auth/edge/{name}.{ends}.{code}{item}"


def edge_campaign(count: int, seed: int) -> list[str]:
    """Forged edge tickets that the model of nginx would let pass."""
    chance = Random(seed)
    known = edge_known()
    forged = (edge_forged(chance, known) for _ in range(count))
    return [target for target in forged if target not in known and nginx_lets(target, NOW)]


def edge_known() -> list[str]:
    made = [
        signed.edge_address(item, NOW)
        for item in ("/media/film.mp4", "/media/film.mp4.bak", "/media/a%20b.pdf", "/iiif/3/chart")
    ]
    return [target for target in made if target is not None]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.tickets", description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    began = time.monotonic()

    def tell(done: int) -> None:
        speed = done / max(time.monotonic() - began, 0.001)
        sys.stderr.write(f"\r{done:>10,} tickets  {speed:>7,.0f}/s ")
        sys.stderr.flush()

    with override_settings(**SETTINGS):
        found = campaign(options.count, options.seed, tell)
        edge = edge_campaign(options.count // 4, options.seed)
    print(f"\n{sum(found.tried.values()):,} forged tickets, {len(found.accepted)} accepted")
    print(f"{options.count // 4:,} forged edge tickets, {len(edge)} accepted by a model of nginx")
    for name, count in sorted(found.tried.items()):
        print(f"  {name:<34}{count:>10,}")
    print(f"  {'ours':<34}{found.genuine:>10,}, of which {found.refused_though_genuine} refused")
    for line in (*found.accepted[:20], *edge[:20]):
        print(f"ACCEPTED {line}")
    return int(bool(found.accepted or edge or found.refused_though_genuine or not found.genuine))


if __name__ == "__main__":
    sys.exit(main())

"""Requests by number: the same seed and number make the same request, given what the run's people hold.

Most are lines of the corpora, filled in, combined and mutated; some are exactly what an honest viewer would send for something it
may not have; and some are honest, by people who may have it, so that it is known that there is something to be seen.
"""

from __future__ import annotations

import base64
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any, Final

from tests.security.hostile import corpora
from tests.security.hostile.holdings import (
    CURATOR,
    EDGE_KEYS,
    HOST,
    HOSTILE,
    IMAGE_DOORS,
    PEOPLE,
    RESTS,
    TARGETS,
    UNLISTED,
    Person,
    Target,
    Who,
)

SIGNED, EDGE = b"/iiif-auth/signed", b"/iiif-auth/edge"
SMALL_ONLY_BY_CHECK = ("wide at 400", "maps/survey")
"""What is under another name on the image server, which a web server alone does not know."""
UNFRAMED = (b"\r", b"\n", b" ", b"\0", b"\t", b"\x0b", b"\x0c")
FRAMING = (b"transfer", b"content", b"expect", b"upgrade", b"connection", b" ", b"te:", b":")
AFTER = b"GET /after HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nConnection: close\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent, by whom, and what for.

    Attributes:
        wants: for an honest request, the thing that must come; otherwise empty.
        given: what this request may get by a ticket that was made for it.
        alone: not one whole request as far as servers know; see :meth:`tests.security.hostile.wire.Line.ask`.
    """

    person: Person
    payload: bytes
    wants: str = ""
    given: frozenset[str] = frozenset()
    alone: bool = False


class Generator:
    """Makes requests for one run.

    Args:
        held: what people hold, as :func:`tests.security.hostile.rows.belongings` says.
        seed: of the run.
    """

    def __init__(self, held: dict[str, Any], seed: int) -> None:
        self.held, self.seed = held, seed
        self.tickets = {(uri, name): ticket.encode() for ticket, uri, name in held["tickets"]}
        self.live = [ticket.encode() for ticket, _uri, _name in held["tickets"]]
        self.dead = [ticket.encode() for ticket, _uri, _name in held["dead_tickets"]]
        self.dead += [ticket.encode() for ticket in held["loose_tickets"]] * 20

    def request(self, number: int, mode: str) -> Request:
        """The request of this number, for a place of this mode."""
        return _One(self, mode, random.Random(f"{self.seed} {number}")).made()

    def honest(self, mode: str, target: Target, person: Person) -> Request:
        """What a viewer sends for something that somebody may have."""
        return _One(self, mode, random.Random(self.seed)).honest(target, person)

    def cookie(self, person: Person) -> bytes:
        return self.held["cookies"].get(person.name, "").encode()


COOKIE = b"__Host-iiif_access"
METHODS: Final = (b"GET",) * 14 + (b"HEAD",) * 3
PICTURES = [one for one in TARGETS if one.item.startswith(IMAGE_DOORS)]
FILMS = [one for one in TARGETS if one.item.startswith("/films/")]
MEDIA = [one for one in TARGETS if one.item.startswith("/media/")]


def edge_code(key: str, ends: int, item: str) -> str:
    """What ``secure_link_md5`` of nginx makes of these."""
    found = md5(f"{key} {ends} {item} {key}".encode(), usedforsecurity=False).digest()
    return base64.urlsafe_b64encode(found).decode().rstrip("=")


def reachable(mode: str) -> list[Target]:
    """What can be had at all by a way of delivering."""
    if mode != "edge":
        return list(TARGETS)
    return [one for one in PICTURES if one.item.startswith(IMAGE_DOORS[0]) and one.key not in SMALL_ONLY_BY_CHECK]


BY_KEY: dict[str, list[Target]] = {}
for _target in TARGETS:
    BY_KEY.setdefault(_target.key, []).append(_target)
KEYS = {key: targets[0].who for key, targets in BY_KEY.items()}
REACHABLE = {mode: reachable(mode) for mode in ("nginx", "x-accel", "django", "signed", "edge", "caddy")}


class _One:
    """One request in the making."""

    def __init__(self, run: Generator, mode: str, chance: random.Random) -> None:
        self.run, self.mode, self.chance = run, mode, chance
        self.person = chance.choice(HOSTILE)
        self.given: set[str] = set()
        key = chance.choice([key for key, who in KEYS.items() if who > self.person.level])
        self.victim = chance.choice(BY_KEY[key])
        self.words: corpora.Words = {
            "d": lambda: self.victim_door(),
            "s": lambda: self.picture(secret=True),
            "o": lambda: self.picture(secret=False),
            "tier": lambda: self.pick((b"wide~small", b"chart~members", b"wide", b"chart")),
            "r": lambda: self.pick(RESTS).encode(),
            "m": lambda: b"/media",
            "f": lambda: self.pick(self.secret(MEDIA)).item.removeprefix("/media/").encode(),
            "of": lambda: b"open.txt",
            "film": lambda: self.pick(
                (b"attic", *(one.item.removeprefix("/films/").encode() for one in self.secret(FILMS)))
            ),
            "ofilm": lambda: b"free",
            "part": lambda: self.pick((b"index.m3u8", b"seg-1.ts", b"seg-2.ts", b"keys/key.bin")),
            "ep": lambda: self.victim.path.encode(),
            "op": lambda: self.pick(self.open_to_me()).path.encode(),
            "sig": lambda: SIGNED,
            "edge": lambda: EDGE,
            "t": lambda: self.ticket(),
            "x": lambda: self.pick(self.run.dead),
            "e": lambda: self.edge_ticket(),
            "bearer": lambda: self.pick(self.run.held["bearers"]).encode(),
            "ended": lambda: self.pick(self.run.held["ended"]).encode(),
            "cookie": lambda: self.pick(self.run.held["ended"]).encode(),
            "own": lambda: self.run.cookie(self.person),
        }

    def pick(self, several: Sequence[Any]) -> Any:
        return several[int(self.chance.random() * len(several))]

    # -- Words --

    def secret(self, several: list[Target]) -> list[Target]:
        return [one for one in several if one.who > self.person.level]

    def open_to_me(self) -> list[Target]:
        return [one for one in TARGETS if one.who <= self.person.level]

    def victim_door(self) -> bytes:
        return self.pick(IMAGE_DOORS)[:-1].encode()

    def picture(self, *, secret: bool) -> bytes:
        found = [one for one in PICTURES if (one.who > self.person.level) == secret]
        if not found or (secret and self.chance.random() < 0.03):
            return b"unlisted"
        one = self.pick(found)
        return one.item.rpartition("/")[2].encode()

    def ticket(self) -> bytes:
        """A live ticket: mostly one for something that is open to whoever asks, sometimes any that was ever made for anybody."""
        if self.chance.random() < 0.5:
            uri = self.pick(self.open_to_me()).uri
            return self.run.tickets[uri, self.pick((CURATOR.name, "lower tier"))]
        return self.pick(self.run.live)

    def edge_ticket(self) -> bytes:
        """A ticket that the web server checks alone: for something open, one that has ended, or one made with another key."""
        now, kind = int(time.time()), self.chance.random()
        if kind < 0.6:
            target = self.pick([one for one in REACHABLE["edge"] if one.who <= Who.MEMBERS])
            return self.edge_for(target, now + 50)
        if kind < 0.8:
            return self.edge_for(self.victim, now - self.chance.randint(1, 500), fresh=False)
        if kind < 0.9:
            return self.edge_for(self.victim, now + 50, key="another", fresh=False)
        return f"e1.{now + 50}.{edge_code(EDGE_KEYS['e1'], now + 50, '')}".encode()

    def edge_for(self, target: Target, ends: int, key: str = EDGE_KEYS["e1"], *, fresh: bool = True) -> bytes:
        if fresh:
            self.given.add(target.key)
        return f"e1.{ends}.{edge_code(key, ends, target.item)}".encode()

    # -- Requests --

    def made(self) -> Request:
        kind = self.chance.random()
        return next(make for limit, make in self.KINDS if kind < limit)(self)

    def control(self) -> Request:
        person = self.pick(PEOPLE)
        target = self.pick([one for one in REACHABLE[self.mode] if one.who <= person.level])
        return self.honest(target, person)

    def honest(self, target: Target, person: Person) -> Request:
        """Exactly what may be asked for, by somebody who may."""
        prefix = b""
        if self.mode == "signed" and target.who is not Who.NOBODY:
            prefix = SIGNED + b"/" + self.run.tickets[target.uri, CURATOR.name]
            person = self.person
        elif self.mode == "edge":
            prefix = EDGE + b"/" + self.edge_for(target, int(time.time()) + 50)
            person = self.person
        head = self.head(b"GET", prefix + target.path.encode(), self.own_cookie(person))
        return Request(person, head, target.key, frozenset((target.key,)))

    def plain(self) -> Request:
        """What a viewer would send, for something that is not theirs."""
        path = self.pick(UNLISTED).encode() if self.chance.random() < 0.05 else self.victim.path.encode()
        return self.finished(self.pick(METHODS), self.prefixed(path), self.besides(0.3))

    def by_corpus(self) -> Request:
        path = self.from_corpus()
        if not path.startswith((b"/iiif-auth", b"http")):
            path = self.prefixed(path)
        return self.finished(self.method(), path, self.besides(0.2))

    def from_corpus(self) -> bytes:
        """A path: of any line, or of any section, since some attacks are told in few lines."""
        lines = corpora.lines("paths") if self.chance.random() < 0.5 else self.pick(corpora.sections("paths"))
        return self.fill(self.pick(lines))

    def fill(self, line: bytes) -> bytes:
        return corpora.filled(line, self.words, self.chance)

    def mutated(self) -> Request:
        path = self.from_corpus() if self.chance.random() < 0.5 else self.victim.path.encode()
        path = self.prefixed(path)
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            path = self.pick(MUTATIONS)(path, self)
        return self.finished(self.method(), path, self.besides(0.2))

    def by_headers(self) -> Request:
        sections = corpora.sections("headers")
        headers = [self.fill(self.pick(self.pick(sections))) for _ in range(self.chance.choice((1, 1, 2, 3)))]
        path = self.victim.path if self.chance.random() < 0.8 else self.pick(self.open_to_me()).path
        return self.finished(self.method(), self.prefixed(path.encode()), headers)

    def liar(self) -> Request:
        """Somebody who says they are where they are not."""
        self.victim = self.pick(BY_KEY["campus-1"])
        (addresses,) = (one for one in corpora.sections("headers") if any(b"X-Real-IP" in line for line in one))
        return self.finished(
            self.pick(METHODS), self.prefixed(self.victim.path.encode()), [self.fill(self.pick(addresses))]
        )

    def raw(self) -> Request:
        lines = corpora.lines("requests") + corpora.lines("findings")
        payload = corpora.filled(self.pick(lines), self.words, self.chance)
        if self.chance.random() < 0.2:
            payload = _spliced(payload, self)
        return Request(self.person, payload + AFTER, given=frozenset(self.given), alone=True)

    KINDS: Final[tuple[tuple[float, Callable[[_One], Request]], ...]] = (
        (0.07, control),
        (0.21, plain),
        (0.58, by_corpus),
        (0.76, mutated),
        (0.97, by_headers),
        (0.99, liar),
        (1.01, raw),
    )

    # -- Parts --

    def prefixed(self, path: bytes) -> bytes:
        """A path under a ticket, where that is how content is asked for."""
        if self.mode == "signed" and self.chance.random() < 0.8:
            ticket = self.ticket() if self.chance.random() < 0.7 else self.pick(self.run.dead)
            return SIGNED + b"/" + self.maybe_misspelt(ticket) + path
        if self.mode == "edge" and self.chance.random() < 0.9:
            return EDGE + b"/" + self.maybe_misspelt(self.edge_ticket()) + path
        return path

    def maybe_misspelt(self, ticket: bytes) -> bytes:
        if self.chance.random() < 0.6:
            return ticket
        how = self.pick(("flip", "last", "later", "pass", "key", "short", "empty", "swap", "digits", "upper", "enc1"))
        return corpora.misspelt(ticket, how, self.chance)

    def method(self) -> bytes:
        return self.pick(METHODS) if self.chance.random() < 0.8 else self.pick(corpora.lines("methods"))

    def header(self) -> bytes:
        return self.fill(self.pick(corpora.lines("headers")))

    def besides(self, share: float) -> list[bytes]:
        return [self.header()] if self.chance.random() < share else []

    def own_cookie(self, person: Person) -> list[bytes]:
        secret = self.run.cookie(person)
        return [b"Cookie: " + COOKIE + b"=" + secret] if secret else []

    def head(self, method: bytes, target: bytes, headers: list[bytes], version: bytes = b"HTTP/1.1") -> bytes:
        if not any(header.lower().startswith(b"host:") for header in headers):
            headers = [b"Host: " + HOST.encode(), *headers]
        return b" ".join((method, target, version)) + b"\r\n" + b"\r\n".join(headers) + b"\r\n\r\n"

    def finished(self, method: bytes, target: bytes, headers: list[bytes]) -> Request:
        if not any(b"cookie" in header.lower() for header in headers) or self.chance.random() < 0.3:
            headers = self.own_cookie(self.person) + headers
        version = b"HTTP/1.0" if self.chance.random() < 0.01 else b"HTTP/1.1"
        alone = version == b"HTTP/1.0" or is_unframed(method, target, headers)
        body = b""
        if method in (b"POST", b"PUT", b"PATCH") and self.chance.random() < 0.5:
            body = b"uri=" + self.victim.path.encode()
            headers = [*headers, b"Content-Length: %d" % len(body)]
        if alone:
            headers = [*headers, b"Connection: close"]
        payload = self.head(method, target, headers, version) + body
        return Request(self.person, payload, given=frozenset(self.given), alone=alone)


def is_unframed(method: bytes, target: bytes, headers: list[bytes]) -> bool:
    """Whether a server may see anything but one whole request here."""
    if not target or any(one in target or one in method for one in UNFRAMED):
        return True
    if method.upper() == b"CONNECT" or (method != b"HEAD" and b"HEAD" in method.upper()):
        return True
    fields = (line for header in headers for line in header.lower().split(b"\r\n"))
    return any(line.startswith(FRAMING) for line in fields) or not method.isalpha()


# -- Mutations ------------------------------------------------------------------------------------------------------

Mutation = Callable[[bytes, _One], bytes]
SEPARATORS = (
    b"/../",
    b"/..%2f",
    b"%2f..%2f",
    b"/./",
    b"//",
    b"\\",
    b"%5c",
    b"/..;/",
    b"/%2e%2e/",
    b"/%252e%252e%252f",
    b"%2F",
)
ENDS = (
    b"",
    b"?",
    b"#",
    b"%00",
    b"%0a",
    b"/",
    b"/.",
    b"/..",
    b";",
    b";1",
    b".",
    b"%20",
    b"~members",
    b"~small",
    b".tif",
    b"%ff",
)
ODD = (
    b"%00",
    b"%",
    b"%2e",
    b"%2f",
    b"%25",
    b"..",
    b"//",
    b"\\",
    b";",
    b"#",
    b"?",
    b"%0d%0a",
    b"\x80",
    b"%E2%80%8B",
    b"+",
    b"~",
)


def _place(text: bytes, one: _One) -> int:
    return int(one.chance.random() * (len(text) + 1))


def _put_in(text: bytes, one: _One) -> bytes:
    at = _place(text, one)
    return text[:at] + one.pick(ODD) + text[at:]


def _taken_out(text: bytes, one: _One) -> bytes:
    at = _place(text, one)
    return text[:at] + text[at + one.chance.randint(1, 3) :] or b"/"


def _turned(text: bytes, one: _One) -> bytes:
    """One bit of one byte the other way round."""
    if not text:
        return b"/"
    at = min(_place(text, one), len(text) - 1)
    return text[:at] + bytes([text[at] ^ (1 << one.chance.randrange(8))]) + text[at + 1 :]


def _other_slash(text: bytes, one: _One) -> bytes:
    places = [at for at, byte in enumerate(text) if byte == 47]
    if not places:
        return text
    at = one.pick(places)
    return text[:at] + one.pick(SEPARATORS) + text[at + 1 :]


def _around(text: bytes, one: _One) -> bytes:
    """Into something and out of it again."""
    places = [at for at, byte in enumerate(text) if byte == 47] or [0]
    at = one.pick(places)
    name = corpora.filled(one.pick((b"<o>", b"x", b"<s>", b"<ofilm>", b"full")), one.words, one.chance)
    return text[:at] + b"/" + name + one.pick(SEPARATORS) + text[at + 1 :]


def _escaped(text: bytes, one: _One) -> bytes:
    if not text:
        return text
    at = min(_place(text, one), len(text) - 1)
    written = one.pick((b"%%%02X", b"%%%02x", b"%%25%02X"))
    return text[:at] + written % text[at] + text[at + 1 :]


def _unescaped(text: bytes, one: _One) -> bytes:
    at = text.find(b"%")
    if at < 0 or len(text) < at + 3:
        return text
    try:
        return text[:at] + bytes([int(text[at + 1 : at + 3], 16)]) + text[at + 3 :]
    except ValueError:
        return text


def _other_case(text: bytes, one: _One) -> bytes:
    at = _place(text, one)
    return text[:at] + text[at : at + 8].swapcase() + text[at + 8 :]


def _ended(text: bytes, one: _One) -> bytes:
    return text + one.pick(ENDS)


def _spliced(text: bytes, one: _One) -> bytes:
    other = one.from_corpus()
    return text[: _place(text, one)] + other[_place(other, one) :] or b"/"


def _other_door(text: bytes, one: _One) -> bytes:
    return text.replace(
        b"/iiif/image/3", one.pick((b"/iiif/image/2", b"/iiif/3", b"/iiif", b"/iiif/image", b"/_iiif_up/images"))
    )


def _absolute(text: bytes, one: _One) -> bytes:
    return (
        one.pick((b"http://" + HOST.encode(), b"https://" + HOST.encode(), b"http://127.0.0.1", b"//" + HOST.encode()))
        + text
    )


def _asked_twice(text: bytes, one: _One) -> bytes:
    return text + one.pick((b"?", b"#", b"%3f", b"/", b";")) + one.pick(one.open_to_me()).path.encode()


MUTATIONS: Final[tuple[Mutation, ...]] = (
    _put_in,
    _put_in,
    _taken_out,
    _turned,
    _other_slash,
    _other_slash,
    _around,
    _around,
    _escaped,
    _unescaped,
    _other_case,
    _ended,
    _ended,
    _spliced,
    _other_door,
    _absolute,
    _asked_twice,
)

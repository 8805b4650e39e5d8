"""What the servers under attack hold, who may have it, and the mark that each of it bears.

A mark is different in every run, so nothing can know it that has not read the bytes; and every protected thing has a length of
its own, so that a HEAD, a range or a condition gives it away too.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256


class Who(IntEnum):
    """For whom something is. A person may have what is for their own level or below."""

    EVERYONE = 0
    MEMBERS = 1
    CURATORS = 2
    NOBODY = 9


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks; ``group`` is empty for whoever is not signed in."""

    name: str
    level: Who
    group: str = ""


ANONYMOUS = Person("anonymous", Who.EVERYONE)
OUTSIDER = Person("wrong group", Who.EVERYONE, "visitors")
MEMBER = Person("lower tier", Who.MEMBERS, "members")
CURATOR = Person("curator", Who.CURATORS, "curators")
PEOPLE = (ANONYMOUS, OUTSIDER, MEMBER, CURATOR)
HOSTILE = PEOPLE[:3]
"""Those who try. The curator may have everything that is published, and is there to show that it can be had."""

HOST = "iiif.example.org"
CHECK_SECRET = "let-the-web-server-in-0123456789"
EDGE_KEYS = {"e1": "edge-key-0123456789-abcdefghijkl"}
PREFIX = b"CNRY"


def mark(salt: str, key: str) -> bytes:
    """The mark of something in this run."""
    return PREFIX + sha256(f"{salt}\0{key}".encode()).hexdigest()[:16].encode()


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture on the image server.

    Attributes:
        key: its name there, as its mark knows it.
        name: its identifier in public addresses, percent-encoded; empty if it has none.
        tiers: whether a smaller version of it is for members: ``derived`` (a file of its own), ``virtual``, or none.
    """

    key: str
    who: Who
    name: str = ""
    width: int = 4000
    height: int = 3000
    source: str = ""
    tiers: str = ""
    hidden: bool = False
    network: bool = False


PICTURES = (
    Picture("open-1", Who.EVERYONE, "open-1"),
    Picture("open-2", Who.EVERYONE, "open-2"),
    Picture("members-1", Who.MEMBERS, "members-1"),
    Picture("secret-1", Who.CURATORS, "secret-1"),
    Picture("secret-2", Who.CURATORS, "secret-2"),
    Picture("chart", Who.CURATORS, "chart", tiers="derived"),
    Picture("wide", Who.CURATORS, "wide", tiers="virtual"),
    Picture("maps/survey", Who.CURATORS, "survey", source="maps/survey.tif"),
    Picture("ark:/1/b", Who.CURATORS, "ark:%2F1%2Fb"),
    Picture("grün", Who.CURATORS, "gr%C3%BCn"),
    Picture("hush-1", Who.CURATORS, "hush-1", width=7919, height=6133, hidden=True),
    Picture("campus-1", Who.NOBODY, "campus-1", network=True),
    Picture("unlisted", Who.NOBODY, "unlisted"),
    Picture("chart~members", Who.MEMBERS, "chart~members", width=400, height=300),
)
"""The last but one has no row: what nobody decided about is nobody's. The last is the derived version of ``chart``."""

WIDE_SMALL = "wide at 400"
SMALL_EDGE = 400
ADMIN, LEAK = "admin pages of the image server", "credentials passed on to the image server"


@dataclass(frozen=True, slots=True)
class File:
    """A file below the folder of the run; ``address`` is its public one, percent-encoded, empty if it has none."""

    key: str
    who: Who
    address: str = ""
    row: str = ""


def _films(folder: str, who: Who) -> tuple[File, ...]:
    parts = ("index.m3u8", "seg-1.ts", "seg-2.ts", "keys/key.bin")
    row = f"/films/{folder}/index.m3u8" if who is not Who.NOBODY else ""
    return tuple(File(f"films/{folder}/{part}", who, f"/films/{folder}/{part}", row) for part in parts)


FILES = (
    File("media/open.txt", Who.EVERYONE, "/media/open.txt", "/media/open.txt"),
    File("media/members.txt", Who.MEMBERS, "/media/members.txt", "/media/members.txt"),
    File("media/film.mp4", Who.CURATORS, "/media/film.mp4", "/media/film.mp4"),
    File(
        "media/sub/annual report.pdf", Who.CURATORS, "/media/sub/annual%20report.pdf", "/media/sub/annual%20report.pdf"
    ),
    File("media/.htpasswd", Who.NOBODY, "/media/.htpasswd"),
    File("media/unlisted.txt", Who.NOBODY, "/media/unlisted.txt"),
    File("media-private/vault.txt", Who.NOBODY, "/media-private/vault.txt"),
    File("outside.txt", Who.NOBODY, "/outside.txt"),
    File("films/lost.key", Who.NOBODY, "/films/lost.key"),
    *_films("free", Who.EVERYONE),
    *_films("harbour", Who.MEMBERS),
    *_films("pier", Who.CURATORS),
    *_films("attic", Who.NOBODY),
)
SCANS = (
    File("files/notice.pdf", Who.EVERYONE, "/scans/notice.pdf", "/scans/notice.pdf"),
    File("files/ledger.pdf", Who.CURATORS, "/scans/ledger.pdf", "/scans/ledger.pdf"),
)
"""Files that lie on the other server."""

IMAGE_DOORS = ("/iiif/image/3/", "/iiif/image/2/")
EVERYTHING: dict[str, Who] = {
    **{one.key: one.who for one in PICTURES},
    **{one.key: one.who for one in (*FILES, *SCANS)},
    WIDE_SMALL: Who.MEMBERS,
    ADMIN: Who.NOBODY,
    LEAK: Who.NOBODY,
}
LENGTHS = {key: 6_007 + 211 * number for number, key in enumerate(EVERYTHING)}
"""In bytes, each different, and none that another answer would have."""


def body(salt: str, key: str) -> bytes:
    """The bytes of something: its mark over and over, so that each part of some fifty bytes has it whole."""
    text = mark(salt, key) + b"\n"
    return (text * (LENGTHS[key] // len(text) + 1))[: LENGTHS[key]]


@dataclass(frozen=True, slots=True)
class Target:
    """A published thing in the one spelling of its address: what a ticket is for, what follows, and what then leaves."""

    key: str
    who: Who
    item: str
    rest: str
    uri: str

    @property
    def path(self) -> str:
        return f"{self.item}/{self.rest}" if self.rest else self.item


RESTS = (
    "full/max/0/default.jpg",
    "0,0,512,512/256,/0/default.png",
    "square/!100,100/0/gray.jpg",
    "full/200,/90/default.webp",
)


def _pictures() -> list[Target]:
    found = []
    for one in PICTURES:
        if one.name and one.key != "unlisted":
            found += [
                Target(one.key, one.who, f"{door}{one.name}", rest, f"{door}{one.name}")
                for door in IMAGE_DOORS
                for rest in RESTS
            ]
    for door in IMAGE_DOORS:
        for rest in ("full/max/0/default.jpg", "0,0,100,100/50,/0/default.jpg", "full/200,/90/default.jpg"):
            found.append(Target(WIDE_SMALL, Who.MEMBERS, f"{door}wide~small", rest, f"{door}wide~small"))
    return found


def _file(one: File) -> Target:
    if one.row.endswith("/index.m3u8"):
        item = one.row.removesuffix("/index.m3u8")
        return Target(one.key, one.who, item, one.address.removeprefix(f"{item}/"), one.row)
    return Target(one.key, one.who, one.address, "", one.row)


TARGETS: tuple[Target, ...] = (*_pictures(), *(_file(one) for one in (*FILES, *SCANS) if one.row))
"""Everything that has a row, in its canonical spelling."""
UNLISTED: tuple[str, ...] = (
    *(f"{door}unlisted/full/max/0/default.jpg" for door in IMAGE_DOORS),
    *(one.address for one in FILES if not one.row),
)
"""Addresses of what is there, but was never published."""

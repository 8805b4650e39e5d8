"""What the library holds, who its people are, and who may have what. Plain values: no Django is needed to read them.

Every object, and every smaller version of one, has a *canary* in its bytes that stands nowhere else, so that a leak is seen
whatever its status (security 2.7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

IMAGES, OLDER, MEDIA, FILMS, REELS = "/iiif/image/3/", "/iiif/image/2/", "/media/", "/films/", "/reels/"

STRANGER = "stranger"
OUTSIDER = "outsider"
"""Signed in, but in no group that counts."""
STUDENT = "student"
"""In a group that gets smaller versions."""
MEMBER = "member"
"""In the group that gets everything but what is nobody's."""
LEAVER = "leaver"
"""A member too, whose pass a test may end."""
PEOPLE = (STRANGER, OUTSIDER, STUDENT, MEMBER)

EVERYBODY = frozenset(PEOPLE)
SMALLER = frozenset({STUDENT, MEMBER})
MEMBERS = frozenset({MEMBER})
NONE: frozenset[str] = frozenset()

ONSITE = "203.0.113.7"
"""An address of the reading room, where nobody in the tests sits: whoever gets its things has told a lie about where they are."""


def canary(name: str) -> str:
    """The mark of an object, by the name of its bytes."""
    return f"CANARY-{sha256(name.encode()).hexdigest()[:24]}"


@dataclass(frozen=True, slots=True)
class Holding:
    """Something that is published.

    Attributes:
        path: the public path by which it is decided: an image service, a file, the entry of a folder.
        policy: the slug of its policy; empty for what nobody has said anything about.
        source: the name of its bytes upstream, if it is not in the path.
        hidden: whether it must look as if it did not exist.
        allowed: who may have the whole of it; ``smaller`` says who may have the version with that suffix.
    """

    path: str
    policy: str
    allowed: frozenset[str]
    source: str = ""
    hidden: bool = False
    smaller: dict[str, frozenset[str]] = field(default_factory=dict)
    virtual: str = ""
    kind: str = "Image"

    @property
    def door(self) -> str:
        return next(door for door in (IMAGES, OLDER, MEDIA, FILMS, REELS) if self.path.startswith(door))

    @property
    def name(self) -> str:
        """The name of the bytes upstream, decoded."""
        return self.source or NAMES.get(self.path) or self.path.removeprefix(self.door)

    @property
    def is_image(self) -> bool:
        return self.door in (IMAGES, OLDER)


SECRET = f"{IMAGES}secret-"
"""What begins like this looks alike to whoever may not see it, whether it exists or not."""

NAMES = {
    f"{IMAGES}ark:%2F12148%2Fb7": "ark:/12148/b7",
    f"{MEDIA}plans/ann%C3%A9e.txt": "plans/année.txt",
}
"""Decoded names, where they differ from what the address says."""

HOLDINGS = (
    Holding(f"{IMAGES}garden", "open", EVERYBODY),
    Holding(f"{IMAGES}chart", "members", MEMBERS, smaller={"~preview": SMALLER}),
    Holding(f"{IMAGES}ark:%2F12148%2Fb7", "members", MEMBERS, smaller={"~preview": SMALLER}),
    Holding(f"{IMAGES}deed", "members", MEMBERS, source="vault/deed 7.tif", smaller={"~preview": SMALLER}),
    Holding(
        f"{IMAGES}survey", "surveys", MEMBERS, source="maps/survey.tif", smaller={"~small": SMALLER}, virtual="~small"
    ),
    Holding(f"{IMAGES}secret-diary", "members", MEMBERS, hidden=True),
    Holding(f"{IMAGES}folio", "signed", MEMBERS),
    Holding(f"{IMAGES}register", "onsite", NONE),
    Holding(f"{IMAGES}sealed", "nobody", NONE),
    Holding(f"{IMAGES}unlisted", "", NONE),
    Holding(f"{OLDER}print", "members", MEMBERS, smaller={"~preview": SMALLER}),
    Holding(f"{OLDER}sketch", "open", EVERYBODY),
    Holding(f"{MEDIA}welcome.txt", "open", EVERYBODY, kind="Text"),
    Holding(f"{MEDIA}report.pdf", "members", MEMBERS, kind="Text"),
    Holding(f"{MEDIA}plans/ann%C3%A9e.txt", "members", MEMBERS, kind="Text"),
    Holding(f"{MEDIA}letter.txt", "members", MEMBERS, source="letters/1902-04.txt", kind="Text"),
    Holding(f"{MEDIA}film.mp4", "members", MEMBERS, kind="Video"),
    Holding(f"{MEDIA}minutes.html", "onsite", NONE, kind="Text"),
    Holding(f"{MEDIA}unlisted.zip", "", NONE, kind="Dataset"),
    Holding(f"{FILMS}harbour/index.m3u8", "members", MEMBERS, kind="Video"),
    Holding(f"{FILMS}ferry/index.m3u8", "open", EVERYBODY, kind="Video"),
    Holding(f"{FILMS}storm/index.m3u8", "nobody", NONE, kind="Video"),
    Holding(f"{REELS}market/index.m3u8", "members", MEMBERS, kind="Video"),
    Holding(f"{REELS}parade/index.m3u8", "open", EVERYBODY, kind="Video"),
)

PIECES = (
    "index.m3u8",
    "low/index.m3u8",
    "low/seg-1.ts",
    "low/seg-2.ts",
    "manifest.mpd",
    "crypt.key",
    "init.mp4",
    "chunk-1.m4s",
)
"""The files of every film."""
TILE = "full/max/0/default.jpg"
PART = "0,0,512,512/256,/0/default.jpg"
SIZE = (4000, 3000)
"""Of every picture that is not a version cut to its tier's size."""


@dataclass(frozen=True, slots=True)
class Canary:
    """A mark, who may see it, and a request that shows it to them."""

    mark: str
    allowed: frozenset[str]
    path: str


def canaries() -> tuple[Canary, ...]:
    """Every mark there is."""
    return tuple(one for holding in HOLDINGS for one in _of(holding))


def _of(holding: Holding) -> list[Canary]:
    if holding.door in (FILMS, REELS):
        folder, name = holding.path.rpartition("/")[0], holding.name.rpartition("/")[0]
        return [
            Canary(canary(f"{holding.door}{name}/{piece}"), holding.allowed, f"{folder}/{piece}") for piece in PIECES
        ]
    if not holding.is_image:
        return [Canary(canary(f"{holding.door}{holding.name}"), holding.allowed, holding.path)]
    whole = Canary(canary(f"{holding.door}{holding.name}"), holding.allowed, f"{holding.path}/{TILE}")
    lesser = [
        Canary(canary(f"{holding.door}{suffixed(holding.name, suffix)}"), allowed, f"{holding.path}{suffix}/{TILE}")
        for suffix, allowed in holding.smaller.items()
        if suffix != holding.virtual
    ]
    return [whole, *lesser]


def suffixed(name: str, suffix: str) -> str:
    """The name of a smaller version's bytes: the suffix before the extension."""
    folder, slash, last = name.rpartition("/")
    stem, dot, extension = last.rpartition(".")
    return f"{folder}{slash}{stem}{suffix}{dot}{extension}" if stem else f"{name}{suffix}"

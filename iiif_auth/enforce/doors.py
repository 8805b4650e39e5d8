"""Where guarded content is published, and the one parser of requests for it.

Two programs that read one path in two ways are the largest class of holes there is (security 1.2). So a request target is read
here and nowhere else: it is in the one spelling that we write, or it is refused; and what is asked of the image server is
rebuilt from the parts that were read. The patterns below are also what ``iiif_webserver`` prints, so that the web server reads
by the same grammar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final
from urllib.parse import quote, unquote

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse

from iiif_auth.conf import conf
from iiif_auth.enforce import imagepath
from iiif_auth.enforce.imagepath import BadImageRequest, ImageRequest
from iiif_auth.policy.types import Rendition
from iiif_auth.protocol import identity


class NotCanonical(ValueError):
    """The request is for nothing that is published here, or not spelt in the one way that is; the message says which."""


class Serves(StrEnum):
    """What is behind a door, and so how its addresses are read."""

    IMAGE_2 = "image-2"
    IMAGE_3 = "image-3"
    FILES = "files"
    FOLDERS = "folders"

    @property
    def version(self) -> imagepath.Version | None:
        """That of the Image API, for image services."""
        return IMAGE_VERSIONS.get(self)


IMAGE_VERSIONS: Final[Mapping[Serves, imagepath.Version]] = {Serves.IMAGE_2: 2, Serves.IMAGE_3: 3}


@dataclass(frozen=True, slots=True)
class Door:
    """A place under which guarded content is published.

    Attributes:
        name: letters, digits, ``-`` and ``_``; names locations and zones in a web server's configuration.
        path: its public path, with a slash at both ends.
        serves: what is there.
        upstream: the beginning of addresses at the image or file server, ``http://…/`` or ``fastcgi://host:port/…/``; or
        root: the folder that the files are in.
        entry: for folders, the file by whose address a folder is known, such as a film's playlist.
        depth: for folders, how many segments of the path name one.
        base: the public base of another site, ``https://images.example.org``, if it is not this one.
    """

    name: str
    path: str
    serves: Serves
    upstream: str = ""
    root: str = ""
    entry: str = "index.m3u8"
    depth: int = 1
    base: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it was read.

    Attributes:
        item: the canonical public path of what is decided about: an image service, a file, a folder.
        uri: the normalised URL by which that is known; for a folder, that of its entry.
        rest: what is asked of it, canonical: the image parameters, ``info.json``, a file in the folder, or nothing.
        image: the image request, if it is one.
        ticket: the signed ticket under which it was asked, or empty.
    """

    door: Door
    item: str
    uri: str
    rest: str = ""
    image: ImageRequest | None = None
    ticket: str = ""


# -- The grammar --------------------------------------------------------------------------------------------------

# No pattern counts letters: PCRE unrolls what is counted, and then calls it too large. Lengths are looked at apart.
_PLAIN = r"A-Za-z0-9_~!$&'()+,=:@"
_ESCAPED = r"2[0246-9BC]|3[ACDE]|40|5[BDE]|60|7[B-D]|[89A-F][0-9A-F]"
ESCAPED = rf"%(?:2F|{_ESCAPED})"
"""What may be percent-encoded, in upper case: not what never needs it, and not ``%``, ``#``, ``;``, ``?``, a backslash or a
control character, which servers read in several ways (security table P). ``ark%3A1`` is ``ark:1``, in the decision and upstream.
"""
LETTER = rf"(?:[{_PLAIN}.-]|{ESCAPED})"
IDENTIFIER = rf"{LETTER}+"
"""An image's identifier: one segment, in which ``%2F`` is not a slash."""
FILE_SEGMENT = rf"(?:[{_PLAIN}-]|%(?:{_ESCAPED}))(?:[{_PLAIN}.-]|%(?:{_ESCAPED}))*"
"""A part of a file's path, in which no slash is encoded. What begins with a dot is nobody's to fetch."""
FILE_PATH = rf"{FILE_SEGMENT}(?:/{FILE_SEGMENT})*"
FOLDER_REST = r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)*"
"""A file in a folder: plain names, so that encoded and decoded are one thing."""
IMAGE_REST_2 = imagepath.pattern(2)
IMAGE_REST_3 = imagepath.pattern(3)
_ENDS = r"[1-9][0-9]{9}"
TICKET = rf"[a-z0-9]{{1,12}}\.{_ENDS}\.[1-9][0-9]{{0,18}}\.[A-Za-z0-9_-]{{42}}[AEIMQUYcgkosw048]"
"""A signed ticket: the key's name, when it ends, whose pass, and the code. Each in one spelling: no zeros before a number, and
none but zeros in the bits of the last letter that say nothing.
"""
EDGE_TICKET = rf"[a-z0-9]{{1,12}}\.{_ENDS}\.[A-Za-z0-9_-]{{21}}[AQgw]"
"""A ticket that the web server checks by itself: the key's name, when it ends, and the code. nginx does not look at the last
letter's idle bits, so the pattern does.
"""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
PATH = re.compile(rf"/(?:{FILE_SEGMENT}/){{0,8}}")
UPSTREAM = re.compile(
    r"(?:https?|fastcgi)://(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?/(?:[A-Za-z0-9._~-]+/)*"
)
BASE = re.compile(r"https?://[a-z0-9.-]+(?::[1-9][0-9]{0,4})?")
ENTRY = re.compile(FOLDER_REST)
MOST = 4000
MOST_IDENTIFIER = 900
MOST_SEGMENT = 255
MOST_SEGMENTS = 16

INFO = "info.json"
_IMAGE_REST: Final = {Serves.IMAGE_2: re.compile(IMAGE_REST_2), Serves.IMAGE_3: re.compile(IMAGE_REST_3)}
_IDENTIFIER = re.compile(IDENTIFIER)
_FILE_PATH = re.compile(FILE_PATH)
_FILE_SEGMENT = re.compile(FILE_SEGMENT)
_FOLDER_REST = re.compile(FOLDER_REST)
_TICKET = re.compile(TICKET)


def asked(target: str, base: str = "") -> Asked:
    """Read a request target, as it arrived: path and query, not decoded.

    Args:
        target: such as ``/iiif/3/chart/full/max/0/default.jpg``. A query is not looked at and leads nowhere.
        base: the site that was asked, if it is not this one; only doors with this ``base`` are there.

    Raises:
        NotCanonical: see there.
    """
    path = target.partition("?")[0]
    if len(target) > MOST or not path.isascii():
        raise NotCanonical("The address is too long, or not written in ASCII.")
    ticket, path = _ticket(path)
    door = next((door for door in doors() if door.base == base and path.startswith(door.path)), None)
    if door is None:
        raise NotCanonical("Nothing guarded is published there.")
    item, rest, image = _READERS[door.serves](door, path.removeprefix(door.path))
    return _known(door, item, rest, image, ticket)


def _ticket(path: str) -> tuple[str, str]:
    """The ticket and the path behind it, where a signed address was asked."""
    if "/signed/" not in path:
        return "", path
    prefix = signed_prefix()
    if not prefix or not path.startswith(prefix):
        return "", path
    ticket, slash, rest = path.removeprefix(prefix).partition("/")
    if not _TICKET.fullmatch(ticket) or not slash:
        raise NotCanonical("The signature in the address is not whole.")
    return ticket, f"/{rest}"


def _known(door: Door, item: str, rest: str, image: ImageRequest | None, ticket: str) -> Asked:
    """The request, once its item is seen to be in the spelling under which resources are stored, and in no other."""
    public = f"{door.path}{identity.unescaped(item)}"
    known = f"{public}/{door.entry}" if door.serves is Serves.FOLDERS else public
    try:
        uri = identity.normalised(door.base + known, conf.BASE_URL)
    except identity.NotAResourceURL as error:
        raise NotCanonical(str(error)) from error
    if not uri.endswith(known):
        raise NotCanonical("The address is not in its one spelling.")
    return Asked(door, public, uri, rest, image, ticket)


def _read_image(door: Door, path: str) -> tuple[str, str, ImageRequest | None]:
    identifier, slash, rest = path.partition("/")
    if len(identifier) > MOST_IDENTIFIER or not _IDENTIFIER.fullmatch(identifier):
        raise NotCanonical("The identifier is not in its one spelling.")
    if rest in ("", INFO):
        return identifier, rest, None
    return identifier, *_image(door.serves, rest)


@lru_cache(maxsize=8192)  # viewers ask for the same tiles of every picture
def _image(serves: Serves, rest: str) -> tuple[str, ImageRequest]:
    if not _IMAGE_REST[serves].fullmatch(rest):
        raise NotCanonical("The image parameters are none of the Image API, or not in their one spelling.")
    # Chromium writes ^ in a path as %5E: the only character of the parameters that comes in two spellings.
    rest = rest.replace("%5E", "^").replace("%5e", "^")
    region, size, rotation, last = rest.split("/")
    quality, _, form = last.partition(".")
    try:
        return rest, imagepath.parse(IMAGE_VERSIONS[serves], region, size, rotation, quality, form)
    except BadImageRequest as error:
        raise NotCanonical(str(error)) from error


def _read_file(door: Door, path: str) -> tuple[str, str, ImageRequest | None]:
    if not _FILE_PATH.fullmatch(path) or _is_long(path):
        raise NotCanonical("The path is not in its one spelling, or too long.")
    return path, "", None


def _is_long(path: str) -> bool:
    segments = path.split("/")
    return len(segments) > MOST_SEGMENTS or max(map(len, segments)) > MOST_SEGMENT


def _read_folder(door: Door, path: str) -> tuple[str, str, ImageRequest | None]:
    segments = path.split("/", door.depth)
    folder, rest = segments[: door.depth], segments[door.depth] if len(segments) > door.depth else ""
    spelt = all(_FILE_SEGMENT.fullmatch(segment) for segment in folder) and _FOLDER_REST.fullmatch(rest)
    if not spelt or _is_long(path):
        raise NotCanonical("The path leads to no file in a folder, or is not in its one spelling.")
    return "/".join(folder), rest, None


_READERS = {
    Serves.IMAGE_2: _read_image,
    Serves.IMAGE_3: _read_image,
    Serves.FILES: _read_file,
    Serves.FOLDERS: _read_folder,
}


# -- Upstream -----------------------------------------------------------------------------------------------------


def source_of(request: Asked, rendition: Rendition) -> str:
    """The name of the bytes upstream, decoded: the rendition's own, else the one in the address.

    Raises:
        NotCanonical: it would lead out of its folder.
    """
    name = rendition.source or unquote(_name_at(request, rendition.cut_from or request.item), errors="strict")
    # A header loses blanks at its ends, and then another file is fetched than was decided about (security P4).
    if not name or name != name.strip() or not identity.is_source(name):
        raise NotCanonical("The name at the source is none that is asked for.")
    return name


def _name_at(request: Asked, address: str) -> str:
    """What follows the door's path in an address, which may have the host of another site before it."""
    found = address.partition(request.door.path)
    if not found[1]:
        raise NotCanonical("What this is cut from is published elsewhere.")
    return found[2]


def upstream_path(request: Asked, rendition: Rendition, rest: str | None = None) -> str:
    """The path below the door's upstream or root, percent-encoded, rebuilt from what was read and decided (security 1.2).

    ``rest`` replaces that of the request, for versions cut on the fly.

    Raises:
        NotCanonical: see :func:`source_of`.
    """
    encoded, rest = quoted(request.door, source_of(request, rendition)), request.rest if rest is None else rest
    return f"{encoded}/{quote(rest, safe='/,:!.')}" if rest else encoded


def quoted(door: Door, source: str) -> str:
    """A source as it stands in a path: one segment for an image, several for files and folders."""
    return quote(source, safe="" if door.serves.version else "/")


# -- Settings -----------------------------------------------------------------------------------------------------


def doors() -> tuple[Door, ...]:
    """The doors of the settings, those with the longest path first.

    Raises:
        ImproperlyConfigured: one of them makes no sense; the message says which and what to write.
    """
    given = conf.DOORS
    return _doors(tuple(tuple(sorted(one.items())) for one in given)) if given else ()


@lru_cache(maxsize=8)
def _doors(given: tuple[tuple[tuple[str, Any], ...], ...]) -> tuple[Door, ...]:
    found = [_door(dict(one)) for one in given]
    for key in ("name", "path"):
        values = [(getattr(door, key), door.base if key == "path" else "") for door in found]
        if len(set(values)) < len(values):
            raise ImproperlyConfigured(f"Two DOORS in IIIF_AUTH_FLOW have the same {key}; give each its own.")
    return tuple(sorted(found, key=lambda door: -len(door.path)))


def _door(given: dict[str, Any]) -> Door:
    known = {field.name for field in fields(Door)}
    if unknown := sorted(set(given) - known):
        raise ImproperlyConfigured(
            f"DOORS in IIIF_AUTH_FLOW: there is no “{unknown[0]}”; known are {', '.join(sorted(known))}."
        )
    try:
        door = Door(**{**given, "serves": Serves(given["serves"])})
    except (KeyError, TypeError, ValueError) as error:
        kinds = ", ".join(Serves)
        raise ImproperlyConfigured(
            f"DOORS in IIIF_AUTH_FLOW: each needs name, path and serves, one of {kinds}; {error} does not fit."
        ) from error
    for problem in _problems(door):
        raise ImproperlyConfigured(f"DOORS in IIIF_AUTH_FLOW, “{door.name}”: {problem}")
    return door


def _problems(door: Door) -> list[str]:
    """What is wrong with a door, as sentences."""
    rules = (
        (NAME.fullmatch(door.name), "a name is small letters, digits, - and _."),
        (PATH.fullmatch(door.path) and door.path != "/", "path begins and ends with a slash, such as /iiif/3/."),
        (bool(door.upstream) != bool(door.root), "give either upstream, an address, or root, a folder."),
        (not door.upstream or UPSTREAM.fullmatch(door.upstream), "upstream looks like http://127.0.0.1:8182/iiif/3/."),
        (
            not door.root or (door.root.startswith("/") and door.root.endswith("/")),
            "root begins and ends with a slash.",
        ),
        (not (door.root and door.serves.version), "images need an image server: give its address as upstream."),
        (not door.upstream.startswith("fastcgi:") or door.serves.version, "fastcgi is for image servers only."),
        (ENTRY.fullmatch(door.entry) and 1 <= door.depth <= 8, "entry is a plain file name, depth is 1 to 8."),
        (not door.base or BASE.fullmatch(door.base), "base looks like https://images.example.org."),
    )
    return [sentence for holds, sentence in rules if not holds]


def mount() -> str:
    """The path under which the app's own addresses are, with a slash at both ends; empty if they are not included anywhere."""
    return _mount(get_script_prefix(), get_urlconf() or settings.ROOT_URLCONF)


@lru_cache(maxsize=8)
def _mount(script: str, urlconf: str) -> str:
    try:
        return reverse("iiif_auth:check", urlconf).removesuffix("check")
    except NoReverseMatch:
        return ""


def is_ticket(text: str) -> bool:
    """Whether this is spelt like a signed ticket."""
    return _TICKET.fullmatch(text) is not None


def signed_prefix() -> str:
    """The beginning of signed paths; empty if there are none."""
    return f"{mount()}signed/" if mount() else ""

"""Networks as text: lists of prefixes, of ranges and of what a proxy's configuration holds, and one text for all networks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, collapse_addresses, ip_address, ip_network, summarize_address_range
from typing import Any

from django.utils.translation import gettext

from iiif_auth.policy.types import IPNetwork

MOST_LINES = 20_000
MOST_PREFIXES = 1_000
"""Prefixes that one range may come to."""
KEYWORD = re.compile(r"(?:IncludeIP|AutoLoginIP|I|A|ip|range|network)[\s:=]+", re.IGNORECASE)
EXCLUDES = re.compile(r"(?:ExcludeIP|RejectIP|E|R|deny)[\s:=]", re.IGNORECASE)
RANGE = re.compile(r"(?P<first>[0-9A-Fa-f.:]+)\s*(?:-|–|\.\.|\bto\b)\s*(?P<last>[0-9A-Fa-f.:]+)")
STARS = re.compile(r"(?P<kept>(?:[0-9]{1,3}\.){1,3})(?:\*\.?){1,3}")
MASK = re.compile(r"(?P<first>[0-9.]+)(?:/|\s+)(?P<mask>255\.[0-9.]+)")
SLUG = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
"""An identifier, as the model takes it."""
HEADING = re.compile(r"\[(?P<slug>[^\]]*)\]\s*(?P<name>.*)")


class NotUnderstood(ValueError):
    """A line that can not be read; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that was not understood."""

    number: int
    text: str
    why: str


@dataclass(slots=True)
class Read:
    """What a list came to: prefixes, each once and joined where they touch, and the lines that were not understood."""

    prefixes: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def read_list(text: str) -> Read:
    """A list of networks as campuses and proxies keep them: prefixes, ranges, stars, masks, ``IncludeIP`` and comments."""
    found: list[IPNetwork] = []
    answer = Read()
    for number, raw in enumerate(text.splitlines()[:MOST_LINES], 1):
        line = re.split(r"[#;]", raw, maxsplit=1)[0].strip().strip(",")
        for part in filter(None, (piece.strip() for piece in line.split(","))):
            try:
                found.extend(networks_in(part))
            except ValueError as problem:
                answer.unread.append(Unread(number, raw.strip()[:120], str(problem)))
    answer.prefixes = [shown(one) for one in joined(found)]
    return answer


def shown(network: IPNetwork) -> str:
    """A prefix as people write it; a single address without its length."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def joined(networks: Iterable[IPNetwork]) -> list[IPNetwork]:
    """Each address once, in as few prefixes as that takes."""
    held = list(networks)
    four = [one for one in held if one.version == 4]
    six = [one for one in held if one.version == 6]
    return [*collapse_addresses(four), *collapse_addresses(six)]


def networks_in(text: str) -> list[IPNetwork]:
    """The networks that one entry means.

    Raises:
        NotUnderstood: with a sentence that says why.
    """
    if EXCLUDES.match(text):
        raise NotUnderstood(
            gettext("Addresses that are left out can not be stored; please give the ranges without them.")
        )
    rest = KEYWORD.sub("", text, count=1).strip() if KEYWORD.match(text) else text
    if found := RANGE.fullmatch(rest):
        return between(found["first"], found["last"])
    if found := MASK.fullmatch(rest):
        return [plain(f"{found['first']}/{found['mask']}")]
    if found := STARS.fullmatch(rest):
        parts = found["kept"].rstrip(".").split(".")
        return [plain(".".join([*parts, *["0"] * (4 - len(parts))]) + f"/{8 * len(parts)}")]
    return [plain(rest)]


def plain(text: str) -> IPNetwork:
    if "%" in text:
        raise NotUnderstood(gettext("An address with a zone counts on one machine only."))
    try:
        return ip_network(text)
    except ValueError as error:
        raise NotUnderstood(_why(text, error)) from error


def _why(text: str, error: ValueError) -> str:
    if "host bits" in str(error):
        meant = ip_network(text, strict=False)
        return gettext("The prefix begins in the middle; do you mean %(prefix)s?") % {"prefix": meant}
    return gettext("This is no address, no prefix and no range of addresses.")


def between(first: str, last: str) -> list[IPNetwork]:
    """The prefixes from one address to another.

    Raises:
        NotUnderstood: with a sentence that says why.
    """
    try:
        low, high = ip_address(first), ip_address(full(last, first))
        if isinstance(low, IPv4Address) and isinstance(high, IPv4Address):
            found: list[IPNetwork] = list(summarize_address_range(low, high))
        elif isinstance(low, IPv6Address) and isinstance(high, IPv6Address):
            found = list(summarize_address_range(low, high))
        else:
            raise NotUnderstood(gettext("A range can not go from IPv4 to IPv6."))
    except NotUnderstood:
        raise
    except ValueError as error:
        raise NotUnderstood(gettext("The range ends before it begins, or one of its ends is no address.")) from error
    return found


def full(last: str, first: str) -> str:
    """The end of a range that is shortened to its last number, as in ``192.0.2.10-20``."""
    return f"{first.rpartition('.')[0]}.{last}" if last.isdigit() and "." in first else last


# -- One text for all networks ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Section:
    """A network as it stands in the text, with the number of its first line."""

    number: int
    slug: str
    name: str
    prefixes: tuple[str, ...]


def written(rows: Iterable[Any]) -> str:
    """All networks as one text: a heading for each, and a prefix to a line."""
    parts = ("\n".join([f"[{row.slug}] {row.name}", *map(str, row.prefixes)]) for row in rows)
    return "\n\n".join(parts) + "\n"


def sections(text: str) -> tuple[list[Section], list[Unread]]:
    """The networks in a text, and the lines that were not understood: then nothing of it should be stored."""
    held: dict[str, tuple[int, str, list[str]]] = {}
    unread: list[Unread] = []
    slug = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        try:
            if found := HEADING.fullmatch(line):
                slug = heading(number, found, held)
            elif line:
                held[known(slug)][2].append(entry(line))
        except NotUnderstood as problem:
            unread.append(Unread(number, line[:120], str(problem)))
    return [
        Section(number, slug, name, tuple(dict.fromkeys(lines))) for slug, (number, name, lines) in held.items()
    ], unread


def heading(number: int, found: re.Match[str], held: dict[str, tuple[int, str, list[str]]]) -> str:
    slug, name = found["slug"].strip(), found["name"].strip()
    if slug in held:
        raise NotUnderstood(gettext("This network is there twice; please put its lines together."))
    held[slug] = (number, name[:200] or slug, [])
    if not SLUG.fullmatch(slug) or len(slug) > 80:
        raise NotUnderstood(
            gettext("An identifier has small letters, digits and hyphens only, such as [reading-room].")
        )
    return slug


def known(slug: str) -> str:
    if not slug:
        raise NotUnderstood(gettext("This line stands above the first heading; write [identifier] Name above it."))
    return slug


def entry(line: str) -> str:
    """A prefix as it will be stored."""
    if "#" in line or ";" in line:
        raise NotUnderstood(
            gettext("Notes can not be stored here, and would be lost; please put them into the name, or elsewhere.")
        )
    found = networks_in(line)
    if len(found) > 1:
        raise NotUnderstood(
            gettext("This range takes several prefixes: %(prefixes)s") % {"prefixes": ", ".join(map(shown, found[:8]))}
        )
    return shown(found[0])


# -- Where an address is ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Held:
    """A network with its prefixes, to be compared."""

    key: int
    name: str
    prefixes: tuple[IPNetwork, ...]


def overlaps(networks: list[Held]) -> Iterator[tuple[Held, IPNetwork, Held, IPNetwork]]:
    """Pairs of prefixes that have addresses in common, each pair once. Sorted first, so that few pairs are looked at."""
    lines = [
        (one.version, int(one.network_address), -one.num_addresses, net, one)
        for net in networks
        for one in net.prefixes
    ]
    lines.sort(key=lambda line: line[:3])
    around: list[tuple[Held, IPNetwork]] = []
    for _version, _start, _size, held, prefix in lines:
        around = [
            (other, wider) for other, wider in around if wider.version == prefix.version and wider.overlaps(prefix)
        ]
        yield from ((other, wider, held, prefix) for other, wider in around)
        around.append((held, prefix))

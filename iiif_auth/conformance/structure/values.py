"""What a value in a document has to be, and how to say that it is something else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit

from iiif_auth.conformance.documents import escaped

Holds = Callable[[Any], bool]
LANGUAGE = re.compile(r"@?none|[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
SHOWN = 60
"""Letters of a wrong text that are shown in evidence."""
ADDRESS = 200
"""Letters of an address."""


class Thing(Protocol):
    """An object of a document, with the JSON pointer at which it stands."""

    @property
    def body(self) -> Mapping[str, Any]: ...

    @property
    def path(self) -> str: ...


# -- Claims about one value ---------------------------------------------------------------------------------------


def split(value: Any) -> SplitResult | None:
    """The parts of an absolute http or https URI; ``None`` if it is none."""
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        return parts if parts and parts.scheme in ("http", "https") and parts.hostname else None
    except ValueError:
        return None


def is_uri(value: Any) -> bool:
    return split(value) is not None


def is_on_loopback(value: Any) -> bool:
    """Whether a URI names this very machine, where a network can not listen and https is not to be had."""
    parts = split(value)
    name = (parts and parts.hostname) or ""
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def is_https(value: Any) -> bool:
    parts = split(value)
    return parts is not None and parts.scheme == "https"


def is_safe_uri(value: Any) -> bool:
    """An https URI, or any on loopback."""
    return is_https(value) or (is_uri(value) and is_on_loopback(value))


def is_string(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_any_string(value: Any) -> bool:
    return isinstance(value, str)


def is_language_map(value: Any) -> bool:
    """A language map of the Presentation API 3: languages, each with a list of strings, and at least one of them."""
    return (
        isinstance(value, Mapping)
        and bool(value)
        and all(map(_is_language, value))
        and all(map(_is_said, value.values()))
    )


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and LANGUAGE.fullmatch(value) is not None


def _is_said(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_string, value))


def is_text(value: Any) -> bool:
    """Words before 2.0: a string, or JSON-LD objects with a language (notes on 1.0)."""
    if isinstance(value, list):
        return bool(value) and all(map(_is_worded, value))
    return _is_worded(value)


def _is_worded(value: Any) -> bool:
    return is_string(value.get("@value") if isinstance(value, Mapping) else value)


def is_positive_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def is_http_status(value: Any) -> bool:
    return is_positive_integer(value) and 100 <= value <= 599


def is_exactly(wanted: str) -> Holds:
    return lambda value: isinstance(value, str) and value == wanted


def is_one_of(wanted: tuple[str, ...]) -> Holds:
    return lambda value: isinstance(value, str) and value in wanted


def is_or_holds(wanted: str) -> Holds:
    """For contexts, which are one string or a list."""
    return lambda value: wanted in (value if isinstance(value, list) else [value])


# -- Claims about a property of an object -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """A property, and what it must be. ``needed`` ones must be there; others are judged where they are."""

    name: str
    holds: Holds
    expected: str
    needed: bool = True

    def wrong(self, thing: Thing) -> Iterator[str]:
        good = self.holds(thing.body[self.name]) if self.name in thing.body else not self.needed
        if not good:
            yield amiss(thing, self.name, self.expected)


def fields(*wanted: Field) -> Callable[[Thing], Iterator[str]]:
    """All of these claims as one."""

    def wrong(thing: Thing) -> Iterator[str]:
        for one in wanted:
            yield from one.wrong(thing)

    return wrong


def absent(*names: str) -> Callable[[Thing], Iterator[str]]:
    """That an object has none of these properties."""

    def wrong(thing: Thing) -> Iterator[str]:
        yield from (amiss(thing, name, "nothing") for name in names if name in thing.body)

    return wrong


def amiss(thing: Thing, name: str, expected: str) -> str:
    """Where something stands, what was expected there, and what was found, in one sentence."""
    found = shown(thing.body[name]) if name in thing.body else "nothing is there"
    return f"At {thing.path}/{escaped(name)}, {expected} was expected, but {found}."


def shown(value: Any) -> str:
    """What was found, for a sentence; short, and without a letter that a terminal could take for a command."""
    if isinstance(value, Mapping):
        names = ", ".join(quoted(name) for name in list(value)[:5])
        return f"there is an object with {names}" if names else "there is an empty object"
    if isinstance(value, list):
        return f"there is a list of {len(value)}"
    return f"there is {quoted(value) if isinstance(value, str) else json.dumps(value)}"


def quoted(text: str, most: int = SHOWN) -> str:
    """A text of somebody else's in quotation marks, cut to ``most`` letters."""
    start = text[:most]
    return json.dumps(start, ensure_ascii=not start.isprintable()) + ("…" if len(text) > most else "")


def address(value: Any) -> str:
    """An address in quotation marks; whatever else stands in its place likewise."""
    return quoted(value if isinstance(value, str) else str(value), ADDRESS)

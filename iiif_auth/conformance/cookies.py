"""Cookies as browsers keep them (RFC 6265bis), with what each was set with, which is what has to be judged.

The standard library's jar forgets ``SameSite`` and keeps ``Secure`` cookies from a server on this very machine; browsers do not.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Cookie:
    """One cookie. ``attributes`` are those of the ``Set-Cookie`` line, their names in lower case; empty for one given by hand."""

    name: str
    value: str
    host: str
    path: str = "/"
    host_only: bool = True
    secure: bool = False
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def deletes(self) -> bool:
        """Whether this line takes a cookie away instead of giving one."""
        return self.life is not None and self.life <= 0

    @property
    def life(self) -> float | None:
        """Seconds from now that a browser keeps it; ``None`` if until it is closed."""
        age = self.attributes.get("max-age", "")
        if age.lstrip("-").isdigit():
            return float(age)
        until = _date(self.attributes.get("expires", ""))
        return None if until is None else (until - datetime.now(UTC)).total_seconds()

    def goes_to(self, url: str) -> bool:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host != self.host and (self.host_only or not host.endswith(f".{self.host}")):
            return False
        if self.secure and parts.scheme != "https" and not is_loopback(host):
            return False
        return _covers(self.path, parts.path or "/")


def is_loopback(host: str) -> bool:
    """Whether a host is this very machine, which browsers trust without TLS."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parsed(line: str, url: str) -> Cookie | None:
    """A ``Set-Cookie`` line as a browser reads it; ``None`` if a browser would not take it.

    Nor is one that is ``Partitioned``: it lives within one viewer's site, and not every browser has such a place for it. What is
    judged here must hold without it.
    """
    first, *rest = line.split(";")
    name, equals, value = first.partition("=")
    if not equals or not name.strip():
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    attributes = dict(_attribute(one) for one in rest)
    domain = attributes.get("domain", "").lstrip(".").lower()
    if domain and domain != host and not host.endswith(f".{domain}"):
        return None
    path = attributes.get("path", "")
    cookie = Cookie(
        name=name.strip(),
        value=value.strip(),
        host=domain or host,
        path=path if path.startswith("/") else _default_path(parts.path),
        host_only=not domain,
        secure="secure" in attributes,
        attributes=attributes,
    )
    return cookie if _keeps_its_prefix(cookie) and "partitioned" not in attributes else None


def _attribute(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip().lower(), value.strip()


def _default_path(path: str) -> str:
    return path.rpartition("/")[0] or "/"


def _keeps_its_prefix(cookie: Cookie) -> bool:
    """``__Host-`` and ``__Secure-`` are promises that browsers enforce."""
    if cookie.name.startswith("__Host-"):
        return cookie.secure and cookie.host_only and cookie.path == "/"
    return cookie.secure or not cookie.name.startswith("__Secure-")


def _covers(path: str, asked: str) -> bool:
    return asked == path or asked.startswith(path if path.endswith("/") else f"{path}/")


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Jar:
    """The cookies of one person's browser."""

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        self._cookies = {_key(cookie): cookie for cookie in cookies}

    def take(self, cookie: Cookie) -> None:
        if cookie.deletes:
            self._cookies.pop(_key(cookie), None)
        else:
            self._cookies[_key(cookie)] = cookie

    def take_all(self, cookies: Iterable[Cookie]) -> None:
        for cookie in cookies:
            self.take(cookie)

    def going_to(self, url: str) -> tuple[Cookie, ...]:
        return tuple(cookie for cookie in self._cookies.values() if cookie.goes_to(url))

    def header(self, url: str) -> str:
        """The ``Cookie`` header for a URL; empty if there is nothing to send."""
        going = sorted(self.going_to(url), key=lambda cookie: -len(cookie.path))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in going)

    def __iter__(self) -> Iterator[Cookie]:
        return iter(tuple(self._cookies.values()))

    def __len__(self) -> int:
        return len(self._cookies)

    def copy(self) -> Jar:
        return Jar(self._cookies.values())

    def only(self, names: Iterable[str]) -> Jar:
        """A browser with these cookies and no others."""
        kept = frozenset(names)
        return Jar(cookie for cookie in self._cookies.values() if cookie.name in kept)

    def without(self, names: Iterable[str]) -> Jar:
        dropped = frozenset(names)
        return Jar(cookie for cookie in self._cookies.values() if cookie.name not in dropped)

    def changed(self, names: Iterable[str], value: str) -> Jar:
        """A browser in which some cookies have another value."""
        wanted = frozenset(names)
        return Jar(replace(one, value=value) if one.name in wanted else one for one in self._cookies.values())


def _key(cookie: Cookie) -> tuple[str, str, str]:
    return cookie.name, cookie.host, cookie.path

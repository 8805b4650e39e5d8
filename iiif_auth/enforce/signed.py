"""Signed addresses: content without a cookie, for one item and one reader, for a while.

A *ticket* stands in the path before the public path, so that whatever an item's own documents name beside them (segments of a
film, tiles of an image) is asked under it too. It carries no decision: whose pass it was made for and the rules are judged anew
at every use, so it ends when the pass does (security K14). The code covers everything it says, and the URL decided about, which
names the tier as well; a ticket is good for looking (GET and HEAD), never for anything else.

An *edge ticket* is checked by the web server alone and can not be ended sooner than by its seconds; it is for whoever needs the
speed of a plain file.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import md5, sha256
from math import ceil

from django.conf import settings

from iiif_auth import store
from iiif_auth.conf import conf
from iiif_auth.enforce import doors

PURPOSE = b"iiif_auth.signed 1 GET HEAD"


class NotSigned(ValueError):
    """The ticket is not good for this, or not good any more."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket says: the key's name, when it ends (seconds since 1970), whose pass (its primary key), and the code."""

    key: str
    ends: int
    holder: int
    code: str

    @property
    def text(self) -> str:
        return f"{self.key}.{self.ends}.{self.holder}.{self.code}"


def issue(uri: str, holder: store.PassFacts, now: datetime) -> str:
    """A ticket for a normalised URL, good as long as the pass and at most ``SIGNED_MINUTES``.

    It ends at a whole second, the next one: whoever is let in the last second of a pass is not sent to an address that has ended
    (INV5). The pass is looked at as well, and ends on time.
    """
    ends = ceil(min(holder.ends, now + timedelta(minutes=conf.SIGNED_MINUTES)).timestamp())
    name, key = next(iter(_keys().items()))
    return Ticket(name, ends, holder.id, _code(key, name, ends, holder.id, uri)).text


def read(text: str) -> Ticket:
    """The parts of a ticket, none of which is believed yet.

    Raises:
        NotSigned: it is none.
    """
    if not doors.is_ticket(text):
        raise NotSigned("This is no ticket.")
    key, ends, holder, code = text.split(".")
    return Ticket(key, int(ends), int(holder), code)


def holds(ticket: Ticket, uri: str, now: datetime) -> bool:
    """Whether we wrote this ticket, for this URL, and it has not ended (security K13)."""
    key = _keys().get(ticket.key)
    if key is None or ticket.ends <= now.timestamp():
        return False
    expected = _code(key, ticket.key, ticket.ends, ticket.holder, uri)
    return hmac.compare_digest(expected.encode(), ticket.code.encode())


def _code(key: bytes, name: str, ends: int, holder: int, uri: str) -> str:
    """The code of a ticket. Each part has its length before it, so that no two tickets make one message (security D2)."""
    parts = (PURPOSE, name.encode(), b"%d" % ends, b"%d" % holder, uri.encode("ascii"))
    message = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    return _text(hmac.new(key, message, sha256).digest())


def _text(code: bytes) -> str:
    return base64.urlsafe_b64encode(code).decode("ascii").rstrip("=")


def _keys() -> Mapping[str, bytes]:
    return _keys_of(
        tuple(conf.SIGNING_KEYS.items()), (settings.SECRET_KEY, *getattr(settings, "SECRET_KEY_FALLBACKS", ()))
    )


@lru_cache(maxsize=8)
def _keys_of(given: tuple[tuple[str, str], ...], secrets: tuple[str | bytes, ...]) -> Mapping[str, bytes]:
    """Keys by name, the one that signs first. Those made from ``SECRET_KEY`` are of use for nothing else (security K11)."""
    if given:
        return {name: _derived(secret) for name, secret in given}
    return {sha256(b"name:" + key).hexdigest()[:8]: key for key in map(_derived, secrets)}


def _derived(secret: str | bytes) -> bytes:
    return hmac.new(secret if isinstance(secret, bytes) else secret.encode(), PURPOSE, sha256).digest()


# -- Addresses ----------------------------------------------------------------------------------------------------


def address(path: str, ticket: str) -> str:
    """The signed path for a public path on this site, or the address of another site's."""
    base, path = _split(path)
    return f"{base}{doors.signed_prefix()}{ticket}{path}"


def _split(address: str) -> tuple[str, str]:
    scheme, separator, rest = address.partition("://")
    if not separator:
        return "", address
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path


# -- Tickets that the web server checks alone ---------------------------------------------------------------------


def edge_address(item: str, now: datetime) -> str | None:
    """The path at which a web server alone lets somebody have an item for ``EDGE_SECONDS``; ``None`` without ``EDGE_KEYS``.

    nginx knows only MD5 here. The key stands on both sides of what is signed, and whoever asks chooses no part of that.
    """
    keys = conf.EDGE_KEYS
    if not keys:
        return None
    name, key = next(iter(keys.items()))
    ends = int(now.timestamp()) + conf.EDGE_SECONDS
    return f"{doors.mount()}edge/{name}.{ends}.{edge_code(key, ends, item)}{item}"


def edge_code(key: str, ends: int, item: str) -> str:
    """What nginx computes for ``secure_link_md5 "KEY ENDS ITEM KEY"``."""
    return _text(md5(f"{key} {ends} {item} {key}".encode(), usedforsecurity=False).digest())

"""Whose changes these are, and why: known for as long as a block of code runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from iiif_auth.models import Batch, Change

MOST_NAME = 254
KEPT_BITS = {4: 24, 6: 48}
"""How much of an address is kept, by version: enough to tell the office from home, too little to tell who it was."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes things, from where, why and together with what."""

    user: Any = None
    reason: str = ""
    batch: Batch | None = None
    network: str = ""

    def change(self, **facts: Any) -> Change:
        """A change by this author, not saved."""
        return Change(
            actor=self.user,
            actor_name=name_of(self.user),
            network=self.network,
            batch=self.batch,
            **{"reason": self.reason, **facts},
        )


NOBODY = Author()
_present: ContextVar[Author] = ContextVar("iiif_auth_author", default=NOBODY)


def current() -> Author:
    """Who changes things just now."""
    return _present.get()


@contextmanager
def by(user: Any, *, reason: str = "", batch: Batch | None = None, network: str = "") -> Iterator[Author]:
    """Within this block every change of a rule is this person's.

    What is left empty is as in the block around it.

    Args:
        user: a person, or ``None``; somebody who is not signed in counts as ``None``.
        network: an address or a network; only its first part is kept.
    """
    around = current()
    author = Author(
        user=person(user) or around.user,
        reason=reason or around.reason,
        batch=batch or around.batch,
        network=truncated(network) or around.network,
    )
    token = _present.set(author)
    try:
        yield author
    finally:
        _present.reset(token)


def person(user: Any) -> Any:
    """A person with an account, or ``None``."""
    return user if getattr(user, "is_authenticated", False) else None


def name_of(user: Any) -> str:
    """What somebody signs in as; empty for nobody."""
    return "" if user is None else str(user.get_username())[:MOST_NAME]


def truncated(address: str) -> str:
    """The network that an address or a network is in, as far as we keep it; empty for what is neither."""
    try:
        host = ip_address(str(address).partition("/")[0].partition("%")[0])
    except ValueError:
        return ""
    return str(ip_network(f"{host}/{KEPT_BITS[host.version]}", strict=False))

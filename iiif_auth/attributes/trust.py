"""What an identity provider may say: the attributes allowed it, for the scopes that are its own. No Django in here."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from iiif_auth.attributes.names import ORGANISATION
from iiif_auth.attributes.normal import Said


@dataclass(frozen=True, slots=True)
class Trust:
    """How far a provider is believed: the names of attributes, and the scopes, which are domains in small letters."""

    attributes: frozenset[str]
    scopes: frozenset[str]

    def believes(self, pair: Said) -> bool:
        """Whether it may say this.

        Whatever has an ``@`` in it speaks for what stands after the first one, whichever attribute it is of, since rules may ask
        for that of any. A home organisation speaks for itself.
        """
        name, value = pair
        if name not in self.attributes:
            return False
        _head, at, scope = value.partition("@")
        if at:
            return scope.lower() in self.scopes
        return name != ORGANISATION or value in self.scopes


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said, as far as it is believed, and the rest."""

    kept: tuple[Said, ...]
    dropped: tuple[Said, ...]


def heard(pairs: Iterable[Said], trust: Trust) -> Heard:
    every = tuple(dict.fromkeys(pairs))
    kept = tuple(pair for pair in every if trust.believes(pair))
    return Heard(kept, tuple(pair for pair in every if pair not in kept))


def trusting(attributes: Collection[str], scopes: Collection[str]) -> Trust:
    return Trust(frozenset(attributes), frozenset(scopes))

"""Attributes as people type them on one line: ``affiliation=staff@a.example | student@a.example``, ``affiliation=@a.example``."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from iiif_auth.attributes.names import FOLDED
from iiif_auth.attributes.normal import CONTROL, MOST_LENGTH

OURS = "iiif-auth:"
"""The beginning of names that nobody but the app gives to anybody."""
EXACT, SCOPE = "exact", "scope"


@dataclass(frozen=True, slots=True)
class Typed:
    """A name, its values, and whether they are whole values or scopes."""

    name: str
    values: tuple[str, ...]
    matching: str = EXACT

    def columns(self) -> dict[str, str]:
        return {
            "attribute_name": self.name,
            "attribute_value": "\n".join(self.values),
            "attribute_matching": self.matching,
        }


HOW = _(
    "Please write the attribute beside it as name=value, such as affiliation=staff@example.org. Several values: with | between "
    "them. Everybody of an organisation: affiliation=@example.org."
)


def typed(text: str) -> Typed:
    """What a line says.

    Raises:
        ValidationError: with a sentence, if it says nothing that a rule could ask for.
    """
    name, equals, rest = (part.strip() for part in text.partition("="))
    values = tuple(dict.fromkeys(part.strip() for part in rest.split("|") if part.strip()))
    if not (name and equals) or name.startswith(OURS) or len(name) > 200:
        raise ValidationError(HOW)
    _check(values)
    if not values:
        return Typed(name, ("",))
    scopes = [value for value in values if value.startswith("@")]
    if scopes and len(scopes) < len(values):
        raise ValidationError(_("Please give either whole values, or scopes with @ before each; not both in one line."))
    folded = tuple(value.lower() if scopes or name in FOLDED else value for value in values)
    return Typed(name, tuple(value[1:] for value in folded), SCOPE) if scopes else Typed(name, folded)


def _check(values: tuple[str, ...]) -> None:
    if any(len(value) > MOST_LENGTH or CONTROL.search(value) for value in values) or sum(map(len, values)) > 3900:
        raise ValidationError(_("These values are too long, or have signs in them that can not be seen."))
    if any("@" in value[1:] for value in values if value.startswith("@")) or "@" in values:
        raise ValidationError(_("A scope is a domain with one @ before it, such as @example.org."))

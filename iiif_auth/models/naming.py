"""Natural keys: what fixtures call a row by."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from iiif_auth.policy.types import zone
from iiif_auth.protocol import languages

Row = TypeVar("Row", bound=models.Model)

slug_validator = RegexValidator(
    r"\A[a-z0-9]+(?:[-_][a-z0-9]+)*\Z",
    _("Use small letters, digits and hyphens, such as “reading-room”."),
)


class NaturalManager(models.Manager[Row], Generic[Row]):
    """Finds a row by the fields in ``natural_fields`` of its model."""

    def get_by_natural_key(self, *values: Any) -> Row:
        fields: tuple[str, ...] = self.model.natural_fields  # type: ignore[attr-defined]
        if len(values) != len(fields):
            raise ValidationError(
                _("%(model)s is named by %(count)d values in a fixture, not %(given)d.")
                % {"model": self.model._meta.label, "count": len(fields), "given": len(values)}
            )
        return self.get(**dict(zip(fields, values, strict=True)))


def shown(language_map: Any, fallback: str) -> str:
    """A language map in the language of whoever is looking."""
    frozen = languages.frozen(language_map if isinstance(language_map, dict) else {})
    return languages.chosen(frozen, (get_language() or "en",)) or fallback


def check_zone(name: str) -> None:
    """Raise ``ValidationError`` unless this is the name of a time zone."""
    try:
        zone(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValidationError(
            _("“%(zone)s” is not a time zone; use one such as Europe/London.") % {"zone": name}
        ) from error

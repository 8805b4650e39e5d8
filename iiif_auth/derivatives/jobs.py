"""One file that is to be made, whoever asked for it: nothing here or in what it imports knows of Django."""

from __future__ import annotations

from dataclasses import dataclass

from iiif_auth.derivatives.folders import FORMS, Original
from iiif_auth.derivatives.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Job:
    """One file to be made: ``name`` below the one folder, of an original below the other.

    ``form`` is a format of :data:`FORMS`, or the extension of a recording; ``addressed`` says that people are offered it.
    """

    name: str
    original: Original
    edge: int
    recipe: Recipe
    form: str
    addressed: bool = True

    @property
    def is_picture(self) -> bool:
        return self.form in FORMS.values()

    def digest(self) -> str:
        """See :meth:`Recipe.digest`."""
        return self.recipe.digest(self.edge, self.form)

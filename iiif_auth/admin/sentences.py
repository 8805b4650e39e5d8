"""What constraints of the database mean to somebody who fills in a form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin.bases import ModelForm

END_BEFORE_START = _("The end must come after the beginning.")
ONE_TARGET = _("Please choose either a resource or a collection.")

SENTENCES: Mapping[str, tuple[str | None, Any]] = {
    "iiif_auth_resource_image_api": ("image_api", _("Only images have an image service; choose “No: a file”.")),
    "iiif_auth_resource_overrides": ("policy", _("Choose the policy that replaces those above.")),
    "iiif_auth_collection_overrides": ("policy", _("Choose the policy that replaces those above.")),
    "iiif_auth_collection_not_in_itself": ("parent", _("A collection can not be part of itself.")),
    "iiif_auth_rendition_one_location": ("is_location", _("There is already a place of delivery for this tier.")),
    "iiif_auth_service_token_seconds": ("token_seconds", _("Please give 10 to 3600 seconds.")),
    "iiif_auth_service_lives": (None, _("Idle life is 1 to 1440 minutes, and the longest life 1 to 720 hours.")),
    "iiif_auth_tier_max_edge": (
        "max_edge",
        _("A smaller version needs its longest edge in pixels, such as 400; everything else has none."),
    ),
    "iiif_auth_tier_substitute": (
        "substitute",
        _("“Something else instead” needs to be told what: choose it, or give what is added to the address."),
    ),
    "iiif_auth_tier_slug": ("slug", _("Another tier of this policy has this identifier; please choose another.")),
    "iiif_auth_tier_virtual": ("virtual", _("Only a smaller version can be made on the fly.")),
    "iiif_auth_tier_window": ("ends", END_BEFORE_START),
    "iiif_auth_tier_season": ("season_ends", _("A season needs two different days, a first and an end.")),
    "iiif_auth_embargo_target": (None, ONE_TARGET),
    "iiif_auth_embargo_window": ("ends", END_BEFORE_START),
    "iiif_auth_withdrawal_target": (None, ONE_TARGET),
    "iiif_auth_withdrawal_window": ("ends", END_BEFORE_START),
    "iiif_auth_grant_principal": (
        None,
        _(
            "Please say for whom: one person, one group, one network, one attribute, or whoever went through one service."
        ),
    ),
    "iiif_auth_grant_scope": (None, _("Please say what for: one resource, one collection, or one policy.")),
    "iiif_auth_grant_window": ("ends", END_BEFORE_START),
}
"""By name of the constraint: the field to change, and what to do."""


class PlainForm(ModelForm):
    """A form that words broken constraints as sentences beside the field that mends them."""

    def _update_errors(self, errors: ValidationError) -> None:
        if hasattr(errors, "error_dict"):
            errors = ValidationError(self._worded(errors.error_dict))
        super()._update_errors(errors)  # type: ignore[misc]

    def _worded(self, found: Mapping[str, list[ValidationError]]) -> dict[str, list[ValidationError]]:
        worded: dict[str, list[ValidationError]] = {}
        for name, errors in found.items():
            for error in errors:
                field, said = self._said(name, error)
                worded.setdefault(field, []).append(said)
        return worded

    def _said(self, name: str, error: ValidationError) -> tuple[str, ValidationError]:
        for constraint, (field, sentence) in SENTENCES.items():
            if name == NON_FIELD_ERRORS and constraint in str(error.message):
                return field if field in self.fields else NON_FIELD_ERRORS, ValidationError(sentence)
        return name, error

"""Replacing the policies above can open what somebody else closed, so it needs a permission of its own."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin.bases import Admin
from iiif_auth.admin.sentences import PlainForm

PERMISSION = "iiif_auth.loosen_policy"


def may_loosen(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(PERMISSION))


class PlacedForm(PlainForm):
    """A resource or a collection, whose policy may replace those above."""

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        if "policy" in self.fields and not found.get("policy") and found.get("overrides"):
            self.add_error("policy", _("Choose the policy that replaces those above, or untick “replaces”."))
        return found


class Loosening(Admin):
    """Shows ``overrides``, and a policy that does override, read-only to people without the permission."""

    form = PlacedForm

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = tuple(super().get_readonly_fields(request, obj))
        if may_loosen(request):
            return fields
        return (*fields, "overrides", "policy") if obj is not None and obj.overrides else (*fields, "overrides")

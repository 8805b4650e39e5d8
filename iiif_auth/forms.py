"""Form fields for language maps and for lists that people write one to a line."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _


class LinesFormField(forms.CharField):
    """A list of texts, one to a line."""

    widget = forms.Textarea

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for unknown in ("encoder", "decoder"):
            kwargs.pop(unknown, None)
        super().__init__(*args, **{"help_text": _("One to a line."), **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class LanguageMapFormField(forms.CharField):
    """A language map; the widget shows one field for each language."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, dict):
            return value
        try:
            return json.loads(value or "{}")
        except ValueError as error:
            raise ValidationError(_("This is not a language map; please enter one text for each language.")) from error

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial or {}) != self.to_python(data))

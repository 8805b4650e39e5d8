"""What readers fill in."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

TRAP = "website"
"""A field that people do not see and programs fill in."""
LATEST_YEARS = 5


class AskForm(forms.Form):
    """A request for access."""

    error_css_class = "wrong"

    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    email = forms.EmailField(
        label=_("Your e-mail address"),
        max_length=254,
        help_text=_("We send a link there. Nobody sees your request before you have opened it."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    purpose = forms.CharField(
        label=_("What you need it for"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        help_text=_("A few sentences. They help the people who decide."),
    )
    wished_until = forms.DateField(
        label=_("Until when you need it"),
        required=False,
        help_text=_("May be left empty. Write the day as 2027-03-31."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": _("Please write the day as 2027-03-31.")},
    )
    agreed = forms.BooleanField(
        label=_("I have read the terms and agree to them"),
        error_messages={"required": _("Please read the terms above, and tick this box if you agree.")},
    )
    website = forms.CharField(required=False, max_length=200, label=_("Leave this empty"))

    def __init__(self, *args: Any, has_terms: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_terms:
            del self.fields["agreed"]
        self.fields[TRAP].widget.attrs.update(autocomplete="off", tabindex="-1")
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_help"

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())

    def clean_wished_until(self) -> date | None:
        day: date | None = self.cleaned_data["wished_until"]
        today = timezone.localdate()
        if day is not None and day < today:
            raise ValidationError(_("This day is over; please give a later one, or none."))
        if day is not None and day.year > today.year + LATEST_YEARS:
            raise ValidationError(_("Please give a day within the next %(n)d years.") % {"n": LATEST_YEARS})
        return day

    @property
    def is_trapped(self) -> bool:
        """Whether a program filled in what people do not see."""
        return bool(self.data.get(TRAP))


class ReplyForm(forms.Form):
    """What a reader answers when the staff asks back."""

    text = forms.CharField(
        label=_("Your answer"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 5}),
        error_messages={"required": _("Please write an answer first.")},
    )

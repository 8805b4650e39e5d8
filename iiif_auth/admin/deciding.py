"""What the staff fills in to decide about a request: for how long, or why not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext, override
from django.utils.translation import gettext_lazy as _

from iiif_auth.admin import spoken
from iiif_auth.asking.deciding import Approval
from iiif_auth.asking.items import Item
from iiif_auth.conf import conf
from iiif_auth.dates import days
from iiif_auth.dates.days import Until
from iiif_auth.models import AccessRequest
from iiif_auth.protocol.languages import chosen, frozen

LONGEST = {"rows": 4, "class": "vLargeTextField"}
REFUSALS = (
    ("agreement", _("The agreement under which we keep this item does not allow it.")),
    ("place", _("This item can be seen in our reading room only. Please make an appointment.")),
    ("purpose", _("From what you wrote we could not tell why you need it. You are welcome to ask again and say more.")),
    ("privacy", _("The item contains personal data of people who may still be living.")),
)
"""Texts to refuse with, by name; readers get them in the language in which they asked."""


def with_ids(form: forms.Form) -> None:
    """Tie help texts to their fields, for whoever does not see them side by side."""
    for name, field in form.fields.items():
        if field.help_text:
            field.widget.attrs["aria-describedby"] = f"{form.auto_id % form.add_prefix(name)}_helptext"  # type: ignore[operator]


class ApproveForm(forms.Form):
    """For how long, and how much."""

    prefix = "approve"

    until = forms.ChoiceField(label=_("Until"), widget=forms.RadioSelect, initial=Until.WEEK)
    day = forms.DateField(
        label=_("Day"),
        required=False,
        help_text=_("For a day of your choice, which is still in. Write it as 2027-03-31."),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    tier = forms.ChoiceField(label=_("They get"), required=False)
    take = forms.BooleanField(label=_("may keep a copy"), required=False, initial=True)
    text = forms.CharField(
        label=_("A few words to the reader"), required=False, max_length=4000, widget=forms.Textarea(attrs=LONGEST)
    )

    def __init__(self, *args: Any, item: Item, most_days: int | None, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most_days, self.now = most_days, now
        until: Any = self.fields["until"]
        until.choices = list(self._presets())
        tier: Any = self.fields["tier"]
        names = [(one.slug, spoken.picked(one.label) or one.slug) for one in item.tiers]
        tier.choices = [("", gettext("The full version")), *names]
        with_ids(self)

    def _presets(self) -> Iterator[tuple[str, str]]:
        """Each end by name with its day, as far as this person may give access."""
        for one in Until:
            last = self._last_day(one)
            if last is None and one == Until.DAY:
                yield one.value, str(one.label)
            elif last is not None and not self._is_too_late(last):
                yield one.value, f"{one.label} ({last:%Y-%m-%d})"

    def _last_day(self, until: str) -> date | None:
        return days.last_day(until, self.now, conf.TERM_ENDS)

    def _is_too_late(self, last: date) -> bool:
        limit = self.most_days
        return limit is not None and last > days.today(self.now) + timedelta(days=limit)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if "until" not in given or "day" in self.errors:
            return given
        last = given.get("day") if given["until"] == Until.DAY else self._last_day(given["until"])
        if last is None:
            self.add_error("day", _("Please give the last day."))
        elif last < days.today(self.now):
            self.add_error("day", _("This day is over; please choose a later one."))
        elif self._is_too_late(last):
            self.add_error("day", self._too_long())
        else:
            given["ends"] = days.ends(last)
        return given

    def _too_long(self) -> ValidationError:
        count = self.most_days or 0
        sentence = ngettext(
            "Here you may give access for %(n)d day at most; please choose an earlier one.",
            "Here you may give access for %(n)d days at most; please choose an earlier one.",
            count,
        )
        return ValidationError(sentence % {"n": count})

    def approval(self) -> Approval:
        """What was filled in, once it is valid."""
        given = self.cleaned_data
        return Approval(given["ends"], given["tier"], given["take"], given["text"].strip())


class RefuseForm(forms.Form):
    """Why not: a text that is there already, one's own, or both."""

    prefix = "refuse"

    template = forms.ChoiceField(label=_("Text"), required=False)
    text = forms.CharField(
        label=_("In your own words"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs=LONGEST),
        help_text=_("It comes after the text above. The reader gets both by e-mail."),
    )

    def __init__(self, *args: Any, row: AccessRequest, item: Item | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts = dict(_refusals(row, item))
        template: Any = self.fields["template"]
        template.choices = [("", gettext("None: only my own words")), *self.texts.items()]
        with_ids(self)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if not self.errors and not given["template"] and not given["text"].strip():
            self.add_error("text", _("Please choose a text or write one: readers want to know why."))
        return given

    def words(self) -> str:
        """What the reader is told."""
        parts = (self.texts.get(self.cleaned_data["template"], ""), self.cleaned_data["text"].strip())
        return "\n\n".join(part for part in parts if part)


def _refusals(row: AccessRequest, item: Item | None) -> Iterator[tuple[str, str]]:
    """The texts to refuse with, as this reader will read them: those of the item's policies first."""
    for policy in item.policies if item else ():
        for text in policy.texts.all():
            note = chosen(frozen(text.note or text.heading), (row.language,))
            yield f"own-{text.pk}", note
    with override(row.language or None):
        for name, sentence in REFUSALS:
            yield name, str(sentence)


class TextForm(forms.Form):
    """A few words: a question to the reader, or a note among the staff."""

    text = forms.CharField(label=_("Text"), max_length=4000, widget=forms.Textarea(attrs=LONGEST))

    def __init__(self, *args: Any, label: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = label

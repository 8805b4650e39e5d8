"""The forms of the pages for spreadsheets."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from iiif_auth.exchange import columns, reading, uploads
from iiif_auth.exchange.dates import Style
from iiif_auth.exchange.sheets import ENCODINGS, MOST_BYTES, MOST_ROWS, NotASheet, too_large


class UploadForm(forms.Form):
    file = forms.FileField(
        label=_("Spreadsheet"),
        help_text=_("CSV or .xlsx, with a line of headings, at most %(rows)s rows.") % {"rows": f"{MOST_ROWS:,}"},
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    encoding = forms.ChoiceField(
        label=_("Letters"),
        required=False,
        choices=[("", _("Find out")), *((name, name) for name in ENCODINGS)],
        help_text=_("Only if accented letters come out wrong."),
    )

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        file = found.get("file")
        if file is not None:
            try:
                found["sheet"] = self._read(file, found.get("encoding", ""))
            except NotASheet as problem:
                self.add_error("file", str(problem))
        return found

    def _read(self, file: Any, encoding: str) -> Any:
        if file.size > MOST_BYTES:
            raise NotASheet(too_large())
        return reading.sheet(file.read(), encoding)


class ColumnsForm(forms.Form):
    """What each heading stands for, and how dates are written where that can not be seen."""

    def __init__(self, *args: Any, plan: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plan = plan
        choices = [("", gettext("Leave out")), *((one.key, f"{one.title} ({one.key})") for one in columns.COLUMNS)]
        for number, key in enumerate(plan["mapping"]):
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=heading(plan, number), choices=choices, required=False, initial=key
            )
        self.fields["order"] = forms.ChoiceField(
            label=gettext("Dates such as 01/05/2031"),
            required=False,
            initial=plan.get("order", ""),
            choices=[
                ("", gettext("Not said")),
                ("dmy", gettext("Day first: 1 May")),
                ("mdy", gettext("Month first: 5 January")),
            ],
        )
        self.fields["serials"] = forms.BooleanField(
            label=gettext("Numbers are days as Excel counts them"), required=False, initial=plan.get("serials", False)
        )

    @property
    def mapping(self) -> list[str]:
        given = self.cleaned_data if hasattr(self, "cleaned_data") else {}
        return [given.get(f"column_{number}", "") for number in range(len(self.plan["mapping"]))]

    @property
    def style(self) -> Style:
        return Style(self.cleaned_data["order"], self.cleaned_data["serials"])

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or self.cleaned_data
        chosen = [key for key in self.mapping if key]
        if "identifier" not in chosen:
            self.add_error(
                "column_0", gettext("Please say which column holds the addresses; every row is found by one.")
            )
        for key in {key for key in chosen if chosen.count(key) > 1}:
            number = len(self.mapping) - 1 - self.mapping[::-1].index(key)
            title = {"column": columns.title(key)}
            self.add_error(f"column_{number}", gettext("Another column is “%(column)s” already.") % title)
        if not self.errors:
            self._check_dates(found)
        return found

    def _check_dates(self, found: dict[str, Any]) -> None:
        style, asked = uploads.question({**self.plan, "mapping": self.mapping})
        found["order"] = found.get("order") or style.order
        if asked.ambiguous and not found["order"]:
            text = gettext("“%(date)s” can be read in two ways; please say which comes first.")
            self.add_error("order", text % {"date": asked.ambiguous})


def heading(plan: dict[str, Any], number: int) -> str:
    return plan["headings"][number] or gettext("Column %(number)d, without a heading") % {"number": number + 1}


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text=_("For your colleagues; it stands in the history of every row."),
    )

"""Form fields for language maps and for lists that people write one to a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from iiif_auth.attributes import names
from iiif_auth.protocol import dialects, languages

MOST_SUGGESTIONS = 40
"""A site that did not choose its languages has a hundred of them, and those are no suggestion."""
MOST_ROWS = 4 * languages.MAX_LANGUAGES


class LinesFormField(forms.CharField):
    """A list of texts, one to a line."""

    widget = forms.Textarea

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for unknown in ("encoder", "decoder"):
            kwargs.pop(unknown, None)
        # Model fields whose default is a function ask for a hidden copy, which would be compared as text.
        super().__init__(*args, **{"help_text": _("One to a line."), **kwargs, "show_hidden_initial": False})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(line) for line in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [line.strip() for line in (value or "").splitlines() if line.strip()]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


@dataclass(frozen=True, slots=True)
class Row:
    """One language as the form shows it.

    ``kept`` is the JSON of texts that lines can not show, such as one with a line break inside; it counts as long as
    nobody edits the lines.
    """

    language: str = ""
    text: str = ""
    kept: str = ""

    @property
    def texts(self) -> list[str]:
        kept = kept_texts(self.kept)
        if kept and shown_text(kept) == self.text:
            return kept
        return [line.strip() for line in self.text.split("\n") if line.strip()]

    @property
    def is_empty(self) -> bool:
        return not self.text.strip()

    @property
    def tag(self) -> str:
        """The language for ``lang=""``, if it may stand there."""
        return self.language if languages.LANGUAGE_TAG.fullmatch(self.language) else ""


def kept_texts(kept: str) -> list[str]:
    try:
        texts = json.loads(kept) if kept else []
    except (RecursionError, ValueError):
        return []
    return texts if isinstance(texts, list) and all(isinstance(text, str) for text in texts) else []


def shown_text(texts: list[str]) -> str:
    return "\n".join(texts).replace("\r\n", "\n").replace("\r", "\n")


def row_of(language: object, texts: object) -> Row:
    """What the form shows for one language, however odd the stored value is."""
    strings = [str(text) for text in texts] if isinstance(texts, list) else [str(texts)]
    row = Row(str(language), shown_text(strings))
    return row if row.texts == strings else Row(row.language, row.text, json.dumps(strings, ensure_ascii=False))


def suggested() -> list[tuple[str, Any]]:
    """The languages of the site, if somebody chose them."""
    found = [(str(code), name) for code, name in settings.LANGUAGES]
    return found if len(found) <= MOST_SUGGESTIONS else []


class LanguageMapWidget(forms.Widget):
    """One text for each language, and an empty row for one more. Needs no script; with one, rows come and go.

    Args:
        lines: the height of each text; with 1 it is a single line unless a language has several texts.
    """

    template_name = "iiif_auth/widgets/languages.html"

    def __init__(self, attrs: dict[str, Any] | None = None, *, lines: int = 1) -> None:
        super().__init__(attrs)
        self.lines = lines
        self.title: Any = ""

    @property
    def media(self) -> forms.Media:
        return forms.Media(
            css={"all": ["iiif_auth/admin/admin.css"]},
            js=[forms.Script("iiif_auth/admin/languages.js", type="module")],  # type: ignore[list-item]
        )

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rows = self._rows(value)
        given = context["widget"]["attrs"]
        context["widget"].update(
            id=given.get("id") or f"id_{name}",
            described_by=given.get("aria-describedby", ""),
            invalid=given.get("aria-invalid", ""),
            title=self.title,
            rows=[*rows, self._next_row(rows)],
            lines=self.lines,
            suggested=suggested(),
        )
        return context

    def format_value(self, value: Any) -> None:
        """Nothing: the rows are the value."""

    def _rows(self, value: Any) -> list[Row]:
        if isinstance(value, dict):
            return [row_of(language, texts) for language, texts in value.items()]
        rows = value if isinstance(value, list) else []
        return [row for row in rows if isinstance(row, Row) and (row.language or row.text)]

    def _next_row(self, rows: list[Row]) -> Row:
        """An empty row, for the first language of the site that is not there yet."""
        own = settings.LANGUAGE_CODE.split("-")[0]
        there = {row.language.lower() for row in rows}
        codes = [own, *(code for code, _name in suggested())] if suggested() or not rows else []
        return Row(next((code for code in codes if code not in there), ""))

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        if isinstance(data.get(name), dict):
            return data[name]
        numbers = sorted(self._numbers(data, name))
        return [self._row(data, f"{name}-{number}") for number in numbers[:MOST_ROWS]]

    def _numbers(self, data: Mapping[str, Any], name: str) -> set[int]:
        pattern = re.compile(re.escape(name) + r"-([0-9]{1,4})-(?:language|text)")
        return {int(found[1]) for key in data if (found := pattern.fullmatch(key))}

    def _row(self, data: Mapping[str, Any], name: str) -> Row:
        language, text, kept = (str(data.get(f"{name}-{part}") or "") for part in ("language", "text", "kept"))
        return Row(language.strip(), text.replace("\r\n", "\n"), kept)

    def value_omitted_from_data(self, data: Mapping[str, Any], files: Any, name: str) -> bool:
        return name not in data and not self._numbers(data, name)


class LanguageMapFormField(forms.Field):
    """A language map, ``{"en": ["Chart"]}``, edited with one text for each language.

    Args:
        lines: the height of each text.
    """

    widget = LanguageMapWidget

    def __init__(self, *args: Any, lines: int = 1, **kwargs: Any) -> None:
        kwargs = {"widget": LanguageMapWidget(lines=lines), **kwargs, "show_hidden_initial": False}
        super().__init__(*args, **kwargs)
        if isinstance(self.widget, LanguageMapWidget):
            self.widget.title = self.label or ""

    def to_python(self, value: Any) -> dict[str, list[str]]:
        """The map.

        Raises:
            ValidationError: with a sentence for everything that is wrong with it.
        """
        if isinstance(value, dict):
            found: dict[str, list[str]] = value
        else:
            rows = [row for row in value or [] if not row.is_empty]
            found = {row.language: row.texts for row in rows}
            self._check_rows(rows)
        if wrong := list(languages.problems(found)):
            raise ValidationError(wrong)
        return found

    def _check_rows(self, rows: list[Row]) -> None:
        named = [row.language for row in rows]
        if nameless := next((row for row in rows if not row.language), None):
            raise ValidationError(
                _("Please say which language “%(text)s” is in, such as en, cy or pt-BR.") % {"text": nameless.text[:40]}
            )
        if twice := next((language for language in named if named.count(language) > 1), None):
            raise ValidationError(
                _("The language “%(language)s” is there twice; please put its texts into one field, one to a line.")
                % {"language": twice[:40]}
            )

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return list((initial or {}).items()) != list(self.to_python(data).items())
        except (AttributeError, ValidationError):
            return True


class AttributesFormField(forms.MultipleChoiceField):
    """What an identity provider may say, to tick."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for unknown in ("encoder", "decoder"):
            kwargs.pop(unknown, None)
        super().__init__(*args, **{**kwargs, "choices": list(ATTRIBUTES.items()), "show_hidden_initial": False})

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(initial or ()) != set(data or ())


ATTRIBUTES = {
    names.AFFILIATION: _("affiliation: staff, student, member … of an organisation"),
    names.ENTITLEMENT: _("entitlement: what they are entitled to, such as a licence"),
    names.GROUP: _("group: the groups they are in there"),
    names.ORGANISATION: _("organisation: their home organisation, by its domain"),
    names.ASSURANCE: _("assurance: how well their identity was checked"),
    names.SUBJECT: _("subject: their identifier there"),
}


class DialectsFormField(forms.MultipleChoiceField):
    """The versions of the protocol in which something is offered, to tick."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        for unknown in ("encoder", "decoder"):
            kwargs.pop(unknown, None)
        # Versions go by the names of their specifications; a practice has none, so it is called what it is.
        titles = {**dialects.TITLES, dialects.MEDIA: _("Auth 1.0 for film, sound and documents")}
        super().__init__(*args, **{**kwargs, "choices": list(titles.items()), "show_hidden_initial": False})

    def to_python(self, value: Any) -> list[str]:
        """In the order of our list, whatever the order of the ticks."""
        ticked = set(super().to_python(value))
        return [name for name in dialects.TITLES if name in ticked] + sorted(ticked - set(dialects.TITLES))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set(initial or ()) != set(data or ())

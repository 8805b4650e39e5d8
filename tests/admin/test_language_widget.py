"""Language maps in forms: what is stored is shown, what is sent is kept, and everything odd is answered with a sentence."""

from __future__ import annotations

import pytest
from django import forms
from django.conf import global_settings
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from iiif_auth.forms import LanguageMapFormField, LinesFormField
from iiif_auth.protocol import languages
from tests.admin.pages import Form


class One(forms.Form):
    label = LanguageMapFormField(label="Label", required=False)


class Several(forms.Form):
    note = LanguageMapFormField(label="Note", required=False, lines=4)


def sent(form: forms.Form) -> QueryDict:
    """What a browser sends if nobody touches the form."""
    data = QueryDict(mutable=True)
    for name, values in Form(f"<form>{form.as_p()}</form>").fields.items():
        data.setlist(name, values)
    return data


def typed(*rows: tuple[str, str]) -> dict[str, str]:
    return {
        f"label-{number}-{part}": text
        for number, row in enumerate(rows)
        for part, text in zip(("language", "text"), row, strict=True)
    }


MAPS = [
    {},
    {"en": ["Chart"]},
    {"cy": ["Siart"], "en": ["Chart"], "ar": ["خريطة"]},
    {"none": ["MS 12"], "zh-Hant": ["海圖"]},
    {"en": ["One", "Two"]},
    {"en": ["A text\nof two lines"]},
    {"en": ["A text\nof two lines", "and another", ""[:0] or "x"]},
    {"en": [" spaces around "]},
    {"en": ["\nbegins with a line break"]},
    {"en": ['<script>alert("1")</script> & "quotes"']},
    {"en": ["</textarea>\nnothing"]},
]


@pytest.mark.parametrize("form_class", [One, Several])
@pytest.mark.parametrize("value", MAPS)
def test_an_untouched_form_gives_back_exactly_what_was_stored(form_class, value):
    (name,) = form_class.base_fields
    form = form_class(sent(form_class(initial={name: value})), initial={name: value})
    assert form.is_valid(), form.errors
    assert list(form.cleaned_data[name].items()) == list(value.items())
    assert not form.has_changed()


TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), min_size=1, max_size=20)
STRINGS = TEXTS.filter(lambda text: text.strip() and not languages.FORBIDDEN.search(text))


@given(st.dictionaries(st.sampled_from(["en", "de", "none", "pt-BR", "ar"]), st.lists(STRINGS, min_size=1, max_size=3)))
def test_whatever_is_sound_survives(value):
    form = Several(sent(Several(initial={"note": value})), initial={"note": value})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["note"] == value
    assert not form.has_changed()


def test_a_language_is_added_in_the_empty_row_and_taken_away_by_emptying_its_text():
    initial = {"en": ["Chart"], "de": ["Karte"]}
    data = typed(("en", ""), ("de", "Seekarte"), ("fr", "Carte"))
    form = One(data, initial={"label": initial})
    assert form.is_valid()
    assert list(form.cleaned_data["label"].items()) == [("de", ["Seekarte"]), ("fr", ["Carte"])]
    assert form.has_changed()


def test_lines_are_texts_of_one_language():
    form = One(typed(("en", "One\r\n\r\n  Two  \r\n")))
    assert form.is_valid()
    assert form.cleaned_data["label"] == {"en": ["One", "Two"]}


def test_edited_lines_count_more_than_what_was_kept():
    initial = {"en": ["two\nlines"]}
    data = sent(One(initial={"label": initial}))
    data["label-0-text"] = "other\nlines"
    form = One(data, initial={"label": initial})
    assert form.is_valid()
    assert form.cleaned_data["label"] == {"en": ["other", "lines"]}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ((("", "Chart"),), "Please say which language “Chart” is in"),
        ((("en", "Chart"), ("en", "Map")), "The language “en” is there twice"),
        ((("english!", "Chart"),), "is not a language tag"),
        ((("e", "Chart"),), "is not a language tag"),
        ((('"><script>', "Chart"),), "is not a language tag"),
        ((("en", "a\u202eb"),), "invisible control character U+202E"),
        ((("en", "a\x00b"),), "invisible control character U+0000"),
        ((("en", "x" * 4001),), "at most 4000 fit"),
        ((("en", "\n".join("x" * 21)),), "at most 20 fit"),
        (tuple((f"aa{chr(97 + n // 26)}-x-{chr(97 + n % 26)}", "t") for n in range(61)), "at most 60 fit"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_typed_is_lost(rows, sentence):
    form = One(typed(*rows))
    assert not form.is_valid()
    assert sentence in " ".join(form.errors["label"])
    assert form.has_changed()
    again = sent(form)
    assert [
        (again[f"label-{n}-language"], again[f"label-{n}-text"].replace("\r\n", "\n")) for n in range(len(rows))
    ] == list(rows)


@pytest.mark.parametrize("kept", ["[", "1", '{"a": 1}', "[1]", "[" * 100_000, '["something else"]'])
def test_a_forged_kept_text_counts_for_nothing(kept):
    form = One({**typed(("en", "Chart")), "label-0-kept": kept})
    assert form.is_valid()
    assert form.cleaned_data["label"] == {"en": ["Chart"]}


@pytest.mark.parametrize("stored", [{"en": "Chart"}, {"en": []}, {"en": [1, None]}, {"": [""]}, "text", ["a"], 7])
def test_an_unsound_value_in_the_database_is_shown_and_not_an_error(stored):
    assert "label-0-text" in One(initial={"label": stored}).as_p()


def test_fields_that_are_not_sent_are_left_alone_and_emptied_ones_are_not():
    widget = One().fields["label"].widget
    assert widget.value_omitted_from_data({}, {}, "label")
    assert not widget.value_omitted_from_data({"label": ""}, {}, "label")
    assert not widget.value_omitted_from_data({"label-0-text": ""}, {}, "label")


def test_a_required_map_must_not_be_empty():
    form = type("Required", (forms.Form,), {"label": LanguageMapFormField()})(typed(("en", "")))
    assert form.errors == {"label": ["This field is required."]}


def test_every_control_has_a_name_and_texts_choose_their_direction():
    html = Several(initial={"note": {"ar": ["خريطة"], "en": ["Chart"]}}).as_p()
    assert html.count("<textarea") == html.count('aria-label="Note') == html.count('dir="auto"') == 3
    assert html.count('aria-label="Language: Note"') == 3
    assert 'lang="ar"' in html
    assert 'id="id_note"' in html
    assert 'for="id_note"' in html


def test_the_languages_of_the_site_are_suggested_if_somebody_chose_them(settings):
    settings.LANGUAGES = global_settings.LANGUAGES
    assert "<datalist" not in One().as_p()
    settings.LANGUAGES = [("cy", "Cymraeg"), ("en", "English")]
    html = One(initial={"label": {"en": ["Chart"]}}).as_p()
    assert '<option value="cy">Cymraeg</option>' in html
    assert 'value="cy" size="6"' in html


def test_an_empty_map_offers_the_language_of_the_site(settings):
    settings.LANGUAGE_CODE = "de-at"
    assert sent(One())["label-0-language"] == "de"


@pytest.mark.parametrize("lines", [[], ["https://a.example"], ["192.0.2.0/24", "2001:db8::/32"]])
def test_lists_go_one_to_a_line(lines):
    form_class = type("Lines", (forms.Form,), {"lines": LinesFormField(required=False)})
    form = form_class(sent(form_class(initial={"lines": lines})), initial={"lines": lines})
    assert form.is_valid()
    assert form.cleaned_data["lines"] == lines
    assert not form.has_changed()

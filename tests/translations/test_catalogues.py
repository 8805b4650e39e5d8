"""Every string of the sources is in every catalogue, and every translation there is fits its English."""

from __future__ import annotations

import gettext
import json
import re
import shutil
from io import BytesIO
from pathlib import Path

import polib
import pytest
from django.utils.translation import override

from tests.translations import __main__ as command
from tests.translations import catalogues, sources
from tests.translations.catalogues import PLURALS, everything
from tests.translations.judging import problems
from tests.translations.sources import PARTS, Part

COMPLETE = ("de", "fr", "es", "cy")
"""The languages in which nothing may be left in English; a language is added when it is done."""

each_catalogue = pytest.mark.parametrize(
    ("part", "language"), everything(), ids=lambda value: getattr(value, "name", value)
)


@pytest.fixture(scope="module")
def said() -> dict[str, polib.POFile]:
    if shutil.which("xgettext") is None:
        pytest.skip("xgettext is not installed")
    return {part.name: sources.messages(part) for part in PARTS}


@each_catalogue
def test_a_catalogue_has_what_the_sources_say_and_nothing_else(part, language, said):
    kept = catalogues.path(part, language).read_text(encoding="utf-8")
    assert kept == catalogues.text(catalogues.brought_up_to_date(part, language, said[part.name])), (
        "please run: python -m tests.translations collect"
    )


@each_catalogue
def test_what_django_reads_is_compiled_from_what_translators_wrote(part, language):
    catalogue = catalogues.read(part, language)
    assert catalogues.path(part, language).with_suffix(".mo").read_bytes() == catalogues.compiled(catalogue)


@pytest.mark.parametrize("language", COMPLETE)
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_nothing_is_left_in_english(part, language):
    catalogue = catalogues.read(part, language)
    assert len(catalogue) > 100
    assert [one.msgid for one in catalogue if not catalogues.is_filled(one)] == []


@each_catalogue
def test_every_translation_fits_its_english(part, language):
    filled = [one for one in catalogues.read(part, language) if catalogues.is_filled(one)]
    found = {one.msgid: problems(one, catalogues.said(one), language) for one in filled}
    assert {msgid: wrong for msgid, wrong in found.items() if wrong} == {}


@each_catalogue
def test_nothing_is_half_translated_or_only_guessed(part, language):
    catalogue = catalogues.read(part, language)
    assert [one.msgid for one in catalogue if one.fuzzy or one.obsolete or one.previous_msgid] == []
    assert [
        one.msgid for one in catalogue if one.msgid_plural and len(one.msgstr_plural) != catalogues.forms(language)
    ] == []
    counted = [catalogues.said(one) for one in catalogue if one.msgid_plural]
    assert [texts for texts in counted if any(texts) and not all(texts)] == []


@pytest.mark.parametrize("language", PLURALS)
def test_each_number_has_the_form_its_language_counts_with(language):
    catalogue = polib.POFile()
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": PLURALS[language]}
    texts = {n: str(n) for n in range(catalogues.forms(language))}
    catalogue.append(polib.POEntry(msgid="one", msgid_plural="many", msgstr_plural=texts))
    read = gettext.GNUTranslations(BytesIO(catalogues.compiled(catalogue)))
    used = [read.ngettext("one", "many", n) for n in range(8)]
    assert (
        used
        == {
            "de": ["1", "0", "1", "1", "1", "1", "1", "1"],
            "fr": ["0", "0", "1", "1", "1", "1", "1", "1"],
            "es": ["1", "0", "1", "1", "1", "1", "1", "1"],
            "cy": ["0", "1", "2", "3", "5", "5", "4", "5"],
        }[language]
    )


@pytest.mark.parametrize("language", COMPLETE)
def test_django_finds_the_catalogues(language):
    from django.utils.translation import gettext as _

    with override(language):
        asked = {
            "de": "Um Zugang bitten",
            "fr": "Demander l’accès",
            "es": "Pedir acceso",
            "cy": "Gofyn am fynediad",
        }
        assert _("Ask for access") == asked[language]
        seen = {
            "de": "Was es zu sehen gibt",
            "fr": "Ce qu’il y a à voir",
            "es": "Lo que hay para ver",
            "cy": "Beth sydd i’w weld",
        }
        assert _("What there is to see") == seen[language]


def test_the_wheel_takes_the_catalogues_along():
    ignored = (sources.ROOT / ".gitignore").read_text().split()
    settings = (sources.ROOT / "pyproject.toml").read_text()
    assert not {"*.mo", "*.po", "locale/"} & set(ignored)
    excluded = re.search(r"targets\.wheel\]\npackages = \[\"iiif_auth\"\]\nexclude = (.*)", settings)
    assert excluded is not None
    assert "locale" not in excluded[1]


# -- The judge itself: each rule is seen to refuse something ---------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "msgid", "wrong"),
    [
        ("de", "Sent to %(name)s.", "Gesendet an %(nmae)s."),
        ("de", "Sent to %(name)s.", "Gesendet."),
        ("de", "%d of %s", "%s von"),
        ("de", "From {year} on", "Ab {jahr}"),
        ("de", "Dear reader,", "Guten Tag, "),
        ("de", "One\n", "Eins"),
        ("de", "<strong>Stop</strong>", "Halt"),
        ("de", "The page “Dates”", "Die Seite Termine"),
        ("de", "The page “Dates”", "Die Seite “Termine”"),
        ("de", "The page “Dates”", "Die Seite „Termine"),
        ("de", "Dates", 'Die "Termine"'),
        ("de", "Dates", "   "),
        ("fr", "Your reference:", "Votre référence:"),
        ("fr", "Your reference:", "Votre référence :"),
        ("fr", "The page “Dates”", "La page «Dates»"),
        ("fr", "The page “Dates”", "La page « Dates »"),
        ("fr", "Why access?", "Pourquoi l'accès\u202f?"),
        ("cy", "The page “Dates”", "Y dudalen «Dyddiadau»"),
        ("es", "The page “Dates”", "La página “Fechas”"),
    ],
)
def test_a_translation_that_does_not_fit_is_refused(language, msgid, wrong):
    assert problems(polib.POEntry(msgid=msgid), wrong, language)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("de", ["%(n)d Tag"]),
        ("cy", ["%(n)d"] * 4),
        ("de", "%(n)d Tage"),
        ("de", ["%(n)d Tag", "Tage"]),
        ("de", ["%(x)s", "%(n)d"]),
    ],
)
def test_plural_forms_that_do_not_fit_are_refused(language, said):
    assert problems(polib.POEntry(msgid="%(n)d day", msgid_plural="%(n)d days"), said, language)


@pytest.mark.parametrize(
    ("language", "msgid", "right"),
    [
        ("de", "The page “%(name)s”: 100%%", "Die Seite „%(name)s“: 100%%"),
        ("fr", "The page “%(name)s”: why?", "La page «\u202f%(name)s\u202f»\u202f: pourquoi\u202f?"),
        ("fr", "Write 2001:db8:1::/64 or https://x.example/", "Écrivez 2001:db8:1::/64 ou https://x.example/"),
        ("cy", "The reader's page", "Tudalen y darllenydd"),
    ],
)
def test_a_translation_that_fits_is_taken(language, msgid, right):
    assert problems(polib.POEntry(msgid=msgid), right, language) == []


def test_one_of_something_may_be_said_without_the_number():
    entry = polib.POEntry(msgid="%(n)d day", msgid_plural="%(n)d days")
    assert problems(entry, ["ein Tag", "%(n)d Tage"], "de") == []


# -- Filling ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Part:
    """A part of its own with a German catalogue of three messages."""
    monkeypatch.setattr(sources, "ROOT", tmp_path)
    part = Part("shelf", ("shelf",))
    monkeypatch.setattr(command, "PARTS", (part,))
    catalogue = polib.POFile(wrapwidth=0)
    catalogue.metadata = {"Content-Type": "text/plain; charset=UTF-8", "Plural-Forms": PLURALS["de"]}
    catalogue.append(polib.POEntry(msgid="Hello %(name)s"))
    catalogue.append(polib.POEntry(msgid="Good-bye"))
    catalogue.append(polib.POEntry(msgid="%(n)d day", msgid_plural="%(n)d days", msgstr_plural={0: "", 1: ""}))
    catalogues.keep(part, "de", catalogue)
    return part


def test_what_is_right_is_taken_though_something_else_is_wrong(shelf, tmp_path, capsys):
    key = catalogues.key(polib.POEntry(msgid="Good-bye"))
    offered = {
        "Hello %(name)s": "Hallo",
        key: "Auf Wiedersehen",
        "%(n)d day": ["%(n)d Tag", "%(n)d Tage"],
        "No such": "x",
    }
    (tmp_path / "some.json").write_text(json.dumps(offered), encoding="utf-8")
    assert command.main(["fill", "de", str(tmp_path / "some.json")]) == 1
    kept = {one.msgid: catalogues.said(one) for one in catalogues.read(shelf, "de")}
    assert kept == {"Hello %(name)s": "", "Good-bye": "Auf Wiedersehen", "%(n)d day": ["%(n)d Tag", "%(n)d Tage"]}
    told = capsys.readouterr().out
    assert "Not in the catalogues: 'No such'" in told
    assert told.endswith("2 taken, 1 refused, 1 unknown.\n")


def test_what_is_filled_is_compiled_at_once(shelf, tmp_path):
    (tmp_path / "some.json").write_text('{"Good-bye": "Tschüss"}', encoding="utf-8")
    assert command.main(["fill", "de", str(tmp_path / "some.json")]) == 0
    compiled = catalogues.path(shelf, "de").with_suffix(".mo").read_bytes()
    assert gettext.GNUTranslations(BytesIO(compiled)).gettext("Good-bye") == "Tschüss"

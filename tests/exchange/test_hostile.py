"""Files that are wrong in every way there is: each answered with a sentence, none with an error of ours."""

from __future__ import annotations

import io
import zipfile

import pytest

from iiif_auth.exchange import cells, reading, sheets, workbooks
from iiif_auth.exchange.sheets import NotASheet


def refused(raw: bytes, encoding: str = "") -> str:
    with pytest.raises(NotASheet) as caught:
        reading.sheet(raw, encoding)
    return str(caught.value)


# -- Lines with separators ----------------------------------------------------------------------------------------

TEXT = "identifier;label\r\n/iiif/3/a;Häfen – 5 €\r\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-8-sig"), "UTF-8"),
        (TEXT.encode("utf-16"), "UTF-16"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("utf-16-le"), "UTF-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("cp1252"), "Windows-1252"),
    ],
)
def test_letters_are_found_out(raw, encoding):
    found = reading.sheet(raw)
    assert (found.encoding, found.separator, found.headings) == (encoding, ";", ("identifier", "label"))
    assert found.rows == ((2, ["/iiif/3/a", "Häfen – 5 €"]),)


def test_what_is_no_letter_in_windows_is_read_as_latin():
    assert reading.sheet("identifier\n/a\x81é\n".encode("latin-1")).encoding == "ISO-8859-1"


def test_letters_can_be_said():
    raw = "identifier,label\n/a,Häfen\n".encode("latin-1")
    assert reading.sheet(raw, "ISO-8859-1").rows[0][1][1] == "Häfen"
    assert "is not UTF-8 from byte" in refused(raw, "UTF-8")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_separators_are_found_out(separator):
    text = separator.join(("identifier", "label", "note")) + "\n" + separator.join(("/a", '"x, y; z"', "n")) + "\n"
    found = reading.sheet(text.encode())
    assert found.separator == separator
    assert found.rows[0][1] == ["/a", "x, y; z", "n"]
    told = reading.sheet(f"sep={separator}\n{text}".encode())
    assert told.rows[0][1] == found.rows[0][1]


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "There is nothing in this file"),
        (b"\n\n  \n", "There is nothing in this file"),
        (b"identifier,label\n", "no rows below them"),
        (b'identifier,label\n/a,"never closed\n/b,x\n', "can not be read"),
        (b"identifier\n/a,b,c\n", "more cells than there are headings"),
        (b",".join([b"h"] * 61) + b"\n/a\n", "61 columns; at most 60 fit"),
        (b"identifier\n" + b"/a\n" * 10_001, "more than 10000 rows"),
        (b"identifier\n" + b"\n" * 30_000 + b"/a\n", "more than 10000 rows"),
        (b"\x89PNG\r\n\x1a\n", "This is no spreadsheet"),
        (b"\xd0\xcf\x11\xe0 old workbook", "save it as .xlsx"),
        (b"PK\x03\x04 damaged", "damaged"),
        (b"identifier\n" + b"x" * 200_000 + b"\n", "can not be read"),
    ],
)
def test_files_that_can_not_be_read_are_answered_with_a_sentence(raw, sentence):
    assert sentence in refused(raw)


def test_a_million_rows_are_refused_at_once():
    assert "more than 10000 rows" in refused(b"identifier,policy\n" + b"/iiif/3/a,open\n" * 1_000_000)


def test_a_file_that_is_too_large_is_refused_unread():
    assert "larger than 20 MB" in refused(b"x" * (sheets.MOST_BYTES + 1))


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("=HYPERLINK(A1)", "formula"),
        ({"formula": "=1+1"}, "formula"),
        ({"fault": "#N/A"}, "#N/A"),
        ("a\x00b", "U+0000"),
        ("a\u202eb", "U+202E"),
        ("x" * 5001, "5001 characters"),
    ],
)
def test_cells_that_are_no_text_have_a_sentence(cell, sentence):
    assert sentence in cells.problem_of(cell)


@pytest.mark.parametrize(
    "text", ["=1+1", "+44", "-", "-5", "@x", "\tx", "\rx", "'=x", "''=x", "'", "plain", "it's", ""]
)
def test_what_is_written_is_read_again_and_never_worked_out(text):
    written = cells.escaped(text)
    assert cells.plain(written) == text
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r"))


# -- Workbooks ----------------------------------------------------------------------------------------------------

openpyxl = pytest.importorskip("openpyxl")


def workbook(*rows, **sheets_too) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for name in sheets_too:
        book.create_sheet(name)
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def repacked(raw: bytes, **parts: bytes) -> bytes:
    """The same package with some parts in the place of its own."""
    changed = {name.replace("__", "/").replace("_dot_", "."): text for name, text in parts.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in changed:
                new.writestr(part.filename, old.read(part))
        for name, text in changed.items():
            new.writestr(name, text)
    return out.getvalue()


def test_a_workbook_is_read_with_its_days_numbers_and_formulas():
    from datetime import date, datetime

    raw = workbook(
        ["identifier", "embargo", "note", "x"],
        ["/a", date(2031, 5, 1), 3.0, "=1+1"],
        ["/b", datetime(2031, 5, 1, 9, 30), 2.5, True],  # noqa: DTZ001
    )
    found = reading.sheet(raw)
    assert found.rows == (
        (2, ["/a", "2031-05-01", "3", {"formula": "=1+1"}]),
        (3, ["/b", "2031-05-01 09:30", "2.5", "yes"]),
    )


def test_a_bomb_is_refused_by_its_declared_size():
    raw = repacked(workbook(["identifier"], ["/a"]), xl__media__big=b"\x00" * 70_000_000)
    assert len(raw) < 200_000
    assert "unpacks to more than 60 MB" in refused(raw)


def test_a_bomb_that_lies_about_its_size_is_refused(monkeypatch):
    monkeypatch.setattr(workbooks, "MOST_UNPACKED", 2_000_000)
    raw = bytearray(repacked(workbook(["identifier"], ["/a"]), xl__media__big=b"\x00" * 5_000_000))
    size = (5_000_000).to_bytes(4, "little")
    while (at := raw.find(size)) >= 0:
        raw[at : at + 4] = (1000).to_bytes(4, "little")
    said = refused(bytes(raw))
    assert "damaged" in said or "unpacks to more than" in said


def test_parts_that_are_one_and_the_same_count_each_time():
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as package:
        for number in range(600):
            package.writestr(f"xl/{number}.xml", "x")
    assert "unpacks to more than" in refused(raw.getvalue())


@pytest.mark.parametrize("codec", ["utf-8", "utf-16-le"])
def test_entities_are_refused(codec):
    laugh = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><sst>&b;</sst>'.encode(codec)
    raw = repacked(workbook(["identifier"], ["/a"]), xl__sharedStrings_dot_xml=laugh)
    assert "declares XML entities" in refused(raw)


def test_other_packages_are_named():
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as package:
        package.writestr("content.xml", "<office/>")
    assert "no .xlsx workbook" in refused(raw.getvalue())


@pytest.mark.parametrize(
    "broken", [b"", b"<worksheet", b"<worksheet><sheetData><row r='x'><c r='?'/></row></sheetData></worksheet>"]
)
def test_a_workbook_with_a_broken_sheet_is_answered_with_a_sentence(broken):
    raw = repacked(workbook(["identifier"], ["/a"]), xl__worksheets__sheet1_dot_xml=broken)
    said = refused(raw)
    assert "damaged" in said or "nothing in this file" in said


def test_a_sheet_that_says_it_is_endless_is_read_as_far_as_it_goes():
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"] = "identifier", "/a"
    book.active["XFD1048576"] = "far away"
    raw = io.BytesIO()
    book.save(raw)
    assert reading.sheet(raw.getvalue()).rows == ((2, ["/a"]),)


def test_links_and_macros_are_not_looked_at():
    raw = repacked(
        workbook(["identifier"], ["/a"], Other=1),
        xl__vbaProject_dot_bin=b"\x00macro",
        xl__externalLinks__externalLink1_dot_xml=b"<externalLink/>",
    )
    assert reading.sheet(raw).rows == ((2, ["/a"]),)

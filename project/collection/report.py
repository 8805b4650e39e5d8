"""The report: four pages with text that can be selected, a table, and a figure in lines."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from fpdf import FPDF
from fpdf.enums import XPos, YPos

_TITLE: Final = "The Harbour Light: a hundred years of the pier head lamp"
_SECTIONS: Final = (
    (
        "Summary",
        (
            "The lamp at the pier head of Merehaven was lit for the first time on 24 April 1887. This"
            " report gathers what the minute books of "
            "the Harbour Trustees, the diaries in the Library and the keepers' tallies say of it, and"
            " asks whether the lamp did what it was set "
            "up to do. It did, though not at once and not for the reason the Trustees gave.",
            "Between 1880 and 1886 the fleet lost on average four boats a year. In the ten years "
            "after the lamp it lost eleven in all. The "
            "weather does not explain the difference: gales were, if anything, more frequent.",
        ),
    ),
    (
        "The sources",
        (
            "Three minute books survive for the period. The first two are in good order. The third "
            "was kept in a cellar and its last forty "
            "leaves can no longer be opened. The keepers' tallies are small notebooks, one for each "
            "quarter, with a stroke for every vessel "
            "seen to enter after dark.",
            "The diaries are closed until the first of January following the seventieth year after "
            "their author's death. We are grateful for "
            "leave to read the leaves of April and May 1887, and we quote no more than that.",
        ),
    ),
)
_MORE: Final = (
    (
        "The argument of 1887",
        (
            "Mr Fell alone voted against. His reasons, written down at his own wish, are that light "
            "is dear, that fish do not see it, and that "
            "nobody lit a lamp for his father. The clerk recorded them without comment and the Trustees rose at nine.",
            "The sum voted was sixty pounds a year, of which oil took thirty one. It was to be raised"
            " by a due of one penny on the cran, which "
            "the curers opposed and then paid.",
        ),
    ),
    (
        "The keepers",
        (
            "Seven keepers served between 1887 and 1931, when the lamp was joined to the town's "
            "electricity. The longest, Grizel Dunnock, kept "
            "it for nineteen years and missed, by her own count, two nights.",
            "A keeper's tally is not a log. It says how many, not who. For the identity of vessels we"
            " have used the registers of the Custom "
            "House, which agree with the tallies to within one vessel in thirty.",
        ),
    ),
)
_CLOSING: Final = (
    (
        "What we conclude",
        (
            "The lamp was set up for the boats that were already late. It served them less than it "
            "served those who, because of it, no longer "
            "had to hurry. The tallies show the hour of entry moving later by nearly two hours within"
            " three seasons, and the losses falling at "
            "the same time.",
            "We recommend that the tallies be photographed, that the third minute book be offered to "
            "a conservator, and that the closed "
            "diaries be read again on the day they open.",
        ),
    ),
    (
        "A note on access",
        (
            "The minute books may be read by staff. The photographs of the fleet may be seen by "
            "anybody who accepts the donor's terms. The "
            "infirmary register, which we did not need, is closed until 2049; a copy with the names "
            "covered can be seen at once.",
        ),
    ),
)
_TABLE: Final = (
    ("Season", "Boats", "Entered after dark", "Lost", "Cran landed"),
    ("1884", "96", "not counted", "4", "21 410"),
    ("1885", "99", "not counted", "5", "19 872"),
    ("1886", "103", "not counted", "4", "22 960"),
    ("1887", "112", "318", "2", "24 105"),
    ("1888", "117", "702", "1", "26 340"),
    ("1889", "121", "966", "1", "25 817"),
    ("1890", "124", "1 080", "0", "27 466"),
    ("1891", "126", "1 131", "1", "28 090"),
)


class _Report(FPDF):
    def header(self) -> None:
        if self.page_no() > 1:
            self.set_font("Times", "I", 9)
            self.set_text_color(110)
            self.cell(0, 8, _TITLE, align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
            self.ln(4)

    def footer(self) -> None:
        self.set_y(-18)
        self.set_font("Times", "", 9)
        self.set_text_color(110)
        self.cell(0, 8, f"Merehaven Museum & Library, Occasional Report 7 - page {self.page_no()} of 4", align="C")


def write_report(path: Path) -> None:
    report = _Report(format="A4")
    report.set_title(_TITLE)
    report.set_author("Merehaven Museum & Library")
    report.set_lang("en")
    # A date of its own: otherwise no two copies are the same file.
    report.set_creation_date(datetime(2026, 1, 2, 9, 0, tzinfo=UTC))
    report.set_margins(26, 24, 26)
    report.set_auto_page_break(True, 26)
    _first_page(report)
    _table_page(report)
    _figure_page(report)
    report.add_page()
    _sections(report, _CLOSING)
    _imprint(report)
    report.output(str(path))


def _first_page(report: FPDF) -> None:
    report.add_page()
    report.set_draw_color(40, 60, 90)
    report.set_line_width(0.8)
    report.line(26, 30, 184, 30)
    report.set_y(36)
    _line(report, "Times", "", 11, "OCCASIONAL REPORT 7", 110)
    _line(report, "Times", "B", 25, "The Harbour Light", 20)
    _line(report, "Times", "I", 15, "A hundred years of the pier head lamp", 60)
    report.ln(4)
    _line(report, "Times", "", 11, "E. Tarn and N. Fell, Merehaven Museum & Library", 60)
    report.ln(8)
    _sections(report, _SECTIONS)


def _table_page(report: FPDF) -> None:
    report.add_page()
    _sections(report, _MORE)
    _line(report, "Times", "B", 11, "Table 1. The fleet before and after the lamp", 20)
    report.ln(1)
    report.set_font("Times", "", 10.5)
    report.set_text_color(20)
    report.set_draw_color(150)
    report.set_line_width(0.2)
    with report.table(
        line_height=6.4, text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"), borders_layout="HORIZONTAL_LINES"
    ) as table:
        for row in _TABLE:
            table.row(row)


def _figure_page(report: FPDF) -> None:
    report.add_page()
    _line(report, "Times", "B", 15, "The hour of entry", 20)
    _paragraph(
        report,
        "Figure 1 gives the boats that entered in each hour of the night, before the lamp (from the "
        "Custom House, 1886) and in "
        "the fourth season after it (from the tallies, 1890). The whole night moves to the right.",
    )
    _figure(report, 34, report.get_y() + 8)
    report.set_y(172)
    _line(report, "Times", "I", 10.5, "Figure 1. Boats entering, by hour. Grey: 1886. Blue: 1890.", 60)
    report.ln(3)
    _paragraph(
        report,
        "The reader may ask whether the boats were merely counted better in 1890. Up to eight o'clock, when "
        "both could see, the later count is the lower of the two; it is after dark that it finds what"
        " the first could not.",
    )
    _pier(report, 34, 262)


def _figure(report: FPDF, left: float, top: float) -> None:
    wide, high = 142.0, 82.0
    hours = np.arange(12)
    before, after = (
        62 * np.exp(-((hours - 2.2) ** 2) / 5),
        24 * np.exp(-((hours - 1.6) ** 2) / 6) + 55 * np.exp(-((hours - 5.6) ** 2) / 6),
    )
    report.set_draw_color(210)
    for mark in range(0, 71, 10):
        y = top + high - mark * high / 70
        report.line(left, y, left + wide, y)
        _label(report, left - 8, y + 1.2, str(mark))
    for hour in hours.tolist():
        x = left + 6 + hour * 11.4
        for off, count, colour in ((0.0, before[hour], (176, 176, 176)), (4.4, after[hour], (52, 88, 140))):
            report.set_fill_color(*colour)
            report.rect(x + off, top + high - count * high / 70, 4.2, count * high / 70, style="F")
        _label(report, x + 1.6, top + high + 5, str((17 + hour) % 24))
    report.set_draw_color(30)
    report.line(left, top + high, left + wide, top + high)
    _label(report, left + wide - 14, top + high + 10, "hour of day")


def _pier(report: FPDF, left: float, base: float) -> None:
    """A sketch of pier and lamp, so that the page has a drawing in lines too."""
    report.set_draw_color(40, 50, 70)
    report.set_line_width(0.5)
    report.line(left, base, left + 90, base)
    for post in range(9):
        report.line(left + 4 + post * 10, base, left + 4 + post * 10, base + 6)
    report.polygon(
        ((left + 78, base), (left + 80.5, base - 26), (left + 85.5, base - 26), (left + 88, base)), style="D"
    )
    report.rect(left + 79.5, base - 32, 7, 6)
    report.polygon(((left + 78, base - 32), (left + 83, base - 37), (left + 88, base - 32)), style="D")
    for ray in range(-2, 3):
        report.line(left + 89, base - 29 + ray, left + 112, base - 29 + ray * 5)
    for wave in range(7):
        report.arc(left + 90 + wave * 7, base + 4, 7, 180, 360)
    _label(report, left + 2, base - 3, "Pier head, 1887 (not to scale)")


def _imprint(report: FPDF) -> None:
    report.ln(8)
    report.set_draw_color(150)
    report.line(26, report.get_y(), 184, report.get_y())
    report.ln(4)
    _line(report, "Times", "I", 10, "Merehaven is an invented place. Its lamp, its boats and its people are too.", 90)


def _sections(report: FPDF, sections: tuple[tuple[str, tuple[str, ...]], ...]) -> None:
    for title, paragraphs in sections:
        _line(report, "Times", "B", 15, title, 20)
        for paragraph in paragraphs:
            _paragraph(report, paragraph)
        report.ln(3)


def _paragraph(report: FPDF, text: str) -> None:
    report.set_font("Times", "", 11.5)
    report.set_text_color(30)
    report.multi_cell(0, 5.9, text, align="J", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    report.ln(2.4)


def _line(report: FPDF, family: str, style: str, size: float, text: str, grey: int) -> None:
    report.set_font(family, style, size)  # type: ignore[arg-type, unused-ignore]
    report.set_text_color(grey)
    report.cell(0, size * 0.52 + 1.6, text, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def _label(report: FPDF, x: float, y: float, text: str) -> None:
    report.set_font("Helvetica", "", 8)
    report.set_text_color(70)
    report.text(x, y, text)

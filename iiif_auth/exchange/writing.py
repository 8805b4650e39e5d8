"""Spreadsheets that are given out: what was filtered, an empty one to fill in, and the receipt of what was done."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from iiif_auth.exchange import dates
from iiif_auth.exchange.cells import CONTROL, escaped
from iiif_auth.exchange.columns import COLUMNS, OF_GRANT
from iiif_auth.exchange.judging import CHANGED, ERROR, NEW, SAME
from iiif_auth.exchange.reading_overlays import name_of
from iiif_auth.exchange.reading_resources import label_of
from iiif_auth.models import Batch, Embargo, Grant, Resource

AT_ONCE = 1_000
FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Line = Mapping[str, str]


# -- What there is ------------------------------------------------------------------------------------------------


def lines_of(rows: QuerySet[Resource], user: Any) -> Iterator[Line]:
    """Resources as lines that change nothing when they come back. Overlays only for people who may see those.

    A resource has one line, and a further one for each further access that somebody has.
    """
    part: list[Resource] = []
    for row in rows.select_related("collection", "policy").order_by("pk").iterator(chunk_size=AT_ONCE):
        part.append(row)
        if len(part) >= AT_ONCE:
            yield from _lines(part, user)
            part = []
    yield from _lines(part, user)


def _lines(rows: Sequence[Resource], user: Any) -> Iterator[Line]:
    embargoes, grants = (
        _held(Embargo, rows, user, ("then_policy",)),
        _held(Grant, rows, user, ("user", "group", "network")),
    )
    for row in rows:
        line = {**_resource(row), **_embargo(embargoes[row.pk])}
        given = [_grant(one) for one in grants[row.pk] if one.user_id or one.group_id or one.network_id]
        if given and "reason" not in line:
            line |= given.pop(0)
        yield line
        yield from ({"identifier": row.url, **one} for one in given)


def _held(model: Any, rows: Sequence[Resource], user: Any, related: tuple[str, ...]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    if not user.has_perm(f"iiif_auth.view_{model._meta.model_name}"):
        return found
    running = Q(ends=None) | Q(ends__gt=timezone.now())
    for one in model.objects.filter(running, resource__in=rows).select_related(*related).order_by("pk"):
        found[one.resource_id].append(one)
    return found


def _resource(row: Resource) -> dict[str, str]:
    return {
        "identifier": row.url,
        "label": label_of(row),
        "type": row.type,
        "image_service": str(row.image_api),
        "collection": row.collection.slug if row.collection else "",
        "policy": row.policy.slug if row.policy else "",
        "note": row.remarks,
    }


def _embargo(held: Sequence[Embargo]) -> dict[str, str]:
    """Several can not be told in one line, and an empty cell changes nothing."""
    if len(held) != 1:
        return {}
    (one,) = held
    then = {"then_policy": one.then_policy.slug} if one.then_policy else {}
    return {"embargo_until": dates.written(one.ends), "reason": one.reason, **then}


def _grant(one: Grant) -> dict[str, str]:
    whom = "place" if one.network else "grant_to"
    return {
        whom: one.network.slug if one.network else name_of(one),
        "view": one.tier or "full",
        "download": "yes" if one.take else "no",
        "grant_until": dates.written_last_day(one.ends),
        "reason": one.reason,
    }


# -- An empty one -------------------------------------------------------------------------------------------------


def template_lines() -> Iterator[Line]:
    """One line to show how it is meant; its address is nobody's."""
    yield {column.key: column.example for column in COLUMNS if column.example and column.key not in OF_GRANT}


# -- A receipt ----------------------------------------------------------------------------------------------------

RECEIPT = ("batch", "line", "identifier", "outcome", "details")


def receipt_lines(batch: Batch) -> Iterator[Line]:
    """What came of each row of a file that was applied."""
    words = {
        NEW: gettext("made"),
        CHANGED: gettext("changed"),
        SAME: gettext("was so already"),
        ERROR: gettext("left out"),
    }
    for line, identifier, state, errors, changes, _hints in batch.plan.get("judged", ()):
        told = [*errors, *(f"{what}: {before} → {after}" for what, before, after in changes)]
        yield {
            "batch": str(batch.pk),
            "line": str(line),
            "identifier": identifier,
            "outcome": words[state],
            "details": " ".join(told),
        }


# -- As files -----------------------------------------------------------------------------------------------------


def headings(keys: Iterable[str]) -> list[str]:
    titles = {column.key: str(column.title) for column in COLUMNS}
    others = {
        "batch": gettext("Batch"),
        "line": gettext("Line"),
        "outcome": gettext("Outcome"),
        "details": gettext("Details"),
    }
    return [titles.get(key) or others.get(key, key) for key in keys]


def as_csv(lines: Iterable[Line], keys: Sequence[str]) -> Iterator[str]:
    """The text of a file in pieces, in UTF-8 with the mark that spreadsheet programs go by."""
    yield "\ufeff"
    yield _row(headings(keys))
    for line in lines:
        yield _row([escaped(line.get(key, "")) for key in keys])


def _row(cells: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerow([cell.replace("\r\n", "\n").replace("\x00", "") for cell in cells])
    return text.getvalue()


def as_workbook(lines: Iterable[Line], keys: Sequence[str], about: bool = False) -> bytes:
    """A workbook in which every cell is a text; nothing in it is worked out.

    Args:
        about: with a second sheet that says what each column means.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet(gettext("Resources")[:31])
    sheet.freeze_panes = "A2"
    sheet.append([_text_cell(sheet, one) for one in headings(keys)])
    for line in lines:
        sheet.append([_text_cell(sheet, escaped(line.get(key, ""))) for key in keys])
    if about:
        _describe(book)
    raw = io.BytesIO()
    book.save(raw)
    return raw.getvalue()


def _describe(book: Any) -> None:
    sheet = book.create_sheet(gettext("What the columns mean")[:31])
    for column in COLUMNS:
        sheet.append([_text_cell(sheet, str(text)) for text in (column.title, column.about)])
    for sentence in (
        gettext("An empty cell leaves alone what is there; a single “-” takes it away."),
        gettext("Columns that are not known are named when the file is read, and never guessed."),
    ):
        sheet.append([_text_cell(sheet, sentence)])


def _text_cell(sheet: Any, text: str) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if not text:
        return None
    cell = WriteOnlyCell(sheet, value="-")
    cell.value = CONTROL.sub(" ", text)
    cell.data_type = "s"  # whatever it begins with
    return cell

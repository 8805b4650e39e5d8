"""A file between being sent and being applied: kept as the plan of a batch that waits, and belongs to whoever sent it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext, ngettext

from iiif_auth import history
from iiif_auth.exchange import columns, dates, deeds, judging
from iiif_auth.exchange.cells import Cell
from iiif_auth.exchange.dates import Question, Style
from iiif_auth.exchange.judging import CHANGED, ERROR, NEW, Judged
from iiif_auth.exchange.sheets import Sheet
from iiif_auth.models import Batch

KEPT = timedelta(days=7)
"""How long a file that nobody applies is kept."""

MOST_WAITING = 20
"""Files of one person that wait; of more, the oldest go."""

KINDS = (Batch.Kind.TABLE, Batch.Kind.MANIFEST)


class Moved(Exception):
    """What would be done is no longer what was shown; nothing was done."""


class Over(Exception):
    """It was applied already, or somebody is just applying it."""


def own(user: Any, *kinds: str) -> QuerySet[Batch]:
    """The files of these kinds that somebody has sent, newest first. Nobody finds another's."""
    return Batch.objects.filter(actor=user, kind__in=kinds, plan__has_key="form")


def kept(user: Any, kind: Batch.Kind, what: str, plan: dict[str, Any], total: int) -> Batch:
    """Keep something that was sent, until it is applied or a week has gone."""
    batch = history.begun(kind, user, what, "", total, plan)
    waiting = Batch.objects.filter(actor=user, kind__in=KINDS, state=Batch.State.WAITING).order_by("-pk")
    Batch.objects.filter(pk__in=list(waiting.values_list("pk", flat=True)[MOST_WAITING:])).delete()
    return batch


def table(user: Any, sheet: Sheet, name: str, remembered: Mapping[str, str]) -> Batch:
    """Keep a spreadsheet, with its headings guessed."""
    plan = {
        "form": "table",
        "name": name[:200],
        "encoding": sheet.encoding,
        "separator": sheet.separator,
        "sheet": sheet.name,
        "headings": list(sheet.headings),
        "rows": [[line, cells] for line, cells in sheet.rows],
        "mapping": columns.guessed(sheet.headings, remembered),
    }
    return kept(user, Batch.Kind.TABLE, gettext("Spreadsheet %(name)s") % {"name": name[:200]}, plan, len(sheet.rows))


def listed(user: Any, addresses: Iterable[str], collection: str) -> Batch:
    """Keep a list of addresses that are to go into a collection, as if it were a spreadsheet of two columns."""
    rows: list[tuple[int, list[Cell]]] = [
        (number, [text.strip(), collection]) for number, text in enumerate(addresses, 1) if text.strip()
    ]
    sheet = Sheet(("identifier", "collection"), tuple(rows))
    return table(user, sheet, gettext("Addresses for %(collection)s") % {"collection": collection}, {})


def question(plan: Mapping[str, Any]) -> tuple[Style, Question]:
    """What the dates in the file tell, and what must be asked, by its present mapping."""
    places = [number for number, key in enumerate(plan["mapping"]) if key in columns.DATES]
    cells = (cells[number] for _line, cells in plan["rows"] for number in places)
    return dates.question(cell for cell in cells if isinstance(cell, str) and cell)


def mapped(batch: Batch, mapping: Sequence[str], style: Style) -> None:
    """Judge the rows of a file by these columns, and keep what came of it beside them."""
    batch.plan = {**batch.plan, "mapping": list(mapping), "order": style.order, "serials": style.serials}
    judge(batch)


def judge(batch: Batch) -> list[Judged]:
    """Judge a file as things are now, for whoever sent it, and keep what came of it."""
    found = _judged(batch)
    stored = [one.stored() for one in found]
    batch.plan = {
        **batch.plan,
        "judged": stored,
        "mark": judging.mark(stored),
        "counts": dict(judging.counts(stored)),
    }
    batch.save(update_fields=["plan"])
    return found


def _judged(batch: Batch) -> list[Judged]:
    plan = batch.plan
    style = Style(plan.get("order", ""), bool(plan.get("serials")))
    return judging.judged(batch.actor, plan["rows"], plan["mapping"], style)


def apply(batch: Batch, reason: str) -> Batch:
    """Do all that a file says, but for rows with errors, in one transaction: all of it or, whatever happens, nothing.

    Raises:
        Moved: something changed since it was shown; what would be done now is kept instead.
        Over: it was applied already.
    """
    try:
        return _apply(batch, reason)
    except Moved:
        judge(batch)
        raise


@transaction.atomic
def _apply(batch: Batch, reason: str) -> Batch:
    claim(batch)
    judged = _judged(batch)
    if judging.mark(one.stored() for one in judged) != batch.plan.get("mark"):
        raise Moved
    with history.by(batch.actor, reason=reason, batch=batch):
        deeds.do(deed for one in judged for deed in one.deeds)
    batch.reason = reason
    batch.save(update_fields=["reason"])
    history.ended(batch, outcome(batch.plan["counts"]))
    return batch


def claim(batch: Batch) -> None:
    """Take hold of a batch that waits, until the transaction ends.

    Raises:
        Over: it does not wait any more.
    """
    taken = Batch.objects.filter(pk=batch.pk, state=Batch.State.WAITING).update(state=Batch.State.RUNNING)
    if not taken:
        raise Over
    batch.refresh_from_db()


def outcome(counts: Mapping[str, int]) -> str:
    """What came of a file, in a sentence or three."""
    said = [
        ngettext("%(n)d resource was made.", "%(n)d resources were made.", counts[NEW]) % {"n": counts[NEW]},
        ngettext("%(n)d row changed something.", "%(n)d rows changed something.", counts[CHANGED])
        % {"n": counts[CHANGED]},
    ]
    if counts[ERROR]:
        left = ngettext("%(n)d row was left out.", "%(n)d rows were left out.", counts[ERROR])
        said.append(left % {"n": counts[ERROR]})
    return " ".join(said)


def stale(before: datetime) -> QuerySet[Batch]:
    """What was sent before this moment and never applied."""
    waiting = Batch.objects.filter(kind__in=KINDS, state=Batch.State.WAITING, created__lt=before)
    return waiting.filter(plan__has_key="form")


def due(now: datetime) -> str:
    """Forget files that nobody has applied for a week."""
    count = stale(now - KEPT).delete()[0]
    return f"Forgot {count} files that were sent and never applied."


def would(now: datetime) -> str:
    """What :func:`due` would do."""
    return f"Would forget {stale(now - KEPT).count()} files that were sent and never applied."

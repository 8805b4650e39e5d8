"""Applies a spreadsheet of rules from a shell, just as the admin does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from iiif_auth import history
from iiif_auth.exchange import columns, judging, reading, uploads
from iiif_auth.exchange.dates import Style
from iiif_auth.exchange.judging import CHANGED, ERROR, NEW, SAME
from iiif_auth.exchange.sheets import ENCODINGS, MOST_BYTES, NotASheet, Sheet
from iiif_auth.models import Batch

MOST_TOLD = 50


class Command(BaseCommand):
    help = (
        "Read a spreadsheet (CSV or .xlsx) of resources and what governs them, say what is wrong with it and what it would "
        "change, and with --apply change it: all of it in one transaction, recorded, and to be undone in the admin."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the spreadsheet")
        parser.add_argument("--user", required=True, help="in whose name, and with whose rights")
        parser.add_argument("--apply", action="store_true", help="do it; otherwise it is only said what would be done")
        parser.add_argument("--reason", default="", help="why; needed with --apply")
        parser.add_argument("--dates", choices=("dmy", "mdy"), default="", help="what comes first in 01/05/2031")
        parser.add_argument("--serials", action="store_true", help="numbers are days as Excel counts them")
        parser.add_argument(
            "--encoding", choices=ENCODINGS, default="", help="of a CSV file; by default it is found out"
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="HEADING=NAME",
            help=f"what a heading stands for; the names are {', '.join(columns.BY_KEY)}",
        )
        parser.add_argument("--skip-errors", action="store_true", help="apply the other rows where some have errors")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["apply"] and not options["reason"]:
            raise CommandError("Please say why: --reason “The list of rights of 2026”.")
        sheet, user = self._sheet(options), person(options["user"])
        batch = uploads.table(user, sheet, Path(options["file"]).name, chosen(options["column"]))
        try:
            self._judge(batch, options)
            if options["apply"]:
                self._apply(batch, options)
        finally:
            # Whatever was not applied is in the file itself, so nothing is kept of it.
            Batch.objects.filter(pk=batch.pk, state=Batch.State.WAITING).delete()

    def _sheet(self, options: dict[str, Any]) -> Sheet:
        try:
            with Path(options["file"]).open("rb") as file:
                return reading.sheet(file.read(MOST_BYTES + 1), options["encoding"])
        except (OSError, NotASheet) as problem:
            raise CommandError(str(problem)) from problem

    def _judge(self, batch: Batch, options: dict[str, Any]) -> None:
        plan = batch.plan
        if "identifier" not in plan["mapping"]:
            raise CommandError("No column holds addresses. Say which one does: --column “Heading=identifier”.")
        told, asked = uploads.question(plan)
        style = Style(options["dates"] or told.order, options["serials"])
        if asked.ambiguous and not style.order:
            raise CommandError(f"“{asked.ambiguous}” can be read in two ways; please add --dates dmy or --dates mdy.")
        for heading, key in zip(plan["headings"], plan["mapping"], strict=True):
            if not key:
                self.stdout.write(f"Left out: the column “{heading}” is not known.")
        uploads.mapped(batch, plan["mapping"], style)
        self._tell(batch)

    def _tell(self, batch: Batch) -> None:
        rows = batch.plan["judged"]
        errors = [row for row in rows if row[2] == ERROR]
        for line, identifier, _state, sentences, _changes, _hints in errors[:MOST_TOLD]:
            self.stdout.write(f"Line {line}, {identifier or 'without address'}: {' '.join(sentences)}")
        if len(errors) > MOST_TOLD:
            self.stdout.write(f"… and {len(errors) - MOST_TOLD} more rows with errors.")
        counts = judging.counts(rows)
        self.stdout.write(
            f"To be made: {counts[NEW]}. To be changed: {counts[CHANGED]}. So already: {counts[SAME]}. "
            f"With errors: {counts[ERROR]}."
        )

    def _apply(self, batch: Batch, options: dict[str, Any]) -> None:
        counts = batch.plan["counts"]
        if counts[ERROR] and not options["skip_errors"]:
            raise CommandError("Nothing was changed, because some rows have errors. Mend them, or add --skip-errors.")
        if not counts[NEW] + counts[CHANGED]:
            self.stdout.write("There is nothing to change.")
            return
        try:
            done = uploads.apply(batch, options["reason"])
        except uploads.Moved as problem:
            raise CommandError("Something was changed just now, so nothing was done. Please try again.") from problem
        self.stdout.write(f"{done.said} Batch {done.pk}.")
        if why := history.undoable(done):
            self.stdout.write(why)


def person(name: str) -> Any:
    """The account in whose name things are done.

    Raises:
        CommandError: there is none, or it is switched off.
    """
    model = get_user_model()
    found = model._default_manager.filter(**{model.USERNAME_FIELD: name}).first()
    if found is None or not found.is_active:
        raise CommandError(f"There is no account “{name}” that is in use.")
    return found


def chosen(given: list[str]) -> dict[str, str]:
    """Columns by folded heading, from ``HEADING=NAME``.

    Raises:
        CommandError: one is not of that form, or names no column.
    """
    found: dict[str, str] = {}
    for one in given:
        heading, equals, key = one.rpartition("=")
        if not equals or key not in columns.BY_KEY:
            raise CommandError(f"“{one}” names no column; write HEADING=NAME with one of {', '.join(columns.BY_KEY)}.")
        found[columns.folded(heading)] = key
    return found

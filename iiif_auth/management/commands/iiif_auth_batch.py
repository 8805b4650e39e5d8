"""Jobs: what was ordered in the admin for more rows than one request can change."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from iiif_auth import bulk
from iiif_auth.models import Batch

WAIT_SECONDS = 5
OPEN = (Batch.State.WAITING, Batch.State.RUNNING)


class Command(BaseCommand):
    help = (
        "Lists the jobs that wait, or runs them. A job is done in pieces, each in a transaction with the note of how far "
        "it is: stopped at any moment, it goes on from there when this is run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--run", action="store_true", help="Run what waits, oldest first, then end.")
        parser.add_argument("--watch", action="store_true", help="With --run: do not end, but wait for more.")
        parser.add_argument("--only", type=int, metavar="NUMBER", help="Only the job of this number.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["watch"] and not options["run"]:
            raise CommandError("--watch goes with --run.")
        if not options["run"]:
            self.list_jobs()
            return
        while self.run_next(options["only"]) or options["watch"] and self.wait():
            pass

    def jobs(self, only: int | None = None) -> Any:
        # A spreadsheet or manifest that waits is one that somebody still looks at.
        looked_at = (Batch.Kind.TABLE, Batch.Kind.MANIFEST)
        rows = Batch.objects.filter(state__in=OPEN).exclude(plan={}).exclude(kind__in=looked_at).order_by("pk")
        return rows if only is None else rows.filter(pk=only)

    def list_jobs(self) -> None:
        for job in self.jobs():
            self.stdout.write(
                f"{job.pk}: {job.what}, {job.done} of {job.total} rows, {job.get_state_display().lower()}"
            )
        if not self.jobs().exists():
            self.stdout.write("No job waits.")

    def run_next(self, only: int | None) -> bool:
        """Run the oldest job to its end; whether there was one."""
        job = self.jobs(only).first()
        if job is None:
            return False
        self.stdout.write(f"{job.pk}: {job.what}")
        while job.state in OPEN:
            job = bulk.continued(job)
            self.stdout.write(f"{job.pk}: {job.done} of {job.total} rows")
        self.stdout.write(f"{job.pk}: {job.get_state_display().lower()}. {job.said}")
        return True

    def wait(self) -> bool:
        time.sleep(WAIT_SECONDS)
        return True

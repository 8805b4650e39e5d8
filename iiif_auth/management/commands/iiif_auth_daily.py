"""Does what is due once a day: reminders by e-mail, what is published at a time, and deleting what has ended."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from iiif_auth import daily


class Command(BaseCommand):
    help = "Do the work of the day: reminders, drafts to be published, and deleting what has ended. Run it once a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        failed = 0
        for done in daily.run(timezone.now(), dry=dry_run):
            if done.failed:
                failed += 1
                self.stderr.write(self.style.ERROR(f"{done.path} failed: {done.said}"))
            else:
                self.stdout.write(done.said)
        if failed:
            raise CommandError(f"{failed} of the pieces of work failed; the others were done. The log says more.")

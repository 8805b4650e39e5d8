"""Deletes what has ended. Nothing depends on it: what has ended counts for nothing, deleted or not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import ngettext

from iiif_auth import passes


class Command(BaseCommand):
    help = "Delete tokens that have ended, and passes a week after their end. Run it once a day."

    def handle(self, *args: Any, **options: Any) -> None:
        tokens, held = passes.prune()
        deleted = ngettext("Deleted %d token that had ended", "Deleted %d tokens that had ended", tokens) % tokens
        ended = ngettext("%d pass that ended over a week ago", "%d passes that ended over a week ago", held) % held
        self.stdout.write(f"{deleted} and {ended}.")

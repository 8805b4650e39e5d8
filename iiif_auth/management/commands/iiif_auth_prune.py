"""Deletes what has ended. Nothing depends on it: what has ended counts for nothing, deleted or not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from iiif_auth import passes


class Command(BaseCommand):
    help = "Delete tokens that have ended, and passes a week after their end. iiif_auth_daily does it too."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(passes.due(timezone.now()))

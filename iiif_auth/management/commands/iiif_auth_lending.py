"""Call who is next in the waiting lists for copies; run it every few minutes where readers wait for mail."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from iiif_auth.lending import due


class Command(BaseCommand):
    help = "Keep free copies for those who wait for them, and mail them. Loans end by themselves, with or without this."

    def handle(self, *args: Any, **options: Any) -> None:
        works = due.call_next(timezone.now())
        self.stdout.write(f"Waiting lists looked after: {works}.")

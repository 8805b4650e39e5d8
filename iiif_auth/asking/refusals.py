"""Refusals that a reader can quote: one row for each visit to the page that says why not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from iiif_auth.asking import codes
from iiif_auth.models import Refusal
from iiif_auth.policy.types import Address

KEPT = timedelta(days=30)
SAME_VISIT = timedelta(minutes=30)
"""Whoever opens the page again keeps the code."""
MOST_FROM_ONE_ADDRESS = 30
MOST_AT_ALL = 5_000
"""In an hour; beyond that the page says the same, without a code."""
ATTEMPTS = 5


def code_for(url: str, user: Any, address: Address | None, agreed: Iterable[str], why: str, at: datetime) -> str:
    """The code of this refusal; ``""`` if there were too many."""
    where = str(address) if address is not None else None
    same = Refusal.objects.filter(url=url, address=where, user=user, why=why, at__gt=at - SAME_VISIT).first()
    if same is not None:
        return same.code
    recent = Refusal.objects.filter(at__gt=at - timedelta(hours=1)).order_by()
    if _as_many(recent.filter(address=where), MOST_FROM_ONE_ADDRESS) or _as_many(recent, MOST_AT_ALL):
        return ""
    return _written(Refusal(url=url, user=user, address=where, agreed=sorted(agreed), why=why, at=at))


def _as_many(rows: Any, most: int) -> bool:
    return bool(rows[:most].count() >= most)


def _written(row: Refusal) -> str:
    for _attempt in range(ATTEMPTS):
        row.code = codes.new_code()
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            row.pk = None
            continue
        return row.code
    return ""

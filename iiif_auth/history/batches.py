"""Batches: what was changed together, for one reason."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from iiif_auth.history.author import name_of, person
from iiif_auth.models import Batch

MOST_WHAT = 500


def begun(
    kind: Batch.Kind, user: Any, what: str, reason: str, total: int = 0, plan: dict[str, Any] | None = None
) -> Batch:
    """A new batch. With a plan it waits for ``manage.py iiif_auth_batch``; without one it is running."""
    return Batch.objects.create(
        kind=kind,
        what=what[:MOST_WHAT],
        reason=reason,
        actor=person(user),
        actor_name=name_of(person(user)),
        state=Batch.State.WAITING if plan else Batch.State.RUNNING,
        total=total,
        plan=plan or {},
    )


def ended(batch: Batch, said: str, *, failed: bool = False) -> None:
    """The batch is over; ``said`` is what came of it, a sentence."""
    batch.done = batch.done or batch.changes.count()
    batch.total = batch.total or batch.done
    batch.state = Batch.State.FAILED if failed else Batch.State.DONE
    batch.said, batch.finished = said, timezone.now()
    batch.save(update_fields=["done", "total", "state", "said", "finished"])

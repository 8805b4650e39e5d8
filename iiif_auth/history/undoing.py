"""Putting back what was changed: a batch, or one change. That is a change itself, and is written down like any other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import router, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from iiif_auth.history.author import by
from iiif_auth.history.batches import begun, ended
from iiif_auth.history.nets import folded
from iiif_auth.history.putting_back import PuttingBack
from iiif_auth.models import Batch, Change

UNDONE_WITHIN = timedelta(days=30)
MOST_LEFT = 1000
"""How many sentences about rows that were left as they are a batch remembers."""


class NotUndone(Exception):
    """Nothing was put back; ``sentences`` say why not."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self.sentences = tuple(sentences)
        super().__init__(" ".join(self.sentences))


def undoable(batch: Batch) -> str:
    """Empty if this batch can be put back, else the sentence why not."""
    unfinished = {
        Batch.State.WAITING: gettext("It has not begun yet."),
        Batch.State.RUNNING: gettext("It is still running."),
        Batch.State.UNDONE: gettext("It was put back already."),
    }
    if batch.state in unfinished:
        return unfinished[Batch.State(batch.state)]
    last = (batch.finished or batch.created) + UNDONE_WITHIN
    if last <= timezone.now():
        return gettext("It could be put back until %(day)s.") % {"day": date_format(timezone.localtime(last))}
    return "" if batch.changes.exists() else gettext("It changed nothing.")


def changes_of(batch: Batch) -> Any:
    """The changes of a batch in the order in which they were made."""
    return batch.changes.order_by("pk").iterator(chunk_size=2000)


def obstacles(batch: Batch) -> list[str]:
    """A sentence for each row that would be left as it is, were the batch put back now. Changes nothing."""
    return PuttingBack(folded(changes_of(batch)), _using()).check()


def undo(batch: Batch, user: Any, reason: str) -> Batch:
    """Put every row of a batch back as it was, as a new batch, in one transaction.

    Rows that were changed since are left as they are, with a sentence for each in ``plan["left"]`` of the new batch.

    Raises:
        NotUndone: it can not be put back, or not one row of it can.
    """
    with transaction.atomic(using=_using()):
        made = begun(Batch.Kind.UNDO, user, putting_back(batch), reason)
        _undo(made, batch.pk, user, reason)
    return made


def undo_later(batch: Batch, user: Any, reason: str) -> Batch:
    """Have a large batch put back as a job, by ``manage.py iiif_auth_batch``.

    Raises:
        NotUndone: it can not be put back.
    """
    if why := undoable(batch):
        raise NotUndone([why])
    return begun(Batch.Kind.UNDO, user, putting_back(batch), reason, batch.changes.count(), {"undo": batch.pk})


def undo_into(made: Batch) -> None:
    """Do what a batch from :func:`undo_later` is there for, within the transaction around."""
    try:
        with transaction.atomic(using=_using()):
            _undo(made, made.plan["undo"], made.actor, made.reason)
    except NotUndone as error:
        ended(made, " ".join(error.sentences[:5]), failed=True)


def putting_back(batch: Batch) -> str:
    return gettext("Put back: %(what)s") % {"what": batch.what}


def _undo(made: Batch, key: Any, user: Any, reason: str) -> None:
    batch = Batch.objects.using(_using()).select_for_update().get(pk=key)
    if why := undoable(batch):
        raise NotUndone([why])
    nets = folded(changes_of(batch))
    made.total, made.undoes = len(nets), batch
    with by(user, reason=reason, batch=made):
        left = PuttingBack(nets, _using()).put_back()
    if nets and len(left) >= len(nets):
        raise NotUndone(left)
    _over(made, batch, left)


def _over(made: Batch, batch: Batch, left: list[str]) -> None:
    made.done = made.total - len(left)
    made.plan = {"left": left[:MOST_LEFT]}
    made.save(update_fields=["undoes", "plan"])
    said = ngettext("%(n)d row was put back.", "%(n)d rows were put back.", made.done) % {"n": made.done}
    kept = ngettext("%(n)d row was left as it is.", "%(n)d rows were left as they are.", len(left)) % {"n": len(left)}
    ended(made, f"{said} {kept}" if left else said)
    batch.state = Batch.State.UNDONE
    batch.save(update_fields=["state"])


def revert(change: Change, user: Any, reason: str) -> None:
    """Put one row back as it was before a change, as a new change.

    Raises:
        NotUndone: the row was changed since, or what it needs is gone.
    """
    with transaction.atomic(using=_using()), by(user, reason=reason):
        if left := PuttingBack(folded([change]), _using()).put_back():
            raise NotUndone(left)


def revertible(change: Change) -> str:
    """Empty if this change can be put back, else the sentence why not. Changes nothing."""
    return " ".join(PuttingBack(folded([change]), _using()).check())


def _using() -> str:
    return router.db_for_write(Change)

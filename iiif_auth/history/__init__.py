"""What was changed, by whom, why; and putting it back.

Single rows are watched by signals. ``QuerySet.update`` and ``bulk_create`` send none, so many rows are changed with
:func:`updated`, :func:`created` and :func:`deleted`.
"""

from __future__ import annotations

from iiif_auth.history.author import Author, by, current
from iiif_auth.history.batches import begun, ended
from iiif_auth.history.many import created, deleted, updated
from iiif_auth.history.recording import connect
from iiif_auth.history.undoing import NotUndone, obstacles, revert, revertible, undo, undo_into, undo_later, undoable

__all__ = [
    "Author",
    "NotUndone",
    "begun",
    "by",
    "connect",
    "created",
    "current",
    "deleted",
    "ended",
    "obstacles",
    "revert",
    "revertible",
    "undo",
    "undo_into",
    "undo_later",
    "undoable",
    "updated",
]

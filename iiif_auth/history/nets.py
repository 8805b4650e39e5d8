"""What became of each row in the end, if it was changed more than once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

from iiif_auth.history.snapshots import MODELS, State, unnamed
from iiif_auth.models import Change


@dataclass(slots=True)
class Net:
    """One row before the first and after the last of some changes; ``None`` where it did not exist.

    Of a row that was there all the time, the states hold what was changed of it; otherwise all of it.
    """

    model: type[Model]
    row: Any
    name: str
    before: State | None
    after: State | None

    def then(self, change: Change) -> None:
        """What another change made of it."""
        before, after = unnamed(change.before), unnamed(change.after)
        if self.before is not None and change.action != Change.Action.ADDED:
            self.before = {**before, **self.before}
        if change.action == Change.Action.DELETED:
            self.after = None
        else:
            self.after = {**(self.after or {}), **after}
        self.name = change.name or self.name


def folded(changes: Iterable[Change]) -> list[Net]:
    """What all of these changes came to, row by row; rows that came and went again are left out."""
    nets: dict[tuple[str, Any], Net] = {}
    for change in changes:
        if change.model not in MODELS:
            continue  # a kind of rule that there is no more
        known = nets.get((change.model, change.row))
        if known is None:
            nets[(change.model, change.row)] = begun_with(change)
        else:
            known.then(change)
    return [net for net in nets.values() if net.before is not None or net.after is not None]


def begun_with(change: Change) -> Net:
    return Net(
        MODELS[change.model],
        change.row,
        change.name,
        None if change.action == Change.Action.ADDED else unnamed(change.before),
        None if change.action == Change.Action.DELETED else unnamed(change.after),
    )

"""Many rows are being changed, or put back, and the process is killed: whatever was begun is whole or not there, and goes on.

``python -m tests.bulk.killed --points 200 --seed 1`` kills as many times: in turn a change of one transaction, its undo, a job of
many pieces (``iiif_auth_batch``), and the job that puts that back. A job is run again until it is over, and killed each time.
On SQLite, or with ``--postgres`` on a PostgreSQL of its own. The twin (``--twin``) works without transactions; it must be caught.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, nullcontext, redirect_stdout
from functools import partial
from typing import Any

from tests.exchange.killed import database
from tests.killing import Aim, Work, killed_after

CHUNK = 40
Began = Callable[[], None]


# -- The child ----------------------------------------------------------------------------------------------------


def careless(using: Any = None, **_: Any) -> Any:
    """In place of a transaction, as a decorator or as a block."""
    return using if callable(using) else nullcontext()


def without_transactions() -> None:
    from django.db import transaction

    transaction.atomic = careless  # type: ignore[assignment]


def at_once(twin: bool, began: Began) -> None:
    """Give every row the policy, in one transaction."""
    from iiif_auth import bulk

    user, rows, deed = ordered()
    if twin:
        without_transactions()
    began()
    bulk.started(deed, rows, user, "At once", "killed on purpose")


def put_back(twin: bool, began: Began) -> None:
    """Undo the change that was made last, in one transaction."""
    from iiif_auth import history
    from iiif_auth.models import Batch

    user = ordered()[0]
    batch = Batch.objects.filter(kind="bulk", state="done").latest("pk")
    if twin:
        without_transactions()
    began()
    history.undo(batch, user, "killed on purpose")


def job(twin: bool, began: Began) -> None:
    """Run whatever job waits."""
    from django.core.management import call_command

    if twin:
        without_transactions()
    began()
    with open(os.devnull, "w", encoding="ascii") as nowhere, redirect_stdout(nowhere):
        call_command("iiif_auth_batch", "--run", stdout=nowhere)


# -- The parent ---------------------------------------------------------------------------------------------------


def prepared(rows: int) -> None:
    from django.contrib.auth import get_user_model

    from iiif_auth.models import AccessPolicy, Resource

    get_user_model().objects.create_superuser("killer", "killer@example.org", "secret")
    AccessPolicy.objects.create(slug="closed", name="Closed")
    Resource.objects.bulk_create(
        Resource(url=f"/iiif/3/{number}", label={"en": [f"Number {number}"]}) for number in range(rows)
    )


def ordered() -> tuple[Any, Any, Any]:
    """Whoever orders it, the rows, and the deed."""
    from django.contrib.auth import get_user_model

    from iiif_auth.bulk.deeds import SetPolicy
    from iiif_auth.models import AccessPolicy, Resource

    user = get_user_model().objects.get(username="killer")
    return user, Resource.objects.order_by("pk"), SetPolicy(AccessPolicy.objects.get(slug="closed").pk)


def closed() -> int:
    from django.db import connection

    from iiif_auth.models import Resource

    connection.close()
    return Resource.objects.filter(policy__slug="closed").count()


def changes(batch: Any) -> int:
    from iiif_auth.models import Change

    return Change.objects.filter(batch=batch).count()


def whole_or_not(kind: str, rows: int, before: int, after: int) -> str:
    """``before``, ``after``, or what is half done: after a work of one transaction."""
    from iiif_auth.models import Batch

    there, batch = closed(), Batch.objects.filter(kind=kind).order_by("-pk").first()
    if batch is None and there == before:
        return "before"
    if batch is not None and (batch.state, changes(batch), there) == ("done", rows, after):
        return "after"
    return f"{kind}: {there} closed, {batch and (batch.state, batch.done, changes(batch))}"


def pieces(key: int, rows: int, closed_at: Callable[[int], int]) -> str:
    """``before``, ``middle`` or ``after``, or what is half done: of a job, whose pieces are whole each with its note."""
    from iiif_auth.models import Batch

    there, batch = closed(), Batch.objects.get(pk=key)
    states = {0: ("waiting",), rows: ("done",)}.get(batch.done, ("running",))
    whole = batch.done == rows or batch.done % CHUNK == 0
    if not (whole and batch.state in states and changes(batch) == batch.done and there == closed_at(batch.done)):
        return f"job {key}: {batch.state}, {batch.done} done, {changes(batch)} changes, {there} closed"
    return {0: "before", rows: "after"}.get(batch.done, "middle")


def clean() -> None:
    """Everything as it was, without going through the history."""
    from iiif_auth.models import Batch, Change, Resource

    Resource.objects.update(policy=None)
    Change.objects.all().delete()
    Batch.objects.update(undoes=None)
    Batch.objects.all().delete()


def waits(undoes: Any = None) -> int:
    """A job that waits: to give every row the policy, or to put that back."""
    from iiif_auth import bulk, history

    user, rows, deed = ordered()
    if undoes is not None:
        return int(history.undo_later(undoes, user, "killed on purpose").pk)
    return int(bulk.started(deed, rows, user, "A job", "killed on purpose").pk)


class Killer:
    """Kills, looks, and counts what was found by what was being done."""

    def __init__(self, seed: int, rows: int, twin: bool) -> None:
        self.rows, self.twin, self.chance = rows, twin, random.Random(seed)
        self.aims: dict[str, Aim] = {}
        self.found: Counter[str] = Counter()

    def kill(self, name: str, work: Callable[[bool, Began], None], look: Callable[[], str]) -> str:
        """One point: kill this work somewhere, and say what it left."""
        bound: Work = partial(work, self.twin)
        aim = self.aims.setdefault(name, Aim(0.5, self.chance))
        killed_after(aim.seconds(), bound)
        left = look()
        aim.learn(begun=left != "before", over=left == "after")
        known = left in ("before", "middle", "after")
        self.found[f"{name}: {left if known else 'between'}"] += 1
        if not known:
            print(left, file=sys.stderr)
        return left if known else "between"

    def in_one(self) -> None:
        """A change of one transaction and its undo."""
        left = self.kill("at once", at_once, lambda: whole_or_not("bulk", self.rows, 0, self.rows))
        if left == "before":
            killed_after(None, partial(at_once, False))
        if left != "between":
            self.kill("undo", put_back, lambda: whole_or_not("undo", self.rows, self.rows, 0))

    def in_pieces(self) -> None:
        """A job, killed again and again until it is over; then the one that puts it back, which is of one piece."""
        from iiif_auth.models import Batch

        key = waits()
        left = self._until_over("job", key, lambda done: done)
        if left == "after":
            undo = waits(Batch.objects.get(pk=key))
            self._until_over("job that undoes", undo, lambda done: self.rows - done)

    def _until_over(self, name: str, key: int, closed_at: Callable[[int], int]) -> str:
        left, tries = "before", 0
        while left in ("before", "middle") and tries < 10:
            left = self.kill(name, job, lambda: pieces(key, self.rows, closed_at))
            tries += 1
        if left in ("before", "middle"):
            killed_after(None, partial(job, False))
            left = pieces(key, self.rows, closed_at)
            assert left == "after", left
        return left


def ran(points: int, seed: int, rows: int, twin: bool = False) -> Counter[str]:
    """Kill at least so many times; how many left what."""
    from iiif_auth import bulk

    prepared(rows)
    killer = Killer(seed, rows, twin)
    bulk.running.CHUNK = CHUNK
    most = bulk.running.MOST_AT_ONCE
    while killer.found.total() < points:
        for limit, deed in ((most, killer.in_one), (1, killer.in_pieces)):
            bulk.running.MOST_AT_ONCE = limit
            deed()
            clean()
    return killer.found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--twin", action="store_true", help="without transactions")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    given = parser.parse_args()
    with ExitStack() as stack:
        stack.enter_context(database(given.postgres))
        print(json.dumps(ran(given.points, given.seed, given.rows, given.twin)))


if __name__ == "__main__":
    main()

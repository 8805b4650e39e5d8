"""Doing a deed: at once and in one transaction, or piece by piece as a job that may be stopped and goes on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from iiif_auth import history, roles
from iiif_auth.bulk.deeds import Deed, deed_of
from iiif_auth.history.many import database_of, keys_of
from iiif_auth.models import Batch

MOST_AT_ONCE = 20_000
"""Rows of one transaction; more become a job."""
CHUNK = 2_000
"""Rows between two points at which a job may be killed and go on."""


class NotAllowed(Exception):
    """Whoever ordered it may not do it, or no longer."""


def started(deed: Deed, rows: QuerySet[Any], user: Any, what: str, reason: str) -> Batch:
    """Do it to these rows, all or nothing; or, if there are many, have it wait as a job.

    Raises:
        NotAllowed: not with this permission.
    """
    check(deed, rows.model, user)
    keys = [key for part in keys_of(rows, database_of(rows)) for key in part]
    if len(keys) > MOST_AT_ONCE:
        plan = deed.plan() | {"model": rows.model._meta.model_name, "rows": runs(keys)}
        return history.begun(Batch.Kind.BULK, user, what, reason, len(keys), plan)
    with transaction.atomic():
        batch = history.begun(Batch.Kind.BULK, user, what, reason, len(keys))
        batch.done = len(keys)
        changed = done(deed, rows.model, keys, user, batch)
        history.ended(batch, outcome(changed, len(keys) - changed))
    return batch


def check(deed: Deed, model: type[Model], user: Any) -> None:
    if user is None or not user.is_active or not user.has_perm(deed.permission(model)):
        raise NotAllowed(gettext("Whoever ordered this may not do it, or no longer."))


def done(deed: Deed, model: type[Model], keys: Sequence[Any], user: Any, batch: Batch) -> int:
    """Do it to those of these rows that this person may do it to, and that it is not spared; how many these were."""
    now, deed = timezone.now(), deed.as_done_by(user)
    changed = 0
    with history.by(user, batch=batch, reason=batch.reason):
        for start in range(0, len(keys), CHUNK):
            rows = model._default_manager.filter(pk__in=keys[start : start + CHUNK])
            free = deed.free(roles.within(user, deed.permission(model), rows), now)
            chosen = list(free.order_by("pk").values_list("pk", flat=True))
            deed.do(model, chosen, now)
            changed += len(chosen)
    return changed


def outcome(changed: int, left: int) -> str:
    said = ngettext("%(n)d was changed.", "%(n)d were changed.", changed) % {"n": changed}
    kept = ngettext("%(n)d was left as it was.", "%(n)d were left as they were.", left) % {"n": left}
    return f"{said} {kept}" if left else said


# -- Jobs ---------------------------------------------------------------------------------------------------------


def runs(keys: Iterable[int]) -> list[list[int]]:
    """Keys as first and last of each unbroken row of numbers: ten thousand rows that were made together are one."""
    found: list[list[int]] = []
    for key in sorted(keys):
        if found and found[-1][1] == key - 1:
            found[-1][1] = key
        else:
            found.append([key, key])
    return found


def part_of(several: list[list[int]], start: int, count: int) -> list[int]:
    """So many keys of these runs from a position on."""
    found: list[int] = []
    for first, last in several:
        size = last - first + 1
        if start < size:
            found += range(first + start, min(last, first + start + count - len(found) - 1) + 1)
            if len(found) >= count:
                break
        start = max(0, start - size)
    return found


def continued(batch: Batch) -> Batch:
    """Do the next piece of a job, together with the note of how far it is; the job as it is then.

    A job that can not go on fails, with the reason; what it did until then can be put back.
    """
    with transaction.atomic():
        batch = Batch.objects.select_for_update(of=("self",)).select_related("actor").get(pk=batch.pk)
        if batch.state not in (Batch.State.WAITING, Batch.State.RUNNING) or not batch.plan:
            return batch
        try:
            _next_piece(batch)
        except (NotAllowed, LookupError, TypeError) as error:
            history.ended(batch, _why(error), failed=True)
    return batch


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, NotAllowed) else gettext("This job was planned by another version.")


def _next_piece(batch: Batch) -> None:
    if "undo" in batch.plan:
        history.undo_into(batch)
        return
    deed, model = deed_of(batch.plan), apps.get_model("iiif_auth", batch.plan["model"])
    check(deed, model, batch.actor)
    keys = part_of(batch.plan["rows"], batch.done, CHUNK)
    changed = done(deed, model, keys, batch.actor, batch)
    batch.plan["changed"] = batch.plan.get("changed", 0) + changed
    batch.done += len(keys)
    batch.state = Batch.State.RUNNING
    batch.save(update_fields=["plan", "done", "state"])
    if batch.done >= batch.total:
        history.ended(batch, outcome(batch.plan["changed"], batch.total - batch.plan["changed"]))


def stopped(batch: Batch, user: Any, at: datetime | None = None) -> bool:
    """Stop a job between two pieces; whether it was there to be stopped."""
    with transaction.atomic():
        batch = Batch.objects.select_for_update().get(pk=batch.pk)
        if batch.state not in (Batch.State.WAITING, Batch.State.RUNNING) or not batch.plan:
            return False
        done_so_far = batch.done
        history.ended(batch, gettext("Stopped by %(name)s.") % {"name": user.get_username()}, failed=True)
        Batch.objects.filter(pk=batch.pk).update(done=done_so_far)
    return True

"""A spreadsheet is being applied, and the process is killed: afterwards everything is as before, or everything is done.

``python -m tests.exchange.killed --points 200 --seed 1`` kills as many times, at moments drawn from the whole length of an
import, on SQLite or on the database of ``DATABASE_URL``; with ``--postgres`` on a PostgreSQL of its own. The
twin (``--twin``) applies without a transaction, and must be caught.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial

from tests.killing import Aim, killed_after

REASON = "killed on purpose"


# -- The child ----------------------------------------------------------------------------------------------------


def child(twin: bool, began: Callable[[], None]) -> None:
    """Apply the file that waits."""
    from django.db import transaction

    from iiif_auth.exchange import uploads
    from iiif_auth.models import Batch

    apply = uploads.apply
    if twin:
        transaction.atomic = nothing  # type: ignore[assignment]
        apply = uploads._apply.__wrapped__  # type: ignore[attr-defined]
    batch = Batch.objects.select_related("actor").get(kind="table", state="waiting")
    began()
    apply(batch, REASON)


def nothing(using: object = None, **_: object) -> object:
    """In place of a transaction, as a decorator or as a block."""
    return using if callable(using) else nullcontext()


# -- The parent ---------------------------------------------------------------------------------------------------


def prepared(rows: int) -> None:
    """Rows, and a file about them that waits."""
    from django.contrib.auth import get_user_model

    from iiif_auth.exchange import delimited, uploads
    from iiif_auth.exchange.dates import Style
    from iiif_auth.models import AccessPolicy, Resource

    user = get_user_model().objects.create_superuser("killer", "killer@example.org", "secret")
    AccessPolicy.objects.create(slug="closed", name="Closed")
    Resource.objects.bulk_create(
        Resource(url=f"/iiif/3/{number}", label={"en": [f"Number {number}"]}) for number in range(rows)
    )
    lines = ["identifier,policy,closed until,note"]
    lines += [f"/iiif/3/{number},closed,2040-01-01,{number % 10}" for number in range(rows + 50)]
    batch = uploads.table(user, delimited.read("\n".join(lines).encode()), "killed.csv", {})
    uploads.mapped(batch, batch.plan["mapping"], Style())


def state(rows: int) -> str:
    """``"before"`` or ``"after"``, or what is half done, as JSON."""
    from django.db import connection

    from iiif_auth.models import Batch, Change, Embargo, Resource

    connection.close()
    batch = Batch.objects.filter(kind="table").get()
    facts = {
        "batch": batch.state,
        "resources": Resource.objects.count(),
        "closed": Resource.objects.filter(policy__slug="closed").count(),
        "noted": Resource.objects.exclude(remarks="").count(),
        "embargoes": Embargo.objects.count(),
        "changes": Change.objects.filter(batch=batch).count(),
    }
    done = rows + 50
    before = {"batch": "waiting", "resources": rows, "closed": 0, "noted": 0, "embargoes": 0, "changes": 0}
    after = {"batch": "done", "resources": done, "closed": done, "noted": done, "embargoes": done}
    if facts == before:
        return "before"
    counted = facts.pop("changes")
    return "after" if facts == after and counted >= 2 * done else json.dumps({**facts, "changes": counted})


def put_back(rows: int) -> None:
    """Everything as it was before the import, without going through the history."""
    from iiif_auth.models import Batch, Change, Embargo, Resource

    batch = Batch.objects.filter(kind="table")
    Embargo.objects.all().delete()
    Resource.objects.filter(url__in=[f"/iiif/3/{number}" for number in range(rows, rows + 50)]).delete()
    Resource.objects.update(policy=None, remarks="")
    Change.objects.all().delete()
    batch.update(state="waiting", reason="", said="", done=0, finished=None, total=rows + 50)


def ran(points: int, seed: int, rows: int, twin: bool = False) -> Counter[str]:
    """Kill so many imports at random moments; how many left what."""
    prepared(rows)
    work = partial(child, twin)
    aim = Aim(killed_after(None, work), random.Random(seed))
    assert twin or state(rows) == "after", state(rows)
    put_back(rows)
    found: Counter[str] = Counter()
    for number in range(points):
        killed_after(aim.seconds(), work)
        left = state(rows)
        aim.learn(begun=True, over=left == "after")
        found[left if left in ("before", "after") else "between"] += 1
        if left not in ("before", "after"):
            print(f"point {number}: {left}", file=sys.stderr)
        put_back(rows)
    return found


@contextmanager
def database(postgres: bool) -> Iterator[None]:
    """An empty database of one's own, migrated; the child finds it in the environment."""
    from tests.tables import made_ready

    with tempfile.TemporaryDirectory(prefix="iiif-auth-killed-") as place, _url(postgres, place) as url:
        os.environ |= {"DATABASE_URL": url, "DEMO_DATA": place, "DJANGO_SETTINGS_MODULE": "project.settings"}
        import django

        django.setup()
        made_ready()
        yield
        from django.db import connection

        connection.close()


@contextmanager
def _url(postgres: bool, place: str) -> Iterator[str]:
    if not postgres:
        yield f"sqlite:///{place}/killed.sqlite3"
        return
    from tests.postgres.cluster import cluster

    with cluster() as found:
        yield found.url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rows", type=int, default=400, help="in the spreadsheet, and fifty more that are new")
    parser.add_argument("--twin", action="store_true", help="without a transaction")
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    given = parser.parse_args()
    with database(given.postgres):
        print(json.dumps(ran(given.points, given.seed, given.rows, given.twin)))


if __name__ == "__main__":
    main()

"""What the history costs when many rows are changed at once: ratios against the plain statements of the database.

python -m tests.bench.many [rows]                SQLite, in a file that is thrown away
python -m tests.bench.many [rows] --postgres     a private PostgreSQL; DATABASE_URL names another one
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from time import perf_counter

from tests.bench.__main__ import database

ROUNDS = 3


def timed(work: Callable[[], object]) -> float:
    """Seconds, the best of some rounds; each is rolled back."""
    from django.db import transaction

    best = float("inf")
    for _round in range(ROUNDS):
        with transaction.atomic():
            begun = perf_counter()
            work()
            best = min(best, perf_counter() - begun)
            transaction.set_rollback(True)
    return best


def main(rows: int) -> None:
    from iiif_auth import history
    from iiif_auth.models import AccessPolicy, Batch, Change, Embargo, Resource

    policies = [AccessPolicy.objects.create(slug=f"policy-{number}", name=f"Policy {number}") for number in range(3)]
    Resource.objects.bulk_create(
        [
            Resource(
                url=f"/iiif/3/sheet-{number}",
                label={"en": [f"Sheet {number}"]},
                image_api=3,
                policy=policies[number % 2] if number % 5 else None,
            )
            for number in range(rows)
        ],
        batch_size=1000,
    )
    chosen = Resource.objects.all()
    batch = history.begun(Batch.Kind.BULK, None, "Bench", "To measure")
    with history.by(None, batch=batch, reason="To measure"):
        plain = timed(lambda: chosen.update(policy=policies[2]))
        kept = timed(lambda: history.updated(chosen, policy=policies[2]))

        def embargoes() -> list[Embargo]:
            return [Embargo(resource=row) for row in Resource.objects.all()]

        plain_created = timed(lambda: Embargo.objects.bulk_create(embargoes(), batch_size=1000))
        kept_created = timed(lambda: history.created(Embargo, embargoes()))
        history.updated(chosen, policy=policies[2])
    history.ended(batch, "Done.")
    undone = timed(lambda: history.undo(batch, None, "To measure"))
    checked = timed(lambda: history.obstacles(batch))
    for what, seconds, against in (
        ("update()", plain, plain),
        ("history.updated()", kept, plain),
        ("bulk_create()", plain_created, plain_created),
        ("history.created()", kept_created, plain_created),
        ("history.obstacles()", checked, plain),
        ("history.undo()", undone, plain),
    ):
        print(f"{what:22} {seconds * 1000:8.0f} ms  x {seconds / against:.1f}")
    print(f"{rows} rows, {Change.objects.count()} changes kept")


def start() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.many", description="What many changes at once cost.")
    options.add_argument("rows", type=int, nargs="?", default=10_000)
    options.add_argument("--postgres", action="store_true")
    given = options.parse_args()
    with database(given.postgres):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
        os.environ.setdefault("SECRET_KEY", "measured, not served")
        import django
        from django.test.utils import setup_databases, teardown_databases

        django.setup()
        made = setup_databases(verbosity=0, interactive=False)
        try:
            main(given.rows)
        finally:
            teardown_databases(made, verbosity=0)


if __name__ == "__main__":
    start()

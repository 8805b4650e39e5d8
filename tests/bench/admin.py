"""What every page of the admin costs with a hundred thousand resources and as many grants (administrators.md, 2.6).

    python -m tests.bench.admin                SQLite
    python -m tests.bench.admin --postgres     a private PostgreSQL; DATABASE_URL names another one

Each page is asked for as a superuser; a line tells its queries, its milliseconds (the median of some rounds; “cpu” is what of
them this process worked, which tells more on a busy machine), its kilobytes, and the ratio of its time to a list of Django's own
with one row. Nothing is asserted.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from statistics import median
from typing import Any, NamedTuple

from tests.bench.__main__ import database

QUERIES, MILLISECONDS, KILOBYTES = 30, 500, 500


class Told(NamedTuple):
    name: str
    status: int
    queries: int
    took: float
    worked: float
    size: float


def main() -> None:
    options = argparse.ArgumentParser(prog="python -m tests.bench.admin", description="What pages of the admin cost.")
    options.add_argument("--rows", type=int, default=100_000, help="resources, and as many grants")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--postgres", action="store_true")
    options.add_argument("--only", default="", help="pages whose name has this in it")
    given = options.parse_args()
    with database(given.postgres):
        run(given)


def run(given: argparse.Namespace) -> None:
    os.environ.update(DJANGO_SETTINGS_MODULE="project.settings", DEBUG="false", SECRET_KEY="measured, not served")
    import django
    from django.conf import settings

    from tests.tables import made_ready

    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.startswith("whitenoise.")]
    django.setup()
    made_ready()
    from django.contrib.auth.models import Group, User
    from django.test import Client

    from tests.admin import crowd

    Group.objects.create(name="Only one")
    print(f"making {given.rows} resources and grants", file=sys.stderr)
    crowd.fill(given.rows, given.rows)
    client = Client()
    client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    wanted = [("stock list, one row", "/admin/auth/group/?q=Only"), *asked(given.only)]
    told = [measured(client, name, address, given.rounds) for name, address in wanted]
    table(told)


def asked(only: str) -> list[tuple[str, str]]:
    from tests.admin import crowd

    lists = [
        ("resources: searched", "/admin/iiif_auth/resource/?q=crowd-77777"),
        ("resources: by policy", "/admin/iiif_auth/resource/?policy__id__exact=1"),
        ("resources: page 500", "/admin/iiif_auth/resource/?p=500"),
        ("grants: searched", "/admin/iiif_auth/grant/?q=crowd-77"),
        ("grants: running", "/admin/iiif_auth/grant/?state=running"),
    ]
    return [(name, address) for name, address in [*lists, *crowd.pages()] if only in name]


def measured(client: Any, name: str, address: str, rounds: int) -> Told:
    """Asked once for the queries, then some times for the clock."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    print(f"\r{name:60}", end="", file=sys.stderr, flush=True)
    took, worked = [], []
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
        asked_of_database = len(queries)
    for _ in range(rounds):
        before, begun = time.perf_counter(), time.process_time()
        answer = client.get(address)
        took.append((time.perf_counter() - before) * 1000)
        worked.append((time.process_time() - begun) * 1000)
    body = b"" if answer.streaming else answer.content
    return Told(name, answer.status_code, asked_of_database, median(took), median(worked), len(body) / 1000)


def table(told: list[Told]) -> None:
    base = told[0].took
    print(f"\r{'page':46}{'status':>7}{'queries':>9}{'ms':>8}{'cpu':>8}{'ratio':>8}{'kB':>8}")
    worst = 0
    for one in told:
        over = one.queries > QUERIES or one.took > MILLISECONDS or one.size > KILOBYTES
        worst += over
        figures = (
            f"{one.status:>7}{one.queries:>9}{one.took:>8.0f}{one.worked:>8.0f}{one.took / base:>8.1f}{one.size:>8.0f}"
        )
        print(f"{one.name:46}{figures}{'  too much' if over else ''}")
    print(f"{len(told)} pages, {worst} over {QUERIES} queries, {MILLISECONDS} ms or {KILOBYTES} kB")


if __name__ == "__main__":
    main()

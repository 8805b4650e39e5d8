"""Readers who want the same copy at the same instant, many times over, on a database of its own.

    DATABASE_URL=… python -m tests.lending.races ROUNDS [twin]

Eight readers at each barrier ask for one of two copies; now and then one gives a copy back meanwhile, and a loan is over by the
clock. Prints in how many rounds more than two were out, how many were lent, and how many failed. The ``twin`` looks how many are
out and then lends, without taking hold of the work, and must be caught.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Barrier, Thread

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from iiif_auth import identify  # noqa: E402
from iiif_auth.lending import counter  # noqa: E402
from iiif_auth.lending.counter import NotLent, Reader  # noqa: E402
from iiif_auth.lending.wanted import Wanted  # noqa: E402
from iiif_auth.models import LentWork, Loan, Pass, Seats  # noqa: E402
from tests.tables import made_ready  # noqa: E402

READERS, COPIES = 8, 2


@contextmanager
def nothing_in_hand(work: LentWork) -> Iterator[datetime]:
    """The twin: nobody waits for anybody."""
    yield timezone.now()
    time.sleep(0.002)


def somebody() -> Reader:
    now = timezone.now()
    later = now + timedelta(hours=12)
    held = Pass.objects.create(
        digest=identify.digest(identify.new_secret()), created=now, seen=now, idle_until=later, ends=later
    )
    return Reader(held.pk, later)


def at_once(deeds: list[Callable[[], object]]) -> int:
    """Do all of it at the same time; how many failed."""
    barrier, failed = Barrier(len(deeds)), []

    def act(deed: Callable[[], object]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(30)
            deed()
        except NotLent:
            pass
        except Exception as problem:  # whatever it is, somebody saw an error page
            failed.append(problem)
        finally:
            connections.close_all()

    threads = [Thread(target=act, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return len(failed)


def race(rounds: int) -> dict[str, int]:
    Seats.objects.create(slug="copies", name="Copies", copies=COPIES)
    work = counter.work_of(Wanted("copies", "/iiif/3/chart", ""))
    readers = [somebody() for _ in range(READERS)]
    found = {"rounds": rounds, "too many": 0, "lent": 0, "failed": 0}
    for number in range(rounds):
        deeds = [lambda one=one: counter.borrow(work, one) for one in readers]
        if number % 3 == 1:  # one who has a copy brings it back
            deeds[0] = lambda: counter.give_back(work, readers[0])
            Loan.objects.create(work=work, holder_id=readers[0].holder, since=timezone.now(), due=readers[0].ends)
        if number % 3 == 2:  # one copy is out, but not any more
            before = timezone.now() - timedelta(hours=1)
            Loan.objects.create(work=work, holder_id=readers[0].holder, since=before, due=before + timedelta(minutes=1))
        found["failed"] += at_once(deeds)
        now = Loan.objects.filter(ended=None).count()
        found["too many"] += now > COPIES
        found["lent"] += now
        Loan.objects.all().delete()
    return found


if __name__ == "__main__":
    made_ready()
    call_command("flush", interactive=False, verbosity=0)
    if sys.argv[2:] == ["twin"]:
        counter.in_hand = nothing_in_hand
    print(json.dumps(race(int(sys.argv[1]))))

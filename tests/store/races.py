"""Logging out while a token is being drawn, many times over, on a database of its own (security K6).

    DATABASE_URL=… python -m tests.store.races ROUNDS [twin]

Prints how many tokens outlived the logout, and how many of the two failed. The ``twin`` draws tokens without taking hold of
the pass, as one would who reads before he writes, and must be caught.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, connections, transaction  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils import timezone  # noqa: E402

from iiif_auth import identify, passes, store  # noqa: E402
from iiif_auth.models import AccessService, Agreement, Pass, Token  # noqa: E402
from iiif_auth.policy import types as policy  # noqa: E402
from tests.tables import made_ready  # noqa: E402

ORIGIN = "https://viewer.example.org"
SEED = 2026


def holder(row: AccessService) -> tuple[str, store.PassFacts]:
    now, secret = timezone.now(), identify.new_secret()
    values = {"created": now, "seen": now, "idle_until": now + timedelta(hours=1), "ends": now + timedelta(hours=1)}
    held = Pass.objects.create(digest=identify.digest(secret), **values)
    Agreement.objects.create(holder=held, service=row, origin=ORIGIN, at=now)
    facts = store.find_pass(held.digest)
    assert facts is not None
    return secret, facts


def careless_mint(service: policy.AccessService, dialect: str, origin: str, facts: store.PassFacts) -> str | None:
    """The twin: it looks whether the pass is there, and takes its time to write."""
    if not Agreement.objects.filter(holder_id=facts.id, service__slug=service.slug).exists():
        return None
    time.sleep(0.002)
    now, secret = timezone.now(), identify.new_secret()
    with transaction.atomic():
        values = {"service": service.slug, "dialect": dialect, "origin": origin, "created": now}
        Token.objects.create(
            digest=identify.digest(secret), holder_id=facts.id, ends=now + timedelta(minutes=5), **values
        )
    return secret


def at_once(*deeds: Callable[[], object]) -> int:
    """Do all of it at the same time; how many failed."""
    barrier, failed, chance = Barrier(len(deeds)), [], random.Random(SEED + time.monotonic_ns())

    def act(deed: Callable[[], object], pause: float) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(10)
            time.sleep(pause)
            deed()
        except Exception as problem:  # whatever it is, somebody saw an error page
            failed.append(problem)
        finally:
            connections.close_all()

    threads = [Thread(target=act, args=(deed, chance.uniform(0, 0.004))) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return len(failed)


def race(rounds: int, mint: Callable[..., object]) -> dict[str, int]:
    login = AccessService.objects.create(slug="login", pattern="login", label={"en": ["Log in"]})
    terms = AccessService.objects.create(slug="terms", pattern="clickthrough", label={"en": ["Agree"]})
    found = {"rounds": rounds, "outlived": 0, "failed": 0, "drawn": 0}
    for number in range(rounds):
        row = (login, terms)[number % 2]
        service = store.rulebook().services[row.slug]
        secret, facts = holder(row)
        if row is terms:  # leaving the terms leaves the pass
            Agreement.objects.create(holder_id=facts.id, service=login, origin=ORIGIN, at=timezone.now())
        request = RequestFactory().get("/", HTTP_COOKIE=f"{identify.COOKIE}={secret}")
        drawn: list[object] = []
        found["failed"] += at_once(
            lambda: drawn.append(mint(service, "2", ORIGIN, facts)),  # noqa: B023 - called in this very round
            lambda: passes.leave(request, service),  # noqa: B023
        )
        found["drawn"] += drawn != [None]
        found["outlived"] += Token.objects.count()
        Pass.objects.all().delete()
    return found


if __name__ == "__main__":
    made_ready()
    call_command("flush", interactive=False, verbosity=0)
    twin = sys.argv[2:] == ["twin"]
    print(json.dumps(race(int(sys.argv[1]), careless_mint if twin else passes.mint)))

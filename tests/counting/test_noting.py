"""Decisions are counted where they are answered, and written down by whichever request ends a minute later."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date
from io import BytesIO
from ipaddress import ip_address
from pathlib import Path

import pytest
from django.core.signals import request_finished
from django.db import DatabaseError
from django.test import RequestFactory
from django.utils import timezone

from iiif_auth import counting
from iiif_auth.counting import noting, writing
from iiif_auth.enforce.wsgi import CheckFirst
from iiif_auth.models import DailyCount, NetworkUse
from tests import factories, web
from tests.enforce.test_check import CHECK, DOORS, SECRET, TILE, ask
from tests.web import Browser, site  # noqa: F401 - a fixture

CHART = "/iiif/3/chart"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def counted(site):  # noqa: F811
    site.IIIF_AUTH_FLOW = {**site.IIIF_AUTH_FLOW, "DOORS": DOORS, "CHECK_SECRET": SECRET, "COUNT_SECONDS": 60}
    counting.forget()
    yield site
    counting.forget()


def shelf(*who: web.JSON):
    """A restricted picture in a collection."""
    collection = factories.CollectionFactory(slug="ledgers")
    return web.restricted(CHART, *who, by=(web.service("login", "login"),), collection=collection)


def rows() -> set[tuple[object, ...]]:
    return set(DailyCount.objects.values_list("door", "collection", "policy", "tier", "decision", "why", "count"))


def test_the_check_is_counted_and_still_costs_one_statement(counted, django_assert_num_queries):
    row = shelf(web.SIGNED_IN)
    ask(TILE)
    with django_assert_num_queries(1):
        ask(TILE)
    assert not DailyCount.objects.exists()
    counting.flush()
    assert rows() == {("content", row.collection_id, row.policy_id, "", "refused", "not-signed-in", 2)}
    assert DailyCount.objects.get().day == timezone.localdate()


def test_the_probe_is_counted_apart(counted):
    row = shelf(web.EVERYONE)
    web.probe(row.url)
    ask(TILE)
    counting.flush()
    assert {line[0] for line in rows()} == {"probe", "content"}


def test_with_no_seconds_nothing_is_counted(counted):
    counted.IIIF_AUTH_FLOW = {**counted.IIIF_AUTH_FLOW, "COUNT_SECONDS": 0}
    counting.forget()
    shelf(web.EVERYONE)
    ask(TILE)
    counting.flush()
    assert not DailyCount.objects.exists()


def test_the_request_that_ends_a_minute_later_writes_and_one_before_does_not(counted):
    shelf(web.EVERYONE)
    ask(TILE)
    noting.flush_when_due(None)
    assert not DailyCount.objects.exists()
    noting.Kept.tally.clock = lambda: noting.Kept.tally.due if noting.Kept.tally.due < 1e300 else 0
    noting.flush_when_due(None)
    assert DailyCount.objects.get().count == 1
    noting.flush_when_due(None)
    assert DailyCount.objects.get().count == 1


def test_a_process_that_answers_nothing_but_checks_writes_too(counted):
    """It sends none of Django's signals, so the end of a check looks by itself."""
    shelf(web.EVERYONE)
    given = {**RequestFactory(HTTP_HOST=web.HOST).get(CHECK).environ, "wsgi.input": BytesIO(b"")}
    given |= {"HTTP_X_IIIF_AUTH_SECRET": SECRET, "HTTP_X_ORIGINAL_URI": TILE}

    def checked() -> None:
        CheckFirst(lambda environ, start: [])(given, lambda status, headers: None).close()

    checked()
    assert not DailyCount.objects.exists()
    noting.Kept.tally.clock = lambda: noting.Kept.tally.due
    checked()
    assert DailyCount.objects.get().count == 2


def test_the_end_of_every_request_looks_whether_it_is_time():
    assert noting.flush_when_due in list(request_finished._live_receivers(None)[0])


def test_what_is_written_twice_is_added_and_not_replaced(counted):
    shelf(web.EVERYONE)
    for _ in range(2):
        ask(TILE)
        counting.flush()
    assert DailyCount.objects.get().count == 2


def test_a_database_that_fails_loses_nothing_and_refuses_nobody(counted, monkeypatch, caplog):
    shelf(web.EVERYONE)
    ask(TILE)

    def broken(*args: object) -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(noting, "write", broken)
        counting.flush()
    assert "tried again" in caplog.text
    assert not DailyCount.objects.exists()
    counting.flush()
    assert DailyCount.objects.get().count == 1


def test_a_failure_in_the_middle_writes_nothing(counted, monkeypatch):
    """Half of what was written would be written again with the next attempt."""
    shelf(web.EVERYONE)
    ask(TILE, Browser(web.READING_ROOM))

    def broken(*args: object) -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(writing, "note_uses", broken)
        counting.flush()
    assert not DailyCount.objects.exists()
    counting.flush()
    assert DailyCount.objects.get().count == 1


def test_no_person_and_no_address_is_kept(counted):
    names = {field.name for model in (DailyCount, NetworkUse) for field in model._meta.get_fields()}
    assert names == {
        *("id", "day", "door", "collection", "policy", "tier", "decision", "why", "count"),
        *("network", "prefix"),
    }


def test_the_line_of_a_network_that_somebody_came_from_has_its_day(counted, django_assert_num_queries):
    network = factories.NetworkFactory(prefixes=["192.0.2.0/28", "198.51.100.0/24"])
    NetworkUse.objects.create(network=network, prefix="192.0.2.0/28", day=date(2025, 1, 1))
    shelf(web.EVERYONE)
    ask(TILE, Browser(web.READING_ROOM))
    counting.flush()
    assert {(one.prefix, one.day) for one in NetworkUse.objects.all()} == {("192.0.2.0/28", timezone.localdate())}
    with django_assert_num_queries(2):  # nothing is written a second time on the same day
        writing.note_uses([ip_address(web.READING_ROOM)], timezone.localdate(), "default")


ADDING = """
import sys, django
django.setup()
from datetime import date
from io import BytesIO
from django.db import connection, transaction
from iiif_auth.counting.writing import Line, written
from iiif_auth.models import DailyCount
if sys.argv[1] == "make":
    with connection.schema_editor() as editor:
        editor.create_model(DailyCount)
else:
    line = Line(date(2026, 11, 21), "probe", 0, 0, "full", "allowed", "")
    for _ in range(25):
        with transaction.atomic():
            written({line: 1, line._replace(decision="refused", why="unknown"): 2}, "default")
"""


def test_nothing_is_lost_where_several_processes_write_at_once(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/counts.sqlite3",
        "DEMO_DATA": str(tmp_path),
        "SECRET_KEY": "of this test only, and of thirty letters",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-c", ADDING]
    subprocess.run([*command, "make"], env=environment, check=True)
    adding = [subprocess.Popen([*command, "add"], env=environment) for _ in range(3)]
    assert [one.wait(60) for one in adding] == [0, 0, 0]
    with closing(sqlite3.connect(tmp_path / "counts.sqlite3")) as kept:
        found = kept.execute("SELECT decision, count FROM iiif_auth_dailycount").fetchall()
    assert dict(found) == {"allowed": 75, "refused": 150}

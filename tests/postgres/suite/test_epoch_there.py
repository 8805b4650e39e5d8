"""What only PostgreSQL can do to a table."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.db import connection

from tests import factories
from tests.store.test_epoch import RULE, Allowed, Denied, epoch, open_chart, outcome, problems, raised

pytestmark = pytest.mark.django_db


def test_a_trigger_that_is_switched_off_is_missed():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE iiif_auth_tier DISABLE TRIGGER iiif_auth_epoch_tier")
    assert problems() == ["iiif_auth.E021"]


def test_emptying_a_table_raises_the_epoch():
    factories.RefusalTextFactory()
    before = epoch()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("TRUNCATE iiif_auth_refusaltext")
    assert raised(before) == RULE


def test_copying_rows_in_raises_the_epoch():
    before = epoch()
    with connection.cursor() as cursor, cursor.copy("COPY iiif_auth_network (slug, name, prefixes) FROM STDIN") as copy:
        copy.write_row(("x", "X", "[]"))
    assert raised(before) == RULE


ELSEWHERE = """
import sys
import django
from django.db import connection
django.setup()
connection.settings_dict["NAME"] = sys.argv[1]
from iiif_auth.models import Condition
Condition.objects.all().delete()
"""


@pytest.mark.django_db(transaction=True)
def test_a_change_by_another_process_is_felt_at_once():
    open_chart()
    assert [outcome(), outcome()] == [Allowed, Allowed]
    subprocess.run([sys.executable, "-c", ELSEWHERE, connection.settings_dict["NAME"]], check=True)
    assert outcome() is Denied

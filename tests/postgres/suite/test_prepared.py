"""Statements that PostgreSQL keeps ready: planned once for a connection, and as true as those that are planned anew."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from iiif_auth import store
from iiif_auth.store import passes, statements
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["kept-ready", "planned-anew"])
def kept_ready(settings, request):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "PREPARED_STATEMENTS": request.param}
    connection.ensure_connection()
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    connection.connection._prepared.clear()  # psycopg would think that they are still there
    return request.param


@pytest.fixture
def held():
    user = factories.UserFactory()
    return factories.PassFactory(user=user, credential=store.credential_mark(user.password))


def ready() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [row[0] for row in cursor.fetchall()]


def test_a_pass_is_looked_for_with_one_plan_however_often_it_is_asked_for(kept_ready, held):
    for _ in range(3):
        assert store.find_pass(held.digest).user == str(held.user_id)
    assert store.find_pass("0" * 64) is None
    assert len(ready()) == kept_ready
    assert all("iiif_auth_pass" in text and held.digest not in text for text in ready())


def test_what_has_changed_since_the_plan_was_made_counts_at_once(kept_ready, held):
    assert store.find_pass(held.digest).groups == frozenset()
    group = factories.GroupFactory()
    held.user.groups.add(group)
    assert store.find_pass(held.digest).groups == {str(group.pk)}
    held.user.is_active = False
    held.user.save()
    assert not store.find_pass(held.digest).sound
    held.delete()
    assert store.find_pass(held.digest) is None


def test_statements_of_the_host_are_as_the_host_says(kept_ready, held):
    store.find_pass(held.digest)
    for _ in range(8):
        assert type(held).objects.filter(pk=held.pk).exists()
    assert len(ready()) == kept_ready
    assert connection.connection.prepare_threshold is None


def test_an_error_is_one_of_djangos(kept_ready):
    with pytest.raises(DatabaseError), transaction.atomic():
        statements.rows("default", statements.prepared("SELECT missing FROM iiif_auth_pass WHERE id = %s"), [1])
    assert connection.connection.prepare_threshold is None


def test_nothing_is_asked_in_a_transaction_that_is_broken(kept_ready, held):
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            store.find_pass(held.digest)
        transaction.set_rollback(False)


def test_whoever_logs_statements_sees_it(kept_ready, held):
    with CaptureQueriesContext(connection) as seen:
        assert passes.presented_pass(held.digest).holder is not None
    assert len(seen) == 1
    assert ready() == []

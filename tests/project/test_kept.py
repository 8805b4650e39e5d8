"""The library that tests are given is, from the second time on, the one that was loaded before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction

from iiif_auth.models import Collection, Resource
from project.management.commands.demo import load_once
from tests import factories
from tests.project.conftest import LIBRARY
from tests.project.kept import Kept

pytestmark = pytest.mark.django_db
EPOCH = frozenset({"iiif_auth_epoch"})


def after(work: Callable[[], object]) -> dict[str, list[str]]:
    """All rows of a database in which that was done, which is then undone."""
    with transaction.atomic():
        work()
        found = {name: sorted(map(repr, rows)) for name, (_columns, rows) in LIBRARY.tables().items()}
        transaction.set_rollback(True)
    assert not Resource.objects.exists()
    return found


def test_what_is_put_in_again_is_what_was_made(settings):
    settings.DEMO = True
    kept = Kept(load_once, EPOCH)
    first = after(kept.put)
    assert sum(map(len, first.values())) > 1000
    assert after(kept.put) == first
    assert {name: len(rows) for name, rows in after(load_once).items()} == {
        name: len(rows) for name, rows in first.items()
    }


def test_what_is_put_in_again_can_be_added_to(settings):
    settings.DEMO = True
    kept = Kept(load_once, EPOCH)
    after(kept.put)
    with transaction.atomic():
        kept.put()
        last = Collection.objects.latest("pk").pk
        assert factories.CollectionFactory().pk > last
        transaction.set_rollback(True)


def test_what_changes_other_rows_is_not_kept():
    mine = Permission.objects.filter(codename="view_grant")
    for change in (lambda: mine.update(name="Another"), lambda: mine.delete()):
        with pytest.raises(AssertionError, match="changed or deleted"), transaction.atomic():
            Kept(change, EPOCH).put()


def test_what_was_made_goes_with_what_was_there(settings):
    settings.DEMO = True
    made: list[str] = []

    def make() -> None:
        group = factories.GroupFactory()
        group.permissions.add(Permission.objects.get(codename="view_grant"))
        made.append(group.name)

    kept = Kept(make, EPOCH)
    with transaction.atomic():
        factories.GroupFactory()
        kept.put()
        transaction.set_rollback(True)
    after(kept.put)
    assert len(made) == 2, "it was not kept beside somebody else's group"
    after(kept.put)
    assert len(made) == 2
    wanted = Permission.objects.get(codename="view_grant")
    Permission.objects.filter(pk=wanted.pk).delete()
    Permission.objects.create(codename=wanted.codename, name=wanted.name, content_type=wanted.content_type)
    after(kept.put)
    assert len(made) == 3, "the permission has another number now"

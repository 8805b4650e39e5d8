"""What a cookie or a token stands for, read in one statement with everything that might have ended it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from iiif_auth import identify, store
from iiif_auth.models import Pass, Token
from tests import factories

pytestmark = pytest.mark.django_db

START = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)


def reader(**values):
    """Somebody in two groups, with a pass that remembers their password."""
    user = factories.UserFactory(**values)
    user.groups.add(factories.GroupFactory(), factories.GroupFactory())
    return user


def pass_of(user, **values):
    mark = store.credential_mark(user.password) if user else ""
    return factories.PassFactory(user=user, credential=mark, created=START, **values)


def test_everything_that_a_pass_says():
    user = reader()
    row = pass_of(user, idle_minutes=20)
    for slug, origin in (("login", "https://a.example"), ("login", ""), ("terms", "https://b.example")):
        service = factories.AccessServiceFactory._meta.model.objects.filter(slug=slug).first()
        factories.AgreementFactory(
            holder=row, service=service or factories.AccessServiceFactory(slug=slug), origin=origin
        )
    assert store.find_pass(row.digest) == store.PassFacts(
        id=row.pk,
        user=str(user.pk),
        groups=frozenset(str(group.pk) for group in user.groups.all()),
        agreements={"login": frozenset({"https://a.example", ""}), "terms": frozenset({"https://b.example"})},
        idle_until=START + timedelta(minutes=30),
        ends=START + timedelta(hours=12),
        idle_minutes=20,
        sound=True,
    )


def test_a_pass_of_nobody():
    row = pass_of(None)
    facts = store.find_pass(row.digest)
    assert (facts.user, facts.groups, facts.agreements, facts.sound) == (None, frozenset(), {}, True)


def test_there_is_no_pass_that_is_not_there():
    assert store.find_pass("0" * 64) is None


def password_changed(user):
    user.set_password("another")
    user.save()


def deactivated(user):
    type(user).objects.filter(pk=user.pk).update(is_active=False)


def password_emptied(user):
    type(user).objects.filter(pk=user.pk).update(password="")


@pytest.mark.parametrize("change", [password_changed, deactivated, password_emptied])
def test_a_pass_is_unsound_once_its_person_is_not_who_they_were(change):
    user = reader()
    row = pass_of(user)
    change(user)
    assert not store.find_pass(row.digest).sound


def test_a_pass_goes_with_its_person():
    user = reader()
    row = pass_of(user)
    user.delete()
    assert store.find_pass(row.digest) is None


def test_losing_a_group_is_felt_at_once():
    user = reader()
    row = pass_of(user)
    kept, lost = user.groups.order_by("pk")
    user.groups.remove(lost)
    assert store.find_pass(row.digest).groups == {str(kept.pk)}


def test_a_mark_of_a_password_is_not_the_password():
    marks = {store.credential_mark(password) for password in ("", "a", "A", "é", "e\u0301")}
    assert len(marks) == 5
    assert {len(mark) for mark in marks} == {64}


@pytest.mark.parametrize(("idle", "whole", "expired"), [(1, 1, False), (0, 1, True), (1, 0, True)])
def test_a_pass_ends_at_its_instant_and_not_after_it(idle, whole, expired):
    row = pass_of(None, idle_until=START + timedelta(seconds=idle), ends=START + timedelta(seconds=whole))
    assert store.find_pass(row.digest).expired(START) is expired


def test_everything_that_a_token_says(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: START)
    user = reader()
    holder = pass_of(user)
    row = factories.TokenFactory(holder=holder, service="login", dialect="2", origin="https://v.example", created=START)
    assert store.find_token(row.digest) == store.TokenFacts(
        service="login",
        dialect="2",
        origin="https://v.example",
        ends=START + timedelta(minutes=5),
        holder=store.find_pass(holder.digest),
        has_holder=True,
    )


@pytest.mark.parametrize(("seconds", "is_read"), [(-1, False), (0, False), (1, True)])
def test_a_token_that_has_ended_is_not_even_read(seconds, is_read, monkeypatch):
    """Security K3: reading it would take longer than finding none."""
    row = factories.TokenFactory(created=START, ends=START + timedelta(seconds=seconds))
    monkeypatch.setattr(timezone, "now", lambda: START)
    assert (store.find_token(row.digest) is not None) is is_read


def test_a_token_goes_with_its_pass():
    row = factories.TokenFactory()
    row.holder.delete()
    assert store.find_token(row.digest) is None


def test_a_token_is_no_pass_and_a_pass_no_token():
    row = factories.TokenFactory()
    assert (store.find_pass(row.digest), store.find_token(row.holder.digest)) == (None, None)


def test_only_digests_are_stored():
    secret = identify.new_secret()
    Pass.objects.create(
        digest=identify.digest(secret), created=START, seen=START, idle_until=timezone.now(), ends=timezone.now()
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM iiif_auth_pass")
        assert secret not in repr(cursor.fetchall())


def test_other_tokens_of_a_person_cost_nothing(django_assert_num_queries):
    row = factories.TokenFactory(holder=pass_of(reader()))
    Token.objects.bulk_create(
        factories.TokenFactory.build(holder=row.holder, digest=f"{number:064}") for number in range(300)
    )
    with django_assert_num_queries(1):
        assert store.find_token(row.digest).has_holder

"""Cleaning up: what is found, what one click does, by whom, and that it can be put back."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from iiif_auth import history
from iiif_auth.admin.cleaning import MESSES, piles
from iiif_auth.models import (
    AccessPolicy,
    Batch,
    Collection,
    DailyCount,
    Delegation,
    Embargo,
    Grant,
    Network,
    NetworkUse,
)
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/admin/iiif_auth/embargo/cleaning/"


def found(name):
    mess = next(one for one in MESSES if one.name == name)
    return set(mess.rows(timezone.now()))


def ago(days):
    return timezone.now() - timedelta(days=days)


def gone():
    return factories.UserFactory(is_active=False)


def test_grants():
    inactive = factories.GrantFactory(user=gone(), ends=ago(-5))
    factories.GrantFactory(user=gone(), ends=ago(5))
    endless = factories.GrantFactory()
    past = factories.GrantFactory(ends=ago(400))
    assert (found("inactive"), found("endless"), found("past")) == ({inactive}, {endless}, {past})


def test_delegations():
    left = Delegation.objects.create(collection=factories.CollectionFactory(), user=gone())
    Delegation.objects.create(collection=factories.CollectionFactory(), user=factories.UserFactory())
    assert found("delegations") == {left}


def test_embargoes():
    over = factories.EmbargoFactory(ends=ago(1))
    factories.EmbargoFactory(ends=ago(1), then_policy=factories.AccessPolicyFactory())
    factories.EmbargoFactory(ends=ago(-1))
    factories.EmbargoFactory()
    assert found("embargoes") == {over}


def test_policies():
    unused = factories.AccessPolicyFactory()
    factories.AccessPolicyFactory(is_template=True)
    factories.ResourceFactory(policy=factories.AccessPolicyFactory())
    factories.CollectionFactory(policy=factories.AccessPolicyFactory())
    factories.GrantFactory(resource=None, policy=factories.AccessPolicyFactory())
    factories.EmbargoFactory(ends=ago(-1), then_policy=factories.AccessPolicyFactory())
    assert found("policies") == {unused}


def test_collections():
    empty, parent = factories.CollectionFactory(), factories.CollectionFactory()
    factories.ResourceFactory(collection=factories.CollectionFactory(parent=parent))
    factories.CollectionRuleFactory()
    assert found("collections") == {empty}


def test_networks_only_where_a_year_has_been_noted():
    idle, used, named = (factories.NetworkFactory() for _number in range(3))
    factories.ConditionFactory(kind="network", network=named)
    NetworkUse.objects.create(network=used, prefix="192.0.2.0/28", day=date.today())  # noqa: DTZ011 - any day of now
    assert found("networks") == set()
    DailyCount.objects.create(day=ago(400).date(), door="probe", decision="allowed")
    assert (found("networks"), found("idle")) == ({idle}, {named})


def test_one_click_is_one_batch_that_can_be_put_back(root):
    rows = [factories.EmbargoFactory(ends=ago(1)) for _number in range(3)]
    kept = factories.EmbargoFactory()
    root.post(PAGE, {"mess": "embargoes", "reason": "Spring"})
    batch = Batch.objects.get()
    assert (set(Embargo.objects.all()), batch.kind, batch.reason, batch.total) == ({kept}, "cleaning", "Spring", 3)
    history.undo(batch, batch.actor, "They were wanted")
    assert set(Embargo.objects.values_list("pk", flat=True)) == {kept.pk, *(row.pk for row in rows)}


def test_grants_of_people_who_left_are_ended_not_deleted(root):
    row = factories.GrantFactory(user=gone())
    root.post(PAGE, {"mess": "inactive", "reason": "Left"})
    assert Grant.objects.get(pk=row.pk).ends <= timezone.now()


@pytest.mark.parametrize("sent", [{"mess": "embargoes", "reason": ""}, {"mess": "embargoes"}])
def test_without_a_reason_nothing_happens(root, sent):
    factories.EmbargoFactory(ends=ago(1))
    response = root.post(PAGE, sent)
    assert (response.status_code, Embargo.objects.count(), Batch.objects.count()) == (200, 1, 0)
    assert 'href="#id_embargoes_reason"' in response.content.decode()


@pytest.mark.parametrize("mess", ["", "everything", "endless", "idle"])
def test_what_is_only_shown_is_not_cleaned(root, mess):
    factories.GrantFactory()
    assert root.post(PAGE, {"mess": mess, "reason": "x"}).status_code == 403
    assert Grant.objects.count() == 1


def test_a_look_changes_nothing(root):
    factories.EmbargoFactory(ends=ago(1))
    assert root.get(PAGE, {"mess": "embargoes", "reason": "x"}).status_code == 200
    assert Embargo.objects.count() == 1


def test_what_is_used_by_now_is_kept_with_a_sentence(root, monkeypatch):
    used = factories.AccessPolicyFactory()
    factories.ResourceFactory(policy=used)
    from dataclasses import replace

    from iiif_auth.admin import cleaning

    wrong = tuple(
        replace(mess, rows=lambda now: AccessPolicy.objects.all()) if mess.name == "policies" else mess
        for mess in MESSES
    )
    monkeypatch.setattr(cleaning, "MESSES", wrong)
    response = root.post(PAGE, {"mess": "policies", "reason": "x"}, follow=True)
    assert "nothing was changed" in response.content.decode()
    assert (AccessPolicy.objects.count(), Batch.objects.count()) == (1, 0)


def manager(collection, *permissions):
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="iiif_auth"))
    Delegation.objects.create(collection=collection, user=user, role="manager")
    return user


def test_only_what_is_ones_own_is_listed_counted_and_cleaned(client):
    mine, other = factories.CollectionFactory(), factories.CollectionFactory()
    here, there = (
        factories.EmbargoFactory(resource=factories.ResourceFactory(collection=place), ends=ago(1))
        for place in (mine, other)
    )
    user = manager(mine, "view_embargo", "delete_embargo")
    client.force_login(user)
    page = client.get(PAGE)
    assert [(pile.mess.name, pile.count) for pile in page.context["piles"]] == [("embargoes", 1)]
    assert str(there.resource) not in page.content.decode()
    client.post(PAGE, {"mess": "embargoes", "reason": "x"})
    assert list(Embargo.objects.values_list("pk", flat=True)) == [there.pk]
    assert here.pk != there.pk


def test_who_may_only_look_cleans_nothing(client):
    mine = factories.CollectionFactory()
    factories.EmbargoFactory(resource=factories.ResourceFactory(collection=mine), ends=ago(1))
    user = manager(mine, "view_embargo")
    client.force_login(user)
    assert [pile.form for pile in piles(user, "admin", timezone.now())] == [None]
    assert client.post(PAGE, {"mess": "embargoes", "reason": "x"}).status_code == 403
    assert Embargo.objects.count() == 1


def test_who_may_not_even_look_is_refused(client):
    assert client.get(PAGE)["Location"].startswith("/admin/login/")
    client.force_login(factories.UserFactory(is_staff=True))
    assert client.get(PAGE).status_code == 403


def test_the_page_costs_few_queries(root, django_assert_max_num_queries):
    for _number in range(15):
        factories.EmbargoFactory(ends=ago(1))
        factories.GrantFactory(user=gone())
        factories.AccessPolicyFactory()
    assert (Collection.objects.count(), Network.objects.count()) == (0, 0)
    with django_assert_max_num_queries(30):
        root.get(PAGE)

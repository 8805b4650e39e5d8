"""What is written down of each change, and what is not."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.db import transaction
from django.db.models import F

from iiif_auth import history
from iiif_auth.models import Change, Collection, Condition, Embargo, Grant, Invitation, Resource, Tier
from tests import factories

pytestmark = pytest.mark.django_db


def last():
    return Change.objects.order_by("pk").last()


def link(row):
    return {"id": row.pk, "name": str(row)}


@pytest.fixture
def rita():
    return factories.UserFactory(username="rita")


@pytest.fixture
def maps():
    return factories.CollectionFactory(slug="maps", label={"en": ["Maps"]})


def test_a_new_row_is_written_down_whole_with_the_names_of_what_it_points_at(rita, maps):
    policy = factories.AccessPolicyFactory(name="Reading room")
    with history.by(rita, reason="Agreement of May", network="192.0.2.77"):
        row = factories.ResourceFactory(collection=maps, policy=policy, date=date(1890, 5, 1))
    change = last()
    assert (change.action, change.model, change.row, change.name) == ("added", "resource", row.pk, str(row))
    assert (change.actor, change.actor_name, change.network) == (rita, "rita", "192.0.2.0/24")
    assert (change.reason, change.batch, change.collection) == ("Agreement of May", None, maps.pk)
    assert change.before == {}
    assert change.after["policy"] == link(policy)
    assert change.after["collection"] == link(maps)
    assert change.after["date"] == "1890-05-01"
    assert change.after["url"] == row.url
    assert "url_digest" not in change.after
    assert "id" not in change.after


def test_of_a_changed_row_only_what_changed_is_written_down():
    old, new = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    row = factories.ResourceFactory(policy=old)
    row.policy = new
    row.save()
    assert (last().action, last().before, last().after) == ("changed", {"policy": link(old)}, {"policy": link(new)})


def test_a_row_saved_as_it_was_is_not_written_down():
    row = factories.ResourceFactory()
    count = Change.objects.count()
    Resource.objects.get(pk=row.pk).save()
    assert Change.objects.count() == count


def test_of_a_row_saved_in_part_only_that_part_is_written_down():
    row = factories.ResourceFactory(remarks="as it was")
    row.remarks, row.format = "not saved", "image/png"
    row.save(update_fields=["format"])
    assert (last().before, last().after) == ({"format": ""}, {"format": "image/png"})


def test_a_value_that_the_database_worked_out_is_read_back():
    tier = factories.TierFactory(order=4)
    tier.order = F("order") + 1
    tier.save()
    assert (last().before, last().after) == ({"order": 4}, {"order": 5})


def test_moments_are_written_in_universal_time():
    row = factories.EmbargoFactory(ends=datetime(2031, 5, 1, tzinfo=UTC))
    assert last().after["ends"] == "2031-05-01T00:00:00+00:00"
    assert last().row == row.pk


def test_a_deleted_row_is_written_down_whole_with_all_that_went_with_it(maps):
    row = factories.ResourceFactory(collection=maps)
    embargo = factories.EmbargoFactory(resource=row, reason="donor")
    keys = row.pk, embargo.pk
    row.delete()
    with_it, gone = Change.objects.filter(action="deleted").order_by("model")
    assert (gone.model, gone.row, gone.after) == ("resource", keys[0], {})
    assert gone.before["url"] == row.url
    assert (with_it.model, with_it.row, with_it.before["reason"]) == ("embargo", keys[1], "donor")
    assert (gone.collection, with_it.collection) == (maps.pk, maps.pk)


def test_lists_are_written_down_from_either_side():
    service, other = factories.AccessServiceFactory(), factories.AccessServiceFactory()
    tier = factories.TierFactory(services=[service])
    assert (last().row, last().before, last().after) == (tier.pk, {"services": []}, {"services": [link(service)]})
    other.tiers.add(tier)
    assert last().model == "tier"
    assert last().after == {"services": [link(service), link(other)]}
    other.tiers.clear()
    assert last().after == {"services": [link(service)]}


def test_the_groups_of_a_collection_are_written_down(maps):
    group = factories.GroupFactory()
    maps.administrators.add(group)
    assert (last().model, last().collection, last().after) == (
        "collection",
        maps.pk,
        {"administrators": [link(group)]},
    )


def test_a_list_set_to_what_it_was_is_not_written_down():
    service = factories.AccessServiceFactory()
    tier = factories.TierFactory(services=[service])
    count = Change.objects.count()
    tier.services.add(service)
    assert Change.objects.count() == count


def test_the_digest_of_an_invitation_is_kept_out():
    row = Invitation.objects.create(digest="d" * 64, email="a@example.org", ends=datetime(2031, 5, 1, tzinfo=UTC))
    assert "d" * 64 not in str(last().after)
    count = Change.objects.count()
    row.seen = datetime(2030, 5, 1, tzinfo=UTC)
    row.save()
    assert Change.objects.count() == count


def test_what_a_fixture_brings_is_written_down_as_that(tmp_path):
    file = tmp_path / "rows.json"
    file.write_text('[{"model": "iiif_auth.accesspolicy", "pk": 77, "fields": {"slug": "from-file", "name": "File"}}]')
    call_command("loaddata", file, verbosity=0)
    assert (last().action, last().row, last().reason, last().actor) == ("added", 77, "fixture", None)
    call_command("loaddata", file, verbosity=0)
    assert Change.objects.filter(row=77).count() == 1


def test_the_place_of_a_row_is_the_collection_of_what_it_is_about(maps):
    row = factories.ResourceFactory(collection=maps)
    for make in (
        lambda: factories.RenditionFactory(resource=row),
        lambda: factories.GrantFactory(resource=row),
        lambda: factories.GrantFactory(resource=None, collection=maps),
        lambda: factories.CollectionRuleFactory(collection=maps),
    ):
        made = make()
        assert (last().row, last().collection) == (made.pk, maps.pk)
    factories.AccessPolicyFactory()
    assert last().collection is None


def test_nothing_is_written_down_of_what_is_rolled_back():
    count = Change.objects.count()

    def fails():
        with transaction.atomic():
            factories.ResourceFactory()
            raise RuntimeError

    pytest.raises(RuntimeError, fails)
    assert Change.objects.count() == count


def test_blocks_inherit_what_they_do_not_say(rita):
    with history.by(rita, network="2001:db8:1:2::77"):
        with history.by(None, reason="because"):
            factories.NetworkFactory()
        assert history.current().reason == ""
    assert (last().actor, last().reason, last().network) == (rita, "because", "2001:db8:1::/48")
    factories.NetworkFactory()
    assert (last().actor, last().actor_name, last().network) == (None, "", "")


@pytest.mark.parametrize("nobody", [None, AnonymousUser()])
def test_nobody_is_nobody(nobody):
    with history.by(nobody, network="not an address"):
        factories.NetworkFactory()
    assert (last().actor, last().actor_name, last().network) == (None, "", "")


def test_an_author_is_forgotten_after_a_failure(rita):
    with pytest.raises(RuntimeError), history.by(rita):
        raise RuntimeError
    assert history.current().user is None


# -- Many at once -------------------------------------------------------------------------------------------------


def test_many_rows_are_updated_with_a_line_for_each_that_differs(rita, maps, django_assert_max_num_queries):
    old, new = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    factories.ResourceFactory.create_batch(3, policy=old, collection=maps)
    factories.ResourceFactory.create_batch(2)
    factories.ResourceFactory(policy=new)
    count = Change.objects.count()
    with history.by(rita, reason="All of them"), django_assert_max_num_queries(9):
        assert history.updated(Resource.objects.all(), policy=new) == 5
    assert set(Resource.objects.values_list("policy", flat=True)) == {new.pk}
    changes = Change.objects.order_by("pk")[count:]
    assert [change.before["policy"] for change in changes] == [link(old)] * 3 + [None] * 2
    assert {change.after["policy"]["id"] for change in changes} == {new.pk}
    assert {(change.actor, change.reason) for change in changes} == {(rita, "All of them")}
    assert [change.collection for change in changes] == [maps.pk] * 3 + [None] * 2


def test_an_update_may_take_the_rows_out_of_the_selection():
    old, new = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    factories.ResourceFactory.create_batch(3, policy=old)
    assert history.updated(Resource.objects.filter(policy=old), policy_id=new.pk) == 3


def test_an_update_with_an_expression_is_refused_and_changes_nothing():
    tier = factories.TierFactory(order=4)
    with pytest.raises(TypeError, match="order"):
        history.updated(Tier.objects.all(), order=F("order") + 1)
    tier.refresh_from_db()
    assert tier.order == 4


def test_an_update_that_fails_writes_nothing_down():
    factories.ResourceFactory.create_batch(2)
    count = Change.objects.count()
    with pytest.raises(Exception, match="overrides"), transaction.atomic():
        history.updated(Resource.objects.all(), overrides=True)  # which needs a policy
    assert Change.objects.count() == count


def test_many_rows_are_created_with_a_line_for_each(rita, django_assert_max_num_queries):
    user, rows = factories.UserFactory(), factories.ResourceFactory.create_batch(4)
    count = Change.objects.count()
    with history.by(rita), django_assert_max_num_queries(9):
        made = history.created(Grant, [Grant(user=user, resource_id=row.pk) for row in rows])
    changes = list(Change.objects.order_by("pk")[count:])
    assert [(change.row, change.name) for change in changes] == [(row.pk, str(row)) for row in made]
    assert [change.after["resource"] for change in changes] == [link(row) for row in rows]


def test_many_rows_are_deleted_with_what_goes_with_them(django_assert_max_num_queries):
    rows = factories.ResourceFactory.create_batch(5)
    for row in rows:
        factories.EmbargoFactory(resource=row)
    count = Change.objects.count()
    with django_assert_max_num_queries(35):
        assert history.deleted(Resource.objects.all()) == 5
    assert not Embargo.objects.exists()
    kinds = list(Change.objects.order_by("pk").values_list("model", flat=True)[count:])
    assert kinds == ["embargo"] * 5 + ["resource"] * 5


def test_batches_hold_their_changes_together(rita):
    rows = factories.ResourceFactory.create_batch(2)
    batch = history.begun("bulk", rita, "Set the policy of 2", "Agreement", total=2)
    assert (batch.state, batch.actor_name) == ("running", "rita")
    with history.by(rita, batch=batch, reason="Agreement"):
        history.updated(Resource.objects.filter(pk__in=[row.pk for row in rows]), remarks="seen")
    history.ended(batch, "2 were changed.")
    batch.refresh_from_db()
    assert (batch.state, batch.done, batch.said) == ("done", 2, "2 were changed.")
    assert batch.changes.count() == 2


def test_every_model_that_judges_is_watched():
    from iiif_auth import triggers

    watched = {model._meta.model_name for model in history.snapshots.KEPT}
    assert watched >= {name for name in (*triggers.RULES, *triggers.CONTENT) if name != "tier_services"}
    assert Condition in history.snapshots.KEPT
    assert Collection in history.snapshots.KEPT

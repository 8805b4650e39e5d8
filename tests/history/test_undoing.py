"""Batches and single changes are put back, but never over what somebody did since."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from iiif_auth import history
from iiif_auth.models import AccessPolicy, Batch, Change, Collection, Embargo, Grant, Resource, Tier, Withdrawal
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def rita():
    return factories.UserFactory(username="rita")


@pytest.fixture
def tomas():
    return factories.UserFactory(username="tomas")


class Batched:
    """Something done as a batch."""

    def __init__(self, person):
        self.person = person

    def __enter__(self):
        self.batch = history.begun(Batch.Kind.BULK, self.person, "Something with many", "for a test")
        self.block = history.by(self.person, batch=self.batch, reason="for a test")
        self.block.__enter__()
        return self.batch

    def __exit__(self, *args):
        self.block.__exit__(*args)
        history.ended(self.batch, "Done.")


def snapshot():
    """Every rule as it is, so that nothing is left out of the comparison."""
    return {
        (model._meta.model_name, row.pk): history.snapshots.whole(row)
        for model in history.snapshots.KEPT
        for row in model.objects.all()
    }


def test_an_update_is_put_back_row_by_row_as_each_was(rita, tomas):
    old, new = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    factories.ResourceFactory.create_batch(2, policy=old)
    factories.ResourceFactory.create_batch(2)
    before = snapshot()
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), policy=new)
    made = history.undo(batch, tomas, "It was a mistake")
    assert snapshot() == before
    batch.refresh_from_db()
    assert batch.state == "undone"
    assert (made.kind, made.state, made.undoes, made.actor, made.done) == ("undo", "done", batch, tomas, 4)
    assert made.said == "4 rows were put back."
    changes = made.changes.all()
    assert {(change.actor, change.reason, change.action) for change in changes} == {
        (tomas, "It was a mistake", "changed")
    }


def test_everything_at_once_is_put_back(rita):
    """Added, changed more than once, deleted with what goes with it, lists, and a row that came and went."""
    service, group = factories.AccessServiceFactory(), factories.GroupFactory()
    parent = factories.CollectionFactory()
    inner = factories.CollectionFactory(parent=parent)
    tier = factories.TierFactory(services=[service])
    factories.ConditionFactory(tier=tier)
    doomed = factories.ResourceFactory(collection=inner)
    factories.GrantFactory(resource=doomed, tier="full")
    factories.RenditionFactory(resource=doomed)
    kept = factories.ResourceFactory(remarks="first")
    before = snapshot()
    with Batched(rita) as batch:
        kept.remarks = "second"
        kept.save()
        kept.remarks, kept.format = "third", "image/png"
        kept.save()
        doomed.delete()
        inner.delete()
        tier.services.clear()
        parent.administrators.add(group)
        factories.EmbargoFactory(resource=kept)
        factories.ResourceFactory().delete()
        added = factories.TierFactory(services=[service])
        factories.ConditionFactory(tier=added)
        tier.policy.delete()
    assert len(snapshot()) != len(before)
    history.undo(batch, rita, "")
    assert snapshot() == before


def test_putting_back_can_be_put_back(rita):
    row = factories.ResourceFactory(remarks="before")
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), remarks="after")
    once = history.undo(batch, rita, "")
    history.undo(once, rita, "")
    row.refresh_from_db()
    assert row.remarks == "after"


def test_a_row_that_was_changed_since_is_left_with_a_sentence(rita, tomas):
    first, second = factories.ResourceFactory.create_batch(2)
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), remarks="after")
    with history.by(tomas):
        history.updated(Resource.objects.filter(pk=first.pk), remarks="mine")
    said = f"“{first}” was changed since: remarks."
    assert history.obstacles(batch) == [said]
    made = history.undo(batch, rita, "")
    assert made.plan == {"left": [said]}
    assert (made.done, made.total) == (1, 2)
    assert made.said == "1 row was put back. 1 row was left as it is."
    assert list(Resource.objects.order_by("pk").values_list("remarks", flat=True)) == ["mine", second.remarks]


def test_what_somebody_else_changed_beside_it_stays(rita):
    row = factories.ResourceFactory()
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), remarks="after")
    history.updated(Resource.objects.all(), format="image/png")
    history.undo(batch, rita, "")
    row.refresh_from_db()
    assert (row.remarks, row.format) == ("", "image/png")


def test_when_no_row_can_be_put_back_nothing_is_done(rita):
    factories.ResourceFactory()
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), remarks="after")
    history.updated(Resource.objects.all(), remarks="mine")
    batches, changes = Batch.objects.count(), Change.objects.count()
    with pytest.raises(history.NotUndone, match="was changed since: remarks"):
        history.undo(batch, rita, "")
    batch.refresh_from_db()
    assert (batch.state, Batch.objects.count(), Change.objects.count()) == ("done", batches, changes)


def test_a_row_that_is_gone_is_said(rita):
    rows = factories.ResourceFactory.create_batch(2)
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), remarks="after")
    rows[0].delete()
    assert history.undo(batch, rita, "").plan["left"] == [f"“{rows[0]}” is not there any more."]


def test_what_was_added_is_not_taken_away_if_somebody_built_on_it(rita):
    with Batched(rita) as batch:
        free, used = factories.ResourceFactory.create_batch(2)
        factories.EmbargoFactory(resource=used)
    grant = factories.GrantFactory(resource=used)
    made = history.undo(batch, rita, "")
    assert made.plan["left"] == [f"“{used}” was given something since: grant."]
    assert set(Resource.objects.all()) == {used}
    assert Grant.objects.get() == grant
    assert not Embargo.objects.exists()


def test_what_was_added_is_not_taken_away_if_it_is_used(rita):
    with Batched(rita) as batch:
        free, used = factories.AccessPolicyFactory.create_batch(2)
    factories.ResourceFactory(policy=used)
    assert history.undo(batch, rita, "").plan["left"] == [f"“{used}” is used elsewhere by now."]
    assert set(AccessPolicy.objects.all()) == {used}


def test_what_points_at_something_gone_is_said(rita):
    policy = factories.AccessPolicyFactory()
    row, other = factories.ResourceFactory(policy=policy), factories.ResourceFactory()
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), policy=None, remarks="after")
    policy.delete()
    left = history.undo(batch, rita, "").plan["left"]
    assert left == [f"“{row}” can not be put back, because what it had under “own policy” is gone."]
    other.refresh_from_db()
    assert other.remarks == ""


def test_what_has_been_replaced_is_said(rita):
    row, other = factories.ResourceFactory(url="/iiif/3/one"), factories.ResourceFactory()
    with Batched(rita) as batch:
        history.updated(Resource.objects.filter(pk=other.pk), remarks="after")
        row.delete()
    factories.ResourceFactory(url="/iiif/3/one")
    left = history.undo(batch, rita, "").plan["left"]
    assert left == [
        "“Picture" + str(row).removeprefix("Picture") + "” can not be put back, because something else has "
        "taken its place."
    ]
    other.refresh_from_db()
    assert other.remarks == ""


def test_an_invitation_does_not_come_back_without_its_secret(rita):
    from iiif_auth.models import Invitation

    row = Invitation.objects.create(digest="d" * 64, email="a@example.org", name="Ann", ends=timezone.now())
    resource = factories.ResourceFactory()
    with Batched(rita) as batch:
        row.delete()
        history.updated(Resource.objects.filter(pk=resource.pk), remarks="after")
    left = history.undo(batch, rita, "").plan["left"]
    assert left == ["“Ann” had a secret that is not kept; please make a new one."]
    assert not Invitation.objects.exists()


def test_the_date_of_a_grant_comes_back_with_it(rita):
    row = factories.GrantFactory()
    Grant.objects.update(created=timezone.now() - timedelta(days=40))
    row.refresh_from_db()
    with Batched(rita) as batch:
        Grant.objects.get().delete()
    history.undo(batch, rita, "")
    assert Grant.objects.get().created == row.created


def aged(batch, days):
    Batch.objects.filter(pk=batch.pk).update(finished=timezone.now() - timedelta(days=days))
    batch.refresh_from_db()
    return batch


def test_batches_can_be_put_back_for_thirty_days(rita):
    with Batched(rita) as batch:
        factories.ResourceFactory()
    assert history.undoable(aged(batch, 29)) == ""
    assert history.undoable(aged(batch, 30)).startswith("It could be put back until ")
    with pytest.raises(history.NotUndone):
        history.undo(batch, rita, "")
    assert Resource.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("waiting", "It has not begun yet."),
        ("running", "It is still running."),
        ("undone", "It was put back already."),
    ],
)
def test_batches_that_are_not_over_can_not_be_put_back(rita, state, said):
    with Batched(rita) as batch:
        factories.ResourceFactory()
    Batch.objects.update(state=state)
    batch.refresh_from_db()
    assert history.undoable(batch) == said
    with pytest.raises(history.NotUndone, match=said):
        history.undo(batch, rita, "")


def test_a_batch_without_changes_can_not_be_put_back(rita):
    with Batched(rita) as batch:
        pass
    assert history.undoable(batch) == "It changed nothing."


def test_putting_back_twice_is_refused_even_with_an_old_copy_in_hand(rita):
    factories.ResourceFactory()
    with Batched(rita) as batch:
        history.updated(Resource.objects.all(), remarks="after")
    old = Batch.objects.get(pk=batch.pk)
    history.undo(batch, rita, "")
    with pytest.raises(history.NotUndone, match="already"):
        history.undo(old, rita, "")


# -- One change ---------------------------------------------------------------------------------------------------


def test_one_change_is_put_back_as_a_new_change(rita):
    row = factories.ResourceFactory(remarks="before")
    row.remarks = "after"
    row.save()
    history.revert(Change.objects.latest("pk"), rita, "A slip")
    row.refresh_from_db()
    change = Change.objects.order_by("pk").last()
    assert row.remarks == "before"
    assert (change.actor, change.reason, change.batch) == (rita, "A slip", None)
    assert (change.before, change.after) == ({"remarks": "after"}, {"remarks": "before"})


def test_a_deletion_is_put_back_and_an_addition_taken_away(rita):
    withdrawal = factories.WithdrawalFactory(reason="rights")
    kept = history.snapshots.whole(withdrawal)
    key = withdrawal.pk
    withdrawal.delete()
    history.revert(Change.objects.order_by("pk").last(), rita, "")
    assert history.snapshots.whole(Withdrawal.objects.get(pk=key)) == kept
    history.revert(Change.objects.order_by("pk").last(), rita, "")
    assert not Withdrawal.objects.exists()


def test_a_change_of_a_row_that_was_changed_since_is_not_put_back(rita):
    row = factories.ResourceFactory()
    for remarks in ("one", "two"):
        row.remarks = remarks
        row.save()
    first = Change.objects.get(after={"remarks": "one"})
    count = Change.objects.count()
    said = f"“{row}” was changed since: remarks."
    assert history.revertible(first) == said
    with pytest.raises(history.NotUndone) as refused:
        history.revert(first, rita, "")
    assert refused.value.sentences == (said,)
    row.refresh_from_db()
    assert (row.remarks, Change.objects.count()) == ("two", count)


def test_a_list_is_put_back(rita):
    service = factories.AccessServiceFactory()
    tier = factories.TierFactory(services=[service])
    tier.services.clear()
    history.revert(Change.objects.order_by("pk").last(), rita, "")
    assert list(Tier.objects.get().services.all()) == [service]


def test_a_kind_of_rule_that_there_is_no_more_is_left_alone(rita):
    change = Change.objects.create(action="added", model="formerly", row=1, after={"name": "x"})
    history.revert(change, rita, "")
    assert not Collection.objects.exists()

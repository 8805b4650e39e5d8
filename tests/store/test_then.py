"""What governs once an embargo has ended, in place of the policy of the same row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from iiif_auth import store
from iiif_auth.models import AccessPolicy
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import decide, is_allowed
from iiif_auth.policy.explain import explain
from tests import factories

pytestmark = pytest.mark.django_db

END = datetime(2031, 4, 30, 23, tzinfo=UTC)
BEFORE, AFTER = END - timedelta(microseconds=1), END
ANNA = policy.Subject("7")


def open_policy(**values):
    tier = factories.TierFactory(slug="all", policy=factories.AccessPolicyFactory(**values))
    factories.ConditionFactory(tier=tier)
    return tier.policy


def allowed(row, at, who=policy.NOBODY):
    return is_allowed(store.find_offer(row.url), who, at)


@pytest.mark.parametrize("own", [True, False])
def test_it_governs_from_the_end_on_and_not_before(own):
    row = factories.ResourceFactory(policy=factories.AccessPolicyFactory() if own else None)
    factories.EmbargoFactory(resource=row, ends=END, then_policy=open_policy())
    assert (allowed(row, BEFORE), allowed(row, AFTER)) == (False, True)


def test_without_it_the_policy_of_the_row_governs_again():
    row = factories.ResourceFactory(policy=open_policy())
    factories.EmbargoFactory(resource=row, ends=END)
    assert (allowed(row, BEFORE), allowed(row, AFTER)) == (False, True)


def test_it_may_be_stricter_than_what_governed():
    row = factories.ResourceFactory(policy=open_policy())
    factories.EmbargoFactory(resource=row, ends=END, closes="full", then_policy=factories.AccessPolicyFactory())
    assert decide(store.find_offer(row.url), policy.NOBODY, AFTER).why is policy.Why.NOT_OFFERED


def test_of_a_collection_it_governs_all_that_is_in_it():
    shelf = factories.CollectionFactory(policy=factories.AccessPolicyFactory())
    row = factories.ResourceFactory(collection=factories.CollectionFactory(parent=shelf))
    factories.EmbargoFactory(resource=None, collection=shelf, ends=END, then_policy=open_policy())
    assert (allowed(row, BEFORE), allowed(row, AFTER)) == (False, True)


def test_the_stricter_level_goes_on_winning():
    shelf = factories.CollectionFactory(policy=factories.AccessPolicyFactory())
    row = factories.ResourceFactory(collection=shelf)
    factories.EmbargoFactory(resource=row, ends=END, then_policy=open_policy())
    assert not allowed(row, AFTER)


@pytest.mark.parametrize("place", ["resource", "collection"])
def test_of_several_the_one_that_ended_last_counts_and_of_two_at_once_the_older_row(place):
    shelf = factories.CollectionFactory()
    row = factories.ResourceFactory(collection=shelf)
    here = {"resource": row} if place == "resource" else {"resource": None, "collection": shelf}
    nobody, opened = factories.AccessPolicyFactory(), open_policy()
    factories.EmbargoFactory(**here, ends=END + timedelta(days=1), then_policy=opened)
    factories.EmbargoFactory(**here, ends=END + timedelta(days=1), then_policy=nobody)
    factories.EmbargoFactory(**here, ends=END, then_policy=nobody)
    assert [allowed(row, END + timedelta(days=days)) for days in (0, 1, 2)] == [False, True, True]


def test_what_can_not_be_read_admits_nobody():
    row = factories.ResourceFactory(policy=open_policy())
    held = open_policy()
    factories.EmbargoFactory(resource=row, ends=END, then_policy=held)
    AccessPolicy.objects.filter(pk=held.pk).update(zone="Nowhere/At_all")
    assert not allowed(row, AFTER)


def test_a_template_opens_nothing():
    row = factories.ResourceFactory(policy=open_policy())
    factories.EmbargoFactory(resource=row, ends=END, then_policy=open_policy(is_template=True))
    assert not allowed(row, AFTER)


def test_grants_for_a_policy_count_while_it_governs():
    anna = factories.UserFactory(pk=7)
    now, then = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    row = factories.ResourceFactory(policy=now)
    factories.EmbargoFactory(resource=row, ends=END, closes="full", then_policy=then)
    factories.GrantFactory(user=anna, resource=None, policy=then)
    assert (allowed(row, BEFORE, ANNA), allowed(row, AFTER, ANNA)) == (False, True)


def test_its_smaller_versions_and_stand_ins_are_offered_then():
    then = factories.AccessPolicyFactory()
    preview = factories.TierFactory(policy=then, slug="preview", gets="smaller", max_edge=400)
    instead = factories.TierFactory(policy=then, slug="redacted", gets="substitute", suffix="~redacted")
    for tier in (preview, instead):
        factories.ConditionFactory(tier=tier)
    row = factories.ResourceFactory()
    closed = factories.AccessPolicyFactory()
    factories.ResourceFactory(url=f"{row.url}~redacted", policy=open_policy())
    row.policy = closed
    row.save()
    factories.EmbargoFactory(resource=row, ends=END, then_policy=then)
    offer = store.find_offer(row.url)
    shown = [[one.rendition.uri for one in decide(offer, policy.NOBODY, at).substitutes] for at in (BEFORE, AFTER)]
    assert shown == [[], [f"{row.url}~preview"]]
    small = store.find_offer(f"{row.url}~preview")
    assert [is_allowed(small, policy.NOBODY, at) for at in (BEFORE, AFTER)] == [False, True]
    assert [one.wanted.uri for one in offer.substitutes] == [f"{row.url}~redacted"]


def test_a_tier_of_one_name_gives_by_a_grant_the_smaller_and_asks_at_its_address_for_the_larger():
    now, then = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    factories.TierFactory(policy=now, slug="preview", gets="smaller", max_edge=800)
    factories.TierFactory(policy=then, slug="preview", gets="smaller", max_edge=400)
    row = factories.ResourceFactory(policy=now)
    factories.EmbargoFactory(resource=row, ends=END, then_policy=then)
    factories.GrantFactory(user=factories.UserFactory(pk=7), resource=row, tier="preview")
    offer = store.find_offer(row.url)
    assert (offer.levels[0].grants[0].reach, store.find_offer(f"{row.url}~preview").wanted.reach) == (400, 800)


def test_nothing_that_opens_then_is_called_restricted():
    """Caches are told so without asking, for ever (INV7)."""
    row = factories.ResourceFactory(policy=factories.AccessPolicyFactory())
    factories.EmbargoFactory(resource=row, ends=END, then_policy=open_policy())
    closed = factories.ResourceFactory(policy=factories.AccessPolicyFactory())
    factories.EmbargoFactory(resource=closed, ends=END, then_policy=factories.AccessPolicyFactory())
    assert [store.find_offer(one.url).restricted for one in (row, closed)] == [False, True]


def test_waiting_for_it_is_named_among_what_would_help():
    row = factories.ResourceFactory(policy=factories.AccessPolicyFactory())
    factories.EmbargoFactory(resource=row, ends=END, then_policy=open_policy())
    said = explain(store.find_offer(row.url), policy.NOBODY, BEFORE).remedies
    assert END in [remedy.until for remedy in said if not remedy.needs and not remedy.grant]

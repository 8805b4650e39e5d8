"""Who gains and who loses is what comes of it when it is done: compared item by item with what probes decide."""

from __future__ import annotations

import random
from collections import Counter
from datetime import date, timedelta

import pytest
from django.utils import timezone

from iiif_auth import bulk, history, store
from iiif_auth.bulk.gains import difference, readers, surveyed
from iiif_auth.models import AccessPolicy, Collection, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import Case
from tests import factories

pytestmark = pytest.mark.django_db


class World:
    """Collections in a tree, policies of several kinds, and items with all sorts of overlays, at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.group, self.network = factories.GroupFactory(name="Members"), factories.NetworkFactory(name="Reading room")
        self.service = factories.AccessServiceFactory()
        self.policies = [
            self.policy("everyone"),
            self.policy("authenticated"),
            self.policy("group", group=self.group),
            self.policy("network", network=self.network),
            self.policy("agreed", service=self.service),
            self.policy("everyone", wall_years=100),
            factories.AccessPolicyFactory(),
        ]
        preview = factories.TierFactory(policy=self.policies[2], gets="smaller", max_edge=400, slug="preview")
        factories.ConditionFactory(tier=preview)
        top = factories.CollectionFactory(policy=self.policies[0])
        inner = factories.CollectionFactory(parent=top)
        self.places = [top, inner, factories.CollectionFactory(policy=self.policies[2]), None]
        factories.CollectionRuleFactory(collection=self.places[2], pattern="/iiif/3/by-rule/")
        self.rows = [self.resource(number) for number in range(14)]
        for place in (top, inner):
            factories.GrantFactory(collection=place, resource=None, user=None, network=self.network)

    def policy(self, kind: str, wall_years: int | None = None, **named: object) -> AccessPolicy:
        held = factories.AccessPolicyFactory()
        factories.ConditionFactory(tier=factories.TierFactory(policy=held, wall_years=wall_years), kind=kind, **named)
        return held

    def resource(self, number: int) -> Resource:
        chance = self.random
        held = chance.choice([*self.policies, None])
        row = factories.ResourceFactory(
            url=f"/iiif/3/{chance.choice(['by-rule/', ''])}picture-{number}",
            collection=chance.choice(self.places),
            policy=held,
            overrides=held is not None and chance.random() < 0.2,
            date=chance.choice([None, date(1880, 1, 1), date(1990, 1, 1)]),
        )
        ends = chance.choice([None, timezone.now() + timedelta(days=9), timezone.now() - timedelta(days=9)])
        if chance.random() < 0.3:
            factories.EmbargoFactory(resource=row, ends=ends, closes=chance.choice(["all", "full"]))
        if chance.random() < 0.2:
            factories.WithdrawalFactory(resource=row, starts=timezone.now() - timedelta(days=10), ends=ends)
        if chance.random() < 0.4:
            whom = chance.choice([{"user": factories.UserFactory()}, {"group": self.group}, {"network": self.network}])
            tier = chance.choice(["", "preview"])
            factories.GrantFactory(resource=row, **{"user": None, **whom}, tier=tier, ends=ends)
        return row

    def deeds(self) -> list[bulk.Deed]:
        soon = (timezone.now() + timedelta(days=30)).isoformat()
        return [
            bulk.SetPolicy(self.policies[0].pk, loosens=True),
            bulk.SetPolicy(self.policies[2].pk),
            bulk.SetPolicy(self.policies[3].pk, only_without=True),
            bulk.SetPolicy(None, loosens=True),
            bulk.Close(ends=soon),
            bulk.Close(ends=soon, closes="full", present="add"),
            bulk.Close(ends=soon, closes="full", present="replace"),
            bulk.Close(starts=soon, hard=True, present="add"),
            bulk.Lift(),
            bulk.Give(group=self.group.pk),
            bulk.Give(network=self.network.pk, ends=soon, tier="preview"),
            bulk.Give(user=factories.UserFactory().pk),
            bulk.EndGrants(),
            bulk.EndGrants(group=self.group.pk),
            bulk.Withdraw("rights"),
            bulk.Restore(),
        ]


def reaches(subjects, at):
    """What every reader may have of every item, as it is decided for probes."""
    found = {}
    for row in Resource.objects.all():
        offer = store.find_offer(row.url)
        for who, subject in subjects.items():
            found[row.pk, who] = Case(offer, subject, at).reach
    return found


def compared(deed, rows, keys):
    now = timezone.now()
    free = deed.free(rows, now)
    told = bulk.gains(deed, free, now)
    subjects = dict(everybody_named(free, now))
    before = reaches(subjects, now)
    with history.by(None):
        deed.do(rows.model, list(free.values_list("pk", flat=True)), now)
    later = now + timedelta(seconds=1)
    after = reaches(subjects, later)
    assert {one.who for one in told} >= {"The public", "Anyone signed in"}
    for one in told:
        real = Counter(difference(before[key, one.who], after[key, one.who]) for key in keys(free))
        assert (one.opens, one.closes, one.better, one.worse, one.same) == tuple(
            real[name] for name in ("opens", "closes", "better", "worse", "same")
        ), (deed, one.who)


def everybody_named(rows, at):
    book = store.rulebook()
    levels = [tuple(policy.Level("", held, policy_grants=()) for held in book.policies.values())]
    group = [
        policy.Level("", grants=tuple(g for place in book.places.values() for lv in place.levels for g in lv.grants))
    ]
    return readers([*levels, tuple(group), *(one.levels(book) for one in surveyed(rows, book, at)[0].counted())])


@pytest.mark.parametrize("number", range(16))
def test_what_is_told_of_items_is_what_comes_of_it(number):
    world = World(number)
    deed = world.deeds()[number]
    rows = Resource.objects.filter(pk__in=[row.pk for row in world.rows[:12]])
    kept = list(deed.free(rows, timezone.now()).values_list("pk", flat=True))
    compared(deed, rows, lambda free: kept)


@pytest.mark.parametrize("number", range(4))
def test_what_is_told_of_moving_is_what_comes_of_it(number):
    world = World(number)
    place = world.places[number]
    deed = bulk.Move(place.pk if place else None)
    kept = list(deed.free(Resource.objects.all(), timezone.now()).values_list("pk", flat=True))
    if place is None:  # then an address rule may take it in again, which is told of items as they are only
        Resource.objects.filter(url__contains="by-rule").delete()
        kept = list(deed.free(Resource.objects.all(), timezone.now()).values_list("pk", flat=True))
    compared(deed, Resource.objects.all(), lambda free: kept)


@pytest.mark.parametrize("number", [0, 3, 4, 10, 12, 14])
def test_what_is_told_of_collections_is_what_comes_of_it(number):
    world = World(number)
    deed = world.deeds()[number]
    rows = Collection.objects.filter(pk__in=[world.places[0].pk, world.places[2].pk])
    book = store.rulebook()
    chosen = {row.pk for row in deed.free(rows, timezone.now())}
    inner = {world.places[1].pk} if world.places[0].pk in chosen else set()
    kept = [row.pk for row in world.rows if (row.collection_id or book.collection_of(row.url)) in chosen | inner]
    compared(deed, rows, lambda free: kept)


def test_a_hundred_rows_governed_alike_are_one_situation(django_assert_max_num_queries):
    held = factories.AccessPolicyFactory()
    factories.ConditionFactory(tier=factories.TierFactory(policy=held))
    factories.ResourceFactory.create_batch(100, policy=held)
    store.rulebook()
    with django_assert_max_num_queries(7):
        told = bulk.gains(bulk.Withdraw("x"), Resource.objects.all(), timezone.now())
    assert [(one.who, one.closes) for one in told] == [("The public", 100), ("Anyone signed in", 100)]

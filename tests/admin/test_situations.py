"""Counting by situations says the same as judging every resource, and asks the database a fixed number of questions."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from django.db.models import Q

from iiif_auth import identify, store
from iiif_auth.admin.situations import NOWHERE, Asker, tallies
from iiif_auth.models import Collection, Condition, Resource
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import Case
from iiif_auth.policy.routes import reached
from tests import factories as make

pytestmark = pytest.mark.django_db

Gets = make.models.Tier.Gets


@pytest.fixture
def hana():
    person = make.UserFactory(email="hana@example.org")
    person.groups.add(make.GroupFactory(name="Staff"))
    return person


@pytest.fixture
def policies(hana):
    """Open; staff in full and all at 400; behind a wall; for nobody."""
    everybody = make.TierFactory(slug="all")
    make.ConditionFactory(tier=everybody)
    staff = make.TierFactory(slug="full")
    make.ConditionFactory(tier=staff, kind=Condition.Kind.GROUP, group=hana.groups.get())
    small = make.TierFactory(policy=staff.policy, slug="small", gets=Gets.SMALLER, max_edge=400)
    make.ConditionFactory(tier=small)
    walls = make.TierFactory(slug="old", wall_years=70)
    make.ConditionFactory(tier=walls)
    make.ConditionFactory(tier=make.TierFactory(policy=walls.policy, slug="older", wall_years=100, gets=Gets.FULL))
    return [everybody.policy, staff.policy, walls.policy, make.AccessPolicyFactory()]


@pytest.fixture
def collections(policies):
    outer = make.CollectionFactory(slug="outer", policy=policies[1])
    inner = make.CollectionFactory(slug="inner", parent=outer, policy=policies[2])
    loose = make.CollectionFactory(slug="loose", parent=outer, policy=policies[0], overrides=True)
    make.CollectionRuleFactory(collection=inner, pattern="/shelf/")
    make.CollectionRuleFactory(collection=loose, pattern="/shelf/*/front", fits="glob")
    make.CollectionRuleFactory(collection=loose, pattern="/shelf/deep/")
    make.CollectionRuleFactory(collection=outer, pattern="/shelf/one", fits="exact")
    return [None, outer, inner, loose, make.CollectionFactory(slug="plain")]


def hour(dice):
    return datetime.now(UTC) + timedelta(hours=dice.choice((-48, -24, 24, 48)))


def lay_over(dice, row, hana, policies):
    kind = dice.choice(("embargo", "full", "withdrawal", "grant", "lesser", "group", "then", "other", "nothing"))
    starts, ends = sorted((hour(dice), hour(dice) + timedelta(minutes=5)))
    when = dice.choice(({"starts": starts, "ends": ends}, {"ends": ends}, {"starts": starts}))
    if kind in ("embargo", "full"):
        closes = "all" if kind == "embargo" else "full"
        make.EmbargoFactory(resource=row, closes=closes, hard=dice.random() < 0.3, **when)
    elif kind == "then":
        make.EmbargoFactory(resource=row, ends=ends, then_policy=dice.choice(policies))
    elif kind == "withdrawal":
        make.WithdrawalFactory(resource=row, starts=starts, ends=ends)
    elif kind in ("grant", "lesser", "other"):
        person = make.UserFactory() if kind == "other" else hana
        make.GrantFactory(resource=row, user=person, tier="small" if kind == "lesser" else "", **when)
    elif kind == "group":
        make.GrantFactory(resource=row, user=None, group=hana.groups.get(), **when)


@pytest.fixture
def holdings(collections, policies, hana):
    dice = Random(20261121)
    names = ["/shelf/one", "/shelf/one/front", "/shelf/deep/x", "/shelf/two", "/Shelf/three"]
    for number in range(120):
        own = dice.choice((None, None, *policies))
        row = make.ResourceFactory(
            **({"url": names.pop()} if names else {}),
            collection=dice.choice(collections) if number > 5 else None,
            policy=own,
            overrides=own is not None and dice.random() < 0.3,
            date=dice.choice((None, date(1900, 1, 1), date(1940, 6, 1), date(2001, 1, 1))),
        )
        if dice.random() < 0.6:
            lay_over(dice, row, hana, policies)
        if dice.random() < 0.2:
            lay_over(dice, row, hana, policies)
    make.EmbargoFactory(resource=None, collection=collections[3], closes="full")
    make.GrantFactory(resource=None, collection=collections[1], user=hana, tier="small")
    make.GrantFactory(resource=None, policy=policies[3], user=None, group=hana.groups.get())


def one_by_one(subject, at):
    book = store.rulebook()
    found = defaultdict(lambda: defaultdict(int))
    for row in Resource.objects.all():
        place = row.collection_id or book.collection_of(row.url) or NOWHERE
        found[place][reached(Case(store.find_offer(row.url), subject, at))] += 1
    return {key: dict(one) for key, one in found.items()}


def counted(asker, at):
    return {
        key: dict(one.by_reach) for key, one in tallies(Resource.objects.all(), asker, at, store.rulebook()).items()
    }


def test_the_counts_are_those_of_judging_one_by_one(holdings, hana):
    at = datetime.now(UTC)
    theirs = Q(user=hana) | Q(group__in=hana.groups.all())
    person = Asker(identify.described(hana), theirs)
    assert counted(person, at) == one_by_one(person.subject, at)
    nobody = Asker(policy.NOBODY, Q(pk__in=()))
    assert counted(nobody, at) == one_by_one(policy.NOBODY, at)
    assert counted(person, at) != counted(nobody, at)


def test_somebody_elses_grant_counts_for_nobody(policies, hana):
    row = make.ResourceFactory(policy=policies[3])
    make.GrantFactory(resource=row, user=hana)
    at = datetime.now(UTC)
    hers, others = Asker(identify.described(hana), Q(user=hana)), Asker(policy.Subject(user="x"), Q(pk__in=()))
    assert counted(hers, at) == {NOWHERE: {policy.FULL: 1}}
    assert counted(others, at) == {NOWHERE: {policy.NOTHING: 1}}


def test_the_questions_do_not_grow_with_the_resources(holdings, hana, django_assert_max_num_queries):
    at, book = datetime.now(UTC), store.rulebook()
    asker = Asker(identify.described(hana), Q(user=hana))
    with django_assert_max_num_queries(7):
        tallies(Resource.objects.all(), asker, at, book)


def test_a_date_on_the_edge_of_a_moving_wall_is_counted_as_it_is_decided(policies):
    at = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)
    for day in (date(1956, 2, 28), date(1956, 2, 29), date(1956, 3, 1), date(1956, 3, 2)):
        make.ResourceFactory(policy=policies[2], date=day)
    asker = Asker(policy.NOBODY, Q(pk__in=()))
    assert counted(asker, at) == one_by_one(policy.NOBODY, at) == {NOWHERE: {policy.FULL: 3, policy.NOTHING: 1}}
    assert Collection.objects.count() == 0

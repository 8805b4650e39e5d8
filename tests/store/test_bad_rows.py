"""A row that can not be read closes what depends on it, and nothing else (security D8)."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from iiif_auth import store
from iiif_auth.models import AccessPolicy, Collection, Tier
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import Allowed, Denied
from tests import factories
from tests.store.test_values import EARLY

pytestmark = pytest.mark.django_db

READER = policy.Subject(user="1")


@pytest.fixture
def good():
    """Something open to people signed in, that must stay so."""
    row = factories.TierFactory()
    factories.ConditionFactory(tier=row, kind="authenticated")
    return factories.ResourceFactory(url="/iiif/3/good", policy=row.policy)


@pytest.fixture
def bad(good):
    """Something as open, whose rules the test is going to spoil."""
    login = factories.AccessServiceFactory(slug="login")
    row = factories.TierFactory(services=[login])
    factories.ConditionFactory(tier=row, kind="authenticated")
    return factories.ResourceFactory(url="/iiif/3/bad", policy=row.policy)


def outcome(uri):
    return type(decide(store.find_offer(uri), READER, EARLY))


def spoil(table, column, value):
    """As somebody with a database client would, past every check of ours."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE iiif_auth_{table} SET {column} = %s", [value])  # noqa: S608


def only_the_bad_one_is_closed():
    return (outcome("/iiif/3/bad"), outcome("/iiif/3/good")) == (Denied, Allowed)


def test_before_anything_is_spoilt_both_are_open(bad):
    assert (outcome("/iiif/3/bad"), outcome("/iiif/3/good")) == (Allowed, Allowed)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "Europe", "/etc/localtime", "é"])
def test_a_policy_with_a_zone_that_does_not_exist(bad, zone):
    AccessPolicy.objects.filter(pk=bad.policy.pk).update(zone=zone)
    assert only_the_bad_one_is_closed()


@pytest.mark.parametrize(("starts", "ends"), [("13-01", "99-99"), ("02-30", "12-01"), ("xx", "yy"), ("01-01", "soon")])
def test_a_season_that_is_none(bad, starts, ends):
    Tier.objects.filter(policy=bad.policy).update(season_starts=starts, season_ends=ends)
    assert only_the_bad_one_is_closed()


@pytest.mark.parametrize("origins", [3, None, True])
def test_a_service_that_can_not_be_read(bad, origins):
    spoil("accessservice", "origins", json.dumps(origins))
    assert only_the_bad_one_is_closed()
    assert "login" not in store.rulebook().services


@pytest.mark.parametrize("prefixes", [["192.0.2.0/33"], ["nowhere"], [None], 7, "192.0.2.0/24", [{}]])
def test_a_network_that_can_not_be_read_admits_nobody(bad, prefixes):
    network = factories.NetworkFactory()
    row = factories.TierFactory(policy=bad.policy)
    factories.ConditionFactory(tier=row, kind="network", network=network)
    spoil("network", "prefixes", json.dumps(prefixes))
    assert [place.prefixes for place in store.rulebook().networks.values()] == [()]
    assert outcome("/iiif/3/good") is Allowed


@pytest.mark.parametrize("label", [[], ["x"], "x", 3, {"en": 3}, {"en": None}, None])
@pytest.mark.parametrize("table", ["accessservice", "tier"])
def test_a_label_that_can_not_be_read_is_no_label(bad, table, label):
    spoil(table, "label", json.dumps(label))
    assert (outcome("/iiif/3/bad"), outcome("/iiif/3/good")) == (Allowed, Allowed)


@pytest.mark.parametrize("overlay", [factories.EmbargoFactory, factories.WithdrawalFactory])
@pytest.mark.parametrize("place", ["resource", "collection"])
def test_what_closes_goes_on_closing_with_a_note_that_can_not_be_read(bad, overlay, place):
    shelf = factories.CollectionFactory()
    bad.collection = shelf
    bad.save()
    row = overlay(**{"resource": None, place: {"resource": bad, "collection": shelf}[place]})
    type(row).objects.update(starts=None if overlay is factories.EmbargoFactory else EARLY)
    spoil(type(row)._meta.model_name, "note", '["x"]')
    assert only_the_bad_one_is_closed()


def test_a_text_for_a_refusal_that_can_not_be_read_is_no_text(bad):
    factories.RefusalTextFactory(policy=bad.policy)
    spoil("refusaltext", "heading", "7")
    assert (outcome("/iiif/3/bad"), outcome("/iiif/3/good")) == (Allowed, Allowed)


@pytest.mark.parametrize("size", [2, 5])
def test_a_circle_of_collections_admits_nobody_whatever_else_is_said(good, size):
    rows = [factories.CollectionFactory() for _ in range(size + 1)]
    for row, parent in zip(rows[1:], [*rows[2:], rows[1]], strict=True):
        Collection.objects.filter(pk=row.pk).update(parent=parent)
    Collection.objects.filter(pk=rows[0].pk).update(parent=rows[1], policy=good.policy, overrides=True)
    factories.ResourceFactory(url="/iiif/3/bad", collection=rows[0], policy=good.policy, overrides=True)
    user = factories.UserFactory()
    factories.GrantFactory(resource=None, collection=rows[0], user=user)
    offer = store.find_offer("/iiif/3/bad")
    assert type(decide(offer, policy.Subject(user=str(user.pk)), EARLY)) is Denied
    assert (offer.hidden, outcome("/iiif/3/good")) == (True, Allowed)


def test_a_collection_deep_inside_others_is_still_inside_them(good):
    outer = factories.CollectionFactory(policy=factories.AccessPolicyFactory())
    for _ in range(60):
        outer = factories.CollectionFactory(parent=outer)
    factories.ResourceFactory(url="/iiif/3/bad", collection=outer)
    assert only_the_bad_one_is_closed()
    assert len(store.find_offer("/iiif/3/bad").levels) == 62


@pytest.mark.parametrize("pattern", ["/a b/", "/%zz", "//x", "https:///x"])
def test_a_rule_that_no_url_could_fit_takes_in_nothing(good, pattern):
    factories.CollectionRuleFactory(pattern="/iiif/3/bad")
    spoil("collectionrule", "pattern", pattern)
    assert (store.find_offer("/iiif/3/bad"), outcome("/iiif/3/good")) == (None, Allowed)

"""Whoever gives access is told where no viewer can find out about it."""

from __future__ import annotations

import pytest
from django.urls import reverse

from iiif_auth.admin import askable
from tests import factories

pytestmark = pytest.mark.django_db

SAID = "viewers can not find out about this access"


@pytest.fixture
def silent():
    """A policy for nobody but those with a grant, and without an access service."""
    return factories.TierFactory(slug="full").policy


@pytest.fixture
def spoken():
    return factories.TierFactory(slug="full", services=[factories.AccessServiceFactory()]).policy


def grants_at(policy):
    collection = factories.CollectionFactory(policy=policy)
    return [
        factories.GrantFactory(resource=factories.ResourceFactory(policy=policy)),
        factories.GrantFactory(resource=factories.ResourceFactory(collection=collection)),
        factories.GrantFactory(resource=None, collection=collection),
        factories.GrantFactory(resource=None, policy=policy),
    ]


def test_it_is_said_of_items_collections_and_policies(silent, spoken):
    for row in grants_at(silent):
        (said,) = askable.warnings([row])
        assert SAID in said
        assert str(askable.target_of(row)) in said
    assert askable.warnings(grants_at(spoken)) == []


def test_a_service_further_out_will_do(silent, spoken):
    inside = factories.ResourceFactory(policy=silent, collection=factories.CollectionFactory(policy=spoken))
    assert askable.warnings([factories.GrantFactory(resource=inside)]) == []


def test_what_no_policy_governs_is_not_spoken_of():
    """It is said elsewhere that nobody gets in there."""
    assert askable.warnings([factories.GrantFactory()]) == []


def test_many_are_named_shortly_and_cost_few_queries(silent, django_assert_max_num_queries):
    rows = [factories.GrantFactory(resource=factories.ResourceFactory(policy=silent)) for _ in range(30)]
    askable.warnings(rows[:1])  # reads the rules, which is done once for each change
    with django_assert_max_num_queries(12):
        (said,) = askable.warnings(rows)
    assert said.count("Picture") == 5


def test_the_form_of_a_grant_says_so(root, silent, spoken):
    factories.UserFactory(email="hana@example.org")
    for policy, expected in ((silent, True), (spoken, False)):
        row = factories.ResourceFactory(policy=policy)
        sent = {"user": "hana@example.org", "resource": row.pk, "take": "on"}
        page = root.post(reverse("admin:iiif_auth_grant_add"), sent, follow=True).content.decode()
        assert "was added successfully" in page
        assert (SAID in page) is expected


def test_giving_until_a_day_says_so(root, silent, spoken):
    factories.UserFactory(email="hana@example.org")
    for policy, expected in ((silent, True), (spoken, False)):
        row = factories.ResourceFactory(policy=policy)
        sent = {"person": "hana@example.org", "items": row.url, "until": "week", "reason": "A thesis", "take": "on"}
        page = root.post(reverse("admin:iiif_auth_give"), sent, follow=True).content.decode()
        assert "Access given" in page
        assert (SAID in page) is expected

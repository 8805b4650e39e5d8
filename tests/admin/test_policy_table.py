"""A policy as a table on its page: who may do what, when, and how they get in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from iiif_auth.admin import policy_table, spoken
from iiif_auth.models import Condition
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def maps():
    held = make.AccessPolicyFactory(name="Maps")
    login = make.AccessServiceFactory(slug="login")
    full = make.TierFactory(policy=held, slug="full", order=1, ends=datetime(2031, 5, 1, tzinfo=UTC), services=[login])
    make.ConditionFactory(tier=full, kind=Condition.Kind.GROUP, group=make.GroupFactory(name="<Staff>"))
    small = make.TierFactory(
        policy=held, slug="small", order=2, gets=make.models.Tier.Gets.SMALLER, max_edge=400, take=False
    )
    make.ConditionFactory(tier=small)
    return held


def test_each_tier_is_a_line(maps, settings):
    settings.TIME_ZONE = "UTC"
    assert list(policy_table.lines(spoken.policy_value(maps))) == [
        ("full", "members of <Staff>", "view and keep a copy", "until 1 May 2031", "by signing in"),
        ("small", "anyone", "view a version of at most 400 pixels", "always", "–"),
    ]


def test_the_page_of_the_policy_has_the_table(root, maps):
    html = root.get(reverse("admin:iiif_auth_accesspolicy_change", args=[maps.pk])).content.decode()
    assert '<table class="iiif-auth-policy"><caption class="visually-hidden">Who may do what, and when, by Maps' in html
    assert '<th scope="row">full</th><td>members of &lt;Staff&gt;</td>' in html


def test_a_policy_without_tiers_says_so():
    assert policy_table.table(make.AccessPolicyFactory()) == "It has no tiers, so it lets nobody in."


def test_a_policy_that_can_not_be_read_says_so(maps):
    maps.zone = "Nowhere/Land"
    assert "can not be read" in policy_table.table(maps)

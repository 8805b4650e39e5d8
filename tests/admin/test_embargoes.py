"""Embargoes in the admin: a day is enough, what governs then, and those that are over while something else closes."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from iiif_auth.admin.embargoes import still_closed
from iiif_auth.models import Embargo
from tests import factories
from tests.admin.pages import sent_back

pytestmark = pytest.mark.django_db
ADD = "/admin/iiif_auth/embargo/add/"


def form(row, **values):
    return {"resource": row.pk, "closes": "all", "reason": "Contract", "ends_0": "2031-05-01", "ends_1": "", **values}


def open_policy(**values):
    tier = factories.TierFactory(slug="all", policy=factories.AccessPolicyFactory(**values))
    factories.ConditionFactory(tier=tier)
    return tier.policy


def test_a_day_opens_where_it_begins_on_the_site(root, settings):
    settings.TIME_ZONE = "America/New_York"
    row = factories.ResourceFactory()
    assert "America/New_York" in root.get(ADD).content.decode()
    assert root.post(ADD, form(row)).status_code == 302
    assert Embargo.objects.get().ends == datetime(2031, 5, 1, tzinfo=ZoneInfo("America/New_York"))


def test_a_time_counts_where_it_is_given(root, settings):
    settings.TIME_ZONE = "Europe/Paris"
    root.post(ADD, form(factories.ResourceFactory(), ends_1="09:30"))
    assert Embargo.objects.get().ends == datetime(2031, 5, 1, 9, 30, tzinfo=ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize(("given", "field"), [({"ends_0": ""}, "ends"), ({"ends_0": "May"}, "ends")])
def test_what_governs_then_needs_its_day(root, given, field):
    held = open_policy()
    response = root.post(ADD, form(factories.ResourceFactory(), then_policy=held.pk, **given))
    assert (list(response.context["adminform"].form.errors), Embargo.objects.count()) == ([field], 0)


def test_a_template_governs_nothing_then(root):
    held = open_policy(is_template=True)
    response = root.post(ADD, form(factories.ResourceFactory(), then_policy=held.pk))
    assert list(response.context["adminform"].form.errors) == ["then_policy"]


def test_the_page_says_what_governs_then_and_sends_itself_back_unchanged(root):
    row = factories.EmbargoFactory(
        ends=timezone.now().replace(microsecond=0) + timedelta(days=9), then_policy=open_policy(name="Open shelves")
    )
    url = f"/admin/iiif_auth/embargo/{row.pk}/change/"
    response = root.get(url)
    assert "“Open shelves” governs: Anyone may view and keep a copy." in response.content.decode()
    assert root.post(url, sent_back(response, "embargo")).status_code == 302
    assert Embargo.objects.get().ends == row.ends


def test_the_sentence_of_a_resource_follows_its_embargo(root):
    row = factories.ResourceFactory(policy=factories.AccessPolicyFactory())
    embargo = factories.EmbargoFactory(
        resource=row, ends=timezone.now() + timedelta(days=9), then_policy=open_policy(name="Open shelves")
    )
    page = f"/admin/iiif_auth/resource/{row.pk}/change/"
    before = root.get(page).content.decode()
    assert ("on “Open shelves” governs:" in before, "Nobody may see anything." in before) == (True, True)
    Embargo.objects.filter(pk=embargo.pk).update(ends=timezone.now())
    for url in (page, "/admin/iiif_auth/resource/"):
        after = root.get(url).content.decode()
        assert ("Anyone may view and keep a copy." in after, "Nobody may see anything." in after) == (True, False)


def test_the_sentence_of_a_resource_follows_the_embargo_of_its_collection(root):
    shelf = factories.CollectionFactory(policy=factories.AccessPolicyFactory())
    factories.ResourceFactory(collection=shelf)
    factories.EmbargoFactory(resource=None, collection=shelf, ends=timezone.now(), then_policy=open_policy())
    assert "Anyone may view and keep a copy." in root.get("/admin/iiif_auth/resource/").content.decode()


def test_the_page_that_says_why_names_what_governs_then(root):
    row = factories.ResourceFactory(policy=factories.AccessPolicyFactory())
    factories.EmbargoFactory(
        resource=row, ends=timezone.now() + timedelta(days=9), then_policy=open_policy(name="Open shelves")
    )
    page = root.get("/admin/iiif_auth/resource/why/", {"resource": row.pk}).content.decode()
    assert "then “Open shelves” governs" in page
    assert "Waiting until" in page or "waiting until" in page


# -- Over, and still closed ---------------------------------------------------------------------------------------


def over(**values):
    return factories.EmbargoFactory(ends=timezone.now() - timedelta(days=1), **values)


def opened(**values):
    return factories.ResourceFactory(**{"policy": open_policy(), **values})


def test_what_is_over_and_open_is_not_among_them():
    over(resource=opened())
    factories.EmbargoFactory(resource=opened())
    shelf = factories.CollectionFactory(policy=open_policy())
    over(resource=opened(policy=None, collection=shelf))
    over(resource=opened(policy=None), then_policy=open_policy())
    factories.CollectionRuleFactory(collection=shelf, pattern="/iiif/3/ruled/")
    over(resource=opened(policy=None, url="/iiif/3/ruled/1"))
    assert list(still_closed(Embargo.objects.all())) == []


def test_what_something_else_closes_is():
    withdrawn, twice, bare = opened(), opened(), opened(policy=None)
    factories.WithdrawalFactory(resource=withdrawn)
    factories.EmbargoFactory(resource=twice)
    shelf = factories.CollectionFactory(policy=open_policy())
    inner = factories.CollectionFactory(parent=shelf)
    factories.EmbargoFactory(resource=None, collection=shelf)
    empty = opened(policy=None, collection=factories.CollectionFactory())
    wanted = [over(resource=row) for row in (withdrawn, twice, bare, opened(collection=inner), empty)]
    wanted.append(over(resource=None, collection=inner))
    assert set(still_closed(Embargo.objects.all())) == set(wanted)


def test_the_list_can_be_filtered_by_it(root):
    row = opened(label={"en": ["Forgotten"]})
    factories.WithdrawalFactory(resource=row)
    over(resource=row)
    over(resource=opened(label={"en": ["Fine"]}))
    page = root.get("/admin/iiif_auth/embargo/?past=closed").content.decode()
    assert ("Embargo on Forgotten" in page or "Forgotten" in page, "Fine" in page) == (True, False)

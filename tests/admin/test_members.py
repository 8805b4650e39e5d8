"""The page of what is in a collection, and what to add."""

from __future__ import annotations

import pytest
from django.urls import reverse

from iiif_auth import models, placing
from iiif_auth.admin import members
from iiif_auth.admin.rules import CollectionAdmin
from tests import factories
from tests.admin.test_manifests import brought_in
from tests.admin.test_tables import applied, staff
from tests.exchange.test_trees import MANIFEST_3

pytestmark = pytest.mark.django_db


def page_of(collection):
    return reverse("admin:iiif_auth_members", args=[collection.pk])


@pytest.fixture
def maps():
    return factories.CollectionFactory(slug="maps", label={"en": ["Maps"]})


def test_counts_are_shown_before_a_rule_is_saved(root, maps):
    charts = factories.CollectionFactory(slug="charts", label={"en": ["Charts"]})
    factories.CollectionRuleFactory(collection=charts, pattern="/iiif/3/m")
    factories.CollectionRuleFactory(collection=charts, pattern="/iiif/3/maps/old/")
    for name in ("maps/1", "maps/2", "maps/old/3", "Maps/4", "other"):
        factories.ResourceFactory(url=f"/iiif/3/{name}")
    factories.ResourceFactory(url="/iiif/3/maps/5", collection=charts)
    answer = root.get(page_of(maps), {"fits": "prefix", "pattern": "/iiif/3/maps/"})
    preview = answer.context["preview"]
    assert (preview.fitting, preview.joining, preview.elsewhere) == (4, 2, 1)
    assert preview.taken_from == ((charts, 2),)
    assert "2 of them are taken from “Charts”." in answer.content.decode()
    assert not maps.rules.exists()


@pytest.mark.parametrize(
    ("fits", "pattern", "joining"),
    [("glob", "/iiif/3/*/1", 2), ("exact", "/iiif/3/maps/1", 1), ("prefix", "/iiif/3/", 4), ("glob", "/iiif/3/*", 1)],
)
def test_the_preview_goes_by_the_rules_themselves(root, maps, fits, pattern, joining):
    for name in ("maps/1", "plans/1", "maps/2", "single"):
        factories.ResourceFactory(url=f"/iiif/3/{name}")
    preview = root.get(page_of(maps), {"fits": fits, "pattern": pattern}).context["preview"]
    assert preview.joining == joining
    root.post(page_of(maps), {"do": "rule", "fits": fits, "pattern": pattern, "reason": "New shelf"})
    inside = root.get(page_of(maps)).context["inside"]
    assert inside.by_rule == joining
    assert models.Change.objects.get(model="collectionrule").reason == "New shelf"


def test_items_of_manifests_that_wait_are_counted_too(root, maps):
    brought_in(root, MANIFEST_3)
    given = {"fits": "prefix", "pattern": "https://images.example.org/iiif/"}
    assert root.get(page_of(maps), given).context["preview"].canvases == 2


def test_a_rule_that_is_there_already_or_takes_in_everything_is_refused(root, maps):
    factories.CollectionRuleFactory(collection=maps, pattern="/iiif/3/maps/")
    answer = root.post(page_of(maps), {"do": "rule", "fits": "prefix", "pattern": "/iiif/3/maps/", "reason": "x"})
    assert "has this rule already" in answer.content.decode()
    answer = root.post(page_of(maps), {"do": "rule", "fits": "prefix", "pattern": "/", "reason": "x"})
    assert "This would take in everything" in answer.content.decode()
    assert maps.rules.count() == 1


def test_a_list_of_addresses_is_counted_before_it_is_applied(root, maps):
    row = factories.ResourceFactory(url="/iiif/3/one")
    addresses = "/iiif/3/one/info.json\n\nhttps://images.example.org/iiif/3/two\nnonsense\n"
    answer = root.post(page_of(maps), {"do": "list", "addresses": addresses}, follow=True)
    assert dict(answer.context["counts"]) == {"error": 1, "new": 1, "changed": 1, "same": 0}
    assert not maps.resources.exists()
    applied(root, answer)
    assert {one.url for one in maps.resources.all()} == {"/iiif/3/one", "https://images.example.org/iiif/3/two"}
    assert maps.resources.get(pk=row.pk)


def test_only_people_who_work_everywhere_add_rules(client, maps):
    user = staff(
        client, "view_collection", "change_collection", "add_collectionrule", "change_resource", "view_resource"
    )
    models.Delegation.objects.create(collection=maps, user=user, role="manager")
    other = factories.CollectionFactory()
    rule = {"do": "rule", "fits": "prefix", "pattern": "/iiif/3/x/", "reason": "x"}
    assert client.post(page_of(maps), rule).status_code == 403
    page = client.get(page_of(maps), {"fits": "prefix", "pattern": "/iiif/3/"})
    assert "preview" not in page.context
    assert "See what it takes in" not in page.content.decode()
    assert client.get(page_of(other)).status_code == 302  # as for one that is not there
    assert not models.CollectionRule.objects.exists()


def test_people_who_only_look_add_nothing(client, maps):
    staff(client, "view_collection", "view_resource", "every_collection")
    page = client.get(page_of(maps)).content.decode()
    assert "<textarea" not in page
    for deed in ("rule", "list"):
        answer = client.post(
            page_of(maps), {"do": deed, "addresses": "/iiif/3/x", "fits": "prefix", "pattern": "/iiif/x"}
        )
        assert answer.status_code == 403
    assert not models.Batch.objects.exists()


def test_the_list_and_the_form_of_collections_lead_there(root, maps):
    for name, args in (("changelist", []), ("change", [maps.pk])):
        assert page_of(maps) in root.get(reverse(f"admin:iiif_auth_collection_{name}", args=args)).content.decode()


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


def test_it_is_noticed_where_those_of_one_collection_add_rules(client, maps, monkeypatch):
    monkeypatch.setattr(members, "may_rule", lambda user, row: True)
    with pytest.raises(AssertionError, match="302 == 403"):
        test_only_people_who_work_everywhere_add_rules(client, maps)


def test_it_is_noticed_where_the_pages_of_other_collections_open(client, maps, monkeypatch):
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    with pytest.raises(AssertionError, match="(200|403) == 302"):
        test_only_people_who_work_everywhere_add_rules(client, maps)


@pytest.mark.parametrize("broken", ["may_rule", "may_exchange"])
def test_it_is_noticed_where_those_who_only_look_may_add(client, maps, monkeypatch, broken):
    monkeypatch.setattr(members, broken, lambda *given: True)
    monkeypatch.setattr(CollectionAdmin, "has_change_permission", lambda *given: True)
    with pytest.raises(AssertionError):
        test_people_who_only_look_add_nothing(client, maps)

"""Many URLs at once mean what each of them means alone, and take few questions to the database."""

from __future__ import annotations

import random

import pytest
from django.db import connection

from iiif_auth import store
from iiif_auth.models import CollectionRule, Resource
from iiif_auth.policy import types as policy
from tests import factories
from tests.store.test_addresses import instead_of, members

pytestmark = pytest.mark.django_db


@pytest.fixture
def library():
    """Rows of every kind, and the URLs that mean them, mean something near them, or mean nothing."""
    sorry = factories.ResourceFactory(url="/iiif/3/sorry")
    tiered, stood_in = members(200, 400), members(800)
    instead_of(tiered, substitute=sorry)
    instead_of(stood_in, suffix="~instead")
    shelf = factories.CollectionFactory(slug="shelf", policy=tiered)
    secret = factories.CollectionFactory(slug="secret", hides_existence=True, parent=shelf)
    for pattern, fits, collection in (
        ("/iiif/3/maps/", "prefix", shelf),
        ("/iiif/3/maps/rare/", "prefix", secret),
        ("/iiif/3/*/plates/*", "glob", shelf),
        ("/iiif/3/one", "exact", secret),
    ):
        CollectionRule.objects.create(pattern=pattern, fits=fits, collection=collection)
    for number in range(40):
        row = factories.ResourceFactory(
            url=f"/iiif/3/item-{number}",
            policy=(None, tiered, stood_in)[number % 3],
            collection=(None, shelf, secret)[number // 3 % 3],
            image_api=(0, 2, 3)[number // 9 % 3],
        )
        if number % 4 == 0:
            factories.RenditionFactory(resource=row, url=f"/files/{number}.jpg", tier="p200")
        if number % 5 == 0:
            factories.RenditionFactory(resource=row, url=f"/moved/{number}.jpg", is_location=True)
        if number % 7 == 0:
            factories.GrantFactory(resource=row)
            factories.EmbargoFactory(resource=row)
            factories.WithdrawalFactory(resource=row)
    factories.ResourceFactory(url="/iiif/3/item-2~instead")
    return [
        *(
            f"/iiif/3/item-{number}{suffix}"
            for number in range(45)
            for suffix in ("", "~p200", "~p400", "~p800", "~instead", "~x")
        ),
        *(f"/files/{number}.jpg" for number in range(0, 45, 2)),
        *(f"/moved/{number}.jpg" for number in range(0, 45, 5)),
        *("/iiif/3/maps/a", "/iiif/3/maps/rare/b", "/iiif/3/x/plates/y", "/iiif/3/one", "/iiif/3/two", "/iiif/3/sorry"),
        *(row.url for row in Resource.objects.all()),
    ]


def test_each_means_what_it_means_alone(library, monkeypatch):
    alone = {uri: store.find_offer(uri) for uri in library}
    assert sum(offer is None for offer in alone.values()) > 10
    assert sum(offer is not None and offer.hidden for offer in alone.values()) > 10
    assert sum(offer is not None and bool(offer.others) for offer in alone.values()) > 10
    assert sum(offer is not None and bool(offer.substitutes) for offer in alone.values()) > 10
    chance = random.Random(3)
    for most in (1, 7, 300):
        monkeypatch.setattr(store.offers, "MOST_AT_ONCE", most)
        for _ in range(3):
            asked = chance.choices(library, k=chance.randint(1, 2 * len(library)))
            found = store.find_offers(asked)
            assert found == {uri: alone[uri] for uri in asked}
            assert list(found) == list(dict.fromkeys(asked))


def test_none_are_none(library):
    assert store.find_offers([]) == {}


def test_a_thousand_take_a_handful_of_questions(django_assert_num_queries):
    rules = members(200)
    made = [factories.ResourceFactory.build(url=f"/iiif/3/page-{number}", policy=rules) for number in range(500)]
    for row in made:
        row.clean_fields()
    Resource.objects.bulk_create(made)
    store.rulebook()
    uris = [f"/iiif/3/page-{number}" for number in range(1000)]
    with django_assert_num_queries(4):
        found = store.find_offers(uris)
    assert sum(offer is not None for offer in found.values()) == 500


def test_a_long_list_does_not_push_out_what_is_asked_for_one_by_one(library):
    store.find_offer("/iiif/3/item-1")
    kept = {key: dict(shelf.offers) for key, shelf in store.offers.shelves.items()}
    store.find_offers(library)
    assert {key: dict(shelf.offers) for key, shelf in store.offers.shelves.items()} == kept


def test_what_the_host_knows_counts_here_too(library, settings):
    hosts = policy.Offer(policy.Rendition("/host/1"))
    settings.IIIF_AUTH_FLOW = {
        **settings.IIIF_AUTH_FLOW,
        "OFFERS": lambda uri: hosts if uri.startswith(("/host/", "/iiif/3/item-1")) else None,
    }
    found = store.find_offers(["/host/1", "/iiif/3/item-1", "/iiif/3/two"])
    assert found == {"/host/1": hosts, "/iiif/3/item-1": store.find_offer("/iiif/3/item-1"), "/iiif/3/two": None}
    assert found["/iiif/3/item-1"] != hosts


def change_while_reading(monkeypatch, times):
    """The rules change after a statement, so many times."""
    read, left = store.offers.read, [times]

    def reading(uris):
        found = read(uris)
        if left[0]:
            left[0] -= 1
            factories.AccessPolicyFactory()
        return found

    monkeypatch.setattr(store.offers, "read", reading)


def test_a_change_in_between_is_noticed(library, monkeypatch):
    expected = {uri: store.find_offer(uri) for uri in library}
    monkeypatch.setattr(store.offers, "MOST_AT_ONCE", 20)
    change_while_reading(monkeypatch, 1)
    assert store.find_offers(library) == expected


def test_what_changes_all_the_time_can_not_be_decided_on(library, monkeypatch):
    store.rulebook()
    monkeypatch.setattr(store.offers, "MOST_AT_ONCE", 20)
    change_while_reading(monkeypatch, 1000)
    with pytest.raises(store.RulesInMotion):
        store.find_offers(library)


def test_a_change_that_is_committed_counts_from_the_next_time(library):
    assert not store.find_offers(["/iiif/3/item-0"])["/iiif/3/item-0"].hidden
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE iiif_auth_resource SET collection_id = (SELECT id FROM iiif_auth_collection WHERE slug = 'secret') "
            "WHERE url = '/iiif/3/item-0'"
        )
    assert store.find_offers(["/iiif/3/item-0"])["/iiif/3/item-0"].hidden

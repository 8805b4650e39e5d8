"""Names are compared byte for byte, in every database (security 1.2, table P4)."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from django.db import connection

from iiif_auth.models import AccessService, CollectionRule, Network, Resource
from iiif_auth.protocol import identity
from tests import factories

pytestmark = pytest.mark.django_db

ODD = [
    "chart",
    "Chart",
    "CHART",
    "chart%20",
    "chart.",
    "0chart",
    "00chart",
    "caf%C3%A9",
    "cafe%CC%81",
    "%E2%84%AA",
    "K",
    "%C4%B0",
    "ma%C3%9F",
    "mass",
    "a_b",
    "a%25b",
    "axb",
]


def test_addresses_that_look_alike_are_different_resources():
    for name in ODD:
        factories.ResourceFactory(url=f"/iiif/3/{name}", label={"en": [name]})
    found = {name: Resource.objects.get(url=f"/iiif/3/{name}").label["en"][0] for name in ODD}
    assert found == {name: name for name in ODD}


def test_identifiers_that_look_alike_are_different_rows():
    slugs = ["reading-room", "Reading-room", "reading-room ", "reading_room", unicodedata.normalize("NFC", "café")]
    slugs.append(unicodedata.normalize("NFD", "café"))
    for number, slug in enumerate(slugs):
        Network.objects.create(slug=slug, name=str(number), prefixes=[])
    assert [Network.objects.get(slug=slug).name for slug in slugs] == [str(number) for number in range(len(slugs))]


def test_an_identifier_is_not_a_number():
    Network.objects.create(slug="1", name="One", prefixes=[])
    assert not Network.objects.filter(slug="01").exists()
    assert not Network.objects.filter(slug=str(Decimal("1.0"))).exists()


def test_the_digest_cannot_come_apart_from_the_address():
    row = factories.ResourceFactory(url="/iiif/3/chart")
    row.url_digest = "0" * 64
    row.url = "https://iiif.example.org/iiif/3/map/info.json"
    row.save()
    stored = Resource.objects.values("url", "url_digest").get()
    assert stored == {"url": "/iiif/3/map", "url_digest": identity.digest("/iiif/3/map")}


def test_a_row_is_found_by_any_spelling_of_its_address():
    row = factories.ResourceFactory(url="/iiif/3/p0%2F28")
    assert Resource.objects.get(url="http://IIIF.example.org/iiif/3/p0%2f28/full/max/0/default.jpg") == row


@pytest.mark.parametrize("many", [False, True])
def test_every_way_to_write_an_address_normalises_it(many):
    row = Resource(url="HTTP://IIIF.example.org:80/iiif/3/a%2fb/", label={"en": ["X"]})
    Resource.objects.bulk_create([row]) if many else row.save()
    assert Resource.objects.values_list("url", "url_digest").get() == (
        "/iiif/3/a%2Fb",
        identity.digest("/iiif/3/a%2Fb"),
    )


def test_a_site_that_moves_keeps_its_resources(settings):
    factories.ResourceFactory(url="https://iiif.example.org/iiif/3/chart")
    settings.IIIF_AUTH_FLOW = {"BASE_URL": "https://new.example.org"}
    assert Resource.objects.get(url="https://new.example.org/iiif/3/chart").url == "/iiif/3/chart"


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("https://iiif.example.org/iiif/3/maps/", "/iiif/3/maps/"),
        ("http://Other.example.org/a%2fb", "https://other.example.org/a%2Fb"),
    ],
)
def test_an_address_rule_is_stored_in_the_spelling_it_is_compared_in(given, stored):
    factories.CollectionRuleFactory(pattern=given)
    assert CollectionRule.objects.get().pattern == stored


def test_the_columns_that_are_looked_up_are_indexed():
    with connection.cursor() as cursor:
        constraints = connection.introspection.get_constraints(cursor, "iiif_auth_resource")
    assert [
        found["columns"] for found in constraints.values() if found["unique"] and found["columns"] == ["url_digest"]
    ] == [["url_digest"]]


def test_rows_are_called_what_people_call_them(settings):
    service = factories.AccessServiceFactory(slug="login", label={"en": ["Log in"], "cy": ["Mewngofnodi"]})
    unnamed = AccessService(slug="kiosk")
    assert (str(service), str(unnamed)) == ("Log in", "kiosk")

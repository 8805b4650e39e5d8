"""Which resource, and which version of it, a URL means."""

from __future__ import annotations

import time

import pytest

from iiif_auth import store
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import decide
from iiif_auth.policy.types import FULL, ImageApi, Rendition
from tests import factories
from tests.store.test_values import EARLY, en, said, smaller

pytestmark = pytest.mark.django_db

CHART = "/iiif/3/chart"


def members(*edges, **values):
    """A policy with a full tier for people signed in and smaller ones for everyone."""
    rules = factories.AccessPolicyFactory(**values)
    full = factories.TierFactory(policy=rules, slug="full", order=0)
    factories.ConditionFactory(tier=full, kind="authenticated")
    for order, edge in enumerate(edges, 1):
        smaller(rules, slug=f"p{edge}", edge=edge, order=order, label=en(f"{edge} px"))
    return rules


def chart(**values):
    return factories.ResourceFactory(**{"url": CHART, "label": en("Chart"), **values})


def image(uri, reach, text, api=ImageApi.V3):
    return Rendition(uri, reach, policy.Kind.IMAGE, api, "", said(text))


# -- Address rules ------------------------------------------------------------------------------------------------


def shelf(slug, fits, pattern):
    row = factories.CollectionFactory(slug=slug)
    factories.CollectionRuleFactory(collection=row, fits=fits, pattern=pattern)
    return row


def place_of(url):
    offer = store.find_offer(url)
    return None if offer is None else [level.name for level in offer.levels[1:]]


def test_an_exact_rule_wins_over_the_longest_prefix_over_a_pattern():
    shelf("exact", "exact", "/iiif/3/maps/rare/one")
    shelf("short", "prefix", "/iiif/3/maps/")
    shelf("long", "prefix", "/iiif/3/maps/rare/")
    shelf("glob", "glob", "/iiif/3/*/rare/*")
    found = {
        url: place_of(url)
        for url in (
            "/iiif/3/maps/rare/one",
            "/iiif/3/maps/rare/two",
            "/iiif/3/maps/x",
            "/iiif/3/books/rare/x",
            "/iiif/2/x",
        )
    }
    assert found == {
        "/iiif/3/maps/rare/one": ["exact"],
        "/iiif/3/maps/rare/two": ["long"],
        "/iiif/3/maps/x": ["short"],
        "/iiif/3/books/rare/x": ["glob"],
        "/iiif/2/x": None,
    }


def test_a_rule_takes_in_what_no_row_knows():
    shelf("maps", "prefix", "/iiif/3/maps/")
    assert store.find_offer("/iiif/3/maps/unheard-of") == policy.Offer(
        Rendition("/iiif/3/maps/unheard-of"),
        levels=(policy.Level("/iiif/3/maps/unheard-of"), policy.Level("maps")),
    )


def test_a_row_has_its_place_by_rule_too_but_its_own_collection_counts_first():
    shelf("maps", "prefix", "/iiif/3/")
    chart()
    assert place_of(CHART) == ["maps"]
    chart(url="/iiif/3/other", collection=factories.CollectionFactory(slug="own"))
    assert place_of("/iiif/3/other") == ["own"]


@pytest.mark.parametrize(
    "pattern", ["https://iiif.example.org/iiif/3/maps/", "http://IIIF.EXAMPLE.org:80/iiif/3/maps/"]
)
def test_a_rule_for_our_own_site_may_be_a_whole_url(pattern):
    shelf("maps", "prefix", pattern)
    assert place_of("/iiif/3/maps/one") == ["maps"]


def test_a_rule_reads_escapes_as_urls_do():
    shelf("maps", "prefix", "/iiif/3/%7emaps%2f")
    assert place_of("/iiif/3/~maps%2Fone") == ["maps"]


def test_an_exact_rule_may_be_written_as_an_info_json():
    shelf("maps", "exact", "https://images.example.org/one/info.json")
    assert place_of("https://images.example.org/one") == ["maps"]


def test_a_whole_host_is_that_host_only():
    shelf("them", "prefix", "https://images.example.org")
    assert place_of("https://images.example.org/x") == ["them"]
    assert place_of("https://images.example.org.evil.example/x") is None


@pytest.mark.parametrize(
    ("pattern", "uri", "fits"),
    [
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", False),
        ("/a/*", "/a", False),
        ("/*/b", "/a/b", True),
        ("/a*b", "/ab", True),
        ("/a*b", "/axxb", True),
        ("/a*b", "/a", False),
        ("/ab*ab", "/ab", False),
        ("/ab*ab", "/abab", True),
        ("/a*b*c", "/aXbYc", True),
        ("/a*b*c", "/aXcYb", False),
        ("/*b*", "/abc", True),
        ("/*b*", "/ac", False),
        ("/a**b", "/ab", True),
        ("/a.b", "/axb", False),
        ("/a[bc]", "/ab", False),
        ("/a", "/A", False),
    ],
)
def test_a_star_is_anything_within_one_segment(pattern, uri, fits):
    assert store.fits(pattern, uri) is fits


@pytest.mark.parametrize(
    ("pattern", "uri"),
    [
        ("/" + "a*" * 500, "/" + "a" * 100_000),
        ("/" + "*a" * 500 + "b", "/" + "a" * 100_000),
        ("/*" * 500, "/a" * 50_000),
        ("/" + "*" * 1000, "/" + "b" * 100_000),
    ],
)
def test_a_hostile_pattern_is_looked_at_quickly(pattern, uri):
    began = time.process_time()
    store.fits(pattern, uri)
    assert time.process_time() - began < 0.2  # some 5 ms; what tries every way takes for ever


# -- Versions -----------------------------------------------------------------------------------------------------


def test_an_image_service_has_a_smaller_version_for_each_tier_largest_first():
    chart(policy=members(200, 800))
    offer = store.find_offer(CHART)
    assert offer.wanted == image(CHART, FULL, "Chart")
    assert offer.others == (image(f"{CHART}~p800", 800, "800 px"), image(f"{CHART}~p200", 200, "200 px"))


def test_a_smaller_version_is_an_address_too():
    chart(policy=members(200, 800))
    offer = store.find_offer(f"{CHART}~p800")
    assert offer.wanted == image(f"{CHART}~p800", 800, "800 px")
    assert offer.others == (image(f"{CHART}~p200", 200, "200 px"),)
    assert offer.label == said("Chart")


def test_a_file_has_no_smaller_versions_by_suffix():
    chart(policy=members(200), type="Text", image_api=0)
    assert store.find_offer(CHART).others == ()
    assert store.find_offer(f"{CHART}~p200") is None


def test_a_suffix_of_another_policy_means_nothing_here():
    members(200)
    chart(policy=members(400))
    assert store.find_offer(f"{CHART}~p200") is None


def test_a_suffix_that_spells_the_name_of_another_tier_means_nothing():
    smaller(factories.AccessPolicyFactory(), slug="tiny", suffix="big", edge=100)
    rules = factories.AccessPolicyFactory()
    smaller(rules, slug="big", suffix="~b", edge=800)
    chart(policy=rules)
    assert store.find_offer(f"{CHART}big") is None


def test_the_longest_base_is_tried_last_and_a_row_first():
    rules = members(200)
    smaller(rules, slug="x", suffix="~x~p200", edge=100)
    chart(policy=rules)
    chart(url=f"{CHART}~x", policy=rules, label=en("Other"))
    assert store.find_offer(f"{CHART}~x~p200").wanted == image(f"{CHART}~x~p200", 200, "200 px")
    chart(url=f"{CHART}~x~p200", label=en("A row"))
    assert store.find_offer(f"{CHART}~x~p200").label == said("A row")


def test_tiers_of_one_name_in_two_policies_keep_their_sizes():
    near, far = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    smaller(near, slug="preview", suffix="~p200", edge=200)
    smaller(far, slug="preview", suffix="~p800", edge=800)
    chart(policy=near, collection=factories.CollectionFactory(policy=far))
    assert {uri: store.find_offer(CHART + uri).wanted.reach for uri in ("~p200", "~p800")} == {
        "~p200": 200,
        "~p800": 800,
    }


def test_where_two_policies_share_a_suffix_the_larger_size_counts_at_every_door():
    near, far = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    smaller(near, slug="a", suffix="~s", edge=200)
    smaller(far, slug="b", suffix="~s", edge=800)
    chart(policy=near, collection=factories.CollectionFactory(policy=far))
    assert store.find_offer(f"{CHART}~s").wanted.reach == 800
    assert [(other.uri, other.reach) for other in store.find_offer(CHART).others] == [(f"{CHART}~s", 800)]


def test_an_explicit_version_stands_before_a_derived_one():
    row = chart(policy=members(400))
    factories.RenditionFactory(
        resource=row, url="/thumbs/chart.jpg", tier="p400", format="image/jpeg", label=en("Small")
    )
    assert store.find_offer(CHART).others == (
        Rendition("/thumbs/chart.jpg", 400, policy.Kind.IMAGE, ImageApi.NONE, "image/jpeg", said("Small")),
    )
    assert store.find_offer("/thumbs/chart.jpg").wanted.reach == 400


def test_an_explicit_version_for_a_tier_that_is_not_there_needs_everything():
    row = chart(policy=members(400))
    factories.RenditionFactory(resource=row, url="/thumbs/chart.jpg", tier="gone")
    assert store.find_offer("/thumbs/chart.jpg").wanted.reach == FULL


def test_the_same_image_in_image_api_2_has_versions_of_its_own():
    row = chart(policy=members(400))
    factories.RenditionFactory(resource=row, url="/iiif/2/chart", image_api=2)
    offer = store.find_offer("/iiif/2/chart")
    assert offer.wanted == image("/iiif/2/chart", FULL, "Chart", ImageApi.V2)
    assert offer.others == (image("/iiif/2/chart~p400", 400, "400 px", ImageApi.V2),)
    assert store.find_offer("/iiif/2/chart~p400").wanted.reach == 400


def test_where_the_bytes_are_delivered():
    row = chart(policy=members(400), type="Video", image_api=0)
    factories.RenditionFactory(resource=row, url="https://cdn.example.org/chart.webm", is_location=True)
    assert store.find_offer(CHART).wanted.location == "https://cdn.example.org/chart.webm"
    delivered = store.find_offer("https://cdn.example.org/chart.webm").wanted
    assert (delivered.reach, delivered.location) == (FULL, "")


def test_each_tier_has_a_place_of_delivery_of_its_own():
    row = chart(policy=members(400))
    factories.RenditionFactory(resource=row, url="/cdn/full", is_location=True)
    factories.RenditionFactory(resource=row, url="/cdn/small", is_location=True, tier="p400")
    found = {uri: store.find_offer(uri).wanted for uri in (CHART, f"{CHART}~p400", "/cdn/small")}
    assert {uri: (one.reach, one.location) for uri, one in found.items()} == {
        CHART: (FULL, "/cdn/full"),
        f"{CHART}~p400": (400, "/cdn/small"),
        "/cdn/small": (400, ""),
    }


# -- Something else instead ---------------------------------------------------------------------------------------


def instead_of(rules, **values):
    row = factories.TierFactory(policy=rules, slug="instead", order=9, gets="substitute", **values)
    factories.ConditionFactory(tier=row)


def test_one_picture_may_be_shown_instead_of_all():
    rules, sorry = members(), factories.ResourceFactory(url="/iiif/3/sorry", label=en("Sorry"))
    factories.RenditionFactory(resource=sorry, url="/iiif/2/sorry", image_api=2)
    instead_of(rules, substitute=sorry)
    chart(policy=rules)
    offer = store.find_offer(CHART)
    assert offer.levels[0].policy.tiers[1].substitute == "/iiif/3/sorry"
    assert [one.wanted for one in offer.substitutes] == [image("/iiif/3/sorry", FULL, "Sorry")]


def test_each_resource_may_have_its_own_beside_it():
    rules = members()
    instead_of(rules, suffix="~blurred")
    opened = factories.AccessPolicyFactory()
    factories.ConditionFactory(tier=factories.TierFactory(policy=opened))
    for name in ("chart", "map"):
        chart(url=f"/iiif/3/{name}", policy=rules)
        chart(url=f"/iiif/3/{name}~blurred", policy=opened, label=en(f"{name}, blurred"))
    offer = store.find_offer("/iiif/3/map")
    assert [one.wanted.uri for one in offer.substitutes] == ["/iiif/3/map~blurred"]
    decision = decide(offer, policy.NOBODY, EARLY)
    assert [one.rendition.uri for one in decision.substitutes] == ["/iiif/3/map~blurred"]


def test_a_stand_in_that_is_not_there_is_not_offered():
    rules = members()
    instead_of(rules, suffix="~blurred")
    chart(policy=rules)
    assert store.find_offer(CHART).substitutes == ()


def test_a_stand_in_obeys_its_own_rules():
    rules, closed = members(), factories.AccessPolicyFactory()
    instead_of(rules, suffix="~blurred")
    chart(policy=rules)
    chart(url=f"{CHART}~blurred", policy=closed)
    assert decide(store.find_offer(CHART), policy.NOBODY, EARLY).substitutes == ()


# -- Nothing, and the host's own ----------------------------------------------------------------------------------


def test_what_nobody_knows_is_nothing():
    assert store.find_offer("/iiif/3/nothing") is None


OFFER = policy.Offer(Rendition("/of/the/host"), label=said("The host's"))


def of_host(uri):
    return OFFER if uri == "/of/the/host" else None


def test_the_host_is_asked_about_what_no_row_knows(settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "OFFERS": "tests.store.test_addresses.of_host"}
    assert (store.find_offer("/of/the/host"), store.find_offer("/of/nobody")) == (OFFER, None)
    chart(url="/of/the/host")
    assert store.find_offer("/of/the/host").label == said("Chart")


def test_the_hosts_answers_are_not_kept(settings):
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "OFFERS": of_host}
    assert store.find_offer("/of/the/host") == OFFER
    settings.IIIF_AUTH_FLOW = {**settings.IIIF_AUTH_FLOW, "OFFERS": lambda uri: None}
    assert store.find_offer("/of/the/host") is None

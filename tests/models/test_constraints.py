"""What the database itself refuses, whatever code forgot to ask ``full_clean``."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from iiif_auth.models import (
    AccessPolicy,
    AccessService,
    Agreement,
    Collection,
    CollectionRule,
    Condition,
    Embargo,
    Epoch,
    Grant,
    Network,
    Pass,
    RefusalText,
    Rendition,
    Resource,
    Tier,
    Token,
    Withdrawal,
)
from tests import factories

pytestmark = pytest.mark.django_db

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def is_refused(name, make, *args, **values):
    """Whether the database refuses a row, and by the constraint of this name."""
    with pytest.raises(IntegrityError) as refusal, transaction.atomic():
        make(*args, **values)
    return name in str(refusal.value)


def written(row, pattern):
    """As somebody with a database client would, past the field's own spelling."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE iiif_auth_collectionrule SET pattern = %s WHERE id = %s", [pattern, row.pk])


def policy():
    return factories.AccessPolicyFactory()


def collection():
    return factories.CollectionFactory()


def service():
    return factories.AccessServiceFactory()


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("iiif_auth_service_pattern", {"pattern": "active"}),
        ("iiif_auth_service_pattern", {"pattern": ""}),
        ("iiif_auth_service_origin_rule", {"origin_rule": "any"}),
        ("iiif_auth_service_token_seconds", {"token_seconds": 9}),
        ("iiif_auth_service_token_seconds", {"token_seconds": 3601}),
        ("iiif_auth_service_lives", {"idle_minutes": 0}),
        ("iiif_auth_service_lives", {"idle_minutes": 1441}),
        ("iiif_auth_service_lives", {"pass_hours": 0}),
        ("iiif_auth_service_lives", {"pass_hours": 721}),
    ],
)
def test_an_access_service_has_a_known_pattern_and_bounded_lives(name, values):
    assert is_refused(name, AccessService.objects.create, **{"slug": "x", "pattern": "login", **values})


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("iiif_auth_tier_gets", {"gets": "half"}),
        ("iiif_auth_tier_join", {"join": "xor"}),
        ("iiif_auth_tier_max_edge", {"gets": "smaller"}),
        ("iiif_auth_tier_max_edge", {"gets": "smaller", "max_edge": 0}),
        ("iiif_auth_tier_max_edge", {"gets": "smaller", "max_edge": 100_001}),
        ("iiif_auth_tier_max_edge", {"gets": "full", "max_edge": 400}),
        ("iiif_auth_tier_substitute", {"gets": "substitute"}),
        ("iiif_auth_tier_window", {"starts": LATE, "ends": EARLY}),
        ("iiif_auth_tier_window", {"starts": EARLY, "ends": EARLY}),
        ("iiif_auth_tier_season", {"season_starts": "01-01"}),
        ("iiif_auth_tier_season", {"season_ends": "01-01"}),
        ("iiif_auth_tier_season", {"season_starts": "01-01", "season_ends": "01-01"}),
    ],
)
def test_a_tier_says_what_it_gives_and_when(name, values):
    assert is_refused(name, Tier.objects.create, **{"policy": policy(), "slug": "x", **values})


def test_a_tier_that_is_full_has_no_substitute():
    instead = factories.ResourceFactory()
    assert is_refused("iiif_auth_tier_substitute", Tier.objects.create, policy=policy(), slug="x", substitute=instead)


def collides(make, **values):
    make(**values)
    with pytest.raises(IntegrityError), transaction.atomic():
        make(**values)
    return True


def test_a_tier_is_named_once_in_a_policy_and_again_in_another():
    rules = policy()
    assert collides(Tier.objects.create, policy=rules, slug="full")
    Tier.objects.create(policy=policy(), slug="full")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("iiif_auth_condition_kind", {"kind": "robot"}),
        ("iiif_auth_condition_user", {"kind": "user"}),
        ("iiif_auth_condition_group", {"kind": "group"}),
        ("iiif_auth_condition_network", {"kind": "network"}),
        ("iiif_auth_condition_service", {"kind": "agreed"}),
        ("iiif_auth_condition_attribute", {"kind": "attribute"}),
        ("iiif_auth_condition_attribute", {"kind": "attribute", "attribute_value": "staff"}),
        ("iiif_auth_condition_attribute", {"kind": "everyone", "attribute_name": "affiliation"}),
        ("iiif_auth_condition_attribute", {"kind": "everyone", "attribute_value": "staff"}),
    ],
)
def test_a_condition_names_whom_its_kind_says(name, values):
    assert is_refused(name, Condition.objects.create, tier=factories.TierFactory(), **values)


@pytest.mark.parametrize(
    ("name", "field", "make"),
    [
        ("iiif_auth_condition_user", "user", factories.UserFactory),
        ("iiif_auth_condition_group", "group", factories.GroupFactory),
        ("iiif_auth_condition_network", "network", factories.NetworkFactory),
        ("iiif_auth_condition_service", "service", factories.AccessServiceFactory),
    ],
)
def test_a_condition_for_everyone_names_nobody(name, field, make):
    values = {"tier": factories.TierFactory(), "kind": "everyone", field: make()}
    assert is_refused(name, Condition.objects.create, **values)


def test_a_text_is_for_a_known_refusal_and_there_is_one_for_each():
    assert is_refused(
        "iiif_auth_text_why_known", RefusalText.objects.create, policy=policy(), why="because", heading={}
    )
    assert collides(RefusalText.objects.create, policy=policy(), why="too-early", heading={"en": ["Not yet"]})


def test_a_collection_is_not_in_itself():
    row = collection()
    assert is_refused("iiif_auth_collection_not_in_itself", Collection.objects.filter(pk=row.pk).update, parent=row)


@pytest.mark.parametrize("model", [Collection, Resource])
def test_only_a_policy_can_override(model):
    name = {Collection: "iiif_auth_collection_overrides", Resource: "iiif_auth_resource_overrides"}[model]
    own = {Collection: {"slug": "x"}, Resource: {"url": "/x"}}[model]
    assert is_refused(name, model.objects.create, label={"en": ["X"]}, overrides=True, **own)


@pytest.mark.parametrize("pattern", ["", "maps", "http://images.example.org/"])
def test_an_address_rule_begins_like_an_address(pattern):
    row = factories.CollectionRuleFactory()
    assert is_refused("iiif_auth_rule_pattern", written, row, pattern)


def test_an_address_rule_fits_in_a_known_way_and_is_there_once():
    shelf = collection()
    assert is_refused(
        "iiif_auth_rule_fits", CollectionRule.objects.create, collection=shelf, fits="regex", pattern="/x"
    )
    assert collides(CollectionRule.objects.create, collection=shelf, fits="prefix", pattern="/x/")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("iiif_auth_resource_type", {"type": "Smell"}),
        ("iiif_auth_resource_image_api", {"image_api": 1}),
        ("iiif_auth_resource_image_api", {"type": "Video", "image_api": 3}),
    ],
)
def test_a_resource_is_of_a_known_type_and_only_images_have_a_service(name, values):
    assert is_refused(name, Resource.objects.create, url="/x", label={"en": ["X"]}, **values)


def test_one_resource_an_address():
    assert collides(Resource.objects.create, url="/x", label={"en": ["X"]})


def test_one_rendition_an_address():
    assert collides(Rendition.objects.create, resource=factories.ResourceFactory(), url="/x")


def test_a_rendition_is_of_a_known_image_api():
    assert is_refused(
        "iiif_auth_rendition_image_api",
        Rendition.objects.create,
        resource=factories.ResourceFactory(),
        url="/x",
        image_api=4,
    )


def test_a_tier_is_delivered_from_one_place():
    resource = factories.ResourceFactory()
    Rendition.objects.create(resource=resource, url="/cdn/1", is_location=True)
    Rendition.objects.create(resource=resource, url="/cdn/2", is_location=True, tier="preview")
    with pytest.raises(IntegrityError), transaction.atomic():
        Rendition.objects.create(resource=resource, url="/cdn/3", is_location=True)


@pytest.mark.parametrize("model", [Embargo, Withdrawal])
def test_an_overlay_is_on_exactly_one_thing_for_a_stretch_of_time(model):
    target, window = f"iiif_auth_{model._meta.model_name}_target", f"iiif_auth_{model._meta.model_name}_window"
    both = {"resource": factories.ResourceFactory(), "collection": collection()}
    assert is_refused(target, model.objects.create)
    assert is_refused(target, model.objects.create, **both)
    assert is_refused(window, model.objects.create, collection=both["collection"], starts=LATE, ends=EARLY)


def test_an_embargo_closes_everything_or_the_full_version():
    assert is_refused("iiif_auth_embargo_closes", Embargo.objects.create, collection=collection(), closes="half")


def test_a_grant_is_for_exactly_one_principal():
    make = Grant.objects.create
    whom = {"user": factories.UserFactory(), "group": factories.GroupFactory(), "network": factories.NetworkFactory()}
    shelf = collection()
    assert is_refused("iiif_auth_grant_principal", make, collection=shelf)
    assert is_refused("iiif_auth_grant_principal", make, collection=shelf, **whom)
    assert is_refused("iiif_auth_grant_principal", make, collection=shelf, user=whom["user"], service=service())


def test_a_grant_is_of_exactly_one_scope_and_for_a_stretch_of_time():
    make, whom = Grant.objects.create, {"user": factories.UserFactory()}
    scope = {"resource": factories.ResourceFactory(), "collection": collection(), "policy": policy()}
    assert is_refused("iiif_auth_grant_scope", make, **whom)
    assert is_refused("iiif_auth_grant_scope", make, **whom, **scope)
    assert is_refused("iiif_auth_grant_scope", make, **whom, policy=scope["policy"], resource=scope["resource"])
    assert is_refused("iiif_auth_grant_window", make, **whom, policy=scope["policy"], starts=EARLY, ends=EARLY)


@pytest.mark.parametrize(
    "make",
    [
        lambda **values: Network.objects.create(name="X", prefixes=[], **values),
        lambda **values: AccessService.objects.create(pattern="login", **values),
        lambda **values: AccessPolicy.objects.create(name="X", **values),
        lambda **values: Collection.objects.create(label={"en": ["X"]}, **values),
    ],
)
def test_identifiers_are_given_once(make):
    assert collides(make, slug="x")


def test_secrets_are_given_once():
    now = {"created": EARLY, "seen": EARLY, "idle_until": LATE, "ends": LATE}
    assert collides(Pass.objects.create, digest="0" * 64, **now)
    assert collides(Token.objects.create, digest="0" * 64, service="x", created=EARLY, ends=LATE)


def test_one_agreement_for_a_viewer():
    holder = factories.PassFactory()
    assert collides(Agreement.objects.create, holder=holder, service=service(), origin="https://v.example", at=EARLY)


def test_there_is_one_epoch():
    assert is_refused("iiif_auth_epoch_single", Epoch.objects.create, id=2)


# -- What forms are told ------------------------------------------------------------------------------------------


def complaints(row):
    with pytest.raises(ValidationError) as found:
        row.full_clean()
    return found.value.message_dict


def test_a_service_that_people_press_needs_a_label():
    assert complaints(AccessService(slug="x", pattern="clickthrough")) == {
        "label": ["Viewers show this label on a button, so it is needed (A2-ACC-05)."]
    }


def test_a_note_needs_a_heading():
    row = AccessService(slug="x", pattern="external", error_note={"en": ["No"]})
    assert complaints(row) == {"error_heading": ["A note needs a heading above it (A2-TSD-02)."]}


def test_a_circle_of_collections_is_refused():
    outer = collection()
    inner = factories.CollectionFactory(parent=outer)
    outer.parent = inner
    assert complaints(outer) == {"parent": ["A collection can not be part of itself."]}


@pytest.mark.parametrize("pattern", ["/", "/*", "https://iiif.example.org", "https://iiif.example.org/*"])
def test_a_rule_that_takes_in_everything_is_refused(pattern):
    row = CollectionRule(collection=collection(), fits="glob", pattern=pattern)
    assert complaints(row) == {"pattern": ["This would take in everything; please be more precise."]}


@pytest.mark.parametrize("pattern", ["iiif/3/", "maps", "ftp://h/x", "https://*.example.org/"])
def test_a_rule_that_fits_nothing_is_refused(pattern):
    assert list(complaints(CollectionRule(collection=collection(), pattern=pattern))) == ["pattern"]


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "Europe", "Europe/London\x00"])
def test_a_zone_that_does_not_exist_is_refused(zone):
    assert list(complaints(AccessPolicy(slug="x", name="X", zone=zone))) == ["zone"]


@pytest.mark.parametrize("day", ["13-01", "00-10", "02-30", "04-31", "1-1", "01-01\n", "٠١-٠١"])
def test_a_day_that_does_not_exist_is_refused(day):
    row = Tier(policy=policy(), slug="x", season_starts=day, season_ends="06-01")
    assert list(complaints(row)) == ["season_starts"]


@pytest.mark.parametrize("slug", ["", "Upper", "a b", "-a", "a-", "a--b", "é", "a\n", "a/b"])
def test_an_identifier_of_odd_letters_is_refused(slug):
    assert list(complaints(Network(slug=slug, name="X", prefixes=["192.0.2.0/24"]))) == ["slug"]


def test_an_address_that_is_taken_names_who_has_it():
    factories.ResourceFactory(url="/iiif/3/chart", label={"en": ["Chart"]})
    row = Resource(url="https://iiif.example.org/iiif/3/chart/info.json", label={"en": ["Again"]})
    assert complaints(row)["url"] == ["This address already belongs to the resource “Chart”."]

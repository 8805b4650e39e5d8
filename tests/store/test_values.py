"""Every field of every row arrives in the value that policy judges."""

from __future__ import annotations

from datetime import UTC, date, datetime
from ipaddress import ip_network

import pytest

from iiif_auth import store
from iiif_auth.policy import types as policy
from iiif_auth.policy.types import FULL, NOTHING, Level, Rendition, Window
from tests import factories

pytestmark = pytest.mark.django_db

EARLY, LATE = datetime(2026, 1, 1, 12, 30, 0, 5, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


def en(text):
    return {"en": [text]}


def said(text):
    return (("en", (text,)),)


def find(url="/iiif/3/chart"):
    return store.find_offer(url)


def chart(**values):
    return factories.ResourceFactory(**{"url": "/iiif/3/chart", "label": en("Chart"), **values})


def only_tier(row):
    chart(policy=row.policy)
    return find().levels[0].policy.tiers[0]


def test_a_service():
    factories.AccessServiceFactory(
        slug="terms",
        pattern="clickthrough",
        label=en("Agree"),
        heading=en("Terms"),
        note=en("Read them"),
        confirm_label=en("I agree"),
        error_heading=en("No"),
        error_note=en("Sorry"),
        logout_label=en("Leave"),
        origin_rule="listed",
        origins=["https://viewer.example.org"],
        token_seconds=60,
        idle_minutes=5,
        pass_hours=2,
    )
    assert store.rulebook().services == {
        "terms": policy.AccessService(
            slug="terms",
            pattern=policy.Pattern.CLICKTHROUGH,
            label=said("Agree"),
            heading=said("Terms"),
            note=said("Read them"),
            confirm_label=said("I agree"),
            error_heading=said("No"),
            error_note=said("Sorry"),
            logout_label=said("Leave"),
            token_seconds=60,
            idle_minutes=5,
            pass_hours=2,
            origin_rule=policy.OriginRule.LISTED,
            origins=("https://viewer.example.org",),
        )
    }


def test_a_tier_with_everything():
    login, kiosk = (
        factories.AccessServiceFactory(slug="a-login"),
        factories.AccessServiceFactory(slug="b", pattern="kiosk"),
    )
    rules = factories.AccessPolicyFactory(slug="members", name="Members", zone="Europe/London")
    factories.RefusalTextFactory(policy=rules, why="too-early", heading=en("Not yet"), note=en("Wait"))
    row = factories.TierFactory(
        policy=rules,
        slug="preview",
        label=en("Preview"),
        gets="smaller",
        max_edge=400,
        suffix="~small",
        take=False,
        starts=EARLY,
        ends=LATE,
        season_starts="11-01",
        season_ends="03-01",
        wall_years=70,
        services=[login, kiosk],
    )
    factories.ConditionFactory(tier=row)
    chart(policy=rules)
    services = store.rulebook().services
    assert find().levels[0].policy == policy.Policy(
        "members",
        (
            policy.Tier(
                slug="preview",
                audience=policy.AnyOf((policy.Everyone(),)),
                gets=policy.Gets.SMALLER,
                max_edge=400,
                take=False,
                window=Window(EARLY, LATE),
                season=policy.Season((11, 1), (3, 1), "Europe/London"),
                wall=policy.Wall(70, "Europe/London"),
                services=(services["b"], services["a-login"]),
                label=said("Preview"),
            ),
        ),
        ((policy.Why.TOO_EARLY, policy.Text(said("Not yet"), said("Wait"))),),
    )
    assert find().levels[0].policy.name == "Members"


def test_tiers_come_in_their_order():
    rules = factories.AccessPolicyFactory()
    for order, slug in ((3, "c"), (1, "a"), (2, "b")):
        factories.TierFactory(policy=rules, slug=slug, order=order)
    chart(policy=rules)
    assert [tier.slug for tier in find().levels[0].policy.tiers] == ["a", "b", "c"]


def test_every_kind_of_condition():
    row = factories.TierFactory()
    user, group = factories.UserFactory(), factories.GroupFactory()
    network, service = (
        factories.NetworkFactory(prefixes=["192.0.2.0/28", "2001:db8::/32"]),
        factories.AccessServiceFactory(),
    )
    for values in (
        {"kind": "everyone"},
        {"kind": "authenticated"},
        {"kind": "user", "user": user},
        {"kind": "group", "group": group},
        {"kind": "attribute", "attribute_name": "affiliation", "attribute_value": "staff"},
        {"kind": "network", "network": network},
        {"kind": "agreed", "service": service},
    ):
        factories.ConditionFactory(tier=row, **values)
    audience = only_tier(row).audience
    assert audience == policy.AnyOf(
        (
            policy.Everyone(),
            policy.Authenticated(),
            policy.User(str(user.pk)),
            policy.Group(str(group.pk)),
            policy.Attribute("affiliation", "staff"),
            policy.Network((ip_network("192.0.2.0/28"), ip_network("2001:db8::/32")), id=str(network.pk)),
            policy.Agreed(service.slug),
        )
    )


@pytest.mark.parametrize(
    ("join", "outer", "inner"), [("any", policy.AnyOf, policy.AllOf), ("all", policy.AllOf, policy.AnyOf)]
)
def test_brackets_are_joined_the_other_way_round(join, outer, inner):
    row = factories.TierFactory(join=join)
    for name, bracket in (("a", 0), ("b", 2), ("c", 1), ("d", 2)):
        factories.ConditionFactory(tier=row, kind="attribute", attribute_name=name, bracket=bracket)
    a, b, c, d = (policy.Attribute(name, "") for name in "abcd")
    assert only_tier(row).audience == outer((a, inner((c,)), inner((b, d))))


def test_a_tier_without_conditions_admits_nobody():
    assert not only_tier(factories.TierFactory(join="all")).audience.admits(policy.Subject(user="1"))


def test_a_template_opens_nothing():
    row = factories.TierFactory(policy__is_template=True)
    factories.ConditionFactory(tier=row)
    chart(policy=row.policy)
    assert find().levels[0].policy.tiers == ()


def test_a_resource_with_everything_that_is_laid_over_it():
    rules, shelf = (
        factories.AccessPolicyFactory(slug="own"),
        factories.CollectionFactory(slug="maps", hides_existence=True),
    )
    row = chart(
        policy=rules, overrides=True, collection=shelf, date=date(1926, 2, 28), type="Image", format="image/jpeg"
    )
    factories.EmbargoFactory(resource=row, starts=EARLY, ends=LATE, closes="full", hard=True, note=en("Later"))
    factories.WithdrawalFactory(resource=row, starts=EARLY, ends=LATE, note=en("Gone"))
    grant = factories.GrantFactory(resource=row, starts=EARLY, ends=LATE, take=False)
    level = Level(
        name="/iiif/3/chart",
        policy=policy.Policy("own"),
        overrides=True,
        embargoes=(policy.Embargo(Window(EARLY, LATE), policy.Closes.FULL, True, said("Later")),),
        withdrawals=(policy.Withdrawal(Window(EARLY, LATE), said("Gone")),),
        grants=(policy.Grant(policy.User(str(grant.user.pk)), FULL, Window(EARLY, LATE), take=False),),
    )
    wanted = Rendition("/iiif/3/chart", FULL, policy.Kind.IMAGE, policy.ImageApi.V3, "image/jpeg", said("Chart"))
    assert find() == policy.Offer(
        wanted, (), (level, Level("maps")), made=date(1926, 2, 28), hidden=True, label=said("Chart")
    )


@pytest.mark.parametrize("kind", ["Video", "Sound", "Text", "Model", "Dataset"])
def test_a_file_of_any_kind(kind):
    chart(type=kind, image_api=0)
    assert (find().wanted.kind, find().wanted.image_api) == (policy.Kind(kind), policy.ImageApi.NONE)


def test_collections_are_levels_from_the_inside_outwards():
    library = factories.CollectionFactory(
        slug="library", policy=factories.AccessPolicyFactory(slug="p"), overrides=True
    )
    house = factories.CollectionFactory(slug="house", parent=library)
    shelf = factories.CollectionFactory(slug="shelf", parent=house)
    factories.EmbargoFactory(resource=None, collection=house, ends=LATE)
    factories.WithdrawalFactory(resource=None, collection=library, starts=EARLY, note=en("Closed"))
    chart(collection=shelf)
    assert find().levels == (
        Level("/iiif/3/chart"),
        Level("shelf"),
        Level("house", embargoes=(policy.Embargo(Window(None, LATE)),)),
        Level(
            "library", policy.Policy("p"), True, withdrawals=(policy.Withdrawal(Window(EARLY, None), said("Closed")),)
        ),
    )


@pytest.mark.parametrize(("inner", "outer"), [(False, True), (True, False), (True, True)])
def test_what_is_inside_something_secret_is_secret(inner, outer):
    library = factories.CollectionFactory(hides_existence=outer)
    chart(collection=factories.CollectionFactory(parent=library, hides_existence=inner))
    assert find().hidden


# -- Grants -------------------------------------------------------------------------------------------------------


def smaller(rules, slug="preview", edge=400, **values):
    row = factories.TierFactory(policy=rules, slug=slug, gets="smaller", max_edge=edge, **values)
    factories.ConditionFactory(tier=row)
    return row


def test_a_grant_to_every_kind_of_principal():
    row, make = chart(), factories.GrantFactory
    user, group, network = factories.UserFactory(), factories.GroupFactory(), factories.NetworkFactory()
    service = factories.AccessServiceFactory(slug="terms")
    make(resource=row, user=user)
    make(resource=row, user=None, group=group)
    make(resource=row, user=None, network=network)
    make(resource=row, user=None, service=service)
    assert {grant.principal for grant in find().levels[0].grants} == {
        policy.User(str(user.pk)),
        policy.Group(str(group.pk)),
        policy.Network((ip_network("192.0.2.0/28"),), id=str(network.pk)),
        policy.Agreed("terms"),
    }


@pytest.mark.parametrize(("tier", "reach"), [("", FULL), ("preview", 400), ("nothing-of-the-sort", NOTHING)])
@pytest.mark.parametrize("scope", ["resource", "collection", "policy"])
def test_a_grant_reaches_as_far_as_its_tier_wherever_it_is_given(scope, tier, reach):
    rules = factories.AccessPolicyFactory()
    smaller(rules)
    shelf = factories.CollectionFactory(policy=rules)
    scopes = {"resource": chart(collection=shelf), "collection": shelf, "policy": rules}
    factories.GrantFactory(**{"resource": None, scope: scopes[scope]}, tier=tier)
    levels = find().levels
    found = {"resource": levels[0].grants, "collection": levels[1].grants, "policy": levels[1].policy_grants}
    assert {name: [grant.reach for grant in grants] for name, grants in found.items()} == {
        "resource": [],
        "collection": [],
        "policy": [],
        scope: [reach],
    }


def test_a_tier_of_a_grant_is_that_of_the_nearest_policy():
    near, far = factories.AccessPolicyFactory(), factories.AccessPolicyFactory()
    smaller(near, edge=200)
    smaller(far, edge=800)
    row = chart(policy=near, collection=factories.CollectionFactory(policy=far))
    factories.GrantFactory(resource=row, tier="preview")
    assert [grant.reach for grant in find().levels[0].grants] == [200]


def test_a_grant_for_a_policy_counts_wherever_it_is_used():
    rules = factories.AccessPolicyFactory()
    factories.GrantFactory(resource=None, policy=rules)
    chart(policy=rules, collection=factories.CollectionFactory(policy=rules))
    assert [len(level.policy_grants) for level in find().levels] == [1, 1]


def test_an_ended_grant_is_not_even_read_unless_asked_for():
    shelf = factories.CollectionFactory()
    factories.GrantFactory(resource=None, collection=shelf, ends=datetime(2020, 1, 1, tzinfo=UTC))
    chart(collection=shelf)
    assert find().levels[1].grants == ()
    book = store.Reader("default", ended=True).rulebook("")
    assert len(book.places[shelf.pk].levels[0].grants) == 1

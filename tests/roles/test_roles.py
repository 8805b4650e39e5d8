"""Where somebody works, what they may do there, and what nobody finds."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser

from iiif_auth import models, placing, roles
from tests import factories
from tests.roles.people import fresh, permissions, staff
from tests.roles.rows import rows_about

pytestmark = pytest.mark.django_db


@pytest.fixture
def tree():
    """Two collections, one of them with a part; and a resource in each, and one in none."""
    maps = factories.CollectionFactory(slug="maps")
    coast = factories.CollectionFactory(slug="coast", parent=maps)
    letters = factories.CollectionFactory(slug="letters")
    for collection in (maps, coast, letters, None):
        slug = collection.slug if collection else "loose"
        factories.ResourceFactory(url=f"/iiif/3/{slug}-1", collection=collection)
    return {"maps": maps, "coast": coast, "letters": letters}


def urls(user) -> set[str]:
    return set(roles.visible(user, models.Resource.objects.all()).values_list("url", flat=True))


def item(slug: str) -> models.Resource:
    return models.Resource.objects.get(url=f"/iiif/3/{slug}")


# -- Where --------------------------------------------------------------------------------------------------------


def test_a_delegation_reaches_everything_within_the_collection_and_nothing_else(tree):
    assert urls(staff((tree["maps"], "viewer"))) == {"/iiif/3/maps-1", "/iiif/3/coast-1"}
    assert urls(staff((tree["coast"], "manager"))) == {"/iiif/3/coast-1"}


def test_without_a_delegation_nobody_finds_anything(tree):
    nobody = staff()
    assert urls(nobody) == set()
    assert not roles.visible(nobody, models.Collection.objects.all()).exists()
    assert not roles.may(nobody, "iiif_auth.view_resource", item("maps-1"))


def test_whoever_works_everywhere_finds_what_is_in_no_collection_too(tree):
    boss = staff(may=permissions("every_collection", "view_resource"))
    assert len(urls(boss)) == 4
    assert roles.is_everywhere(boss)
    assert roles.may(boss, "iiif_auth.view_resource", item("loose-1"))
    assert not roles.may(boss, "iiif_auth.change_resource", item("loose-1"))
    assert urls(factories.UserFactory(is_superuser=True)) == urls(boss)


def test_a_group_carries_its_delegation_to_its_members_only(tree):
    group = factories.GroupFactory()
    models.Delegation.objects.create(collection=tree["letters"], group=group, role="desk")
    member, other = staff(), staff()
    member.groups.add(group)
    assert urls(fresh(member)) == {"/iiif/3/letters-1"}
    assert urls(fresh(other)) == set()


def test_the_groups_that_administer_a_collection_manage_it(tree):
    group = factories.GroupFactory()
    tree["letters"].administrators.add(group)
    member = staff()
    member.groups.add(group)
    assert roles.may(fresh(member), "iiif_auth.add_embargo", item("letters-1"))


def test_who_is_not_active_or_not_known_finds_nothing(tree):
    retired = staff((tree["maps"], "manager"))
    retired.is_active = False
    retired.save()
    for user in (fresh(retired), AnonymousUser()):
        assert urls(user) == set()
        assert not roles.may(user, "iiif_auth.view_resource", item("maps-1"))


def test_a_circle_of_collections_ends(tree):
    models.Collection.objects.filter(pk=tree["maps"].pk).update(parent=tree["coast"])
    assert urls(staff((tree["coast"], "viewer"))) == {"/iiif/3/maps-1", "/iiif/3/coast-1"}


def test_roles_in_a_collection_and_in_the_one_around_it_add_up(tree):
    user = staff((tree["maps"], "desk"), (tree["coast"], "viewer"), most_days=7)
    assert roles.most_days(user, item("coast-1")) == 7
    assert roles.may(user, "iiif_auth.add_grant", item("coast-1"))


# -- As what ------------------------------------------------------------------------------------------------------

ALLOWED = {
    "viewer": {"view_resource", "use_simulator"},
    "desk": {"view_resource", "use_simulator", "add_grant", "change_grant", "change_accessrequest"},
    "manager": {
        *("view_resource", "use_simulator", "add_grant", "change_grant", "change_accessrequest"),
        *("change_resource", "add_embargo", "delete_embargo", "add_withdrawal", "change_collection", "add_rendition"),
    },
}
NEVER = {"delete_resource", "change_rendition", "delete_collection", "add_collectionrule", "change_accesspolicy"}


@pytest.mark.parametrize("role", ALLOWED)
def test_a_role_allows_what_it_is_for_and_no_more(tree, role):
    user = staff((tree["maps"], role))
    asked = ALLOWED["manager"] | NEVER
    found = {name for name in asked if roles.may(user, f"iiif_auth.{name}", item("maps-1"))}
    assert found == ALLOWED[role]
    assert not any(roles.may(user, f"iiif_auth.{name}", item("letters-1")) for name in asked)


def test_a_role_gives_no_permission_that_django_does_not(tree):
    user = staff((tree["maps"], "manager"), may=permissions("view_resource"))
    assert not roles.may(user, "iiif_auth.change_resource", item("maps-1"))
    assert not roles.somewhere(user, "iiif_auth.change_resource")


def test_bulk_work_is_done_only_where_the_role_allows_it(tree):
    user = staff((tree["maps"], "manager"), (tree["letters"], "viewer"))
    rows = models.Resource.objects.all()
    assert len(urls(user)) == 3
    changed = roles.within(user, "iiif_auth.change_resource", rows).values_list("url", flat=True)
    assert set(changed) == {"/iiif/3/maps-1", "/iiif/3/coast-1"}


@pytest.mark.parametrize(
    ("limits", "expected"),
    [([("desk", 7)], 7), ([("desk", None)], None), ([("desk", 7), ("manager", 30)], 30), ([("viewer", 30)], 0)],
)
def test_the_longest_grant_is_the_longest_of_ones_roles_that_give_any(tree, limits, expected):
    user = staff()
    for number, (role, days) in enumerate(limits):
        group = factories.GroupFactory(name=f"G{number}")
        user.groups.add(group)
        models.Delegation.objects.create(collection=tree["maps"], group=group, role=role, most_days=days)
    assert roles.most_days(fresh(user), item("maps-1")) == expected
    assert roles.most_days(fresh(user), item("letters-1")) == 0


def test_a_viewers_limit_shortens_nothing_and_their_lack_of_one_lengthens_nothing(tree):
    user = staff((tree["maps"], "viewer"))
    models.Delegation.objects.create(collection=tree["coast"], user=user, role="desk", most_days=3)
    assert roles.most_days(fresh(user), item("coast-1")) == 3


@pytest.mark.parametrize("model", ["accesspolicy", "accessservice", "network", "terms", "tier"])
def test_what_all_collections_share_is_read_by_all_and_changed_by_none(tree, model):
    manager, boss = staff((tree["maps"], "manager")), factories.UserFactory(is_superuser=True)
    held = apps.get_model("iiif_auth", model)
    row = held(pk=1)
    assert roles.may(manager, f"iiif_auth.view_{model}", row)
    assert not roles.may(manager, f"iiif_auth.change_{model}", row)
    assert not roles.somewhere(manager, f"iiif_auth.add_{model}")
    assert roles.may(boss, f"iiif_auth.change_{model}", row)
    assert roles.somewhere(boss, f"iiif_auth.add_{model}")


# -- Every kind of row --------------------------------------------------------------------------------------------


def test_every_kind_of_row_is_found_where_it_is_and_nowhere_else(tree):
    mine, others = rows_about(tree["coast"]), rows_about(tree["letters"])
    user, boss = staff((tree["coast"], "viewer")), factories.UserFactory(is_superuser=True)
    for own, foreign in zip(mine, others, strict=True):
        rows = type(own)._default_manager.filter(pk__in=(own.pk, foreign.pk))
        view = f"iiif_auth.view_{own._meta.model_name}"
        assert list(roles.visible(user, rows)) == [own], own
        assert roles.may(user, view, own), own
        assert not roles.may(user, view, foreign), foreign
        assert roles.visible(boss, rows).count() == 2


def test_no_model_is_forgotten(tree):
    """A model that is added later is somewhere, shared, or nobody's but theirs who work everywhere."""
    placed = {*placing.BY_RESOURCE, *placing.BY_COLLECTION, "resource", *placing.OWN_WAY}
    names = {model._meta.model_name for model in apps.get_app_config("iiif_auth").get_models()}
    assert names == placed | placing.SHARED
    assert not placed & placing.SHARED


@pytest.mark.parametrize("factory", [factories.PassFactory, factories.TokenFactory, factories.AgreementFactory])
def test_credentials_are_in_no_collection(tree, factory):
    row = factory()
    assert not roles.visible(staff((tree["maps"], "manager")), type(row)._default_manager.all()).exists()


def test_a_grant_for_a_policy_is_nobodys_but_theirs_who_work_everywhere(tree):
    grant = factories.GrantFactory(resource=None, policy=factories.AccessPolicyFactory())
    user = staff((tree["maps"], "manager"))
    assert not roles.visible(user, models.Grant.objects.all()).exists()
    assert not roles.may(user, "iiif_auth.change_grant", grant)


def test_a_batch_that_touched_another_collection_too_is_not_found_but_by_whoever_made_it(tree):
    batch = models.Batch.objects.create(kind="bulk", what="Both")
    for key in ("maps", "letters"):
        models.Change.objects.create(batch=batch, action="changed", model="resource", row=1, collection=tree[key].pk)
    user = staff((tree["maps"], "manager"))
    assert not roles.visible(user, models.Batch.objects.all()).exists()
    models.Batch.objects.update(actor=user)
    assert roles.visible(user, models.Batch.objects.all()).exists()
    assert roles.visible(user, batch.changes.all()).count() == 1


# -- By address rules ---------------------------------------------------------------------------------------------

ADDRESSES = [
    *("/iiif/3/maps/1", "/iiif/3/Maps/1", "/iiif/3/maps/coast/1", "/iiif/3/maps/special", "/iiif/3/maps/a.b/c"),
    *(
        "/iiif/3/x(1)/maps",
        "/iiif/3/y/maps",
        "/iiif/3/y/z/maps",
        "/iiif/3/maps_/1",
        "/iiif/3/mapsX/1",
        "/iiif/3/maps/aXb/c",
    ),
    *("https://images.example.org/maps/1", "/iiif/3/y/maps/deep", "/iiif/3/maps/%25/1"),
]
RULES = [
    ("maps", "prefix", "/iiif/3/maps/"),
    ("letters", "prefix", "/iiif/3/maps/coast/"),
    ("letters", "exact", "/iiif/3/maps/special"),
    ("maps", "glob", "/iiif/3/*/maps"),
    ("letters", "glob", "/iiif/3/x*/maps"),
    ("coast", "exact", "/iiif/3/maps/aXb/c"),
    ("letters", "prefix", "/iiif/3/maps/a.b/"),
    ("letters", "glob", "/iiif/3/y/*/maps"),
    ("coast", "prefix", "https://images.example.org/maps/"),
]


@pytest.mark.parametrize("names", [("maps",), ("letters",), ("coast",), ("coast", "letters")])
def test_addresses_belong_to_the_same_collection_in_lists_as_for_readers(tree, names):
    """The rulebook that judges readers says where each address is; lists find the same ones."""
    from iiif_auth import store

    models.Resource.objects.all().delete()
    models.Collection.objects.update(parent=None)
    for slug, fits, pattern in RULES:
        factories.CollectionRuleFactory(collection=tree[slug], fits=fits, pattern=pattern)
    for url in ADDRESSES:
        factories.ResourceFactory(url=url)
    stored = list(models.Resource.objects.values_list("url", flat=True))
    book, wanted = store.rulebook(), {tree[name].pk for name in names}
    user = staff(*((tree[name], "viewer") for name in names))
    assert urls(user) == {url for url in stored if book.collection_of(url) in wanted}
    assert urls(user)
    for row in models.Resource.objects.all():
        assert roles.may(user, "iiif_auth.view_resource", row) == (row.url in urls(user)), row.url


def test_the_collection_of_a_row_counts_before_any_rule(tree):
    factories.CollectionRuleFactory(collection=tree["maps"], pattern="/iiif/3/")
    assert urls(staff((tree["maps"], "viewer"))) == {"/iiif/3/maps-1", "/iiif/3/coast-1", "/iiif/3/loose-1"}


def test_a_refusal_at_an_address_that_only_a_rule_takes_in_is_found_there(tree):
    factories.CollectionRuleFactory(collection=tree["maps"], pattern="/iiif/3/shelf/")
    models.Refusal.objects.create(code="A", url="/iiif/3/shelf/9")
    models.Refusal.objects.create(code="B", url="/iiif/3/letters-1")
    found = roles.visible(staff((tree["maps"], "viewer")), models.Refusal.objects.all())
    assert [row.code for row in found] == ["A"]


# -- Claiming addresses -------------------------------------------------------------------------------------------


def test_nobody_lists_an_address_that_bears_on_what_is_others(tree):
    policy = factories.AccessPolicyFactory()
    factories.TierFactory(policy=policy, slug="preview", gets="smaller", max_edge=400)
    factories.RenditionFactory(resource=item("letters-1"), url="/files/letter.jpg")
    factories.CollectionRuleFactory(collection=tree["letters"], pattern="/iiif/3/letters/")
    user = staff((tree["maps"], "manager"))
    taken = ("/iiif/3/letters-1", "/iiif/3/letters-1~preview", "/files/letter.jpg", "/iiif/3/letters/7")
    assert [roles.may_claim(user, url) for url in taken] == [False] * 4
    assert roles.may_claim(user, "/iiif/3/maps-2")
    assert roles.may_claim(user, "/iiif/3/maps-1")
    assert all(roles.may_claim(factories.UserFactory(is_superuser=True), url) for url in taken)


# -- Hidden from the staff ----------------------------------------------------------------------------------------


@pytest.fixture
def songs(tree):
    """A part of the maps that only the people in both of two groups see, and the staff does not."""
    held = factories.AccessPolicyFactory(slug="songs", secret_from_staff=True)
    tier = factories.TierFactory(policy=held, join="all")
    groups = factories.GroupFactory.create_batch(2)
    for group in groups:
        factories.ConditionFactory(tier=tier, kind="group", group=group)
    preview = factories.TierFactory(policy=held, gets="smaller", max_edge=200)
    factories.ConditionFactory(tier=preview, kind="authenticated")
    models.Collection.objects.filter(pk=tree["coast"].pk).update(policy=held)
    models.Resource.objects.filter(url="/iiif/3/letters-1").update(policy=held)
    return held, groups


def test_what_is_hidden_from_the_staff_is_found_neither_by_managers_nor_by_superusers(tree, songs):
    manager, root = staff((tree["maps"], "manager")), factories.UserFactory(is_superuser=True)
    assert urls(manager) == {"/iiif/3/maps-1"}
    assert urls(root) == {"/iiif/3/maps-1", "/iiif/3/loose-1"}
    for user in (manager, root):
        assert not roles.may(user, "iiif_auth.view_resource", item("coast-1"))
        assert not roles.may(user, "iiif_auth.view_resource", item("letters-1"))
        assert not roles.visible(user, models.Collection.objects.all()).filter(slug="coast").exists()
        assert not roles.may(user, "iiif_auth.add_grant", item("coast-1"))
        assert roles.most_days(user, item("coast-1")) == 0


def test_nor_is_anything_about_it(tree, songs):
    hidden, shown = rows_about(tree["coast"]), rows_about(tree["maps"])
    secret = item("letters-1")
    own = [
        factories.RenditionFactory(resource=secret),
        factories.GrantFactory(resource=secret),
        factories.EmbargoFactory(resource=secret),
        models.Change.objects.create(action="changed", model="resource", row=secret.pk, collection=tree["letters"].pk),
        models.Refusal.objects.create(code="S", url=secret.url),
    ]
    for user in (
        factories.UserFactory(is_superuser=True),
        staff((tree["maps"], "viewer"), (tree["letters"], "viewer")),
    ):
        for row in (*hidden, *own):
            assert row not in list(roles.visible(user, type(row)._default_manager.all())), (user, row)
        for row in shown:
            assert row in list(roles.visible(user, type(row)._default_manager.all())), (user, row)


def test_whoever_is_in_both_groups_finds_it_and_whoever_is_in_one_does_not(tree, songs):
    _held, groups = songs
    elder = staff((tree["maps"], "viewer"))
    elder.groups.add(groups[0])
    assert "/iiif/3/coast-1" not in urls(fresh(elder))
    elder.groups.add(groups[1])
    assert urls(fresh(elder)) == {"/iiif/3/maps-1", "/iiif/3/coast-1"}


def test_a_keyholder_finds_it_where_they_work_and_a_superuser_with_the_key(tree, songs):
    keyholder = staff((tree["maps"], "viewer"), may=permissions("view_resource", "see_hidden"))
    assert urls(keyholder) == {"/iiif/3/maps-1", "/iiif/3/coast-1"}
    root = factories.UserFactory(is_superuser=True)
    root.user_permissions.set(permissions("see_hidden"))
    assert len(urls(fresh(root))) == 4
    by_group = factories.UserFactory(is_superuser=True)
    group = factories.GroupFactory()
    group.permissions.set(permissions("see_hidden"))
    by_group.groups.add(group)
    assert len(urls(fresh(by_group))) == 4


# -- What it costs ------------------------------------------------------------------------------------------------


def test_it_is_read_once_for_a_request(tree, django_assert_max_num_queries):
    user = staff((tree["maps"], "manager"))
    with django_assert_max_num_queries(8):
        for _time in range(20):
            roles.may(
                user, "iiif_auth.change_embargo", factories.EmbargoFactory.build(collection=tree["maps"], resource=None)
            )
        assert roles.collections(user) == {tree["maps"].pk, tree["coast"].pk}


def test_working_everywhere_costs_a_query_when_nothing_is_hidden(tree, django_assert_num_queries):
    root = factories.UserFactory(is_superuser=True)
    with django_assert_num_queries(1):
        assert roles.collections(root) is None
        assert roles.visible(root, models.Grant.objects.all()).query.where.children == []


def test_a_program_that_keeps_a_person_can_have_their_scope_read_again(tree):
    user = staff()
    assert urls(user) == set()
    models.Delegation.objects.create(collection=tree["maps"], user=user)
    assert urls(user) == set()
    roles.forget(user)
    assert len(urls(user)) == 2


def test_auditors_read_but_look_at_no_picture():
    assert not roles.sees_images(staff(may=permissions("every_collection", "view_resource")))
    assert roles.sees_images(staff(may=permissions("use_simulator")))

"""“Who can see this?” of a resource and a collection: kinds, names, what closes it; on the page and as a file."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from iiif_auth import placing, roles, store
from iiif_auth.admin.who_sees import Sheet
from iiif_auth.models import Condition, Grant, Invitation
from tests import factories as make
from tests.admin.staff import of_the_staff

pytestmark = pytest.mark.django_db

Gets = make.models.Tier.Gets


@pytest.fixture
def auditor(client):
    client.force_login(
        of_the_staff("view_resource", "view_collection", "view_grant", "view_accesspolicy", "every_collection")
    )
    return client


@pytest.fixture
def staff():
    return make.GroupFactory(name="Staff")


@pytest.fixture
def maps(staff):
    """Staff in full, those who agreed may look, everybody at 400 pixels."""
    held = make.AccessPolicyFactory(slug="maps", name="Maps")
    terms = make.AccessServiceFactory(slug="terms", pattern="clickthrough", label={"en": ["Terms"]})
    for slug, more, condition in (
        ("full", {}, {"kind": Condition.Kind.GROUP, "group": staff}),
        ("look", {"take": False, "services": [terms]}, {"kind": Condition.Kind.AGREED, "service": terms}),
        ("small", {"gets": Gets.SMALLER, "max_edge": 400}, {}),
    ):
        make.ConditionFactory(tier=make.TierFactory(policy=held, slug=slug, **more), **condition)
    return make.CollectionFactory(slug="maps", label={"en": ["Maps of the isles"]}, policy=held)


@pytest.fixture
def chart(maps):
    return make.ResourceFactory(url="/iiif/3/chart", label={"en": ["Chart"]}, collection=maps)


def url_of(row):
    return reverse(f"admin:iiif_auth_{row._meta.model_name}_who", args=[row.pk])


def page(client, row, **query):
    response = client.get(url_of(row), query)
    assert response.status_code == 200
    return response.content.decode()


def rows(client, row):
    response = client.get(url_of(row), {"format": "json"})
    assert response.status_code == 200
    return json.loads(b"".join(response.streaming_content))["rows"]


def said(client, row):
    return [(one["kind"], one["who"], one["what"]) for one in rows(client, row)]


KINDS = [
    ("kind", "Members of Staff", "view and keep a copy"),
    ("kind", "Anyone who went through “Terms”", "view"),
    ("kind", "Anyone", "view and keep a version of at most 400 pixels"),
]


@pytest.mark.parametrize("which", ["resource", "collection"])
def test_the_kinds_of_people_are_said_with_the_rule(auditor, chart, maps, which):
    target = chart if which == "resource" else maps
    assert said(auditor, target) == KINDS
    assert rows(auditor, target)[0]["rules"] == "Maps, full: Members of Staff may view and keep a copy."
    html = page(auditor, target)
    assert "Who can see" in html
    assert reverse("admin:iiif_auth_accesspolicy_change", args=[maps.policy_id]) in html


def test_people_are_named_with_what_they_get_and_until_when(auditor, chart, staff):
    hana, omar = make.UserFactory(email="hana@example.org"), make.UserFactory(email="omar@example.org")
    omar.groups.add(staff)
    ends = timezone.now() + timedelta(days=3)
    grant = make.GrantFactory(user=hana, resource=chart, ends=ends)
    make.GrantFactory(user=omar, resource=None, collection=chart.collection, tier="small")
    make.GrantFactory(user=make.UserFactory(email="over@example.org"), resource=chart, ends=timezone.now())
    people = [one for one in rows(auditor, chart) if one["kind"] == "person"]
    assert [(one["who"], one["what"]) for one in people] == [
        ("hana@example.org", "view and keep a copy"),
        ("omar@example.org", "view and keep a copy"),
    ]
    # A grant for the item is good for its collection too, so one rule lets her through both.
    assert people[0]["rules"].startswith(f"Grant {grant.pk}, until ")
    assert people[1]["rules"] == "Maps, full: Members of Staff may view and keep a copy."
    html = page(auditor, chart)
    assert reverse("admin:iiif_auth_grant_change", args=[grant.pk]) not in html or "Grant" in html
    assert "over@example.org" not in html


def test_a_grant_that_opens_nothing_is_said_to_give_no_more_than_anybody_has(auditor, chart):
    make.EmbargoFactory(resource=chart, closes="full", hard=True)
    make.GrantFactory(user=make.UserFactory(email="hana@example.org"), resource=chart)
    assert "(no more than anybody)" in page(auditor, chart)
    assert [one["rules"] for one in rows(auditor, chart) if one["kind"] == "person"] == [""]


def test_whoever_is_named_in_a_condition_is_named(auditor, chart, maps):
    tier = maps.policy.tiers.get(slug="full")
    make.ConditionFactory(tier=tier, kind=Condition.Kind.USER, user=make.UserFactory(email="eva@example.org"))
    assert ("person", "eva@example.org", "view and keep a copy") in said(auditor, chart)


def test_people_without_an_account_are_listed_by_their_address(auditor, chart):
    now = timezone.now()
    running = Invitation.objects.create(digest="a" * 64, email="ruth@example.org", ends=now + timedelta(days=1))
    over = Invitation.objects.create(digest="b" * 64, email="late@example.org", ends=now)
    for invitation in (running, over):
        Grant.objects.create(invitation=invitation, resource=chart)
    assert said(auditor, chart)[len(KINDS) :] == [("invitation", "ruth@example.org", "view and keep a copy")]
    assert "ruth@example.org" in page(auditor, chart)


def test_what_closes_it_is_said(auditor, chart, maps):
    make.WithdrawalFactory(resource=chart)
    make.EmbargoFactory(resource=None, collection=maps, closes="all")
    html = page(auditor, chart)
    assert "Nobody: no kind of people is let in." in html
    assert "Closed for a time" in html
    assert "Maps of the isles</strong>: Closed, with no end set." in html


def test_a_group_is_counted_and_opens_to_its_members(auditor, chart, staff):
    for number in range(3):
        make.UserFactory(email=f"member-{number}@example.org").groups.add(staff)
    make.UserFactory(email="gone@example.org", is_active=False).groups.add(staff)
    assert "3 members" in page(auditor, chart)
    html = page(auditor, chart, group=str(staff.pk))
    assert "member-2@example.org" in html
    assert "Back to everybody who is named" in html


@pytest.mark.parametrize("group", ["0", "x", "99999"])
def test_another_group_is_not_listed(auditor, chart, group):
    make.UserFactory(email="secret@example.org").groups.add(make.GroupFactory(name="Others"))
    assert "secret@example.org" not in page(auditor, chart, group=group)


def test_a_group_by_which_nobody_gets_in_is_not_listed(auditor, chart):
    others = make.GroupFactory(name="Others")
    make.UserFactory(email="secret@example.org").groups.add(others)
    assert "secret@example.org" not in page(auditor, chart, group=str(others.pk))


def test_a_hundred_people_to_a_page(auditor, chart):
    Grant.objects.bulk_create(
        Grant(user=make.UserFactory(email=f"reader-{number:03}@example.org"), resource=chart) for number in range(101)
    )
    first, second = page(auditor, chart), page(auditor, chart, page="2")
    assert ("reader-099" in first, "reader-100" in first) == (True, False)
    assert ("reader-099" in second, "reader-100" in second) == (False, True)
    assert "Page 1 of 2" in first


def test_many_people_cost_few_queries(auditor, chart, staff, django_assert_max_num_queries):
    for number in range(30):
        make.UserFactory(email=f"member-{number}@example.org").groups.add(staff)
    Grant.objects.bulk_create(Grant(user=make.UserFactory(), resource=chart) for _ in range(30))
    store.rulebook()
    with django_assert_max_num_queries(22):
        page(auditor, chart)
    with django_assert_max_num_queries(26):
        page(auditor, chart.collection)


def test_a_collection_says_how_much_of_it_has_rules_of_its_own(auditor, chart, maps):
    make.ResourceFactory(collection=maps, policy=maps.policy)
    within = make.ResourceFactory(collection=make.CollectionFactory(parent=maps))
    make.WithdrawalFactory(resource=within)
    make.ResourceFactory()
    html = page(auditor, maps)
    for text in (
        "3 resources",
        "1 of them has a policy of its own",
        "1 of them is in a collection within",
        "1 of them is withdrawn by itself",
        "0 of them are under embargoes",
    ):
        assert text in html


# -- Files --------------------------------------------------------------------------------------------------------


def test_the_spreadsheet_can_not_reckon(auditor, chart):
    make.GrantFactory(user=make.UserFactory(email="eva@example.org", username="=1+1"), resource=chart)
    response = auditor.get(url_of(chart), {"format": "csv"})
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    lines = list(csv.DictReader(StringIO(text)))
    assert [line["who"] for line in lines][-1] == "'=1+1"
    assert response["Content-Disposition"].startswith('attachment; filename="who-resource-')


# -- Who may ask --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["", "csv", "json"])
def test_names_are_for_those_who_may_see_grants(client, chart, format):
    client.force_login(of_the_staff("view_resource", "every_collection"))
    make.GrantFactory(user=make.UserFactory(email="hana@example.org"), resource=chart)
    response = client.get(url_of(chart), {"format": format})
    text = b"".join(response.streaming_content) if response.streaming else response.content
    assert b"hana@example.org" not in text
    if not format:
        assert "1 person is named by a grant or a condition." in text.decode()


def test_members_are_for_those_who_may_see_grants(client, chart, staff):
    client.force_login(of_the_staff("view_resource", "every_collection"))
    make.UserFactory(email="member@example.org").groups.add(staff)
    assert "member@example.org" not in page(client, chart, group=str(staff.pk))


@pytest.mark.parametrize("format", ["", "csv", "json"])
@pytest.mark.parametrize("model", ["chart", "maps"])
def test_staff_of_another_collection_find_nothing(client, request, model, format):
    target = request.getfixturevalue(model)
    client.force_login(of_the_staff("view_resource", "view_collection", "view_grant"))
    assert client.get(url_of(target), {"format": format}).status_code == 404


def test_staff_without_the_permission_are_refused(client, chart):
    client.force_login(of_the_staff("view_grant", "every_collection"))
    assert client.get(url_of(chart)).status_code in (403, 404)


def test_strangers_are_sent_to_sign_in(client, chart):
    assert "/login/" in client.get(url_of(chart))["Location"]


def test_the_lists_and_forms_lead_to_the_page(root, chart, maps):
    for row in (chart, maps):
        for name, args in (("changelist", []), ("change", [row.pk])):
            html = root.get(reverse(f"admin:iiif_auth_{row._meta.model_name}_{name}", args=args)).content.decode()
            assert url_of(row) in html


@pytest.mark.parametrize("key", ["0", "x", "999999999999999999999"])
def test_what_is_not_there_is_not_found(auditor, key):
    assert auditor.get(reverse("admin:iiif_auth_resource_who", args=[key])).status_code == 404


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


@pytest.fixture
def indiscreet(monkeypatch):
    """A sheet that names everybody to everybody."""
    monkeypatch.setattr(Sheet, "names", True)
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)


@pytest.mark.parametrize("format", ["", "csv", "json"])
def test_it_is_noticed_where_names_are_for_everybody(client, chart, indiscreet, format):
    with pytest.raises(AssertionError, match=r"hana@example\.org"):
        test_names_are_for_those_who_may_see_grants(client, chart, format)


def test_it_is_noticed_where_members_are_for_everybody(client, chart, staff, indiscreet):
    with pytest.raises(AssertionError, match=r"member@example\.org"):
        test_members_are_for_those_who_may_see_grants(client, chart, staff)


@pytest.mark.parametrize("model", ["chart", "maps"])
def test_it_is_noticed_where_other_collections_are_told_of(client, request, monkeypatch, model):
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    monkeypatch.setattr(roles, "may", lambda user, permission, row: user.has_perm(permission))
    with pytest.raises(AssertionError, match="200 == 404"):
        test_staff_of_another_collection_find_nothing(client, request, model, "csv")


def test_a_grant_for_a_whole_policy_is_told_of_only_to_those_who_work_everywhere(client, chart, maps):
    """It is in no collection, so whoever looks after one does not find it; that to an item of theirs they do."""
    make.GrantFactory(user=make.UserFactory(email="hana@example.org"), resource=chart)
    make.GrantFactory(user=make.UserFactory(email="eva@example.org"), resource=None, policy=maps.policy)
    user = of_the_staff("view_resource", "view_grant")
    make.models.Delegation.objects.create(collection=maps, user=user, role="manager")
    client.force_login(user)
    assert [who for _kind, who, _what in said(client, chart) if "@" in who] == ["hana@example.org"]
    assert "eva@example.org" not in page(client, chart)


def test_it_is_noticed_where_it_is_told_of_to_others(client, chart, maps, monkeypatch):
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    with pytest.raises(AssertionError, match=r"eva@example\.org"):
        test_a_grant_for_a_whole_policy_is_told_of_only_to_those_who_work_everywhere(client, chart, maps)

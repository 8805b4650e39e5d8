"""“What can this person see?”: of a person, a group and somebody without an account; for those who may look at grants."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone

from iiif_auth import roles, store
from iiif_auth.models import Condition, Grant, Invitation
from tests import factories as make
from tests.admin.staff import of_the_staff

pytestmark = pytest.mark.django_db

PAGE = "admin:iiif_auth_sees_what"


@pytest.fixture
def auditor(client):
    client.force_login(of_the_staff("view_grant", "every_collection"))
    return client


@pytest.fixture
def hana():
    person = make.UserFactory(email="hana@example.org")
    person.groups.add(make.GroupFactory(name="Staff"))
    return person


@pytest.fixture
def maps(hana):
    held = make.AccessPolicyFactory(slug="maps", name="Maps")
    full = make.TierFactory(policy=held, slug="full")
    make.ConditionFactory(tier=full, kind=Condition.Kind.GROUP, group=hana.groups.get())
    small = make.TierFactory(policy=held, slug="small", gets=make.models.Tier.Gets.SMALLER, max_edge=400)
    make.ConditionFactory(tier=small)
    collection = make.CollectionFactory(slug="maps", label={"en": ["Maps"]}, policy=held)
    for _ in range(3):
        make.ResourceFactory(collection=collection)
    return collection


def asked(client, **question):
    response = client.get(reverse(PAGE), question)
    assert response.status_code == 200
    return response


def written(client, **question):
    response = asked(client, format="json", **question)
    return json.loads(b"".join(response.streaming_content))


def counts(client, **question):
    context = asked(client, **question).context
    return {row.what: dict(zip(context["columns"], row.counts, strict=True)) for row in context["rows"]}


def test_a_member_of_staff_is_counted_by_collection(auditor, hana, maps):
    assert counts(auditor, person="hana@example.org") == {"Maps": {"Full version": 3, "Nothing": 0}}


def test_somebody_without_grants_or_groups_works_too(auditor, maps):
    make.UserFactory(email="omar@example.org")
    assert counts(auditor, person="omar@example.org") == {
        "Maps": {"Full version": 0, "At most 400 pixels": 3, "Nothing": 0}
    }
    assert "None." in asked(auditor, person="omar@example.org").content.decode()


def test_a_policy_is_said_with_the_route_and_what_would_help(auditor, hana, maps):
    make.UserFactory(email="omar@example.org")
    (hers,) = asked(auditor, person="hana").context["satisfied"]
    assert (hers.what, hers.rules, hers.more) == (
        "view and keep a copy",
        ("members of Staff may view and keep a copy",),
        (),
    )
    (his,) = asked(auditor, person="omar").context["satisfied"]
    assert (his.what, his.more) == ("view and keep a version of at most 400 pixels", ("membership of Staff",))


def test_grants_present_past_and_to_come(auditor, hana, maps):
    now, day = timezone.now(), timedelta(days=1)
    item = maps.resources.first()
    running = make.GrantFactory(user=hana, resource=item, ends=now + day)
    coming = make.GrantFactory(user=None, group=hana.groups.get(), resource=item, starts=now + day)
    over = make.GrantFactory(user=hana, resource=item, ends=now - day)
    make.GrantFactory(resource=item)
    context = asked(auditor, person="hana").context
    assert (context["running"], context["coming"], list(context["over"])) == ([running], [coming], [over])


def test_a_group_is_asked_about_as_its_new_member(auditor, hana, maps):
    assert counts(auditor, group="Staff") == {"Maps": {"Full version": 3, "Nothing": 0}}
    assert "Members of Staff" in asked(auditor, group="Staff").content.decode()


def test_somebody_without_an_account_is_found_by_their_invitations(auditor, maps):
    now = timezone.now()
    item = maps.resources.first()
    for number, ends in enumerate((now + timedelta(days=1), now)):
        invitation = Invitation.objects.create(digest=f"{number}" * 64, email="ruth@example.org", ends=ends)
        Grant.objects.create(invitation=invitation, resource=item if number == 0 else maps.resources.last())
    found = counts(auditor, email="Ruth@example.org")
    assert found == {"Maps": {"Full version": 1, "At most 400 pixels": 2, "Nothing": 0}}
    assert counts(auditor, email="other@example.org")["Maps"]["Full version"] == 0


def test_an_account_with_the_address_is_pointed_to(auditor, hana, maps):
    assert "There is an account with this address." in asked(auditor, email="hana@example.org").content.decode()


def test_an_inactive_account_sees_what_nobody_in_particular_sees(auditor, hana, maps):
    make.GrantFactory(user=hana, resource=maps.resources.first())
    hana.is_active = False
    hana.save()
    assert counts(auditor, person="hana")["Maps"]["Full version"] == 0
    assert "This account is not active" in asked(auditor, person="hana").content.decode()


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ({"person": "", "group": ""}, "Please give one"),
        ({"person": "hana", "group": "Staff"}, "Please give one"),
        ({"person": "nobody"}, "There is no “nobody”"),
        ({"email": "not an address"}, "valid email"),
        ({"person": "a\x00"}, "Null characters"),
    ],
)
def test_a_bad_question_is_answered_with_a_sentence(auditor, hana, question, sentence):
    html = asked(auditor, **question).content.decode()
    assert sentence in html
    assert 'class="errornote' in html
    response = auditor.get(reverse(PAGE), {**question, "format": "json"})
    assert response.status_code == 400


def test_everything_can_be_taken_away_as_a_file(auditor, hana, maps):
    make.GrantFactory(user=hana, resource=maps.resources.first())
    said = written(auditor, person="hana")
    assert (said["who"], said["groups"]) == ("hana@example.org", ["Staff"])
    assert [(row["kind"], row["what"]) for row in said["rows"]] == [
        ("policy", "Maps"),
        ("grant", str(maps.resources.first())),
        ("resources", "Maps"),
    ]
    maps.policy.name = "=cmd|' /C calc'!A0"
    maps.policy.save()
    text = b"".join(asked(auditor, person="hana", format="csv").streaming_content).decode("utf-8-sig")
    assert next(iter(csv.DictReader(StringIO(text))))["what"] == "'=cmd|' /C calc'!A0"


def test_the_list_of_grants_leads_here_and_leaves_the_host_alone(root, hana, maps):
    make.GrantFactory(user=hana, resource=maps.resources.first())
    html = root.get(reverse("admin:iiif_auth_grant_changelist")).content.decode()
    assert f"{reverse(PAGE)}?person=hana%40example.org" in html
    user_page = reverse("admin:auth_user_change", args=[hana.pk])
    assert "iiif_auth" not in root.get(user_page).content.decode().partition('id="content"')[2]


def test_the_page_asks_few_questions(auditor, hana, maps, django_assert_max_num_queries):
    for number in range(30):
        collection = make.CollectionFactory(policy=maps.policy)
        make.CollectionRuleFactory(collection=collection, pattern=f"/shelf-{number}/")
        make.GrantFactory(user=hana, resource=make.ResourceFactory(collection=collection))
    store.rulebook()
    with django_assert_max_num_queries(30):
        asked(auditor, person="hana@example.org")


# -- Who may ask --------------------------------------------------------------------------------------------------


def test_strangers_and_others_may_not_ask(client, hana):
    assert "/login/" in client.get(reverse(PAGE))["Location"]
    client.force_login(of_the_staff("view_resource", "use_simulator", "every_collection"))
    for format in ("", "csv", "json"):
        assert client.get(reverse(PAGE), {"person": "hana", "format": format}).status_code == 403


def test_staff_of_another_collection_are_told_and_counted_nothing(client, hana, maps):
    make.GrantFactory(user=hana, resource=maps.resources.first(), reason="secret reason")
    client.force_login(of_the_staff("view_grant"))
    response = asked(client, person="hana")
    assert response.context["rows"] == []
    assert response.context["running"] == []
    assert "secret reason" not in response.content.decode()


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


def test_it_is_noticed_where_other_collections_are_told_of(client, hana, maps, monkeypatch):
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    with pytest.raises(AssertionError):
        test_staff_of_another_collection_are_told_and_counted_nothing(client, hana, maps)


def test_it_is_noticed_where_grants_need_not_be_seen(client, hana, monkeypatch):
    monkeypatch.setattr(type(hana), "has_perm", lambda *given: True)
    with pytest.raises(AssertionError, match="200 == 403"):
        test_strangers_and_others_may_not_ask(client, hana)


def test_invitations_to_other_collections_are_not_told_of(client, maps):
    row = maps.resources.first()
    asked_for = make.models.AccessRequest.objects.create(
        code="C-1", url=row.url, resource=row, digest="d", email="eva@example.org", name="Eva", purpose="x"
    )
    invitation = Invitation.objects.create(
        digest="i", name="Eva", email="eva@example.org", ends=timezone.now() + timedelta(days=1), request=asked_for
    )
    make.GrantFactory(user=None, invitation=invitation, resource=row)
    client.force_login(of_the_staff("view_grant"))
    sight = asked(client, email="eva@example.org").context["sight"]
    assert (sight.invitations, list(sight.grants("running"))) == ([], [])


def test_it_is_noticed_where_they_are(client, maps, monkeypatch):
    monkeypatch.setattr(roles, "visible", lambda user, rows: rows)
    with pytest.raises(AssertionError, match="Invitation"):
        test_invitations_to_other_collections_are_not_told_of(client, maps)

"""What identity providers say of people, in the admin: grants that ask for it, “Why?”, cautions, and who may look at it."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from iiif_auth.admin.attributes import cautions_about
from iiif_auth.admin.sees_what import Sight
from iiif_auth.models import Grant, PersonAttribute
from iiif_auth.policy import types as policy
from tests import factories as make
from tests.admin.pages import Form
from tests.admin.staff import of_the_staff

pytestmark = pytest.mark.django_db
ADD = "admin:iiif_auth_grant_add"
STAFF = {"attribute_name": "affiliation", "attribute_value": "staff@example.org"}
OTHERS = {"attribute_name": "affiliation", "attribute_value": "example.com", "attribute_matching": "scope"}


@pytest.fixture
def root(client):
    client.force_login(make.UserFactory(is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def chart():
    return make.ResourceFactory(url="/iiif/3/chart", policy=make.AccessPolicyFactory())


def granted(client, row, line):
    fields = Form(client.get(reverse(ADD)).content.decode()).fields
    return client.post(reverse(ADD), {**fields, "resource": row.pk, "attribute": line, "reason": "Asked"}, follow=True)


# -- Grants -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "columns"),
    [
        ("affiliation=Staff@Example.org | student@example.org", ("staff@example.org\nstudent@example.org", "exact")),
        ("affiliation=@example.org", ("example.org", "scope")),
    ],
)
def test_a_line_makes_a_grant_and_is_shown_again(root, chart, line, columns):
    granted(root, chart, line)
    row = Grant.objects.get()
    assert (row.attribute_name, row.attribute_value, row.attribute_matching) == ("affiliation", *columns)
    again = root.get(reverse("admin:iiif_auth_grant_change", args=[row.pk])).content.decode()
    assert Form(again).fields["attribute"] == [str(row.attribute)]


@pytest.mark.parametrize("line", ["affiliation", "=x", "affiliation=@x | y@z", "iiif-auth:invitation=1"])
def test_a_line_that_says_nothing_makes_no_grant_and_is_kept(root, chart, line):
    page = granted(root, chart, line)
    assert not Grant.objects.exists()
    assert page.context["adminform"].form.errors["attribute"]
    assert Form(page.content.decode()).fields["attribute"] == [line]


def test_a_grant_is_for_somebody_or_for_an_attribute_and_not_for_both(root, chart):
    fields = Form(root.get(reverse(ADD)).content.decode()).fields
    sent = {**fields, "resource": chart.pk, "attribute": "affiliation=@x.example", "reason": "Asked"}
    page = root.post(reverse(ADD), {**sent, "user": make.UserFactory().username})
    assert not Grant.objects.exists()
    assert "Please say for whom" in page.content.decode()


def test_whoever_may_not_add_grants_adds_none_for_an_attribute_either(client, chart):
    client.force_login(of_the_staff("view_grant", "view_resource", "every_collection"))
    sent = {"resource": chart.pk, "attribute": "affiliation=@example.org", "reason": "Asked"}
    assert client.post(reverse(ADD), sent).status_code == 403
    assert not Grant.objects.exists()


# -- Cautions -----------------------------------------------------------------------------------------------------


def cautions(**asked) -> list[str]:
    first, *others = asked["values"]
    return list(cautions_about(policy.Attribute(asked.get("name", "affiliation"), first, tuple(others))))


def test_a_rule_for_what_nobody_says_is_cautioned_about():
    assert "can say is affiliation" in cautions(name="shoe-size", values=["43"])[0]
    assert "No identity provider is believed" in cautions(values=["staff@example.org"])[0]
    make.IdentityProviderFactory()
    assert cautions(values=["staff@example.com"]) == [
        "No identity provider may speak for “example.com”, so nobody has that."
    ]
    assert cautions(values=["staff@example.org"]) == ["Nobody has “staff@example.org” at present."]
    make.PersonAttributeFactory(provider__scopes=["example.org"])
    assert cautions(values=["staff@example.org"]) == []
    assert "the same for people of every organisation" in cautions(values=["staff"])[-1]


def test_a_grant_that_helps_nobody_is_saved_with_a_caution(root, chart):
    page = granted(root, chart, "affiliation=@nowhere.example")
    assert Grant.objects.count() == 1
    assert "No identity provider is believed about" in page.content.decode()


# -- Why? ---------------------------------------------------------------------------------------------------------


def why(client, **question):
    answer = client.get(reverse("admin:iiif_auth_why"), {"resource": "/iiif/3/chart", "format": "json", **question})
    return answer.status_code, answer.json()


def test_it_is_asked_as_if_somebody_said_it(root, chart):
    make.GrantFactory(user=None, resource=chart, **STAFF)
    assert why(root)[1]["decision"] == "refused"
    assert why(root, said="affiliation=staff@example.org")[1]["decision"] == "allowed"
    assert why(root, said="affiliation=student@example.org")[1]["decision"] == "refused"
    status, said = why(root, said="affiliation")
    assert (status, list(said["errors"])) == (400, ["said"])


# -- What can this person see? ------------------------------------------------------------------------------------


@pytest.fixture
def ada():
    row = make.PersonAttributeFactory(user__username="ada", provider__name="Westmark")
    return row.user


def seen(client, **question):
    return client.get(reverse("admin:iiif_auth_sees_what"), {"person": "ada", **question})


def test_grants_for_what_is_said_of_somebody_are_theirs(root, chart, ada):
    theirs = make.GrantFactory(user=None, resource=chart, **STAFF)
    make.GrantFactory(user=None, resource=chart, **OTHERS)
    make.GrantFactory(resource=chart)
    context = seen(root).context
    assert context["running"] == [theirs]
    assert [row.counts for row in context["rows"]] == [(1, 0)]
    said = json.loads(b"".join(seen(root, format="json").streaming_content))
    assert [line["kind"] for line in said["rows"]].count("grant") == 1
    PersonAttribute.objects.filter(user=ada).delete()
    assert seen(root).context["running"] == []


def test_what_is_said_is_shown_to_whoever_may_see_it_only(client, root, ada):
    assert "<td>Westmark</td>" in seen(root).content.decode()
    client.force_login(of_the_staff("view_grant", "every_collection"))
    assert "Westmark" not in seen(client).content.decode()
    listed = reverse("admin:iiif_auth_personattribute_changelist")
    assert client.get(listed).status_code == 403
    client.force_login(of_the_staff("view_personattribute", "every_collection"))
    assert "staff@example.org" in client.get(listed).content.decode()


def test_it_would_be_shown_to_others_if_nobody_asked_for_the_permission(client, ada, monkeypatch):
    monkeypatch.setattr(Sight, "said", property(lambda self: list(PersonAttribute.objects.all())))
    client.force_login(of_the_staff("view_grant", "every_collection"))
    assert "Westmark" in seen(client).content.decode()


def test_a_hundred_grants_for_attributes_cost_no_more_queries(root, chart, ada, django_assert_max_num_queries):
    for number in range(100):
        make.GrantFactory(user=None, resource=chart, **{**STAFF, "attribute_value": f"staff@{number}.example"})
    seen(root)  # reads the rules, which is done once for each change
    with django_assert_max_num_queries(22):
        seen(root)

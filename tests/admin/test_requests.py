"""The queue of requests and the invitations that come of it, for those of the staff whose business they are."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from iiif_auth.asking import deciding, invite
from iiif_auth.asking.codes import LETTERS
from iiif_auth.models import (
    AccessPolicy,
    AccessRequest,
    Batch,
    Change,
    Delegation,
    Grant,
    Invitation,
    RefusalText,
    RequestMessage,
    Resource,
)
from tests import factories, web

pytestmark = pytest.mark.django_db
State = AccessRequest.State
LIST = "/admin/iiif_auth/accessrequest/"
DESK = ("view_accessrequest", "change_accessrequest", "add_grant", "view_grant", "use_simulator")


def member(client, *codenames: str, name: str = "omar"):
    user = factories.UserFactory(username=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="iiif_auth", codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    client.force_login(user)
    return user


def named_only(url: str = "/iiif/3/chart", **values) -> Resource:
    row = web.restricted(url, by=(web.service(f"login{Resource.objects.count()}", "login"),))
    AccessPolicy.objects.filter(pk=row.policy_id).update(**{"requestable": True, **values})
    return row


def asked(row: Resource, number: int = 0, **values) -> AccessRequest:
    code = f"{LETTERS[number // 400]}{LETTERS[number // 20 % 20]}{LETTERS[number % 20]}2-22"
    facts = {
        "code": code,
        "url": row.url,
        "resource": row,
        "name": "Ada Reader",
        "email": "ada@example.org",
        "purpose": "A thesis.",
        "state": State.NEW,
        "digest": f"{row.pk}-{number}",
    }
    return AccessRequest.objects.create(**{**facts, **values})


def page(row: AccessRequest) -> str:
    return reverse("admin:iiif_auth_accessrequest_change", args=(row.pk,))


def approving(**values) -> dict[str, str]:
    return {
        "deed": "approve",
        "approve-until": "week",
        "approve-tier": "",
        "approve-take": "on",
        "approve-text": "",
        **values,
    }


# -- The list -----------------------------------------------------------------------------------------------------


def test_the_list_shows_what_waits_until_something_else_is_chosen(root):
    row = named_only()
    for number, state in enumerate(State):
        asked(row, number, name=f"Reader {state.value}", state=state)
    waiting = root.get(LIST).content.decode()
    assert [s.value for s in State if f"Reader {s.value}" in waiting] == ["new", "seconded"]
    everything = root.get(f"{LIST}?show=all").content.decode()
    assert "Reader refused" in everything
    assert "Reader unconfirmed" not in everything
    assert "Reader refused" in root.get(f"{LIST}?show=refused").content.decode()
    assert "Reader new" not in root.get(f"{LIST}?show=refused").content.decode()


def test_requests_are_found_by_code_name_mail_item_and_purpose(root):
    row = asked(named_only(), name="Zoë", email="zoe@example.org", purpose="Herrings")
    asked(named_only("/iiif/3/map"), 5, purpose="Other", name="Bob")
    for term in (row.code, "Zoë", "zoe@", "herring", "3/chart"):
        found = root.get(LIST, {"q": term}).content.decode()
        assert ("Zoë" in found, "Bob" in found) == (True, False), term


def test_digests_can_not_be_guessed_by_filtering(root):
    asked(named_only())
    assert root.get(LIST, {"show": "all", "digest__startswith": "1"}).status_code in (302, 400)


# -- One request --------------------------------------------------------------------------------------------------


def test_the_page_tells_all_there_is_to_know(root):
    row = asked(named_only())
    asked(named_only("/iiif/3/map"), 7, state=State.REFUSED)
    asked(named_only("/iiif/3/globe"), 8, email="bob@example.org", name="Bob")
    RequestMessage.objects.create(request=row, text="Looks fine.", internal=True)
    found = root.get(page(row)).content.decode()
    assert all(
        one in found for one in ("Ada Reader", "A thesis.", "Looks fine.", f"{LETTERS[0]}{LETTERS[0]}{LETTERS[7]}2-22")
    )
    assert "Bob" not in found
    assert "<h1>Request" in found


def test_looking_changes_nothing(root):
    row = asked(named_only())
    root.get(page(row))
    assert not Batch.objects.exists()
    assert not Grant.objects.exists()
    assert not mail.outbox


def test_approving_makes_an_expiring_grant_and_mails_a_link(root):
    row = asked(named_only())
    assert root.post(page(row), approving()).status_code == 302
    grant = Grant.objects.get()
    left = grant.ends - timezone.now()
    assert timedelta(days=7) < left < timedelta(days=8)
    assert (grant.invitation.email, grant.resource, grant.take) == ("ada@example.org", row.resource, True)
    assert mail.outbox[-1].to == ["ada@example.org"]
    assert Change.objects.get(model="grant").actor.username == "root"
    row.refresh_from_db()
    assert row.state == State.APPROVED


@pytest.mark.parametrize("until", ["today", "friday", "week", "month", "term", "day"])
def test_every_preset_ends_when_it_says(root, until):
    row = asked(named_only())
    day = timezone.localdate() + timedelta(days=3)
    assert root.post(page(row), approving(**{"approve-until": until, "approve-day": str(day)})).status_code == 302
    ends = timezone.localtime(Grant.objects.get().ends)
    assert (ends.hour, ends.minute) == (0, 0)
    last = (ends - timedelta(minutes=1)).date()
    today = timezone.localdate()
    expected = {"today": today, "week": today + timedelta(days=7), "month": today + timedelta(days=30), "day": day}
    assert last == expected.get(until, last)
    if until == "friday":
        assert last.weekday() == 4
    assert today <= last <= today + timedelta(days=200)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"approve-until": "day", "approve-day": ""}, "Please give the last day."),
        ({"approve-until": "day", "approve-day": "2001-01-01"}, "This day is over"),
        ({"approve-until": "for ever"}, "Select a valid choice"),
        ({"approve-tier": "nonesuch"}, "Select a valid choice"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_given(root, wrong, sentence):
    row = asked(named_only())
    response = root.post(page(row), approving(**{"approve-text": "Dear Ada"}, **wrong))
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert "Dear Ada" in response.content.decode()
    assert not Grant.objects.exists()


def test_refusing_takes_a_text_one_has_or_writes(root):
    row = asked(named_only())
    RefusalText.objects.create(
        policy=row.resource.policy, why="not-entitled", heading={"en": ["No"]}, note={"en": ["Heirs only."]}
    )
    assert root.post(page(row), {"deed": "refuse"}).status_code == 400
    own = RefusalText.objects.get()
    root.post(page(row), {"deed": "refuse", "refuse-template": f"own-{own.pk}", "refuse-text": "Sorry!"})
    assert "Heirs only.\n\nSorry!" in mail.outbox[-1].body
    row.refresh_from_db()
    assert row.state == State.REFUSED
    assert not Grant.objects.exists()


def test_readers_are_refused_in_their_own_language(root):
    row = asked(named_only(), language="de")
    RefusalText.objects.create(
        policy=row.resource.policy,
        why="not-entitled",
        heading={"en": ["No"]},
        note={"en": ["Heirs only."], "de": ["Nur Erben."]},
    )
    root.post(
        page(row), {"deed": "refuse", "refuse-template": f"own-{RefusalText.objects.get().pk}", "refuse-text": ""}
    )
    assert "Nur Erben." in mail.outbox[-1].body


def test_asking_back_and_notes(root):
    row = asked(named_only())
    root.post(page(row), {"deed": "note", "note-text": "Known to us."})
    assert not mail.outbox
    root.post(page(row), {"deed": "ask", "ask-text": "Which plates?"})
    row.refresh_from_db()
    assert row.state == State.ASKED
    assert "Which plates?" in mail.outbox[-1].body
    assert set(row.messages.values_list("internal", flat=True)) == {True, False}


def test_what_somebody_else_decided_meanwhile_is_said(root):
    row = asked(named_only())
    other = factories.UserFactory(username="rita")
    before = root.get(page(row)).content.decode()
    assert 'value="approve"' in before
    deciding.refuse(row, other, "No.")
    assert root.post(page(row), approving()).status_code == 403
    assert not Grant.objects.exists()


def test_two_people_where_the_policy_says_so(client):
    row = asked(named_only(second_approver=True))
    member(client, "every_collection", *DESK)
    client.post(page(row), approving())
    assert not Grant.objects.exists()
    response = client.post(page(row), approving())
    assert response.status_code == 409
    assert "must be somebody else" in response.content.decode()
    assert not Grant.objects.exists()
    member(client, "every_collection", *DESK, name="rita")
    client.post(page(row), approving())
    assert Grant.objects.get().granted_by.username == "rita"


# -- Whose business it is -----------------------------------------------------------------------------------------


def test_nobody_without_an_account_of_the_staff_sees_anything(client):
    row = asked(named_only())
    for url in (LIST, page(row)):
        assert client.get(url).status_code == 302
    client.force_login(factories.UserFactory(username="reader"))
    assert client.get(page(row)).status_code == 302
    assert client.post(page(row), approving()).status_code == 302
    assert not Grant.objects.exists()


@pytest.mark.parametrize(
    ("codenames", "offered"),
    [
        ((), None),
        (("view_grant", "add_grant"), None),
        (("view_accessrequest",), ()),
        (("view_accessrequest", "change_accessrequest"), ("ask", "note", "refuse")),
        (("view_accessrequest", "change_accessrequest", "add_grant"), ("approve", "ask", "note", "refuse")),
        (("view_accessrequest", "add_grant"), ()),
    ],
)
def test_by_permission_what_somebody_may_do(client, codenames, offered):
    row = asked(named_only())
    member(client, "every_collection", *codenames)
    response = client.get(page(row))
    assert response.status_code == (403 if offered is None else 200)
    found = response.content.decode()
    assert tuple(one for one in ("approve", "ask", "note", "refuse") if f'value="{one}"' in found) == (offered or ())
    sent = {
        "approve": approving(),
        "ask": {"deed": "ask", "ask-text": "?"},
        "note": {"deed": "note", "note-text": "!"},
        "refuse": {"deed": "refuse", "refuse-text": "No."},
    }
    for name in {"approve", "ask", "note", "refuse"} - set(offered or ()):
        assert client.post(page(row), sent[name]).status_code == 403
    row.refresh_from_db()
    assert row.state == State.NEW
    assert not row.messages.exists()
    assert not Grant.objects.exists()


@pytest.fixture
def two_shelves(client):
    maps, letters = factories.CollectionFactory(slug="maps"), factories.CollectionFactory(slug="letters")
    mine, theirs = named_only("/iiif/3/map"), named_only("/iiif/3/letter")
    for row, shelf in ((mine, maps), (theirs, letters)):
        row.collection = shelf
        row.save()
    user = member(client, *DESK)
    Delegation.objects.create(collection=maps, user=user, role=Delegation.Role.DESK, most_days=10)
    return asked(mine, 1, name="Mina"), asked(theirs, 2, name="Theo")


def test_requests_of_other_collections_are_not_there(client, two_shelves):
    mine, theirs = two_shelves
    found = client.get(LIST).content.decode()
    assert ("Mina" in found, "Theo" in found) == (True, False)
    assert "1 request" in found
    assert "Theo" not in client.get(LIST, {"q": theirs.code}).content.decode()
    assert client.get(page(theirs)).status_code == 302
    assert client.post(page(theirs), approving()).status_code == 302
    assert not Grant.objects.exists()
    # They have the same e-mail address, so the one would be in the history of the other.
    assert theirs.code not in client.get(page(mine)).content.decode()


def test_nobody_gives_longer_than_they_may(client, two_shelves):
    mine, _theirs = two_shelves
    offered = client.get(page(mine)).content.decode()
    assert 'value="week"' in offered
    assert 'value="month"' not in offered
    late = timezone.localdate() + timedelta(days=12)
    for sent in (
        approving(**{"approve-until": "month"}),
        approving(**{"approve-until": "day", "approve-day": str(late)}),
    ):
        assert client.post(page(mine), sent).status_code == 400
    assert not Grant.objects.exists()
    assert client.post(page(mine), approving()).status_code == 302
    assert Grant.objects.count() == 1


def test_whoever_may_not_look_at_pictures_is_shown_none(client, root):
    row = named_only()
    web.tier(row.policy, web.EVERYONE, slug="open", gets="full")
    Resource.objects.update(image_api=3)
    request = asked(row)
    assert "/full/!320,320/" in root.get(page(request)).content.decode()
    member(client, "every_collection", "view_accessrequest")
    assert "/full/!320,320/" not in client.get(page(request)).content.decode()


def test_the_rules_decide_about_the_picture(root):
    Resource.objects.update(image_api=3)
    assert "/full/!320,320/" not in root.get(page(asked(named_only()))).content.decode()


def test_no_other_site_can_decide():
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(factories.UserFactory(username="root", is_staff=True, is_superuser=True))
    row = asked(named_only())
    assert strict.post(page(row), approving()).status_code == 403
    assert not Grant.objects.exists()


def test_requests_are_neither_made_nor_deleted_here(root):
    row = asked(named_only())
    assert root.get(f"{LIST}add/").status_code == 403
    assert (
        root.post(reverse("admin:iiif_auth_accessrequest_delete", args=(row.pk,)), {"post": "yes"}).status_code == 403
    )
    assert AccessRequest.objects.exists()


def test_pages_stay_quick_with_many(root):
    row = named_only()
    many = [
        AccessRequest(
            code=f"C{n}",
            url=row.url,
            resource=row,
            name="R",
            email="r@example.org",
            purpose="P",
            state="new",
            digest=str(n),
        )
        for n in range(300)
    ]
    AccessRequest.objects.bulk_create(many)
    for url in (LIST, page(AccessRequest.objects.latest("pk"))):
        root.get(url)  # the rules are read once, whoever asks
        with CaptureQueriesContext(connection) as held:
            response = root.get(url)
        assert len(held) <= 30
        assert len(response.content) < 500_000


# -- Invitations --------------------------------------------------------------------------------------------------


def test_taking_an_invitation_back_takes_its_grants(root):
    row = invite("ada@example.org", "Ada", timezone.now() + timedelta(days=3))
    Grant.objects.create(invitation=row, resource=named_only())
    listed = root.get("/admin/iiif_auth/invitation/").content.decode()
    assert "ada@example.org" in listed
    assert row.digest not in listed
    sent = {"action": "take_back", "_selected_action": [row.pk]}
    assert root.post("/admin/iiif_auth/invitation/", sent).status_code == 302
    assert not Invitation.objects.exists()
    assert not Grant.objects.exists()
    assert Change.objects.filter(model="invitation", action="deleted").get().actor.username == "root"


def test_only_those_who_may_delete_it_take_it_back(client):
    row = invite("ada@example.org", "Ada", timezone.now() + timedelta(days=3))
    member(client, "every_collection", "view_invitation")
    client.post("/admin/iiif_auth/invitation/", {"action": "take_back", "_selected_action": [row.pk]})
    assert Invitation.objects.exists()
    assert client.get("/admin/iiif_auth/invitation/", {"digest__startswith": "a"}).status_code in (302, 400)

"""Giving access until a day: to whom, to what, how long, by whom, and what the page says came of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from iiif_auth import store
from iiif_auth.dates import giving
from iiif_auth.models import Batch, Change, Delegation, Grant, Invitation
from iiif_auth.policy import types as policy
from iiif_auth.policy.decide import is_allowed
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/admin/iiif_auth/grant/give/"


@pytest.fixture
def anna():
    return factories.UserFactory(username="anna", email="anna@example.org")


def closed(**values):
    return factories.ResourceFactory(policy=factories.AccessPolicyFactory(), **values)


def asked(*rows, **values):
    items = "\n".join(row.url for row in rows)
    return {"items": items, "person": "anna", "until": "week", "reason": "Reading week", "take": "on", **values}


def desk(client, collection, days=None, permissions=("add_grant", "view_grant", "change_grant", "view_resource")):
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions, content_type__app_label="iiif_auth"))
    Delegation.objects.create(collection=collection, user=user, role="desk", most_days=days)
    client.force_login(user)
    return user


def errors(response):
    return response.context["form"].errors


def test_one_item_opens_to_one_person_until_the_end_of_a_day(root, anna):
    row = closed()
    response = root.post(PAGE, asked(row), follow=True)
    grant = Grant.objects.get()
    local = timezone.localtime(grant.ends)
    assert (grant.user, grant.resource, grant.reason, grant.granted_by.username) == (anna, row, "Reading week", "root")
    assert (local.hour, local.minute, (local.date() - timezone.localdate()).days) == (0, 0, 8)
    assert is_allowed(store.find_offer(row.url), policy.Subject(str(anna.pk)), timezone.now())
    assert "anna may see this:" in response.content.decode()
    change = Change.objects.get(model="grant")
    assert (change.actor.username, change.reason, change.batch) == ("root", "Reading week", None)


def test_several_items_and_a_collection_are_one_batch(root, anna):
    shelf = factories.CollectionFactory()
    rows = [closed() for _number in range(3)]
    response = root.post(PAGE, asked(*rows, collection=shelf.pk), follow=True)
    batch = Batch.objects.get()
    assert (Grant.objects.count(), batch.state, batch.total, batch.changes.count()) == (4, "done", 4, 4)
    assert len(response.context["outcomes"]) == 4


def test_items_may_be_numbers_or_any_spelling_of_an_address(root, anna):
    one, two = closed(), closed()
    root.post(PAGE, {**asked(), "items": f" {one.pk} \r\n{two.url}/info.json\n\n{two.url}"})
    assert set(Grant.objects.values_list("resource", flat=True)) == {one.pk, two.pk}


def test_somebody_without_an_account_is_sent_a_link(root):
    row = closed()
    response = root.post(PAGE, asked(row, person="", email="new@example.org", name="New Reader"), follow=True)
    invitation = Invitation.objects.get()
    grant = Grant.objects.get()
    assert (grant.invitation, grant.user, invitation.ends, mail.outbox[0].to) == (
        invitation,
        None,
        grant.ends,
        ["new@example.org"],
    )
    holder = policy.Subject(attributes=frozenset({(policy.INVITATION, str(invitation.pk))}))
    assert is_allowed(store.find_offer(row.url), holder, timezone.now())
    assert "new@example.org" in response.content.decode()


def test_a_mail_that_can_not_be_sent_gives_nothing(root, monkeypatch):
    def broken(*args, **kwargs):
        raise OSError("no route")

    monkeypatch.setattr(giving.asking, "invite", broken)
    response = root.post(PAGE, asked(closed(), person="", email="new@example.org"))
    assert (list(errors(response)), Grant.objects.count(), Batch.objects.count()) == (["email"], 0, 0)


def test_what_somebody_has_already_for_as_long_is_left_out(root, anna):
    one, two = closed(), closed()
    factories.GrantFactory(user=anna, resource=one, ends=timezone.now() + timedelta(days=60))
    factories.GrantFactory(user=anna, resource=two, ends=timezone.now() + timedelta(days=1))
    response = root.post(PAGE, asked(one, two), follow=True)
    assert (Grant.objects.count(), "1 was left out" in response.content.decode()) == (3, True)


def test_what_a_withdrawal_goes_on_closing_is_named(root, anna):
    row = closed()
    factories.WithdrawalFactory(resource=row)
    response = root.post(PAGE, asked(row), follow=True)
    assert [one.sound for one in response.context["outcomes"]] == [False]
    assert "Still closed to them." in response.content.decode()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"person": ""}, "person"),
        ({"email": "b@example.org"}, "person"),
        ({"person": "nobody at all"}, "person"),
        ({"person": "", "email": "anna@example.org"}, "email"),
        ({"person": "", "email": "no address"}, "email"),
        ({"items": ""}, "items"),
        ({"items": "/iiif/3/nothing-here"}, "items"),
        ({"items": "999999"}, "items"),
        ({"items": "²"}, "items"),
        ({"items": "\n".join(map(str, range(501)))}, "items"),
        ({"collection": "77"}, "collection"),
        ({"tier": "preview"}, "tier"),
        ({"until": "for-ever"}, "until"),
        ({"until": "day"}, "day"),
        ({"until": "day", "day": "2020-01-01"}, "day"),
        ({"until": "day", "day": "9999-12-31"}, "day"),
        ({"until": "day", "day": "tomorrow"}, "day"),
        ({"reason": " "}, "reason"),
    ],
)
def test_what_makes_no_sense_is_answered_by_a_sentence_and_gives_nothing(root, anna, values, field):
    response = root.post(PAGE, asked(closed(), **values))
    assert (response.status_code, list(errors(response)), Grant.objects.count()) == (200, [field], 0)


def test_a_tier_is_given_where_there_is_one(root, anna):
    held = factories.AccessPolicyFactory()
    factories.TierFactory(policy=held, slug="preview", gets="smaller", max_edge=400)
    row = factories.ResourceFactory(policy=held)
    assert list(errors(root.post(PAGE, asked(row, closed(), tier="preview")))) == ["tier"]
    root.post(PAGE, asked(row, tier="preview", take=""))
    assert Grant.objects.values_list("tier", "take").get() == ("preview", False)


def test_a_look_at_the_page_gives_nothing_and_fills_in_what_was_chosen(root, anna):
    rows = [closed(), closed()]
    response = root.get(PAGE, {"resource": [row.pk for row in rows], "person": "anna"})
    assert all(row.url in response.content.decode() for row in rows)
    assert Grant.objects.count() == 0


def test_ticked_items_of_the_list_arrive_on_the_page(root, anna):
    rows = [closed(), closed()]
    data = {"action": "give_access", "_selected_action": [row.pk for row in rows], "select_across": "0"}
    response = root.post("/admin/iiif_auth/resource/", data)
    assert response.status_code == 302
    assert all(row.url in root.get(response["Location"]).content.decode() for row in rows)


def test_all_that_a_list_finds_is_one_field(root, anna):
    shelf = factories.CollectionFactory()
    for _number in range(3):
        closed(collection=shelf)
    closed()
    data = {"action": "give_access", "_selected_action": "1", "select_across": "1", "index": "0"}
    response = root.post(f"/admin/iiif_auth/resource/?collection__id__exact={shelf.pk}", data)
    page = root.get(response["Location"])
    assert page.context["count"] == 3
    match = page.context["form"]["match"].value()
    root.post(PAGE, asked(match=match))
    assert set(Grant.objects.values_list("resource__collection", flat=True)) == {shelf.pk}


@pytest.mark.parametrize("match", ["policy__x=1", "user__password=x", "collection__id__exact=abc", "%00=%00"])
def test_filters_by_hand_that_make_no_sense_match_nothing(root, anna, match):
    closed(collection=factories.CollectionFactory())
    closed(collection=factories.CollectionFactory())
    assert root.post(PAGE, asked(match=match)).status_code in (200, 400)
    assert Grant.objects.count() == 0


# -- By whom ------------------------------------------------------------------------------------------------------


def test_the_desk_gives_what_is_in_its_own_collection_only(client, anna):
    mine, other = factories.CollectionFactory(), factories.CollectionFactory()
    desk(client, mine)
    here, there = closed(collection=mine), closed(collection=other)
    assert list(errors(client.post(PAGE, asked(there)))) == ["items"]
    assert list(errors(client.post(PAGE, asked(here, there)))) == ["items"]
    assert list(errors(client.post(PAGE, asked(here, collection=other.pk)))) == ["collection"]
    assert there.url not in client.get(PAGE, {"resource": [there.pk]}).content.decode()
    assert client.get(PAGE, {"match": "all="}).context["count"] == 1
    assert Grant.objects.count() == 0
    client.post(PAGE, asked(here))
    assert Grant.objects.get().resource == here


def test_the_desk_gives_no_longer_than_it_may(client, anna):
    mine = factories.CollectionFactory()
    desk(client, mine, days=7)
    row = closed(collection=mine)
    for until in ("month", "term"):
        assert list(errors(client.post(PAGE, asked(row, until=until)))) == ["until"]
    client.post(PAGE, asked(row))
    assert Grant.objects.get().ends <= timezone.now() + timedelta(days=7)


def test_a_desk_that_may_give_for_no_day_at_all_gives_nothing(client, anna):
    mine = factories.CollectionFactory()
    desk(client, mine, days=0)
    response = client.post(PAGE, asked(closed(collection=mine), until="today"))
    assert (list(errors(response)), Grant.objects.count()) == (["until"], 0)


@pytest.mark.parametrize("page", [PAGE, "/admin/iiif_auth/grant/given/?grant=1"])
def test_who_may_not_is_refused(client, page, anna):
    row = closed()
    assert client.get(page)["Location"].startswith("/admin/login/")
    client.force_login(anna)
    assert client.get(page)["Location"].startswith("/admin/login/")
    client.force_login(factories.UserFactory(is_staff=True))
    assert (client.get(page).status_code, client.post(PAGE, asked(row)).status_code) == (403, 403)
    assert Grant.objects.count() == 0


def test_what_was_given_elsewhere_is_not_shown(client, anna):
    mine = factories.CollectionFactory()
    desk(client, mine)
    there = factories.GrantFactory(resource=closed())
    assert client.get(reverse("admin:iiif_auth_given"), {"grant": there.pk}).status_code == 404


def test_without_a_token_of_the_form_nothing_is_given(anna):
    from django.test import Client

    guarded = Client(enforce_csrf_checks=True)
    guarded.force_login(factories.UserFactory(is_staff=True, is_superuser=True))
    assert guarded.post(PAGE, asked(closed())).status_code == 403
    assert Grant.objects.count() == 0


# -- A new end ----------------------------------------------------------------------------------------------------


def extending(client, *rows, **values):
    keys = [row.pk for row in rows]
    sent = {"action": "extend", "_selected_action": keys, "select_across": "0", "index": "0", **values}
    return client.post("/admin/iiif_auth/grant/", sent)


def test_a_new_end_is_asked_for_and_set(root, anna):
    rows = [factories.GrantFactory(ends=timezone.now() + timedelta(days=1)) for _number in range(2)]
    assert "New end" not in extending(root, *rows).content.decode() or Grant.objects.filter(reason="").count() == 2
    answered = {"answered": "yes", "until": "month", "reason": "Still reading"}
    assert extending(root, *rows, **answered).status_code == 302
    assert {(row.ends - timezone.now()).days for row in Grant.objects.all()} <= {30, 31}
    assert (Batch.objects.get().reason, Change.objects.filter(model="grant", action="changed").count()) == (
        "Still reading",
        2,
    )


def test_a_new_end_wants_a_reason(root, anna):
    row = factories.GrantFactory(ends=timezone.now() + timedelta(days=1))
    response = extending(root, row, answered="yes", until="month", reason="")
    assert (list(errors(response)), Change.objects.filter(action="changed").count()) == (["reason"], 0)


def test_the_invitation_lasts_as_long_as_its_grant(root):
    soon = timezone.now() + timedelta(days=1)
    invitation = Invitation.objects.create(digest="x", email="n@example.org", ends=soon)
    row = factories.GrantFactory(user=None, invitation=invitation, ends=soon)
    extending(root, row, answered="yes", until="month", reason="x")
    invitation.refresh_from_db()
    assert invitation.ends == Grant.objects.get().ends > soon


def test_the_desk_sets_no_end_beyond_its_limit_nor_elsewhere(client, anna):
    mine = factories.CollectionFactory()
    desk(client, mine, days=7)
    here = factories.GrantFactory(resource=closed(collection=mine), ends=timezone.now() + timedelta(days=1))
    there = factories.GrantFactory(resource=closed(), ends=timezone.now() + timedelta(days=1))
    extending(client, here, there, answered="yes", until="month", reason="x")
    assert Change.objects.filter(action="changed").count() == 0
    extending(client, here, there, answered="yes", until="friday", reason="x")
    changed = set(Change.objects.filter(action="changed").values_list("row", flat=True))
    assert changed == {here.pk}


def test_the_limit_counts_to_the_hour():
    now = datetime(2026, 11, 21, 9, tzinfo=UTC)
    day = timedelta(days=1)
    ends = [now + 7 * day, now + 7.5 * day, now + 8 * day]
    assert [giving.within_limit(end, 7, now) for end in ends] == [now + 7 * day, now + 7 * day, None]
    assert [giving.within_limit(ends[0], limit, now) for limit in (None, 0)] == [ends[0], None]

"""The admin of enrolled machines: codes shown once, revoking at once, and who may do either."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from iiif_auth import devices, identify
from iiif_auth.models import Change, Delegation, Device, Pass
from tests import factories as make
from tests.admin.pages import Form

pytestmark = pytest.mark.django_db

LIST = "admin:iiif_auth_device_changelist"
ALL = ("view_device", "add_device", "change_device", "delete_device", "view_network", "every_collection")


def of_the_staff(*codenames, **values):
    person = make.UserFactory(is_staff=True, **values)
    person.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
    return person


@pytest.fixture
def keeper(client):
    client.force_login(of_the_staff(*ALL))
    return client


@pytest.fixture
def room():
    return make.NetworkFactory(slug="room", name="Reading room", prefixes=[])


def enrolled(network, name="Window desk"):
    row = Device.objects.create(name=name, network=network)
    browser = Client()
    code = devices.new_code(row, None)
    fields = Form(browser.get(reverse("iiif_auth:enrol")).content.decode()).fields
    assert browser.post(reverse("iiif_auth:enrol"), {**fields, "code": code}).status_code == 302
    assert identify.MACHINE in browser.cookies
    row.refresh_from_db()
    return row


def code_in(response):
    return response.content.decode().partition('id="enrolment-code">')[2].partition("<")[0]


def at(name, row):
    return reverse(f"admin:iiif_auth_device_{name}", args=[row.pk])


# -- Codes --------------------------------------------------------------------------------------------------------


def test_a_new_machine_gets_its_code_on_a_page_that_nobody_keeps(keeper, room):
    response = keeper.post(reverse("admin:iiif_auth_device_add"), {"name": "Window desk", "network": room.pk})
    code = code_in(response)
    assert devices.read_code(code) == code
    assert "no-store" in response.headers["Cache-Control"]
    assert reverse("iiif_auth:enrol") in response.content.decode()
    row = Device.objects.get()
    assert row.digest == devices.code_digest(code)
    assert row.made_by is not None
    assert code not in str(list(Change.objects.values()))
    assert code not in keeper.get(reverse(LIST)).content.decode()
    assert row.digest not in keeper.get(at("change", row)).content.decode()


def test_looking_makes_no_code_and_revokes_nothing(keeper, room):
    row = enrolled(room)
    assert keeper.get(at("code", row)).status_code == 200
    assert keeper.get(at("revoke", row)).status_code == 200
    row.refresh_from_db()
    assert (row.digest, row.revoked, Pass.objects.count()) == (None, None, 1)


def test_a_new_code_is_made_by_a_click_and_lets_a_revoked_machine_in_again(keeper, room):
    row = enrolled(room)
    devices.revoke(row, None)
    code = code_in(keeper.post(at("code", row)))
    row.refresh_from_db()
    assert row.revoked is None
    assert row.digest == devices.code_digest(code)
    assert not Pass.objects.exists()


# -- The list -----------------------------------------------------------------------------------------------------


def test_the_list_says_what_each_machine_is_and_when_it_was_last_seen(keeper, room):
    enrolled(room, "In use")
    devices.revoke(enrolled(room, "Stolen"), None)
    devices.new_code(Device.objects.create(name="Coming", network=room), None)
    Device.objects.create(name="Forgotten", network=room)
    html = keeper.get(reverse(LIST)).content.decode()
    for text in ("Enrolled", "Revoked", "Waiting for its code until", "Not enrolled", "Reading room"):
        assert text in html
    for state, name in (("enrolled", "In use"), ("revoked", "Stolen"), ("waiting", "Coming"), ("out", "Forgotten")):
        html = keeper.get(reverse(LIST), {"state": state}).content.decode()
        names = [one for one in ("In use", "Stolen", "Coming", "Forgotten") if f">{one}</a>" in html]
        assert names == [name]
    assert Device.objects.get(name="Stolen").seen is not None


def test_a_machine_whose_400_days_are_over_is_not_enrolled(keeper, room):
    enrolled(room)
    Pass.objects.update(ends=timezone.now())
    assert "Window desk" in keeper.get(reverse(LIST), {"state": "out"}).content.decode()


def test_nobody_filters_by_the_digest_of_a_code(keeper, room):
    row = Device.objects.create(name="Coming", network=room)
    devices.new_code(row, None)
    assert keeper.get(reverse(LIST), {"digest__startswith": row.digest[:1]}).status_code in (302, 400)


def test_what_a_machine_carries_is_not_among_the_readers_passes(keeper, room):
    keeper.force_login(make.UserFactory(is_staff=True, is_superuser=True))
    enrolled(room)
    own = Pass.objects.get()
    assert str(keeper.get(reverse("admin:iiif_auth_pass_changelist")).content).count("action-select") <= 2
    assert keeper.get(reverse("admin:iiif_auth_pass_change", args=[own.pk])).status_code == 302


def test_a_machine_is_renamed_and_moved(keeper, room):
    row, other = enrolled(room), make.NetworkFactory(name="Map room")
    response = keeper.post(at("change", row), {"name": "Map table", "network": other.pk})
    assert response.status_code == 302
    row.refresh_from_db()
    assert (row.name, row.network) == ("Map table", other)
    assert Pass.objects.get().device == row
    assert {"Map table"} <= set(Change.objects.values_list("name", flat=True))


# -- Revoking -----------------------------------------------------------------------------------------------------


def test_revoking_ends_it_at_once_and_the_history_says_why(keeper, room):
    row = enrolled(room)
    response = keeper.post(at("revoke", row), {"reason": "Stolen"})
    assert response.status_code == 302
    assert not Pass.objects.exists()
    row.refresh_from_db()
    assert row.revoked is not None
    change = Change.objects.filter(reason="Stolen").get()
    assert change.actor is not None


def test_several_are_revoked_from_the_list(keeper, room):
    rows = [enrolled(room, "A"), enrolled(room, "B"), enrolled(room, "C")]
    chosen = {"action": "revoke", "_selected_action": [rows[0].pk, rows[2].pk]}
    keeper.post(reverse(LIST), chosen)
    assert set(Pass.objects.values_list("device__name", flat=True)) == {"B"}


# -- Who may ------------------------------------------------------------------------------------------------------


def test_strangers_are_sent_to_sign_in_and_change_nothing(client, room):
    row = enrolled(room)
    for name in ("change", "code", "revoke"):
        for ask in (client.get, client.post):
            assert "/login/" in ask(at(name, row))["Location"]
    assert Pass.objects.count() == 1


@pytest.mark.parametrize("name", ["code", "revoke"])
def test_whoever_may_only_look_makes_no_code_and_revokes_nothing(client, room, name):
    row = enrolled(room)
    client.force_login(of_the_staff("view_device", "every_collection"))
    assert client.get(reverse(LIST)).status_code == 200
    assert client.get(at(name, row)).status_code == 403
    assert client.post(at(name, row)).status_code == 403
    html = client.get(at("change", row)).content.decode()
    assert at(name, row) not in html
    client.post(reverse(LIST), {"action": "revoke", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert (row.digest, Pass.objects.count()) == (None, 1)


def test_staff_without_the_permission_find_nothing(client, room):
    row = enrolled(room)
    client.force_login(of_the_staff("view_network", "every_collection"))
    assert client.get(reverse(LIST)).status_code == 403
    assert client.get(at("change", row)).status_code == 403


def test_staff_of_a_collection_look_at_machines_and_change_none(client, room):
    """Like networks: what all collections have in common is changed by people who work everywhere."""
    row = enrolled(room)
    person = of_the_staff("view_device", "add_device", "change_device", "delete_device")
    Delegation.objects.create(collection=make.CollectionFactory(), user=person, role="manager")
    client.force_login(person)
    assert client.get(reverse(LIST)).status_code == 200
    assert client.get(reverse("admin:iiif_auth_device_add")).status_code == 403
    assert client.post(at("code", row)).status_code == 403
    assert client.post(at("revoke", row)).status_code == 403
    assert client.post(at("delete", row), {"post": "yes"}).status_code == 403
    assert Pass.objects.count() == 1


def test_a_form_from_elsewhere_is_refused(room):
    row = enrolled(room)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(of_the_staff(*ALL))
    assert strict.post(at("revoke", row)).status_code == 403
    assert strict.post(at("code", row)).status_code == 403
    assert Pass.objects.count() == 1


def test_the_app_index_leads_there(keeper):
    assert reverse(LIST) in keeper.get("/admin/iiif_auth/").content.decode()


# -- In sentences, and Why? ---------------------------------------------------------------------------------------


def test_rules_say_that_machines_count_as_there_once_there_are_some(client, room):
    client.force_login(make.UserFactory(is_staff=True, is_superuser=True))
    rules = make.AccessPolicyFactory()
    make.ConditionFactory(tier=make.TierFactory(policy=rules), kind="network", network=room)
    page = reverse("admin:iiif_auth_accesspolicy_changelist")
    assert "at a machine enrolled there" not in client.get(page).content.decode()
    row = enrolled(room)
    assert "at Reading room or at a machine enrolled there" in client.get(page).content.decode()
    devices.revoke(row, None)
    assert "at a machine enrolled there" not in client.get(page).content.decode()


def test_why_is_asked_for_somebody_at_an_enrolled_machine(client, room):
    client.force_login(make.UserFactory(is_staff=True, is_superuser=True))
    rules = make.AccessPolicyFactory()
    make.ConditionFactory(tier=make.TierFactory(policy=rules), kind="network", network=room)
    item = make.ResourceFactory(policy=rules)
    enrolled(room)
    page = reverse("admin:iiif_auth_why")
    found = client.get(page, {"resource": item.url, "place": f"machine:{room.pk}"}).content.decode()
    assert "A machine enrolled at Reading room" in found
    assert "being at Reading room or at a machine enrolled there" not in found
    refused = client.get(page, {"resource": item.url}).content.decode()
    assert "being at Reading room or at a machine enrolled there" in refused

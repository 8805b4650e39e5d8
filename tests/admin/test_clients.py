"""Registered viewers in the admin: a secret is shown once, in the answer itself, and is nowhere else."""

from __future__ import annotations

import json
import logging
import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from iiif_auth import clients, identify
from iiif_auth.models import ClientCode, RegisteredClient
from iiif_auth.policy.types import AccessService, Pattern
from iiif_auth.policy.types import Clients as Rule
from tests import factories
from tests.admin.pages import sent_back
from tests.admin.test_admin_pages import page
from tests.admin.test_permissions import member_of_staff

pytestmark = pytest.mark.django_db

MODEL = "registeredclient"
SERVICE = AccessService("login", Pattern.LOGIN, clients=Rule.KNOWN, dialects=("0.9.2",))


@pytest.fixture
def login():
    return factories.AccessServiceFactory(slug="login", dialects=["0.9.2"], clients="known")


def made(browser, *services, **changed: str):
    """A viewer registered for these services through the form."""
    form = {"name": "Reading room 7", "client_id": "reading-room-7", "is_active": "on"}
    return browser.post(page(MODEL, "add"), form | {"services": [row.pk for row in services]} | changed)


def secret_on(response) -> str:
    found = re.search(r'id="client-secret">([^<]*)<', response.content.decode())
    assert found, response.content.decode()
    return found[1]


def works(secret: str) -> str:
    """The word for what is wrong with it, empty if nothing is."""
    return clients.code_for(SERVICE, {"clientId": "reading-room-7", "clientSecret": secret})[1]


def secret_page(row) -> str:
    return reverse(f"admin:iiif_auth_{MODEL}_secret", args=[row.pk])


# -- Once ---------------------------------------------------------------------------------------------------------


def test_a_new_viewer_has_a_secret_that_is_shown_in_the_answer_and_works(root, login):
    response = made(root, login)
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    secret = secret_on(response)
    assert identify.SECRET.fullmatch(secret)
    assert "reading-room-7" in response.content.decode()
    assert works(secret) == ""
    assert works(identify.new_secret()) == "invalidClientSecret"
    assert RegisteredClient.objects.get().digest == identify.digest(secret)


@pytest.mark.parametrize("button", ["_save", "_continue", "_addanother"])
def test_it_is_shown_whichever_button_is_pressed(root, login, button):
    assert works(secret_on(made(root, login, **{button: "1"}))) == ""


def test_it_is_nowhere_else(root, login, caplog):
    with caplog.at_level(logging.DEBUG):
        response = made(root, login)
        secret = secret_on(response)
        row = RegisteredClient.objects.get()
        newer = root.post(secret_page(row))
        secrets = (secret, secret_on(newer))
    assert len(set(secrets)) == 2
    places = [
        *(str(list(get_messages(answer.wsgi_request))) for answer in (response, newer)),
        *(str(answer.cookies) for answer in (response, newer)),
        *(str(dict(answer.headers)) for answer in (response, newer)),
        str(list(LogEntry.objects.values())),
        str([held.get_decoded() for held in Session.objects.all()]),
        str(list(RegisteredClient.objects.values())),
        caplog.text,
        *(root.get(url).content.decode() for url in every_page(row)),
    ]
    for place in places:
        assert not [held for held in secrets if held in place]
    assert LogEntry.objects.count() == 2


def every_page(row) -> list[str]:
    return [
        page(MODEL, "changelist"),
        secret_page(row),
        *(page(MODEL, name, row.pk) for name in ("change", "history", "delete")),
    ]


def test_no_page_shows_a_digest(root, login):
    made(root, login)
    row = RegisteredClient.objects.get()
    code = factories.ClientCodeFactory(client=row, service=login)
    for url in [*every_page(row), page("accessservice", "change", login.pk)]:
        text = root.get(url).content.decode()
        assert row.digest not in text
        assert code.digest not in text


def test_a_form_that_is_refused_makes_and_shows_nothing(root, login):
    for changed in ({"client_id": ""}, {"client_id": "Reading Room"}, {"name": ""}):
        response = made(root, login, **changed)
        assert b"client-secret" not in response.content
    assert not RegisteredClient.objects.exists()


def test_changing_anything_else_leaves_the_secret_as_it_is(root, login):
    secret = secret_on(made(root, login))
    row = RegisteredClient.objects.get()
    url = page(MODEL, "change", row.pk)
    form = sent_back(root.get(url), MODEL) | {"name": "Reading room 8", "digest": "0" * 64, "secret": "x" * 43}
    response = root.post(url, form)
    assert response.status_code == 302
    assert works(secret) == ""
    assert RegisteredClient.objects.get().name == "Reading room 8"


# -- A new one ----------------------------------------------------------------------------------------------------


def test_a_new_secret_ends_the_old_one_and_every_code_drawn_with_it(root, login):
    old = secret_on(made(root, login))
    assert works(old) == ""
    assert ClientCode.objects.count() == 1
    row = RegisteredClient.objects.get()
    response = root.post(secret_page(row))
    new = secret_on(response)
    assert "no-store" in response.headers["Cache-Control"]
    assert not ClientCode.objects.exists()
    assert (works(old), works(new)) == ("invalidClientSecret", "")


def test_it_is_asked_first_and_looking_changes_nothing(root, login):
    secret = secret_on(made(root, login))
    row = RegisteredClient.objects.get()
    for method in ("get", "head"):
        response = getattr(root, method)(secret_page(row))
        assert b"client-secret" not in response.content
    assert b"<form" in root.get(secret_page(row)).content
    assert works(secret) == ""


def test_the_click_must_come_from_the_admin(login):
    user = factories.UserFactory(is_staff=True, is_superuser=True)
    row = factories.RegisteredClientFactory(client_id="reading-room-7", services=[login])
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(user)
    assert careful.post(secret_page(row)).status_code == 403
    assert careful.post(page(MODEL, "add"), {"name": "x", "client_id": "x"}).status_code == 403
    assert RegisteredClient.objects.get().digest == row.digest


def test_the_history_says_that_there_is_a_new_one_and_by_whom(root, login):
    made(root, login)
    row = RegisteredClient.objects.get()
    root.post(secret_page(row))
    assert "New secret." in root.get(page(MODEL, "history", row.pk)).content.decode()


def test_a_viewer_that_there_is_not_is_said_not_to_be_there(root):
    for method in ("get", "post"):
        response = getattr(root, method)(reverse(f"admin:iiif_auth_{MODEL}_secret", args=[4711]), follow=True)
        assert "doesn’t exist" in response.content.decode()
        assert b"client-secret" not in response.content


# -- Who may ------------------------------------------------------------------------------------------------------


def test_whoever_may_only_look_makes_no_secret(client, login):
    row = factories.RegisteredClientFactory(client_id="reading-room-7", services=[login])
    viewer = member_of_staff(client, "view_registeredclient")
    change = viewer.get(page(MODEL, "change", row.pk))
    assert change.status_code == 200
    assert 'name="_save"' not in change.content.decode()
    assert secret_page(row) not in change.content.decode()
    for url, form in ((secret_page(row), {}), (page(MODEL, "add"), {"name": "x", "client_id": "x"})):
        assert viewer.get(url).status_code == 403
        assert viewer.post(url, form).status_code == 403
    assert viewer.post(page(MODEL, "change", row.pk), {"name": "x"}).status_code == 403
    row.refresh_from_db()
    assert row.digest == RegisteredClient.objects.get().digest
    assert RegisteredClient.objects.count() == 1


@pytest.mark.parametrize("codenames", [(), ("view_accessservice", "change_accessservice"), ("add_registeredclient",)])
def test_nobody_else_makes_a_secret_for_a_viewer_there_is(client, codenames):
    row = factories.RegisteredClientFactory()
    stranger = member_of_staff(client, *codenames)
    for method in ("get", "post"):
        assert getattr(stranger, method)(secret_page(row)).status_code in (302, 403)
    assert RegisteredClient.objects.get().digest == row.digest


def test_whoever_is_not_of_the_staff_is_sent_to_log_in(client):
    row = factories.RegisteredClientFactory()
    client.force_login(factories.UserFactory())
    for browser in (Client(), client):
        response = browser.post(secret_page(row))
        assert response.status_code == 302
        assert "/login/" in response.headers["Location"]
    assert RegisteredClient.objects.get().digest == row.digest


def test_whoever_may_add_and_nothing_else_is_shown_the_secret_of_their_own(client, login):
    keeper = member_of_staff(client, "add_registeredclient", "view_accessservice")
    assert works(secret_on(made(keeper, login))) == ""


# -- Digests ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (MODEL, "digest"),
        (MODEL, "digest__startswith"),
        (MODEL, "digest__regex"),
        (MODEL, "codes__digest__startswith"),
        ("accessservice", "registered_clients__digest__startswith"),
        ("pass", "codes__digest__startswith"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_no_digest_can_be_guessed_letter_by_letter_by_filtering(root, model, lookup):
    factories.ClientCodeFactory(holder=factories.PassFactory())
    answer = root.get(page(model, "changelist"), {lookup: "a"})
    assert answer.status_code in (302, 400)


def test_a_digest_finds_nobody_in_a_search_or_in_a_picker(root):
    row = factories.RegisteredClientFactory()
    assert list(root.get(page(MODEL, "changelist"), {"q": row.digest}).context["cl"].result_list) == []
    assert list(root.get(page(MODEL, "changelist"), {"q": row.client_id}).context["cl"].result_list) == [row]


def test_no_action_hands_out_digests(root):
    """There is nothing to do with many viewers at once but to delete them."""
    factories.RegisteredClientFactory()
    text = root.get(page(MODEL, "changelist")).content.decode()
    assert re.findall(r'<option value="(\w+)"', text.partition('name="action"')[2].partition("</select>")[0]) == [
        "delete_selected"
    ]


def test_codes_are_no_business_of_the_admin(root):
    assert not [name for name in root.get("/admin/iiif_auth/").content.decode().split('"') if "clientcode" in name]


# -- What is said -------------------------------------------------------------------------------------------------


def test_whoever_registers_a_viewer_that_gets_in_nowhere_is_told(root, login):
    login.clients = "any"
    login.save()
    answers = made(root, login), made(root, client_id="second")
    said = [" ".join(str(message) for message in get_messages(answer.wsgi_request)) for answer in answers]
    assert "does not ask viewers who they are" in said[0]
    assert "gets in nowhere" in said[1]


def test_every_page_answers_and_a_hundred_viewers_take_no_more_questions(root, django_assert_max_num_queries):
    rows = factories.RegisteredClientFactory.create_batch(100)
    assert [root.get(url).status_code for url in every_page(rows[0])] == [200] * 5
    with django_assert_max_num_queries(12):
        root.get(page(MODEL, "changelist"))


@pytest.mark.parametrize("text", ["%", "'", '"', "\\", "\x00", "((", "ü", "x" * 3000])
def test_no_search_breaks(root, text):
    factories.RegisteredClientFactory()
    assert root.get(page(MODEL, "changelist"), {"q": text}).status_code in (200, 302)


def test_deleting_a_viewer_ends_its_codes(root):
    code = factories.ClientCodeFactory()
    root.post(page(MODEL, "delete", code.client.pk), {"post": "yes"})
    assert not RegisteredClient.objects.exists()
    assert not ClientCode.objects.exists()


def test_codes_that_have_run_out_go_when_the_next_one_is_drawn(login, capsys):
    row = factories.RegisteredClientFactory(client_id="reading-room-7", services=[login])
    secret = clients.new_secret(row)
    row.save()
    old = factories.ClientCodeFactory(client=row, service=login)
    ClientCode.objects.update(ends=old.ends.replace(year=2020))
    assert works(secret) == ""
    assert not ClientCode.objects.filter(pk=old.pk).exists()
    call_command("dumpdata", "iiif_auth.registeredclient")
    assert json.loads(capsys.readouterr().out)[0]["fields"]["digest"] != secret

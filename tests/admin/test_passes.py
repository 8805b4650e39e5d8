"""Staff see and end anybody's passes: those who may, and nobody else."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iiif_auth.models import Delegation, Pass, Token
from tests import factories
from tests.admin.test_permissions import member_of_staff

pytestmark = pytest.mark.django_db

LIST = "/admin/iiif_auth/pass/"


@pytest.fixture
def held():
    row = factories.PassFactory(
        user=factories.UserFactory(username="ada"), browser="Firefox/Linux", place="Reading room"
    )
    factories.AgreementFactory(holder=row)
    factories.TokenFactory(holder=row)
    return row


def ended(browser, *rows):
    return browser.post(LIST, {"action": "end_now", "_selected_action": [row.pk for row in rows]})


def test_they_are_found_by_person_and_known_by_browser_and_place(root, held):
    factories.PassFactory(user=factories.UserFactory(username="bob"), browser="Safari/iOS")
    text = root.get(LIST, {"q": "ada"}).content.decode()
    assert "Firefox on Linux" in text
    assert "Reading room" in text
    assert "Safari on iOS" not in text


def test_ending_them_ends_tokens_too_and_is_written_down(root, held):
    other = factories.PassFactory()
    assert ended(root, held).status_code == 302
    assert list(Pass.objects.all()) == [other]
    assert not Token.objects.exists()
    (entry,) = LogEntry.objects.all()
    assert (entry.action_flag, entry.object_id, entry.user.get_username()) == (DELETION, str(held.pk), "root")
    assert "ada" in entry.object_repr


def test_whoever_may_end_passes_need_not_be_allowed_to_delete_tokens(client, held):
    member_of_staff(client, "view_pass", "delete_pass")
    ended(client, held)
    assert not Pass.objects.exists()


def test_whoever_may_end_passes_may_end_one_on_its_own_page(client, held):
    member_of_staff(client, "view_pass", "delete_pass")
    url = reverse("admin:iiif_auth_pass_delete", args=[held.pk])
    assert client.get(url).status_code == 200
    assert Pass.objects.exists()
    client.post(url, {"post": "yes"})
    assert not Pass.objects.exists()


@pytest.mark.parametrize("codenames", [(), ("view_pass",), ("view_pass", "delete_token"), ("delete_token",)])
def test_nobody_else_ends_one(client, held, codenames):
    member_of_staff(client, *codenames)
    ended(client, held)
    assert Pass.objects.exists()
    assert not LogEntry.objects.exists()


def test_nobody_who_is_not_signed_in_sees_one(client, held):
    assert client.get(LIST).status_code == 302
    ended(client, held)
    assert Pass.objects.exists()


def test_staff_of_one_collection_see_and_end_none(client, held):
    """A pass opens more than one collection, so it is nobody's who works in one."""
    user = factories.UserFactory(is_staff=True)
    codenames = ("view_pass", "delete_pass", "view_resource")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="iiif_auth", codename__in=codenames))
    Delegation.objects.create(collection=factories.CollectionFactory(), user=user, role="manager")
    client.force_login(user)
    assert "Firefox on Linux" not in client.get(LIST).content.decode()
    ended(client, held)
    assert Pass.objects.exists()


def test_looking_ends_nothing(root, held):
    root.get(LIST, {"action": "end_now", "_selected_action": held.pk})
    assert Pass.objects.exists()


def test_nobody_guesses_the_key_of_a_session(root, held):
    Pass.objects.update(session="s3cret")
    assert root.get(LIST, {"session__startswith": "s"}).status_code in (302, 400)
    assert "s3cret" not in root.get(reverse("admin:iiif_auth_pass_change", args=[held.pk])).content.decode()


def test_a_long_list_asks_few_questions(root, held):
    for _ in range(40):
        factories.PassFactory(browser="Firefox/Linux")
    root.get(LIST)
    with CaptureQueriesContext(connection) as asked:
        assert root.get(LIST).status_code == 200
    assert len(asked) < 20

"""In which versions a service is offered is ticked in the admin; new services are offered in two."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError

from iiif_auth import models
from iiif_auth.protocol.dialects import TITLES
from iiif_auth.store import rulebook
from tests import factories
from tests.admin.pages import Form, sent_back
from tests.admin.test_admin_pages import page
from tests.admin.test_permissions import member_of_staff
from tests.web import ALL

pytestmark = pytest.mark.django_db

MODEL = "accessservice"


def saved(root, row, **changed):
    url = page(MODEL, "change", row.pk)
    response = root.post(url, sent_back(root.get(url), MODEL) | changed)
    row.refresh_from_db()
    return response


def offered(row) -> list[str]:
    """What the rules say, as everything else of the program reads them."""
    return list(rulebook().services[row.slug].dialects)


def test_a_new_service_has_two_versions_ticked(root):
    fields = Form(root.get(page(MODEL, "add")).content.decode(), f"{MODEL}_form").fields
    assert fields["dialects"] == ["2", "1"]
    assert factories.AccessServiceFactory().dialects == ["2", "1"]


def test_every_version_can_be_ticked_and_is_called_by_its_name(root):
    text = root.get(page(MODEL, "add")).content.decode()
    for name, title in TITLES.items():
        assert f'name="dialects" value="{name}"' in text
        assert str(title) in text


def test_a_form_that_nobody_touched_changes_nothing(root):
    for names in (ALL, ["2"], ["1", "1-media"], ["0.9.4", "0.9.2"]):
        row = factories.AccessServiceFactory(dialects=names)
        assert saved(root, row).status_code == 302
        assert (row.dialects, offered(row)) == (names, names)


def test_what_is_ticked_is_offered_and_what_is_not_is_not_whatever_the_order(root):
    row = factories.AccessServiceFactory()
    for ticked in (["alpha", "2"], ["1"], list(reversed(ALL))):
        assert saved(root, row, dialects=ticked).status_code == 302
        assert offered(row) == [name for name in TITLES if name in ticked]


@pytest.mark.parametrize("ticked", [["3"], ["2", "0.9.1"], ["<b>"], ["2", "2.0.0"]])
def test_a_version_that_there_is_not_is_refused(root, ticked):
    row = factories.AccessServiceFactory()
    assert saved(root, row, dialects=ticked).status_code == 200
    assert row.dialects == ["2", "1"]


def test_nothing_at_all_is_refused_in_the_form(root):
    row = factories.AccessServiceFactory()
    assert saved(root, row, dialects=[]).status_code == 200
    assert row.dialects == ["2", "1"]


@pytest.mark.parametrize("value", ["2", {"2": True}, [2], ["2", None], ["nonsense"], 7])
def test_code_and_fixtures_are_checked_too(value):
    with pytest.raises(ValidationError):
        models.AccessService(slug="x", pattern="kiosk", dialects=value).full_clean()


@pytest.mark.parametrize("value", ["nonsense", {"a": 1}, 7, None, [["2"]], [{"a": 1}]])
def test_a_row_that_says_something_else_is_offered_in_nothing_that_there_is(value):
    """Whatever got into the database: the rules are read, and nobody is let in by it who would not be otherwise."""
    row = factories.AccessServiceFactory()
    models.AccessService.objects.filter(pk=row.pk).update(dialects="x" if value is None else value)
    held = rulebook().services.get(row.slug)
    assert held is None or not [name for name in TITLES if held.speaks(name)]


# -- What belongs together ----------------------------------------------------------------------------------------


def refused(root, row, **changed) -> str:
    response = saved(root, row, **changed)
    assert response.status_code == 200
    return response.content.decode()


def test_only_terms_can_be_agreed_to_in_the_viewer(root):
    login, terms = (factories.AccessServiceFactory(pattern=pattern) for pattern in ("login", "clickthrough"))
    assert "Only terms can be agreed to in the viewer." in refused(root, login, agree_in_viewer="on")
    assert saved(root, terms, agree_in_viewer="on").status_code == 302
    assert terms.agree_in_viewer


def test_a_service_for_registered_viewers_only_is_offered_in_0_9_2_only(root):
    row = factories.AccessServiceFactory()
    assert "Other versions have no registered viewers" in refused(root, row, clients="only")
    assert "Other versions have no registered viewers" in refused(root, row, clients="only", dialects=["0.9.2", "2"])
    assert saved(root, row, clients="only", dialects=["0.9.2"]).status_code == 302
    assert row.clients == "only"


def test_and_is_not_there_in_another_whatever_got_into_the_database():
    row = factories.AccessServiceFactory(clients="only", dialects=ALL)
    assert offered(row) == ["0.9.2"]
    row.clients = "known"
    row.save()
    assert offered(row) == ALL


# -- What is said -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"dialects": ["1"]}, "not offered in version 2.0.0"),
        ({"pattern": "clickthrough", "agree_in_viewer": "on"}, "people agree in the viewer"),
        ({"dialects": ["2", "0.9.2"], "origin_rule": "listed"}, "none is on the list and none gets in"),
        ({"dialects": ["2", "0.9.4"]}, "take this for a login of theirs"),
        ({"dialects": ["2", "0.9.4"], "pattern": "clickthrough"}, "take this for a login of theirs"),
    ],
)
def test_whoever_saves_what_may_surprise_is_told(root, values, sentence):
    row = factories.AccessServiceFactory()
    response = saved(root, row, **values)
    assert response.status_code == 302
    assert sentence in " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_whoever_saves_what_is_usual_is_told_nothing(root):
    response = saved(root, factories.AccessServiceFactory())
    said = " ".join(str(message) for message in get_messages(response.wsgi_request))
    assert "version" not in said


@pytest.mark.parametrize(
    "values",
    [
        {"dialects": ["2", "0.9.4", "0.9.2"]},
        {"dialects": ["2", "0.9.4"], "pattern": "external"},
        {"dialects": ["2", "0.9.4"], "pattern": "clickthrough", "agree_in_viewer": "on"},
    ],
)
def test_what_no_old_viewer_can_take_for_a_login_is_not_called_one(root, values):
    response = saved(root, factories.AccessServiceFactory(), **values)
    assert response.status_code == 302
    assert "login of theirs" not in " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_the_list_shows_in_which_versions_services_are_offered(root):
    factories.AccessServiceFactory(dialects=["1", "0.9.4"])
    assert "1, 0.9.4" in root.get(page(MODEL, "changelist")).content.decode()


def test_whoever_may_only_look_changes_no_version(client):
    row = factories.AccessServiceFactory()
    viewer = member_of_staff(client, "view_accessservice")
    text = viewer.get(page(MODEL, "change", row.pk)).content.decode()
    assert 'name="dialects"' not in text
    assert viewer.post(page(MODEL, "change", row.pk), {"dialects": ["alpha"]}).status_code == 403
    row.refresh_from_db()
    assert row.dialects == ["2", "1"]

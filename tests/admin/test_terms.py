"""Versions of terms in the admin, and the log of who accepted them."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from iiif_auth.models import Acceptance, AccessService, Terms
from tests import factories, web
from tests.admin.pages import sent_back
from tests.admin.test_requests import member

pytestmark = pytest.mark.django_db
ADD = "/admin/iiif_auth/terms/add/"
LOG = "/admin/iiif_auth/acceptance/"


def version(service: AccessService, number: int, **values) -> Terms:
    words = {"heading": {"en": [f"Terms {number}"]}, "text": {"en": [f"Text {number}."]}}
    return Terms.objects.create(service=service, number=number, **{**words, **values})


def page(row: Terms, name: str = "change") -> str:
    return reverse(f"admin:iiif_auth_terms_{name}", args=(row.pk,))


def filled(service: AccessService, at=None) -> dict[str, str]:
    local = timezone.localtime(at) if at else None
    return {
        "service": str(service.pk),
        "heading-0-language": "en",
        "heading-0-text": "Terms",
        "text-0-language": "en",
        "text-0-text": "Please cite us.",
        "from_day_0": f"{local:%Y-%m-%d}" if local else "",
        "from_day_1": f"{local:%H:%M:%S}" if local else "",
        "note": "",
    }


@pytest.fixture
def donor():
    return web.service("terms")


def test_versions_are_numbered_by_themselves(root, donor):
    for _ in range(2):
        assert root.post(ADD, filled(donor)).status_code == 302
    other = web.service("other")
    root.post(ADD, filled(other))
    found = Terms.objects.order_by("pk").values_list("service__slug", "number", "from_day")
    assert list(found) == [("terms", 1, None), ("terms", 2, None), ("other", 1, None)]


def test_a_draft_is_changed_and_published(root, donor):
    row = version(donor, 1)
    form = sent_back(root.get(page(row)), "terms")
    at = timezone.localtime(timezone.now() + timedelta(days=1))
    sent = form | {"text-0-text": "Other words.", "from_day_0": f"{at:%Y-%m-%d}", "from_day_1": "12:00:00"}
    assert root.post(page(row), sent).status_code == 302
    row.refresh_from_db()
    assert row.text == {"en": ["Other words."]}
    assert row.from_day is not None


def test_what_is_in_force_can_not_be_changed_or_deleted(root, donor):
    row = version(donor, 1, from_day=timezone.now() - timedelta(days=1))
    shown = root.get(page(row)).content.decode()
    assert "Text 1." in shown
    assert 'name="text-0-text"' not in shown
    assert root.post(page(row), filled(donor)).status_code == 403
    assert root.post(page(row, "delete"), {"post": "yes"}).status_code == 403
    row.refresh_from_db()
    assert row.text == {"en": ["Text 1."]}


def test_a_draft_can_be_deleted(root, donor):
    row = version(donor, 1)
    assert root.post(page(row, "delete"), {"post": "yes"}).status_code == 302
    assert not Terms.objects.exists()


def test_a_new_version_is_a_copy_after_a_click(root, donor):
    row = version(donor, 1, from_day=timezone.now() - timedelta(days=1))
    url = page(row, "copy")
    assert root.get(url).status_code == 200
    assert Terms.objects.count() == 1
    assert root.post(url).status_code == 302
    copy = Terms.objects.get(number=2)
    assert (copy.text, copy.from_day, copy.service) == (row.text, None, donor)
    row.refresh_from_db()
    assert row.from_day is not None


@pytest.mark.parametrize(
    ("after", "sentence"),
    [(timedelta(days=-1), "Nobody can have agreed"), (timedelta(days=1), "choose a later moment")],
)
def test_a_moment_that_makes_no_sense_is_refused(root, donor, after, sentence):
    version(donor, 1, from_day=timezone.now() + timedelta(days=2))
    response = root.post(ADD, filled(donor, timezone.now() + after))
    assert sentence in response.content.decode()
    assert Terms.objects.count() == 1


def test_an_older_draft_does_not_replace_a_later_version(root, donor):
    draft = version(donor, 1)
    version(donor, 2, from_day=timezone.now() - timedelta(days=1))
    sent = sent_back(root.get(page(draft)), "terms") | {"from_day_0": "2099-01-01", "from_day_1": "12:00:00"}
    assert "A later version is published already" in root.post(page(draft), sent).content.decode()
    draft.refresh_from_db()
    assert draft.from_day is None


def test_only_click_through_services_have_terms(root):
    login = web.service("login", "login")
    assert "Agree to terms" in root.post(ADD, filled(login)).content.decode()
    assert not Terms.objects.exists()


def test_the_list_says_how_each_version_stands(root, donor):
    now = timezone.now()
    for number, at in (
        (1, now - timedelta(days=2)),
        (2, now - timedelta(days=1)),
        (3, now + timedelta(days=1)),
        (4, None),
    ):
        version(donor, number, from_day=at)
    found = root.get("/admin/iiif_auth/terms/").content.decode()
    assert all(word in found for word in ("replaced; it was", "in force since", "in force from", "draft"))
    assert found.count("in force since") == 1


@pytest.mark.parametrize(
    ("codenames", "status"), [((), 403), (("view_terms",), 403), (("view_terms", "add_terms"), 302)]
)
def test_copies_need_the_permission_to_add(client, donor, codenames, status):
    row = version(donor, 1)
    member(client, "every_collection", *codenames)
    assert client.post(page(row, "copy")).status_code == status
    assert Terms.objects.count() == (2 if status == 302 else 1)


# -- The log ------------------------------------------------------------------------------------------------------


@pytest.fixture
def accepted(donor):
    now = timezone.now()
    rows = [("=HYPERLINK(1)", 1), ("ada", 2), ("bob", 2)]
    for name, number in rows:
        Acceptance.objects.create(
            service=donor,
            version=number,
            user_name=name,
            at=now,
            origin="https://viewer.example",
            network="203.0.113.0/24",
        )


def table(response) -> list[list[str]]:
    return list(csv.reader(b"".join(response.streaming_content).decode("utf-8-sig").splitlines()))


def test_the_log_is_taken_out_as_it_is_filtered(root, accepted):
    found = table(root.get(f"{LOG}export.csv?version=2"))
    assert len(found) == 3
    assert {row[3] for row in found[1:]} == {"ada", "bob"}
    assert f"{LOG}export.csv?version=2" in root.get(f"{LOG}?version=2").content.decode()


def test_no_cell_is_a_formula(root, accepted):
    cells = [cell for row in table(root.get(f"{LOG}export.csv")) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not any(cell.startswith(("=", "+", "@")) for cell in cells)


def test_nobody_changes_or_deletes_it(root, accepted):
    row = Acceptance.objects.first()
    for name in ("change", "delete"):
        url = reverse(f"admin:iiif_auth_acceptance_{name}", args=(row.pk,))
        assert root.post(url, {"post": "yes", "version": "9"}).status_code == 403
    assert root.get(f"{LOG}add/").status_code == 403
    root.post(LOG, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert Acceptance.objects.count() == 3


@pytest.mark.parametrize("codenames", [(), ("view_terms",), ("view_pass",)])
def test_the_log_needs_its_permission(client, accepted, codenames):
    member(client, "every_collection", *codenames)
    assert client.get(LOG).status_code == 403
    assert client.get(f"{LOG}export.csv").status_code == 403


def test_nobody_anonymous_takes_it_out(client, accepted):
    assert client.get(f"{LOG}export.csv").status_code == 302


def test_staff_of_single_collections_find_nothing_in_it(client, accepted):
    member(client, "view_acceptance")
    response = client.get(f"{LOG}export.csv")
    assert response.status_code == 403 or len(table(response)) == 1


def test_an_advisory_comes_as_a_template_of_terms():
    from django.core.management import call_command

    call_command("loaddata", "iiif_auth_templates", verbosity=0)
    row = AccessService.objects.get(slug="template-advisory")
    assert row.pattern == AccessService.Pattern.CLICKTHROUGH
    version(row, 1)
    assert factories.AccessServiceFactory.build().pass_hours == row.pass_hours

"""The pages for spreadsheets, as people use them."""

from __future__ import annotations

import csv
import io
from collections import defaultdict

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from iiif_auth import models, placing
from iiif_auth.admin import tables
from iiif_auth.exchange import uploads, writing
from tests import factories
from tests.admin.pages import Form

pytestmark = pytest.mark.django_db

UPLOAD = reverse("admin:iiif_auth_tables")


def staff(client, *codenames: str):
    user = factories.UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="iiif_auth", codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    client.force_login(user)
    return user


def sent(client, text: str | bytes, name: str = "rights.csv", **more):
    raw = text.encode() if isinstance(text, str) else text
    return client.post(UPLOAD, {"file": SimpleUploadedFile(name, raw), **more})


def looked_at(client, text: str | bytes, **answers):
    """The page of what would change, after the columns were accepted as they were guessed."""
    answer = sent(client, text)
    assert answer.status_code == 302, answer.content.decode()
    fields = Form(client.get(answer.url).content.decode()).fields
    checked = client.post(answer.url, {**fields, **answers})
    assert checked.status_code == 302, checked.content.decode()
    return client.get(checked.url)


def applied(client, page, reason="The yearly list of rights"):
    url = page.request["PATH_INFO"]
    return client.post(url, {"do": "apply", "reason": reason}, follow=True)


def test_a_spreadsheet_is_looked_at_applied_and_put_back(root):
    row, policy = factories.ResourceFactory(), factories.AccessPolicyFactory(slug="reading-room")
    page = looked_at(root, f"identifier,policy\n{row.url},reading-room\n/iiif/3/new,reading-room\n")
    assert "would change 2 rows" in page.content.decode()
    assert not models.Resource.objects.filter(policy=policy).exists()
    done = applied(root, page)
    assert "changed 2 rows" in done.content.decode()
    assert {one.url for one in models.Resource.objects.filter(policy=policy)} == {row.url, "/iiif/3/new"}
    changes = models.Change.objects.filter(batch=done.context["batch"])
    assert set(changes.values_list("model", "reason")) == {("resource", "The yearly list of rights")}
    root.post(page.request["PATH_INFO"], {"do": "undo", "reason": "A mistake"})
    assert not models.Resource.objects.filter(policy=policy).exists()
    assert models.Resource.objects.get().pk == row.pk


def test_the_receipt_says_what_came_of_each_row(root):
    row = factories.ResourceFactory()
    factories.AccessPolicyFactory(slug="reading-room")
    page = looked_at(root, f"identifier,policy\n{row.url},reading-room\n/iiif/3/x,reding-room\n")
    assert "Apply 1 change" in page.content.decode()
    done = applied(root, page)
    url = reverse("admin:iiif_auth_table_receipt", args=[done.context["batch"].pk])
    text = b"".join(root.get(url).streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert [line[3] for line in lines[1:]] == ["changed", "left out"]
    assert "Did you mean" in lines[2][4]
    assert "reading-room" in lines[2][4]


def test_nothing_is_applied_without_a_reason(root):
    row = factories.ResourceFactory()
    factories.AccessPolicyFactory(slug="closed")
    page = looked_at(root, f"identifier,policy\n{row.url},closed\n")
    answer = root.post(page.request["PATH_INFO"], {"do": "apply", "reason": ""})
    assert answer.status_code == 200
    assert "This field is required." in answer.content.decode()
    row.refresh_from_db()
    assert row.policy is None


def test_what_changed_since_somebody_looked_is_shown_again_instead_of_done(root):
    row, other = factories.ResourceFactory(), factories.AccessPolicyFactory()
    factories.AccessPolicyFactory(slug="closed")
    page = looked_at(root, f"identifier,policy\n{row.url},closed\n")
    models.Resource.objects.filter(pk=row.pk).update(policy=other)
    again = applied(root, page)
    assert "Please look again" in again.content.decode()
    row.refresh_from_db()
    assert row.policy == other
    assert "changed 1 row" in applied(root, page).content.decode()


def test_a_file_belongs_to_whoever_sent_it(client, root):
    page = looked_at(root, "identifier,label\n/iiif/3/x,Chart\n")
    url = page.request["PATH_INFO"]
    staff(client, "view_resource", "change_resource", "add_resource", "every_collection")
    assert client.get(url).status_code == 404
    assert client.post(url, {"do": "apply", "reason": "mine"}).status_code == 404
    assert not models.Resource.objects.exists()


@pytest.mark.parametrize("codenames", [(), ("view_resource",), ("view_resource", "every_collection")])
def test_people_who_change_nothing_find_no_such_pages(client, codenames):
    staff(client, *codenames)
    batch = models.Batch.objects.create(kind="table", what="x", plan={"form": "table"})
    names = [("tables", []), ("tables_template", ["csv"]), ("table", [batch.pk]), ("table_rows", [batch.pk])]
    for name, args in names:
        assert client.get(reverse(f"admin:iiif_auth_{name}", args=args)).status_code == 403
    assert sent(client, "identifier\n/iiif/3/x\n").status_code == 403


def test_looking_changes_nothing(root):
    row = factories.ResourceFactory()
    factories.AccessPolicyFactory(slug="closed")
    page = looked_at(root, f"identifier,policy\n{row.url},closed\n")
    root.get(page.request["PATH_INFO"] + "?do=apply&reason=x")
    row.refresh_from_db()
    assert row.policy is None
    assert not models.Change.objects.filter(batch__isnull=False).exists()


def test_columns_that_are_not_known_are_named_and_left_out(root):
    answer = sent(root, "identifier,shelf mark\n/iiif/3/x,A 1\n")
    page = root.get(answer.url).content.decode()
    assert "Not known, and left out" in page
    assert "shelf mark" in page


def test_what_a_heading_means_is_remembered_for_the_next_file(root):
    answer = sent(root, "Signatur,label\n/iiif/3/x,Chart\n")
    refused = root.post(answer.url, {"column_1": "label"})
    assert "which column holds the addresses" in refused.content.decode()
    assert root.post(answer.url, {"column_0": "identifier", "column_1": "label"}).status_code == 302
    batch = models.Batch.objects.latest("pk")
    sent(root, "SIGNATUR,label\n/iiif/3/y,Map\n")
    assert models.Batch.objects.latest("pk").plan["mapping"] == ["identifier", "label"]
    assert models.Batch.objects.latest("pk") != batch


def test_dates_that_can_be_read_in_two_ways_are_asked_about_once(root):
    row = factories.ResourceFactory()
    answer = sent(root, f"identifier,closed until\n{row.url},03/04/2031\n")
    fields = Form(root.get(answer.url).content.decode()).fields
    asked = root.post(answer.url, fields)
    assert "can be read in two ways" in asked.content.decode()
    checked = root.post(answer.url, {**fields, "order": "dmy"})
    assert "2031-04-03" in root.get(checked.url).content.decode()


def test_files_that_are_none_are_answered_with_a_sentence_beside_the_field(root):
    page = sent(root, b"%PDF-1.7", "rights.pdf").content.decode()
    assert "This is no spreadsheet" in page
    assert 'href="#id_file"' in page


def test_the_pages_of_ten_thousand_rows_stay_small(root, django_assert_max_num_queries):
    policy = factories.AccessPolicyFactory(slug="closed")
    models.Resource.objects.bulk_create(
        models.Resource(url=f"/iiif/3/big-{number}", label={"en": ["x"]}) for number in range(2000)
    )
    page = looked_at(root, "identifier,policy\n" + "".join(f"/iiif/3/big-{number},closed\n" for number in range(2000)))
    url = page.request["PATH_INFO"]
    with django_assert_max_num_queries(30):
        page = root.get(url + "?show=all&page=7")
    assert len(page.content) < 200_000
    assert "Page 7 of 20" in page.content.decode()
    applied(root, page)
    assert models.Resource.objects.filter(policy=policy).count() == 2000
    assert models.Change.objects.filter(batch__isnull=False).count() == 2000


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_templates_can_be_sent_back_as_they_are(root, form):
    pytest.importorskip("openpyxl")
    answer = root.get(reverse("admin:iiif_auth_tables_template", args=[form]))
    raw = b"".join(answer.streaming_content) if answer.streaming else answer.content
    back = sent(root, raw, f"template.{form}")
    assert back.status_code == 302
    mapping = models.Batch.objects.latest("pk").plan["mapping"]
    assert "" not in mapping
    assert root.get(reverse("admin:iiif_auth_tables_template", args=["exe"])).status_code == 404


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_what_was_exported_changes_nothing_when_it_comes_back(root, form):
    everything(root)
    raw = exported(root, form)
    answer = sent(root, raw, f"resources.{form}")
    fields = Form(root.get(answer.url).content.decode()).fields
    page = root.get(root.post(answer.url, fields).url)
    assert dict(page.context["counts"]) == {"error": 0, "new": 0, "changed": 0, "same": 6}, page.content.decode()


def everything(root):
    """Three resources with all that a spreadsheet can say, and with texts that look like formulas."""
    policy, network = factories.AccessPolicyFactory(slug="room"), factories.NetworkFactory(slug="desk")
    factories.TierFactory(policy=policy, slug="small")
    held = factories.CollectionFactory(slug="maps")
    one = factories.ResourceFactory(label={"en": ["=1+1"]}, remarks="-", collection=held, policy=policy)
    factories.ResourceFactory(remarks="'=odd\nand two lines", type="Video", image_api=0, url="/media/film.webm")
    factories.ResourceFactory(label={"de": ["Karte"], "fr": ["Carte", "Plan"]})
    factories.EmbargoFactory(resource=one, ends="2031-05-01T00:00:00+01:00", then_policy=policy, reason="@law")
    factories.GrantFactory(resource=one, ends="2031-01-01T00:00:00Z", reason="+44", tier="small", take=False)
    factories.GrantFactory(resource=one, user=None, group=factories.GroupFactory(name="Elders"))
    factories.GrantFactory(resource=one, user=None, network=network)


def exported(client, form: str, rows=None) -> bytes:
    keys = [row.pk for row in rows or models.Resource.objects.all()]
    data = {"action": f"export_{form}", "_selected_action": keys}
    answer = client.post(reverse("admin:iiif_auth_resource_changelist"), data)
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


def test_an_export_holds_nothing_that_a_spreadsheet_program_would_work_out(root):
    everything(root)
    lines = list(csv.reader(io.StringIO(exported(root, "csv").decode("utf-8-sig"))))
    assert [cell for line in lines for cell in line if cell[:1] in tuple("=+-@\t\r") and cell] == []
    assert "'=1+1" in {line[1] for line in lines}


def test_an_export_without_the_permission_to_see_grants_tells_of_none(client, root):
    everything(root)
    staff(client, "view_resource", "change_resource", "every_collection")
    text = exported(client, "csv").decode()
    assert "Elders" not in text
    assert "desk" not in text
    assert "2031" not in text


# -- Twins that are broken on purpose, each of which a test above must notice ------------------------------------------


def test_it_is_noticed_where_files_are_anybodys(client, root, monkeypatch):
    monkeypatch.setattr(uploads, "own", anybodys)
    with pytest.raises(AssertionError, match="200 == 404"):
        test_a_file_belongs_to_whoever_sent_it(client, root)


def anybodys(user, *kinds):
    """A twin of ``uploads.own`` that forgets whose a file is."""
    return models.Batch.objects.filter(kind__in=kinds, plan__has_key="form")


def test_it_is_noticed_where_everybody_may_send_files(client, monkeypatch):
    monkeypatch.setattr(tables, "may_exchange", lambda user: True)
    with pytest.raises(AssertionError, match="200 == 403"):
        test_people_who_change_nothing_find_no_such_pages(client, ("view_resource", "every_collection"))


def test_it_is_noticed_where_an_export_does_not_ask_about_grants(client, root, monkeypatch):
    def held(model, rows, user, related):
        found = defaultdict(list)
        for one in model.objects.filter(resource__in=rows).order_by("pk"):
            found[one.resource_id].append(one)
        return found

    monkeypatch.setattr(writing, "_held", held)
    with pytest.raises(AssertionError, match="Elders"):
        test_an_export_without_the_permission_to_see_grants_tells_of_none(client, root)


def test_an_export_holds_nothing_of_other_collections(client):
    mine, other = factories.CollectionFactory(slug="mine"), factories.CollectionFactory(slug="other")
    rows = [factories.ResourceFactory(collection=one, url=f"/iiif/3/in-{one.slug}") for one in (mine, other)]
    models.Delegation.objects.create(
        collection=mine, user=staff(client, "view_resource", "change_resource"), role="manager"
    )
    text = exported(client, "csv", rows).decode()
    assert "/iiif/3/in-mine" in text
    assert "/iiif/3/in-other" not in text


def test_it_is_noticed_where_it_does(client, monkeypatch):
    monkeypatch.setattr(placing, "filtered", lambda rows, bounds, user: rows)
    with pytest.raises(AssertionError, match="in-other"):
        test_an_export_holds_nothing_of_other_collections(client)
